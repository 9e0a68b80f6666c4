"""Which request reaches which row, and what is refused before any handler runs."""

from __future__ import annotations

import inspect

import pytest

from functions.management.errors import ManagementError
from functions.management.route import HARBOR, Route
from functions.management.routes import ROUTES, match


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_a_handler_takes_the_parameters_of_its_path(route: Route) -> None:
    """All of them, and no other that it needs: several routes may share a handler."""
    first, *others = inspect.signature(route.handler).parameters.values()
    assert first.name == "call"
    needed = {one.name for one in others if one.default is one.empty}
    assert needed <= set(route.template.parameters) <= {one.name for one in others}


def test_operations_and_rows_are_unique() -> None:
    assert len({route.operation for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.template.text) for route in ROUTES}) == len(ROUTES)


def test_head_is_get_and_a_trailing_slash_counts_for_nothing() -> None:
    for method, path in [("GET", "/ping"), ("HEAD", "/ping"), ("GET", "/ping/")]:
        assert match(method, HARBOR + path).route.operation == "getPing"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v2.0/nowhere", 404),
        ("GET", "/api/v1.0/ping", 404),
        ("GET", "/", 404),
        ("PUT", "/api/v2.0/ping", 405),
        ("get", "/api/v2.0/ping", 405),
        ("GET", "/" + "x" * 3_000, 400),
    ],
)
def test_what_no_row_has_is_refused(method: str, path: str, status: int) -> None:
    with pytest.raises(ManagementError) as caught:
        match(method, path)
    assert caught.value.code.status == status
    if status == 405:
        assert dict(caught.value.headers)["Allow"] == "GET, HEAD"
