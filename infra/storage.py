"""The bucket of blobs and manifests, and the queue that S3 notifies of new objects."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.beneath import beneath
from infra.configuration.settings import Settings

_GRACE_DAYS = 2  # above the longest upload, for abandoned multipart uploads


class Storage(Construct):
    """Private, by TLS only. Versions are kept for as long as the tables can be restored: a restored index points at
    objects that were deleted since."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        recovery = cdk.Duration.days(settings.retention.recovery)
        upload_seconds = int(settings.environment["registry"].get("UPLOAD_SECONDS", "86400"))
        self._name = f"{settings.name}-{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}"
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=self._name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            # S3's own keys: with KMS, every request of a client to S3 would need, and be billed, a request to KMS.
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="unfinished-uploads",
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(upload_seconds // 86_400 + _GRACE_DAYS),
                ),
                s3.LifecycleRule(
                    id="deleted-objects", noncurrent_version_expiration=recovery, expired_object_delete_marker=True
                ),
                # Layers that nobody pulls become cheaper. The optional archive tiers stay off, since an archived object
                # cannot be read at once. Objects under 128 KB are not moved.
                s3.LifecycleRule(
                    id="cold-layers",
                    prefix="blobs/",
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=cdk.Duration.days(0)
                        )
                    ],
                ),
            ],
        )

    def let_distribution(self, distribution_arn: str) -> None:
        """Allow this distribution PutObject and GetObject below `blobs/` (origin access control)."""
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Distribution",
                principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
                actions=["s3:GetObject", "s3:PutObject"],
                resources=[self.bucket.arn_for_objects("blobs/*")],
                conditions={"StringEquals": {"AWS:SourceArn": distribution_arn}},
            )
        )

    def tell(self, queue: sqs.Queue) -> None:
        """Have S3 send events of new blobs to `queue`.

        The bucket's own resource says so: the CDK's method would deploy a Lambda function that may change every
        bucket's notifications. S3 tests the queue when it is configured, so the queue's policy must exist before.
        """
        arn = f"arn:{cdk.Aws.PARTITION}:s3:::{self._name}"  # a reference to the bucket would be circular
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Bucket",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": arn},
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                },
            )
        )
        bucket = beneath(self.bucket, s3.CfnBucket)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value="blobs/")]
                        )
                    ),
                )
            ]
        )
        bucket.add_resource_dependency(beneath(queue.node.find_child("Policy"), sqs.CfnQueuePolicy))
