"""The emulator refuses what CloudFront refuses, and accepts the URLs of `DistributionUrls`."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from local.edge.signed_urls import KeyGroup
from roadstead.aws.content.cloudfront import DistributionUrls
from roadstead.digest import Digest
from tests.memory.objects import MemoryObjects

ORIGIN = "https://registry.example.com"
KEY = generate_private_key(SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
NOW = 1_000_000


class Parameters:
    def get_parameter(self, **_: object) -> dict[str, dict[str, str]]:
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {"Parameter": {"Value": pem}}


def signed() -> tuple[str, str]:
    urls = DistributionUrls(
        Parameters(),
        origin=ORIGIN,
        key_id="K1",
        key_parameter="/key",
        seconds=900,
        otherwise=MemoryObjects(),
        clock=lambda: NOW,
    )
    parts = urlsplit(urls.presign("blobs/uploads/ab/0-cd", digest=Digest.of(b"layer")))
    return parts.path, parts.query


def group(now: int = NOW, origin: str = ORIGIN, name: str = "K1") -> KeyGroup:
    return KeyGroup(origin, {name: PUBLIC}, clock=lambda: now)


def test_a_signed_url_is_accepted_until_it_expires() -> None:
    path, query = signed()
    assert group().refusal(path, query) is None
    assert group(NOW + 899).refusal(path, query) is None
    assert group(NOW + 900).refusal(path, query) == "Access denied"


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("digest=sha256%3A", "digest=sha256%3Af", "Access denied"),
        ("Expires=1000900", "Expires=1000901", "Access denied"),
        ("Expires=1000900", "Expires=soon", "Malformed Policy"),
        ("Hash-Algorithm=SHA256", "Hash-Algorithm=MD5", "Malformed Policy"),
        ("&Hash-Algorithm=SHA256", "", "Access denied"),
        ("Key-Pair-Id=K1", "Key-Pair-Id=K2", "Unknown Key"),
        ("Signature=", "Signature=!", "Access denied"),
        ("Signature=", "Other=", "Missing Key-Pair-Id query parameter or cookie value"),
    ],
)
def test_a_changed_url_is_refused(old: str, new: str, refusal: str) -> None:
    path, query = signed()
    assert old in query
    assert group().refusal(path, query.replace(old, new)) == refusal


def test_a_signature_is_valid_for_one_object_of_one_distribution() -> None:
    path, query = signed()
    assert group().refusal(path + "x", query) == "Access denied"
    assert group(origin="https://other.example.com").refusal(path, query) == "Access denied"
