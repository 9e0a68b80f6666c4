"""The environments of a web function: started by requests, bounded, ended when they idle, cut off past their time."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.web_function import environment
from local.web_function.component import WebFunction
from local.web_function.terms import MIB, Terms

LIMIT = 300  # seconds for anything

# A server that notes what it gets: index.js's part of the contract without the relay. What it does is in the path.
SERVER = """
const fs = require('node:fs'), http = require('node:http'), path = require('node:path');
const [host, port] = process.env.AWS_LAMBDA_HTTP_ENDPOINT.split(':');
let active = 0, kept = [];
http.createServer((request, response) => {
  active += 1;
  const [, what, argument] = request.url.split('/');
  const answer = (extra) => {
    response.end(JSON.stringify({ pid: process.pid, active, ...extra }));
  };
  response.on('close', () => { active -= 1; });
  if (what === 'early') { answer({}); request.resume(); return; }
  if (what === 'take') kept.push(Buffer.alloc(Number(argument), 1));
  let bytes = 0;
  request.on('data', (piece) => { bytes += piece.length; });
  const end = () => {
    if (what === 'die') process.exit(3);
    if (what === 'hold' && !fs.existsSync(path.join(__dirname, argument))) { setTimeout(end, 10); return; }
    answer({ bytes, target: request.url, headers: request.headers });
  };
  request.on('end', () => setTimeout(end, what === 'sleep' ? Number(argument) : 0));
}).listen(Number(port), host);
"""
BROKEN = "process.exit(4);"


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    entry = tmp_path / "index.js"
    entry.write_text(SERVER)
    monkeypatch.setattr(environment, "ENTRY", entry)
    return entry


def scenario(tmp_path: Path, terms: Terms, body: Callable[[WebFunction], Awaitable[None]]) -> None:
    async def run() -> None:
        function = WebFunction(dict, tmp_path / "relay.log", terms)
        await function.start()
        watching = asyncio.create_task(function.watch())
        try:
            async with asyncio.timeout(LIMIT):
                await body(function)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await function.stop()

    asyncio.run(run())


async def ask(
    function: WebFunction, target: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any, Mapping[str, str]]:
    return await asyncio.to_thread(_ask, function.url, target, body, dict(headers or {}))


def _ask(url: str, target: str, body: Any, headers: dict[str, str]) -> tuple[int, Any, Mapping[str, str]]:
    connection = http.client.HTTPConnection(url.partition("://")[2], timeout=LIMIT)
    try:
        connection.request("POST" if body is not None else "GET", target, body, headers, encode_chunked=False)
        response = connection.getresponse()
        data = response.read()
        named = {name.lower(): value for name, value in response.getheaders()}
        return response.status, json.loads(data) if data else None, named
    finally:
        connection.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def test_the_first_request_starts_an_environment_and_the_next_one_uses_it(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        first = await ask(function, "/a?b=c%2Fd", b"x" * MIB)
        assert (first[0], first[1]["bytes"], first[1]["target"]) == (200, MIB, "/a?b=c%2Fd")
        assert first[2]["lambda-web-request-id"]
        second = await ask(function, "/")
        assert second[1]["pid"] == first[1]["pid"]

    scenario(tmp_path, Terms(), body)


def test_an_idle_environment_ends_and_the_next_request_starts_another(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        (_, first, _) = await ask(function, "/")
        await until(lambda: not alive(first["pid"]))
        (status, second, _) = await ask(function, "/")
        assert (status, second["pid"] != first["pid"]) == (200, True)

    scenario(tmp_path, Terms(idle=0.2), body)


def test_an_environment_that_serves_is_not_idle(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        assert (await ask(function, "/sleep/1500"))[0] == 200

    scenario(tmp_path, Terms(idle=0.2), body)


def test_requests_beyond_an_environments_concurrency_get_another_one_up_to_the_setting(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        async def held(gate: str) -> list[asyncio.Task[tuple[int, Any, Mapping[str, str]]]]:
            """Four requests that have been taken, and end once there is a file of that name."""
            asked = [asyncio.create_task(ask(function, f"/hold/{gate}")) for _ in range(4)]
            await until(lambda: sum(one.active for one in function.environments) == 4)
            return asked

        held_first = await held("first")
        (tmp_path / "first").touch()
        answers = await asyncio.gather(*held_first)
        assert [status for status, _, _ in answers] == [200] * 4
        pids = [answer["pid"] for _, answer, _ in answers]
        assert sorted(pids.count(pid) for pid in set(pids)) == [2, 2]
        assert max(answer["active"] for _, answer, _ in answers) <= 2
        await until(lambda: not any(one.active for one in function.environments))
        held_again = await held("again")
        assert (await ask(function, "/"))[0] == 429
        (tmp_path / "again").touch()
        assert [status for status, _, _ in await asyncio.gather(*held_again)] == [200] * 4

    scenario(tmp_path, Terms(uploads=2, environments=2), body)


def test_no_response_is_read_before_the_bodys_end(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        ended = []

        def slowly() -> Any:
            yield b"1"
            time.sleep(0.5)
            ended.append(time.monotonic())
            yield b"2"

        headers = {"Transfer-Encoding": "chunked"}
        connection = http.client.HTTPConnection(function.url.partition("://")[2], timeout=LIMIT)

        def send() -> float:
            connection.request("POST", "/early", slowly(), headers, encode_chunked=True)
            connection.getresponse().read()
            return time.monotonic()

        answered = await asyncio.to_thread(send)
        assert answered > ended[0]
        connection.close()

    scenario(tmp_path, Terms(), body)


def test_a_request_past_its_time_is_cut_off_and_the_environment_lives_on(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        (begun, first, _) = await ask(function, "/")
        while begun == 504:  # on a busy machine the start alone may take that time
            (begun, first, _) = await ask(function, "/")
        status, _, headers = await ask(function, "/sleep/30000")
        assert (status, headers["lambda-web-error-type"]) == (504, "Runtime.RequestTimeout")
        assert (await ask(function, "/"))[1]["pid"] == first["pid"]

    scenario(tmp_path, Terms(request=2), body)


def test_a_request_whose_environment_ends_fails_and_the_next_one_starts_another(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        assert (await ask(function, "/die", b"x"))[0] == 502
        assert (await ask(function, "/"))[0] == 200

    scenario(tmp_path, Terms(), body)


def test_an_environment_that_was_killed_is_replaced(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        (_, first, _) = await ask(function, "/")
        os.kill(first["pid"], signal.SIGKILL)
        await until(lambda: not any(one.alive for one in function.environments))
        (status, second, _) = await ask(function, "/")
        assert (status, second["pid"] != first["pid"]) == (200, True)

    scenario(tmp_path, Terms(), body)


def test_a_server_that_does_not_start_fails_requests_one_by_one(tmp_path: Path, server: Path) -> None:
    server.write_text(BROKEN)

    async def body(function: WebFunction) -> None:
        assert (await ask(function, "/"))[0] == 502
        server.write_text(SERVER)
        assert (await ask(function, "/"))[0] == 200

    scenario(tmp_path, Terms(), body)


def test_an_environment_that_takes_more_memory_than_it_may_is_killed(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        (_, first, _) = await ask(function, "/")
        await ask(function, f"/take/{300 * MIB}")  # which may be answered before anybody looks
        await until(lambda: not alive(first["pid"]))

    scenario(tmp_path, Terms(memory=200 * MIB), body)


def test_a_request_that_expects_to_be_told_to_continue_is_refused(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        assert (await ask(function, "/", b"x", {"Expect": "100-continue"}))[0] == 417

    scenario(tmp_path, Terms(), body)


def test_a_client_that_goes_away_frees_its_place(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        await ask(function, "/")
        host, port = function.url.partition("://")[2].split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        (only,) = function.environments
        await until(lambda: only.active == 1)
        writer.transport.abort()
        await until(lambda: only.active == 0)

    scenario(tmp_path, Terms(uploads=1, environments=1), body)


def test_nothing_is_left_when_it_stops(tmp_path: Path) -> None:
    pids = []

    async def body(function: WebFunction) -> None:
        pids.append((await ask(function, "/"))[1]["pid"])

    scenario(tmp_path, Terms(), body)
    assert not alive(pids[0])


def test_an_environment_has_the_limits_of_lambdas(tmp_path: Path) -> None:
    async def body(function: WebFunction) -> None:
        (_, answer, _) = await ask(function, "/")
        limits = Path(f"/proc/{answer['pid']}/limits").read_text()
        (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
        assert line.split()[3:5] == ["1024", "1024"]
        assert len(os.sched_getaffinity(answer["pid"])) <= 2

    scenario(tmp_path, Terms(), body)
