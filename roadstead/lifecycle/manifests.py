"""Objects of manifests that do not stand: of commits that failed, and of manifests that were deleted.

What such a manifest needed may be needed by nothing now. Its links are marked before its object is deleted, which is
what tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST, parse_manifest
from roadstead.content.manifests import needed_by
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.lifecycle.backlog import Candidate
from roadstead.lifecycle.links import Suspect, mark
from roadstead.lifecycle.stores import Run
from roadstead.names import RepositoryName


def delete_fallen(run: Run, candidates: Sequence[Candidate]) -> None:
    """Delete the objects of generations that do not stand, their uses, and mark what only they needed."""
    for one in candidates:
        if "generation" in one.fields and run.is_first(one.fields["key"]) and not _stands(run, one):
            _delete(run, one)
    if not run.dry:
        run.stores.backlog.done(candidates)


def _stands(run: Run, one: Candidate) -> bool:
    entry = run.stores.manifests.find_manifest(RepositoryName(one.fields["repository"]), Digest(one.fields["digest"]))
    return entry is not None and entry.generation == one.fields["generation"]


def _delete(run: Run, one: Candidate) -> None:
    stores, repository = run.stores, RepositoryName(one.fields["repository"])
    data = stores.objects.get(one.fields["key"])
    if data is None:
        return
    needed = _needed(data)
    mark(run, [Suspect(repository, digest) for digest in needed])
    run.report.manifests_deleted += 1
    run.report.bytes_freed += len(data)
    if run.dry:
        return
    stores.manifests.remove_uses(repository, Digest(one.fields["digest"]), one.fields["generation"], needed)
    stores.objects.delete([one.fields["key"]])


def _needed(data: bytes) -> list[Digest]:
    """Return what a manifest needs. It may have been pushed with its type in the header alone."""
    for media_type in (None, OCI_MANIFEST, OCI_INDEX):
        with suppress(RegistryError):
            return needed_by(parse_manifest(data, media_type))
    return []
