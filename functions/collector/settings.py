"""The collector function's settings. docs/settings.md documents them; a test compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.hosting.environ import Environ
from functions.hosting.tracing import Tracing
from roadstead.lifecycle.collector.run import MIN_FENCE, MIN_GRACE

_LONGEST = 90 * 86_400


@dataclass(frozen=True, slots=True)
class Settings:
    """Of the identity table only the list of projects is read.

    `grace` and `fence` in seconds. With `trial` they may be shorter than is safe beside pushes.

    `recovery_days` is for how long the bucket keeps deleted objects as versions, 0 if it keeps none.
    """

    index_table: str
    identity_table: str
    bucket: str
    grace: int
    fence: int
    trial: bool
    recovery_days: int
    tracing: Tracing
    metrics: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingsError naming every missing or invalid key."""
        read = Environ(environ)
        trial = read.flag("COLLECT_TRIAL")
        settings = cls(
            index_table=read.text("INDEX_TABLE"),
            identity_table=read.text("IDENTITY_TABLE"),
            bucket=read.text("BUCKET"),
            grace=read.number("COLLECT_GRACE", MIN_GRACE, least=0 if trial else MIN_GRACE, most=_LONGEST),
            fence=read.number("COLLECT_FENCE", MIN_FENCE, least=0 if trial else MIN_FENCE, most=86_400),
            trial=trial,
            recovery_days=read.number("RECOVERY_DAYS", 0, least=0, most=35),
            tracing=read.choice("TRACING", Tracing.OFF),
            metrics=read.flag("METRICS"),
        )
        read.check()
        return settings
