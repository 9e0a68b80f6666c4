"""Changes of content."""

from __future__ import annotations

from urllib.parse import quote

from roadstead.trail.entries import Operation
from tests.unit.functions.management.changes.made import (
    HARBOR,
    OWN,
    Change,
    at,
    image,
    label,
    numbers,
    project,
    row,
    simple,
    trashed,
)
from tests.unit.functions.management.cloud import Place, path_to

simple(
    "CreateLabel", "POST", lambda _: f"{HARBOR}/labels", lambda _: {"name": f"l{next(numbers)}", "scope": "g"},
    Operation.CREATE_LABEL,
)  # fmt: skip
simple(
    "UpdateLabel", "PUT", at(f"{HARBOR}/labels/{{}}", label), lambda _: {"name": f"m{next(numbers)}", "scope": "g"},
    Operation.CHANGE_LABEL,
)  # fmt: skip
simple("DeleteLabel", "DELETE", at(f"{HARBOR}/labels/{{}}", label), None, Operation.DELETE_LABEL)


@row("addLabel")
def _(place: Place) -> Change:
    sent = {"id": int(label(place))}
    return Change("POST", path_to(*image(place), "/labels"), sent, (Operation.LABEL,))


@row("removeLabel")
def _(place: Place) -> Change:
    path, number = path_to(*image(place), "/labels"), label(place)
    place.made("POST", path, {"id": int(number)})
    return Change("DELETE", f"{path}/{number}", told=(Operation.UNLABEL,))


@row("CopyArtifact")
def _(place: Place) -> Change:
    """The copied blobs are mounted: each of them is a change of its own, as in the OCI API."""
    source, repository, digest = image(place)
    target, _ = project(place)
    path = f"{path_to(target, 'copied')}/artifacts?from={quote(f'{source}/{repository}@{digest}')}"
    return Change("POST", path, told=(Operation.MOUNT, Operation.MOUNT, Operation.PUSH))


@row("deleteArtifact")
def _(place: Place) -> Change:
    return Change("DELETE", path_to(*image(place)), told=(Operation.DELETE_MANIFEST, Operation.UNTAG))


@row("createTag")
def _(place: Place) -> Change:
    return Change("POST", path_to(*image(place), "/tags"), {"name": "v2"}, (Operation.TAG,))


@row("deleteTag")
def _(place: Place) -> Change:
    return Change("DELETE", path_to(*image(place), "/tags/v1"), told=(Operation.UNTAG,))


@row("updateRepository")
def _(place: Place) -> Change:
    name, repository, _ = image(place)
    return Change("PUT", path_to(name, repository), {"description": "d"}, (Operation.CHANGE_REPOSITORY,))


@row("deleteRepository")
def _(place: Place) -> Change:
    """What is in it goes by changes of its own."""
    name, repository, _ = image(place)
    told = (Operation.DELETE_REPOSITORY, Operation.DELETE_MANIFEST, Operation.UNTAG)
    return Change("DELETE", path_to(name, repository), told=told)


# What these begin goes on as an execution, which leaves its own events.
simple("emptyTrash", "DELETE", at(f"{OWN}/projects/{{0}}/trash", trashed), None, Operation.START_EXECUTION)
simple("emptyTrashed", "DELETE", at(f"{OWN}/projects/{{0}}/trash/{{1}}", trashed), None, Operation.START_EXECUTION)
simple(
    "restoreTrashed", "POST", at(f"{OWN}/projects/{{0}}/trash/{{1}}/restore", trashed), None, Operation.START_EXECUTION
)
