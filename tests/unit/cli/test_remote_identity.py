"""Commands for providers and for the trust of robots, against the management API."""

from __future__ import annotations

import io

import pytest

from cli.remote import command
from roadstead.identity.people import ProviderFailed
from tests.unit.cli.remote_server import Server, reason, run
from tests.unit.identity.oidc_parts import ISSUER

Environ = dict[str, str]
Captured = pytest.CaptureFixture[str]
GITHUB = "https://token.actions.githubusercontent.com"
ROLE = "arn:aws:iam::123456789012:role/ci"


def test_rules_of_a_robot_are_added_listed_and_removed(environ: Environ, capsys: Captured) -> None:
    robot = run(environ, capsys, "robot", "create", "ships", "ci", "--access", "repository:push")["name"]
    for_github = ("--claim", "repository=acme/ships", "--claim", "ref=refs/heads/a=b")
    run(environ, capsys, "robot", "trust-add", robot, "--issuer", GITHUB, "--audience", "registry", *for_github)
    run(environ, capsys, "robot", "trust-add", robot, "--issuer", "aws", "--audience", "host", "--claim", f"arn={ROLE}")
    claims = {"repository": "acme/ships", "ref": "refs/heads/a=b"}
    first = {"issuer": GITHUB, "audience": "registry", "claims": claims}
    second = {"issuer": "aws", "audience": "host", "claims": {"arn": ROLE}}
    assert run(environ, capsys, "robot", "trust", robot) == {"rules": [first, second]}

    assert command.main(["robot", "trust", robot], environ) == 0
    head, one, two = capsys.readouterr().out.splitlines()
    assert head.split() == ["RULE", "ISSUER", "AUDIENCE", "CLAIMS"]
    assert one.split() == ["1", GITHUB, "registry", "repository=acme/ships,", "ref=refs/heads/a=b"]
    assert two.split() == ["2", "aws", "host", f"arn={ROLE}"]

    for number in ("0", "3", "x"):
        assert f"There is no rule {number}" in reason(environ, capsys, "robot", "trust-remove", robot, number)
    run(environ, capsys, "robot", "trust-remove", robot, "1")
    assert run(environ, capsys, "robot", "trust", robot) == {"rules": [second]}


def test_a_rule_that_says_nothing_is_refused(environ: Environ, capsys: Captured) -> None:
    robot = run(environ, capsys, "robot", "create", "ships", "ci", "--access", "repository:push")["name"]
    add = ("robot", "trust-add", robot, "--issuer", GITHUB, "--audience", "registry")
    assert "is not a claim" in reason(environ, capsys, *add, "--claim", "repository")
    assert "given twice" in reason(environ, capsys, *add, "--claim", "ref=a", "--claim", "ref=b")
    assert "must say who" in reason(environ, capsys, *add, "--claim", "ref=refs/heads/main")
    assert run(environ, capsys, "robot", "trust", robot) == {"rules": []}


def test_what_robots_can_have_is_listed(environ: Environ, capsys: Captured) -> None:
    assert {"resource": "repository", "action": "push"} in run(environ, capsys, "robot", "permissions")["project"]
    assert command.main(["robot", "permissions"], environ) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["project", "repository", "push"] in lines and ["system", "catalog", "read"] in lines


def test_the_directory_is_set_up_tested_searched_and_imported_from(
    server: Server, environ: Environ, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("search password\n"))
    settings = ("--servers", "ldaps://ldap.example.com", "--base-dn", "dc=example", "--uid", "uid", "--scope", "1")
    run(environ, capsys, "ldap", "set", *settings, "--verify-cert", "false", "--password-stdin")
    shown = run(environ, capsys, "ldap", "show")
    values = {key: shown[key]["value"] for key in ("ldap_url", "ldap_uid", "ldap_scope", "ldap_verify_cert")}
    assert values == {
        "ldap_url": "ldaps://ldap.example.com",
        "ldap_uid": "uid",
        "ldap_scope": 1,
        "ldap_verify_cert": False,
    }
    assert all(key.startswith("ldap_") for key in shown) and "search password" not in str(shown)
    assert command.main(["ldap", "show"], environ) == 0
    assert "ldaps://ldap.example.com" in capsys.readouterr().out

    people = server.desk.people
    people.add("zoe", "secret of zoe")
    assert [one["username"] for one in run(environ, capsys, "ldap", "search", "--name", "zoe")] == ["zoe"]
    run(environ, capsys, "ldap", "import", "zoe")
    assert run(environ, capsys, "user", "show", "zoe")["username"] == "zoe"
    assert "Nobody:" in reason(environ, capsys, "ldap", "import", "nobody")

    assert run(environ, capsys, "ldap", "ping")["success"] is True
    people.down = ProviderFailed("bind", "the search account was refused")
    assert command.main(["ldap", "ping"], environ) == 1
    assert "The test failed: bind: the search account was refused" in capsys.readouterr().err


def test_the_provider_is_set_up_and_tested(
    server: Server, environ: Environ, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("client secret\n"))
    settings = ("--endpoint", ISSUER, "--client-id", "registry", "--auto-onboard", "true", "--admin-group", "admins")
    run(environ, capsys, "oidc", "set", *settings, "--password-stdin")
    shown = run(environ, capsys, "oidc", "show")
    assert (shown["oidc_endpoint"]["value"], shown["oidc_auto_onboard"]["value"]) == (ISSUER, True)
    assert "client secret" not in str(shown)
    run(environ, capsys, "oidc", "ping")
    run(environ, capsys, "oidc", "ping", "--endpoint", ISSUER)
    server.desk.provider.down = True
    assert "Discovery:" in reason(environ, capsys, "oidc", "ping")
    run(environ, capsys, "oidc", "set", "--endpoint", "")
    assert run(environ, capsys, "oidc", "show")["oidc_endpoint"]["value"] == ""


def test_providers_beside_the_first_are_put_changed_and_removed(
    environ: Environ, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("secret of the client\n"))
    own = ("--endpoint", "https://sso.corp.example.com", "--client-id", "registry", "--auto-onboard", "true")
    run(environ, capsys, "oidc", "put-provider", "corp", *own, "--name", "Corp", "--password-stdin")
    (listed,) = run(environ, capsys, "oidc", "providers")
    assert (listed["id"], listed["name"], listed["has_secret"]) == ("corp", "Corp", True)
    run(environ, capsys, "oidc", "set-provider", "corp", "--groups-claim", "groups", "--logout", "true")
    shown = run(environ, capsys, "oidc", "show-provider", "corp")
    kept = {name: shown[name] for name in ("endpoint", "name", "auto_onboard", "groups_claim", "logout", "has_secret")}
    assert kept == {
        "endpoint": "https://sso.corp.example.com",
        "name": "Corp",
        "auto_onboard": True,
        "groups_claim": "groups",
        "logout": True,
        "has_secret": True,
    }
    assert "secret of the client" not in str(shown)
    assert command.main(["oidc", "providers"], environ) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["corp", "Corp", own[1], "registry", "yes"]
    run(environ, capsys, "oidc", "remove-provider", "corp")
    assert run(environ, capsys, "oidc", "providers") == []
    assert "no provider 'corp'" in reason(environ, capsys, "oidc", "set-provider", "corp", "--logout", "false")


@pytest.mark.parametrize("group", ["ldap", "oidc"])
def test_a_change_of_nothing_is_a_wrong_command_line(environ: Environ, capsys: Captured, group: str) -> None:
    assert command.main([group, "set"], environ) == 2
    assert "name an option" in capsys.readouterr().err
