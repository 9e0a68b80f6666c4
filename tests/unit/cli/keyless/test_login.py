"""`roadstead login --keyless` against a running local registry, whose STS verifies what the command signs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cli.keyless import docker_helper, registries
from cli.remote import command, logins
from cli.remote.client import Client
from tests.unit.cli.keyless.test_sources import TOKEN
from tests.unit.cli.remote_server import reason, run
from tests.unit.local.test_stack import Instance, up

RULE = ("--issuer", "aws", "--claim", "arn=arn:aws:iam::000000000000:role/local")


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with up(tmp_path_factory.mktemp("keyless") / "state") as running:
        yield running


@pytest.fixture
def admin(instance: Instance, tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path / "admin"),
        "ROADSTEAD_URL": str(instance.ready["registry"]),
        "ROADSTEAD_USER": str(instance.ready["admin"]),
        "ROADSTEAD_PASSWORD": instance.password().strip(),
    }


@pytest.fixture
def environ(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A CI with the AWS credentials of the embedded AWS, and no file."""
    keys = json.loads(Path(instance.ready["credentials_file"]).read_text())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["access_key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["secret_key"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", instance.ready["region"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", instance.ready["aws_endpoint"])
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return {"HOME": str(tmp_path / "ci")}


@pytest.fixture
def robot(admin: dict[str, str], capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> str:
    """A system robot that trusts the role of the embedded AWS."""
    name = request.node.name.replace("_", "-")[:60].strip("-")
    made = run(admin, capsys, "robot", "create-system", name, "--access", "robot:list", "--days", "-1")
    host = urlsplit(admin["ROADSTEAD_URL"]).netloc
    run(admin, capsys, "robot", "trust-add", made["name"], "--audience", host, *RULE)
    return str(made["name"])


def test_a_sign_in_by_aws_credentials_works_for_later_commands_and_docker(
    admin: dict[str, str], environ: dict[str, str], robot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = admin["ROADSTEAD_URL"]
    host = urlsplit(url).netloc
    docker = Path(environ["HOME"]) / ".docker" / "config.json"
    docker.parent.mkdir(parents=True)
    docker.write_text('{"auths": {"other": {}}, "credHelpers": {"other": "osxkeychain"}}')
    assert command.main(["login", url, "--user", robot, "--keyless", "aws", "--docker"], environ) == 0
    said = capsys.readouterr().out
    assert "and no password" in said and "docker-credential-roadstead" in said
    helpers = {"other": "osxkeychain", host: "roadstead"}
    assert json.loads(docker.read_text()) == {"auths": {"other": {}}, "credHelpers": helpers}
    assert json.loads(logins.path_of(environ).read_text())["password"] == ""

    assert robot in [one["name"] for one in run(environ, capsys, "robot", "list")]
    out = io.StringIO()
    assert docker_helper.main(["get"], environ, io.StringIO(host), out) == 0
    assert json.loads(out.getvalue())["Secret"].startswith("rsaws.")

    assert command.main(["logout"], environ) == 0
    assert registries.ways(environ) == {}
    assert not logins.path_of(environ).exists()


def test_variables_alone_are_enough(
    admin: dict[str, str], environ: dict[str, str], robot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environ |= {"ROADSTEAD_URL": admin["ROADSTEAD_URL"], "ROADSTEAD_USER": robot, "ROADSTEAD_KEYLESS": "aws"}
    assert robot in [one["name"] for one in run(environ, capsys, "robot", "list")]


def test_the_password_is_printed_for_a_pipe_and_nothing_is_stored(
    admin: dict[str, str], environ: dict[str, str], robot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = admin["ROADSTEAD_URL"]
    assert command.main(["login", url, "--user", robot, "--keyless", "aws", "--print-password"], environ) == 0
    password = capsys.readouterr().out.strip()
    assert not Path(environ["HOME"]).exists()
    by_hand = {**admin, "ROADSTEAD_USER": robot, "ROADSTEAD_PASSWORD": password}
    assert robot in [one["name"] for one in run(by_hand, capsys, "robot", "list")]


def test_a_token_in_a_file_is_found_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Client, "call", lambda *_: None)  # a registry that takes it
    environ = {"HOME": str(tmp_path / "home")}
    url = "https://registry.example.com"
    assert command.main(["login", url, "--user", "robot$ci", "--keyless", "file:token"], environ) == 0
    monkeypatch.chdir("/")
    login = logins.chosen(environ)
    assert login is not None and login.secret() == TOKEN


def test_a_sign_in_that_the_registry_refuses_is_not_stored(
    admin: dict[str, str], environ: dict[str, str], robot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    login = ("login", admin["ROADSTEAD_URL"], "--user", robot, "--keyless", "aws", "--docker")
    said = reason(environ, capsys, *login, "--audience", "other.example.com")
    assert "signed for the registry other.example.com" in said
    run(admin, capsys, "robot", "trust-remove", robot, "1")
    assert "trusts no identity token" in reason(environ, capsys, *login)
    assert not Path(environ["HOME"]).exists()


def test_a_configuration_of_docker_that_is_damaged_is_left_alone(
    admin: dict[str, str], environ: dict[str, str], robot: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environ["DOCKER_CONFIG"] = str(tmp_path)
    for text in ("{", "[]", '{"credHelpers": 1}'):
        (tmp_path / "config.json").write_text(text)
        login = ("login", admin["ROADSTEAD_URL"], "--user", robot, "--keyless", "aws", "--docker")
        assert "cannot be read as Docker's configuration" in reason(environ, capsys, *login)
        assert (tmp_path / "config.json").read_text() == text


@pytest.mark.parametrize(
    "options", [["--docker"], ["--print-password"], ["--audience", "x"], ["--profile", "x"], ["--keyless", "azure"]]
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"HOME": str(tmp_path)}
    assert command.main(["login", "https://registry.example.com", "--user", "ada", *options], environ) == 2
    assert capsys.readouterr().err


def test_nothing_is_made_for_a_registry_without_https(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"HOME": str(tmp_path)}
    login = ("login", "http://registry.example.com", "--user", "robot$x", "--keyless", "env:T", "--print-password")
    assert "HTTPS only" in reason(environ, capsys, *login)
