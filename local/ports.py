"""Addresses: which are free, and where the registry and the embedded AWS listen."""

from __future__ import annotations

import errno
import socket

from local.failures import ExitCode, Failure

INTERNAL_ADDRESS = "127.0.0.1"  # of what only the edge talks to


def listen(address: str, port: int) -> socket.socket:
    """A listening socket. Raises Failure with a sentence when the port is taken or none, or the address is not ours."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's algorithm off only where it is: 40 ms a request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Failure(
                ExitCode.PORT_TAKEN, f"Port {port} on {address} is taken; choose another: make up PORT={port + 1}."
            ) from None
        raise Failure(ExitCode.PORT_TAKEN, f"Cannot listen on {address} port {port}: {error.strerror}.") from None
    except OverflowError:
        listener.close()
        raise Failure(ExitCode.USAGE, f"{port} is no port; choose one from 1 to 65535: make up PORT=5000.") from None
    listener.setblocking(False)
    return listener


def listen_for_cloud(near: int) -> list[socket.socket]:
    """Sockets for the embedded AWS on one port: `near` + 1 if that is free. Raises Failure.

    On 127.0.0.1, and on ::1 where there is one: `localhost` means either.
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
                return [first]  # no IPv6 here
            first.close()  # or somebody else would be asked for what is meant for us
    raise Failure(ExitCode.PORT_TAKEN, f"No port is free on {INTERNAL_ADDRESS}.")


def free_port() -> int:
    """A port that is free on the internal address, for a process that listens there by itself."""
    port = _free(INTERNAL_ADDRESS, 0)
    if not port:
        raise Failure(ExitCode.PORT_TAKEN, f"No port is free on {INTERNAL_ADDRESS}.")
    return port


def _free(address: str, port: int) -> int:
    """The port, or any if `port` is 0, when it can be bound; 0 when not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError):
            return 0
        bound: int = probe.getsockname()[1]
        return bound
