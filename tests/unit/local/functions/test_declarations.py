"""The HTTP API's routes, and the environment of each function."""

from __future__ import annotations

import pytest

from functions.api import ROUTES
from local.cloud.resources import Resources
from local.functions.declarations import Distribution, functions

RESOURCES = Resources(
    *("index", "identity", "bucket", "key", "public key", "upload-keys", "{}"),
    *("queue", "letters", "outgoing", "unsent", "unread"),
)
EDGE = Distribution("http://127.0.0.1:5000")


def routed(path: str) -> tuple[str, str] | None:
    for route in ROUTES:
        proxy = route.match(path)
        if proxy is not None:
            return route.function, proxy
    return None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2", ("registry", "")),
        ("/v2/", ("registry", "")),
        ("/v2/a/b/tags/list", ("registry", "a/b/tags/list")),
        ("/v2//a", ("registry", "/a")),
        ("/token", ("token", "")),
        ("/service/token", ("token", "")),
        ("/.well-known/jwks.json", ("token", "")),
        ("/api/v2.0/ping", ("management", "v2.0/ping")),
        ("/token/", None),
        ("/v2x", None),
        ("/v1/", None),
        ("//v2/", None),
        ("/", ("management", "")),
        ("/ui", ("management", "")),
        ("/ui/", ("registry", "")),
        ("/ui/p/a/r/b", ("management", "p/a/r/b")),
        ("/assets/index-0a.js", ("management", "index-0a.js")),
        ("/uix", None),
    ],
)
def test_a_path_has_its_function_or_none(path: str, expected: tuple[str, str] | None) -> None:
    assert routed(path) == expected


@pytest.mark.parametrize("distribution", [EDGE, None])
def test_each_function_has_only_the_variables_that_it_needs(distribution: Distribution | None) -> None:
    made = functions(RESOURCES, {"AWS_X": "1"}, distribution)
    own = {function.name: set(function.environment) - {"AWS_X"} for function in made}
    shared = {"TOKEN_KEYS", "TOKEN_PUBLIC_KEYS", "TOKEN_ISSUER", "TOKEN_SERVICE"}
    edge = {"DISTRIBUTION_URL", "EDGE_SECRET_PARAMETER"} if distribution else set()
    assert own == {
        "registry": shared | {"INDEX_TABLE", "BUCKET", "UPLOAD_KEYS_PARAMETER"} | edge,
        "token": shared
        | {"IDENTITY_TABLE", "INDEX_TABLE", "LDAP_FUNCTION", "INTERNAL_ISSUERS"}
        | edge - {"DISTRIBUTION_URL"},
        "management": {"BUCKET", "IDENTITY_TABLE", "INDEX_TABLE", "LDAP_FUNCTION"}
        | {"NOTIFICATION_QUEUE_URL", "WEBHOOK_REACH", "WEBHOOK_PORTS"}
        | ({"EXTERNAL_URL", "EDGE_SECRET_PARAMETER"} if distribution else set()),
        "collector": {"INDEX_TABLE", "IDENTITY_TABLE", "BUCKET"},
        "webhook": {"AUDIT_LOG_GROUP", "AUDIT_DEAD_LETTERS_URL", "OBJECT_EVENTS_QUEUE"}
        | {"INDEX_TABLE", "IDENTITY_TABLE", "BUCKET"}
        | {
            "NOTIFICATION_QUEUE_URL",
            "NOTIFICATION_DEAD_LETTERS_URL",
            "REGISTRY_HOST",
            "WEBHOOK_REACH",
            "WEBHOOK_PORTS",
        },
        "indexer": {"INDEX_TABLE", "BUCKET", "INDEX_DEAD_LETTERS_URL"},
        "ldap": set(),
    }


def test_signed_calls_go_to_the_embedded_aws() -> None:
    made = functions(RESOURCES, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, None)
    asks = {function.name for function in made if function.environment.get("STS_ENDPOINT") == "http://127.0.0.1:1"}
    assert asks == {"token", "management"}


def test_every_route_leads_to_an_existing_function() -> None:
    names = {function.name for function in functions(RESOURCES, {}, EDGE)}
    assert {route.function for route in ROUTES} == names - {
        "collector",
        "webhook",
        "indexer",
        "ldap",
    }  # which events and other functions alone lead to
