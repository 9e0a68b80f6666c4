"""Every operation stands in the audit trail once, with who did it and from where; what was refused leaves no trace of
having happened. The trail is what the webhook function makes of the tables' events and of the functions' log lines."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest

import functions.token.composition as token_composition
from functions.distribution import composition
from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST
from roadstead.content.objects import whole_key
from roadstead.content.uploads.provenance import object_metadata
from roadstead.content.uploads.token import UploadToken
from roadstead.digest import Digest
from roadstead.identity.directory import Role
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Operation, Outcome
from tests.api.client import Api, Client, Headers
from tests.api.conftest import EDGE_SECRET, PASSWORDS, UPLOAD_KEYS, Builder
from tests.api.documents import CONFIG, dump, image, of
from tests.manifests import index_of
from tests.memory.identity import MemoryIdentities
from tests.memory.index import MemoryIndex
from tests.unit.functions.webhook.parts import Function, item_of, log_event, record, stream

SHIPS, BOATS = "acme/ships", "acme/boats"
BLOB, BIG = b"a blob", b"x" * 20_000  # kept inline, or not
MADE_BY_THE_EDGE = {"X-Roadstead-Secret": EDGE_SECRET, "X-Roadstead-Host": "r.example"}


@dataclass
class Trail:
    """What was told since the last look, through the real webhook function."""

    index: MemoryIndex
    identities: MemoryIdentities
    printed: Callable[[], str]
    function: Function = field(default_factory=Function)
    _seen: int = 0
    _told: set[str] = field(default_factory=set)

    def new(self) -> list[AuditEntry]:
        changes = [one for one in (*self.index.events, *self.identities.events) if one.id not in self._told]
        self._told |= {one.id for one in changes}
        lines = [line for line in self.printed().splitlines() if line.startswith('{"audit":')]
        if changes:
            assert self.function.failures(stream(*(record(item_of(one)) for one in changes))) == []
        if lines:
            self.function.handle(log_event(*lines))
        assert self.function.letters.sent == []
        entries = self.function.entries
        new, self._seen = entries[self._seen :], len(entries)
        return new

    def operations(self) -> list[str]:
        return [str(entry.operation) for entry in self.new()]


@pytest.fixture
def trail(api: Api, capsys: pytest.CaptureFixture[str]) -> Trail:
    made = trail_of(capsys)
    made.new()
    return made


def trail_of(capsys: pytest.CaptureFixture[str]) -> Trail:
    """Of the stores that the functions were put together with."""
    index = vars(composition)["DynamoBlobIndex"](None)
    identities = vars(token_composition)["DynamoIdentities"](None)
    return Trail(index, identities, lambda: capsys.readouterr().out)


def document(*layers: bytes) -> bytes:
    """The manifest of an image."""
    return dump(image(of(b"{}", CONFIG), [of(layer) for layer in layers]))


def without_logins(entries: list[AuditEntry]) -> list[AuditEntry]:
    return [entry for entry in entries if entry.operation is not Operation.LOGIN]


def manifest(client: Client, repository: str = SHIPS, *layers: bytes) -> bytes:
    """Pushes the blobs of an image; its manifest."""
    for data in (b"{}", *layers):
        client.push_blob(repository, data)
    return document(*layers)


def pushed(client: Client, reference: str = "1", *layers: bytes) -> Digest:
    body = manifest(client, SHIPS, *layers)
    client.put_manifest(SHIPS, reference, body, OCI_MANIFEST).expect(201)
    return Digest.of(body)


@dataclass(frozen=True)
class Case:
    """`prepare` makes what `act` needs and is not looked at; `act` answers what of the entry is looked at."""

    operation: Operation
    act: Callable[[Client], dict[str, Any]]
    prepare: Callable[[Client], object] = lambda client: None
    beside: tuple[Operation, ...] = ()


def upload_whole(client: Client) -> dict[str, Any]:
    digest = client.push_blob(SHIPS, BLOB)
    return {"digest": digest, "reference": digest, "size": len(BLOB), "detail": "path=service"}


def upload_in_chunks(client: Client) -> dict[str, Any]:
    location = client.patch(client.start(SHIPS), BLOB[:3]).expect(202).location
    location = client.patch(location, BLOB[3:]).expect(202).location
    digest = Digest.of(BLOB)
    client.put(location, digest).expect(201)
    return {"digest": digest, "size": len(BLOB)}


def mount(client: Client) -> dict[str, Any]:
    digest = Digest.of(BLOB)
    scope = f"repository:{SHIPS}:pull,push repository:{BOATS}:pull"
    query = urlencode({"mount": digest, "from": BOATS})
    client.request("POST", f"/v2/{SHIPS}/blobs/uploads/?{query}", scope=scope).expect(201)
    return {"digest": digest, "source_repository": BOATS}


def push(client: Client) -> dict[str, Any]:
    body = document(BLOB)
    client.put_manifest(SHIPS, "1", body, OCI_MANIFEST).expect(201)
    return {"digest": Digest.of(body), "reference": "1", "media_type": OCI_MANIFEST, "size": len(body)}


def tag(client: Client) -> dict[str, Any]:
    body = document()
    client.put_manifest(SHIPS, "2", body, OCI_MANIFEST).expect(201)
    return {"digest": Digest.of(body), "reference": "2"}


def untag(client: Client) -> dict[str, Any]:
    client.manifest(SHIPS, "1", method="DELETE").expect(202)
    return {"digest": Digest.of(document()), "reference": "1"}


def delete_manifest(client: Client) -> dict[str, Any]:
    digest = Digest.of(document())
    client.manifest(SHIPS, digest, method="DELETE").expect(202)
    return {"digest": digest, "reference": digest, "media_type": OCI_MANIFEST}


def delete_blob(client: Client) -> dict[str, Any]:
    client.blob(SHIPS, Digest.of(BLOB), method="DELETE").expect(202)
    return {"digest": Digest.of(BLOB), "size": len(BLOB)}


def pull_by_tag(client: Client) -> dict[str, Any]:
    body = client.manifest(SHIPS, "1").expect(200).body
    return {"digest": Digest.of(body), "reference": "1", "media_type": OCI_MANIFEST, "size": len(body)}


def pull_by_digest(client: Client) -> dict[str, Any]:
    digest = Digest.of(document())
    client.manifest(SHIPS, digest).expect(200)
    return {"digest": digest, "reference": digest}


def pull_small_blob(client: Client) -> dict[str, Any]:
    client.blob(SHIPS, Digest.of(BLOB)).expect(200)
    return {"digest": Digest.of(BLOB), "size": len(BLOB)}


def pull_part_of_a_blob(client: Client) -> dict[str, Any]:
    client.blob(SHIPS, Digest.of(BLOB), headers={"Range": "bytes=1-2"}).expect(206)
    return {"digest": Digest.of(BLOB), "size": len(BLOB)}


def pull_large_blob(client: Client) -> dict[str, Any]:
    client.blob(SHIPS, Digest.of(BIG)).expect(307)
    return {"digest": Digest.of(BIG), "size": len(BIG)}


CASES = {
    "upload whole": Case(Operation.UPLOAD, upload_whole),
    "upload in chunks": Case(Operation.UPLOAD, upload_in_chunks),
    "mount": Case(Operation.MOUNT, mount, lambda client: client.push_blob(BOATS, BLOB)),
    "push": Case(Operation.PUSH, push, lambda client: manifest(client, SHIPS, BLOB)),
    "tag": Case(Operation.TAG, tag, pushed),
    "untag": Case(Operation.UNTAG, untag, pushed),
    "delete manifest": Case(Operation.DELETE_MANIFEST, delete_manifest, pushed, (Operation.UNTAG,)),
    "delete blob": Case(Operation.DELETE_BLOB, delete_blob, lambda client: client.push_blob(SHIPS, BLOB)),
    "pull by tag": Case(Operation.PULL, pull_by_tag, pushed),
    "pull by digest": Case(Operation.PULL, pull_by_digest, pushed),
}
OF_BLOBS = {
    "a small blob": Case(Operation.PULL_BLOB, pull_small_blob, lambda client: client.push_blob(SHIPS, BLOB)),
    "a part": Case(Operation.PULL_BLOB, pull_part_of_a_blob, lambda client: client.push_blob(SHIPS, BLOB)),
    "a large blob": Case(Operation.PULL_BLOB, pull_large_blob, lambda client: client.push_blob(SHIPS, BIG)),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_has_one_entry(name: str, trail: Trail, maintainer: Client) -> None:
    _has_one_entry(CASES[name], trail, maintainer)


@pytest.mark.parametrize("name", OF_BLOBS)
def test_a_blob_has_an_entry_of_its_own_where_a_setting_asks_for_it(
    name: str, build: Builder, capsys: pytest.CaptureFixture[str]
) -> None:
    api = build(AUDIT_BLOBS="each")
    trail = trail_of(capsys)
    trail.new()
    _has_one_entry(OF_BLOBS[name], trail, api.user("maintainer"))


def test_the_pull_of_an_image_is_one_entry_that_counts_its_blobs(trail: Trail, maintainer: Client) -> None:
    pushed(maintainer, "1", BLOB, BIG)
    trail.new()
    maintainer.manifest(SHIPS, "1").expect(200)
    for data in (b"{}", BLOB, BIG):
        maintainer.blob(SHIPS, Digest.of(data))
    (entry,) = without_logins(trail.new())
    assert entry.operation is Operation.PULL
    assert entry.detail == f"blobs=3 blob_bytes={len(b'{}') + len(BLOB) + len(BIG)}"


def test_a_manifest_that_the_client_has_is_not_pulled(trail: Trail, maintainer: Client) -> None:
    digest = pushed(maintainer, "1", BLOB, BIG)
    trail.new()
    maintainer.manifest(SHIPS, "1", headers={"If-None-Match": f'"{digest}"'}).expect(304)
    assert without_logins(trail.new()) == []


def test_the_line_of_each_request_counts_the_blob_that_it_served(
    trail: Trail, maintainer: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    pushed(maintainer, "1", BLOB, BIG)
    trail.new()
    maintainer.blob(SHIPS, Digest.of(BLOB)).expect(200)
    maintainer.blob(SHIPS, Digest.of(BIG)).expect(307)
    maintainer.blob(SHIPS, Digest.of(BLOB), headers={"Range": "bytes=90-"}).expect(416)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    served = [one for one in lines if one.get("route") == "blobs.get" and one["status"] != 401]
    assert [(one.get("BlobPulls"), one.get("PullBytes")) for one in served] == [
        (1, len(BLOB)),
        (1, len(BIG)),
        (None, None),
    ]


def test_an_index_names_no_blobs(trail: Trail, maintainer: Client) -> None:
    pushed(maintainer, "child", BLOB)
    body = index_of(document(BLOB))
    maintainer.put_manifest(SHIPS, "many", body, OCI_INDEX).expect(201)
    trail.new()
    maintainer.manifest(SHIPS, "many").expect(200)
    (entry,) = without_logins(trail.new())
    assert (entry.operation, entry.detail) == (Operation.PULL, "")


def _has_one_entry(case: Case, trail: Trail, maintainer: Client) -> None:
    case.prepare(maintainer)
    trail.new()
    expected = case.act(maintainer)

    entries = without_logins(trail.new())
    (entry,) = (one for one in entries if one.operation is case.operation)
    assert [one.operation for one in entries if one is not entry] == list(case.beside)
    assert (entry.outcome, entry.project, entry.repository) == (Outcome.SUCCESS, "acme", SHIPS)
    assert {field: getattr(entry, field) for field in expected} == expected
    actor = entry.actor
    assert (actor.name, actor.kind, actor.source_ip) == ("maintainer", ActorKind.USER, "192.0.2.7")
    assert actor.request_id == "request-1" and actor.trace_id.startswith("1-") and actor.token_id


def test_a_read_leaves_no_entry(trail: Trail, maintainer: Client) -> None:
    digest = pushed(maintainer, "1", BLOB)
    trail.new()
    maintainer.manifest(SHIPS, "1", method="HEAD").expect(200)
    maintainer.blob(SHIPS, Digest.of(BLOB), method="HEAD").expect(200)
    maintainer.tags(SHIPS).expect(200)
    maintainer.referrers(SHIPS, digest).expect(200)
    maintainer.request("GET", "/v2/").expect(200)
    maintainer.start(SHIPS)
    assert without_logins(trail.new()) == []


def test_pushing_an_existing_manifest_again_logs_only_the_tag(trail: Trail, maintainer: Client) -> None:
    pushed(maintainer)
    trail.new()
    maintainer.put_manifest(SHIPS, "1", document(), OCI_MANIFEST).expect(201)
    assert [entry.operation for entry in without_logins(trail.new())] == [Operation.TAG]


# What was not committed is not told.


def test_a_refused_request_leaves_no_mutation_entry(trail: Trail, maintainer: Client) -> None:
    pushed(maintainer, "1", BLOB)
    trail.new()
    unknown = "sha256:" + "0" * 64
    maintainer.put_manifest(SHIPS, "2", document(b"never pushed"), OCI_MANIFEST).expect(404)
    maintainer.put_manifest(SHIPS, unknown, document(), OCI_MANIFEST).expect(400)
    maintainer.put(maintainer.start(SHIPS), unknown, BLOB).expect(400)
    maintainer.blob(SHIPS, Digest.of(BLOB), method="DELETE").expect(405)
    maintainer.blob(SHIPS, unknown, method="DELETE").expect(404)
    maintainer.blob(SHIPS, unknown).expect(404)
    maintainer.blob(SHIPS, Digest.of(BLOB), headers={"Range": "bytes=90-"}).expect(416)
    maintainer.manifest(SHIPS, "no-such-tag").expect(404)
    maintainer.manifest(SHIPS, "no-such-tag", method="DELETE").expect(404)
    assert without_logins(trail.new()) == []


# Logins and permissions


def login(api: Api, user: str, password: str, headers: Headers = (), scope: str = "") -> int:
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    query = urlencode([("service", "roadstead"), *([("scope", scope)] if scope else [])])
    given = tuple(headers.items() if not isinstance(headers, (list, tuple)) else headers)  # type: ignore[union-attr]
    return api.request("GET", f"/token?{query}", (*given, ("Authorization", f"Basic {credentials}"))).status


def test_a_login_is_logged_with_its_token_id(api: Api, trail: Trail) -> None:
    assert login(api, "developer", PASSWORDS["developer"]) == 200
    (entry,) = trail.new()
    assert (entry.operation, entry.outcome, entry.detail) == (Operation.LOGIN, Outcome.SUCCESS, "method=password")
    assert (entry.actor.name, entry.actor.kind, entry.actor.source_ip) == ("developer", ActorKind.USER, "192.0.2.7")
    assert entry.actor.token_id


def test_what_a_token_does_can_be_traced_to_its_login(trail: Trail, developer: Client) -> None:
    developer.push_blob(SHIPS, BLOB)
    told, uploaded = sorted(trail.new(), key=lambda entry: entry.operation is Operation.UPLOAD)
    assert told.operation is Operation.LOGIN and told.actor.token_id == uploaded.actor.token_id


@pytest.mark.parametrize("user", ["developer", "nobody-of-this-name"])
def test_a_failed_login_is_logged_with_the_claimed_name(api: Api, trail: Trail, user: str) -> None:
    assert login(api, user, "wrong") == 401
    (entry,) = trail.new()
    assert (entry.operation, entry.outcome) == (Operation.LOGIN, Outcome.FAILURE)
    assert (entry.actor.name, entry.actor.source_ip, entry.actor.token_id) == (user, "192.0.2.7", "")


def test_a_malformed_user_name_is_not_logged(api: Api, trail: Trail) -> None:
    assert login(api, "My Password 1!", "developer") == 401
    (entry,) = trail.new()
    assert (entry.operation, entry.outcome, entry.actor.name) == (Operation.LOGIN, Outcome.FAILURE, "")


def form(api: Api, **fields: str) -> Any:
    body = urlencode({"service": "roadstead", **fields}).encode()
    return api.request("POST", "/token", {"Content-Type": "application/x-www-form-urlencoded"}, body)


def test_a_refresh_token_is_logged_as_a_login(build: Builder, capsys: pytest.CaptureFixture[str]) -> None:
    api = build(REFRESH_TOKENS="on")
    trail = trail_of(capsys)
    password = {"username": "developer", "password": PASSWORDS["developer"], "access_type": "offline"}
    refresh = form(api, grant_type="password", **password).expect(200).json()["refresh_token"]
    trail.new()
    form(api, grant_type="refresh_token", refresh_token=refresh).expect(200)
    form(api, grant_type="refresh_token", refresh_token=refresh[:-1]).expect(401)
    right, wrong = trail.new()
    assert (right.outcome, right.detail, right.actor.name) == (Outcome.SUCCESS, "method=refresh-token", "developer")
    assert (wrong.outcome, wrong.detail, wrong.actor.name) == (Outcome.FAILURE, "method=refresh-token", "developer")


def test_anonymous_tokens_and_malformed_requests_are_not_logins(api: Api, trail: Trail) -> None:
    api.request("GET", "/token?service=roadstead").expect(200)
    api.request("GET", "/token?service=another").expect(400)
    form(api, grant_type="dance").expect(400)
    assert trail.new() == []


@pytest.mark.parametrize(
    ("user", "scope", "asked", "given"),
    [
        ("guest", f"repository:{SHIPS}:pull,push", "pull,push", "pull"),
        ("stranger", f"repository:{SHIPS}:pull", "pull", "-"),
        ("developer", f"repository:{SHIPS}:delete", "delete", "-"),
        ("stranger", f"repository:{SHIPS}:*", "*", "-"),
    ],
)
def test_a_refused_permission_is_logged(api: Api, trail: Trail, user: str, scope: str, asked: str, given: str) -> None:
    assert login(api, user, PASSWORDS[user], scope=scope) == 200
    (entry,) = without_logins(trail.new())
    assert (entry.operation, entry.outcome) == (Operation.PERMISSION_REFUSED, Outcome.REFUSED)
    assert (entry.actor.name, entry.repository, entry.project) == (user, SHIPS, "acme")
    assert entry.detail == f"asked={asked} given={given}"


def test_a_refused_catalog_is_logged_by_name(api: Api, trail: Trail) -> None:
    login(api, "developer", PASSWORDS["developer"], scope="registry:catalog:*")
    (entry,) = without_logins(trail.new())
    assert entry.detail == "asked=* given=- resource=registry:catalog" and entry.repository == ""


def test_a_refused_push_is_logged_once(trail: Trail, api: Api) -> None:
    api.user("stranger").request("POST", f"/v2/{SHIPS}/blobs/uploads/").expect(401)
    (entry,) = without_logins(trail.new())
    assert (entry.operation, entry.actor.name) == (Operation.PERMISSION_REFUSED, "stranger")


def test_a_fully_granted_request_logs_no_refusal(api: Api, trail: Trail) -> None:
    login(api, "guest", PASSWORDS["guest"], scope=f"repository:{SHIPS}:*")
    login(api, "developer", PASSWORDS["developer"], scope=f"repository:{SHIPS}:pull,push")
    assert without_logins(trail.new()) == []


def test_a_forged_token_is_logged_and_an_expired_or_missing_one_is_not(
    api: Api, trail: Trail, developer: Client
) -> None:
    token = developer.token(f"repository:{SHIPS}:pull")
    trail.new()
    api.request("GET", f"/v2/{SHIPS}/tags/list").expect(401)
    api.request("GET", f"/v2/{SHIPS}/tags/list", {"Authorization": f"Bearer {token[:-4]}AAAA"}).expect(401)
    (entry,) = trail.new()
    assert (entry.operation, entry.outcome) == (Operation.PERMISSION_REFUSED, Outcome.FAILURE)
    assert (entry.repository, entry.actor.name, entry.actor.source_ip) == (SHIPS, "", "192.0.2.7")
    assert entry.detail == "the token's signature is wrong"


def test_one_request_for_45_repositories_leaves_one_refusal(api: Api, trail: Trail) -> None:
    query = urlencode([("scope", f"repository:acme/{number}:pull") for number in range(45)])
    api.request("GET", f"/token?{query}").expect(200)
    (entry,) = trail.new()
    assert (entry.operation, entry.outcome, entry.actor.name) == (Operation.PERMISSION_REFUSED, Outcome.REFUSED, "")
    assert (entry.project, entry.repository) == ("acme", "")
    assert entry.detail.startswith("resources=45 asked=repository:acme/0:pull repository:acme/1:pull ")
    assert len(entry.detail) < 400


def test_a_hostile_scope_and_user_agent_cannot_forge_a_line_of_the_trail(api: Api, trail: Trail) -> None:
    scope = urlencode({"scope": "repository:a\u202eb\x9b2J:pull"})
    api.request("GET", f"/token?{scope}", {"User-Agent": "docker\t\u009b\u202e"}).expect(200)
    (entry,) = trail.new()
    assert entry.detail.isprintable() and entry.actor.user_agent.isprintable()
    assert "\\u202e" in entry.detail and "\\u202e" in entry.actor.user_agent


def test_a_forged_upload_token_leaves_one_entry_and_an_expired_one_none(
    api: Api, trail: Trail, developer: Client
) -> None:
    location = developer.request("POST", f"/v2/{SHIPS}/blobs/uploads/").expect(202).location
    trail.new()
    forged = location[:-8] + "AAAAAAAA"
    api.request("GET", forged).refused(404, "BLOB_UPLOAD_UNKNOWN")
    (entry,) = trail.new()
    assert (entry.operation, entry.outcome) == (Operation.PERMISSION_REFUSED, Outcome.FAILURE)
    assert (entry.repository, entry.actor.name) == (SHIPS, "")
    assert entry.detail == "the upload token was not made by this registry; start the upload again"
    token = UploadToken(RepositoryName(SHIPS), "ab" * 16, "developer", "user", "t", expires=1)
    state = quote(token.encode(UPLOAD_KEYS), safe="")
    api.request("GET", f"/v2/{SHIPS}/blobs/uploads/{'ab' * 16}?_state={state}").refused(404, "BLOB_UPLOAD_UNKNOWN")
    assert trail.new() == []


# Users, projects and members


ACCOUNTS: dict[str, tuple[Callable[[Api], object], Operation, dict[str, str]]] = {
    "user": (
        lambda api: api.accounts.create_user("new", "a good password", admin=True),
        Operation.CREATE_USER,
        {"user": "new", "detail": "admin=true"},
    ),
    "password": (
        lambda api: api.accounts.set_password("guest", "another password"),
        Operation.CHANGE_PASSWORD,
        {"user": "guest", "detail": ""},
    ),
    "admin": (
        lambda api: api.accounts.set_admin("guest", True),
        Operation.CHANGE_USER,
        {"user": "guest", "detail": "admin=true"},
    ),
    "disabled": (
        lambda api: api.accounts.set_disabled("guest", True),
        Operation.CHANGE_USER,
        {"user": "guest", "detail": "disabled=true"},
    ),
    "project": (
        lambda api: api.accounts.create_project("new", public=True),
        Operation.CREATE_PROJECT,
        {"project": "new", "detail": "public=true"},
    ),
    "public": (
        lambda api: api.accounts.set_public("acme", True),
        Operation.CHANGE_PROJECT,
        {"project": "acme", "detail": "public=true"},
    ),
    "member": (
        lambda api: api.accounts.set_member("acme", "stranger", Role.GUEST),
        Operation.SET_MEMBER,
        {"project": "acme", "user": "stranger", "detail": "role=guest"},
    ),
    "no member": (
        lambda api: api.accounts.remove_member("acme", "guest"),
        Operation.REMOVE_MEMBER,
        {"project": "acme", "user": "guest"},
    ),
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_change_of_accounts_has_one_entry(api: Api, trail: Trail, name: str) -> None:
    act, operation, expected = ACCOUNTS[name]
    act(api)
    (entry,) = trail.new()
    assert (entry.operation, entry.outcome, entry.repository) == (operation, Outcome.SUCCESS, "")
    assert {field: getattr(entry, field) for field in expected} == expected
    assert (entry.actor.name, entry.actor.kind) == ("operator", ActorKind.OPERATOR)


@pytest.mark.parametrize(
    "act",
    [
        lambda api: api.accounts.create_user("guest", "a good password"),
        lambda api: api.accounts.set_password("nobody", "a good password"),
        lambda api: api.accounts.set_admin("nobody", True),
        lambda api: api.accounts.create_project("acme"),
        lambda api: api.accounts.set_public("nothing", True),
        lambda api: api.accounts.set_member("nothing", "guest", Role.GUEST),
        lambda api: api.accounts.remove_member("acme", "stranger"),
    ],
)
def test_a_change_that_failed_is_not_logged(api: Api, trail: Trail, act: Callable[[Api], object]) -> None:
    try:
        act(api)
    except Exception as refused:
        assert "there is" in str(refused)
    assert trail.new() == []


def test_a_project_created_by_a_push_is_logged_with_its_creator(api: Api, trail: Trail) -> None:
    login(api, "admin", PASSWORDS["admin"], scope="repository:brand-new/x:pull,push")
    (entry,) = without_logins(trail.new())
    assert (entry.operation, entry.project, entry.actor.name) == (Operation.CREATE_PROJECT, "brand-new", "admin")
    assert entry.actor.source_ip == "192.0.2.7"


# Behind the edge


@pytest.fixture
def behind(build: Builder, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[Api, Trail]]:
    api = build(AUDIT_BLOBS="each", EDGE_SECRET_PARAMETER="/edge", DISTRIBUTION_URL="https://r.example")
    yield api, trail_of(capsys)


def test_the_logged_address_is_the_clients(behind: tuple[Api, Trail]) -> None:
    api, trail = behind
    viewed = {**MADE_BY_THE_EDGE, "X-Roadstead-Address": "203.0.113.9"}
    assert login(api, "developer", PASSWORDS["developer"], viewed) == 200
    assert login(api, "developer", "wrong", viewed) == 401
    token = api.user("developer").token(f"repository:{SHIPS}:pull,push")
    trail.new()
    login(api, "developer", PASSWORDS["developer"], viewed)
    login(api, "developer", "wrong", viewed)
    bearer = {"Authorization": f"Bearer {token}", **viewed}
    location = api.request("POST", f"/v2/{SHIPS}/blobs/uploads/", bearer).expect(202).location
    digest = Digest.of(BLOB)
    api.request("PUT", f"{location}&digest={digest}", viewed, BLOB).expect(201)
    api.request("GET", f"/v2/{SHIPS}/blobs/{digest}", bearer).expect(200)
    entries = trail.new()
    assert len(entries) == 4
    assert {entry.actor.source_ip for entry in entries} == {"203.0.113.9"}


def test_a_forged_address_is_not_logged(behind: tuple[Api, Trail]) -> None:
    api, trail = behind
    trail.new()
    for secret in ("", "f" * 32):
        forged = {"X-Roadstead-Address": "203.0.113.9", "X-Roadstead-Secret": secret}
        login(api, "developer", "wrong", forged)
    assert {entry.actor.source_ip for entry in trail.new()} == {"192.0.2.7"}


def test_an_adopted_upload_is_logged_with_its_uploader(api: Api, trail: Trail, developer: Client) -> None:
    ships, digest = RepositoryName(SHIPS), Digest.of(BLOB)
    by = Actor("owner", ActorKind.USER, "token-of-owner")
    key = whole_key(ships, digest, "0" * 32)
    api.objects.put(key, BLOB, digest=digest, metadata=object_metadata(ships, by))
    developer.blob(SHIPS, digest, method="HEAD").expect(200)
    (entry,) = without_logins(trail.new())
    assert (entry.operation, entry.detail) == (Operation.UPLOAD, "path=edge")
    assert (entry.actor.name, entry.actor.token_id, entry.actor.source_ip) == ("owner", "token-of-owner", "")


# Metrics


def test_every_request_leaves_one_line_of_what_can_be_counted(
    api: Api, trail: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    api.request("GET", "/v2/")
    api.request("GET", f"/v2/{SHIPS}/dance")
    login(api, "developer", "wrong")
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = [one for one in found if "Requests" in one]
    assert [(one["function"], one["route"], one["status"], one.get("code")) for one in counted] == [
        ("registry", "base.check", 401, "UNAUTHORIZED"),
        ("registry", "base.refuse", 401, "UNAUTHORIZED"),
        ("token", "get_token", 401, "UNAUTHORIZED"),
    ]
    assert counted[2]["LoginsFailed"] == 1
