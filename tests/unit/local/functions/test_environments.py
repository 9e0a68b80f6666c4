"""Execution environments: real processes, one request at a time in each."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local.functions.declarations import Function
from local.functions.environments import RESULT_LIMIT, FunctionError, InitError, Pool, Throttled, TimedOut

FAKES = "tests.unit.local.fakes"


def function(handler: str, environment: dict[str, str] | None = None) -> Function:
    return Function("fake", f"{FAKES}.{handler}", 256, environment or {})


def with_pool(
    tmp_path: Path,
    handler: str,
    use: Callable[[Pool], Awaitable[Any]],
    *,
    limit: int = 4,
    environment: dict[str, str] | None = None,
) -> Any:
    async def run() -> Any:
        pool = Pool(function(handler, environment), tmp_path / "log", limit=limit)
        try:
            return await use(pool)
        finally:
            await pool.close()

    return asyncio.run(run())


async def invoke(pool: Pool, event: dict[str, Any] | None = None, *, timeout: float = 120) -> Any:
    return await pool.invoke(json.dumps(event or {}).encode(), request_id="r-1", timeout=timeout)


def body(result: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(result["body"])
    return document


def exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_idle_environment_is_reused(tmp_path: Path) -> None:
    async def use(pool: Pool) -> tuple[Any, Any]:
        return body(await invoke(pool)), body(await invoke(pool))

    first, second = with_pool(tmp_path, "echo", use)
    assert first["process"] == second["process"]
    assert (first["calls"], second["calls"]) == (1, 2)


def test_the_context_has_the_request_id_and_the_remaining_time(tmp_path: Path) -> None:
    answer = body(with_pool(tmp_path, "echo", lambda pool: invoke(pool, {"a": "ü"}, timeout=20)))
    assert answer["request"] == "r-1"
    assert answer["event"]["a"] == "ü"
    assert 10_000 < answer["left"] <= 20_000


def test_a_function_sees_its_own_variables_and_none_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("SOME_SECRET", "s")
    seen = body(with_pool(tmp_path, "echo", invoke, environment={"BUCKET": "b"}))["environment"]
    assert seen["BUCKET"] == "b"
    assert seen["_HANDLER"] == f"{FAKES}.echo"
    assert "AWS_PROFILE" not in seen
    assert "SOME_SECRET" not in seen


def test_concurrent_requests_get_an_environment_each(tmp_path: Path) -> None:
    async def use(pool: Pool) -> list[Any]:
        return await asyncio.gather(*(invoke(pool, {"seconds": 0.5}) for _ in range(3)))

    answers = with_pool(tmp_path, "sleep", use)
    assert len({answer["process"] for answer in answers}) == 3


def test_an_environment_serves_one_request_at_a_time(tmp_path: Path) -> None:
    async def use(pool: Pool) -> list[Any]:
        return await asyncio.gather(*(invoke(pool, {"seconds": 0.1}) for _ in range(5)))

    answers = sorted(with_pool(tmp_path, "sleep", use, limit=1), key=lambda answer: float(answer["began"]))
    assert len({answer["process"] for answer in answers}) == 1
    for earlier, later in pairwise(answers):
        assert earlier["ended"] <= later["began"]


async def begun(pool: Pool, directory: Path) -> tuple[asyncio.Task[Any], Path]:
    """Return a request that an environment has begun, and the file that lets it end."""
    started, gate = directory / "begun", directory / "gate"
    busy = asyncio.create_task(invoke(pool, {"begun": str(started), "until": str(gate)}))
    while not started.exists():
        await asyncio.sleep(0.01)
    return busy, gate


def test_the_environment_used_last_is_reused_first(tmp_path: Path) -> None:
    async def use(pool: Pool) -> tuple[int, int]:
        busy, gate = await begun(pool, tmp_path)
        quick = await invoke(pool, {"until": str(tmp_path)})
        gate.touch()
        slow = await busy
        again = await invoke(pool, {"until": str(tmp_path)})
        assert slow["process"] != quick["process"]
        return slow["process"], again["process"]

    last, taken = with_pool(tmp_path, "wait", use)
    assert taken == last


def test_a_request_is_throttled_when_every_environment_stays_busy(tmp_path: Path) -> None:
    async def use(pool: Pool) -> None:
        busy, gate = await begun(pool, tmp_path)
        with pytest.raises(Throttled):
            await invoke(pool, {"until": str(tmp_path)}, timeout=0.1)
        gate.touch()
        await busy

    with_pool(tmp_path, "wait", use, limit=1)


def test_a_handler_that_times_out_loses_its_environment(tmp_path: Path) -> None:
    async def use(pool: Pool) -> tuple[int, int]:
        before = (await invoke(pool, {"seconds": 0}))["process"]
        with pytest.raises(TimedOut):
            await invoke(pool, {"seconds": 20}, timeout=0.3)
        assert not exists(before)
        return before, (await invoke(pool, {"seconds": 0}))["process"]

    before, after = with_pool(tmp_path, "sleep", use, limit=1)
    assert before != after


@pytest.fixture
def late_reaping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delay asyncio's own waiting: a dead child stays a zombie for a while, as on a busy machine."""
    reap = os.waitpid

    def late(process: int, options: int) -> tuple[int, int]:
        if threading.current_thread() is not threading.main_thread():
            os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
            time.sleep(0.3)
        return reap(process, options)

    monkeypatch.setattr(os, "waitpid", late)


