"""podman and buildah, each with its own storage."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.clients.client import AuthFileClient
from tests.e2e.clients.skopeo import INSECURE
from tests.e2e.images import TAG, Image
from tests.e2e.processes import Outcome


class Podman(AuthFileClient):
    name = "podman"
    needs = (("/usr/bin/podman", "podman"),)
    keeps_manifest = False  # unpacks layers and packs them again

    def on_storage(self, *arguments: str | Path, stdin: str = "") -> Outcome:
        """Run the client's command on its own storage; vfs needs no mounts."""
        storage = ("--storage-driver=vfs", "--root", self.home / "root", "--runroot", self.home / "run")
        return self.run(self.name, *storage, *arguments, stdin=stdin)

    def login(self, user: str, password: str) -> Outcome:
        return self.on_storage("login", INSECURE, "-u", user, "--password-stdin", self.registry, stdin=password)

    def logout(self) -> Outcome:
        return self.on_storage("logout", self.registry)

    def load(self, image: Image, reference: str) -> None:
        loaded = self.on_storage("pull", "-q", f"oci:{image.layout}:{TAG}").succeeded()
        self.on_storage("tag", loaded.stdout.split()[-1], reference).succeeded()

    def push(self, reference: str) -> Outcome:
        return self.on_storage("push", INSECURE, reference, f"docker://{reference}")

    def pull(self, reference: str) -> Outcome:
        return self.on_storage("pull", INSECURE, reference)

    def digest(self, reference: str) -> str:
        printed = self.on_storage("images", "--format", "{{.Digest}}", reference).succeeded()
        return printed.stdout.strip()

    def make_list(self, name: str, members: tuple[str, ...]) -> None:
        """Create a manifest list in storage, of images in the registry with all their platforms."""
        self.on_storage("manifest", "create", name).succeeded()
        for member in members:
            self.on_storage("manifest", "add", INSECURE, name, f"docker://{member}").succeeded()

    def push_list(self, name: str, reference: str, *options: str) -> Outcome:
        return self.on_storage("manifest", "push", "--all", INSECURE, *options, name, f"docker://{reference}")


class Buildah(Podman):
    """The same commands; older releases push and pull with another implementation."""

    name = "buildah"
    needs = (("/usr/bin/buildah", "buildah"),)
