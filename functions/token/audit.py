"""What the token function records in the audit trail: logins, failed logins, and permissions that were not granted.

Each request leaves at most two entries, however many scopes it has; a failed login that locks leaves one more for each
lock. A token for an anonymous caller is not a login. The name of a user or robot is recorded only if it is a valid one:
somebody may have typed a password there by mistake.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from functions.hosting import lines, observation
from roadstead.identity.access import ALL, Access
from roadstead.identity.directory import UserName
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.sign_in.access_tokens import access_token_hash, access_token_user
from roadstead.identity.sign_in.attempts import lock_entries
from roadstead.identity.sign_in.ways_in import Credentials, Password, PersonalToken, Refresh, RobotSecret
from roadstead.identity.tokens.granted import repository_of
from roadstead.identity.tokens.refresh_tokens import refresh_token_user
from roadstead.identity.tokens.tokens import IssuedToken, Reason, TokenRefused, TokenRequest
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Operation, Outcome, entry_id

MAX_NAMED = 10  # resources that one entry names


def log_issued(request: TokenRequest, token: IssuedToken) -> None:
    """Record a login, unless the caller is anonymous, and a refusal if less was granted than requested."""
    observation.current().count("TokensIssued")
    now = _now()
    subject = token.subject
    actor = replace(request.source, name=subject.name, kind=subject.kind, token_id=token.minted.token_id, id=subject.id)
    if request.credentials is not None:
        lines.tell(AuditEntry(entry_id(), now, Operation.LOGIN, actor, detail=token.proof or _how(request.credentials)))
    less = [(asked, given) for asked, given in zip(request.scopes, token.access, strict=True) if is_less(asked, given)]
    if less:
        observation.current().count("PermissionsRefused")
        lines.tell(_refusal(now, actor, less))


def log_refused(source: Actor, credentials: Credentials, error: TokenRefused) -> None:
    """Record a failed login, and what it locked. A malformed request is not one."""
    if error.reason is not Reason.INVALID_GRANT:
        return
    observation.current().count("LoginsFailed")
    actor = _claimed(source, credentials)
    detail = error.proof or (_how(credentials) if credentials else "")
    lines.tell(AuditEntry(entry_id(), _now(), Operation.LOGIN, actor, Outcome.FAILURE, detail=detail))
    for entry in lock_entries(actor, error.locks, _now()):
        lines.tell(entry)


def is_less(asked: Access, given: Access) -> bool:
    """Whether a requested action was not granted; for `*`, whether none was."""
    return not given.actions if ALL in asked.actions else not asked.actions <= given.actions


def _refusal(now: int, actor: Actor, less: Sequence[tuple[Access, Access]]) -> AuditEntry:
    """Return the entry for the resources of which less was granted: in full for one, by its scopes for several."""
    named = [repository_of(asked) for asked, _ in less]
    projects = {repository.project if repository else "" for repository in named}
    asked, given = less[0]
    if len(less) == 1:
        detail = f"asked={_actions(asked.actions)} given={_actions(given.actions)}"
        detail += "" if named[0] else f" resource={_resource(asked)}"
    else:
        some = [f"{_resource(asked)}:{_actions(asked.actions)}" for asked, _ in less[:MAX_NAMED]]
        detail = f"resources={len(less)} asked={' '.join(some)}" + (" …" if len(less) > MAX_NAMED else "")
    return AuditEntry(
        id=entry_id(),
        at=now,
        operation=Operation.PERMISSION_REFUSED,
        outcome=Outcome.REFUSED,
        actor=actor,
        project=projects.pop() if len(projects) == 1 else "",
        repository=named[0] or "" if len(less) == 1 else "",
        detail=detail,
    )


def _resource(access: Access) -> str:
    return f"{access.type[:40]}:{access.name[:300]}"


def _claimed(source: Actor, credentials: Credentials) -> Actor:
    """Return the actor that the credentials name, which are wrong; anonymous if they name none that could exist."""
    match credentials:
        case RobotSecret(login, RobotName()):
            return replace(source, name=login, kind=ActorKind.ROBOT)
        case Password(user):
            name = _user_name(user)
        case PersonalToken(_, token):
            name = access_token_user(token)
        case Refresh(token):
            name = refresh_token_user(token)
        case _:
            name = None
    return replace(source, name=name or "", kind=ActorKind.USER if name else ActorKind.ANONYMOUS)


def _user_name(text: str) -> UserName | None:
    try:
        return UserName.parse(text)
    except ValueError:
        return None


def _how(credentials: Credentials) -> str:
    match credentials:
        case Refresh():
            return "method=refresh-token"
        case RobotSecret():
            return "method=robot-secret"
        case PersonalToken(_, token):
            return f"method=access-token token={access_token_hash(token)[:16]}"
    return "method=password"


def _actions(actions: Iterable[str]) -> str:
    return ",".join(sorted(action[:20] for action in actions)) or "-"


def _now() -> int:
    return int(time.time() * 1000)
