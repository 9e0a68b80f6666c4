"""What the index explains of the bucket, found by a walk of its own: the check of the check.

It knows the shapes of docs/architecture.md and uses nothing of the product.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from tests import aws
from tests.e2e.cloud import Cloud

_value = TypeDeserializer().deserialize
_READ = ("pk", "sk", "key", "generation", "digest", "until")


@dataclass
class Index:
    """`manifests` and `records` map object keys to what they are of, `trashed` and `units` are what can be undone."""

    manifests: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # repository, digest, generation
    records: dict[str, str] = field(default_factory=dict)  # digest
    links: set[tuple[str, str]] = field(default_factory=set)
    uses: set[tuple[str, str, str, str]] = field(default_factory=set)  # repository, needed, manifest, generation
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)  # repositories
    trashed: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)


def read(cloud: Cloud) -> Index:
    index = Index()
    for item in _items(cloud):
        pk, sk = item["pk"], item["sk"]
        kind, _, name = pk.partition("#")
        first, _, rest = sk.partition("#")
        if kind == "repo" and first == "manifest":
            index.manifests[item["key"]] = (name, rest, item["generation"])
        elif kind == "repo" and first == "blob":
            index.links.add((name, rest))
        elif kind == "repo" and first == "use":
            index.uses.add((name, *rest.split("#")))
        elif kind == "repo" and first == "tag":
            index.tags[name, rest] = item["digest"]
        elif kind == "repo" and first == "trashed":
            index.trashed.add(f"{name} {rest}")
        elif kind == "blob" and sk == "meta":
            index.records[item["key"]] = name
        elif kind == "trash":
            if item["until"] > time.time() * 1000:  # the table's own expiry clears it up later
                index.units.add(f"{name} {sk}")
        elif pk == "catalog":
            index.listed.add(sk)
    return index


def objects(cloud: Cloud) -> dict[str, int]:
    """Every key of the bucket, with its size."""
    s3 = aws.local_client("s3", cloud.ready)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=cloud.ready["bucket"])
    return {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", [])}


def differences(cloud: Cloud) -> list[str]:
    """What is in the bucket and unexplained, named and not there, or kept without a need. Empty if all is exact."""
    index, stored = read(cloud), objects(cloud)
    named = index.manifests.keys() | index.records.keys()
    standing = set(index.manifests.values())
    pushed = {one[:2] for one in standing}
    found = [f"unexplained: {key}" for key, size in stored.items() if not _explained(key, size, index, named)]
    found += [f"missing: {key}" for key in named - stored.keys()]
    found += [f"a record without a link: {one}" for one in {*index.records.values()} - {one for _, one in index.links}]
    found += [f"a link without a record: {one}" for one in index.links if one[1] not in index.records.values()]
    needed = {(name, one) for name, one, manifest, gen in index.uses if (name, manifest, gen) in standing}
    found += [f"a link that nothing needs: {one}" for one in index.links - needed]
    found += [f"a use of nothing: {one}" for one in index.uses if (one[0], one[2], one[3]) not in standing]
    found += [f"a tag of nothing: {one}" for one, to in index.tags.items() if (one[0], to) not in pushed]
    found += [f"a repository that no list has: {name}" for name in {name for name, _ in pushed} - index.listed]
    found += [f"in the trash: {one}" for one in index.trashed | index.units]
    return sorted(found)


def _explained(key: str, size: int, index: Index, named: set[str]) -> bool:
    if key in named:
        return True
    parts = key.split("/")
    if parts[0] == "derived":
        repository, algorithm, encoded, generation = "/".join(parts[1:-4]), *parts[-4:-1]
        return (repository, f"{algorithm}:{encoded}", generation) in index.manifests.values()
    # A streamed object of a blob has a marker, under the key of its digest and upload.
    digest, upload = ":".join(parts[1:3]), parts[-1]
    return size == 0 and any(
        one == digest and streamed.startswith(f"blobs/uploads/{upload}/") for streamed, one in index.records.items()
    )


def _items(cloud: Cloud) -> Iterator[dict[str, Any]]:
    dynamodb = aws.local_client("dynamodb", cloud.ready)
    names = {f"#{number}": name for number, name in enumerate(_READ)}
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=cloud.ready["index_table"],
        ConsistentRead=True,
        ProjectionExpression=", ".join(names),
        ExpressionAttributeNames=names,
    )
    for page in pages:
        for item in page["Items"]:
            yield {name: _value(value) for name, value in item.items()}
