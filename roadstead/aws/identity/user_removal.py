"""Removes a user with everything that is theirs, so that a new account of the same name begins with nothing.

The account is marked first: from then on nobody signs in with it, and nobody makes it a member. It goes last, and its
name is free only then. A removal that died is finished by the next one, which leaves no second event.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from roadstead.aws.identity.identity_items import (
    IN,
    MEMBER_GROUP,
    META,
    PRESENT,
    group_member_key,
    listed_user_key,
    member_key,
    subject_key,
    told,
    user_key,
)
from roadstead.aws.table import Item, Table, TransactionFailed, Write, check, delete, update
from roadstead.identity.directory import UserName
from roadstead.identity.stores import UnknownUser
from roadstead.names import ProjectName
from roadstead.trail.entries import Event

MARKED = "attribute_exists(deleting)"
NOT_MARKED = "attribute_exists(pk) AND attribute_not_exists(deleting)"
_BATCH = 40  # items of a transaction: a membership takes two actions


def remove_user(table: Table, name: UserName, event: Event | None) -> None:
    """Raises UnknownUser. Costs four calls, and one transaction and one Query more for each 40 things of the user."""
    account, listed = user_key(name), listed_user_key(name)
    mark = update(account, "SET disabled = :yes, deleting = :yes ADD epoch :one", NOT_MARKED, {":yes": True, ":one": 1})
    hide = update(listed, "SET disabled = :yes", PRESENT, {":yes": True})
    try:
        table.transact([mark, hide, *told(event)])
    except TransactionFailed as error:
        if table.get(account) is None:
            raise UnknownUser(name) from error
    try:
        while found := list(islice(_belongings(table, name), _BATCH)):
            table.transact([check(account, MARKED), *_deletions(name, found)])
        item = table.get(account) or {}
        known = [delete(subject_key(item["provider"], item["subject"]))] if item.get("subject") else []
        table.transact([delete(account, MARKED), delete(listed), *known])
    except TransactionFailed:
        return  # another removal has finished, and the name may have a new account


def _belongings(table: Table, name: UserName) -> Iterable[Item]:
    """Memberships, local groups, sessions, tokens: whatever is beside the account."""
    return (item for item in table.query(f"user#{name}", attributes=("sk",)) if item["sk"] != META)


def _deletions(name: UserName, items: Iterable[Item]) -> Iterable[Write]:
    for item in items:
        yield delete((item["pk"], item["sk"]))
        if item["sk"].startswith(IN):
            yield delete(member_key(ProjectName(item["sk"].removeprefix(IN)), name))
        elif item["sk"].startswith(MEMBER_GROUP):
            yield delete(group_member_key(int(item["sk"].removeprefix(MEMBER_GROUP)), name))
