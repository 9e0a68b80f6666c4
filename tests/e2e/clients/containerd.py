"""containerd with ctr."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.e2e.clients.client import Client
from tests.e2e.images import Image
from tests.e2e.processes import Outcome


class Containerd(Client):
    """ctr stores no credentials: `login` only remembers them, and each command gets them."""

    name = "containerd"
    needs = (("/usr/bin/containerd", "containerd"), ("/usr/bin/ctr", "containerd"))
    logs_in = False
    sends = "whole"
    mounts = False  # only what it has pulled, see `tag`
    # It shows no message of the registry, only the status or the challenge's error.
    wrong_password = "401 Unauthorized"
    may_not_pull = may_not_push = may_not_look = "insufficient_scope: authorization failed"

    def start(self, stack: contextlib.ExitStack) -> None:
        self._credentials: tuple[str, ...] = ()
        stack.enter_context(
            self.machine.daemon(
                "containerd",
                *("--root", self.home / "root", "--state", self.home / "state"),
                *("--address", self._socket, "--log-level", "warn"),
                home=self.home,
                ready=lambda: self._socket.exists() and self.ctr("version").code == 0,
                environment=self.environment(),
            )
        )

    @property
    def _socket(self) -> Path:
        return self.home / "s"

    def ctr(self, *arguments: str | Path) -> Outcome:
        return self.run("ctr", "--address", self._socket, *arguments)

    def login(self, user: str, password: str) -> Outcome:
        self._credentials = ("--user", f"{user}:{password}")
        return Outcome("ctr has no login", 0, "", "", 0)

    def logout(self) -> Outcome:
        self._credentials = ()
        return Outcome("ctr has no logout", 0, "", "", 0)

    def load(self, image: Image, reference: str) -> None:
        archive = image.archive(self.home / "load.tar", reference)
        self.ctr("images", "import", "--all-platforms", "--no-unpack", archive).succeeded()

    def tag(self, old: str, new: str) -> None:
        """Give an image another name; it remembers where its layers came from."""
        self.ctr("images", "tag", old, new).succeeded()

    def push(self, reference: str) -> Outcome:
        return self.ctr("images", "push", "--plain-http", *self._credentials, reference)

    def pull(self, reference: str) -> Outcome:
        return self.ctr("images", "pull", "--plain-http", *self._credentials, reference)

    def digest(self, reference: str) -> str:
        printed = self.ctr("images", "ls", f"name=={reference}").succeeded()
        name, _, digest = printed.stdout.splitlines()[1].split()[:3]
        assert name == reference
        return digest
