"""What an event costs: the AWS calls of a warm function, exactly, in their order, on moto."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from functions.webhook import composition
from functions.webhook.dispatch import dispatch
from functions.webhook.services import WebhookServices
from functions.webhook.settings import Settings
from roadstead.aws.clients import client as make_client
from roadstead.aws.table import Table
from roadstead.content.objects import whole_key
from roadstead.content.uploads.provenance import object_metadata
from roadstead.digest import Digest
from roadstead.trail.entries import Operation
from tests import aws
from tests.unit.functions.webhook.parts import (
    ADA,
    SHIPS,
    audit_line,
    event,
    item_of,
    log_event,
    messages,
    object_created,
    pull,
    record,
    stream,
)

PUT = "logs.PutLogEvents"
UPDATE, BATCH_WRITE = "dynamodb.UpdateItem", "dynamodb.BatchWriteItem"


@dataclass
class Warm:
    services: WebhookServices
    calls: list[str]
    identity: Table
    index: Table
    s3: Any
    bucket: str

    def cost(self, told: dict[str, Any]) -> list[str]:
        self.calls.clear()
        dispatch(self.services, told)
        return list(self.calls)


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Warm]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", aws.REGION)):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        clients = {name: make_client(name) for name in ("dynamodb", "sqs", "logs", "s3")}
        own = uuid.uuid4().hex
        index, identity, bucket, group = f"index-{own}", f"identity-{own}", f"bucket-{own}", f"/audit/{own}"
        aws.make_tables(clients["dynamodb"], index, identity)
        clients["s3"].create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
        clients["logs"].create_log_group(logGroupName=group)
        letters = clients["sqs"].create_queue(QueueName=own)["QueueUrl"]
        monkeypatch.setattr(composition, "client", lambda name: clients[name])
        settings = Settings.from_environ(
            {
                "AUDIT_LOG_GROUP": group,
                "AUDIT_DEAD_LETTERS_URL": letters,
                "INDEX_TABLE": index,
                "IDENTITY_TABLE": identity,
                "BUCKET": bucket,
            }
        )
        services = composition.build(settings)
        calls = aws.record_calls(*clients.values())
        made = Warm(
            services,
            calls,
            Table(clients["dynamodb"], identity),
            Table(clients["dynamodb"], index),
            clients["s3"],
            bucket,
        )
        # Of the artifact, of who pulled it, and of the repository.
        assert made.cost(log_event(audit_line(pull("w")))) == ["logs.CreateLogStream", PUT, *[UPDATE] * 3]
        yield made


def test_a_batch_of_mutations_costs_one_call_for_the_log_and_one_for_each_twelve_entries_of_pages(warm: Warm) -> None:
    batch = [record(item_of(event(f"e{number}")), number) for number in range(100)]
    assert warm.cost(stream(*batch)) == [PUT, *[BATCH_WRITE] * 9]  # with the day, which is written down once
    assert warm.cost(stream(*batch)) == [PUT, *[BATCH_WRITE] * 8]


def test_a_deleted_manifest_costs_no_more(warm: Warm) -> None:
    deleted = record(item_of(event("e", Operation.DELETE_MANIFEST)))
    assert warm.cost(stream(deleted)) == [PUT, BATCH_WRITE]


def test_changes_of_accounts_cost_one_read_a_batch(warm: Warm) -> None:
    items = [item_of(event(f"i{number}", Operation.CREATE_USER, repository="")) for number in range(3)]
    for item in items:
        warm.identity.put_item(
            (item["pk"], item["sk"]), {name: item[name] for name in item if name not in ("pk", "sk")}
        )
    batch = [record(item, number, keys_only=True) for number, item in enumerate(items)]
    assert warm.cost(stream(*batch)) == ["dynamodb.BatchGetItem", PUT, BATCH_WRITE]


def test_pulls_cost_a_write_for_each_artifact_puller_and_repository_however_many(warm: Warm) -> None:
    told = [audit_line(pull(str(number), f"sha256:{number % 90:064x}")) for number in range(500)]
    assert warm.cost(log_event(*told)) == [PUT, *[UPDATE] * (90 + 90 + 1)]


def test_logins_and_blob_pulls_cost_one(warm: Warm) -> None:
    told = audit_line(pull("1", operation=Operation.PULL_BLOB))
    assert warm.cost(log_event(told, told)) == [PUT]


def test_an_upload_costs_a_head_a_read_and_a_candidate_besides(warm: Warm) -> None:
    bodies = []
    for number in range(3):
        key = whole_key(SHIPS, Digest.of(b"x"), f"{number:032x}")
        warm.s3.put_object(Bucket=warm.bucket, Key=key, Body=b"x", Metadata=object_metadata(SHIPS, ADA))
        bodies.append(object_created(key))
    each = ["s3.HeadObject", "dynamodb.BatchGetItem", "dynamodb.PutItem"]
    assert warm.cost(messages(*bodies)) == each * 3 + [PUT]


def test_an_object_of_a_spent_upload_costs_one_more_read_and_its_removal(warm: Warm) -> None:
    key = whole_key(SHIPS, Digest.of(b"x"), "f" * 32)
    warm.s3.put_object(Bucket=warm.bucket, Key=key, Body=b"x", Metadata=object_metadata(SHIPS, ADA))
    warm.index.put_item((f"upload#{'f' * 32}", "meta"), {"state": "cancelled"})
    removal = ["s3.HeadObject", "dynamodb.BatchGetItem", "dynamodb.GetItem", "s3.DeleteObject"]
    assert warm.cost(messages(object_created(key))) == [*removal, PUT]


def test_what_was_seen_costs_a_write_for_the_artifact_and_the_repository_and_no_line(warm: Warm) -> None:
    seen = audit_line(pull("1", operation=Operation.SEE))
    assert warm.cost(log_event(seen, seen)) == [UPDATE, UPDATE]


def test_what_concerns_nobody_costs_nothing(warm: Warm) -> None:
    other = {"pk": "repo#a/b", "sk": "tag#1"}
    assert warm.cost(stream(record(other), record(item_of(event("e")), 2, name="REMOVE"))) == []


def test_a_dead_letter_costs_one_call(warm: Warm) -> None:
    assert warm.cost(log_event("poison", "more of it")) == ["sqs.SendMessageBatch"]
