"""The table of routes, held to the specification's list of endpoints."""

from __future__ import annotations

import inspect
import re
from typing import cast, get_type_hints

import pytest

from functions.distribution.authorization import needed_access
from functions.distribution.call import Call
from functions.distribution.routes import ROUTES, Needs, Route, match
from roadstead.content.uploads.token import UploadToken
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.identity.access import CATALOG_ACCESS, Access
from roadstead.names import Reference, RepositoryName, Tag

NAME = "ships/galleon"
DIGEST, LONG = "sha256:" + "a" * 64, "sha512:" + "b" * 128
PULL, PUSH, DELETE = {"pull"}, {"pull", "push"}, {"delete"}

# distribution-spec 1.1.1, "Endpoints", and Docker's catalog: id, method, path, actions on the repository.
SPECIFICATION = [
    ("end-1", "GET", "/v2/", None),
    ("end-2", "GET", f"/v2/{NAME}/blobs/{DIGEST}", PULL),
    ("end-2", "HEAD", f"/v2/{NAME}/blobs/{DIGEST}", PULL),
    ("end-3", "GET", f"/v2/{NAME}/manifests/latest", PULL),
    ("end-3", "HEAD", f"/v2/{NAME}/manifests/{DIGEST}", PULL),
    ("end-4", "POST", f"/v2/{NAME}/blobs/uploads/", PUSH),  # end-4a, end-4b (?digest=) and end-11 (?mount=)
    ("end-5", "PATCH", f"/v2/{NAME}/blobs/uploads/1", PUSH),
    ("end-6", "PUT", f"/v2/{NAME}/blobs/uploads/1", PUSH),
    ("end-7", "PUT", f"/v2/{NAME}/manifests/latest", PUSH),
    ("end-8", "GET", f"/v2/{NAME}/tags/list", PULL),
    ("end-9", "DELETE", f"/v2/{NAME}/manifests/latest", DELETE),
    ("end-10", "DELETE", f"/v2/{NAME}/blobs/{DIGEST}", DELETE),
    ("end-12", "GET", f"/v2/{NAME}/referrers/{DIGEST}", PULL),
    ("end-13", "GET", f"/v2/{NAME}/blobs/uploads/1", PUSH),
    ("end-14", "DELETE", f"/v2/{NAME}/blobs/uploads/1", PUSH),
]


def handled(method: str, path: str) -> None:
    """Call the handler of a request that is authorised, to see how it is refused."""
    found = match(method, path)
    found.route.handler(cast(Call, None), **found.parts)


@pytest.mark.parametrize(("endpoint", "method", "path", "actions"), SPECIFICATION)
def test_every_endpoint_of_the_specification_has_its_row_and_its_access(
    endpoint: str, method: str, path: str, actions: set[str] | None
) -> None:
    found = match(method, path)
    assert found.route.endpoint == endpoint
    assert found.parts.get("repository") == (NAME if actions is not None else None)
    assert needed_access(found) == (Access.to(NAME, *actions) if actions is not None else None)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method}-{route.name}")
def test_head_is_served_wherever_get_is(route: Route) -> None:
    if route.method == "GET":
        found = match("HEAD", route.path.rstrip("?").format(repository=NAME, reference="v1", digest=DIGEST, upload="1"))
        assert (found.route.endpoint, found.route.needs) == (route.endpoint, route.needs)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method}-{route.name}")
def test_a_handler_takes_the_call_and_the_parts_of_its_path(route: Route) -> None:
    types = {"repository": RepositoryName, "reference": Reference, "digest": Digest, "upload": UploadToken}
    names = re.findall(r"{(\w+)}", route.path)
    call, *parts = inspect.signature(route.handler).parameters
    annotations = get_type_hints(route.handler)
    assert annotations[call] is Call
    assert {name: annotations[name] for name in parts} == {name: types[name] for name in names}


def test_only_the_specification_and_the_catalog_have_rows() -> None:
    listed = {(endpoint, method) for endpoint, method, _, _ in SPECIFICATION}
    assert {(route.endpoint, route.method) for route in ROUTES} == {*listed, ("catalog", "GET")}


def test_the_catalog_needs_the_administrators_access() -> None:
    assert needed_access(match("GET", "/v2/_catalog")) == CATALOG_ACCESS


def test_only_upload_routes_are_authorised_by_upload_tokens() -> None:
    by_upload = {(route.endpoint, route.method) for route in ROUTES if route.needs is Needs.UPLOAD}
    assert by_upload == {("end-13", "GET"), ("end-5", "PATCH"), ("end-6", "PUT"), ("end-14", "DELETE")}


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_base_path_works_without_its_slash(path: str) -> None:
    assert match("GET", path).route.endpoint == "end-1"


@pytest.mark.parametrize("path", [f"/v2/{NAME}/blobs/uploads", f"/v2/{NAME}/blobs/uploads/"])
def test_the_uploads_path_works_without_its_slash(path: str) -> None:
    assert match("POST", path).route.endpoint == "end-4"


def test_path_parts_are_parsed() -> None:
    assert match("GET", f"/v2/{NAME}/manifests/v1.0").parts["reference"] == Tag("v1.0")
    for digest in (DIGEST, LONG):
        assert isinstance(match("GET", f"/v2/{NAME}/manifests/{digest}").parts["reference"], Digest)
        assert match("GET", f"/v2/{NAME}/blobs/{digest}").parts["digest"] == digest
    assert match("PATCH", f"/v2/{NAME}/blobs/uploads/ab").parts["upload"] == "ab"


