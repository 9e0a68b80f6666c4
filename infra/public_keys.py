"""The public keys of the token keys, read once by the deployment, so that no function asks KMS for them when it starts.

They are variables of the functions. Who could change those could change the functions' code as well, and a key that is
in a variable is not trusted more than its id beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.watching.logs import log_group

READER = Path(__file__).with_name("public_key_reader.py")
_SECONDS = 120  # twice the reader's patience


class PublicKeys(Construct):
    """`value` is `TOKEN_PUBLIC_KEYS` (docs/settings.md) for `keys`."""

    def __init__(self, scope: Construct, id: str, *, keys: Sequence[kms.IKey]) -> None:
        super().__init__(scope, id)
        role = iam.Role(self, "ReaderRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        arns = [key.key_arn for key in keys]
        role.add_to_policy(iam.PolicyStatement(sid="PublicKeys", actions=["kms:GetPublicKey"], resources=arns))
        group = log_group(self, "ReaderLog", None, 30)
        group.grant_write(role)
        reader = lambda_.Function(
            self,
            "Reader",
            code=lambda_.Code.from_inline(READER.read_text(encoding="utf-8")),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=256,
            timeout=cdk.Duration.seconds(_SECONDS),
            role=role,
            log_group=group,
            description="Reads the public keys of the token keys during a deployment",
        )
        read = cdk.CustomResource(self, "Read", service_token=reader.function_arn, properties={"Keys": arns})
        read.node.add_dependency(role)
        self.value = read.get_att_string("Keys")
