"""docs/settings.md and the settings themselves say the same."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from functions.collector.settings import Settings as CollectorSettings
from functions.distribution.settings import Settings as RegistrySettings
from functions.hosting.environ import SettingsError
from functions.indexer.settings import Settings as IndexerSettings
from functions.ldap.settings import Settings as LdapSettings
from functions.management.settings import Settings as ManagementSettings
from functions.relay.settings import RelaySettings
from functions.token.settings import Settings as TokenSettings
from functions.webhook.settings import Settings as WebhookSettings

DOCUMENT = (Path(__file__).parents[3] / "docs" / "settings.md").read_text()
SETTINGS: dict[str, Callable[[Mapping[str, str]], Any]] = {
    "Registry function": RegistrySettings.from_environ,
    "Token function": TokenSettings.from_environ,
    "Webhook function": WebhookSettings.from_environ,
    "Collector function": CollectorSettings.from_environ,
    "Indexer": IndexerSettings.from_environ,
    "Management function": ManagementSettings.from_environ,
    "LDAP function": LdapSettings.from_environ,
    "Relay": RelaySettings.from_environ,
}
SHARED_WITH_THE_REGISTRY = {"UPLOAD_SECONDS", "MAX_BLOB_BYTES"}


class Reads(dict[str, str]):
    """An environment that notes what is looked up in it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def documented(title: str) -> dict[str, str]:
    """The default by variable, as the section's table has it."""
    section = DOCUMENT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", section, re.MULTILINE))


def read(title: str, environ: Mapping[str, str]) -> set[str]:
    reads = Reads(environ)
    with contextlib.suppress(SettingsError):
        SETTINGS[title](reads)
    return reads.names - (SHARED_WITH_THE_REGISTRY if title == "Relay" else set())


@pytest.mark.parametrize("title", SETTINGS)
def test_every_setting_is_documented_and_nothing_else(title: str) -> None:
    assert set(documented(title)) == read(title, {})


@pytest.mark.parametrize("title", SETTINGS)
def test_what_is_documented_as_required_is_named_when_it_is_missing(title: str) -> None:
    required = {name for name, default in documented(title).items() if default == "required"}
    if not required:
        SETTINGS[title]({})
        return
    with pytest.raises(SettingsError) as missing:
        SETTINGS[title]({})
    assert set(re.findall(r"([A-Z_]+) is not set", str(missing.value))) == required


@pytest.mark.parametrize("title", SETTINGS)
def test_the_documented_default_is_the_one_that_is_assumed(title: str) -> None:
    defaults = {name: text.strip("`") for name, text in documented(title).items() if text.startswith("`")}
    required = {name: "x" for name, text in documented(title).items() if text == "required"}
    assert SETTINGS[title]({**required, **defaults}) == SETTINGS[title](required)


def test_a_distribution_needs_its_secret_and_signed_urls_their_key() -> None:
    least = {name: "x" for name, text in documented("Registry function").items() if text == "required"}
    with pytest.raises(SettingsError, match="EDGE_SECRET_PARAMETER is not set"):
        RegistrySettings.from_environ({**least, "DISTRIBUTION_URL": "https://registry.example.com"})
    with pytest.raises(SettingsError) as missing:
        RegistrySettings.from_environ({**least, "BLOBS_AT": "distribution"})
    for name in ("DISTRIBUTION_URL", "BLOB_URL_KEY_ID", "BLOB_URL_KEY_PARAMETER"):
        assert f"{name} is not set" in str(missing.value)


@pytest.mark.parametrize("url", ["registry.example.com", "https://registry.example.com/", "ftp://a", "https://A b"])
def test_a_distribution_is_named_by_scheme_and_host(url: str) -> None:
    least = {name: "x" for name, text in documented("Registry function").items() if text == "required"}
    with pytest.raises(SettingsError, match="DISTRIBUTION_URL"):
        RegistrySettings.from_environ({**least, "DISTRIBUTION_URL": url, "EDGE_SECRET_PARAMETER": "x"})
