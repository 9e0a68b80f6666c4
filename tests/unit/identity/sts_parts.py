"""AWS credentials, calls that they sign, and an STS that verifies Signature Version 4 in full."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signing

from local.cloud.errors import AwsError
from local.cloud.signatures import Credentials, Head, Verifier
from roadstead.identity.providers.signed_calls import BODY, STS_HOSTS, SignedCall, signed_headers
from roadstead.outbound.endpoint import Endpoint, EndpointPolicy
from roadstead.outbound.https import Reply, Unreachable

ACCOUNT = "123456789012"
HOST = "sts.eu-central-1.amazonaws.com"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/i-0123456789abcdef0"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ci"
USER_ID = "AROAEXAMPLEEXAMPLE12:i-0123456789abcdef0"


@dataclass
class Keys:
    """A key pair, as AWS gives one to a role."""

    access_key: str = "ASIAEXAMPLEEXAMPLE12"
    secret_key: str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    session_token: str = "FQoGZXIvYXdzEXAMPLE//token+=="

    def sign(
        self,
        now: float,
        *,
        registry: str = "registry.example.com",
        host: str = HOST,
        region: str = "",
        body: bytes = BODY,
        headers: Mapping[str, str] | None = None,
    ) -> SignedCall:
        """Return a call that is signed by botocore. `body` and `headers` change what is signed, not what is said."""
        region = region or STS_HOSTS.get(host, "us-east-1")
        request = AWSRequest(method="POST", url=f"https://{host}/", data=body)
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        for name, value in {**signed_headers(registry, stamp, self.session_token), **(headers or {})}.items():
            request.headers[name] = value
        signer = SigV4Auth(Signing(self.access_key, self.secret_key, self.session_token or None), "sts", region)
        request.context["timestamp"] = stamp
        text = signer.string_to_sign(request, signer.canonical_request(request))
        signature = signer.signature(text, request)
        return SignedCall(host, region, registry, stamp, self.access_key, signature, self.session_token)


@dataclass
class FakeSts:
    """The sender of calls, and the STS behind it. `asked` has every request that came: host, headers, body."""

    clock: Callable[[], float]
    keys: Keys = field(default_factory=Keys)
    result: Any = field(default_factory=lambda: {"Account": ACCOUNT, "Arn": CALLER, "UserId": USER_ID})
    down: bool = False
    reply: Reply | None = None  # in place of any other response
    asked: list[tuple[Endpoint, dict[str, str], bytes]] = field(default_factory=list)

    def parse(self, url: str) -> Endpoint:
        return Endpoint.parse(url, EndpointPolicy())

    def fetch(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None = None, *, most: int = 0
    ) -> Reply:
        self.asked.append((endpoint, dict(headers), body or b""))
        if self.down:
            raise Unreachable(f"{endpoint.host} did not respond within 3 seconds")
        if self.reply is not None:
            return self.reply
        try:
            return self._answer(endpoint, headers, body or b"")
        except AwsError as error:
            document = {"Error": {"Type": "Sender", "Code": error.code, "Message": error.message}, "RequestId": "1"}
            return Reply(error.status, json.dumps(document).encode())

    def _answer(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Reply:
        lower = {name.lower(): value for name, value in headers.items()} | {"host": endpoint.authority}
        region = STS_HOSTS.get(endpoint.authority, "us-east-1")
        verifier = Verifier(Credentials(self.keys.access_key, self.keys.secret_key, region))
        digest = hashlib.sha256(body).hexdigest()
        verifier.check_headers(Head("POST", endpoint.target, "", lower), "sts", digest, self.clock())
        if lower.get("x-amz-security-token", "") != self.keys.session_token:
            raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid", 403)
        assert dict(parse_qsl(body.decode()))["Action"] == "GetCallerIdentity", "only this action is ever sent"
        wrapped = {"GetCallerIdentityResponse": {"GetCallerIdentityResult": self.result}}
        return Reply(200, json.dumps(wrapped).encode())
