"""Secrets that a function reads at run time, never from its template or environment."""

from __future__ import annotations

from typing import Protocol

from roadstead.upload_token import UploadKeys


class UploadKeySource(Protocol):
    def upload_keys(self) -> UploadKeys:
        """The keys of upload tokens. Read at most every few minutes, so that a rotation is seen."""
        ...


class EdgeSecretSource(Protocol):
    def edge_secrets(self) -> tuple[str, ...]:
        """What the distribution puts beside the viewer's host and address; two while it is being rotated."""
        ...
