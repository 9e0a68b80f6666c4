"""What a page of each list costs in calls to AWS: the first, one in the middle, the last, filtered and sorted.

LIST_COSTS in the environment is how many items there are beside ten: 1,200, or 100,000 for all bounds (some minutes).
"""

from __future__ import annotations

import calendar
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from bench import stored
from bench.rig import USER, Rig, rig
from bench.sections.management import HARBOR, OWN, ask
from local.gateway.events import Outgoing
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.catalog.artifacts import MAX_EXAMINED
from roadstead.identity.accounts import Accounts
from roadstead.identity.sign_in.passwords import Argon2Hasher
from roadstead.names import RepositoryName

MANY = int(os.environ.get("LIST_COSTS", "1200"))
SMALL = 10_000  # users and repositories of a project: sets that are read whole
PROJECT = "bench"
ARTIFACTS = f"{HARBOR}/projects/{PROJECT}/repositories/large/artifacts"
TAGS = f"{OWN}/projects/{PROJECT}/repositories/large/tags"
TRAIL = f"{HARBOR}/projects/{PROJECT}/auditlog-exts"
MIDDLE, LAST = "&page=middle", "&page=last"
PAGES = ("", MIDDLE, LAST)  # of ten
BEYOND = f"&page={MAX_EXAMINED // 10 + 1}"
WHO = 2  # BatchGetItem: who asks, and the project


@pytest.fixture(scope="module", params=[10, MANY])
def filled(request: pytest.FixtureRequest) -> Iterator[tuple[Rig, int]]:
    number = request.param
    with rig() as one:
        index, identity = one.table("index"), one.table("identity")
        Accounts(DynamoIdentities(identity), Argon2Hasher()).create_project(PROJECT)
        stored.artifacts(index, RepositoryName(f"{PROJECT}/large"), number)
        stored.repositories(index, PROJECT, min(number, SMALL) - 1)
        stored.users(identity, USER, min(number, SMALL) - 1)
        stored.trail(index, PROJECT, number)
        ask(one, "GET", f"{HARBOR}/users/current")()  # the password is known from here on
        yield one, number


def asked(one: Rig, path: str, *, expect: int = 200) -> tuple[Counter[str], Outgoing]:
    """The calls of a request by name, and its response; how long it took is shown with -s."""
    answers: list[Outgoing] = []
    invocation = ask(one, "GET", path, expect=expect)
    began = time.perf_counter()
    calls = one.calls_of(lambda: answers.append(invocation()))
    print(f"{path}: {(time.perf_counter() - began) * 1000:.0f} ms, {len(calls)} calls")
    return Counter(name.partition(".")[2] for name in calls), answers[0]


