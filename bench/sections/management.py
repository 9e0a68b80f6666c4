"""The requests of the management API that are measured: every kind of list, and every kind of change."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench import stored
from bench.operations import Operation, Requests, described
from bench.rig import USER, Invocation, Rig, basic
from roadstead.names import RepositoryName

HARBOR, OWN = "/api/v2.0", "/api/roadstead/v1"
PROJECT, IMAGE = "bench", "image"
_SECRET = "Another password 1"


def operations(rig: Rig, *, number: int = 1_000) -> Iterator[Operation]:
    """Yield every operation, on a project with `number` artifacts, repositories, users and entries of the trail."""
    requests = Requests(rig, f"{PROJECT}/{IMAGE}")
    requests.push_manifest("latest", requests.manifest())
    index, identity = rig.table("index"), rig.table("identity")
    stored.artifacts(index, RepositoryName(f"{PROJECT}/large"), number)
    stored.repositories(index, PROJECT, number)
    stored.users(identity, USER, number)
    stored.trail(index, PROJECT, number)
    yield from lists(rig, number)
    yield from changes(rig, requests)


def ask(rig: Rig, method: str, path: str, body: Any = None, *, expect: int = 200) -> Invocation:
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"authorization": basic(), "content-type": "application/json", "x-is-resource-name": "true"}
    return rig.invocation("management", method, path, body=data, headers=headers, expect=expect)


def lists(rig: Rig, number: int) -> Iterator[Operation]:
    """Every list: its first page, and where it has one a page in the middle and another order."""
    large = f"{HARBOR}/projects/{PROJECT}/repositories/large"
    tags, artifacts = f"{OWN}/projects/{PROJECT}/repositories/large/tags", f"{large}/artifacts?page_size=50"
    middle = stored.AT + number // 2
    for name, path in (
        ("projects", f"{HARBOR}/projects"),
        ("repositories", f"{HARBOR}/projects/{PROJECT}/repositories?page_size=50"),
        ("repositories, by name", f"{HARBOR}/projects/{PROJECT}/repositories?page_size=50&q=name%3D~r0&sort=-name"),
        ("artifacts", artifacts),
        ("artifacts, behind a cursor", f"{artifacts}&page=2&after={middle:013d}%23"),
        ("artifacts, by size", f"{artifacts}&sort=-size"),
        ("an artifact", f"{large}/artifacts/{stored.tag_of(0)}"),
        ("tags, by push", f"{tags}?limit=50"),
        ("tags, behind a cursor", f"{tags}?limit=50&after={middle:013d}%23"),
        ("tags, by a prefix", f"{tags}?limit=50&sort=name&prefix=v0"),
        ("users", f"{HARBOR}/users?page_size=50"),
        ("users, by a filter", f"{HARBOR}/users?page_size=50&q=username%3D~u0&sort=-username"),
        ("members", f"{HARBOR}/projects/{PROJECT}/members"),
        ("robots", f"{HARBOR}/robots"),
        ("labels", f"{HARBOR}/labels?scope=g"),
        ("quotas", f"{HARBOR}/quotas"),
        ("webhooks", f"{HARBOR}/projects/{PROJECT}/webhook/policies"),
        ("immutable rules", f"{HARBOR}/projects/{PROJECT}/immutabletagrules"),
        ("the trail of a project", f"{HARBOR}/projects/{PROJECT}/auditlog-exts?page_size=50"),
        ("the trail", f"{HARBOR}/auditlog-exts?page_size=50"),
        ("trash", f"{OWN}/projects/{PROJECT}/trash"),
        ("collections", f"{HARBOR}/system/gc"),
        ("search", f"{HARBOR}/search?q=r0000"),
        ("configuration", f"{HARBOR}/configurations"),
    ):
        yield Operation(f"GET {name}", lambda path=path: ask(rig, "GET", path))  # type: ignore[misc]


def changes(rig: Rig, requests: Requests) -> Iterator[Operation]:
    """Every kind of change, each of something new."""
    numbers = itertools.count()

    def new(kind: str) -> str:
        return f"{kind}{next(numbers)}"

    def project() -> str:
        name = new("p")
        ask(rig, "POST", f"{HARBOR}/projects", {"project_name": name}, expect=201)()
        return name

    def user() -> str:
        name = new("user")
        ask(rig, "POST", f"{HARBOR}/users", {"username": name, "password": _SECRET}, expect=201)()
        return name

    def image() -> tuple[str, str]:
        there = requests.elsewhere()
        manifest = there.manifest(layers=1)
        there.push_manifest("latest", manifest)
        return there.repository.partition("/")[2], described(manifest).digest

    def member() -> Invocation:
        body = {"role_id": 2, "member_user": {"username": user()}}
        return ask(rig, "POST", f"{HARBOR}/projects/{PROJECT}/members", body, expect=201)

    def robot() -> Invocation:
        access = [{"resource": "repository", "action": "pull"}]
        permission = {"kind": "project", "namespace": PROJECT, "access": access}
        body = {"name": new("robot"), "level": "project", "duration": 30, "permissions": [permission]}
        return ask(rig, "POST", f"{HARBOR}/robots", body, expect=201)

    def rule() -> Invocation:
        tags = {"kind": "doublestar", "decoration": "matches", "pattern": new("t")}
        where = {"kind": "doublestar", "decoration": "repoMatches", "pattern": "none"}
        body = {"tag_selectors": [tags], "scope_selectors": {"repository": [where]}}
        return ask(rig, "POST", f"{HARBOR}/projects/{project()}/immutabletagrules", body, expect=201)

    def webhook() -> Invocation:
        target = {"type": "http", "address": "https://8.8.8.8/"}
        body = {"name": new("hook"), "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": [target]}
        return ask(rig, "POST", f"{HARBOR}/projects/{project()}/webhook/policies", body, expect=201)

    def on_image(method: str, rest: str, body: Any = None, expect: int = 200) -> Callable[[], Invocation]:
        def prepare() -> Invocation:
            repository, digest = image()
            path = f"{HARBOR}/projects/{PROJECT}/repositories/{repository}{rest.format(digest=digest)}"
            return ask(rig, method, path, body() if callable(body) else body, expect=expect)

        return prepare

    def copy() -> Invocation:
        source, digest = image()
        target = f"{HARBOR}/projects/{PROJECT}/repositories/{new('copy')}/artifacts"
        return ask(rig, "POST", f"{target}?from={PROJECT}/{source}@{digest}", expect=201)

    def projects(method: str, rest: str, body: Any = None) -> Callable[[], Invocation]:
        return lambda: ask(rig, method, f"{HARBOR}/projects/{project()}{rest}", body)

    def create(path: str, body: Callable[[], Mapping[str, Any]]) -> Callable[[], Invocation]:
        return lambda: ask(rig, "POST", f"{HARBOR}{path}", body(), expect=201)

    quota = f"{OWN}/projects/{PROJECT}/quota"
    for name, prepare in (
        ("POST project", create("/projects", lambda: {"project_name": new("p")})),
        ("PUT project", projects("PUT", "", {"metadata": {"public": "true"}})),
        ("DELETE project", projects("DELETE", "")),
        ("PUT quota", lambda: ask(rig, "PUT", quota, {"storage": 10**12})),
        ("POST user", create("/users", lambda: {"username": new("user"), "password": _SECRET})),
        ("DELETE user", lambda: ask(rig, "DELETE", f"{HARBOR}/users/{_id(rig, user())}")),
        ("POST member", member),
        ("POST group", create("/usergroups", lambda: {"group_name": new("group"), "group_type": 2})),
        ("POST robot", robot),
        ("POST label", create("/labels", lambda: {"name": new("label"), "scope": "g"})),
        ("POST immutable rule", rule),
        ("POST webhook", webhook),
        ("POST tag", on_image("POST", "/artifacts/latest/tags", lambda: {"name": new("t")}, 201)),
        ("DELETE tag", on_image("DELETE", "/artifacts/latest/tags/latest")),
        ("POST copy of an image, 1 layer", copy),
        ("DELETE artifact, 1 layer", on_image("DELETE", "/artifacts/{digest}")),
        ("PUT repository", on_image("PUT", "", {"description": "what it is"})),
        ("DELETE repository of one artifact", on_image("DELETE", "")),
        ("PUT configuration", lambda: ask(rig, "PUT", f"{HARBOR}/configurations", {"robot_token_duration": 30})),
    ):
        yield Operation(name, prepare)


def _id(rig: Rig, name: str) -> int:
    found = ask(rig, "GET", f"{HARBOR}/users/search?username={name}")()
    return int(next(one["user_id"] for one in json.loads(found.body) if one["username"] == name))
