"""oras pushes artifacts, attaches them to an image and discovers them."""

from __future__ import annotations

import json

from tests.e2e.clients.layouts import Oras
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import People

KIND = "application/vnd.example.sbom"


def test_an_artifact_attached_by_oras_is_listed_and_pulled(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    oras = open_client(Oras)
    oras.login(people.developer.name, people.developer.password).succeeded()
    oras.load(image, reference)
    oras.push(reference).succeeded()
    (oras.home / "sbom.json").write_text('{"parts": []}')

    # oras takes paths that are relative to where it runs.
    attach = f"cd {oras.home} && oras attach --plain-http --artifact-type {KIND} {reference} sbom.json:application/json"
    oras.run("sh", "-c", attach).succeeded()

    (listed,) = people.guest.api(cloud).referrers(f"{project}/app", image.digest)
    assert listed["artifactType"] == KIND
    discovered = oras.run("oras", "discover", "--plain-http", "--format", "json", reference).succeeded()
    assert listed["digest"] in discovered.stdout
    by_digest = f"{cloud.host}/{project}/app@{listed['digest']}"
    oras.run("oras", "pull", "--plain-http", "-o", oras.home / "out", by_digest).succeeded()
    assert json.loads((oras.home / "out" / "sbom.json").read_text()) == {"parts": []}


def test_an_image_is_copied_with_its_referrers(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    first, second = f"{cloud.host}/{project}/app:1", f"{cloud.host}/{project}/copy:1"
    oras = open_client(Oras)
    oras.login(people.developer.name, people.developer.password).succeeded()
    oras.load(image, first)
    oras.push(first).succeeded()
    attach = ("oras", "attach", "--plain-http", "--artifact-type", KIND, "--annotation", "org.example.a=b")
    oras.run(*attach, first).succeeded()

    copy = ("oras", "cp", "--recursive", "--no-tty", "--from-plain-http", "--to-plain-http")
    oras.run(*copy, first, second).succeeded()

    api = people.guest.api(cloud)
    assert api.referrers(f"{project}/copy", image.digest) == api.referrers(f"{project}/app", image.digest) != []


def test_oras_deletes_a_manifest(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    oras = open_client(Oras)
    oras.login(people.maintainer.name, people.maintainer.password).succeeded()
    oras.load(image, reference)
    oras.push(reference).succeeded()

    oras.run("oras", "manifest", "delete", "--plain-http", "--force", reference).succeeded()

    oras.pull(reference).failed()
