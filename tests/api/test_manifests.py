"""Manifests: pushed by tag and by digest, with several tags, pulled, deleted."""

from __future__ import annotations

import base64

import pytest

from roadstead.content.manifest_document import MAX_MANIFEST_BYTES
from roadstead.digest import ALGORITHMS, Digest
from tests.api.backends import on_both_backends
from tests.api.client import Client
from tests.api.conftest import Builder
from tests.api.documents import (
    OCI_INDEX,
    OCI_MANIFEST,
    dump,
    index,
    of,
    push_image,
)
from tests.api.images import REPOSITORY, an_image, push_blobs, serves

algorithms = pytest.mark.parametrize("algorithm", ALGORITHMS)


# Pushing and pulling


@on_both_backends
@pytest.mark.parametrize("by_tag", [True, False])
@algorithms
def test_a_pushed_manifest_is_served_byte_for_byte(developer: Client, by_tag: bool, algorithm: str) -> None:
    push_blobs(developer, algorithm)
    body = an_image(algorithm) + b"\n  "
    digest = Digest.of(body, "sha256" if by_tag else algorithm)
    answer = developer.put_manifest(REPOSITORY, "v1" if by_tag else digest, body, OCI_MANIFEST).expect(201)
    assert answer.location == f"/v2/{REPOSITORY}/manifests/{digest}"
    assert answer.header("docker-content-digest") == digest
    assert (answer.header("oci-subject"), answer.headers("oci-tag"), answer.body) == (None, [], b"")
    serves(developer, digest, body, OCI_MANIFEST, digest)
    if by_tag:
        serves(developer, "v1", body, OCI_MANIFEST, digest)


@on_both_backends
def test_pushing_the_same_again_changes_nothing(developer: Client) -> None:
    push_blobs(developer)
    first, second = (developer.put_manifest(REPOSITORY, "v1", an_image(), OCI_MANIFEST).expect(201) for _ in "12")
    assert first.pairs == second.pairs


@on_both_backends
def test_a_tag_is_moved_and_the_old_manifest_stays(developer: Client) -> None:
    old = push_image(developer, REPOSITORY, "v1", layers=[b"old"])
    new = push_image(developer, REPOSITORY, "v1", layers=[b"new"])
    serves(developer, "v1", new, OCI_MANIFEST, Digest.of(new))
    serves(developer, Digest.of(old), old, OCI_MANIFEST, Digest.of(old))


def test_head_and_get_by_tag_report_the_digest_as_it_was_pushed(developer: Client) -> None:
    push_blobs(developer, "sha512")
    body = an_image("sha512")
    digest = Digest.of(body, "sha512")
    developer.put_manifest(REPOSITORY, digest, body, OCI_MANIFEST, tags=["v1"]).expect(201)
    serves(developer, "v1", body, OCI_MANIFEST, digest)
    developer.manifest(REPOSITORY, Digest.of(body)).refused(404, "MANIFEST_UNKNOWN")


