"""Attribute values as they are on the wire: `{"S": "text"}`. What they may be, their size, how they compare.

"Supported data types and naming rules", "Item sizes and formats" of the DynamoDB Developer Guide.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Underflow
from typing import Any

from local.cloud.errors import AwsError, validation

Value = dict[str, Any]
Item = dict[str, Value]

ITEM_LIMIT = 400 * 1024  # bytes
PK_LIMIT, SK_LIMIT = 2048, 1024  # bytes
DEPTH_LIMIT = 32

_SHORT = re.compile(r"-?(0|[1-9]\d{0,36})")  # a number that is in its normal form already
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Underflow])
_SCALARS = ("S", "N", "B")


def normal(value: object, depth: int = 0) -> Value:
    """A value with its numbers in their normal form. Raises AwsError when it is not one."""
    if not isinstance(value, dict) or len(value) != 1:
        raise validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    ((kind, content),) = value.items()
    if kind == "S":
        if type(content) is not str:
            raise _wrong(kind)
        _encoded(content)
        return value
    if kind == "N":
        return value if type(content) is str and _SHORT.fullmatch(content) else {"N": _number(content)}
    if kind == "BOOL":
        if type(content) is not bool:
            raise _wrong(kind)
        return value
    if kind == "B":
        decoded(content)
        return value
    return _normal_compound(kind, content, depth)


def _normal_compound(kind: str, content: object, depth: int) -> Value:
    if depth >= DEPTH_LIMIT:
        raise validation("Nesting Levels have exceeded supported limits")
    if kind == "NULL":
        if content is not True:
            raise _wrong(kind)
        return {"NULL": True}
    if kind == "M" and isinstance(content, dict):
        for name in content:
            _encoded(name)
        return {"M": {name: normal(one, depth + 1) for name, one in content.items()}}
    if kind == "L" and isinstance(content, list):
        return {"L": [normal(one, depth + 1) for one in content]}
    if kind in ("SS", "NS", "BS") and isinstance(content, list):
        members = [normal({kind[0]: one})[kind[0]] for one in content]
        if not members:
            raise validation(
                "One or more parameter values were invalid: An string set  may not be empty"
                if kind == "SS"
                else "One or more parameter values were invalid: A set may not be empty"
            )
        if len(set(members)) != len(members):
            raise validation("One or more parameter values were invalid: Input collection contains duplicates.")
        return {kind: members}
    raise _wrong(kind)


def normal_item(item: object) -> Item:
    """An item with its values in their normal form. Raises AwsError."""
    if not isinstance(item, dict):
        raise AwsError("SerializationException", "An item is a map of attribute values.")
    for name in item:
        if not name or len(_encoded(name)) > 65_535:
            raise validation("One or more parameter values were invalid: an attribute's name has 1 to 65535 bytes")
    return {name: normal(value) for name, value in item.items()}


def size_of(item: Mapping[str, Value]) -> int:
    """Bytes of an item, as DynamoDB counts them."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Value) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(str(content).encode())
    if kind == "N":
        return _digits(content)
    if kind == "B":
        return int(len(content) * 3 // 4 - content.count("=", -2))
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _size(one) for name, one in content.items())
    if kind == "L":
        return 3 + sum(1 + _size(one) for one in content)
    return sum(_size({kind[0]: one}) for one in content)


def _digits(number: str) -> int:
    digits = number.lstrip("-").replace(".", "").strip("0")
    return 1 + (len(digits) + 1) // 2 + (1 if number.startswith("-") else 0)


def key_bytes(item: Mapping[str, Value], name: str, limit: int) -> bytes:
    """The text of a key's attribute. Raises AwsError when it is missing, of another type, empty or too long."""
    value = item.get(name)
    if value is None:
        raise validation(f"One or more parameter values were invalid: Missing the key {name} in the item")
    if "S" not in value:
        (kind,) = value
        raise validation(
            f"One or more parameter values were invalid: Type mismatch for key {name} expected: S actual: {kind}"
        )
    data = _encoded(value["S"])
    if not data:
        raise validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty string value. Key: {name}"
        )
    if len(data) > limit:
        raise validation(
            "One or more parameter values were invalid: "
            + ("Size of hashkey has exceeded the maximum size limit of2048 bytes" if limit == PK_LIMIT else
               "Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
        )  # fmt: skip
    return data


def stored(item: Item) -> bytes:
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()


def decoded(content: object) -> bytes:
    """The bytes of a B. Raises AwsError."""
    if not isinstance(content, str):
        raise _wrong("B")
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise AwsError("SerializationException", "A binary value is not base64.") from None


def number(value: Value) -> Decimal | None:
    """The number of an N, None for anything else."""
    return Decimal(value["N"]) if "N" in value else None


def total(one: Decimal, other: Decimal) -> Value:
    """The sum of two numbers. Raises AwsError when it has more than 38 digits."""
    try:
        return {"N": _number(str(_NUMBERS.add(one, other)))}
    except DecimalException:
        raise validation(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        ) from None


def comparable(value: Value) -> Any:
    """What orders values of one type; None for a type that has no order."""
    if "S" in value:
        return value["S"].encode()
    if "N" in value:
        return Decimal(value["N"])
    if "B" in value:
        return decoded(value["B"])
    return None


def equal(one: Value, other: Value) -> bool:
    if one == other:
        return True
    ((kind, content),), ((other_kind, other_content),) = one.items(), other.items()
    if kind != other_kind:
        return False
    if kind in ("SS", "NS", "BS"):
        return set(content) == set(other_content)
    if kind == "L":
        return len(content) == len(other_content) and all(map(equal, content, other_content))
    if kind == "M":
        return content.keys() == other_content.keys() and all(
            equal(content[key], other_content[key]) for key in content
        )
    return False  # scalars are in their normal form


def _number(content: object) -> str:
    if not isinstance(content, str):
        raise _wrong("N")
    try:
        result = _NUMBERS.create_decimal(content.strip())
    except Inexact:
        raise validation("Attempting to store more than 38 significant digits in a Number") from None
    except DecimalException:
        raise validation(f"The parameter cannot be converted to a numeric value: {content}") from None
    if not result.is_finite():
        raise validation(f"The parameter cannot be converted to a numeric value: {content}")
    if not result:
        return "0"
    return format(result.normalize(_NUMBERS), "f")


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise AwsError("SerializationException", "A text is not valid Unicode.") from None


def _wrong(kind: str) -> AwsError:
    return AwsError("SerializationException", f"A value of the type {kind} is not valid.")
