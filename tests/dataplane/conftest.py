"""One registry on a strict S3 for all of these tests, which use different repositories."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import aws
from tests.dataplane.plane import Plane, plane
from tests.strict_s3 import StrictS3


@pytest.fixture(scope="session")
def ministack_endpoint() -> Iterator[str]:
    with aws.ministack() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the logs."""
    return tmp_path_factory.mktemp("dataplane")


@pytest.fixture(scope="session")
def registry(strict: StrictS3, ministack_endpoint: str, directory: Path) -> Iterator[Plane]:
    with plane(strict, ministack_endpoint, directory) as running:
        yield running


@pytest.fixture
def repository() -> str:
    """A new repository in a new project."""
    return f"p{secrets.token_hex(6)}/app"
