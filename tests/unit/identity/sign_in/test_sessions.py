"""Sessions of the console: when one counts, and that nothing of it can be guessed or derived."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.identity.directory import Session, User, UserName
from roadstead.identity.sign_in.sessions import (
    AT_ONCE,
    SEEN_SECONDS,
    NoSuchSession,
    SessionLimits,
    SessionService,
    csrf_token,
    is_csrf_token,
    session_hash,
    session_user,
)
from roadstead.trail.entries import Actor, Operation
from tests.memory.identity import MemoryIdentities

ADA = User(UserName.parse("ada.b@example.com"), "$argon2id$one", 1_800_000_000, epoch=2)
LIMITS = SessionLimits(idle=1_000, lifetime=10_000)


class Desk:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.store = MemoryIdentities()
        self.service = SessionService(self.store, LIMITS, clock=lambda: self.now)

    def session(self) -> Session:
        (session,) = self.store.sessions(ADA.name)
        return session


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_token_names_its_user_and_is_kept_as_a_hash(desk: Desk) -> None:
    token = desk.service.begin(ADA, address="192.0.2.7", user_agent="Firefox" * 100)
    assert session_user(token) == ADA.name
    session = desk.session()
    assert session.hash == session_hash(token)
    assert (session.epoch, session.address, len(session.user_agent)) == (2, "192.0.2.7", 256)
    assert token.rpartition(".")[2] not in repr(session)


def test_two_sessions_have_different_tokens(desk: Desk) -> None:
    assert desk.service.begin(ADA) != desk.service.begin(ADA)


def test_a_session_counts_until_it_is_idle(desk: Desk) -> None:
    desk.service.begin(ADA)
    desk.now += LIMITS.idle + SEEN_SECONDS - 1
    assert desk.service.is_live(desk.session(), ADA)
    desk.now += 1
    assert not desk.service.is_live(desk.session(), ADA)


def test_a_session_in_use_counts_until_its_lifetime_is_over(desk: Desk) -> None:
    desk.service.begin(ADA)
    for _ in range(19):
        desk.now += 500
        assert desk.service.is_live(desk.session(), ADA)
        desk.service.touch(desk.session())
    desk.now += 500
    assert not desk.service.is_live(desk.session(), ADA)


def test_a_use_is_written_down_every_five_minutes_at_most(desk: Desk) -> None:
    desk.service.begin(ADA)
    desk.now += SEEN_SECONDS - 1
    desk.service.touch(desk.session())
    assert desk.session().seen == 1_800_000_000
    desk.now += 1
    desk.service.touch(desk.session())
    assert desk.session().seen == 1_800_000_300


@pytest.mark.parametrize("changed", [replace(ADA, epoch=3), replace(ADA, disabled=True)], ids=["epoch", "disabled"])
def test_a_session_ends_with_a_new_password_or_a_disabled_account(desk: Desk, changed: User) -> None:
    desk.service.begin(ADA)
    assert not desk.service.is_live(desk.session(), changed)


def test_logging_out_ends_the_session_and_no_other(desk: Desk) -> None:
    first, second = desk.service.begin(ADA), desk.service.begin(ADA)
    desk.service.end(first)
    assert desk.session().hash == session_hash(second)
    desk.service.end("nonsense")
    desk.service.touch(replace(desk.session(), hash=session_hash(first), seen=0))
    assert desk.session().hash == session_hash(second)


def test_live_sessions_are_listed_newest_first(desk: Desk) -> None:
    desk.service.begin(ADA)
    desk.now += 2_000  # by now the first is idle
    tokens = []
    for _ in range(2):
        tokens.append(desk.service.begin(ADA))
        desk.now += 10
    assert [session.hash for session in desk.service.live_sessions(ADA)] == [session_hash(one) for one in tokens[::-1]]


@pytest.mark.parametrize("text", ["", "x", ".secret", "ada.", "Ada!.secret", "ada." + "x" * 200, "ada.sécret"])
def test_text_without_the_form_of_a_token_names_nobody(text: str) -> None:
    assert session_user(text) is None


def test_a_csrf_token_belongs_to_one_session(desk: Desk) -> None:
    first, second = desk.service.begin(ADA), desk.service.begin(ADA)
    assert is_csrf_token(first, csrf_token(first))
    assert not is_csrf_token(first, csrf_token(second))
    assert not is_csrf_token(first, None)
    assert not is_csrf_token(first, "")
    assert not is_csrf_token(first, "é")
    assert first.rpartition(".")[2] not in csrf_token(first)


def test_one_session_is_ended_by_its_id_alone(desk: Desk) -> None:
    desk.service.begin(ADA)
    desk.now += 1
    desk.service.begin(ADA)
    newest, oldest = desk.service.live_sessions(ADA)
    for wrong in ("", "é", newest.id[:-1], newest.hash, "0" * 16):
        with pytest.raises(NoSuchSession):
            desk.service.end_one(ADA, wrong, by=Actor(ADA.name))
    desk.service.end_one(ADA, newest.id, by=Actor(ADA.name))
    assert desk.service.live_sessions(ADA) == [oldest]
    assert [(one.operation, one.user, one.detail) for one in desk.store.events] == [
        (Operation.DELETE_SESSION, ADA.name, f"session={newest.id}")
    ]


@pytest.mark.parametrize("kept", [True, False])
def test_the_other_sessions_end_however_many_there_are(desk: Desk, kept: bool) -> None:
    for _ in range(AT_ONCE + 2):
        desk.service.begin(ADA)
    mine = desk.service.live_sessions(ADA)[7] if kept else None
    assert desk.service.end_others(ADA, mine, by=Actor(ADA.name)) == AT_ONCE + 2 - kept
    assert desk.service.live_sessions(ADA) == ([mine] if mine else [])
    assert len(desk.store.events) == 2
    assert desk.service.end_others(ADA, mine, by=Actor(ADA.name)) == 0
    assert len(desk.store.events) == 2
