"""What every catalog does: pages, counts and summaries over an index, and the indexer that derives them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pytest

from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.catalog.dynamodb_pages import DynamoPages
from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.catalog.dynamodb_walk import DynamoWalk
from roadstead.aws.table import Table, put
from roadstead.catalog.derived import DerivedIndex, KeptRepository, Walk
from roadstead.catalog.extraction import HELM_CHART, HELM_CONFIG, VALUES, derived_key
from roadstead.catalog.indexing import Indexer, targets_of
from roadstead.catalog.models import README
from roadstead.catalog.pages import Counts, Details, Pages, RepositorySummary, Totals
from roadstead.catalog.rebuild import Rebuild
from roadstead.catalog.summaries import MAX_ACCESSORIES, MAX_CHILDREN, MAX_SUMMARY, Child, Summary
from roadstead.conflicts import Conflict
from roadstead.content.blob_index import StoredObject
from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST, parse_manifest
from roadstead.content.manifest_index import MAX_INLINE_MANIFEST, Commit, ManifestEntry, Referrer
from roadstead.content.manifests import Manifests, needed_by
from roadstead.content.relatives import find_accessories
from roadstead.content.repositories import Repositories, UnknownRepository
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker
from roadstead.trail.pull_counts import Artifact, PullCounts, Pulls
from tests.contract.conftest import Index
from tests.manifests import image_of
from tests.memory.audit import MemoryPullCounts
from tests.memory.catalog import MemoryCatalog
from tests.memory.objects import MemoryObjects

SHIPS, BOATS, SINGLE = RepositoryName("ships/galleon"), RepositoryName("ships/boat"), RepositoryName.parse("hello")
ADA = Actor("ada")
START = 1_800_000_000_000
CONFIG = "application/vnd.oci.image.config.v1+json"


class Whole(Pages, DerivedIndex, Walk, Protocol):
    pass


class DynamoCatalog(DynamoPages, DynamoDerivedIndex, DynamoWalk):
    """All on one table."""


@dataclass
class Catalog:
    """A catalog and the index below it; `events` are those of every change, which `index` hands to the indexer."""

    index: Index
    whole: Whole
    pulls: PullCounts
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    events: list[Event] = field(default_factory=list)
    now: int = START

    def __post_init__(self) -> None:
        self.maker = EventMaker(self._clock)
        self.indexer = Indexer(
            derived=self.whole, manifests=self.index.manifests, blobs=self.index.blobs, objects=self.objects
        )
        self.manifests = Manifests(
            manifests=self.index.manifests,
            blobs=self.index.blobs,
            objects=self.objects,
            events=self.maker,
        )

    def _clock(self) -> float:
        self.now += 1
        return self.now / 1000

    def blob(self, data: bytes, repository: RepositoryName = SHIPS) -> Digest:
        digest = Digest.of(data)
        event = self._told(Operation.UPLOAD, repository, digest)
        upload = f"{len(self.events):032x}"
        stored = StoredObject(f"blobs/uploads/{upload}/x", len(data), data)
        self.index.blobs.link_object(repository, digest, stored, upload_id=upload, mark_expires=None, event=event)
        return digest

    def unlink(self, digest: Digest, repository: RepositoryName = SHIPS) -> None:
        event = self._told(Operation.DELETE_BLOB, repository, digest)
        self.index.blobs.mark_link(repository, digest, "mark")
        self.index.blobs.unlink(repository, digest, mark="mark", event=event)

    def push(self, body: bytes, *tags: str, repository: RepositoryName = SHIPS) -> Digest:
        """As `Push` does it, its blobs taken for there."""
        digest, manifest = Digest.of(body), parse_manifest(body, None)
        names = tuple(Tag(tag) for tag in tags)
        found = self.index.manifests.read_snapshot(repository, digest, names, blobs=(), manifests=())
        generation = f"{len(self.events):032x}"
        key = f"manifests/{repository}/{digest}/{generation}"
        subject = manifest.subject.digest if manifest.subject else None
        data = body if len(body) <= MAX_INLINE_MANIFEST else None
        made = ManifestEntry(digest, manifest.media_type, len(body), generation, key, data, subject)
        entry = found.manifest or made
        self.objects.put(entry.key, body, metadata={})
        referrer = None
        if subject is not None:
            referrer = Referrer(digest, manifest.referrer(digest, len(body)), key, manifest.media_type)
        event = self._told(Operation.PUSH if found.manifest is None else Operation.TAG, repository, digest, names)
        if found.manifest is None:
            self.index.manifests.write_uses(repository, digest, generation, needed_by(manifest), at=event.at, key=key)
        self.index.manifests.commit(Commit(repository, entry, names, found, referrer, event))
        return digest

    def delete(self, reference: Digest | Tag, repository: RepositoryName = SHIPS) -> None:
        digest: str = reference
        tags: tuple[Tag, ...] = ()
        if isinstance(reference, Tag):
            found = self.index.manifests.find_tag(repository, reference)
            assert found is not None
            digest, tags = found.digest, (reference,)
        operation = Operation.UNTAG if tags else Operation.DELETE_MANIFEST
        self.now += 4_000_000  # past the fence: uses of commits that are over do not count any more
        self.manifests.delete(repository, reference, ADA)
        self._told(operation, repository, Digest(digest), tags)

    def settle(self, events: Iterable[Event] | None = None) -> None:
        """Hand events to the indexer, all of them if none are named."""
        for event in self.events if events is None else events:
            for target in targets_of(event):
                self.indexer.settle(target, at=event.at)

    def tags(self, repository: RepositoryName = SHIPS) -> list[str]:
        return [row.tag for row in self.whole.tags_by_push(repository, after=None, limit=100)]

    def artifacts(self, repository: RepositoryName = SHIPS) -> list[Digest]:
        return [row.digest for row in self.whole.artifacts_by_push(repository, after=None, limit=100)]

    def summary(self, digest: Digest) -> Summary:
        found = self.whole.find_summary(SHIPS, digest)
        assert found is not None
        return found

    def told(self, operation: Operation) -> Event:
        """An event of a change that the indexer does not look at."""
        return self.maker.make(operation, ADA, "")

    def _told(
        self, operation: Operation, repository: RepositoryName, digest: Digest, tags: tuple[Tag, ...] = ()
    ) -> Event:
        self.events.append(self.maker.make(operation, ADA, repository, digest=digest, tags=tags))
        return self.events[-1]


@pytest.fixture
def catalog(index: Index) -> Catalog:
    if index.memory is not None:
        pulls = MemoryPullCounts()
        return Catalog(index, MemoryCatalog(index.memory, pulls), pulls)
    table = Table(index.client, index.table_name, sleep=lambda _: None)
    return Catalog(index, DynamoCatalog(table), DynamoPullCounts(table))


def descriptor(data: bytes, media_type: str = "application/octet-stream", **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data), **more}


def image(*layers: bytes, config: bytes = b"{}", config_type: str = CONFIG, **fields: Any) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(config, config_type),
        "layers": [descriptor(layer) for layer in layers],
        **fields,
    }
    return json.dumps(document).encode()


def index_of(*children: bytes, **platforms: str) -> bytes:
    listed = [
        descriptor(child, OCI_MANIFEST, platform={"os": "linux", "architecture": architecture})
        for child, architecture in zip(children, platforms or ("amd64", "arm64", "s390x"), strict=False)
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()


ONE, TWO, THREE = image(b"1"), image(b"2"), image(b"3")


def test_an_empty_catalog_shows_nothing(catalog: Catalog) -> None:
    assert catalog.tags() == catalog.artifacts() == []
    assert catalog.whole.tags_by_name(SHIPS, after=None, limit=5) == ()
    assert catalog.whole.count(SHIPS) == Counts(0, 0)
    assert catalog.whole.details(SHIPS, [Digest.of(b"x")]) == {Digest.of(b"x"): Details()}
    assert catalog.whole.list_repositories(SHIPS.project) == ()
    assert (catalog.whole.list_names(), catalog.whole.find_repositories_with(Digest.of(b"x"))) == ((), {})
    assert catalog.whole.used_bytes(SHIPS.project) == 0


def test_tags_page_by_push_both_ways_and_a_moved_tag_comes_first(catalog: Catalog) -> None:
    for number in range(7):
        catalog.push(ONE, f"v{number}")
    catalog.push(TWO, "v3")
    newest, oldest, after = list[str](), list[str](), None
    for _ in range(3):
        page = catalog.whole.tags_by_push(SHIPS, after=after, limit=3)
        newest += [row.tag for row in page]
        after = page[-1].place
    after = None
    for _ in range(3):
        page = catalog.whole.tags_by_push(SHIPS, after=after, limit=3, oldest_first=True)
        oldest += [row.tag for row in page]
        after = page[-1].place
    assert newest == ["v3", "v6", "v5", "v4", "v2", "v1", "v0"]
    assert oldest == newest[::-1]
    row = catalog.whole.tags_by_push(SHIPS, after=None, limit=1)[0]
    assert (row.digest, row.media_type, row.size, row.by) == (Digest.of(TWO), OCI_MANIFEST, len(TWO), "ada")
    assert row.at == catalog.events[-1].at


def test_tags_page_by_name_both_ways_and_by_prefix(catalog: Catalog) -> None:
    for tag in ("b1", "a", "b2", "c", "b10"):
        catalog.push(ONE, tag)

    def names(**how: Any) -> list[str]:
        return [row.tag for row in catalog.whole.tags_by_name(SHIPS, **{"after": None, "limit": 10, **how})]

    assert names() == ["a", "b1", "b10", "b2", "c"]
    assert names(backward=True) == ["c", "b2", "b10", "b1", "a"]
    assert names(prefix="b") == ["b1", "b10", "b2"]
    assert names(after="b1", limit=2) == ["b10", "b2"]
    assert names(after="b2", limit=2, backward=True) == ["b10", "b1"]
    assert names(prefix="b", after="b2", backward=True) == ["b10", "b1"]


def test_cosigns_tags_are_neither_listed_nor_counted(catalog: Catalog) -> None:
    digest = catalog.push(ONE, "latest")
    for number in range(5):
        other = Digest.of(b"%d" % number)
        catalog.push(TWO, f"sha256-{other.hex}.sig")
    catalog.push(TWO, f"sha256-{digest.hex}.sig")
    catalog.push(ONE, "zebra")
    catalog.settle()
    assert catalog.tags() == ["zebra", "latest"]
    assert [row.tag for row in catalog.whole.tags_by_name(SHIPS, after=None, limit=2)] == ["latest", "zebra"]
    assert catalog.artifacts() == [digest]
    assert catalog.whole.count(SHIPS) == Counts(2, 1)
    assert catalog.summary(digest).signed and not catalog.summary(digest).has_sbom
    catalog.delete(Tag(f"sha256-{digest.hex}.sig"))
    catalog.settle(catalog.events[-1:])
    assert not catalog.summary(digest).signed


def test_counts_follow_every_push_and_deletion(catalog: Catalog) -> None:
    catalog.push(ONE, *(f"v{number}" for number in range(25)))
    catalog.push(ONE, *(f"w{number}" for number in range(25)), "v1")
    catalog.push(TWO, "v2", "x")
    catalog.push(THREE)
    assert catalog.whole.count(SHIPS) == Counts(51, 3)
    catalog.delete(Tag("v3"))
    assert catalog.whole.count(SHIPS) == Counts(50, 3)
    catalog.delete(Digest.of(ONE))
    assert catalog.whole.count(SHIPS) == Counts(2, 2)
    catalog.delete(Digest.of(TWO))
    catalog.delete(Digest.of(THREE))
    assert catalog.whole.count(SHIPS) == Counts(0, 0)
    assert catalog.artifacts() == catalog.tags() == []


def test_children_of_an_index_are_listed_only_while_it_does_not_stand_or_they_have_tags(catalog: Catalog) -> None:
    one, two = catalog.push(ONE), catalog.push(TWO, "two")
    whole = catalog.push(index_of(ONE, TWO), "whole")
    assert set(catalog.artifacts()) == {one, two, whole}  # until the indexer comes to it
    catalog.settle()
    assert catalog.artifacts() == [whole, two]
    assert catalog.whole.count(SHIPS) == Counts(2, 2)

    catalog.push(ONE, "one")
    catalog.settle(catalog.events[-1:])
    assert set(catalog.artifacts()) == {one, two, whole}
    catalog.delete(Tag("one"))
    catalog.delete(Tag("two"))
    catalog.settle(catalog.events[-2:])
    assert catalog.artifacts() == [whole]

    catalog.delete(whole)
    catalog.settle(catalog.events[-1:])
    assert catalog.artifacts() == [two, one]
    assert catalog.whole.count(SHIPS) == Counts(0, 2)


def test_a_child_of_two_indexes_stays_unlisted_until_both_are_gone(catalog: Catalog) -> None:
    one = catalog.push(ONE)
    both = catalog.push(index_of(ONE)), catalog.push(index_of(ONE, TWO))
    catalog.settle()
    catalog.delete(both[0])
    catalog.settle(catalog.events[-1:])
    assert one not in catalog.artifacts()
    catalog.delete(both[1])
    catalog.settle(catalog.events[-1:])
    assert catalog.artifacts() == [one]


def test_an_unlisted_child_can_be_deleted_and_is_not_counted_twice(catalog: Catalog) -> None:
    one = catalog.push(ONE)
    whole = catalog.push(index_of(ONE), "whole")
    catalog.settle()
    catalog.delete(whole)
    catalog.delete(one)  # before the indexer gave it its place back
    assert catalog.whole.count(SHIPS) == Counts(0, 0)
    catalog.settle()
    assert catalog.whole.count(SHIPS) == Counts(0, 0)


def test_referrers_are_not_artifacts_and_flag_their_subject(catalog: Catalog) -> None:
    digest = catalog.push(ONE, "latest")
    subject = descriptor(ONE, OCI_MANIFEST)
    signature = catalog.push(image(artifactType="application/vnd.dev.sigstore.bundle.v0.3+json", subject=subject))
    catalog.settle(reversed(catalog.events))
    assert catalog.artifacts() == [digest]
    assert (catalog.summary(digest).signed, catalog.summary(digest).has_sbom) == (True, False)
    assert catalog.summary(signature).subject == digest
    catalog.push(image(b"sbom", artifactType="application/spdx+json", subject=subject))
    catalog.delete(signature)
    catalog.settle(catalog.events[-2:])
    assert (catalog.summary(digest).signed, catalog.summary(digest).has_sbom) == (False, True)


def test_a_summary_has_the_first_accessories_and_counts_all(catalog: Catalog) -> None:
    digest = catalog.push(ONE, "latest")
    subject = descriptor(ONE, OCI_MANIFEST)
    made = sorted(
        catalog.push(image(b"%d" % number, artifactType="application/spdx+json", subject=subject))
        for number in range(5)
    )
    tagged = catalog.push(TWO, f"sha256-{digest.hex}.att")
    catalog.settle()
    summary = catalog.summary(digest)
    assert summary.accessory_count == 6
    assert [one.digest for one in summary.accessories] == made[:MAX_ACCESSORIES]
    whole = find_accessories(catalog.index.manifests, SHIPS, digest, limit=100)
    assert [one.digest for one in whole] == [*made, tagged]
    assert whole[-1].type == "application/vnd.dev.cosign.artifact.att.v1+json"
    assert all(one.at > START and one.size for one in whole)
    assert [one.digest for one in find_accessories(catalog.index.manifests, SHIPS, digest, limit=2)] == made[:2]


@pytest.mark.parametrize("few", [True, False])
def test_tags_are_read_by_their_artifacts_without_cosigns(
    catalog: Catalog, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not few:
        monkeypatch.setattr("roadstead.aws.catalog.dynamodb_pages.TAGS_AT_ONCE", 2)
    bodies = [image(b"layer %d" % number) for number in range(4)]
    digests = [catalog.push(body, f"a{number}", f"b{number}") for number, body in enumerate(bodies)]
    signature = catalog.push(TWO, f"sha256-{digests[0].hex}.sig")
    catalog.push(bodies[0], f"sha256-{digests[1].hex}.sig")
    found = catalog.whole.tags_of(SHIPS, digests, limit=2)
    assert {digest: [one.tag for one in tags] for digest, tags in found.items()} == {
        digest: [f"a{number}", f"b{number}"] for number, digest in enumerate(digests)
    }
    assert [one.tag for one in catalog.whole.tags_of(SHIPS, digests[:1], limit=1)[digests[0]]] == ["a0"]
    assert all(one.at > START for tags in found.values() for one in tags)
    whole = catalog.whole.all_tags(SHIPS, limit=100)
    assert whole == {**found, signature: ()}
    assert catalog.whole.tags_of(SHIPS, [Digest.of(b"absent")], limit=5) == {Digest.of(b"absent"): ()}


def test_all_summaries_and_pulls_of_a_repository_are_read_at_once(catalog: Catalog) -> None:
    digests = sorted([catalog.push(ONE, "one"), catalog.push(TWO), catalog.push(index_of(ONE, TWO))])
    catalog.push(THREE, repository=BOATS)
    catalog.settle()
    catalog.pulls.add("b", {Artifact(SHIPS, digests[0]): Pulls(2, 99)}, {})
    assert [one.digest for one in catalog.whole.all_summaries(SHIPS, limit=10)] == digests
    assert [one.digest for one in catalog.whole.all_summaries(SHIPS, limit=2)] == digests[:2]
    assert catalog.whole.all_pulls(SHIPS) == {digests[0]: Pulls(2, 99)}


def test_half_a_character_in_an_annotation_is_a_question_mark_in_the_summary(catalog: Catalog) -> None:
    """JSON can express half of a surrogate pair, and nothing can store it."""
    catalog.blob(b'{"author": "\\ud83d"}')
    body = image(config=b'{"author": "\\ud83d"}', annotations={"org.opencontainers.image.title": "a\ud83d"})
    digest = catalog.push(body, "latest")
    catalog.settle()
    summary = catalog.summary(digest)
    assert (summary.annotations, summary.facts) == ({"title": "a?"}, {"author": "?"})


def test_a_summary_says_what_a_page_shows(catalog: Catalog) -> None:
    config = json.dumps({"os": "linux", "architecture": "arm64", "created": "2026-01-01T00:00:00Z", "rootfs": 1})
    catalog.blob(config.encode())
    body = image(b"layer", b"layer", config=config.encode(), annotations={"org.opencontainers.image.version": "1.2"})
    digest = catalog.push(body, "latest")
    catalog.settle()
    summary = catalog.summary(digest)
    assert summary.platforms == ("linux/arm64",)
    assert summary.size == len(body) + len(config) + len(b"layer")  # a blob counts once
    assert summary.facts == {"os": "linux", "architecture": "arm64", "created": "2026-01-01T00:00:00Z"}
    assert summary.annotations == {"version": "1.2"}
    assert summary.layers == 2
    assert summary.additions == ("config.json",)
    extracted = catalog.objects.get(derived_key(SHIPS, digest, summary.generation, "config.json"))
    assert extracted == config.encode()
    assert catalog.whole.details(SHIPS, [digest])[digest] == Details(summary, None)
    assert Summary.from_json(summary.to_json()) == summary


def test_an_index_sums_up_its_children(catalog: Catalog) -> None:
    catalog.push(ONE)
    whole = index_of(ONE, TWO)  # the second is not there: a mirror
    digest = catalog.push(whole, "whole")
    catalog.settle()
    summary = catalog.summary(digest)
    first, second = (
        Child(Digest.of(ONE), "linux/amd64", len(ONE) + 2 + 1),
        Child(Digest.of(TWO), "linux/arm64", len(TWO)),
    )
    assert summary.children == (first, second)
    assert summary.platforms == ("linux/amd64", "linux/arm64")
    assert summary.size == len(whole) + first.size + second.size


def test_a_summary_is_bounded_whatever_is_pushed(catalog: Catalog) -> None:
    hostile = {"os": "\u2603" * 500, "architecture": ["x"]}
    children = [descriptor(b"%d" % number, OCI_MANIFEST, platform=hostile) for number in range(500)]
    annotations = {f"org.opencontainers.image.{name}": "\u2603" * 9_000 for name in ("title", "description", "url")}
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children, "annotations": annotations}
    digest = catalog.push(json.dumps(document).encode(), "big")
    catalog.settle()
    summary = catalog.summary(digest)
    assert len(summary.to_json().encode()) <= MAX_SUMMARY
    assert summary.child_count == 500 and len(summary.children) <= MAX_CHILDREN


@pytest.mark.parametrize("config", [b"not json", b"[]", b'{"os": 1}', b"[" * 100_000])
def test_a_configuration_that_is_not_one_has_no_facts(catalog: Catalog, config: bytes) -> None:
    catalog.blob(config)
    digest = catalog.push(image(config=config), "x")
    catalog.settle()
    assert catalog.summary(digest).facts == {}


def test_a_charts_readme_and_values_are_extracted(catalog: Catalog) -> None:
    files = {"chart/README.md": b"# read me", "chart/values.yaml": b"a: 1", "chart/charts/x/README.md": b"not mine"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    config, chart = b'{"name": "chart", "version": "1.0.0", "appVersion": "2"}', packed.getvalue()
    catalog.blob(config)
    catalog.blob(chart)
    body = image(config=config, config_type=HELM_CONFIG, layers=[descriptor(chart, HELM_CHART)])
    digest = catalog.push(body, "1.0.0")
    catalog.settle()
    summary = catalog.summary(digest)
    assert summary.facts == {"name": "chart", "version": "1.0.0", "appVersion": "2"}
    texts = {
        name: catalog.objects.get(derived_key(SHIPS, digest, summary.generation, name)) for name in summary.additions
    }
    assert texts == {"config.json": config, README: b"# read me", VALUES: b"a: 1"}
    catalog.delete(digest)
    catalog.settle(catalog.events[-1:])
    assert not any(catalog.objects.get(derived_key(SHIPS, digest, summary.generation, name)) for name in texts)


def test_a_digest_is_found_in_every_repository_that_has_it(catalog: Catalog) -> None:
    digest = catalog.push(ONE, "a")
    catalog.push(ONE, "b", repository=BOATS)
    blob = catalog.blob(b"blob", BOATS)
    catalog.settle()
    assert catalog.whole.find_repositories_with(digest) == {BOATS: True, SHIPS: True}
    assert catalog.whole.find_repositories_with(blob) == {BOATS: False}
    catalog.delete(digest)
    catalog.settle()
    assert catalog.whole.find_repositories_with(digest) == {BOATS: True}


def test_a_late_deletion_leaves_the_pulls_of_what_was_pushed_again(catalog: Catalog) -> None:
    digest = catalog.push(ONE, "latest")
    catalog.settle()
    catalog.delete(digest)
    deletion = catalog.events[-1:]
    catalog.push(ONE, "latest")
    catalog.pulls.add("b", {Artifact(SHIPS, digest): Pulls(3, START)}, {})
    catalog.settle(deletion)
    assert catalog.whole.details(SHIPS, [digest])[digest].pulls == Pulls(3, START)
    catalog.delete(digest)
    catalog.settle(catalog.events[-1:])
    assert catalog.whole.details(SHIPS, [digest])[digest].pulls is None
    catalog.pulls.add("late", {Artifact(SHIPS, digest): Pulls(1, START)}, {})
    catalog.settle(catalog.events[-1:])
    assert catalog.whole.details(SHIPS, [digest])[digest].pulls is None


def test_a_projects_repositories_are_listed_with_what_they_hold(catalog: Catalog) -> None:
    catalog.push(ONE, "a", "b")
    first = catalog.events[-1].at
    catalog.push(TWO, repository=BOATS)
    catalog.push(ONE, "x", repository=SINGLE)
    catalog.push(ONE, "x", repository=RepositoryName("shipsandmore/x"))
    catalog.pulls.add("b", {Artifact(SHIPS, Digest.of(ONE)): Pulls(3, START + 5)}, {})
    boats = RepositorySummary(BOATS, first + 1, first + 1, 0, 1)
    assert catalog.whole.list_repositories(SHIPS.project)[1] == RepositorySummary(
        SHIPS, first, first, 2, 1, 3, START + 5
    )
    catalog.settle()
    catalog.push(THREE, "c")
    catalog.settle(catalog.events[-1:])
    ships = RepositorySummary(SHIPS, first, catalog.events[-1].at, 3, 2, 3, START + 5)
    assert catalog.whole.list_repositories(SHIPS.project) == (boats, ships)
    absent = RepositoryName("ships/absent")
    totals = catalog.whole.totals_of([SHIPS, BOATS, absent])
    assert totals == {SHIPS: Totals(2, 3), BOATS: Totals(1, 0), absent: Totals()}
    assert [one.name for one in catalog.whole.list_repositories(ProjectName("library"))] == [SINGLE]
    assert catalog.whole.list_names() == (SINGLE, BOATS, SHIPS, RepositoryName("shipsandmore/x"))


@pytest.mark.parametrize("at_once", [100, 1])
def test_repositories_are_found_by_their_last_update(
    catalog: Catalog, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that the indexer has not come to, which is the newest."""
    monkeypatch.setattr("roadstead.aws.catalog.dynamodb_pages.BATCH_GET", at_once)
    names = [RepositoryName(name) for name in ("acme/a", "acme/b", "boats/c")]
    for name in names:
        catalog.push(image(b"layer"), "v1", repository=name)
    catalog.settle()
    catalog.push(image(b"another"), "v1", repository=names[0])
    catalog.settle()
    late = RepositoryName("boats/late")
    catalog.push(image(b"layer"), "v1", repository=late)
    wanted = [*names, late, RepositoryName("acme/none")]
    found = catalog.whole.last_updated(wanted, limit=10)
    assert [one.name for one in found] == [late, names[0], names[2], names[1]]
    projects = (ProjectName("acme"), ProjectName("boats"))
    listed = [one for project in projects for one in catalog.whole.list_repositories(project)]
    assert sorted(found, key=lambda one: one.name) == listed
    assert [one.name for one in catalog.whole.last_updated(wanted[1:], limit=2)] == [late, names[2]]
    assert catalog.whole.last_updated([], limit=2) == ()


