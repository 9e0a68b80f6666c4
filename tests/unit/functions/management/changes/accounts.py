"""Changes of users, groups, tokens, sessions and robots."""

from __future__ import annotations

import time

from functions.management.authentication import SECURE_PREFIX
from roadstead.aws.identity.dynamodb_states import DynamoStates
from roadstead.identity.people import OIDC, Person
from roadstead.identity.providers.sign_ins import Newcomer
from roadstead.trail.entries import Operation
from tests.unit.functions.management.changes.made import (
    HARBOR,
    ISSUER,
    OWN,
    Change,
    at,
    group,
    numbers,
    project,
    robot,
    robot_document,
    row,
    secret,
    session,
    simple,
    token,
    user,
)
from tests.unit.functions.management.client import PASSWORD
from tests.unit.functions.management.cloud import Place

simple(
    "createUser", "POST", lambda _: f"{HARBOR}/users",
    lambda _: {"username": f"n{next(numbers)}", "password": secret(), "email": "n@example.com", "realname": "N"},
    Operation.CREATE_USER,
)  # fmt: skip
simple(
    "updateUserProfile", "PUT", at(f"{HARBOR}/users/{{1}}", user),
    {"email": "a@example.com", "realname": "A", "comment": "c"}, Operation.CHANGE_USER,
)  # fmt: skip
simple("deleteUser", "DELETE", at(f"{HARBOR}/users/{{1}}", user), None, Operation.REMOVE_USER)
simple(
    "setUserSysAdmin", "PUT", at(f"{HARBOR}/users/{{1}}/sysadmin", user), {"sysadmin_flag": True}, Operation.CHANGE_USER
)
simple("setUserDisabled", "PUT", at(f"{OWN}/users/{{1}}/disabled", user), {"disabled": True}, Operation.CHANGE_USER)
simple("releaseLogin", "POST", at(f"{OWN}/users/{{1}}/release", user), None, Operation.RELEASE_LOGIN)
simple("releaseLoginLock", "POST", lambda _: f"{OWN}/login-locks/release", {"name": "ada"}, Operation.RELEASE_LOGIN)


@row("updateUserPassword")
def _(place: Place) -> Change:
    who, number = user(place)
    sent = {"old_password": PASSWORD, "new_password": secret()}
    return Change("PUT", f"{HARBOR}/users/{number}/password", sent, (Operation.CHANGE_PASSWORD,), by=who)


simple(
    "createUserGroup", "POST", lambda _: f"{HARBOR}/usergroups",
    lambda _: {"group_name": f"g{next(numbers)}", "group_type": 2}, Operation.CREATE_GROUP,
)  # fmt: skip
simple(
    "updateUserGroup", "PUT", at(f"{HARBOR}/usergroups/{{}}", group), lambda _: {"group_name": f"h{next(numbers)}"},
    Operation.CHANGE_GROUP,
)  # fmt: skip
simple("deleteUserGroup", "DELETE", at(f"{HARBOR}/usergroups/{{}}", group), None, Operation.DELETE_GROUP)
simple("setGroupAdmin", "PUT", at(f"{OWN}/usergroups/{{}}/admin", group), {"admin": True}, Operation.CHANGE_GROUP)
simple(
    "addGroupMember", "POST", at(f"{OWN}/usergroups/{{}}/members", group), lambda place: {"username": user(place)[0]},
    Operation.ADD_GROUP_MEMBER,
)  # fmt: skip


@row("removeGroupMember")
def _(place: Place) -> Change:
    number, (who, _) = group(place), user(place)
    place.made("POST", f"{OWN}/usergroups/{number}/members", {"username": who})
    target = f"{OWN}/usergroups/{number}/members/{who}"
    return Change("DELETE", target, told=(Operation.REMOVE_GROUP_MEMBER,))


@row("createToken")
def _(place: Place) -> Change:
    who, _ = user(place)
    new = {"name": "ci", "access": "write", "duration": 1}
    return Change("POST", f"{OWN}/users/current/tokens", new, (Operation.CREATE_ACCESS_TOKEN,), by=who)


@row("revokeOwnToken")
def _(place: Place) -> Change:
    who, _, made = token(place)
    return Change("DELETE", f"{OWN}/users/current/tokens/{made}", told=(Operation.DELETE_ACCESS_TOKEN,), by=who)


simple("revokeTokens", "DELETE", at(f"{OWN}/users/{{1}}/tokens", token), None, Operation.DELETE_ACCESS_TOKEN)
simple("revokeToken", "DELETE", at(f"{OWN}/users/{{1}}/tokens/{{2}}", token), None, Operation.DELETE_ACCESS_TOKEN)


