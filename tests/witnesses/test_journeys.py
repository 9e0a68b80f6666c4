"""Harbor's clients, each through a journey: a client checks responses by its own models, the journey the rest."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.witnesses.conftest import CLIENTS, JOURNEYS, ROOT, Registry
from tests.witnesses.journeys.pushing import push


@pytest.mark.parametrize("client", ["with_harborapi", "with_harbor_api_client", "with_harbor_cli"])
def test_a_client_of_harbors_completes_its_journey(registry: Registry, client: str) -> None:
    said = registry.run(CLIENTS / "python", JOURNEYS / f"{client}.py")
    assert said.splitlines()[-1] == "done", said


def test_every_journey_is_run() -> None:
    assert {path.stem for path in JOURNEYS.glob("with_*.py")} == {
        "with_harborapi",
        "with_harbor_api_client",
        "with_harbor_cli",
    }
    assert Path(JOURNEYS / "pushing.py").exists()


def test_our_own_command_completes_the_same_journey(registry: Registry) -> None:
    project, repository = f"ours-{secrets.token_hex(4)}", "cargo/crane"

    def roadstead(*arguments: str) -> Any:
        return json.loads(registry.run(ROOT / "bin" / "roadstead", *arguments, "--json"))

    roadstead("project", "create", project)
    roadstead("group", "create", f"crew-{project}")
    robot = roadstead(
        "robot", "create", project, "builder", "--access", "repository:pull", "--access", "repository:push"
    )
    digest = push(registry.url, robot["name"], robot["secret"], f"{project}/{repository}", "v1")
    assert [one["digest"] for one in roadstead("artifact", "list", project, repository)] == [digest]
    assert roadstead("artifact", "show", project, repository, "v1")["digest"] == digest
    roadstead("tag", "create", project, repository, "v1", "v2")
    assert {one["name"] for one in roadstead("tag", "list", project, repository)} == {"v1", "v2"}
    label = roadstead("label", "create", "stable", "--project", project)["created"].rpartition("/")[2]
    roadstead("artifact", "label", project, repository, "v1", label)
    roadstead("artifact", "unlabel", project, repository, "v1", label)
    roadstead("immutable", "create", project, "--tags", "keep-*")
    (rule,) = roadstead("immutable", "list", project)
    roadstead("immutable", "delete", project, str(rule["id"]))
    roadstead("quota", "set", project, "--storage", str(1 << 30))
    assert roadstead("quota", "show", project)
    roadstead("webhook", "create", project, "ci", "http://127.0.0.1:9/hook", "--event", "PUSH_ARTIFACT")
    assert roadstead("webhook", "list", project)[0]["name"] == "ci"
    roadstead("webhook", "delete", project, "ci")
    roadstead("audit", "list", "--limit", "5")
    assert roadstead("gc", "schedule")
    assert roadstead("gc", "audits") == []
    assert "cron" in roadstead("gc", "audit-schedule")
    roadstead("config", "set", "robot_token_duration", "30")
    roadstead("repo", "delete", project, repository)
    roadstead("project", "delete", project)
