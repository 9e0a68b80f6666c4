"""A week of pushes, retags, deletions, restorations and retention ends with the objects that the index explains."""

from __future__ import annotations

import random

import pytest

from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST
from roadstead.digest import Digest
from roadstead.documents import compact
from roadstead.errors import RegistryError
from roadstead.lifecycle.executions.executions import Status
from roadstead.lifecycle.retention.rules import Policy, Rule, Selector, Template
from roadstead.names import Tag
from tests.invariants.cloud import Cloud
from tests.invariants.collector import collector, tell
from tests.invariants.invariants import check
from tests.invariants.registry import SHIPS, Registry, blob, image
from tests.invariants.test_retention import Keeper
from tests.invariants.trash import Bin
from tests.manifests import of

HOUR, DAY = 3_600, 86_400
ALL = (Selector("**"),)
RULES = Policy(1, (Rule(1, Template.LATEST_PUSHED, 6, tags=ALL, repositories=ALL),))
CONFIGS = [blob(f"config-{number}") for number in range(4)]
LAYERS = [blob(f"layer-{number}") for number in range(12)]
TAGS = [f"v{number}" for number in range(8)]


class Week:
    """What people do, chosen by a seed. `documents` are the manifests that were pushed."""

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self.cloud, self.random = cloud, random.Random(seed)
        self.documents: list[bytes] = []
        self.restored = 0

    def act(self) -> None:
        acts = (self.push, self.push, self.push, self.retag, self.index, self.untag, self.delete, self.restore)
        self.random.choice(acts)()

    def push(self) -> None:
        registry = Registry(self.cloud)
        layers, config = self.random.sample(LAYERS, 3), self.random.choice(CONFIGS)
        for data in (config, *layers):
            registry.upload(data)
        self._push(image(*layers, config=config))

    def retag(self) -> None:
        if self.documents:
            self._push(self.random.choice(self.documents))

    def index(self) -> None:
        """An index of two images that stand, if there are."""
        registry = Registry(self.cloud)
        standing = [
            body for body in self.documents
            if b'"layers"' in body and registry.index.find_manifest(SHIPS, Digest.of(body)) is not None
        ]  # fmt: skip
        if len(standing) > 1:
            children = [of(body, OCI_MANIFEST) for body in self.random.sample(standing, 2)]
            self._push(compact({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}).encode())

    def untag(self) -> None:
        self._refusable(lambda: Bin(self.cloud).delete(Tag(self.random.choice(TAGS))))

    def delete(self) -> None:
        tag = Tag(self.random.choice(TAGS))
        found = Registry(self.cloud).index.find_tag(SHIPS, tag)
        if found is None:
            return
        trash = Bin(self.cloud)
        if self.random.random() < 0.5:
            self._refusable(lambda: trash.delete(found.digest))
        else:
            self._refusable(lambda: trash.delete_artifact(tag))

    def restore(self) -> None:
        trash = Bin(self.cloud)
        if units := trash.units():
            unit = self.random.choice(units)
            renamed = {str(tag): f"{tag}-restored" for tag in unit.tags}
            self.restored += trash.restore(unit, renamed).status is Status.SUCCESS

    def _push(self, body: bytes) -> None:
        if body not in self.documents:
            self.documents.append(body)
        self._refusable(lambda: Registry(self.cloud).push(body, self.random.choice(TAGS)))

    def _refusable(self, act: object) -> None:
        """A client may be refused: an index needs it, or what it needs is gone."""
        try:
            act()  # type: ignore[operator]
        except RegistryError:
            return


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_week_ends_with_exactly_the_objects_that_the_index_explains(cloud: Cloud, seed: int) -> None:
    week = Week(cloud, seed)
    for day in range(7):
        for _ in range(14):
            week.act()
            cloud.clock.advance(HOUR)
        tell(cloud)
        collector(cloud).run()
        if day % 2:
            assert Keeper(cloud).run(RULES).status is Status.SUCCESS
        cloud.clock.advance(10 * HOUR)
        check(cloud, tuple(week.documents))
    assert week.restored > 0
    assert Bin(cloud).units()
    for _ in range(14 * 4):  # until the last grace period is over, and what it kept is freed
        cloud.clock.advance(6 * HOUR)
        collector(cloud).run()
    check(cloud, tuple(week.documents))
    assert Bin(cloud).units() == []
    rows = cloud.rows()
    manifests = {item["key"] for (_, sk), item in rows.items() if sk.startswith("manifest#")}
    linked = {sk.removeprefix("blob#") for pk, sk in rows if pk.startswith("repo#") and sk.startswith("blob#")}
    blobs = {item["key"] for (pk, sk), item in rows.items() if pk[:5] == "blob#" and sk == "meta"}
    needed = {sk.split("#")[1] for pk, sk in rows if pk.startswith("repo#") and sk.startswith("use#")}
    assert set(cloud.objects()) == manifests | blobs
    assert manifests
    assert linked <= needed  # every blob that is left is one that a manifest needs
    assert {pk.removeprefix("blob#") for pk, sk in rows if pk[:5] == "blob#" and sk == "meta"} == linked
    assert not [sk for _, sk in rows if sk.startswith("trashed#")]
