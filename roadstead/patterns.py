"""Patterns of repositories and tags, as Harbor has them in its rules (doublestar).

`*` matches any characters except `/`, `**` any characters, `**/` any number of whole components (also none), `?` one
character except `/`, and `{a,b}` either alternative; everything else matches itself. Matching takes time proportional
to pattern times text: project administrators write patterns, and a regular expression could be made to run for hours.
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
    """Raises ValueError, with a message for users, unless `pattern` is a pattern of this form."""
    if len(pattern) > MAX_PATTERN or _ALLOWED.fullmatch(pattern) is None:
        raise ValueError(
            f"{pattern[:80]!r} is not a pattern: up to {MAX_PATTERN} letters, digits, . _ - / and * ** ? {{a,b}}"
        )
    if any(brace in _BRACES.sub("", pattern) for brace in "{}"):
        raise ValueError(f"the braces of {pattern!r} do not match; they cannot be nested")
    if sum(1 for _ in zip(range(MAX_ALTERNATIVES + 1), _alternatives(pattern), strict=False)) > MAX_ALTERNATIVES:
        raise ValueError(f"{pattern!r} has more than {MAX_ALTERNATIVES} alternatives")


def matches(pattern: str, text: str) -> bool:
    """Return whether all of `text` matches `pattern`, which `check_pattern` accepts."""
    return any(_matches(tokens, text) for tokens in _compiled(pattern))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_TOKEN.findall(alternative)) for alternative in _alternatives(pattern))


def _alternatives(pattern: str) -> Iterator[str]:
    """Yield patterns without braces, and without a `**/` for no component, that together match the same texts."""
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
    """Match by tracking every place in the pattern that is reachable after each character."""
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
    """Return `places` and those reachable from them by stars that match nothing."""
    found = set(places)
    for place in places:
        while place < len(tokens) and tokens[place].startswith("*"):
            place += 1
            found.add(place)
    return found
