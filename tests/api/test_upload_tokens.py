"""The upload token: the authority to fill one upload, which its URL carries."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, quote, urlsplit

from roadstead.content.uploads.token import PARAMETER, UploadKeys, UploadToken, decode_upload_token
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from tests.api.client import Api, Client
from tests.api.conftest import UPLOAD_KEYS, Builder

REPOSITORY = "acme/app"
DATA = bytes(range(256)) * 12


def forged(location: str, keys: UploadKeys = UPLOAD_KEYS, **changes: object) -> str:
    """The Location with a token that says something else, signed by `keys`."""
    upload_id = urlsplit(location).path.rpartition("/")[2]
    fields: dict[str, object] = {
        "repository": RepositoryName(REPOSITORY),
        "upload_id": upload_id,
        "actor_name": "developer",
        "actor_kind": "user",
        "token_id": "t",
        "expires": int(time.time()) + 60,
        **changes,
    }
    token = UploadToken(**fields)  # type: ignore[arg-type]
    return f"{urlsplit(location).path}?{PARAMETER}={token.encode(keys)}"


def test_an_upload_token_outlives_the_access_token(api: Api) -> None:
    location = api.user("developer").start(REPOSITORY)
    for headers in ({}, {"Authorization": "Bearer expired"}, {"Authorization": "Basic bm9ib2R5Om5vdGhpbmc="}):
        api.request("GET", location, headers).expect(204)
    location = api.request("PATCH", location, {}, DATA).expect(202).location
    api.user("nobody").put(location, Digest.of(DATA)).expect(201)


def test_a_url_that_is_too_old_for_a_body_can_still_be_closed_and_cancelled(developer: Client) -> None:
    location = developer.patch(developer.start(REPOSITORY), DATA, 0).expect(202).location
    old = forged(location, expires=int(time.time()) + 3600, bodies_until=int(time.time()) - 1)
    for method in ("PATCH", "PUT"):
        target = f"{old}&digest={quote(Digest.of(DATA + DATA))}"
        developer.api.request(method, target, {}, DATA).refused(404, "BLOB_UPLOAD_UNKNOWN")
    developer.api.request("GET", old).expect(204)
    developer.put(old, Digest.of(DATA)).expect(201)
    other = developer.start(REPOSITORY)
    old = forged(other, expires=int(time.time()) + 3600, bodies_until=int(time.time()) - 1)
    developer.api.request("DELETE", old).expect(204)


def test_a_new_url_takes_bodies_for_as_long_as_the_setting_says(build: Builder) -> None:
    for settings, seconds in (({}, 1_800), ({"UPLOAD_URL_SECONDS": "60"}, 60)):
        location = build(**settings).user("developer").start(REPOSITORY)
        text = parse_qs(urlsplit(location).query)[PARAMETER][0]
        upload_id = urlsplit(location).path.rpartition("/")[2]
        token = decode_upload_token(text, UPLOAD_KEYS, now=time.time(), repository=REPOSITORY, upload_id=upload_id)
        assert token.bodies_until is not None
        assert abs(token.bodies_until - time.time() - seconds) < 10
        assert token.expires - token.bodies_until == 86_400 - seconds


def test_an_expired_upload_token_is_refused(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    expired = forged(location, expires=int(time.time()) - 1)
    for method in ("GET", "PATCH", "DELETE"):
        answer = developer.api.request(method, expired).refused(404, "BLOB_UPLOAD_UNKNOWN")
        assert "expired" in answer.message
    developer.put(expired, Digest.of(DATA), DATA).refused(404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_token_is_for_its_repository_and_its_upload(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    for target in (
        location.replace(REPOSITORY, "acme/other"),
        location.replace(urlsplit(location).path.rpartition("/")[2], "0" * 32),
        forged(location, repository=RepositoryName("acme/other")),
        forged(location, upload_id="0" * 32),
    ):
        developer.put(target, Digest.of(DATA), DATA).refused(404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_token_by_another_key_or_a_changed_one_is_refused(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    token = parse_qs(urlsplit(location).query)[PARAMETER][0]
    key, payload, mac = token.split(".")
    path = urlsplit(location).path
    foreign = forged(location, UploadKeys("k1", {"k1": b"2" * 32}))
    unknown = forged(location, UploadKeys("k9", {"k9": b"1" * 32}))
    changed = (f"{key}.{payload}A.{mac}", f"{key}.{payload}.{mac[:-2]}", "k0" + token[2:], "", "a.b.c", "ä")
    for target in (foreign, unknown, *(f"{path}?{PARAMETER}={quote(text)}" for text in changed)):
        developer.put(target, Digest.of(DATA), DATA).refused(404, "BLOB_UPLOAD_UNKNOWN")


def test_two_keys_are_trusted_so_that_they_can_be_rotated(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    before_the_rotation = forged(location, UploadKeys("k0", UPLOAD_KEYS.keys))
    assert parse_qs(urlsplit(location).query)[PARAMETER][0].startswith("k1.")
    answer = developer.patch(before_the_rotation, DATA).expect(202)
    assert parse_qs(urlsplit(answer.location).query)[PARAMETER][0].startswith("k1.")
    developer.put(answer.location, Digest.of(DATA)).expect(201)


def test_an_upload_without_its_token_is_401_to_strangers_and_404_to_members(api: Api) -> None:
    path = urlsplit(api.user("developer").start(REPOSITORY)).path
    assert (
        api.request("GET", path).refused(401, "UNAUTHORIZED").challenge["scope"] == f"repository:{REPOSITORY}:pull,push"
    )
    api.user("developer").request("GET", path).refused(404, "BLOB_UPLOAD_UNKNOWN")
    api.user("guest").request("GET", path).refused(401, "DENIED")


def test_a_malformed_upload_id_is_unknown(developer: Client) -> None:
    developer.request("GET", f"/v2/{REPOSITORY}/blobs/uploads/some-id").refused(404, "BLOB_UPLOAD_UNKNOWN")
    target = f"/v2/{REPOSITORY}/blobs/uploads/some-id?{PARAMETER}=x"
    developer.api.request("PUT", f"{target}&digest={Digest.of(DATA)}", {}, DATA).refused(404, "BLOB_UPLOAD_UNKNOWN")


def test_a_location_that_a_patch_returned_says_that_a_put_there_is_a_last_chunk(developer: Client) -> None:
    """By a flag in its token, for the edge: only a PUT to the POST's Location may be a whole blob."""

    def is_chunked(location: str) -> bool:
        identity = urlsplit(location).path.rpartition("/")[2]
        text = parse_qs(urlsplit(location).query)[PARAMETER][0]
        return decode_upload_token(
            text, UPLOAD_KEYS, now=time.time(), repository=REPOSITORY, upload_id=identity
        ).chunked

    location = developer.start(REPOSITORY)
    told = developer.api.request("GET", location).expect(204).location
    assert not is_chunked(location)
    assert not is_chunked(told)
    patched = developer.patch(location, DATA[:10], 0).expect(202).location
    out_of_order = developer.patch(location, DATA[:10], 0).expect(416).location
    assert is_chunked(patched)
    assert is_chunked(out_of_order)
    assert is_chunked(developer.api.request("GET", patched).expect(204).location)
