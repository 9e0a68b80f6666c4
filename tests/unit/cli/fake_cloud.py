"""A cloud in memory, for commands and checks of keys and of how a registry is set up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from cli.cloud import BucketState, Secret, SigningKey, TableState
from cli.composition import Cloud
from cli.target import Target

PARAMETER = "/roadstead/upload-keys"
OUTPUTS = {
    "RegistryUrl": "https://registry.example.com",
    "ApiUrl": "https://abc.execute-api.eu-central-1.amazonaws.com",
    "KeyValueStoreArn": "arn:aws:cloudfront::111122223333:key-value-store/0123",
    "IndexTable": "roadstead-index",
    "IdentityTable": "roadstead-identity",
    "Bucket": "roadstead-111122223333-eu-central-1",
    "TokenKeys": "arn:aws:kms:eu-central-1:111122223333:key/1",
    "UploadKeysParameter": PARAMETER,
    "Relay": "on",
    "RelayUrl": "https://abc.lambda-web.eu-central-1.on.aws",
}
STACK = Target.from_outputs("Roadstead", "eu-central-1", OUTPUTS)


class Died(Exception):
    """The command dies here."""


class FakeParameters:
    def __init__(self, values: Mapping[str, Secret] | None = None) -> None:
        self.values = dict(values or {})

    def find(self, name: str) -> Secret | None:
        return self.values.get(name)

    def create(self, name: str, value: str) -> bool:
        if name in self.values:
            return False
        self.values[name] = Secret(value, time.time())
        return True

    def replace(self, name: str, value: str) -> None:
        self.values[name] = Secret(value, time.time())

    def age(self, name: str, seconds: float) -> None:
        """Make the last change `seconds` older."""
        secret = self.values[name]
        self.values[name] = replace(secret, changed=secret.changed - seconds)


@dataclass
class FakeKeyValues:
    """With `dies`, the next write fails before it changes anything."""

    values: dict[str, str] = field(default_factory=dict)
    dies: bool = False

    def find(self, key: str) -> str | None:
        return self.values.get(key)

    def put(self, key: str, value: str) -> None:
        if self.dies:
            self.dies = False
            raise Died
        self.values[key] = value


@dataclass
class FakeSigningKeys:
    keys: dict[str, SigningKey] = field(default_factory=dict)

    def describe(self, key_id: str) -> SigningKey:
        return self.keys.get(key_id, SigningKey(key_id, "ECC_NIST_P256", "SIGN_VERIFY", "Enabled", "kid"))

    def create(self, alias: str) -> str:
        return f"arn of {alias}"


@dataclass
class FakeInspector:
    tables: dict[str, TableState] = field(default_factory=dict)
    bucket_state: BucketState = field(default_factory=lambda: BucketState("b", True, True, True, True))
    active: dict[str, str] = field(default_factory=dict)

    def table(self, name: str) -> TableState:
        return self.tables.get(name, TableState(name, "ACTIVE", True, True, True, 1))

    def bucket(self, name: str) -> BucketState:
        return self.bucket_state

    def alarms(self, prefix: str) -> Mapping[str, str]:
        return self.active


class FakeCloud:
    def __init__(self, target: Target = STACK, *, key_values: FakeKeyValues | None = None) -> None:
        self.target = target
        self.parameters = FakeParameters()
        self.key_values = key_values if key_values is not None or target.is_local else FakeKeyValues()
        self.signing_keys = FakeSigningKeys()
        self.inspector = FakeInspector()
        self.logs: Any = None
        self.troubles: list[str] = []  # what the registry says of its token keys, before it has none

    def token_trouble(self) -> str:
        return self.troubles.pop(0) if self.troubles else ""

    def as_cloud(self) -> Cloud:
        return cast("Cloud", self)
