"""Mounting a blob from another repository, and falling back to an upload where that cannot be."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from roadstead.content.blob_index import BlobLink
from roadstead.digest import ALGORITHMS, Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, Event, Operation
from tests.api.backends import on_both_backends
from tests.api.client import Answer, Client
from tests.api.documents import push_image
from tests.memory.index import MemoryIndex

SOURCE, TARGET = "acme/base", "acme/app"
DATA = b"a layer that two images share"


def mount(
    client: Client, digest: str, source: str | None = SOURCE, *, target: str = TARGET, scopes: tuple[str, ...] = ()
) -> Answer:
    """Asks with a token for `scopes`, or for push to the target and pull from the source."""
    query = f"?mount={digest}" + (f"&from={source}" if source is not None else "")
    scopes = scopes or (f"repository:{target}:pull,push", f"repository:{source or SOURCE}:pull")
    return client.request("POST", f"/v2/{target}/blobs/uploads/{query}", scope=" ".join(scopes))


def falls_back(client: Client, answer: Answer) -> None:
    """202, and the upload that it names takes the blob."""
    answer.expect(202)
    digest = Digest.of(b"pushed instead")
    assert answer.header("range") == "0-0"
    client.put(answer.location, digest, b"pushed instead").expect(201)


@on_both_backends
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_blob_is_mounted(developer: Client, algorithm: str) -> None:
    digest = developer.push_blob(SOURCE, DATA, algorithm)
    answer = mount(developer, digest).expect(201)
    assert answer.location == f"/v2/{TARGET}/blobs/{digest}"
    assert answer.header("docker-content-digest") == digest
    assert answer.header("docker-upload-uuid") is None
    assert developer.blob(TARGET, digest).expect(200).body == DATA


def test_mounting_what_is_there_already_succeeds_again(developer: Client) -> None:
    digest = developer.push_blob(SOURCE, DATA)
    for source in (SOURCE, SOURCE):
        mount(developer, digest, source).expect(201)
    mount(developer, digest, TARGET, scopes=(f"repository:{TARGET}:pull,push",)).expect(201)


def test_a_mount_without_the_sources_scope_is_challenged_for_both(developer: Client) -> None:
    digest = developer.push_blob(SOURCE, DATA)
    answer = mount(developer, digest, scopes=(f"repository:{TARGET}:pull,push",)).refused(401, "UNAUTHORIZED")
    assert answer.challenge["scope"] == f"repository:{TARGET}:pull,push repository:{SOURCE}:pull"
    assert answer.challenge["error"] == "insufficient_scope"
    target = f"/v2/{TARGET}/blobs/uploads/?mount={digest}&from={SOURCE}"
    developer.request("POST", target, scope=answer.challenge["scope"]).expect(201)


@pytest.mark.parametrize("source", ["secret/base", "missing/base"])
def test_a_mount_from_an_unreadable_or_missing_source_is_202(developer: Client, source: str) -> None:
    admin = developer.api.user("admin")
    digest = Digest.of(DATA)
    if source == "secret/base":
        assert admin.push_blob(source, DATA) == digest
    falls_back(developer, mount(developer, digest, source))
    developer.blob(TARGET, digest, method="HEAD").expect(404)


def test_knowing_a_digest_does_not_grant_its_bytes(developer: Client) -> None:
    """Neither by mount, nor by a manifest that names it, nor by asking another repository."""
    digest = developer.api.user("admin").push_blob("secret/base", DATA)
    stranger = developer.api.user("developer")
    for source in ("secret/base", SOURCE, None):
        mount(stranger, digest, source).expect(202)
    stranger.blob(TARGET, digest).refused(404, "BLOB_UNKNOWN")
    stranger.blob("secret/base", digest).refused(401, "DENIED")


@on_both_backends
def test_a_mount_of_a_blob_absent_from_the_source_is_202(developer: Client) -> None:
    falls_back(developer, mount(developer, Digest.of(DATA)))


@pytest.mark.parametrize(("digest", "source"), [("sha256:short", SOURCE), (Digest.of(DATA), "UPPER/case"), ("", "")])
def test_a_malformed_mount_is_202(developer: Client, digest: str, source: str) -> None:
    falls_back(developer, mount(developer, digest, source))


@on_both_backends
def test_a_mount_without_from_searches_readable_repositories_of_the_project(developer: Client) -> None:
    digest = developer.push_blob(SOURCE, DATA)
    mount(developer, digest, None, scopes=(f"repository:{TARGET}:pull,push",)).expect(202)
    mount(developer, digest, None).expect(201)
    assert developer.blob(TARGET, digest).expect(200).body == DATA


@on_both_backends
@pytest.mark.parametrize("source", [TARGET, None])
def test_a_mount_of_a_blob_in_the_target_is_201(developer: Client, maintainer: Client, source: str | None) -> None:
    scopes = (f"repository:{TARGET}:pull,push",)
    digest = developer.push_blob(TARGET, DATA)
    mount(developer, digest, source, scopes=scopes).expect(201)
    maintainer.blob(TARGET, digest, method="DELETE").expect(202)
    mount(developer, digest, source, scopes=scopes).expect(202)


def test_a_blob_whose_removal_cannot_be_cancelled_counts_as_absent(
    developer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, find = developer.push_blob(TARGET, DATA), MemoryIndex.find_link

    def marked(index: MemoryIndex, repository: RepositoryName, digest: Digest) -> BlobLink | None:
        link = find(index, repository, digest)
        return replace(link, marked="mark") if link else None

    def removed_meanwhile(index: MemoryIndex, repository: RepositoryName, digest: Digest) -> bool:
        index.mark_link(repository, digest, "mark")
        event = Event("1", 0, Operation.DELETE_BLOB, Actor("someone"), repository)
        index.unlink(repository, digest, mark="mark", event=event)
        return False

    monkeypatch.setattr(MemoryIndex, "find_link", marked)
    mount(developer, digest, TARGET, scopes=(f"repository:{TARGET}:pull,push",)).expect(201)
    developer.blob(TARGET, digest, method="HEAD").expect(200)
    monkeypatch.setattr(MemoryIndex, "unmark_link", removed_meanwhile)
    mount(developer, digest, TARGET, scopes=(f"repository:{TARGET}:pull,push",)).expect(202)
    developer.blob(TARGET, digest, method="HEAD").expect(404)


def test_a_mount_without_from_searches_no_other_project(developer: Client) -> None:
    digest = developer.push_blob("open/base", DATA)
    scopes = (f"repository:{TARGET}:pull,push", "repository:open/base:pull")
    falls_back(developer, mount(developer, digest, None, scopes=scopes))
    mount(developer, digest, "open/base", scopes=scopes).expect(201)


def test_a_mount_needs_push_on_the_target(developer: Client) -> None:
    digest = developer.push_blob(SOURCE, DATA)
    guest = developer.api.user("guest")
    answer = mount(guest, digest).refused(401, "DENIED")
    assert answer.challenge["scope"] == f"repository:{TARGET}:pull,push"


@on_both_backends
def test_deleting_the_blob_in_one_repository_leaves_it_in_the_other(developer: Client, maintainer: Client) -> None:
    digest = developer.push_blob(SOURCE, DATA)
    mount(developer, digest).expect(201)
    maintainer.blob(SOURCE, digest, method="DELETE").expect(202)
    developer.blob(SOURCE, digest).expect(404)
    assert developer.blob(TARGET, digest).expect(200).body == DATA
    mount(developer, digest).expect(202)


def test_a_manifest_with_a_mounted_blob_is_accepted(developer: Client) -> None:
    push_image(developer, SOURCE, layers=[DATA])
    config = Digest.of(b'{"architecture":"amd64"}')
    for digest in (Digest.of(DATA), config):
        mount(developer, digest).expect(201)
    manifest = developer.manifest(SOURCE, "latest").expect(200)
    developer.put_manifest(TARGET, "latest", manifest.body, manifest.header("content-type")).expect(201)


def test_a_declined_mount_can_be_cancelled_as_podman_does(developer: Client) -> None:
    location = mount(developer, Digest.of(DATA)).expect(202).location
    developer.api.request("DELETE", location).expect(204)
    assert urlsplit(location).path.startswith(f"/v2/{TARGET}/blobs/uploads/")