# A repository may be named like a part of the API: a path is matched from the right.
@pytest.mark.parametrize(
    "name", ["blobs", "manifests", "tags/list", "a/manifests/b", "a/blobs/uploads", "v2", "uploads"]
)
def test_repository_names_that_look_like_paths_are_matched(name: str) -> None:
    for method, path, endpoint in (
        ("GET", f"manifests/{DIGEST}", "end-3"),
        ("GET", f"blobs/{DIGEST}", "end-2"),
        ("PUT", "blobs/uploads/1", "end-6"),
        ("GET", "tags/list", "end-8"),
        ("GET", f"referrers/{DIGEST}", "end-12"),
    ):
        found = match(method, f"/v2/{name}/{path}")
        assert (found.parts["repository"], found.route.endpoint) == (RepositoryName.parse(name), endpoint)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1/",
        "/v2/x",
        "/V2/",
        "/v2//",
        f"/v2/{NAME}",
        f"/v2/{NAME}/tags",
        f"/v2/{NAME}/tags/list/",
        f"/v2/{NAME}/manifests/",
        f"/v2/{NAME}/manifests/a/b",
        f"/v2/{NAME}/blobs/",
        f"/v2/{NAME}/blobs/uploads/1/2",
        "/v2/_catalog/",
        "/v2/manifests/latest",
        f"/v2/a\nb/manifests/{DIGEST}",
    ],
)
def test_any_other_path_is_404(path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        with pytest.raises(RegistryError) as error:
            handled(method, path)
        assert error.value.status == 404


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v2/", "GET, HEAD"),
        ("DELETE", "/v2/_catalog", "GET, HEAD"),
        ("POST", f"/v2/{NAME}/manifests/latest", "DELETE, GET, HEAD, PUT"),
        ("PUT", f"/v2/{NAME}/blobs/{DIGEST}", "DELETE, GET, HEAD"),
        ("GET", f"/v2/{NAME}/blobs/uploads/", "POST"),
        ("HEAD", f"/v2/{NAME}/blobs/uploads/", "POST"),
        ("POST", f"/v2/{NAME}/blobs/uploads/1", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", f"/v2/{NAME}/tags/list", "GET, HEAD"),
        ("get", "/v2/", "GET, HEAD"),
        ("head", "/v2/", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_with_allow(method: str, path: str, allow: str) -> None:
    with pytest.raises(RegistryError) as error:
        handled(method, path)
    assert (error.value.entries[0].code, error.value.status) == (ErrorCode.UNSUPPORTED, 405)
    assert error.value.headers == (("Allow", allow),)


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", f"/v2/{NAME}/unknown", None),
        ("GET", "/v2/A/tags/list", None),
        ("DELETE", "/v2/", None),
        ("DELETE", "/v2/_catalog", CATALOG_ACCESS),
        ("BREW", f"/v2/{NAME}/manifests/latest", Access.to(NAME, *PULL)),
        ("GET", f"/v2/{NAME}/blobs/uploads/", Access.to(NAME, *PUSH)),
        ("GET", f"/v2/{NAME}/blobs/latest", Access.to(NAME, *PULL)),
        ("PUT", f"/v2/{NAME}/manifests/-x", Access.to(NAME, *PUSH)),
        ("DELETE", f"/v2/{NAME}/manifests/-x", Access.to(NAME, *DELETE)),
    ],
)
def test_a_request_that_will_be_refused_needs_authorisation_first(
    method: str, path: str, needed: Access | None
) -> None:
    assert needed_access(match(method, path)) == needed


@pytest.mark.parametrize("name", ["A", "a//b", "../b", "a/../b", "a/./b", "-a", "a/", "a%2fb", "a_", "x" * 256, "é"])
def test_a_malformed_name_is_name_invalid(name: str) -> None:
    for path in ("manifests/latest", "tags/list", "blobs/uploads/1"):
        with pytest.raises(RegistryError) as error:
            handled("GET", f"/v2/{name}/{path}")
        assert (error.value.entries[0].code, error.value.status) == (ErrorCode.NAME_INVALID, 400)


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("GET", "blobs/latest", ErrorCode.DIGEST_INVALID, 400),
        ("GET", "blobs/sha256:" + "A" * 64, ErrorCode.DIGEST_INVALID, 400),
        ("GET", "blobs/md5:" + "a" * 32, ErrorCode.DIGEST_INVALID, 400),
        ("GET", "manifests/sha256:abc", ErrorCode.DIGEST_INVALID, 400),
        ("PUT", "manifests/sha256:abc", ErrorCode.DIGEST_INVALID, 400),
        ("GET", "referrers/latest", ErrorCode.DIGEST_INVALID, 400),
        ("PUT", "manifests/-x", ErrorCode.TAG_INVALID, 400),
        ("PUT", "manifests/" + "x" * 129, ErrorCode.TAG_INVALID, 400),
        ("GET", "manifests/-x", ErrorCode.MANIFEST_UNKNOWN, 404),
        ("DELETE", "manifests/-x", ErrorCode.MANIFEST_UNKNOWN, 404),
    ],
)
def test_a_malformed_reference_has_the_documented_code(method: str, path: str, code: ErrorCode, status: int) -> None:
    with pytest.raises(RegistryError) as error:
        handled(method, f"/v2/{NAME}/{path}")
    assert (error.value.entries[0].code, error.value.status) == (code, status)
