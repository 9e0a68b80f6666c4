"""Faults between two AWS calls: the process dies, or an answer is lost."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tests.invariants.cloud import Answer, Perform


class Crash(BaseException):
    """The process is gone: no handler of the code under test may run, so nothing it does reaches AWS any more."""


class Fault(StrEnum):
    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"  # the call took effect, nobody heard of it
    UNSENT = "unsent"  # the process lives on with an exception; nothing happened
    UNANSWERED = "unanswered"  # the process lives on with an exception; the call took effect
    REPEATED = "repeated"  # the answer was lost and botocore sent the same request again


class Faulty:
    """An interceptor that lets the call with the number `place` (from 0) go wrong. `calls` are those that were made."""

    def __init__(self, fault: Fault | None = None, place: int = -1) -> None:
        self.fault = fault
        self._place = place
        self._dead = False
        self.calls: list[str] = []

    @property
    def struck(self) -> bool:
        return len(self.calls) > self._place

    def __call__(self, name: str, perform: Perform) -> Answer:
        if self._dead:
            raise Crash
        here = len(self.calls) == self._place
        self.calls.append(name)
        if not here or self.fault is None:
            return perform()
        details: dict[str, Any] = {"endpoint_url": "https://aws.invalid", "error": "lost"}
        if self.fault is Fault.DIES_BEFORE:
            self._dead = True
            raise Crash
        if self.fault is Fault.UNSENT:
            raise ConnectTimeoutError(**details)
        answer = perform()
        if self.fault is Fault.DIES_AFTER:
            self._dead = True
            raise Crash
        if self.fault is Fault.UNANSWERED:
            raise ReadTimeoutError(**details)
        del answer
        return perform()
