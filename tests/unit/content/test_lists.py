"""Lists: pages that join, and referrers by the megabyte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from roadstead.content import lists
from roadstead.content.lists import MAX_REFERRERS_BYTES, Page
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifest_index import Referrer
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName, Tag
from tests.manifests import CONFIG, image_of, of
from tests.unit.content.parts import CARGO, SHIPS, Registry

SUBJECT = b"subject"


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.upload(b"{}")
    return registry


def refer(registry: Registry, size: int, number: int = 0, **fields: Any) -> Digest:
    body = image_of(subject=of(SUBJECT, OCI_MANIFEST), annotations={"n": str(number), "x": "x" * size}, **fields)
    return registry.push(body, Digest.of(body)).digest


def test_pages_of_tags_join_without_gap_or_overlap(registry: Registry) -> None:
    tags = [Tag(f"v{number}") for number in range(7)]
    registry.push(image_of(), Digest.of(image_of()), *tags)
    for n in range(1, 9):
        found, last = list[str](), ""
        while True:
            page = registry.lists.tags(SHIPS, n=n, last=last)
            assert len(page.names) <= n
            found += page.names
            if page.last is None:
                break
            assert page.last == page.names[-1]
            last = page.last
        assert found == tags


def test_a_page_with_exactly_all_names_has_no_next(registry: Registry) -> None:
    registry.push(image_of(), Tag("a"))
    assert registry.lists.tags(SHIPS, n=1, last="") == Page(("a",), None)


def test_n_0_is_empty_without_a_next_page(registry: Registry) -> None:
    registry.push(image_of(), Tag("a"))
    assert registry.lists.tags(SHIPS, n=0, last="") == Page((), None)


def test_a_page_is_limited_to_the_maximum(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MAX_PAGE", 2)
    registry.push(image_of(), Digest.of(image_of()), Tag("a"), Tag("b"), Tag("c"))
    assert registry.lists.tags(SHIPS, n=3, last="") == Page(("a", "b"), "b")
    assert registry.lists.tags(SHIPS, n=None, last="") == Page(("a", "b"), "b")


def test_tags_of_an_untagged_repository_are_empty_and_of_an_unknown_one_404(registry: Registry) -> None:
    registry.push(image_of(), Digest.of(image_of()))
    assert registry.lists.tags(SHIPS, n=None, last="") == Page((), None)
    with pytest.raises(RegistryError) as error:
        registry.lists.tags(CARGO, n=None, last="")
    assert (error.value.entries[0].code, error.value.status) == (ErrorCode.NAME_UNKNOWN, 404)


def test_a_repository_appears_with_its_first_manifest_and_not_with_its_blobs(registry: Registry) -> None:
    assert registry.lists.repositories(n=None, last="") == Page((), None)
    registry.push(image_of())
    for name in ("a/b", "a-b"):
        registry.upload(b"{}", RepositoryName(name))
        registry.push(image_of(), repository=RepositoryName(name))
    assert registry.lists.repositories(n=2, last="") == Page(("a-b", "a/b"), "a/b")
    assert registry.lists.repositories(n=2, last="a/b") == Page((SHIPS,), None)


def test_referrers_are_filtered_by_type_and_pages_join(registry: Registry) -> None:
    made = sorted(refer(registry, 300_000, number, artifactType="a/b") for number in range(8))
    other = refer(registry, 300_000, 9)
    found, last, pages = list[str](), "", 0
    while True:
        page = registry.lists.referrers(SHIPS, Digest.of(SUBJECT), artifact_type="a/b", last=last)
        assert sum(len(json.dumps(one)) for one in page.descriptors) <= MAX_REFERRERS_BYTES
        found += [one["digest"] for one in page.descriptors]
        pages += 1
        if page.last is None:
            break
        last = page.last
    assert found == made
    assert pages > 1
    page = registry.lists.referrers(SHIPS, Digest.of(SUBJECT), artifact_type=CONFIG, last="")
    assert [one["digest"] for one in page.descriptors] == [other]


@pytest.mark.parametrize("inline", [True, False])
def test_a_filter_that_matches_nothing_costs_a_bounded_amount_per_page(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, inline: bool
) -> None:
    made = sorted(refer(registry, 1, number) for number in range(7))
    wanted = refer(registry, 1, 8, artifactType="a/b")
    listed = registry.index.list_referrers

    def by_pointer(*place: Any, after: str) -> Iterator[Referrer]:
        """Without descriptors, as the table lists large ones."""
        return (one if inline else replace(one, descriptor=None) for one in listed(*place, after=after))

    monkeypatch.setattr(registry.index, "list_referrers", by_pointer)
    monkeypatch.setattr(lists, "MAX_REFERRERS_LOOKED_AT" if inline else "MAX_MANIFESTS_READ", 3)
    found, last, ends = list[str](), "", list[Digest]()
    while True:
        page = registry.lists.referrers(SHIPS, Digest.of(SUBJECT), artifact_type="a/b", last=last)
        found += [one["digest"] for one in page.descriptors]
        if page.last is None:
            break
        ends.append(page.last)
        last = page.last
    assert found == [wanted]
    assert ends == sorted([*made, wanted])[2:6:3]


def test_a_descriptor_larger_than_a_page_is_sent_alone(registry: Registry) -> None:
    made = sorted(refer(registry, 2 * MAX_REFERRERS_BYTES, number) for number in range(2))
    first = registry.lists.referrers(SHIPS, Digest.of(SUBJECT), artifact_type=None, last="")
    assert [one["digest"] for one in first.descriptors] == made[:1] == [first.last]
    second = registry.lists.referrers(SHIPS, Digest.of(SUBJECT), artifact_type=None, last=made[0])
    assert [one["digest"] for one in second.descriptors] == made[1:]
    assert second.last is None


def test_an_unknown_subject_has_no_referrers(registry: Registry) -> None:
    found = registry.lists.referrers(CARGO, Digest.of(b"absent"), artifact_type=None, last="")
    assert (found.descriptors, found.last) == ((), None)
