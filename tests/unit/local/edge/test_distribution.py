from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from tests.embedded import embedded
from tests.unit.edge.cases import FOREIGN_KEYS, REPOSITORY, UPLOAD, UPLOAD_ID, token
from tests.unit.local.edge.rig import BUCKET, SECRET, Rig, rig

MIB = 1024 * 1024
CONTENT = os.urandom(3 * MIB + 1)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    with embedded(tmp_path_factory.mktemp("s3") / "state") as running:
        client = running.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": running.region})
        yield client, f"{running.endpoint}/{BUCKET}"


@pytest.fixture(scope="module")
def running_edge(s3: tuple[Any, str]) -> Iterator[Rig]:
    with rig(s3[1]) as running:
        yield running


@pytest.fixture
def edge(running_edge: Rig) -> Rig:
    running_edge.forget()
    return running_edge


def digest(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def key(named: str) -> str:
    return f"blobs/{named.replace(':', '/')}/{hashlib.sha256(REPOSITORY.encode()).hexdigest()[:32]}/{UPLOAD_ID}"


def put_url(named: str, **about: object) -> str:
    return f"{UPLOAD}?_state={token(**about)}&digest={named}"  # type: ignore[arg-type]


def stored(s3: tuple[Any, str], named: str) -> bytes | None:
    client: Any = s3[0]
    found = client.list_objects_v2(Bucket=BUCKET, Prefix=key(named)).get("KeyCount")
    return client.get_object(Bucket=BUCKET, Key=key(named))["Body"].read() if found else None


class TestWholePut:
    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    def test_is_stored_and_gets_the_response_that_clients_need(
        self, edge: Rig, s3: tuple[Any, str], algorithm: str
    ) -> None:
        named = digest(CONTENT, algorithm)
        secret = {"Authorization": "Basic c2VjcmV0", "X-Amz-Acl": "public-read", "Content-Encoding": "gzip"}
        answer = edge.ask("PUT", put_url(named.replace(":", "%3A")), CONTENT, secret)
        assert answer.status == 201
        assert answer.headers["location"] == f"/v2/{REPOSITORY}/blobs/{named}"
        assert answer.headers["docker-content-digest"] == named
        assert answer.headers["content-length"] == "0"
        assert not [name for name in answer.headers if name.startswith("x-amz-") and not name.startswith("x-amz-cf-")]
        assert stored(s3, named) == CONTENT
        assert edge.api.seen == edge.relay.seen == []

    def test_has_repository_and_uploader_as_metadata(self, edge: Rig, s3: tuple[Any, str]) -> None:
        edge.ask("PUT", put_url(digest(CONTENT), subject="zoë"), CONTENT)
        head = s3[0].head_object(Bucket=BUCKET, Key=key(digest(CONTENT)))
        assert head["Metadata"]["repository"] == REPOSITORY
        actor = head["Metadata"]["actor"]
        assert json.loads(base64.urlsafe_b64decode(actor + "=" * (-len(actor) % 4)))["s"] == "zoë"
        assert head["ContentType"] == "application/octet-stream"
        assert "ContentEncoding" not in head

    def test_succeeds_when_repeated(self, edge: Rig, s3: tuple[Any, str]) -> None:
        url = put_url(digest(CONTENT))
        assert [edge.ask("PUT", url, CONTENT).status for _ in range(2)] == [201, 201]
        assert stored(s3, digest(CONTENT)) == CONTENT

    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    @pytest.mark.parametrize("size", [1, 300_000])
    def test_with_a_wrong_digest_is_refused_and_not_stored(
        self, edge: Rig, s3: tuple[Any, str], algorithm: str, size: int
    ) -> None:
        named = digest(os.urandom(8), algorithm)
        answer = edge.ask("PUT", put_url(named), os.urandom(size))
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
        assert answer.headers["content-type"] == "application/json"
        assert stored(s3, named) is None

    def test_that_is_interrupted_is_not_stored(self, edge: Rig, s3: tuple[Any, str]) -> None:
        content = os.urandom(MIB)
        connection = edge.connect()
        connection.putrequest("PUT", put_url(digest(content)))
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders()
        connection.send(content[:-1])
        connection.close()
        time.sleep(0.3)
        assert stored(s3, digest(content)) is None

    def test_that_s3_refuses_is_reported_as_the_operators_problem(self, s3: tuple[Any, str]) -> None:
        with rig(s3[1].replace(BUCKET, "no-such-bucket")) as running:
            answer = running.ask("PUT", put_url(digest(CONTENT)), CONTENT)
        assert (answer.status, answer.code) == (403, "DENIED")


class TestRelay:
    def test_receives_a_chunked_body_while_it_is_sent(self, edge: Rig) -> None:
        pieces = [os.urandom(70_000) for _ in range(40)]
        answer = edge.ask("PATCH", put_url("x"), iter(pieces), {"Authorization": "Bearer secret"})
        assert (answer.status, answer.headers["location"]) == (202, "/next")
        (seen,) = edge.relay.seen
        assert (seen.method, seen.path) == ("PATCH", UPLOAD)
        assert (seen.size, seen.sha256) == (2_800_000, hashlib.sha256(b"".join(pieces)).hexdigest())
        assert seen.headers["transfer-encoding"] == "chunked"
        assert "authorization" not in seen.headers
        assert seen.headers["x-roadstead-secret"] == SECRET

    def test_may_respond_early_and_the_body_is_drained(self, edge: Rig) -> None:
        edge.relay.early = True
        edge.relay.script = lambda seen: (413, {"docker-distribution-api-version": "registry/2.0"}, b"{}")
        size = 30 * MIB
        answer = edge.ask("PATCH", put_url("x"), (bytes(MIB) for _ in range(30)), {"Content-Length": str(size)})
        assert (answer.status, answer.body) == (413, b"{}")

    def test_notices_that_the_client_disconnected(self, edge: Rig) -> None:
        connection = edge.connect()
        connection.putrequest("PATCH", put_url("x"))
        connection.putheader("Content-Length", str(MIB))
        connection.endheaders()
        connection.send(bytes(1000))
        time.sleep(0.2)
        connection.close()
        deadline = time.monotonic() + 120
        while not edge.relay.broken_off and time.monotonic() < deadline:
            time.sleep(0.02)
        assert edge.relay.broken_off == 1
        assert edge.relay.seen == []

    def test_responses_pass_the_response_function_unchanged(self, edge: Rig) -> None:
        edge.relay.script = lambda seen: (201, {"location": f"/v2/{REPOSITORY}/blobs/x", "x-amz-id-2": "y"}, b"")
        answer = edge.ask("PUT", put_url(digest(CONTENT), chunked=True), b"")
        assert (answer.status, answer.headers["x-amz-id-2"]) == (201, "y")


class TestApi:
    def test_receives_the_viewers_host_and_address_and_nothing_forged(self, edge: Rig) -> None:
        forged = {
            "X-Roadstead-Secret": "guess",
            "X-Roadstead-Address": "1.2.3.4",
            "X-Forwarded-For": "1.2.3.4",
            "Host": "registry.test:5000",
        }
        answer = edge.ask("GET", "/v2/a%2Fb//c?n=1&n=%20", headers={**forged, "Cookie": "a=b; c=d"})
        assert (answer.status, answer.body) == (200, b"api")
        (seen,) = edge.api.seen
        assert (seen.path, seen.query) == ("/v2/a%2Fb//c", "n=1&n=%20")
        assert seen.headers["x-roadstead-secret"] == SECRET
        assert seen.headers["x-roadstead-address"] == "127.0.0.1"
        assert seen.headers["x-roadstead-host"] == "registry.test:5000"
        assert seen.headers["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
        assert seen.headers["host"].startswith("127.0.0.1:")
        assert seen.headers["cookie"] == "a=b; c=d"
        assert seen.headers["via"] == answer.headers["via"]

    def test_head_keeps_its_length(self, edge: Rig) -> None:
        edge.api.script = lambda seen: (200, {"content-length": "12345"}, b"")
        answer = edge.ask("HEAD", "/v2/x/blobs/y")
        assert (answer.status, answer.headers["content-length"], answer.body) == (200, "12345", b"")

    def test_receives_a_large_body_that_the_edge_passes_on(self, edge: Rig) -> None:
        answer = edge.ask("PUT", "/v2/x/manifests/y", (bytes(MIB) for _ in range(6)), {"Content-Length": str(6 * MIB)})
        assert (answer.status, answer.code) == (413, "DENIED")
        assert edge.api.seen == []

    def test_that_is_down_is_a_502(self, s3: tuple[Any, str]) -> None:
        with rig(s3[1], api_url="http://127.0.0.1:1") as running:
            assert running.ask("GET", "/ui").status == 502


class TestReads:
    BEARER: ClassVar = {"Authorization": "Bearer t"}

    def test_go_to_the_functions_url_signed_and_with_the_token_in_our_header(self, edge: Rig) -> None:
        assert edge.ask("GET", "/v2/a/b/tags/list?n=1", headers=self.BEARER).body == b"reader"
        assert edge.ask("GET", "/token?service=x").body == b"reader"
        assert edge.api.seen == []
        read, token = edge.reader.seen
        assert (read.path, read.query) == ("/v2/a/b/tags/list", "n=1")
        assert read.headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
        assert "/lambda/aws4_request" in read.headers["authorization"]
        assert read.headers["x-roadstead-authorization"] == "Bearer t"
        assert read.headers["x-roadstead-secret"] == SECRET
        assert token.headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
        assert "x-roadstead-authorization" not in token.headers

    def test_that_are_refused_with_403_are_sent_to_the_api_as_the_function_made_them(self, edge: Rig) -> None:
        edge.reader.script = lambda seen: (403, {"x-amzn-remapped-www-authenticate": "Bearer x"}, b"{}")
        edge.api.script = lambda seen: (401, {"www-authenticate": "Bearer x"}, b"the API's")
        answer = edge.ask("GET", "/v2/a/b/tags/list", headers={**self.BEARER, "X-Roadstead-Authorization": "forged"})
        assert (answer.status, answer.body, answer.headers["www-authenticate"]) == (401, b"the API's", "Bearer x")
        (asked,) = edge.api.seen
        assert asked.headers["x-roadstead-authorization"] == "Bearer t"
        assert "authorization" not in asked.headers
        assert asked.headers["x-roadstead-secret"] == SECRET

    @pytest.mark.parametrize("status", [200, 206, 307, 400, 401, 404, 416, 429, 500, 502, 503])
    def test_with_any_other_status_end_there(self, edge: Rig, status: int) -> None:
        edge.reader.script = lambda seen: (status, {}, b"")
        assert edge.ask("GET", "/v2/a/b/tags/list", headers=self.BEARER).status == status
        assert edge.api.seen == []

    def test_go_to_the_api_where_there_are_no_urls(self, s3: tuple[Any, str]) -> None:
        with rig(s3[1], readers=False) as running:
            assert running.ask("GET", "/v2/a/b/tags/list", headers=self.BEARER).body == b"api"
            (seen,) = running.api.seen
            assert seen.headers["authorization"] == "Bearer t"


class TestChallenge:
    def test_is_sent_by_the_edge_with_the_clients_own_host(self, edge: Rig) -> None:
        answer = edge.ask("GET", f"/v2/{REPOSITORY}/tags/list", headers={"Host": "registry.test:5000"})
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"] == (
            f'Bearer realm="http://registry.test:5000/token",service="roadstead",scope="repository:{REPOSITORY}:pull"'
        )
        assert answer.headers["x-cache"] == "FunctionGeneratedResponse from cloudfront"
        assert edge.api.seen == []

    def test_of_a_head_has_no_body(self, edge: Rig) -> None:
        answer = edge.ask("HEAD", "/v2/")
        assert (answer.status, answer.body) == (401, b"")


class TestTokens:
    def test_of_another_registry_stop_at_the_edge(self, edge: Rig) -> None:
        answer = edge.ask("PUT", put_url(digest(CONTENT), keys=FOREIGN_KEYS), CONTENT)
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
        assert answer.headers["x-cache"] == "FunctionGeneratedResponse from cloudfront"
        assert edge.api.seen == edge.relay.seen == []


class TestLimits:
    def test_of_the_url(self, edge: Rig) -> None:
        assert edge.ask("GET", "/v2/" + "a" * 8_000).status == 200
        assert edge.ask("GET", "/v2/" + "a" * 8_200).status == 414

    def test_of_the_request(self, edge: Rig) -> None:
        assert edge.ask("GET", "/token", headers={"X-Long": "a" * 20_000}).status == 200
        assert edge.ask("GET", "/token", headers={"X-Long": "a" * 20_480}).status == 494

    def test_no_body_with_get(self, edge: Rig) -> None:
        assert edge.ask("GET", "/v2/", b"body").status == 403

    def test_hop_by_hop_headers_are_not_forwarded(self, edge: Rig) -> None:
        edge.ask("GET", "/ui", headers={"Keep-Alive": "5", "TE": "trailers", "Proxy-Authorization": "x"})
        (seen,) = edge.api.seen
        assert not {"keep-alive", "proxy-authorization"} & set(seen.headers)

    @pytest.mark.parametrize(
        "framing", [b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"Content-Length: 3\r\nContent-Length: 4"]
    )
    def test_smuggled_requests_reach_no_origin(self, edge: Rig, framing: bytes) -> None:
        target = put_url(digest(b"abc")).encode()
        answer = edge.raw(b"PUT " + target + b" HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400")
        assert edge.api.seen == edge.relay.seen == []


class TestErrorCaching:
    """Docker asks for a layer, gets a 404, uploads the layer, and asks again."""

    def _push(self, running: Rig) -> list[int]:
        bearer = {"Authorization": "Bearer t"}
        blob, there = f"/v2/{REPOSITORY}/blobs/{digest(CONTENT)}", False
        running.api.script = lambda seen: (200 if there else 404, {}, b"")
        first = running.ask("HEAD", blob, headers=bearer).status
        put = running.ask("PUT", put_url(digest(CONTENT)), CONTENT).status
        there = True
        return [first, put, running.ask("HEAD", blob, headers=bearer).status]

    def test_turned_off_lets_a_push_see_its_own_layer(self, edge: Rig) -> None:
        assert self._push(edge) == [404, 201, 200]

    def test_left_at_ten_seconds_breaks_it(self, s3: tuple[Any, str]) -> None:
        with rig(s3[1], error_caching=10.0) as running:
            assert self._push(running) == [404, 201, 404]


class TestWithoutRelay:
    def test_chunks_go_to_the_api_within_its_limit(self, s3: tuple[Any, str]) -> None:
        with rig(s3[1], relay=False) as running:
            assert running.ask("PATCH", put_url("x"), bytes(MIB)).status == 200
            assert [seen.size for seen in running.api.seen] == [MIB]
            answer = running.ask(
                "PATCH", put_url("x"), (bytes(MIB) for _ in range(9)), {"Content-Length": str(9 * MIB)}
            )
            assert (answer.status, answer.code) == (413, "DENIED")
            assert "relay" in answer.body.decode()


def test_a_response_is_passed_on_while_it_arrives(edge: Rig) -> None:
    body = os.urandom(20 * MIB)
    edge.api.script = lambda seen: (200, {}, body)
    with socket.create_connection(("127.0.0.1", edge.port)) as connection:
        connection.sendall(b"GET /v2/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = bytearray()
        while piece := connection.recv(65536):
            received += piece
    assert bytes(received.partition(b"\r\n\r\n")[2]) == body
