"""The relay's settings, beside those of the registry function whose services it hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.hosting.environ import Environ
from roadstead.content.uploads.uploads import UploadLimits

PART_BYTES = 8 * 1024**2  # 10,000 of them are 80 GiB, more than MAX_BLOB_BYTES by default
PARALLEL_PARTS = 3
CHECKPOINT_BYTES = 64 * 1024**2  # of one body at most this much is sent again after a crash
# Held at once by one upload: the buffer that fills, its copy that becomes a part, the parts under way.
BYTES_PER_UPLOAD = (2 + PARALLEL_PARTS) * PART_BYTES


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """`uploads` is how many bodies are stored at once, each in up to 40 MiB of memory; one user may send
    `uploads_per_user` of them. `drain_seconds` is how long uploads under way may go on after SIGTERM (Fargate kills
    after 120 s at most)."""

    host: str
    port: int
    uploads: int
    uploads_per_user: int
    drain_seconds: int
    limits: UploadLimits

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> RelaySettings:
        """Raises SettingsError that names every wrong key."""
        read = Environ(environ)
        uploads = read.number("RELAY_UPLOADS", 24, least=1, most=512)
        settings = cls(
            host=read.text("RELAY_HOST", "0.0.0.0"),  # noqa: S104 - a container's only interface
            port=read.number("RELAY_PORT", 8080, least=1, most=65_535),
            uploads=uploads,
            uploads_per_user=read.number("RELAY_UPLOADS_PER_USER", uploads - uploads // 4, least=1, most=512),
            drain_seconds=read.number("RELAY_DRAIN_SECONDS", 110, least=1, most=3_600),
            limits=UploadLimits(
                lifetime=read.number("UPLOAD_SECONDS", 86_400, least=600, most=604_800),
                max_bytes=read.number("MAX_BLOB_BYTES", 50 * 1000**3, least=1, most=10_000 * PART_BYTES),
                part_bytes=PART_BYTES,
                checkpoint_bytes=CHECKPOINT_BYTES,
                parallel_parts=PARALLEL_PARTS,
                holds=True,
            ),
        )
        read.check()
        return settings
