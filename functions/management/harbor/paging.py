"""Harbor's pages: `page` and `page_size` in; `X-Total-Count` and `Link` out.

Source: Harbor, api/v2.0/swagger.yaml (page, pageSize) and src/server/v2.0/handler/base.go (Links).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from functions.management.errors import ManagementCode, ManagementError, bad_request
from roadstead.http import Request, Response

DEFAULT_SIZE = 10
MAX_SIZE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """`number` counts from 1."""

    number: int
    size: int

    @property
    def start(self) -> int:
        """The index of the page's first item."""
        return (self.number - 1) * self.size

    def of(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return the page's part of the whole list; empty past its end."""
        return items[self.start : self.start + self.size]


def requested_page(request: Request) -> Page:
    """Raises 400 for what is not a number, 422 for a page below 1 or a size outside 1 to 100."""
    number, size = _number(request, "page", 1), _number(request, "page_size", DEFAULT_SIZE)
    if number < 1:
        raise _out_of_range("page must be 1 or more")
    if not 1 <= size <= MAX_SIZE:
        raise _out_of_range(f"page_size must be from 1 to {MAX_SIZE}")
    return Page(number, size)


def page_response(
    request: Request, page: Page, total: int, documents: Sequence[Any], *, after: str | None = None
) -> Response:
    """Respond with one page. `total` counts the items of all pages.

    `after` is where the next page begins, in a list that has a cursor: it goes into the link beside the page's number.
    """
    headers = [("X-Total-Count", str(total))]
    links = [
        (page.number - 1, "prev", page.number > 1 and page.start - page.size < total),
        (page.number + 1, "next", page.start + page.size < total),
    ]
    cursors = {"next": after}
    link = " , ".join(
        f'<{_url(request, number, page.size, cursors.get(rel))}>; rel="{rel}"' for number, rel, there in links if there
    )
    if link:
        headers.append(("Link", link))
    return Response.json(200, list(documents), headers)


def _url(request: Request, number: int, size: int, after: str | None) -> str:
    """The request's own URL, relative to the host, with another page. Its path is encoded as it came."""
    kept = [(name, value) for name, value in request.query if name not in ("page", "page_size", "after")]
    cursor = [("after", after)] if after is not None else []
    query = urlencode([*kept, ("page", str(number)), ("page_size", str(size)), *cursor])
    return f"{quote(request.path, safe='/%')}?{query}"


def _number(request: Request, name: str, default: int) -> int:
    text = request.parameter(name)
    if text is None or text == "":
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise bad_request(f"{name} must be a number, not {text[:20]!r}")
    return int(text)


def _out_of_range(message: str) -> ManagementError:
    return ManagementError(ManagementCode.UNPROCESSABLE, message)
