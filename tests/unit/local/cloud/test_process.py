"""The process as clients see it: who is served, how bodies travel, and what a disk that is full does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from roadstead.identity.providers.aws_principals import sts
from roadstead.identity.providers.signed_calls import CallInvalid
from tests import aws
from tests.embedded import ACCESS_KEY, SECRET_KEY, Embedded, embedded, start
from tests.unit.identity.sts_parts import Keys

BUCKET = "bucket"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded(tmp_path_factory.mktemp("process") / "state") as one:
        one.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": one.region})
        aws.make_tables(one.client("dynamodb"), "index", "identity")
        yield one


@pytest.fixture
def s3(running: Embedded) -> Any:
    return running.client("s3")


def ask(url: str, method: str = "GET", headers: dict[str, str] | None = None, body: Any = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=120)) as connection:
        connection.request(method, f"{parts.path}?{parts.query}", body, headers or {})
        answer = connection.getresponse()
        assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control")]
        return answer.status, answer.read()


def raw(running: Embedded, data: bytes, last: bytes = b"") -> bytes:
    """What comes back for these bytes until the connection is closed, or until `last` has come."""
    address = urlsplit(running.endpoint)
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=120) as connection:
        connection.sendall(data)
        while not (last and received.endswith(last)) and (piece := connection.recv(65_536)):
            received += piece
    return received


def code(ask: Any) -> str:
    with pytest.raises(ClientError) as refused:
        ask()
    return str(refused.value.response["Error"]["Code"])


class TestClosed:
    def test_nothing_but_the_probe_is_answered_without_a_signature(self, running: Embedded) -> None:
        assert ask(f"{running.endpoint}/_ready") == (200, b"ready")
        assert ask(f"{running.endpoint}/{BUCKET}?list-type=2")[0] == 403
        assert ask(f"{running.endpoint}/{BUCKET}/key", "PUT", body=b"x")[0] == 403
        for target in ("DynamoDB_20120810.ListTables", "Unknown.Anything", "AmazonSSM.DescribeParameters"):
            status, body = ask(running.endpoint + "/", "POST", {"X-Amz-Target": target}, b"{}")
            assert (status, b"MissingAuthenticationToken" in body) == (400, True)
        for path in ("/_ministack/ready", "/_ready/x", "/health", "/"):
            assert ask(running.endpoint + path)[0] in (403, 404)

    def test_another_secret_is_not_taken_by_any_service(self, running: Embedded) -> None:
        def wrong(service: str) -> Any:
            return running.client(service, secret="another")

        assert code(wrong("dynamodb").list_tables) == "InvalidSignatureException"
        assert code(wrong("ssm").describe_parameters) == "InvalidSignatureException"
        assert code(lambda: wrong("s3").list_objects_v2(Bucket=BUCKET)) == "SignatureDoesNotMatch"
        unknown = running.client("dynamodb", access="SOMEBODY")
        assert code(unknown.list_tables) == "UnrecognizedClientException"

    def test_no_web_page_is_served(self, running: Embedded, s3: Any) -> None:
        s3.put_object(Bucket=BUCKET, Key="seen", Body=b"secret")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "seen"})
        assert ask(url) == (200, b"secret")
        for origin in ("http://evil.example", "null"):
            status, body = ask(url, headers={"Origin": origin})
            assert (status, b"secret" in body) == (403, False)
        preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
        assert ask(url, "OPTIONS", preflight)[0] == 403
        assert ask(f"{running.endpoint}/_ready", headers={"Origin": "http://evil.example"})[0] == 403

    def test_a_service_or_call_that_it_does_not_have_is_named(self, running: Embedded, s3: Any) -> None:
        with pytest.raises(ClientError, match=r"does not have DynamoDB_20120810.ListBackups"):
            running.client("dynamodb").list_backups()
        with pytest.raises(ClientError, match="does not have the header x-amz-acl"):
            s3.put_object(Bucket=BUCKET, Key="a", Body=b"", ACL="public-read")
        with pytest.raises(ClientError, match="does not have the parameter versionId"):
            s3.get_object(Bucket=BUCKET, Key="a", VersionId="1")
        with pytest.raises(ClientError, match="does not have the parameter AttributesToGet"):
            running.client("dynamodb").get_item(
                TableName="index", Key={"pk": {"S": "a"}, "sk": {"S": "b"}}, AttributesToGet=["pk"]
            )

    def test_files_are_their_owners_alone(self, running: Embedded, s3: Any) -> None:
        s3.put_object(Bucket=BUCKET, Key="mode", Body=b"x")
        state = running.log.with_suffix("")
        for path in (state, *state.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path


class TestBodies:
    def test_a_client_that_waits_is_told_to_go_on_or_refused_at_once(self, running: Embedded, s3: Any) -> None:
        url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "expected"}))
        head = f"Host: {url.netloc}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        told = raw(running, f"PUT {url.path}?{url.query} HTTP/1.1\r\n{head}".encode(), b"\r\n\r\n")
        assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
        refused = raw(running, f"PUT {url.path}?{url.query}0 HTTP/1.1\r\n{head}".encode())
        assert refused.startswith(b"HTTP/1.1 403 ") and b"connection: close" in refused

    def test_requests_that_come_together_are_answered_in_their_order(self, running: Embedded) -> None:
        one = b"GET /_ready HTTP/1.1\r\nHost: x\r\n\r\n"
        two = b"GET /absent HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answers = re.findall(rb"HTTP/1.1 (\d+)", raw(running, one + one + two))
        assert answers == [b"200", b"200", b"403"]

    def test_a_refused_body_is_read_to_its_end_so_that_the_answer_is_seen(self, running: Embedded) -> None:
        assert ask(f"{running.endpoint}/{BUCKET}/refused", "PUT", {}, bytes(8 * MIB))[0] == 403

    def test_what_is_not_http_is_refused(self, running: Embedded) -> None:
        assert raw(running, b"\x16\x03\x01\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        large = b"GET /_ready HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"
        assert raw(running, large).startswith(b"HTTP/1.1 400 ")

    def test_a_client_that_goes_away_leaves_nothing(self, running: Embedded, s3: Any) -> None:
        url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "half"}))
        objects = running.log.with_suffix("") / "objects"
        before = {path for path in objects.rglob("*") if path.is_file()}
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {8 * MIB}\r\n\r\n"
        with socket.create_connection((url.hostname, url.port), timeout=120) as connection:
            connection.sendall(head.encode() + bytes(4 * MIB))
        deadline = time.monotonic() + 120
        while {path for path in objects.rglob("*") if path.is_file()} != before:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert code(lambda: s3.head_object(Bucket=BUCKET, Key="half")) == "404"

    def test_memory_does_not_grow_with_an_object(self, running: Embedded, s3: Any) -> None:
        status = Path(f"/proc/{running.process.pid}/status")
        size = 256 * MIB

        def pieces() -> Iterator[bytes]:
            for _ in range(size // MIB):
                yield b"x" * MIB

        s3.put_object(Bucket=BUCKET, Key="warm", Body=bytes(4 * MIB))
        Path(f"/proc/{running.process.pid}/clear_refs").write_text("5")
        before = _peak(status)
        url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "large"})
        assert ask(url, "PUT", {"Content-Length": str(size)}, pieces())[0] == 200
        body = s3.get_object(Bucket=BUCKET, Key="large")["Body"]
        digest = hashlib.sha256()
        while piece := body.read(MIB):
            digest.update(piece)
        assert digest.digest() == hashlib.sha256(b"x" * size).digest()
        assert _peak(status) - before < 48

    def test_an_object_that_is_deleted_meanwhile_is_read_to_its_end(self, s3: Any) -> None:
        data = os.urandom(24 * MIB)
        s3.put_object(Bucket=BUCKET, Key="going", Body=data)
        body = s3.get_object(Bucket=BUCKET, Key="going")["Body"]
        first = body.read(MIB)
        s3.delete_object(Bucket=BUCKET, Key="going")
        assert first + body.read() == data


def _peak(status: Path) -> float:
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


class TestFullDisk:
    """A disk that is full answers 5xx, and what was there stays."""

    @pytest.mark.parametrize("step", ["object-begun", "object-written", "object-synced", "transaction-written"])
    def test_nothing_is_taken_and_nothing_lost(self, tmp_path: Path, step: str) -> None:
        state = tmp_path / "state"
        item = {"pk": {"S": "a"}, "sk": {"S": "b"}}
        with embedded(state) as running:
            s3, dynamodb = running.client("s3"), running.client("dynamodb")
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": running.region})
            aws.make_tables(dynamodb, "index", "identity")
            s3.put_object(Bucket=BUCKET, Key="kept", Body=b"bytes")
            dynamodb.put_item(TableName="index", Item=item)
        # The first transaction of a process is its own.
        with embedded(state, {"full": {step: 2 if step.startswith("transaction") else 1}}) as running:
            s3, dynamodb = running.client("s3", attempts=1), running.client("dynamodb", attempts=1)
            with pytest.raises(ClientError) as refused:
                s3.put_object(Bucket=BUCKET, Key="new", Body=bytes(2 * MIB))
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
            assert "No space left on device" in refused.value.response["Error"]["Message"]
            assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"bytes"
            if step.startswith("transaction"):
                with pytest.raises(ClientError) as refused:
                    dynamodb.put_item(TableName="index", Item={**item, "sk": {"S": "new"}})
                assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        with embedded(state) as running:
            s3, dynamodb = running.client("s3"), running.client("dynamodb")
            assert [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["kept"]
            assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"bytes"
            assert dynamodb.scan(TableName="index")["Items"] == [item]
            deadline = time.monotonic() + 120
            while sum(path.is_file() for path in (state / "objects").rglob("*")) != 1:
                assert time.monotonic() < deadline
                time.sleep(0.02)


def test_a_database_of_another_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with contextlib.closing(sqlite3.connect(state / "cloud.db")) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(RuntimeError, match="the database is of version 99, this program of 1"):
        start(state)


class TestSts:
    """A call as the token function sends it, signed by botocore."""

    def test_a_signed_call_is_answered_with_its_role(self, running: Embedded) -> None:
        keys = Keys(ACCESS_KEY, SECRET_KEY, "")
        call = keys.sign(time.time(), host=urlsplit(running.endpoint).netloc, region=running.region)
        principal = sts(running.endpoint).principal(call)
        assert (principal.arn, principal.session) == ("arn:aws:iam::000000000000:role/local", "machine")

    def test_anything_else_is_refused(self, running: Embedded) -> None:
        host = urlsplit(running.endpoint).netloc
        call = Keys(ACCESS_KEY, "another secret", "").sign(time.time(), host=host, region=running.region)
        with pytest.raises(CallInvalid, match="SignatureDoesNotMatch"):
            sts(running.endpoint).principal(call)
        body = b"Action=AssumeRole&Version=2011-06-15"
        call = Keys(ACCESS_KEY, SECRET_KEY, "").sign(time.time(), host=host, region=running.region, body=body)
        for sent, expected in (
            (body, (501, "NotImplemented")),
            (b"Action=GetCallerIdentity", (403, "SignatureDoesNotMatch")),
        ):
            status, answer = ask(running.endpoint + "/", "POST", call.headers(), sent)
            assert (status, json.loads(answer)["Error"]["Code"]) == expected


def test_an_event_of_s3_is_in_the_queue_with_the_object(running: Embedded, s3: Any) -> None:
    sqs = running.client("sqs")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "blobs/"}]}}
    configuration = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": rule}
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )
    s3.put_object(Bucket=BUCKET, Key="other/a", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="blobs/a b", Body=b"12345")
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert '"key":"blobs/a+b","size":5' in message["Body"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1" if "Attributes" in message else True
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_checksums_are_kept_and_answered(s3: Any) -> None:
    checksum = base64.b64encode(hashlib.sha512(b"bytes").digest()).decode()
    s3.put_object(Bucket=BUCKET, Key="sum", Body=b"bytes", ChecksumSHA512=checksum)
    found = s3.head_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")
    assert (found["ChecksumSHA512"], found["ChecksumType"]) == (checksum, "FULL_OBJECT")
