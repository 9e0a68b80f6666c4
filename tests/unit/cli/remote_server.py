"""The management API on stores in memory, behind a server of this process, and the command that is run against it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from cli.remote import command
from roadstead.http import Request
from tests.unit.functions.management.client import Desk


class Server:
    """A registry at `url`, as a gateway passes it on: paths decoded once."""

    def __init__(self) -> None:
        self.desk = Desk()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = tuple((name.lower(), value) for name, value in self.headers.items())
                pairs = tuple(parse_qsl(query, keep_blank_values=True))
                request = Request(self.command, unquote(path), pairs, headers, body, host=server.host, scheme="http")
                response = server.desk.ask(request)
                self.send_response(response.status)
                for name, value in response.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815 - the names that it calls

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def run(environ: Mapping[str, str], capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Return the JSON document that a command prints. Fails with stderr if the command fails."""
    code = command.main([*arguments, "--json"], environ)
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)


def reason(environ: Mapping[str, str], capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert command.main(arguments, environ) in (1, 2)
    return capsys.readouterr().err
