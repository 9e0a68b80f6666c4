"""Addresses: finding free ports, and the sockets of the registry and the embedded AWS."""

from __future__ import annotations

import errno
import socket

from local.failures import ExitCode, Failure

INTERNAL_ADDRESS = "127.0.0.1"  # for what only the edge connects to


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
    """Return a free port on the internal address, for a process that opens it itself."""
    port = _free(INTERNAL_ADDRESS, 0)
    if not port:
        raise Failure(ExitCode.PORT_TAKEN, f"No port is free on {INTERNAL_ADDRESS}.")
    return port


def _free(address: str, port: int) -> int:
    """Return the port if it can be bound, or 0; for `port` 0, any that can."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError):
            return 0
        bound: int = probe.getsockname()[1]
        return bound
