"""cosign signs and verifies images, with the test's own key pair and without transparency log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.clients import Skopeo
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import KIB, Image
from tests.e2e.people import People
from tests.e2e.processes import Machine, Outcome


class Cosign:
    """cosign with the credentials of a docker configuration."""

    def __init__(self, machine: Machine, home: Path, configuration: Path) -> None:
        machine.require("/usr/bin/cosign", "cosign")
        self._machine, self.home = machine, home
        home.mkdir()
        (home / "config.json").write_text(configuration.read_text())
        (home / "signing.json").write_text(json.dumps(_NO_SERVICES))

    def run(self, *arguments: str) -> Outcome:
        environment = {"COSIGN_PASSWORD": "of the key", "DOCKER_CONFIG": str(self.home)}
        return self._machine.run("cosign", *arguments, home=self.home, environment=environment)

    def make_keys(self) -> None:
        self.run("generate-key-pair", "--output-key-prefix", str(self.home / "cosign")).succeeded()

    def sign(self, reference: str) -> Outcome:
        options = ("--allow-http-registry", "--signing-config", str(self.home / "signing.json"))
        return self.run("sign", "-y", *options, "--key", str(self.home / "cosign.key"), reference)

    def verify(self, reference: str) -> Outcome:
        options = ("--allow-http-registry", "--insecure-ignore-tlog")
        return self.run("verify", *options, "--key", str(self.home / "cosign.pub"), reference)


# A signing configuration that names no certificate authority, transparency log or timestamp authority.
_NO_SERVICES = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}


@pytest.fixture
def skopeo(open_client: OpenClient, people: People) -> Skopeo:
    """Logged in, for pushes and for the credentials that cosign reads."""
    client = open_client(Skopeo)
    assert isinstance(client, Skopeo)
    client.login(people.developer.name, people.developer.password).succeeded()
    return client


def test_a_signed_image_verifies_and_an_unsigned_one_does_not(
    machine: Machine, skopeo: Skopeo, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    signed, unsigned = f"{cloud.host}/{project}/app:signed", f"{cloud.host}/{project}/app:unsigned"
    skopeo.load(image, signed)
    skopeo.load(images.image(skopeo.home / "unsigned", (KIB,)), unsigned)
    for reference in (signed, unsigned):
        skopeo.push(reference).succeeded()
    cosign = Cosign(machine, skopeo.home / "cosign", skopeo.auth_file)
    cosign.make_keys()

    cosign.sign(f"{cloud.host}/{project}/app@{image.digest}").succeeded()

    cosign.verify(signed).succeeded()
    cosign.verify(unsigned).failed()
    assert people.guest.api(cloud).referrers(f"{project}/app", image.digest)


def test_another_key_does_not_verify(
    machine: Machine, skopeo: Skopeo, cloud: Cloud, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    skopeo.load(image, reference)
    skopeo.push(reference).succeeded()
    ours = Cosign(machine, skopeo.home / "ours", skopeo.auth_file)
    theirs = Cosign(machine, skopeo.home / "theirs", skopeo.auth_file)
    for one in (ours, theirs):
        one.make_keys()

    ours.sign(f"{cloud.host}/{project}/app@{image.digest}").succeeded()

    theirs.verify(reference).failed()
    ours.verify(reference).succeeded()
