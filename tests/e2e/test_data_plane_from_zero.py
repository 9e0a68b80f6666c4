"""The relay as a web function: pushes that start it, share its environments, and meet its limits."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit

import pytest

from local.ports import free_port
from tests.e2e import images
from tests.e2e.clients import Client, Skopeo
from tests.e2e.cloud import Cloud, instance
from tests.e2e.images import MIB, Image
from tests.e2e.moving import pull
from tests.e2e.people import Office
from tests.e2e.processes import Machine


@contextmanager
def running(state: Path, *options: str) -> Iterator[tuple[Cloud, Office]]:
    with instance(state, free_port(), *options) as started:
        cloud = started.wait_until_ready()
        yield cloud, Office(cloud, state.name)


def relays(cloud: Cloud) -> set[int]:
    return {pid for name, pid in cloud.pids().items() if name.startswith("relay")}


def without_a_relay(cloud: Cloud) -> None:
    deadline = time.monotonic() + 300
    while relays(cloud):
        assert time.monotonic() < deadline, "the relay does not end when it idles"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def image(work: Path) -> Image:
    return images.exact_image(work / "from-zero", (12 * MIB, 6 * MIB))


def test_a_first_push_after_idling_succeeds_with_every_client_that_sends_in_pieces(
    work: Path, machine: Machine, kinds: tuple[type[Client], ...], image: Image
) -> None:
    streamers = [kind for kind in kinds if kind.sends != "whole"]
    with running(work / "idle", "--relay-idle", "1") as (cloud, office):
        project, person = office.make_project(), office.people.developer
        seen: set[int] = set()
        for kind in streamers:
            reference = f"{cloud.host}/{project}/{kind.name}:1"
            with kind(machine, work / f"idle-{kind.name}", cloud.host) as client:
                client.login(person.name, person.password).succeeded()
                client.load(image, reference)
                without_a_relay(cloud)
                client.push(reference).succeeded()
                seen |= relays(cloud)
            with Skopeo(machine, work / f"idle-{kind.name}-pull", cloud.host) as pulling:
                pull(pulling, cloud, office.people, reference)
        assert len(seen) >= len(streamers) - 1  # one may have ended before anybody looked


def test_pushes_at_once_share_environments_up_to_the_setting(work: Path, machine: Machine, image: Image) -> None:
    with running(work / "at-once", "--relay-uploads", "2", "--relay-environments", "3") as (cloud, office):
        project, person = office.make_project(), office.people.developer
        seen: set[int] = set()
        loaded = Barrier(3)

        def push(number: int) -> None:
            reference = f"{cloud.host}/{project}/app{number}:1"
            with Skopeo(machine, work / f"many-{number}", cloud.host) as client:
                client.login(person.name, person.password).succeeded()
                client.load(images.exact_image(client.home / "layout", (24 * MIB, 24 * MIB)), reference)
                loaded.wait(300)
                client.push(reference).succeeded()

        with ThreadPoolExecutor(3) as pool:
            pushing = [pool.submit(push, number) for number in range(3)]
            while not all(one.done() for one in pushing):
                seen |= relays(cloud)
                time.sleep(0.05)
        for one in pushing:
            one.result()
        assert 2 <= len(seen) <= 3


def test_an_upload_past_its_time_is_refused_with_the_way_out_and_can_be_sent_again(work: Path) -> None:
    with running(work / "slow", "--relay-request", "4") as (cloud, office):
        project = office.make_project()
        api = office.people.developer.api(cloud)
        location = urlsplit(api.start_upload(f"{project}/app"))
        data = os.urandom(MIB)
        with socket.create_connection((location.hostname, location.port), timeout=180) as connection:
            head = f"PATCH {location.path}?{location.query} HTTP/1.1\r\nHost: {cloud.host}\r\n"
            connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))
            response = b""
            while b"errors" not in response and (more := connection.recv(65_536)):  # it never ends its body
                response += more
        assert response.startswith(b"HTTP/1.1 413"), response
        assert b"may take 15 minutes" in response
        again = api.start_upload(f"{project}/app")
        api.call("PATCH", again, data).expect(202)


def test_a_relay_cannot_be_asked_past_the_edge(work: Path) -> None:
    with running(work / "closed") as (cloud, office):
        project = office.make_project()
        api = office.people.developer.api(cloud)
        location = urlsplit(api.start_upload(f"{project}/app"))
        relay = str(cloud.ready["relay"])
        refused = api.call("PATCH", f"{relay}{location.path}?{location.query}", b"layer").expect(403)
        assert b"DENIED" in refused.body
