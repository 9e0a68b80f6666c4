"""What changes artifacts: copies, deletions, tags."""

from __future__ import annotations

import time

from functions.management.authorization import require_on_repository
from functions.management.call import Call, text
from functions.management.content_names import reference_in, repository_in
from functions.management.errors import bad_request, not_found
from functions.management.route import HARBOR, OWN, in_project, route
from roadstead.digest import Digest
from roadstead.http import Response
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.lifecycle.executions import copies
from roadstead.lifecycle.executions.executions import Running
from roadstead.names import Reference, RepositoryName, Tag

COPY_SECONDS = 10.0  # for which a request copies by itself; the gateway waits for 30


def copy_artifact(call: Call, project_name: str, repository: str) -> Response:
    """Copy `from` (`project/repository:tag`, or `@digest`) with its tags and all that belongs to it: 201.

    What takes longer than COPY_SECONDS is gone on with by an execution: 202, with its path in `Location`; asking again
    is answered in the same way. Needs `repository:pull` where it comes from. Costs what `Copying.copy` costs. Raises
    400, 403, 404, 412.
    """
    target = repository_in(call, repository)
    source, reference = _copied(call.request.parameter("from") or "")
    pull = Permission(Resource.REPOSITORY, Action.PULL)
    require_on_repository(call.services, call.caller, source, pull)
    copying, end = call.services.content.copying, time.monotonic() + COPY_SECONDS
    asked = copying.ask(source, reference, target, call.actor)
    if copying.copy(asked, go_on=lambda: time.monotonic() < end).complete:
        return Response(201, (("Location", f"{call.request.path.rstrip('/')}/{reference}"),))
    try:
        started = copies.start(call.services.starter, asked).id
    except Running as error:
        started = error.id
    return Response(202, (("Location", f"{OWN}/executions/{started}"),))


def delete_artifact(call: Call, project_name: str, repository: str, reference: str) -> Response:
    """Delete an artifact with its tags, accessories, and children that nothing else needs. Raises 404, 412."""
    call.services.content.deletion.delete(repository_in(call, repository), reference_in(reference), call.actor)
    return Response(200)


def create_tag(call: Call, project_name: str, repository: str, reference: str) -> Response:
    """Give an artifact a new tag. Raises 400, 404, 409 for a tag that there is, 412."""
    name = repository_in(call, repository)
    try:
        tag = Tag.parse(text(call.document(), "name"))
    except ValueError as error:
        raise bad_request(str(error)) from error
    digest = call.services.artifacts.digest_of(name, reference_in(reference))
    call.services.content.push.tag(name, digest, tag, actor=call.actor)
    return Response(201, (("Location", f"{call.request.path.rstrip('/')}/{tag}"),))


def delete_tag(call: Call, project_name: str, repository: str, reference: str, tag_name: str) -> Response:
    """Remove a tag of an artifact. Raises 404 where the artifact does not have it, 412."""
    name, tag = repository_in(call, repository), reference_in(tag_name)
    digest = call.services.artifacts.digest_of(name, reference_in(reference))
    if not isinstance(tag, Tag):
        raise not_found("a digest is not a tag")
    call.services.content.manifests.delete_tag_of(name, tag, digest, call.actor)
    return Response(200)


def _copied(asked: str) -> tuple[RepositoryName, Reference]:
    """Read `repository:tag` or `repository@digest`. Raises 400."""
    name, at, digest = asked.partition("@")
    if not at:
        name, _, digest = asked.rpartition(":")
    try:
        return RepositoryName.parse(name), Digest.parse(digest) if at else Tag.parse(digest)
    except ValueError as error:
        raise bad_request(f"from must be project/repository:tag or project/repository@digest: {error}") from error


_ARTIFACTS = f"{HARBOR}/projects/{{project_name}}/repositories/{{repository}}/artifacts"
_ARTIFACT = f"{_ARTIFACTS}/{{reference}}"
ROUTES = (
    route("CopyArtifact", "POST", _ARTIFACTS, in_project("artifact", "create"), copy_artifact),
    route("deleteArtifact", "DELETE", _ARTIFACT, in_project("artifact", "delete"), delete_artifact),
    route("createTag", "POST", f"{_ARTIFACT}/tags", in_project("tag", "create"), create_tag),
    route("deleteTag", "DELETE", f"{_ARTIFACT}/tags/{{tag_name}}", in_project("tag", "delete"), delete_tag),
)
