"""Requests as CloudFront shows them to the functions, tokens, and what is expected of the outcome."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from local.edge.rules import check_request, viewer_event
from roadstead.content.uploads.token import UploadKeys, UploadToken
from roadstead.names import RepositoryName
from tests.unit.edge.engines import Engine, Outcome

HOST = "registry.example.com"
ADDRESS = "198.51.100.7"
REPOSITORY = "team/app"
UPLOAD_ID = "0123456789abcdef0123456789abcdef"
UPLOAD = f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"
CONTENT = b"a layer"
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
SHA512 = f"sha512:{hashlib.sha512(CONTENT).hexdigest()}"

OLD_KEY, NEW_KEY, FOREIGN_KEY = b"o" * 32, b"n" * 40, b"f" * 32
KEYS = UploadKeys("new", {"old": OLD_KEY, "new": NEW_KEY})
FOREIGN_KEYS = UploadKeys("new", {"new": FOREIGN_KEY})


def store(*, relay: bool = False) -> dict[str, str]:
    """The content of the key-value store."""
    keys = {name: base64.b64encode(key).decode() for name, key in KEYS.keys.items()}
    return {"upload-keys": json.dumps({"current": "new", "keys": keys}), "relay": "on" if relay else "off"}


def token(
    *,
    repository: str = REPOSITORY,
    upload_id: str = UPLOAD_ID,
    subject: str = "alice",
    expires_in: float = 3600,
    chunked: bool = False,
    keys: UploadKeys = KEYS,
    bodies_for: float | None = 1800,
) -> str:
    made = UploadToken(
        RepositoryName(repository), upload_id, subject, "user", "token-1", int(time.time() + expires_in), chunked
    )
    if bodies_for is not None:
        made = replace(made, bodies_until=int(time.time() + bodies_for))
    return made.encode(keys)


def run(
    engine: Engine,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    *,
    relay: bool = False,
    settings: dict[str, str] | None = None,
    host: str = HOST,
) -> Outcome:
    """Run the viewer-request function, and hold what it returns to CloudFront's rules."""
    path, mark, query = target.partition("?")
    event = viewer_event("viewer-request", method, path, query, [("Host", host), *headers], ADDRESS, "r-1")
    outcome = engine.run(
        "request", event, query if mark else None, store(relay=relay) if settings is None else settings
    )
    if "statusCode" not in outcome.result:
        check_request(event["request"], outcome.result)
    return outcome


def whole_put(
    engine: Engine,
    *headers: tuple[str, str],
    target: str | None = None,
    digest: str = SHA256,
    length: str = str(len(CONTENT)),
    relay: bool = False,
) -> Outcome:
    """A PUT that is a whole blob, but for what the arguments change."""
    target = f"{UPLOAD}?_state={token()}&digest={digest}" if target is None else target
    return run(engine, "PUT", target, [("Content-Length", length), *headers], relay=relay)


def headers_of(outcome: Outcome) -> dict[str, str]:
    return {name: entry["value"] for name, entry in outcome.result["headers"].items()}


def where(outcome: Outcome) -> str:
    """The origin that gets the request first, or the status and code of a refusal."""
    if "statusCode" in outcome.result:
        status, code = refusal(outcome)
        return f"{status} {code}"
    if outcome.group is not None:
        assert outcome.origin is None
        first, second = outcome.group["originIds"]
        assert (second, outcome.group["failoverCriteria"]) == ({"originId": "api"}, {"statusCodes": [403]})
        return str(first["originId"])
    return outcome.origin or "api"


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.origin is None
    assert outcome.group is None
    if "body" not in outcome.result:
        return outcome.result["statusCode"], "HEAD"
    return outcome.result["statusCode"], error(outcome)["code"]


def error(outcome: Outcome) -> dict[str, Any]:
    """The one error in a refusal's body, which is an OCI error body and nothing else."""
    result = outcome.result
    assert headers_of(outcome)["content-type"] == "application/json"
    (entry,) = json.loads(result["body"]["data"])["errors"]
    assert entry["message"]
    return dict(entry)
