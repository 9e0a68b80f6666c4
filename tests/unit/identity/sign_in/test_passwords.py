from __future__ import annotations

import unicodedata

import pytest

from roadstead.identity.sign_in import passwords
from roadstead.identity.sign_in.passwords import NOBODY, Argon2Hasher, PasswordVerifier, WeakPassword, check_password
from tests.unit.identity.parts import PASSWORD, Clock, CountingHasher

HASHER = Argon2Hasher()
OLD = "$argon2id$v=19$m=8192,t=1,p=1$"  # the beginning of a hash by weaker parameters


def test_a_hash_is_a_phc_string_with_todays_parameters() -> None:
    phc = HASHER.hash(PASSWORD)
    assert phc.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert HASHER.is_current(phc)
    assert HASHER.verify(PASSWORD, phc)
    assert not HASHER.verify(PASSWORD + "x", phc)
    assert not HASHER.verify("", phc)


def test_the_same_password_is_hashed_differently_every_time() -> None:
    assert HASHER.hash(PASSWORD) != HASHER.hash(PASSWORD)


def test_the_hash_of_nobody_costs_the_same_and_is_nobodys() -> None:
    assert HASHER.is_current(NOBODY)
    assert not HASHER.verify("", NOBODY)
    assert not HASHER.verify(PASSWORD, NOBODY)


def test_the_same_password_in_another_unicode_form_is_right() -> None:
    composed = unicodedata.normalize("NFC", "Brücke über die Förde")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    assert HASHER.verify(decomposed, HASHER.hash(composed))


def test_a_password_that_is_too_long_is_wrong_even_if_its_beginning_is_right() -> None:
    longest = "x" * passwords.MAX_BYTES
    phc = HASHER.hash(longest)
    assert HASHER.verify(longest, phc)
    assert not HASHER.verify(longest + "x", phc)


@pytest.mark.parametrize("password", ["x" * 12, "x" * 512, "Brücke übers", " " * 12])
def test_passwords_within_the_rules(password: str) -> None:
    check_password(password)


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 513, "ü" * 257])
def test_passwords_outside_the_rules(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_password(password)


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(hasher: CountingHasher, clock: Clock) -> PasswordVerifier:
    return PasswordVerifier(hasher, clock=clock)


def test_a_right_password_is_verified_once_a_minute(
    verifier: PasswordVerifier, hasher: CountingHasher, clock: Clock
) -> None:
    phc = hasher.hash(PASSWORD)
    assert all(verifier.verify("ada", PASSWORD, phc) for _ in range(5))
    clock.now += 59
    assert verifier.verify("ada", PASSWORD, phc)
    assert len(hasher.verified) == 1
    clock.now += 1
    assert verifier.verify("ada", PASSWORD, phc)
    assert len(hasher.verified) == 2


def test_a_wrong_password_is_verified_every_time(verifier: PasswordVerifier, hasher: CountingHasher) -> None:
    phc = hasher.hash(PASSWORD)
    assert verifier.verify("ada", PASSWORD, phc)
    assert not any(verifier.verify("ada", "wrong", phc) for _ in range(3))
    assert len(hasher.verified) == 4


def test_nobodys_password_takes_the_same_work_as_a_wrong_one(
    verifier: PasswordVerifier, hasher: CountingHasher
) -> None:
    assert not verifier.verify("nobody", PASSWORD, None)
    assert not verifier.verify("nobody", PASSWORD, None)
    assert hasher.verified == [NOBODY, NOBODY]


@pytest.mark.parametrize(
    ("user", "password"), [("bob", PASSWORD), ("ada", PASSWORD + "x")], ids=["another user", "another password"]
)
def test_what_is_remembered_is_good_for_nothing_else(
    verifier: PasswordVerifier, hasher: CountingHasher, user: str, password: str
) -> None:
    phc = hasher.hash(PASSWORD)
    assert verifier.verify("ada", PASSWORD, phc)
    verifier.verify(user, password, phc)
    assert len(hasher.verified) == 2


def test_a_changed_hash_is_not_remembered(verifier: PasswordVerifier, hasher: CountingHasher) -> None:
    assert verifier.verify("ada", PASSWORD, hasher.hash(PASSWORD))
    assert not verifier.verify("ada", PASSWORD, hasher.hash("another password"))


def test_no_password_is_kept_and_the_memory_is_bounded(verifier: PasswordVerifier, hasher: CountingHasher) -> None:
    phc = hasher.hash(PASSWORD)
    for number in range(passwords.CACHE_ENTRIES + 10):
        assert verifier.verify(f"user{number}", PASSWORD, phc)
    known = verifier._known
    assert len(known) == passwords.CACHE_ENTRIES
    assert all(len(key) == 32 and PASSWORD.encode() not in key for key in known)
    # The oldest went: the first user's is verified anew, the last one's is not.
    before = len(hasher.verified)
    verifier.verify(f"user{passwords.CACHE_ENTRIES + 9}", PASSWORD, phc)
    assert len(hasher.verified) == before
    verifier.verify("user0", PASSWORD, phc)
    assert len(hasher.verified) == before + 1


def test_a_hash_is_renewed_when_the_parameters_have_changed(verifier: PasswordVerifier, hasher: CountingHasher) -> None:
    phc = hasher.hash(PASSWORD)
    assert verifier.renewed(PASSWORD, phc) is None
    hasher.version = 2
    renewed = verifier.renewed(PASSWORD, phc)
    assert renewed is not None and renewed.startswith("v2$") and hasher.verify(PASSWORD, renewed)


def test_hashes_of_other_parameters_are_not_current() -> None:
    assert not HASHER.is_current(OLD + "A" * 22 + "$" + "A" * 43)
    assert not HASHER.is_current(NOBODY.replace("argon2id", "argon2i"))
