"""Signed calls: requests for GetCallerIdentity that their sender signed and did not send ("AWS STS API Reference").

Whoever has AWS credentials signs such a request and gives the signature away in place of a password; whoever sends the
request to STS learns whose credentials they were. Only what the sender may choose is part of a signed call. The method,
the path, the body and the names of the signed headers are fixed here, so a signature over any other request is worth
nothing. One signed header names the registry that the call is for.

The text is `rsaws.` and a JSON object in base64url. The command signs, the token function and the management function
send.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from roadstead import base64url, documents
from roadstead.identity.providers.trust import CALL_PREFIX

MAX_TEXT = 6_000  # characters; as Basic credentials they fit into the 10,240 bytes of headers of an HTTP API
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
REGISTRY_HEADER = "X-Roadstead-Registry"
LIFETIME = 900  # seconds for which STS takes a signature
LEEWAY = 60  # seconds by which the signer's clock may be ahead

_GLOBAL = "us-east-1"  # the region in signatures for sts.amazonaws.com
_REGIONS: Mapping[str, tuple[str, ...]] = {
    "amazonaws.com": (
        *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
        *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1"),
        *("eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2"),
        *("eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1"),
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"),
    ),
    "amazonaws.com.cn": ("cn-north-1", "cn-northwest-1"),
}
_FIPS = ("us-east-1", "us-east-2", "us-west-1", "us-west-2")
# Every host of STS that a call may be for, with the region in its signatures ("AWS STS endpoints and quotas").
STS_HOSTS: Mapping[str, str] = {
    "sts.amazonaws.com": _GLOBAL,
    **{f"sts.{region}.{domain}": region for domain, regions in _REGIONS.items() for region in regions},
    **{f"sts-fips.{region}.amazonaws.com": region for region in _FIPS},
}

_FORMS = {
    "host": re.compile(r"[a-z0-9][a-z0-9.-]{0,252}(?::[0-9]{1,5})?"),
    "region": re.compile(r"[a-z0-9-]{1,40}"),
    "registry": re.compile(r"[!-~]{1,255}"),  # a header's value: visible ASCII, without spaces
    "date": re.compile(r"[0-9]{8}T[0-9]{6}Z"),
    "key": re.compile(r"[A-Za-z0-9_]{1,128}"),
    "signature": re.compile(r"[0-9a-f]{64}"),
    "session_token": re.compile(r"[A-Za-z0-9+/=_-]*"),
}


class CallInvalid(Exception):
    """The signed call is worth nothing. The message is a sentence for whoever signed it, and repeats no secret."""


@dataclass(frozen=True, slots=True)
class SignedCall:
    """`date` is that of the signature, `key` the access key id; `session_token` is "" for long-term credentials."""

    host: str
    region: str
    registry: str
    date: str
    key: str
    signature: str = field(repr=False)
    session_token: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises CallInvalid for anything but the text of a call."""
        if len(text) > MAX_TEXT:
            raise CallInvalid(f"the signed call has {len(text)} characters; at most {MAX_TEXT} are accepted")
        try:
            document = documents.read(base64url.decode(text.removeprefix(CALL_PREFIX)))
        except ValueError as error:
            raise _malformed() from error
        names = {one.name for one in fields(cls)}
        if not text.startswith(CALL_PREFIX) or not isinstance(document, dict) or not set(document) <= names:
            raise _malformed()
        if names - {"session_token"} - set(document) or not all(isinstance(one, str) for one in document.values()):
            raise _malformed()
        if any(_FORMS[name].fullmatch(value) is None for name, value in document.items()):
            raise _malformed()
        return cls(**document)

    def text(self) -> str:
        """Return the text in which the call takes the place of a password. Raises ValueError if it is too long."""
        document = {name: value for name, value in asdict(self).items() if value}
        text = CALL_PREFIX + base64url.encode(documents.compact(document).encode())
        if len(text) > MAX_TEXT:
            raise ValueError(f"the session token of the credentials is too long: the call has {len(text)} characters")
        return text

    def headers(self) -> dict[str, str]:
        """Return the request's headers but Host and Content-Length, with the signature."""
        signed = signed_headers(self.registry, self.date, self.session_token)
        names = ";".join(sorted(name.lower() for name in (*signed, "Host")))
        scope = f"{self.date[:8]}/{self.region}/sts/aws4_request"
        credential = f"Credential={self.key}/{scope}, SignedHeaders={names}, Signature={self.signature}"
        return {**signed, "Accept": "application/json", "Authorization": f"AWS4-HMAC-SHA256 {credential}"}

    def check_time(self, now: float) -> None:
        """Raises CallInvalid if the call is too old, or of the future. `now` in seconds since the epoch."""
        try:
            signed = calendar.timegm(time.strptime(self.date, "%Y%m%dT%H%M%SZ"))
        except ValueError as error:
            raise _malformed() from error
        if signed + LIFETIME <= now:
            raise CallInvalid(f"the call was signed more than {LIFETIME // 60} minutes ago: sign another one")
        if signed - LEEWAY > now:
            raise CallInvalid("the call was signed in the future: compare the clocks")


def is_signed_call(secret: str) -> bool:
    return secret.startswith(CALL_PREFIX)


def signed_headers(registry: str, date: str, session_token: str) -> dict[str, str]:
    """Return the headers that are signed besides Host."""
    headers = {"Content-Type": CONTENT_TYPE, "X-Amz-Date": date, REGISTRY_HEADER: registry}
    return {**headers, "X-Amz-Security-Token": session_token} if session_token else headers


def claimed(text: str) -> Mapping[str, Any]:
    """Return what the trail keeps of a call that was not verified: its access key id, its host, its registry."""
    try:
        call = SignedCall.parse(text)
    except CallInvalid:
        return {}
    return {"key": call.key, "host": call.host, "registry": call.registry}


def _malformed() -> CallInvalid:
    return CallInvalid("this is not a signed call as `roadstead login --keyless aws` makes it")
