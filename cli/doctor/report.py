"""Checks and findings: a line for each check, and for a failure what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from cli.doctor.wire import NoResponse

T = TypeVar("T")


class State(StrEnum):
    """`note`: it works as configured, with a limitation that the operator should know."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"
    SKIPPED = "skipped"


class Wrong(Exception):
    """A check failed. The message says what is wrong, `advice` what to do."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.advice = advice


class Note(Exception):
    """A check found a limitation that may be intended."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.advice = advice


class Skip(Exception):
    """A check does not apply or cannot run; the message says why."""


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """One check. `look` returns a detail, or raises Wrong, Note, Skip or NoResponse.

    The check is skipped unless all of `needs` passed.
    """

    id: str
    title: str
    look: Callable[[T], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check. `advice` is empty unless it failed or is a note."""

    id: str
    title: str
    state: State
    detail: str = ""
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"check": self.id, "state": str(self.state), "detail": self.detail, "advice": self.advice}

    def as_lines(self) -> list[str]:
        lines = [f"{self.state:<8}{self.title}" + (f": {self.detail}" if self.detail else "")]
        return [*lines, f"{'':<8}  → {self.advice}"] if self.advice else lines


def examine(checks: Sequence[Check[T]], subject: T, report: Callable[[Finding], None]) -> list[Finding]:
    """Run the checks in order; return the findings, and report each when it is made."""
    findings: dict[str, Finding] = {}
    for check in checks:
        missing = next((findings[need] for need in check.needs if need in findings and not _good(findings[need])), None)
        if missing is not None:
            finding = Finding(check.id, check.title, State.SKIPPED, f"requires “{missing.title}”")
        else:
            finding = _look(check, subject)
        findings[check.id] = finding
        report(finding)
    return list(findings.values())


def _good(finding: Finding) -> bool:
    return finding.state in (State.OK, State.NOTE)


def _look(check: Check[T], subject: T) -> Finding:
    try:
        return Finding(check.id, check.title, State.OK, check.look(subject))
    except Wrong as wrong:
        return Finding(check.id, check.title, State.FAILED, str(wrong), wrong.advice)
    except Note as note:
        return Finding(check.id, check.title, State.NOTE, str(note), note.advice)
    except Skip as skip:
        return Finding(check.id, check.title, State.SKIPPED, str(skip))
    except NoResponse as error:
        advice = "Does the name resolve, is the stack up, and does nothing in between interfere?"
        return Finding(check.id, check.title, State.FAILED, str(error), advice)
