"""The doctor's HTTP client."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cli.doctor.wire import NoResponse, Reply, origin, send


@contextlib.contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that passes one connection to `serve`; yield its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def run() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def test_the_response_to_a_refused_body_is_read() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):
            pass

    with server(refuse) as port:
        reply = send("PUT", f"http://127.0.0.1:{port}/", {}, bytes(4 << 20))
    assert (reply.status, reply.body) == (413, b"no")


def test_a_chunked_body_is_sent_without_a_length() -> None:
    seen: list[bytes] = []

    def read(connection: socket.socket) -> None:
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(1 << 16)
        seen.append(data)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with server(read) as port:
        assert send("PATCH", f"http://127.0.0.1:{port}/", {}, b"bytes", chunked=True).status == 200
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    assert b"content-length" not in head.lower()
    assert body == b"5\r\nbytes\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("serve", "words"),
    [
        (lambda connection: connection.recv(1000), "closed without a response"),
        (lambda connection: connection.sendall(b"220 mail.example.com ESMTP\r\n"), "failed"),
        (lambda connection: connection.recv(1000) and connection.recv(1000), "within 1 s"),
    ],
)
def test_a_missing_response_is_an_error_that_says_why(serve: Callable[[socket.socket], None], words: str) -> None:
    with server(serve) as port, pytest.raises(NoResponse, match=words):
        send("GET", f"http://127.0.0.1:{port}/v2/", timeout=1)


def test_an_untrusted_certificate_is_an_error_that_says_so(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    with server(serve) as port, pytest.raises(NoResponse, match="is not trusted"):
        send("GET", f"https://127.0.0.1:{port}/v2/", timeout=5)


def certificate(directory: Path) -> Path:
    """Write a key and a self-signed certificate to a file."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, SHA256())
    )
    file = directory / "pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


def test_locations_are_absolute_and_errors_are_parsed() -> None:
    body = b'{"errors":[{"code":"DENIED","message":"the layer is too large"}]}'
    reply = Reply(413, (("LOCATION", "/v2/x?a=b"),), body, "http://registry:5000/v2/y")
    assert reply.location == "http://registry:5000/v2/x?a=b"
    assert str(reply) == "413 DENIED: the layer is too large"
    assert str(Reply(502, (), b"<html>\n bad  gateway", "http://r/")) == "502: <html> bad gateway"


@pytest.mark.parametrize("url", ["ftp://registry", "registry:5000", "https://"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"not an? (http|valid)"):
        origin(url)
