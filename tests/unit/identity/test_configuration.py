"""What the configuration accepts, what it refuses, and who sees a change when."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.configuration import CACHE_SECONDS, Administration, Configuration, ConfigurationReader
from roadstead.identity.configuration_keys import (
    KEYS,
    ConfigurationFixed,
    ConfigurationRefused,
    ConfigurationUnsupported,
    Kind,
)
from roadstead.identity.directory import UserName
from roadstead.trail.entries import Actor
from tests.memory.configuration import MemoryConfiguration, MemoryConfigurationSecrets
from tests.unit.identity.parts import Clock

ADA = Actor("ada")


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.store = MemoryConfiguration()
        self.secrets = MemoryConfigurationSecrets()
        self.administration = Administration(self.store, self.secrets, fixed={"token_expiration": 5}, clock=self.clock)
        self.reader = ConfigurationReader(self.store, self.secrets, clock=self.clock)

    def change(self, **values: Any) -> tuple[str, ...]:
        return self.administration.change(values, ADA)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_every_key_has_a_default_of_its_own_type_that_it_would_accept() -> None:
    types = {Kind.TEXT: str, Kind.NUMBER: int, Kind.FLAG: bool, Kind.SECRET: str}
    for key in KEYS.values():
        assert type(key.default) is types[key.kind]
        assert key.check(key.default) is None


def test_what_nobody_changed_has_its_default_and_what_the_deployment_fixes_its_value(desk: Desk) -> None:
    values = desk.administration.values()
    assert (values["auth_mode"], values["read_only"], values["storage_per_project"]) == ("db_auth", False, -1)
    assert values["token_expiration"] == 5
    assert "oidc_client_secret" not in values and "ldap_search_password" not in values


def test_a_change_is_seen_at_once_and_leaves_one_event(desk: Desk) -> None:
    assert desk.change(read_only=True, auth_mode="oidc_auth", ldap_uid="cn") == ("read_only", "auth_mode")
    assert desk.administration.values()["read_only"] is True
    (event,) = desk.store.events
    assert (event.operation, event.actor, event.detail) == (
        "change-configuration",
        ADA,
        'read_only=true auth_mode="oidc_auth"',
    )


def test_setting_what_is_set_already_changes_nothing(desk: Desk) -> None:
    assert desk.change(auth_mode="db_auth", token_expiration=5, self_registration=False) == ()
    assert desk.store.events == []


def test_unknown_keys_are_ignored(desk: Desk) -> None:
    assert desk.change(uaa_endpoint="x", count_per_project=7, **{"": None}) == ()


@pytest.mark.parametrize(
    "values",
    [
        {"token_expiration": 30},
        {"self_registration": True},
        {"quota_per_project_enable": False},
        {"session_timeout": 1},
    ],
)
def test_a_fixed_key_takes_no_other_value(desk: Desk, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationFixed, match=next(iter(values))):
        desk.change(read_only=True, **values)
    assert desk.administration.values()["read_only"] is False


@pytest.mark.parametrize(
    "values",
    [
        {"skip_audit_log_database": True},
        {"audit_log_forward_endpoint": "syslog:514"},
        {"disabled_audit_log_event_types": "pull_artifact"},
    ],
)
def test_what_would_shorten_the_trail_is_not_supported(desk: Desk, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationUnsupported, match="audit trail"):
        desk.change(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"auth_mode": "uaa_auth"},
        {"auth_mode": 1},
        {"read_only": "true"},
        {"read_only": None},
        {"storage_per_project": 0},
        {"storage_per_project": True},
        {"storage_per_project": 1 << 60},
        {"robot_token_duration": 0},
        {"robot_token_duration": "30"},
        {"banner_message": "hello"},
        {"banner_message": "[" * 4_000},
        {"banner_message": "[]"},
        {"oidc_group_filter": "("},
        {"ldap_scope": 3},
        {"ldap_timeout": 60},
        {"ldap_url": "x" * 1_025},
        {"ldap_search_password": "x" * 1_025},
        {"robot_name_prefix": "robot-"},
        {"robot_name_prefix": "robot:$"},
        {"robot_name_prefix": "robot$+"},
        {"robot_name_prefix": ""},
    ],
)
def test_a_value_that_is_impossible_is_refused_by_the_name_of_its_key(desk: Desk, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationRefused, match=next(iter(values))) as refused:
        desk.change(read_only=True, **values) if "read_only" not in values else desk.change(**values)
    assert not isinstance(refused.value, ConfigurationFixed)
    assert desk.store.events == []


@pytest.mark.parametrize("prefix", ["robot$", "bot!", "R2~"])
def test_no_user_can_have_a_name_that_begins_like_a_robots(desk: Desk, prefix: str) -> None:
    desk.change(robot_name_prefix=prefix)
    with pytest.raises(ValueError, match="not a user name"):
        UserName.parse(f"{prefix}x".lower())


def test_a_secret_is_outside_of_the_table_and_of_the_trail(desk: Desk) -> None:
    assert desk.change(oidc_client_secret="hush-hush") == ("oidc_client_secret",)
    assert "hush" not in str(desk.store.find_configuration()) + str(desk.store.events)
    assert desk.store.events[0].detail == "oidc_client_secret"
    assert desk.reader.secret("oidc_client_secret") == "hush-hush"


def test_a_secret_that_is_replaced_or_emptied_is_gone(desk: Desk) -> None:
    desk.change(oidc_client_secret="one")
    desk.change(oidc_client_secret="two")
    assert list(desk.secrets.kept.values()) == ["two"]
    desk.change(oidc_client_secret="")
    assert desk.secrets.kept == {}
    assert desk.reader.secret("oidc_client_secret") == ""


def test_a_reader_that_remembers_a_replaced_secret_finds_the_new_one(desk: Desk) -> None:
    desk.change(ldap_search_password="one")
    assert desk.reader.secret("ldap_search_password") == "one"
    desk.change(ldap_search_password="two")
    assert desk.reader.secret("ldap_search_password") == "two"


def test_a_change_that_loses_its_race_is_made_on_what_won(desk: Desk) -> None:
    store = desk.store
    raced: list[bool] = []
    original = store.put_configuration

    def racing(values: Any, *, replaces: int, event: Any) -> None:
        if not raced:
            raced.append(True)
            original({"ldap_uid": "uid"}, replaces=replaces, event=event)
        original(values, replaces=replaces, event=event)

    store.put_configuration = racing  # type: ignore[method-assign]
    desk.change(read_only=True)
    assert store.find_configuration().values == {"ldap_uid": "uid", "read_only": True}


def test_a_reader_asks_the_store_once_a_minute(desk: Desk) -> None:
    assert desk.reader.read().flag("read_only") is False
    desk.change(read_only=True)
    reads = desk.store.reads
    desk.clock.now += CACHE_SECONDS - 1
    assert desk.reader.read().flag("read_only") is False
    assert desk.store.reads == reads
    desk.clock.now += 2
    assert desk.reader.read().flag("read_only") is True


def test_a_key_is_asked_for_by_its_type() -> None:
    found = Configuration({"ldap_scope": 1})
    assert (found.number("ldap_scope"), found.text("ldap_uid"), found.reference("oidc_client_secret")) == (1, "cn", "")
    for ask in (
        lambda: found.text("ldap_scope"),
        lambda: found.flag("nothing"),
        lambda: found.text("oidc_client_secret"),
    ):
        with pytest.raises(LookupError):
            ask()
