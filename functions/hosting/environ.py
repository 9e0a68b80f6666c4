"""Reading settings from environment variables, reporting all problems at once."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from roadstead.names import MAX_SERVICE_NAME

E = TypeVar("E", bound=Enum)

# What comes before the 65 bytes of an uncompressed point in the SubjectPublicKeyInfo of a key on P-256 (RFC 5480).
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_POINT = 65


class SettingsError(Exception):
    """Settings are missing or wrong; the message names each."""


class Environ:
    """Collects problems while settings are read; `check` raises them together."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environ.get(name, "").strip() or default
        if value is None:
            self._problems.append(f"{name} is not set")
            return ""
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return comma-separated values, at least one."""
        text = self.text(name)
        parts = tuple(part for part in (part.strip() for part in text.split(",")) if part)
        if text and not parts:
            self._problems.append(f"{name} names nothing")
        return parts

    def public_keys(self, name: str, ids: tuple[str, ...]) -> dict[str, bytes]:
        """Return the points of the keys `ids`, each 65 bytes, uncompressed (SEC 1); none if the variable is not set.

        The variable has the SubjectPublicKeyInfo of each key, in base64 and in the order of `ids`, separated by commas.
        """
        texts = [part.strip() for part in self._environ.get(name, "").split(",") if part.strip()]
        if not texts:
            return {}
        if len(texts) != len(ids):
            self._problems.append(f"{name} has {len(texts)} keys: it must have {len(ids)}, one for each id, or none")
            return {}
        points = {}
        for id_, text in zip(ids, texts, strict=True):
            try:
                encoded = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                encoded = b""
            if not encoded.startswith(_P256) or len(encoded) != len(_P256) + _POINT:
                self._problems.append(f"{name} is not the public key of {id_} on P-256, in DER and base64")
                continue
            points[id_] = encoded[len(_P256) :]
        return points

    def name(self, name: str, default: str) -> str:
        """Return an issuer or a service: a text for tokens and for the quoted strings of challenges."""
        text = self.text(name, default)
        if re.fullmatch(rf"[A-Za-z0-9._:/-]{{1,{MAX_SERVICE_NAME}}}", text) is None:
            self._problems.append(f"{name} has up to {MAX_SERVICE_NAME} letters, digits and . _ : / -")
        return text

    def origin(self, name: str, default: str | None = None, *, secure: bool = False) -> str:
        """Return a scheme and a host, like `https://registry.example.com`, without a path.

        `secure` takes plain HTTP to this machine alone.
        """
        text = self.text(name, default)
        if secure and re.match(r"http://(?!(?:localhost|127\.0\.0\.1)(?::|$))", text):
            self._problems.append(f"{name} is {text!r}: it must begin with https://")
        if text and re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", text) is None:
            self._problems.append(f"{name} is {text!r}: it must be like https://registry.example.com, without a path")
        return text

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            self._problems.append(f"{name} is {text[:40]!r}: it must be a whole number from {least} to {most}")
            return default
        return int(text)

    def choice(self, name: str, default: E) -> E:
        text = self.text(name, default.value)
        for member in type(default):
            if member.value == text:
                return member
        allowed = " or ".join(str(member.value) for member in type(default))
        self._problems.append(f"{name} is {text!r}: it must be {allowed}")
        return default

    def flag(self, name: str) -> bool:
        """`on` or `off`, which is the default."""
        text = self.text(name, "off")
        if text not in ("on", "off"):
            self._problems.append(f"{name} is {text!r}: it must be on or off")
        return text == "on"

    def check(self) -> None:
        """Raises SettingsError if anything that was read is missing or wrong."""
        if self._problems:
            raise SettingsError("; ".join(self._problems))
