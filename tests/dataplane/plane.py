"""Everything that a layer passes through, as deployed, on a strict S3.

The edge emulator with the real functions in front; behind it the gateway emulator with the real Lambda handlers in
execution environments, and the relay's process. DynamoDB, KMS and SSM are ministack's.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import http.client
import json
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import boto3
from botocore.config import Config

from functions.api import ROUTES
from local.cloud.signatures import Credentials
from local.edge.components import EdgeSettings, components
from local.functions.declarations import Function
from local.functions.environments import Pool
from local.gateway.function_url import reader_urls
from local.gateway.http_api import HttpApi, HttpServer
from local.ports import free_port, listen
from local.processes.supervisor import Component
from local.relay import RelayProcess
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.content.uploads.token import UploadKeys
from roadstead.identity.accounts import Accounts
from roadstead.identity.sign_in.passwords import Argon2Hasher
from tests import aws
from tests.strict_s3 import StrictS3
from tests.supervised import running

MIB = 1024 * 1024
USER, PASSWORD = "admin", "correct horse battery"
_TIMEOUT = 180.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as a client sees it; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def expect(self, status: int) -> Answer:
        """Return self. Raises AssertionError with the body unless it has this status."""
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:1000]!r}"
        return self

    def refused(self, status: int, code: str) -> Answer:
        """Return self. Raises AssertionError unless it is an OCI error with this code."""
        self.expect(status)
        assert [error["code"] for error in json.loads(self.body)["errors"]] == [code]
        return self


@dataclass(slots=True)
class Plane:
    """A registry on `port` and a client of it, a system administrator. `s3` inspects its `bucket`."""

    port: int
    s3: Any
    bucket: str
    upload_keys: UploadKeys
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT)

    def ask(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request on its own connection; an iterator as body is sent chunked."""
        connection = self.connect()
        try:
            parts = urlsplit(target)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            chunked = body is not None and not isinstance(body, bytes) and "Content-Length" not in (headers or {})
            connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
            return _answer(connection.getresponse())
        finally:
            connection.close()

    def broken_off(self, method: str, target: str, data: bytes, length: int) -> None:
        """Send a request that declares `length`, and disconnect after `data`."""
        parts = urlsplit(target)
        head = f"{method} {parts.path}?{parts.query} HTTP/1.1\r\nHost: registry\r\nContent-Length: {length}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=_TIMEOUT) as connection:
            connection.sendall(head.encode() + data)

    def api(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request below /v2/<repository>/ with a token for everything in that repository."""
        repository = path.split("/blobs/")[0].split("/manifests/")[0].removeprefix("/v2/")
        return self.ask(method, path, body, {"Authorization": f"Bearer {self.token(repository)}", **(headers or {})})

    def token(self, *repositories: str) -> str:
        key = " ".join(repositories)
        if key not in self._tokens:
            scopes = [("scope", f"repository:{name}:pull,push,delete") for name in repositories]
            basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            query = urlencode([("service", "roadstead"), *scopes])
            answer = self.ask("GET", f"/token?{query}", headers={"Authorization": f"Basic {basic}"}).expect(200)
            self._tokens[key] = str(json.loads(answer.body)["token"])
        return self._tokens[key]

    def start(self, repository: str) -> str:
        """Start an upload; return its Location."""
        answer = self.api("POST", f"/v2/{repository}/blobs/uploads/").expect(202)
        assert urlsplit(answer.headers["location"]).netloc in ("", f"127.0.0.1:{self.port}")
        return answer.headers["location"]

    def put(self, location: str, digest: str, body: Any = b"", headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("PUT", closing(location, digest), body, headers)

    def push(self, repository: str, data: bytes, algorithm: str = "sha256") -> str:
        """Upload with a whole PUT; return the digest."""
        digest = digest_of(data, algorithm)
        self.put(self.start(repository), digest, data).expect(201)
        return digest

    def blob(self, repository: str, digest: str, method: str = "HEAD") -> Answer:
        return self.api(method, f"/v2/{repository}/blobs/{digest}")

    def pull(self, repository: str, digest: str) -> bytes:
        """Get a blob as a client does, following a redirect."""
        answer = self.blob(repository, digest, "GET")
        if answer.status == 200:
            return answer.body
        assert answer.expect(307).headers["docker-content-digest"] == digest
        return fetch(answer.headers["location"]).expect(200).body

    def keys(self, digest: str = "", prefix: str = "") -> list[str]:
        """Return the keys of objects that were sent whole as `digest`, or of those with a prefix."""
        prefix = f"blobs/{digest.replace(':', '/')}/" if digest else prefix
        return [
            found["Key"] for found in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        ]

    def unfinished(self, upload_id: str = "") -> int:
        """Return how many multipart uploads, of one upload or all, were neither completed nor aborted."""
        prefix = f"blobs/uploads/{upload_id}"
        return len(self.s3.list_multipart_uploads(Bucket=self.bucket, Prefix=prefix).get("Uploads", []))


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def closing(location: str, digest: str) -> str:
    return f"{location}&digest={quote(digest, safe='')}"


def fetch(url: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Send a GET to S3 without the registry's credentials."""
    request = urllib.request.Request(url, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            return _answer(answer)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error)


def pieces(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@contextlib.contextmanager
def plane(strict: StrictS3, endpoint: str, directory: Path, *, signs_with: str | None = None) -> Iterator[Plane]:
    """A registry that serves while the context lasts; `endpoint` is ministack's, `directory` for logs.

    `signs_with` is a secret key for the edge other than the bucket's owner's.
    """
    made = _resources(strict, endpoint)
    listener, inner = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    secret = made.secret
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        **strict.environment(),
        **made.environment,
        "DISTRIBUTION_URL": f"http://127.0.0.1:{port}",
    }
    functions = _Functions(
        [Function(name, f"app.{name}", 512, environment) for name in ("registry", "token")], directory
    )
    relay = RelayProcess(free_port(), lambda: environment, directory / "relay.log")
    owner = Credentials(strict.access_key, strict.secret_key, strict.region)
    readers, urls = reader_urls(functions.pools, owner, scheme="http")
    settings = EdgeSettings(
        api=f"http://127.0.0.1:{inner.getsockname()[1]}",
        bucket=f"{strict.endpoint}/{made.bucket}",
        relay=relay.url,
        readers=readers,
        secret=secret,
        access_key=strict.access_key,
        secret_key=signs_with or strict.secret_key,
        region=strict.region,
    )
    parts: list[Component] = [
        functions,
        HttpServer("the gateway", HttpApi(ROUTES, functions.pools), inner),
        *urls,
        relay,
        *components(settings, lambda: made.upload_keys, listener),
    ]
    with running(parts):
        yield Plane(port, made.s3, made.bucket, UploadKeys.from_json(made.upload_keys))


@dataclass(frozen=True, slots=True)
class _Resources:
    environment: Mapping[str, str]
    s3: Any
    bucket: str
    secret: str = field(repr=False)
    upload_keys: str = field(repr=False)


def _resources(strict: StrictS3, endpoint: str) -> _Resources:
    """Create tables, bucket, keys and the only user."""
    own = secrets.token_hex(6)
    index, identity, bucket = f"index-{own}", f"identity-{own}", f"bucket-{own}"
    dynamodb, kms, ssm = (_client(service, endpoint, strict) for service in ("dynamodb", "kms", "ssm"))
    aws.make_tables(dynamodb, index, identity)
    s3 = _client("s3", strict.endpoint, strict)
    s3.create_bucket(Bucket=bucket)
    secret, key = secrets.token_hex(32), base64.b64encode(secrets.token_bytes(32)).decode()
    upload_keys = json.dumps({"current": "k1", "keys": {"k1": key}})
    for name, value in ((f"/{own}/upload-keys", upload_keys), (f"/{own}/edge-secret", secret)):
        ssm.put_parameter(Name=name, Type="SecureString", Value=value)
    Accounts(DynamoIdentities(Table(dynamodb, identity)), Argon2Hasher()).create_user(USER, PASSWORD, admin=True)
    environment = {
        "INDEX_TABLE": index,
        "IDENTITY_TABLE": identity,
        "BUCKET": bucket,
        "TOKEN_KEYS": aws.make_signing_key(kms),
        "UPLOAD_KEYS_PARAMETER": f"/{own}/upload-keys",
        "EDGE_SECRET_PARAMETER": f"/{own}/edge-secret",
    }
    return _Resources(environment, s3, bucket, secret, upload_keys)


def _client(service: str, endpoint: str, strict: StrictS3) -> Any:
    return boto3.client(
        service,
        region_name=strict.region,
        endpoint_url=endpoint,
        aws_access_key_id=strict.access_key,
        aws_secret_access_key=strict.secret_key,
        config=Config(signature_version="s3v4" if service == "s3" else None, s3={"addressing_style": "path"}),
    )


class _Functions:
    """The component that starts an execution environment of each function."""

    name = "the functions"

    def __init__(self, functions: list[Function], directory: Path) -> None:
        self.pools = {one.name: Pool(one, directory / f"{one.name}.log") for one in functions}

    async def start(self) -> None:
        await asyncio.gather(*(pool.warm() for pool in self.pools.values()))

    async def watch(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self.pools.values()))


def _answer(response: Any) -> Answer:
    named = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, named, response.read())
