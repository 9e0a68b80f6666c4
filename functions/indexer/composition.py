"""The composition root of the indexer: DynamoDB, S3 and SQS."""

from __future__ import annotations

from functions.indexer.services import IndexerServices
from functions.indexer.settings import Settings
from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.clients import Deferred, client
from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_usage import DynamoProjectUsage
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.notifications.sqs import SqsQueue
from roadstead.aws.table import Table
from roadstead.catalog.indexing import Indexer
from roadstead.lifecycle.policy.quota_watch import QuotaWatch
from roadstead.trail.events import EventMaker


def build(settings: Settings) -> IndexerServices:
    """Build the services on AWS. Makes no call."""
    table = Table(client("dynamodb"), settings.index_table)
    indexer = Indexer(
        derived=DynamoDerivedIndex(table),
        manifests=DynamoManifestIndex(table),
        blobs=DynamoBlobIndex(table),
        objects=S3Objects(Deferred(lambda: client("s3")), settings.bucket),
    )
    quotas = QuotaWatch(DynamoProjectUsage(table), EventMaker())
    return IndexerServices(indexer, quotas, SqsQueue(Deferred(lambda: client("sqs")), settings.dead_letters_url))