def test_a_projects_blobs_count_once_in_its_usage(catalog: Catalog) -> None:
    one, two = image_of(b"x" * 1000), image_of(b"x" * 1000, b"y" * 500)
    for repository in (SHIPS, BOATS):
        for data in (b"{}", b"x" * 1000, b"y" * 500):
            catalog.blob(data, repository)
    catalog.settle()
    assert catalog.whole.used_bytes(SHIPS.project) == 0  # no manifest needs them
    digest, other = catalog.push(one, "a"), catalog.push(one, "a", repository=BOATS)
    catalog.settle()
    assert catalog.whole.used_bytes(SHIPS.project) == 1002 + 2 * len(one)
    catalog.delete(digest)
    catalog.settle(catalog.events[-1:])
    assert catalog.whole.used_bytes(SHIPS.project) == 1002 + len(one)  # the other repository needs them still
    catalog.push(two, "b")
    catalog.delete(other, BOATS)
    catalog.settle()
    catalog.settle()
    assert catalog.whole.used_bytes(SHIPS.project) == 1502 + len(two)
    catalog.delete(Digest.of(two))
    catalog.settle(reversed(catalog.events))
    assert catalog.whole.used_bytes(SHIPS.project) == 0


def test_content_of_a_repository_of_one_component_counts_for_the_default_project(catalog: Catalog) -> None:
    for data in (b"{}", b"x" * 10):
        catalog.blob(data, SINGLE)
    body = image_of(b"x" * 10)
    catalog.push(body, repository=SINGLE)
    catalog.settle()
    assert catalog.whole.used_bytes(ProjectName("library")) == 12 + len(body)