@row("beginSession")
def _(place: Place) -> Change:
    """Signing in is no change: the log has it, as it has the sign-ins of the token endpoint."""
    who, password = f"s{next(numbers)}", secret()
    place.accounts.create_user(who, password)
    return Change("POST", f"{OWN}/session", {"name": who, "password": password}, by="", logged='"operation":"login"')


@row("endSession")
def _(place: Place) -> Change:
    return Change("DELETE", f"{OWN}/session", by="", headers=session(place, user(place)[0]))


@row("endOwnSession")
def _(place: Place) -> Change:
    who, _ = user(place)
    headers = session(place, who)
    session(place, who)
    listed = place.made("GET", f"{OWN}/users/current/sessions", by="", headers=headers)[0]
    other = next(one["id"] for one in listed if not one["current"])
    target, told = f"{OWN}/users/current/sessions/{other}", (Operation.DELETE_SESSION,)
    return Change("DELETE", target, told=told, by="", actor=who, headers=headers)


@row("endOtherSessions")
def _(place: Place) -> Change:
    who, _ = user(place)
    headers = session(place, who)
    session(place, who)
    target, told = f"{OWN}/users/current/sessions", (Operation.DELETE_SESSION,)
    return Change("DELETE", target, told=told, by="", actor=who, headers=headers)


PROVIDER = {"endpoint": "https://corp.example.com", "client_id": "roadstead", "name": "Corp"}


def provider(place: Place) -> str:
    """The id of a further provider."""
    name = f"corp{next(numbers)}"
    place.made("PUT", f"{OWN}/oidc-providers/{name}", {**PROVIDER, "client_secret": secret()})
    return name


def newcomer(place: Place) -> dict[str, str]:
    """The headers of somebody whom a provider has confirmed, and who has no account yet."""
    place.made("PUT", f"{HARBOR}/configurations", {"oidc_endpoint": ISSUER, "oidc_client_id": "roadstead"})
    kept = secret()
    person = Person(OIDC, f"{ISSUER}\n{next(numbers)}", "grace", "grace@example.com", "Grace")
    states = DynamoStates(place.identity)
    states.keep_newcomer(kept, Newcomer(person, "/ui/", int(time.time()) + 600))
    return {"Cookie": f"{SECURE_PREFIX}roadstead-newcomer={kept}"}


simple(
    "putOidcProvider", "PUT", lambda _: f"{OWN}/oidc-providers/new{next(numbers)}",
    lambda _: {**PROVIDER, "client_secret": secret()}, Operation.CHANGE_CONFIGURATION,
)  # fmt: skip
simple("deleteOidcProvider", "DELETE", at(f"{OWN}/oidc-providers/{{}}", provider), None, Operation.CHANGE_CONFIGURATION)


@row("chooseName")
def _(place: Place) -> Change:
    name, headers = f"n{next(numbers)}", newcomer(place)
    path = f"{OWN}/sign-in/newcomer"
    return Change("POST", path, {"name": name}, (Operation.CREATE_USER,), by="", actor=name, headers=headers)


@row("forgetNewcomer")
def _(place: Place) -> Change:
    return Change("DELETE", f"{OWN}/sign-in/newcomer", by="", headers=newcomer(place))


simple(
    "CreateRobot", "POST", lambda _: f"{HARBOR}/robots",
    lambda place: robot_document("builder", project(place)[0], secret=secret()), Operation.CREATE_ROBOT,
)  # fmt: skip


@row("UpdateRobot")
def _(place: Place) -> Change:
    document, number = robot(place)
    sent = {**document, "description": "new", "secret": secret()}
    return Change("PUT", f"{HARBOR}/robots/{number}", sent, (Operation.CHANGE_ROBOT,))


@row("RefreshSec")
def _(place: Place) -> Change:
    sent = {"secret": secret()}
    return Change("PATCH", f"{HARBOR}/robots/{robot(place)[1]}", sent, (Operation.CHANGE_ROBOT_SECRET,))


simple("DeleteRobot", "DELETE", at(f"{HARBOR}/robots/{{1}}", robot), None, Operation.DELETE_ROBOT)
simple(
    "createLimitedRobot", "POST", lambda _: f"{OWN}/robots",
    lambda place: robot_document("builder", project(place)[0], repositories=["team/**"]), Operation.CREATE_ROBOT,
)  # fmt: skip


@row("updateLimitedRobot")
def _(place: Place) -> Change:
    document, number = robot(place)
    sent = {**document, "repositories": ["team/**"]}
    return Change("PUT", f"{OWN}/robots/{number}", sent, (Operation.CHANGE_ROBOT,))


simple(
    "setRobotTrust", "PUT", at(f"{OWN}/robots/{{1}}/trust", robot),
    {"rules": [{"issuer": "https://gitlab.com", "audience": "registry", "claims": {"project_path": "acme/ships"}}]},
    Operation.CHANGE_ROBOT,
)  # fmt: skip
