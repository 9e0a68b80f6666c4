"""What somebody tries who administers a project of their own, `evil`, against `ships` and the whole registry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from roadstead.http import Request
from roadstead.identity.directory import Role
from tests.unit.functions.management.changes.made import immutable_rule, retention_document, robot_document
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic

HARBOR, OWN = "/api/v2.0", "/api/roadstead/v1"
EVIL, SHIPS = f"{HARBOR}/projects/evil", f"{HARBOR}/projects/ships"
HOOK = {
    "name": "ci",
    "enabled": True,
    "event_types": ["PUSH_ARTIFACT"],
    "targets": [{"type": "http", "address": "https://ci.example.com/", "auth_header": "Bearer x"}],
}


@dataclass
class Place:
    """`ids` are those of things of `ships`, and of both projects."""

    desk: Desk
    ids: dict[str, str]

    def ask(self, method: str, path: str, document: Any = None, *, who: str = "mallory", **headers: str) -> Any:
        """Return status, document and headers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return Browser(self.desk).ask(method, path, document, {**sent, **basic(who)})

    def raw(
        self, method: str, path: str, body: bytes = b"", query: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str]]:
        """Send bytes as they are; return the status and the headers."""
        headers = tuple((name.lower(), value) for name, value in basic("mallory").items())
        response = self.desk.ask(
            Request(method, path, tuple((query or {}).items()), headers, body, host="registry.example", scheme="https")
        )
        return response.status, dict(response.headers)


@pytest.fixture(scope="module")
def place() -> Place:
    desk = Desk()
    found = Place(desk, {})
    desk.accounts.create_user("mallory", PASSWORD)
    desk.accounts.create_project("evil")
    desk.accounts.set_member("evil", "mallory", Role.ADMIN)
    desk.accounts.set_member("ships", "bob", Role.ADMIN)
    for repository in ("ships/galleon", "evil/raft"):
        desk.push_image(repository, "v1", config=b'{"os": "linux", "architecture": "arm64"}')
    desk.settle()
    for name in ("ships", "evil"):
        found.ids[name] = str(found.ask("GET", f"{HARBOR}/projects/{name}", who="ada")[1]["project_id"])
    number = int(found.ids["ships"])

    def made(kind: str, path: str, document: Any) -> None:
        status, said, headers = found.ask("POST", path, document, who="bob")
        assert status == 201, said
        found.ids[kind] = headers["location"].rpartition("/")[2]

    made("label", f"{HARBOR}/labels", {"name": "secret", "scope": "p", "project_id": number})
    made("hook", f"{SHIPS}/webhook/policies", HOOK)
    made("robot", f"{HARBOR}/robots", robot_document("builder", "ships"))
    made("rule", f"{SHIPS}/immutabletagrules", immutable_rule())
    made("retention", f"{HARBOR}/retentions", retention_document(number))
    made("run", f"{HARBOR}/retentions/{number}/executions", {"dry_run": True})
    found.ids["member"] = str(found.ask("GET", f"{SHIPS}/members", who="bob")[1][0]["id"])
    found.ids["digest"] = found.ask("GET", f"{SHIPS}/repositories/galleon/artifacts", who="bob")[1][0]["digest"]
    assert found.ask("POST", f"{HARBOR}/retentions", retention_document(int(found.ids["evil"])))[0] == 201
    return found


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("GET", HARBOR + "/labels/{label}", None),
        ("PUT", HARBOR + "/labels/{label}", {"name": "mine"}),
        ("DELETE", HARBOR + "/labels/{label}", None),
        ("GET", HARBOR + "/labels?scope=p&project_id={ships}", None),
        ("POST", EVIL + "/repositories/raft/artifacts/v1/labels", {"id": "{label}"}),
        ("GET", EVIL + "/webhook/policies/{hook}", None),
        ("GET", EVIL + "/webhook/policies/{hook}/executions", None),
        ("GET", EVIL + "/webhook/policies/{hook}/executions/1/tasks/1/log", None),
        ("GET", EVIL + "/webhook/jobs?policy_id={hook}", None),
        ("GET", HARBOR + "/robots/{robot}", None),
        ("PATCH", HARBOR + "/robots/{robot}", {}),
        ("DELETE", HARBOR + "/robots/{robot}", None),
        ("GET", HARBOR + "/robots?q=Level=project,ProjectID={ships}", None),
        ("GET", HARBOR + "/robots?q=Level=project", None),
        ("POST", HARBOR + "/robots", robot_document("r", "ships")),
        ("POST", HARBOR + "/robots", robot_document("r", "*")),
        ("POST", HARBOR + "/robots", {**robot_document("r", "evil"), "level": "system"}),
        ("DELETE", EVIL + "/immutabletagrules/{rule}", None),
        ("GET", HARBOR + "/retentions/{retention}", None),
        ("PUT", HARBOR + "/retentions/{evil}", "a policy of ships"),
        ("GET", HARBOR + "/retentions/{evil}/executions/{run}/tasks", None),
        ("PATCH", HARBOR + "/retentions/{evil}/executions/{run}", {"action": "stop"}),
        ("GET", OWN + "/executions/{run}", None),
        ("POST", OWN + "/executions/{run}/stop", None),
        ("GET", EVIL + "/members/{member}", None),
        ("PUT", EVIL + "/members/{member}", {"role_id": 5}),
        ("DELETE", EVIL + "/members/{member}", None),
        ("POST", EVIL + "/repositories/loot/artifacts?from=ships/galleon:v1", None),
        ("POST", EVIL + "/repositories/loot/artifacts?from=ships/galleon@{digest}", None),
        ("GET", EVIL + "/repositories/..%252F..%252Fships%252Frepositories%252Fgalleon/artifacts", None),
        ("GET", EVIL + "/../ships", None),
        ("GET", HARBOR + "/projects/evil%2f..%2fships", None),
        ("GET", HARBOR + "/projects/ships;x=y", None),
        ("PUT", HARBOR + "/quotas/{evil}", {"hard": {"storage": -1}}),
    ],
)
def test_what_is_another_projects_is_out_of_reach(place: Place, method: str, path: str, document: Any) -> None:
    if document == "a policy of ships":
        document = retention_document(int(place.ids["ships"]))
    elif isinstance(document, dict) and document.get("id") == "{label}":
        document = {"id": int(place.ids["label"])}
    events = len(place.desk.directory.events)
    status, said, _ = place.ask(method, path.format(**place.ids), document)
    assert status in (400, 403, 404), said
    assert len(place.desk.directory.events) == events


