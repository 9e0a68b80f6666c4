"""Scale-in protection: what is asked of ECS's agent, and when."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from functions.relay.application import Relay
from functions.relay.places import Places
from functions.relay.protection import IDLE_SECONDS, MINUTES, RENEW_SECONDS, TaskProtection

ON = {"ProtectionEnabled": True, "ExpiresInMinutes": MINUTES}
OFF = {"ProtectionEnabled": False}


class Agent:
    """ECS's agent: keeps what it was asked, and answers `answer`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.status, self.answer = 200, '{"protection": {"ProtectionEnabled": true}}'
        agent = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                agent.asked.append((self.path, self.headers["Content-Type"], body))
                self.send_response(agent.status)
                self.end_headers()
                self.wfile.write(agent.answer.encode())

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_address[1]}/api/abc"

    @property
    def wishes(self) -> list[Any]:
        return [wish for _, _, wish in self.asked]


class World:
    """A clock, and how many uploads are under way."""

    now = 1000.0
    uploads = 0


@pytest.fixture
def agent() -> Iterator[Agent]:
    made = Agent()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def protection(agent: Agent, world: World) -> TaskProtection:
    state = f"{agent.uri}/task-protection/v1/state"
    return TaskProtection(state, clock=lambda: world.now)


def test_an_idle_task_asks_for_nothing(protection: TaskProtection, agent: Agent) -> None:
    protection.look(0)
    assert agent.asked == []


def test_a_busy_one_is_protected_and_asks_once(protection: TaskProtection, agent: Agent, world: World) -> None:
    world.uploads = 3
    protection.look(world.uploads)
    world.now += 5
    protection.look(world.uploads)
    assert agent.asked == [("/api/abc/task-protection/v1/state", "application/json", ON)]


def test_protection_is_renewed_before_it_ends(protection: TaskProtection, agent: Agent, world: World) -> None:
    world.uploads = 1
    protection.look(world.uploads)
    world.now += RENEW_SECONDS
    protection.look(world.uploads)
    assert agent.wishes == [ON, ON]
    assert RENEW_SECONDS < MINUTES * 60


def test_it_is_given_up_when_no_upload_came_for_a_minute(
    protection: TaskProtection, agent: Agent, world: World
) -> None:
    world.uploads = 1
    protection.look(world.uploads)
    world.uploads = 0
    world.now += IDLE_SECONDS - 1
    protection.look(world.uploads)
    assert agent.wishes == [ON]
    world.now += 1
    protection.look(world.uploads)
    protection.look(world.uploads)
    assert agent.wishes == [ON, OFF]
    world.uploads = 1
    protection.look(world.uploads)
    assert agent.wishes == [ON, OFF, ON]


@pytest.mark.parametrize(
    ("status", "answer"),
    [(200, '{"failure": {"Reason": "TASK_NOT_VALID"}}'), (400, '{"error": {"Code": "Throttling"}}'), (200, "no JSON")],
)
def test_what_is_refused_is_asked_again(
    protection: TaskProtection, agent: Agent, world: World, status: int, answer: str
) -> None:
    agent.status, agent.answer = status, answer
    world.uploads = 1
    protection.look(world.uploads)
    protection.look(world.uploads)
    assert agent.wishes == [ON, ON]


def test_an_agent_that_does_not_answer_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    TaskProtection("http://127.0.0.1:9/state").look(1)
    assert "could not be asked for" in caplog.text


def test_only_a_task_of_ecs_has_an_agent() -> None:
    assert TaskProtection.from_environ({}) is None
    assert TaskProtection.from_environ({"ECS_AGENT_URI": "file:///etc"}) is None
    assert TaskProtection.from_environ({"ECS_AGENT_URI": "http://169.254.170.2/api/x"}) is not None


def test_a_relay_watches_from_its_start_to_its_end() -> None:
    """By ASGI's lifespan, as uvicorn speaks it."""

    async def run() -> list[str]:
        seen: list[str] = []
        began = asyncio.Event()

        class Watching:
            async def watch(self, active: Callable[[], int]) -> None:
                assert active() == 0
                seen.append("begun")
                began.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    seen.append("ended")

        relay = Relay(None, places=Places(1, share=1), watches=[Watching()])  # type: ignore[arg-type]
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def send(message: dict[str, Any]) -> None:
            seen.append(message["type"])

        serving = asyncio.create_task(relay({"type": "lifespan"}, inbox.get, send))
        await inbox.put({"type": "lifespan.startup"})
        await began.wait()
        await inbox.put({"type": "lifespan.shutdown"})
        await serving
        return seen

    assert set(asyncio.run(run())) == {
        "begun",
        "ended",
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    }
