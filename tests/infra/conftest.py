"""Deployments, synthesised once for all processes of a test run."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.app import stack_id
from infra.configuration.settings import Settings
from tests.infra.templates import EVERYTHING, FARGATE, LEAST, PUBLIC_RELAY, Deployment, synthesise


@pytest.fixture(scope="session")
def default(shared: Path) -> Deployment:
    """An empty file of settings."""
    return _once("default", {}, shared)


@pytest.fixture(scope="session")
def everything(shared: Path) -> Deployment:
    return _once("everything", EVERYTHING, shared)


@pytest.fixture(scope="session")
def least(shared: Path) -> Deployment:
    return _once("least", LEAST, shared)


@pytest.fixture(scope="session")
def fargate(shared: Path) -> Deployment:
    return _once("fargate", FARGATE, shared)


@pytest.fixture(scope="session")
def public_relay(shared: Path) -> Deployment:
    return _once("public-relay", PUBLIC_RELAY, shared)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A directory of this run that all its workers have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


def _once(name: str, document: Mapping[str, Any], shared: Path) -> Deployment:
    """Synthesise, or wait for the worker that does, and read what it wrote."""
    directory = shared / f"deployment-{name}"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "done").exists():
            shutil.rmtree(directory, ignore_errors=True)  # of a worker that failed
            directory.mkdir()
            deployment = synthesise(document, directory)
            (directory / "done").touch()
            return deployment
    settings = Settings.parse(document, directory)
    template = json.loads((directory / "out" / f"{stack_id(settings.name)}.template.json").read_text())
    return Deployment(settings, directory / "out", template)
