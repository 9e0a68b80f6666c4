"""Upload sessions: their states, and what requests do to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from roadstead.content.blob_index import BlobLink
from roadstead.content.objects import MIN_PART, is_whole_key, whole_key
from roadstead.content.uploads import uploads
from roadstead.content.uploads import writer as upload_writer
from roadstead.content.uploads.sessions import UploadSession, UploadState
from roadstead.content.uploads.token import UploadToken
from roadstead.content.uploads.uploads import DAY, HOLD_AFTER, HOLD_SECONDS, BodyInterrupted, UploadLimits, upload_range
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from tests.memory.index import MemoryIndex
from tests.memory.objects import MemoryObjects
from tests.unit.content.parts import ADA, CARGO, NOON, SHIPS, Clock, Registry

SMALL = b"forty barrels"
CHUNK = b"x" * (upload_writer.MAX_TAIL + 1)  # waits in an object of its own
PART = b"y" * MIN_PART


@pytest.fixture
def registry() -> Registry:
    return Registry()


def refused(error: pytest.ExceptionInfo[RegistryError]) -> tuple[ErrorCode, int]:
    return error.value.entries[0].code, error.value.status


def as_many(*pieces: bytes, algorithm: str = "sha256") -> Digest:
    return Digest.of(b"".join(pieces), algorithm)


def stored(registry: Registry, link: BlobLink) -> bytes | None:
    found = registry.index.find_link(SHIPS, link.digest)
    assert found == link
    data: bytes | None = registry.objects.get(link.key)
    return data


class Beside(MemoryObjects):
    """A bucket that lets another request run just before one of its operations."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], object]] = {}

    def _meet(self, operation: str) -> None:
        other = self.before.pop(operation, None)
        if other is not None:
            other()

    def put(self, *arguments: Any, **named: Any) -> None:
        self._meet("put")
        super().put(*arguments, **named)

    def get(self, key: str) -> bytes | None:
        self._meet("get")
        return super().get(key)

    def get_range(self, *arguments: Any) -> bytes | None:
        self._meet("get_range")
        return super().get_range(*arguments)

    def put_part(self, *arguments: Any) -> Any:
        self._meet("put_part")
        return super().put_part(*arguments)

    def complete(self, *arguments: Any) -> None:
        self._meet("complete")
        super().complete(*arguments)


