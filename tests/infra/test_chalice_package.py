"""What `chalice package` makes of the source: one zip, one SAM template, a role for each function."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.cloud.resources import Resources
from local.functions.declarations import functions

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("registry", "token", "management", "collector", "webhook", "indexer", "ldap")

# The permission that each call of a client needs ("Actions, resources, and condition keys for AWS services").
_WRITES = ("dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
ACTIONS = {
    "get_item": ("dynamodb:GetItem",),
    "batch_get_item": ("dynamodb:BatchGetItem",),
    "query": ("dynamodb:Query",),
    "scan": ("dynamodb:Scan",),
    "put_item": ("dynamodb:PutItem",),
    "update_item": ("dynamodb:UpdateItem",),
    "delete_item": ("dynamodb:DeleteItem",),
    "batch_write_item": ("dynamodb:BatchWriteItem",),
    "transact_write_items": _WRITES,
    "get_object": ("s3:GetObject",),
    "head_object": ("s3:GetObject",),
    "generate_presigned_url": ("s3:GetObject",),
    "put_object": ("s3:PutObject",),
    "create_multipart_upload": ("s3:PutObject",),
    "upload_part": ("s3:PutObject",),
    "complete_multipart_upload": ("s3:PutObject",),
    "abort_multipart_upload": ("s3:AbortMultipartUpload",),
    "delete_object": ("s3:DeleteObject",),
    "delete_objects": ("s3:DeleteObject",),
    "list_objects_v2": ("s3:ListBucket",),
    "get_parameter": ("ssm:GetParameter",),
    "get_parameters_by_path": ("ssm:GetParametersByPath",),
    "put_parameter": ("ssm:PutParameter",),
    "delete_parameter": ("ssm:DeleteParameter",),
    "get_public_key": ("kms:GetPublicKey",),
    "sign": ("kms:Sign",),
    "invoke": ("lambda:InvokeFunction",),
    "put_log_events": ("logs:PutLogEvents",),
    "create_log_stream": ("logs:CreateLogStream",),
    "send_message_batch": ("sqs:SendMessage",),
    "change_message_visibility": ("sqs:ChangeMessageVisibility",),
}
# What a store can do and the function that uses it never does: KmsKeys signs too, and the registry must not be able to.
NEVER = {"kms:Sign", "dynamodb:Scan"}  # a rebuild scans, by whoever runs the command
# Whoever deploys switches notifications on; `infra/` does.
NOTIFICATIONS = {
    "NOTIFICATION_QUEUE_URL",
    "NOTIFICATION_DEAD_LETTERS_URL",
    "REGISTRY_HOST",
    "WEBHOOK_REACH",
    "WEBHOOK_PORTS",
}
# What only one machine is set to: issuers on it, by plain HTTP.
ON_ONE_MACHINE = {"INTERNAL_ISSUERS", "TOKEN_PUBLIC_KEYS"}
# What Lambda itself does in the function's name, to bring it the records of streams and queues.
EVENT_SOURCES = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}
OPERATION = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}


@dataclass(frozen=True)
class Package:
    template: dict[str, Any]
    names: frozenset[str]

    def function(self, name: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.template["Resources"][name.capitalize()]["Properties"]
        return properties

    def statements(self, name: str) -> list[dict[str, Any]]:
        role = self.function(name)["Role"]["Fn::GetAtt"][0]
        (policy,) = self.template["Resources"][role]["Properties"]["Policies"]
        statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
        return statements


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Packaged from a copy, so that Chalice's cache and Python's stay out of the source and the zip."""
    source = tmp_path_factory.mktemp("source")
    for name in ("app.py", "requirements.txt", "requirements", "vendor", "functions", "roadstead", ".chalice"):
        path = ROOT / name
        if path.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "venv")
            shutil.copytree(path, source / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(path, source / name, follow_symlinks=False)
    subprocess.run(
        [str(Path(sys.executable).with_name("chalice")), "package", "--stage", "prod", "out"],
        cwd=source,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
        capture_output=True,
        timeout=300,
    )
    with zipfile.ZipFile(source / "out" / "deployment.zip") as archive:
        names = frozenset(archive.namelist())
    return Package(json.loads((source / "out" / "sam.json").read_text()), names)


def test_the_zip_holds_the_source_and_what_it_needs(package: Package) -> None:
    sources = {str(file.relative_to(ROOT)) for top in ("functions", "roadstead") for file in (ROOT / top).rglob("*.py")}
    assert sources | {"app.py"} <= package.names
    tops = {name.partition("/")[0] for name in package.names}
    assert {"botocore", "cryptography", "chalice"} <= tops
    assert not {"boto3", "s3transfer"} & tops


def test_the_zip_holds_nothing_of_the_workshop(package: Package) -> None:
    tops = {name.partition("/")[0] for name in package.names}
    assert not tops & {"tests", "local", "bench", "edge", "infra", "moto", "ministack", "uvicorn", "pytest", "vendor"}
    assert not [name for name in package.names if "__pycache__" in name and not name.startswith("chalice/")]


def test_the_zip_holds_the_pinned_versions(package: Package) -> None:
    pins = locked(ROOT / "requirements.txt")
    for name in ("botocore", "cryptography"):
        assert f"{name}-{pins[name]}.dist-info/METADATA" in package.names


def test_the_functions_are_what_app_names_and_there_is_no_rest_api(package: Package) -> None:
    kinds = [resource["Type"] for resource in package.template["Resources"].values()]
    assert sorted(kinds) == sorted(["AWS::Serverless::Function", "AWS::IAM::Role"] * len(FUNCTIONS))
    assert [package.function(name)["Handler"] for name in FUNCTIONS] == [f"app.{name}" for name in FUNCTIONS]


def test_each_function_has_its_size_time_and_trace(package: Package) -> None:
    shapes = {
        name: (shape["MemorySize"], shape["Timeout"], shape["Tracing"])
        for name in FUNCTIONS
        for shape in [package.function(name)]
    }
    assert shapes == {
        "registry": (1024, 29, "Active"),
        "token": (512, 10, "Active"),
        "management": (1024, 29, "Active"),
        "collector": (512, 900, "Active"),
        "webhook": (256, 60, "Active"),
        "indexer": (512, 60, "Active"),
        "ldap": (512, 25, "Active"),
    }


def test_each_function_has_the_variables_that_it_has_locally(package: Package) -> None:
    resources = Resources(
        "roadstead-index",
        "roadstead-identity",
        "roadstead-ACCOUNT-REGION",
        "alias/roadstead-token",
        "unused",
        "/roadstead/upload-keys",
        "secret",
        object_events_url="unused",
        dead_letters_url="https://sqs.REGION.amazonaws.com/ACCOUNT/roadstead-audit-dead-letters",
        notifications_url="unused",
        notification_dead_letters_url="unused",
        index_dead_letters_url="https://sqs.REGION.amazonaws.com/ACCOUNT/roadstead-index-dead-letters",
    )
    for function in functions(resources, {}, None):
        not_here = NOTIFICATIONS | ON_ONE_MACHINE
        expected = {name: value for name, value in function.environment.items() if name not in not_here}
        variables = dict(package.function(function.name).get("Environment", {}).get("Variables", {}))
        if function.name == "management":  # locally there is no Lambda API: the tick starts executions
            assert variables.pop("COLLECTOR_FUNCTION") == "roadstead-prod-collector"
        assert variables == expected


def test_the_registry_may_do_exactly_what_its_stores_call(package: Package) -> None:
    assert actions(package, "registry") - OPERATION == called("registry") - NEVER


def test_the_token_function_may_do_no_more_than_its_stores_call(package: Package) -> None:
    assert actions(package, "token") - OPERATION == {
        "dynamodb:BatchGetItem",  # the user, the projects, the roles, the refresh token
        "dynamodb:BatchWriteItem",  # a refresh token, and those it displaces
        "dynamodb:ConditionCheckItem",  # nothing is left of an earlier project of that name
        "dynamodb:GetItem",  # the configuration, once a minute
        "dynamodb:PutItem",  # the project of an administrator's first push
        "dynamodb:Query",  # a user's refresh tokens
        "dynamodb:UpdateItem",  # a password's hash by new parameters
        "kms:GetPublicKey",
        "kms:Sign",
        "lambda:InvokeFunction",  # the function that asks directories
        "ssm:GetParameter",  # the secret of the distribution, the search account's password
    }
    assert actions(package, "token") - OPERATION <= called("token")


def test_the_management_function_may_do_no_more_than_its_stores_call(package: Package) -> None:
    assert actions(package, "management") - OPERATION == {
        "dynamodb:BatchGetItem",  # the session, the user, the project, the role
        "dynamodb:BatchWriteItem",  # the uses of a manifest that is copied, the items of what goes
        "dynamodb:ConditionCheckItem",  # a member's project and user exist
        "dynamodb:DeleteItem",  # a session or a member that goes
        "dynamodb:GetItem",  # one user, one project, the name behind an id
        "dynamodb:PutItem",  # users, projects, members, sessions
        "dynamodb:Query",  # the lists
        "dynamodb:UpdateItem",  # what changes of them
        "lambda:InvokeFunction",  # the collector, to run an execution; the function that asks directories
        "s3:GetObject",  # manifests, and what the indexer derived
        "s3:ListBucket",  # or what is not there would be answered 403
        "s3:PutObject",  # a manifest that is copied
        "sqs:SendMessage",  # a notification that is sent once more
        "ssm:DeleteParameter",  # secrets that nothing names any more
        "ssm:GetParameter",  # the secrets of the distribution, of webhooks and of providers
        "ssm:GetParametersByPath",  # secrets that a change left behind when it died
        "ssm:PutParameter",
    }
    assert actions(package, "management") - OPERATION <= called("management")


def test_the_collector_writes_no_blob_and_reads_no_identity(package: Package) -> None:
    assert actions(package, "collector") - OPERATION == {
        "dynamodb:BatchGetItem",  # records, uploads, the manifests of uses
        "dynamodb:BatchWriteItem",  # candidates, marks of uploads, uses
        "dynamodb:ConditionCheckItem",  # a restored repository, a copy's project: neither is being deleted
        "dynamodb:DeleteItem",  # links, records
        "dynamodb:GetItem",  # a link, a manifest, the checkpoint
        "dynamodb:PutItem",  # candidates, events
        "dynamodb:Query",  # candidates, uses, a blob's links
        "dynamodb:UpdateItem",  # the mark of a link, a condemned record
        "s3:DeleteObject",
        "s3:GetObject",  # manifests; the metadata of objects
        "s3:ListBucket",  # an upload's chunks
        "s3:PutObject",  # manifests that are restored
    }


def test_the_webhook_function_may_do_no_more_than_its_stores_call(package: Package) -> None:
    assert actions(package, "webhook") - OPERATION - EVENT_SOURCES == {
        "dynamodb:BatchGetItem",  # events of the identity table, states of uploads
        "dynamodb:BatchWriteItem",  # pages of the trail
        "dynamodb:PutItem",  # candidates of the collector
        "dynamodb:UpdateItem",  # the counts
        "dynamodb:GetItem",  # the object that serves a digest
        "s3:DeleteObject",  # an object that can never be adopted
        "s3:GetObject",  # an upload's metadata
        "s3:ListBucket",  # or what is not there would be answered 403
        "sqs:SendMessage",  # dead letters
    }
    assert actions(package, "webhook") - OPERATION - EVENT_SOURCES <= called("webhook")


def test_the_indexer_may_do_no_more_than_its_stores_call(package: Package) -> None:
    assert actions(package, "indexer") - OPERATION - EVENT_SOURCES == {
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",  # pull counts go only while there is no such manifest
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",  # or what is not there would be answered 403
        "s3:PutObject",
        "sqs:SendMessage",  # dead letters
    }
    assert actions(package, "indexer") - OPERATION - EVENT_SOURCES <= called("indexer")


def test_the_indexer_writes_what_it_derives_and_of_content_only_whether_it_is_listed(package: Package) -> None:
    written = {
        key
        for statement in package.statements("indexer")
        if {"dynamodb:PutItem", "dynamodb:DeleteItem"} & set(statement["Action"])
        for key in statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    }
    assert written == {
        *("artifact#*", "where#*", "reposum#*", "own#*", "usage#*", "count#*", "pulls#*", "labelled#*"),
        *("event#*", "reserved#*"),  # a quota that is crossed, and bytes that are counted
    }
    (objects,) = [one for one in package.statements("indexer") if "s3:PutObject" in one["Action"]]
    assert str(objects["Resource"]).endswith("/derived/*'}")


def test_the_webhook_function_reads_of_identities_their_events_alone_and_writes_no_content(package: Package) -> None:
    items = [
        statement
        for statement in package.statements("webhook")
        if "dynamodb:" in str(statement["Action"]) and "/stream/" not in str(statement["Resource"])
    ]
    written = ["pulls#*", "pullers#*", "pullsum#*", "trail#*", "gc#*"]
    written = ["pulls#*", "pullers#*", "pullsum#*", "trail#*", "gc#*"]
    assert [(statement["Sid"], statement["Condition"]) for statement in items] == [
        ("IdentityEvents", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["event#*"]}}),
        ("PullCounts", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": written}}),
        ("SpentUploads", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["upload#*", "blob#*"]}}),
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_permission_is_for_everything(package: Package, name: str) -> None:
    for statement in package.statements(name):
        wanted = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in wanted if "*" in action]
        if statement["Resource"] == "*":
            assert set(wanted) <= OPERATION  # X-Ray has no resources
        if wanted[0].startswith("kms:"):
            assert statement["Condition"] == {
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/roadstead-token"}
            }


