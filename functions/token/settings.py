"""The token function's settings, from its environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from roadstead.services.certificates import Mode
from roadstead.services.minting import MAX_LIFETIME, MAX_NAME, MIN_LIFETIME

_NAME = re.compile(rf"[A-Za-z0-9._:/-]{{1,{MAX_NAME}}}")
_NAMESAKE = "roadstead"
_LIFETIME = 900
_DAY = 24 * 3600
_REFRESH_LIFETIME = 90 * _DAY


class InvalidSettings(Exception):
    """Names every setting that is missing or wrong, and says what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment's keys are the fields' names in upper case."""

    identity_table: str
    token_keys: tuple[str, ...]  # KMS key ids, comma-separated: the first signs, all are trusted
    token_issuer: str = _NAMESAKE
    token_service: str = _NAMESAKE
    token_lifetime: int = _LIFETIME  # seconds, 60 to 1800
    token_mode: Mode = Mode.CERTIFIED  # "certified" or "direct"
    refresh_token_lifetime: int = _REFRESH_LIFETIME  # seconds, an hour to ten years

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Raises InvalidSettings. A setting that is set to nothing counts as not set."""
        problems: list[str] = []

        def text(name: str, default: str | None = None) -> str:
            value = environ.get(name, "").strip()
            if not value and default is None:
                problems.append(f"{name} is not set")
            return value or default or ""

        def name(key: str, default: str) -> str:
            value = text(key, default)
            if _NAME.fullmatch(value) is None:
                problems.append(f"{key} has up to {MAX_NAME} letters, digits and . _ : / -")
            return value

        def seconds(key: str, default: int, least: int, most: int) -> int:
            value = text(key, str(default))
            if not (value.isascii() and value.isdigit() and len(value) < 12 and least <= int(value) <= most):
                problems.append(f"{key} is a number of seconds from {least} to {most}")
                return default
            return int(value)

        mode = text("TOKEN_MODE", Mode.CERTIFIED)
        if mode not in list(Mode):
            problems.append(f"TOKEN_MODE is one of {', '.join(Mode)}")
            mode = Mode.CERTIFIED
        keys = tuple(key for part in text("TOKEN_KEYS").split(",") if (key := part.strip()))
        settings = cls(
            identity_table=text("IDENTITY_TABLE"),
            token_keys=keys,
            token_issuer=name("TOKEN_ISSUER", _NAMESAKE),
            token_service=name("TOKEN_SERVICE", _NAMESAKE),
            token_lifetime=seconds("TOKEN_LIFETIME", _LIFETIME, MIN_LIFETIME, MAX_LIFETIME),
            token_mode=Mode(mode),
            refresh_token_lifetime=seconds("REFRESH_TOKEN_LIFETIME", _REFRESH_LIFETIME, 3600, 3650 * _DAY),
        )
        if not keys and environ.get("TOKEN_KEYS", "").strip():
            problems.append("TOKEN_KEYS names no key")
        if problems:
            raise InvalidSettings("; ".join(sorted(problems)))
        return settings