class BesideIndex(MemoryIndex):
    """An index that lets another request run just before a blob is recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.before_link: Callable[[], object] | None = None

    def link_object(self, *arguments: Any, **named: Any) -> BlobLink:
        other, self.before_link = self.before_link, None
        if other is not None:
            other()
        return super().link_object(*arguments, **named)


@pytest.fixture
def beside() -> Registry:
    return Registry(objects=Beside(), index=BesideIndex())


# Starting


def test_starting_an_upload_writes_nothing_and_sets_its_expiry(registry: Registry) -> None:
    token = registry.uploads.start(SHIPS, ADA, "sha512")
    assert (token.repository, token.actor_name, token.actor_kind, token.token_id) == (SHIPS, "ada", "user", "t1")
    assert (token.expires, token.algorithm, token.chunked) == (int(NOON) + DAY, "sha512", False)
    assert registry.index.find(token.upload_id) is None
    assert registry.uploads.offset(token) == 0


def test_upload_ids_are_unique(registry: Registry) -> None:
    assert len({registry.start().upload_id for _ in range(50)}) == 50


def test_a_sessions_items_outlive_every_token_for_it(registry: Registry) -> None:
    token = registry.start()
    registry.append(token, SMALL)
    assert registry.index.find(token.upload_id).expires == token.expires + DAY


@pytest.mark.parametrize(("offset", "text"), [(0, "0-0"), (1, "0-0"), (2, "0-1"), (1000, "0-999")])
def test_an_upload_range_ends_with_the_last_byte(offset: int, text: str) -> None:
    assert upload_range(offset) == text


# Where bytes go


@pytest.mark.parametrize(
    "pieces",
    [(), (b"",), (SMALL,), (SMALL, SMALL), (CHUNK,), (CHUNK, SMALL), (CHUNK, CHUNK), (PART,), (PART, SMALL),
     (CHUNK, PART), (PART + SMALL, PART, b"")],
    ids=lambda pieces: "+".join(str(len(piece)) for piece in pieces) or "none",
)  # fmt: skip
@pytest.mark.parametrize("last", [b"", SMALL, CHUNK, PART], ids=len)
def test_chunks_of_any_size_become_one_object_and_leave_nothing_else(
    registry: Registry, pieces: tuple[bytes, ...], last: bytes
) -> None:
    token = registry.start()
    for piece in pieces:
        registry.append(token, piece)
    whole = b"".join((*pieces, last))
    assert registry.uploads.offset(token) == len(whole) - len(last)
    link = registry.close(token, Digest.of(whole), last)
    assert link.size == len(whole)
    assert stored(registry, link) == whole
    assert registry.keys() == [link.key]
    assert registry.objects.unfinished() == 0


def test_a_small_upload_is_proven_by_s3_too_and_kept_inline(registry: Registry) -> None:
    token = registry.start()
    link = registry.close(token, Digest.of(SMALL), SMALL)
    assert link.key == whole_key(SHIPS, Digest.of(SMALL), token.upload_id)
    assert registry.objects.find(link.key).digests == {Digest.of(SMALL)}
    assert link.data == SMALL


def test_a_blob_above_16_kib_is_not_inline(registry: Registry) -> None:
    assert registry.upload(b"x" * 16 * 1024).data is not None
    assert registry.upload(b"x" * (16 * 1024 + 1)).data is None


def test_an_upload_is_remembered_for_as_long_as_its_object_can_be_found(registry: Registry) -> None:
    """The collector ends what is known of an upload whose object serves a blob; a surplus object is gone at once."""
    whole, streamed, surplus = (registry.start() for _ in range(3))
    registry.close(whole, Digest.of(SMALL), SMALL)
    for token in (streamed, surplus):
        registry.append(token, PART)
        registry.close(token, Digest.of(PART))
    assert registry.index.find(whole.upload_id).expires == 0
    assert registry.index.find(streamed.upload_id).expires == 0
    assert registry.index.find(surplus.upload_id).expires == surplus.expires + DAY


def test_a_surplus_object_is_removed(registry: Registry) -> None:
    first = registry.upload(SMALL)
    assert registry.upload(SMALL, CARGO).key == first.key
    token = registry.start()
    registry.append(token, PART)
    second = registry.close(token, Digest.of(PART))
    token = registry.start()
    registry.append(token, PART)
    assert registry.close(token, Digest.of(PART)).key == second.key
    assert registry.keys() == sorted([first.key, second.key], key=str)
    assert is_whole_key(first.key) and not is_whole_key(second.key)


# Hashes


def test_bytes_are_hashed_by_sha256_unless_another_algorithm_was_named(registry: Registry) -> None:
    unnamed, named = registry.start(), registry.start(algorithm="sha512")
    registry.append(unnamed, SMALL)
    registry.append(named, SMALL)
    assert set(registry.index.find(unnamed.upload_id).hashes) == {"sha256"}
    assert set(registry.index.find(named.upload_id).hashes) == {"sha512"}
    with pytest.raises(RegistryError) as error:
        registry.close(named, Digest.of(SMALL))
    assert refused(error) == (ErrorCode.DIGEST_INVALID, 400)
    assert registry.close(named, Digest.of(SMALL, "sha512"))


@pytest.mark.parametrize(
    "pieces",
    [(SMALL,), (CHUNK,), (CHUNK, SMALL), (CHUNK, CHUNK), (PART,), (CHUNK, PART), (PART, PART, SMALL)],
    ids=lambda pieces: "+".join(str(len(piece)) for piece in pieces),
)
@pytest.mark.parametrize("last", [b"", SMALL, PART], ids=len)
def test_an_upload_may_end_with_a_digest_whose_algorithm_was_not_named(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, pieces: tuple[bytes, ...], last: bytes
) -> None:
    monkeypatch.setattr(uploads, "READ_BACK_BYTES", MIN_PART - 1)
    token = registry.start()
    for piece in pieces:
        registry.append(token, piece)
    whole = b"".join((*pieces, last))
    link = registry.close(token, Digest.of(whole, "sha512"), last)
    assert (link.digest, stored(registry, link)) == (Digest.of(whole, "sha512"), whole)
    assert registry.close(token, link.digest) == link
    assert registry.objects.unfinished() == 0


def test_a_wrong_digest_for_which_parts_are_read_back_ends_the_upload(registry: Registry) -> None:
    token = registry.start()
    registry.append(token, PART)
    wrong, right = Digest.of(b"other", "sha512"), Digest.of(PART, "sha512")
    for digest, code in ((wrong, "DIGEST_INVALID"), (wrong, "BLOB_UPLOAD_UNKNOWN"), (right, "BLOB_UPLOAD_UNKNOWN")):
        with pytest.raises(RegistryError) as error:
            registry.close(token, digest)
        assert error.value.entries[0].code.name == code
    assert registry.index.find(token.upload_id).state is UploadState.CANCELLED
    assert registry.keys() == []
    assert registry.objects.unfinished() == 0
    assert registry.index.events == []


def test_what_was_completed_is_read_back_again_after_a_failure(beside: Registry) -> None:
    """The digest counts for nothing until the object has been read."""
    token = beside.start()
    beside.append(token, PART)

    def fail() -> None:
        raise ConnectionError

    for digest in (wrong := Digest.of(b"other", "sha512"), wrong):
        beside.objects.before["get_range"] = fail
        with pytest.raises(ConnectionError):
            beside.close(token, digest)
    with pytest.raises(RegistryError) as error:
        beside.close(token, wrong)
    assert refused(error) == (ErrorCode.DIGEST_INVALID, 400)
    assert beside.keys() == []


def test_of_two_requests_that_read_back_another_digest_the_later_finds_nothing(beside: Registry) -> None:
    token = beside.start()
    beside.append(token, PART)
    wrong = Digest.of(b"other", "sha512")

    def refuse() -> None:
        with pytest.raises(RegistryError) as error:
            beside.close(token, wrong)
        assert refused(error) == (ErrorCode.DIGEST_INVALID, 400)

    beside.objects.before["get_range"] = refuse
    with pytest.raises(RegistryError) as error:
        beside.close(token, wrong)
    assert refused(error) == (ErrorCode.BLOB_UPLOAD_UNKNOWN, 404)


def test_only_so_much_is_read_back(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_READ_BACK", MIN_PART)
    token = registry.start()
    registry.append(token, PART)
    before = registry.index.find(token.upload_id)
    with pytest.raises(RegistryError) as error:
        registry.close(token, as_many(PART, SMALL, algorithm="sha512"), SMALL)
    assert refused(error) == (ErrorCode.DIGEST_INVALID, 400)
    assert "digest-algorithm=sha512" in error.value.entries[0].message
    assert registry.index.find(token.upload_id) == before
    assert registry.close(token, as_many(PART, SMALL), SMALL).size == len(PART + SMALL)


@pytest.mark.parametrize(
    ("first", "last", "algorithm"),
    [(SMALL, PART, "sha256"), (CHUNK, PART, "sha256"), (PART, PART, "sha256"), (SMALL, CHUNK, "sha512"),
     (CHUNK, CHUNK, "sha512")],
)  # fmt: skip
def test_a_wrong_digest_leaves_the_session_unchanged(
    registry: Registry, first: bytes, last: bytes, algorithm: str
) -> None:
    token = registry.start()
    registry.append(token, first)
    before, unfinished = registry.index.find(token.upload_id), registry.objects.unfinished()
    with pytest.raises(RegistryError) as error:
        registry.close(token, Digest.of(b"other", algorithm), last)
    assert refused(error) == (ErrorCode.DIGEST_INVALID, 400)
    assert registry.index.find(token.upload_id) == before
    assert registry.objects.unfinished() == unfinished
    assert stored(registry, registry.close(token, as_many(first, CHUNK), CHUNK)) == first + CHUNK


def test_a_wrong_digest_of_a_whole_upload_leaves_nothing(registry: Registry) -> None:
    token = registry.start()
    for body in (SMALL, PART):
        with pytest.raises(RegistryError):
            registry.close(token, Digest.of(b"other"), body)
    assert registry.keys() == []
    assert registry.objects.unfinished() == 0
    assert registry.index.events == []


# Order


@pytest.mark.parametrize("start", [0, 1, len(SMALL) - 1, len(SMALL) + 1])
def test_a_chunk_out_of_order_is_416_with_the_current_range(registry: Registry, start: int) -> None:
    token = registry.start()
    registry.append(token, SMALL, start=0)
    before = registry.index.find(token.upload_id)
    for attempt in (registry.append, lambda *a, **n: registry.close(a[0], as_many(SMALL, b"x"), a[1], **n)):
        with pytest.raises(RegistryError) as error:
            attempt(token, b"x", start=start)
        assert refused(error) == (ErrorCode.BLOB_UPLOAD_INVALID, 416)
        assert dict(error.value.headers)["Range"] == upload_range(len(SMALL))
    assert registry.index.find(token.upload_id) == before
    assert registry.append(token, b"x", start=len(SMALL)) == len(SMALL) + 1


# Limits


def test_a_body_above_the_limit_is_denied_and_leaves_nothing() -> None:
    registry = Registry(limits=UploadLimits(max_bytes=2 * MIN_PART))
    token = registry.start()
    registry.append(token, PART)
    registry.append(token, CHUNK)
    with pytest.raises(RegistryError) as error:
        registry.append(token, PART)
    assert refused(error) == (ErrorCode.DENIED, 413)
    with pytest.raises(RegistryError) as error:
        registry.uploads.offset(token)
    assert refused(error) == (ErrorCode.BLOB_UPLOAD_UNKNOWN, 404)
    assert registry.keys() == []
    assert registry.objects.unfinished() == 0


def test_an_upload_of_exactly_the_limit_is_accepted() -> None:
    registry = Registry(limits=UploadLimits(max_bytes=len(SMALL)))
    assert registry.upload(SMALL).size == len(SMALL)
    with pytest.raises(RegistryError) as error:
        registry.upload(SMALL + b"x")
    assert refused(error) == (ErrorCode.DENIED, 413)


# A client that goes away


def broken(*pieces: bytes) -> Iterator[bytes]:
    yield from pieces
    raise BodyInterrupted


def test_bytes_before_a_disconnect_are_kept(registry: Registry) -> None:
    token = registry.start()
    with pytest.raises(BodyInterrupted):
        registry.uploads.append(token, broken(PART, SMALL), actor=ADA)
    assert registry.uploads.offset(token) == len(PART + SMALL)
    assert stored(registry, registry.close(token, as_many(PART, SMALL, SMALL), SMALL)) == PART + SMALL + SMALL


def test_an_interrupted_closing_body_changes_nothing(registry: Registry) -> None:
    token = registry.start()
    registry.append(token, SMALL)
    with pytest.raises(BodyInterrupted):
        registry.uploads.close(token, Digest.of(SMALL), broken(PART), actor=ADA)
    assert registry.uploads.offset(token) == len(SMALL)
    assert registry.objects.unfinished() == 0


def test_checkpoints_bound_what_a_crash_loses() -> None:
    registry = Registry(limits=UploadLimits(checkpoint_bytes=MIN_PART))
    token = registry.start()

    def crashing() -> Iterator[bytes]:
        yield PART
        yield SMALL
        raise RuntimeError("the process dies")

    with pytest.raises(RuntimeError):
        registry.uploads.append(token, crashing(), actor=ADA)
    assert registry.uploads.offset(token) == len(PART)
    assert stored(registry, registry.close(token, as_many(PART, SMALL), SMALL)) == PART + SMALL


# One body at a time, also where several processes serve one upload


@pytest.fixture
def relay() -> Registry:
    """One of the relay's environments; others share its stores and its clock."""
    return Registry(limits=UploadLimits(holds=True))


