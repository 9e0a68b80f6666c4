"""Everybody who may come in: logs in, pushes where they may and nowhere else, and is in the trail as who they are."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.management import ask, make_robot
from tests.e2e.people import Office, Person
from tests.e2e.ways_in import ways
from tests.e2e.ways_in.ways import AUDIENCE, CLAIMS, Browser, Way
from tests.issuer import Issuer

Prepare = Callable[[Cloud, Person, str, Issuer], Way]


def local_user(cloud: Cloud, admin: Person, project: str, provider: Issuer) -> Way:
    """By password, as the local user whom every project of the tests has."""
    name = f"local-{secrets.token_hex(4)}"
    password = "a password of this registry"
    new = {"username": name, "password": password, "realname": "", "email": f"{name}@example.org"}
    assert ask(cloud, admin, "POST", "/v2.0/users", new)[0] == 201
    ways.add_user(cloud, admin, project, name)
    return Way(Person(name, password), "user", "method=password")


def ldap_user(cloud: Cloud, admin: Person, project: str, provider: Issuer) -> Way:
    """A member of the project by name, imported before the first sign-in."""
    ways.import_from_directory(cloud, admin, "carol")
    ways.add_user(cloud, admin, project, "carol")
    return Way(ways.by_directory("carol"), "user", "method=password")


def member_of_an_ldap_group(cloud: Cloud, admin: Person, project: str, provider: Issuer) -> Way:
    """Nobody here knows her name before she comes: the project has her group, and by a group in it."""
    ways.add_directory_group(cloud, admin, project, "all")
    return Way(ways.by_directory("ada"), "user", "method=password")


def oidc_user(cloud: Cloud, admin: Person, project: str, provider: Issuer) -> Way:
    """A member of a group of the provider, by an access token: she has no password here."""
    ways.add_oidc_group(cloud, admin, project, f"crew of {project}")
    name = f"grace-{secrets.token_hex(4)}"
    provider.person = {"sub": name, "preferred_username": name, "groups": [f"crew of {project}"]}
    browser = Browser(cloud)
    assert browser.sign_in() == name
    token, number = ways.new_access_token(browser, "laptop")
    return Way(Person(name, token), "user", f"method=access-token token={number}")


def robot(cloud: Cloud, admin: Person, project: str, provider: Issuer) -> Way:
    return Way(make_robot(cloud, admin, project, "pull", "push"), "robot", "method=robot-secret")


def ci_job(cloud: Cloud, admin: Person, project: str, provider: Issuer) -> Way:
    made, _ = ways.make_ci_robot(cloud, admin, project, provider, "pull", "push")
    token = provider.token(AUDIENCE, CLAIMS)
    said = f"method=identity-token issuer={provider.url} subject={CLAIMS['sub']}"
    return Way(Person(made.name, token), "robot", said)


EVERY_WAY: tuple[Prepare, ...] = (local_user, ldap_user, member_of_an_ldap_group, oidc_user, robot, ci_job)


@pytest.mark.parametrize("prepare", EVERY_WAY, ids=lambda prepare: prepare.__name__)
@pytest.mark.parametrize("program", [Docker, Skopeo], ids=lambda program: program.name)
def test_they_push_where_they_may_and_nowhere_else_and_the_trail_tells(
    program: type[Client],
    prepare: Prepare,
    open_client: OpenClient,
    cloud: Cloud,
    office: Office,
    project: str,
    provider: Issuer,
    image: Image,
) -> None:
    admin, other = office.people.admin, office.make_project()
    way, client = prepare(cloud, admin, project, provider), open_client(program)
    before = {entry["id"] for entry in cloud.trail()}
    mine, theirs = f"{cloud.host}/{project}/app:1", f"{cloud.host}/{other}/app:1"

    client.login(way.person.name, way.person.password).succeeded()
    client.load(image, mine)
    client.push(mine).succeeded()
    client.pull(mine).succeeded()
    client.load(image, theirs)
    refused = client.push(theirs).failed()

    sentence = client.may_not_look.format(repository=f"{other}/app", user=way.person.name)
    assert sentence in refused.output
    entries = [entry for entry in cloud.trail() if entry["id"] not in before]
    admin.api(cloud).manifest(f"{other}/app", "1").expect(404)
    logins = [entry for entry in entries if entry["operation"] == "login"]
    (push,) = [entry for entry in entries if entry["operation"] == "push"]
    refusals = [entry for entry in entries if entry["operation"] == "permission-refused"]
    assert logins and refusals and push["project"] == project
    assert {entry["outcome"] for entry in logins} == {"success"}
    assert all(entry["detail"].startswith(way.method) for entry in logins)
    assert {entry["project"] for entry in refusals} == {other}
    for entry in (*logins, push, *refusals):
        assert (entry["actor"]["name"], entry["actor"]["kind"]) == (way.person.name, way.kind)
        assert ("id" in entry["actor"]) is (way.kind == "robot")
        assert entry["source_address"] == "127.0.0.1"
    assert push["token_id"] in {entry["token_id"] for entry in logins}
    assert not any(way.person.password in str(entry) for entry in entries)

    status, shown = ask(cloud, admin, "GET", f"/v2.0/projects/{project}/logs?page_size=100")
    assert status == 200
    assert way.person.name in {one["username"] for one in shown if one["operation"] == "create"}
