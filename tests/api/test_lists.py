"""Lists of tags and of repositories, page by page."""

from __future__ import annotations

from itertools import chain
from urllib.parse import parse_qsl, urlsplit

import pytest

from roadstead.content.lists import MAX_PAGE
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from tests.api.backends import on_both_backends
from tests.api.client import Api, Client
from tests.api.documents import OCI_INDEX, OCI_MANIFEST, dump, index, push_image

REPOSITORY = "acme/app"
TAGS = ["v1", "V2", "a", "B", "_x", "0", "a.b", "a-b", "a_b", "10", "9", "latest"]


@pytest.fixture
def tagged(developer: Client) -> Client:
    body = push_image(developer, REPOSITORY, "")
    developer.put_manifest(REPOSITORY, Digest.of(body), body, OCI_MANIFEST, tags=TAGS).expect(201)
    return developer


def follow(client: Client, target: str, field: str) -> list[list[str]]:
    """Every page, by following the links until there is none."""
    found, next_target = [], target
    while True:
        answer = client.request("GET", next_target).expect(200)
        found.append(answer.json()[field])
        assert len(found) < 100
        if answer.next is None:
            return found
        next_target = answer.next


@on_both_backends
def test_tags_come_in_byte_order(tagged: Client) -> None:
    answer = tagged.tags(REPOSITORY).expect(200)
    assert answer.header("content-type") == "application/json"
    assert answer.json() == {"name": REPOSITORY, "tags": sorted(TAGS)}
    assert answer.next is None


def test_head_of_a_list_is_get_without_a_body(api: Api, tagged: Client) -> None:
    for path in (f"/v2/{REPOSITORY}/tags/list?n=1", f"/v2/{REPOSITORY}/referrers/{Digest.of(b'x')}"):
        assert api.request("HEAD", path).expect(401).challenge["scope"] == f"repository:{REPOSITORY}:pull"
        got, head = tagged.request("GET", path).expect(200), tagged.request("HEAD", path).expect(200)
        assert head.body == b""
        assert sorted(head.pairs) == sorted(got.pairs)


@on_both_backends
@pytest.mark.parametrize("n", [1, 2, 5, 11, 12, 13])
def test_following_the_links_lists_all_tags(tagged: Client, n: int) -> None:
    found = follow(tagged, f"/v2/{REPOSITORY}/tags/list?n={n}", "tags")
    assert list(chain.from_iterable(found)) == sorted(TAGS)
    assert all(len(page) == n for page in found[:-1])
    assert 1 <= len(found[-1]) <= n


def test_the_link_is_relative_and_encoded_and_keeps_n(tagged: Client) -> None:
    answer = tagged.tags(REPOSITORY, "?n=2").expect(200)
    assert answer.header("link") == f'</v2/{REPOSITORY}/tags/list?n=2&last=10>; rel="next"'
    assert dict(parse_qsl(urlsplit(answer.next or "").query)) == {"n": "2", "last": answer.json()["tags"][-1]}


@on_both_backends
def test_n_0_is_empty_without_a_link(tagged: Client) -> None:
    answer = tagged.tags(REPOSITORY, "?n=0").expect(200)
    assert (answer.json()["tags"], answer.next) == ([], None)


@pytest.mark.parametrize("n", ["-1", "x", "", "1.5", "+1", "%201", "0x1", "1e3", "\u0661", "9" * 30])
def test_a_bad_n_is_400(tagged: Client, n: str) -> None:
    tagged.tags(REPOSITORY, f"?n={n}").refused(400, "UNSUPPORTED")


@on_both_backends
@pytest.mark.parametrize(
    ("last", "first"),
    [("", "0"), ("a", "a-b"), ("a%2Bb", "a-b"), ("aa", "latest"), ("zzz", None), ("%00", "0"), ("%F4%8F%BF%BFz", None)],
)
def test_last_need_not_exist_and_works_without_n(tagged: Client, last: str, first: str | None) -> None:
    found = tagged.tags(REPOSITORY, f"?last={last}").expect(200).json()["tags"]
    assert found == (sorted(TAGS)[sorted(TAGS).index(first) :] if first is not None else [])


