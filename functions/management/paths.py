"""Path templates of the management API, as OpenAPI writes them, and how they match.

A repository's name has slashes. Harbor's clients encode them twice (`a%252Fb`); an HTTP API decodes a path once, and a
proxy may decode it again. So a template first matches with the name in one segment, then with the name over several
segments, from the right: the name takes everything that the rest of the template leaves. Each value is decoded at most
twice, and a handler sees only the decoded value, so the name that is authorised is the name that is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

MAX_PATH = 2_048  # characters; what the gateway takes is more
REPOSITORY = "repository"  # the one parameter that may hold slashes
_PARAMETER = re.compile(r"\{(\w+)\}")
_DECODINGS = 2


class MalformedPath(ValueError):
    """The message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Template:
    """A path such as `/projects/{project}/repositories/{repository}`."""

    text: str
    _whole: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _greedy: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_whole", self._compiled("[^/]+"))
        greedy = self._compiled(".+") if REPOSITORY in self.parameters else None
        object.__setattr__(self, "_greedy", greedy)

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(_PARAMETER.findall(self.text))

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the decoded parameters, or None if `path` has another form. Raises MalformedPath.

        `path` is as the gateway passes it on: decoded at most once, so `%2F` may stand for a slash in a name.
        """
        found = self._whole.fullmatch(path) or (self._greedy.fullmatch(path) if self._greedy is not None else None)
        if found is None:
            return None
        return {name: _decoded(value) for name, value in found.groupdict().items()}

    def _compiled(self, repository: str) -> re.Pattern[str]:
        pattern = ""
        for index, part in enumerate(_PARAMETER.split(self.text)):
            if index % 2 == 0:
                pattern += re.escape(part)
            else:
                pattern += f"(?P<{part}>{repository if part == REPOSITORY else '[^/]+'})"
        return re.compile(pattern)


def _decoded(value: str) -> str:
    for _ in range(_DECODINGS):
        try:
            decoded = unquote(value, errors="strict")
        except UnicodeDecodeError as error:
            raise MalformedPath("the path is not UTF-8") from error
        if decoded == value:
            return value
        value = decoded
    if "%" in value:
        raise MalformedPath("a name in the path is encoded more than twice; write a slash in it as %2F or %252F")
    return value
