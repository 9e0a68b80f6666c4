"""Failures in the middle of an upload, and refusals at its end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

import pytest

from local.ports import free_port
from tests.e2e import images
from tests.e2e.api import closing, digest_of, exchange
from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.containerd import Containerd
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import Cloud, instance
from tests.e2e.conftest import OpenClient
from tests.e2e.images import MIB, Image
from tests.e2e.moving import pull, wait_until
from tests.e2e.people import Office, People
from tests.e2e.processes import Machine, Outcome, signal_commands

EXPIRED = 125.0  # seconds after which a token of 60 s is not taken any more, with all leeway
STREAMERS = pytest.mark.parametrize("pushing", [Docker, Skopeo], ids=lambda kind: str(kind.name))


@pytest.fixture(scope="module")
def long(work: Path) -> Image:
    """An image that takes a while to push."""
    return images.exact_image(work / "long", (64 * MIB,))


def interrupted(client: Client, reference: str, under_way: Callable[[], bool], strike: Callable[[], None]) -> Outcome:
    """Push, call `strike` in the middle, and return the outcome."""
    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(client.push, reference)
        wait_until(lambda: pushing.done() or under_way(), "the upload is under way")
        assert not pushing.done(), f"{pushing.result()}"
        strike()
        return pushing.result()


def upload_under_way(cloud: Cloud, client: Client, repository: str) -> Callable[[], bool]:
    """Return a check whether the client has begun to send: by the relay's count, or for whole layers by the POST."""
    if not isinstance(client, Containerd):
        return lambda: cloud.relayed() > 0
    before = len(cloud.requests())
    return lambda: any(f"POST /v2/{repository}/blobs/uploads/ 202" in line for line in cloud.requests()[before:])


# The faster a client is, the more it has to send, so that there is a middle to be hit in.
@pytest.mark.parametrize(
    ("pushing", "size"), [(Docker, 48), (Containerd, 192), (Skopeo, 96)], ids=["docker", "containerd", "skopeo"]
)
def test_a_push_that_was_killed_can_be_repeated(
    open_client: OpenClient, pushing: type[Client], size: int, cloud: Cloud, people: People, project: str
) -> None:
    client, repository, reference = open_client(pushing), f"{project}/app", f"{cloud.host}/{project}/app:1"
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(images.exact_image(client.home / "layout", (size * MIB,)), reference)

    killed = interrupted(
        client,
        reference,
        upload_under_way(cloud, client, repository),
        lambda: signal_commands(reference, signal.SIGKILL),
    )
    assert killed.code == -signal.SIGKILL
    people.guest.api(cloud).manifest(repository, "1").expect(404)

    client.push(reference).succeeded()
    pull(open_client(Skopeo), cloud, people, reference)


def relay_of(cloud: Cloud) -> int:
    """The process of a relay that runs, started if there is none."""
    cloud.relayed()
    wait_until(lambda: "relay" in cloud.pids(), "a relay")
    return cloud.pids()["relay"]


def kill_relay(cloud: Cloud) -> None:
    """Kill it, and wait until that is noticed: the next request starts another one."""
    killed = relay_of(cloud)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: cloud.pids().get("relay") != killed, "the end of the relay")


@STREAMERS
def test_a_push_whose_relay_died_can_be_repeated(
    open_client: OpenClient, pushing: type[Client], cloud: Cloud, people: People, project: str, long: Image
) -> None:
    """docker and newer clients repeat the push themselves, which is fine."""
    client, reference = open_client(pushing), f"{cloud.host}/{project}/app:1"
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(long, reference)

    interrupted(client, reference, lambda: cloud.relayed() > 0, lambda: kill_relay(cloud))

    client.push(reference).succeeded()
    pull(open_client(Skopeo), cloud, people, reference)


def test_an_upload_continues_at_another_relay(cloud: Cloud, people: People, project: str) -> None:
    data = os.urandom(7 * MIB)
    first, rest = data[: 6 * MIB], data[6 * MIB :]
    api = people.developer.api(cloud)
    begun = exchange("PATCH", api.start_upload(f"{project}/app"), first, {}).expect(202)

    kill_relay(cloud)

    location = begun.headers["location"]
    assert api.call("GET", location).expect(204).headers["range"] == f"0-{len(first) - 1}"
    going = api.call("PATCH", location, rest, {"Content-Range": f"{len(first)}-{len(data) - 1}"}).expect(202)
    api.call("PUT", closing(going.headers["location"], digest_of(data))).expect(201)
    assert api.blob(f"{project}/app", digest_of(data)) == data


