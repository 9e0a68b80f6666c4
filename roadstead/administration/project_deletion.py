"""The end of a project, so that a later one of the same name inherits nothing.

First the project is closed: no repository can be made in it any more, by a condition of the transaction that makes one.
Then it is found empty, or opened again. Then it is gone for everybody, in one transaction, and its name is kept. What
hangs on the name (members, robots, webhooks, rules, trash, links to blobs) is cleared behind that, as far as the
request gets; whoever makes a project of that name clears the rest first. Every step may be repeated, and none touches
what a new project of the name has: what is removed is older than the deletion, or goes only while there is no project.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from roadstead.catalog.pages import Pages
from roadstead.conflicts import Conflict
from roadstead.content.blob_index import BlobIndex
from roadstead.content.deletion.uses import find_live_use
from roadstead.content.manifest_index import ManifestIndex
from roadstead.content.repositories import CLOSED_MS, Repositories
from roadstead.digest import Digest
from roadstead.identity.directory import DeletedProject, Project
from roadstead.identity.robots.robots import Robots
from roadstead.identity.stores import Projects
from roadstead.lifecycle.deletion.trash import Trash
from roadstead.lifecycle.executions.copies import Copies
from roadstead.lifecycle.retention.policies import Retention
from roadstead.names import ProjectName, RepositoryName
from roadstead.notifications.webhooks import Notifications
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker

HOLD_MS = CLOSED_MS  # how long a name is kept
_SYSTEM = Actor("project-deletion", ActorKind.SYSTEM)


class NotEmpty(Exception):
    """The project has repositories. The message is a sentence for a person."""


class NameKept(Exception):
    """The name of a deleted project is not free. `until` is when it will be, in ms; None if it is being cleared."""

    def __init__(self, name: ProjectName, until: int | None) -> None:
        super().__init__(f"the name of the deleted project {name} is not free yet")
        self.until = until


class Directory(Projects, Robots, Protocol):
    """The parts of the identity store that this needs."""


@dataclass(frozen=True, slots=True)
class ProjectDeletion:
    directory: Directory
    repositories: Repositories
    pages: Pages
    blobs: BlobIndex
    manifests: ManifestIndex
    trash: Trash
    retention: Retention
    webhooks: Callable[[Actor, str], Notifications]
    copies: Copies
    events: EventMaker

    def refusal(self, project: ProjectName) -> str | None:
        """Return why a project cannot be deleted, as a sentence, or None. Two Queries."""
        count = self.pages.count_repositories([project])[project]
        if count:
            return f"the project has {count} repositories: delete them first"
        if self.repositories.is_emptying(project):
            return "a repository of the project is being deleted: try again when that is done"
        return None

    def delete(self, project: Project, actor: Actor, *, go_on: Callable[[], bool]) -> None:
        """Delete an empty project. Raises NotEmpty; Conflict if it is gone, or another one has its name by now."""
        at = self.events.now_ms()
        self.repositories.close_project(project.name, at=at)
        refusal = self.refusal(project.name)
        if refusal is not None:
            self.repositories.open_project(project.name)
            raise NotEmpty(refusal)
        event = self.events.make(Operation.DELETE_PROJECT, actor, "", project=project.name)
        self.directory.delete_project(project, at=at, event=event)
        self._clear(project.name, DeletedProject(project.id, at, cleared=False), go_on)

    def claim(self, name: ProjectName, *, by_admin: bool, go_on: Callable[[], bool]) -> None:
        """Make a name free for a new project. Costs one read where no project of that name was deleted.

        Raises NameKept while something hangs on the name, and for HOLD_MS; a system administrator need not wait. Raises
        Conflict if somebody else has made the project by now.
        """
        gone = self.directory.find_deleted_project(name)
        if gone is None:
            return
        if not by_admin and self.events.now_ms() < gone.at + HOLD_MS:
            raise NameKept(name, gone.at + HOLD_MS)
        # Once more, even where it was cleared: old tokens may have left links since.
        if not self._clear(name, gone, go_on):
            raise NameKept(name, None)
        self.repositories.open_project(name)

    def _clear(self, name: ProjectName, gone: DeletedProject, go_on: Callable[[], bool]) -> bool:
        """Remove what hangs on the name; return whether nothing is left. Raises Conflict if there is a new project."""
        self.directory.clear_members(name)
        for robot in self.directory.list_robots(name):
            if robot.project_id == gone.id:
                self.directory.remove_robot(robot)
        self.webhooks(_SYSTEM, "").remove_all(name, before=gone.at // 1000 + 1)
        if self.retention.find(name, gone.id) is not None:
            with contextlib.suppress(Conflict):  # somebody else has removed it
                self.retention.remove(name, actor=_SYSTEM)
        if not self.copies.stop(name, _SYSTEM):
            return False
        while units := [unit for unit in self.trash.list(name) if unit.at <= gone.at]:
            for unit in units:
                if not go_on():
                    return False
                self.trash.empty(unit, actor=_SYSTEM)
        for repository in self.repositories.list_deleted(name):
            for digest in self.repositories.list_links(repository):
                if not go_on():
                    return False
                self._unlink(repository, digest)
        self.repositories.forget_project(name)
        self.directory.set_project_cleared(name, at=gone.at)
        return True

    def _unlink(self, repository: RepositoryName, digest: Digest) -> None:
        """Take a blob from a repository, unless a manifest there needs it. About four calls."""
        mark = self.events.new_mark()
        link = self.blobs.mark_link(repository, digest, mark)
        if link is None:
            return
        now = self.events.now_ms()
        if find_live_use(self.blobs, self.manifests, repository, digest, now_ms=now, fence_ms=0) is not None:
            self.blobs.unmark_link(repository, digest, mark)
            return
        event = self.events.make(Operation.DELETE_BLOB, _SYSTEM, repository, digest=digest, size=link.size)
        with contextlib.suppress(Conflict):  # somebody else has it
            self.blobs.unlink(repository, digest, mark=mark, event=event)
