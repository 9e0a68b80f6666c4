"""The gateway over real connections, in front of a scripted function."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.api import Route
from local.functions.environments import FunctionError, Throttled, TimedOut
from local.gateway.asgi import BODY_LIMIT
from local.gateway.http_api import HEAD_LIMIT, HttpApi, HttpServer
from local.ports import listen

ROUTES = (Route("/v2/{proxy+}", "registry"),)


class Played:
    """A function with a scripted result that keeps its events."""

    def __init__(self, answer: Callable[[dict[str, Any]], object]) -> None:
        self.answer = answer
        self.events: list[dict[str, Any]] = []
        self.timeouts: list[float] = []

    async def invoke(self, event: bytes, *, request_id: str, timeout: float) -> object:
        document = json.loads(event)
        assert document["requestContext"]["requestId"] == request_id
        self.events.append(document)
        self.timeouts.append(timeout)
        return self.answer(document)


def ok(event: dict[str, Any]) -> object:
    return {"statusCode": 200, "body": "fine"}


@contextlib.contextmanager
def served(function: Played) -> Iterator[int]:
    """Serve `function` behind a gateway in another thread; yield the port."""
    listener = listen("127.0.0.1", 0)
    started, loop = threading.Event(), asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def run() -> None:
        server = HttpServer("the gateway", HttpApi(ROUTES, {"registry": function}), listener)
        await server.start()
        started.set()
        await stopping.wait()
        await server.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert started.wait(10)
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()
        listener.close()
    assert not thread.is_alive()


@contextlib.contextmanager
def connected(function: Played) -> Iterator[http.client.HTTPConnection]:
    with served(function) as port, contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, 10)) as connection:
        yield connection


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request(method, path, body=body, headers=headers or {}, encode_chunked=body is not None)
    response = connection.getresponse()
    return response, response.read()


def refusal(response: http.client.HTTPResponse, body: bytes) -> tuple[int, str]:
    """Return status and message of a response of the gateway itself."""
    assert response.getheader("content-type") == "application/json"
    return response.status, json.loads(body)["message"]


def test_a_request_reaches_the_function_and_its_response_the_client() -> None:
    function = Played(
        lambda event: {
            "statusCode": 201,
            "multiValueHeaders": {"A": ["1", "2"]},
            "body": "Zg==",
            "isBase64Encoded": True,
        }
    )
    with connected(function) as connection:
        response, body = exchange(connection, "POST", "/v2/a/b%3Ac?x=1&x=2", b"data")
        assert (response.status, body, response.headers.get_all("a")) == (201, b"f", ["1", "2"])
        assert response.getheader("apigw-requestid") == function.events[0]["requestContext"]["requestId"]
        assert function.events[0]["path"] == "/v2/a/b:c"
        assert function.events[0]["pathParameters"] == {"proxy": "a/b:c"}
        assert function.events[0]["requestContext"]["domainName"] == f"127.0.0.1:{connection.port}"
        assert function.events[0]["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
        assert function.timeouts == [30.0]


def test_a_proxy_on_this_machine_is_not_trusted() -> None:
    function = Played(ok)
    with connected(function) as connection:
        exchange(connection, "GET", "/v2/a", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1"})
    assert function.events[0]["headers"]["X-Forwarded-Proto"] == "http"
    assert function.events[0]["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_a_chunked_body_arrives_complete() -> None:
    function = Played(ok)
    with connected(function) as connection:
        response, _ = exchange(
            connection,
            "PATCH",
            "/v2/a",
            iter([b"ab", b"c"]),
            {"Transfer-Encoding": "chunked", "Content-Type": "text/x"},
        )
    assert response.status == 200
    assert function.events[0]["body"] == "abc"
    assert function.events[0]["headers"]["Content-Length"] == "3"


def test_a_head_has_the_functions_length_and_no_body() -> None:
    function = Played(lambda event: {"statusCode": 200, "headers": {"Content-Length": "4321"}})
    with connected(function) as connection:
        response, body = exchange(connection, "HEAD", "/v2/a")
        assert (response.getheader("content-length"), body) == ("4321", b"")
        assert exchange(connection, "HEAD", "/v2/a")[0].status == 200


def test_a_path_without_a_route_is_the_gateways_own_404() -> None:
    function = Played(ok)
    with connected(function) as connection:
        assert refusal(*exchange(connection, "GET", "/v3/")) == (404, "Not Found")
    assert function.events == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_above_10_mb_is_refused_and_the_connection_stays_open(chunked: bool) -> None:
    function = Played(ok)
    size = BODY_LIMIT + 1
    with connected(function) as connection:
        body = iter([b"x" * size]) if chunked else b"x" * size
        headers = {"Transfer-Encoding": "chunked"} if chunked else {}
        assert refusal(*exchange(connection, "PUT", "/v2/a", body, headers)) == (413, "Request Entity Too Large")
        used = connection.sock
        assert exchange(connection, "GET", "/v2/a")[1] == b"fine"
        assert connection.sock is used


def test_a_client_that_expects_100_continue_is_refused_at_once() -> None:
    with served(Played(ok)) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        head = f"PUT /v2/a HTTP/1.1\r\nHost: h\r\nContent-Length: {BODY_LIMIT + 1}\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_event_above_6_mb_is_refused_and_one_below_is_not() -> None:
    function = Played(ok)
    with connected(function) as connection:
        # Base64 makes 4 bytes of 3.
        assert exchange(connection, "PUT", "/v2/a", b"x" * 4_700_000)[0].status == 200
        assert refusal(*exchange(connection, "PUT", "/v2/a", b"x" * 4_720_000)) == (413, "Request Entity Too Large")
    assert len(function.events) == 1


def test_request_line_and_headers_above_10240_bytes_are_refused() -> None:
    function = Played(ok)
    with connected(function) as connection:
        host = f"Host: 127.0.0.1:{connection.port}\r\n"
        rest = len("GET /v2/a HTTP/1.1\r\n" + host + "Accept-Encoding: identity\r\n" + "X: \r\n")
        assert exchange(connection, "GET", "/v2/a", headers={"X": "x" * (HEAD_LIMIT - rest)})[0].status == 200
        refused = exchange(connection, "GET", "/v2/a", headers={"X": "x" * (HEAD_LIMIT - rest + 1)})
        assert refusal(*refused) == (431, "Request Header Fields Too Large")
        assert exchange(connection, "GET", "/v2/" + "a" * HEAD_LIMIT)[0].status == 431
    assert len(function.events) == 1


def raising(error: Exception) -> Callable[[dict[str, Any]], object]:
    def answer(event: dict[str, Any]) -> object:
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimedOut("f"), (503, "Service Unavailable")),
        (Throttled("f"), (503, "Service Unavailable")),
        (FunctionError("secret"), (500, "Internal Server Error")),
    ],
)
def test_a_failed_function_is_the_gateways_own_error(error: Exception, expected: tuple[int, str]) -> None:
    with connected(Played(raising(error))) as connection:
        assert refusal(*exchange(connection, "GET", "/v2/a")) == expected


def test_a_malformed_result_is_a_500() -> None:
    with connected(Played(lambda event: {"body": "x"})) as connection:
        assert refusal(*exchange(connection, "GET", "/v2/a")) == (500, "Internal Server Error")


def test_a_client_that_disconnects_does_not_disturb_others() -> None:
    function = Played(ok)
    with served(function) as port:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(b"PUT /v2/a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, 10)) as other:
            assert exchange(other, "GET", "/v2/a")[0].status == 200
    assert [event["httpMethod"] for event in function.events] == ["GET"]
