"""The composition root of the collector function: DynamoDB and S3."""

from __future__ import annotations

from functions.collector.settings import Settings
from roadstead.aws.clients import client
from roadstead.aws.dynamodb_backlog import DynamoBacklog
from roadstead.aws.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.dynamodb_stored import DynamoBlobRecords, DynamoUploadMarks
from roadstead.aws.s3 import S3Objects
from roadstead.aws.table import Table
from roadstead.lifecycle.collector import Collector, Times
from roadstead.lifecycle.stores import Stores
from roadstead.trail.events import EventMaker

_PARALLEL = 8  # within the ten connections that a client keeps


def build(settings: Settings) -> Collector:
    """Build the collector on AWS. Makes no call."""
    table = Table(client("dynamodb"), settings.index_table)
    stores = Stores(
        backlog=DynamoBacklog(table),
        records=DynamoBlobRecords(table),
        uploads=DynamoUploadMarks(table),
        links=DynamoBlobIndex(table),
        manifests=DynamoManifestIndex(table),
        objects=S3Objects(client("s3"), settings.bucket),
        events=EventMaker(),
    )
    return Collector(stores, Times(settings.grace, settings.fence), parallel=_PARALLEL)