@on_both_backends
def test_a_last_longer_than_any_name_is_not_an_error(tagged: Client) -> None:
    """DynamoDB takes keys of 1,024 bytes."""
    assert tagged.tags(REPOSITORY, f"?last=a{'a' * 3_000}").expect(200).json()["tags"] == ["latest", "v1"]
    assert tagged.tags(REPOSITORY, f"?last={'%C3%A4' * 600}").expect(200).json()["tags"] == []
    admin = tagged.api.user("admin")
    assert admin.request("GET", f"/v2/_catalog?last=a{'a' * 3_000}").expect(200).json()["repositories"] == [REPOSITORY]
    assert admin.request("GET", "/v2/_catalog?last=%F4%8F%BF%BFz").expect(200).json()["repositories"] == []
    subject = Digest.of(b"subject")
    for last in ("a" * 3_000, "%F4%8F%BF%BFz", "sha"):
        assert tagged.referrers(REPOSITORY, subject, f"?last={last}").expect(200).json()["manifests"] == []


@on_both_backends
def test_a_repository_without_tags_has_an_empty_list(developer: Client, maintainer: Client) -> None:
    push_image(developer, REPOSITORY, "v1")
    maintainer.manifest(REPOSITORY, "v1", method="DELETE").expect(202)
    assert developer.tags(REPOSITORY).expect(200).body == b'{"name":"acme/app","tags":[]}'


@on_both_backends
@pytest.mark.parametrize("query", ["", "?n=5", "?n=0", "?last=a"])
def test_an_unknown_repository_is_404(developer: Client, query: str) -> None:
    developer.tags("acme/nothing", query).refused(404, "NAME_UNKNOWN")


def test_a_repository_appears_with_its_first_manifest(developer: Client) -> None:
    developer.push_blob(REPOSITORY, b"only a blob")
    developer.tags(REPOSITORY).refused(404, "NAME_UNKNOWN")
    developer.put_manifest(REPOSITORY, "v1", dump(index()), OCI_INDEX).expect(201)
    assert developer.tags(REPOSITORY).expect(200).json()["tags"] == ["v1"]


@on_both_backends
def test_a_page_has_a_maximum_size_whatever_n_says(developer: Client) -> None:
    body = dump(index())
    tags = [f"t{number:04}" for number in range(MAX_PAGE + 2)]
    for start in range(0, len(tags), 25):
        answer = developer.put_manifest(REPOSITORY, Digest.of(body), body, OCI_INDEX, tags=tags[start : start + 25])
        answer.expect(201)
    for query in ("", "?n=5000"):
        found = follow(developer, f"/v2/{REPOSITORY}/tags/list{query}", "tags")
        assert [len(page) for page in found] == [MAX_PAGE, 2]
        assert list(chain.from_iterable(found)) == tags


# The catalog

NAMES = ["acme/app", "acme/app-2", "acme/app/sub", "library/base", "library/single", "open/b"]


@pytest.fixture
def repositories(api: Api) -> Client:
    admin = api.user("admin")
    for name in NAMES:
        admin.put_manifest(name, "latest", dump(index()), OCI_INDEX).expect(201)
    return admin


@on_both_backends
@pytest.mark.parametrize("n", [None, 1, 4, 6, 100])
def test_the_catalog_is_paged(repositories: Client, n: int | None) -> None:
    query = f"?n={n}" if n is not None else ""
    found = follow(repositories, f"/v2/_catalog{query}", "repositories")
    assert list(chain.from_iterable(found)) == sorted(map(RepositoryName.parse, NAMES))
    assert all(len(page) == n for page in found[:-1])


def test_the_catalog_supports_n_and_last(repositories: Client) -> None:
    assert repositories.request("GET", "/v2/_catalog?n=0").expect(200).json() == {"repositories": []}
    assert repositories.request("GET", "/v2/_catalog?last=acme/zzz&n=1").expect(200).json() == {
        "repositories": ["library/base"]
    }
    repositories.request("GET", "/v2/_catalog?n=x").refused(400, "UNSUPPORTED")
    link = repositories.request("GET", "/v2/_catalog?n=2").expect(200).header("link")
    assert link == '</v2/_catalog?n=2&last=acme%2Fapp-2>; rel="next"'


def test_an_empty_registry_has_an_empty_catalog(api: Api) -> None:
    assert api.user("admin").request("GET", "/v2/_catalog").expect(200).body == b'{"repositories":[]}'


@pytest.mark.parametrize("name", ["", "guest", "developer", "owner", "stranger"])
def test_the_catalog_is_for_system_administrators_only(repositories: Client, name: str) -> None:
    answer = repositories.api.user(name).request("GET", "/v2/_catalog").refused(401, "DENIED")
    assert answer.challenge["scope"] == "registry:catalog:*"
    assert answer.challenge["error"] == "insufficient_scope"
    assert "administrator" in answer.message
