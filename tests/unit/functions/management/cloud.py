"""The management function as Lambda runs it, on moto, asked by events of the HTTP API."""

from __future__ import annotations

import base64
import io
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from functions.management import composition, handler
from functions.management.harbor.webhooks import delivery_number
from roadstead.aws import clients
from roadstead.aws.attributes import decode
from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.index_items import event_from
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.notifications.dynamodb_notifications import DynamoDeliveryRecords
from roadstead.aws.table import Table
from roadstead.catalog.indexing import Indexer, targets_of
from roadstead.content.blob_index import StoredObject
from roadstead.content.copying import NothingUploaded
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.objects import whole_key
from roadstead.content.push import Push
from roadstead.digest import Digest
from roadstead.identity.accounts import Accounts
from roadstead.identity.providers import oidc_provider
from roadstead.identity.providers.oidc_provider import OidcProvider
from roadstead.identity.providers.remote_ldap import answer
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.notifications.stores import Delivery, Outcome
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker
from tests import aws
from tests.manifests import image_of
from tests.memory.ldap import MemoryLdap
from tests.unit.functions.management.client import PASSWORD, FastHasher, basic
from tests.unit.identity.oidc_parts import FakeProvider

INDEX, IDENTITY, BUCKET, QUEUE = "index", "identity", "bucket", "notifications"
ADMIN = "ada"
Called = tuple[str, Mapping[str, Any]]  # "dynamodb.GetItem", and its parameters


@dataclass
class Place:
    """One deployment. `calls` grows with what the function asks of AWS, `lines` with what it logs.

    `ada` is its only user, and a system administrator. Passwords are hashed fast.
    """

    calls: list[Called]
    people: MemoryLdap
    queue_url: str

    def __post_init__(self) -> None:
        self.dynamodb, self.s3, self.ssm, self.sqs = (aws.client(name) for name in ("dynamodb", "s3", "ssm", "sqs"))
        # In the set-up, binary comes as the function's own clients give it.
        self.index, self.identity = (Table(clients.client("dynamodb"), name) for name in (INDEX, IDENTITY))
        self.accounts = Accounts(DynamoIdentities(self.identity), FastHasher())
        self.begin()

    def begin(self) -> None:
        """Have nothing but `ada`: moto copies a whole table for each transaction. The function forgets what it knew."""
        for table in dynamodb_backends[DEFAULT_ACCOUNT_ID][aws.REGION].tables.values():
            table.items.clear()
        handler.services.cache_clear()
        handler.application.cache_clear()
        self.calls.clear()
        self.accounts.create_user(ADMIN, PASSWORD, admin=True)

    def ask(
        self,
        method: str,
        target: str,
        document: Any = None,
        *,
        by: str = ADMIN,
        password: str = PASSWORD,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any, dict[str, str]]:
        """Return the status, the document and the headers of a response. `target` has the query; by "" is nobody."""
        path, _, query = target.partition("?")
        given = {"Host": "registry.example", "X-Forwarded-Proto": "https", "Content-Type": "application/json"}
        given |= dict(headers or {})
        given |= basic(by, password) if by else {}
        body = None if document is None else json.dumps(document)
        parameters: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            parameters.setdefault(name, []).append(value)
        event = {
            "version": "1.0",
            "httpMethod": method,
            "path": path,
            "multiValueHeaders": {name: [value] for name, value in given.items()},
            "multiValueQueryStringParameters": parameters or None,
            "requestContext": {
                "domainName": "registry.example",
                "requestId": "request-1",
                "identity": {"sourceIp": "192.0.2.7"},
            },
            "body": body,
            "isBase64Encoded": False,
        }
        made = json.loads(json.dumps(handler.handle(event, None)))
        content = base64.b64decode(made["body"]) if made["isBase64Encoded"] else made["body"].encode()
        received = {name.lower(): values[-1] for name, values in made["multiValueHeaders"].items()}
        is_json = received.get("content-type", "").startswith("application/json")
        return made["statusCode"], json.loads(content) if content and is_json else None, received

    def made(self, method: str, target: str, document: Any = None, **how: Any) -> tuple[Any, str]:
        """Return the document and the last part of the Location of a call that has to succeed."""
        status, said, headers = self.ask(method, target, document, **how)
        assert 200 <= status < 300, (method, target, status, said)
        return said, headers.get("location", "").rpartition("/")[2]

    def push(self, repository: str, *tags: str, layer: bytes = b"layer", config: bytes = b"{}") -> Digest:
        """Push an image with its blobs, as the registry function does."""
        name, events, index = RepositoryName.parse(repository), EventMaker(), DynamoManifestIndex(self.index)
        blobs, objects = DynamoBlobIndex(self.index), S3Objects(clients.client("s3"), BUCKET)
        for data in (config, layer):
            digest, upload = Digest.of(data), secrets.token_hex(16)
            key = whole_key(name, digest, upload)
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
            event = events.make(Operation.UPLOAD, Actor(ADMIN), name, digest=digest, size=len(data))
            stored = StoredObject(key, len(data), data)
            blobs.link_object(name, digest, stored, upload_id=upload, mark_expires=None, event=event)
        push = Push(manifests=index, blobs=blobs, objects=objects, adoption=NothingUploaded(), events=events)
        body = image_of(layer, config=config)
        wanted = tuple(map(Tag, tags))
        return push.push(name, Digest.of(body), body, content_type=OCI_MANIFEST, tags=wanted, actor=Actor(ADMIN)).digest

    def settle(self) -> None:
        """Let the indexer see every event."""
        blobs, objects = DynamoBlobIndex(self.index), S3Objects(clients.client("s3"), BUCKET)
        indexer = Indexer(
            derived=DynamoDerivedIndex(self.index),
            manifests=DynamoManifestIndex(self.index),
            blobs=blobs,
            objects=objects,
        )
        for item in sorted(self.events().values(), key=lambda one: one["at"]):
            if item.get("repository"):
                for target in targets_of(event_from(item)):
                    indexer.settle(target, at=item["at"])

    def deliver(self, project: str, webhook: str) -> int:
        """Keep a delivery of a webhook, as the webhook function does; return its execution's id."""
        now = int(time.time() * 1000)
        sent = Delivery(
            secrets.token_hex(16), now, now, 1, Outcome.SUCCESS, "PUSH_ARTIFACT", "200", "application/json", "{}"
        )
        DynamoDeliveryRecords(self.index).keep_delivery(ProjectName(project), webhook, sent)
        return delivery_number(sent)

    def items(self) -> list[dict[str, Any]]:
        """Every item of both tables."""
        found = []
        for name in (INDEX, IDENTITY):
            for page in self.dynamodb.get_paginator("scan").paginate(TableName=name):
                found += [decode(item) for item in page["Items"]]
        return found

    def events(self) -> dict[str, dict[str, Any]]:
        """By their ids."""
        return {item["id"]: item for item in self.items() if str(item["pk"]).startswith("event#")}

    def stored(self) -> str:
        """All that is stored outside SSM, as text."""
        objects = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        bodies = [self.s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in objects]
        sent = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return "\n".join([repr(self.items()), repr(bodies), repr(sent.get("Messages", []))])