@pytest.mark.parametrize(
    "path",
    [
        HARBOR + "/search?q=",
        HARBOR + "/search?q=galleon",
        OWN + "/search?q=galleon",
        OWN + "/search?q={digest}",
        HARBOR + "/repositories",
        HARBOR + "/repositories?q=blob_digest={digest}",
        HARBOR + "/audit-logs?page_size=100",
        HARBOR + "/auditlog-exts?q=project=ships",
        HARBOR + "/projects?name=ships",
        HARBOR + "/projects?q=project_id={ships}",
        OWN + "/warnings",
        EVIL + "/webhook/lasttrigger",
    ],
)
def test_no_list_shows_what_is_another_projects(place: Place, path: str) -> None:
    status, said, headers = place.ask("GET", path.format(**place.ids))
    assert status == 200
    assert "ships" not in json.dumps(said) and "galleon" not in json.dumps(said)
    assert int(headers.get("x-total-count", 0)) == (len(said) if isinstance(said, list) else 0)


def test_members_that_a_document_does_not_have_change_nothing(place: Place) -> None:
    own = place.ask("GET", f"{HARBOR}/users/current")[1]
    more = {"sysadmin_flag": True, "admin": True, "user_id": 1, "username": "ada", "groups": [1], "epoch": 0}
    sent = {"email": "m@example.com", "realname": "m", "comment": "", **more}
    assert place.ask("PUT", f"{HARBOR}/users/{own['user_id']}", sent)[0] == 200
    assert place.ask("GET", f"{HARBOR}/users/current")[1] == {**own, "email": "m@example.com", "realname": "m"}
    before = place.ask("GET", EVIL)[1]
    foreign = {"project_id": 1, "name": "ships", "owner_id": 1, "storage_limit": -1, "metadata": {"retention_id": "1"}}
    assert place.ask("PUT", EVIL, foreign)[0] == 200
    assert place.ask("GET", EVIL)[1] == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"project_name": "one", "project_name": "two"}',
        b'{"project_name": "one", "\\u0070roject_name": "two"}',
        b"[" * 100_000,
        b'{"project_name": "one", "storage_limit": ' + b"9" * 5_000 + b"}",
        b'{"project_name": "one", "storage_limit": NaN}',
        b'{"project_name": "one", "storage_limit": 1e400}',
        b'{"project_name": "' + b"a" * (1 << 20) + b'"}',
        b'{"project_name": "a\\u0000b"}',
        b'{"project_name": "a\\u202eb"}',
        b'{"project_name": "../ships"}',
        b'{"project_name": "a\\r\\nX-Evil: 1"}',
        b"\xff\xfe{}",
        b"",
    ],
)
def test_a_hostile_body_is_refused(place: Place, body: bytes) -> None:
    changed = {"project_creation_restriction": "everyone"}
    assert place.ask("PUT", f"{HARBOR}/configurations", changed, who="ada")[0] == 200
    place.desk.now += 61
    assert place.raw("POST", f"{HARBOR}/projects", body)[0] == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"page": "-1"}, 422),
        ({"page_size": "-1"}, 422),
        ({"page_size": "0"}, 422),
        ({"page_size": "101"}, 422),
        ({"page": "99999999999"}, 400),
        ({"page": "٣"}, 400),
        ({"page_size": "1\0"}, 400),
        ({"q": "name=" + "a" * 3_000}, 400),
        ({"q": "a=b," * 30 + "a=b"}, 400),
    ],
)
def test_a_hostile_question_is_refused(place: Place, query: dict[str, str], status: int) -> None:
    assert place.raw("GET", f"{HARBOR}/projects", query=query)[0] == status


