"""One registry for each test: both functions as their composition roots put them together, on stores in memory.

`@on_both_backends` runs a test a second time on the real stores, with ministack for AWS: unlike moto it checks
presigned URLs and refuses what DynamoDB would refuse.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Protocol

import pytest

import functions.token.composition as token_composition
from functions.distribution import composition
from functions.distribution.application import Application
from functions.distribution.settings import Settings as RegistrySettings
from functions.hosting.boundary import lambda_response
from functions.token.application import respond
from functions.token.settings import Settings as TokenSettings
from roadstead.aws.clients import client as make_client
from roadstead.aws.clients import session
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.content.objects import Objects
from roadstead.content.uploads.token import UploadKeys
from roadstead.identity.accounts import Accounts, AccountStore
from roadstead.identity.directory import Project, Role, User, UserName
from roadstead.identity.sign_in.passwords import Argon2Hasher
from roadstead.names import ProjectName
from tests import aws
from tests.api.client import Api, Client
from tests.memory.configuration import MemoryConfiguration
from tests.memory.identity import MemoryIdentities
from tests.memory.index import MemoryIndex
from tests.memory.objects import FixedEdgeSecrets, FixedUploadKeys, MemoryObjects
from tests.memory.signing import MemoryKeys

# Members of the projects `acme` (private) and `library`, `open` (both public); `stranger` is a member of none.
ROLES = {
    "guest": Role.GUEST,
    "developer": Role.DEVELOPER,
    "maintainer": Role.MAINTAINER,
    "owner": Role.ADMIN,
}
PROJECTS = {"acme": False, "open": True, "library": True}
USERS = ("admin", *ROLES, "stranger")
PASSWORDS = {name: f"correct horse {name}" for name in USERS}
EDGE_SECRET = "e" * 32  # by which the distribution is known, where EDGE_SECRET_PARAMETER is set
UPLOAD_KEYS = UploadKeys("k1", {"k1": b"1" * 32, "k0": b"0" * 32})


class Builder(Protocol):
    """Makes the registry of a test, with settings of both functions by their environment's names."""

    def __call__(self, **settings: str) -> Api: ...


@cache
def _hashed(password: str) -> str:
    return Argon2Hasher().hash(password)


@cache
def _client(service: str) -> Any:
    """The functions' own kind of client, made once a process: the endpoint stays the same, and making one is slow."""
    return make_client(service)


def _populate(identities: AccountStore) -> Accounts:
    """Directly, since hashing every password for every test would take most of the time."""
    for name in USERS:
        identities.create_user(User(UserName(name), _hashed(PASSWORDS[name]), 1, admin=name == "admin"))
    for name, public in PROJECTS.items():
        identities.create_project(Project(ProjectName(name), public, 1, "admin"))
        for user, role in ROLES.items():
            identities.set_member(ProjectName(name), UserName(user), role)
    return Accounts(identities, Argon2Hasher())


def _api(
    registry: Mapping[str, str],
    token: Mapping[str, str],
    accounts: Accounts,
    objects: Objects,
) -> Api:
    application = Application(composition.build(RegistrySettings.from_environ(registry)))
    tokens = token_composition.build(TokenSettings.from_environ(token))
    return Api(
        functions={
            "registry": lambda event: lambda_response(
                event, application.respond, head_bodies=application.head_bodies, function="registry"
            ),
            "token": lambda event: lambda_response(event, lambda request: respond(tokens, request), function="token"),
        },
        passwords=PASSWORDS,
        accounts=accounts,
        objects=objects,
        keys=UPLOAD_KEYS,
    )


