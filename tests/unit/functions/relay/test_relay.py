"""The relay over real connections: what clients send it, and what they do to it."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import pytest

from functions.relay.application import MAX_REQUEST_ID
from functions.relay.body import Pace
from functions.relay.places import Places
from functions.relay.settings import RelaySettings
from roadstead.content.uploads.sessions import Part
from roadstead.content.uploads.uploads import UploadLimits
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor
from tests.memory.objects import MemoryObjects
from tests.unit.functions.relay.rig import MIB, REPOSITORY, Rig, running, sha256, sha512, until

LIMITS = UploadLimits(part_bytes=5 * MIB, checkpoint_bytes=10 * MIB, parallel_parts=2, max_bytes=64 * MIB)
DATA = random.Random(1).randbytes(23 * MIB + 12_345)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with running(LIMITS) as rig:
        yield rig


def pieces(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def stored(rig: Rig, digest: str, repository: RepositoryName = REPOSITORY) -> bytes:
    """The blob as the registry serves it, which links it when it is asked for."""
    link = rig.blobs.get(repository, Digest(digest), Actor("bob"))
    data = rig.objects.get(link.key)
    assert data is not None
    return data


@pytest.mark.parametrize("size", [1, 1_000, 65_537, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, len(DATA)])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_patch_of_any_size_and_a_put_without_a_body_make_a_blob(rig: Rig, size: int, chunked: bool) -> None:
    data = DATA[:size]
    patched = rig.request("PATCH", rig.url(), pieces(data) if chunked else data)
    assert (patched.status, patched.headers["range"]) == (202, f"0-{size - 1}")
    assert patched.headers["location"].startswith("/v2/acme/web/blobs/uploads/")

    created = rig.request("PUT", f"{patched.headers['location']}&digest={sha256(data)}")
    assert (created.status, created.headers["docker-content-digest"]) == (201, sha256(data))
    assert created.headers["location"] == f"/v2/acme/web/blobs/{sha256(data)}"
    assert stored(rig, sha256(data)) == data
    assert rig.objects.unfinished() == 0


@pytest.mark.parametrize("name", [sha256, sha512])
@pytest.mark.parametrize("size", [0, 70_000, len(DATA)])
def test_a_whole_put_whose_length_nobody_says_makes_a_blob(rig: Rig, name: Callable[[bytes], str], size: int) -> None:
    data = DATA[:size]
    digest = name(data)
    created = rig.request("PUT", f"{rig.url()}&digest={digest}", pieces(data))
    assert (created.status, created.headers["docker-content-digest"]) == (201, digest)
    assert stored(rig, digest) == data


def test_the_same_put_again_succeeds(rig: Rig) -> None:
    url = f"{rig.url()}&digest={sha256(DATA)}"
    assert [rig.request("PUT", url, DATA).status for _ in range(2)] == [201, 201]
    assert rig.index.events == []  # the registry's to write, with the link
    assert stored(rig, sha256(DATA)) == DATA
    assert rig.request("PUT", url, DATA).status == 201
    assert len(rig.index.events) == 1


def test_a_wrong_digest_is_400_and_leaves_nothing_behind(rig: Rig) -> None:
    answer = rig.request("PUT", f"{rig.url()}&digest={sha256(b'other')}", pieces(DATA))
    assert answer.status == 400
    assert json.loads(answer.body)["errors"][0]["code"] == "DIGEST_INVALID"
    assert rig.objects.list("") == ()
    assert rig.objects.unfinished() == 0


def test_what_arrived_before_a_client_went_away_is_kept_and_goes_on_from_there(rig: Rig) -> None:
    url, sent = rig.url(), 12 * MIB
    with rig.raw() as connection:
        head = f"PATCH {url} HTTP/1.1\r\nHost: relay\r\nContent-Length: {len(DATA)}\r\n\r\n"
        connection.sendall(head.encode() + DATA[:sent])
    until(lambda: rig.relay.active == 0 and rig.index.find(url.split("/")[-1][:32]) is not None)

    until(lambda: int(rig.request("GET", url).headers["range"].split("-")[1]) + 1 >= 10 * MIB)
    status = rig.request("GET", url)
    offset = int(status.headers["range"].removeprefix("0-")) + 1
    assert status.status == 204
    assert 10 * MIB <= offset <= sent
    rest = DATA[offset:]
    patched = rig.request(
        "PATCH", status.headers["location"], rest, {"Content-Range": f"{offset}-{offset + len(rest) - 1}"}
    )
    assert patched.status == 202
    assert rig.request("PUT", f"{patched.headers['location']}&digest={sha256(DATA)}").status == 201
    assert stored(rig, sha256(DATA)) == DATA


def test_a_whole_put_that_was_cut_off_is_sent_again_from_the_start(rig: Rig) -> None:
    url = f"{rig.url()}&digest={sha256(DATA)}"
    with rig.raw() as connection:
        head = f"PUT {url} HTTP/1.1\r\nHost: relay\r\nContent-Length: {len(DATA)}\r\n\r\n"
        connection.sendall(head.encode() + DATA[: 11 * MIB])
        until(lambda: rig.relay.active == 1)
    until(lambda: rig.relay.active == 0)
    assert rig.objects.unfinished() == 0

    assert rig.request("PUT", url, DATA).status == 201
    assert stored(rig, sha256(DATA)) == DATA


def test_many_uploads_at_once_do_not_mix(rig: Rig) -> None:
    def push(number: int) -> None:
        data = random.Random(number).randbytes(6 * MIB + number)
        patched = rig.request("PATCH", rig.url(), pieces(data, 50_000 + number))
        assert rig.request("PUT", f"{patched.headers['location']}&digest={sha256(data)}").status == 201
        assert stored(rig, sha256(data)) == data

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(push, range(12)))


def test_above_the_limit_it_answers_denied_and_lets_the_client_finish_sending(rig: Rig) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(80):
            sent += MIB
            yield b"\0" * MIB

    answer = rig.request("PATCH", rig.url(), endless())
    assert answer.status == 413
    error = json.loads(answer.body)["errors"][0]
    assert (error["code"], str(LIMITS.max_bytes) in error["message"]) == ("DENIED", True)
    assert sent == 80 * MIB  # nobody hung up on the client
    assert rig.objects.unfinished() == 0


def test_a_bad_token_is_answered_before_and_the_body_is_drained_after(rig: Rig) -> None:
    other = rig.url(RepositoryName("other/web")).replace("other/web", "acme/web")
    for url in (other, rig.url().replace("_state=", "_state=x"), f"/v2/acme/web/blobs/uploads/{'0' * 32}?_state="):
        answer = rig.request("PATCH", url, pieces(DATA))
        assert answer.status == 404
        assert json.loads(answer.body)["errors"][0]["code"] == "BLOB_UPLOAD_UNKNOWN"


def test_credentials_are_dropped_unread(rig: Rig) -> None:
    # The rig's verifier fails when it is asked anything.
    url = rig.url().partition("?")[0]
    answer = rig.request("PATCH", url, b"x", {"Authorization": "Bearer secret", "Cookie": "a=b"})
    assert answer.status == 401
    assert rig.request("PATCH", rig.url(), b"x", {"Authorization": "Basic c2VjcmV0"}).status == 202


def test_a_request_id_is_cut_before_it_is_written(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"{rig.url()}&digest={quote(sha256(DATA), safe='')}"
    assert rig.request("PUT", url, DATA, {"X-Amz-Cf-Id": "i" * 10_000}).status == 201
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["request_id"] == "i" * MAX_REQUEST_ID


@pytest.mark.parametrize("path", ["/v2/", "/v2/_catalog", "/v2/acme/web/manifests/v1", "/v2/acme/web/blobs/uploads/"])
def test_it_serves_nothing_but_uploads(rig: Rig, path: str) -> None:
    answer = rig.request("POST" if path.endswith("uploads/") else "GET", path)
    assert answer.status == 404
    assert json.loads(answer.body)["errors"][0]["code"] == "UNSUPPORTED"


def test_it_is_healthy(rig: Rig) -> None:
    answer = rig.request("GET", "/health")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok", "uploads": 0})


def test_deleting_a_session_ends_it(rig: Rig) -> None:
    patched = rig.request("PATCH", rig.url(), DATA)
    assert rig.request("DELETE", patched.headers["location"]).status == 204
    assert rig.request("GET", patched.headers["location"]).status == 404
    assert (rig.objects.unfinished(), rig.objects.list("")) == (0, ())


class Gate(MemoryObjects):
    """Parts, and ranges that are read, wait until they are let through; counts how many bytes wait."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.waiting = 0
        self._count = threading.Lock()

    def put_part(self, key: str, multipart_id: str, number: int, data: bytes) -> Part:
        self._wait(len(data))
        return super().put_part(key, multipart_id, number, data)

    def get_range(self, key: str, start: int, size: int) -> bytes | None:
        self._wait(size)
        return super().get_range(key, start, size)

    def _wait(self, size: int) -> None:
        with self._count:
            self.waiting += size
        assert self.open.wait(120)