def test_what_was_read_before_somebody_elses_write_is_not_written(catalog: Catalog) -> None:
    digest = catalog.push(ONE, "a")
    catalog.settle()
    kept, entry = catalog.summary(digest), catalog.index.manifests.find_manifest(SHIPS, digest)
    assert entry is not None
    with pytest.raises(Conflict):
        catalog.whole.put_summary(SHIPS, kept, replaces=None)
    with pytest.raises(Conflict):
        catalog.whole.set_listed(SHIPS, entry, True)
    with pytest.raises(Conflict):
        catalog.whole.forget_pulls(SHIPS, digest)
    catalog.whole.remove_summary(SHIPS, kept)
    with pytest.raises(Conflict):
        catalog.whole.remove_summary(SHIPS, kept)
    with pytest.raises(Conflict):
        catalog.whole.put_summary(SHIPS, kept, replaces=kept)
    blob = Digest.of(b"x")
    catalog.whole.change_usage(SHIPS.project, own={blob: 5}, disown={})
    for own, disown in (({blob: 5}, {}), ({}, {blob: 4}), ({}, {Digest.of(b"y"): 4})):
        with pytest.raises(Conflict):
            catalog.whole.change_usage(SHIPS.project, own=own, disown=disown)
    assert catalog.whole.used_bytes(SHIPS.project) == 5


