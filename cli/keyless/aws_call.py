"""Signs a call (`roadstead.identity.providers.signed_calls`) with the AWS credentials that botocore finds.

They are those of any AWS tool: variables, profiles, the roles of CodeBuild, EC2, ECS, Lambda and EKS, SSO.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from cli.failures import Failure
from roadstead.identity.providers.signed_calls import BODY, STS_HOSTS, SignedCall, signed_headers

_DEFAULT_REGION = "us-east-1"
_SIGNATURE = re.compile(r"Credential=([^/]+)/.*Signature=([0-9a-f]{64})")


def signed_call(registry: str, *, profile: str = "") -> SignedCall:
    """Return a call for `registry`, signed now. Raises Failure without credentials, or if AWS refuses to give some."""
    session = botocore.session.Session(profile=profile or None)
    try:
        found = session.get_credentials()
        if found is None:
            raise Failure(
                "There are no AWS credentials: set AWS_PROFILE, or run this where a role is attached (CodeBuild, EC2, "
                "ECS, Lambda, EKS)."
            )
        credentials = found.get_frozen_credentials()
        region = session.get_config_variable("region") or _DEFAULT_REGION
        client = session.create_client("sts", region_name=region)
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"AWS gives no credentials: {error}") from error
    url = str(client.meta.endpoint_url)
    host = urlsplit(url).netloc
    region = STS_HOSTS.get(host, region)
    request = AWSRequest(method="POST", url=f"{url.rstrip('/')}/", data=BODY)
    for name, value in signed_headers(registry, "", "").items():
        if value:
            request.headers[name] = value
    SigV4Auth(credentials, "sts", region).add_auth(request)
    match = _SIGNATURE.search(request.headers["Authorization"])
    if match is None:
        raise Failure("This version of botocore signs in another form than Signature Version 4.")
    date, session_token = request.headers["X-Amz-Date"], credentials.token or ""
    return SignedCall(host, region, registry, date, match[1], match[2], session_token)
