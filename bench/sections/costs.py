"""The table of docs/operations/costs.md: what four loads cost a month, by the prices of functions/management/costs.py.

`python -m bench costs` prints it, and a test compares it with the page.
"""

from __future__ import annotations

from functions.management.costs import FARGATE, MILLION, Load, rows, total

LOADS = (
    Load("idle, nothing stored"),
    Load("10,000 pulls a day", pulls=300_000, stored=100),
    Load("a million pulls a month", pulls=MILLION, stored=100),
    Load("500 pushes a day", pushes=15_000, stored=100),
)


def show() -> str:
    """Return the table in Markdown."""
    by_load = [list(rows(load)) for load in LOADS]
    lines = [f"| | {' | '.join(load.name for load in LOADS)} |", "|---|---|---|---|---|"]
    for place, (name, _) in enumerate(by_load[0]):
        lines.append(f"| {name} | {' | '.join(_money(table[place][1]) for table in by_load)} |")
    lines.append(f"| **Roadstead** (default) | {' | '.join(f'**{_total(total(load))}**' for load in LOADS)} |")
    with_fargate = [_total(total(load) + FARGATE - load.of("relay")) for load in LOADS]
    lines.append(f"| with a relay on Fargate | {' | '.join(f'**{amount}**' for amount in with_fargate)} |")
    return "\n".join(lines)


def _money(amount: float) -> str:
    return f"{amount:.2f}" if amount >= 0.005 else "0"


def _total(amount: float) -> str:
    return f"{amount:.2f}" if amount < 10 else f"{amount:.0f}"
