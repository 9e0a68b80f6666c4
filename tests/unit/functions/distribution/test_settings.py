"""Settings: what they default to, and that everything wrong is told at once."""

from __future__ import annotations

import base64
import dataclasses

import pytest

from functions.distribution.settings import AuditBlobs, BlobsAt, Challenge, HeadAnswers, Settings, UploadsAt
from functions.hosting.environ import SettingsError
from functions.hosting.tracing import Tracing
from roadstead.content.push import IndexChildren

LEAST = {"INDEX_TABLE": "index", "BUCKET": "bucket", "TOKEN_KEYS": "one, two", "UPLOAD_KEYS_PARAMETER": "/keys"}
DISTRIBUTION = {"DISTRIBUTION_URL": "https://registry.example.com", "EDGE_SECRET_PARAMETER": "/edge"}


# The generator of P-256 (SEC 2, section 2.4.2), and it as a SubjectPublicKeyInfo (RFC 5480) in base64.
POINT = bytes.fromhex(
    "04"
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
KEY = base64.b64encode(PREFIX + POINT).decode()


def test_four_settings_suffice() -> None:
    assert Settings.from_environ(LEAST) == Settings(
        index_table="index",
        bucket="bucket",
        token_keys=("one", "two"),
        token_public_keys={},
        token_issuer="roadstead",
        token_service="roadstead",
        upload_keys_parameter="/keys",
        distribution_url="",
        uploads_url="",
        edge_secret_parameter="",
        via_distribution_only=False,
        uploads_at=UploadsAt.DISTRIBUTION,
        blobs_at=BlobsAt.S3,
        blob_url_key_id="",
        blob_url_key_parameter="",
        url_seconds=900,
        upload_seconds=86_400,
        upload_url_seconds=1_800,
        max_blob_bytes=50_000_000_000,
        index_children=IndexChildren.ALL,
        head_answers=HeadAnswers.LENGTH,
        challenge=Challenge.DIRECT,
        audit_blobs=AuditBlobs.COUNTED,
        tracing=Tracing.OFF,
        metrics=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("TOKEN_ISSUER", "issuer", "token_issuer", "issuer"),
        ("TOKEN_SERVICE", " service ", "token_service", "service"),
        ("TOKEN_KEYS", "one,,two,", "token_keys", ("one", "two")),
        ("TOKEN_PUBLIC_KEYS", f"{KEY}, {KEY}", "token_public_keys", {"one": POINT, "two": POINT}),
        ("TOKEN_PUBLIC_KEYS", " ", "token_public_keys", {}),
        ("URL_SECONDS", "60", "url_seconds", 60),
        ("UPLOAD_SECONDS", "604800", "upload_seconds", 604_800),
        ("UPLOAD_URL_SECONDS", "60", "upload_url_seconds", 60),
        ("MAX_BLOB_BYTES", "1", "max_blob_bytes", 1),
        ("INDEX_CHILDREN", "none", "index_children", IndexChildren.NONE),
        ("HEAD_ANSWERS", "redirect", "head_answers", HeadAnswers.REDIRECT),
        ("UPLOADS_URL", "https://relay.example.com", "uploads_url", "https://relay.example.com"),
        ("CHALLENGE", "mapped", "challenge", Challenge.MAPPED),
        ("AUDIT_BLOBS", "each", "audit_blobs", AuditBlobs.EACH),
        ("TRACING", "on", "tracing", Tracing.ON),
        ("UPLOADS_AT", "same-host", "uploads_at", UploadsAt.SAME_HOST),
    ],
)
def test_every_setting_can_be_set(name: str, value: str, field: str, expected: object) -> None:
    assert getattr(Settings.from_environ({**LEAST, name: value}), field) == expected