def test_rebuilt_equals_grown(catalog: Catalog) -> None:
    catalog.blob(b"layer")
    catalog.push(ONE, "a")
    catalog.push(TWO, "b", repository=BOATS)
    whole = catalog.push(index_of(ONE), "whole")
    catalog.push(image(artifactType="application/spdx+json", subject=descriptor(ONE, OCI_MANIFEST)))
    catalog.push(THREE)
    catalog.delete(Digest.of(THREE))
    catalog.settle()
    grown = _shown(catalog)
    assert Rebuild(catalog.indexer, catalog.whole).run().busy == ()
    assert _shown(catalog) == grown
    catalog.whole.remove_summary(SHIPS, catalog.summary(whole))
    catalog.whole.put_repository(SHIPS, KeptRepository(1, 1, Counts(7, 7)))
    catalog.whole.change_usage(SHIPS.project, own={Digest.of(b"stray"): 77}, disown={})
    rebuilt = Rebuild(catalog.indexer, catalog.whole).run()
    assert (rebuilt.repositories, rebuilt.manifests, rebuilt.blobs, rebuilt.busy) == (2, 4, 1, ())
    assert _shown(catalog)[:-1] == grown[:-1]


def test_what_is_left_of_a_project_that_is_gone_is_rebuilt_to_nothing(catalog: Catalog) -> None:
    gone = RepositoryName("gone/once")
    catalog.whole.change_usage(gone.project, own={Digest.of(b"stray"): 77}, disown={})
    catalog.push(ONE, "a")
    catalog.settle()
    catalog.whole.put_summary(gone, replace(catalog.summary(Digest.of(ONE)), key="gone"), replaces=None)
    Rebuild(catalog.indexer, catalog.whole).run()
    assert catalog.whole.used_bytes(gone.project) == 0
    assert catalog.whole.find_summary(gone, Digest.of(ONE)) is None
    assert catalog.whole.used_bytes(SHIPS.project) == len(ONE)


