"""The console's files as a browser gets them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from functions.hosting.boundary import response_of
from functions.management.application import Application
from functions.management.console import POLICY, Console
from roadstead.http import Request, Response
from tests.unit.functions.management.client import Desk

INDEX = b"<!doctype html><title>Roadstead</title>"
SCRIPT = "index-0a1b2c3d.js"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The files of a build."""
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_bytes(INDEX)
    for name, content in (
        (SCRIPT, b"plain"),
        (SCRIPT + ".br", b"br"),
        (SCRIPT + ".gz", b"gz"),
        ("m-0a.svg", b"<svg/>"),
    ):
        (assets / name).write_bytes(content)
    (tmp_path / "key").write_text("secret of the build")
    (tmp_path / "build.txt").write_text("0a1b2c3d\n")
    return tmp_path


@pytest.fixture
def desk(built: Path) -> Desk:
    return Desk(console=Console(built))


def ask(desk: Desk, path: str, method: str = "GET", **headers: str) -> Response:
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return response_of(Request(method, path, headers=sent), desk.application.respond)


def header(response: Response, name: str) -> str | None:
    values = [value for key, value in response.headers if key.lower() == name.lower()]
    assert len(values) <= 1, f"{name} stands there {len(values)} times"
    return values[0] if values else None


@pytest.mark.parametrize("path", ["/ui", "/ui/projects", "/ui/p/ships/r/a/b/-/a/sha256:00", "/ui/../../etc/passwd"])
def test_every_path_below_ui_is_the_page(desk: Desk, path: str) -> None:
    response = ask(desk, path)
    assert (response.status, response.body) == (200, INDEX)
    assert header(response, "content-type") == "text/html; charset=utf-8"
    assert header(response, "cache-control") == "no-cache"


def test_the_root_leads_to_the_console(desk: Desk) -> None:
    response = ask(desk, "/")
    assert (response.status, header(response, "location")) == (302, "/ui")
    assert header(response, "cache-control") == "no-store"


def test_the_page_runs_only_files_of_its_own_origin(desk: Desk) -> None:
    assert header(ask(desk, "/ui"), "content-security-policy") == POLICY
    directives = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in POLICY and "http" not in POLICY


def test_a_page_that_is_the_same_is_not_sent_again(desk: Desk) -> None:
    tag = header(ask(desk, "/ui"), "etag")
    assert tag is not None
    for known in (tag, f'W/{tag}, "other"'):
        response = ask(desk, "/ui", if_none_match=known)
        assert (response.status, response.body) == (304, b"")
    assert ask(desk, "/ui", if_none_match='"other"').status == 200


@pytest.mark.parametrize(
    ("accepted", "body", "encoding"),
    [
        ("gzip, deflate, br", b"br", "br"),
        ("gzip", b"gz", "gzip"),
        ("br;q=0, gzip;q=0.5", b"gz", "gzip"),
        ("br; q=0.000", b"plain", None),
        ("", b"plain", None),
    ],
)
def test_an_asset_is_sent_as_the_browser_takes_it(desk: Desk, accepted: str, body: bytes, encoding: str | None) -> None:
    response = ask(desk, f"/assets/{SCRIPT}", accept_encoding=accepted)
    assert (response.status, response.body) == (200, body)
    assert header(response, "content-encoding") == encoding
    assert header(response, "vary") == "Accept-Encoding"
    assert header(response, "content-type") == "text/javascript; charset=utf-8"
    assert header(response, "cache-control") == "public, max-age=31536000, immutable"


def test_an_asset_without_compressed_copies_is_sent_as_it_is(desk: Desk) -> None:
    response = ask(desk, "/assets/m-0a.svg", accept_encoding="br")
    assert (response.body, header(response, "content-type")) == (b"<svg/>", "image/svg+xml")


@pytest.mark.parametrize(
    "name",
    ["gone-0a1b2c3d.js", "../key", "..%2fkey", "", f"{SCRIPT}.br", f"x/{SCRIPT}", "../index.html"],
)
def test_an_unknown_asset_is_404_that_nobody_keeps_and_never_the_page(desk: Desk, name: str) -> None:
    response = ask(desk, f"/assets/{name}")
    assert response.status == 404
    assert header(response, "cache-control") == "no-store"
    assert b"errors" in response.body


@pytest.mark.parametrize("path", ["/ui", "/", f"/assets/{SCRIPT}"])
def test_the_console_is_only_read(desk: Desk, path: str) -> None:
    response = ask(desk, path, "POST")
    assert (response.status, header(response, "allow")) == (405, "GET, HEAD")


def test_a_head_has_the_length_and_no_body(desk: Desk) -> None:
    response = ask(desk, "/ui", "HEAD")
    assert (response.status, response.body, header(response, "content-length")) == (200, b"", str(len(INDEX)))


def test_every_answer_of_the_api_names_the_build(desk: Desk) -> None:
    assert header(ask(desk, "/api/v2.0/ping"), "x-roadstead-build") == "0a1b2c3d"
    assert header(ask(desk, "/api/nothing"), "x-roadstead-build") == "0a1b2c3d"


def test_what_caches_keep_has_no_token_of_a_session(desk: Desk) -> None:
    cookie = "__Host-roadstead=ada." + "a" * 43
    assert header(ask(desk, "/api/v2.0/ping", cookie=cookie), "x-harbor-csrf-token") is not None
    assert header(ask(desk, f"/assets/{SCRIPT}", cookie=cookie), "x-harbor-csrf-token") is None


def test_a_build_that_replaces_another_is_served_at_once(desk: Desk, built: Path) -> None:
    assert ask(desk, "/ui").body == INDEX
    (built / "index.html").write_bytes(b"<!doctype html>newer")
    (built / "build.txt").write_text("ffffffff\n")
    os.utime(built / "build.txt", ns=(1, 1))
    response = ask(desk, "/ui")
    assert (response.body, header(response, "etag")) == (b"<!doctype html>newer", '"ffffffff"')


def test_without_files_a_person_is_told_what_to_do_and_the_api_works(tmp_path: Path) -> None:
    desk = Desk(console=Console(tmp_path))
    response = ask(desk, "/ui")
    assert (response.status, header(response, "refresh")) == (404, "5")
    assert b"make up" in response.body and b"console = false" in response.body
    assert ask(desk, f"/assets/{SCRIPT}").status == 404
    ping = ask(desk, "/api/v2.0/ping")
    assert (ping.status, header(ping, "x-roadstead-build")) == (200, None)


def test_a_path_of_neither_is_refused_as_before(desk: Desk) -> None:
    assert isinstance(desk.application, Application)
    assert ask(desk, "/uix").status == 404
