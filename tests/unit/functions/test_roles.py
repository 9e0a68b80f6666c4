"""What the token, webhook, indexer, collector and ldap functions ask of AWS, against what their roles allow.

No less is allowed, and nothing that nobody uses. The registry and the management function have tests of their own.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from bench.operations import OCI_MANIFEST, Requests, closing, described, entry
from bench.rig import PASSWORD, USER, basic
from infra.configuration.settings import Settings
from infra.policies import Statement, function_policy
from roadstead.aws import clients
from roadstead.content.objects import whole_key
from roadstead.content.uploads.provenance import object_metadata
from roadstead.digest import Digest
from roadstead.lifecycle.bucket_audit import execution
from roadstead.names import RepositoryName
from roadstead.trail.entries import Operation
from tests.unit.functions.permissions import Need, actions_allowed, actions_used, allows, needed
from tests.unit.functions.webhook.parts import ADA, SHIPS, audit_line, log_event, messages, object_created, pull
from tests.unit.functions.whole import HARBOR, OWN, Whole, whole

FUNCTIONS = ("token", "webhook", "indexer", "collector", "ldap")
GIB = 1 << 30
_LAMBDA = {
    ("Logs", "logs:CreateLogStream"),  # Lambda's own
    ("Logs", "logs:PutLogEvents"),
    ("Traces", "xray:PutTelemetryRecords"),
    ("Traces", "xray:PutTraceSegments"),
}
_MAPPING = {f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}
_QUEUE = {f"sqs:{name}" for name in ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")}

# Allowed and not asked for by the function's own code, each for a reason.
ARGUED: dict[str, set[tuple[str, str]]] = {
    "token": {
        *_LAMBDA,
        ("EdgeSecret", "ssm:GetParameter"),  # read where requests come through the distribution
        ("EdgeSecretItself", "secretsmanager:GetSecretValue"),
    },
    "webhook": {
        *_LAMBDA,
        *(("Streams", action) for action in _MAPPING),  # the event source mappings'
        *((name, action) for name in ("ObjectEvents", "Notifications") for action in _QUEUE),
        ("AbsentUploads", "s3:ListBucket"),  # tells absent objects from forbidden ones
    },
    "indexer": {*_LAMBDA, *(("Stream", action) for action in _MAPPING), ("AbsentObjects", "s3:ListBucket")},
    "collector": set(_LAMBDA),
    "ldap": set(_LAMBDA),
}


@pytest.fixture(scope="module")
def needs() -> Iterator[dict[str, set[Need]]]:
    with whole() as deployment, pytest.MonkeyPatch.context() as patch:
        patch.delenv("TOKEN_PUBLIC_KEYS")  # as with Chalice alone, where nothing hands them out
        patch.setattr(execution, "MIN_AGE", -60)  # what is in the bucket was stored a moment ago
        patch.setattr(execution, "SETTLED", 0)  # nobody counts meanwhile
        live(deployment)
        asked = deployment.asked
    yield {name: {need for one in asked.get(name, ()) for need in needed(one)} for name in FUNCTIONS}


def statements(name: str) -> list[Statement]:
    found: list[Statement] = function_policy(name, Settings.parse({}))["Statement"]
    return found


def live(one: Whole) -> None:
    """Everything that makes these functions ask AWS for something, once."""
    govern(one)
    sign_in(one)
    content(one)
    notify(one)
    collect(one)


def govern(one: Whole) -> None:
    one.people.add("linus", "the password of linus")
    changed = {
        "ldap_url": "ldaps://ldap.example.org", "ldap_base_dn": "dc=x", "ldap_search_password": "secret-A1",
        "storage_per_project": GIB,
    }  # fmt: skip
    one.ask("PUT", f"{HARBOR}/configurations", changed)
    one.ask("POST", f"{HARBOR}/projects", {"project_name": "bench"}, expect=201)
    target = {"type": "http", "address": "http://127.0.0.1:9/hook", "auth_header": "Bearer secret"}
    hook = {"name": "ci", "targets": [target], "event_types": ["PUSH_ARTIFACT"], "enabled": True}
    one.ask("POST", f"{HARBOR}/projects/bench/webhook/policies", hook, expect=201)


def sign_in(one: Whole) -> None:
    service = "service=roadstead"
    one.token(f"/token?{service}&scope=repository:anew/app:push", by=basic())  # makes the project, with its quota
    one.token(f"/token?{service}", by=basic("wrong"), expect=401)
    form = f"grant_type=password&{service}&client_id=c&access_type=offline&username={USER}&password={quote(PASSWORD)}"
    refresh = one.token("/token", form=form)["refresh_token"]
    one.token("/token", form=f"grant_type=refresh_token&{service}&client_id=c&refresh_token={refresh}")
    for _ in range(2):  # made an account at the first, known at the second
        form = f"grant_type=password&{service}&client_id=c&username=linus&password={quote('the password of linus')}"
        one.token("/token", form=form)
    permission = {"kind": "project", "namespace": "bench", "access": [{"resource": "repository", "action": "pull"}]}
    document = {"name": "r", "level": "project", "duration": 1, "permissions": [permission]}
    robot = one.ask("POST", f"{HARBOR}/robots", document, expect=201)
    one.token(f"/token?{service}", by=basic_of(robot["name"], robot["secret"]))
    new = {"name": "ci", "access": "write", "duration": 1}
    token = one.ask("POST", f"{OWN}/users/current/tokens", new, expect=201)["token"]
    one.token(f"/token?{service}", by=basic_of(USER, token))
    one.token("/.well-known/jwks.json")


def content(one: Whole) -> None:
    """Pushes of every kind, deletions, and what was extracted of them."""
    requests = Requests(one.rig, "bench/image")
    first, second = requests.manifest(layers=1), requests.manifest(layers=2)
    chart = chart_of(requests)
    for reference, body in (("v1", first), ("v2", second), ("chart", chart)):
        requests.push_manifest(reference, body)
    untagged = requests.manifest(layers=1)
    requests.push_manifest(described(untagged).digest, untagged)
    children = [entry(OCI_MANIFEST, described(body)) for body in (first, second, untagged)]
    index = json.dumps(
        {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": children}
    ).encode()
    put = requests.registry(
        "PUT", "/v2/bench/image/manifests/index", index, expect=201,
        content_type="application/vnd.oci.image.index.v1+json",
    )  # fmt: skip
    put()
    requests.push_manifest("large", requests.manifest(layers=1, padding=100_000))
    requests.push_manifest("signature", requests.manifest(layers=1, subject=first))
    one.deliver()
    one.ask("POST", f"{HARBOR}/labels", {"name": "l", "scope": "g"}, expect=201)
    number = one.ask("GET", f"{HARBOR}/labels?scope=g")[0]["id"]
    one.ask("POST", f"{HARBOR}/projects/bench/repositories/image/artifacts/v2/labels", {"id": number})
    for reference in ("index", "chart", "v2", "large"):
        one.ask("DELETE", f"{HARBOR}/projects/bench/repositories/image/artifacts/{reference}")
    one.deliver()


def chart_of(requests: Requests) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in (("c/README.md", b"# C"), ("c/values.yaml", b"a: 1")):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    found = []
    for data in (b'{"name": "c", "version": "1.0.0"}', gzip.compress(packed.getvalue())):
        descriptor = described(data)
        requests.registry(
            "PUT",
            closing(requests.location(), descriptor.digest),
            data,
            expect=201,
            content_type="application/octet-stream",
        )()
        found.append(descriptor)
    config, layer = found
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": entry("application/vnd.cncf.helm.config.v1+json", config),
        "layers": [entry("application/vnd.cncf.helm.chart.content.v1.tar+gzip", layer)],
    }
    return json.dumps(document).encode()


def notify(one: Whole) -> None:
    """Log lines of pulls, objects that S3 tells of, deliveries, and what nobody understands."""
    requests = Requests(one.rig, "bench/image")
    digest = described(requests.manifest(layers=1)).digest
    one.invoke(
        "webhook", log_event(audit_line(pull("w", digest)), audit_line(pull("s", digest, operation=Operation.SEE)))
    )
    one.invoke("webhook", log_event("poison"))
    one.invoke("indexer", {"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1"}}]})
    s3, bucket = clients.client("s3"), one.rig.resources.bucket
    location = requests.location()
    requests.registry("DELETE", location, expect=204)()
    upload = location.partition("?")[0].rpartition("/")[2]
    late = whole_key(RepositoryName("bench/image"), Digest.of(b"late"), upload)
    s3.put_object(Bucket=bucket, Key=late, Body=b"late", Metadata=object_metadata(SHIPS, ADA))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="blobs/"):
        for found in page.get("Contents", []):
            one.invoke("webhook", messages(object_created(found["Key"])))
    one.invoke("webhook", messages("poison", queue="roadstead-notifications"))
    sqs = clients.client("sqs")
    url = one.rig.resources.notifications_url
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in received:
        record = messages(message["Body"], queue="roadstead-notifications")
        record["Records"][0]["receiptHandle"] = message["ReceiptHandle"]
        one.invoke("webhook", record)


def collect(one: Whole) -> None:
    """Collections, an audit of bucket and usage, the trash, retention, and a repository that goes."""
    uncounted(one)
    stray = f"derived/bench/image/sha256/{'0' * 64}/1/readme.md"
    clients.client("s3").put_object(Bucket=one.rig.resources.bucket, Key=stray, Body=b"# Stray")
    one.ask("POST", f"{OWN}/system/bucket-audits", {"repair": True}, expect=201)
    number = one.ask("GET", f"{HARBOR}/projects/bench")["project_id"]
    rule = {
        "action": "retain", "template": "latestPushedK", "params": {"latestPushedK": 1},
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "**"}],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
    }  # fmt: skip
    document = {
        "algorithm": "or", "scope": {"level": "project", "ref": number}, "rules": [rule],
        "trigger": {"kind": "Schedule", "settings": {"cron": "0 0 0 * * *"}},
    }  # fmt: skip
    one.ask("POST", f"{HARBOR}/retentions", document, expect=201)
    one.ask("POST", f"{HARBOR}/retentions/{number}/executions", {"dry_run": False}, expect=201)
    requests = Requests(one.rig, "bench/other")
    requests.push_manifest("v1", requests.manifest(layers=1))
    one.ask("DELETE", f"{HARBOR}/projects/bench/repositories/other")
    for unit in one.ask("GET", f"{OWN}/projects/bench/trash"):
        one.ask("POST", f"{OWN}/projects/bench/trash/{unit['id']}/restore", expect=201)
    one.invoke("collector", {"tick": True})
    one.ask("DELETE", f"{HARBOR}/projects/bench/repositories/image/artifacts/chart")
    one.ask("DELETE", f"{OWN}/projects/bench/trash", expect=202)
    one.invoke("collector", {"tick": True})
    one.invoke("collector", {})


def uncounted(one: Whole) -> None:
    """An image that is gone and one that is new, of which the indexer never hears, and wrong numbers."""
    requests = Requests(one.rig, "bench/image")
    requests.push_manifest("gone", requests.manifest(layers=1))
    one.deliver()
    one.ask("DELETE", f"{HARBOR}/projects/bench/repositories/image/artifacts/gone")
    requests.push_manifest("new", requests.manifest(layers=1))
    for pk, number in (("usage#bench", "bytes"), ("count#bench/image", "n")):
        found = clients.client("dynamodb").query(
            TableName=one.rig.resources.index_table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )["Items"]
        wrong = next(item for item in found if number in item and item["sk"]["S"].startswith(("usage", "artifacts")))
        item = {**wrong, number: {"N": "77"}}
        clients.client("dynamodb").put_item(TableName=one.rig.resources.index_table, Item=item)


def basic_of(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_allows_all_that_is_asked(needs: dict[str, set[Need]], name: str) -> None:
    refused = {need for need in needs[name] if not any(allows(one, need) for one in statements(name))}
    assert refused == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_allows_no_action_that_nothing_asks(needs: dict[str, set[Need]], name: str) -> None:
    found = statements(name)
    assert actions_allowed(found) - actions_used(found, needs[name]) == ARGUED[name]
