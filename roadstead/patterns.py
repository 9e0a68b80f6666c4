"""Patterns of repositories and tags, as Harbor has them in its rules (doublestar).

`*` is any run of characters but `/`, `**` any run at all, `**/` any number of whole components (none, too), `?` one
character but `/`, `{a,b}` either of them; everything else is itself. Matching takes time in proportion to pattern times
text: a project's administrator writes the pattern, and a regular expression made of it could be made to take for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

MAX_PATTERN = 256
MAX_ALTERNATIVES = 64  # all combinations of the braces
_ALLOWED = re.compile(r"[A-Za-z0-9._/*?{},-]+")
_BRACES = re.compile(r"\{([^{}]*)\}")
_DIRECTORIES = re.compile(r"(?:(?<=/)|^)\*\*/")
_TOKEN = re.compile(r"\*\*+|.")


def check_pattern(pattern: str) -> None:
    """Raises ValueError with a sentence for a person."""
    if len(pattern) > MAX_PATTERN or _ALLOWED.fullmatch(pattern) is None:
        raise ValueError(
            f"{pattern[:80]!r} is no pattern: up to {MAX_PATTERN} letters, digits and . _ - / with * ** ? and {{a,b}}"
        )
    if any(brace in _BRACES.sub("", pattern) for brace in "{}"):
        raise ValueError(f"the braces of {pattern!r} do not match; they cannot be nested")
    if sum(1 for _ in zip(range(MAX_ALTERNATIVES + 1), _alternatives(pattern), strict=False)) > MAX_ALTERNATIVES:
        raise ValueError(f"{pattern!r} has more than {MAX_ALTERNATIVES} alternatives")


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` matches; no pattern that `check_pattern` refuses."""
    return any(_matches(tokens, text) for tokens in _compiled(pattern))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_TOKEN.findall(alternative)) for alternative in _alternatives(pattern))


def _alternatives(pattern: str) -> Iterator[str]:
    """The patterns without braces, and without `**/` in the sense of no component, that together mean the same."""
    braces = _BRACES.search(pattern)
    if braces is not None:
        for choice in braces[1].split(","):
            yield from _alternatives(pattern[: braces.start()] + choice + pattern[braces.end() :])
        return
    directories = _DIRECTORIES.search(pattern)
    if directories is None:
        yield pattern
        return
    before, after = pattern[: directories.start()], pattern[directories.end() :]
    for rest in _alternatives(after):
        yield before + rest
        yield f"{before}**/{rest}"


def _matches(tokens: tuple[str, ...], text: str) -> bool:
    """All places in the pattern at which one can be after each character: never more than it has tokens."""
    places = _skipped({0}, tokens)
    for character in text:
        following = set()
        for place in places:
            token = tokens[place] if place < len(tokens) else ""
            if token.startswith("**") or (token == "*" and character != "/"):
                following.add(place)
            elif token == character or (token == "?" and character != "/"):
                following.add(place + 1)
        places = _skipped(following, tokens)
        if not places:
            return False
    return len(tokens) in places


def _skipped(places: set[int], tokens: tuple[str, ...]) -> set[int]:
    """`places`, and those behind stars that stand for nothing."""
    found = set(places)
    for place in places:
        while place < len(tokens) and tokens[place].startswith("*"):
            place += 1
            found.add(place)
    return found
