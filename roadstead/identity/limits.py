"""Rights that are limited to some repositories of a project, by patterns (`roadstead.patterns`).

A pattern is matched against a repository's name without its project: `team-a/**` in the project `ships` matches
`ships/team-a/web`.
"""

from __future__ import annotations

from collections.abc import Iterable

from roadstead.names import RepositoryName
from roadstead.patterns import check_pattern, matches

MAX_PATTERNS = 10  # of one role or permission
MAX_CHARACTERS = 512  # of all of them: a token may hold them


def check_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns, each once. Raises ValueError with a sentence for a person."""
    found = tuple(dict.fromkeys(patterns))
    if len(found) > MAX_PATTERNS or sum(map(len, found)) > MAX_CHARACTERS:
        raise ValueError(f"at most {MAX_PATTERNS} patterns with {MAX_CHARACTERS} characters in all limit a right")
    for pattern in found:
        check_pattern(pattern)
    return found


def matches_any(patterns: Iterable[str], repository: RepositoryName) -> bool:
    """Whether a repository's name, without its project, matches one of `patterns`."""
    name = repository.partition("/")[2]
    return any(matches(pattern, name) for pattern in patterns)


def said_patterns(patterns: Iterable[str] | None) -> str:
    """Return what the trail says of patterns: `" repositories=team-a/**,web"`, with `*` for all repositories."""
    return "" if patterns is None else f" repositories={','.join(patterns) or '*'}"
