"""One process' worth of the registry on the intercepted cloud, and the pushes that tests make of it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_uploads import DynamoUploadSessions
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.table import Table
from roadstead.content.blob_index import BlobLink
from roadstead.content.blobs import Blobs
from roadstead.content.lists import Lists
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifests import Manifests
from roadstead.content.objects import whole_key
from roadstead.content.push import Push
from roadstead.content.uploads.adoption import Adoption
from roadstead.content.uploads.finishing import HandingOver, Linking
from roadstead.content.uploads.provenance import object_metadata
from roadstead.content.uploads.token import UploadToken
from roadstead.content.uploads.uploads import UploadLimits, Uploads
from roadstead.digest import DEFAULT_ALGORITHM, Digest
from roadstead.names import ProjectName, Reference, RepositoryName, Tag
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker
from tests.invariants.cloud import BUCKET, INDEX, Cloud
from tests.manifests import image_of, of

ALICE, BOB = Actor("alice", token_id="t1"), Actor("bob", token_id="t2")
SHIPS, BOATS = RepositoryName("acme/ships"), RepositoryName("acme/boats")
PART_BYTES, TAIL_BYTES = 24 * 1024, 1024  # instead of 5 MiB and 64 KiB; see `small_parts` in conftest.py


class _WithoutTrash(DynamoManifestIndex):
    """What is deleted can be collected; tests/invariants/trash.py has the others."""

    def find_grace(self, project: ProjectName) -> int:
        return 0


class Registry:
    """Services and stores as a fresh process makes them: it knows nothing but what is stored."""

    def __init__(self, cloud: Cloud, *, dynamodb: Any = None, s3: Any = None) -> None:
        table = Table(dynamodb or cloud.dynamodb, INDEX, sleep=_no_sleep)
        self.clock = cloud.clock
        self.events = EventMaker(cloud.clock)
        self.links = DynamoBlobIndex(table)
        self.index = _WithoutTrash(table)
        self.sessions = DynamoUploadSessions(table, clock=cloud.clock)
        self.objects = S3Objects(s3 or cloud.s3, BUCKET)
        self.table = table
        adoption = Adoption(self.links, self.objects, self.events)
        self.blobs = Blobs(blobs=self.links, manifests=self.index, adoption=adoption, events=self.events)
        self.manifests = Manifests(manifests=self.index, blobs=self.links, objects=self.objects, events=self.events)
        self.lists = Lists(manifests=self.index, objects=self.objects)
        self.pushes = Push(
            manifests=self.index,
            blobs=self.links,
            objects=self.objects,
            adoption=adoption,
            events=self.events,
            sleep=_no_sleep,
        )
        self.uploads = Uploads(
            sessions=self.sessions,
            objects=self.objects,
            finish=Linking(self.links, self.objects, self.events),
            limits=UploadLimits(part_bytes=PART_BYTES),
            clock=cloud.clock,
        )
        self.relay = Uploads(
            sessions=self.sessions,
            objects=self.objects,
            finish=HandingOver(self.sessions, self.objects),
            limits=UploadLimits(part_bytes=PART_BYTES),
            clock=cloud.clock,
        )

    def begin(self, repository: RepositoryName = SHIPS) -> UploadToken:
        return self.uploads.start(repository, ALICE)

    def close(
        self, token: UploadToken, data: bytes, *, last: bytes = b"", algorithm: str = DEFAULT_ALGORITHM
    ) -> BlobLink:
        """Close an upload of `data`, of which `last` comes along."""
        return self.uploads.close(token, Digest.of(data, algorithm), (last,), actor=ALICE)

    def upload(self, data: bytes, repository: RepositoryName = SHIPS) -> Digest:
        """A whole blob through the registry."""
        return self.close(self.begin(repository), data, last=data).digest

    def send_whole(self, token: UploadToken, data: bytes) -> Digest:
        """What the edge does: an object, checked by S3 against the digest of its key, and nothing else."""
        digest = Digest.of(data)
        key = whole_key(token.repository, digest, token.upload_id)
        self.objects.put(key, data, digest=digest, metadata=object_metadata(token.repository, ALICE))
        return digest

    def push(
        self, body: bytes, reference: Reference | str = "", *, tags: Iterable[str] = (), to: str = SHIPS
    ) -> Digest:
        """A manifest under a tag, or by its digest."""
        target = reference if isinstance(reference, Digest) else Tag(reference) if reference else Digest.of(body)
        return self.pushes.push(
            RepositoryName(to),
            target,
            body,
            content_type=None,
            tags=[Tag(tag) for tag in tags],
            actor=ALICE,
        ).digest

    def delete(self, reference: Reference | str, repository: RepositoryName = SHIPS) -> None:
        """A tag, or a manifest by its digest."""
        target = reference if isinstance(reference, Digest) else Tag(reference)
        self.manifests.delete(repository, target, BOB)

    def delete_blob(self, digest: Digest, repository: RepositoryName = SHIPS) -> None:
        self.blobs.delete(repository, digest, BOB)


def image(*layers: bytes, config: bytes = b"{}", subject: bytes | None = None, padding: int = 0) -> bytes:
    """An image manifest of these blobs; `padding` bytes of annotations make it large."""
    more: dict[str, Any] = {"annotations": {"padding": "x" * padding}} if padding else {}
    if subject is not None:
        more["subject"] = of(subject, OCI_MANIFEST)
    return image_of(*layers, config=config, **more)


def blob(name: str, size: int = 40) -> bytes:
    """Bytes that differ from those of any other name."""
    return random.Random(name).randbytes(size)


def _no_sleep(_: float) -> None:
    """Nobody waits: time is the test's."""
