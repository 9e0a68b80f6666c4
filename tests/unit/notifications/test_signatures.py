"""Signatures, against the vector of Standard Webhooks and by a receiver's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest

from roadstead.notifications.signatures import key_of, new_secret, signature_headers

DOCUMENT = Path(__file__).parents[3] / "docs" / "notifications.md"
BODY = b'{"test": 2432232314}'


def test_the_vector_of_the_reference_libraries_comes_out() -> None:
    headers = signature_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_signature_is_of_id_time_and_body() -> None:
    secret = new_secret()
    headers = signature_headers(secret, "d1", 5, BODY)
    mac = hmac.digest(base64.b64decode(secret[6:]), b"d1.5." + BODY, hashlib.sha256)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


def test_new_secrets_are_good_and_all_different() -> None:
    secrets = {new_secret() for _ in range(20)}
    assert len(secrets) == 20
    assert all(len(key_of(secret)) == 32 for secret in secrets)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "hidden", "whsec_hidden!", "whsec_" + "A" * 8, base64.b64encode(b"k" * 32).decode(),
     "whsec_" + base64.b64encode(b"k" * 23).decode(), "whsec_" + base64.b64encode(b"k" * 65).decode(), "whsec_ü"],
)  # fmt: skip
def test_a_secret_of_another_form_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes") as refused:
        key_of(secret)
    assert refused.value.__suppress_context__ or refused.value.__cause__ is None
    assert not secret or secret not in str(refused.value).replace("whsec_ and", "")


@pytest.fixture
def check() -> Any:
    """The function that docs/notifications.md tells receivers to use."""
    source = DOCUMENT.read_text().split("```python\n", 1)[1].split("```", 1)[0]
    names: dict[str, Any] = {}
    exec(compile(source, str(DOCUMENT), "exec"), names)
    return names["is_from_the_registry"]


def test_the_documented_check_takes_ours_and_nothing_else(check: Any) -> None:
    secret = new_secret()
    headers = signature_headers(secret, "d1", 1_800_000_000, BODY)
    now = 1_800_000_100
    assert check(secret, headers, BODY, now)
    assert not check(secret, headers, BODY + b" ", now)
    assert not check(new_secret(), headers, BODY, now)
    assert not check(secret, headers, BODY, now + 300)
    assert not check(secret, headers, BODY, now - 500)
    assert not check(secret, {**headers, "webhook-id": "d2"}, BODY, now)
    assert not check(secret, {**headers, "webhook-timestamp": str(now)}, BODY, now)
    assert not check(secret, {**headers, "webhook-timestamp": "soon"}, BODY, now)
    assert not check(secret, {**headers, "webhook-signature": "v1,"}, BODY, now)
    assert not check(secret, {}, BODY, now)
    other = signature_headers(new_secret(), "d1", 1_800_000_000, BODY)["webhook-signature"]
    assert check(secret, {**headers, "webhook-signature": f"{other} {headers['webhook-signature']}"}, BODY, now)
