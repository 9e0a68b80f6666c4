"""Addresses: finding free ports, and the sockets of the registry and the embedded AWS."""

from __future__ import annotations

import contextlib
import errno
import random
import socket

from local.failures import ExitCode, Failure

INTERNAL_ADDRESS = "127.0.0.1"  # for what only the edge connects to
_BELOW = range(20_000, 32_768)  # Linux gives those from 32768 on, macOS those from 49152 on
_TRIES = 100


def listen(address: str, port: int) -> socket.socket:
    """Return a listening socket. Raises Failure if the port is in use or invalid, or the address is not ours."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # The protocol is named because asyncio otherwise leaves Nagle's algorithm on, which costs 40 ms a request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Failure(
                ExitCode.PORT_TAKEN, f"Port {port} on {address} is in use; choose another: make up PORT={port + 1}."
            ) from None
        raise Failure(ExitCode.PORT_TAKEN, f"Cannot listen on {address} port {port}: {error.strerror}.") from None
    except OverflowError:
        listener.close()
        raise Failure(ExitCode.USAGE, f"{port} is not a port; choose one from 1 to 65535: make up PORT=5000.") from None
    listener.setblocking(False)
    return listener


def listen_for_cloud(near: int) -> list[socket.socket]:
    """Return sockets for the embedded AWS, all on one port: `near` + 1 if that is free. Raises Failure.

    One is on 127.0.0.1 and, if there is IPv6, one on ::1: `localhost` can mean either.
    """
    for port in (near + 1, 0, 0, 0):
        try:
            first = listen(INTERNAL_ADDRESS, port)
        except Failure:
            continue
        try:
            return [first, listen("::1", first.getsockname()[1])]
        except Failure as failure:
            if not isinstance(failure.__context__, OSError) or failure.__context__.errno != errno.EADDRINUSE:
                return [first]  # there is no IPv6
            first.close()  # another program has the port on ::1, and would receive our requests
    raise Failure(ExitCode.PORT_TAKEN, f"No port is free on {INTERNAL_ADDRESS}.")


def free_port() -> int:
    """Return a free port on the internal address, for a process that opens it itself.

    It is below those that the system gives to connections and to whoever asks for any port: one of these could be gone
    before the process has opened it.
    """
    for port in random.sample(_BELOW, _TRIES):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((INTERNAL_ADDRESS, port))
            return port
    raise Failure(ExitCode.PORT_TAKEN, f"No port is free on {INTERNAL_ADDRESS}.")
