from __future__ import annotations

import json

import pytest

from functions.relay.load import METRIC, LoadReport


@pytest.mark.parametrize(("uploads", "load"), [(0, 0.0), (6, 25.0), (30, 125.0)])
def test_the_load_is_a_metric_of_the_relay_in_percent_of_its_places(
    capsys: pytest.CaptureFixture[str], uploads: int, load: float
) -> None:
    LoadReport(24).report(uploads)
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Roadstead", [["function"]])
    assert (line["function"], line[METRIC]) == ("relay", load)
