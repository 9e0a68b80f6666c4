"""What was found: a line for each check, what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from cli.doctor.wire import NoAnswer

T = TypeVar("T")


class State(StrEnum):
    """`note`: it works as it was set up, within a limit that the operator should know of."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"
    SKIPPED = "skipped"


class Wrong(Exception):
    """A check failed: what is wrong, and what to do about it."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.advice = advice


class Note(Exception):
    """A check found a limit that may be meant to be there."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.advice = advice


class Skip(Exception):
    """A check cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """One thing to look at. `look` returns a detail or raises Wrong, Note, Skip or NoAnswer; it is left out when one
    of `needs` has not come out well."""

    id: str
    title: str
    look: Callable[[T], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` is there for what failed and for notes."""

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


def examine(checks: Sequence[Check[T]], subject: T, told: Callable[[Finding], None]) -> list[Finding]:
    """Make the checks in their order; each finding is told as it is made."""
    findings: dict[str, Finding] = {}
    for check in checks:
        missing = next((findings[need] for need in check.needs if need in findings and not _good(findings[need])), None)
        if missing is not None:
            finding = Finding(check.id, check.title, State.SKIPPED, f"it needs “{missing.title}”")
        else:
            finding = _look(check, subject)
        findings[check.id] = finding
        told(finding)
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
    except NoAnswer as error:
        advice = "Look whether the name resolves, the stack is up and nothing between here and there interferes."
        return Finding(check.id, check.title, State.FAILED, str(error), advice)
