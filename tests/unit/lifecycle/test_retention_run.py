"""A run of retention: what takes more than a step, what cannot go, and its log."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

from roadstead.content.commit_rules import RuleRefused
from roadstead.content.deletion.artifacts import Deletion
from roadstead.digest import Digest
from roadstead.lifecycle.executions.executions import MAX_LOG, Execution, Status
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.retention.execution import KIND, RetentionWork
from roadstead.lifecycle.retention.policies import Retention
from roadstead.lifecycle.retention.rules import Policy, Rule, Selector, Template
from roadstead.names import RepositoryName, Tag
from roadstead.trail.events import EventMaker
from tests.manifests import image_of, index_of
from tests.memory.executions import MemoryExecutions, log_of
from tests.memory.retention import MemoryRetention
from tests.unit.content.parts import ADA, SHIPS, Registry

DAY = 86_400
ALL = (Selector("**"),)
TAGGED_WHOLE = Policy(1, (Rule(1, Template.ALWAYS, tags=(Selector("whole"),), repositories=ALL),))


class Yard:
    """Images under the tags v000, v001 …, one a second; `ticks` are what the clock of a step shows."""

    def __init__(self, images: int, *, ticks: Iterator[float] | None = None) -> None:
        self.registry, clock = Registry(), ticks or repeat(0.0)
        self.registry.upload(b"{}")
        self.bodies = [image_of(annotations={"n": str(number)}) for number in range(images)]
        for number, body in enumerate(self.bodies):
            self.registry.clock.now += 1
            self.registry.push(body, Tag(f"v{number:03d}"))
        events, view = EventMaker(self.registry.clock), MemoryRetention(self.registry.index)
        self.deletion = Deletion(self.registry.manifests, self.registry.index, self.registry.objects)
        self.store = MemoryExecutions()
        starter = Starter(self.store, events)
        self.retention = Retention(view, view, view, starter, lambda _: lambda *_: False, events)
        work = RetentionWork(view, view, self.deletion, lambda _: lambda *_: False, events, clock=lambda: next(clock))
        self.runner = Runner(self.store, {KIND: work}, events)

    def run(self, policy: Policy, *, dry: bool = False) -> tuple[Execution, str]:
        self.registry.clock.now += 2 * DAY
        started = self.retention.start(SHIPS.project, policy, dry=dry, actor=ADA)
        done = self.runner.run(started.id, lambda: 900.0)
        assert done is not None and done.status is Status.SUCCESS
        return done, log_of(self.store, done.id, 1)

    def left(self) -> set[str]:
        return set(self.registry.index.repositories[SHIPS].tags)


def minutes() -> Iterator[float]:
    """Each look at the clock is a minute later, so that every step has the time for one deletion at a time only."""
    return (60.0 * number for number in range(10_000))


def test_children_that_an_index_needs_do_not_keep_the_rest_from_going() -> None:
    """There are more of them than a step tries, and they are the oldest: each has a tag of its own, as builds make."""
    yard = Yard(60, ticks=minutes())
    yard.registry.push(index_of(*yard.bodies[:40]), Tag("whole"))
    done, log = yard.run(TAGGED_WHOLE)
    assert yard.left() == {"whole", *(f"v{number:03d}" for number in range(40))}
    assert done.progress == {"deleted": 20, "repositories": 1, "total": 61, "retained": 41}
    assert log.count("it is needed") == 40
    assert len(log.splitlines()) == 61


def test_what_becomes_immutable_meanwhile_is_tried_once() -> None:
    yard, tried = Yard(40, ticks=minutes()), list[Digest]()

    def refuse(repository: RepositoryName, digest: Digest, *_: object, **__: object) -> None:
        tried.append(digest)
        raise RuleRefused("the tag is immutable")

    yard.deletion.delete = refuse  # type: ignore[method-assign,assignment]
    done, log = yard.run(Policy(1, (Rule(1, Template.LATEST_PUSHED, 1, tags=ALL, repositories=ALL),)))
    assert sorted(tried) == sorted(Digest.of(body) for body in yard.bodies[:39])
    assert (done.progress["deleted"], done.progress["retained"]) == (0, 40)
    assert log.count("immutable: ") == 39


def test_the_oldest_go_first_in_one_step_or_in_many() -> None:
    policy = Policy(1, (Rule(1, Template.LATEST_PUSHED, 3, tags=ALL, repositories=ALL),))
    logs = set()
    for ticks in (repeat(0.0), minutes()):
        yard = Yard(40, ticks=ticks)
        done, log = yard.run(policy)
        assert yard.left() == {"v037", "v038", "v039"}
        assert done.progress == {"deleted": 37, "repositories": 1, "total": 40, "retained": 3}
        gone = [line.split()[1] for line in log.splitlines() if line.startswith("DELETE")]
        assert gone == sorted(gone) and len(gone) == 37
        logs.add("\n".join(sorted(line.partition(":")[0] for line in log.splitlines())))
    assert len(logs) == 1


def test_a_log_with_many_reasons_is_kept_in_parts_that_are_short_enough() -> None:
    patterns = [Selector(letter * 3) for letter in "abcdefghijklmn"]
    rules = [Rule(number, Template.ALWAYS, tags=(one,), repositories=ALL) for number, one in enumerate(patterns, 1)]
    last = Rule(15, Template.LATEST_PUSHED, 0, tags=ALL, repositories=ALL)
    yard = Yard(600)
    done, log = yard.run(Policy(1, (*rules, last)), dry=True)
    assert done.progress["total"] == 600
    assert len(log.splitlines()) == 600
    assert len(log.encode()) > MAX_LOG
    assert max(len(text.encode()) for text in yard.store._logs.values()) <= MAX_LOG


def test_a_line_of_the_log_names_a_hundred_tags_at_most() -> None:
    yard = Yard(1)
    for start in range(0, 150, 10):
        yard.registry.push(yard.bodies[0], Tag("first"), *(Tag(f"t{start + number}") for number in range(10)))
    _, log = yard.run(Policy(1, (Rule(1, Template.LATEST_PUSHED, 0, tags=ALL, repositories=ALL),)))
    assert " and 52 more sha256:" in log
