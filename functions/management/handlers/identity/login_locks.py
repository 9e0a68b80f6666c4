"""Who cannot sign in for now, after too many wrong passwords, and ending such a lock before its time."""

from __future__ import annotations

from typing import Any

from functions.management.call import Call, text
from functions.management.errors import bad_request
from functions.management.harbor.shapes import timestamp
from functions.management.route import OWN, SystemAdmin, route
from roadstead.http import Response
from roadstead.identity.accounts import AccountRefused
from roadstead.identity.sign_in.attempts import LoginLock, current_locks

MAX_LOCKS = 200  # that one answer looks at: the first that end
_ROBOT = "robot "  # in front of a robot's name where failures are counted


def list_login_locks(call: Call) -> Response:
    """List locks of names and addresses, the first that ends first. Costs one Query, and a read for each 25 locks."""
    locks, more = current_locks(call.services.directory, int(call.services.clock()), most=MAX_LOCKS)
    return Response.json(200, {"locks": [_document(one) for one in locks], "more": more})


def release_login_lock(call: Call) -> Response:
    """Forget the failures of a user's name, of a robot's, or of an address, whether or not it is locked.

    A name counts on nowhere then: its locks from single addresses end too. Costs one transaction. Raises 400.
    """
    document, accounts = call.document(), call.accounts()
    given = [name for name in ("name", "robot", "address") if document.get(name) is not None]
    if len(given) != 1:
        raise bad_request("the body must have one of name, robot and address")
    release = {
        "name": accounts.release_login,
        "robot": accounts.release_robot,
        "address": accounts.release_address,
    }[given[0]]
    try:
        release(text(document, given[0]))
    except AccountRefused as error:
        raise bad_request(str(error)) from error
    return Response(200)


def _document(lock: LoginLock) -> dict[str, Any]:
    robot = lock.name.removeprefix(_ROBOT) if lock.name.startswith(_ROBOT) else None
    return {
        "scope": lock.scope.value,
        "name": lock.name if lock.name and robot is None else None,
        "robot": robot,
        "address": lock.network or None,
        "until": timestamp(lock.until),
    }


_LOCKS = f"{OWN}/login-locks"
ROUTES = (
    route("listLoginLocks", "GET", _LOCKS, SystemAdmin(), list_login_locks),
    route("releaseLoginLock", "POST", f"{_LOCKS}/release", SystemAdmin(), release_login_lock),
)
