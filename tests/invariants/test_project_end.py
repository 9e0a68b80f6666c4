"""The end of a project beside pushes to it: the project is gone, or the push is there, and never both."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, cast

from roadstead.administration.project_deletion import NotEmpty, ProjectDeletion
from roadstead.aws.catalog.dynamodb_pages import DynamoPages
from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.content.repositories import ProjectClosed
from roadstead.digest import Digest
from roadstead.identity.directory import DeletedProject, Project
from roadstead.names import ProjectName, RepositoryName
from tests.invariants.cloud import IDENTITY, INDEX, Cloud
from tests.invariants.operations import CONFIG, IMAGE, LAYER, with_image
from tests.invariants.registry import BOB, Registry
from tests.invariants.schedules import interleave, plans

SCHEDULES = int(os.environ.get("INVARIANT_SCHEDULES", "90"))


class Decision(ProjectDeletion):
    """Up to the point where the project is gone; what is cleared behind that races with nothing."""

    def _clear(self, name: ProjectName, gone: DeletedProject, go_on: Callable[[], bool]) -> bool:
        return True


def end(cloud: Cloud, project: ProjectName) -> None:
    table, directory = Table(cloud.dynamodb, INDEX), DynamoIdentities(Table(cloud.dynamodb, IDENTITY))
    unused = cast(Any, None)
    deletion = Decision(
        directory=directory,
        repositories=DynamoRepositories(table),
        pages=DynamoPages(table),
        blobs=unused,
        manifests=unused,
        trash=unused,
        retention=unused,
        webhooks=unused,
        copies=unused,
        events=Registry(cloud).events,
    )
    found = directory.find_project(project)
    assert found is not None
    deletion.delete(found, BOB, go_on=lambda: True)


def test_a_push_and_the_end_of_its_project_never_both_succeed(cloud: Cloud) -> None:
    identities = DynamoIdentities(Table(cloud.dynamodb, IDENTITY))
    seen = set()
    for number, (plan, choose) in enumerate(plans(10, 2, SCHEDULES)):
        project = ProjectName(f"p{number}")
        repository = f"{project}/ships"
        identities.create_project(Project(project, False, int(cloud.clock()), "bob"))
        registry = Registry(cloud)
        for data in (CONFIG, LAYER):
            registry.upload(data, RepositoryName(repository))

        def push(repository: str = repository) -> object:
            return Registry(cloud).push(IMAGE, "v1", to=repository)

        def delete(project: ProjectName = project) -> None:
            end(cloud, project)

        run = interleave(cloud, [push, delete], choose)
        told = "\n".join([f"{plan}: {run.outcomes}", *run.trace])
        pushed, ended = run.outcomes
        assert isinstance(pushed, (str, ProjectClosed)), told
        assert ended is None or isinstance(ended, NotEmpty), told
        is_there = (f"repo#{repository}", "meta") in cloud.rows(f"repo#{repository}")
        assert is_there is isinstance(pushed, str) or isinstance(pushed, ProjectClosed), told
        exists = identities.find_project(project) is not None
        assert exists is (ended is not None), told
        assert not (is_there and not exists), told
        if exists:  # it was opened again
            assert not cloud.rows(f"closed#{project}"), told
        seen.add((isinstance(pushed, str), ended is None))
    assert {(True, False), (False, True)} <= seen
    assert (True, True) not in seen


def test_a_push_to_a_repository_that_goes_with_its_project_is_in_time_or_refused(cloud: Cloud) -> None:
    """What was committed behind the deletion of the repository keeps the project, which has a repository again."""
    identities = DynamoIdentities(Table(cloud.dynamodb, IDENTITY))
    seen = set()
    for number, (plan, choose) in enumerate(plans(35, 2, SCHEDULES // 2)):
        project = ProjectName(f"q{number}")
        repository = RepositoryName(f"{project}/ships")
        identities.create_project(Project(project, False, int(cloud.clock()), "bob"))
        with_image(Registry(cloud), "old", repository=repository)
        cloud.clock.advance(60)

        def push(repository: RepositoryName = repository) -> object:
            return Registry(cloud).push(IMAGE, "v1", to=repository)

        def delete(project: ProjectName = project, repository: RepositoryName = repository) -> None:
            registry = Registry(cloud)
            deletion = RepositoryDeletion(
                DynamoRepositories(registry.table), registry.manifests, registry.index, registry.events
            )
            deletion.sweep(repository, deletion.begin(repository, BOB), BOB, go_on=lambda: True)
            end(cloud, project)

        run = interleave(cloud, [push, delete], choose)
        told = "\n".join([f"{plan}: {run.outcomes}", *run.trace])
        pushed, ended = run.outcomes
        assert isinstance(pushed, (str, ProjectClosed)), told
        assert ended is None or isinstance(ended, NotEmpty), told
        operations = [event["operation"] for event in cloud.events if event["repository"] == repository]
        behind = {"push", "tag"} & set(operations[operations.index("delete-repository") :])
        assert bool(behind) is (ended is not None), told
        assert (identities.find_project(project) is not None) is (ended is not None), told
        there = {sk for _, sk in cloud.rows(f"repo#{repository}") if sk.startswith(("manifest#", "tag#"))}
        assert there == ({f"manifest#{Digest.of(IMAGE)}", "tag#v1"} if behind else set()), told
        assert (("catalog", repository) in cloud.rows("catalog")) is bool(behind), told
        seen.add((isinstance(pushed, str), ended is None))
    assert (True, False) in seen and (True, True) in seen  # kept by a push, and gone with what was pushed before
