"""Lambda's Invoke, as botocore asks for it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from local import ports
from local.functions.environments import FunctionError, Throttled, TimedOut
from local.functions.invocations import Invocations
from local.gateway.http_api import HttpServer
from roadstead.aws.lifecycle.lambda_functions import LambdaFunction
from roadstead.identity.people import ProviderFailed


class Pool:
    """A function that returns what it was asked, or fails."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def invoke(self, event: bytes, *, request_id: str, timeout: float) -> object:
        if self.error is not None:
            raise self.error
        return {"asked": json.loads(event)}


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def client(pool: Pool) -> Iterator[Any]:
    listener = ports.listen(ports.INTERNAL_ADDRESS, 0)
    url = f"http://{ports.INTERNAL_ADDRESS}:{listener.getsockname()[1]}"
    loop = asyncio.new_event_loop()
    server = HttpServer("invoke", Invocations({"ldap": pool}, {"the-directory": "ldap"}), listener)  # type: ignore[dict-item]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    made = botocore.session.Session().create_client(
        "lambda",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"mode": "standard", "max_attempts": 1}),
    )
    yield made
    made.close()
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_a_question_gets_its_answer(client: Any) -> None:
    assert LambdaFunction(client, "the-directory").ask({"ask": "ping"}) == {"asked": {"ask": "ping"}}


@pytest.mark.parametrize("error", [FunctionError("it died of secret"), TimedOut("slow"), Throttled("busy")])
def test_a_function_that_fails_is_a_provider_that_cannot_be_asked(client: Any, pool: Pool, error: Exception) -> None:
    pool.error = error
    with pytest.raises(ProviderFailed) as failed:
        LambdaFunction(client, "the-directory").ask({"password": "secret"})
    assert failed.value.step == "function"
    assert "secret" not in str(failed.value)


def test_another_function_is_not_found(client: Any) -> None:
    with pytest.raises(ProviderFailed, match="ResourceNotFoundException"):
        LambdaFunction(client, "another").ask({})
