"""skopeo; the store is a directory for each image, with the exact bytes of its manifest."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import Path

from tests.e2e.api import digest_of
from tests.e2e.clients.client import Client
from tests.e2e.images import TAG, Image
from tests.e2e.processes import Outcome

INSECURE = "--tls-verify=false"


class Skopeo(Client):
    name = "skopeo"
    sends = "sized"
    wrong_password = "invalid username/password"
    may_not_look = Client.may_not_pull  # looks for the image before it pushes
    needs = (("/usr/bin/skopeo", "skopeo"),)

    def start(self, stack: contextlib.ExitStack) -> None:
        self.auth_file.write_text("{}")  # a named file must exist

    @property
    def auth_file(self) -> Path:
        return self.home / "auth.json"

    def environment(self) -> dict[str, str]:
        return {"REGISTRY_AUTH_FILE": str(self.auth_file)}

    def login(self, user: str, password: str) -> Outcome:
        return self.run("skopeo", "login", INSECURE, "-u", user, "--password-stdin", self.registry, stdin=password)

    def logout(self) -> Outcome:
        return self.run("skopeo", "logout", self.registry)

    def load(self, image: Image, reference: str) -> None:
        store = self._store(reference)
        shutil.rmtree(store, ignore_errors=True)
        self.run("skopeo", "copy", "-q", "--all", f"oci:{image.layout}:{TAG}", f"dir:{store}").succeeded()

    def push(self, reference: str) -> Outcome:
        return self.copy(f"dir:{self._store(reference)}", f"docker://{reference}")

    def pull(self, reference: str) -> Outcome:
        return self.copy(f"docker://{reference}", f"dir:{self._store(reference)}")

    def copy(self, source: str, destination: str) -> Outcome:
        """Copy with all platforms of an index; either side may be a registry."""
        insecure = ("--src-tls-verify=false", "--dest-tls-verify=false")
        return self.run("skopeo", "copy", "--all", "--preserve-digests", *insecure, source, destination)

    def delete(self, reference: str) -> Outcome:
        return self.run("skopeo", "delete", INSECURE, f"docker://{reference}")

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository that exists."""
        printed = self.run("skopeo", "list-tags", INSECURE, f"docker://{self.registry}/{repository}").succeeded()
        return list(json.loads(printed.stdout)["Tags"])

    def digest(self, reference: str) -> str:
        return digest_of((self._store(reference) / "manifest.json").read_bytes())

    def _store(self, reference: str) -> Path:
        return self.home / hashlib.sha256(reference.encode()).hexdigest()[:16]
