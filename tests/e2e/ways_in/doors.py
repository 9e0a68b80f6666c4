"""Coming in by real clients, or not: what a person reads, and what the trail has."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from tests.e2e.clients import Client
from tests.e2e.cloud import Cloud
from tests.e2e.images import Image
from tests.e2e.people import Person


@dataclass(frozen=True, slots=True)
class Gate:
    """Tries to come in, and expects not to."""

    docker: Client
    skopeo: Client
    cloud: Cloud

    def refuses(self, person: Person, sentence: str, *, actor: str | None = None) -> None:
        """Log in with both clients. The trail has each refusal by `actor`, whose name is the person's if not given."""
        before = {entry["id"] for entry in self.cloud.trail()}
        for client in (self.docker, self.skopeo):
            refused = client.login(person.name, person.password).failed()
            if client is self.docker:
                assert sentence in refused.output, refused
            assert person.password not in refused.output
        entries = [entry for entry in self.cloud.trail() if entry["id"] not in before]
        failed = [entry for entry in entries if entry["operation"] == "login"]
        assert len(failed) >= 2
        assert {entry["outcome"] for entry in failed} == {"failure"}
        assert {entry["actor"].get("name", "") for entry in failed} == {person.name if actor is None else actor}
        assert not any(person.password in str(entry) for entry in entries)


@dataclass(frozen=True, slots=True)
class Pushes:
    """Tries to push to one project, each time another tag."""

    client: Client
    cloud: Cloud
    image: Image
    project: str

    def by(self, person: Person) -> bool:
        """Log in, and push. Return whether the push succeeded."""
        self.client.login(person.name, person.password).succeeded()
        return self.still()

    def still(self) -> bool:
        """Whether the credentials of the last login push once more."""
        reference = f"{self.cloud.host}/{self.project}/app:{secrets.token_hex(4)}"
        self.client.load(self.image, reference)
        return self.client.push(reference).code == 0
