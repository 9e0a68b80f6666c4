"""Referrers: which manifests name a subject (distribution-spec, "Listing Referrers")."""

from __future__ import annotations

from itertools import chain
from typing import Any
from urllib.parse import quote

import pytest

from roadstead.content.lists import MAX_REFERRERS_BYTES
from roadstead.digest import ALGORITHMS, Digest
from tests.api.backends import on_both_backends
from tests.api.client import Client
from tests.api.documents import CONFIG, DOCKER_MANIFEST, EMPTY, OCI_INDEX, OCI_MANIFEST, dump, image, index, of

REPOSITORY = "acme/app"
SIGNATURE, SBOM = "application/vnd.example.signature", "application/vnd.example.sbom+json"
algorithms = pytest.mark.parametrize("algorithm", ALGORITHMS)
SUBJECT = dump(image(of(b"{}", CONFIG)))


def attach(
    client: Client,
    document: dict[str, Any],
    *,
    algorithm: str = "sha256",
    subject: bytes = SUBJECT,
    reference: str = "",
) -> Digest:
    """Pushes a document with that subject."""
    if "config" in document:
        client.push_blob(REPOSITORY, b"{}", algorithm)
    body = dump({**document, "subject": of(subject, OCI_MANIFEST, algorithm)})
    digest = Digest.of(body, algorithm)
    answer = client.put_manifest(REPOSITORY, reference or digest, body, document["mediaType"]).expect(201)
    assert answer.header("oci-subject") == Digest.of(subject, algorithm)
    return digest


def artifact(artifact_type: str | None = None, algorithm: str = "sha256", **fields: Any) -> dict[str, Any]:
    if artifact_type is not None:
        fields["artifactType"] = artifact_type
    return image(of(b"{}", EMPTY, algorithm), **fields)


def referrers(client: Client, query: str = "", *, subject: bytes = SUBJECT) -> dict[str, dict[str, Any]]:
    """The descriptors of one answer by digest."""
    answer = client.referrers(REPOSITORY, Digest.of(subject), query).expect(200)
    assert answer.header("content-type") == OCI_INDEX
    body = answer.json()
    assert (body["schemaVersion"], body["mediaType"]) == (2, OCI_INDEX)
    return {descriptor["digest"]: descriptor for descriptor in body["manifests"]}


@on_both_backends
@algorithms
def test_referrers_of_an_unknown_repository_are_empty(developer: Client, algorithm: str) -> None:
    answer = developer.referrers("acme/never", Digest.of(b"anything", algorithm)).expect(200)
    assert answer.header("content-type") == OCI_INDEX
    assert answer.json() == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    assert (answer.header("oci-filters-applied"), answer.next) == (None, None)


@on_both_backends
@algorithms
def test_the_subject_need_not_exist_and_may_come_later(developer: Client, algorithm: str) -> None:
    digest = attach(developer, artifact(SIGNATURE, algorithm), algorithm=algorithm)
    subject = Digest.of(SUBJECT, algorithm)
    developer.manifest(REPOSITORY, subject).expect(404)
    listed = developer.referrers(REPOSITORY, subject).expect(200).json()["manifests"]
    assert [descriptor["digest"] for descriptor in listed] == [digest]


@on_both_backends
def test_every_descriptor_has_type_size_artifact_type_and_annotations(developer: Client) -> None:
    annotations = {"org.example.note": "ü \u2028 \U0001f6a2", "": ""}
    plain = attach(developer, image(of(b"{}", CONFIG)))
    typed = attach(developer, artifact(SIGNATURE, annotations=annotations))
    listed = attach(developer, index(artifactType=SBOM, annotations={"a": "b"}))
    bare = attach(developer, index())
    docker = attach(developer, image(of(b"{}", CONFIG), mediaType=DOCKER_MANIFEST))
    found = referrers(developer)
    sizes = {digest: len(developer.manifest(REPOSITORY, digest).body) for digest in found}
    assert found == {
        plain: {"mediaType": OCI_MANIFEST, "digest": plain, "size": sizes[plain], "artifactType": CONFIG},
        typed: {
            "mediaType": OCI_MANIFEST,
            "digest": typed,
            "size": sizes[typed],
            "artifactType": SIGNATURE,
            "annotations": annotations,
        },
        listed: {
            "mediaType": OCI_INDEX,
            "digest": listed,
            "size": sizes[listed],
            "artifactType": SBOM,
            "annotations": {"a": "b"},
        },
        bare: {"mediaType": OCI_INDEX, "digest": bare, "size": sizes[bare]},
        docker: {"mediaType": DOCKER_MANIFEST, "digest": docker, "size": sizes[docker], "artifactType": CONFIG},
    }


@on_both_backends
def test_a_tagged_referrer_is_listed_once(developer: Client) -> None:
    digest = attach(developer, artifact(SIGNATURE), reference="signature")
    assert attach(developer, artifact(SIGNATURE)) == digest
    assert list(referrers(developer)) == [digest]