def another(relay: Registry) -> Registry:
    return Registry(limits=relay.limits, index=relay.index, objects=relay.objects, clock=relay.clock)


def slow(clock: Clock, *pieces: bytes, seconds: float = HOLD_AFTER + 1) -> Iterator[bytes]:
    """A body of which each piece but the first comes `seconds` after the one before."""
    for place, piece in enumerate(pieces):
        clock.now += seconds if place else 0
        yield piece


def busy(registry: Registry, token: UploadToken, data: bytes = SMALL) -> None:
    with pytest.raises(RegistryError) as error:
        registry.append(token, data)
    assert refused(error) == (ErrorCode.TOOMANYREQUESTS, 503)
    assert ("Retry-After", "10") in error.value.headers


@pytest.mark.parametrize("saved", [b"", SMALL], ids=["a new upload", "a session"])
def test_another_process_refuses_a_body_while_a_long_one_is_sent(relay: Registry, saved: bytes) -> None:
    token, other = relay.start(), another(relay)
    if saved:
        relay.append(token, saved)

    def body() -> Iterator[bytes]:
        yield from slow(relay.clock, SMALL, SMALL, SMALL)
        busy(other, token)
        yield SMALL

    assert relay.uploads.append(token, body(), actor=ADA) == len(saved) + 4 * len(SMALL)
    assert other.append(token, SMALL) == len(saved) + 5 * len(SMALL)  # it is free again
    assert stored(relay, relay.close(token, as_many(saved, *[SMALL] * 5))) == saved + SMALL * 5


