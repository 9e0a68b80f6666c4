from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.base64url import encode
from roadstead.identity.directory import MAX_USER_NAME, RefreshToken, UserName
from roadstead.identity.tokens.refresh_tokens import (
    MAX_LENGTH,
    RefreshPolicy,
    expired,
    new_refresh_token,
    refresh_token_hash,
    refresh_token_user,
)

ADA = UserName.parse("ada")


def kept(number: int, *, client: str = "docker", created: int = 0, expires: int = 1000) -> RefreshToken:
    return RefreshToken(ADA, f"{number:04d}", client, 0, created or number, expires, expires)


@pytest.mark.parametrize("name", ["a", "ada@example.com", "a-b_c.d+e", "x" * MAX_USER_NAME])
def test_a_refresh_token_tells_whose_it_claims_to_be(name: str) -> None:
    token = new_refresh_token(UserName.parse(name))
    assert refresh_token_user(token) == name
    assert len(token) <= MAX_LENGTH
    assert token.startswith("rsrt_") and token.isascii()


def test_no_two_are_alike_nor_is_one_its_hash() -> None:
    first, second = new_refresh_token(ADA), new_refresh_token(ADA)
    assert first != second and refresh_token_hash(first) != refresh_token_hash(second)
    assert len(refresh_token_hash(first)) == 64
    assert refresh_token_hash(first) not in first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rsrt_",
        "rsrt_.",
        "rsrt_YWRh",
        "rsrt_YWRh.",
        "YWRh.secret",
        "rsrt_!!!.secret",
        f"rsrt_{encode(b'Ada')}.secret",
        f"rsrt_{encode(b'a:b')}.secret",
        f"rsrt_{encode(bytes([255, 254]))}.secret",
        "rsrt_YWRh.sécret",
        "rsrt_YWRh." + "x" * MAX_LENGTH,
        "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
    ],
)
def test_what_has_another_form_is_nobodys(text: str) -> None:
    assert refresh_token_user(text) is None


def test_only_the_expired_are_removed() -> None:
    assert expired([kept(1, expires=400), kept(2, expires=401), kept(3, expires=399)], 400) == ["0001", "0003"]


def test_a_use_moves_the_expiry_on_a_tenth_of_the_idle_time_at_a_time_and_never_beyond_the_end() -> None:
    policy = RefreshPolicy(lifetime=1000, idle=100)
    token = policy.create(ADA, "secret", "docker", 0, 0)
    assert (token.expires, token.ends) == (100, 1000)
    assert policy.extended(token, 9) is None
    assert policy.extended(token, 10) == 110
    assert policy.extended(replace(token, expires=960), 950) == 1000
    assert policy.extended(replace(token, expires=1000), 999) is None


def test_an_idle_time_beyond_the_lifetime_is_the_lifetime() -> None:
    token = RefreshPolicy(lifetime=50, idle=100).create(ADA, "secret", "docker", 0, 0)
    assert (token.expires, token.ends) == (50, 50)
