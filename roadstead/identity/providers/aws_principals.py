"""Whose AWS credentials signed a call: asks STS by sending it, and says what rules may name of the answer.

Sent to the hosts of STS_HOSTS alone, or to the one endpoint of the settings; no redirect is followed. STS names the
session of a role (`arn:aws:sts::<account>:assumed-role/<role>/<session>`), and never the path of the role. So rules
name a role as `arn:aws:iam::<account>:role/<role>`, without its path: in one account, the name of a role is unique
whatever its path ("IAM and AWS STS quotas").

Imported once a signed call is sent to a robot that trusts AWS: what it takes is not part of a start.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from roadstead import documents
from roadstead.identity.people import ProviderFailed
from roadstead.identity.providers.signed_calls import BODY, STS_HOSTS, CallInvalid, SignedCall
from roadstead.outbound.endpoint import Endpoint, EndpointPolicy, EndpointRefused
from roadstead.outbound.https import HttpsPoster, Reply, Unreachable
from roadstead.recent import Recent

MAX_REPLY = 8 * 1024  # bytes
REMEMBERED_SECONDS = 60  # for which a call that STS confirmed is not sent to it again
_REMEMBERED = 256
_OK = 200
_REFUSALS = frozenset({400, 401, 403})
_BUSY = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})
_CODE = re.compile(r"[A-Za-z.]{1,64}")

_NAME = r"[A-Za-z0-9_+=,.@-]"
_ARN = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):(?:"
    rf"sts::(?P<role_account>[0-9]{{12}}):assumed-role/(?P<role>{_NAME}{{1,64}})/(?P<session>{_NAME}{{2,64}})"
    rf"|sts::(?P<federated_account>[0-9]{{12}}):federated-user/{_NAME}{{2,32}}"
    rf"|iam::(?P<user_account>[0-9]{{12}}):(?:root|user/(?:[!-.0-~]{{1,510}}/){{0,255}}{_NAME}{{1,64}})"
    r")"
)
_USER_ID = re.compile(r"[A-Za-z0-9_+=,.@:-]{2,193}")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who signed. `arn` is that of the user or role; `caller` is the ARN as STS says it, with a role's session."""

    account: str
    arn: str
    user_id: str
    caller: str
    session: str = ""

    def claims(self) -> dict[str, str]:
        """Return what rules may name."""
        claims = {"account": self.account, "arn": self.arn, "user_id": self.user_id}
        return {**claims, "session": self.session} if self.session else claims

    def described(self) -> str:
        """Return what the trail keeps."""
        return f"account={self.account} arn={self.caller} user_id={self.user_id}"


class Sender(Protocol):
    """`roadstead.outbound.https.HttpsPoster` is one."""

    def parse(self, url: str) -> Endpoint: ...

    def fetch(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None = None, *, most: int = ...
    ) -> Reply: ...


class Sts:
    """Sends signed calls. `endpoint` is a URL that calls may be for besides the hosts of STS, or ""."""

    def __init__(self, sender: Sender, endpoint: str = "", *, clock: Callable[[], float] = time.time) -> None:
        self._sender = sender
        self._endpoint = endpoint
        self._clock = clock
        self._confirmed: Recent[bytes, Principal] = Recent(REMEMBERED_SECONDS, _REMEMBERED, clock)

    def principal(self, call: SignedCall) -> Principal:
        """Return who signed a call. Costs one request to STS a minute. Raises CallInvalid, ProviderFailed."""
        call.check_time(self._clock())
        url = self._url(call)
        key = hashlib.sha256(call.text().encode()).digest()
        return self._confirmed.get(key, lambda: self._ask(call, url))

    def _url(self, call: SignedCall) -> str:
        if self._endpoint and call.host == self._endpoint.partition("://")[2]:
            return f"{self._endpoint}/"
        region = STS_HOSTS.get(call.host)
        if region is None:
            raise CallInvalid("the call is not for a host of AWS STS that this registry asks")
        if region != call.region:
            raise CallInvalid(f"the call is signed for the region {call.region}; {call.host} takes {region}")
        return f"https://{call.host}/"

    def _ask(self, call: SignedCall, url: str) -> Principal:
        try:
            endpoint = self._sender.parse(url)
            reply = self._sender.fetch(endpoint, call.headers(), BODY, most=MAX_REPLY)
        except (EndpointRefused, Unreachable) as error:
            raise ProviderFailed("sts", str(error)) from error
        if reply.status in _REFUSALS and (code := _error_code(reply.body)) not in _BUSY:
            raise CallInvalid(
                f"AWS STS refuses the call ({code}): its credentials have ended, or it was changed after it was signed"
            )
        if reply.status != _OK:
            raise ProviderFailed("sts", f"{call.host} answers {reply.status}")
        return _principal(reply.body, call)


def sts(endpoint: str = "") -> Sts:
    """Return an Sts in times that fit into a token request. With an `endpoint`, its address may be an internal one."""
    hosts = EndpointPolicy(ports=frozenset({443}))
    policy = EndpointPolicy(ports=frozenset(), internal=True) if endpoint else hosts
    return Sts(HttpsPoster(policy, connect=2.0, total=3.0), endpoint)


def _principal(body: bytes, call: SignedCall) -> Principal:
    """Return the principal in STS's response. Raises ProviderFailed if it is anything else, CallInvalid if STS knows a
    kind of principal that rules cannot name."""
    found = _member(_document(body), "GetCallerIdentityResponse", "GetCallerIdentityResult")
    account, caller, user_id = (_member(found, name) for name in ("Account", "Arn", "UserId"))
    if not (isinstance(account, str) and isinstance(caller, str) and isinstance(user_id, str)):
        raise ProviderFailed("sts", f"{call.host} answers without Account, Arn and UserId")
    match = _ARN.fullmatch(caller)
    if match is None or _USER_ID.fullmatch(user_id) is None:
        raise CallInvalid("the AWS principal is neither a role, nor a user, nor a federated user")
    of_role, of_others = match["role_account"], match["federated_account"] or match["user_account"]
    if (of_role or of_others) != account or (call.host in STS_HOSTS and match["partition"] != _partition(call.region)):
        raise ProviderFailed("sts", f"{call.host} answers with an ARN of another account or partition")
    if not of_role:
        return Principal(account, caller, user_id, caller)
    arn = f"arn:{match['partition']}:iam::{account}:role/{match['role']}"
    return Principal(account, arn, user_id, caller, match["session"])


def _partition(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _document(body: bytes) -> Any:
    try:
        return documents.read(body)
    except ValueError:
        return None


def _member(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _error_code(body: bytes) -> str:
    code = _member(_document(body), "Error", "Code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "refused"
