from __future__ import annotations

import base64
import hashlib
import json

import pytest

from local.edge.rules import pairs
from roadstead.content.objects import whole_key
from roadstead.content.uploads.token import UploadKeys
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from tests.unit.edge import cases
from tests.unit.edge.cases import (
    ADDRESS,
    CONTENT,
    FOREIGN_KEYS,
    HOST,
    REPOSITORY,
    SHA256,
    SHA512,
    UPLOAD,
    UPLOAD_ID,
    error,
    headers_of,
    refusal,
    run,
    token,
    where,
    whole_put,
)
from tests.unit.edge.engines import Engine

FIVE_GB = 5 * 1024**3
API_LIMIT = 4_500_000
# What S3 may be sent: what CloudFront does not let a function touch, and what the function makes.
ALLOWED = {
    "cdn-loop",
    "content-length",
    "content-type",
    "host",
    "via",
    "x-amz-checksum-sha256",
    "x-amz-checksum-sha512",
    "x-amz-content-sha256",
    "x-amz-meta-actor",
    "x-amz-meta-repository",
}


class TestWholePut:
    @pytest.mark.parametrize("relay", [False, True])
    @pytest.mark.parametrize("digest", [SHA256, SHA512])
    def test_goes_to_s3_under_the_key_that_adoption_looks_for(self, engine: Engine, digest: str, relay: bool) -> None:
        outcome = whole_put(engine, digest=digest, relay=relay)
        assert outcome.origin == "blobs"
        key = whole_key(RepositoryName(REPOSITORY), Digest.parse(digest), UPLOAD_ID)
        assert outcome.result["uri"] == f"/{key}"
        assert outcome.result["querystring"] == {}

    def test_of_sha256_has_s3_check_the_digest_twice(self, engine: Engine) -> None:
        headers = headers_of(whole_put(engine))
        raw = hashlib.sha256(CONTENT)
        assert headers["x-amz-checksum-sha256"] == base64.b64encode(raw.digest()).decode()
        assert headers["x-amz-content-sha256"] == raw.hexdigest()
        assert "x-amz-checksum-sha512" not in headers

    def test_of_sha512_has_s3_check_the_digest_and_leaves_the_body_unsigned(self, engine: Engine) -> None:
        headers = headers_of(whole_put(engine, digest=SHA512))
        assert headers["x-amz-checksum-sha512"] == base64.b64encode(hashlib.sha512(CONTENT).digest()).decode()
        assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
        assert "x-amz-checksum-sha256" not in headers

    def test_takes_nothing_of_the_client_but_the_length(self, engine: Engine) -> None:
        outcome = whole_put(
            engine,
            ("Authorization", "Bearer secret"),
            ("Cookie", "session=secret"),
            ("Content-Type", "text/html"),
            ("Content-Encoding", "gzip"),
            ("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA=="),
            ("If-None-Match", "*"),
            ("X-Amz-Acl", "public-read"),
            ("X-Amz-Checksum-Sha256", "forged"),
            ("X-Amz-Checksum-Crc32", "forged"),
            ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
            ("X-Amz-Copy-Source", "/bucket/other"),
            ("X-Amz-Meta-Actor", "forged"),
            ("X-Amz-Security-Token", "forged"),
            ("X-Roadstead-Host", "forged"),
            ("X-Roadstead-Secret", "forged"),
        )
        headers = headers_of(outcome)
        assert set(headers) <= ALLOWED
        assert headers["content-length"] == str(len(CONTENT))
        assert headers["content-type"] == "application/octet-stream"
        assert outcome.result["cookies"] == {}
        assert "forged" not in json.dumps(outcome.result)
        assert "secret" not in json.dumps(outcome.result)

    def test_keeps_for_the_audit_what_an_s3_event_does_not_tell(self, engine: Engine) -> None:
        target = f"{UPLOAD}?_state={token(subject='Zoë 🐙')}&digest={SHA256}"
        headers = headers_of(whole_put(engine, target=target))
        assert headers["x-amz-meta-repository"] == REPOSITORY
        actor = headers["x-amz-meta-actor"]
        assert json.loads(base64.urlsafe_b64decode(actor + "=" * (-len(actor) % 4))) == {
            "s": "Zoë 🐙",
            "k": "user",
            "j": "token-1",
        }

    def test_with_a_subject_too_long_for_metadata_goes_the_other_way(self, engine: Engine) -> None:
        target = f"{UPLOAD}?_state={token(subject='x' * 1000)}&digest={SHA256}"
        assert where(whole_put(engine, target=target)) == "api"

    def test_repeated_is_sent_the_same_again_without_a_condition(self, engine: Engine) -> None:
        target = f"{UPLOAD}?_state={token()}&digest={SHA256}"
        first, second = whole_put(engine, target=target), whole_put(engine, target=target)
        assert first == second
        assert "if-none-match" not in headers_of(first)

    def test_is_known_by_an_encoded_digest_in_any_order(self, engine: Engine) -> None:
        encoded = SHA256.replace(":", "%3A")
        for query in (
            f"digest={encoded}&_state={token()}",
            f"_state={token()}&digest={encoded.replace('3A', '3a')}&x=1",
        ):
            assert where(whole_put(engine, target=f"{UPLOAD}?{query}")) == "blobs"

    @pytest.mark.parametrize("length", [1, 1024, FIVE_GB])
    def test_may_have_up_to_5_gb(self, engine: Engine, length: int) -> None:
        assert where(whole_put(engine, length=str(length))) == "blobs"

    def test_is_taken_in_a_repository_named_like_an_upload(self, engine: Engine) -> None:
        name = "a/blobs/uploads/b"
        target = f"/v2/{name}/blobs/uploads/{UPLOAD_ID}?_state={token(repository=name)}&digest={SHA256}"
        outcome = whole_put(engine, target=target)
        assert outcome.result["uri"] == f"/{whole_key(RepositoryName(name), Digest.parse(SHA256), UPLOAD_ID)}"


