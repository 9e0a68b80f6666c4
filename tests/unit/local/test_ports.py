"""The addresses of the registry and of the embedded AWS."""

from __future__ import annotations

import socket

import pytest

from local import ports
from local.failures import ExitCode, Failure


def taken(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.bind((address, port))
    listener.listen()
    return listener


def bound(near: int) -> list[tuple[str, int]]:
    listeners = ports.listen_for_cloud(near)
    found = [listener.getsockname()[:2] for listener in listeners]
    for listener in listeners:
        listener.close()
    return found


def test_the_embedded_aws_is_on_the_next_port() -> None:
    with taken("127.0.0.1", 0) as probe:
        free = probe.getsockname()[1]
    assert bound(free - 1)[0] == ("127.0.0.1", free)


def test_it_gets_another_port_when_the_next_is_in_use() -> None:
    with taken("127.0.0.1", 0) as other:
        used = other.getsockname()[1]
        found = bound(used - 1)
    assert found[0][0] == "127.0.0.1"
    assert len({port for _, port in found}) == 1
    assert found[0][1] not in (0, used)


def test_it_gets_any_port_after_the_last_one() -> None:
    assert 0 < bound(65_535)[0][1] < 65_536


def test_a_foreign_address_is_a_failure() -> None:
    with pytest.raises(Failure, match=r"Cannot listen on 192\.0\.2\.1") as raised:
        ports.listen("192.0.2.1", 5000)
    assert raised.value.code is ExitCode.PORT_TAKEN


@pytest.mark.parametrize("port", [-1, 65_536])
def test_an_invalid_port_is_a_failure(port: int) -> None:
    with pytest.raises(Failure, match=f"{port} is not a port; choose one from 1 to 65535") as raised:
        ports.listen("127.0.0.1", port)
    assert raised.value.code is ExitCode.USAGE
