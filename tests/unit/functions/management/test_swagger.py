"""The route table, held to Harbor's description of its API."""

from __future__ import annotations

import re

from functions.management.route import HARBOR
from functions.management.routes import ROUTES
from tests.unit.functions.management import swagger


def test_every_route_of_harbors_has_its_method_and_path() -> None:
    swagger.require()
    for route in ROUTES:
        if not route.template.text.startswith(HARBOR):
            continue
        method, path, _ = swagger.operations()[route.operation]
        own = re.sub(r"\{\w+\}", "{}", route.template.text.removeprefix(HARBOR))
        assert (route.method, own) == (method, re.sub(r"\{\w+\}", "{}", path).rstrip("/"))


def test_the_check_sees_a_wrong_document() -> None:
    swagger.require()
    assert swagger.problems("getProject", 200, b'{"project_id": "one"}') == ["'one' is not of type 'integer'"]
    assert swagger.problems("getProject", 204, b"{}") == ["getProject has no 204"]
    assert swagger.problems("getProject", 403, b'{"errors": "no"}') == ["'no' is not of type 'array'"]
