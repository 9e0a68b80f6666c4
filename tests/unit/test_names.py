"""Names: examples of the grammar and of its edges."""

from __future__ import annotations

import time

import pytest

from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag, parse_reference


@pytest.mark.parametrize("name", ["a/0", "a.b_c__d---e/f", "library/x", "a/b/c/d", "a/" + "b" * 253])
def test_names_of_the_specification_are_accepted(name: str) -> None:
    assert RepositoryName.parse(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "a/",
        "/a",
        "a//b",
        "a/../b",
        ".",
        "a.",
        ".a",
        "a..b",
        "a___b",
        "a._b",
        "-a",
        "a-",
        "a b",
        "a:b",
        "é",
        "a\n",
        "a\0b",
        "a@b",
        "_a",
        "a_",
        "a/./b",
    ],
)
def test_a_malformed_name_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters and digits"):
        RepositoryName.parse(name)


@pytest.mark.parametrize("name", ["a/" + "b" * 254, "a" * 248])
def test_a_name_longer_than_255_characters_with_its_project_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"at most 255 characters; .* has 256"):
        RepositoryName.parse(name)


@pytest.mark.parametrize("name", ["a" * 250 + "!", "a-" * 120 + "!", "a__" * 80 + "!", "_" * 255, "-" * 254 + "a"])
def test_hostile_names_are_matched_in_linear_time(name: str) -> None:
    begun = time.process_time()
    for _ in range(100):
        with pytest.raises(ValueError):
            RepositoryName.parse(name)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("name", ["hello-world", "library", "a"])
def test_a_name_of_one_component_is_in_the_project_library(name: str) -> None:
    assert RepositoryName.parse(name) == RepositoryName.parse(f"library/{name}") == f"library/{name}"


@pytest.mark.parametrize(
    ("name", "project"), [("hello-world", "library"), ("acme/a/b", "acme"), ("library/a", "library")]
)
def test_the_project_is_the_first_component(name: str, project: str) -> None:
    assert RepositoryName.parse(name).project == ProjectName.parse(project)


@pytest.mark.parametrize("name", ["", "a/b", "A", "a" * 256])
def test_a_project_is_one_component(name: str) -> None:
    with pytest.raises(ValueError, match="is not a project name"):
        ProjectName.parse(name)


@pytest.mark.parametrize("tag", ["latest", "V1.0-rc_1", "_", "0", "x" * 128])
def test_tags_of_the_specification_are_accepted(tag: str) -> None:
    assert parse_reference(tag) == Tag.parse(tag) == tag
    assert isinstance(parse_reference(tag), Tag)


@pytest.mark.parametrize("tag", ["", ".a", "-a", "a/b", "a b", "x" * 129, "é", "a\n", "a#b", "a+b"])
def test_a_malformed_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="is not a tag"):
        parse_reference(tag)


def test_a_reference_with_a_colon_is_a_digest() -> None:
    assert isinstance(parse_reference(Digest.of(b"")), Digest)
    with pytest.raises(ValueError, match="is not a digest"):
        parse_reference("latest:")
