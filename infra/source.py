"""Clean copies of the source, for what is packaged of it: no __pycache__, no cache of Chalice's, nothing of the tests.

A copy also keeps the asset's hash, and with it the deployment, from changing when only the workshop has changed.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_PACKAGES = ROOT / ".chalice" / "deployments"
# What Chalice needs: vendor/ is links into the source, requirements.txt a link to a lock file.
_CHALICE = ("app.py", "requirements.txt", "requirements", "vendor", "functions", "roadstead")
# What functions/relay/Dockerfile copies.
_RELAY = ("requirements/relay.txt", "roadstead", "functions")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")


def chalice_project(
    directory: Path, stage: str, functions: Mapping[str, Mapping[str, Any]], policies: Mapping[str, Mapping[str, Any]]
) -> Path:
    """The Chalice app in `directory`, with `functions` (Chalice's configuration of each) under the stage `stage`.

    Chalice reads the functions of a stage from the file alone: in `stage_config` it would pass over them. Policies are
    documents by function.
    """
    _copy(_CHALICE, directory)
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    (directory / ".chalice" / "deployments").mkdir(parents=True)
    for package in _PACKAGES.glob("*.zip"):
        shutil.copy(package, directory / ".chalice" / "deployments")
    configured = {}
    for name, configuration in functions.items():
        file = f"policy-{name}.json"
        (directory / ".chalice" / file).write_text(json.dumps(policies[name]))
        configured[name] = {**configuration, "iam_policy_file": file}
    config["stages"] = {stage: {"lambda_functions": configured}}
    (directory / ".chalice" / "config.json").write_text(json.dumps(config))
    return directory


def keep_package(directory: Path) -> None:
    """Keep the zip that Chalice has made in `directory`, for the next time, and no older one.

    It is named by a hash of all that is in it, so Chalice takes it again only where nothing has changed; then packaging
    takes a moment, and no network.
    """
    made = {package.name: package for package in (directory / ".chalice" / "deployments").glob("*.zip")}
    newest = max(made.values(), key=lambda package: package.stat().st_mtime)
    if (_PACKAGES / newest.name).exists():
        return
    _PACKAGES.mkdir(exist_ok=True)
    for older in list(_PACKAGES.glob("*.zip")):
        older.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(dir=_PACKAGES, suffix=".part", delete=False) as part:
        part.write(newest.read_bytes())
    Path(part.name).replace(_PACKAGES / newest.name)  # at once: another synthesis may be looking


def configured_functions() -> dict[str, dict[str, Any]]:
    """The functions as .chalice/config.json has them."""
    functions: dict[str, dict[str, Any]] = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"][
        "prod"
    ]["lambda_functions"]
    return functions


def policy_text(function: str) -> str:
    return (ROOT / ".chalice" / f"policy-{function}.json").read_text(encoding="utf-8")


def relay_context(directory: Path) -> Path:
    """What `docker build` of the relay gets to see."""
    _copy((*_RELAY, "functions/relay/Dockerfile"), directory)
    return directory


def _copy(names: tuple[str, ...], directory: Path) -> None:
    for name in names:
        source, target = ROOT / name, directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, ignore=_LEFT_OUT, dirs_exist_ok=True)
        else:
            shutil.copy(source, target, follow_symlinks=False)
