"""The two ends of the queue: on AWS's emulator, with the calls counted, and with real receivers behind TLS."""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from functions.webhook import composition
from functions.webhook.delivery import NotificationServices, deliver
from functions.webhook.notification_settings import NotificationSettings
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.notifications.dynamodb_notifications import DynamoDeliveryRecords, DynamoWebhooks
from roadstead.aws.notifications.sqs import SqsQueue
from roadstead.aws.notifications.ssm_webhooks import SsmWebhookSecrets
from roadstead.aws.table import Table
from roadstead.identity.directory import Project
from roadstead.names import ProjectName
from roadstead.notifications.delivery import Deliverer
from roadstead.notifications.messages import Message
from roadstead.notifications.signatures import signature_headers
from roadstead.notifications.stores import Webhook
from roadstead.notifications.targets import Targets
from roadstead.notifications.webhooks import Notifications
from roadstead.outbound.endpoint import EndpointPolicy, EndpointRefused
from roadstead.outbound.https import Answer, HttpsPoster, Unreachable
from roadstead.trail.entries import AuditEntry, Operation
from tests import aws
from tests.memory.queue import MemoryQueue
from tests.unit.notifications.parts import NOON, PUSH, SECRET, SHIPS, URL, FakePoster, Harbour, entry
from tests.unit.outbound.receivers import HOST, OK, Authority, Behaviour, Receiver, answering, receiver

QUERY, GET, PUT = "dynamodb.Query", "dynamodb.GetItem", "dynamodb.PutItem"
SEND, POSTPONE, SECRETS = "sqs.SendMessageBatch", "sqs.ChangeMessageVisibility", "ssm.GetParameter"
LOOPBACK = EndpointPolicy(frozenset(), internal=True)


def record(text: str, *, number: int = 1, attempt: int = 1) -> dict[str, Any]:
    """As SQS gives it to a Lambda."""
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"receipt-{number}",
        "body": text,
        "attributes": {"ApproximateReceiveCount": str(attempt)},
        "eventSource": "aws:sqs",
    }


class Local:
    """The function on stores in memory."""

    def __init__(self) -> None:
        self.harbour = Harbour()
        self.dead = MemoryQueue()
        self.services = NotificationServices(
            self.harbour.dispatcher, self.harbour.deliverer, self.harbour.queue, self.dead
        )
        self.poster: FakePoster = self.harbour.poster

    def messages(self, *entries: AuditEntry) -> list[str]:
        self.services.dispatcher.enqueue(entries)
        taken = list(self.harbour.queue.bodies)
        self.harbour.queue.bodies.clear()
        return taken

    def deliver(self, *records: dict[str, Any]) -> list[str]:
        """The ids of the messages that SQS is to keep."""
        answer = deliver(self.services, {"Records": list(records)})
        assert set(answer) == {"batchItemFailures"}
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.fixture
def local() -> Local:
    local = Local()
    local.harbour.add()
    return local


def test_what_is_delivered_is_not_kept(local: Local) -> None:
    texts = local.messages(PUSH, entry(id="two"))
    assert local.deliver(*(record(text, number=number) for number, text in enumerate(texts))) == []
    assert len(local.poster.posted) == 2
    assert (local.harbour.queue.postponed, local.dead.bodies) == ({}, [])


def test_an_empty_batch_is_answered() -> None:
    assert Local().deliver() == []


def test_what_failed_is_kept_and_seen_again_later(local: Local) -> None:
    [text] = local.messages(PUSH)
    local.poster.outcomes = [Answer(503, "77")]
    assert local.deliver(record(text)) == ["message-1"]
    assert local.harbour.queue.postponed == {"receipt-1": 77}
    assert local.dead.bodies == []


