"""Manifests as documents: which are accepted, which are refused and why, and what they may reference."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roadstead.content.manifest_document import MAX_REFERENCES, NON_DISTRIBUTABLE
from roadstead.digest import ALGORITHMS, Digest
from tests.api.backends import on_both_backends
from tests.api.client import Client
from tests.api.conftest import Builder
from tests.api.documents import (
    CONFIG,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    EMPTY,
    LAYER,
    OCI_INDEX,
    OCI_MANIFEST,
    dump,
    image,
    index,
    of,
    push_image,
)
from tests.api.images import BLOBS, REPOSITORY, an_image, push_blobs, refused, serves

algorithms = pytest.mark.parametrize("algorithm", ALGORITHMS)


# What a manifest may be


@pytest.mark.parametrize(
    "accept",
    [
        [],
        ["text/html"],
        ["*/*"],
        [DOCKER_MANIFEST],
        [OCI_INDEX, OCI_MANIFEST],
        [f"{OCI_INDEX};q=1, {OCI_MANIFEST};q=0"],
        ["application/vnd.docker.distribution.manifest.v1+json"],
    ],
)
def test_responses_have_the_stored_bytes_and_type_whatever_accept_says(developer: Client, accept: list[str]) -> None:
    body = push_image(developer, REPOSITORY)
    answer = developer.manifest(REPOSITORY, "latest", headers=[("Accept", value) for value in accept]).expect(200)
    assert (answer.body, answer.header("content-type")) == (body, OCI_MANIFEST)


def test_unknown_parameters_are_ignored(developer: Client) -> None:
    """containerd names the registry that it mirrors, as `ns`."""
    body = push_image(developer, REPOSITORY)
    for target in ("manifests/latest?ns=docker.io&x=%", f"blobs/{Digest.of(b'layer')}?ns=docker.io", "tags/list?ns="):
        developer.request("GET", f"/v2/{REPOSITORY}/{target}").expect(200)
    answer = developer.request("PUT", f"/v2/{REPOSITORY}/manifests/v2?ns=docker.io", {}, body).expect(201)
    assert answer.headers("oci-tag") == []


@pytest.mark.parametrize("parameters", ["; charset=utf-8", ";charset=UTF-8", " ; a=b; c=d"])
def test_parameters_of_the_content_type_are_ignored(developer: Client, parameters: str) -> None:
    push_blobs(developer)
    developer.put_manifest(REPOSITORY, "v1", an_image(), OCI_MANIFEST + parameters).expect(201)
    serves(developer, "v1", an_image(), OCI_MANIFEST, Digest.of(an_image()))


def test_a_push_without_a_content_type_has_the_bodys_type(developer: Client) -> None:
    push_blobs(developer)
    developer.put_manifest(REPOSITORY, "v1", an_image()).expect(201)
    serves(developer, "v1", an_image(), OCI_MANIFEST, Digest.of(an_image()))


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_a_body_without_a_media_type_has_the_content_types(developer: Client, media_type: str) -> None:
    push_blobs(developer)
    document = json.loads(an_image())
    del document["mediaType"]
    body = dump(document)
    developer.put_manifest(REPOSITORY, "v1", body, media_type).expect(201)
    serves(developer, "v1", body, media_type, Digest.of(body))
    refused(developer.put_manifest(REPOSITORY, "v2", body), "Content-Type", "mediaType")


def test_a_content_type_that_differs_from_the_body_is_refused(developer: Client) -> None:
    push_blobs(developer)
    for media_type in (DOCKER_MANIFEST, OCI_INDEX, "application/json", "application/octet-stream"):
        refused(developer.put_manifest(REPOSITORY, "v1", an_image(), media_type), media_type, OCI_MANIFEST)


@on_both_backends
def test_the_four_manifest_types_are_stored(developer: Client) -> None:
    push_blobs(developer)
    child = developer.put_manifest(REPOSITORY, Digest.of(an_image()), an_image(), OCI_MANIFEST).expect(201)
    assert child.header("docker-content-digest") == Digest.of(an_image())
    for number, (media_type, body) in enumerate(
        {
            OCI_MANIFEST: an_image(annotations={"a": "b"}),
            DOCKER_MANIFEST: an_image(mediaType=DOCKER_MANIFEST),
            OCI_INDEX: dump(index([of(an_image(), OCI_MANIFEST)])),
            DOCKER_LIST: dump(index([of(an_image(), OCI_MANIFEST)], mediaType=DOCKER_LIST)),
        }.items()
    ):
        developer.put_manifest(REPOSITORY, f"v{number}", body, media_type).expect(201)
        serves(developer, f"v{number}", body, media_type, Digest.of(body))


def test_schema_1_is_refused_with_a_clear_message(developer: Client) -> None:
    body = b'{"schemaVersion":1,"name":"a","fsLayers":[]}'
    media_type = "application/vnd.docker.distribution.manifest.v1+json"
    refused(developer.put_manifest(REPOSITORY, "v1", body, media_type), "schema 1", "skopeo")


@pytest.mark.parametrize(
    "document",
    [
        image(of(BLOBS[0], CONFIG), [], manifests=[]),
        image(of(BLOBS[0], CONFIG), [], Layers=[of(BLOBS[1])]),
    ],
)
def test_a_document_with_two_meanings_is_refused(developer: Client, document: dict[str, Any]) -> None:
    push_blobs(developer)
    refused(developer.put_manifest(REPOSITORY, "v1", dump(document), document["mediaType"]), "two meanings")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        dump({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": []}),
        dump(image(of(BLOBS[0], CONFIG), [], schemaVersion=2.0)),  # Go's clients cannot read it
        dump(image(of(BLOBS[0], CONFIG), [], schemaVersion="2")),
    ],
)
def test_a_malformed_manifest_is_refused(developer: Client, body: bytes) -> None:
    push_blobs(developer)
    refused(developer.put_manifest(REPOSITORY, "v1", body, OCI_MANIFEST))
    refused(developer.put_manifest(REPOSITORY, "v1", body))


def test_an_index_without_manifests_is_refused(developer: Client) -> None:
    refused(developer.put_manifest(REPOSITORY, "v1", dump({"schemaVersion": 2, "mediaType": OCI_INDEX}), OCI_INDEX))


def test_a_descriptor_with_a_malformed_digest_is_refused(developer: Client) -> None:
    push_blobs(developer)
    broken = {**of(BLOBS[1]), "digest": "sha256:abc"}
    for document in (image(broken), image(of(BLOBS[0]), [broken]), image(of(BLOBS[0]), subject=broken)):
        developer.put_manifest(REPOSITORY, "v1", dump(document), OCI_MANIFEST).refused(400, "DIGEST_INVALID")


@on_both_backends
@pytest.mark.parametrize("wrong", [0, 1])
def test_a_descriptor_with_a_wrong_size_is_refused(developer: Client, wrong: int) -> None:
    push_blobs(developer)
    descriptors = [of(BLOBS[0], CONFIG), of(BLOBS[1])]
    descriptors[wrong]["size"] += 1
    body = dump(image(descriptors[0], descriptors[1:]))
    refused(developer.put_manifest(REPOSITORY, "v1", body, OCI_MANIFEST), descriptors[wrong]["digest"])
    child = push_image(developer, REPOSITORY)
    body = dump(index([{**of(child, OCI_MANIFEST), "size": 1}]))
    refused(developer.put_manifest(REPOSITORY, "v1", body, OCI_INDEX), Digest.of(child))


@on_both_backends
def test_every_missing_blob_is_named(developer: Client) -> None:
    developer.push_blob(REPOSITORY, BLOBS[1])
    answer = developer.put_manifest(REPOSITORY, "v1", an_image(), OCI_MANIFEST).expect(404)
    assert answer.codes == ["MANIFEST_BLOB_UNKNOWN"] * 2
    assert {error["detail"]["digest"] for error in answer.json()["errors"]} == {
        Digest.of(BLOBS[0]),
        Digest.of(BLOBS[2]),
    }
    developer.manifest(REPOSITORY, "v1").expect(404)


def test_a_manifest_with_a_deleted_blob_is_refused(developer: Client, maintainer: Client) -> None:
    push_blobs(developer)
    maintainer.blob(REPOSITORY, Digest.of(BLOBS[1]), method="DELETE").expect(202)
    answer = developer.put_manifest(REPOSITORY, "v1", an_image(), OCI_MANIFEST).refused(404, "MANIFEST_BLOB_UNKNOWN")
    assert Digest.of(BLOBS[1]) in answer.message


def test_a_refused_push_does_not_prevent_deletions(developer: Client, maintainer: Client) -> None:
    developer.push_blob(REPOSITORY, BLOBS[1])
    developer.put_manifest(REPOSITORY, "v1", an_image(), OCI_MANIFEST).expect(404)
    maintainer.blob(REPOSITORY, Digest.of(BLOBS[1]), method="DELETE").expect(202)


def test_a_manifest_with_another_repositorys_blob_is_refused(developer: Client) -> None:
    for data in BLOBS:
        developer.push_blob("acme/other", data)
    assert set(developer.put_manifest(REPOSITORY, "v1", an_image(), OCI_MANIFEST).expect(404).codes) == {
        "MANIFEST_BLOB_UNKNOWN"
    }


@algorithms
def test_unknown_fields_and_data_are_kept(developer: Client, algorithm: str) -> None:
    push_blobs(developer, algorithm)
    body = dump(
        image(
            of(BLOBS[0], CONFIG, algorithm, data="eyJhcmNoaXRlY3R1cmUiOiJhbWQ2NCJ9", unknown=[1, {"a": None}]),
            [of(BLOBS[1], LAYER, algorithm, annotations={"": ""}, urls=[])],
            unknown={"nested": [1.5, "ü", "\u2028"]},
            artifactType="application/vnd.example",
        )
    )
    developer.put_manifest(REPOSITORY, "v1", body, OCI_MANIFEST).expect(201)
    serves(developer, "v1", body, OCI_MANIFEST, Digest.of(body))


@on_both_backends
@pytest.mark.parametrize("places", [["layers"], ["config", "layers"], ["config", "layers", "layers", "layers"]])
def test_the_same_blob_in_several_places_is_one_blob(developer: Client, places: list[str]) -> None:
    developer.push_blob(REPOSITORY, b"{}")
    config = of(b"{}", EMPTY) if "config" in places else of(BLOBS[0], CONFIG)
    developer.push_blob(REPOSITORY, BLOBS[0])
    layers = [of(b"{}", EMPTY)] * places.count("layers") * 2
    body = dump(image(config, layers))
    developer.put_manifest(REPOSITORY, "v1", body, OCI_MANIFEST).expect(201)
    serves(developer, "v1", body, OCI_MANIFEST, Digest.of(body))


@pytest.mark.parametrize("layers", [[], None])
def test_an_image_may_have_no_layers(developer: Client, layers: list[Any] | None) -> None:
    push_blobs(developer)
    document = image(of(BLOBS[0], CONFIG))
    document["layers"] = layers
    developer.put_manifest(REPOSITORY, "v1", dump(document), OCI_MANIFEST).expect(201)


@on_both_backends
def test_an_index_may_be_empty(developer: Client) -> None:
    body = dump(index())
    developer.put_manifest(REPOSITORY, "v1", body, OCI_INDEX).expect(201)
    serves(developer, "v1", body, OCI_INDEX, Digest.of(body))


def test_non_distributable_layers_need_not_exist(developer: Client) -> None:
    push_blobs(developer)
    foreign = [
        of(media_type.encode(), media_type, urls=["https://example.com/layer"])
        for media_type in sorted(NON_DISTRIBUTABLE)
    ]
    body = dump(image(of(BLOBS[0], CONFIG), [*foreign, of(BLOBS[1])]))
    developer.put_manifest(REPOSITORY, "v1", body, OCI_MANIFEST).expect(201)


def test_a_manifest_above_the_limit_of_references_is_refused(developer: Client) -> None:
    push_blobs(developer)
    layers = [of(BLOBS[1])] * (MAX_REFERENCES + 1)
    refused(developer.put_manifest(REPOSITORY, "v1", dump(image(of(BLOBS[0]), layers)), OCI_MANIFEST), "2000")
    developer.put_manifest(REPOSITORY, "v1", dump(image(of(BLOBS[0]), layers[1:])), OCI_MANIFEST).expect(201)


@on_both_backends
def test_a_manifest_with_more_layers_than_a_batch_holds_is_committed(developer: Client, maintainer: Client) -> None:
    layers = [f"layer {number}".encode() for number in range(130)]
    body = push_image(developer, REPOSITORY, layers=layers)
    maintainer.blob(REPOSITORY, Digest.of(layers[-1]), method="DELETE").refused(405, "DENIED")
    maintainer.manifest(REPOSITORY, Digest.of(body), method="DELETE").expect(202)
    maintainer.blob(REPOSITORY, Digest.of(layers[-1]), method="DELETE").expect(202)


# Indexes


@on_both_backends
@algorithms
def test_an_index_of_indexes_without_platforms_is_accepted(developer: Client, algorithm: str) -> None:
    inner = []
    for number in range(2):
        child = push_image(developer, REPOSITORY, "", layers=[b"%d" % number], algorithm=algorithm)
        body = dump(index([of(child, OCI_MANIFEST, algorithm, platform={"os": "linux", "architecture": "arm64"})]))
        developer.put_manifest(REPOSITORY, Digest.of(body, algorithm), body, OCI_INDEX).expect(201)
        inner.append(of(body, OCI_INDEX, algorithm))
    outer = dump(index(inner))
    digest = Digest.of(outer, algorithm)
    developer.put_manifest(REPOSITORY, digest, outer, OCI_INDEX, tags=["multi"]).expect(201)
    serves(developer, "multi", outer, OCI_INDEX, digest)


@on_both_backends
def test_a_child_of_an_index_may_be_a_blob(developer: Client, maintainer: Client) -> None:
    """BuildKit exports its cache so."""
    push_blobs(developer)
    body = dump(index([of(BLOBS[1], LAYER), of(BLOBS[0], "application/vnd.buildkit.cacheconfig.v0")]))
    developer.put_manifest(REPOSITORY, "cache", body, OCI_INDEX).expect(201)
    maintainer.blob(REPOSITORY, Digest.of(BLOBS[1]), method="DELETE").refused(405, "DENIED")


def test_a_missing_child_is_refused_by_default(developer: Client) -> None:
    child = push_image(developer, REPOSITORY)
    body = dump(index([of(child, OCI_MANIFEST), of(b"elsewhere", OCI_MANIFEST)]))
    answer = developer.put_manifest(REPOSITORY, "sparse", body, OCI_INDEX).refused(404, "MANIFEST_BLOB_UNKNOWN")
    assert Digest.of(b"elsewhere") in answer.message


def test_a_missing_child_is_accepted_by_the_setting(build: Builder) -> None:
    developer = build(INDEX_CHILDREN="none").user("developer")
    child = push_image(developer, REPOSITORY)
    body = dump(index([of(child, OCI_MANIFEST), of(b"elsewhere", OCI_MANIFEST)]))
    developer.put_manifest(REPOSITORY, "sparse", body, OCI_INDEX).expect(201)
    wrong = dump(index([{**of(child, OCI_MANIFEST), "size": 1}]))
    refused(developer.put_manifest(REPOSITORY, "wrong", wrong, OCI_INDEX))
    orphan = dump(image(of(b"no such config", CONFIG)))
    developer.put_manifest(REPOSITORY, "orphan", orphan, OCI_MANIFEST).refused(404, "MANIFEST_BLOB_UNKNOWN")


@on_both_backends
def test_deleting_a_needed_child_is_denied(developer: Client, maintainer: Client) -> None:
    child = push_image(developer, REPOSITORY)
    parent = dump(index([of(child, OCI_MANIFEST)]))
    developer.put_manifest(REPOSITORY, "multi", parent, OCI_INDEX).expect(201)
    answer = maintainer.manifest(REPOSITORY, Digest.of(child), method="DELETE").refused(405, "DENIED")
    assert Digest.of(parent) in answer.message
    serves(developer, "latest", child, OCI_MANIFEST, Digest.of(child))
    maintainer.manifest(REPOSITORY, Digest.of(parent), method="DELETE").expect(202)
    maintainer.manifest(REPOSITORY, Digest.of(child), method="DELETE").expect(202)
