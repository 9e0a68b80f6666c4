"""The zip of each function: what is in it, and that the function runs on nothing else."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointResolutionError
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from infra.packaging.bytecode import BytecodeError, compile_all, compiler_on_this_machine
from infra.packaging.packages import lay_out
from tests.infra.test_chalice_package import ACTIONS
from tests.packages import chalice_package, unpacked

SERVICES = {
    "registry": {"dynamodb", "s3", "kms", "ssm", "xray"},
    "token": {"dynamodb", "kms", "lambda", "ssm", "xray"},
    "management": {"dynamodb", "lambda", "s3", "sqs", "ssm", "xray"},
    "collector": {"dynamodb", "s3", "xray"},
    "webhook": {"dynamodb", "s3", "sqs", "ssm", "logs", "xray"},
}
# Of other people's packages, those that a function imports and those that they need.
AWS = {"app", "chalice", "functions", "roadstead", "botocore", "dateutil", "jmespath", "six", "urllib3"}
TRACES = {"aws_xray_sdk", "wrapt"}
SIGNATURES = {"cryptography", "cffi", "_cffi_backend", "pycparser"}
PACKAGES = {
    "registry": AWS | TRACES | SIGNATURES,
    "token": AWS | TRACES | SIGNATURES,
    "management": AWS | TRACES | SIGNATURES,
    "collector": AWS | TRACES,
    "webhook": AWS | TRACES,
}
# Our modules that no package but that of the one function has.
NOBODY_ELSES = {
    "registry": {"functions.distribution.application", "roadstead.identity.tokens.verification"},
    "token": {"functions.token.application", "roadstead.identity.tokens.minting"},
    "management": {"functions.management.application", "functions.management.routes"},
    "collector": {"functions.collector.handler"},
    "webhook": {"functions.webhook.handler"},
}
SETTINGS = {
    **dict.fromkeys(
        ("INDEX_TABLE", "IDENTITY_TABLE", "BUCKET", "TOKEN_KEYS", "UPLOAD_KEYS_PARAMETER", "AUDIT_LOG_GROUP"), "x"
    ),
    "AUDIT_DEAD_LETTERS_URL": "https://q",
}
FUNCTIONS = sorted(PACKAGES)
IGNORED = (".dist-info", ".data")
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-5", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The directories of the functions."""
    directory = tmp_path_factory.mktemp("packages")
    return {name: unpacked(name, directory / name) for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_package_holds_the_distributions_that_the_function_needs(packages: dict[str, Path], name: str) -> None:
    held = {path.name.partition(".")[0] for path in packages[name].iterdir() if path.suffix not in IGNORED}
    assert held - {"__pycache__", "wrapt-stubs"} == PACKAGES[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_package_holds_no_other_functions_modules(packages: dict[str, Path], name: str) -> None:
    held = {
        ".".join(path.relative_to(packages[name]).with_suffix("").parts)
        for top in ("functions", "roadstead")
        for path in (packages[name] / top).rglob("*.py")
    }
    for owner, modules in NOBODY_ELSES.items():
        assert modules & held == (modules if owner == name else set())
    assert not {module for module in held if module.startswith("functions.relay")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_module_has_its_bytecode(packages: dict[str, Path], name: str) -> None:
    sources = list(packages[name].rglob("*.py"))
    assert len(sources) > 100
    assert not [path for path in sources if not Path(importlib.util.cache_from_source(str(path))).exists()]


def test_there_is_no_package_for_a_function_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"functions\.console\.handler"):
        lay_out("console", chalice_package(tmp_path / "chalice.zip"), tmp_path, tmp_path / "console")


def test_bytecode_is_compiled_by_a_python_of_the_functions_version() -> None:
    here = ".".join(map(str, sys.version_info[:2]))
    assert compiler_on_this_machine(here) == (sys.executable,)
    assert compiler_on_this_machine("3.2") is None


def test_a_module_that_does_not_compile_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def")
    with pytest.raises(BytecodeError, match=r"broken\.py"):
        compile_all(tmp_path, (sys.executable,))


RUN = """
import sys
sys.path.insert(0, {directory!r})
import json, app
outside = [
    module.__file__ for module in sys.modules.values()
    if getattr(module, "__file__", None) and "site-packages" in module.__file__
]
compiled = [
    name for name, module in sys.modules.items()
    if (getattr(module, "__file__", None) or "").startswith({directory!r})
    and module.__file__.endswith(".py") and not (module.__cached__ or "").startswith({directory!r})
]
print(json.dumps([outside, compiled]))
"""


@pytest.mark.parametrize("tracing", ["off", "on"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_on_its_package_alone(packages: dict[str, Path], name: str, tracing: str) -> None:
    environment = {"_HANDLER": f"app.{name}", "TRACING": tracing}
    outside, compiled = json.loads(alone(packages[name], RUN.format(directory=str(packages[name])), environment))
    assert outside == compiled == []


CLIENTS = """
import sys
sys.path.insert(0, {directory!r})
import json
from roadstead.aws.clients import client
print(json.dumps({{name: [word for word in dir(client(name)) if not word.startswith("_")] for name in {services!r}}}))
"""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_its_clients_have_the_methods_that_its_stores_call(packages: dict[str, Path], name: str) -> None:
    services = sorted(SERVICES[name])
    methods = json.loads(alone(packages[name], CLIENTS.format(directory=str(packages[name]), services=services), {}))
    held = {path.name for path in (packages[name] / "botocore" / "data").iterdir() if path.is_dir()}
    assert held == set(services)
    for method, actions in ACTIONS.items():
        service = actions[0].partition(":")[0]
        if service in SERVICES[name] and is_called(packages[name], method):
            assert method in methods[service]
    assert {"get_sampling_rules", "get_sampling_targets"} <= set(methods["xray"])  # of the X-Ray SDK


def is_called(package: Path, method: str) -> bool:
    return any(f"._client.{method}(" in path.read_text() for path in (package / "roadstead" / "aws").rglob("*.py"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_smaller_model_says_the_same_of_each_call(packages: dict[str, Path], name: str) -> None:
    loader = cut_loader(packages[name])
    for service in SERVICES[name]:
        smaller = ServiceModel(loader.load_service_model(service, "service-2"), service)
        full = ServiceModel(Loader().load_service_model(service, "service-2"), service)
        assert 0 < len(smaller.operation_names) < len(full.operation_names)
        assert smaller.metadata == full.metadata
        for operation in smaller.operation_names:
            ours, theirs = smaller.operation_model(operation), full.operation_model(operation)
            assert described(ours.input_shape) == described(theirs.input_shape)
            assert described(ours.output_shape) == described(theirs.output_shape)
            assert [described(shape) for shape in ours.error_shapes] == [
                described(shape) for shape in theirs.error_shapes
            ]
            assert (ours.http, ours.auth_type, ours.http_checksum) == (
                theirs.http,
                theirs.auth_type,
                theirs.http_checksum,
            )


def test_clients_go_to_the_same_addresses(packages: dict[str, Path]) -> None:
    whole = Loader()  # a loader remembers what it has read
    loaders = {name: cut_loader(packages[name]) for name in ("registry", "webhook")}
    for service in SERVICES["webhook"] | SERVICES["registry"]:
        ours = loaders["registry" if service in SERVICES["registry"] else "webhook"]
        for region in REGIONS:
            for options in ({}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}):
                assert address(service, region, options, ours) == address(service, region, options, whole)


def address(service: str, region: str, options: Mapping[str, Any], loader: Loader) -> tuple[str, str]:
    """Of the service, and of an object; or what is wrong with the question."""
    session = botocore.session.Session()
    session.register_component("data_loader", loader)
    session.set_credentials("x", "x")
    client = session.create_client(service, region_name=region, config=Config(signature_version="s3v4", **options))
    url = ""
    if service == "s3":
        try:
            signed = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "a/b"})
            url = signed.partition("?")[0]
        except EndpointResolutionError as error:
            url = str(error)
    return client.meta.endpoint_url, url


def cut_loader(package: Path) -> Loader:
    data = str(package / "botocore" / "data")
    loader = Loader(extra_search_paths=[data], include_default_search_paths=False)
    loader.BUILTIN_DATA_PATH = data  # endpoints of anywhere else count as somebody's own
    return loader


def described(shape: Shape | None, above: tuple[str, ...] = ()) -> Any:
    """A shape with all that is in it, but for prose."""
    if shape is None or shape.name in above:
        return shape and shape.name
    above = (*above, shape.name)
    parts: dict[str, Any] = {"name": shape.name, "type": shape.type_name, "serialization": shape.serialization}
    parts["metadata"] = {name: value for name, value in shape.metadata.items() if name != "documentation"}
    if shape.type_name == "structure":
        parts["members"] = {name: described(member, above) for name, member in shape.members.items()}
    elif shape.type_name == "list":
        parts["member"] = described(shape.member, above)
    elif shape.type_name == "map":
        parts["key"], parts["value"] = described(shape.key, above), described(shape.value, above)
    return parts


def alone(package: Path, script: str, environment: Mapping[str, str]) -> str:
    """Run without the environment's packages, from elsewhere."""
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", **SETTINGS}
    return subprocess.run(
        [sys.executable, "-S", "-s", "-c", script],
        cwd=package.parent,
        env={**variables, **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    ).stdout
