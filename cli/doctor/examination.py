"""Runs all checks of a registry from outside, in order, and cleans up after them."""

from __future__ import annotations

from collections.abc import Callable

from cli.doctor import endurance, entrance, images, uploads
from cli.doctor.report import Check, Finding, State, examine
from cli.doctor.session import Session
from cli.doctor.wire import NoResponse

CHECKS: tuple[Check[Session], ...] = (*entrance.CHECKS, *uploads.CHECKS, *images.CHECKS)


def examine_registry(session: Session, report: Callable[[Finding], None], *, thorough: bool = False) -> list[Finding]:
    """Return every finding, and report each when it is made. Delete what was pushed, whatever happens.

    `thorough` adds the checks that take minutes.
    """
    try:
        return examine((*CHECKS, *endurance.CHECKS) if thorough else CHECKS, session, report)
    finally:
        try:
            images.clear_up(session)
        except NoResponse as error:
            report(
                Finding(
                    "clear-up",
                    "what was pushed is deleted",
                    State.NOTE,
                    str(error),
                    f"Delete what is in {session.repository}.",
                )
            )
