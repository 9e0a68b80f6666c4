"""What `chalice package` needs beside the functions, where `infra/` is not used: docs/deployment.md."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

from infra.configuration.names import Names
from infra.packaging.source import configured_functions, policy_text

ROOT = Path(__file__).parents[2]
RESOURCES = json.loads((ROOT / ".chalice" / "names.json").read_text())["Resources"]


def test_functions_get_the_names_that_a_whole_deployment_gives_them() -> None:
    """CloudFormation would make up others, into whose log groups the roles may not write."""
    names = {name: RESOURCES[name.capitalize()]["Properties"]["FunctionName"] for name in configured_functions()}
    assert names == {name: Names("roadstead").function(name) for name in configured_functions()}
    assert len(RESOURCES) == len(names)


def test_each_role_may_write_to_its_own_log_group() -> None:
    for name in configured_functions():
        (statement,) = [one for one in json.loads(policy_text(name))["Statement"] if one["Sid"] == "Logs"]
        pattern = statement["Resource"]["Fn::Sub"].rpartition("log-group:")[2].removesuffix(":*")
        assert fnmatchcase(f"/aws/lambda/{RESOURCES[name.capitalize()]['Properties']['FunctionName']}", pattern)
        assert not [
            other
            for other in configured_functions()
            if other != name and fnmatchcase(f"/aws/lambda/roadstead-prod-{other}", pattern)
        ]


def test_the_documentation_names_all_that_the_policies_do() -> None:
    documented = (ROOT / "docs" / "deployment.md").read_text()
    for name in (
        Names("roadstead").index_table,
        Names("roadstead").identity_table,
        Names("roadstead").upload_keys_parameter,
        Names("roadstead").audit_log_group,
        Names("roadstead").object_events_queue,
        Names("roadstead").audit_dead_letters,
        Names("roadstead").notification_queue,
        Names("roadstead").notification_dead_letters,
        "alias/roadstead-token",
        "names.json",
    ):
        assert f"`{name}`" in documented or f".chalice/{name}" in documented, name
