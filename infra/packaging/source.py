"""Clean copies of the source for packaging: without __pycache__, Chalice's cache and the tests.

So an asset's hash, and with it the deployment, does not change when only those have changed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# What Chalice packages: vendor/ holds links into the source.
_CHALICE = ("app.py", "vendor", "functions", "roadstead")
# What the relay runs.
RELAY_SOURCE = ("roadstead", "functions")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")


def chalice_project(
    directory: Path,
    stage: str,
    functions: Mapping[str, Mapping[str, Any]],
    policies: Mapping[str, Mapping[str, Any]],
) -> Path:
    """Write the Chalice app to `directory`, with `functions` (Chalice's configuration of each) in the stage `stage`.

    Chalice would fetch wheels for the Python that runs it, the same for all functions. So its own list of requirements
    is empty, and each function gets wheels afterwards. It reads a stage's functions from the file only: in
    `stage_config` it ignores them. Policies are documents by function.
    """
    copy_source(_CHALICE, directory)
    (directory / "requirements.txt").write_text("")
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    (directory / ".chalice").mkdir()
    configured = {}
    for name, configuration in functions.items():
        file = f"policy-{name}.json"
        (directory / ".chalice" / file).write_text(json.dumps(policies[name]))
        configured[name] = {**configuration, "iam_policy_file": file}
    config["stages"] = {stage: {"lambda_functions": configured}}
    (directory / ".chalice" / "config.json").write_text(json.dumps(config))
    return directory


def configured_functions() -> dict[str, dict[str, Any]]:
    """Return the functions' configuration in .chalice/config.json."""
    functions: dict[str, dict[str, Any]] = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"][
        "prod"
    ]["lambda_functions"]
    return functions


def policy_text(function: str) -> str:
    return (ROOT / ".chalice" / f"policy-{function}.json").read_text(encoding="utf-8")


def relay_context(directory: Path) -> Path:
    """Write the context of `docker build` for the relay's image to `directory`."""
    copy_source((*RELAY_SOURCE, "requirements/relay.txt", "functions/relay/Dockerfile"), directory)
    return directory


def copy_source(names: tuple[str, ...], directory: Path) -> None:
    """Copy files and directories of the project, symbolic links as they are."""
    for name in names:
        source, target = ROOT / name, directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, ignore=_LEFT_OUT, dirs_exist_ok=True)
        else:
            shutil.copy(source, target, follow_symlinks=False)
