"""Peak memory of a server's processes, as the kernel counts it (VmHWM in /proc/<pid>/status; Linux only)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

# The part of the local stack that a process is, by a text in its command line; the first match counts.
PARTS = (
    ("local.cloud", "embedded AWS"),
    ("functions.relay", "relay"),
    ("local.functions.runtime", "functions"),
    ("web_function/index.js", "index.js"),
    ("node", "edge functions"),
    ("local up", "gateway, edge"),
    ("docker-registry", "distribution"),
)
_PROC = Path("/proc")


def processes(root: int) -> set[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name, in parentheses, may contain anything; the parent is the second field after it.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, pending = set(), [root]
    while pending:
        pid = pending.pop()
        found.add(pid)
        pending += children.get(pid, [])
    return found


def forget_peaks(roots: Iterable[int]) -> None:
    """Reset the peaks of these processes and their descendants. Processes that have ended are skipped."""
    for root in roots:
        for pid in processes(root):
            with contextlib.suppress(OSError):
                (_PROC / str(pid) / "clear_refs").write_text("5")


def peaks(roots: Iterable[int]) -> dict[str, float]:
    """Return peaks in MiB by part; the largest of a part's processes."""
    found: dict[str, float] = {}
    for pid in {pid for root in roots for pid in processes(root)}:
        with contextlib.suppress(OSError):
            part = _part((_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            found[part] = max(found.get(part, 0.0), _peak((_PROC / str(pid) / "status").read_text()))
    return found


def _part(command: str) -> str:
    return next((part for pattern, part in PARTS if pattern in command), command[:20].strip())


def _peak(status: str) -> float:
    """Return the peak in MiB; 0 for a process without memory (a zombie)."""
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines.get("VmHWM", "0 kB").split()[0]) / 1024
