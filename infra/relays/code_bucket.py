"""The bucket that Lambda reads the relay's package from, and the function that copies the package there.

A web function's code must be in a versioned bucket that Lambda may read. The CDK's own asset bucket has no such policy
and belongs to the whole account. So the deployment copies the asset, and the copy's version is what is deployed.
"""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from infra.watching.logs import log_group

_COPIER = Path(__file__).with_name("package_copier.py")
_COPY_SECONDS = 300


class CodeBucket(Construct):
    """`key` and `version_id` name the copy of `package` in `bucket`; `reader` is the web function's ARN pattern."""

    def __init__(self, scope: Construct, id: str, *, package: Path, reader: str) -> None:
        super().__init__(scope, id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,  # the copier empties it first
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Lambda",
                principals=[iam.ServicePrincipal("lambda.amazonaws.com")],
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[self.bucket.arn_for_objects("*")],
                conditions={
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": reader},
                },
            )
        )
        asset = assets.Asset(self, "Package", path=str(package))
        self.key = f"{asset.asset_hash}.zip"
        self.role = self._role(asset)
        copied = cdk.CustomResource(
            self,
            "Copy",
            service_token=self._copier().function_arn,
            properties={
                "Bucket": self.bucket.bucket_name,
                "Key": self.key,
                "SourceBucket": asset.s3_bucket_name,
                "SourceKey": asset.s3_object_key,
            },
        )
        copied.node.add_dependency(self.role)
        self.version_id = copied.get_att_string("VersionId")

    def _role(self, asset: assets.Asset) -> iam.Role:
        """May read the one asset, write to the one bucket, and empty it."""
        role = iam.Role(self, "CopierRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        stack = cdk.Stack.of(self)
        source = f"arn:{stack.partition}:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"
        objects = self.bucket.arn_for_objects("*")
        for sid, actions, resource in (
            ("Asset", ["s3:GetObject"], source),
            ("Copies", ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"], objects),
            ("Versions", ["s3:ListBucketVersions"], self.bucket.bucket_arn),
        ):
            role.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=[resource]))
        return role

    def _copier(self) -> lambda_.Function:
        group = log_group(self, "CopierLog", None, 30)
        group.grant_write(self.role)
        return lambda_.Function(
            self,
            "Copier",
            code=lambda_.Code.from_inline(_COPIER.read_text(encoding="utf-8")),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=256,
            timeout=cdk.Duration.seconds(_COPY_SECONDS),
            role=self.role,
            log_group=group,
            description="Copies the relay's package to where Lambda reads it",
        )
