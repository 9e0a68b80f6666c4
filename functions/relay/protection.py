"""Scale-in protection: while uploads run, an ECS task asks not to be stopped by a scale-in.

The agent beside every task accepts `PUT $ECS_AGENT_URI/task-protection/v1/state` (Amazon ECS Developer Guide, "task
scale-in protection endpoint"). A request that fails is repeated. Without protection, an upload still has the 110 s for
which the relay drains.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import time
import urllib.request
from collections.abc import Callable, Mapping

LOOK_SECONDS = 5.0
MINUTES = 60  # of one protection: short, so that a dead task does not block a deployment for long
RENEW_SECONDS = MINUTES * 60 / 2
IDLE_SECONDS = 60.0  # without an upload before protection ends: ECS limits the rate of these requests
_ANSWER_SECONDS = 5.0

_log = logging.getLogger(__name__)


class TaskProtection:
    """Protects this task while it is busy. `state` is the URL of the agent's endpoint."""

    def __init__(self, state: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._protected_at: float | None = None
        self._busy_at = 0.0

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> TaskProtection | None:
        """Return None where there is no ECS agent, such as on one machine."""
        agent = environ.get("ECS_AGENT_URI", "")
        return cls(f"{agent}/task-protection/v1/state") if agent.startswith("http://") else None

    async def watch(self, active: Callable[[], int]) -> None:
        """Look every five seconds at how many uploads are `active`, until cancelled."""
        while True:
            await asyncio.to_thread(self.look, active())
            await asyncio.sleep(LOOK_SECONDS)

    def look(self, uploads: int) -> None:
        """Ask for protection, renew it, or give it up, whichever is due."""
        now = self._clock()
        if uploads:
            self._busy_at = now
            if self._protected_at is None or now - self._protected_at >= RENEW_SECONDS:
                self._protected_at = now if self._wish(protected=True) else self._protected_at
        elif self._protected_at is not None and now - self._busy_at >= IDLE_SECONDS and self._wish(protected=False):
            self._protected_at = None

    def _wish(self, *, protected: bool) -> bool:
        """Whether ECS has taken it."""
        wish: dict[str, object] = {"ProtectionEnabled": protected}
        if protected:
            wish["ExpiresInMinutes"] = MINUTES
        request = urllib.request.Request(  # noqa: S310 - the agent's own address, http:// by from_environ
            self._state, json.dumps(wish).encode(), {"Content-Type": "application/json"}, method="PUT"
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
                document = json.load(answer)
        except (OSError, ValueError, http.client.HTTPException) as error:
            _log.warning("scale-in protection could not be asked for: %s", error)
            return False
        if "protection" not in document:
            _log.warning("scale-in protection was refused: %s", document)
            return False
        return True
