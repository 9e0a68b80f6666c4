"""Payloads, as Harbor's documentation has them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from roadstead.documents import compact
from roadstead.lifecycle.retention.rules import Rule, Selector, Template
from roadstead.notifications.payloads import Payload, Surroundings, deleted_by, event_type, payload, tags_of
from roadstead.notifications.stores import SENT, PayloadFormat
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Operation, Outcome
from tests.unit.notifications.parts import DIGEST, NOON, PUSH, WEBHOOK, entry

AROUND = Surroundings("registry.example.com", False, NOON - 500)
CLOUD = replace(WEBHOOK, payload=PayloadFormat.CLOUD_EVENTS)


def told(one: AuditEntry, webhook: Any = WEBHOOK, around: Surroundings = AROUND) -> tuple[str, Any]:
    kind = event_type(one)
    assert kind is not None
    rendered: Payload = payload(one, kind, tags_of(one), webhook, around)
    return rendered.content_type, json.loads(rendered.body)


def test_a_push_is_told_as_harbor_tells_it() -> None:
    """The example of goharbor.io's "Configure Webhook Notifications", with our names."""
    content_type, document = told(PUSH)
    assert content_type == "application/json"
    assert json.dumps(document) == json.dumps(
        {
            "type": "PUSH_ARTIFACT",
            "occur_at": NOON,
            "operator": "ada",
            "event_data": {
                "resources": [
                    {
                        "digest": DIGEST,
                        "tag": "v1",
                        "resource_url": "registry.example.com/ships/cargo/crane:v1",
                    }
                ],
                "repository": {
                    "date_created": NOON - 500,
                    "name": "cargo/crane",
                    "namespace": "ships",
                    "repo_full_name": "ships/cargo/crane",
                    "repo_type": "private",
                },
            },
        }
    )


def test_without_a_tag_the_digest_stands_in_its_place() -> None:
    _, document = told(entry(reference=DIGEST))
    assert document["event_data"]["resources"] == [
        {"digest": DIGEST, "tag": DIGEST, "resource_url": f"registry.example.com/ships/cargo/crane@{DIGEST}"}
    ]


def test_a_public_project_and_an_unknown_date_are_told_so() -> None:
    _, document = told(PUSH, around=Surroundings("registry.example.com", True, None))
    repository = document["event_data"]["repository"]
    assert repository["repo_type"] == "public"
    assert "date_created" not in repository


def test_several_tags_are_several_resources() -> None:
    _, document = told(entry(reference="v1,v1.2,latest"))
    resources = document["event_data"]["resources"]
    assert [resource["tag"] for resource in resources] == ["v1", "v1.2", "latest"]
    assert {resource["digest"] for resource in resources} == {DIGEST}


def test_a_repository_of_the_project_library_is_named_with_it() -> None:
    _, document = told(entry(repository="library/hello-world"))
    repository = document["event_data"]["repository"]
    assert (repository["name"], repository["namespace"], repository["repo_full_name"]) == (
        "hello-world", "library", "library/hello-world",
    )  # fmt: skip


def test_nobody_has_a_name_too() -> None:
    _, document = told(entry(actor=Actor("", ActorKind.ANONYMOUS)))
    assert document["operator"] == "anonymous"


@pytest.mark.parametrize(
    ("operation", "name", "cloud"),
    [
        (Operation.PUSH, "PUSH_ARTIFACT", "harbor.artifact.pushed"),
        (Operation.TAG, "PUSH_ARTIFACT", "harbor.artifact.pushed"),
        (Operation.PULL, "PULL_ARTIFACT", "harbor.artifact.pulled"),
        (Operation.DELETE_MANIFEST, "DELETE_ARTIFACT", "harbor.artifact.deleted"),
        (Operation.UNTAG, "DELETE_TAG", "harbor.tag.deleted"),
        (Operation.WARN_QUOTA, "QUOTA_WARNING", "harbor.quota.warned"),
        (Operation.EXCEED_QUOTA, "QUOTA_EXCEED", "harbor.quota.exceeded"),
    ],
)
def test_each_operation_has_its_type(operation: Operation, name: str, cloud: str) -> None:
    assert told(entry(operation))[1]["type"] == name
    assert told(entry(operation), CLOUD)[1]["type"] == cloud


def test_a_quota_is_told_as_harbor_tells_it() -> None:
    detail = "9.5 GiB of 10.0 GiB used; a push needs 600.0 MiB more"
    refused = replace(entry(Operation.EXCEED_QUOTA), detail=detail)
    _, document = told(refused)
    repository = {
        "name": "cargo/crane",
        "namespace": "ships",
        "repo_full_name": "ships/cargo/crane",
        "repo_type": "private",
    }
    assert document["event_data"] == {
        "repository": repository,
        "custom_attributes": {"Details": detail},
        "resources": [{"digest": refused.digest, "tag": refused.reference}],
    }
    warned = replace(entry(Operation.WARN_QUOTA), detail="9.0 GiB of 10.0 GiB used", digest="", reference="")
    assert told(warned)[1]["event_data"] == {
        "repository": repository,
        "custom_attributes": {"Details": warned.detail},
    }


