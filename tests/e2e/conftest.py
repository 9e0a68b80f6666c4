"""Fixtures for the tests with real clients.

`--clients stable` uses the clients of this machine (Debian bookworm); `--clients latest` those of Debian sid, in a
directory that `sid/build` creates. A missing client fails its tests: nothing is skipped silently.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import cloud as clouds
from tests.e2e import images
from tests.e2e.clients import LATEST, STABLE, Client
from tests.e2e.cloud import Cloud
from tests.e2e.images import KIB, MIB, Image
from tests.e2e.people import Office, People
from tests.e2e.processes import COMMAND, LARGE_COMMAND, Machine

HERE = Path(__file__).parent
_homes = itertools.count(1)
OpenClient = Callable[[type[Client]], Client]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--clients",
        choices=("stable", "latest"),
        default="stable",
        help="e2e: the clients of this machine (stable), or of Debian sid (latest)",
    )
    parser.addoption(
        "--large",
        action="store_true",
        help="e2e: also layers of 300 MiB and 2 GiB; takes 20 GB of disk and a quarter of an hour",
    )


def _latest(config: pytest.Config) -> bool:
    return bool(config.getoption("--clients", default="stable") == "latest")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore tests/e2e/latest, whose clients Debian bookworm does not have, without `--clients latest`."""
    return True if collection_path == HERE / "latest" and not _latest(config) else None


def _large(config: pytest.Config) -> bool:
    return bool(config.getoption("--large", default=False))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests marked `large` without `--large`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
    if not _large(config):
        large = [item for item in items if item.get_closest_marker("large")]
        items[:] = [item for item in items if item not in large]
        config.hook.pytest_deselected(items=large)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with a `client` once for each kind of client."""
    if "kind" in metafunc.fixturenames:
        kinds = LATEST if _latest(metafunc.config) else STABLE
        metafunc.parametrize("kind", kinds, ids=[kind.name for kind in kinds])


@pytest.fixture(scope="session")
def work() -> Iterator[Path]:
    """The session's directory, with a path short enough for sockets and letters that podman accepts in a name."""
    assert os.geteuid() == 0, "The e2e tests run daemons in namespaces of their own and need root."
    directory = Path(tempfile.gettempdir()) / f"roadstead-e2e-{secrets.token_hex(4)}"
    directory.mkdir(mode=0o700)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def machine(work: Path, pytestconfig: pytest.Config) -> Machine:
    patience = LARGE_COMMAND if _large(pytestconfig) else COMMAND
    if not _latest(pytestconfig):
        return Machine(work, patience=patience)
    built = subprocess.run([HERE / "sid" / "build"], stdout=subprocess.PIPE, text=True, check=True)
    return Machine(work, Path(built.stdout.strip()), patience)


@pytest.fixture(scope="session")
def kinds(pytestconfig: pytest.Config) -> tuple[type[Client], ...]:
    """Every kind of client of this run."""
    return LATEST if _latest(pytestconfig) else STABLE


@pytest.fixture(scope="session")
def cloud(work: Path) -> Iterator[Cloud]:
    with clouds.running(work) as running:
        yield running


@pytest.fixture(scope="session")
def office(cloud: Cloud, work: Path) -> Office:
    return Office(cloud, work.name.rpartition("-")[2])


@pytest.fixture(scope="session")
def people(office: Office) -> People:
    return office.people


@pytest.fixture
def project(office: Office) -> str:
    """A new private project."""
    return office.make_project()


@pytest.fixture
def public_project(office: Office) -> str:
    return office.make_project(public=True)


@pytest.fixture
def open_client(work: Path, machine: Machine, cloud: Cloud) -> Iterator[OpenClient]:
    """A function that starts clients with empty stores; they stop and are deleted when the test ends."""
    with contextlib.ExitStack() as stack:

        def open_(kind: type[Client]) -> Client:
            home = work / f"home{next(_homes)}"
            stack.callback(shutil.rmtree, home, ignore_errors=True)  # what is left goes with `work`
            return stack.enter_context(kind(machine, home, cloud.host))

        yield open_


@pytest.fixture
def client(open_client: OpenClient, kind: type[Client]) -> Client:
    return open_client(kind)


@pytest.fixture
def other(open_client: OpenClient, kind: type[Client]) -> Client:
    """A second client of the same kind, with an empty store."""
    return open_client(kind)


@pytest.fixture(scope="session")
def image(work: Path) -> Image:
    """A small image."""
    return images.image(work / "small", (0, 1, KIB))


@pytest.fixture(scope="session")
def layers(work: Path) -> Image:
    """An image with layers of all sizes that fit in a Lambda event."""
    return images.image(work / "layers", (0, 1, KIB, MIB, 3 * MIB))


@pytest.fixture(scope="session")
def index(work: Path) -> Image:
    return images.index(work / "index", ("amd64", "arm64", "s390x"), (KIB, 100 * KIB))