# What on an upload's URL is no whole PUT: method, headers, whether the token came from a PATCH.
NOT_WHOLE = [
    pytest.param("PUT", [("Transfer-Encoding", "chunked")], False, id="chunked PUT"),
    pytest.param("PUT", [], False, id="PUT without a length"),
    pytest.param("PUT", [("Content-Length", "0")], False, id="empty PUT"),
    pytest.param("PUT", [("Content-Length", "0")], True, id="closing PUT"),
    pytest.param("PUT", [("Content-Length", "7")], True, id="closing PUT with the last chunk"),
    pytest.param("PUT", [("Content-Length", "7"), ("Content-Range", "7-13")], False, id="PUT of a range"),
    pytest.param("PATCH", [("Transfer-Encoding", "chunked")], False, id="chunked PATCH"),
    pytest.param("PATCH", [("Content-Length", "7")], False, id="sized PATCH"),
    pytest.param("PATCH", [("Content-Length", "7"), ("Content-Range", "7-13")], True, id="PATCH of a range"),
    pytest.param("GET", [], True, id="GET"),
    pytest.param("HEAD", [], True, id="HEAD"),
    pytest.param("DELETE", [], False, id="DELETE"),
    pytest.param("POST", [("Content-Length", "0")], False, id="POST"),
]


