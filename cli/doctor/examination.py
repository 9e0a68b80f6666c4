"""The examination of a registry from outside: all checks in their order, and clearing up behind them."""

from __future__ import annotations

from collections.abc import Callable

from cli.doctor import entrance, images, uploads
from cli.doctor.report import Check, Finding, State, examine
from cli.doctor.session import Session
from cli.doctor.wire import NoAnswer

CHECKS: tuple[Check[Session], ...] = (*entrance.CHECKS, *uploads.CHECKS, *images.CHECKS)


def examine_registry(session: Session, told: Callable[[Finding], None]) -> list[Finding]:
    """Every finding, told as it is made. What was put there is deleted, whatever happens."""
    try:
        return examine(CHECKS, session, told)
    finally:
        try:
            images.clear_up(session)
        except NoAnswer as error:
            told(
                Finding(
                    "clear-up",
                    "what was put there is deleted",
                    State.NOTE,
                    str(error),
                    f"Delete what is in {session.repository}.",
                )
            )
