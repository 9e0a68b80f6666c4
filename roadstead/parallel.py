"""Doing the same for several values at once, where each waits for AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8  # within the ten connections that a client keeps
_ONE_BY_ONE = 2  # so few are not worth threads

T = TypeVar("T")
R = TypeVar("R")

_thread = threading.local()  # `works` in the threads of a pool: what they do is not spread over more threads


def each(function: Callable[[T], R], values: Iterable[T]) -> list[R]:
    """Return what `function` returns for each value, in their order, AT_ONCE of them at a time, or within `each` one.

    Raises what one of them raised, after those that had begun have ended.
    """
    values = list(values)
    if len(values) <= _ONE_BY_ONE or getattr(_thread, "works", False):
        return [function(value) for value in values]
    with ThreadPoolExecutor(AT_ONCE, initializer=_begin) as pool:
        return list(pool.map(function, values))


def _begin() -> None:
    _thread.works = True