class TestOtherRequestsOnAnUpload:
    @pytest.mark.parametrize(("method", "headers", "chunked"), NOT_WHOLE)
    @pytest.mark.parametrize("relay", [False, True])
    def test_go_to_the_relay_or_without_one_to_the_api(
        self, engine: Engine, method: str, headers: list[tuple[str, str]], chunked: bool, relay: bool
    ) -> None:
        target = f"{UPLOAD}?_state={token(chunked=chunked)}&digest={SHA256}"
        outcome = run(engine, method, target, headers, relay=relay)
        assert where(outcome) == ("relay" if relay else "api")
        assert outcome.result["uri"] == UPLOAD
        assert {name for name, _ in pairs(outcome.result["querystring"])} == {"_state", "digest"}
        sent = headers_of(outcome)
        assert (sent["x-roadstead-host"], sent["x-roadstead-address"]) == (HOST, ADDRESS)

    def test_give_the_relay_no_credentials(self, engine: Engine) -> None:
        secrets = [("Authorization", "Basic c2VjcmV0"), ("Cookie", "session=c2VjcmV0")]
        outcome = run(engine, "PATCH", f"{UPLOAD}?_state={token()}", secrets, relay=True)
        assert where(outcome) == "relay"
        assert "c2VjcmV0" not in json.dumps(outcome.result)

    @pytest.mark.parametrize(
        ("method", "length"), [("PUT", FIVE_GB + 1), ("PATCH", API_LIMIT + 1), ("PATCH", FIVE_GB * 10)]
    )
    def test_go_to_the_relay_at_any_size(self, engine: Engine, method: str, length: int) -> None:
        target = f"{UPLOAD}?_state={token()}&digest={SHA256}"
        assert where(run(engine, method, target, [("Content-Length", str(length))], relay=True)) == "relay"

    @pytest.mark.parametrize(("method", "length"), [("PUT", FIVE_GB + 1), ("PATCH", API_LIMIT + 1)])
    def test_too_large_for_the_api_are_refused_with_the_way_out(self, engine: Engine, method: str, length: int) -> None:
        target = f"{UPLOAD}?_state={token()}&digest={SHA256}"
        outcome = run(engine, method, target, [("Content-Length", str(length))])
        assert refusal(outcome) == (413, "DENIED")
        message = error(outcome)["message"]
        assert "4.5 MB" in message
        assert str(length) in message
        assert "containerd" in message
        assert "relay" in message

    def test_at_the_limit_of_the_api_are_passed(self, engine: Engine) -> None:
        headers = [("Content-Length", str(API_LIMIT))]
        assert where(run(engine, "PATCH", f"{UPLOAD}?_state={token()}", headers)) == "api"


