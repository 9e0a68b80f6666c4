"""The ways in: which kind of credentials a user name and a password are, decided by their form alone.

A robot's name begins with the robots' prefix, which has a character that no user name may have. Access tokens and
refresh tokens have their forms. All are recognised before a password is believed to be one: a secret of ours is never
sent to a provider.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from roadstead.identity.robots.robot_names import RobotName, robot_named
from roadstead.identity.sign_in.access_tokens import is_access_token
from roadstead.identity.tokens.refresh_tokens import refresh_token_user

_ONLY_IN_ROBOTS = frozenset("$!*~^")  # every prefix of robots has one of these, and no user's name


@dataclass(frozen=True, slots=True)
class Password:
    """A name and a password: for the provider that the name belongs to."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refresh:
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RobotSecret:
    login: str  # the name with its prefix, as it was typed
    robot: RobotName | None  # None for what only begins like a robot's name: there is no such robot
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A personal access token, with the user name beside it, which may be empty."""

    login: str
    token: str = field(repr=False)


Credentials = Password | Refresh | RobotSecret | PersonalToken | None  # None: an anonymous caller


_OF_ANOTHER_USER = Refresh("")  # refused like an unknown token; it is not a password either


def parse_credentials(user: str, password: str, robot_prefix: Callable[[], str]) -> Credentials:
    """Return the credentials in a user name and a password; if both are empty, the caller is anonymous.

    `robot_prefix` returns that of the configuration; it is asked only where the name could be a robot's. A user's
    refresh token counts as one in place of the password, too: many clients know no other place for it.
    """
    if not user and not password:
        return None
    if not _ONLY_IN_ROBOTS.isdisjoint(user) and user.startswith(prefix := robot_prefix()):
        return RobotSecret(user, robot_named(user, prefix), password)
    if is_access_token(password):
        return PersonalToken(user, password)
    owner = refresh_token_user(password)
    if owner is not None:
        return Refresh(password) if user == owner else _OF_ANOTHER_USER
    return Password(user, password)
