"""Failed logins: pauses, locks, and what each of them counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from roadstead.identity.directory import Role, UserName
from roadstead.identity.sign_in.attempts import (
    BUCKET_SECONDS,
    LOCK_SECONDS,
    Attempt,
    Scope,
    TooManyAttempts,
    network_of,
)
from roadstead.identity.sign_in.login import PasswordLogin, WrongPassword
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.identity.sign_in.ways_in import Refresh
from roadstead.trail.entries import Actor, ActorKind, Operation
from tests.unit.identity.parts import PASSWORD, Harbour, by_password

HOME, AWAY = "192.0.2.7", "198.51.100.9"
START = 2_000_000 * BUCKET_SECONDS  # the first second of a bucket


def at(address: str) -> Actor:
    return Actor("", ActorKind.ANONYMOUS, source_ip=address)


class Door:
    """Signs in at a time that the test sets. `ada` exists."""

    def __init__(self) -> None:
        self.harbour = Harbour()
        self.harbour.clock.now = START
        self.harbour.accounts.create_user("ada", PASSWORD)
        self.harbour.accounts.create_user("bob", PASSWORD)
        self.login = PasswordLogin(
            self.harbour.store, PasswordVerifier(self.harbour.hasher), self.harbour.onboarding, clock=self.harbour.clock
        )

    def wait(self, seconds: float) -> None:
        self.harbour.clock.now += seconds

    def fail(self, times: int = 1, name: str = "ada", address: str = HOME) -> list[Scope]:
        """Fail as often, each time as soon as there is no pause; return what was locked."""
        locked: list[Scope] = []
        for _ in range(times):
            try:
                self.login.sign_in(name, "wrong", source=at(address))
            except WrongPassword as wrong:
                locked += wrong.locks
            except TooManyAttempts as error:
                self.wait(error.retry_after)
                locked += self.fail(1, name, address)
        return locked

    def enter(self, name: str = "ada", address: str = HOME) -> int:
        """Return the seconds to wait; 0 for a login that succeeds."""
        try:
            self.login.sign_in(name, PASSWORD, source=at(address))
        except TooManyAttempts as error:
            return error.retry_after
        return 0


@pytest.fixture
def door() -> Door:
    return Door()


def test_four_failures_cost_nothing_and_the_next_ones_a_pause_that_doubles(door: Door) -> None:
    door.fail(4)
    assert door.enter() == 0
    waits = []
    for _ in range(5):
        door.fail()
        waits.append(door.enter())
    assert waits == [1, 2, 4, 8, 16]


def test_the_tenth_failure_of_a_name_from_one_address_locks_it_there_for_a_quarter_of_an_hour(door: Door) -> None:
    assert door.fail(9) == []
    assert door.fail() == [Scope.NAME_AND_ADDRESS]
    assert door.enter() == LOCK_SECONDS
    assert door.enter(address=AWAY) == 0
    assert door.enter("bob") == 0
    door.wait(LOCK_SECONDS - 1)
    assert door.enter() == 1
    door.wait(1)
    assert door.enter() == 0


def test_a_right_password_is_not_looked_at_during_a_lock(door: Door) -> None:
    door.fail(10)
    looked = len(door.harbour.hasher.verified)
    assert door.enter() > 0
    assert len(door.harbour.hasher.verified) == looked


def test_attempts_during_a_lock_do_not_prolong_it(door: Door) -> None:
    door.fail(10)
    for _ in range(50):
        with pytest.raises(TooManyAttempts):
            door.login.sign_in("ada", "wrong", source=at(HOME))
    assert door.enter() == LOCK_SECONDS
    door.wait(LOCK_SECONDS)
    assert door.enter() == 0


def test_a_failure_after_a_lock_begins_another_one_and_is_told(door: Door) -> None:
    assert door.fail(10) == [Scope.NAME_AND_ADDRESS]
    door.wait(LOCK_SECONDS)
    assert door.fail() == [Scope.NAME_AND_ADDRESS]
    assert door.enter() == LOCK_SECONDS


@pytest.mark.parametrize("offset", [0, 300, BUCKET_SECONDS - 1])
def test_whatever_happened_is_forgotten_half_an_hour_after_the_last_failure(door: Door, offset: int) -> None:
    door.wait(offset)
    door.fail(10)
    door.wait(2 * BUCKET_SECONDS)
    assert door.fail(4) == []
    assert door.enter() == 0


@pytest.mark.parametrize("offset", [0, 300, BUCKET_SECONDS - 1])
def test_a_lock_lasts_across_buckets(door: Door, offset: int) -> None:
    door.wait(offset)
    door.fail(10)
    door.wait(LOCK_SECONDS - 1)
    assert door.enter() == 1


def test_a_hundred_failures_from_many_addresses_lock_the_name_everywhere(door: Door) -> None:
    assert [scope for n in range(11) for scope in door.fail(9, address=f"203.0.113.{n}")] == []
    assert door.fail(1, address="203.0.113.11") == [Scope.NAME]
    assert door.enter(address=AWAY) > 0
    door.wait(LOCK_SECONDS)
    assert door.enter(address=AWAY) == 0


def test_a_hundred_failures_with_many_names_lock_the_address(door: Door) -> None:
    assert [scope for n in range(99) for scope in door.fail(1, name=f"user{n}")] == []
    assert door.fail(1, name="user99") == [Scope.ADDRESS]
    assert door.enter("bob") > 0
    assert door.enter("bob", address=AWAY) == 0


def test_an_ipv6_client_counts_by_its_network(door: Door) -> None:
    for n in range(10):
        door.fail(1, address=f"2001:db8::{n:x}")
    assert door.enter(address="2001:db8::ffff") > 0
    assert door.enter(address="2001:db8:0:1::1") == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_addresses_count_by_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_without_an_address_the_name_alone_is_counted(door: Door) -> None:
    assert door.fail(99, address="") == []
    assert door.fail(1, address="") == [Scope.NAME]


def test_a_name_that_no_user_can_have_counts_for_its_address(door: Door) -> None:
    assert door.fail(99, name="NO SUCH NAME") == []
    assert door.fail(1, name="NO SUCH NAME") == [Scope.ADDRESS]


def test_an_absent_user_is_locked_like_any_other(door: Door) -> None:
    assert door.fail(10, name="nobody") == [Scope.NAME_AND_ADDRESS]
    with pytest.raises(TooManyAttempts):
        door.login.sign_in("nobody", "wrong", source=at(HOME))


def test_of_failures_at_the_same_time_one_tells_the_lock(door: Door) -> None:
    attempt = Attempt.of(UserName("ada"), HOME, START)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: attempt.fail(door.harbour.store, {}), range(40)))
    assert [scope for scopes in told for scope in scopes] == [Scope.NAME_AND_ADDRESS]


def test_a_release_lets_the_user_in_at_once_and_is_told(door: Door) -> None:
    door.fail(10)
    door.harbour.accounts.release_login("ada")
    assert door.enter() == 0
    assert door.harbour.store.events[-1].operation is Operation.RELEASE_LOGIN
    assert door.harbour.store.events[-1].user == "ada"


def test_the_release_of_an_address_lets_its_names_in(door: Door) -> None:
    for n in range(100):
        door.fail(1, name=f"user{n}")
    assert door.enter("bob") > 0
    door.harbour.accounts.release_address(HOME)
    assert door.enter("bob") == 0
    assert door.harbour.store.events[-1].detail == f"address={HOME}"


def test_a_refresh_token_works_during_a_lock(door: Door) -> None:
    token = door.harbour.issue(by_password("ada"), offline=True).refresh_token
    assert token is not None
    door.fail(100, address="")
    assert door.enter() > 0
    door.harbour.accounts.create_project("ships")
    door.harbour.accounts.set_member("ships", "ada", Role.DEVELOPER)
    assert door.harbour.granted(Refresh(token), "repository:ships/a:pull") == {"ships/a": {"pull"}}


def test_a_name_with_many_addresses_keeps_its_item_small(door: Door) -> None:
    for n in range(30):
        door.fail(9, address=f"203.0.113.{n}")
    attempt = Attempt.of(UserName("ada"), HOME, door.harbour.clock.now)
    found = door.harbour.store.read(UserName("ada"), (), attempts=attempt.keys).attempts
    assert max(len(counts) for counts in found.values()) < 110
