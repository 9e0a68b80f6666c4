"""Find projects, repositories, tags, digests and labels by what somebody types, among what they may see.

Harbor's search (`search`) knows projects and repositories alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from functions.management.authorization import identity_of
from functions.management.call import Call
from functions.management.errors import bad_request
from functions.management.harbor.labels import GLOBAL_SCOPE, PROJECT_SCOPE
from functions.management.harbor.shapes import milliseconds
from functions.management.route import OWN, Anybody, route
from roadstead.catalog.labels import GLOBAL, Label
from roadstead.catalog.pages import TagRow
from roadstead.digest import DEFAULT_ALGORITHM, Digest
from roadstead.http import Response
from roadstead.identity.directory import Identity
from roadstead.identity.lists import VisibleProject
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.rights import permissions_in, permissions_on
from roadstead.names import ProjectName, RepositoryName

MAX_QUERY = 255  # characters
MAX_FOUND, USUAL = 100, 20  # of each kind
MAX_READ = 50  # projects whose rights one read brings
MAX_TAGGED = 5  # repositories whose tags are looked through
_TAGS = Permission(Resource.TAG, Action.LIST)
_LABELS = Permission(Resource.LABEL, Action.LIST)
_ARTIFACTS = Permission(Resource.ARTIFACT, Action.LIST)
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{0,128}")  # of a tag
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Sight:
    """What the caller may see."""

    call: Call
    projects: Mapping[ProjectName, VisibleProject]
    names: Sequence[RepositoryName]

    @classmethod
    def of(cls, call: Call) -> _Sight:
        visible = {one.project.name: one for one in call.visible_projects()}
        shown = (name for name in call.services.pages.list_names() if name.project in visible)
        return cls(call, visible, [name for name in shown if visible[name.project].shows(name)])

    def shows(self, repository: RepositoryName) -> bool:
        project = self.projects.get(repository.project)
        return project is not None and project.shows(repository)

    def identity(self, projects: Iterable[ProjectName]) -> Identity:
        return identity_of(self.call.services, self.call.caller, dict.fromkeys(projects))


def find(call: Call) -> Response:
    """Find what `q` names; `limit` of each kind, and in `more` the kinds of which there are more.

    Costs the list of projects, the caller's memberships and the catalog; for labels a Query for each MB of them; for a
    digest two Queries; for `repository:tag` one for each of up to MAX_TAGGED repositories, the ones with the shortest
    names, and `more` says if there are others. One read of rights for each 50 projects of labels and of a digest that
    are looked at until `limit` are found, and one for tags. Raises 400.
    """
    text, limit = (call.request.parameter("q") or "").strip().removeprefix(f"{call.request.host}/"), _limit(call)
    if not text:
        raise bad_request("q is empty: write a part of a name, a digest, or repository:tag")
    if len(text) > MAX_QUERY:
        raise bad_request(f"q has more than {MAX_QUERY} characters")
    sight, query = _Sight.of(call), text.casefold()
    digest = _digest(query)
    projects = _cut(_ranked(sight.projects, query), limit)
    repositories = _cut(_ranked(sight.names, query), limit)
    tags = _tags(sight, text, limit)
    artifacts = _cut(_places(sight, digest) if digest is not None else [], limit)
    labels = _cut(_labels(sight, query) if digest is None else [], limit)
    cut: Mapping[str, _Cut[Any]] = {
        "projects": projects,
        "repositories": repositories,
        "tags": tags,
        "artifacts": artifacts,
        "labels": labels,
    }
    return Response.json(
        200,
        {
            "projects": [_project(sight.projects[name]) for name in projects.shown],
            "repositories": [{"name": name, **_of(sight, name.project)} for name in repositories.shown],
            "tags": [_tag(name, row) for name, row in tags.shown],
            "artifacts": [
                {"repository": name, "digest": digest, "is_manifest": is_manifest}
                for name, is_manifest in artifacts.shown
            ],
            "labels": [_label(label, project) for label, project in labels.shown],
            "more": [kind for kind, found in cut.items() if found.more],
        },
    )


@dataclass(frozen=True, slots=True)
class _Cut(Generic[T]):
    shown: list[T]
    more: bool


def _cut(found: Iterable[T], limit: int) -> _Cut[T]:
    first = list(islice(found, limit + 1))
    return _Cut(first[:limit], len(first) > limit)


def _ranked(names: Iterable[T], query: str, key: Callable[[T], str] = str) -> list[T]:
    """Those that contain the query: first those that begin with it, or in which a part of the path does."""
    found = [one for one in names if query in key(one).casefold()]
    return sorted(found, key=lambda one: (f"/{query}" not in f"/{key(one).casefold()}", key(one)))


def _digest(text: str) -> Digest | None:
    """The digest that is meant: behind a repository's name and an @, or without its algorithm."""
    text = text.rpartition("@")[2]
    for candidate in (text, f"{DEFAULT_ALGORITHM}:{text}"):
        try:
            return Digest.parse(candidate)
        except ValueError:
            continue
    return None


