"""`python -m infra.app`: the CDK's entry, as cdk.json names it. The settings are infra/roadstead.toml, or another file
by `-c settings=<path>` or ROADSTEAD_SETTINGS."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import aws_cdk as cdk

from infra.nag import check_app
from infra.settings import Settings, SettingsError
from infra.source import ROOT
from infra.stack import RoadsteadStack


def build(app: cdk.App, settings: Settings) -> RoadsteadStack:
    """The stack in `app`, with cdk-nag watching."""
    stack = RoadsteadStack(app, stack_id(settings.name), settings=settings)
    check_app(app, stack)
    return stack


def stack_id(name: str) -> str:
    """As `cdk deploy` and CloudFormation know it: `my-registry` is MyRegistry."""
    return "".join(part.capitalize() for part in name.split("-"))


def main() -> int:
    app = cdk.App(outdir=os.environ.get("CDK_OUTDIR"))
    named = app.node.try_get_context("settings") or os.environ.get("ROADSTEAD_SETTINGS")
    path = Path(named) if named else ROOT / "infra" / "roadstead.toml"
    try:
        build(app, Settings.load(path))
    except SettingsError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 2
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
