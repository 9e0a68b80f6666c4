"""Faults that tests ask for: dying at a step, a full disk, and what a single writer never does to its clients.

`ROADSTEAD_CLOUD_FAULTS` in the environment of the process holds a JSON object:

    {"kill": {"<step>": n}}      SIGKILL when that step is reached for the nth time
    {"full": {"<step>": n}}      ENOSPC at that step, from the nth time on
    {"conflicts": 0.2}           the share of writes and transactions that collide with another transaction
    {"checkpoint": 20000}        the bytes of the log after which it is copied
    {"unprocessed": 0.2}         the share of batches of which a part is left unprocessed

No more than five requests in a row collide or are left wholly unprocessed: a client gives up after a few more.
Nothing else sets the variable: `make up` starts the process with an environment of its own.
"""

from __future__ import annotations

import errno
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Mapping
from typing import Any

VARIABLE = "ROADSTEAD_CLOUD_FAULTS"

# Every step at which the process can be made to die, in the order in which a write takes them.
STEPS = (
    "object-begun", "object-written", "object-synced", "object-placed",
    "transaction-begun", "transaction-written", "transaction-committed",
    "object-removed", "checkpoint-begun", "checkpoint-ended",
)  # fmt: skip


_IN_A_ROW = 5  # refusals


class Faults:
    """What was asked for; nothing by default."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self._kill: dict[str, int] = dict(wanted.get("kill", {}))
        self._full: dict[str, int] = dict(wanted.get("full", {}))
        self._conflicts = float(wanted.get("conflicts", 0))
        self._unprocessed = float(wanted.get("unprocessed", 0))
        self.checkpoint: int | None = wanted.get("checkpoint")
        self._seen: Counter[str] = Counter()
        self._refused = 0  # requests, one after the other
        self._lots = random.Random(wanted.get("seed"))  # noqa: S311 - which request is hit need not be a secret

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Faults:
        return cls(json.loads(environ.get(VARIABLE, "{}")))

    def at(self, step: str) -> None:
        """Called where a step is taken. Raises OSError (ENOSPC), or does not return."""
        if not self._kill and not self._full:
            return
        self._seen[step] += 1
        if self._seen[step] == self._kill.get(step):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._seen[step] >= self._full.get(step, 1 << 62):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def conflict(self) -> bool:
        """Whether this write collides."""
        return self._conflicts > 0 and self._refuses(self._lots.random() < self._conflicts)

    def processed(self, count: int) -> int:
        """How many of the parts of a batch are processed: all of them, or fewer."""
        hit = self._unprocessed > 0 and self._lots.random() < self._unprocessed
        some = self._lots.randrange(count) if hit else count
        return 0 if self._refuses(some == 0) else some or count

    def _refuses(self, wanted: bool) -> bool:
        """Whether a request that is to be refused is."""
        refused = wanted and self._refused < _IN_A_ROW
        self._refused = self._refused + 1 if refused else 0
        return refused
