"""The management API over HTTP. Refusals become Failure, with the sentence that the registry sent."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cli.failures import USAGE, Failure

PAGE_SIZE = 100
TIMEOUT = 60.0  # seconds
POLLS = (0.25, 0.5, 1.0)  # seconds between the first looks at an execution
POLL = 2.0  # and then
FRESH = 120.0  # seconds for which a password that was made afresh is used
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="next"')
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_EXECUTIONS = "/api/roadstead/v1/executions/"
# Where Harbor's API has executions of its own: the ids are the same.
_STARTED = re.compile(rf"(?:{_EXECUTIONS}|/api/v2\.0/retentions/\d+/executions/|/api/v2\.0/system/gc/)(\d+)")
_OVER = frozenset({"Success", "Error", "Stopped"})


@dataclass(frozen=True, slots=True)
class Login:
    """A registry, and who asks. `password` is a password, a robot's secret or an access token.

    `fresh` makes a password in place of one that is kept: an identity token, or a call signed by AWS credentials.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    fresh: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    def secret(self) -> str:
        """Return the password, made now if it is not kept. Raises Failure."""
        return self.password if self.fresh is None else self.fresh()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def is_text(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/plain")

    def document(self) -> Any:
        """Return the JSON body; None if there is none, text as it is."""
        if not self.body:
            return None
        if self.headers.get("content-type", "").startswith("application/json"):
            return json.loads(self.body)
        return self.body.decode(errors="replace")


class Client:
    """Raises Failure for every status from 400 on, and for a registry that cannot be reached."""

    def __init__(self, login: Login, *, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(login.url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.path.strip("/"):
            raise Failure(f"{login.url} is not a registry's URL; it is like https://registry.example.com.", USAGE)
        if parts.scheme == "http" and login.user and _LOOPBACK.fullmatch(parts.hostname) is None:
            raise Failure("A password is sent by HTTPS only, except to this machine.", USAGE)
        self._login, self._scheme, self._host = login, parts.scheme, parts.netloc
        self._secret: tuple[float, str] | None = None  # since when, and what
        self._sleep = sleep

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request. `path` is encoded already."""
        target = f"{path}?{urlencode(query)}" if query else path
        sent = {"Accept": "application/json", "User-Agent": "roadstead-cli", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        if self._login.user:
            basic = base64.b64encode(f"{self._login.user}:{self._current_secret()}".encode()).decode()
            sent["Authorization"] = f"Basic {basic}"
        answer = self._send(method, target, data, sent)
        if answer.status >= 400:
            raise Failure(_reason(answer))
        return answer

    def _current_secret(self) -> str:
        """Return the password; one that is made afresh is made again before it ends."""
        if self._secret is None or time.monotonic() - self._secret[0] > FRESH:
            self._secret = (time.monotonic(), self._login.secret())
        return self._secret[1]

    def items(self, path: str, query: Mapping[str, str], most: int) -> Iterator[Any]:
        """Yield the items of a list, page after page as `Link` leads, up to `most`."""
        target, asked, left = path, dict(query), most
        while target and left > 0:
            answer = self.call("GET", target, query=asked)
            for item in answer.document()[:left]:
                yield item
                left -= 1
            following = _NEXT.search(answer.headers.get("link", ""))
            target, asked = (following[1], {}) if following else ("", {})

    def whole(self, answer: Answer) -> Answer:
        """Return a text with all of its parts, to which `Link` leads; other answers as they are.

        The last line of a part that others follow says that, in parentheses, and is left out.
        """
        parts: list[bytes] = []
        while answer.is_text and (following := _NEXT.search(answer.headers.get("link", ""))):
            parts.append(answer.body[: answer.body.rfind(b"\n(") + 1])
            answer = self.call("GET", following[1])
        return replace(answer, body=b"".join((*parts, answer.body)))

    def follow(self, execution: str, progress: Callable[[str], None]) -> Mapping[str, Any]:
        """Wait for an execution and return it. Raises Failure unless it succeeds."""
        said, looks = "", 0
        while True:
            found: Mapping[str, Any] = self.call("GET", execution).document()
            state = _state(found)
            if state != said:
                progress(state)
                said = state
            if found.get("status") in _OVER:
                break
            self._sleep(POLLS[looks] if looks < len(POLLS) else POLL)
            looks += 1
        if found["status"] != "Success":
            why = f"The execution ended with {found['status']}: {found.get('message', '')}".rstrip(": .")
            raise Failure(f"{why}.")
        return found

    def _send(self, method: str, target: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        if self._scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT)
        try:
            connection.request(method, target, data, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{self._scheme}://{self._host} does not answer: {error}.") from error
        finally:
            connection.close()


def segment(value: str) -> str:
    """Return a value for one segment of a path; slashes of a repository are encoded twice, as Harbor's clients do."""
    return quote(value.replace("/", "%2F"), safe="")


def execution_at(location: str) -> str:
    """Return the path of an execution that a `Location` leads to; empty if it leads elsewhere."""
    found = _STARTED.fullmatch(location)
    return f"{_EXECUTIONS}{found[1]}" if found else ""


def _state(execution: Mapping[str, Any]) -> str:
    """How an execution goes, in a line: `Running: blobs 120, manifests 4`."""
    counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in execution.get("progress", {}).items())
    return ": ".join(part for part in (str(execution.get("status", "")), counts) if part)


def _reason(answer: Answer) -> str:
    try:
        document = answer.document()
        if isinstance(document, list):  # of an import: whom it failed for
            message = "; ".join(f"{one['uid']}: {one['error']}" for one in document)
        else:
            message = str(document["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        message = f"the registry responded with {answer.status}"
    if answer.status == 401:
        message += "; see `roadstead login`"
    return f"{message[:1].upper()}{message[1:]}."
