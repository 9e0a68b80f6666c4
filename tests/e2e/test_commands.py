"""What `make up` promises: the printed commands work, and content survives Ctrl-C."""

from __future__ import annotations

import re
from pathlib import Path

from local.ports import free_port
from tests.e2e import images
from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import Instance, instance
from tests.e2e.images import KIB, MIB
from tests.e2e.people import Office, Person
from tests.e2e.processes import Machine

PRINTED = 3  # commands to type


class DockerWithMirror(Docker):
    """A docker whose `docker pull hello-world` is served by the registry: the tests have no network."""

    def store_options(self) -> tuple[str, ...]:
        return (*super().store_options(), f"--registry-mirror=http://{self.registry}")


def commands(printed: str) -> list[str]:
    """Return the banner's commands."""
    return re.findall(r"^  (docker .*)$", printed, re.MULTILINE)


def log_in(client: Client, person: Person) -> None:
    client.login(person.name, person.password).succeeded()


def test_the_printed_commands_work_as_printed(work: Path, machine: Machine) -> None:
    with instance(work / "printed", free_port()) as started:
        cloud = started.wait_until_ready()
        office = Office(cloud, "printed")
        office.open_project("library")
        hello = f"{cloud.host}/library/hello-world:latest"
        with Skopeo(machine, work / "hello", cloud.host) as skopeo:
            log_in(skopeo, office.people.admin)
            skopeo.load(images.image(work / "hello-world", (KIB,)), hello)
            skopeo.push(hello).succeeded()

        typed = commands(started.printed)
        assert len(typed) == PRINTED
        with DockerWithMirror(machine, work / "typed", cloud.host) as docker:
            for command in typed:
                docker.run("sh", "-c", command).succeeded()

            pushed = f"{cloud.host}/demo/hello-world:latest"
            api = office.people.admin.api(cloud)
            assert docker.digest(pushed) == api.digest("demo/hello-world", "latest")


def test_content_survives_ctrl_c(work: Path, machine: Machine) -> None:
    state, port = work / "kept", free_port()
    image = images.image(work / "kept-image", (KIB, MIB))
    with instance(state, port) as first:
        cloud = first.wait_until_ready()
        office = Office(cloud, "kept")
        project = office.make_project()
        reference = f"{cloud.host}/{project}/app:1"
        with Skopeo(machine, work / "before", cloud.host) as skopeo:
            log_in(skopeo, office.people.developer)
            skopeo.load(image, reference)
            skopeo.push(reference).succeeded()
        stops_cleanly(first)

    with instance(state, port) as second:
        assert second.wait_until_ready().host == cloud.host
        with Skopeo(machine, work / "after", cloud.host) as skopeo:
            log_in(skopeo, office.people.guest)
            skopeo.pull(reference).succeeded()
            assert skopeo.digest(reference) == image.digest
        stops_cleanly(second)


def stops_cleanly(running: Instance) -> None:
    assert running.interrupt() == 0, running.printed
    assert "Traceback" not in running.printed
