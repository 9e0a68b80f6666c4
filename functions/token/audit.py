"""What the token function tells the audit trail: who logged in or failed to, and which permission was not given.

A login is a token given out for credentials; a token for nobody is none. A user's name is repeated only when it is one:
what somebody typed there by mistake may be a password.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from functions.hosting import lines, observation
from roadstead.identity.access import ALL, REPOSITORY, Access
from roadstead.identity.directory import UserName
from roadstead.identity.refresh_tokens import refresh_token_user
from roadstead.identity.tokens import Credentials, IssuedToken, Password, Reason, Refresh, TokenRefused, TokenRequest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Operation, Outcome, entry_id, project_of


def issued(request: TokenRequest, token: IssuedToken) -> None:
    """A login, unless nobody in particular asked; and a refusal for every resource of which less was given."""
    observation.current().count("TokensIssued")
    now = _now()
    actor = _as_user(request.source, token.user, token.minted.token_id)
    if request.credentials is not None:
        lines.tell(AuditEntry(entry_id(), now, Operation.LOGIN, actor, detail=_how(request.credentials)))
    for asked, given in zip(request.scopes, token.access, strict=True):
        if is_less(asked, given):
            observation.current().count("PermissionsRefused")
            lines.tell(_refusal(now, actor, asked, given))


def refused(source: Actor, credentials: Credentials, error: TokenRefused) -> None:
    """A failed login; a request that is malformed is none."""
    if error.reason is not Reason.INVALID_GRANT:
        return
    observation.current().count("LoginsFailed")
    actor = _as_user(source, _claimed(credentials), "")
    lines.tell(
        AuditEntry(
            entry_id(), _now(), Operation.LOGIN, actor, Outcome.FAILURE, detail=_how(credentials) if credentials else ""
        )
    )


def is_less(asked: Access, given: Access) -> bool:
    """Whether something that was asked for by name was not given; of `*`, whether nothing was."""
    return not given.actions if ALL in asked.actions else not asked.actions <= given.actions


def _refusal(now: int, actor: Actor, asked: Access, given: Access) -> AuditEntry:
    try:
        repository = RepositoryName.parse(asked.name) if asked.type == REPOSITORY else ""
    except ValueError:
        repository = ""
    return AuditEntry(
        id=entry_id(),
        at=now,
        operation=Operation.PERMISSION_REFUSED,
        outcome=Outcome.REFUSED,
        actor=actor,
        project=project_of(repository),
        repository=repository,
        detail=f"asked={_actions(asked.actions)} given={_actions(given.actions)}"
        + ("" if repository else f" resource={asked.type[:40]}:{asked.name[:300]}"),
    )


def _as_user(source: Actor, user: UserName | None, token_id: str) -> Actor:
    kind = ActorKind.USER if user else ActorKind.ANONYMOUS
    return replace(source, name=str(user or ""), kind=kind, token_id=token_id)


def _claimed(credentials: Credentials) -> UserName | None:
    match credentials:
        case Password(user):
            try:
                return UserName.parse(user)
            except ValueError:
                return None
        case Refresh(token):
            return refresh_token_user(token)
        case None:
            return None


def _how(credentials: Credentials) -> str:
    return "method=refresh-token" if isinstance(credentials, Refresh) else "method=password"


def _actions(actions: Iterable[str]) -> str:
    return ",".join(sorted(action[:20] for action in actions)) or "-"


def _now() -> int:
    return int(time.time() * 1000)