@on_both_backends
def test_a_filter_by_artifact_type_is_applied_and_reported(developer: Client) -> None:
    signature = attach(developer, artifact(SIGNATURE))
    sbom = attach(developer, artifact(SBOM))
    plain = attach(developer, image(of(b"{}", CONFIG)))
    assert set(referrers(developer)) == {signature, sbom, plain}
    for artifact_type, digest in ((SIGNATURE, signature), (SBOM, sbom), (CONFIG, plain)):
        query = f"?artifactType={quote(artifact_type, safe='')}"
        answer = developer.referrers(REPOSITORY, Digest.of(SUBJECT), query).expect(200)
        assert answer.header("oci-filters-applied") == "artifactType"
        assert [descriptor["digest"] for descriptor in answer.json()["manifests"]] == [digest]
    answer = developer.referrers(REPOSITORY, Digest.of(SUBJECT), "?artifactType=unheard/of").expect(200)
    assert (answer.json()["manifests"], answer.header("oci-filters-applied")) == ([], "artifactType")
    answer = developer.referrers(REPOSITORY, Digest.of(SUBJECT), "?artifactType=").expect(200)
    assert (len(answer.json()["manifests"]), answer.header("oci-filters-applied")) == (3, None)


@on_both_backends
def test_a_deleted_referrer_is_not_listed(developer: Client, maintainer: Client) -> None:
    first, second = attach(developer, artifact(SIGNATURE)), attach(developer, artifact(SBOM))
    maintainer.manifest(REPOSITORY, first, method="DELETE").expect(202)
    assert list(referrers(developer)) == [second]


@on_both_backends
def test_deleting_the_subject_leaves_its_referrers(developer: Client, maintainer: Client) -> None:
    developer.push_blob(REPOSITORY, b"{}")
    developer.put_manifest(REPOSITORY, "latest", SUBJECT, OCI_MANIFEST).expect(201)
    digest = attach(developer, artifact(SIGNATURE))
    maintainer.manifest(REPOSITORY, Digest.of(SUBJECT), method="DELETE").expect(202)
    assert list(referrers(developer)) == [digest]
    developer.manifest(REPOSITORY, digest).expect(200)


def test_a_referrer_may_itself_have_referrers(developer: Client) -> None:
    first = attach(developer, artifact(SBOM))
    body = developer.manifest(REPOSITORY, first).body
    second = attach(developer, artifact(SIGNATURE), subject=body)
    assert list(referrers(developer)) == [first]
    assert list(referrers(developer, subject=body)) == [second]


def test_a_subject_of_another_repository_is_another_subject(developer: Client) -> None:
    attach(developer, artifact(SIGNATURE))
    assert developer.referrers("acme/other", Digest.of(SUBJECT)).expect(200).json()["manifests"] == []


@pytest.mark.parametrize("digest", ["latest", "sha256:short", "sha256:" + "A" * 64])
def test_a_malformed_digest_is_400(developer: Client, digest: str) -> None:
    developer.referrers(REPOSITORY, digest).refused(400, "DIGEST_INVALID")


def pages(client: Client, query: str = "") -> list[list[str]]:
    """The digests of every page, by following the links until there is none."""
    target: str | None = f"/v2/{REPOSITORY}/referrers/{Digest.of(SUBJECT)}{query}"
    found = []
    while target is not None:
        answer = client.request("GET", target).expect(200)
        assert answer.header("oci-filters-applied") == ("artifactType" if query else None)
        assert len(answer.body) < MAX_REFERRERS_BYTES * 1.1
        found.append([descriptor["digest"] for descriptor in answer.json()["manifests"]])
        target = answer.next
        assert len(found) < 50
    return found


@on_both_backends
def test_a_large_list_is_paged_and_its_link_keeps_the_filter(developer: Client) -> None:
    """300 KB of annotations each, half of them of one type."""
    digests: dict[str, list[str]] = {SIGNATURE: [], SBOM: []}
    for number in range(8):
        artifact_type = (SIGNATURE, SBOM)[number % 2]
        document = artifact(artifact_type, annotations={"number": str(number), "text": "x" * 300_000})
        digests[artifact_type].append(attach(developer, document))
    everything = pages(developer)
    assert [len(page) for page in everything] == [3, 3, 2]
    assert list(chain.from_iterable(everything)) == sorted(digests[SIGNATURE] + digests[SBOM])
    for artifact_type, expected in digests.items():
        filtered = pages(developer, f"?artifactType={quote(artifact_type, safe='')}")
        assert [len(page) for page in filtered] == [3, 1]
        assert list(chain.from_iterable(filtered)) == sorted(expected)


def test_a_descriptor_larger_than_a_page_is_sent_alone_and_fits(developer: Client) -> None:
    """Lambda answers with 6 MB at most, a third of it lost to base64: what was pushed as UTF-8 must not grow."""
    annotations = {"text": "\u6e2f" * 1_300_000, "lone": "\ud800"}
    developer.push_blob(REPOSITORY, b"{}")
    body = dump({**artifact(SIGNATURE, annotations={**annotations, "lone": "LONE"}), "subject": of(SUBJECT)})
    body = body.replace(b"LONE", b"\\ud800")
    developer.put_manifest(REPOSITORY, "large", body, OCI_MANIFEST).expect(201)
    attach(developer, artifact(SBOM))
    target: str | None = f"/v2/{REPOSITORY}/referrers/{Digest.of(SUBJECT)}"
    found: dict[str, dict[str, Any]] = {}
    while target is not None:
        answer = developer.request("GET", target).expect(200)
        assert len(answer.result["body"]) < 6 * 1024 * 1024
        found |= {entry["digest"]: entry for entry in answer.json()["manifests"]}
        target = answer.next
    assert len(found) == 2
    assert found[Digest.of(body)]["annotations"] == annotations
