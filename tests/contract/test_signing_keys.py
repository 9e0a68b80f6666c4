"""What every store of signing keys does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from moto import mock_aws

from roadstead.aws.identity.kms import MAX_RAW, KmsKeys
from roadstead.identity.tokens.signing import PublicKeys, Signer, UnusableKey
from tests import aws
from tests.memory.signing import MemoryKeys


class Keys(Signer, PublicKeys, Protocol):
    pass


class Backend(NamedTuple):
    keys: Keys
    first: str
    second: str


def _kms(client: Any) -> Backend:
    return Backend(KmsKeys(client), aws.make_signing_key(client), aws.make_signing_key(client))


@pytest.fixture(params=["memory", "moto", "ministack", "embedded"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "memory":
        yield Backend(MemoryKeys("one", "two"), "one", "two")
    elif request.param == "moto":
        with mock_aws():
            yield _kms(aws.client("kms"))
    else:
        yield _kms(aws.client("kms", request.getfixturevalue(f"{request.param}_endpoint")))


def _verify(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def test_a_signature_is_raw_and_verifies_with_the_public_key(backend: Backend) -> None:
    # Often enough that an R or S with a leading zero byte is among them now and then: the length never changes.
    for number in range(20):
        message = f"message {number}".encode()
        signature = backend.keys.sign(backend.first, message)
        assert len(signature) == 64
        _verify(backend.keys.public_key(backend.first), signature, message)


def test_another_keys_signature_does_not_verify(backend: Backend) -> None:
    signature = backend.keys.sign(backend.second, b"message")
    with pytest.raises(InvalidSignature):
        _verify(backend.keys.public_key(backend.first), signature, b"message")


@pytest.mark.parametrize("size", [MAX_RAW, MAX_RAW + 1, 3 * MAX_RAW])
def test_a_message_of_any_length_is_signed(request: pytest.FixtureRequest, backend: Backend, size: int) -> None:
    if size > MAX_RAW and "moto" in request.node.callspec.id:
        pytest.skip("moto ignores MessageType: it hashes a digest again")
    message = b"x" * size
    _verify(backend.keys.public_key(backend.first), backend.keys.sign(backend.first, message), message)


def test_an_unknown_key_is_unusable(backend: Backend) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(UnusableKey):
        backend.keys.sign(unknown, b"message")
    with pytest.raises(UnusableKey):
        backend.keys.public_key(unknown)


def test_a_kms_key_of_another_kind_is_unusable(ministack_endpoint: str) -> None:
    client = aws.client("kms", ministack_endpoint)
    rsa = client.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    symmetric = client.create_key()["KeyMetadata"]["KeyId"]
    for key_id in (rsa, symmetric):
        with pytest.raises(UnusableKey):
            KmsKeys(client).public_key(key_id)
        with pytest.raises(UnusableKey):
            KmsKeys(client).sign(key_id, b"message")


def test_a_public_key_is_asked_of_kms_once(ministack_endpoint: str) -> None:
    client = aws.client("kms", ministack_endpoint)
    key_id = aws.make_signing_key(client)
    keys = KmsKeys(client)
    calls = aws.record_calls(client)
    assert keys.public_key(key_id) is keys.public_key(key_id)
    assert calls == ["kms.GetPublicKey"]


def test_a_public_key_that_is_known_is_not_asked_of_kms(ministack_endpoint: str) -> None:
    client = aws.client("kms", ministack_endpoint)
    handed, other = aws.make_signing_key(client), aws.make_signing_key(client)
    numbers = KmsKeys(client).public_key(handed).public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    keys = KmsKeys(client, {handed: point})
    calls = aws.record_calls(client)
    assert keys.public_key(handed).public_numbers() == numbers
    _verify(keys.public_key(handed), keys.sign(handed, b"message"), b"message")
    keys.public_key(other)
    assert calls == ["kms.Sign", "kms.GetPublicKey"]


def test_a_point_off_the_curve_is_unusable() -> None:
    with pytest.raises(UnusableKey, match="the public key of one in the settings is not a point on P-256"):
        KmsKeys(None, {"one": b"\x04" + b"\x01" * 64}).public_key("one")
