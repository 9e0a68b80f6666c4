"""The table of costs is the one that is computed, from the lines that the functions write."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.sections import costs
from bench.sections.costs import LOADS
from functions.management.costs import PULL, Load, line_bytes, rows, total

PAGE = (Path(__file__).parents[3] / "docs" / "operations" / "costs.md").read_text()


def test_the_page_has_the_table_as_it_is_computed() -> None:
    assert costs.show() in PAGE


def test_the_page_names_the_bytes_of_a_line_and_the_units_of_a_pull() -> None:
    assert f"log lines of {line_bytes()} bytes" in PAGE
    assert f"{PULL.reads} read units" in PAGE
    assert f"{PULL.edge}\nrequests to CloudFront and {PULL.api} to the API" in PAGE.replace("\n  ", "\n")


def test_an_idle_registry_pays_for_its_keys_alone() -> None:
    assert {name: amount for name, amount in rows(LOADS[0]) if amount} == {"KMS key 1.00, secret 0.40": 1.40}


def test_what_is_free_is_free_once_a_month() -> None:
    few = dict(rows(Load("few", pulls=70_000)))
    assert few["Lambda"] == few["CloudFront: requests, functions, Lambda@Edge"] == 0
    first, second, third = (total(Load("many", pulls=pulls)) for pulls in (1_000_000, 1_500_000, 2_000_000))
    assert third - second == pytest.approx(second - first)


def test_a_pull_has_one_entry_of_the_trail_beside_its_login() -> None:
    requests = PULL.edge - 1  # the challenge reaches no function
    entries = PULL.logs - requests * line_bytes()
    assert entries < 3_200  # ten entries would be 14,000
