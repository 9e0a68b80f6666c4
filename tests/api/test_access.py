"""Who may do what, and what they are told who may not."""

from __future__ import annotations

import pytest

from roadstead.digest import Digest
from tests.api.backends import on_both_backends
from tests.api.client import Api, Client
from tests.api.conftest import Builder
from tests.api.documents import OCI_INDEX, OCI_MANIFEST, dump, index, push_image
from tests.api.token_requests import granted

REPOSITORY = "acme/app"
DIGEST = Digest.of(b"layer")


# The challenge


@on_both_backends
def test_v2_without_a_token_is_401_with_the_bearer_challenge_and_200_with_one(api: Api, nobody: Client) -> None:
    for target in ("/v2/", "/v2"):
        answer = api.request("GET", target).refused(401, "UNAUTHORIZED")
        assert answer.challenge == {"realm": "https://registry.test/token", "service": "roadstead"}
        assert answer.header("docker-distribution-api-version") == "registry/2.0"
        assert nobody.request("GET", target).expect(200).json() == {}
        assert nobody.request("HEAD", target).expect(200).body == b""
    allowed = api.user("developer").request("GET", "/v2/").expect(200)
    assert allowed.header("docker-distribution-api-version") == "registry/2.0"


ENDPOINTS = [
    ("GET", f"/v2/{REPOSITORY}/manifests/latest", "pull"),
    ("HEAD", f"/v2/{REPOSITORY}/manifests/{DIGEST}", "pull"),
    ("PUT", f"/v2/{REPOSITORY}/manifests/latest", "pull,push"),
    ("DELETE", f"/v2/{REPOSITORY}/manifests/latest", "delete"),
    ("DELETE", f"/v2/{REPOSITORY}/manifests/{DIGEST}", "delete"),
    ("GET", f"/v2/{REPOSITORY}/blobs/{DIGEST}", "pull"),
    ("HEAD", f"/v2/{REPOSITORY}/blobs/{DIGEST}", "pull"),
    ("DELETE", f"/v2/{REPOSITORY}/blobs/{DIGEST}", "delete"),
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads/", "pull,push"),
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads/?mount={DIGEST}&from=acme/base", "pull,push"),
    ("PATCH", f"/v2/{REPOSITORY}/blobs/uploads/0123", "pull,push"),
    ("GET", f"/v2/{REPOSITORY}/tags/list", "pull"),
    ("GET", f"/v2/{REPOSITORY}/referrers/{DIGEST}", "pull"),
]


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v2/acme/app/unknown"),
        ("GET", "/v2/Acme/tags/list"),
        ("GET", f"/v2/{REPOSITORY}/blobs/latest"),
        ("PUT", f"/v2/{REPOSITORY}/manifests/-x"),
        ("BREW", f"/v2/{REPOSITORY}/manifests/latest"),
        ("get", f"/v2/{REPOSITORY}/tags/list"),
        ("POST", f"/v2/{REPOSITORY}/blobs/uploads/0123"),
        ("DELETE", "/v2/_catalog"),
    ],
)
def test_a_request_that_no_endpoint_serves_is_challenged_before_it_is_refused(
    api: Api, method: str, target: str
) -> None:
    api.request(method, target).refused(401, "UNAUTHORIZED")
    assert api.user("admin").request(method, target).status in (400, 404, 405)


def test_a_mapped_challenge_is_copied_to_our_header(build: Builder) -> None:
    for settings, repeated in (({}, False), ({"CHALLENGE": "mapped"}, True)):
        answer = build(**settings).request("GET", "/v2/").expect(401)
        copy = answer.header("x-roadstead-challenge")
        assert copy == (answer.header("www-authenticate") if repeated else None)


