"""Lines of the embedded metric format, held to its specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from functions.hosting import metrics
from functions.hosting.metrics import Metric, line, request_line
from functions.hosting.observation import Observation

NOON = 1_795_521_600_123
UNITS = {"Count", "Bytes", "Milliseconds"}


def check(document: Mapping[str, Any]) -> None:
    """What CloudWatch asks of a line ("Specification: Embedded metric format")."""
    about = document["_aws"]
    assert isinstance(about["Timestamp"], int)
    for directive in about["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert 0 < len(directive["Metrics"]) <= 100
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(isinstance(document[name], str) and document[name] for name in dimensions)
        for definition in directive["Metrics"]:
            assert definition["Unit"] in UNITS
            assert isinstance(document[definition["Name"]], int | float)


def of_request(**changes: Any) -> dict[str, Any]:
    given = {"method": "GET", "status": 200, "code": "", "seconds": 0.0125, "received": 3, "sent": 20, **changes}
    return request_line("registry", Observation("request-1", "1-a-b", "manifests.get"), **given)


@pytest.fixture(autouse=True)
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_started", True)
    monkeypatch.setattr(metrics, "_on", True)


def test_cloudwatch_makes_no_metric_of_a_line_unless_the_setting_asks_for_it() -> None:
    asked = of_request(status=404, code="BLOB_UNKNOWN")
    metrics.start(False)
    assert of_request(status=404, code="BLOB_UNKNOWN") == {
        name: value for name, value in asked.items() if name != "_aws"
    }
    metrics.start(True)
    check(of_request())


def test_a_metric_that_something_depends_on_is_made_in_any_case() -> None:
    metrics.start(False)
    check(line([Metric("UploadLoad", 5)], {"function": "relay"}, now_ms=NOON, always=True))


def test_a_request_is_one_valid_line() -> None:
    document = of_request()
    check(document)
    assert {name: value for name, value in document.items() if name != "_aws"} == {
        "function": "registry",
        "route": "manifests.get",
        "method": "GET",
        "status": 200,
        "request_id": "request-1",
        "trace_id": "1-a-b",
        "Requests": 1,
        "Latency": 12.5,
        "RequestBytes": 3,
        "ResponseBytes": 20,
    }


def test_errors_are_counted_by_code_and_faults_separately() -> None:
    refused = of_request(status=404, code="BLOB_UNKNOWN")
    check(refused)
    assert (refused["Errors"], refused["code"]) == (1, "BLOB_UNKNOWN") and "Faults" not in refused
    assert {"Namespace": "Roadstead", "Dimensions": [["function", "code"]], "Metrics": [{"Name": "Errors", "Unit": "Count"}]} in refused["_aws"]["CloudWatchMetrics"]  # fmt: skip  # noqa: E501
    assert of_request(status=500, code="UNKNOWN")["Faults"] == 1


def test_the_first_request_of_an_environment_is_a_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_started", False)
    assert [of_request().get("ColdStarts"), of_request().get("ColdStarts")] == [1, None]


def test_counts_of_a_handler_are_in_the_line() -> None:
    seen = Observation("request-1", route="get_token")
    seen.count("TokensIssued")
    seen.count("PermissionsRefused", 2)
    document = request_line("token", seen, method="GET", status=200, code="", seconds=0, received=0, sent=0)
    check(document)
    assert (document["TokensIssued"], document["PermissionsRefused"]) == (1, 2)


def test_a_line_has_at_most_100_metrics() -> None:
    check(line([Metric(f"M{place}", 1) for place in range(150)], {"function": "x"}, now_ms=NOON))


def test_metrics_of_sizes_are_in_bytes_and_others_counts() -> None:
    document = line([Metric("UploadBytes", 5), Metric("Mounts", 1)], {"function": "x"}, now_ms=NOON)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    units = {definition["Name"]: definition["Unit"] for definition in directive["Metrics"]}
    assert units == {"UploadBytes": "Bytes", "Mounts": "Count"}
