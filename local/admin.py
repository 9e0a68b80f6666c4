"""The first administrator: made once, with a random password that only a file of the state directory holds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from local.clients import client
from local.state import StateDirectory, write_atomically
from roadstead.aws.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.identity.accounts import Accounts
from roadstead.identity.passwords import Argon2Hasher

NAME = "admin"


def ensure_admin(state: StateDirectory, identity_table: str, aws: Mapping[str, str]) -> None:
    """Make the user unless it is there.

    The file comes first: a crash between the two leaves a password that the next start gives to the user. Once the
    user exists the file is never written again, since it would hold a wrong password.
    """
    accounts = Accounts(DynamoIdentities(Table(client("dynamodb", aws), identity_table)), Argon2Hasher())
    if accounts.find_user(NAME) is not None:
        return
    if not state.password_file.exists():
        write_atomically(state.password_file, secrets.token_urlsafe(24))
    accounts.create_user(NAME, state.password_file.read_text(), admin=True)
