"""`AccessTokens` on the identity table: `user#<name>` / `access#<hash>`, removed with the account."""

from __future__ import annotations

from collections.abc import Iterable

from roadstead.aws.identity.identity_items import PRESENT, access_token_from, access_token_key, told, user_key
from roadstead.aws.identity.user_removal import NOT_MARKED
from roadstead.aws.table import Item, Table, check, delete, put, update
from roadstead.conflicts import Conflict
from roadstead.identity.directory import AccessToken, UserName
from roadstead.identity.robots.robots import NEVER
from roadstead.identity.stores import UnknownUser
from roadstead.trail.entries import Event


class DynamoAccessTokens:
    def __init__(self, table: Table) -> None:
        self._table = table

    def access_tokens(self, user: UserName) -> list[AccessToken]:
        return [access_token_from(user, item) for item in self._table.query(f"user#{user}", prefix="access#")]

    def store_access_token(self, token: AccessToken, *, event: Event | None = None) -> None:
        item: Item = {
            "user_id": token.user_id,
            "name": token.name,
            "level": token.level,
            "projects": [{"name": name, "id": id_} for name, id_ in token.projects],
            "created": token.created,
            "used": token.used,
            # The table's TTL, which removes what has expired.
            **({"expires": token.expires} if token.expires != NEVER else {}),
        }
        is_same = check(user_key(token.user), f"{NOT_MARKED} AND id = :id", {":id": token.user_id})
        try:
            self._table.transact([is_same, put(access_token_key(token.user, token.hash), item), *told(event)])
        except Conflict as error:
            raise UnknownUser(token.user) from error

    def set_access_token_used(self, token: AccessToken, at: int) -> None:
        later = f"{PRESENT} AND used < :at"
        self._table.write(update(access_token_key(token.user, token.hash), "SET used = :at", later, {":at": at}))

    def remove_access_tokens(self, tokens: Iterable[AccessToken], *, event: Event | None = None) -> None:
        gone = [delete(access_token_key(token.user, token.hash)) for token in tokens]
        self._table.transact([*gone, *told(event)])
