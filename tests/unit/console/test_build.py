"""When the console is built anew, and what is said when it cannot be."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from console import build, npm
from console.npm import ConsoleError
from infra.packaging import console as packaged


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console of two files, which nothing has built yet."""
    for name in ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"):
        (tmp_path / name).write_text(name)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.tsx").write_text("1")
    for module in (build, npm):
        monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(build, "DIST", tmp_path / "dist")
    monkeypatch.setattr(build, "_KEY", tmp_path / "dist" / "key")
    monkeypatch.setattr(npm, "MODULES", tmp_path / "node_modules")
    return tmp_path


@pytest.fixture
def commands(source: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that ran; npm makes node_modules, vite makes dist."""
    ran: list[list[str]] = []

    def run(words: list[str], environment: Any, folder: Path | None = None) -> None:
        ran.append([Path(word).name for word in words[1:3]])
        (source / ("node_modules" if "ci" in words else "dist")).mkdir(exist_ok=True)

    monkeypatch.setattr(npm, "_run", run)
    monkeypatch.setattr(npm, "_node", lambda: "/usr/bin/node")
    return ran


def test_the_first_build_fetches_packages_and_the_next_does_nothing(commands: list[list[str]]) -> None:
    assert not build.is_current()
    build.build()
    build.build()
    assert commands == [["npm-cli.js", "ci"], ["vite.js", "build"]]
    assert build.is_current()


def test_a_changed_source_is_built_anew_with_the_same_packages(source: Path, commands: list[list[str]]) -> None:
    build.build()
    (source / "src" / "other.tsx").write_text("2")
    assert not build.is_current()
    build.build()
    assert commands[2:] == [["vite.js", "build"]]


def test_other_packages_are_fetched_when_the_lock_file_changes(source: Path, commands: list[list[str]]) -> None:
    build.build()
    (source / "package-lock.json").write_text("another")
    build.build()
    assert commands[2:] == [["npm-cli.js", "ci"], ["vite.js", "build"]]


def test_packages_with_tests_do_for_a_build_and_not_the_other_way_round(
    source: Path, commands: list[list[str]]
) -> None:
    npm.install()
    npm.install(with_tests=True)
    npm.install()
    assert commands == [["npm-cli.js", "ci"]] * 2
    lock = hashlib.sha256(b"package-lock.json").hexdigest()
    assert (source / "node_modules" / ".roadstead").read_text() == f"{lock} all"


def test_files_whose_names_change_places_are_another_source(source: Path) -> None:
    before = build.key()
    (source / "src" / "main.tsx").rename(source / "src" / "other.tsx")
    assert build.key() != before


def test_a_command_that_fails_is_told_with_the_end_of_what_it_printed(source: Path) -> None:
    with pytest.raises(ConsoleError, match=r"ended with 3: .*the reason"):
        npm._run(["/bin/sh", "-c", "echo the reason >&2; exit 3"], {})


def test_a_deployment_without_built_files_says_what_to_do(source: Path, commands: list[list[str]]) -> None:
    with pytest.raises(ConsoleError, match="run `make console`, or set `console = false`"):
        packaged.built_console()
    build.build()
    assert packaged.built_console().name == "dist"
