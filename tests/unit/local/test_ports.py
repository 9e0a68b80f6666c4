"""Where the registry listens, and where S3 does."""

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


def test_s3_is_on_the_next_port_of_another_address() -> None:
    with taken("127.0.0.2", 0) as probe:
        free = probe.getsockname()[1]
    assert ports.s3_address(free - 1) == ("127.0.0.2", "127.0.0.2", free)


def test_s3_goes_elsewhere_when_that_port_is_taken() -> None:
    with taken("127.0.0.2", 0) as other:
        used = other.getsockname()[1]
        address, _, port = ports.s3_address(used - 1)
    assert address == "127.0.0.2"
    assert port not in (0, used)


def test_behind_the_last_port_s3_takes_any() -> None:
    assert 0 < ports.s3_address(65_535)[2] < 65_536


def test_without_a_second_loopback_address_s3_has_the_other_name(monkeypatch: pytest.MonkeyPatch) -> None:
    free = ports._free
    monkeypatch.setattr(ports, "_free", lambda address, port: 0 if address == "127.0.0.2" else free(address, port))
    assert ports.s3_address(5000)[:2] == ("127.0.0.1", "localhost")


def test_an_address_that_is_not_of_this_machine_is_told() -> None:
    with pytest.raises(Failure, match=r"Cannot listen on 192\.0\.2\.1") as raised:
        ports.listen("192.0.2.1", 5000)
    assert raised.value.code is ExitCode.PORT_TAKEN


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused_with_a_sentence(port: int) -> None:
    with pytest.raises(Failure, match=f"{port} is no port; choose one from 1 to 65535") as raised:
        ports.listen("127.0.0.1", port)
    assert raised.value.code is ExitCode.USAGE
