from __future__ import annotations

import pytest

from functions.hosting.environ import SettingsError
from functions.hosting.tracing import Tracing
from functions.token.settings import Settings
from roadstead.identity.tokens.certificates import Mode

LEAST = {"IDENTITY_TABLE": "identity", "INDEX_TABLE": "index", "TOKEN_KEYS": "one"}


def test_what_must_be_set_and_what_is_assumed() -> None:
    assert Settings.from_environ(LEAST) == Settings(
        identity_table="identity",
        index_table="index",
        token_keys=("one",),
        token_public_keys={},
        token_issuer="roadstead",
        token_service="roadstead",
        token_lifetime=900,
        token_mode=Mode.CERTIFIED,
        refresh_tokens=False,
        refresh_token_lifetime=7_776_000,
        refresh_token_idle=2_592_000,
        configuration_secrets="/roadstead/configuration",
        ldap_function="",
        internal_issuers=False,
        sts_endpoint="",
        edge_secret_parameter="",
        via_distribution_only=False,
        tracing=Tracing.OFF,
        metrics=False,
    )


def test_everything_can_be_set() -> None:
    environ = {
        "IDENTITY_TABLE": "other",
        "INDEX_TABLE": "index",
        "TOKEN_KEYS": " two, one,, ",
        "TOKEN_ISSUER": "https://issuer.example",
        "TOKEN_SERVICE": "registry.example:5000",
        "TOKEN_LIFETIME": "60",
        "TOKEN_MODE": "direct",
        "REFRESH_TOKENS": "on",
        "REFRESH_TOKEN_LIFETIME": "86400",
        "REFRESH_TOKEN_IDLE": "3600",
        "CONFIGURATION_SECRETS_PREFIX": "/other",
        "LDAP_FUNCTION": "directory",
        "INTERNAL_ISSUERS": "on",
        "STS_ENDPOINT": "https://sts.example",
        "EDGE_SECRET_PARAMETER": "/edge",
        "VIA_DISTRIBUTION_ONLY": "on",
        "TRACING": "on",
        "METRICS": "on",
        "UNRELATED": "x",
    }
    assert Settings.from_environ(environ) == Settings(
        "other",
        "index",
        ("two", "one"),
        {},
        "https://issuer.example",
        "registry.example:5000",
        60,
        Mode.DIRECT,
        True,
        86400,
        3600,
        "/other",
        "directory",
        True,
        "https://sts.example",
        "/edge",
        True,
        Tracing.ON,
        True,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("IDENTITY_TABLE", ""),
        ("INDEX_TABLE", ""),
        ("STS_ENDPOINT", "http://sts.example"),
        ("STS_ENDPOINT", "https://sts.example/path"),
        ("VIA_DISTRIBUTION_ONLY", "yes"),
        ("TOKEN_KEYS", " , "),
        ("TOKEN_ISSUER", 'with "quotes"'),
        ("TOKEN_SERVICE", "x" * 65),
        ("REFRESH_TOKENS", "yes"),
        ("REFRESH_TOKEN_IDLE", "3599"),
        ("TOKEN_LIFETIME", "59"),
        ("TOKEN_LIFETIME", "1801"),
        ("TOKEN_LIFETIME", "15m"),
        ("TOKEN_LIFETIME", "-900"),
        ("TOKEN_LIFETIME", "9" * 5000),
        ("TOKEN_MODE", "Direct"),
        ("REFRESH_TOKEN_LIFETIME", "3599"),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=key):
        Settings.from_environ({**LEAST, key: value})


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"TOKEN_LIFETIME": "x", "TOKEN_MODE": "y"})
    for key in ("IDENTITY_TABLE", "TOKEN_KEYS", "TOKEN_LIFETIME", "TOKEN_MODE"):
        assert str(caught.value).count(key) == 1
