"""Pages as Harbor's clients ask for them, and the headers by which they find the next."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from functions.management.errors import ManagementError
from functions.management.harbor.paging import Page, page_response, requested_page
from roadstead.http import Request


def request(*query: tuple[str, str], path: str = "/api/v2.0/projects") -> Request:
    return Request("GET", path, query)


def test_a_request_without_parameters_asks_for_the_first_ten() -> None:
    assert requested_page(request()) == Page(1, 10)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ([("page", "0")], 422),
        ([("page", "-1")], 422),
        ([("page_size", "101")], 422),
        ([("page_size", "0")], 422),
        ([("page", "x")], 400),
        ([("page", "1e9")], 400),
        ([("page", "9999999999")], 400),
    ],
)
def test_a_page_that_cannot_be_is_refused(query: list[tuple[str, str]], status: int) -> None:
    with pytest.raises(ManagementError) as caught:
        requested_page(request(*query))
    assert caught.value.code.status == status


def test_the_links_lead_through_every_page_and_keep_the_query() -> None:
    items = list(range(25))
    seen: list[int] = []
    query: tuple[tuple[str, str], ...] = (("page_size", "10"), ("q", "name=~a b"), ("sort", "-name"))
    while True:
        asked = request(*query)
        page = requested_page(asked)
        response = page_response(asked, page, len(items), page.of(items))
        headers = dict(response.headers)
        assert headers["X-Total-Count"] == "25"
        seen += json.loads(response.body)
        links = dict(re.findall(r'<([^>]+)>; rel="(\w+)"', headers.get("Link", "")))
        following = {rel: url for url, rel in links.items()}.get("next")
        if following is None:
            break
        assert following.startswith("/api/v2.0/projects?")
        query = tuple(parse_qsl(urlsplit(following).query))
        assert ("q", "name=~a b") in query
    assert seen == items


def test_a_page_past_the_end_is_empty_and_counts_all() -> None:
    asked = request(("page", "9"))
    page = requested_page(asked)
    response = page_response(asked, page, 25, page.of(list(range(25))))
    assert (json.loads(response.body), dict(response.headers)["X-Total-Count"]) == ([], "25")
    assert "Link" not in dict(response.headers)