@pytest.mark.parametrize("known", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_client_that_has_the_manifest_gets_304(developer: Client, method: str, known: str) -> None:
    digest = Digest.of(push_image(developer, REPOSITORY, "v1"))
    etag = developer.manifest(REPOSITORY, "v1").header("etag")
    for reference in ("v1", digest):
        answer = developer.manifest(
            REPOSITORY, reference, method=method, headers={"If-None-Match": known.format(digest)}
        ).expect(304)
        assert (answer.header("etag"), answer.header("docker-content-digest")) == (etag, digest)
        assert (answer.body, answer.header("content-type")) == (b"", None)
        developer.manifest(REPOSITORY, reference, method=method, headers={"If-None-Match": '"sha256:other"'}).expect(
            200
        )
        developer.manifest(REPOSITORY, "absent", method=method, headers={"If-None-Match": "*"}).expect(404)


@on_both_backends
@pytest.mark.parametrize("by_tag", [True, False])
def test_a_manifest_with_3_9_mb_of_annotations_is_accepted(developer: Client, by_tag: bool) -> None:
    push_blobs(developer)
    body = an_image(annotations={f"note-{number}": "A" * 10_000 for number in range(390)})
    digest = Digest.of(body)
    developer.put_manifest(REPOSITORY, "big" if by_tag else digest, body, OCI_MANIFEST).expect(201)
    serves(developer, "big" if by_tag else digest, body, OCI_MANIFEST, digest)


def test_a_manifest_of_4_mib_is_accepted_and_one_byte_more_is_413(developer: Client) -> None:
    push_blobs(developer)
    body = an_image() + b" " * (MAX_MANIFEST_BYTES - len(an_image()))
    assert len(body) == 4 * 1024 * 1024
    developer.put_manifest(REPOSITORY, "big", body, OCI_MANIFEST).expect(201)
    serves(developer, "big", body, OCI_MANIFEST, Digest.of(body))
    answer = developer.put_manifest(REPOSITORY, "bigger", body + b" ", OCI_MANIFEST).refused(413, "MANIFEST_INVALID")
    assert str(MAX_MANIFEST_BYTES) in answer.message


def test_a_body_that_does_not_match_the_digest_of_the_url_is_400(developer: Client) -> None:
    push_blobs(developer)
    for algorithm in ALGORITHMS:
        wrong = Digest.of(an_image(), algorithm)
        answer = developer.put_manifest(REPOSITORY, wrong, an_image() + b"  ", OCI_MANIFEST)
        answer.refused(400, "DIGEST_INVALID")
        developer.manifest(REPOSITORY, wrong).expect(404)


@pytest.mark.parametrize("digest", ["sha256:baddigeststring", "sha256:" + "0" * 63, "sha256:" + "A" * 64, "md5:0"])
def test_a_malformed_digest_is_400(maintainer: Client, digest: str) -> None:
    push_blobs(maintainer)
    maintainer.put_manifest(REPOSITORY, digest, an_image(), OCI_MANIFEST).refused(400, "DIGEST_INVALID")
    for method in ("GET", "DELETE"):
        maintainer.manifest(REPOSITORY, digest, method=method).refused(400, "DIGEST_INVALID")


@pytest.mark.parametrize("tag", ["-dash", ".dot", "a" * 129, "sp%20ace", "ümlaut", "a+b"])
def test_a_malformed_tag_is_400_to_push_and_404_to_pull(maintainer: Client, tag: str) -> None:
    push_blobs(maintainer)
    maintainer.put_manifest(REPOSITORY, tag, an_image(), OCI_MANIFEST).refused(400, "TAG_INVALID")
    for method in ("GET", "DELETE"):
        maintainer.manifest(REPOSITORY, tag, method=method).refused(404, "MANIFEST_UNKNOWN")


@pytest.mark.parametrize("tag", ["a", "_", "a" * 128, "V1.0-rc_2", "latest", "list"])
def test_every_tag_of_the_grammar_is_accepted(developer: Client, tag: str) -> None:
    body = push_image(developer, REPOSITORY, tag)
    serves(developer, tag, body, OCI_MANIFEST, Digest.of(body))


@on_both_backends
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_absent_manifest_is_404(maintainer: Client, method: str) -> None:
    for reference in ("latest", Digest.of(b"nothing"), Digest.of(b"nothing", "sha512")):
        answer = maintainer.manifest("acme/nothing", reference, method=method).expect(404)
        assert method == "HEAD" or answer.codes == ["MANIFEST_UNKNOWN"]


# Several tags in one push


@on_both_backends
@pytest.mark.parametrize("count", [1, 10, 25])
@algorithms
def test_a_push_by_digest_sets_tags_and_names_each(developer: Client, count: int, algorithm: str) -> None:
    push_blobs(developer, algorithm)
    body = an_image(algorithm)
    digest = Digest.of(body, algorithm)
    tags = [f"{'t' * 125}{number:03}" for number in range(count)]
    answer = developer.put_manifest(REPOSITORY, digest, body, OCI_MANIFEST, tags=tags).expect(201)
    assert answer.headers("oci-tag") == tags
    assert developer.tags(REPOSITORY).expect(200).json()["tags"] == tags
    serves(developer, tags[-1], body, OCI_MANIFEST, digest)


def test_a_tag_that_is_given_twice_is_set_once(developer: Client) -> None:
    push_blobs(developer)
    answer = developer.put_manifest(REPOSITORY, Digest.of(an_image()), an_image(), OCI_MANIFEST, tags=["a", "b", "a"])
    assert answer.expect(201).headers("oci-tag") == ["a", "b"]


@on_both_backends
def test_25_tags_are_moved_in_one_push(developer: Client, maintainer: Client) -> None:
    tags = [f"v{number:02}" for number in range(25)]
    old, new = (push_image(developer, REPOSITORY, "", layers=[layer]) for layer in (b"old", b"new"))
    for body in (old, new):
        answer = developer.put_manifest(REPOSITORY, Digest.of(body), body, OCI_MANIFEST, tags=tags).expect(201)
        assert answer.headers("oci-tag") == tags
        serves(developer, tags[7], body, OCI_MANIFEST, Digest.of(body))
    maintainer.manifest(REPOSITORY, Digest.of(old), method="DELETE").expect(202)
    assert developer.tags(REPOSITORY).json()["tags"] == tags


@pytest.mark.parametrize("count", [26, 100])
def test_more_than_25_tags_are_414(developer: Client, count: int) -> None:
    push_blobs(developer)
    tags = [f"v{number}" for number in range(count)]
    answer = developer.put_manifest(REPOSITORY, Digest.of(an_image()), an_image(), OCI_MANIFEST, tags=tags)
    answer.refused(414, "TAG_INVALID")
    assert "25" in answer.message
    developer.tags(REPOSITORY).expect(404)


def test_an_index_and_its_children_are_tagged_as_they_are_pushed(developer: Client) -> None:
    push_blobs(developer)
    child, digest = an_image(), Digest.of(an_image())
    developer.put_manifest(REPOSITORY, digest, child, OCI_MANIFEST, tags=["amd64", "v1-amd64"]).expect(201)
    parent = dump(index([of(child, OCI_MANIFEST)]))
    developer.put_manifest(REPOSITORY, Digest.of(parent), parent, OCI_INDEX, tags=["v1", "latest"]).expect(201)
    assert developer.tags(REPOSITORY).json()["tags"] == ["amd64", "latest", "v1", "v1-amd64"]
    serves(developer, "v1-amd64", child, OCI_MANIFEST, digest)


@pytest.mark.parametrize("tag", ["", "-dash", "a" * 129, "sp ace"])
def test_a_malformed_tag_parameter_is_400_and_nothing_is_pushed(developer: Client, tag: str) -> None:
    push_blobs(developer)
    digest = Digest.of(an_image())
    answer = developer.put_manifest(REPOSITORY, digest, an_image(), OCI_MANIFEST, tags=["good", tag])
    answer.refused(400, "TAG_INVALID")
    developer.manifest(REPOSITORY, digest).expect(404)


def test_tag_parameters_beside_a_tag_are_refused(developer: Client) -> None:
    push_blobs(developer)
    developer.put_manifest(REPOSITORY, "v1", an_image(), OCI_MANIFEST, tags=["v2"]).refused(400, "TAG_INVALID")


# Deleting


@on_both_backends
def test_a_deleted_tag_is_404_at_once_and_its_manifest_stays(developer: Client, maintainer: Client) -> None:
    body = push_image(developer, REPOSITORY, "v1")
    developer.put_manifest(REPOSITORY, "v2", body, OCI_MANIFEST).expect(201)
    assert maintainer.manifest(REPOSITORY, "v1", method="DELETE").expect(202).body == b""
    for method in ("GET", "HEAD", "DELETE"):
        maintainer.manifest(REPOSITORY, "v1", method=method).expect(404)
    serves(developer, "v2", body, OCI_MANIFEST, Digest.of(body))
    assert developer.tags(REPOSITORY).json()["tags"] == ["v2"]


@on_both_backends
@pytest.mark.parametrize("tags", [0, 1, 60])
def test_a_deleted_manifest_is_404_at_once_with_all_its_tags(developer: Client, maintainer: Client, tags: int) -> None:
    body = push_image(developer, REPOSITORY, "")
    digest, names = Digest.of(body), [f"v{number:02}" for number in range(tags)]
    for start in range(0, tags, 25):
        developer.put_manifest(REPOSITORY, digest, body, OCI_MANIFEST, tags=names[start : start + 25]).expect(201)
    maintainer.manifest(REPOSITORY, digest, method="DELETE").expect(202)
    for reference in (digest, *names[::20]):
        for method in ("GET", "HEAD", "DELETE"):
            maintainer.manifest(REPOSITORY, reference, method=method).expect(404)
    assert developer.tags(REPOSITORY).expect(200).json() == {"name": REPOSITORY, "tags": []}


@on_both_backends
def test_a_deleted_manifest_can_be_pushed_again(developer: Client, maintainer: Client) -> None:
    for _ in range(2):
        body = push_image(developer, REPOSITORY, "v1")
        maintainer.manifest(REPOSITORY, Digest.of(body), method="DELETE").expect(202)
    body = push_image(developer, REPOSITORY, "v1")
    serves(developer, "v1", body, OCI_MANIFEST, Digest.of(body))
    maintainer.blob(REPOSITORY, Digest.of(b"layer"), method="DELETE").refused(405, "DENIED")


# HEAD where a gateway does not pass on a Content-Length without a body


@pytest.mark.parametrize("answers", ["body", "redirect"])
def test_head_of_a_manifest_can_have_a_body_for_the_gateway_to_cut(build: Builder, answers: str) -> None:
    developer = build(HEAD_ANSWERS=answers).user("developer")
    body = push_image(developer, REPOSITORY)
    answer = developer.manifest(REPOSITORY, "latest", method="HEAD").expect(200)
    assert base64.b64decode(answer.result["body"]) == body
    assert (answer.header("content-length"), answer.body) == (str(len(body)), b"")
