"""The settings of notifications, and docs/notifications.md that lists them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from functions.hosting.environ import Environ, SettingsError
from functions.webhook.notification_settings import NotificationSettings
from roadstead.outbound.endpoint import EndpointPolicy

DOCUMENT = (Path(__file__).parents[4] / "docs" / "notifications.md").read_text().split("## Settings\n", 1)[1]
DOCUMENTED = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", DOCUMENT, re.MULTILINE))
REQUIRED = {name: "x" for name, default in DOCUMENTED.items() if default == "required"}
DEFAULTS = {name: default.strip("`") for name, default in DOCUMENTED.items() if default != "required"}


class Reads(dict[str, str]):
    """An environment that notes what is looked up in it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: object = None) -> str:
        self.names.add(name)
        return ""


def test_what_is_documented_is_what_is_read() -> None:
    reads = Reads()
    with pytest.raises(SettingsError) as missing:
        NotificationSettings.from_environ(reads)
    assert reads.names == set(DOCUMENTED)
    assert set(re.findall(r"([A-Z_]+) is not set", str(missing.value))) == set(REQUIRED)


def test_the_documented_defaults_are_those_that_are_assumed() -> None:
    assert NotificationSettings.from_environ({**REQUIRED, **DEFAULTS}) == NotificationSettings.from_environ(REQUIRED)


@pytest.mark.parametrize(
    ("ports", "reach", "policy"),
    [
        ("", "", EndpointPolicy(frozenset({443, 8443}))),
        ("443", "public", EndpointPolicy(frozenset({443}))),
        ("any", "internal", EndpointPolicy(frozenset(), internal=True)),
    ],
)
def test_a_policy_is_made_of_two_settings(ports: str, reach: str, policy: EndpointPolicy) -> None:
    settings = NotificationSettings.from_environ({**REQUIRED, "WEBHOOK_PORTS": ports, "WEBHOOK_REACH": reach})
    assert settings.endpoints == policy


@pytest.mark.parametrize("wrong", [{"WEBHOOK_PORTS": "22"}, {"WEBHOOK_REACH": "everything"}])
def test_any_other_policy_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        NotificationSettings.from_environ({**REQUIRED, **wrong})


def test_a_queue_is_known_by_the_end_of_its_url() -> None:
    settings = NotificationSettings.from_environ({**REQUIRED, "NOTIFICATION_QUEUE_URL": "https://sqs.example/1/told"})
    assert settings.queue_name == "told"


def test_without_a_queue_there_are_no_notifications() -> None:
    read = Environ({})
    assert NotificationSettings.optional(read) is None
    read.check()
    assert NotificationSettings.optional(Environ(REQUIRED)) == NotificationSettings.from_environ(REQUIRED)


def test_with_a_queue_the_rest_is_required() -> None:
    read = Environ({"NOTIFICATION_QUEUE_URL": "x"})
    NotificationSettings.optional(read)
    with pytest.raises(SettingsError, match="REGISTRY_HOST is not set"):
        read.check()
