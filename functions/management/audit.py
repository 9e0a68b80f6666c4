"""What the management function records in the trail beyond changes: sign-ins, and passwords that were wrong.

A call with Basic credentials is not a sign-in of its own: scripts send them with every call. A name is recorded only if
it is a valid one: somebody may have typed a password there by mistake.
"""

from __future__ import annotations

import time
from dataclasses import replace

from functions.hosting import lines, observation
from roadstead.identity.directory import UserName
from roadstead.identity.sign_in.access_tokens import access_token_hash, access_token_user
from roadstead.identity.sign_in.attempts import Scope, lock_entries
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Operation, Outcome, entry_id

_BY_PASSWORD = "method=password"


def by_oidc(provider: str) -> str:
    """Return how somebody signed in by a provider of OpenID Connect; the first one has no id."""
    return f"method=oidc provider={provider}" if provider else "method=oidc"


def log_session(actor: Actor, how: str = _BY_PASSWORD) -> None:
    """Record that a session began."""
    lines.tell(AuditEntry(entry_id(), _now(), Operation.LOGIN, actor, detail=f"{how} session"))


def log_failed_oidc(source: Actor, provider: str) -> None:
    """Record a sign-in that a provider, or the registry, did not confirm."""
    observation.current().count("LoginsFailed")
    _log_failure(source, by_oidc(provider), ())


def log_failed_login(source: Actor, name: str, locks: tuple[Scope, ...]) -> None:
    """Record a wrong name or password, and what it locked."""
    observation.current().count("LoginsFailed")
    try:
        actor = replace(source, name=UserName.parse(name), kind=ActorKind.USER)
    except ValueError:
        actor = source
    _log_failure(actor, _BY_PASSWORD, locks)


def log_failed_robot(actor: Actor, locks: tuple[Scope, ...], proof: str) -> None:
    """Record a robot's wrong name or secret, and what it locked. `proof` describes an identity token."""
    observation.current().count("LoginsFailed")
    _log_failure(actor, proof or "method=robot-secret", locks)


def log_failed_token(source: Actor, token: str) -> None:
    """Record an access token that is worth nothing, with the user that it names if it has the form of one."""
    observation.current().count("LoginsFailed")
    name = access_token_user(token)
    actor = replace(source, name=name, kind=ActorKind.USER) if name is not None else source
    _log_failure(actor, f"method=access-token token={access_token_hash(token)[:16]}", ())


def log_failed_id_token(source: Actor, provider: str, user: UserName | None) -> None:
    """Record an id token that is worth nothing, with its user once that is verified. No claim is kept."""
    observation.current().count("LoginsFailed")
    actor = replace(source, name=user, kind=ActorKind.USER) if user is not None else source
    _log_failure(actor, f"method=id-token provider={provider}" if provider else "method=id-token", ())


def _log_failure(actor: Actor, how: str, locks: tuple[Scope, ...]) -> None:
    lines.tell(AuditEntry(entry_id(), _now(), Operation.LOGIN, actor, Outcome.FAILURE, detail=how))
    for entry in lock_entries(actor, locks, _now()):
        lines.tell(entry)


def _now() -> int:
    return int(time.time() * 1000)
