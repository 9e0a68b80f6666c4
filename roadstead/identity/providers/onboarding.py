"""The account of a person whom a provider outside of the registry knows: found by the subject, made at the first
sign-in, and brought up to date at every other one.

A name belongs to the provider that onboarded it, so nobody can take over a name by another provider, and a person whose
name has changed there keeps the account, under the old name. Somebody else who has the old name by then is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from roadstead.conflicts import Conflict
from roadstead.identity.directory import EMAIL, MAX_GROUPS, MAX_PROFILE, Profile, User, UserName
from roadstead.identity.groups import GroupKey, GroupKind, Groups
from roadstead.identity.people import LDAP, OIDC, Person
from roadstead.identity.stores import Users
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker

_KINDS = {LDAP: GroupKind.LDAP, OIDC: GroupKind.OIDC}
CONFIRM_SECONDS = 86_400  # a sign-in that changes nothing is written down at most this often


class NotOnboarded(Exception):
    """The person is known to the provider and has no account here. The message is a sentence for them."""


class NameTaken(NotOnboarded):
    """The name belongs to another account."""


class KnownGroups(Protocol):
    """The groups of providers that have a place here."""

    def known_groups(self, provider: str, keys: Iterable[str]) -> tuple[int, ...]:
        """Return the ids of those groups among `keys` that are known here."""
        ...


class StoredGroups:
    """KnownGroups of the store. Costs one read for each 100 groups of a person."""

    def __init__(self, store: Groups) -> None:
        self._store = store

    def known_groups(self, provider: str, keys: Iterable[str]) -> tuple[int, ...]:
        kind = _KINDS[provider]
        found = self._store.find_groups([GroupKey.of(kind, key, key) for key in keys])
        return tuple(group.id for group in found.values())


class Onboarding:
    def __init__(self, store: Users, groups: KnownGroups, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._groups = groups
        self._clock = clock
        self._events = EventMaker(clock)

    def find(self, person: Person) -> User | None:
        """Return the person's account, or None. Costs two reads."""
        name = self._store.find_subject(person.provider, person.subject)
        return self._store.find_user(name) if name is not None else None

    def sign_in(
        self, person: Person, source: Actor, *, known: User | None = None, name: str = "", creates: bool = True
    ) -> User:
        """Return the person's account, created if `creates`, and as of what the provider says now.

        `known` is the user whom the name that was typed belongs to, if it was read already; `name` is one that the
        person has chosen. Costs nothing if `known` is the person's and nothing has changed; two reads otherwise, and a
        transaction where something has. Raises NotOnboarded.
        """
        user = known if known is not None and _is_account_of(known, person) else self.find(person)
        if user is None:
            if not creates:
                raise NotOnboarded(f"{person.name[:64]} has no account here yet")
            return self.create(person, source, name=name, by_themselves=True)
        return self._confirmed(user, person, source)

    def create(self, person: Person, actor: Actor, *, name: str = "", by_themselves: bool = False) -> User:
        """Create the account of a person who has none, by `actor`, or by themselves from where `actor` is.

        Raises NotOnboarded for a name that is malformed, NameTaken.
        """
        wanted = _user_name(name or person.name)
        now = int(self._clock())
        user = User(
            wanted,
            "",
            now,
            admin=person.admin,
            groups=self._groups_of(person),
            provider=person.provider,
            subject=person.subject,
            profile=_profile(person),
            admin_by_provider=person.admin,
            confirmed=now,
        )
        detail = f"provider={person.provider} admin={str(person.admin).lower()}"
        by = _actor(actor, wanted) if by_themselves else actor
        event = self._events.make(Operation.CREATE_USER, by, "", user=wanted, detail=detail)
        try:
            return self._store.create_user(user, event=event)
        except Conflict as error:
            meanwhile = self.find(person)  # another request of the same person may have been first
            if meanwhile is not None:
                return meanwhile
            what = "choose another one" if name else "ask an administrator of the registry"
            raise NameTaken(f"the name {wanted} belongs to another account: {what}") from error

    def _confirmed(self, user: User, person: Person, source: Actor) -> User:
        groups, now = self._groups_of(person), int(self._clock())
        same = (user.groups, user.admin_by_provider) == (groups, person.admin)
        if same and now - user.confirmed < CONFIRM_SECONDS:
            return user
        event = None
        if not same:
            said = [f"provider={person.provider}"]
            if user.admin_by_provider != person.admin:
                said.append(f"admin={str(person.admin).lower()}")
            if user.groups != groups:
                said.append(f"groups={','.join(map(str, groups)) or '-'}")
            actor = _actor(source, user.name)
            event = self._events.make(Operation.CHANGE_USER, actor, "", user=user.name, detail=" ".join(said))
        self._store.confirm_user(user.name, groups, admin=person.admin, at=now, event=event)
        return self._store.find_user(user.name) or user

    def _groups_of(self, person: Person) -> tuple[int, ...]:
        keys = [group.key for group in person.groups]
        return tuple(sorted(set(self._groups.known_groups(person.provider, keys))))[:MAX_GROUPS] if keys else ()


def _is_account_of(user: User, person: Person) -> bool:
    return (user.provider, user.subject) == (person.provider, person.subject)


def _user_name(text: str) -> UserName:
    """Return a provider's name as a user's name. Providers ignore case; names here are in lower case."""
    try:
        return UserName.parse(text.lower())
    except ValueError as error:
        raise NotOnboarded(f"you cannot have an account here under that name: {error}") from error


def _profile(person: Person) -> Profile:
    """Return what the provider says of the person, but for what no profile can have."""
    email, name = (
        text if len(text) <= MAX_PROFILE and text.isprintable() else "" for text in (person.email, person.real_name)
    )
    return Profile(email if EMAIL.fullmatch(email) else "", name)


def _actor(source: Actor, name: UserName) -> Actor:
    return replace(source, name=name, kind=ActorKind.USER)