@pytest.mark.parametrize("body", [(), (b"",)], ids=["no piece", "an empty piece"])
def test_a_held_upload_is_closed_without_a_body(relay: Registry, body: tuple[bytes, ...]) -> None:
    token, other = relay.start(), another(relay)
    relay.append(token, SMALL)

    def sent() -> Iterator[bytes]:
        yield from slow(relay.clock, SMALL, SMALL)
        assert relay.index.find(token.upload_id).busy_until > relay.clock()
        other.uploads.close(token, Digest.of(SMALL), body, actor=ADA)
        yield SMALL

    with pytest.raises(RegistryError) as error:
        relay.uploads.append(token, sent(), actor=ADA)
    assert refused(error) == (ErrorCode.BLOB_UPLOAD_UNKNOWN, 404)


def test_an_upload_stays_held_as_long_as_its_body_is_sent(relay: Registry) -> None:
    token, other = relay.start(), another(relay)

    def body() -> Iterator[bytes]:
        for piece in slow(relay.clock, *[SMALL] * 20, seconds=30):
            if relay.clock.now > NOON + 90:
                busy(other, token)
            yield piece

    assert relay.uploads.append(token, body(), actor=ADA) == 20 * len(SMALL)


def test_a_process_that_died_holds_an_upload_for_two_minutes(relay: Registry) -> None:
    token, other = relay.start(), another(relay)

    def dying() -> Iterator[bytes]:
        yield from slow(relay.clock, SMALL, SMALL, SMALL)
        raise RuntimeError("the process dies")

    with pytest.raises(RuntimeError):
        relay.uploads.append(token, dying(), actor=ADA)
    busy(other, token)
    relay.clock.now += HOLD_SECONDS
    assert other.append(token, SMALL) == len(SMALL)


