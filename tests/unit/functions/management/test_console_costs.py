"""What a page of the console costs: the calls that a browser makes for it, sent to the management function on moto.

`console/journeys/calls.json` has the calls of each page; the journey `costs` holds it to what Chromium asks for.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import pytest

from functions.hosting.boundary import response_of
from functions.indexer import composition as indexer
from functions.indexer.settings import Settings as IndexerSettings
from functions.management import composition
from functions.management.application import Application
from functions.management.settings import Settings
from roadstead.aws import clients
from roadstead.aws.catalog.dynamodb_pages import summary_key
from roadstead.aws.content.index_items import pushed_manifest, pushed_tag, repository_pk
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.notifications.dynamodb_notifications import DynamoDeliveryRecords
from roadstead.aws.table import Table
from roadstead.aws.trail.dynamodb_trail import DynamoTrailPages
from roadstead.catalog.indexing import Target
from roadstead.catalog.summaries import Summary
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.digest import Digest
from roadstead.http import Request, Response
from roadstead.identity.accounts import Accounts
from roadstead.identity.sign_in.passwords import Argon2Hasher
from roadstead.names import ProjectName, RepositoryName
from roadstead.notifications.stores import LastDelivery
from roadstead.trail.entries import Actor, AuditEntry, Operation
from tests import aws
from tests.embedded import ROOT
from tests.manifests import image_of
from tests.unit.functions.management.client import Browser, Desk
from tests.unit.functions.registry.cloud import REPOSITORY, running

PASSWORD = "a password of the console"
PROJECT, NAME = REPOSITORY.split("/")
PAGES: Mapping[str, list[str]] = json.loads((ROOT / "console" / "journeys" / "calls.json").read_text())
READS = ("dynamodb.GetItem", "dynamodb.BatchGetItem", "dynamodb.Query")
RULE = {
    "algorithm": "or",
    "scope": {"level": "project"},
    "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
    "rules": [
        {
            "action": "retain",
            "template": "latestPushedK",
            "params": {"latestPushedK": 5},
            "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "**"}],
            "scope_selectors": {
                "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "nowhere"}]
            },
        }
    ],
}


class Cost(NamedTuple):
    """Of a page: calls of the API; calls to DynamoDB; items asked for by key, and Queries; other calls to AWS."""

    api: int
    calls: int
    reads: int
    others: int


class Registry:
    """The management function, an administrator who is signed in, and a repository of `tags` images."""

    def __init__(self, registry: Any, *, tags: int) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.tags = tags
        self._application = Application(composition.build(Settings.from_environ(os.environ)))
        self.browser = Browser(cast(Desk, self))
        services = indexer.build(IndexerSettings.from_environ(os.environ))
        assert self.browser.sign_in("ada", PASSWORD) == 201
        for project in (PROJECT, "archive", *(f"dock{number}" for number in range(8))):
            assert self.browser.ask("POST", "/api/v2.0/projects", {"project_name": project})[0] == 201
        self.project = self.browser.ask("GET", f"/api/v2.0/projects/{PROJECT}")[1]["project_id"]
        registry.push_blob(b"{}")
        registry.push_blob(b"layer")
        manifest = image_of(b"layer")
        assert registry.request("PUT", f"/v2/{REPOSITORY}/manifests/latest", manifest)["statusCode"] == 201
        self.digest = Digest.of(manifest)
        repository = RepositoryName(REPOSITORY)
        services.indexer.settle(Target(repository, self.digest))
        Table(aws.client("dynamodb"), "index").batch_write(puts=list(_tags(repository, tags - 1)))
        services.indexer.settle(Target(repository))
        policy = {**RULE, "scope": {"level": "project", "ref": self.project}}
        _, _, headers = self.browser.ask("POST", "/api/v2.0/retentions", policy)
        self.retention = headers["location"].rpartition("/")[2]
        webhook = {
            "name": "deploy",
            "enabled": True,
            "event_types": ["PUSH_ARTIFACT"],
            "targets": [{"type": "http", "address": "http://127.0.0.1:9/hook", "payload_format": "CloudEvents"}],
        }
        status, body, headers = self.browser.ask("POST", f"/api/v2.0/projects/{PROJECT}/webhook/policies", webhook)
        assert status == 201, body
        self.webhook = headers["location"].rpartition("/")[2]

    def ask(self, request: Request) -> Response:
        return response_of(request, self._application.respond)

    def cost(self, calls: Sequence[str]) -> Cost:
        """Send what a page sends; assert that nothing is refused."""
        self.asked.clear()
        for call in calls:
            method, _, target = call.partition(" ")
            document = self._preview() if target.endswith("/retention/preview") else None
            status, body, _ = self.browser.ask(method, self._here(target), document)
            assert status == 200, (call, status, body)
        reads = [_keys(operation, params) for operation, params in self.asked if operation in READS]
        return Cost(len(calls), len(reads), sum(reads), len(self.asked) - len(reads))

    def _here(self, target: str) -> str:
        """The call with what there is in this registry in place of what the journey has in its own."""
        known = {"{harbour}": str(self.project), "{digest}": self.digest, "{id}": self.webhook}
        target = re.sub(r"\{\w+\}", lambda found: known[found[0]], target)
        target = re.sub(r"repositories/[\w/]+?(?=/tags|/artifacts|$)", f"repositories/{NAME}", target)
        target = re.sub(r"artifacts/[\w.-]+(?=\?)", "artifacts/latest", target)
        return target.replace("harbour", PROJECT).replace(f"retentions/{self.project}", f"retentions/{self.retention}")

    def _preview(self) -> Mapping[str, Any]:
        return {**RULE, "scope": {"level": "project", "ref": self.project}}


def _tags(repository: RepositoryName, count: int) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """The items of older images with a tag each, as a push and the indexer leave them behind."""
    pk, shown = repository_pk(repository), {"type": "t", "size": 1, "by": "ada"}
    for number in range(count):
        digest, tag, at = Digest.of(b"%d" % number), f"v{number:06d}", 1_700_000_000_000 + number
        yield (pk, f"tag#{tag}"), {"digest": digest, "at": at, "pushed": pushed_tag(at, tag), **shown}
        yield (pk, f"tagged#{digest}#{tag}"), {"at": at}
        yield (pk, f"manifest#{digest}"), {"at": at, "pushed": pushed_manifest(at, digest), **shown}
        summary = Summary(digest, "1", f"manifests/{number}", OCI_MANIFEST, 100, 1_000)
        yield summary_key(repository, digest), {"document": summary.to_json()}


def _keys(operation: str, params: Mapping[str, Any]) -> int:
    if operation != "dynamodb.BatchGetItem":
        return 1
    return sum(len(one["Keys"]) for one in params["RequestItems"].values())


@pytest.fixture(scope="module", params=[10, 200])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        asked.append((f"{model.service_model.service_name}.{model.name}", dict(params)))

    def client(service: str, **options: Any) -> Any:
        made = clients.client(service, **options)
        made.meta.events.register("provide-client-params", note)
        return made

    with pytest.MonkeyPatch.context() as patch, running(patch) as function:
        patch.setattr(composition, "client", client)
        patch.setenv("IDENTITY_TABLE", "identity")
        patch.setenv("WEBHOOK_REACH", "internal")
        patch.setenv("WEBHOOK_PORTS", "any")
        patch.setenv("INDEX_DEAD_LETTERS_URL", "https://sqs.example/dead-letters")
        identities = DynamoIdentities(Table(aws.client("dynamodb"), "identity"))
        Accounts(identities, Argon2Hasher()).create_user("ada", PASSWORD, admin=True)
        made = Registry(function, tags=request.param)
        made.asked = asked
        yield made


# What a page may cost at the most, in a repository of any size. Whoever adds to it changes docs/console.md as well.
BOUNDS: Mapping[str, Cost] = {
    "home": Cost(2, 15, 39, 0),
    "projects": Cost(2, 7, 20, 0),
    "repositories": Cost(4, 14, 29, 0),
    "repositories-empty": Cost(4, 14, 29, 0),
    "members": Cost(4, 14, 29, 0),
    "robots": Cost(4, 15, 31, 0),
    "policies": Cost(7, 30, 59, 0),
    "webhooks": Cost(5, 16, 35, 0),
    "trash": Cost(5, 14, 33, 0),
    "activity": Cost(4, 12, 27, 0),
    "project-settings": Cost(4, 14, 30, 0),
    "tags": Cost(3, 10, 119, 0),
    "untagged": Cost(3, 12, 60, 0),
    "repository-description": Cost(3, 9, 19, 0),
    "tags-many": Cost(3, 10, 119, 0),
    "artifact": Cost(7, 29, 55, 1),
    "artifact-image": Cost(9, 35, 71, 3),
    "compare": Cost(6, 30, 155, 4),
    "results": Cost(2, 9, 18, 0),
    "results-empty": Cost(1, 1, 3, 0),
    "overview": Cost(4, 8, 23, 0),
    "groups": Cost(2, 3, 7, 0),
    "quotas": Cost(2, 4, 27, 0),
    "cost": Cost(2, 4, 17, 0),
    "providers": Cost(4, 7, 15, 0),
    "configuration": Cost(2, 3, 7, 0),
    "users": Cost(2, 3, 7, 0),
    "locks": Cost(2, 3, 7, 0),
    "system-robots": Cost(2, 4, 8, 0),
    "collector": Cost(3, 6, 12, 0),
    "labels": Cost(2, 3, 7, 0),
    "audit": Cost(2, 3, 7, 0),
    "tokens": Cost(2, 3, 7, 0),
    "sessions": Cost(2, 3, 7, 0),
    "profile": Cost(2, 2, 6, 0),
    "account": Cost(1, 1, 3, 0),
    "nowhere": Cost(1, 1, 3, 0),
}


def test_every_page_has_a_bound() -> None:
    assert set(BOUNDS) == set(PAGES)


@pytest.mark.parametrize("page", BOUNDS)
def test_a_page_costs_no_more_than_its_bound_however_many_tags_there_are(registry: Registry, page: str) -> None:
    cost = registry.cost(PAGES[page])
    assert all(found <= bound for found, bound in zip(cost, BOUNDS[page], strict=True)), f"{page}: {tuple(cost)}"


def test_the_page_of_a_repository_makes_three_calls_and_reads_a_page_of_its_tags(registry: Registry) -> None:
    cost = registry.cost(PAGES["tags"])
    assert (cost.api, cost.calls) == (3, BOUNDS["tags"].calls)
    assert cost.reads == BOUNDS["tags"].reads - 2 * (50 - min(50, registry.tags))


def test_the_home_page_costs_little_when_all_kinds_of_things_need_attention(registry: Registry) -> None:
    now = int(time.time())
    pull = {"resource": "repository", "action": "pull"}
    permissions = [{"kind": "project", "namespace": PROJECT, "access": [pull]}]
    robot = {"name": "ci", "level": "project", "duration": 3, "permissions": permissions}
    assert registry.browser.ask("POST", "/api/v2.0/robots", robot)[0] == 201
    index = Table(aws.client("dynamodb"), "index")
    failed = LastDelivery("d", now, delivered=False, detail="no answer")
    DynamoDeliveryRecords(index).record_delivery(ProjectName(PROJECT), registry.webhook, failed)
    entries = [AuditEntry(f"{number:032x}", now * 1000, Operation.PUSH, Actor("ada")) for number in range(8)]
    DynamoTrailPages(index).write(entries)
    cost = registry.cost(PAGES["home"])
    status, home, _ = registry.browser.ask("GET", "/api/roadstead/v1/home")
    assert status == 200
    assert {one["kind"] for one in home["attention"]["warnings"]} == {"robot", "webhook"}
    assert (len(home["activity"]), [one["name"] for one in home["repositories"]["last"]]) == (8, [REPOSITORY])
    assert home["statistics"]["projects"] == 10
    assert cost.api <= 2
    assert cost.calls <= 15
    assert cost.reads <= 39
