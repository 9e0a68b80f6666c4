"""Manifests: whatever is pushed is read or refused, in the words of the specification."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from roadstead.content.manifest_document import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Manifest,
    parse_manifest,
)
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError

digests = st.builds(
    lambda data, algorithm: Digest.of(data, algorithm), st.binary(), st.sampled_from(["sha256", "sha512"])
)
media_types = st.sampled_from(["application/octet-stream", "application/vnd.oci.image.layer.v1.tar+gzip", "a/b"])
descriptors = st.fixed_dictionaries(
    {"mediaType": media_types, "digest": digests, "size": st.integers(0, 2**63 - 1)},
    optional={"data": st.just("e30="), "urls": st.just(["https://x"]), "platform": st.just({"os": "linux"})},
)
common: dict[str, st.SearchStrategy[Any]] = {
    "annotations": st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
    "artifactType": st.just("application/x") | st.just(""),
    "subject": descriptors,
    "unknown": st.none() | st.integers() | st.text(),
}
images = st.fixed_dictionaries(
    {
        "schemaVersion": st.just(2),
        "mediaType": st.sampled_from([OCI_MANIFEST, DOCKER_MANIFEST]),
        "config": descriptors,
        "layers": st.lists(descriptors, max_size=4),
    },
    optional=common,
)
indexes = st.fixed_dictionaries(
    {
        "schemaVersion": st.just(2),
        "mediaType": st.sampled_from([OCI_INDEX, DOCKER_LIST]),
        "manifests": st.lists(descriptors, max_size=4),
    },
    optional=common,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def read_or_refused(body: bytes, content_type: str | None) -> Manifest | None:
    try:
        return parse_manifest(body, content_type)
    except RegistryError as error:
        assert error.status in (400, 413)
        assert error.entries[0].code in (ErrorCode.MANIFEST_INVALID, ErrorCode.DIGEST_INVALID)
        assert error.entries[0].message
        return None


def mutate(value: Any, chance: random.Random, replacement: Any) -> Any:
    """The document with something in it replaced, removed or doubled."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(sorted(value))
        match chance.randrange(4):
            case 0:
                del value[key]
            case 1:
                value[key] = replacement
            case _:
                value[key] = mutate(value[key], chance, replacement)
        return value
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        value[place] = mutate(value[place], chance, replacement)
        return value + value[:1]
    return replacement


@given(images | indexes)
def test_every_manifest_of_the_specification_is_read(document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    found = parse_manifest(body, f"{document['mediaType']}; charset=utf-8")
    assert found == parse_manifest(body, None)
    assert found.media_type == document["mediaType"]
    named = [document["config"], *document["layers"]] if "config" in document else document["manifests"]
    assert [one.digest for one in (*found.blobs, *found.children)] == [one["digest"] for one in named]
    assert (found.subject.digest if found.subject else None) == document.get("subject", {}).get("digest")
    listed = found.referrer(Digest.of(body), len(body))
    assert json.loads(json.dumps(listed)) == listed
    assert listed.get("annotations", {}) == document.get("annotations", {})


@given(
    images | indexes, st.randoms(use_true_random=False), json_values, st.sampled_from([None, OCI_MANIFEST, OCI_INDEX])
)
def test_a_mutated_manifest_is_read_or_refused(
    document: dict[str, Any], chance: random.Random, replacement: Any, content_type: str | None
) -> None:
    body = json.dumps(mutate(copy.deepcopy(document), chance, replacement)).encode()
    read_or_refused(body, content_type)


@given(st.binary(max_size=200), st.none() | st.text(max_size=40))
def test_any_bytes_with_any_type_are_read_or_refused(body: bytes, content_type: str | None) -> None:
    read_or_refused(body, content_type)


@given(images | indexes, st.integers(0), st.integers(0, 255))
def test_a_manifest_with_one_byte_changed_is_read_or_refused(document: dict[str, Any], place: int, byte: int) -> None:
    body = bytearray(json.dumps(document).encode())
    body[place % len(body)] = byte
    read_or_refused(bytes(body), None)


@given(images, indexes)
def test_a_document_is_never_an_image_and_an_index(image: dict[str, Any], index: dict[str, Any]) -> None:
    for media_type in (image["mediaType"], index["mediaType"]):
        assert read_or_refused(json.dumps({**image, **index, "mediaType": media_type}).encode(), None) is None