def _tags(sight: _Sight, text: str, limit: int) -> _Cut[tuple[RepositoryName, TagRow]]:
    """Tags that begin with what stands behind the colon, in repositories whose names end with what stands before it."""
    name, colon, prefix = text.rpartition(":")
    name = name.casefold().strip("/")
    if not colon or not name or _PREFIX.fullmatch(prefix) is None:
        return _Cut([], more=False)
    named = sorted((one for one in sight.names if f"/{one}".endswith(f"/{name}")), key=lambda one: (len(one), one))
    chosen = named[:MAX_TAGGED]
    if not chosen:
        return _Cut([], more=False)
    identity = sight.identity(one.project for one in chosen)
    allowed = [one for one in chosen if _TAGS in permissions_on(one, identity)]
    pages = sight.call.services.pages
    most = limit + 1
    rows = ((one, row) for one in allowed for row in pages.tags_by_name(one, after=None, limit=most, prefix=prefix))
    found = _cut(rows, limit)
    return _Cut(found.shown, found.more or len(named) > len(chosen))


def _places(sight: _Sight, digest: Digest) -> Iterator[tuple[RepositoryName, bool]]:
    found = sight.call.services.pages.find_repositories_with(digest)
    shown = [(name, is_manifest) for name, is_manifest in sorted(found.items()) if sight.shows(name)]
    for some in _parts(shown):
        identity = sight.identity(name.project for name, _ in some)
        yield from (one for one in some if _ARTIFACTS in permissions_on(one[0], identity))


def _labels(sight: _Sight, query: str) -> Iterator[tuple[Label, ProjectName | None]]:
    """The registry's labels, and those of all projects that let the caller list theirs."""
    if not sight.call.caller.is_signed_in:
        return
    projects: dict[int, ProjectName | None] = {one.project.id: name for name, one in sight.projects.items()}
    projects[GLOBAL] = None
    every = sight.call.services.labels.list_all_labels()
    seen = ((one, projects[one.project_id]) for one in every if one.project_id in projects)
    for some in _parts(_ranked(seen, query, lambda one: one[0].name)):
        names = {name for _, name in some if name is not None}
        identity = sight.identity(names) if names else None
        for label, name in some:
            if name is None or (identity is not None and _LABELS in permissions_in(name, identity)):
                yield label, name


def _parts(found: Sequence[T]) -> Iterator[Sequence[T]]:
    return (found[start : start + MAX_READ] for start in range(0, len(found), MAX_READ))


def _limit(call: Call) -> int:
    text = call.request.parameter("limit") or str(USUAL)
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_FOUND):
        raise bad_request(f"limit must be from 1 to {MAX_FOUND}")
    return int(text)


def _of(sight: _Sight, project: ProjectName) -> dict[str, Any]:
    found = sight.projects[project].project
    return {"project_id": found.id, "public": found.public}


def _project(one: VisibleProject) -> dict[str, Any]:
    return {"name": one.project.name, "project_id": one.project.id, "public": one.project.public}


def _tag(repository: RepositoryName, row: TagRow) -> dict[str, Any]:
    return {"repository": repository, "name": row.tag, "digest": row.digest, "push_time": milliseconds(row.at)}


def _label(label: Label, project: ProjectName | None) -> dict[str, Any]:
    return {
        "id": label.id,
        "name": label.name,
        "color": label.color,
        "scope": GLOBAL_SCOPE if project is None else PROJECT_SCOPE,
        "project": project,
    }


ROUTES = (route("find", "GET", f"{OWN}/search", Anybody(), find),)