def test_a_client_that_goes_away_holds_nothing(relay: Registry) -> None:
    token, other = relay.start(), another(relay)
    with pytest.raises(BodyInterrupted):
        relay.uploads.append(token, broken(*slow(relay.clock, SMALL, SMALL, SMALL)), actor=ADA)
    assert other.append(token, SMALL) == 4 * len(SMALL)


@pytest.mark.parametrize("size", [1, MIN_PART], ids=["in memory", "in parts"])
def test_a_long_body_that_closes_an_upload_holds_it_too(relay: Registry, size: int) -> None:
    token, other = relay.start(), another(relay)
    piece = SMALL * size if size == 1 else PART

    def body() -> Iterator[bytes]:
        yield from slow(relay.clock, piece, piece, piece)
        busy(other, token)

    link = relay.uploads.close(token, as_many(piece, piece, piece), body(), actor=ADA)
    assert stored(relay, link) == piece * 3


def test_a_closing_body_with_another_digest_lets_go(relay: Registry) -> None:
    token, other = relay.start(), another(relay)
    with pytest.raises(RegistryError) as error:
        relay.uploads.close(token, Digest.of(b"other"), slow(relay.clock, SMALL, SMALL, SMALL), actor=ADA)
    assert refused(error) == (ErrorCode.DIGEST_INVALID, 400)
    assert other.append(token, SMALL) == len(SMALL)


