"""The credential helper in a CI, for each way in which a CI hands out its identity token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.e2e.clients import Skopeo
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.credential_helper import use_helper
from tests.e2e.images import Image
from tests.e2e.people import Person
from tests.e2e.ways_in.ways import AUDIENCE, CLAIMS, make_ci_robot
from tests.issuer import Issuer

Job = tuple[str, dict[str, str]]  # the source of its token, and the variables that it has


def github(provider: Issuer, home: Path, claims: dict[str, str]) -> Job:
    url = f"{provider.url}/ci?{urlencode(claims)}"
    return "github", {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the runner"}


def gitlab(provider: Issuer, home: Path, claims: dict[str, str]) -> Job:
    return "env:REGISTRY_TOKEN", {"REGISTRY_TOKEN": provider.token(AUDIENCE, claims)}


def kubernetes(provider: Issuer, home: Path, claims: dict[str, str]) -> Job:
    token = home / "token"
    token.write_text(provider.token(AUDIENCE, claims))
    return f"file:{token}", {}


@pytest.mark.parametrize("ci", [github, gitlab, kubernetes], ids=lambda ci: ci.__name__)
def test_a_job_pushes_by_the_helper_and_another_job_does_not(
    ci: Callable[[Issuer, Path, dict[str, str]], Job],
    open_client: OpenClient,
    cloud: Cloud,
    admin: Person,
    project: str,
    provider: Issuer,
    image: Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = open_client(Skopeo)
    robot, _ = make_ci_robot(cloud, admin, project, provider, "pull", "push")
    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    for ref, comes_in in ((CLAIMS["ref"], True), ("refs/pull/7/merge", False)):
        source, variables = ci(provider, client.home, {**CLAIMS, "ref": ref})
        use_helper(client, cloud, robot.name, source, monkeypatch, ROADSTEAD_AUDIENCE=AUDIENCE, **variables)
        pushed = client.push(reference)
        if comes_in:
            pushed.succeeded()
        else:
            pushed.failed()
