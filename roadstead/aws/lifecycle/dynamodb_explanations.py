"""`Explanations` on the index table: whatever item names an object, an upload or a generation."""

from __future__ import annotations

from collections.abc import Iterator

from roadstead.aws.table import Item, Table
from roadstead.lifecycle.bucket_audit import Explanation

_ATTRIBUTES = ("key", "upload", "chunks", "generation")
_REQUIRED = ("manifest#", "blob#")  # of a repository: what clients are served from


class DynamoExplanations:
    def __init__(self, table: Table) -> None:
        self._table = table

    def walk(self) -> Iterator[Explanation]:
        for item in self._table.scan(_ATTRIBUTES):
            yield from _of(item)

    def find(self, place: tuple[str, str]) -> Explanation | None:
        item = self._table.get(place)
        return next(_of(item), None) if item is not None else None


def _of(item: Item) -> Iterator[Explanation]:
    pk, sk = item["pk"], item["sk"]
    upload = str(item.get("upload", ""))
    if pk.startswith("upload#"):
        upload = pk.removeprefix("upload#")
    key, generation = str(item.get("key", "")), str(item.get("generation", ""))
    if key or upload or generation:
        served = pk.startswith("repo#") and sk.startswith(_REQUIRED)
        yield Explanation((pk, sk), key, upload, generation, served)
    for chunk in item.get("chunks", []):
        yield Explanation((pk, sk), str(chunk["key"]), upload)