def test_only_the_token_function_reads_identities_and_signs(package: Package) -> None:
    registry = json.dumps(package.statements("registry"))
    assert "identity" not in registry
    assert "kms:Sign" not in registry
    (quotas,) = [one for one in package.statements("token") if "roadstead-index" in json.dumps(one["Resource"])]
    assert quotas["Action"] == ["dynamodb:GetItem", "dynamodb:PutItem"]
    assert quotas["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["rules#*", "event#*"]}}


def test_the_lock_file_at_the_root_holds_all_that_any_function_needs() -> None:
    union = locked(ROOT / "requirements.txt")
    for name in FUNCTIONS:
        assert locked(ROOT / "requirements" / f"{name}.txt").items() <= union.items()


def test_every_requirement_is_pinned_by_hash() -> None:
    for line in (ROOT / "requirements.txt").read_text().replace("\\\n", " ").splitlines():
        if line and not line.lstrip().startswith("#"):
            assert re.match(r"[a-z0-9.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_imports_its_own_handler_while_it_is_initialised_and_no_other(name: str) -> None:
    script = "import app, json, sys; print(json.dumps([m for m in sys.modules if m.startswith('functions.')]))"
    settings = {
        "INDEX_TABLE": "i",
        "IDENTITY_TABLE": "i",
        "BUCKET": "b",
        "TOKEN_KEYS": "k",
        "UPLOAD_KEYS_PARAMETER": "u",
        "AUDIT_LOG_GROUP": "g",
        "AUDIT_DEAD_LETTERS_URL": "https://q",
        "INDEX_DEAD_LETTERS_URL": "https://q",
    }
    seen = json.loads(python(script, {"_HANDLER": f"app.{name}", **settings}))
    assert f"functions.{name}.handler" in seen
    others = [module for module in seen for other in FUNCTIONS if other != name and module.split(".")[1] == other]
    assert others == []


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "ldap"])  # which needs none
def test_a_function_without_its_settings_fails_while_it_is_initialised_and_names_them(name: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        python("import app", {"_HANDLER": f"app.{name}"})
    first = {
        "webhook": "AUDIT_LOG_GROUP",
        "collector": "INDEX_TABLE",
        "indexer": "INDEX_TABLE",
        "management": "IDENTITY_TABLE",
    }.get(name, "TOKEN_KEYS")
    assert f"{first} is not set" in failed.value.stderr


def test_without_a_handler_nothing_of_the_functions_is_imported() -> None:
    assert json.loads(python("import app, sys; print(sum(m.startswith('functions') for m in sys.modules))", {})) == 0


def python(script: str, environment: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1", **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    ).stdout


def locked(file: Path) -> dict[str, str]:
    """The pins of a lock file that hold on this platform, whatever it is: name to version."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", file.read_text(), re.MULTILINE))


def actions(package: Package, name: str) -> set[str]:
    found: set[str] = set()
    for statement in package.statements(name):
        action = statement["Action"]
        found |= {action} if isinstance(action, str) else set(action)
    return found


def called(name: str) -> set[str]:
    """The permissions for every client call in the stores that a function's composition root imports."""
    room = "distribution" if name == "registry" else name
    tree = ast.parse((ROOT / "functions" / room / "composition.py").read_text())
    stores = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("roadstead.aws.")
    }
    found: set[str] = set()
    for store in stores:
        for node in ast.walk(ast.parse((ROOT / f"{store.replace('.', '/')}.py").read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self._client":
                found |= set(ACTIONS[node.attr])
    return found


def test_chalice_is_the_version_that_is_pinned() -> None:
    assert importlib.metadata.version("chalice") == locked(ROOT / "requirements" / "local.txt")["chalice"]
