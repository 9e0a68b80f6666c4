"""The HTTP server of the embedded AWS, beneath what it serves."""

from __future__ import annotations

import asyncio
import socket

from local.cloud.http import BUFFERED, Request, Response, Server


async def asked_twice(body: bytes) -> list[bytes]:
    """The status lines of two requests on one connection; the application reads no body."""

    async def refuse(request: Request) -> Response:
        while not request.complete:
            await asyncio.sleep(0.01)
        return Response(500)

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    server = Server(refuse)
    await server.start([listener])
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    found = []
    try:
        for sent in (body, b""):
            writer.write(b"PUT /a HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(sent) + sent)
            async with asyncio.timeout(120):
                head = await reader.readuntil(b"\r\n\r\n")
            found.append(head.partition(b"\r\n")[0])
    finally:
        writer.close()
        await server.stop(1)
    return found


def test_a_connection_goes_on_after_a_refused_body_that_was_all_there() -> None:
    """Reading pauses when so much of a body waits; nothing resumed it once the body was complete."""
    assert asyncio.run(asked_twice(bytes(BUFFERED))) == [b"HTTP/1.1 500 Internal Server Error"] * 2