def _send_until_stuck(connection: socket.socket, size: int, stuck: Callable[[], bool]) -> int:
    """Send zeros until the other side reads no more, which it says by `stuck`; return how many it took."""
    sent, ends = 0, time.monotonic() + 120
    connection.settimeout(0.5)
    while sent < size:
        try:
            sent += connection.send(b"\0" * min(65_536, size - sent))
        except TimeoutError:
            if stuck():
                return sent
            assert time.monotonic() < ends, "this side waits, and the other one not for its store"
    raise AssertionError("it took everything")


def test_a_slow_store_makes_the_client_wait_not_the_memory_grow() -> None:
    objects = Gate()
    with running(LIMITS, objects=objects) as rig, rig.raw() as connection:
        head = f"PATCH {rig.url()} HTTP/1.1\r\nHost: relay\r\nContent-Length: {60 * MIB}\r\n\r\n"
        connection.sendall(head.encode())
        sent = _send_until_stuck(
            connection, 60 * MIB, lambda: objects.waiting == LIMITS.parallel_parts * LIMITS.part_bytes
        )
        # Two parts under way, one that is full and waits for its place, and what the two kernels hold between them.
        assert objects.waiting == LIMITS.parallel_parts * LIMITS.part_bytes
        assert sent < (LIMITS.parallel_parts + 1) * LIMITS.part_bytes + 12 * MIB
        objects.open.set()
        connection.settimeout(120)
        connection.sendall(b"\0" * (60 * MIB - sent))
        assert connection.recv(100).startswith(b"HTTP/1.1 202")


