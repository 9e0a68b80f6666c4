"""`Explanations` on the index table: what the items say to which an object's key leads.

manifests/<repository>/<algorithm>/<hex>/<generation>    repo#<repository>  manifest#<digest>, of that generation,
derived/<repository>/<algorithm>/<hex>/<generation>/…                       or trashed#<digest>#<generation>
blobs/<algorithm>/<hex>/<repository hash>/<upload>       blob#<digest>      meta, if it names the key,
blobs/uploads/<upload>/…                                 upload#<upload>    meta: the mark stays as long as the object
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from roadstead.aws.content.index_items import link_key, manifest_item_key, repository_pk, upload_key
from roadstead.aws.lifecycle.dynamodb_backlog import DynamoBacklog
from roadstead.aws.lifecycle.trash_items import trashed_key
from roadstead.aws.table import Item, Key, Table
from roadstead.lifecycle.bucket_audit.comparison import Served
from roadstead.names import RepositoryName

_DAY_MS = 86_400_000
_PAGE = 200
_SERVED = ("blob#", "manifest#")  # of a repository, in the order of their keys


@dataclass(frozen=True, slots=True)
class _Told:
    """What a key says: either a manifest's generation, or an upload and, if the object was sent whole, a digest."""

    repository: str = ""
    digest: str = ""
    generation: str = ""
    upload: str = ""

    @property
    def places(self) -> list[Key]:
        if self.generation:
            own = self.repository, self.digest
            return [manifest_item_key(*own), trashed_key(*own, self.generation)]
        return [upload_key(self.upload), *([(f"blob#{self.digest}", "meta")] if self.digest else [])]

    def is_explained(self, key: str, found: Mapping[Key, Item]) -> bool:
        first, *others = (found.get(place) for place in self.places)
        if self.generation:
            return others[0] is not None or (first is not None and first.get("generation") == self.generation)
        return first is not None or any(one is not None and one.get("key") == key for one in others)


class DynamoExplanations:
    def __init__(self, table: Table) -> None:
        self._table = table

    def explained(self, keys: Collection[str]) -> frozenset[str]:
        told = {key: one for key in keys if (one := _told(key)) is not None}
        places = (place for one in told.values() for place in one.places)
        found = self._table.batch_get(places, ("key", "generation"))
        return frozenset(key for key, one in told.items() if one.is_explained(key, found))

    def waiting(self, keys: Collection[str], *, now: int) -> frozenset[str]:
        named: set[str | None] = set()
        uploads: set[str | None] = set()
        generations: set[str | None] = set()
        for page in DynamoBacklog(self._table).candidates(now + _DAY_MS):
            for one in page:
                named.add(one.fields.get("key"))
                uploads.add(one.fields.get("upload"))
                generations.add(one.fields.get("generation"))

        def waits(key: str) -> bool:
            told = _told(key)
            if key in named or told is None:
                return key in named
            return told.generation in generations if told.generation else told.upload in uploads

        return frozenset(filter(waits, keys))

    def is_linked(self, key: str) -> bool:
        told = _told(key)
        if told is None or not told.digest or told.generation:
            return False
        inverses = self._table.query(f"blob#{told.digest}", prefix="repo#", attributes=("pk",))
        links = [link_key(item["sk"].removeprefix("repo#"), told.digest) for item in inverses]
        return any(item.get("key") == key for item in self._table.batch_get(links, ("key",)).values())

    def repositories(self, after: str) -> Sequence[RepositoryName]:
        items = self._table.query("catalog", after=after or None, limit=_PAGE, attributes=("at",))
        return [RepositoryName(item["sk"]) for item in items]

    def served(self, repository: RepositoryName, after: str) -> Sequence[Served]:
        """Blobs come before manifests: `blob#…`, `manifest#…`."""
        for prefix in _SERVED:
            if after > prefix and not after.startswith(prefix):
                continue
            behind = after if after.startswith(prefix) else None
            found = self._table.query(
                repository_pk(repository), prefix=prefix, after=behind, limit=_PAGE, attributes=("key",)
            )
            if served := [Served(item["key"], (item["pk"], item["sk"])) for item in found]:
                return served
        return ()

    def find(self, place: tuple[str, str]) -> Served | None:
        item = self._table.get(place)
        return Served(item["key"], place) if item is not None else None


def _told(key: str) -> _Told | None:
    """Return what a key says; None for one that the registry does not write."""
    parts = key.split("/")
    if parts[0] == "manifests" and len(parts) >= 5:
        return _Told("/".join(parts[1:-3]), f"{parts[-3]}:{parts[-2]}", parts[-1])
    if parts[0] == "derived" and len(parts) >= 6:
        return _Told("/".join(parts[1:-4]), f"{parts[-4]}:{parts[-3]}", parts[-2])
    if parts[:2] == ["blobs", "uploads"] and len(parts) == 4:
        return _Told(upload=parts[2])
    if parts[0] == "blobs" and len(parts) == 5:
        return _Told(digest=f"{parts[1]}:{parts[2]}", upload=parts[4])
    return None
