"""No line that a function writes has a secret in it: passwords, tokens, upload states, the edge's secret."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from functions.hosting.lines import JsonFormatter, StandardOutput
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.digest import Digest
from tests.api.client import Api
from tests.api.conftest import EDGE_SECRET, PASSWORDS, UPLOAD_KEYS, Builder
from tests.api.documents import CONFIG, dump, image, of
from tests.memory.index import MemoryIndex

SHIPS = "acme/ships"
WRONG = "a wrong password with $igns"
PATH_BREAKER = RuntimeError("the index broke")


@pytest.fixture
def api(build: Builder) -> Api:
    return build(EDGE_SECRET_PARAMETER="/edge", DISTRIBUTION_URL="https://r.example", REFRESH_TOKENS="on")


@pytest.fixture(autouse=True)
def everything_logged() -> Iterator[None]:
    """As in a function, but for the level: even what only a developer would switch on."""
    handler = StandardOutput()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield
    root.removeHandler(handler)
    root.setLevel(level)


def test_secrets_are_never_stored_or_logged(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {PASSWORDS["maintainer"], WRONG, EDGE_SECRET, *(key.decode() for key in UPLOAD_KEYS.keys.values())}
    edge = {"X-Roadstead-Secret": EDGE_SECRET, "X-Roadstead-Address": "203.0.113.9"}

    def basic(password: str) -> dict[str, str]:
        text = base64.b64encode(f"maintainer:{password}".encode()).decode()
        secrets.add(text)
        return {"Authorization": f"Basic {text}", **edge}

    # Logins, right and wrong, by every grant
    scope = urlencode({"service": "roadstead", "scope": f"repository:{SHIPS}:pull,push,delete"})
    token = api.request("GET", f"/token?{scope}&offline_token=true", basic(PASSWORDS["maintainer"])).json()
    secrets |= {token["token"], token["refresh_token"]}
    secrets |= set(token["token"].split("."))
    api.request("GET", f"/token?{scope}", basic(WRONG)).expect(401)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for fields in (
        {"grant_type": "password", "username": "maintainer", "password": WRONG},
        {"grant_type": "password", "username": WRONG, "password": "x"},
        {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]},
        {"grant_type": "refresh_token", "refresh_token": token["refresh_token"] + "x"},
        {"grant_type": token["refresh_token"]},
    ):
        api.request("POST", "/token", form, urlencode(fields).encode())
    secrets.add(quote(WRONG))

    # Push, pull, delete; a token that is broken, one in the wrong place, an upload that breaks off
    bearer = {"Authorization": f"Bearer {token['token']}", **edge}
    for data in (b"{}", b"layer" * 5000):
        location = api.request("POST", f"/v2/{SHIPS}/blobs/uploads/", bearer).expect(202).location
        state = parse_qs(urlsplit(location).query)["_state"][0]
        secrets |= {state, quote(state, safe="")}
        api.request("PUT", f"{location}&digest={Digest.of(data)}", {}, data).expect(201)
        api.request("PUT", f"{location}x&digest={Digest.of(data)}", {}, data)
    body = dump(image(of(b"{}", CONFIG), [of(b"layer" * 5000)]))
    api.request("PUT", f"/v2/{SHIPS}/manifests/1", {**bearer, "Content-Type": OCI_MANIFEST}, body).expect(201)
    api.request("GET", f"/v2/{SHIPS}/manifests/1", bearer).expect(200)
    redirect = api.request("GET", f"/v2/{SHIPS}/blobs/{Digest.of(b'layer' * 5000)}", bearer).expect(307)
    secrets.add(redirect.location)
    api.request("GET", f"/v2/{SHIPS}/manifests/1", {"Authorization": f"Bearer {token['token'][:-3]}"}).expect(401)
    api.request("GET", f"/v2/?access_token={token['token']}").expect(401)
    api.request("DELETE", f"/v2/{SHIPS}/manifests/1", bearer).expect(202)

    # What is unforeseen is logged with its traceback
    def broken(*_: object, **__: object) -> None:
        raise PATH_BREAKER

    monkeypatch.setattr(MemoryIndex, "find_tag", broken)
    api.request("GET", f"/v2/{SHIPS}/manifests/1", bearer).expect(500)
    api.accounts.create_user("new", "the password of new")
    api.accounts.set_password("new", "another password of new")
    secrets |= {"the password of new", "another password of new"}

    printed = capsys.readouterr()
    assert '"audit"' in printed.out and '"Requests"' in printed.out and "the index broke" in printed.out
    for secret in secrets:
        assert len(secret) > 7
        for line in (printed.out + printed.err).splitlines():
            assert secret not in line, f"{secret[:30]!r} is in {line[:200]}"
