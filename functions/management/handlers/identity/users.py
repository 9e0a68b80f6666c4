"""Users: listed, created and changed by system administrators; everybody changes their own password."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from functions.management.authentication import sign_in
from functions.management.authorization import identity_of
from functions.management.call import Call, text
from functions.management.errors import ManagementCode, ManagementError, bad_request, conflict, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Sort, parse_query
from functions.management.harbor.shapes import user_document
from functions.management.project_ids import is_id, name_of
from functions.management.route import HARBOR, OWN, SignedIn, SystemAdmin, in_system, route
from roadstead.http import Response
from roadstead.identity.accounts import AccountRefused
from roadstead.identity.directory import Profile, User, UserName
from roadstead.identity.lists import ListedUser
from roadstead.identity.permissions import SYSTEM_CATALOGUE, Action, Permission, Resource
from roadstead.identity.rights import permissions_in
from roadstead.ids import IdKind

MAX_FOUND = 100  # users of one search

_FIELDS: Mapping[str, Callable[[ListedUser], Any]] = {
    "username": lambda user: user.name,
    "user_id": lambda user: user.id,
    "sysadmin_flag": lambda user: user.admin,
    "creation_time": lambda user: user.created,
    "email": lambda user: user.profile.email,
    "realname": lambda user: user.profile.realname,
    "disabled": lambda user: user.disabled,
}
_READ = Permission(Resource.USER, Action.READ)
_UPDATE = Permission(Resource.USER, Action.UPDATE)


def current_user(call: Call) -> Response:
    user = call.caller.user
    if user is None:  # a robot
        raise ManagementError(ManagementCode.PRECONDITION, "a robot is not a user")
    return Response.json(200, user_document(user))


def list_users(call: Call) -> Response:
    return _users(call, user_document)


def list_accounts(call: Call) -> Response:
    """The same, and whether each may sign in."""
    return _users(call, lambda user: {**user_document(user), "disabled": user.disabled})


def _users(call: Call, shape: Callable[[ListedUser], dict[str, Any]]) -> Response:
    """`username` and `email` look for a part, as in Harbor. Costs the list of users."""
    page = requested_page(call.request)
    query = parse_query(call.request.parameter("q"), call.request.parameter("sort"))
    found = query.filtered(call.services.lists.list_users(), _FIELDS)
    for name in ("username", "email"):
        part = (call.request.parameter(name) or "").casefold()
        found = [user for user in found if part in _FIELDS[name](user).casefold()]
    found = query.sorted(found, _FIELDS, (Sort("username"),))
    return page_response(call.request, page, len(found), [shape(user) for user in page.of(found)])


def search_users(call: Call) -> Response:
    """Find users by a part of their name, for whoever adds members. Costs the list of users."""
    page, wanted = requested_page(call.request), (call.request.parameter("username") or "").casefold()
    if not wanted:
        raise bad_request("username must be given")
    found = [user for user in call.services.lists.list_users() if wanted in user.name][:MAX_FOUND]
    documents = [{"user_id": user.id, "username": user.name} for user in page.of(found)]
    return page_response(call.request, page, len(found), documents)


def create_user(call: Call) -> Response:
    """Raises 400 for a name or a password outside the rules, 409 for a name that is taken."""
    document = call.document()
    name, password = text(document, "username", most=255), text(document, "password")
    try:
        parsed = UserName.parse(name)
    except ValueError as error:
        raise bad_request(str(error)) from error
    accounts = call.accounts()
    if accounts.find_user(parsed) is not None:
        raise conflict(f"there is a user {parsed} already")
    profile = _profile(document)
    user = _refused_as_bad(lambda: accounts.create_user(parsed, password, profile=profile))
    return Response(201, (("Location", f"/api/v2.0/users/{user.id}"),))


def get_user(call: Call, user: str) -> Response:
    """Oneself, or anybody for who may read users. Raises 403, 404."""
    may_read_others = call.caller.is_admin or _READ in call.caller.system_permissions
    return Response.json(200, user_document(found_user(call, user) if may_read_others else _own(call, user)))


def update_profile(call: Call, user: str) -> Response:
    """Change e-mail, real name and comment: one's own, or anybody's by a system administrator. Raises 400, 403, 404."""
    may_change_others = call.caller.is_admin or _UPDATE in call.caller.system_permissions
    found = found_user(call, user) if may_change_others else _own(call, user)
    profile = _profile(call.document())
    _refused_as_bad(lambda: call.accounts().set_profile(found.name, profile))
    return Response(200)


def delete_user(call: Call, user: str) -> Response:
    """Remove a user with their memberships, sessions and tokens. Raises 403 for oneself, 404."""
    found = found_user(call, user)
    if call.caller.user is not None and found.name == call.caller.user.name:
        raise ManagementError(ManagementCode.FORBIDDEN, "another system administrator must remove you")
    call.accounts().remove_user(found.name)
    return Response(200)


def current_permissions(call: Call) -> Response:
    """What the caller may do: in the project that `scope` names (`/project/<id or name>`), or in the system.

    With `relative=true` a resource is named within its scope. Costs two reads.
    """
    scope = call.request.parameter("scope") or ""
    relative = (call.request.parameter("relative") or "").lower() == "true"
    prefix, _, text = scope.strip("/").partition("/")
    if scope.strip("/") == "":
        held, where = _in_the_system(call), "/"
    elif prefix == "project" and text:
        held, where = _in_the_project(call, text), f"/project/{text}/"
    else:
        raise bad_request("scope must be /project/ID, or absent")
    documents = [
        {"resource": str(one.resource) if relative else f"{where}{one.resource}", "action": str(one.action)}
        for one in sorted(held, key=str)
    ]
    return Response.json(200, documents)


def _in_the_system(call: Call) -> Iterable[Permission]:
    return SYSTEM_CATALOGUE if call.caller.is_admin else call.caller.system_permissions


def _in_the_project(call: Call, text: str) -> Iterable[Permission]:
    name = name_of(call.services.lists, text, is_name=False)
    return permissions_in(name, identity_of(call.services, call.caller, (name,))) if name is not None else ()


def _profile(document: Mapping[str, Any]) -> Profile:
    """What is left out is empty, as in Harbor."""
    return Profile(*(text(document, name, "") for name in ("email", "realname", "comment")))


def set_admin(call: Call, user: str) -> Response:
    """Raises 403 for one's own flag, so that the last administrator cannot go by mistake."""
    found, admin = found_user(call, user), call.document().get("sysadmin_flag")
    if not isinstance(admin, bool):
        raise bad_request("sysadmin_flag must be true or false")
    if call.caller.user is not None and found.name == call.caller.user.name:
        raise ManagementError(ManagementCode.FORBIDDEN, "another system administrator must change this for you")
    call.accounts().set_admin(found.name, admin)
    return Response(200)


