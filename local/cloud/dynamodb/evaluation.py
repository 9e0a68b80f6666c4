"""What expressions mean: conditions tested against items, items projected and updated."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.cloud.dynamodb import expressions, values
from local.cloud.dynamodb.expressions import Node
from local.cloud.dynamodb.values import Item, Value
from local.cloud.errors import AwsError, validation

_TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})
_MISMATCH = "An operand in the update expression has an incorrect data type"
Steps = tuple[Any, ...]


@dataclass(slots=True)
class Names:
    """The placeholders of one request. `of` reads them; `check_used` refuses what no expression used."""

    names: Mapping[str, str]
    values: Mapping[str, Value]
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, request: Mapping[str, Any], *texts: str | None) -> Names:
        """From ExpressionAttributeNames and ExpressionAttributeValues of a request with these expressions."""
        names = request.get("ExpressionAttributeNames", {})
        found = request.get("ExpressionAttributeValues", {})
        given = [text for text in texts if text is not None]
        for field_name, content, sign in (("Names", names, "#"), ("Values", found, ":")):
            if not content and f"ExpressionAttribute{field_name}" in request:
                raise validation(f"ExpressionAttribute{field_name} must not be empty")
            if content and not given:
                raise validation(f"ExpressionAttribute{field_name} can only be specified when using expressions")
            for key in content:
                if not key.startswith(sign) or len(key) < 2:
                    raise validation(
                        f'ExpressionAttribute{field_name} contains invalid key: Syntax error; key: "{key}"'
                    )
        used = {mark for text in given for mark in expressions.placeholders(text)}
        for field_name, content, sign in (("Names", names, "#"), ("Values", found, ":")):
            wanted = {mark for mark in used if mark.startswith(sign)}
            if unused := sorted(content.keys() - wanted):
                raise validation(
                    f"Value provided in ExpressionAttribute{field_name} unused in expressions: "
                    f"keys: {{{', '.join(unused)}}}"
                )
            if missing := sorted(wanted - content.keys()):
                raise validation(
                    f"An expression attribute {'name' if sign == '#' else 'value'} used in expression is not defined; "
                    f"attribute {'name' if sign == '#' else 'value'}: {missing[0]}"
                )
        return cls(names, {name: values.normal(value) for name, value in found.items()})

    def steps(self, path: Node) -> Steps:
        """A path with its placeholders replaced."""
        return tuple(self.names[step] if isinstance(step, str) and step.startswith("#") else step for step in path[1])


def holds(node: Node, item: Item, names: Names) -> bool:
    """Whether a condition holds for an item; `{}` where there is none. Raises AwsError."""
    kind = node[0]
    if kind == "and":
        return holds(node[1], item, names) and holds(node[2], item, names)
    if kind == "or":
        return holds(node[1], item, names) or holds(node[2], item, names)
    if kind == "not":
        return not holds(node[1], item, names)
    if kind == "attribute_exists":
        return find(item, names.steps(node[1])) is not None
    if kind == "attribute_not_exists":
        return find(item, names.steps(node[1])) is None
    if kind == "in":
        one = _operand(node[1], item, names)
        others = (_operand(other, item, names) for other in node[2])
        return one is not None and any(other is not None and values.equal(one, other) for other in others)
    operands = [_operand(operand, item, names) for operand in node[1:]]
    if kind == "between":
        one, low, high = operands
        return _ordered(">=", one, low) and _ordered("<=", one, high)
    one, other = operands
    if kind == "attribute_type":
        return _is_of_type(one, other)
    if kind == "begins_with":
        return _begins(one, other)
    if kind == "contains":
        return one is not None and other is not None and _contains(one, other)
    if kind == "=":
        return one is not None and other is not None and values.equal(one, other)
    if kind == "<>":
        return one is None or other is None or not values.equal(one, other)
    return _ordered(kind, one, other)


def find(item: Item, steps: Steps) -> Value | None:
    """The value at a path, None where there is none."""
    found: Value | None = item.get(steps[0])
    for step in steps[1:]:
        if found is None:
            return None
        if isinstance(step, int):
            elements = found.get("L")
            found = elements[step] if elements is not None and step < len(elements) else None
        else:
            found = found.get("M", {}).get(step)
    return found


def project(paths: Iterable[Steps], item: Item) -> Item:
    """The attributes of an item that paths name; parts of lists move together, as DynamoDB has it."""
    projected: Item = {}
    lists: list[tuple[Steps, Value]] = []
    for steps in paths:
        value = find(item, steps)
        if value is None:
            continue
        if len(steps) == 1:
            projected[steps[0]] = value
        elif any(isinstance(step, int) for step in steps):
            lists.append((steps, value))
        else:
            target: dict[str, Any] = projected
            for step in steps[:-1]:
                target = target.setdefault(step, {"M": {}})["M"]
            target[steps[-1]] = value
    if lists:
        raise validation("The embedded DynamoDB does not project elements of lists.")
    return projected


def updated(actions: Iterable[Node], item: Item, names: Names, keys: Iterable[str]) -> tuple[Item, set[str]]:
    """The item after an update, and the top-level attributes that it touched. Raises AwsError."""
    result = copy.deepcopy(item)
    paths: list[Steps] = []
    protected = set(keys)
    removals: list[Steps] = []
    for action in actions:
        steps = names.steps(action[1])
        if steps[0] in protected:
            raise validation(
                "One or more parameter values were invalid: Cannot update attribute "
                f"{steps[0]}. This attribute is part of the key"
            )
        for other in paths:
            shorter = min(len(other), len(steps))
            if other[:shorter] == steps[:shorter]:
                raise validation(
                    "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one "
                    f"of these paths; path one: {list(other)}, path two: {list(steps)}"
                )
        paths.append(steps)
        if action[0] == "REMOVE":
            removals.append(steps)
        elif action[0] == "SET":
            value = _assigned(action[2], item, names)
            _set(result, steps, copy.deepcopy(value))
        elif action[0] == "ADD":
            _set(result, steps, _added(find(item, steps), names.values[action[2][1]]))
        else:
            left = _deleted(find(item, steps), names.values[action[2][1]])
            if left is not None:
                _set(result, steps, left)
            elif find(item, steps) is not None:
                removals.append(steps)
    for steps in sorted(removals, key=lambda one: [str(step).zfill(6) for step in one], reverse=True):
        _remove(result, steps)
    return result, {steps[0] for steps in paths}


def _operand(node: Node, item: Item, names: Names) -> Value | None:
    if node[0] == "value":
        return names.values[node[1]]
    if node[0] == "size":
        found = find(item, names.steps(node[1]))
        return None if found is None else {"N": str(_length(found))}
    return find(item, names.steps(node))


def _length(value: Value) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(values.decoded(content))
    if kind in ("SS", "NS", "BS", "L", "M"):
        return len(content)
    raise validation(f"Invalid operand for the function size: {kind}")


def _ordered(sign: str, one: Value | None, other: Value | None) -> bool:
    if one is None or other is None or one.keys() != other.keys():
        return False
    left, right = values.comparable(one), values.comparable(other)
    if left is None or right is None:
        return False
    if sign == "<":
        return bool(left < right)
    if sign == "<=":
        return bool(left <= right)
    if sign == ">":
        return bool(left > right)
    return bool(left >= right)


def _is_of_type(one: Value | None, wanted: Value | None) -> bool:
    kind = (wanted or {}).get("S")
    if kind not in _TYPES:
        raise validation(f"Invalid type: {kind}")
    return one is not None and kind in one


def _begins(one: Value | None, prefix: Value | None) -> bool:
    if prefix is None or not prefix.keys() & {"S", "B"}:
        raise validation("Incorrect operand type for operator or function; operator or function: begins_with")
    if one is None:
        return False
    if "S" in one and "S" in prefix:
        return bool(one["S"].startswith(prefix["S"]))
    if "B" in one and "B" in prefix:
        return values.decoded(one["B"]).startswith(values.decoded(prefix["B"]))
    return False


def _contains(one: Value, other: Value) -> bool:
    ((kind, content),) = one.items()
    if kind == "L":
        return any(values.equal(element, other) for element in content)
    ((other_kind, other_content),) = other.items()
    if kind in ("SS", "NS", "BS"):
        return kind[0] == other_kind and other_content in content
    if kind == "B" and other_kind == "B":
        return values.decoded(other_content) in values.decoded(content)
    return kind == "S" and other_kind == "S" and other_content in content


def _assigned(node: Node, item: Item, names: Names) -> Value:
    kind = node[0]
    if kind in ("+", "-"):
        one, other = (values.number(_assigned(part, item, names)) for part in node[1:])
        if one is None or other is None:
            raise validation(_MISMATCH)
        return values.total(one, other if kind == "+" else other.copy_negate())
    if kind == "if_not_exists":
        found = find(item, names.steps(node[1]))
        return found if found is not None else _assigned(node[2], item, names)
    if kind == "list_append":
        one_list, other_list = (_assigned(part, item, names) for part in node[1:])
        if "L" not in one_list or "L" not in other_list:
            raise validation(_MISMATCH)
        return {"L": [*one_list["L"], *other_list["L"]]}
    found = _operand(node, item, names)
    if found is None:
        raise validation("The provided expression refers to an attribute that does not exist in the item")
    return found


def _added(present: Value | None, value: Value) -> Value:
    ((kind, content),) = value.items()
    if kind == "N":
        before = values.number(present) if present is not None else Decimal(0)
        if before is None:
            raise validation(_MISMATCH)
        return values.total(before, Decimal(content))
    if kind in ("SS", "NS", "BS"):
        if present is None:
            return value
        if kind not in present:
            raise validation(_MISMATCH)
        return {kind: [*present[kind], *(one for one in content if one not in present[kind])]}
    raise validation(
        "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, "
        f"operand type: {kind}"
    )


def _deleted(present: Value | None, value: Value) -> Value | None:
    ((kind, content),) = value.items()
    if kind not in ("SS", "NS", "BS"):
        raise validation("Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE")
    if present is None:
        return None
    if kind not in present:
        raise validation(_MISMATCH)
    left = [one for one in present[kind] if one not in content]
    return {kind: left} if left else None


def _set(item: Item, steps: Steps, value: Value) -> None:
    if len(steps) == 1:
        item[steps[0]] = value
        return
    parent = find(item, steps[:-1])
    last = steps[-1]
    if isinstance(last, int) and parent is not None and "L" in parent:
        if last < len(parent["L"]):
            parent["L"][last] = value
        else:
            parent["L"].append(value)
    elif isinstance(last, str) and parent is not None and "M" in parent:
        parent["M"][last] = value
    else:
        raise _no_parent()


def _remove(item: Item, steps: Steps) -> None:
    if len(steps) == 1:
        item.pop(steps[0], None)
        return
    parent = find(item, steps[:-1])
    last = steps[-1]
    if isinstance(last, int) and parent is not None and "L" in parent:
        del parent["L"][last : last + 1]
    elif isinstance(last, str) and parent is not None and "M" in parent:
        parent["M"].pop(last, None)
    else:
        raise _no_parent()


def _no_parent() -> AwsError:
    return validation("The document path provided in the update expression is invalid for update")