def test_wrong_counts_are_corrected(catalog: Catalog) -> None:
    if catalog.index.memory is not None:
        pytest.skip("nothing is counted in memory")
    table = Table(catalog.index.client, catalog.index.table_name, sleep=lambda _: None)
    catalog.push(ONE, "a", "b")
    catalog.settle()
    for item in list(table.query(f"count#{SHIPS}"))[1:]:
        table.write(put((item["pk"], item["sk"]), {"n": 40, "v": "x"}))
    table.write(put((f"count#{SHIPS}", "tags#99"), {"n": 3, "v": "x"}))
    table.write(put((f"usage#{SHIPS.project}", "usage"), {"bytes": 1, "v": "x"}))
    Rebuild(catalog.indexer, catalog.whole).run()
    assert catalog.whole.count(SHIPS) == Counts(2, 1)
    assert catalog.whole.used_bytes(SHIPS.project) == len(ONE)


def _shown(catalog: Catalog) -> list[object]:
    """Everything that is derived; last what a rebuild knows less of: when a repository last changed."""
    digests = [Digest.of(body) for body in (ONE, TWO, THREE, index_of(ONE))]
    shown: list[object] = []
    for repository in (SHIPS, BOATS):
        shown += [catalog.whole.details(repository, digests), catalog.artifacts(repository), catalog.tags(repository)]
        shown.append(catalog.whole.count(repository))
    shown += [catalog.whole.find_repositories_with(digest) for digest in digests]
    shown.append(catalog.whole.used_bytes(SHIPS.project))
    return [*shown, catalog.whole.list_repositories(SHIPS.project)]


