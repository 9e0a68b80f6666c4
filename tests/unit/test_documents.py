"""Reading JSON documents so that they have one meaning."""

from __future__ import annotations

import pytest

from roadstead.documents import AmbiguousDocument, check_spelling, compact, read


def test_a_document_is_read_as_json() -> None:
    assert read('{"a": [1, "é", null, {"b": true}]}'.encode()) == {"a": [1, "é", None, {"b": True}]}


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '[{"x":{"a":1,"b":2,"a":3}}]', '{"a":1,"\\u0061":2}'])
def test_a_repeated_key_is_ambiguous_at_any_depth(text: str) -> None:
    with pytest.raises(AmbiguousDocument, match="'a' stands twice"):
        read(text.encode())


@pytest.mark.parametrize(
    "data", [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b"[" * 100_000, b'{"a":1}{}', b"\xef\xbb\xbf{}"]
)
def test_a_malformed_document_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        read(data)


@pytest.mark.parametrize("key", ["Layers", "LAYERS", "layerS", "layer\u017f"])
def test_a_key_that_differs_from_a_field_by_case_only_is_ambiguous(key: str) -> None:
    with pytest.raises(AmbiguousDocument, match="would be read as 'layers'"):
        check_spelling({key: []}, {"layers", "config"})


@pytest.mark.parametrize("key", ["layers", "layer", "Layer", "x", ""])
def test_any_other_key_is_left_alone(key: str) -> None:
    check_spelling({key: []}, {"layers", "config"})


def test_a_kelvin_sign_is_a_k() -> None:
    with pytest.raises(AmbiguousDocument):
        check_spelling({"to\u212aen": ""}, {"token"})


def test_a_compact_document_has_no_spaces() -> None:
    assert compact({"a": [1, "é"]}) == '{"a":[1,"\\u00e9"]}'
    assert compact({"a": "é"}, ascii_only=False) == '{"a":"é"}'
