"""Regular expressions in rules: a subset that is matched in time proportional to expression times text.

The whole text has to match. There are literals, `.`, classes (`[a-z]`, `[^0-9]`, `\\d`, `\\w`), groups (`(…)`,
`(?:…)`), `|`, and the repetitions `?`, `*`, `+`, `{2}`, `{2,}`, `{2,5}`, as in Python's `re` and Go's `regexp`. A
`\\` makes a character that means something a literal. There is nothing else: no anchors, no back-references, no
lookaround, no lazy repetitions. Project administrators write expressions, and with backtracking one could be made to
run for hours.

An expression becomes a position automaton (V. Glushkov, 1961): a place for each character that it can match, without
empty transitions. Sets of places are the bits of integers.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

MAX_EXPRESSION = 256  # characters
MAX_PLACES = 256  # once repetitions are written out
MAX_REPETITIONS = 100  # in {2,5}
MAX_DEPTH = 20  # of groups
_ALLOWED = re.compile(r"[!-~]+")
_COUNTS = re.compile(r"\{(\d{1,3})(?:(,)(\d{1,3})?)?\}", re.ASCII)
_DIGITS = frozenset(string.digits)
_WORDS = frozenset(string.ascii_letters + string.digits + "_")
_SPECIAL = frozenset(".^$*+?{}[]()|")
_NAMED = {"d": _DIGITS, "w": _WORDS}


@dataclass(frozen=True, slots=True)
class _Characters:
    """One character: of `members`, or any but those."""

    members: frozenset[str]
    others: bool = False
    size: int = 1


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple[_Node, ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: tuple[_Node, ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Repetition:
    """`most` is None for "any number"."""

    part: _Node
    least: int
    most: int | None
    size: int


_Node: TypeAlias = "_Characters | _Sequence | _Choice | _Repetition"


@dataclass(frozen=True, slots=True)
class _Fragment:
    """What a node came to: whether it matches nothing, and the places where it can begin and end."""

    empty: bool
    first: int
    last: int


def check_expression(text: str) -> None:
    """Raises ValueError, with a message for users, unless `text` is an expression of this form."""
    _compiled(text)


def expression_matches(expression: str, text: str) -> bool:
    """Return whether all of `text` matches an expression, which `check_expression` accepts."""
    return _compiled(expression).walk(text)[0]


class Expression:
    """Raises ValueError, with a message for users, if `text` is not an expression of this form."""

    def __init__(self, text: str) -> None:
        self._places: list[_Characters] = []
        self._follow: list[int] = []  # for each place, those that can come next
        self._masks: dict[str, int] = {}  # for each character seen, the places that it matches
        self._whole = self._emit(_Parser(text).parse())

    @property
    def size(self) -> int:
        """The number of places."""
        return len(self._places)

    def walk(self, text: str) -> tuple[bool, int]:
        """Return whether all of `text` matches, and the steps that it took: at most `size` for each character."""
        matched, places, steps = self._whole.empty, self._whole.first, 0
        for character in text:
            here, places = places & self._mask(character), 0
            if not here:
                return False, steps
            matched = here & self._whole.last != 0
            for place in _bits(here):
                places |= self._follow[place]
                steps += 1
        return matched, steps

    def _mask(self, character: str) -> int:
        found = self._masks.get(character)
        if found is None:
            found = sum(1 << n for n, one in enumerate(self._places) if (character in one.members) != one.others)
            if character.isascii():  # so that what is kept is bounded
                self._masks[character] = found
        return found

    def _emit(self, node: _Node) -> _Fragment:
        match node:
            case _Characters():
                place = 1 << len(self._places)
                self._places.append(node)
                self._follow.append(0)
                return _Fragment(False, place, place)
            case _Choice():
                parts = [self._emit(part) for part in node.parts]
                first, last = 0, 0
                for part in parts:
                    first, last = first | part.first, last | part.last
                return _Fragment(any(part.empty for part in parts), first, last)
            case _Sequence():
                return self._join(self._emit(part) for part in node.parts)
            case _Repetition():
                return self._join(self._copies(node))

    def _copies(self, node: _Repetition) -> Iterator[_Fragment]:
        """Write a repetition out: `a{2,4}` as `aaa?a?`, `a{2,}` as `aa+`."""
        for number in range(1, (node.most if node.most is not None else max(node.least, 1)) + 1):
            copy = self._emit(node.part)
            if node.most is None and number >= node.least:
                self._connect(copy.last, copy.first)
            yield _Fragment(copy.empty or number > node.least, copy.first, copy.last)

    def _join(self, parts: Iterator[_Fragment]) -> _Fragment:
        whole = _Fragment(True, 0, 0)
        for part in parts:
            self._connect(whole.last, part.first)
            first = whole.first | part.first if whole.empty else whole.first
            last = whole.last | part.last if part.empty else part.last
            whole = _Fragment(whole.empty and part.empty, first, last)
        return whole

    def _connect(self, places: int, following: int) -> None:
        for place in _bits(places):
            self._follow[place] |= following


@lru_cache(maxsize=256)
def _compiled(text: str) -> Expression:
    return Expression(text)


def _bits(places: int) -> Iterator[int]:
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parse(self) -> _Node:
        if len(self._text) > MAX_EXPRESSION or _ALLOWED.fullmatch(self._text) is None:
            raise self._wrong(f"it must have 1 to {MAX_EXPRESSION} printable ASCII characters and no space")
        node = self._choice(0)
        if self._at < len(self._text):
            raise self._wrong("a ) has no ( before it")
        return node

    def _choice(self, depth: int) -> _Node:
        parts = [self._sequence(depth)]
        while self._take("|"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else _Choice(tuple(parts), self._sized(sum(part.size for part in parts)))

    def _sequence(self, depth: int) -> _Node:
        parts: list[_Node] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom(depth)))
        return _Sequence(tuple(parts), self._sized(max(1, sum(part.size for part in parts))))

    def _atom(self, depth: int) -> _Node:
        character = self._read()
        if character == "(":
            return self._group(depth + 1)
        if character == "[":
            return self._class()
        if character == ".":
            return _Characters(frozenset(), others=True)
        if character == "\\":
            return _Characters(self._escaped())
        if character in "^$":
            raise self._wrong(f"leave {character} out, since the whole text has to match, or write \\{character}")
        if character in "*+?{":
            raise self._wrong(f"{character} has nothing to repeat; write \\{character} for the character itself")
        if character in _SPECIAL:
            raise self._wrong(f"write \\{character} for the character itself")
        return _Characters(frozenset(character))

    def _group(self, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise self._wrong(f"groups can be nested {MAX_DEPTH} deep")
        if self._take("?") and not self._take(":"):
            raise self._wrong("there is no lookaround, no named group and no flag: (? is only (?:")
        node = self._choice(depth)
        if not self._take(")"):
            raise self._wrong("a ( has no ) after it")
        return node

    def _class(self) -> _Node:
        others, members = self._take("^"), set[str]()
        while not self._take("]"):
            low = self._member()
            if self._next() == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]"):
                self._at += 1
                high = self._member()
                if len(low) > 1 or len(high) > 1 or max(low) > max(high):
                    raise self._wrong("a range in [ ] is of two characters in their order, such as a-z")
                members |= set(map(chr, range(ord(max(low)), ord(max(high)) + 1)))
            else:
                members |= low
        if not members:
            raise self._wrong("[ ] has no character in it; write \\] for the character itself")
        return _Characters(frozenset(members), others)

    def _member(self) -> frozenset[str]:
        character = self._read()
        if character == "":
            raise self._wrong("a [ has no ] after it")
        if character == "[":
            raise self._wrong("write \\[ for the character itself")
        return self._escaped() if character == "\\" else frozenset(character)

    def _escaped(self) -> frozenset[str]:
        character = self._read()
        if character in _NAMED:
            return _NAMED[character]
        if character == "" or character.isalnum():
            raise self._wrong(
                f"there is no \\{character}: of letters and digits only \\d and \\w, and no back-references"
            )
        return frozenset(character)

    def _repeated(self, part: _Node) -> _Node:
        if self._take("?"):
            least, most = 0, 1
        elif self._take("*"):
            least, most = 0, None
        elif self._take("+"):
            least, most = 1, None
        elif self._next() == "{":
            least, most = self._counts()
        else:
            return part
        if self._next() and self._next() in "?*+{":
            raise self._wrong("a repetition follows a repetition: there are no lazy ones; put the first into a group")
        return _Repetition(part, least, most, self._sized(part.size * max(least, most or 1)))

    def _counts(self) -> tuple[int, int | None]:
        found = _COUNTS.match(self._text, self._at)
        if found is None:
            raise self._wrong("{ begins {2}, {2,} or {2,5}; write \\{ for the character itself")
        self._at = found.end()
        least = int(found[1])
        most = int(found[3]) if found[3] else None if found[2] else least
        if max(least, most or 0) > MAX_REPETITIONS or (most is not None and most < least):
            raise self._wrong(f"the counts of {found[0]} must be in order, and at most {MAX_REPETITIONS}")
        return least, most

    def _sized(self, size: int) -> int:
        """Refuse what would be too large before it is written out."""
        if size > MAX_PLACES:
            raise self._wrong(f"with its repetitions written out it has more than {MAX_PLACES} characters")
        return size

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _read(self) -> str:
        character = self._next()
        self._at += 1
        return character

    def _take(self, character: str) -> bool:
        if self._next() != character:
            return False
        self._at += 1
        return True

    def _wrong(self, problem: str) -> ValueError:
        return ValueError(f"{self._text[:80]!r} is not a regular expression that rules can have: {problem}")
