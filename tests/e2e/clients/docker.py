"""dockerd with the docker command, with the classic image store and with containerd's."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import ClassVar

from tests.e2e.clients.client import Client
from tests.e2e.images import TAG, Image
from tests.e2e.processes import Outcome


class Docker(Client):
    """The classic store, with the docker command of the same Debian."""

    name = "docker"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (
        ("/usr/sbin/dockerd", "docker.io"),
        ("/usr/bin/docker", "docker.io"),
        ("/usr/bin/skopeo", "skopeo"),
    )
    keeps_manifest = False  # creates its own Docker schema 2 manifest

    @property
    def cli(self) -> str:
        return "/usr/bin/docker"

    def start(self, stack: contextlib.ExitStack) -> None:
        stack.enter_context(
            self.machine.daemon(
                "dockerd",
                *("--iptables=false", "--ip6tables=false", "--bridge=none"),
                *self.store_options(),
                *("--data-root", self.home / "data", "--exec-root", self.home / "exec"),
                *("--pidfile", self.home / "pid", "-H", f"unix://{self._socket}"),
                home=self.home,
                ready=lambda: self._socket.exists() and self.docker("version").code == 0,
                environment=self.environment(),
            )
        )

    def store_options(self) -> tuple[str, ...]:
        """Return dockerd's options for its image store."""
        return ("--storage-driver=vfs",)

    @property
    def _socket(self) -> Path:
        return self.home / "s"

    def environment(self) -> dict[str, str]:
        return {
            "DOCKER_HOST": f"unix://{self._socket}",
            "DOCKER_CONFIG": str(self.config.parent),
        }

    @property
    def config(self) -> Path:
        """Where `docker login` stores credentials."""
        return self.home / "docker" / "config.json"

    def docker(self, *arguments: str | Path, stdin: str = "") -> Outcome:
        return self.run(self.cli, *arguments, stdin=stdin)

    def login(self, user: str, password: str) -> Outcome:
        return self.docker("login", "-u", user, "--password-stdin", self.registry, stdin=password)

    def logout(self) -> Outcome:
        return self.docker("logout", self.registry)

    def load(self, image: Image, reference: str) -> None:
        archive = self.home / "load.tar"
        archive.unlink(missing_ok=True)
        self.run(
            "skopeo", "copy", "-q", f"oci:{image.layout}:{TAG}", f"docker-archive:{archive}:{reference}"
        ).succeeded()
        self.docker("load", "-q", "-i", archive).succeeded()

    def push(self, reference: str) -> Outcome:
        return self.docker("push", reference)

    def pull(self, reference: str) -> Outcome:
        return self.docker("pull", reference)

    def digest(self, reference: str) -> str:
        printed = self.docker("image", "inspect", "--format", "{{json .RepoDigests}}", reference).succeeded()
        repository = reference.rpartition(":")[0]
        (digest,) = {one.partition("@")[2] for one in json.loads(printed.stdout) if one.startswith(f"{repository}@")}
        return str(digest)


class DockerWithHostCli(Docker):
    """The same daemon with the first docker command on this machine's PATH, often a newer one."""

    name = "docker-path"
    needs = (("/usr/sbin/dockerd", "docker.io"), ("/usr/bin/skopeo", "skopeo"))

    @property
    def cli(self) -> str:
        found = shutil.which("docker")
        assert found, "docker is missing: the e2e tests need the Debian package docker.io (apt-get install docker.io)."
        return found


class DockerContainerd(Docker):
    """containerd's store, the default of a fresh Docker 29."""

    name = "docker-containerd"
    sends = "whole"
    keeps_manifest = True
    mounts = False
    may_not_pull = "pull access denied"
    may_not_push = may_not_look = "push access denied"

    def store_options(self) -> tuple[str, ...]:
        return ("--feature=containerd-snapshotter=true", "--storage-driver=native")

    def load(self, image: Image, reference: str) -> None:
        archive = image.archive(self.home / "load.tar", reference)
        self.docker("load", "-q", "-i", archive).succeeded()
