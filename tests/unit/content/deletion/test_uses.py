"""Whether something is needed still."""

from __future__ import annotations

from roadstead.content.blob_index import Use
from roadstead.content.deletion.uses import COMMIT_FENCE_MS, find_live_use
from roadstead.digest import Digest
from tests.unit.content.parts import NOON, SHIPS, Registry

BLOB = Digest.of(b"layer")
NOW = int(NOON * 1000)


def live(registry: Registry, digest: Digest = BLOB) -> Use | None:
    return find_live_use(registry.index, registry.index, SHIPS, digest, now_ms=NOW)


def test_a_digest_without_uses_has_no_live_use() -> None:
    assert live(Registry()) is None


def test_a_use_is_live_while_its_manifest_has_that_generation() -> None:
    registry = Registry()
    registry.clock.now -= 10 * COMMIT_FENCE_MS / 1000
    _, pushed = registry.push_image(b"layer")
    use = live(registry)
    assert use is not None and use.manifest == pushed.digest
    registry.index.write_uses(SHIPS, pushed.digest, "another", [BLOB], at=NOW, key="k")
    registry.index.remove_uses(SHIPS, pushed.digest, use.generation, [BLOB])
    assert live(registry) is None


def test_a_use_of_an_uncommitted_manifest_is_live_for_an_hour() -> None:
    registry, manifest = Registry(), Digest.of(b"manifest")
    registry.index.write_uses(SHIPS, manifest, "g", [BLOB], at=NOW - COMMIT_FENCE_MS, key="k")
    assert live(registry) is None
    registry.index.write_uses(SHIPS, manifest, "g", [BLOB], at=NOW - COMMIT_FENCE_MS + 1, key="k")
    assert live(registry) == Use(manifest, "g", NOW - COMMIT_FENCE_MS + 1)


def test_a_live_use_is_found_after_hundreds_of_dead_ones() -> None:
    registry = Registry()
    _, pushed = registry.push_image(b"layer")
    for number in range(250):
        registry.index.write_uses(SHIPS, Digest.of(str(number).encode()), "g", [BLOB], at=0, key="k")
    use = live(registry)
    assert use is not None and use.manifest == pushed.digest
