"""What the request function logs: what it answers itself to a forged or an expired token, and nothing of a secret."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from infra.watching.edge_log import COUNTED
from tests.unit.edge.cases import ADDRESS, FOREIGN_KEYS, KEYS, REPOSITORY, SHA256, UPLOAD, run, token, whole_put
from tests.unit.edge.engines import Engine

FORGED, EXPIRED = COUNTED["ForgedUploadTokens"], COUNTED["ExpiredAccessTokens"]


def bearer(expires: float) -> tuple[str, str]:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": int(expires)}).encode()).rstrip(b"=").decode()
    return "Authorization", f"Bearer e30.{payload}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "state",
    [token(keys=FOREIGN_KEYS), token()[:-2] + "AA", token(upload_id="f" * 32), token(repository="team/other"), "x"],
    ids=["signed by somebody else", "changed", "of another upload", "of another repository", "no token at all"],
)
def test_a_forged_upload_token_leaves_one_line(engine: Engine, state: str) -> None:
    outcome = whole_put(engine, target=f"{UPLOAD}?_state={state}&digest={SHA256}")
    assert outcome.result["statusCode"] == 404
    assert outcome.lines == (f"{FORGED} {ADDRESS} {UPLOAD}",)


def test_an_expired_access_token_leaves_one_line(engine: Engine) -> None:
    path = f"/v2/{REPOSITORY}/manifests/1"
    outcome = run(engine, "GET", path, [bearer(time.time() - 3600)])
    assert outcome.result["statusCode"] == 401
    assert outcome.lines == (f"{EXPIRED} {ADDRESS} {path}",)


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", f"/v2/{REPOSITORY}/manifests/1", ()),
        ("GET", f"/v2/{REPOSITORY}/manifests/1", (bearer(4e9),)),
        ("GET", "/v2/", (bearer(4e9),)),
        ("GET", f"/v2/{REPOSITORY}/dance", (bearer(1),)),
        ("GET", UPLOAD, ()),
        ("PUT", f"{UPLOAD}?_state={token(expires_in=-1)}&digest={SHA256}", ()),
        ("PATCH", f"{UPLOAD}?_state={token()}", (("Transfer-Encoding", "chunked"),)),
    ],
    ids=["no token", "a token", "the base", "no endpoint", "an upload's URL alone", "an expired upload", "an upload"],
)
def test_everything_else_leaves_none(engine: Engine, method: str, target: str, headers: Any) -> None:
    assert run(engine, method, target, headers).lines == ()


def test_no_line_has_a_token_or_a_query(engine: Engine) -> None:
    forged = token(keys=FOREIGN_KEYS)
    lines = [
        *whole_put(
            engine, ("Authorization", "Bearer secret"), target=f"{UPLOAD}?_state={forged}&digest={SHA256}"
        ).lines,
        *run(engine, "GET", f"/v2/{REPOSITORY}/tags/list?last=secret", [bearer(1)]).lines,
    ]
    assert len(lines) == 2
    assert not any(text in line for line in lines for text in (forged, "secret", "?", "_state", *KEYS.keys))
