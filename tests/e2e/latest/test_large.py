"""Layers of two gigabytes, sent whole by clients that Debian bookworm does not have."""

from __future__ import annotations

import pytest

from tests.e2e.clients import Client
from tests.e2e.clients.docker import DockerContainerd
from tests.e2e.clients.layouts import Oras
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import MIB
from tests.e2e.moving import move_in_bounded_memory
from tests.e2e.people import People


@pytest.mark.large
@pytest.mark.parametrize("whole", [Oras, DockerContainerd], ids=lambda kind: str(kind.name))
def test_two_gigabytes_sent_whole_are_pushed_and_pulled_in_little_memory(
    open_client: OpenClient, whole: type[Client], cloud: Cloud, people: People, project: str
) -> None:
    move_in_bounded_memory(open_client(whole), open_client(whole), cloud, people, f"{project}/app", 2048 * MIB)
