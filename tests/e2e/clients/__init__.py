"""The real clients, all with the same methods."""

from __future__ import annotations

from tests.e2e.clients.client import Client
from tests.e2e.clients.containerd import Containerd
from tests.e2e.clients.docker import Docker, DockerContainerd, DockerWithHostCli
from tests.e2e.clients.layouts import Crane, CurrentCrane, Oras
from tests.e2e.clients.podman import Buildah, Podman
from tests.e2e.clients.skopeo import Skopeo

STABLE: tuple[type[Client], ...] = (Docker, DockerWithHostCli, Containerd, Skopeo, Podman, Buildah)
LATEST: tuple[type[Client], ...] = (
    Docker,
    DockerContainerd,
    Containerd,
    Skopeo,
    Podman,
    Buildah,
    Crane,
    CurrentCrane,
    Oras,
)

__all__ = ["LATEST", "STABLE", "Client", "Docker", "Podman", "Skopeo"]
