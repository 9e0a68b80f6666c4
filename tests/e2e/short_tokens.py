"""`python -m tests.e2e.short_tokens`: `python -m local` with access tokens that live for a minute, the minimum."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any
from unittest import mock

from local import __main__
from local.functions import declarations as functions
from local.functions.declarations import Function
from roadstead.identity.tokens.jose import MIN_TOKEN_LIFETIME

_as_ever = functions.functions


def _with_short_tokens(*arguments: Any, **options: Any) -> tuple[Function, ...]:
    short = {"TOKEN_LIFETIME": str(MIN_TOKEN_LIFETIME)}
    return tuple(
        replace(one, environment={**one.environment, **short}) if one.name == "token" else one
        for one in _as_ever(*arguments, **options)
    )


if __name__ == "__main__":
    with mock.patch.object(functions, "functions", _with_short_tokens):
        sys.exit(__main__.main())
