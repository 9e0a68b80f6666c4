"""Users."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    array,
    created,
    flag,
    nullable,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)

_USER: Mapping[str, Schema] = {
    "user_id": number(),
    "username": text(),
    "email": text(),
    "realname": text(),
    "comment": text(),
    "sysadmin_flag": flag("a system administrator"),
    "admin_role_in_auth": flag("a system administrator by a group of the provider"),
    "creation_time": time(),
    "update_time": time(),
}
SCHEMAS: Mapping[str, Schema] = {
    "User": obj(_USER),
    "Account": obj({**_USER, "disabled": flag("they cannot sign in")}),
    "DisabledFlag": obj({"disabled": flag()}),
    "LoginLocks": obj(
        {"locks": array(ref("LoginLock"), "the first that ends first"), "more": flag("there are more than 200")}
    ),
    "LoginLock": obj(
        {
            "scope": one_of("name", "name-and-address", "address"),
            "name": nullable(text("a user's name, whether or not there is such a user")),
            "robot": nullable(text("a robot's name without the prefix")),
            "address": nullable(text("an address, or a network of IPv6; null where a name is locked from anywhere")),
            "until": time("unless more sign-ins fail"),
        }
    ),
    "NewUser": obj(
        {"username": text(maxLength=255), "password": text()},
        {"email": text(), "realname": text(), "comment": text()},
    ),
    "UserProfile": obj({}, {"email": text(), "realname": text(), "comment": text()}),
    "FoundUser": obj({"user_id": number(), "username": text()}),
    "PasswordChange": obj({"new_password": text()}, {"old_password": text("needed for one's own password")}),
    "AdminFlag": obj({"sysadmin_flag": flag()}),
}

OPERATIONS: Mapping[str, Described] = {
    "getCurrentUserInfo": Described("The caller", ref("User"), also=(412,)),
    "searchUsers": page_of(
        "Find users by a part of their name", ref("FoundUser"), Parameter("username", text(), required=True)
    ),
    "listUsers": page_of(
        "List users",
        ref("User"),
        Parameter("username", text(), "a part of the name"),
        Parameter("email", text(), "a part of the address"),
    ),
    "createUser": created("Create a user", ref("NewUser")),
    "getUser": Described("A user: oneself, or anybody for who may read users", ref("User"), also=(403, 404)),
    "getCurrentUserPermissions": Described(
        "What the caller may do in a project, or in the system",
        array(ref("Permission")),
        query=(
            Parameter("scope", text(), "/project/ID; without it, the system"),
            Parameter("relative", flag(), "name resources within the scope"),
        ),
        also=(400,),
    ),
    "updateUserProfile": Described("Change e-mail, real name and comment", body=ref("UserProfile"), also=(404,)),
    "deleteUser": Described("Remove a user with their memberships, sessions and tokens", also=(403, 404)),
    "setUserSysAdmin": Described(
        "Make a user a system administrator, or an ordinary user", body=ref("AdminFlag"), also=(400, 404)
    ),
    "listAccounts": page_of(
        "List users, and whether they may sign in",
        ref("Account"),
        Parameter("username", text(), "a part of the name"),
        Parameter("email", text(), "a part of the address"),
    ),
    "setUserDisabled": Described(
        "Keep a user out, or let them in again: their sessions and refresh tokens end at once",
        body=ref("DisabledFlag"),
        also=(400, 403, 404),
    ),
    "listLoginLocks": Described(
        "List names and addresses that are locked after too many wrong passwords", ref("LoginLocks")
    ),
    "releaseLoginLock": Described(
        "End the lock of a name, of a robot or of an address",
        body=obj(
            {},
            {
                "name": nullable(text("a user's name")),
                "robot": nullable(text("a robot's name without the prefix")),
                "address": nullable(text("an address, or a network of IPv6")),
            },
        ),
        also=(400,),
    ),
    "releaseLogin": Described("Let a user sign in at once whom wrong passwords have locked", also=(404,)),
    "updateUserPassword": Described("Change a password", body=ref("PasswordChange"), also=(400, 403, 404)),
}
