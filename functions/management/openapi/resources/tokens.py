"""Personal access tokens."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Schema,
    array,
    created,
    nullable,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)

_TOKEN: Mapping[str, Schema] = {
    "id": text(),
    "name": text(),
    "access": one_of("read", "write", "admin"),
    "projects": array(text(), "names of the projects that the token is limited to; empty for all"),
    "creation_time": time(),
    "expires_at": number("seconds since the epoch; -1 for no expiry"),
    "last_used": nullable(time("give or take five minutes; null if it never was")),
}

SCHEMAS: Mapping[str, Schema] = {
    "AccessToken": obj(_TOKEN),
    "CreatedAccessToken": obj({**_TOKEN, "token": text("shown in this response alone")}),
    "NewAccessToken": obj(
        {
            "name": text(maxLength=64),
            "access": one_of("read", "write", "admin"),
            "duration": number("days from now; -1 for no expiry"),
        },
        {"projects": array(text(), "names of up to 40 projects; none for all")},
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "listOwnTokens": page_of("List one's own access tokens, the newest first", ref("AccessToken")),
    "createToken": created("Make an access token", ref("NewAccessToken"), ref("CreatedAccessToken")),
    "revokeOwnToken": Described("Revoke one of one's own access tokens"),
    "listTokens": page_of("List a user's access tokens", ref("AccessToken"), also=(404,)),
    "revokeTokens": Described("Revoke all access tokens of a user", also=(404,)),
    "revokeToken": Described("Revoke an access token of a user", also=(404,)),
}
