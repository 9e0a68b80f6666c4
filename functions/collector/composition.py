"""The composition root of the collector function: DynamoDB and S3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from functions.collector.settings import Settings
from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.catalog.dynamodb_usage_walk import DynamoUsageWalk
from roadstead.aws.clients import client
from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.lifecycle.dynamodb_backlog import DynamoBacklog
from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.aws.lifecycle.dynamodb_explanations import DynamoExplanations
from roadstead.aws.lifecycle.dynamodb_retention import DynamoRetention, DynamoRetentionView
from roadstead.aws.lifecycle.dynamodb_schedules import DynamoSchedules
from roadstead.aws.lifecycle.dynamodb_stored import DynamoBlobRecords, DynamoUploadMarks
from roadstead.aws.lifecycle.dynamodb_trash import DynamoTrash
from roadstead.aws.lifecycle.s3_walk import S3Walk
from roadstead.aws.table import Table
from roadstead.catalog.indexing import Indexer
from roadstead.catalog.usage_audit import UsageAudit
from roadstead.content.copying import Copying, NothingUploaded
from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.content.manifests import Manifests
from roadstead.content.push import Push
from roadstead.lifecycle.bucket_audit.comparison import BucketAudit
from roadstead.lifecycle.bucket_audit.execution import KIND as BUCKET_AUDIT
from roadstead.lifecycle.bucket_audit.execution import BucketAudits, BucketAuditWork
from roadstead.lifecycle.collector.execution import KIND as COLLECTION
from roadstead.lifecycle.collector.execution import Collections, CollectionWork
from roadstead.lifecycle.collector.lateness import late_since
from roadstead.lifecycle.collector.run import Collector, Times
from roadstead.lifecycle.collector.stores import Stores
from roadstead.lifecycle.deletion.repositories import KIND as REPOSITORY_DELETION
from roadstead.lifecycle.deletion.repositories import RepositoryDeletionWork
from roadstead.lifecycle.deletion.restoration import RESTORE, RestoreWork
from roadstead.lifecycle.deletion.trash import EMPTY, EmptyWork
from roadstead.lifecycle.executions.copies import KIND as COPY
from roadstead.lifecycle.executions.copies import CopyWork
from roadstead.lifecycle.executions.executions import Execution, Work
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.schedules import Scheduler
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.retention.execution import KIND as RETENTION
from roadstead.lifecycle.retention.execution import RetentionWork
from roadstead.trail.events import EventMaker

_PARALLEL = 8  # within the ten connections that a client keeps


@dataclass(frozen=True, slots=True)
class Services:
    collector: Collector
    runner: Runner
    scheduler: Scheduler
    collections: Collections
    audits: BucketAudits
    late_since: Callable[[], int | None]  # in ms: see roadstead/lifecycle/collector/lateness.py


def build(settings: Settings, ended: Callable[[Execution], None]) -> Services:
    """Put collector and runner together on AWS. Makes no call. `ended` is told of each execution that ends."""
    table, events = Table(client("dynamodb"), settings.index_table), EventMaker()
    blobs, manifests = DynamoBlobIndex(table), DynamoManifestIndex(table)
    s3, trash = client("s3"), DynamoTrash(table)
    objects = S3Objects(s3, settings.bucket)
    audit = BucketAudit(S3Walk(s3, settings.bucket), DynamoExplanations(table), objects, DynamoBacklog(table))
    derived, identity = DynamoDerivedIndex(table), Table(client("dynamodb"), settings.identity_table)
    indexer = Indexer(derived=derived, manifests=manifests, blobs=blobs, objects=objects)
    usage = UsageAudit(DynamoUsageWalk(table, identity), derived, manifests, indexer)
    stores = Stores(
        backlog=DynamoBacklog(table),
        records=DynamoBlobRecords(table),
        uploads=DynamoUploadMarks(table),
        links=blobs,
        manifests=manifests,
        repositories=DynamoRepositories(table),
        objects=objects,
        events=events,
    )
    collector = Collector(stores, Times(settings.grace, settings.fence), parallel=_PARALLEL)
    push = Push(manifests=manifests, blobs=blobs, objects=objects, adoption=NothingUploaded(), events=events)
    deleting = Manifests(manifests=manifests, blobs=blobs, objects=objects, events=events)
    deletion = Deletion(deleting, manifests, objects)
    of_repositories = RepositoryDeletion(stores.repositories, deleting, manifests, events)
    immutable = Policies(DynamoProjectRules(table), events).immutable_tags
    view = DynamoRetentionView(table)
    copying = Copying(manifests=deleting, index=manifests, blobs=blobs, push=push, events=events)
    works: dict[str, Work] = {
        BUCKET_AUDIT: BucketAuditWork(audit, usage, events),
        COLLECTION: CollectionWork(collector, view, deletion, events, recovery_days=settings.recovery_days),
        COPY: CopyWork(copying, events),
        EMPTY: EmptyWork(trash, events),
        RESTORE: RestoreWork(trash, push, manifests, stores.repositories, objects, events),
        REPOSITORY_DELETION: RepositoryDeletionWork(of_repositories),
        RETENTION: RetentionWork(DynamoRetention(table), view, deletion, immutable, events),
    }
    executions = DynamoExecutions(table)
    schedules, starter = DynamoSchedules(table), Starter(executions, events)
    return Services(
        collector,
        Runner(executions, works, events, ended),
        Scheduler(schedules, starter, events),
        Collections(schedules, starter, events),
        BucketAudits(schedules, starter, events),
        lambda: late_since(schedules, executions, events.now_ms()),
    )
