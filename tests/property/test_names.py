"""Names and tags: the grammar of the specification, and nothing else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from roadstead.digest import Digest
from roadstead.names import (
    MAX_REPOSITORY_NAME,
    ProjectName,
    RepositoryName,
    Tag,
    parse_reference,
)

# distribution-spec 1.1.1, "Pulling manifests", word by word.
SPECIFIED_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII)
SPECIFIED_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", re.ASCII)

words = st.text("abcxyz0189", min_size=1, max_size=8)
separators = st.sampled_from([".", "_", "__"]) | st.text("-", min_size=1, max_size=4)
components = st.builds(
    lambda first, rest: first + "".join(separator + word for separator, word in rest),
    words,
    st.lists(st.tuples(separators, words), max_size=3),
)
repositories = st.lists(components, min_size=1, max_size=4).map("/".join).filter(lambda name: len(name) <= 247)
tags = st.from_regex(SPECIFIED_TAG, fullmatch=True)
# Close to the grammar, so that what is refused is refused for a detail.
nearly = st.text("aZ0._-/ é:\n", max_size=12)


def canonical(text: str) -> str:
    return text if "/" in text else f"library/{text}"


def accepts(parse: object, text: str) -> bool:
    try:
        assert callable(parse)
        return parse(text) in (text, canonical(text))
    except ValueError as error:
        assert str(error)
        return False


@given(repositories)
def test_a_name_of_the_grammar_is_itself_once_it_has_its_project(name: str) -> None:
    assert RepositoryName.parse(name) == canonical(name)
    assert RepositoryName.parse(canonical(name)) == canonical(name)


@given(nearly | repositories | st.text(max_size=300))
def test_names_are_those_of_the_specification(text: str) -> None:
    expected = SPECIFIED_NAME.fullmatch(text) is not None
    assert accepts(RepositoryName.parse, text) == (expected and len(canonical(text)) <= MAX_REPOSITORY_NAME)
    assert accepts(ProjectName.parse, text) == (expected and "/" not in text and len(text) <= MAX_REPOSITORY_NAME)


@given(tags | nearly | st.text(max_size=130))
def test_tags_are_those_of_the_specification(text: str) -> None:
    assert accepts(Tag.parse, text) == (SPECIFIED_TAG.fullmatch(text) is not None)


@given(repositories)
def test_the_project_of_a_name_is_a_project_and_its_first_component(name: str) -> None:
    project = RepositoryName.parse(name).project
    assert ProjectName.parse(project) == project
    assert project == canonical(name).split("/")[0]


@given(repositories, st.integers(MAX_REPOSITORY_NAME + 1, 5000))
def test_a_name_that_is_too_long_is_refused(name: str, length: int) -> None:
    assert not accepts(RepositoryName.parse, (name * length)[:length])


@given(tags | nearly | st.builds(lambda data: str(Digest.of(data)), st.binary()))
def test_a_reference_is_a_digest_if_it_has_a_colon_and_else_a_tag(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ValueError:
        assert SPECIFIED_TAG.fullmatch(text) is None
    else:
        assert reference == text
        assert isinstance(reference, Digest if ":" in text else Tag)
