"""X-Ray traces, if `TRACING=on`: a subsegment for each call to AWS.

The SDK takes 0.3 s to import, so it is imported nowhere else, and here only while the function is initialised. Lambda
itself makes the segment of an invocation; the SDK finds it by `_X_AMZN_TRACE_ID`, which the runtime sets anew for each.
"""

from __future__ import annotations

from enum import StrEnum


class Tracing(StrEnum):
    OFF = "off"
    ON = "on"


def start(tracing: Tracing) -> None:
    """Patch botocore if tracing is on."""
    if tracing is Tracing.OFF:
        return
    from aws_xray_sdk.core import patch

    patch(("botocore",))