def _in_memory(patch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> Api:
    index, objects, keys, identities = MemoryIndex(), MemoryObjects(), MemoryKeys("key"), MemoryIdentities()
    replacements: dict[str, Any] = {
        "client": lambda *_, **__: None,
        "DynamoBlobIndex": lambda _: index,
        "DynamoManifestIndex": lambda _: index,
        "DynamoUploadSessions": lambda _: index,
        "S3Objects": lambda *_, **__: objects,
        "KmsKeys": lambda *_: keys,
        "SsmUploadKeys": lambda *_: FixedUploadKeys(UPLOAD_KEYS),
        "SsmEdgeSecrets": lambda *_: FixedEdgeSecrets((EDGE_SECRET,)),
    }
    for name, replacement in replacements.items():
        patch.setattr(composition, name, replacement)
    for name in ("client", "KmsKeys", "SsmEdgeSecrets"):
        patch.setattr(token_composition, name, replacements[name])
    patch.setattr(token_composition, "DynamoIdentities", lambda _: identities)
    patch.setattr(token_composition, "DynamoConfiguration", lambda _: MemoryConfiguration())
    accounts = _populate(identities)
    registry = {"INDEX_TABLE": "-", "BUCKET": "-", "TOKEN_KEYS": "key", "UPLOAD_KEYS_PARAMETER": "-", **settings}
    token = {"IDENTITY_TABLE": "-", "INDEX_TABLE": "-", "TOKEN_KEYS": "key", **settings}
    api = _api(registry, token, accounts, objects)
    return replace(api, token_keys=keys)


def _on_aws(patch: pytest.MonkeyPatch, endpoint: str, settings: Mapping[str, str]) -> Api:
    environment = {
        "AWS_DEFAULT_REGION": aws.REGION,
        "AWS_ACCESS_KEY_ID": "test",  # ministack verifies presigned URLs by these
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint,
        "ROADSTEAD_S3_ADDRESSING": "path",
    }
    for name, value in environment.items():
        patch.setenv(name, value)
    session.cache_clear()  # it may have another test's credentials, and signs URLs
    patch.setattr(composition, "client", _client)
    patch.setattr(token_composition, "client", _client)
    own = secrets.token_hex(6)
    dynamodb, kms, s3, ssm = (_client(service) for service in ("dynamodb", "kms", "s3", "ssm"))
    index, identity, bucket, parameter = f"index-{own}", f"identity-{own}", f"bucket-{own}", f"/upload-keys/{own}"
    aws.make_tables(dynamodb, index, identity)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
    keys = {name: base64.b64encode(key).decode() for name, key in UPLOAD_KEYS.keys.items()}
    ssm.put_parameter(
        Name=parameter, Type="SecureString", Value=json.dumps({"current": UPLOAD_KEYS.current, "keys": keys})
    )
    key = aws.make_signing_key(kms)
    accounts = _populate(DynamoIdentities(Table(dynamodb, identity)))
    registry = {"INDEX_TABLE": index, "BUCKET": bucket, "TOKEN_KEYS": key, "UPLOAD_KEYS_PARAMETER": parameter}
    token = {"IDENTITY_TABLE": identity, "INDEX_TABLE": index, "TOKEN_KEYS": key, **settings}
    return _api({**registry, **settings}, token, accounts, S3Objects(s3, bucket))


@pytest.fixture(scope="session")
def ministack_endpoint() -> Iterator[str]:
    """One ministack for all tests of a process. Tests keep apart by the names of their tables and buckets."""
    with aws.ministack() as endpoint:
        yield endpoint


@pytest.fixture
def build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Builder:
    """Makes the registry; for tests that choose its settings."""

    def make(**settings: str) -> Api:
        if getattr(request, "param", "memory") == "memory":
            return _in_memory(monkeypatch, settings)
        return _on_aws(monkeypatch, request.getfixturevalue("ministack_endpoint"), settings)

    return make


@pytest.fixture
def api(build: Builder) -> Api:
    return build()


@pytest.fixture
def developer(api: Api) -> Client:
    """May pull and push in every project."""
    return api.user("developer")


@pytest.fixture
def maintainer(api: Api) -> Client:
    """May delete, too."""
    return api.user("maintainer")


@pytest.fixture
def nobody(api: Api) -> Client:
    return api.user("")