def test_repositories_have_descriptions_and_are_counted_by_project(catalog: Catalog) -> None:
    for repository in (SHIPS, BOATS, SINGLE):
        catalog.push(ONE, repository=repository)
    store: Repositories = catalog.index.memory or DynamoRepositories(
        Table(catalog.index.client, catalog.index.table_name, sleep=lambda _: None)
    )
    store.describe(SHIPS, "three masts", event=catalog.told(Operation.CHANGE_REPOSITORY))
    with pytest.raises(UnknownRepository):
        store.describe(RepositoryName("ships/absent"), "x", event=catalog.told(Operation.CHANGE_REPOSITORY))
    listed = catalog.whole.list_repositories(ProjectName("ships"))
    assert {one.name: one.description for one in listed} == {SHIPS: "three masts", BOATS: ""}
    projects = [ProjectName(name) for name in ("ships", "library", "absent")]
    for chosen in (projects, projects[:1]):
        found = catalog.whole.count_repositories(chosen)
        assert found == {name: {"ships": 2, "library": 1}.get(name, 0) for name in chosen}
    catalog.settle()
    used = catalog.whole.usage(projects)
    assert used.keys() == {"ships", "library"} and used[projects[0]] == catalog.whole.used_bytes(projects[0])


def test_a_project_that_stores_nothing_any_more_has_no_usage(catalog: Catalog) -> None:
    blob = Digest.of(b"blob")
    catalog.whole.change_usage(SHIPS.project, own={blob: 5}, disown={})
    assert catalog.whole.usage([SHIPS.project]) == {SHIPS.project: 5}
    catalog.whole.change_usage(SHIPS.project, own={}, disown={blob: 5})
    assert catalog.whole.usage([SHIPS.project]) == {}
