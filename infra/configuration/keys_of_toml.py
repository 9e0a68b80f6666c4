"""Reads a table of a TOML document: checks types and forms, fills in defaults, finds unknown keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Problems:
    """The problems, in the order in which they were found."""

    found: list[str] = field(default_factory=list)


class Keys:
    """A table, by its dotted name. A wrong value is noted in `problems` and replaced with the default."""

    def __init__(self, table: Mapping[str, Any] | None, name: str, problems: Problems) -> None:
        self.present = table is not None
        self._table = dict(table or {})
        self._name = name
        self._problems = problems
        self._asked: set[str] = set()

    def problem(self, key: str, sentence: str) -> None:
        self._problems.found.append(f"{self._dotted(key)} {sentence}")

    def unknown(self) -> None:
        """Note the keys that were not read, so that a misspelt one is not ignored silently."""
        for key in sorted(set(self._table) - self._asked):
            self.problem(key, "is not a setting")

    def table(self, key: str) -> Keys:
        value = self._get(key, None)
        if value is not None and not isinstance(value, Mapping):
            self.problem(key, f"must be a table, [{self._dotted(key)}]")
            value = None
        return Keys(value, self._dotted(key), self._problems)

    def text(self, key: str, default: str, pattern: str, form: str) -> str:
        """Return a string that `pattern` matches as a whole; `form` describes it to a person."""
        value = self._get(key, default)
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            self.problem(key, f"is {value!r}: it must be {form}")
            return default
        return value

    def texts(self, key: str, pattern: str) -> tuple[str, ...]:
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and re.fullmatch(pattern, one) for one in value):
            self.problem(key, f"is {value!r}: it must be a list of strings like {pattern}")
            return ()
        return tuple(value)

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        return self.text(key, default, "|".join(map(re.escape, allowed)), " or ".join(allowed))

    def domain(self, key: str) -> str:
        """Return a host name, empty if it is not set."""
        return self.text(
            key, "", r"(([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})?", "a host name like registry.example.com"
        )

    def certificate(self, key: str, region: str) -> str:
        """Return a certificate's ARN, empty if it is not set."""
        where = region if region == "us-east-1" else "the deployment's region"
        pattern = rf"(arn:aws[a-z-]*:acm:{region}:\d{{12}}:certificate/[0-9a-f-]+)?"
        return self.text(key, "", pattern, f"the ARN of a certificate in {where}")

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            self.problem(key, f"is {value!r}: it must be true or false")
            return default
        return value

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.problem(key, f"is {value!r}: it must be a whole number from {least} to {most}")
            return default
        return value

    def numbers(self, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
        value = self._get(key, list(default))
        if not isinstance(value, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in value):
            self.problem(key, f"is {value!r}: it must be a list of whole numbers")
            return default
        return tuple(value)

    def strings(self) -> dict[str, str]:
        """Return the table itself, of strings by upper-case names."""
        for key, value in self._table.items():
            if not isinstance(value, str) or re.fullmatch(r"[A-Z][A-Z0-9_]*", key) is None:
                self.problem(key, "must be a variable in capitals, with a string for its value")
        return {key: value for key, value in self._table.items() if isinstance(value, str)}

    def _get(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        return self._table.get(key, default)

    def _dotted(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key
