"""Claims of integer ids: `id#<kind>` / `<id in ten digits>`, written in the transaction that creates the thing.

A claim is never removed, so an id that was given out once never names something else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from roadstead.aws.table import Table, TransactionFailed, Write, put
from roadstead.conflicts import Throttled
from roadstead.ids import IdKind

_ATTEMPTS = 10


def find_named(table: Table, kind: IdKind, id_: int) -> str | None:
    """Return the name that claimed `id_`, or None. Costs one GetItem."""
    item = table.get((_pk(kind), _sk(id_)))
    return str(item["name"]) if item else None


def create(table: Table, kind: IdKind, wanted: int, name: str, writes: Callable[[int], Sequence[Write]]) -> int:
    """Run the transaction that `writes` returns for an id together with the claim of that id; return the id.

    Costs one transaction. If `wanted` is taken, it costs one Query and one transaction more: ids go on behind the last
    one, so a thousand projects that are created within a second cost two transactions each, not a thousand.

    Raises TransactionFailed if another condition of the transaction did not hold; its places are those in `writes`.
    """
    for _ in range(_ATTEMPTS):
        created = list(writes(wanted))
        claim = put((_pk(kind), _sk(wanted)), {"name": name}, "attribute_not_exists(pk)")
        try:
            table.transact([*created, claim])
            return wanted
        except TransactionFailed as error:
            others = [place for place in error.failed if place < len(created)]
            if others:
                raise TransactionFailed(others) from error
        last = next(table.query(_pk(kind), backward=True, limit=1), None)
        wanted = max(wanted, int(last["sk"]) if last else 0) + 1
    raise Throttled(f"too many {kind}s are created at once")


def _pk(kind: IdKind) -> str:
    return f"id#{kind}"


def _sk(id_: int) -> str:
    return f"{id_:010d}"
