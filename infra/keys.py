"""The keys that sign tokens, and the secret that identifies the distribution. No secret is in a template.

The keys of upload tokens (parameter and key-value store) and the private key of signed URLs are not created here, since
the template would show them. The operator's command creates them: docs/deployment.md, docs/adr/0005.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.configuration.names import Names
from infra.configuration.settings import Settings

# Without use of the key: no Sign, no Verify, and no CreateGrant, which could grant them.
_ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyPolicy",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
_PENDING_DAYS = 30


class Keys(Construct):
    """One KMS key for each generation. The account's IAM policies decide who administers it; only the token function
    signs, since the key's policy does not let IAM grant `kms:Sign`."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        names = Names(settings.name)
        self.token_keys = [self._token_key(number, names) for number in settings.signing.generations]
        self.edge_secret = secretsmanager.Secret(
            self,
            "EdgeSecret",
            secret_name=names.edge_secret,
            description="Identifies the distribution to API and relay: every value is accepted, current is sent",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({}),
                generate_string_key="current",
                password_length=48,
                exclude_punctuation=True,
            ),
        )
        self._secret_version = settings.distribution.secret_version

    @property
    def edge_secret_value(self) -> str:
        """A dynamic reference, which CloudFormation resolves during the deployment; the template has the reference."""
        version = f":{self._secret_version}" if self._secret_version else ""
        stage = "" if not version else ":"
        return f"{{{{resolve:secretsmanager:{self.edge_secret.secret_arn}:SecretString:current{stage}{version}}}}}"

    def let_sign(self, roles: Sequence[iam.IGrantable]) -> None:
        """Let `roles` sign, only in the way that tokens are signed. Called once, for the token function."""
        for key in self.token_keys:
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="Sign",
                    principals=[role.grant_principal for role in roles],
                    actions=["kms:Sign"],
                    resources=["*"],  # in a key's policy: that key
                    conditions={
                        "StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "RAW"},
                    },
                )
            )

    def _token_key(self, generation: int, names: Names) -> kms.Key:
        administration = iam.PolicyStatement(
            sid="Administration",
            principals=[iam.AccountRootPrincipal()],
            actions=list(_ADMINISTRATION),
            resources=["*"],
        )
        key = kms.Key(
            self,
            f"Token{generation}",
            description=f"{names.prefix}: certifies the keys that sign tokens, generation {generation}",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            policy=iam.PolicyDocument(statements=[administration]),
            pending_window=cdk.Duration.days(_PENDING_DAYS),
            removal_policy=cdk.RemovalPolicy.DESTROY,  # after 30 days; no token lives that long
        )
        kms.CfnAlias(
            self,
            f"Token{generation}Alias",
            alias_name=names.token_key_alias(generation),
            target_key_id=key.key_id,
        )
        return key
