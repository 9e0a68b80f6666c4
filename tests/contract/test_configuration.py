"""What every store of the configuration, and of its secrets, does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.identity.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.identity.ssm_configuration import SsmConfigurationSecrets
from roadstead.aws.table import Table
from roadstead.conflicts import Conflict
from roadstead.identity.configuration import ConfigurationSecretStore, ConfigurationStore, Stored
from roadstead.identity.configuration_keys import Value
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker
from tests import aws
from tests.memory.configuration import MemoryConfiguration, MemoryConfigurationSecrets

EVENT = EventMaker(lambda: 1_800_000_000).make(
    Operation.CHANGE_CONFIGURATION, Actor("ada"), "", detail="read_only=true"
)


@dataclass(frozen=True, slots=True)
class Stores:
    values: ConfigurationStore
    secrets: ConfigurationSecretStore
    table: Table | None = None


def _aws(endpoint: str | None = None) -> Stores:
    client: Any = aws.client("dynamodb", endpoint)
    identity = f"identity-{uuid.uuid4().hex}"
    aws.make_tables(client, f"index-{uuid.uuid4().hex}", identity)
    table = Table(client, identity)
    secrets = SsmConfigurationSecrets(aws.client("ssm", endpoint), f"/roadstead-{uuid.uuid4().hex}/configuration/")
    return Stores(DynamoConfiguration(table), secrets, table)


@pytest.fixture(params=["memory", "moto", "embedded"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        yield Stores(MemoryConfiguration(), MemoryConfigurationSecrets())
    elif request.param == "moto":
        with mock_aws():
            yield _aws()
    else:
        yield _aws(request.getfixturevalue("embedded_endpoint"))


def test_values_come_back_with_their_types(stores: Stores) -> None:
    assert stores.values.find_configuration() == Stored({}, 0)
    values: dict[str, Value] = {
        "read_only": True,
        "storage_per_project": -1,
        "ldap_url": "ldaps://x",
        "ldap_filter": "",
    }
    stores.values.put_configuration(values, replaces=0, event=EVENT)
    assert stores.values.find_configuration() == Stored(values, 1)
    assert type(stores.values.find_configuration().values["read_only"]) is bool
    stores.values.put_configuration({}, replaces=1, event=EVENT)
    assert stores.values.find_configuration() == Stored({}, 2)


def test_of_two_writers_one_reads_again(stores: Stores) -> None:
    stores.values.put_configuration({"read_only": True}, replaces=0, event=EVENT)
    for version in (0, 2):
        with pytest.raises(Conflict):
            stores.values.put_configuration({"read_only": False}, replaces=version, event=EVENT)
    assert stores.values.find_configuration() == Stored({"read_only": True}, 1)


def test_a_change_leaves_its_event(stores: Stores) -> None:
    stores.values.put_configuration({"read_only": True}, replaces=0, event=EVENT)
    if isinstance(stores.values, MemoryConfiguration):
        assert stores.values.events == [EVENT]
        return
    assert stores.table is not None
    keys = [key for key in stores.table.scan_keys() if key[0].startswith("event#")]
    (item,) = stores.table.batch_get(keys).values()
    assert (item["operation"], item["detail"]) == ("change-configuration", "read_only=true")


def test_a_secret_is_kept_under_its_reference_until_it_is_removed(stores: Stores) -> None:
    stores.secrets.put_secret("oidc_client_secret", "a1", "hush")
    assert stores.secrets.find_secret("oidc_client_secret", "a1") == "hush"
    assert stores.secrets.find_secret("oidc_client_secret", "b2") is None
    assert stores.secrets.find_secret("ldap_search_password", "a1") is None
    for _ in range(2):
        stores.secrets.remove_secret("oidc_client_secret", "a1")
    assert stores.secrets.find_secret("oidc_client_secret", "a1") is None