@pytest.mark.parametrize("size", [1, 6 * MIB], ids=["small", "of-several-parts"])
@pytest.mark.parametrize("way", ["whole", "chunked", "streamed"])
def test_bytes_with_a_wrong_digest_are_refused(cloud: Cloud, people: People, project: str, way: str, size: int) -> None:
    api, data, wrong = people.developer.api(cloud), os.urandom(size), digest_of(b"something else")
    upload = api.start_upload(f"{project}/app")

    def close(digest: str) -> tuple[str, bytes | Iterator[bytes]]:
        """Return URL and body of the closing PUT."""
        bodies: dict[str, bytes | Iterator[bytes]] = {"whole": data, "chunked": iter([data]), "streamed": b""}
        return closing(upload, digest), bodies[way]

    if way == "streamed":
        upload = urljoin(cloud.url, exchange("PATCH", upload, data, {}).expect(202).headers["location"])
    refused = exchange("PUT", *close(wrong), {}).expect(400)
    assert refused.json()["errors"][0]["code"] == "DIGEST_INVALID"
    for digest in (wrong, digest_of(data)):
        api.call("HEAD", f"/v2/{project}/app/blobs/{digest}").expect(404)

    exchange("PUT", *close(digest_of(data)), {}).expect(201)
    assert api.blob(f"{project}/app", digest_of(data)) == data


def slowly(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), MIB):
        time.sleep(0.2)
        yield data[start : start + MIB]


@pytest.mark.parametrize("credentials", [{}, {"Authorization": "Bearer expired.long.ago"}], ids=["none", "expired"])
@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_an_upload_outlives_its_access_token(
    cloud: Cloud, people: People, project: str, way: str, credentials: dict[str, str]
) -> None:
    """No request after the POST has a valid access token; only the manifest needs one."""
    api, data = people.developer.api(cloud), os.urandom(6 * MIB)
    upload, digest = api.start_upload(f"{project}/app"), digest_of(data)

    if way == "whole":
        sized = {"Content-Length": str(len(data))}
        exchange("PUT", closing(upload, digest), slowly(data), {**credentials, **sized}).expect(201)
    else:
        exchange("PATCH", upload, slowly(data), credentials).expect(202)
        exchange("PUT", closing(upload, digest), b"", credentials).expect(201)

    manifest = f"{cloud.url}/v2/{project}/app/manifests/1"
    exchange("PUT", manifest, b"{}", {**credentials, "Content-Type": "application/json"}).expect(401)
    assert api.blob(f"{project}/app", digest) == data


@pytest.mark.large
def test_pushes_that_outlive_their_access_tokens_succeed(work: Path, machine: Machine, long: Image) -> None:
    """Takes two minutes: the shortest life of a token, and the registry's leeway."""
    with contextlib.ExitStack() as stack:
        started = stack.enter_context(instance(work / "short", free_port(), module="tests.e2e.short_tokens"))
        cloud = started.wait_until_ready()
        office = Office(cloud, "short")
        project, people = office.make_project(), office.people
        clients = [
            stack.enter_context(kind(machine, work / f"short-{kind.name}", cloud.host))
            for kind in (Docker, Skopeo, Containerd)
        ]
        references = [f"{cloud.host}/{project}/{client.name}:1" for client in clients]
        for client, reference in zip(clients, references, strict=True):
            client.login(people.developer.name, people.developer.password).succeeded()
            client.load(long, reference)
        starts = f"POST /v2/{project}/containerd/blobs/uploads/ 202"
        relay = relay_of(cloud)

        os.kill(relay, signal.SIGSTOP)
        pool = stack.enter_context(ThreadPoolExecutor(len(clients)))
        pushing = [pool.submit(client.push, reference) for client, reference in zip(clients, references, strict=True)]
        # Layer and config, each in the log of gateway and edge. (A token that ends between containerd's HEAD of a blob
        # and its POST fails the push: it takes a 401 to the HEAD only for a reason to ask for another.)
        wait_until(lambda: sum(starts in line for line in cloud.requests()) >= 4, "containerd has begun")
        signal_commands(references[-1], signal.SIGSTOP)
        time.sleep(EXPIRED)
        assert not any(one.done() for one in pushing)
        before = len(cloud.requests())
        signal_commands(references[-1], signal.SIGCONT)
        os.kill(relay, signal.SIGCONT)

        for one in pushing:
            assert one.result().succeeded().seconds > EXPIRED
        renewed = [line for line in cloud.requests()[before:] if re.search(r"/token 200 ", line)]
        assert len(renewed) >= len(clients)  # for the manifest
        pulling = stack.enter_context(Skopeo(machine, work / "short-pull", cloud.host))
        for reference in references:
            pull(pulling, cloud, people, reference)