@contextmanager
def running(patch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A function that has not answered yet."""
    calls: list[Called] = []
    people = MemoryLdap()

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        calls.append((f"{model.service_model.service_name}.{model.name}", dict(params)))

    def client(service: str, **options: Any) -> Any:
        made = clients.client(service, **options)
        made.meta.events.register("provide-client-params", note)
        if service == "lambda":
            made.meta.events.register("before-call.lambda.Invoke", invoked)
        return made

    def invoked(params: Mapping[str, Any], **_: Any) -> Any:
        """The directory's function answers; the collector's is only woken."""
        asked = json.loads(params["body"])
        said = answer(people, asked) if "ask" in asked else None
        body = b"" if said is None else json.dumps(said).encode()
        response = AWSResponse(params["url"], 202 if said is None else 200, {}, io.BytesIO(body))
        return response, {"StatusCode": response.status_code, "Payload": io.BytesIO(body)}

    environment = {
        "AWS_DEFAULT_REGION": aws.REGION,
        "AWS_ACCESS_KEY_ID": aws.CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": aws.CREDENTIALS["aws_secret_access_key"],
        "INDEX_TABLE": INDEX,
        "IDENTITY_TABLE": IDENTITY,
        "BUCKET": BUCKET,
        "COLLECTOR_FUNCTION": "roadstead-prod-collector",
        "LDAP_FUNCTION": "roadstead-prod-ldap",
        "WEBHOOK_REACH": "internal",
        "WEBHOOK_PORTS": "any",
    }
    with mock_aws():
        aws.make_tables(aws.client("dynamodb"), INDEX, IDENTITY)
        aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
        url = aws.client("sqs").create_queue(QueueName=QUEUE)["QueueUrl"]
        for name, value in {**environment, "NOTIFICATION_QUEUE_URL": url}.items():
            patch.setenv(name, value)
        patch.setattr(composition, "client", client)
        patch.setattr(composition, "Argon2Hasher", FastHasher)
        asking = OidcProvider(FakeProvider(time.time))
        patch.setattr(oidc_provider, "OidcProvider", lambda _: asking)
        handler.services.cache_clear()
        handler.application.cache_clear()
        try:
            yield Place(calls, people, url)
        finally:
            handler.services.cache_clear()
            handler.application.cache_clear()


def path_to(project: str, repository: str, reference: str = "", rest: str = "") -> str:
    """The path of a repository or artifact below /api/v2.0."""
    found = f"/api/v2.0/projects/{project}/repositories/{quote(quote(repository, safe=''), safe='')}"
    return found + (f"/artifacts/{reference}" if reference else "") + rest
