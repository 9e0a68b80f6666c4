"""Threads that do as they please for a few seconds: in this process, where the order of all is known, and on a
ministack of its own, over real connections."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from roadstead.conflicts import Throttled
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from tests import aws
from tests.invariants.cloud import BUCKET, IDENTITY, INDEX, Cloud, objects, rows
from tests.invariants.invariants import check, check_state
from tests.invariants.operations import CONFIG, DOCUMENTS, IMAGE, LAYER, OTHER, REFERRER, SECOND
from tests.invariants.operations import INDEX as IMAGE_INDEX
from tests.invariants.registry import ALICE, BOATS, SHIPS, Registry

SECONDS = float(os.environ.get("INVARIANT_STRESS_SECONDS", "4"))
THREADS = 6
TAGS = ("a", "b", "c")
KINDS = ("upload", "push", "delete", "untag", "delete-blob", "mount", "ask")
IMAGES, BLOBS, REPOSITORIES = (IMAGE, SECOND, REFERRER, IMAGE_INDEX), (CONFIG, LAYER, OTHER), (SHIPS, BOATS)


def test_concurrent_threads_leave_the_state_of_their_events(cloud: Cloud) -> None:
    accepted = _run(lambda: Registry(cloud))
    check(cloud, DOCUMENTS)
    assert _told(Counter(event["operation"] for event in cloud.events), accepted)


def test_concurrent_threads_on_a_server_leave_a_consistent_registry(cloud: Cloud) -> None:
    with aws.ministack() as endpoint:
        dynamodb, s3 = aws.client("dynamodb", endpoint), aws.client("s3", endpoint)
        aws.make_tables(dynamodb, INDEX, IDENTITY)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
        accepted = _run(lambda: Registry(cloud, dynamodb=dynamodb, s3=s3))
        items, bodies = rows(dynamodb), objects(s3)
    assert check_state(items, bodies) == []
    events = [item for (pk, _), item in items.items() if pk.startswith("event#")]
    assert len({event["id"] for event in events}) == len(events)
    assert _told(Counter(event["operation"] for event in events), accepted)


def _run(make: Callable[[], Registry]) -> Counter[str]:
    """How many requests of each kind were accepted."""
    accepted: Counter[str] = Counter()
    failures: list[BaseException] = []
    until = time.monotonic() + SECONDS

    def goes_on() -> bool:
        """Until the time is up and something of every kind was accepted; a busy machine gets more time for that."""
        late = time.monotonic() - until
        return not failures and (late < 0 or (late < 30 and not all(accepted[kind] for kind in KINDS)))

    def work(seed: int) -> None:
        lots, registry = random.Random(seed), make()
        try:
            while goes_on():
                with contextlib.suppress(RegistryError, Throttled):
                    kind = _one(registry, lots)
                    accepted[kind] += 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    assert all(accepted[kind] for kind in KINDS), accepted
    return accepted


def _one(registry: Registry, lots: random.Random) -> str:
    """A request by lot; its kind once it was accepted."""
    kind = lots.choice((*KINDS, "upload", "push", "push"))
    repository, data, image = lots.choice(REPOSITORIES), lots.choice(BLOBS), lots.choice(IMAGES)
    if kind == "upload":
        registry.upload(data, repository)
    elif kind == "push":
        registry.push(image, tags=lots.sample(TAGS, lots.randrange(3)), to=repository)
    elif kind == "delete":
        registry.delete(Digest.of(image), repository)
    elif kind == "untag":
        registry.delete(lots.choice(TAGS), repository)
    elif kind == "delete-blob":
        registry.delete_blob(Digest.of(data), repository)
    elif kind == "ask":
        registry.blobs.get(repository, Digest.of(data), ALICE, promise=True)
    else:
        source, target = lots.sample(REPOSITORIES, 2)
        if registry.blobs.mount(source, target, Digest.of(data), ALICE) is None:
            return "declined"
    return kind


def _told(events: Counter[str], accepted: Counter[str]) -> bool:
    """Every accepted request is told of once; a deleted image may tell of its tags by themselves.

    Uploads are not counted: of an upload that somebody else asked for first, or whose blob was deleted and sent again
    meanwhile, another request tells.
    """
    assert events["mount"] == accepted["mount"]
    assert events["push"] + events["tag"] == accepted["push"]
    assert events["delete-manifest"] == accepted["delete"]
    assert events["delete-blob"] == accepted["delete-blob"]
    return events["untag"] >= accepted["untag"]