def test_a_distribution_has_a_secret_and_for_blobs_a_key() -> None:
    settings = Settings.from_environ(
        {**LEAST, **DISTRIBUTION, "BLOBS_AT": "distribution", "BLOB_URL_KEY_ID": "K", "BLOB_URL_KEY_PARAMETER": "/k"}
    )
    assert (settings.blobs_at, settings.blob_url_key_id) == (BlobsAt.DISTRIBUTION, "K")
    with pytest.raises(SettingsError, match="EDGE_SECRET_PARAMETER"):
        Settings.from_environ({**LEAST, "DISTRIBUTION_URL": DISTRIBUTION["DISTRIBUTION_URL"]})
    with pytest.raises(SettingsError, match=r"DISTRIBUTION_URL.*BLOB_URL_KEY_ID.*BLOB_URL_KEY_PARAMETER"):
        Settings.from_environ({**LEAST, "BLOBS_AT": "distribution"})


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environ({})
    for name in LEAST:
        assert f"{name} is not set" in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INDEX_TABLE", "  "),
        ("TOKEN_KEYS", ","),
        ("TOKEN_PUBLIC_KEYS", KEY),
        ("TOKEN_PUBLIC_KEYS", f"{KEY},{KEY},{KEY}"),
        ("TOKEN_PUBLIC_KEYS", f"{KEY},{KEY[:-4]}"),
        ("TOKEN_PUBLIC_KEYS", f"{KEY},no base64"),
        ("TOKEN_PUBLIC_KEYS", f"{KEY},{base64.b64encode(b'x' * 91).decode()}"),
        ("TOKEN_ISSUER", 'a"b'),
        ("TOKEN_SERVICE", "x" * 65),
        ("URL_SECONDS", "59"),
        ("URL_SECONDS", "3601"),
        ("URL_SECONDS", "60.5"),
        ("UPLOAD_SECONDS", "-1"),
        ("UPLOAD_SECONDS", "٦٠٠"),
        ("MAX_BLOB_BYTES", "0"),
        ("MAX_BLOB_BYTES", "9" * 30),
        ("INDEX_CHILDREN", "some"),
        ("HEAD_ANSWERS", "Length"),
        ("DISTRIBUTION_URL", "https://registry.example.com/"),
        ("DISTRIBUTION_URL", "registry.example.com"),
    ],
)
def test_a_wrong_value_is_reported_by_name_without_secrets(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environ({**LEAST, "EDGE_SECRET_PARAMETER": "/edge", name: value})
    assert str(error.value).startswith(name)
    assert ";" not in str(error.value)


def test_the_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings.from_environ(LEAST).bucket = "other"  # type: ignore[misc]


def test_requests_can_be_held_to_the_distribution_only_by_its_secret() -> None:
    with pytest.raises(SettingsError, match="EDGE_SECRET_PARAMETER is not set"):
        Settings.from_environ({**LEAST, "VIA_DISTRIBUTION_ONLY": "on"})
    settings = Settings.from_environ({**LEAST, "VIA_DISTRIBUTION_ONLY": "on", "EDGE_SECRET_PARAMETER": "/edge"})
    assert settings.via_distribution_only


def test_uploads_go_to_the_distribution_unless_a_relay_has_a_name_of_its_own() -> None:
    settings = Settings.from_environ({**LEAST, **DISTRIBUTION})
    assert settings.uploads_url == settings.distribution_url
    settings = Settings.from_environ({**LEAST, **DISTRIBUTION, "UPLOADS_URL": "https://relay.example.com"})
    assert settings.uploads_url == "https://relay.example.com"
    assert settings.distribution_url == DISTRIBUTION["DISTRIBUTION_URL"]


def test_the_apis_stage_may_name_the_distribution() -> None:
    edge = {"DISTRIBUTION_URL": "stage", "EDGE_SECRET_PARAMETER": "/edge"}
    settings = Settings.from_environ({**LEAST, **edge})
    assert (settings.distribution_url, settings.uploads_url, settings.edge_secret_parameter) == ("", "", "/edge")
    with pytest.raises(SettingsError, match="EDGE_SECRET_PARAMETER"):
        Settings.from_environ({**LEAST, "DISTRIBUTION_URL": "stage"})
    by_distribution = {"BLOBS_AT": "distribution", "BLOB_URL_KEY_ID": "K", "BLOB_URL_KEY_PARAMETER": "/key"}
    assert Settings.from_environ({**LEAST, **edge, **by_distribution}).distribution_url == ""