@pytest.mark.parametrize(("method", "target", "actions"), ENDPOINTS)
def test_every_endpoint_asks_for_the_access_that_it_needs(api: Api, method: str, target: str, actions: str) -> None:
    scope = f"repository:{REPOSITORY}:{actions}"
    bare = api.request(method, target).expect(401)
    assert bare.challenge == {"realm": "https://registry.test/token", "service": "roadstead", "scope": scope}
    stranger = api.user("stranger")
    lacking = stranger.request(method, target).expect(401)
    assert (lacking.challenge["scope"], lacking.challenge["error"]) == (scope, "insufficient_scope")
    if method != "HEAD":
        assert (bare.codes, lacking.codes) == (["UNAUTHORIZED"], ["DENIED"])
        assert "does not exist, or stranger may not" in lacking.message
    # A token for everything else, and for this action elsewhere, does not help.
    other = f"repository:library/app:{actions} repository:{REPOSITORY}/more:{actions}"
    api.user("owner").request(method, target, scope=other).expect(401)


def test_realm_and_scope_are_quoted_and_on_the_host_that_the_client_used(api: Api) -> None:
    answer = api.request("GET", f"/v2/{REPOSITORY}/tags/list", host="other.example:8443")
    assert answer.header("www-authenticate") == (
        'Bearer realm="https://other.example:8443/token",service="roadstead",scope="repository:acme/app:pull"'
    )


@pytest.mark.parametrize("authorization", ["Basic YTpi", "Bearer", "Bearer ", "bearer", "Token x", "x"])
def test_a_scheme_other_than_bearer_is_challenged(api: Api, authorization: str) -> None:
    answer = api.request("GET", "/v2/", {"Authorization": authorization}).refused(401, "UNAUTHORIZED")
    assert "error" not in answer.challenge


def test_the_scheme_is_read_in_any_case(developer: Client) -> None:
    token = developer.token(f"repository:{REPOSITORY}:pull")
    for scheme in ("bearer", "BEARER", "Bearer "):
        developer.api.request("GET", "/v2/", {"Authorization": f"{scheme} {token}"}).expect(200)


# Who may do what


@on_both_backends
@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("", ""),
        ("stranger", ""),
        ("guest", "pull"),
        ("developer", "pull push"),
        ("maintainer", "pull push delete"),
        ("owner", "pull push delete"),
        ("admin", "pull push delete"),
    ],
)
def test_a_private_project_is_open_to_members_by_role(api: Api, name: str, may: str) -> None:
    body = push_image(api.user("owner"), REPOSITORY)
    client, allowed = api.user(name), may.split()
    client.manifest(REPOSITORY, "latest").expect(200 if "pull" in allowed else 401)
    client.blob(REPOSITORY, DIGEST).expect(200 if "pull" in allowed else 401)
    client.tags(REPOSITORY).expect(200 if "pull" in allowed else 401)
    client.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/").expect(202 if "push" in allowed else 401)
    client.put_manifest(REPOSITORY, "again", body, OCI_MANIFEST).expect(201 if "push" in allowed else 401)
    client.manifest(REPOSITORY, "latest", method="DELETE").expect(202 if "delete" in allowed else 401)
    assert granted(client, f"repository:{REPOSITORY}:pull,push,delete") == {f"repository:{REPOSITORY}": allowed}


@pytest.mark.parametrize("name", ["", "stranger"])
def test_a_public_project_is_pulled_by_anyone_and_pushed_by_members(api: Api, name: str) -> None:
    push_image(api.user("developer"), "open/app")
    client = api.user(name)
    client.manifest("open/app", "latest").expect(200)
    client.blob("open/app", DIGEST).expect(200)
    client.tags("open/app").expect(200)
    client.referrers("open/app", DIGEST).expect(200)
    refused = client.request("POST", "/v2/open/app/blobs/uploads/").refused(401, "DENIED")
    assert (
        refused.message
        == f"the project of open/app does not exist, or {name or 'an anonymous user'} may not push to it"
    )
    client.manifest("open/app", "latest", method="DELETE").refused(401, "DENIED")