def set_disabled(call: Call, user: str) -> Response:
    """Keep a user out, or let them in again. Sessions and refresh tokens end at once. Raises 403 for oneself."""
    found, disabled = found_user(call, user), call.document().get("disabled")
    if not isinstance(disabled, bool):
        raise bad_request("disabled must be true or false")
    if call.caller.user is not None and found.name == call.caller.user.name:
        raise ManagementError(ManagementCode.FORBIDDEN, "another system administrator must disable you")
    try:
        call.accounts().set_disabled(found.name, disabled)
    except AccountRefused as error:  # somebody removes them
        raise not_found(str(error)) from error
    return Response(200)


def release_login(call: Call, user: str) -> Response:
    """Let a user sign in again at once, whom too many wrong passwords have locked."""
    call.accounts().release_login(found_user(call, user).name)
    return Response(200)


def set_password(call: Call, user: str) -> Response:
    """Change a password: one's own with the old one, anybody's by a system administrator. Raises 400, 403.

    Every session and refresh token of the user ends.
    """
    caller, document = call.caller.user, call.document()
    found = found_user(call, user) if call.caller.is_admin else _own(call, user)
    new = text(document, "new_password")
    if caller is None or found.name == caller.name:
        old = text(document, "old_password", "")
        try:
            sign_in(call.services, call.request, found.name, old)
        except ManagementError as error:
            if error.code is not ManagementCode.UNAUTHORIZED:
                raise
            raise ManagementError(ManagementCode.FORBIDDEN, "old_password is wrong") from error
        if new == old:
            raise bad_request("the new password is the old one")
    _refused_as_bad(lambda: call.accounts().set_password(found.name, new))
    return Response(200)


def _own(call: Call, text: str) -> User:
    """Anybody but an administrator sees themselves alone; whether another id exists is not told."""
    user = call.caller.user
    if user is None or text not in (str(user.id), "current"):
        raise ManagementError(ManagementCode.FORBIDDEN, "only a system administrator may do this for another user")
    return user


def found_user(call: Call, text: str) -> User:
    """Return the user with this id. Raises 404."""
    name = call.services.lists.find_by_id(IdKind.USER, int(text)) if is_id(text) else None
    user = call.services.directory.find_user(UserName(name)) if name is not None else None
    if user is None or str(user.id) != text:
        raise not_found(f"there is no user with the id {text[:20]!r}")
    return user


def _refused_as_bad(change: Callable[[], Any]) -> Any:
    try:
        return change()
    except AccountRefused as error:
        raise bad_request(str(error)) from error


_USERS = f"{HARBOR}/users"
_USER = f"{_USERS}/{{user}}"
ROUTES = (
    route("getCurrentUserInfo", "GET", f"{_USERS}/current", SignedIn(), current_user),
    route("searchUsers", "GET", f"{_USERS}/search", SignedIn(), search_users),
    route("listUsers", "GET", _USERS, in_system("user", "list"), list_users),
    route("createUser", "POST", _USERS, in_system("user", "create"), create_user),
    route("getUser", "GET", _USER, SignedIn(), get_user),
    route("getCurrentUserPermissions", "GET", f"{_USERS}/current/permissions", SignedIn(), current_permissions),
    route("updateUserProfile", "PUT", _USER, SignedIn(), update_profile),
    route("deleteUser", "DELETE", _USER, in_system("user", "delete"), delete_user),
    route("setUserSysAdmin", "PUT", f"{_USER}/sysadmin", SystemAdmin(), set_admin),
    route("listAccounts", "GET", f"{OWN}/users", in_system("user", "list"), list_accounts),
    route("setUserDisabled", "PUT", f"{OWN}/users/{{user}}/disabled", in_system("user", "update"), set_disabled),
    route("releaseLogin", "POST", f"{OWN}/users/{{user}}/release", SystemAdmin(), release_login),
    route("updateUserPassword", "PUT", f"{_USER}/password", SignedIn(), set_password),
)
