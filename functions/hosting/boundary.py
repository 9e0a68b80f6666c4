"""The boundary of a function: exceptions become responses, without the text of unexpected ones.

It also writes one line of metrics for every request.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from functions.hosting import lines, metrics
from functions.hosting.observation import observed
from roadstead.conflicts import is_throttling
from roadstead.errors import ErrorCode, ErrorEntry, RegistryError, error_body
from roadstead.http import (
    Headers,
    Request,
    Response,
    request_from_gateway,
    request_from_url,
    response_to_gateway,
    response_to_url,
)

RETRY_AFTER = 2  # seconds; on-demand tables and KMS recover within one or two

NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
TLS_ONLY = ("Strict-Transport-Security", "max-age=31536000")  # a year, this host alone

_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"})

_log = logging.getLogger(__name__)


def response_of(
    request: Request,
    run: Callable[[Request], Response],
    *,
    head_bodies: bool = False,
    function: str = "",
    busy: int | None = None,
) -> Response:
    """Return the response of `run`, or that of its exception; to HEAD without a body, unless `head_bodies`.

    A RegistryError is reported to the client. Throttling by AWS becomes `busy` with Retry-After: by default 429, and
    503 for a PATCH, which Docker's classic store retries after no other status. Any other exception is logged with the
    request's id, and becomes a 500 that names the id. Metrics are written under the name of a `function`, if given.
    """
    with observed(request.request_id, request.trace_id) as seen:
        began = time.perf_counter()
        response = _response(request, run, busy or (503 if request.method == "PATCH" else 429))
        seconds = time.perf_counter() - began
        if function:
            lines.write(
                metrics.request_line(
                    function,
                    seen,
                    method=request.method if request.method in _METHODS else "other",
                    status=response.status,
                    code=error_code_of(response),
                    seconds=seconds,
                    received=len(request.body),
                    sent=0 if request.method == "HEAD" else len(response.body),
                )
            )
    response = _hardened(request, response)
    return _without_body(response) if request.method == "HEAD" and not head_bodies else response


def _hardened(request: Request, response: Response) -> Response:
    """Add headers that stop browsers from guessing types and, only over TLS (RFC 6797), from using plain HTTP."""
    present = {name.lower() for name, _ in response.headers}
    wanted = (NO_SNIFFING, TLS_ONLY) if request.scheme == "https" else (NO_SNIFFING,)
    return response.with_headers(*(header for header in wanted if header[0].lower() not in present))


def _response(request: Request, run: Callable[[Request], Response], busy: int) -> Response:
    try:
        response = run(request)
    except RegistryError as error:
        response = _error(error.status, error.entries, error.headers)
    except Exception as error:
        if is_throttling(error):
            _log.warning("throttled by AWS: request %s: %s %s", request.request_id, request.method, request.path)
            entry = ErrorEntry(ErrorCode.TOOMANYREQUESTS, "the registry is busy; try again in a moment")
            response = _error(busy, (entry,), (("Retry-After", str(RETRY_AFTER)),))
        else:
            _log.exception("unexpected error: request %s: %s %s", request.request_id, request.method, request.path)
            response = _unexpected(request.request_id)
    return response


def lambda_response(
    event: Mapping[str, Any],
    run: Callable[[Request], Response],
    *,
    head_bodies: bool = False,
    function: str = "",
    decode_path: bool = True,
) -> dict[str, Any]:
    """`respond` to an event of the HTTP API (payload 1.0) or of the function's URL (2.0), in the same format.

    A body that is not the base64 it claims to be is a 400.

    With `head_bodies` the gateway is left to cut off the body of a HEAD.
    """
    by_url = event.get("version") == "2.0"
    to_event = response_to_url if by_url else response_to_gateway
    try:
        request = request_from_url(event) if by_url else request_from_gateway(event, decode_path=decode_path)
    except ValueError as error:
        entry = ErrorEntry(ErrorCode.UNSUPPORTED, str(error))
        return to_event(_error(400, (entry,)))
    return to_event(response_of(request, run, head_bodies=head_bodies, function=function))


def error_code_of(response: Response) -> str:
    """Return the first code of an error response; empty for any other."""
    if response.status < 400:
        return ""
    try:
        return str(json.loads(response.body)["errors"][0]["code"])
    except (ValueError, LookupError, TypeError):
        return f"HTTP{response.status}"


def _error(status: int, entries: tuple[ErrorEntry, ...], headers: Headers = ()) -> Response:
    return Response(status, (("Content-Type", "application/json"), *headers), error_body(entries))


def _unexpected(request_id: str) -> Response:
    entry = ErrorEntry(
        ErrorCode.UNKNOWN,
        f"something went wrong in the registry; its log has the cause under request {request_id or '(no id)'}",
        {"request": request_id},
    )
    return _error(ErrorCode.UNKNOWN.status, (entry,))


def _without_body(response: Response) -> Response:
    """Return the response without its body; its Content-Length stays that of GET (RFC 9110 section 9.3.2)."""
    return Response(response.status, response.head)
