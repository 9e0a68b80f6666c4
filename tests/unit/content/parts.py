"""The registry's services on stores in memory, with a clock that tests turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from roadstead.content.blob_index import BlobLink
from roadstead.content.blobs import Blobs
from roadstead.content.lists import Lists
from roadstead.content.manifests import Manifests
from roadstead.content.objects import whole_key
from roadstead.content.push import IndexChildren, Push, Pushed
from roadstead.content.uploads.adoption import Adoption
from roadstead.content.uploads.finishing import Linking
from roadstead.content.uploads.provenance import object_metadata
from roadstead.content.uploads.token import UploadToken
from roadstead.content.uploads.uploads import UploadLimits, Uploads
from roadstead.digest import Digest
from roadstead.names import Reference, RepositoryName, Tag
from roadstead.trail.entries import Actor, ActorKind
from roadstead.trail.events import EventMaker
from tests.manifests import image_of
from tests.memory.index import MemoryIndex
from tests.memory.objects import MemoryObjects

SHIPS, CARGO = RepositoryName("ships/galleon"), RepositoryName("cargo/tea")
LATEST = Tag("latest")
ADA, BOB, NOBODY = Actor("ada", token_id="t1"), Actor("bob"), Actor("", ActorKind.ANONYMOUS)
NOON = 1_800_000_000.0


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Registry:
    limits: UploadLimits = field(default_factory=UploadLimits)
    index_children: IndexChildren = IndexChildren.ALL
    index: Any = field(default_factory=MemoryIndex)  # or one that a test bends
    objects: Any = field(default_factory=MemoryObjects)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        index, objects, events = self.index, self.objects, EventMaker(self.clock)
        self.adoption = Adoption(index, objects, events)
        self.blobs = Blobs(blobs=index, manifests=index, adoption=self.adoption, events=events)
        self.manifests = Manifests(manifests=index, blobs=index, objects=objects, events=events)
        self.lists = Lists(manifests=index, objects=objects)
        self.pushes = Push(
            manifests=index,
            blobs=index,
            objects=objects,
            adoption=self.adoption,
            events=events,
            index_children=self.index_children,
            sleep=lambda _: None,
        )
        self.uploads = Uploads(
            sessions=index,
            objects=objects,
            finish=Linking(index, objects, events),
            limits=self.limits,
            clock=self.clock,
        )

    def start(self, repository: RepositoryName = SHIPS, algorithm: str | None = None) -> UploadToken:
        return self.uploads.start(repository, ADA, algorithm)

    def append(self, token: UploadToken, data: bytes, start: int | None = None) -> int:
        return self.uploads.append(token, (data,), actor=ADA, start=start)

    def close(self, token: UploadToken, digest: Digest, data: bytes = b"", start: int | None = None) -> BlobLink:
        return self.uploads.close(token, digest, (data,), actor=ADA, start=start)

    def upload(self, data: bytes, repository: RepositoryName = SHIPS, algorithm: str = "sha256") -> BlobLink:
        return self.close(self.start(repository), Digest.of(data, algorithm), data)

    def send_whole(self, data: bytes, digest: Digest | None = None, repository: RepositoryName = SHIPS) -> str:
        """An object as the edge has S3 write it, not adopted yet; answers its key."""
        key = whole_key(repository, digest or Digest.of(data), self.start(repository).upload_id)
        self.objects.put_direct(key, data, object_metadata(repository, ADA))
        return key

    def push(
        self, body: bytes, reference: Reference = LATEST, *tags: Tag, repository: RepositoryName = SHIPS
    ) -> Pushed:
        return self.pushes.push(repository, reference, body, content_type=None, tags=tags, actor=ADA)

    def push_image(self, *layers: bytes, **fields: Any) -> tuple[bytes, Pushed]:
        """An image with its blobs, tagged `latest`."""
        for data in (b"{}", *layers):
            self.upload(data)
        body = image_of(*layers, **fields)
        return body, self.push(body)

    def keys(self) -> list[str]:
        """Every object in the bucket."""
        return list(self.objects.list(""))
