"""skopeo; the store is a directory for each image, with the exact bytes of its manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from tests.e2e.api import digest_of
from tests.e2e.clients.client import AuthFileClient
from tests.e2e.images import TAG, Image
from tests.e2e.processes import Outcome

INSECURE = "--tls-verify=false"


class Skopeo(AuthFileClient):
    name = "skopeo"
    sends = "sized"
    needs = (("/usr/bin/skopeo", "skopeo"),)

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
