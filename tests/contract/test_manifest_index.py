"""What every index of manifests does."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from roadstead.conflicts import Conflict
from roadstead.content.blob_index import StoredObject
from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST
from roadstead.content.manifest_index import (
    MAX_INLINE_MANIFEST,
    MAX_TAGS_PER_COMMIT,
    Commit,
    CommitSnapshot,
    Contents,
    ManifestEntry,
    Referrer,
    TagEntry,
)
from roadstead.digest import Digest
from roadstead.names import RepositoryName, Tag
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker
from tests.contract.conftest import Index

SHIPS, CARGO = RepositoryName("ships/galleon"), RepositoryName("cargo/tea")
LATEST, STABLE = Tag("latest"), Tag("stable")
ADA = Actor("ada")


def event(operation: Operation = Operation.PUSH, digest: str = "") -> Event:
    return EventMaker().make(operation, ADA, SHIPS, digest=digest)


def entry(text: str = "one", *, generation: str = "g1", algorithm: str = "sha256") -> ManifestEntry:
    data = text.encode()
    digest = Digest.of(data, algorithm)
    return ManifestEntry(digest, OCI_MANIFEST, len(data), generation, f"manifests/{digest}/{generation}", data)


def standing(index: Index, one: ManifestEntry, tags: Sequence[Tag], repository: RepositoryName) -> CommitSnapshot:
    return index.manifests.read_snapshot(repository, one.digest, tags, blobs=(), manifests=())


def commit(
    index: Index,
    one: ManifestEntry,
    *tags: Tag,
    repository: RepositoryName = SHIPS,
    found: CommitSnapshot | None = None,
    referrer: Referrer | None = None,
) -> None:
    found = found or standing(index, one, tags, repository)
    index.manifests.commit(Commit(repository, one, tags, found, referrer, event(digest=one.digest)))


def refer(index: Index, text: str, subject: Digest, **annotations: str) -> ManifestEntry:
    one = replace(entry(text), subject=subject)
    descriptor = {"mediaType": OCI_MANIFEST, "digest": one.digest, "size": one.size, "annotations": annotations}
    commit(index, one, referrer=Referrer(one.digest, descriptor, one.key, OCI_MANIFEST))
    return one


def delete(index: Index, one: ManifestEntry) -> None:
    index.manifests.mark_manifest(SHIPS, one.digest, "mark")
    index.manifests.delete_manifest(SHIPS, one, mark="mark", event=event(Operation.DELETE_MANIFEST, one.digest))


def test_an_empty_index_finds_nothing(index: Index) -> None:
    digest = entry().digest
    assert index.manifests.find_tag(SHIPS, LATEST) is None
    assert index.manifests.find_manifest(SHIPS, digest) is None
    assert index.manifests.find_tags_of(SHIPS, digest) == ()
    assert index.manifests.repository_exists(SHIPS) is False
    assert index.manifests.list_tags(SHIPS, after="", limit=9) == ()
    assert index.manifests.list_repositories(after="", limit=9) == ()
    assert list(index.manifests.list_referrers(SHIPS, digest, after="")) == []
    assert standing(index, entry(), [LATEST], SHIPS) == CommitSnapshot(None, {}, False, Contents({}, {}))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_committed_manifest_is_found_by_digest_and_tag(index: Index, algorithm: str) -> None:
    one = entry(algorithm=algorithm)
    commit(index, one, LATEST, STABLE)
    assert index.manifests.find_manifest(SHIPS, one.digest) == one
    assert index.manifests.find_tag(SHIPS, LATEST) == TagEntry(LATEST, one.digest, OCI_MANIFEST, one.size)
    assert index.manifests.find_tags_of(SHIPS, one.digest) == (LATEST, STABLE)
    assert index.manifests.find_manifest(CARGO, one.digest) is None
    assert index.manifests.repository_exists(SHIPS) is True
    assert index.manifests.list_repositories(after="", limit=9) == (SHIPS,)
    assert index.events() == [("push", one.digest)]


def test_a_manifest_without_inline_bytes_and_one_with_the_most_of_them_are_kept(index: Index) -> None:
    pointed = replace(entry("pointed"), data=None)
    inline = replace(entry("inline"), data=b"x" * MAX_INLINE_MANIFEST)
    commit(index, pointed)
    commit(index, inline)
    assert index.manifests.find_manifest(SHIPS, pointed.digest) == pointed
    assert index.manifests.find_manifest(SHIPS, inline.digest) == inline


def test_a_snapshot_has_everything_a_commit_needs_without_bytes(index: Index) -> None:
    one, child, absent = entry(), entry("child"), Digest.of(b"absent")
    blob = Digest.of(b"blob")
    commit(index, one, LATEST)
    commit(index, child)
    index.blobs.link_object(
        SHIPS, blob, StoredObject("k", 4, b"blob"), upload_id="a" * 32, mark_expires=9, event=event(Operation.UPLOAD)
    )
    index.blobs.mark_link(SHIPS, blob, "mark")
    found = index.manifests.read_snapshot(
        SHIPS, one.digest, [LATEST, STABLE], blobs=[blob, absent], manifests=[child.digest, absent]
    )
    assert found.manifest == replace(one, data=None)
    assert found.tags == {LATEST: TagEntry(LATEST, one.digest, OCI_MANIFEST, one.size)}
    assert found.repository_exists
    assert found.contents == index.manifests.read_contents(SHIPS, blobs=[blob, absent], manifests=[child.digest])
    assert found.contents.manifests == {child.digest: replace(child, data=None)}
    link = found.contents.links[blob]
    assert (link.size, link.key, link.data, link.marked) == (4, "k", None, "mark")


def test_contents_are_read_for_many_and_repeated_digests(index: Index) -> None:
    digests = [Digest.of(str(number).encode()) for number in range(230)]
    for number, digest in enumerate(digests[::10]):
        index.blobs.link_object(
            SHIPS,
            digest,
            StoredObject(f"k{number}", 1),
            upload_id=f"{number:032x}",
            mark_expires=9,
            event=event(Operation.UPLOAD),
        )
    found = index.manifests.read_contents(SHIPS, blobs=[*digests, *digests], manifests=digests)
    assert set(found.links) == set(digests[::10])
    assert found.manifests == {}


def test_moving_a_tag_moves_its_inverse(index: Index) -> None:
    one, two = entry("one"), entry("two")
    commit(index, one, LATEST, STABLE)
    commit(index, two, LATEST)
    assert index.manifests.find_tags_of(SHIPS, one.digest) == (STABLE,)
    assert index.manifests.find_tags_of(SHIPS, two.digest) == (LATEST,)


def test_a_commit_moves_the_most_tags_at_once(index: Index) -> None:
    tags = sorted(Tag(f"v{number}-" + "x" * 100) for number in range(MAX_TAGS_PER_COMMIT))
    one = entry("one")
    two = replace(entry("two"), subject=one.digest)
    commit(index, one, *tags)
    listed = Referrer(two.digest, {"digest": two.digest}, two.key, OCI_MANIFEST)
    commit(index, two, *tags, referrer=listed)
    assert index.manifests.find_tags_of(SHIPS, two.digest) == tuple(tags)
    assert index.manifests.find_tags_of(SHIPS, one.digest) == ()


def test_committing_an_existing_manifest_moves_tags_and_keeps_its_generation(index: Index) -> None:
    commit(index, entry(generation="g1"))
    commit(index, entry(generation="g2"), LATEST)
    found = index.manifests.find_manifest(SHIPS, entry().digest)
    assert found == entry(generation="g1")
    assert index.manifests.find_tags_of(SHIPS, entry().digest) == (LATEST,)


@pytest.mark.parametrize("between", ["the same manifest", "another manifest on the tag", "the repository"])
def test_a_commit_on_a_changed_snapshot_is_a_conflict(index: Index, between: str) -> None:
    if between != "the repository":
        commit(index, entry("first"))
    found = standing(index, entry(), [LATEST], SHIPS)
    match between:
        case "the same manifest":
            commit(index, entry(generation="faster"))
        case "another manifest on the tag":
            commit(index, entry("other"), LATEST)
        case _:
            commit(index, entry("other"))
    with pytest.raises(Conflict):
        commit(index, entry(), LATEST, found=found)
    assert ("push", entry().digest) not in index.events() or between == "the same manifest"
    tag = index.manifests.find_tag(SHIPS, LATEST)
    assert tag is None or tag.digest == entry("other").digest


def test_a_commit_on_another_generation_is_a_conflict(index: Index) -> None:
    one = entry(generation="g1")
    commit(index, one)
    found = standing(index, one, [LATEST], SHIPS)
    delete(index, one)
    with pytest.raises(Conflict):
        commit(index, one, LATEST, found=found)
    commit(index, entry(generation="g2"))
    with pytest.raises(Conflict):
        commit(index, one, LATEST, found=found)
    assert index.manifests.find_tag(SHIPS, LATEST) is None


def test_a_commit_that_moves_a_removed_tag_is_a_conflict(index: Index) -> None:
    commit(index, entry("one"), LATEST)
    found = standing(index, entry("two"), [LATEST], SHIPS)
    index.manifests.delete_tag(SHIPS, LATEST, entry("one").digest, event=event(Operation.UNTAG))
    with pytest.raises(Conflict):
        commit(index, entry("two"), LATEST, found=found)
    assert index.manifests.find_manifest(SHIPS, entry("two").digest) is None


def test_a_deleted_tag_is_gone_and_its_manifest_stays(index: Index) -> None:
    one = entry()
    commit(index, one, LATEST, STABLE)
    index.manifests.delete_tag(SHIPS, LATEST, one.digest, event=event(Operation.UNTAG, one.digest))
    assert index.manifests.find_tag(SHIPS, LATEST) is None
    assert index.manifests.find_tags_of(SHIPS, one.digest) == (STABLE,)
    assert index.manifests.find_manifest(SHIPS, one.digest) == one
    assert sorted(index.events()) == [("push", one.digest), ("untag", one.digest)]
    assert "manifest" in index.candidates()


def test_a_tag_is_deleted_only_while_it_points_to_what_was_read(index: Index) -> None:
    with pytest.raises(Conflict):
        index.manifests.delete_tag(SHIPS, LATEST, entry().digest, event=event(Operation.UNTAG))
    commit(index, entry("one"), LATEST)
    commit(index, entry("two"), LATEST)
    with pytest.raises(Conflict):
        index.manifests.delete_tag(SHIPS, LATEST, entry("one").digest, event=event(Operation.UNTAG))
    assert index.manifests.find_tags_of(SHIPS, entry("two").digest) == (LATEST,)
    assert "untag" not in dict(index.events())


def test_tags_are_removed_all_or_none_with_an_event(index: Index) -> None:
    tags = [Tag(f"v{number:03}") for number in range(MAX_TAGS_PER_COMMIT)]
    one = entry()
    commit(index, one, *tags)
    with pytest.raises(Conflict):
        index.manifests.remove_tags(SHIPS, one.digest, [*tags[:5], STABLE], event=event(Operation.UNTAG, one.digest))
    assert index.manifests.find_tags_of(SHIPS, one.digest) == tuple(tags)
    assert "untag" not in dict(index.events())
    index.manifests.remove_tags(SHIPS, one.digest, tags, event=event(Operation.UNTAG, one.digest))
    assert index.manifests.find_tags_of(SHIPS, one.digest) == ()
    assert index.manifests.list_tags(SHIPS, after="", limit=9) == ()
    assert ("untag", one.digest) in index.events()


def test_a_manifest_can_be_marked_and_unmarked(index: Index) -> None:
    one = entry()
    assert index.manifests.mark_manifest(SHIPS, one.digest, "one") is None
    assert index.manifests.unmark_manifest(SHIPS, one.digest) is False
    assert index.manifests.find_manifest(SHIPS, one.digest) is None
    commit(index, one)
    assert index.manifests.mark_manifest(SHIPS, one.digest, "one") == replace(one, marked="one")
    assert index.manifests.find_manifest(SHIPS, one.digest) == replace(one, marked="one")
    assert index.manifests.unmark_manifest(SHIPS, one.digest, "two") is False
    assert index.manifests.unmark_manifest(SHIPS, one.digest, "one") is True
    assert index.manifests.find_manifest(SHIPS, one.digest) == one


def test_a_manifest_is_deleted_with_its_referrer_entry(index: Index) -> None:
    subject = Digest.of(b"subject")
    one = refer(index, "one", subject)
    marked = index.manifests.mark_manifest(SHIPS, one.digest, "mark")
    assert marked is not None and marked.subject == subject
    index.manifests.delete_manifest(SHIPS, marked, mark="mark", event=event(Operation.DELETE_MANIFEST, one.digest))
    assert index.manifests.find_manifest(SHIPS, one.digest) is None
    assert list(index.manifests.list_referrers(SHIPS, subject, after="")) == []
    assert ("delete-manifest", one.digest) in index.events()
    assert "manifest" in index.candidates()
    with pytest.raises(Conflict):
        index.manifests.delete_manifest(SHIPS, marked, mark="mark", event=event(Operation.DELETE_MANIFEST))


def test_a_manifest_is_deleted_with_its_last_tags_or_keeps_them_all(index: Index) -> None:
    tags = [Tag(f"v{number:03}") for number in range(MAX_TAGS_PER_COMMIT)]
    one = entry()
    commit(index, one, *tags)
    index.manifests.mark_manifest(SHIPS, one.digest, "mark")
    told, untag = event(Operation.DELETE_MANIFEST, one.digest), event(Operation.UNTAG, one.digest)
    for mark, removed in (("other", tags), ("mark", [*tags, STABLE])):
        with pytest.raises(Conflict):
            index.manifests.delete_manifest(SHIPS, one, mark=mark, event=told, tags=removed, untag=untag)
    assert index.manifests.find_tags_of(SHIPS, one.digest) == tuple(tags)
    index.manifests.delete_manifest(SHIPS, one, mark="mark", event=told, tags=tags, untag=untag)
    assert index.manifests.find_manifest(SHIPS, one.digest) is None
    assert index.manifests.list_tags(SHIPS, after="", limit=9) == ()
    assert sorted(index.events()) == sorted(
        [("push", one.digest), *((e, one.digest) for e in ("delete-manifest", "untag"))]
    )


def test_tagging_a_manifest_beside_its_deletion_keeps_it(index: Index) -> None:
    one = entry()
    commit(index, one)
    index.manifests.mark_manifest(SHIPS, one.digest, "mark")
    commit(index, one, LATEST)
    with pytest.raises(Conflict):
        index.manifests.delete_manifest(SHIPS, one, mark="mark", event=event(Operation.DELETE_MANIFEST))
    assert index.manifests.find_manifest(SHIPS, one.digest) == one


def test_removing_uses_of_a_generation_keeps_others(index: Index) -> None:
    one, blobs = entry(), [Digest.of(str(number).encode()) for number in range(60)]
    index.manifests.write_uses(SHIPS, one.digest, "g1", blobs, at=1, key="k1")
    index.manifests.write_uses(SHIPS, one.digest, "g2", blobs, at=2, key="k2")
    index.manifests.remove_uses(SHIPS, one.digest, "g1", blobs)
    index.manifests.remove_uses(SHIPS, one.digest, "g1", blobs)
    for digest in blobs:
        assert [use.generation for use in index.blobs.find_uses(SHIPS, digest)] == ["g2"]
    assert index.candidates() == ["manifest", "manifest"]


def test_a_manifest_without_needs_writes_a_candidate(index: Index) -> None:
    index.manifests.write_uses(SHIPS, entry().digest, "g1", [], at=1, key="k1")
    index.manifests.remove_uses(SHIPS, entry().digest, "g1", [])
    assert index.candidates() == ["manifest"]


def test_tags_are_listed_in_byte_order_page_by_page(index: Index) -> None:
    tags = [Tag(text) for text in ("0.1", "A", "Z", "_x", "a", "a-b", "a.b", "a_b", "aa", "z")]
    for start in range(0, len(tags), 5):
        commit(index, entry(), *reversed(tags[start : start + 5]))
    assert list(tags) == sorted(tags)
    listed = index.manifests.list_tags(SHIPS, after="", limit=99)
    assert listed == tuple(tags)
    assert index.manifests.list_tags(SHIPS, after="", limit=3) == tuple(tags[:3])
    assert index.manifests.list_tags(SHIPS, after="Z", limit=3) == tuple(tags[3:6])
    assert index.manifests.list_tags(SHIPS, after="Zebra", limit=3) == tuple(tags[3:6])
    assert index.manifests.list_tags(SHIPS, after="z", limit=3) == ()
    assert index.manifests.list_tags(SHIPS, after="", limit=0) == ()


# What clients may send as `last`: it need not be a tag, and it may be longer than any key, or sort behind them all.
@pytest.mark.parametrize("after", ["a", "a" * 128, "a" * 3000, "é" * 3000, "a\0", "a\x7f", "a#", "a\U0010ffff"])
def test_a_list_continues_after_any_text(index: Index, after: str) -> None:
    longest = Tag("a" * 128)
    commit(index, entry(), Tag("0"), Tag("a"), longest, Tag("b"))
    expected = tuple(tag for tag in (Tag("0"), Tag("a"), longest, Tag("b")) if tag > after)
    assert index.manifests.list_tags(SHIPS, after=after, limit=9) == expected


@pytest.mark.parametrize("after", ["\U0010ffff", "\U0010ffff" * 900, "é", "\x7f"])
def test_a_list_after_the_last_name_is_empty(index: Index, after: str) -> None:
    commit(index, entry(), LATEST)
    assert index.manifests.list_tags(SHIPS, after=after, limit=9) == ()
    assert index.manifests.list_repositories(after=after, limit=9) == ()
    assert list(index.manifests.list_referrers(SHIPS, entry().digest, after=after)) == []


def test_a_list_of_tags_has_only_tags(index: Index) -> None:
    one = refer(index, "one", Digest.of(b"subject"))
    commit(index, one, LATEST)
    index.manifests.write_uses(SHIPS, one.digest, "g", [one.digest], at=1, key="k")
    assert index.manifests.list_tags(SHIPS, after="", limit=99) == (LATEST,)


def test_repositories_are_listed_in_byte_order_page_by_page(index: Index) -> None:
    names = sorted(RepositoryName(text) for text in ("a", "a/b", "a-b/c", "a.b", "b", "x" * 255))
    for name in reversed(names):
        commit(index, entry(), repository=name)
        commit(index, entry("again"), repository=name)
    assert index.manifests.list_repositories(after="", limit=99) == tuple(names)
    assert index.manifests.list_repositories(after="a", limit=2) == tuple(names[1:3])
    assert index.manifests.list_repositories(after="x" * 255, limit=2) == ()
    assert index.manifests.list_repositories(after="x" * 256, limit=2) == ()
    assert index.manifests.list_repositories(after="", limit=0) == ()


def test_referrers_are_listed_by_digest_and_subject(index: Index) -> None:
    subject, other = Digest.of(b"subject"), Digest.of(b"subject", "sha512")
    made = sorted((refer(index, str(number), subject, note="é \ud83d") for number in range(5)), key=lambda e: e.digest)
    refer(index, "other", other)
    listed = list(index.manifests.list_referrers(SHIPS, subject, after=""))
    assert [one.digest for one in listed] == [one.digest for one in made]
    assert listed[0] == Referrer(
        made[0].digest,
        {
            "mediaType": OCI_MANIFEST,
            "digest": made[0].digest,
            "size": made[0].size,
            "annotations": {"note": "é \ud83d"},
        },
        made[0].key,
        OCI_MANIFEST,
    )
    assert list(index.manifests.list_referrers(SHIPS, subject, after=made[2].digest)) == listed[3:]
    assert list(index.manifests.list_referrers(CARGO, subject, after="")) == []


def test_a_large_descriptor_is_kept_whole_or_by_pointer(index: Index) -> None:
    subject = Digest.of(b"subject")
    one = refer(index, "one", subject, note="x" * 3_900_000)
    (listed,) = index.manifests.list_referrers(SHIPS, subject, after="")
    assert (listed.digest, listed.key, listed.media_type) == (one.digest, one.key, OCI_MANIFEST)
    assert listed.descriptor is None or listed.descriptor["annotations"]["note"] == "x" * 3_900_000


def test_committing_an_existing_manifest_keeps_its_referrer_entry(index: Index) -> None:
    subject = Digest.of(b"subject")
    refer(index, "one", subject, note="first")
    refer(index, "one", subject, note="first")
    assert len(list(index.manifests.list_referrers(SHIPS, subject, after=""))) == 1


def test_an_index_entry_keeps_its_own_type(index: Index) -> None:
    one = replace(entry(), media_type=OCI_INDEX)
    commit(index, one, LATEST)
    tag = index.manifests.find_tag(SHIPS, LATEST)
    assert tag is not None and tag.media_type == OCI_INDEX


def test_concurrent_writers_of_a_tag_end_in_one_of_their_states(index: Index) -> None:
    entries = [entry(str(number)) for number in range(5)]

    def push(one: ManifestEntry) -> None:
        while True:
            try:
                return commit(index, one, LATEST)
            except Conflict:
                continue

    threads = [threading.Thread(target=push, args=(one,)) for one in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tag = index.manifests.find_tag(SHIPS, LATEST)
    assert tag is not None
    owners = [one.digest for one in entries if index.manifests.find_tags_of(SHIPS, one.digest)]
    assert owners == [tag.digest]
    assert all(index.manifests.find_manifest(SHIPS, one.digest) == one for one in entries)
