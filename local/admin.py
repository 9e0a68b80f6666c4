"""The first administrator: created once, with a random password that only a file in the state directory has."""

from __future__ import annotations

import asyncio
import secrets

from local.cloud.component import EmbeddedCloud
from local.state import StateDirectory, write_atomically

NAME = "admin"


class FirstAdministrator:
    """The component that creates the user unless it exists. Afterwards it does nothing."""

    name = "the first administrator"

    def __init__(self, state: StateDirectory, cloud: EmbeddedCloud) -> None:
        self._state = state
        self._cloud = cloud

    async def start(self) -> None:
        await asyncio.to_thread(self._ensure)

    async def watch(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        return

    def _ensure(self) -> None:
        """Create the user unless it exists.

        The file is written first: after a crash, the next start gives its password to the user. Once the user exists
        the file is never written again, since the password in it would be wrong.
        """
        table, client = self._cloud.resources.identity_table, self._cloud.client
        key = {"pk": {"S": f"user#{NAME}"}, "sk": {"S": "meta"}}
        if "Item" in client.call("dynamodb", "GetItem", TableName=table, Key=key, ConsistentRead=True):
            return
        # Imported here: boto3 takes half of a start, and is needed only once.
        import boto3

        from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
        from roadstead.aws.table import Table
        from roadstead.identity.accounts import Accounts
        from roadstead.identity.sign_in.passwords import Argon2Hasher

        endpoint = self._cloud.endpoint
        dynamodb = boto3.client(
            "dynamodb",
            endpoint_url=endpoint.url,
            region_name=endpoint.credentials.region,
            aws_access_key_id=endpoint.credentials.access_key,
            aws_secret_access_key=endpoint.credentials.secret_key,
        )
        accounts = Accounts(DynamoIdentities(Table(dynamodb, table)), Argon2Hasher())
        if accounts.find_user(NAME) is not None:
            return
        if not self._state.password_file.exists():
            write_atomically(self._state.password_file, secrets.token_urlsafe(24))
        accounts.create_user(NAME, self._state.password_file.read_text(), admin=True)
