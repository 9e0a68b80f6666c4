"""A minimal registry for the doctor's checks: correct, or with one fault."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER, PASSWORD, TOKEN = "ada", "a good password", "given"
INLINE = 16 * 1024
LAMBDA = 4_500_000
STALLED = 0.3  # seconds
MALFORMED_REALMS = {
    "realm-scheme": "ftp://127.0.0.1/token",
    "realm-port": "http://127.0.0.1:x/",
    "realm-ipv6": "http://[::",
}


class Registry(ThreadingHTTPServer):
    """`fault` names the one fault; empty for none. `credentials` are the hosts to which a password was sent."""

    daemon_threads = True

    def __init__(self, fault: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault = fault
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.uploads: dict[str, bytes] = {}
        self.hidden: dict[str, float] = {}  # until when a cache responds 404, by digest
        self.credentials: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def elsewhere(self) -> str:
        """The URL of this server by another name, as that of S3 is to a registry."""
        return f"http://localhost:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Registry
    protocol_version = "HTTP/1.1"
    stalled = False  # whether the body stood still

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time() - (3600 if self.fault == "clock" else 0), usegmt=True)

    @property
    def fault(self) -> str:
        return self.server.fault

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._route
        raise AttributeError(name)

    def _route(self) -> None:
        self.body = self._read()
        path = urlsplit(self.path).path
        parts = path.split("/")
        if path == "/token":
            self._token()
        elif path == "/.well-known/jwks.json":
            curve = "P-384" if self.fault == "jwks" else "P-256"
            self._respond(200, json.dumps({"keys": [{"kty": "EC", "crv": curve, "kid": "1"}]}).encode())
        elif parts[1] == "objects":
            self._object(parts[2])
        elif not self._may():
            if self.fault == "down" and self.headers.get("Authorization"):
                self._respond(502, b"")
            else:
                self._challenge(path)
        elif path == "/v2/":
            self._respond(500 if self.fault == "token-unaccepted" else 200, b"{}")
        elif "/blobs/uploads/" in path:
            self._upload(parts[-1])
        elif "/blobs/" in path:
            self._blob(parts[-1])
        else:
            self._manifest(parts[-1])

    def _may(self) -> bool:
        if "/blobs/uploads/" in self.path and not self.path.endswith("/uploads/"):
            return True
        given = self.headers.get("Authorization", "")
        if self.fault == "believes-anything" and given:
            return True
        if self.fault == "open" or (self.fault == "reads-anything" and "/tags/" in self.path):
            return True
        return given == f"Bearer {TOKEN}" or given.startswith("Bearer ey.")

    def _challenge(self, path: str) -> None:
        first = not self.headers.get("Authorization")  # the edge's challenge
        elsewhere = self.fault == "realm" or (self.fault == "own-realm" and not first)
        realm = f"{self.server.elsewhere if elsewhere else self.server.url}/token"
        realm = MALFORMED_REALMS.get(self.fault, realm)
        text = f'Bearer realm="{realm}",service="roadstead"'
        if "/tags/" in path:
            text += ',scope="repository:doctor/roadstead-doctor:pull"'
        if self.headers.get("Authorization") and self.fault != "no-invalid-token":
            text += ',error="invalid_token"'
        remapped = self.fault == "remapped" or (self.fault == "own-remapped" and not first)
        name = "x-amzn-remapped-www-authenticate" if remapped else "WWW-Authenticate"
        if self.fault == "basic":
            text = "Basic realm=x"
        self._respond(401, b"{}", {} if self.fault == "no-challenge" else {name: text})

    def _token(self) -> None:
        given = self.headers.get("Authorization", "")
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if given:
            self.server.credentials.append(self.headers["Host"])
        if given and given != f"Basic {expected}":
            self._respond(401, b"{}")
            return
        scopes = parse_qs(urlsplit(self.path).query).get("scope", [])
        if self.fault == "grant" and scopes:
            claims = {"access": [{"type": "repository", "name": "doctor/roadstead-doctor", "actions": ["pull"]}]}
            payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
            self._respond(200, json.dumps({"token": f"ey.{payload}.sig"}).encode())
            return
        self._respond(503 if self.fault == "kms" else 200, json.dumps({"token": TOKEN}).encode())

    def _upload(self, upload: str) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if self.command == "POST":
            upload = secrets.token_hex(16)
            self.server.uploads[upload] = b""
            self._respond(202, b"", {"Location": self._location(upload), "Range": "0-0"})
        elif query.get("_state") != [f"{upload}.mac"] and self.fault != "forged":
            self._error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
        elif self._too_large():
            self._refuse_size()
        elif self.command == "PATCH":
            chunked = self.headers.get("Transfer-Encoding") == "chunked"
            if self.fault == "no-chunks" and chunked:
                self._respond(411, b"")
                return
            if self.stalled and self.fault == "cut-off":
                self._error(503, "UNKNOWN", "the relay was stopped")
                return
            if self.stalled and self.fault != "buffers":
                self._error(408, "BLOB_UPLOAD_INVALID", "the body came too slowly")
                return
            if self.fault == "capped" and len(self.body) > LAMBDA * 2:
                self._respond(502, b"")
                return
            if self.fault == "cycles" and len(self.body) == 9 * 1024:
                self.connection.close()
                return
            if self.fault in ("shaped", "slow-line") and len(self.body) > LAMBDA * 2:
                time.sleep(0.5)
            self.server.uploads[upload] = self.body
            told = "bytes=0-1" if self.fault == "range" else f"0-{len(self.body) - 1}"
            self._respond(202, b"", {"Location": self._location(upload), "Range": told})
        else:
            self._close(upload, query["digest"][0])

    def _too_large(self) -> bool:
        if len(self.body) <= LAMBDA:
            return False
        return self.fault in ("gateway-413", "no-edge") or (self.fault == "no-relay" and self.command == "PATCH")

    def _refuse_size(self) -> None:
        if self.fault == "gateway-413":
            self._respond(413, b'{"message":"Request Entity Too Large"}')
        else:
            self._error(413, "DENIED", "the layer is too large")

    def _close(self, upload: str, digest: str) -> None:
        data = self.body or self.server.uploads[upload]
        if self.fault == "slow-line" and len(data) > LAMBDA * 2 and self.body:
            time.sleep(0.5)
        right = digest == "sha256:" + hashlib.sha256(data).hexdigest()
        if self.fault == "repeat" and digest in self.server.blobs:
            self._error(404, "BLOB_UPLOAD_UNKNOWN", "used up")
        elif not right and self.fault == "unchecked":
            self._respond(201, b"", {"Location": f"/v2/x/blobs/{digest}", "Docker-Content-Digest": digest})
        elif not right and self.fault != "corrupt":
            if self.fault == "xml":
                self._respond(400, b"<Error>BadDigest</Error>")
            else:
                self._error(400, "DIGEST_INVALID", "other bytes")
        else:
            self.server.blobs[digest] = data
            if self.fault == "cached-errors":
                self.server.hidden[digest] = time.monotonic() + 0.8
            status = 200 if self.fault == "bare-200" else 201
            headers = {"Location": f"/v2/x/blobs/{digest}", "Docker-Content-Digest": digest}
            if self.fault == "bare-201":
                headers.pop("Docker-Content-Digest")
            self._respond(status, b"", headers)

    def _blob(self, digest: str) -> None:
        data = self.server.blobs.get(digest)
        hidden = self.command == "HEAD" and self.server.hidden.get(digest, 0) > time.monotonic()
        if self.fault == "not-adopted" or data is None or hidden:
            self._error(404, "BLOB_UNKNOWN", "unknown")
        elif self.command == "DELETE":
            if self.fault != "undead-blob":
                del self.server.blobs[digest]
            self._respond(202, b"")
        elif self.command == "GET" and len(data) > INLINE:
            base = self.server.url if self.fault == "same-host" else self.server.elsewhere
            headers = {"Location": f"{base}/objects/{digest}", "Docker-Content-Digest": digest}
            if self.fault == "no-digest":
                headers.pop("Docker-Content-Digest")
            self._respond(307, b"", headers)
        else:
            self._content(data, "application/octet-stream", digest)

    def _object(self, digest: str) -> None:
        data = self.server.blobs[digest]
        wanted = self.headers.get("Range")
        if self.headers.get("Authorization") or self.fault == "s3-403":
            self._respond(403, b"<Error/>")
        elif wanted and self.fault != "no-ranges":
            first, last = (int(text) for text in wanted.removeprefix("bytes=").split("-"))
            part = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
            self._respond(206, data[first : last + 1], part)
        else:
            self._respond(200, data[:-1] if self.fault == "changed" else data)

    def _manifest(self, reference: str) -> None:
        digest = self.server.tags.get(reference, reference)
        data = self.server.manifests.get(digest)
        kind = self.headers.get("Accept", "application/vnd.oci.image.manifest.v1+json")
        if self.command == "PUT":
            if self.fault == "no-manifests":
                self._error(500, "UNKNOWN", "an internal error")
                return
            digest = "sha256:" + hashlib.sha256(self.body).hexdigest()
            self.server.manifests[digest] = self.body
            self.server.tags[reference] = digest
            self._respond(201, b"", {"Docker-Content-Digest": digest})
        elif data is None:
            self._error(404, "MANIFEST_UNKNOWN", "unknown")
        elif self.command == "DELETE":
            if self.fault != "undead":
                del self.server.manifests[digest]
            self._respond(202, b"")
        else:
            self._content(data, "text/plain" if self.fault == "type" else kind, digest)

    def _content(self, data: bytes, kind: str, digest: str) -> None:
        headers = {"Content-Type": kind, "Docker-Content-Digest": digest}
        if self.fault == "gzip" and "gzip" in self.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
        self._respond(200, data, headers)

    def _location(self, upload: str) -> str:
        base = self.server.elsewhere if self.fault == "other-host" else ""
        state = "" if self.fault == "no-state" else f"?_state={upload}.mac"
        return f"{base}/v2/doctor/roadstead-doctor/blobs/uploads/{upload}{state}"

    def _error(self, status: int, code: str, message: str) -> None:
        self._respond(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode())

    def _respond(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        head = self.command == "HEAD" and status == 200
        of = "manifests" if "/manifests/" in self.path else "blobs"
        length = 0 if head and self.fault == f"head-length-{of}" else len(body)
        self.send_header("Content-Length", str(length))
        if self.fault != "unmarked":
            self.send_header("apigw-requestid" if self.fault == "by-api" else "x-amzn-requestid", "1")
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" or (head and self.fault == f"head-body-{of}"):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)
        self.close_connection = True

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        before = time.monotonic()
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
            self.stalled = self.stalled or time.monotonic() - before > STALLED
            before = time.monotonic()
        self.rfile.readline()
        return b"".join(pieces)


@contextlib.contextmanager
def registry(fault: str = "") -> Iterator[Registry]:
    server = Registry(fault)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
