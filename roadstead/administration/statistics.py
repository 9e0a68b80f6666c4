"""How many projects and repositories there are, and how much they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from roadstead.identity.lists import VisibleProject
from roadstead.names import ProjectName, RepositoryName


@dataclass(frozen=True, slots=True)
class Statistics:
    """`bytes` are those of blobs, each once in a project, and of manifests, as far as the indexer has come."""

    public_projects: int
    private_projects: int
    public_repositories: int
    private_repositories: int
    bytes: int


def count(
    projects: Sequence[VisibleProject], names: Iterable[RepositoryName], used: Mapping[ProjectName, int]
) -> Statistics:
    """Count what is in `projects`, of the repositories' names and the bytes that each project uses."""
    repositories = Counter(name.project for name in names)
    public = [one.project.name for one in projects if one.project.public]
    private = [one.project.name for one in projects if not one.project.public]
    return Statistics(
        len(public),
        len(private),
        sum(repositories[name] for name in public),
        sum(repositories[name] for name in private),
        sum(used.get(name, 0) for name in (*public, *private)),
    )
