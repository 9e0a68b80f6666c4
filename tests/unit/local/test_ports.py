"""Where the registry listens, and where the embedded AWS does."""

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


def test_it_goes_elsewhere_when_that_port_is_taken() -> None:
    with taken("127.0.0.1", 0) as other:
        used = other.getsockname()[1]
        found = bound(used - 1)
    assert found[0][0] == "127.0.0.1"
    assert len({port for _, port in found}) == 1
    assert found[0][1] not in (0, used)


def test_behind_the_last_port_it_takes_any() -> None:
    assert 0 < bound(65_535)[0][1] < 65_536


def test_an_address_that_is_not_of_this_machine_is_told() -> None:
    with pytest.raises(Failure, match=r"Cannot listen on 192\.0\.2\.1") as raised:
        ports.listen("192.0.2.1", 5000)
    assert raised.value.code is ExitCode.PORT_TAKEN


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused_with_a_sentence(port: int) -> None:
    with pytest.raises(Failure, match=f"{port} is no port; choose one from 1 to 65535") as raised:
        ports.listen("127.0.0.1", port)
    assert raised.value.code is ExitCode.USAGE
