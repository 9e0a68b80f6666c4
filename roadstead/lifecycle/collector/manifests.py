"""Objects of manifests that do not stand: of commits that failed, and of manifests that were deleted.

What such a manifest needed may be needed by nothing now. Its links are marked before its object is deleted, which is
what tells them.

The indexer removes what it extracted of a manifest once that is deleted. One that died before it had noted what it
extracted leaves that behind, so it goes with the manifest's object.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from roadstead.content.deletion.trash import Trashed
from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST, parse_manifest
from roadstead.content.manifests import needed_by
from roadstead.content.objects import derived_prefix
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.lifecycle.collector.backlog import Candidate, Kind
from roadstead.lifecycle.collector.links import Suspect, mark
from roadstead.lifecycle.collector.stores import Run
from roadstead.names import RepositoryName


def delete_fallen(run: Run, candidates: Sequence[Candidate]) -> None:
    """Delete the objects of generations that do not stand, their uses, and mark what only they needed."""
    for one in candidates:
        if "generation" not in one.fields or not run.is_first(one.fields["key"]) or _stands(run, one):
            continue
        trashed = _trashed(run, one)
        if trashed is None or trashed.expires <= run.stores.events.now_ms():
            _delete(run, one, trashed)
        elif not run.dry:
            # Due again when it expires; `at` is a grace period before.
            run.stores.backlog.renew(Kind.MANIFEST, one.fields, trashed.expires - run.grace_ms)
    if not run.dry:
        run.stores.backlog.done(candidates)


def _stands(run: Run, one: Candidate) -> bool:
    entry = run.stores.manifests.find_manifest(RepositoryName(one.fields["repository"]), Digest(one.fields["digest"]))
    return entry is not None and entry.generation == one.fields["generation"]


def _trashed(run: Run, one: Candidate) -> Trashed | None:
    """Return the generation's entry in the trash, which may have expired. Costs a read."""
    generation = Digest(one.fields["digest"]), one.fields["generation"]
    return run.stores.manifests.find_trashed(RepositoryName(one.fields["repository"]), [generation]).get(generation)


def _delete(run: Run, one: Candidate, trashed: Trashed | None) -> None:
    """`trashed` has expired; it goes last, since it tells the uses of this manifest from those of a commit."""
    stores, repository = run.stores, RepositoryName(one.fields["repository"])
    data = stores.objects.get(one.fields["key"])
    if data is None:  # an earlier run died after its last write but one, or another candidate led here before
        if not run.dry:
            _delete_extracted(run, one)
            if trashed is not None:
                stores.manifests.forget_trashed(trashed)
        return
    needed = _needed(data)
    mark(run, [Suspect(repository, digest) for digest in needed])
    run.report.manifests_deleted += 1
    run.report.bytes_freed += len(data)
    if run.dry:
        return
    stores.manifests.remove_uses(repository, Digest(one.fields["digest"]), one.fields["generation"], needed)
    _delete_extracted(run, one)
    stores.objects.delete([one.fields["key"]])
    if trashed is not None:
        stores.manifests.forget_trashed(trashed)


def _delete_extracted(run: Run, one: Candidate) -> None:
    """One LIST, and a call if there is anything."""
    prefix = derived_prefix(
        RepositoryName(one.fields["repository"]), Digest(one.fields["digest"]), one.fields["generation"]
    )
    if keys := run.stores.objects.list(prefix):
        run.stores.objects.delete(keys)


def _needed(data: bytes) -> list[Digest]:
    """Return what a manifest needs. It may have been pushed with its type in the header alone."""
    for media_type in (None, OCI_MANIFEST, OCI_INDEX):
        with suppress(RegistryError):
            return needed_by(parse_manifest(data, media_type))
    return []
