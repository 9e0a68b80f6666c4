"""The services that the indexer uses."""

from __future__ import annotations

from dataclasses import dataclass

from roadstead.catalog.indexing import Indexer
from roadstead.lifecycle.policy.quota_watch import QuotaWatch
from roadstead.notifications.queue import Queue


@dataclass(frozen=True, slots=True)
class IndexerServices:
    """`dead_letters` keeps records that cannot be read."""

    indexer: Indexer
    quotas: QuotaWatch
    dead_letters: Queue
