"""What the edge's request function tells: what it answers itself, so that neither the registry nor the trail sees it.

CloudFront writes the lines of its functions to us-east-1, whatever the deployment's region. Nothing is written, and no
metric is billed, while nobody forges anything (docs/adr/0013-what-the-edge-answers-itself.md).
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from edge import build
from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.watching.alarms import count_lines
from infra.watching.logs import log_group

REGION = "us-east-1"
# Metrics by the words that a line begins with (`tell` in edge/request.js).
COUNTED = {"ForgedUploadTokens": "forged-upload-token", "ExpiredAccessTokens": "expired-access-token"}


class EdgeLog(Construct):
    """The log group of the request function, and a metric for each kind of its lines. Must be in us-east-1."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        function = Names(settings.name).across_regions(build.REQUEST, settings.region)
        self.group: logs.LogGroup = log_group(
            self, "Lines", f"/aws/cloudfront/function/{function}", settings.retention.logs
        )
        for name, words in COUNTED.items():
            count_lines(self, name, group=self.group, pattern=f'"{words}"', namespace=settings.name, name=name)


class EdgeLogStack(cdk.Stack):
    """The same for a deployment in another region, which is deployed after this."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            id,
            env=cdk.Environment(region=REGION, account=settings.account or None),
            description="Roadstead: what the edge's functions log",
        )
        EdgeLog(self, "EdgeLog", settings=settings)