def test_an_administrators_push_creates_a_missing_project_as_private(api: Api) -> None:
    admin = api.user("admin")
    push_image(admin, "new/app")
    admin.manifest("new/app", "latest").expect(200)
    for name in ("", "developer", "stranger"):
        api.user(name).manifest("new/app", "latest").refused(401, "DENIED")


@pytest.mark.parametrize("name", ["", "developer", "owner", "stranger"])
def test_another_users_push_to_a_missing_project_is_denied(api: Api, name: str) -> None:
    answer = api.user(name).request("POST", "/v2/new/app/blobs/uploads/").refused(401, "DENIED")
    who = name or "an anonymous user"
    assert answer.message == f"the project of new/app does not exist, or {who} may not push to it"
    api.user("admin").tags("new/app").refused(404, "NAME_UNKNOWN")


def test_hello_world_is_library_hello_world_in_paths_scopes_and_mounts(api: Api) -> None:
    developer, nobody = api.user("developer"), api.user("")
    body = dump(index())
    pushed = developer.put_manifest("hello-world", "v1", body, OCI_INDEX).expect(201)
    assert pushed.location == f"/v2/library/hello-world/manifests/{Digest.of(body)}"
    developer.put_manifest("library/hello-world", "v2", body, OCI_INDEX).expect(201)
    for name in ("hello-world", "library/hello-world"):
        assert nobody.tags(name).expect(200).json() == {"name": "library/hello-world", "tags": ["v1", "v2"]}
        scope = f"repository:{name}:pull"
        assert granted(nobody, scope) == {"repository:library/hello-world": ["pull"]}
        nobody.request("GET", "/v2/hello-world/manifests/v2", scope=scope).expect(200)
    digest = developer.push_blob("hello-world", b"shared")
    mounted = f"/v2/{REPOSITORY}/blobs/uploads/?mount={digest}&from=hello-world"
    scopes = f"repository:{REPOSITORY}:pull,push repository:hello-world:pull"
    developer.request("POST", mounted, scope=scopes).expect(201)


def test_pull_push_and_delete_are_granted_separately(api: Api) -> None:
    owner = api.user("owner")
    push_image(owner, REPOSITORY)
    manifest = f"/v2/{REPOSITORY}/manifests/latest"
    only = {action: f"repository:{REPOSITORY}:{action}" for action in ("pull", "push", "delete")}
    owner.request("GET", manifest, scope=only["push"]).refused(401, "DENIED")
    owner.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/", scope=only["push"]).refused(401, "DENIED")
    owner.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/", scope=only["pull"]).refused(401, "DENIED")
    owner.request("DELETE", manifest, scope=f"repository:{REPOSITORY}:pull,push").refused(401, "DENIED")
    owner.request("DELETE", manifest, scope=only["delete"]).expect(202)


@on_both_backends
def test_a_star_in_a_scope_expands_to_what_is_permitted(api: Api) -> None:
    scope = f"repository:{REPOSITORY}:*"
    expected = {"guest": ["pull"], "developer": ["pull", "push"], "owner": ["pull", "push", "delete"], "stranger": []}
    for name, actions in expected.items():
        assert granted(api.user(name), scope) == {f"repository:{REPOSITORY}": actions}
    push_image(api.user("owner"), REPOSITORY)
    api.user("owner").request("DELETE", f"/v2/{REPOSITORY}/manifests/latest", scope=scope).expect(202)
    assert granted(api.user("admin"), "registry:catalog:*") == {"registry:catalog": ["*"]}
    assert granted(api.user("owner"), "registry:catalog:*") == {"registry:catalog": []}


def test_the_token_lists_every_resource_asked_for_with_empty_actions_where_refused(developer: Client) -> None:
    scopes = ("repository:acme/app:pull,push", "repository:secret/app:pull", "registry:catalog:*", "repository:UP:pull")
    assert granted(developer, *scopes) == {
        "repository:acme/app": ["pull", "push"],
        "repository:secret/app": [],
        "registry:catalog": [],
        "repository:UP": [],
    }
