"""Reads that go to the URL of their function, and those that must not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge import build
from tests.unit.edge.cases import ADDRESS, HOST, REPOSITORY, SHA256, UPLOAD, headers_of, run, token, where
from tests.unit.edge.engines import Engine, NodeEngine, QuickJsEngine

BEARER = ("Authorization", "Bearer t")
OURS = "x-roadstead-authorization"
READS = [
    "/v2/",
    "/v2/_catalog?n=10",
    f"/v2/{REPOSITORY}/tags/list",
    f"/v2/{REPOSITORY}/manifests/latest",
    f"/v2/{REPOSITORY}/blobs/{SHA256}",
    f"/v2/{REPOSITORY}/referrers/{SHA256}?artifactType=x",
    "/v2/app/tags/list",
    "/v2/not/an/endpoint",
]


@pytest.mark.parametrize("target", READS)
def test_a_read_with_a_token_goes_to_the_registrys_url_with_its_token_in_our_header(
    engine: Engine, target: str
) -> None:
    outcome = run(engine, "GET", target, [BEARER], settings={})
    assert where(outcome) == "registry"  # which holds the second origin and its status, too
    assert outcome.result["uri"] == target.partition("?")[0]
    headers = headers_of(outcome)
    assert (headers[OURS], headers["x-roadstead-host"], headers["x-roadstead-address"]) == ("Bearer t", HOST, ADDRESS)
    assert "authorization" not in headers


@pytest.mark.parametrize("sent", [[("Authorization", "Basic YTpi")], []])
def test_a_get_for_a_token_goes_to_the_token_functions_url(engine: Engine, sent: list[tuple[str, str]]) -> None:
    outcome = run(engine, "GET", "/token?service=roadstead&scope=repository%3Aa%2Fb%3Apull", sent, settings={})
    assert where(outcome) == "token"
    assert headers_of(outcome).get(OURS) == (sent[0][1] if sent else None)
    assert "authorization" not in headers_of(outcome)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        *(("HEAD", target) for target in (*READS, "/token")),
        *(("POST", target) for target in ("/token", f"/v2/{REPOSITORY}/blobs/uploads/")),
        ("PUT", f"/v2/{REPOSITORY}/manifests/latest"),
        ("DELETE", f"/v2/{REPOSITORY}/manifests/{SHA256}"),
        ("GET", f"{UPLOAD}?_state={token()}"),
        ("GET", f"/v2/{REPOSITORY}/blobs/uploads/other"),
        ("GET", "/v2"),
        ("GET", "/token/"),
        ("GET", "/Token"),
        ("GET", "/%74oken"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/api/v2.0/projects"),
        ("GET", "/ui/"),
        ("GET", "/"),
    ],
)
def test_all_else_goes_to_the_api_with_its_authorization(engine: Engine, method: str, target: str) -> None:
    outcome = run(engine, method, target, [BEARER])
    assert where(outcome) == "api"
    assert headers_of(outcome)["authorization"] == "Bearer t"
    assert OURS not in headers_of(outcome)


def test_a_read_without_a_token_that_the_edge_does_not_answer_goes_to_the_api(engine: Engine) -> None:
    """The registry answers it 401, and a function URL takes the challenge away."""
    assert where(run(engine, "GET", "/v2/app/tags/list")) == "api"


@pytest.mark.parametrize("value", ["", " ", "Bearer", "Basic YTpi", "Bearer a, Bearer b"])
def test_an_authorization_of_any_form_is_passed_on_as_it_is(engine: Engine, value: str) -> None:
    outcome = run(engine, "GET", "/v2/", [("Authorization", value)])
    assert (where(outcome), headers_of(outcome)[OURS]) == ("registry", value)


def test_two_authorizations_are_both_passed_on(engine: Engine) -> None:
    outcome = run(engine, "GET", "/v2/", [("Authorization", "Bearer a"), ("Authorization", "Bearer b")])
    entry = outcome.result["headers"][OURS]
    assert entry["multiValue"] == [{"value": "Bearer a"}, {"value": "Bearer b"}]


@pytest.mark.parametrize(
    "name", ["x-roadstead-authorization", "X-Roadstead-Authorization", "X-ROADSTEAD-AUTHORIZATION"]
)
@pytest.mark.parametrize("target", ["/v2/", "/token", "/api/v2.0/projects", "/v2/app/tags/list"])
@pytest.mark.parametrize("sent", [[BEARER], []])
def test_a_forged_header_of_ours_never_passes(
    engine: Engine, name: str, target: str, sent: list[tuple[str, str]]
) -> None:
    outcome = run(engine, "GET", target, [(name, "Bearer forged"), *sent, (name, "Bearer forged too")])
    assert "forged" not in str(outcome.result)


@pytest.fixture(scope="module", params=[NodeEngine, QuickJsEngine], ids=["node", "quickjs"])
def by_api(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made: Engine = request.param(lambda name: build.built(name, reads="api"))
    yield made
    made.close()


@pytest.mark.parametrize("target", [*READS, "/token"])
def test_a_distribution_without_function_urls_sends_reads_to_the_api(by_api: Engine, target: str) -> None:
    outcome = run(by_api, "GET", target, [BEARER])
    assert (where(outcome), headers_of(outcome)["authorization"]) == ("api", "Bearer t")
    assert OURS not in headers_of(outcome)
