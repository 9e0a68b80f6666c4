"""The file of settings: defaults, every problem at once, and the documentation that lists the keys."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.configuration import environments
from infra.configuration.keys_of_toml import Keys
from infra.configuration.relay_settings import RelayKind
from infra.configuration.settings import Settings, SettingsError
from infra.packaging.source import configured_functions
from tests.infra.templates import EVERYTHING, FARGATE, LEAST, PUBLIC_KEY, PUBLIC_RELAY

ROOT = Path(__file__).parents[2]
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0a"


def fargate(**settings: Any) -> dict[str, Any]:
    return {"relay": {"kind": "fargate", "fargate": settings}}


def parse(**document: Any) -> Settings:
    return Settings.parse(document)


def problems(document: Mapping[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as failed:
        Settings.parse(document)
    return str(failed.value).split("; ")


def test_an_empty_file_is_a_registry_with_a_relay_that_scales_from_zero() -> None:
    settings = parse()
    assert settings.name == "roadstead"
    assert settings.relay.kind is RelayKind.WEB_FUNCTION
    assert settings.distribution.readable_errors
    assert not parse(relay={"kind": "fargate"}).distribution.readable_errors  # there is no Lambda@Edge beside it
    assert not settings.api.closed
    assert settings.signing.generations == (1,)
    assert not settings.blobs_by_distribution


def test_the_file_that_is_shipped_is_the_defaults() -> None:
    assert Settings.load(ROOT / "infra" / "roadstead.toml") == parse()


def test_the_examples_in_it_are_good_once_they_are_taken_in() -> None:
    text = (ROOT / "infra" / "roadstead.toml").read_text()
    examples = re.sub(r"^# (?=\[[a-z]+\]|[a-z_]+ = )", "", text, flags=re.MULTILINE)
    document = tomllib.loads(examples.replace("…", "0a0a0a0a"))
    assert set(document) == {"region", "name", "deletion_protection", "distribution", "relay", "alarms"}
    Settings.parse(document)


def test_functions_have_the_sizes_that_chalice_package_gives_them() -> None:
    settings = parse()
    assert {name: (one.memory, one.timeout) for name, one in settings.functions.items()} == {
        name: (one["lambda_memory_size"], one["lambda_timeout"]) for name, one in configured_functions().items()
    }


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = problems(
        {
            "name": "Harbour",
            "region": "Frankfurt",
            "functions": {"registry": {"timeout": 60}, "console": {}},
            "relay": {"uploads": 100, "tasks": 3},
            "retention": {"logs": 31},
            "colour": "blue",
        }
    )
    assert found == [
        "name is 'Harbour': it must be 2 to 20 small letters, digits and -",
        "region is 'Frankfurt': it must be a region like eu-central-1",
        "functions.registry.timeout is 60: it must be a whole number from 3 to 29",
        "functions.console is not a setting",
        "relay.uploads is 100, which takes 4256 MiB: an execution environment has 2048",
        "relay.tasks is not a setting",
        "retention.logs must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, "
        "2192, 2557, 2922, 3288, 3653",
        "colour is not a setting",
    ]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"api": {"domain": "api.example.com"}}, "api.domain and api.certificate go together"),
        (
            {"distribution": {"certificate": CERTIFICATE}},
            "distribution.domain and distribution.certificate go together",
        ),
        (
            {"distribution": {"domain": "a.example.com", "certificate": CERTIFICATE.replace("us-east-1", "eu-west-1")}},
            "the ARN of a certificate in us-east-1",
        ),
        ({"distribution": {"domain": "https://a.example.com"}}, "it must be a host name like registry.example.com"),
        ({"distribution": {"blobs_at": "distribution"}}, "distribution.blob_url_public_key must name a PEM file"),
        ({"distribution": {"blob_url_public_key": "k.pem"}}, 'is used with blobs_at = "distribution" only'),
        (
            {"distribution": {"blobs_at": "distribution", "blob_url_public_key": "absent.pem"}},
            "distribution.blob_url_public_key cannot be read",
        ),
        ({"signing": {"generations": []}}, "signing.generations must name one to five different numbers"),
        ({"signing": {"generations": [1, 1]}}, "signing.generations must name one to five different numbers"),
        ({"relay": {"kind": "lambda"}}, "relay.kind is 'lambda': it must be web-function or fargate or none"),
        ({"relay": {"enabled": False}}, "relay.enabled is not a setting"),
        ({"relay": {"fargate": {}}}, 'relay.fargate is used with relay.kind = "fargate" only'),
        ({"relay": {"kind": "none", "package": "a.zip"}}, 'relay.package is used with relay.kind = "web-function"'),
        ({"relay": {"requests_per_second": 150}}, "relay.requests_per_second must be a multiple of 100 up to 1000"),
        (fargate(cpu=1024, memory=1024), "relay.fargate.cpu and relay.fargate.memory must be a size"),
        (fargate(least_tasks=5), "relay.fargate.least_tasks is more than relay.fargate.most_tasks"),
        (fargate(vpc_cidr="10.0.0.1/24"), "relay.fargate.vpc_cidr is not a block of addresses"),
        (fargate(vpc_cidr="10.0.0.0/28"), "relay.fargate.vpc_cidr must be a block of /16 to /25"),
        (
            fargate(network={"vpc": "vpc-0a0a0a0a", "cidr": "10.0.0.0/16"}),
            "relay.fargate.network.availability_zones must name",
        ),
        (fargate(network={}), "relay.fargate.cloudfront_prefix_list must be set with relay.fargate.network"),
        (
            {**fargate(), "distribution": {"readable_errors": True}},
            "distribution.readable_errors cannot be true",
        ),
        (fargate(availability_zones=["us-east-1a"]), "relay.fargate.availability_zones must name two zones"),
        ({"python": "3.11"}, "python is '3.11': it must be 3.13 or 3.14"),
        (
            {"api": {"domain": "a.example.com", "certificate": CERTIFICATE, "closed": True}},
            "api.closed refuses every client of api.domain",
        ),
        ({"alarms": {"email": "nobody"}}, "alarms.email is 'nobody': it must be an address"),
        ({"environment": {"registry": {"URL_SECONDS": 60}}}, "environment.registry.URL_SECONDS must be a variable"),
        ({"environment": {"console": {}}}, "environment.console is not a setting"),
        ({"relay": "off"}, "relay must be a table, [relay]"),
        ({"deletion_protection": "yes"}, "deletion_protection is 'yes': it must be true or false"),
        ({"functions": {"token": {"memory": True}}}, "functions.token.memory is True: it must be a whole number"),
    ],
)
def test_a_problem_names_its_key(document: Mapping[str, Any], problem: str) -> None:
    assert any(problem in one for one in problems(document)), problems(document)


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PUBLIC_KEY.replace("PUBLIC", "PRIVATE"))
    document = {"distribution": {"blobs_at": "distribution", "blob_url_public_key": "key.pem"}}
    with pytest.raises(SettingsError, match="must hold one public key in PEM and nothing else"):
        Settings.parse(document, tmp_path)


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"registry": {"HEAD_ANSWERS": "loudly"}}, "environment.registry: HEAD_ANSWERS is 'loudly'"),
        ({"token": {"TOKEN_LIFETIME": "5"}}, "environment.token: TOKEN_LIFETIME is '5'"),
        ({"registry": {"BUCKET": "mine"}}, "environment.registry.BUCKET is set by the deployment"),
        ({"relay": {"RELAY_UPLOADS": "9"}}, "environment.relay.RELAY_UPLOADS is set by the deployment"),
        ({"registry": {"MAX_BLOB_BYTES": "100000000000"}}, "environment.relay: MAX_BLOB_BYTES is '100000000000'"),
    ],
)
def test_variables_are_tried_on_the_functions_own_settings(
    environment: Mapping[str, Mapping[str, str]], problem: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(problem)):
        environments.check(parse(environment=environment))


def test_the_defaults_pass_the_functions_own_settings(tmp_path: Path) -> None:
    (tmp_path / "blob-url-key.pem").write_text(PUBLIC_KEY)
    for document in ({}, EVERYTHING, FARGATE, LEAST, PUBLIC_RELAY):
        environments.check(Settings.parse(document, tmp_path))


def test_a_file_that_is_missing_or_malformed_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml cannot be read: No such file"):
        Settings.load(tmp_path / "absent.toml")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(SettingsError, match=r"bad\.toml is not TOML"):
        Settings.load(tmp_path / "bad.toml")


def test_the_command_says_what_is_wrong_in_one_line_and_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text('name = "X"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "ROADSTEAD_SETTINGS": str(tmp_path / "wrong.toml"), "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1].startswith(f"{tmp_path}/wrong.toml: name is 'X': it must be")
    assert list(tmp_path.glob("*.template.json")) == []


def test_the_documentation_lists_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    documented = set(
        re.findall(r"^\| `((?![a-z_]+\.py)[a-z_.]+)`", (ROOT / "docs" / "deployment.md").read_text(), re.MULTILINE)
    )
    assert documented == asked(monkeypatch)


def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every key that is looked for, by a look over the reader's shoulder."""
    seen: set[str] = set()

    class Watching(Keys):
        def _get(self, key: str, default: Any) -> Any:
            seen.add(self._dotted(key))
            return super()._get(key, default)

        def table(self, key: str) -> Keys:
            table = super().table(key)
            seen.discard(self._dotted(key))
            return Watching(table._table, self._dotted(key), self._problems)

    monkeypatch.setattr("infra.configuration.settings.Keys", Watching)
    problems({**fargate(network={"vpc": "x"}), "distribution": {"blobs_at": "distribution"}})
    return seen


def test_cdk_json_names_the_app() -> None:
    assert json.loads((ROOT / "cdk.json").read_text())["app"].endswith("-m infra.app")


def test_the_suites_run_on_the_python_that_is_deployed_by_default() -> None:
    assert f"LAMBDA_PYTHON := python{parse().python}\n" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize(("kind", "reads"), [("web-function", "function"), ("fargate", "api"), ("none", "function")])
def test_the_management_function_is_told_what_costs_depend_on(kind: str, reads: str) -> None:
    settings = parse(relay={"kind": kind}, distribution={"reads": reads})
    made = environments.environment("management", settings, environments._STAND_INS)
    assert (made["RELAY_KIND"], made["READS"]) == (kind, reads)
    environments.check(settings)