def test_no_header_takes_a_line_break_from_a_request(place: Place) -> None:
    evil = "1\r\nSet-Cookie: a=b"
    for path, query in ((f"{HARBOR}/projects", {"x": evil}), (f"{EVIL}/repositories/raft/artifacts", {"after": evil})):
        _, headers = place.raw("GET", path, query={"page_size": "1", **query})
        assert not [value for value in headers.values() if "\r" in value or "\n" in value]


@pytest.mark.parametrize(
    "address",
    [
        "http://ci.example.com/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fd00:ec2::254]/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://ci.example.com@169.254.169.254/",
        "https://127.0.0.1/",
        "https://ci.example.com:22/",
        "file:///etc/passwd",
        "https://ci.example.com/\r\nX-Evil: 1",
    ],
)
def test_nobody_has_the_registry_ask_an_address_inside(place: Place, address: str) -> None:
    hook = {**HOOK, "name": "inside", "targets": [{"type": "http", "address": address}]}
    assert place.ask("POST", f"{EVIL}/webhook/policies", hook)[0] == 400
    assert place.ask("POST", f"{HARBOR}/system/oidc/ping", {"url": address, "verify_cert": False}, who="ada")[0] == 400


def test_a_page_elsewhere_can_neither_act_nor_sign_in_or_out(place: Place) -> None:
    browser = Browser(place.desk)
    browser.sign_in("mallory")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    sent = {"Cookie": cookie, "Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}
    for token in ("", "0" * 64):
        stranger = Browser(place.desk)
        headers = {**sent, "X-Harbor-CSRF-Token": token}
        assert stranger.ask("PUT", EVIL, {"metadata": {"public": "true"}}, headers)[0] == 403
    credentials = {"name": "mallory", "password": PASSWORD}
    across = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert Browser(place.desk).ask("POST", f"{OWN}/session", credentials, across)[0] == 403
    assert Browser(place.desk).ask("GET", "/c/log_out", None, sent)[0] == 403
    assert browser.ask("GET", f"{HARBOR}/users/current")[0] == 200
