"""The first administrator: made once, with a random password that only a file of the state directory holds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from local.resources import Resources
from local.state import StateDirectory, write_atomically

NAME = "admin"


def ensure_admin(state: StateDirectory, resources: Resources, aws: Mapping[str, str]) -> None:
    """Make the user unless it is there. The file comes first: a crash between the two leaves a usable password."""
    if not state.password_file.exists():
        write_atomically(state.password_file, secrets.token_urlsafe(24))