def test_a_body_without_a_place_waits_unread_until_one_is_free() -> None:
    objects = Gate()
    with running(LIMITS, Places(1, share=1), objects=objects) as rig, rig.raw() as waiting:
        slow = threading.Thread(target=rig.request, args=("PATCH", rig.url(), DATA))
        slow.start()
        until(lambda: objects.waiting > 0)
        head = f"PATCH {rig.url()} HTTP/1.1\r\nHost: relay\r\nContent-Length: {60 * MIB}\r\n\r\n"
        waiting.sendall(head.encode())
        sent = _send_until_stuck(waiting, 60 * MIB, lambda: rig.places.wanted == 2)
        assert sent < 12 * MIB  # what the two kernels hold between them
        assert rig.request("GET", "/health").body == b'{"status":"ok","uploads":2}'
        objects.open.set()
        slow.join(120)
        waiting.settimeout(120)
        waiting.sendall(b"\0" * (60 * MIB - sent))
        assert waiting.recv(100).startswith(b"HTTP/1.1 202")


def test_a_body_that_waits_too_long_is_a_503_which_docker_retries() -> None:
    objects = Gate()
    with running(LIMITS, Places(1, share=1, patience=0.2), objects=objects) as rig:
        slow = threading.Thread(target=rig.request, args=("PATCH", rig.url(), DATA))
        slow.start()
        until(lambda: objects.waiting > 0)
        response = rig.request("PATCH", rig.url(), b"x" * MIB)
        assert (response.status, response.headers["retry-after"]) == (503, "10")
        assert json.loads(response.body)["errors"][0]["code"] == "TOOMANYREQUESTS"
        objects.open.set()
        slow.join(120)
        assert rig.request("PATCH", rig.url(), b"x").status == 202


def test_a_request_without_a_body_needs_no_place() -> None:
    objects = Gate()
    with running(LIMITS, Places(1, share=1, patience=0.2), objects=objects) as rig:
        slow = threading.Thread(target=rig.request, args=("PATCH", rig.url(), DATA))
        slow.start()
        until(lambda: objects.waiting > 0)
        assert rig.request("GET", rig.url()).status == 204
        assert rig.request("PUT", f"{rig.url()}&digest={sha256(b'')}").status == 201
        objects.open.set()
        slow.join(120)


def test_what_is_read_back_takes_a_place_as_a_body_does() -> None:
    objects = Gate()
    objects.open.set()
    with running(LIMITS, Places(1, share=1, patience=0.2), objects=objects) as rig:
        url, other = rig.url(), rig.url()
        assert [rig.request("PATCH", one, DATA).status for one in (url, other)] == [202] * 2
        objects.open.clear()
        objects.waiting = 0
        statuses: list[int] = []
        closing = f"{url}&digest={sha512(DATA)}"
        reading = threading.Thread(target=lambda: statuses.append(rig.request("PUT", closing).status))
        reading.start()
        until(lambda: objects.waiting > 0)
        assert rig.request("PUT", closing).status == 503
        refused = rig.request("PUT", f"{other}&digest={sha512(DATA)}")
        assert (refused.status, refused.headers["retry-after"]) == (503, "10")
        objects.open.set()
        reading.join(120)
        assert rig.request("PUT", closing).status == 201
        assert rig.request("PUT", f"{other}&digest={sha512(DATA)}").status == 201
        assert statuses == [201]
        assert rig.places.wanted == 0