@pytest.mark.usefixtures("late_reaping")
def test_an_environment_that_died_is_an_error_with_its_exit_code_and_the_next_request_gets_a_new_one(
    tmp_path: Path,
) -> None:
    async def use(pool: Pool) -> None:
        for _ in range(2):
            with pytest.raises(FunctionError, match=r"died \(exit code 3\)"):
                await invoke(pool)

    with_pool(tmp_path, "die", use, limit=1)


@pytest.mark.usefixtures("late_reaping")
def test_an_environment_that_died_while_idle_is_replaced_without_an_error(tmp_path: Path) -> None:
    async def use(pool: Pool) -> tuple[int, int]:
        first = body(await invoke(pool))["process"]
        os.kill(first, 9)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        return first, body(await invoke(pool))["process"]

    first, second = with_pool(tmp_path, "echo", use)
    assert first != second


def test_an_exception_is_logged_and_the_environment_stays(tmp_path: Path) -> None:
    async def use(pool: Pool) -> list[str]:
        texts = []
        for _ in range(2):
            with pytest.raises(FunctionError) as caught:
                await invoke(pool)
            texts.append(str(caught.value))
        return texts

    first, second = with_pool(tmp_path, "fail", use)
    assert first == second
    assert first.startswith("ValueError: no good")
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_result_above_the_limit_is_an_error(tmp_path: Path) -> None:
    frame = len('{"result":""}')

    async def use(pool: Pool) -> int:
        with pytest.raises(FunctionError, match="bytes"):
            await invoke(pool, {"size": RESULT_LIMIT + 1 - frame})
        return len(await invoke(pool, {"size": RESULT_LIMIT - frame}))

    assert with_pool(tmp_path, "large", use) == RESULT_LIMIT - frame


def test_a_result_that_is_not_json_is_an_error(tmp_path: Path) -> None:
    async def use(pool: Pool) -> None:
        with pytest.raises(FunctionError, match="not JSON serializable"):
            await invoke(pool)

    with_pool(tmp_path, "unserialisable", use)


@pytest.mark.parametrize("handler", ["absent", "absent.module.handle"])
def test_a_failed_import_is_an_error_with_its_reason(tmp_path: Path, handler: str) -> None:
    async def use(pool: Pool) -> None:
        with pytest.raises(InitError, match=r"cannot be imported: .*absent"):
            await pool.warm()

    with_pool(tmp_path, handler, use)


def test_closing_ends_every_process(tmp_path: Path) -> None:
    async def use(pool: Pool) -> list[int]:
        answers = await asyncio.gather(*(invoke(pool, {"seconds": 0.3}) for _ in range(2)))
        return [answer["process"] for answer in answers]

    assert not any(exists(process) for process in with_pool(tmp_path, "sleep", use))
