"""Whoever is disabled, removed, replaced or demoted is so by every way in, at the API and for new registry tokens.

A registry token that was issued before is signed and asks nobody: it lives until it expires (test_ways_in.py). What a
function remembers of a password does not help either: every way is used before the account ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import get_args

import pytest

from functions.management import audit as of_management
from functions.token import audit as of_tokens
from roadstead.identity.providers import keyless
from roadstead.identity.sign_in.ways_in import Credentials
from tests.unit.functions.management.access import every_way_in
from tests.unit.functions.management.access.every_way_in import API, ROBOT, ROWS, Way, World

PROJECT, LOGS = f"{API}/projects/ships", f"{API}/projects/ships/logs"
Ending = Callable[[World, str], None]


@pytest.fixture
def world() -> World:
    return World()


def is_right(world: World, way: Way) -> None:
    """Twice: the second time by what is remembered of the first."""
    for _ in range(2):
        assert way.api(world, PROJECT) in (200, None)
        assert way.api(world, LOGS) in (200, None)
        if way.credentials is not None:
            assert world.granted(way.credentials) == {"pull", "push"}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("end", [every_way_in.disable, every_way_in.remove, every_way_in.make_anew])
def test_an_account_that_ended_is_worth_nothing(world: World, name: str, end: Ending) -> None:
    row = ROWS[name]
    way = row.come_in(world)
    is_right(world, way)
    end(world, row.who)
    # A directory that knows a removed person still makes them another account, which has nothing.
    newcomer = name == "directory password" and end is every_way_in.remove
    assert way.api(world, PROJECT) in ((403,) if newcomer else (401, None))
    if way.credentials is not None:
        assert world.granted(way.credentials) == (set() if newcomer else None)


@pytest.mark.parametrize("name", ROWS)
def test_who_is_demoted_has_what_is_left_and_no_more(world: World, name: str) -> None:
    row = ROWS[name]
    way = row.come_in(world)
    is_right(world, way)
    every_way_in.demote(world, row.who)
    assert way.api(world, PROJECT) in (200, None)
    assert way.api(world, LOGS) in (403, None)
    if way.credentials is not None:
        assert world.granted(way.credentials) == {"pull"}


def test_every_way_in_that_there_is_has_a_row(world: World) -> None:
    """What tells ways in apart: the types of credentials, and what the trail calls a login."""
    used = {type(row.come_in(world).credentials) for row in ROWS.values()} - {NoneType}
    assert used == set(get_args(Credentials)) - {NoneType}
    sources = "".join(Path(str(module.__file__)).read_text() for module in (of_tokens, of_management, keyless))
    assert {row.method for row in ROWS.values()} == set(re.findall(r"method=([a-z0-9-]+)", sources))


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.who == ROBOT])
def test_a_robot_outlives_its_maker_and_ends_with_its_project(world: World, name: str) -> None:
    """As in Harbor: a build does not stop because somebody left."""
    world.desk.accounts.create_user("root", "a password of an administrator", admin=True)
    way = ROWS[name].come_in(world)
    world.desk.accounts.set_disabled("ada", True)
    is_right(world, way)
    world.desk.accounts.set_disabled("ada", False)
    assert world.as_admin("DELETE", PROJECT)[0] == 200
    assert way.api(world, PROJECT) in (401, None)
    assert way.credentials is not None and world.granted(way.credentials) is None
    assert world.as_admin("POST", f"{API}/projects", {"project_name": "ships"})[0] == 201
    assert world.granted(way.credentials) is None
