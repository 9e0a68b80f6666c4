"""Synthesised templates, and helpers that read permissions from them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from infra.app import build, stack_id
from infra.configuration.settings import Settings

ACCOUNT = "111122223333"
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXVmYh3TOpEkMv5TALUjKSsMSYIM5
r5nWx8W1FMeQFYmgqcGcVFAKgM9jBu0A97gm4y0fSgTj9DHRmIO6N0vDjA==
-----END PUBLIC KEY-----
"""

# Every setting that adds something.
EVERYTHING: Mapping[str, Any] = {
    "name": "harbour-2",
    "region": "eu-central-1",
    "account": ACCOUNT,
    "functions": {"registry": {"memory": 1769, "reserved_concurrency": 50}},
    "signing": {"generations": [2, 1]},
    "api": {
        "domain": "api.example.com",
        "certificate": f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/0a",
        "challenge": "mapped",
        "access_log": True,
    },
    "distribution": {
        "domain": "registry.example.com",
        "certificate": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/0b",
        "blobs_at": "distribution",
        "blob_url_public_key": "blob-url-key.pem",
        "web_acl": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/office/1",
        "secret_version": "0123456789abcdef0123456789abcdef",
    },
    "relay": {
        "kind": "fargate",
        "fargate": {
            "least_tasks": 2,
            "cloudfront_prefix_list": "pl-0a0a0a0a",
            "image": "registry.example.org/relay:1",
            "network": {
                "vpc": "vpc-0a0a0a0a",
                "cidr": "10.0.0.0/16",
                "availability_zones": ["eu-central-1a", "eu-central-1b"],
                "load_balancer_subnets": ["subnet-0a0a0a0a", "subnet-0b0b0b0b"],
                "task_subnets": ["subnet-1a1a1a1a", "subnet-1b1b1b1b"],
            },
        },
    },
    "python": "3.14",
    "deletion_protection": True,
    "retention": {"logs": 7, "audit": 3653, "recovery": 14},
    "alarms": {"email": "operator@example.com", "all": True},
    "metrics": True,
    "lambda_lines": True,
    "environment": {"registry": {"MAX_BLOB_BYTES": "60000000000"}, "token": {"TOKEN_LIFETIME": "600"}},
}
LEAST: Mapping[str, Any] = {
    "console": False,
    "relay": {"kind": "none"},
    "api": {"closed": True},
    "distribution": {"reads": "api"},
}
FARGATE: Mapping[str, Any] = {"relay": {"kind": "fargate"}}
# A public relay, with Lambda@Edge, in a region other than that one's own.
PUBLIC_RELAY: Mapping[str, Any] = {
    "region": "eu-central-1",
    "account": ACCOUNT,
    "relay": {
        "kind": "fargate",
        "fargate": {
            "public_domain": "relay.example.com",
            "public_certificate": f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/0a",
            "availability_zones": ["eu-central-1b", "eu-central-1c"],
        },
    },
}


@dataclass(frozen=True)
class Deployment:
    """What was written for one file of settings: the main template, and all of them by name."""

    settings: Settings
    directory: Path
    template: dict[str, Any]

    @property
    def resources(self) -> dict[str, Any]:
        resources: dict[str, Any] = self.template["Resources"]
        return resources

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The properties of every resource of a type."""
        return [one["Properties"] for one in self.resources.values() if one["Type"] == kind]

    def one(self, kind: str) -> dict[str, Any]:
        (properties,) = self.of(kind)
        return properties

    def texts(self) -> Iterator[str]:
        """Every template as it was written."""
        for file in sorted(self.directory.glob("*.template.json")):
            yield file.read_text()

    @property
    def assertions(self) -> Template:
        return Template.from_json(self.template)


def synthesise(document: Mapping[str, Any], directory: Path) -> Deployment:
    """Synthesise in this process, with an empty package. Raises if cdk-nag has a finding that is not accepted."""
    (directory / "blob-url-key.pem").write_text(PUBLIC_KEY)
    settings = Settings.parse(document, directory)
    app = cdk.App(outdir=str(directory / "out"))
    package = directory / "relay.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.js"), "")
    console = fake_console(directory / "console") if settings.console else None
    build(app, settings, package, console)
    app.synth()
    template = json.loads((directory / "out" / f"{stack_id(settings.name)}.template.json").read_text())
    return Deployment(settings, directory / "out", template)


def fake_console(directory: Path) -> Path:
    """Write a console's built files, as small as can be."""
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html>")
    (directory / "assets" / "index-0a1b2c3d.js").write_text("")
    (directory / "build.txt").write_text("0a1b2c3d")
    return directory


def lint(deployment: Deployment) -> str:
    """What cfn-lint says; empty when it says nothing. Raises AssertionError if it fails without a finding."""
    files = [str(file) for file in deployment.directory.glob("*.template.json")]
    command = [str(Path(sys.executable).with_name("cfn-lint")), *files]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert files and (done.stdout or done.returncode == 0), done.stderr
    return done.stdout


def text(value: Any) -> str:
    """An intrinsic function as one readable string: references in <>."""
    if isinstance(value, str):
        return value
    (kind, argument), *_ = value.items()
    if kind == "Ref":
        return f"<{argument}>"
    if kind == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    if kind == "Fn::Sub":
        return re.sub(r"\$\{([^}]+)\}", r"<\1>", argument)
    if kind == "Fn::Join":
        return str(argument[0]).join(text(part) for part in argument[1])
    return json.dumps(value)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(deployment: Deployment, role: str) -> list[dict[str, Any]]:
    """All that the role allows whose logical id begins with `role`: in it, and in the policies attached to it."""
    (name,) = [
        one
        for one, resource in deployment.resources.items()
        if resource["Type"] == "AWS::IAM::Role" and one.startswith(role)
    ]
    documents = [policy["PolicyDocument"] for policy in deployment.resources[name]["Properties"].get("Policies", [])]
    documents += [
        policy["PolicyDocument"] for policy in deployment.of("AWS::IAM::Policy") if {"Ref": name} in policy["Roles"]
    ]
    return [statement for document in documents for statement in document["Statement"]]


def grants(deployment: Deployment, role: str) -> dict[str, str]:
    """Actions, parted by spaces, by resource; AWS's own placeholders shortened so that a table can be read."""
    found: dict[str, set[str]] = {}
    for statement in statements(deployment, role):
        assert statement["Effect"] == "Allow"
        for resource in listed(statement["Resource"]):
            found.setdefault(short(text(resource)), set()).update(listed(statement["Action"]))
    return {resource: " ".join(sorted(actions)) for resource, actions in found.items()}


def short(arn: str) -> str:
    arn = arn.replace("arn:<AWS::Partition>:", "").replace("<AWS::Region>", "").replace("<AWS::AccountId>", "")
    return arn.replace("us-east-1", "")


def roles(deployment: Deployment) -> list[str]:
    return [name for name, resource in deployment.resources.items() if resource["Type"] == "AWS::IAM::Role"]
