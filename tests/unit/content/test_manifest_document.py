"""Reading manifests of the four types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roadstead.content.manifest_document import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MAX_MANIFEST_BYTES,
    MAX_REFERENCES,
    NON_DISTRIBUTABLE,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    parse_manifest,
)
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from tests import manifests
from tests.manifests import CONFIG, LAYER, of


def image(**fields: Any) -> dict[str, Any]:
    return {**manifests.image(of(b"{}", CONFIG), [of(b"x")]), **fields}


def index(**fields: Any) -> dict[str, Any]:
    return {**manifests.index([of(b"x", OCI_MANIFEST)]), **fields}


def without(document: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in fields}


def parse(document: object, content_type: str | None = None) -> Manifest:
    return parse_manifest(json.dumps(document).encode(), content_type)


def refused(document: object, content_type: str | None = None) -> RegistryError:
    with pytest.raises(RegistryError) as error:
        parse(document, content_type)
    return error.value


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_an_image_references_its_config_and_layers(media_type: str) -> None:
    manifest = parse(image(mediaType=media_type))
    assert manifest == Manifest(
        media_type=media_type,
        blobs=(Descriptor(CONFIG, Digest.of(b"{}"), 2), Descriptor(LAYER, Digest.of(b"x"), 1)),
        children=(),
        subject=None,
        artifact_type=CONFIG,
        annotations={},
    )


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_references_its_children(media_type: str) -> None:
    manifest = parse(index(mediaType=media_type))
    assert (manifest.blobs, manifest.artifact_type) == ((), None)
    assert manifest.children == (Descriptor(OCI_MANIFEST, Digest.of(b"x"), 1),)


@pytest.mark.parametrize("media_type", sorted(NON_DISTRIBUTABLE))
def test_non_distributable_layers_are_not_referenced(media_type: str) -> None:
    manifest = parse(image(layers=[of(b"x", media_type), of(b"y")]))
    assert [blob.digest for blob in manifest.blobs] == [Digest.of(b"{}"), Digest.of(b"y")]


def test_a_config_of_a_non_distributable_type_is_referenced() -> None:
    manifest = parse(image(config=of(b"{}", sorted(NON_DISTRIBUTABLE)[0])))
    assert Digest.of(b"{}") in {blob.digest for blob in manifest.blobs}


def test_an_artifacts_type_is_its_own_or_its_configs() -> None:
    assert parse(image(artifactType="a/b")).artifact_type == "a/b"
    assert parse(image(artifactType="")).artifact_type == CONFIG
    assert parse(index(artifactType="a/b")).artifact_type == "a/b"


def test_a_referrers_descriptor_has_the_fields_of_the_api() -> None:
    manifest = parse(image(artifactType="a/b", annotations={"k": "v"}, subject=of(b"s", OCI_MANIFEST)))
    assert manifest.subject == Descriptor(OCI_MANIFEST, Digest.of(b"s"), 1)
    digest = Digest.of(b"manifest")
    assert manifest.referrer(digest, 8) == {
        "mediaType": OCI_MANIFEST,
        "digest": digest,
        "size": 8,
        "artifactType": "a/b",
        "annotations": {"k": "v"},
    }
    assert parse(index()).referrer(digest, 8) == {"mediaType": OCI_INDEX, "digest": digest, "size": 8}


@pytest.mark.parametrize("field", ["annotations", "subject", "artifactType", "layers"])
def test_a_null_field_counts_as_absent(field: str) -> None:
    assert parse(image(**{field: None})) == parse(without(image(), field))


# Types


@pytest.mark.parametrize(
    "content_type", [OCI_MANIFEST, OCI_MANIFEST.upper(), f" {OCI_MANIFEST} ; charset=utf-8", "", None]
)
def test_a_content_type_with_parameters_or_none_is_accepted(content_type: str | None) -> None:
    assert parse(image(), content_type).media_type == OCI_MANIFEST


def test_the_content_type_decides_without_a_media_type_field() -> None:
    document = without(image(), "mediaType")
    assert parse(document, DOCKER_MANIFEST).media_type == DOCKER_MANIFEST
    assert "says what this manifest is" in str(refused(document))


def test_a_header_and_a_field_that_differ_are_refused() -> None:
    assert "differ" in str(refused(image(), DOCKER_MANIFEST))
    assert "differ" in str(refused(image(), "application/json"))


@pytest.mark.parametrize("media_type", ["application/json", "application/vnd.oci.artifact.manifest.v1+json", "x"])
def test_an_unsupported_type_is_refused_with_the_supported_ones(media_type: str) -> None:
    message = str(refused(image(mediaType=media_type)))
    assert OCI_MANIFEST in message and OCI_INDEX in message


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        ({"schemaVersion": 1, "name": "a"}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        ({"schemaVersion": 1, "name": "a"}, "application/vnd.docker.distribution.manifest.v1+json"),
        ({"schemaVersion": 1}, "application/json"),
        (image(schemaVersion=1), None),
    ],
)
def test_schema_1_is_refused_with_a_way_out(document: dict[str, Any], content_type: str | None) -> None:
    message = str(refused(document, content_type))
    assert "schema 1" in message and "skopeo copy" in message


# What is wrong with a document


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"x"', b"1", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"a":NaN}', b"[" * 100_000,
     b'{"schemaVersion":' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_a_body_that_is_not_a_json_object_in_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(RegistryError) as error:
        parse_manifest(body, OCI_MANIFEST)
    assert (error.value.entries[0].code, error.value.status) == (ErrorCode.MANIFEST_INVALID, 400)


@pytest.mark.parametrize(
    "document",
    [
        without(image(), "schemaVersion"),
        image(schemaVersion=3),
        image(schemaVersion="2"),
        image(mediaType=1),
        without(image(), "config"),
        image(config=None),
        image(config=[]),
        image(layers={}),
        image(layers=[None]),
        image(layers=[{}]),
        image(layers="none"),
        image(layers=[{"digest": Digest.of(b""), "size": 0}]),
        image(annotations=[]),
        image(annotations={"a": 1}),
        image(artifactType=1),
        image(subject="x"),
        image(manifests=[]),
        image(manifests=None),
        image(fsLayers=[]),
        without(index(), "manifests"),
        index(manifests=None),
        index(manifests={}),
        index(config=of(b"")),
        index(layers=[]),
        index(fsLayers=None),
    ],
)
def test_a_document_that_breaks_a_rule_is_refused(document: dict[str, Any]) -> None:
    error = refused(document)
    assert (error.entries[0].code, error.status) == (ErrorCode.MANIFEST_INVALID, 400)


@pytest.mark.parametrize("size", [None, -1, 1.5, "1", True, 2**63, 1e400])
def test_a_size_is_a_whole_number_of_bytes(size: object) -> None:
    body = json.dumps(image(layers=[{**of(b"x"), "size": size}])).replace("Infinity", "1e400").encode()
    with pytest.raises(RegistryError, match="size in bytes"):
        parse_manifest(body, None)


@pytest.mark.parametrize(
    "digest", [None, 1, "", "latest", "sha256:abc", "sha256:" + "F" * 64, "md5:" + "a" * 32, ["x"]]
)
def test_a_malformed_digest_is_a_digest_invalid_that_says_where(digest: object) -> None:
    error = refused(image(layers=[of(b"x"), {**of(b"x"), "digest": digest}]))
    assert error.entries[0].code is ErrorCode.DIGEST_INVALID
    assert str(error).startswith("layers[1]: ")


# Limits


def test_four_mebibytes_are_read_and_one_byte_more_is_413() -> None:
    body = json.dumps(image()).encode()
    assert parse_manifest(body.ljust(MAX_MANIFEST_BYTES), None)
    with pytest.raises(RegistryError) as error:
        parse_manifest(body.ljust(MAX_MANIFEST_BYTES + 1), None)
    assert (error.value.entries[0].code, error.value.status) == (ErrorCode.MANIFEST_INVALID, 413)


def test_more_than_the_documented_references_are_refused() -> None:
    assert len(parse(index(manifests=[of(b"x")] * MAX_REFERENCES)).children) == MAX_REFERENCES
    assert str(MAX_REFERENCES) in str(refused(index(manifests=[of(b"x")] * (MAX_REFERENCES + 1))))


def refused_text(text: str) -> RegistryError:
    with pytest.raises(RegistryError) as error:
        parse_manifest(text.encode(), None)
    return error.value


@pytest.mark.parametrize("field", ["layers", "annotations", "x"])
def test_a_repeated_key_is_manifest_invalid(field: str) -> None:
    text = json.dumps(image()).removesuffix("}") + f', "{field}": [], "{field}": []}}'
    error = refused_text(text)
    assert error.entries[0].code is ErrorCode.MANIFEST_INVALID
    assert f"'{field}' stands twice" in str(error)


def test_a_repeated_key_in_a_descriptor_is_manifest_invalid() -> None:
    text = json.dumps(image()).replace('"size": 1}', '"size": 1, "size": 2}')
    assert "'size' stands twice" in str(refused_text(text))


@pytest.mark.parametrize("field", ["Layers", "CONFIG", "MANIFESTS", "Subject", "\u017fubject", "MediaType", "fslayers"])
def test_a_field_spelt_in_another_case_is_manifest_invalid(field: str) -> None:
    for document in (image(), index()):
        error = refused({**document, field: []})
        assert error.entries[0].code is ErrorCode.MANIFEST_INVALID
        assert "two meanings" in str(error)


@pytest.mark.parametrize("field", ["Digest", "SIZE", "mediatype", "URLs", "dige\u017ft"])
@pytest.mark.parametrize("place", ["config", "layers", "subject", "manifests"])
def test_a_descriptors_field_spelt_in_another_case_is_manifest_invalid(place: str, field: str) -> None:
    descriptor = {**of(b"x"), field: "y"}
    document = index() if place == "manifests" else image()
    error = refused({**document, place: [descriptor] if place in ("layers", "manifests") else descriptor})
    assert "two meanings" in str(error)


def test_a_platforms_field_spelt_in_another_case_is_manifest_invalid() -> None:
    child = {**of(b"x", OCI_MANIFEST), "platform": {"os": "linux", "architecture": "arm64", "OS": "windows"}}
    assert "manifests[0].platform has two meanings" in str(refused(index(manifests=[child])))


def test_annotations_may_differ_by_case_only() -> None:
    assert parse(image(annotations={"Layers": "1", "layers": "2"})).annotations == {"Layers": "1", "layers": "2"}