def retained(detail: str, reference: str = "") -> AuditEntry:
    return entry(Operation.RETAIN, repository="", digest="", reference=reference, detail=detail)


RULE = Rule(1, Template.ALWAYS, tags=(Selector("v*", untagged=False),), repositories=(Selector("old/**", True),))
RUN = retained(
    f"id=7 policy=28000000 trigger=schedule deleted=2 repositories=1 retained=5 total=7 "
    f"rules={compact([RULE.as_terms()])}",
    f"cargo/crane:v0.9,cargo/crane@{DIGEST}",
)


def test_a_run_of_retention_rules_is_told_as_harbor_tells_it() -> None:
    """Harbor's `constructRetentionPayload`, which tells each repository and names one artifact of it."""
    around = replace(AROUND, host="registry.example.com:8443")
    kind = event_type(RUN)
    assert kind is not None
    document = json.loads(payload(RUN, kind, deleted_by(RUN), WEBHOOK, around).body)
    assert document == {
        "type": "TAG_RETENTION",
        "occur_at": NOON,
        "operator": "SCHEDULE",
        "event_data": {
            "retention": {
                "total": 7,
                "retained": 5,
                "harbor_hostname": "registry.example.com",
                "project_name": "ships",
                "retention_policy_id": 28000000,
                "retention_rule": [
                    {
                        "template": "always",
                        "params": {},
                        "tag_selectors": [
                            {
                                "kind": "doublestar",
                                "decoration": "matches",
                                "pattern": "v*",
                                "extras": '{"untagged":false}',
                            }
                        ],
                        "scope_selectors": {
                            "repository": [{"kind": "doublestar", "decoration": "repoExcludes", "pattern": "old/**"}]
                        },
                    }
                ],
                "result": "SUCCESS",
                "deleted_artifact": [
                    {"type": "image", "status": "SUCCESS", "name_tag": "cargo/crane:v0.9"},
                    {"type": "image", "status": "SUCCESS", "name_tag": f"cargo/crane@{DIGEST}"},
                ],
            }
        },
    }
    assert told(RUN, CLOUD)[1]["type"] == "harbor.tag_retention.finished"
    assert AuditEntry.from_json(json.loads(json.dumps(RUN.as_json()))) == RUN


def test_a_run_whose_rules_are_too_long_for_the_trail_is_told_without_them() -> None:
    retention = told(retained("id=7 policy=28000000 trigger=manual deleted=1 retained=5 total=6"))[1]["event_data"]
    assert retention["retention"].keys() == {
        "total", "retained", "harbor_hostname", "project_name", "retention_policy_id", "result",
    }  # fmt: skip


def test_nothing_else_is_told() -> None:
    told_of = {Operation.PUSH, Operation.TAG, Operation.PULL, Operation.DELETE_MANIFEST, Operation.UNTAG}
    told_of |= {Operation.WARN_QUOTA, Operation.EXCEED_QUOTA}
    for operation in set(Operation) - told_of:
        assert event_type(entry(operation)) is None
    assert event_type(retained("deleted=0 total=7")) is None
    assert event_type(retained("deleted=2 total=7 dry_run=true")) is None
    assert event_type(entry(outcome=Outcome.REFUSED)) is None
    assert event_type(entry(outcome=Outcome.FAILURE)) is None
    assert event_type(entry(repository="")) is None


def test_a_cloud_event_holds_the_same_data() -> None:
    content_type, event = told(PUSH, CLOUD)
    assert content_type == "application/cloudevents+json"
    assert event == {
        "specversion": "1.0",
        "id": PUSH.id,
        "requestid": "r-1",
        "source": "/projects/ships/webhook/policies/0123456789abcdef",
        "type": "harbor.artifact.pushed",
        "datacontenttype": "application/json",
        "time": "2027-01-15T08:00:00.250Z",
        "data": told(PUSH)[1]["event_data"],
        "operator": "ada",
    }


def test_a_cloud_event_has_what_the_specification_requires_and_no_empty_attribute() -> None:
    _, event = told(entry(actor=Actor("")), CLOUD)
    for name in ("id", "source", "specversion", "type"):
        assert isinstance(event[name], str) and event[name]
    assert "requestid" not in event
    assert all(name.isalnum() and name == name.lower() for name in event)


@pytest.mark.parametrize("webhook", [WEBHOOK, CLOUD])
def test_an_entry_in_the_trails_json_gives_the_same_payload(webhook: Any) -> None:
    """What the webhook function reads of the trail loses nothing that is told."""
    again = AuditEntry.from_json(json.loads(json.dumps(PUSH.as_json())))
    assert told(again, webhook) == told(PUSH, webhook)


def test_the_types_are_those_that_one_can_subscribe_to() -> None:
    entries = [*map(entry, Operation), retained("deleted=1")]
    assert set(map(event_type, entries)) - {None} == set(SENT)
