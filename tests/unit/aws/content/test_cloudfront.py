"""URLs that the distribution serves: what CloudFront checks of them holds."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from roadstead.aws.content.cloudfront import DistributionUrls
from roadstead.digest import Digest
from tests.memory.objects import MemoryObjects

KEY = generate_private_key(SECP256R1())
DIGEST = Digest.of(b"layer")


class Parameters:
    """SSM with one parameter; counts its reads."""

    def __init__(self, key: object) -> None:
        self.reads = 0
        self._pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()  # type: ignore[attr-defined]

    def get_parameter(self, **_: object) -> dict[str, dict[str, str]]:
        self.reads += 1
        return {"Parameter": {"Value": self._pem}}


def urls(parameters: Parameters, origin: str = "https://registry.example.com") -> DistributionUrls:
    return DistributionUrls(
        parameters,
        origin=origin,
        key_id="K2EXAMPLE",
        key_parameter="/key",
        seconds=900,
        otherwise=MemoryObjects(),
        clock=lambda: 1_000_000.5,
    )


def test_a_url_is_signed_by_a_canned_policy_over_the_object_and_its_digest() -> None:
    url = urls(Parameters(KEY)).presign("blobs/uploads/ab/0-cd", digest=DIGEST)

    resource, _, signing = url.partition("&Expires=")
    assert resource == f"https://registry.example.com/blobs/uploads/ab/0-cd?digest={DIGEST.replace(':', '%3A')}"
    query = parse_qs("Expires=" + signing, strict_parsing=True)
    assert (query["Expires"], query["Key-Pair-Id"], query["Hash-Algorithm"]) == (["1000900"], ["K2EXAMPLE"], ["SHA256"])
    policy = json.dumps(
        {"Statement": [{"Resource": resource, "Condition": {"DateLessThan": {"AWS:EpochTime": 1_000_900}}}]},
        separators=(",", ":"),
    )
    signature = base64.b64decode(query["Signature"][0].translate(str.maketrans("-_~", "+=/")))
    KEY.public_key().verify(signature, policy.encode(), ECDSA(SHA256()))


def test_a_distribution_that_is_not_configured_is_named_by_the_call() -> None:
    unnamed = urls(Parameters(KEY), origin="")
    assert unnamed.presign("a", digest=DIGEST, at="https://d1.example").startswith("https://d1.example/a?digest=")
    assert unnamed.presign("a", digest=DIGEST, method="HEAD") == "https://objects.invalid/a?method=HEAD"
    named = urls(Parameters(KEY)).presign("a", digest=DIGEST, at="https://d1.example")
    assert named.startswith("https://registry.example.com/a?")


def test_the_edge_finds_the_digest_in_the_url() -> None:
    url = urls(Parameters(KEY)).presign("blobs/uploads/ab/0-cd", digest=DIGEST)
    assert parse_qs(urlsplit(url).query)["digest"] == [DIGEST]


def test_the_key_is_read_once_for_many_urls() -> None:
    parameters = Parameters(KEY)
    signing = urls(parameters)
    for name in ("a", "b", "c"):
        signing.presign(name, digest=DIGEST)
    assert parameters.reads == 1


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="ECDSA P-256"):
        urls(Parameters(generate_rsa_key(65537, 2048))).presign("a", digest=DIGEST)
