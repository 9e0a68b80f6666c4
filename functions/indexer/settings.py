"""The indexer's settings. docs/settings.md documents them; a test compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.hosting.environ import Environ
from functions.hosting.tracing import Tracing


@dataclass(frozen=True, slots=True)
class Settings:
    index_table: str
    bucket: str
    dead_letters_url: str
    tracing: Tracing
    metrics: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingsError naming every missing or invalid key."""
        read = Environ(environ)
        settings = cls(
            index_table=read.text("INDEX_TABLE"),
            bucket=read.text("BUCKET"),
            dead_letters_url=read.text("INDEX_DEAD_LETTERS_URL"),
            tracing=read.choice("TRACING", Tracing.OFF),
            metrics=read.flag("METRICS"),
        )
        read.check()
        return settings