def test_a_request_that_was_faster_is_noticed_before_the_body_is_over(relay: Registry) -> None:
    token, other = relay.start(), another(relay)
    sent: list[bytes] = []

    def body() -> Iterator[bytes]:
        for piece in slow(relay.clock, *[SMALL] * 20):
            if not sent:
                other.append(token, SMALL)
            sent.append(piece)
            yield piece

    with pytest.raises(RegistryError) as error:
        relay.uploads.append(token, body(), actor=ADA)
    assert refused(error) == (ErrorCode.BLOB_UPLOAD_INVALID, 416)
    assert len(sent) == 2


def counted_saves(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[UploadSession]:
    """The sessions that are saved from now on."""
    saves: list[UploadSession] = []
    save = registry.index.save

    def counting(session: UploadSession, *parts: Any) -> UploadSession:
        saves.append(session)
        saved: UploadSession = save(session, *parts)
        return saved

    monkeypatch.setattr(registry.index, "save", counting)
    return saves


def test_a_short_body_is_written_once_and_a_long_one_once_a_minute_more(
    relay: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = counted_saves(relay, monkeypatch)
    relay.append(relay.start(), SMALL)
    assert len(saves) == 1
    saves.clear()
    relay.uploads.append(relay.start(), slow(relay.clock, *[SMALL] * 60, seconds=5), actor=ADA)  # five minutes
    assert len(saves) == 6


def test_a_checkpoint_holds_the_upload_without_another_write(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Registry(limits=UploadLimits(holds=True, checkpoint_bytes=MIN_PART))
    saves = counted_saves(relay, monkeypatch)
    relay.uploads.append(relay.start(), slow(relay.clock, *[PART] * 4, seconds=HOLD_AFTER), actor=ADA)
    assert len(saves) == 5  # four checkpoints, and the end


def test_a_lambda_holds_nothing() -> None:
    registry = Registry()
    token = registry.start()
    registry.uploads.append(token, slow(registry.clock, SMALL, SMALL, SMALL), actor=ADA)
    assert registry.index.find(token.upload_id).busy_until == 0


# Closing again


@pytest.mark.parametrize("first", [b"", CHUNK, PART], ids=len)
def test_closing_again_returns_the_same_link(registry: Registry, first: bytes) -> None:
    token = registry.start()
    if first:
        registry.append(token, first)
    digest = as_many(first, SMALL)
    link = registry.close(token, digest, SMALL)
    assert registry.close(token, digest, SMALL) == link
    assert registry.close(token, digest) == link
    assert len(registry.index.events) == 1


def test_closing_again_cancels_a_pending_removal(registry: Registry) -> None:
    token = registry.start()
    registry.close(token, Digest.of(SMALL), SMALL)
    registry.index.mark_link(SHIPS, Digest.of(SMALL), "mark")
    registry.close(token, Digest.of(SMALL), SMALL)
    assert registry.index.find_link(SHIPS, Digest.of(SMALL)).marked is None


def test_a_closed_upload_refuses_every_request(registry: Registry) -> None:
    token = registry.start()
    registry.close(token, Digest.of(SMALL), SMALL)
    for attempt in (
        lambda: registry.close(token, Digest.of(b"other"), b"other"),
        lambda: registry.append(token, SMALL),
        lambda: registry.uploads.offset(token),
        lambda: registry.uploads.cancel(token),
    ):
        with pytest.raises(RegistryError) as error:
            attempt()
        assert refused(error) == (ErrorCode.BLOB_UPLOAD_UNKNOWN, 404)


def test_closing_again_does_not_restore_a_deleted_blob(registry: Registry) -> None:
    token = registry.start()
    link = registry.close(token, Digest.of(SMALL), SMALL)
    registry.blobs.delete(SHIPS, link.digest, ADA)
    with pytest.raises(RegistryError) as error:
        registry.close(token, link.digest, SMALL)
    assert refused(error) == (ErrorCode.BLOB_UPLOAD_UNKNOWN, 404)


def test_an_interrupted_closing_is_completed_by_the_next_request(beside: Registry) -> None:
    def die() -> None:
        raise RuntimeError("the process dies")

    for first in (CHUNK, PART):
        for broken_at in ("link", "complete"):
            token = beside.start()
            beside.append(token, first)
            beside.append(token, b"" if first is CHUNK else SMALL)
            digest = as_many(first, b"" if first is CHUNK else SMALL)
            if broken_at == "link":
                beside.index.before_link = die
            elif first is PART:
                beside.objects.before["complete"] = die
            else:
                continue
            with pytest.raises(RuntimeError):
                beside.close(token, digest)
            assert beside.index.find(token.upload_id).state is UploadState.CLOSING
            with pytest.raises(RegistryError) as error:
                beside.close(token, Digest.of(b"other"), b"other")
            assert refused(error) == (ErrorCode.DIGEST_INVALID, 400)
            assert beside.objects.get(beside.close(token, digest).key) is not None


# Cancelling


@pytest.mark.parametrize("data", [b"", SMALL, CHUNK, PART + SMALL], ids=len)
def test_a_cancelled_upload_leaves_nothing_and_is_unknown(registry: Registry, data: bytes) -> None:
    token = registry.start()
    if data:
        registry.append(token, data)
    registry.uploads.cancel(token)
    assert registry.keys() == []
    assert registry.objects.unfinished() == 0
    for attempt in (
        lambda: registry.append(token, SMALL),
        lambda: registry.close(token, Digest.of(SMALL), SMALL),
        lambda: registry.uploads.cancel(token),
    ):
        with pytest.raises(RegistryError) as error:
            attempt()
        assert refused(error) == (ErrorCode.BLOB_UPLOAD_UNKNOWN, 404)
    assert registry.keys() == []


# Two requests on one upload at once


def test_concurrent_chunks_keep_the_faster_and_416_the_slower(beside: Registry) -> None:
    token = beside.start()
    beside.objects.before["put"] = lambda: beside.append(token, SMALL)
    with pytest.raises(RegistryError) as error:
        beside.append(token, CHUNK)
    assert refused(error) == (ErrorCode.BLOB_UPLOAD_INVALID, 416)
    assert dict(error.value.headers)["Range"] == upload_range(len(SMALL))
    assert stored(beside, beside.close(token, Digest.of(SMALL))) == SMALL


def test_concurrent_first_parts_leave_no_multipart_upload_of_the_slower(beside: Registry) -> None:
    token = beside.start()
    beside.objects.before["put_part"] = lambda: beside.append(token, PART)
    with pytest.raises(RegistryError) as error:
        beside.append(token, b"z" * MIN_PART)
    assert refused(error)[1] == 416
    assert beside.objects.unfinished() == 1
    assert stored(beside, beside.close(token, Digest.of(PART))) == PART


def test_a_part_overwritten_by_another_request_is_not_completed(beside: Registry) -> None:
    token = beside.start()
    beside.append(token, PART)
    beside.append(token, PART)
    other = b"z" * MIN_PART
    beside.objects.before["put_part"] = lambda: beside.append(token, PART)
    with pytest.raises(RegistryError):
        beside.append(token, other)
    with pytest.raises(RegistryError) as error:
        beside.close(token, as_many(PART, PART, PART))
    assert refused(error) == (ErrorCode.BLOB_UPLOAD_INVALID, 400)
    assert beside.index.find_link(SHIPS, as_many(PART, PART, PART)) is None


def test_a_chunk_of_an_upload_cancelled_meanwhile_is_unknown(beside: Registry) -> None:
    token = beside.start()
    beside.append(token, PART)
    beside.objects.before["put_part"] = lambda: beside.uploads.cancel(token)
    with pytest.raises(RegistryError) as error:
        beside.append(token, PART)
    assert refused(error) == (ErrorCode.BLOB_UPLOAD_UNKNOWN, 404)


def test_a_chunk_of_an_upload_without_its_parts_must_start_again(registry: Registry) -> None:
    token = registry.start()
    registry.append(token, PART)
    session = registry.index.find(token.upload_id)
    registry.objects.abort(session.key, session.multipart_id)  # as the bucket's lifecycle does after days
    for attempt in (lambda: registry.append(token, PART), lambda: registry.close(token, as_many(PART, PART), PART)):
        with pytest.raises(RegistryError) as error:
            attempt()
        assert refused(error) == (ErrorCode.BLOB_UPLOAD_INVALID, 400)


def closers(registry: Registry, token: UploadToken, digest: Digest, links: list[BlobLink]) -> Callable[[], None]:
    return lambda: links.append(registry.close(token, digest))


@pytest.mark.parametrize("meeting", ["link", "complete"])
def test_concurrent_closings_both_succeed(beside: Registry, meeting: str) -> None:
    links: list[BlobLink] = []
    token = beside.start()
    beside.append(token, PART)
    other = closers(beside, token, Digest.of(PART), links)
    if meeting == "link":
        beside.index.before_link = other
    else:
        beside.objects.before["complete"] = other
    links.append(beside.close(token, Digest.of(PART)))
    assert links[0] == links[1]
    assert stored(beside, links[0]) == PART
    assert len(beside.index.events) == 1


def test_concurrent_closings_with_a_last_chunk_both_succeed(beside: Registry) -> None:
    links: list[BlobLink] = []
    token = beside.start()
    beside.append(token, PART)
    digest = as_many(PART, SMALL)
    beside.objects.before["put_part"] = lambda: links.append(beside.close(token, digest, SMALL))
    links.append(beside.close(token, digest, SMALL))
    assert links[0] == links[1]


def test_a_second_closing_with_a_surplus_object_succeeds(beside: Registry) -> None:
    link = beside.upload(PART)
    token, links = beside.start(), list[BlobLink]()
    beside.append(token, PART)
    beside.objects.before["complete"] = closers(beside, token, Digest.of(PART), links)
    assert beside.close(token, Digest.of(PART)) == link == links[0]


@pytest.mark.parametrize("meeting", ["complete", "get_range"])
def test_a_second_closing_that_reads_back_a_surplus_object_succeeds(beside: Registry, meeting: str) -> None:
    digest = Digest.of(PART, "sha512")
    first = beside.start(algorithm="sha512")
    beside.append(first, PART)
    link = beside.close(first, digest)
    token, links = beside.start(), list[BlobLink]()
    beside.append(token, PART)
    beside.objects.before[meeting] = closers(beside, token, digest, links)
    assert beside.close(token, digest) == link == links[0]


@pytest.mark.parametrize("data", [SMALL, CHUNK, PART], ids=len)
def test_a_chunk_beside_a_closing_leaves_the_blob_intact(beside: Registry, data: bytes) -> None:
    token = beside.start()
    beside.append(token, data)

    def late() -> None:
        with pytest.raises(RegistryError):
            beside.append(token, b"z" * 2 * MIN_PART)

    # Before the closing is written the chunk may win; after that it is told that it came too late.
    if data is SMALL:
        beside.objects.before["put"] = lambda: beside.append(token, b"z" * 2 * MIN_PART)
    else:
        beside.index.before_link = late
    link = beside.close(token, Digest.of(data))
    assert stored(beside, link) == data


@pytest.mark.parametrize("data", [SMALL, CHUNK, PART], ids=len)
def test_cancelling_beside_a_closing_leaves_a_whole_blob_or_none(beside: Registry, data: bytes) -> None:
    token = beside.start()
    beside.append(token, data)
    outcomes: list[object] = []

    def cancel() -> None:
        try:
            beside.uploads.cancel(token)
        except RegistryError as error:
            outcomes.append(error)

    beside.index.before_link = cancel
    try:
        assert stored(beside, beside.close(token, Digest.of(data))) == data
        assert len(outcomes) == 1
    except RegistryError as error:
        assert error.status == 404
        assert outcomes == []
        assert beside.index.find_link(SHIPS, Digest.of(data)) is None
