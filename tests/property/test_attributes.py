"""The codec of attributes against boto3's: what one writes the other reads, to the letter."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from roadstead.aws.attributes import decode, encode

_MODEL = ServiceModel(Loader().load_service_model("dynamodb", "service-2"), "dynamodb")
_GET, _PUT = _MODEL.operation_model("GetItem"), _MODEL.operation_model("PutItem")
_LIMIT = 10**38 - 1
_SETS = ("SS", "NS", "BS")

_integers = st.integers(-_LIMIT, _LIMIT)
_scalars = st.none() | st.booleans() | _integers | st.text() | st.binary()
_sets = (
    st.sets(st.text(), min_size=1)
    | st.sets(_integers, min_size=1)
    | st.sets(st.binary(), min_size=1)
    | st.frozensets(st.text(), min_size=1)
)
_values = st.recursive(
    _scalars | _sets,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
_items = st.dictionaries(st.text(min_size=1), _values)


class Colour(StrEnum):
    RED = "red"


class Name(str):
    """As names and digests are."""


@given(_items)
def test_it_writes_what_boto3_writes(item: dict[str, Any]) -> None:
    serialize = TypeSerializer().serialize
    theirs = {name: serialize(value) for name, value in item.items()}
    assert _unordered(encode(item)) == _unordered(theirs)


@given(_items)
def test_it_reads_what_boto3_reads(item: dict[str, Any]) -> None:
    answer = {"status_code": 200, "headers": {}, "body": _answer(item), "context": {}}
    attributes = create_parser("json").parse(answer, _GET.output_shape)["Item"]
    theirs = {name: _plain(TypeDeserializer().deserialize(value)) for name, value in attributes.items()}
    assert decode(attributes) == theirs == _listed(item)


@given(_items)
def test_an_item_is_the_same_behind_the_wire(item: dict[str, Any]) -> None:
    assert _exactly(decode(json.loads(_answer(item))["Item"])) == _exactly(_listed(item))


@pytest.mark.parametrize("value", [Name("alpine"), Colour.RED])
def test_a_subclass_of_str_is_stored_as_str(value: str) -> None:
    attributes = encode({"a": value, "b": [value], "c": {value: value}, "d": {value}})
    text = str.__str__(value)
    assert attributes == {
        "a": {"S": text},
        "b": {"L": [{"S": text}]},
        "c": {"M": {text: {"S": text}}},
        "d": {"SS": [text]},
    }
    assert type(attributes["a"]["S"]) is type(attributes["d"]["SS"][0]) is str


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), object(), Decimal(1), {1: "a"}, {"a", 1}, {True}, [1.0], {"x": {2.5}}]
)
def test_what_an_item_cannot_hold_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        encode({"a": value})


@pytest.mark.parametrize("value", [10**38, -(10**38), set(), [frozenset[str]()], {10**40}])
def test_what_dynamodb_would_refuse_is_not_written(value: object) -> None:
    with pytest.raises(ValueError, match="DynamoDB"):
        encode({"a": value})


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("-7", -7), ("1E+2", 100), ("100.0", 100), ("-1e3", -1000)])
def test_a_whole_number_is_an_int_however_it_is_written(text: str, value: int) -> None:
    assert decode({"a": {"N": text}, "b": {"L": [{"N": text}]}, "c": {"NS": [text]}}) == {
        "a": value,
        "b": [value],
        "c": {value},
    }


@pytest.mark.parametrize(
    "attribute",
    [
        {"N": "1.5"}, {"N": "Infinity"}, {"N": "NaN"}, {"N": ""}, {"N": "²"}, {"N": "x"}, {"N": None}, {"NS": ["x"]},
        {"B": "no base64!"}, {"B": "YQ"}, {"B": 1}, {"X": "a"}, {}, {"S": "a", "N": "1"}, "a", None, 7, {"M": "a"},
        {"L": 1}, {"L": [{"L": [None]}]},
    ],
)  # fmt: skip
def test_what_is_no_attribute_is_a_value_error(attribute: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode({"a": attribute})


@pytest.mark.parametrize("attributes", [None, [], "a", 3])
def test_what_is_no_item_is_a_value_error(attributes: Any) -> None:
    with pytest.raises(ValueError, match="not the attributes of an item"):
        decode(attributes)


def _answer(item: dict[str, Any]) -> bytes:
    """The body of GetItem for an item that was written by our request, as botocore sends it."""
    request = create_serializer("json", include_validation=True).serialize_to_request(
        {"TableName": "table", "Item": encode(item)}, _PUT
    )
    return json.dumps({"Item": json.loads(request["body"]).get("Item", {})}).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, Binary):
        return bytes(value.value)
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, set):
        return {_plain(element) for element in value}
    if isinstance(value, dict):
        return {name: _plain(element) for name, element in value.items()}
    return value


def _listed(value: Any) -> Any:
    """As it comes back: a frozenset is a set."""
    if isinstance(value, frozenset):
        return set(value)
    if isinstance(value, list):
        return [_listed(element) for element in value]
    if isinstance(value, dict):
        return {name: _listed(element) for name, element in value.items()}
    return value


def _exactly(value: Any) -> Any:
    """With the types: True equals 1."""
    if isinstance(value, list):
        return [_exactly(element) for element in value]
    if isinstance(value, dict):
        return {name: _exactly(element) for name, element in value.items()}
    return (type(value), value)


def _unordered(attributes: Any) -> Any:
    if isinstance(attributes, dict):
        return {
            name: sorted(value, key=repr) if isinstance(value, list) and name in _SETS else _unordered(value)
            for name, value in attributes.items()
        }
    if isinstance(attributes, list):
        return [_unordered(element) for element in attributes]
    return attributes
