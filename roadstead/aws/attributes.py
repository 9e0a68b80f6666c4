"""DynamoDB's JSON as plain values: `{"S": "a"}` is `"a"`, `{"N": "1"}` is `1`, `{"M": {…}}` is a dict.

"Data type descriptors", Amazon DynamoDB Developer Guide. Numbers are ints: nothing here is stored as a fraction.
It does what boto3's TypeSerializer and TypeDeserializer do (tests/property compares them), in a third of the time:
those try one type after the other on each value, and make a Decimal of each number.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Set
from decimal import Decimal, InvalidOperation
from typing import Any

Item = dict[str, Any]
Attributes = dict[str, dict[str, Any]]

DIGITS = 38  # of a number; DynamoDB refuses more
_LIMIT = 10**DIGITS


def encode(item: Mapping[str, Any]) -> Attributes:
    """The attributes of an item, for a request of botocore's: binary is bytes, which botocore encodes.

    Takes str, int, bool, None, bytes, lists, tuples, mappings with str keys, and sets of str, of int or of bytes;
    subclasses of str (names, digests) are stored as str. Raises TypeError for any other type, ValueError for an int of
    more than 38 digits and for an empty set.
    """
    return {name: _encode(value) for name, value in item.items()}


def decode(attributes: Mapping[str, Any]) -> Item:
    """The item of its attributes, from the body of an answer or a record of a stream: binary is base64 there, or the
    bytes that botocore has made of it.

    Raises ValueError for what is not an item, and for a number that is not whole.
    """
    item: Item = {}
    try:
        for name, attribute in attributes.items():
            ((kind, value),) = attribute.items()
            # Most attributes are strings, then numbers: they are not worth a call.
            if kind == "S":
                item[name] = value
            elif kind == "N" and value.isdigit():
                item[name] = int(value)
            else:
                item[name] = _DECODERS[kind](value)
    except (AttributeError, KeyError, TypeError, Base64Error) as error:
        raise ValueError(f"not the attributes of an item: {error!r}") from error
    return item


def _encode(value: Any) -> dict[str, Any]:
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        encoder = _encoder_for(value)
    return encoder(value)


def _encoder_for(value: object) -> Callable[[Any], dict[str, Any]]:
    """Of a subclass, or a type that is not common. Each is looked for in its order: a bool is an int too."""
    for types, encoder in _FAMILIES:
        if isinstance(value, types):
            return encoder
    raise TypeError(f"DynamoDB cannot store a {type(value).__name__}")


def _encode_number(value: int) -> dict[str, Any]:
    return {"N": _digits(value)}


def _digits(value: int) -> str:
    if not -_LIMIT < value < _LIMIT:
        raise ValueError(f"a number in DynamoDB has at most {DIGITS} digits")
    return str(int(value))


def _encode_map(value: Mapping[str, Any]) -> dict[str, Any]:
    if not all(isinstance(name, str) for name in value):
        raise TypeError("the keys of a map in DynamoDB are str")
    return {"M": {str(name): _encode(element) for name, element in value.items()}}


def _encode_set(value: Set[Any]) -> dict[str, Any]:
    if not value:
        raise ValueError("DynamoDB stores no empty set")
    if all(isinstance(element, str) for element in value):
        return {"SS": [str(element) for element in value]}
    if all(isinstance(element, int) and not isinstance(element, bool) for element in value):
        return {"NS": [_digits(element) for element in value]}
    if all(isinstance(element, bytes) for element in value):
        return {"BS": [bytes(element) for element in value]}
    raise TypeError("the elements of a set in DynamoDB are all str, all int or all bytes")


_ENCODERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    str: lambda value: {"S": value},
    int: _encode_number,
    bool: lambda value: {"BOOL": value},
    type(None): lambda value: {"NULL": True},
    bytes: lambda value: {"B": value},
    list: lambda value: {"L": [_encode(element) for element in value]},
    dict: _encode_map,
}
_FAMILIES: tuple[tuple[type | tuple[type, ...], Callable[[Any], dict[str, Any]]], ...] = (
    (str, lambda value: {"S": str(value)}),
    (int, _encode_number),
    ((bytes, bytearray, memoryview), lambda value: {"B": bytes(value)}),
    ((list, tuple), _ENCODERS[list]),
    (Mapping, _encode_map),
    (Set, _encode_set),
)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = Decimal(text)
        if number != number.to_integral_value():
            raise ValueError(f"{text} is not a whole number")
        return int(number)
    except (InvalidOperation, OverflowError) as error:
        raise ValueError(f"not a number: {text[:50]!r}") from error


def _binary(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else b64decode(data, validate=True)


def _decode(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    return _DECODERS[kind](value)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "S": lambda value: value,
    "N": _number,
    "B": _binary,
    "BOOL": lambda value: value,
    "NULL": lambda value: None,
    "M": lambda value: {name: _decode(element) for name, element in value.items()},
    "L": lambda value: [_decode(element) for element in value],
    "SS": set,
    "NS": lambda value: {_number(element) for element in value},
    "BS": lambda value: {_binary(element) for element in value},
}
