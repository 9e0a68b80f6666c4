"""Paths with names that hold slashes, in every encoding that clients and gateways produce."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.management.paths import MalformedPath, Template

ARTIFACT = Template("/projects/{project}/repositories/{repository}/artifacts/{reference}")
TAG = Template("/projects/{project}/repositories/{repository}/artifacts/{reference}/tags/{tag}")
REPOSITORIES = Template("/projects/{project}/repositories")

component = st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True)
names = st.lists(component | st.sampled_from(["artifacts", "tags", "repositories"]), min_size=1, max_size=5).map(
    "/".join
)


@pytest.mark.parametrize("name", ["nginx", "a%2Fb", "a%252Fb", "a/b"])
def test_a_name_is_read_in_every_encoding(name: str) -> None:
    found = ARTIFACT.match(f"/projects/library/repositories/{name}/artifacts/latest")
    assert found == {
        "project": "library",
        "repository": name.replace("%252F", "/").replace("%2F", "/"),
        "reference": "latest",
    }


def test_a_raw_name_takes_what_the_rest_of_the_template_leaves() -> None:
    found = TAG.match("/projects/p/repositories/a/artifacts/b/artifacts/v1/tags/v2")
    assert found == {"project": "p", "repository": "a/artifacts/b", "reference": "v1", "tag": "v2"}


@given(name=names, twice=st.booleans())
def test_an_encoded_name_is_never_mistaken_for_a_part_of_the_path(name: str, twice: bool) -> None:
    encoded = quote(quote(name, safe=""), safe="") if twice else quote(name, safe="")
    found = TAG.match(f"/projects/p/repositories/{encoded}/artifacts/v1/tags/v2")
    assert found is not None
    assert (found["repository"], found["reference"], found["tag"]) == (name, "v1", "v2")


@pytest.mark.parametrize("name", ["%25252F", "a%25252Fb"])
def test_a_name_encoded_three_times_is_malformed(name: str) -> None:
    with pytest.raises(MalformedPath, match="more than twice"):
        ARTIFACT.match(f"/projects/p/repositories/{name}/artifacts/v1")


def test_a_path_that_is_not_utf8_is_malformed() -> None:
    with pytest.raises(MalformedPath, match="not UTF-8"):
        ARTIFACT.match("/projects/p/repositories/a%FF/artifacts/v1")


@pytest.mark.parametrize("path", ["/projects/p/repositories/", "/projects//repositories", "/projects/p/x", ""])
def test_another_path_does_not_match(path: str) -> None:
    assert REPOSITORIES.match(path) is None