def page_of(number: int, query: str) -> str:
    """With the number of the page in place of its name, in a list of `number` items."""
    return query.replace("middle", str(max(1, number // 20))).replace("last", str(number // 10))


def total(answer: Outgoing) -> int:
    return int({name.lower(): value for name, value in answer.headers}["x-total-count"])


def following(answer: Outgoing) -> str:
    headers = {name.lower(): value for name, value in answer.headers}
    found = re.search(r'<([^>]+)>; rel="next"', headers.get("link", ""))
    return found[1] if found else ""


def test_a_page_of_artifacts_costs_the_same_wherever_a_cursor_leads(filled: tuple[Rig, int]) -> None:
    one, number = filled
    first, answer = asked(one, f"{ARTIFACTS}?page_size=10&with_tag=false")
    assert total(answer) == number
    oldest, last = asked(one, f"{ARTIFACTS}?page_size=10&with_tag=false&after={stored.AT + 5:013d}%23&page=2")
    middle, _ = asked(one, f"{ARTIFACTS}?page_size=10&with_tag=false&after={stored.AT + number // 2:013d}%23&page=2")
    assert len(json.loads(last.body)) == 5 and total(last) == number
    assert first == oldest == middle
    assert first["Query"] == 2 and sum(first.values()) <= 2 + WHO + 3  # page, count; details, rules


def test_tags_of_a_page_cost_one_query_more_or_one_for_each_artifact(filled: tuple[Rig, int]) -> None:
    one, number = filled
    without, _ = asked(one, f"{ARTIFACTS}?page_size=10&with_tag=false")
    within, answer = asked(one, f"{ARTIFACTS}?page_size=10")
    assert all(row["tags"] for row in json.loads(answer.body))
    assert within["Query"] - without["Query"] <= (1 if number <= 1_000 else 11)


def test_the_last_page_by_number_costs_a_query_for_each_3_000_before_it(filled: tuple[Rig, int]) -> None:
    one, number = filled
    page, status = number // 10, 200 if number <= MAX_EXAMINED else 400
    calls, _ = asked(one, f"{ARTIFACTS}?page_size=10&page={page}&with_tag=false", expect=status)
    if status == 200:
        assert calls["Query"] <= 2 + number // 3_000


@pytest.mark.parametrize(
    "query", ["sort=-size", "sort=id", "q=tags%3D~v00", "q=size%3D%5B1000~2000%5D", "q=type%3DIMAGE"]
)
def test_another_order_or_a_filter_reads_a_mb_at_a_time_or_is_refused(filled: tuple[Rig, int], query: str) -> None:
    one, number = filled
    calls, answer = asked(one, f"{ARTIFACTS}?page_size=10&{query}", expect=200 if number <= MAX_EXAMINED else 400)
    if number > MAX_EXAMINED:
        assert "narrow the filter" in json.loads(answer.body)["errors"][0]["message"]
        assert calls["Query"] <= 2
        return
    assert calls["Query"] <= 8 + 11 + number // 600
    assert calls["GetItem"] <= 2


@pytest.mark.parametrize("sort", ["-pushed", "pushed", "name", "-name"])
def test_every_page_of_tags_costs_the_same(filled: tuple[Rig, int], sort: str) -> None:
    one, number = filled
    first, answer = asked(one, f"{TAGS}?sort={sort}&limit=5")
    assert total(answer) == number and len(json.loads(answer.body)) == 5
    place = stored.tag_of(number // 2) if sort.endswith("name") else f"{stored.AT + number // 2:013d}%23"
    middle, answer = asked(one, f"{TAGS}?sort={sort}&limit=5&after={place}")
    assert first == middle and following(answer)
    end = 1 if sort in ("-pushed", "-name") else number - 2
    place = stored.tag_of(end) if sort.endswith("name") else f"{stored.AT + end:013d}%23"
    last, answer = asked(one, f"{TAGS}?sort={sort}&limit=5&after={place}")
    assert 1 <= len(json.loads(answer.body)) <= 2
    assert first["Query"] == last["Query"] == 2


def test_a_prefix_of_tags_costs_what_a_page_does(filled: tuple[Rig, int]) -> None:
    one, _ = filled
    calls, answer = asked(one, f"{TAGS}?sort=name&prefix=v00000&limit=50")
    assert len(json.loads(answer.body)) == 10
    assert calls["Query"] == 2


@pytest.mark.parametrize("query", [*PAGES, "&sort=-name", "&q=name%3D~r00000"])
def test_repositories_are_read_whole_whichever_page_is_asked_for(filled: tuple[Rig, int], query: str) -> None:
    one, number = filled
    there = min(number, SMALL)
    calls, answer = asked(one, f"{HARBOR}/projects/{PROJECT}/repositories?page_size=10{page_of(there, query)}")
    found = there if "q=" not in query else 10 if there > 10 else 9
    assert total(answer) == found and len(json.loads(answer.body)) == min(10, found)
    assert calls["Query"] <= 3 + 3 * (there // 4_000)


@pytest.mark.parametrize("query", [*PAGES, "&sort=-username", "&q=username%3D~u00000"])
def test_users_are_read_whole_whichever_page_is_asked_for(filled: tuple[Rig, int], query: str) -> None:
    one, number = filled
    there = min(number, SMALL)
    calls, answer = asked(one, f"{HARBOR}/users?page_size=10{page_of(there, query)}")
    found = there if "q=" not in query else 10 if there > 10 else 9
    assert total(answer) == found and len(json.loads(answer.body)) == min(10, found)
    assert calls["Query"] <= 1 + there // 4_000


@pytest.mark.parametrize("query", PAGES)
def test_a_page_of_the_trail_costs_a_query_for_each_1_500_to_count_and_to_skip(
    filled: tuple[Rig, int], query: str
) -> None:
    one, number = filled
    there = min(number, MAX_EXAMINED)
    calls, answer = asked(one, f"{TRAIL}?page_size=10{page_of(there, query)}")
    assert len(json.loads(answer.body)) == 10 and total(answer) >= number
    skipped = {"": 0, MIDDLE: there // 2, LAST: there}[query]
    assert calls["Query"] <= 2 + number // 1_500 + skipped // 1_500


@pytest.mark.parametrize("query", [BEYOND, "&q=operation%3Dcreate", "&sort=op_time"])
def test_what_looks_at_too_much_of_the_trail_is_refused(filled: tuple[Rig, int], query: str) -> None:
    one, number = filled
    refused = number > MAX_EXAMINED or query == BEYOND
    calls, answer = asked(one, f"{TRAIL}?page_size=10{query}", expect=400 if refused else 200)
    if refused:
        assert "q=op_time=[from~to]" in json.loads(answer.body)["errors"][0]["message"]
    assert calls["Query"] <= 2 + MAX_EXAMINED // 1_200


def test_a_range_in_the_middle_of_the_trail_costs_the_entries_in_it(filled: tuple[Rig, int]) -> None:
    one, number = filled
    _, answer = asked(one, f"{TRAIL}?page_size=1")
    (newest,) = json.loads(answer.body)
    middle = calendar.timegm(time.strptime(newest["op_time"][:19], "%Y-%m-%dT%H:%M:%S")) - number // 2_000
    since, until = (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle + away)) for away in (-1, 1))
    calls, answer = asked(one, f"{TRAIL}?page=2&page_size=5&q=op_time%3D%5B{since}~{until}%5D")
    assert len(json.loads(answer.body)) == 5 and total(answer) <= 3_000
    assert calls["Query"] <= 2 + 3_000 // 1_200
