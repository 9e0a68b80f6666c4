from __future__ import annotations

import pytest

from roadstead.base64url import encode
from roadstead.identity.directory import MAX_USER_NAME, RefreshToken, UserName
from roadstead.identity.refresh_tokens import (
    MAX_LENGTH,
    PER_CLIENT,
    PER_USER,
    new_refresh_token,
    refresh_token_hash,
    refresh_token_user,
    surplus,
)

ADA = UserName.parse("ada")


def kept(number: int, *, client: str = "docker", created: int = 0, expires: int = 1000) -> RefreshToken:
    return RefreshToken(ADA, f"{number:04d}", client, 0, created or number, expires)


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


def test_nothing_goes_while_there_is_room() -> None:
    assert surplus([kept(number) for number in range(1, PER_CLIENT)], kept(500)) == []


def test_the_oldest_of_the_same_client_goes() -> None:
    existing = [kept(number) for number in range(1, PER_CLIENT + 1)]
    assert surplus(reversed(existing), kept(500)) == ["0001"]
    assert surplus([*existing, kept(99, client="oras")], kept(500)) == ["0001"]
    assert surplus(existing, kept(500, client="oras")) == []


def test_the_oldest_of_a_user_goes_however_many_clients_there_are() -> None:
    existing = [kept(number, client=f"client{number}") for number in range(1, PER_USER + 1)]
    assert surplus(existing, kept(500, client="new")) == ["0001"]
    assert surplus([*existing, kept(100), kept(101)], kept(500, client="new")) == ["0001", "0002", "0003"]


def test_a_crowd_that_grew_at_once_is_cut_down_to_the_cap() -> None:
    existing = [kept(number) for number in range(1, PER_CLIENT + 4)]
    assert surplus(existing, kept(500)) == ["0001", "0002", "0003", "0004"]


def test_the_expired_go_and_take_no_room() -> None:
    existing = [kept(number, expires=400) for number in range(1, 4)]
    existing += [kept(number) for number in range(4, PER_CLIENT + 3)]
    assert surplus(existing, kept(500, created=400)) == ["0001", "0002", "0003"]
