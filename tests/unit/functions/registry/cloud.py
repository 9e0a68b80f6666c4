"""The registry function on moto, asked by events, with every AWS call that it makes written down."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from moto import mock_aws

from functions.distribution import composition
from functions.distribution.application import Application
from functions.distribution.settings import Settings
from functions.registry import handler
from roadstead.aws import clients as clients
from roadstead.aws.identity.kms import KmsKeys
from roadstead.digest import Digest
from roadstead.identity.access import CATALOG_ACCESS, Access
from roadstead.identity.tokens.certificates import DirectSigning, TrustedKey
from roadstead.identity.tokens.minting import TokenMinter
from roadstead.trail.entries import ActorKind
from tests import aws

REPOSITORY, OTHER = "ships/galleon", "ships/sloop"


@dataclass
class Function:
    """The function as Lambda runs it; `calls` grows with what it asks of AWS."""

    token: str
    calls: list[str]
    asked: list[tuple[str, Mapping[str, Any]]]  # the same with their parameters, from the beginning

    def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer as the function returns it. `target` has the query."""
        parts = urlsplit(target)
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        given = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        event = {
            "version": "1.0",
            "httpMethod": method,
            "path": parts.path,
            "multiValueHeaders": {name: [value] for name, value in given.items()},
            "multiValueQueryStringParameters": query or None,
            "requestContext": {
                "domainName": "registry.test",
                "requestId": "1",
                "identity": {"sourceIp": "192.0.2.7"},
            },
            "body": base64.b64encode(body).decode() if body else None,
            "isBase64Encoded": bool(body),
        }
        result: dict[str, Any] = json.loads(json.dumps(handler.handle(event, None)))
        return result

    def cost(self, method: str, target: str, body: bytes = b"", *, status: int) -> list[str]:
        """The AWS calls of one request, which is answered with this status."""
        self.calls.clear()
        answer = self.request(method, target, body)
        assert answer["statusCode"] == status, base64.b64decode(answer["body"])
        return list(self.calls)

    def location(self, method: str, target: str, body: bytes = b"") -> str:
        answer = self.request(method, target, body)
        assert answer["statusCode"] == 202, base64.b64decode(answer["body"])
        (location,) = answer["multiValueHeaders"]["Location"]
        return str(location)

    def start(self) -> str:
        return self.location("POST", f"/v2/{REPOSITORY}/blobs/uploads/")

    def push_blob(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        answer = self.request("PUT", closing(self.start(), digest), data)
        assert answer["statusCode"] == 201, base64.b64decode(answer["body"])
        return digest


def closing(location: str, digest: Digest) -> str:
    return f"{location}&digest={quote(digest, safe='')}"


def _relay() -> Application:
    return Application(composition.build(Settings.from_environ(os.environ), hands_over=True))


@contextmanager
def running(patch: pytest.MonkeyPatch, *, relay: bool = False, public_key: bool = False) -> Iterator[Function]:
    """A function that has not answered yet; put together as the relay is, if `relay`.

    With `public_key` the deployment has told it the public key of its tokens.
    """
    environment = {
        "AWS_DEFAULT_REGION": aws.REGION,
        "AWS_ACCESS_KEY_ID": aws.CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": aws.CREDENTIALS["aws_secret_access_key"],
    }
    calls: list[str] = []
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        asked.append((f"{model.service_model.service_name}.{model.name}", dict(params)))

    def client(service: str, **options: Any) -> Any:
        made = clients.client(service, **options)
        aws.record_calls(made, calls=calls)
        made.meta.events.register("provide-client-params", note)
        return made

    with mock_aws():
        for name, value in environment.items():
            patch.setenv(name, value)
        kms, ssm = aws.client("kms"), aws.client("ssm")
        aws.make_tables(aws.client("dynamodb"), "index", "identity")
        aws.client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": aws.REGION})
        key = aws.make_signing_key(kms)
        keys = {"current": "k", "keys": {"k": base64.b64encode(secrets.token_bytes(32)).decode()}}
        ssm.put_parameter(Name="/upload-keys", Type="SecureString", Value=json.dumps(keys))
        settings = {
            "INDEX_TABLE": "index",
            "BUCKET": "bucket",
            "TOKEN_KEYS": key,
            "UPLOAD_KEYS_PARAMETER": "/upload-keys",
        }
        if public_key:
            settings["TOKEN_PUBLIC_KEYS"] = base64.b64encode(kms.get_public_key(KeyId=key)["PublicKey"]).decode()
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.setattr(composition, "client", client)
        if relay:
            patch.setattr(handler, "application", cache(_relay))
        handler.application.cache_clear()
        source = KmsKeys(kms)
        minter = TokenMinter(
            DirectSigning(TrustedKey(key, source, source)), issuer="roadstead", service="roadstead", lifetime=900
        )
        access = [Access.to(name, "pull", "push", "delete") for name in (REPOSITORY, OTHER)]
        token = minter.mint("ada", ActorKind.USER, [*access, CATALOG_ACCESS]).token
        try:
            yield Function(token, calls, asked)
        finally:
            handler.application.cache_clear()
