"""What the handlers of the management API work with, put together once per environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from functions.hosting.viewer import EdgeSecretSource
from functions.management.console import Console
from functions.management.costs import Reads, Relay
from roadstead.administration.project_deletion import ProjectDeletion
from roadstead.catalog.artifacts import Artifacts
from roadstead.catalog.labels import LabelStore
from roadstead.catalog.pages import Pages
from roadstead.content.blob_index import BlobIndex
from roadstead.content.copying import Copying, NothingUploaded
from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.content.manifest_index import ManifestIndex
from roadstead.content.manifests import Manifests
from roadstead.content.objects import Objects
from roadstead.content.push import IndexChildren, Push
from roadstead.content.repositories import Repositories
from roadstead.identity.configuration import Administration, ConfigurationReader
from roadstead.identity.groups import Groups
from roadstead.identity.lists import DirectoryLists
from roadstead.identity.providers.ldap_provider import LdapProvider
from roadstead.identity.providers.oidc_settings import FurtherProviders
from roadstead.identity.providers.onboarding import Onboarding
from roadstead.identity.providers.sign_ins import SignIns
from roadstead.identity.robots.robot_sign_in import RobotLogin
from roadstead.identity.robots.robots import Robots
from roadstead.identity.sign_in.access_tokens import AccessTokens
from roadstead.identity.sign_in.attempts import AttemptStore
from roadstead.identity.sign_in.login import PasswordLogin
from roadstead.identity.sign_in.passwords import Hasher
from roadstead.identity.sign_in.sessions import SessionService
from roadstead.identity.sign_in.token_sign_in import TokenLogin
from roadstead.identity.stores import Identities, Projects, Users
from roadstead.lifecycle.bucket_audit.execution import BucketAudits
from roadstead.lifecycle.collector.execution import Collections
from roadstead.lifecycle.deletion.trash import Trash
from roadstead.lifecycle.executions.executions import Executions
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.retention.policies import Retention
from roadstead.notifications.webhooks import Notifications
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker
from roadstead.trail.pages import TrailPages
from roadstead.trail.pull_counts import PullCounts

if TYPE_CHECKING:
    from roadstead.identity.providers.oidc_provider import OidcProvider


class Directory(Identities, AccessTokens, AttemptStore, Users, Projects, Groups, Robots, Protocol):
    """The parts of the identity store that the management API needs."""


@dataclass(frozen=True, slots=True)
class Content:
    """What changes repositories: the ways that the OCI API has, and those for whole artifacts."""

    push: Push
    manifests: Manifests
    deletion: Deletion
    copying: Copying
    repositories: Repositories
    repository_deletion: RepositoryDeletion

    @classmethod
    def of(
        cls,
        index: ManifestIndex,
        blobs: BlobIndex,
        repositories: Repositories,
        objects: Objects,
        events: EventMaker,
    ) -> Content:
        """Put them together on an index and a bucket. Makes no call.

        A pushed index was checked when it came; of a copy of one that a mirror has without some of its children the
        same are absent.
        """
        push = Push(
            manifests=index,
            blobs=blobs,
            objects=objects,
            adoption=NothingUploaded(),
            events=events,
            index_children=IndexChildren.NONE,
        )
        manifests = Manifests(manifests=index, blobs=blobs, objects=objects, events=events)
        copying = Copying(manifests=manifests, index=index, blobs=blobs, push=push, events=events)
        whole = RepositoryDeletion(repositories, manifests, index, events)
        return cls(push, manifests, Deletion(manifests, index, objects), copying, repositories, whole)


@dataclass(frozen=True, slots=True)
class Services:
    directory: Directory
    policies: Policies
    lists: DirectoryLists
    hasher: Hasher
    pages: Pages
    pulls: PullCounts
    login: PasswordLogin
    robots: RobotLogin
    access_tokens: TokenLogin
    onboarding: Onboarding
    oidc: Callable[[], OidcProvider]  # imported when it is first called
    further_providers: FurtherProviders
    states: SignIns
    artifacts: Artifacts
    objects: Objects
    content: Content
    labels: LabelStore
    sessions: SessionService
    configuration: ConfigurationReader  # for what every request asks: up to a minute old
    administration: Administration
    trail: TrailPages
    notifications: Callable[[Actor, str], Notifications]  # for an actor, and the registry's host
    description: Callable[[], bytes]  # the OpenAPI document
    executions: Executions
    starter: Starter
    trash: Trash
    retention: Retention
    collections: Collections
    audits: BucketAudits
    project_deletion: ProjectDeletion
    ldap: Callable[[], LdapProvider | None] = lambda: None  # None where no function asks directories
    edge_secrets: EdgeSecretSource | None = None
    external_url: str = ""  # where people reach the registry; "" where any host name is as good
    via_distribution_only: bool = False
    console: Console | None = None
    reads: Reads = Reads.UNKNOWN
    relay: Relay = Relay.UNKNOWN
    clock: Callable[[], float] = time.time
