"""A project's life from its creation to its deletion, with a push by docker: over Harbor's client, and our command.

Project, member, robot, push by the robot, artifact list, label, retention, immutability, quota, webhook, audit, delete.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from functions.management.routes import match
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import REPOSITORY as ROOT
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import People
from tests.unit.functions.management import swagger
from tests.witnesses.conftest import CLIENTS, JOURNEYS

NAME = "cargo/crane"


def run(cloud: Cloud, people: People, work: Path, *command: str | Path, stdin: str = "") -> str:
    """Return what a program writes, which has the administrator's credentials. Fails with it if it fails."""
    made = subprocess.run(
        command,
        cwd=work,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(work),
            "ROADSTEAD_URL": cloud.url,
            "ROADSTEAD_USER": people.admin.name,
            "ROADSTEAD_PASSWORD": people.admin.password,
            "PYTHONWARNINGS": "ignore",
        },
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, f"{command}: {made.stdout[-4_000:]}\n{made.stderr[-4_000:]}"
    return made.stdout


def push_by_docker(open_client: OpenClient, cloud: Cloud, image: Image, robot: Any, project: str) -> Docker:
    docker = open_client(Docker)
    assert isinstance(docker, Docker)
    docker.login(robot["name"], robot["secret"]).succeeded()
    reference = f"{cloud.host}/{project}/{NAME}:v1"
    docker.load(image, reference)
    docker.push(reference).succeeded()
    return docker


def test_a_project_is_governed_by_harborapi_and_every_response_is_harbors(
    open_client: OpenClient, cloud: Cloud, people: People, image: Image, work: Path
) -> None:
    swagger.require()
    if not CLIENTS.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CLIENTS.parent} is absent: make it by `make {CLIENTS.parent.name}/witnesses.stamp`")
        pytest.skip(f"{CLIENTS.parent} is absent: `make test` installs Harbor's clients")
    project, answers = f"governed-{secrets.token_hex(4)}", work / "answers.jsonl"

    def journey(stage: str) -> str:
        program = (CLIENTS / "python", JOURNEYS / "governing.py")
        return run(cloud, people, work, *program, stage, project, people.stranger.name, answers)

    push_by_docker(open_client, cloud, image, json.loads(journey("before")), project)
    assert journey("after").splitlines()[-1] == "done"
    seen = [json.loads(line) for line in answers.read_text().splitlines()]
    assert len(seen) > 25
    for one in seen:
        operation = match(one["method"], one["path"]).route.operation
        if one["method"] != "HEAD":
            assert swagger.problems(operation, one["status"], one["body"].encode()) == [], one


def test_a_project_is_governed_by_our_command(
    open_client: OpenClient, cloud: Cloud, people: People, image: Image, work: Path
) -> None:
    project = f"commanded-{secrets.token_hex(4)}"

    def roadstead(*arguments: str, stdin: str = "") -> Any:
        return json.loads(run(cloud, people, work, ROOT / "bin" / "roadstead", *arguments, "--json", stdin=stdin))

    roadstead("project", "create", project)
    roadstead("member", "add", project, people.stranger.name, "guest")
    members = {one["entity_name"]: one for one in roadstead("member", "list", project)}
    assert members[people.stranger.name]["role_name"] == "guest"
    access = ("--access", "repository:pull", "--access", "repository:push")
    robot = roadstead("robot", "create", project, "builder", *access)
    docker = push_by_docker(open_client, cloud, image, robot, project)

    (artifact,) = roadstead("artifact", "list", project, NAME)
    assert artifact["digest"] == docker.digest(f"{cloud.host}/{project}/{NAME}:v1")
    label = roadstead("label", "create", "stable", "--project", project)["created"].rpartition("/")[2]
    roadstead("artifact", "label", project, NAME, "v1", label)
    roadstead("retention", "create", project, "--keep", "latestPushedK=10")
    assert roadstead("retention", "show", project)["rules"][0]["params"] == {"latestPushedK": 10}
    roadstead("immutable", "create", project, "--tags", "keep-*")
    (rule,) = roadstead("immutable", "list", project)
    roadstead("quota", "set", project, "--storage", str(1 << 30))
    assert roadstead("quota", "show", project)["storage"]["limit"] == 1 << 30
    address = "http://127.0.0.1:9/hook"
    roadstead(
        "webhook", "create", project, "ci", address, "--event", "PUSH_ARTIFACT", "--header-stdin", stdin="Bearer x\n"
    )
    assert [one["name"] for one in roadstead("webhook", "list", project)] == ["ci"]
    assert f"robot${project}+builder" in pushers(lambda: roadstead("audit", "project", project, "--limit", "100"))

    roadstead("immutable", "delete", project, str(rule["id"]))
    roadstead("member", "remove", project, str(members[people.stranger.name]["id"]))
    roadstead("repo", "delete", project, NAME)
    roadstead("project", "delete", project)
    assert project not in {one["name"] for one in roadstead("project", "list")}


def pushers(listed: Any) -> set[str]:
    """Who pushed, by the trail, which follows within seconds."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        found = {
            one["username"] for one in listed() if (one["resource_type"], one["operation"]) == ("artifact", "create")
        }
        if found:
            return found
        time.sleep(1)
    return set()
