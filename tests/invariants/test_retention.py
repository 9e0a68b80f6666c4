"""Retention beside pushes, retags and pulls: it deletes what it looked at, and nothing else."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.content.index_items import event_from
from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.aws.lifecycle.dynamodb_retention import DynamoRetention, DynamoRetentionView
from roadstead.aws.lifecycle.dynamodb_schedules import DynamoSchedules
from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.manifests import Manifests
from roadstead.digest import Digest
from roadstead.documents import compact
from roadstead.lifecycle.executions.executions import LEASE_MS, Execution, Status
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.schedules import Scheduler
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.policy import immutability
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.policy.immutability import ImmutableRule
from roadstead.lifecycle.retention.execution import KIND, RetentionWork
from roadstead.lifecycle.retention.policies import Retention
from roadstead.lifecycle.retention.rules import Policy, Rule, Selector, Template
from roadstead.names import Tag
from roadstead.notifications.payloads import event_type
from roadstead.notifications.stores import EventType
from roadstead.trail.entries import AuditEntry, Operation
from roadstead.trail.pull_counts import Artifact, Pulls
from tests.invariants.cloud import Cloud
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check
from tests.invariants.operations import CONFIG, DOCUMENTS, IMAGE, LAYER, stands
from tests.invariants.registry import ALICE, SHIPS, Registry, image
from tests.invariants.schedules import interleave, plans
from tests.invariants.trash import PROJECT, Bin
from tests.memory.executions import log_of

ALL = (Selector("**"),)
KEEP_ONE = Policy(1, (Rule(1, Template.LATEST_PUSHED, 1, tags=ALL, repositories=ALL),))
NEWER = image(LAYER, config=CONFIG, padding=5)
BODIES = (*DOCUMENTS, NEWER)


class Keeper:
    """A process of the collector function, with retention; it knows nothing but what is stored."""

    def __init__(self, cloud: Cloud) -> None:
        registry = Registry(cloud)
        self.cloud, self.events = cloud, registry.events
        self.executions = DynamoExecutions(registry.table)
        self.starter = Starter(self.executions, registry.events)
        self.schedules, self.view = DynamoSchedules(registry.table), DynamoRetentionView(registry.table)
        index = DynamoManifestIndex(registry.table)
        manifests = Manifests(manifests=index, blobs=registry.links, objects=registry.objects, events=registry.events)
        store, self.policies = (
            DynamoRetention(registry.table),
            Policies(DynamoProjectRules(registry.table), self.events),
        )
        immutable = self.policies.immutable_tags
        self.retention = Retention(store, self.schedules, self.view, self.starter, immutable, registry.events)
        work = RetentionWork(store, self.view, Deletion(manifests, index, registry.objects), immutable, registry.events)
        self.runner = Runner(self.executions, {KIND: work}, registry.events)

    def start(self, policy: Policy = KEEP_ONE, *, dry: bool = False) -> Execution:
        return self.retention.start(PROJECT, policy, dry=dry, actor=ALICE)

    def run_due(self) -> None:
        self.runner.run_due(lambda: 900.0)

    def run(self, policy: Policy = KEEP_ONE, *, dry: bool = False) -> Execution:
        started = self.start(policy, dry=dry)
        self.run_due()
        found = self.executions.find(started.id)
        assert found is not None
        return found


def _two(cloud: Cloud) -> None:
    """An image of long ago, and a newer one."""
    registry = Registry(cloud)
    for data in (CONFIG, LAYER):
        registry.upload(data)
    registry.push(IMAGE, "old")
    cloud.clock.advance(2 * 86_400)
    registry.push(NEWER, "new")
    cloud.clock.advance(2 * 86_400)


def test_a_run_deletes_what_no_rule_keeps_and_says_so(cloud: Cloud) -> None:
    _two(cloud)
    keeper = Keeper(cloud)
    done = keeper.run()
    assert done.status is Status.SUCCESS, done.message
    assert done.progress == {"deleted": 1, "repositories": 1, "total": 2, "retained": 1}
    assert not stands(Registry(cloud), IMAGE)
    assert stands(Registry(cloud), NEWER, "new")
    (task,) = keeper.executions.tasks(done.id)
    assert (task.name, task.progress) == (SHIPS, {"total": 2, "retained": 1})
    log = log_of(keeper.executions, done.id, 1)
    assert log.splitlines()[0].startswith(f"KEEP   new {Digest.of(NEWER)}: rule 1")
    assert log.splitlines()[1].startswith(f"DELETE old {Digest.of(IMAGE)}: rule 1")
    (unit,) = Bin(cloud).units()
    assert unit.tags == (Tag("old"),)
    said = AuditEntry.of_event(event_from(cloud.events[-1]))
    assert (said.operation, said.reference) == (Operation.RETAIN, f"{SHIPS.partition('/')[2]}:old")
    counts = "policy=1 trigger=manual deleted=1 repositories=1 retained=1 total=2"
    assert said.detail == f"id={done.id} {counts} rules={compact([rule.as_terms() for rule in KEEP_ONE.rules])}"
    assert event_type(said) is EventType.TAG_RETENTION
    check(cloud, BODIES)


def test_a_dry_run_says_the_same_and_deletes_nothing(cloud: Cloud) -> None:
    _two(cloud)
    keeper = Keeper(cloud)
    done = keeper.run(dry=True)
    assert done.progress == {"deleted": 0, "repositories": 1, "total": 2, "retained": 1}
    assert "DELETE old" in log_of(keeper.executions, done.id, 1)
    assert stands(Registry(cloud), IMAGE, "old")
    said = AuditEntry.of_event(event_from(cloud.events[-1]))
    assert (said.reference, said.detail.rpartition(" ")[2], event_type(said)) == ("", "dry_run=true", None)
    check(cloud, BODIES)


def test_a_second_run_finds_nothing_to_do(cloud: Cloud) -> None:
    _two(cloud)
    Keeper(cloud).run()
    assert Keeper(cloud).run().progress == {"deleted": 0, "repositories": 1, "total": 1, "retained": 1}


@pytest.mark.parametrize("client", ["pushes it again", "tags it", "moves its tag"])
def test_what_is_pushed_or_tagged_while_it_is_looked_at_stays(cloud: Cloud, client: str) -> None:
    _two(cloud)
    Keeper(cloud).start()
    before = cloud.freeze()

    def act() -> None:
        registry = Registry(cloud)
        if client == "moves its tag":
            registry.push(NEWER, "old")
        else:
            registry.push(IMAGE, "old" if client == "pushes it again" else "kept")

    both = 0
    for _, choose in plans(24, 2, 40):
        cloud.thaw(before)
        run = interleave(cloud, (lambda: Keeper(cloud).run_due(), act), choose)
        registry = Registry(cloud)
        if client == "moves its tag":
            assert registry.index.find_tag(SHIPS, Tag("old")) is not None
        elif not any(isinstance(one, BaseException) for one in run.outcomes):
            # The push succeeded: whether it came before, between or after, the image is there.
            tag = "old" if client == "pushes it again" else "kept"
            assert stands(registry, IMAGE, tag), run.trace
            both += 1
        check(cloud, BODIES)
    assert client == "moves its tag" or both


def test_a_run_beside_a_new_immutable_rule_deletes_an_image_whole_or_leaves_it_for_good(cloud: Cloud) -> None:
    _two(cloud)
    Keeper(cloud).start()
    before = cloud.freeze()
    kept = ImmutableRule(0, (immutability.Selector("old"),), (immutability.Selector("**"),))
    seen = set()
    for _, choose in plans(24, 2, 40):
        cloud.thaw(before)
        acts = (
            lambda: Keeper(cloud).run_due(),
            lambda: Keeper(cloud).policies.add_immutable_rule(PROJECT, kept, ALICE),
        )
        run = interleave(cloud, acts, choose)
        assert not [one for one in run.outcomes if isinstance(one, BaseException)], run.trace
        stays = stands(Registry(cloud), IMAGE)
        assert stands(Registry(cloud), IMAGE, "old") == stays, run.trace
        first, last = (
            next(at for at, line in enumerate(run.trace) if line.startswith("0: ")),
            max(at for at, line in enumerate(run.trace) if line.startswith("1: ")),
        )
        if last < first:  # the rule was there when the run began
            assert stays, run.trace
        again = Keeper(cloud)
        done = again.run()
        assert done.status is Status.SUCCESS
        assert stands(Registry(cloud), IMAGE, "old") == stays, run.trace
        if stays:
            assert "immutable" in log_of(again.executions, done.id, 1)
        seen.add(stays)
        check(cloud, BODIES)
    assert seen == {True, False}


def test_a_run_keeps_to_the_rules_that_it_was_started_with(cloud: Cloud) -> None:
    """Rules that change meanwhile are those of the next run; what a repeated step decides does not change."""
    _two(cloud)
    keeper = Keeper(cloud)
    started = keeper.start()
    everything = Policy(1, (Rule(1, Template.ALWAYS, 0, tags=ALL, repositories=ALL),))
    keeper.retention.create(PROJECT, everything, actor=ALICE)
    keeper.run_due()
    found = keeper.executions.find(started.id)
    assert found is not None and found.progress["deleted"] == 1
    assert not stands(Registry(cloud), IMAGE)
    check(cloud, BODIES)


def test_what_is_pulled_while_it_is_looked_at_stays(cloud: Cloud) -> None:
    _two(cloud)
    keeper, pulled = Keeper(cloud), []
    original = keeper.view.last_pull

    def pulled_meanwhile(*arguments: object) -> int:
        at = int(cloud.clock() * 1000)
        DynamoPullCounts(Registry(cloud).table).add("b", {Artifact(SHIPS, Digest.of(IMAGE)): Pulls(1, at)}, {})
        pulled.append(at)
        return original(*arguments)  # type: ignore[arg-type]

    keeper.view.last_pull = pulled_meanwhile  # type: ignore[method-assign,assignment]
    done = keeper.run()
    assert pulled
    assert stands(Registry(cloud), IMAGE, "old")
    assert "it was pulled meanwhile" in log_of(keeper.executions, done.id, 1)
    assert done.progress["retained"] == 2


@pytest.mark.parametrize("fault", list(Fault))
def test_a_run_that_fails_at_any_call_is_resumed_and_deletes_each_once(cloud: Cloud, fault: Fault) -> None:
    _two(cloud)
    Keeper(cloud).start()
    before, whole = cloud.freeze(), Faulty()
    with cloud.intercepted(whole):
        Keeper(cloud).run_due()
    for place in range(0, len(whole.calls), 2):
        cloud.thaw(before)
        try:
            with cloud.intercepted(Faulty(fault, place)):
                Keeper(cloud).run_due()
        except (Crash, BotoCoreError):
            pass
        for _ in range(2):
            cloud.clock.advance(LEASE_MS / 1000 + 301)
            Keeper(cloud).run_due()
        assert not stands(Registry(cloud), IMAGE), f"{fault} at {whole.calls[place]}"
        assert stands(Registry(cloud), NEWER, "new")
        assert len(Bin(cloud).units()) == 1
        operations = [event["operation"] for event in cloud.events]
        assert (operations.count("delete-manifest"), operations.count("retain")) == (1, 1)
        check(cloud, BODIES)


def test_a_schedule_starts_one_run_for_each_time_whatever_dies(cloud: Cloud) -> None:
    _two(cloud)
    keeper = Keeper(cloud)
    keeper.retention.create(PROJECT, Policy(1, KEEP_ONE.rules, "0 0 3 * * *"), actor=ALICE)
    at = keeper.retention.next_run(PROJECT)
    assert at is not None

    def tick() -> int:
        again = Keeper(cloud)
        return Scheduler(again.schedules, again.starter, again.events).start_due()

    assert tick() == 0
    cloud.clock.advance(at / 1000 - cloud.clock() + 1)
    before, whole = cloud.freeze(), Faulty()
    with cloud.intercepted(whole):
        assert tick() == 1
    for place in range(len(whole.calls)):
        for fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.REPEATED):
            cloud.thaw(before)
            try:
                with cloud.intercepted(Faulty(fault, place)):
                    tick()
            except Crash:
                pass
            tick()
            again = Keeper(cloud)
            again.run_due()
            assert tick() == 0
            (one,) = again.executions.list_newest(KIND, PROJECT)
            assert (one.status, one.trigger, one.actor.name) == (Status.SUCCESS, "SCHEDULE", "scheduler")
            assert again.retention.next_run(PROJECT) == at + 86_400_000
            assert not stands(Registry(cloud), IMAGE)
    keeper.retention.remove(PROJECT, actor=ALICE)
    cloud.clock.advance(2 * 86_400)
    assert tick() == 0
