"""Only `roadstead/outbound` opens connections to hosts that users name, and `roadstead/ldap` to the directory.

Nothing else in the functions opens any.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPENERS = {
    "socket",
    "ssl",
    "http.client",
    "urllib.request",
    "urllib3",
    "requests",
    "httpx",
    "asyncio",
    "ftplib",
    "smtplib",
}
SOURCES = [
    file
    for package in ("roadstead", "functions")
    for file in sorted((ROOT / package).rglob("*.py"))
    if not {ROOT / "roadstead" / "outbound", ROOT / "roadstead" / "ldap", ROOT / "functions" / "relay"}
    & set(file.parents)
]


def opened(source: str) -> set[str]:
    """The modules that a source imports by which connections can be opened."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {opener for opener in OPENERS for name in names if name == opener or name.startswith(f"{opener}.")}


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_opens_no_connection_by_itself(file: Path) -> None:
    assert opened(file.read_text()) == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import socket", {"socket"}),
        ("def f():\n  from urllib import request", {"urllib.request"}),
        ("from http.client import HTTPSConnection", {"http.client"}),
        (
            "import urllib.parse\nfrom roadstead.http import Request\nfrom roadstead.outbound.https import Answer",
            set(),
        ),
    ],
)
def test_the_rule_sees_what_breaks_it(source: str, found: set[str]) -> None:
    assert opened(source) == found


def test_the_one_place_is_found() -> None:
    assert {"socket", "ssl", "http.client"} <= opened((ROOT / "roadstead" / "outbound" / "https.py").read_text())