def test_a_refused_body_takes_no_place() -> None:
    with running(LIMITS, Places(1, share=1, patience=0.2)) as rig, rig.raw() as refused:
        bad = rig.url().replace("_state=", "_state=x")
        refused.sendall(f"PATCH {bad} HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n\r\n".encode())
        assert refused.recv(100).startswith(b"HTTP/1.1 404")  # and its body is still awaited
        assert rig.request("PATCH", rig.url(), b"x").status == 202


def test_one_upload_has_one_body_at_a_time() -> None:
    objects = Gate()
    with running(LIMITS, Places(4, share=4, patience=0.2), objects=objects) as rig:
        url = rig.url()
        slow = threading.Thread(target=rig.request, args=("PATCH", url, DATA))
        slow.start()
        until(lambda: objects.waiting > 0)
        response = rig.request("PATCH", url, b"x" * MIB)
        assert (response.status, b"another request" in response.body) == (503, True)
        assert rig.request("PATCH", rig.url(), b"x").status == 202
        objects.open.set()
        slow.join(120)


def test_one_upload_has_one_body_at_a_time_in_all_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roadstead.content.uploads.uploads.HOLD_AFTER", 0)
    limits = replace(LIMITS, holds=RelaySettings.from_environ({}).limits.holds)
    done = threading.Event()

    def slowly() -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * 1000
            time.sleep(0.05)
        assert done.wait(120)
        yield b"x" * 1000

    with running(limits) as one, running(limits, objects=one.objects, index=one.index) as another:
        url = one.url()
        answers = []
        slow = threading.Thread(target=lambda: answers.append(one.request("PATCH", url, slowly())))
        slow.start()
        upload = url.partition("?")[0].rpartition("/")[2]
        until(lambda: (found := one.index.find(upload)) is not None and found.busy_until > time.time())
        response = another.request("PATCH", url, b"x" * MIB)
        assert (response.status, response.headers["retry-after"]) == (503, "10")
        assert b"another request" in response.body
        done.set()
        slow.join(120)
        assert [answer.status for answer in answers] == [202]
        assert another.request("PATCH", url, b"x").headers["range"] == "0-4000"


def test_one_user_cannot_hold_every_place() -> None:
    objects = Gate()
    with running(LIMITS, Places(3, share=2, patience=0.2), objects=objects) as rig:
        greedy = [threading.Thread(target=rig.request, args=("PATCH", rig.url(), DATA)) for _ in range(2)]
        for thread in greedy:
            thread.start()
        until(lambda: rig.places.wanted == 2)
        response = rig.request("PATCH", rig.url(), b"x" * MIB)
        assert (response.status, b"your share" in response.body) == (503, True)
        assert rig.request("PATCH", rig.url(user="bob"), b"x").status == 202
        objects.open.set()
        for thread in greedy:
            thread.join(120)


@pytest.mark.parametrize("gap", [0.0, 0.02])
def test_a_body_that_only_trickles_loses_its_place_and_keeps_what_came(gap: float) -> None:
    """With nothing for all of the time, and with a byte now and then."""
    with running(LIMITS, Places(1, share=1), Pace(rate=10_000, seconds=0.3)) as rig, rig.raw() as connection:
        url = rig.url()
        connection.sendall(f"PATCH {url} HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000000\r\n\r\n".encode() + b"x")
        connection.settimeout(gap or 20)
        received = b""
        while not received:
            with contextlib.suppress(TimeoutError):
                received = connection.recv(10_000)
            if gap and not received:
                with contextlib.suppress(ConnectionError):  # closed behind the response, which is still to be read
                    connection.sendall(b"x")
        assert received.startswith(b"HTTP/1.1 408")
        assert b"10000 bytes a second" in received
        assert int(rig.request("GET", url).headers["range"].split("-")[1]) < 100
        assert rig.request("PATCH", rig.url(), b"x").status == 202


def test_a_slow_store_is_not_taken_for_a_slow_client() -> None:
    objects = Gate()
    with running(LIMITS, Places(1, share=1), Pace(rate=MIB, seconds=1.0), objects=objects) as rig:
        told: list[int] = []
        pushing = threading.Thread(target=lambda: told.append(rig.request("PATCH", rig.url(), DATA).status))
        pushing.start()
        until(lambda: objects.waiting > 0)
        time.sleep(1.5)
        objects.open.set()
        pushing.join(120)
        assert told == [202]


def test_a_connection_serves_request_after_request(rig: Rig) -> None:
    connection = rig.connect()
    try:
        for _ in range(3):
            connection.request("PATCH", rig.url(), pieces(DATA[:200_000]), encode_chunked=True)
            response = connection.getresponse()
            response.read()
            assert response.status == 202
        assert isinstance(connection.sock, socket.socket)
    finally:
        connection.close()
