"""The limits of a web function ("Lambda quotas", web functions; AWS Lambda Developer Guide, `web-functions-*`)."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Terms:
    """Times in seconds. `uploads` requests at once in an environment, `environments` at once on this machine.

    AWS does not publish when an idle environment ends, gives a server 10 s to listen, and bounds environments by the
    account's quota only. The values here fit one machine, which may be busy with other work.
    """

    uploads: int = 24
    environments: int = 4
    request: float = 900.0
    idle: float = 300.0
    start: float = 30.0
    stop: float = 1.0  # between SIGTERM and SIGKILL
    memory: int = 2048 * MIB
    processors: int = 2
    descriptors: int = 1024
