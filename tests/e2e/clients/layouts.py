"""crane and oras; the store is an OCI image layout for each image."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from tests.e2e.clients.client import Client
from tests.e2e.images import TAG, Image
from tests.e2e.processes import Outcome


class LayoutClient(Client):
    """The common part: both read the docker command's configuration."""

    def environment(self) -> dict[str, str]:
        return {"DOCKER_CONFIG": str(self.home)}

    def load(self, image: Image, reference: str) -> None:
        shutil.copytree(image.layout, self.store(reference), dirs_exist_ok=True)

    def digest(self, reference: str) -> str:
        index = json.loads((self.store(reference) / "index.json").read_text())
        return str(index["manifests"][0]["digest"])

    def store(self, reference: str) -> Path:
        return self.home / hashlib.sha256(reference.encode()).hexdigest()[:16]


class Crane(LayoutClient):
    name = "crane"
    program = "crane"
    sends = "sized"
    mounts = False
    may_not_look = "401 Unauthorized"  # sends a HEAD, whose response has no body
    needs = (("/usr/bin/crane", "crane"),)
    logs_in = False  # `auth login` only stores the credentials

    def login(self, user: str, password: str) -> Outcome:
        return self.run(self.program, "auth", "login", "-u", user, "--password-stdin", self.registry, stdin=password)

    def logout(self) -> Outcome:
        return self.run(self.program, "auth", "logout", self.registry)

    def push(self, reference: str) -> Outcome:
        return self.run(self.program, "push", "--insecure", self.store(reference), reference)

    def pull(self, reference: str) -> Outcome:
        return self.run(self.program, "pull", "--insecure", "--format", "oci", reference, self.store(reference))


class CurrentCrane(Crane):
    """The release in sid/crane/go.mod. Since 0.21.6 it refuses redirects that could be request forgery."""

    name = "crane-current"
    program = "crane-current"
    needs = (("/usr/local/bin/crane-current", "golang-go"),)


class Oras(LayoutClient):
    name = "oras"
    sends = "whole"
    mounts = False
    may_not_look = "401: Unauthorized"  # sends a HEAD, whose response has no body
    needs = (("/usr/bin/oras", "oras"),)

    def login(self, user: str, password: str) -> Outcome:
        return self.run("oras", "login", "--plain-http", "-u", user, "--password-stdin", self.registry, stdin=password)

    def logout(self) -> Outcome:
        return self.run("oras", "logout", self.registry)

    def push(self, reference: str) -> Outcome:
        source = f"{self.store(reference)}:{TAG}"
        return self.run("oras", "cp", "--no-tty", "--from-oci-layout", source, "--to-plain-http", reference)

    def pull(self, reference: str) -> Outcome:
        target = f"{self.store(reference)}:{TAG}"
        return self.run("oras", "cp", "--no-tty", "--from-plain-http", reference, "--to-oci-layout", target)
