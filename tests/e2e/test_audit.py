"""The audit trail records what real clients did: once each, with user and address."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.e2e.clients import Client, Skopeo
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import People

LOOPBACK = "127.0.0.1"


def test_a_push_a_pull_a_failed_login_and_a_deletion_are_in_the_trail_once(
    client: Client, other: Client, open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    repository, reference = f"{project}/app", f"{cloud.host}/{project}/app:1"
    before = {entry["id"] for entry in cloud.trail()}
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(image, reference)
    client.push(reference).succeeded()
    other.login(people.guest.name, people.guest.password).succeeded()
    other.pull(reference).succeeded()
    skopeo = open_client(Skopeo)
    assert isinstance(skopeo, Skopeo)
    stranger = f"{project}-nobody"  # of this test alone: failures of one name from one address are slowed down
    skopeo.login(stranger, "not the password").failed()
    skopeo.login(people.maintainer.name, people.maintainer.password).succeeded()
    skopeo.delete(reference).succeeded()

    entries = [entry for entry in cloud.trail() if entry["id"] not in before]
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)

    def named(operation: str, **fields: str) -> list[dict[str, Any]]:
        of_it = [entry for entry in entries if entry["operation"] == operation]
        return [entry for entry in of_it if all(entry.get(name) == value for name, value in fields.items())]

    (push,) = named("push", repository=repository)
    digest = push["digest"]
    assert (push["actor"]["name"], push["reference"], push["project"]) == (people.developer.name, "1", project)
    uploads = named("upload", repository=repository)
    manifest = image.manifest()
    blobs = {manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])}
    if client.keeps_manifest:
        assert Counter(entry["digest"] for entry in uploads) == Counter(blobs)
    assert {entry["actor"]["name"] for entry in uploads} == {people.developer.name}

    pulls = named("pull", repository=repository, digest=digest)
    assert {entry["actor"]["name"] for entry in pulls} >= {people.guest.name}
    (failed,) = named("login", outcome="failure")
    assert failed["actor"] == {"name": stranger, "kind": "user"}
    (deleted,) = named("delete-manifest", repository=repository)
    assert (deleted["actor"]["name"], deleted["digest"]) == (people.maintainer.name, digest)

    told = [push, *uploads, *pulls, failed, deleted]
    assert {entry["source_address"] for entry in told} == {LOOPBACK}
    assert all(entry["user_agent"] and entry["request_id"] for entry in told)


def test_the_trail_answers_questions(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    skopeo = open_client(Skopeo)
    skopeo.login(f"{project}-nobody", "not the password").failed()
    skopeo.login(people.maintainer.name, people.maintainer.password).succeeded()
    skopeo.load(image, reference)
    skopeo.push(reference).succeeded()
    skopeo.pull(reference).succeeded()

    pulls = cloud.trail("--ask", f"pulls {image.digest}")
    assert [entry for entry in pulls if entry["repository"] == f"{project}/app"][-1]["actor"]["name"] == (
        people.maintainer.name
    )
    (address,) = cloud.trail("--ask", "failed-logins")
    assert address["source_address"] == LOOPBACK and address["failures"] >= 1
    pushes = {line["user"]: line["pushes"] for line in cloud.trail("--ask", "pushes")}
    assert pushes[people.maintainer.name] >= 1
