"""People of a directory who may not come in, or not any more: what the client shows, and what the trail has."""

from __future__ import annotations

import signal

from tests.e2e.clients import Client
from tests.e2e.cloud import Cloud
from tests.e2e.management import ask, make_robot
from tests.e2e.people import Office, Person
from tests.e2e.ways_in import ways
from tests.e2e.ways_in.doors import Gate, Pushes
from tests.e2e.ways_in.ways import DEVELOPER, GUEST
from tests.slapd import Slapd

UNKNOWN = "the user name or the password is wrong"


def test_a_wrong_password_of_the_directory_is_refused(gate: Gate, directory: Slapd) -> None:
    gate.refuses(Person("dora", "not the directory's password"), UNKNOWN)
    gate.refuses(Person("nobody-there", "any password"), UNKNOWN)
    gate.refuses(Person("*", "any password"), UNKNOWN, actor="")
    assert "uid=dora" in directory.log()


def test_who_only_pulls_by_the_directorys_group_pushes_nothing(
    pushes: Pushes, cloud: Cloud, admin: Person, project: str
) -> None:
    ways.add_directory_group(cloud, admin, project, "ops", GUEST)
    assert not pushes.by(ways.by_directory("bob"))
    members = f"/v2.0/projects/{project}/members"
    (member,) = [one for one in ask(cloud, admin, "GET", members)[1] if one["entity_type"] == "g"]
    assert ask(cloud, admin, "PUT", f"{members}/{member['id']}", {"role_id": DEVELOPER})[0] == 200
    assert pushes.still()


def test_who_leaves_the_directorys_group_pushes_nothing_after_the_next_sign_in_there(
    pushes: Pushes, cloud: Cloud, admin: Person, project: str, directory: Slapd
) -> None:
    ways.add_directory_group(cloud, admin, project, "crew")
    gina = ways.by_directory("gina")
    assert pushes.by(gina)
    directory.set_members("crew", "uid=bob,ou=people")
    assert ask(cloud, gina, "GET", "/v2.0/users/current")[0] == 200  # it asks the directory
    assert not pushes.still()
    (changed,) = [
        entry for entry in cloud.trail() if entry["operation"] == "change-user" and entry["actor"]["name"] == "gina"
    ]
    assert changed["detail"] == "provider=ldap groups=-"


def test_who_is_disabled_here_does_not_come_in_by_the_directory_at_once(
    gate: Gate, pushes: Pushes, cloud: Cloud, admin: Person, project: str, office: Office
) -> None:
    """Not even by the password that the function has just had accepted, and remembers for a minute."""
    ways.import_from_directory(cloud, admin, "emil")
    ways.add_user(cloud, admin, project, "emil")
    assert pushes.by(ways.by_directory("emil"))
    office.disable("emil")
    assert not pushes.still()
    gate.refuses(ways.by_directory("emil"), UNKNOWN)


def test_while_the_directory_is_silent_its_people_are_told_to_try_again_and_others_come_in(
    docker: Client, pushes: Pushes, cloud: Cloud, admin: Person, project: str, directory: Slapd
) -> None:
    robot = make_robot(cloud, admin, project, "pull", "push")
    directory.process.send_signal(signal.SIGSTOP)
    try:
        refused = docker.login("fred", ways.by_directory("fred").password).failed()
        assert "503 Service Unavailable" in refused.output  # Docker shows no more of a 503
        assert pushes.by(robot)
    finally:
        directory.process.send_signal(signal.SIGCONT)
    docker.login("fred", ways.by_directory("fred").password).succeeded()
    trail = [entry for entry in cloud.trail() if entry["operation"] == "login" and entry["actor"].get("name") == "fred"]
    assert {entry["outcome"] for entry in trail} == {"success"}
