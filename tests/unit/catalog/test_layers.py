"""Which entry of an image's history stands for which layer."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.catalog.layers import MAX_TEXT, Layer, layers_of
from tests.manifests import CONFIG, LAYER, image, index, of

FIRST, SECOND = of(b"first"), of(b"second")
IMAGE = image(of(b"{}", CONFIG), [FIRST, SECOND])


def made(descriptor: dict[str, Any], *said: str) -> Layer:
    return Layer(descriptor["digest"], LAYER, descriptor["size"], *said)


def test_instructions_without_a_layer_are_left_out() -> None:
    history = [
        {"created_by": "ADD rootfs", "created": "2026-01-01T00:00:00Z"},
        {"created_by": "ENV A=1", "empty_layer": True},
        {"created_by": "COPY . .", "comment": "buildkit"},
    ]
    assert layers_of(IMAGE, {"history": history}) == [
        made(FIRST, "ADD rootfs", "2026-01-01T00:00:00Z"),
        made(SECOND, "COPY . .", "", "buildkit"),
    ]


@pytest.mark.parametrize(
    "history",
    [None, "COPY", [], [{}], [{"created_by": "a"}] * 3, ["COPY", {"created_by": "a"}], [{"created_by": 1}, {}]],
)
def test_a_history_that_does_not_fit_says_nothing(history: Any) -> None:
    assert layers_of(IMAGE, {"history": history}) == [made(FIRST), made(SECOND)]


def test_an_instruction_is_cut() -> None:
    long = "x" * (MAX_TEXT + 1)
    assert layers_of(image(of(b"{}"), [FIRST]), {"history": [{"created_by": long}]})[0].created_by == long[:-1]


def test_an_index_has_no_layers() -> None:
    assert layers_of(index([of(b"{}")]), {}) == []
    assert layers_of({"manifests": [], "layers": [FIRST]}, {}) == []


def test_a_manifest_without_layers_has_none() -> None:
    assert layers_of({"config": of(b"{}")}, {}) == []