# Requests that the API answers: POST of an upload, all that is no upload, and every path that only looks like one.
ELSEWHERE = [
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads/"),
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads/?mount={SHA256}&from=other/app"),
    ("GET", "/"),
    ("HEAD", f"/v2/{REPOSITORY}/blobs/{SHA256}"),
    ("PUT", f"/v2/{REPOSITORY}/manifests/latest"),
    ("POST", "/token"),
    ("PUT", f"/blobs/sha256/{'0' * 64}/{'0' * 32}/{UPLOAD_ID}"),
    ("PUT", f"/v2/{REPOSITORY}/../{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/./{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"//v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2//{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/{REPOSITORY}//blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/{REPOSITORY}/blobs//uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/{REPOSITORY}/blobs/uploads//{UPLOAD_ID}"),
    ("PUT", f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}/"),
    ("PUT", f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}%20"),
    ("PUT", f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}%0a"),
    ("PUT", f"/v2/{REPOSITORY.replace('/', '%2F')}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/%2e%2e/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/team/%61pp/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/{REPOSITORY}/%62lobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID.upper()}"),
    ("PUT", f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}0"),
    ("PUT", f"/v2/{REPOSITORY.upper()}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/V2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/{'a' * 256}/blobs/uploads/{UPLOAD_ID}"),
    ("PUT", f"/v2/{'a/' * 3900}b/blobs/uploads/{UPLOAD_ID}"),
]


class TestAllElse:
    @pytest.mark.parametrize(("method", "target"), ELSEWHERE)
    @pytest.mark.parametrize("relay", [False, True])
    def test_goes_to_the_api_as_it_is(self, engine: Engine, method: str, target: str, relay: bool) -> None:
        mark = "&" if "?" in target else "?"
        full = f"{target}{mark}_state={token()}&digest={SHA256}"
        outcome = run(engine, method, full, [("Content-Length", "7"), ("Authorization", "Bearer t")], relay=relay)
        assert where(outcome) == "api"
        assert outcome.result["uri"] == target.partition("?")[0]
        assert headers_of(outcome)["authorization"] == "Bearer t"

    def test_tells_the_api_by_which_name_and_from_where_the_viewer_came(self, engine: Engine) -> None:
        forged = [
            ("X-Roadstead-Host", "evil.example.com"),
            ("x-roadstead-address", "127.0.0.1"),
            ("X-ROADSTEAD-SECRET", "guess"),
            ("X-Roadstead-Host", "evil.example.org"),
        ]
        outcome = run(engine, "GET", "/token", forged)
        ours = {name: entry for name, entry in outcome.result["headers"].items() if name.startswith("x-roadstead-")}
        assert ours == {"x-roadstead-host": {"value": HOST}, "x-roadstead-address": {"value": ADDRESS}}

    def test_needs_no_settings(self, engine: Engine) -> None:
        assert where(run(engine, "GET", "/ui", settings={})) == "api"

    def test_is_refused_when_the_api_could_not_take_it(self, engine: Engine) -> None:
        headers = [("Content-Length", str(API_LIMIT + 1)), ("Authorization", "Bearer t")]
        outcome = run(engine, "PUT", f"/v2/{REPOSITORY}/manifests/latest", headers)
        assert refusal(outcome) == (413, "DENIED")
        assert "4.5 MB" in error(outcome)["message"]

    def test_at_255_characters_a_name_is_still_one(self, engine: Engine) -> None:
        name = "a" * 255
        target = f"/v2/{name}/blobs/uploads/{UPLOAD_ID}?_state={token(repository=name)}&digest={SHA256}"
        assert where(whole_put(engine, target=target)) == "blobs"


OTHER_ID = UPLOAD_ID[::-1]
_FORGED = token().rsplit(".", 1)[0]
BAD_STATES = [
    pytest.param("", id="empty"),
    pytest.param("x", id="no token at all"),
    pytest.param("..", id="dots"),
    pytest.param("a.b.c.d", id="four parts"),
    pytest.param(_FORGED + ".", id="no MAC"),
    pytest.param(_FORGED + "." + "A" * 43, id="another MAC"),
    pytest.param(token() + "A", id="MAC with a tail"),
    pytest.param(token() + ".A", id="a part too many"),
    pytest.param(token().replace("new.", "old.", 1), id="another key's id"),
    pytest.param(token().replace("new.", "__proto__.", 1), id="an inherited key's id"),
    pytest.param(token(keys=FOREIGN_KEYS), id="another registry's key"),
    pytest.param(token(repository="team/other"), id="another repository"),
    pytest.param(token(upload_id=OTHER_ID), id="another upload"),
    pytest.param(token(expires_in=-1), id="expired"),
    pytest.param("%E0%A4%A", id="broken encoding"),
]


class TestTokens:
    @pytest.mark.parametrize("state", BAD_STATES)
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "GET", "DELETE"])
    def test_that_are_bad_end_at_the_edge(self, engine: Engine, method: str, state: str) -> None:
        target = f"{UPLOAD}?_state={state}&digest={SHA256}"
        outcome = run(engine, method, target, [("Content-Length", "7")], relay=True)
        assert refusal(outcome) == (404, "BLOB_UPLOAD_UNKNOWN")

    @pytest.mark.parametrize(
        "query", ["", "?", f"?digest={SHA256}", f"?_state={token()}&_state={token()}&digest={SHA256}"]
    )
    def test_must_be_there_once(self, engine: Engine, query: str) -> None:
        assert refusal(whole_put(engine, target=UPLOAD + query)) == (404, "BLOB_UPLOAD_UNKNOWN")

    @pytest.mark.parametrize("current", ["old", "new"])
    def test_of_both_keys_are_trusted(self, engine: Engine, current: str) -> None:
        keys = UploadKeys(current, cases.KEYS.keys)
        assert where(whole_put(engine, target=f"{UPLOAD}?_state={token(keys=keys)}&digest={SHA256}")) == "blobs"

    def test_that_have_expired_say_so(self, engine: Engine) -> None:
        target = f"{UPLOAD}?_state={token(expires_in=-1)}&digest={SHA256}"
        assert "expired" in error(whole_put(engine, target=target))["message"]

    def test_that_are_too_old_for_a_body_take_none(self, engine: Engine) -> None:
        target = f"{UPLOAD}?_state={token(bodies_for=-1)}&digest={SHA256}"
        for method, headers in (
            ("PUT", [("Content-Length", "7")]),
            ("PUT", [("Transfer-Encoding", "chunked")]),
            ("PATCH", [("Content-Length", "7")]),
            ("PATCH", [("Transfer-Encoding", "chunked")]),
        ):
            outcome = run(engine, method, target, headers, relay=True)
            assert refusal(outcome) == (404, "BLOB_UPLOAD_UNKNOWN")
            assert "no more data" in error(outcome)["message"]
        for method in ("PUT", "GET", "DELETE"):
            assert where(run(engine, method, target, [("Content-Length", "0")], relay=True)) == "relay"

    def test_that_say_nothing_of_bodies_take_them_while_they_live(self, engine: Engine) -> None:
        target = f"{UPLOAD}?_state={token(bodies_for=None)}&digest={SHA256}"
        assert where(whole_put(engine, target=target)) == "blobs"

    def test_cannot_be_read_without_settings_which_is_an_outage(self, engine: Engine) -> None:
        for settings in ({}, {"relay": "on"}, {"upload-keys": cases.store()["upload-keys"]}):
            outcome = run(engine, "PATCH", f"{UPLOAD}?_state={token()}", settings=settings)
            assert refusal(outcome) == (503, "UNKNOWN")


