"""X-Ray traces, where `TRACING=on` says so: a subsegment for each call to AWS.

The SDK takes 0.3 s to import, so it is imported nowhere else, and here only while the function is initialised. Lambda
itself makes the segment of an invocation; the SDK finds it by `_X_AMZN_TRACE_ID`, which the runtime sets anew for each.
"""

from __future__ import annotations

from enum import StrEnum


class Tracing(StrEnum):
    OFF = "off"
    ON = "on"


def start(tracing: Tracing) -> None:
    """Patch botocore where it is asked for."""
    if tracing is Tracing.OFF:
        return
    from aws_xray_sdk.core import patch

    patch(("botocore",))