def test_each_message_of_a_batch_has_its_own_fate(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = local.messages(*(entry(id=f"e{number}") for number in range(5)))
    fates = {Message.parse(text).delivery: number for number, text in enumerate(texts)}
    outcomes: list[Answer | Exception] = [
        Answer(200),
        Answer(500),
        Answer(404),
        Unreachable("down"),
        EndpointRefused("inside"),
    ]

    def post(endpoint: Any, headers: Any, body: bytes) -> Answer:
        outcome = outcomes[fates[headers["webhook-id"]]]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(local.poster, "post", post)
    kept = local.deliver(
        *(record(text, number=number) for number, text in enumerate(texts)), record("poison", number=9)
    )
    assert sorted(kept) == ["message-1", "message-3"]
    assert set(local.harbour.queue.postponed) == {"receipt-1", "receipt-3"}
    assert sorted(local.dead.bodies) == sorted([texts[2], texts[4], "poison"])


def test_after_the_last_attempt_a_message_is_among_the_dead_letters_and_can_be_sent_again(local: Local) -> None:
    [text] = local.messages(PUSH)
    local.poster.outcomes = [Answer(500)]
    attempts = 0
    while local.deliver(record(text, attempt=attempts + 1)) == ["message-1"]:
        attempts += 1
    assert attempts + 1 == len(local.poster.posted) == 12
    assert local.dead.bodies == [text]
    local.poster.outcomes = [Answer(200)]
    assert local.deliver(record(local.dead.bodies[0])) == []


def test_a_dead_letter_that_cannot_be_kept_stays_in_the_queue(
    local: Local, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("throttled")

    first, second = local.messages(PUSH, entry(id="two"))
    local.poster.outcomes = [Answer(404)]
    monkeypatch.setattr(local.dead, "send", fail)
    assert local.deliver(record(first, number=1), record(second, number=2)) == ["message-1", "message-2"]
    assert "could not be sent to the dead letters" in caplog.text


def test_a_message_that_cannot_be_postponed_is_kept_all_the_same(
    local: Local, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("throttled")

    [text] = local.messages(PUSH)
    local.poster.outcomes = [Answer(500)]
    monkeypatch.setattr(local.harbour.queue, "postpone", fail)
    assert local.deliver(record(text)) == ["message-1"]
    assert "could not be postponed" in caplog.text


def test_a_store_that_fails_keeps_the_message_and_lets_the_others_pass(
    local: Local, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    boats = ProjectName.parse("boats")
    local.harbour.identities.create_project(Project(boats, False, NOON, "bob"))
    webhook = local.harbour.notifications.add("boats", URL, ["PUSH_ARTIFACT"], created_by="bob").webhook
    [text] = local.messages(PUSH)
    broken = Message("d9", boats, webhook.id, "application/json", "{}", 1, "PUSH_ARTIFACT").as_text()
    find = local.harbour.store.find_secrets

    def fail(project: ProjectName, webhook: str, reference: str) -> Any:
        if project == boats:
            raise RuntimeError("throttled")
        return find(project, webhook, reference)

    monkeypatch.setattr(local.harbour.store, "find_secrets", fail)
    assert local.deliver(record(text, number=1), record(broken, number=2)) == ["message-2"]
    assert len(local.poster.posted) == 1
    assert "message-2" in caplog.text


def test_a_slow_endpoint_keeps_nobody_else_waiting(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = local.messages(*(entry(id=f"e{number}") for number in range(10)))
    everybody = threading.Barrier(len(texts), timeout=120)

    def post(*_: Any) -> Answer:
        everybody.wait()  # until all the others are being delivered, too
        return Answer(200)

    monkeypatch.setattr(local.poster, "post", post)
    assert local.deliver(*(record(text, number=number) for number, text in enumerate(texts))) == []


def test_what_is_logged_in_a_delivery_knows_the_invocation(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="")
    seen: list[str] = []

    def post(*_: Any) -> Answer:
        seen.append(request.get())
        return Answer(200)

    texts = local.messages(PUSH, entry(id="two"))
    monkeypatch.setattr(local.poster, "post", post)
    request.set("r-7")
    local.deliver(*(record(text, number=number) for number, text in enumerate(texts)))
    assert seen == ["r-7", "r-7"]


def test_a_message_that_comes_twice_is_posted_twice_under_one_id(local: Local) -> None:
    first, second = local.messages(PUSH, entry(id="two"))
    local.deliver(record(second, number=2), record(first, number=1))
    local.deliver(record(first, number=1))
    ids = [headers["webhook-id"] for _, headers, _ in local.poster.posted]
    assert len(ids) == 3
    assert sorted(map(ids.count, set(ids))) == [1, 2]


# On AWS


@dataclass
class Cloud:
    """Tables, parameters and queues on moto, and clients whose calls are recorded."""

    settings: NotificationSettings
    clients: dict[str, Any]
    calls: list[str]

    def services(self, poster: Any = None) -> NotificationServices:
        """Of a new process. What would leave the machine is `poster`, unless it is the real one."""
        composed = composition.build_notifications(self.settings)
        if poster is None:
            return composed
        targets = Targets(self.webhooks)
        deliverer = Deliverer(targets, self.secrets, self.records, poster)
        return NotificationServices(composed.dispatcher, deliverer, composed.queue, composed.dead_letters)

    @property
    def webhooks(self) -> DynamoWebhooks:
        return DynamoWebhooks(Table(self.clients["dynamodb"], self.settings.identity_table))

    @property
    def records(self) -> DynamoDeliveryRecords:
        return DynamoDeliveryRecords(Table(self.clients["dynamodb"], self.settings.index_table))

    @property
    def secrets(self) -> SsmWebhookSecrets:
        return SsmWebhookSecrets(self.clients["ssm"], self.settings.secrets_prefix)

    def notifications(self, poster: Any) -> Notifications:
        queue = SqsQueue(self.clients["sqs"], self.settings.queue_url)
        return Notifications(self.webhooks, self.secrets, self.records, queue, poster, host=self.settings.registry_host)

    def add(self, url: str = URL, poster: Any = None, **options: Any) -> Webhook:
        options = {"created_by": "ada", "secret": SECRET, **options}
        webhook = self.notifications(poster or FakePoster()).add("ships", url, ["PUSH_ARTIFACT"], **options).webhook
        self.calls.clear()
        return webhook

    def made(self) -> list[str]:
        """The calls since this was last asked."""
        made = list(self.calls)
        self.calls.clear()
        return made

    def receive(self, url: str = "", seconds: int = 600) -> list[dict[str, Any]]:
        """What is visible in the queue, as records; the calls for it are not counted."""
        before = list(self.calls)
        found: list[dict[str, Any]] = []
        while (
            messages := self.clients["sqs"]
            .receive_message(
                QueueUrl=url or self.settings.queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=seconds,
                AttributeNames=["ApproximateReceiveCount"],
            )
            .get("Messages")
        ):
            found += [
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                }
                for message in messages
            ]
        self.calls[:] = before
        return found

    def dead(self) -> list[str]:
        return [found["body"] for found in self.receive(self.settings.dead_letter_queue_url)]


@pytest.fixture(scope="module")
def recorded() -> tuple[dict[str, Any], list[str]]:
    """Clients for use inside `mock_aws`, and the calls that they make."""
    clients = {name: aws.client(name) for name in ("dynamodb", "ssm", "sqs")}
    return clients, aws.record_calls(*clients.values())


@pytest.fixture
def cloud(recorded: tuple[dict[str, Any], list[str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    clients, calls = recorded
    monkeypatch.setattr(composition, "client", clients.__getitem__)
    with mock_aws():
        aws.make_tables(clients["dynamodb"], "index", "identity")
        queue, dead = (clients["sqs"].create_queue(QueueName=name)["QueueUrl"] for name in ("told", "dead"))
        settings = NotificationSettings.from_environ(
            {
                "IDENTITY_TABLE": "identity",
                "INDEX_TABLE": "index",
                "NOTIFICATION_QUEUE_URL": queue,
                "NOTIFICATION_DEAD_LETTERS_URL": dead,
                "REGISTRY_HOST": "registry.example.com",
            }
        )
        DynamoIdentities(Table(clients["dynamodb"], "identity")).create_project(Project(SHIPS, False, NOON, "ada"))
        Table(clients["dynamodb"], "index").put_item(
            ("repo#ships/cargo/crane", "meta"), {"at": NOON * 1000, "by": "ada"}
        )
        calls.clear()
        yield Cloud(settings, clients, calls)


def test_composing_calls_nothing(cloud: Cloud) -> None:
    cloud.services()
    assert cloud.made() == []


def test_without_a_webhook_an_event_is_one_read_and_the_next_none(cloud: Cloud) -> None:
    services = cloud.services()
    assert services.dispatcher.enqueue([PUSH, entry(id="two")]) == 0
    assert cloud.made() == [QUERY]
    for _ in range(5):
        services.dispatcher.enqueue([PUSH])
    services.dispatcher.enqueue([entry(Operation.LOGIN, repository="")])
    assert cloud.made() == []


def test_with_webhooks_an_event_is_three_reads_and_one_request_and_the_next_only_the_request(cloud: Cloud) -> None:
    cloud.add()
    cloud.add()
    services = cloud.services()
    assert services.dispatcher.enqueue([PUSH]) == 2
    assert cloud.made() == [QUERY, GET, GET, SEND]
    assert services.dispatcher.enqueue([entry(id=f"{number}") for number in range(5)]) == 10
    assert cloud.made() == [SEND]
    assert len(cloud.receive()) == 12


def test_a_delivery_is_three_reads_and_a_record_and_the_next_only_the_record(cloud: Cloud) -> None:
    cloud.add()
    services = cloud.services(FakePoster())
    services.dispatcher.enqueue([PUSH, entry(id="two")])
    first, second = cloud.receive()
    cloud.made()
    assert deliver(services, {"Records": [first]}) == {"batchItemFailures": []}
    assert cloud.made() == [QUERY, GET, SECRETS, PUT]
    assert deliver(services, {"Records": [second]}) == {"batchItemFailures": []}
    assert cloud.made() == [PUT]


def test_a_failure_is_two_calls_and_the_message_comes_back(cloud: Cloud) -> None:
    cloud.add()
    poster = FakePoster([Answer(503)])
    services = cloud.services(poster)
    services.dispatcher.enqueue([PUSH])
    [first] = cloud.receive()
    deliver(services, {"Records": [first]})
    cloud.made()
    assert deliver(services, {"Records": [first]}) == {"batchItemFailures": [{"itemIdentifier": first["messageId"]}]}
    assert cloud.made() == [PUT, POSTPONE]
    assert cloud.receive() == []
    services.queue.postpone(first["receiptHandle"], 0)
    [again] = cloud.receive()
    assert again["body"] == first["body"]
    assert int(again["attributes"]["ApproximateReceiveCount"]) > int(first["attributes"]["ApproximateReceiveCount"])


def test_what_is_given_up_is_three_calls_and_among_the_dead_letters(cloud: Cloud) -> None:
    webhook = cloud.add()
    services = cloud.services(FakePoster([Answer(410)]))
    services.dispatcher.enqueue([PUSH])
    [first] = cloud.receive()
    deliver(services, {"Records": [first]})
    cloud.dead()
    cloud.made()
    assert deliver(services, {"Records": [first]}) == {"batchItemFailures": []}
    assert cloud.made() == [PUT, PUT, SEND]
    assert cloud.dead() == [first["body"]]
    last = cloud.notifications(FakePoster()).last_delivery("ships", webhook.id)
    assert last is not None and last.detail == "the endpoint responded with 410"


def test_neither_queue_nor_tables_hold_a_secret(cloud: Cloud) -> None:
    cloud.add(authorization="Bearer hidden-value")
    services = cloud.services(FakePoster([Answer(410)]))
    services.dispatcher.enqueue([PUSH])
    messages = cloud.receive()
    deliver(services, {"Records": messages})
    everything = json.dumps(
        [
            messages,
            cloud.dead(),
            *(cloud.clients["dynamodb"].scan(TableName=name)["Items"] for name in ("index", "identity")),
        ]
    )
    assert "webhook#" in everything
    assert SECRET[6:] not in everything
    assert "hidden-value" not in everything


# With receivers


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextlib.contextmanager
def told(cloud: Cloud, authority: Authority, behave: Behaviour, **options: Any) -> Iterator[tuple[Receiver, Any]]:
    """A receiver that a webhook leads to, and the function that delivers to it."""
    poster = HttpsPoster(
        LOOPBACK, resolve=lambda host, port: ["127.0.0.1"], tls=authority.trusting(), connect=0.5, total=0.5
    )
    with receiver(behave, authority.serving(HOST)) as server:
        cloud.add(f"https://{HOST}:{server.port}/hook", poster, **options)
        yield server, cloud.services(poster)


def test_a_push_arrives_signed_at_a_receiver(cloud: Cloud, authority: Authority) -> None:
    with told(cloud, authority, answering(OK), authorization="Bearer x") as (server, services):
        services.dispatcher.enqueue([PUSH])
        assert deliver(services, {"Records": cloud.receive()}) == {"batchItemFailures": []}
    [body] = server.bodies
    headers = server.headers()
    assert json.loads(body)["event_data"]["repository"]["repo_full_name"] == "ships/cargo/crane"
    assert json.loads(body)["event_data"]["repository"]["date_created"] == NOON
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert (
        headers.items()
        >= signature_headers(SECRET, headers["webhook-id"], int(headers["webhook-timestamp"]), body).items()
    )
    assert (headers["authorization"], headers["content-type"]) == ("Bearer x", "application/json")


def test_a_receiver_that_comes_back_gets_what_it_missed(cloud: Cloud, authority: Authority) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    with told(cloud, authority, answering(busy, b"", OK)) as (server, services):
        services.dispatcher.enqueue([PUSH])
        for _ in range(2):
            [message] = cloud.receive()
            assert deliver(services, {"Records": [message]})["batchItemFailures"]
            assert cloud.receive() == []
            services.queue.postpone(message["receiptHandle"], 0)
        assert deliver(services, {"Records": cloud.receive()}) == {"batchItemFailures": []}
    assert len(set(server.bodies)) == 1
    assert len({server.headers(place)["webhook-id"] for place in range(3)}) == 1


@pytest.mark.parametrize("evil", ["down", "silent", "endless", "huge", "redirect"])
def test_an_evil_receiver_costs_its_own_messages_a_bounded_time(cloud: Cloud, authority: Authority, evil: str) -> None:
    def silent(connection: socket.socket, request: bytes) -> None:
        while connection.recv(65_536):
            pass

    def endless(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000)

    behaviours: dict[str, Behaviour] = {
        "down": answering(b""),
        "silent": silent,
        "endless": endless,
        "huge": answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000),
        "redirect": answering(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
    }
    with told(cloud, authority, behaviours[evil]) as (server, services):
        services.dispatcher.enqueue([entry(id=f"{number}") for number in range(5)])
        records = cloud.receive()
        begin = time.monotonic()
        kept = deliver(services, {"Records": records})["batchItemFailures"]
        assert time.monotonic() - begin < 60  # half of what the silent one waits, on a busy machine
        assert server.connections == 5
    assert len(kept) == (0 if evil == "redirect" else 5)
    assert len(cloud.dead()) == (5 if evil == "redirect" else 0)


def test_a_receiver_on_this_machine_is_refused_by_default(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    """With the settings' own policy and the system's resolver."""
    cloud.add("https://localhost:8443/hook")
    services = cloud.services()
    services.dispatcher.enqueue([PUSH])
    with caplog.at_level(logging.WARNING):
        assert deliver(services, {"Records": cloud.receive()}) == {"batchItemFailures": []}
    assert "localhost has an address that is not public (loopback)" in caplog.text
    assert len(cloud.dead()) == 1


def test_a_test_arrives_and_tells_how_it_went(cloud: Cloud, authority: Authority) -> None:
    with told(cloud, authority, answering(OK)) as (server, services):
        [webhook] = cloud.webhooks.list_webhooks(SHIPS)
        poster = HttpsPoster(LOOPBACK, resolve=lambda host, port: ["127.0.0.1"])
        delivery = cloud.notifications(poster).send_test("ships", webhook.id)
        deliver(services, {"Records": cloud.receive()})
        last = cloud.notifications(poster).last_delivery("ships", webhook.id)
    assert server.headers()["webhook-id"] == delivery
    assert last is not None
    assert (last.delivery, last.delivered, last.detail) == (delivery, True, "the endpoint responded with 200")
