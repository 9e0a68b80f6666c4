"""The registry and token functions in one process, and a client that speaks to them by the specification.

Everything goes through payload 1.0 events, as the emulated gateway makes them, and `functions.hosting.boundary`.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from functions.api import ROUTES
from local.gateway.events import Incoming, event_for, response_from
from roadstead.content.objects import Objects
from roadstead.content.uploads.token import UploadKeys
from roadstead.digest import Digest
from roadstead.identity.accounts import Accounts
from tests.memory.signing import MemoryKeys

Headers = Mapping[str, str] | Sequence[tuple[str, str]]
Function = Callable[[Mapping[str, Any]], dict[str, Any]]

HOST = "registry.test"
OCTETS = "application/octet-stream"
_PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client sees, and `result`, what the function returned for it."""

    status: int
    pairs: tuple[tuple[str, str], ...]  # names in lower case
    body: bytes
    result: Mapping[str, Any] = field(repr=False)

    def expect(self, status: int) -> Answer:
        """Itself; raises AssertionError with the body unless it has this status."""
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:1000]!r}"
        return self

    def refused(self, status: int, code: str) -> Answer:
        """Itself; raises AssertionError unless it is an error answer of the specification's form with this code."""
        self.expect(status)
        assert self.codes == [code], self.body
        return self

    def header(self, name: str) -> str | None:
        values = self.headers(name)
        assert len(values) < 2, f"{name} stands there {len(values)} times"
        return values[0] if values else None

    def headers(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name.lower()]

    @property
    def location(self) -> str:
        location = self.header("location")
        assert location is not None
        return location

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        assert self.header("content-type") == "application/json"
        return [error["code"] for error in self.json()["errors"]]

    @property
    def message(self) -> str:
        return str(self.json()["errors"][0]["message"])

    @property
    def challenge(self) -> dict[str, str]:
        """The parameters of a Bearer challenge."""
        header = self.header("www-authenticate") or ""
        assert header.startswith("Bearer "), header
        return dict(_PARAMETER.findall(header))

    @property
    def next(self) -> str | None:
        """Where the next page is."""
        header = self.header("link")
        if header is None:
            return None
        match = re.fullmatch(r'<(/[^>]*)>; rel="next"', header)
        assert match is not None, header
        return match.group(1)


@dataclass(slots=True)
class Api:
    """Both functions; `passwords` by user name. The others are for tests that look behind the scenes: the accounts, the
    bucket, the keys of upload tokens, and where nothing is on AWS those of access tokens."""

    functions: Mapping[str, Function]
    passwords: Mapping[str, str]
    accounts: Accounts
    objects: Objects
    keys: UploadKeys
    token_keys: MemoryKeys | None = None

    def request(
        self, method: str, target: str, headers: Headers = (), body: bytes = b"", *, host: str = HOST
    ) -> Answer:
        """One request. `target` is the raw path and query, or an absolute URL as a Location may be one."""
        parts = urlsplit(target) if "://" in target else urlsplit(f"//{host}{target}")
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        incoming = Incoming(
            method=method,
            target=parts.path,
            query=parts.query,
            headers=(("host", parts.netloc), *((name.lower(), value) for name, value in pairs)),
            body=body,
            client="192.0.2.7",
            scheme="https",
            port=443,
        )
        for route in ROUTES:
            proxy = route.match(incoming.path)
            if proxy is not None:
                event = event_for(incoming, resource=route.path, proxy=proxy, request_id="request-1", now=time.time())
                result = self.functions[route.function](json.loads(json.dumps(event)))
                answer = response_from(json.loads(json.dumps(result)), method)
                return Answer(answer.status, answer.headers, answer.body, result)
        raise AssertionError(f"no route takes {target}")

    def user(self, name: str) -> Client:
        """A client with that user's credentials; "" for nobody."""
        return Client(self, name)

    def stored(self, url: str) -> bytes | None:
        """The object that a presigned URL points to."""
        path = urlsplit(url).path
        return self.objects.get(path[path.index("blobs/") :])


@dataclass(frozen=True, slots=True)
class Client:
    """Asks for tokens as clients do: when it is challenged, for the scopes of the challenge."""

    api: Api
    name: str
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def token(self, *scopes: str) -> str:
        """A token for these scopes, of this user; kept, as clients keep it."""
        key = " ".join(scopes)
        if key not in self._tokens:
            query = urlencode([("service", "roadstead"), *(("scope", scope) for scope in scopes)])
            answer = self.api.request("GET", f"/token?{query}", self.basic())
            self._tokens[key] = answer.expect(200).json()["token"]
        return self._tokens[key]

    def basic(self) -> dict[str, str]:
        if not self.name:
            return {}
        credentials = f"{self.name}:{self.api.passwords[self.name]}".encode()
        return {"Authorization": "Basic " + base64.b64encode(credentials).decode()}

    def request(
        self, method: str, target: str, headers: Headers = (), body: bytes = b"", *, scope: str | None = None
    ) -> Answer:
        """With a token for `scope` at once, or for what the first answer's challenge asks for."""
        pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        if scope is None:
            answer = self.api.request(method, target, pairs, body)
            if answer.status != 401:
                return answer
            scope = answer.challenge.get("scope", "")
        bearer = ("Authorization", f"Bearer {self.token(*scope.split())}")
        return self.api.request(method, target, (*pairs, bearer), body)

    # Pushing blobs, in every way that the specification has.

    def start(self, repository: str, query: str = "") -> str:
        """The Location of a new upload."""
        target = f"/v2/{repository}/blobs/uploads/" + (f"?{query}" if query else "")
        return self.request("POST", target).expect(202).location

    def put(self, location: str, digest: str, body: bytes = b"", headers: Headers = ()) -> Answer:
        pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        target = f"{location}&digest={quote(digest, safe='')}"
        return self.api.request("PUT", target, (("Content-Type", OCTETS), *pairs), body)

    def patch(self, location: str, body: bytes, start: int | None = None) -> Answer:
        headers = {"Content-Type": OCTETS}
        if start is not None:
            headers["Content-Range"] = f"{start}-{start + len(body) - 1}"
        return self.api.request("PATCH", location, headers, body)

    def push_blob(self, repository: str, data: bytes, algorithm: str = "sha256") -> Digest:
        """POST, then PUT with the body."""
        digest = Digest.of(data, algorithm)
        self.put(self.start(repository), digest, data).expect(201)
        return digest

    # Manifests

    def put_manifest(
        self, repository: str, reference: str, body: bytes, media_type: str | None = None, *, tags: Sequence[str] = ()
    ) -> Answer:
        query = "?" + urlencode([("tag", tag) for tag in tags]) if tags else ""
        headers = {"Content-Type": media_type} if media_type is not None else {}
        return self.request("PUT", f"/v2/{repository}/manifests/{reference}{query}", headers, body)

    def manifest(self, repository: str, reference: str, *, method: str = "GET", headers: Headers = ()) -> Answer:
        return self.request(method, f"/v2/{repository}/manifests/{reference}", headers)

    def blob(self, repository: str, digest: str, *, method: str = "GET", headers: Headers = ()) -> Answer:
        return self.request(method, f"/v2/{repository}/blobs/{digest}", headers)

    def referrers(self, repository: str, digest: str, query: str = "") -> Answer:
        return self.request("GET", f"/v2/{repository}/referrers/{digest}{query}")

    def tags(self, repository: str, query: str = "") -> Answer:
        return self.request("GET", f"/v2/{repository}/tags/list{query}")