BAD_DIGESTS = [
    "",
    "sha256:",
    SHA256[:-1],
    SHA256 + "0",
    SHA256.upper(),
    SHA256.replace(":", "%253A"),
    "sha512:" + SHA256[7:],
    "sha256:" + SHA512[7:],
    "md5:" + "0" * 32,
    SHA256 + "%0A",
    "../../" + SHA256,
    SHA256[7:],
    f"{SHA256}&digest={SHA256}",
]


class TestDigests:
    @pytest.mark.parametrize("digest", BAD_DIGESTS)
    @pytest.mark.parametrize("relay", [False, True])
    def test_that_are_malformed_or_many_are_refused(self, engine: Engine, digest: str, relay: bool) -> None:
        assert refusal(whole_put(engine, digest=digest, relay=relay)) == (400, "DIGEST_INVALID")

    def test_must_be_there(self, engine: Engine) -> None:
        assert refusal(whole_put(engine, target=f"{UPLOAD}?_state={token()}")) == (400, "DIGEST_INVALID")


SMUGGLED = [
    pytest.param([("Content-Length", "7"), ("Transfer-Encoding", "chunked")], id="both lengths"),
    pytest.param([("Content-Length", "7"), ("Content-Length", "7")], id="two lengths"),
    pytest.param([("Content-Length", "7"), ("Content-Length", "8")], id="two different lengths"),
    pytest.param([("Content-Length", "7, 7")], id="a list of lengths"),
    pytest.param([("Content-Length", "+7")], id="a sign"),
    pytest.param([("Content-Length", "-7")], id="below nothing"),
    pytest.param([("Content-Length", "0x7")], id="hexadecimal"),
    pytest.param([("Content-Length", "7.0")], id="a fraction"),
    pytest.param([("Content-Length", "")], id="empty"),
    pytest.param([("Content-Length", "9" * 20)], id="beyond all numbers"),
    pytest.param([("Transfer-Encoding", "gzip, chunked")], id="another coding"),
    pytest.param([("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], id="two codings"),
    pytest.param([("Transfer-Encoding", "identity")], id="no coding"),
]


class TestSmuggling:
    @pytest.mark.parametrize("headers", SMUGGLED)
    @pytest.mark.parametrize("target", [f"{UPLOAD}?_state={token()}&digest={SHA256}", "/v2/"])
    def test_by_contradicting_lengths_is_refused(
        self, engine: Engine, headers: list[tuple[str, str]], target: str
    ) -> None:
        assert refusal(run(engine, "PUT", target, headers, relay=True)) == (400, "UNSUPPORTED")
