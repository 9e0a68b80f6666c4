"""STS as far as signed calls need it: whose credentials signed a request ("AWS STS API Reference").

The one key pair belongs to a role, so that the way from the session of a role to the role is the same as in AWS.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from local.cloud.errors import AwsError, not_emulated

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/local"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/local/machine"
_VERSION = "2011-06-15"


def answer(body: bytes) -> Mapping[str, Any]:
    """Return the response to a form whose signature was checked. Raises AwsError."""
    form = dict(parse_qsl(body.decode("utf-8", "replace")))
    action = form.get("Action", "")
    if action != "GetCallerIdentity":
        raise not_emulated(f"sts.{action[:80]}")
    if form.get("Version") != _VERSION:
        raise AwsError("InvalidAction", f"Could not find operation {action} for this version", 400)
    result = {"Account": ACCOUNT, "Arn": CALLER, "UserId": "AROALOCALLOCALLOCALLO:machine"}
    return {
        "GetCallerIdentityResponse": {
            "GetCallerIdentityResult": result,
            "ResponseMetadata": {"RequestId": secrets.token_hex(16)},
        }
    }
