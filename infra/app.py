"""`python -m infra.app`: the CDK's entry point, which cdk.json names.

The settings are infra/roadstead.toml, or another file by `-c settings=<path>` or ROADSTEAD_SETTINGS.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import aws_cdk as cdk

from console.npm import ConsoleError
from infra.configuration.relay_settings import RelayKind
from infra.configuration.settings import Settings, SettingsError
from infra.nag import check_app
from infra.packaging.console import built_console
from infra.packaging.interpreter import InterpreterError
from infra.packaging.package import PackageError, build_for_lambda, check_package
from infra.packaging.source import ROOT
from infra.packaging.wheels import WheelsError
from infra.stack import RoadsteadStack
from infra.watching.edge_log import REGION as EDGE_REGION
from infra.watching.edge_log import EdgeLogStack


def build(app: cdk.App, settings: Settings, package: Path | None = None, console: Path | None = None) -> RoadsteadStack:
    """Create the stack in `app`; cdk-nag checks it. `package` is the relay's, for a relay that is a web function.

    `console` is the directory of the console's built files, for a deployment with a console.
    """
    stack = RoadsteadStack(app, stack_id(settings.name), settings=settings, package=package, console=console)
    if settings.region != EDGE_REGION:
        stack.add_dependency(EdgeLogStack(app, f"{stack_id(settings.name)}EdgeLog", settings=settings))
    check_app(app, stack)
    return stack


def stack_id(name: str) -> str:
    """Return the stack's name: `MyRegistry` for `my-registry`."""
    return "".join(part.capitalize() for part in name.split("-"))


def main() -> int:
    app = cdk.App(outdir=os.environ.get("CDK_OUTDIR"))
    named = app.node.try_get_context("settings") or os.environ.get("ROADSTEAD_SETTINGS")
    path = Path(named) if named else ROOT / "infra" / "roadstead.toml"
    try:
        settings = Settings.load(path)
        with tempfile.TemporaryDirectory() as directory:
            console = built_console() if settings.console else None
            build(app, settings, _package(settings, Path(directory)), console)
            app.synth()
    except SettingsError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 2
    except (ConsoleError, InterpreterError, PackageError, WheelsError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _package(settings: Settings, directory: Path) -> Path | None:
    """Return the relay's package: the operator's, or one that is built in `directory`."""
    if settings.relay.kind is not RelayKind.WEB_FUNCTION:
        return None
    if settings.relay.package is not None:
        check_package(settings.relay.package)
        return settings.relay.package
    package = directory / "relay.zip"
    build_for_lambda(settings.python, package)
    return package


if __name__ == "__main__":
    sys.exit(main())
