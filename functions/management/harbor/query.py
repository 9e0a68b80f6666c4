"""Harbor's query language for lists: the parameters `q` and `sort`.

    q = k=v           exact                      q = k=[a~b]     between a and b, either may be absent
    q = k=~v          contains, any case         q = k={a b c}   one of
    q = k=\\[v         exact, `[v`                q = k=(a b c)   all of

Terms are joined by commas. `sort=name,-creation_time` sorts by name, then by time, newest first.
Source: Harbor, src/lib/q/builder.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from functions.management.errors import bad_request
from roadstead.http import Request

MAX_LENGTH = 2_048  # characters of `q`
MAX_TERMS = 20

Scalar = str | int | datetime


@dataclass(frozen=True, slots=True)
class Exact:
    value: str

    def matches(self, value: object) -> bool:
        return any(_text(one) == self.value for one in _values(value)) or (value is None and self.value == "nil")


@dataclass(frozen=True, slots=True)
class Contains:
    text: str  # folded

    def matches(self, value: object) -> bool:
        return any(self.text in _text(one).casefold() for one in _values(value))


@dataclass(frozen=True, slots=True)
class Between:
    """Both ends included; None is open."""

    least: Scalar | None
    most: Scalar | None

    def matches(self, value: object) -> bool:
        return any(_at_least(one, self.least) and _at_least(self.most, one) for one in _values(value))


@dataclass(frozen=True, slots=True)
class AnyOf:
    values: tuple[Scalar, ...]

    def matches(self, value: object) -> bool:
        present = {_text(one) for one in _values(value)}
        return any(_text(one) in present for one in self.values)


@dataclass(frozen=True, slots=True)
class AllOf:
    values: tuple[Scalar, ...]

    def matches(self, value: object) -> bool:
        present = {_text(one) for one in _values(value)}
        return all(_text(one) in present for one in self.values)


Term = Exact | Contains | Between | AnyOf | AllOf


@dataclass(frozen=True, slots=True)
class Sort:
    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed `q` and `sort`. Keys that a list does not know are ignored, as Harbor ignores them."""

    terms: Mapping[str, Term]
    sorts: tuple[Sort, ...] = ()

    def filtered(self, items: Iterable[Any], fields: Mapping[str, Callable[[Any], object]]) -> list[Any]:
        """Return the items for which every known term holds. `fields` gives an item's value for each key."""
        known = [(fields[key], term) for key, term in self.terms.items() if key in fields]
        return [item for item in items if all(term.matches(value(item)) for value, term in known)]

    def sorted(
        self, items: Iterable[Any], fields: Mapping[str, Callable[[Any], Any]], default: tuple[Sort, ...]
    ) -> list[Any]:
        """Return the items in the order asked for, or in the default order; unknown keys are ignored."""
        ordered = list(items)
        sorts = [sort for sort in self.sorts if sort.key in fields] or list(default)
        for sort in reversed(sorts):
            value = fields[sort.key]
            ordered.sort(key=lambda item: _sortable(value(item)), reverse=sort.descending)
        return ordered


def parse_query(q: str | None, sort: str | None) -> Query:
    """Parse both parameters. Raises 400 BAD_REQUEST for a `q` that does not follow the grammar."""
    return Query(_terms(q or ""), _sorts(sort or ""))


def flag(request: Request, name: str, default: bool) -> bool:
    """Return a parameter that is true or false. Raises 400 for anything else."""
    text = request.parameter(name)
    if text is None or text == "":
        return default
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise bad_request(f"{name} must be true or false")
    return known[text.lower()]


def _terms(text: str) -> dict[str, Term]:
    if len(text) > MAX_LENGTH:
        raise bad_request(f"q has {len(text)} characters; at most {MAX_LENGTH} are accepted")
    if "%" in text:  # encoded a second time, as by clients that send tags%3Dnil; otherwise a + is a robot's own
        text = unquote_plus(text)
    parts = text.split(",") if text else []
    if len(parts) > MAX_TERMS:
        raise bad_request(f"q has {len(parts)} terms; at most {MAX_TERMS} are accepted")
    terms = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not (key and equals and value):
            raise bad_request(f"the query term {part[:100]!r} must have the form key=value")
        try:
            terms[key] = _term(value)
        except ValueError as error:
            raise bad_request(f"the value of {key[:50]!r} in q is invalid: {error}") from error
    return terms


def _term(value: str) -> Term:
    match value[0]:
        case "~":
            if len(value) < 2:
                raise ValueError("~ needs text to look for")
            return Contains(value[1:].casefold())
        case "[":
            return _between(value)
        case "{":
            return AnyOf(_list(value, "}"))
        case "(":
            return AllOf(_list(value, ")"))
        case "\\":
            return Exact(value[1:])
    return Exact(value)


def _between(value: str) -> Between:
    if value[-1] != "]" or value.count("~") != 1:
        raise ValueError("a range has the form [least~most]")
    least, most = (end.strip() for end in value[1:-1].split("~"))
    if not (least or most):
        raise ValueError("a range needs at least one end")
    return Between(_scalar(least) if least else None, _scalar(most) if most else None)


def _list(value: str, closing: str) -> tuple[Scalar, ...]:
    if value[-1] != closing:
        raise ValueError(f"a list that begins with {value[0]} ends with {closing}")
    return tuple(_scalar(one) for one in value[1:-1].split())


def _scalar(text: str) -> Scalar:
    """A time first, then a number, then text without its quotes: the order in which Harbor tries them."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        pass
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 19:
        return int(text)
    return text.strip("\"'")


def _sorts(text: str) -> tuple[Sort, ...]:
    if len(text) > MAX_LENGTH:
        raise bad_request(f"sort has {len(text)} characters; at most {MAX_LENGTH} are accepted")
    keys = [key for key in text.split(",") if key.strip("-")]
    return tuple(Sort(key.removeprefix("-"), key.startswith("-")) for key in keys[:MAX_TERMS])


def _values(value: object) -> tuple[object, ...]:
    """The values of a field that may hold several (an artifact's tags)."""
    if value is None:
        return ()
    if isinstance(value, (list, tuple, set, frozenset)):
        return tuple(value)
    return (value,)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _at_least(value: object, least: object) -> bool:
    """Whether `value` >= `least`, where None is open; values of different kinds never compare."""
    if value is None or least is None:
        return True
    if isinstance(value, datetime) and isinstance(least, datetime):
        return value >= least
    if isinstance(value, int) and isinstance(least, int):
        return value >= least
    if isinstance(value, str) and isinstance(least, str):
        return value >= least
    return False


def _sortable(value: Any) -> tuple[bool, Any]:
    """Absent values sort below every other."""
    return (value is not None, value if value is not None else 0)
