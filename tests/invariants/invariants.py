"""Whether what is stored keeps the invariants of the data model (docs/architecture.md), read from the raw items.

Two views are held against each other: the items and objects as they lie there, and the events in the order in which
their transactions took place. The events are replayed; whatever they do not explain, or explain wrongly, is a breach.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from roadstead.aws.content.counts import ARTIFACTS, TAGS, shard_key
from roadstead.aws.table import Item
from roadstead.content.accessories import is_accessory
from roadstead.content.manifest_document import parse_manifest
from roadstead.content.manifests import needed_by
from roadstead.content.objects import is_whole_key, whole_prefix
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.names import RepositoryName, Tag
from tests.invariants.cloud import Cloud, Rows
from tests.invariants.registry import ALICE, Registry

Of = tuple[str, str]  # a repository, and a digest or tag of it


@dataclass
class History:
    """What the events, replayed in their order, say that there must be."""

    links: set[Of] = field(default_factory=set)
    manifests: set[Of] = field(default_factory=set)
    tags: dict[Of, str] = field(default_factory=dict)
    had: set[Of] = field(default_factory=set)  # blobs and manifests that ever were
    wrong: list[str] = field(default_factory=list)


def check(cloud: Cloud, documents: tuple[bytes, ...] = ()) -> History:
    """Raises AssertionError with every breach. `documents` are the manifests that the test pushes."""
    rows, objects = cloud.rows(), cloud.objects()
    history = replay(cloud.events, documents)
    wrong = [
        *_check_gone(cloud, history, rows, objects),
        *history.wrong,
        *_check_trail(rows, cloud.events),
        *_check_against(history, rows),
        *check_state(rows, objects),
        *_check_found(rows, objects),
    ]
    assert not wrong, "\n".join(["", *wrong, "events:", *(_told(event) for event in cloud.events)])
    return history


def replay(events: list[Item], documents: tuple[bytes, ...]) -> History:
    """Invariants 1, 2 and 4 at every commit, not only at the end."""
    history = History()
    needs = {
        str(Digest.of(document, algorithm)): [str(digest) for digest in needed_by(parse_manifest(document, None))]
        for document in documents
        for algorithm in ("sha256", "sha512")
    }
    for event in events:
        repository, operation = event["repository"], event["operation"]
        own = (repository, event["digest"])
        if operation in ("upload", "mount"):
            if operation == "mount" and (event["source_repository"], event["digest"]) not in history.links:
                history.wrong.append(f"2: mounted from where it is not: {_told(event)}")
            history.links.add(own)
            history.had.add(own)
        elif operation == "delete-blob":
            if own not in history.links:
                history.wrong.append(f"5: a blob is deleted that is not there: {_told(event)}")
            history.links.discard(own)
            history.wrong += _missing(history, needs, repository, event)
        elif operation == "delete-manifest":
            if own not in history.manifests:
                history.wrong.append(f"5: a manifest is deleted that is not there: {_told(event)}")
            history.manifests.discard(own)
            history.wrong += _missing(history, needs, repository, event)
        elif operation in ("push", "tag"):
            if (own in history.manifests) != (operation == "tag"):
                history.wrong.append(f"5: not what happened: {_told(event)}")
            history.manifests.add(own)
            history.had.add(own)
            history.tags |= {(repository, tag): event["digest"] for tag in event["tags"]}
            history.wrong += _missing(history, needs, repository, event)
        elif operation == "untag":
            for tag in event["tags"]:
                if history.tags.pop((repository, tag), None) != event["digest"]:
                    history.wrong.append(f"4: a tag is removed that points elsewhere: {_told(event)}")
        elif operation not in _UNSEEN:
            history.wrong.append(f"5: an unknown event: {_told(event)}")
    return history


def _missing(history: History, needs: dict[str, list[str]], repository: str, event: Item) -> list[str]:
    """What a standing manifest of this repository needs and does not have, right after an event."""
    there = history.links | history.manifests
    return [
        f"1: {digest[:15]} needs {needed[:15]}, which is not there after: {_told(event)}"
        for name, digest in history.manifests
        if name == repository
        for needed in needs.get(digest, ())
        if (repository, needed) not in there
    ]


def _check_gone(cloud: Cloud, history: History, rows: Rows, objects: dict[str, bytes]) -> list[str]:
    """6: what was deleted is not served to whoever asks, unless it was sent again since."""
    registry, wrong = Registry(cloud), []
    for name, digest in history.had - history.links - history.manifests:
        repository, wanted = RepositoryName(name), Digest(digest)
        prefix = whole_prefix(repository, wanted)
        sent = [key for key in objects if key.startswith(prefix)]
        if any((f"upload#{key.removeprefix(prefix)}", "meta") not in rows for key in sent):
            continue
        for read in (registry.blobs.get, lambda repository, wanted, _: registry.manifests.get(repository, wanted)):
            try:
                read(repository, wanted, ALICE)
            except RegistryError:
                continue
            wrong.append(f"6: {name}: {digest[:15]} came back")
    return wrong


def _check_trail(rows: Rows, events: list[Item]) -> list[str]:
    """5: each event is there once, by its id, and none that was not committed."""
    stored = sorted(item["id"] for (pk, _), item in rows.items() if pk.startswith("event#"))
    committed = sorted(event["id"] for event in events)
    return [] if stored == committed else ["5: the stored events are not those of the mutations that took place"]


def _check_against(history: History, rows: Rows) -> list[str]:
    links = {(pk[5:], sk[5:]) for pk, sk in rows if pk.startswith("repo#") and sk.startswith("blob#")}
    manifests = {(pk[5:], sk[9:]) for pk, sk in rows if pk.startswith("repo#") and sk.startswith("manifest#")}
    tags = {(pk[5:], sk[4:]): item["digest"] for (pk, sk), item in rows.items() if sk.startswith("tag#")}
    wrong = [f"2/5/6: no event explains the blob {of}" for of in links - history.links]
    wrong += [f"5: the blob {of} is gone and no event says so" for of in history.links - links]
    wrong += [f"5/6: no event explains the manifest {of}" for of in manifests - history.manifests]
    wrong += [f"5: the manifest {of} is gone and no event says so" for of in history.manifests - manifests]
    if tags != history.tags:
        wrong.append(f"4/5: the tags are {tags}, by the events they should be {history.tags}")
    return wrong


def check_state(rows: Rows, objects: dict[str, bytes]) -> list[str]:
    """The items among themselves and against the objects."""
    wrong: list[str] = []
    by_repository: dict[str, dict[str, Item]] = defaultdict(dict)
    for (pk, sk), item in rows.items():
        if pk.startswith("repo#"):
            by_repository[pk[5:]][sk] = item
    for repository, own in by_repository.items():
        for sk, item in own.items():
            kind, _, rest = sk.partition("#")
            if kind == "blob":
                wrong += _check_link(repository, rest, item, rows, objects)
            elif kind == "manifest":
                wrong += _check_manifest(repository, rest, item, own, objects)
            elif kind == "tag":
                wrong += _check_tag(repository, rest, item, own)
            elif kind == "tagged":
                digest, _, tag = rest.partition("#")
                if own.get(f"tag#{tag}", {}).get("digest") != digest:
                    wrong.append(f"4: {repository}: an inverse of {tag} is left on {digest[:15]}")
            elif kind == "referrer":
                subject, _, digest = rest.partition("#")
                if own.get(f"manifest#{digest}", {}).get("subject") != subject:
                    wrong.append(f"6: {repository}: {digest[:15]} is listed as a referrer and does not stand")
            elif kind == "trashed":
                if item["key"] not in objects:
                    wrong.append(f"1: {repository}: {rest[:15]} is in the trash, and its bytes are gone")
            elif sk not in ("meta",) and kind != "use":
                wrong.append(f"unknown item {repository} {sk}")
        wrong += _check_counts(repository, own, rows)
        listed = "meta" in own and "deleting" not in own["meta"]
        if listed != (("catalog", repository) in rows):
            wrong.append(f"{repository}: catalog and repository differ")
        if "meta" not in own and any(sk.startswith(("manifest#", "tag#")) for sk in own):
            wrong.append(f"{repository} has manifests and is not in the catalog")
    for pk, sk in rows:
        if pk.startswith("blob#") and sk.startswith("repo#") and (sk, pk) not in rows:
            wrong.append(f"{pk[:20]}: the inverse of a link to {sk} is left")
    return wrong


def _check_counts(repository: str, own: dict[str, Item], rows: Rows) -> list[str]:
    """Every shard counts the tags and the listed manifests that hash to it."""
    actual: Counter[tuple[str, str]] = Counter()
    for sk, item in own.items():
        kind, _, name = sk.partition("#")
        if kind == "tag" and not is_accessory(Tag(name)):
            actual[shard_key(repository, TAGS, name)] += 1
        if kind == "manifest" and "pushed" in item:
            actual[shard_key(repository, ARTIFACTS, name)] += 1
    kept = {key: item["n"] for key, item in rows.items() if key[0] == f"count#{repository}"}
    return [
        f"5: {repository}: {key[1]} counts {kept.get(key, 0)} and there are {actual[key]}"
        for key in {*kept, *actual}
        if kept.get(key, 0) != actual[key]
    ]


def _check_link(repository: str, digest: str, item: Item, rows: Rows, objects: dict[str, bytes]) -> list[str]:
    what = f"{repository}: blob {digest[:15]}"
    meta = rows.get((f"blob#{digest}", "meta"), {})
    wrong = []
    if (f"blob#{digest}", f"repo#{repository}") not in rows:
        wrong.append(f"1: {what}: the link has no inverse, so its object can be collected")
    if meta.get("state") != "live" or meta.get("key") != item["key"] or meta.get("size") != item["size"]:
        wrong.append(f"1: {what}: the object is not recorded as the link has it: {meta}")
    stored = objects.get(item["key"])
    if not all(_is(data, digest, item["size"]) for data in (stored, item.get("data", stored))):
        wrong.append(f"3: {what}: its bytes are not there or hash to something else")
    upload_id = item["key"].rsplit("/", 1)[-1] if is_whole_key(item["key"]) else item["key"].split("/")[2]
    if rows.get((f"upload#{upload_id}", "meta"), {}).get("state") != "consumed":
        wrong.append(f"6: {what}: its upload is not consumed")
    return wrong


def _check_manifest(
    repository: str, digest: str, item: Item, own: dict[str, Item], objects: dict[str, bytes]
) -> list[str]:
    what = f"{repository}: manifest {digest[:15]}"
    data = item.get("data", objects.get(item["key"]))
    if data is None or not _is(data, digest, item["size"]) or objects.get(item["key"]) != data:
        return [f"3: {what}: its bytes are not there or hash to something else"]
    manifest = parse_manifest(data, None)
    wrong = []
    for needed in needed_by(manifest):
        if f"blob#{needed}" not in own and f"manifest#{needed}" not in own:
            wrong.append(f"1: {what} needs {needed[:15]}, which is not there")
        if f"use#{needed}#{digest}#{item['generation']}" not in own:
            wrong.append(f"1: {what}: nothing keeps {needed[:15]} from being collected")
    if manifest.subject is not None and f"referrer#{manifest.subject.digest}#{digest}" not in own:
        wrong.append(f"{what} is not among its subject's referrers")
    return wrong


def _check_tag(repository: str, tag: str, item: Item, own: dict[str, Item]) -> list[str]:
    manifest = own.get(f"manifest#{item['digest']}")
    if manifest is None or (manifest["type"], manifest["size"]) != (item["type"], item["size"]):
        return [f"4: {repository}:{tag} points to {item['digest'][:15]}, which does not stand like that"]
    if f"tagged#{item['digest']}#{tag}" not in own:
        return [f"4: {repository}:{tag} has no inverse, so it would outlive its manifest"]
    return []


# Events of what changes nothing that a client could see.
_UNSEEN = frozenset(
    {
        *("collect", "start-execution", "stop-execution", "empty-trash", "change-trash", "delete-repository"),
        *("create-immutable-rule", "change-quota", "warn-quota", "exceed-quota", "retain", "change-retention"),
    }
)


def _check_found(rows: Rows, objects: dict[str, bytes]) -> list[str]:
    """Every object that nothing stands on has a candidate that leads the collector to it.

    Whole uploads, and what a process that died left of an upload that has no session yet, are led to by the bucket's
    own event; parts that were never put together are ended by the bucket's lifecycle.
    """
    candidates = [item for (pk, _), item in rows.items() if pk.startswith("gc#") and "kind" in item]
    keys = {item["key"] for item in rows.values() if "key" in item}  # of links, metas, manifests, candidates
    uploads = {item["upload"] for item in candidates if "upload" in item}
    # A manifest that stands leaves a candidate when it is deleted.
    standing = {item["generation"] for (_, sk), item in rows.items() if sk.startswith("manifest#")}
    generations = {item.get("generation") for item in candidates} | standing
    wrong = []
    for key in objects.keys() - keys:
        if key.startswith("derived/") and key.split("/")[-2] in generations:
            continue  # named by the generation of its manifest's candidate
        upload = key.split("/")[2] if key.startswith("blobs/uploads/") else None
        streamed = upload is not None and (upload in uploads or (f"upload#{upload}", "meta") not in rows)
        if not streamed and not is_whole_key(key):
            wrong.append(f"the object {key} is found by nobody")
    for pk, sk in rows:
        if pk.startswith("repo#") and sk.startswith("use#"):
            needed, manifest, generation = sk.removeprefix("use#").split("#")
            if generation not in generations:
                wrong.append(f"a use of {needed[:15]} by {manifest[:15]} is found by nobody")
    return wrong


def _is(data: bytes | None, digest: str, size: int) -> bool:
    algorithm, _, expected = digest.partition(":")
    return data is not None and len(data) == size and hashlib.new(algorithm, data).hexdigest() == expected


def _told(event: Item) -> str:
    tags = ",".join(event["tags"])
    return f"{event['operation']} {event['repository']} {event['digest'][:15]} {tags} by {event['actor']}"
