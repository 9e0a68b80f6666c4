"""Receivers of notifications, good and evil: real TLS servers on the loopback with certificates of a CA of our own."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "receiver.test"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Behaviour = Callable[[socket.socket, bytes], object]


class Authority:
    """A certificate authority whose only users are these tests."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a CA for tests")])
        certificate = self._certificate(self._name, self._key.public_key(), ca=True)
        self._pem = certificate.public_bytes(Encoding.PEM)

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts this authority alone."""
        return ssl.create_default_context(cadata=self._pem.decode())

    def serving(self, host: str, *, expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._certificate(subject, key.public_key(), host=host, expired=expired)
        file = self._directory / f"{host}-{expired}.pem"
        file.write_bytes(
            certificate.public_bytes(Encoding.PEM)
            + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        host: str = "",
        ca: bool = False,
        expired: bool = False,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        begin = now - datetime.timedelta(days=3)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(now - datetime.timedelta(days=1) if expired else now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
            builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        else:
            names: list[x509.GeneralName] = [x509.DNSName(host)]
            with contextlib.suppress(ValueError):
                names = [x509.IPAddress(ipaddress.ip_address(host))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, SHA256())


@dataclass
class Receiver:
    """One server. `requests` are what it read, whole; `connections` how often somebody came."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def bodies(self) -> list[bytes]:
        return [request.partition(b"\r\n\r\n")[2] for request in self.requests]

    def headers(self, place: int = -1) -> dict[str, str]:
        """Of one request, names in lower case."""
        head = self.requests[place].partition(b"\r\n\r\n")[0].decode("ascii")
        pairs = (line.partition(": ") for line in head.split("\r\n")[1:])
        return {name.lower(): value for name, _, value in pairs}


def answering(*answers: bytes) -> Behaviour:
    """One answer after the other, the last of them for ever."""
    left = list(answers)

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return behave


@contextlib.contextmanager
def receiver(behave: Behaviour, context: ssl.SSLContext | None, *, reads: bool = True) -> Iterator[Receiver]:
    """A server on the loopback, plain without a context; with `reads` it reads a request before it behaves."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Receiver(listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def serve(plain: socket.socket) -> None:
        # Clients that go away, or do not trust the certificate, are what these tests are about.
        with plain, contextlib.suppress(OSError):
            plain.settimeout(120)
            with (
                context.wrap_socket(plain, server_side=True) if context else contextlib.nullcontext(plain) as connection
            ):
                request = _read(connection) if reads else b""
                if request:
                    found.requests.append(request)
                behave(connection, request)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                found.connections += 1
                thread = threading.Thread(target=serve, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield found
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(6)


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: "))
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body
