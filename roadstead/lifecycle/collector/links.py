"""Links of repositories to blobs that no manifest needs: marked, and removed a commit fence later.

A commit notes its uses before its last look at the links, and this marks before it asks for uses a second time. So a
commit that looked before the mark has written its uses by the time of the removal, and one that looked after it has
removed the mark, as a HEAD does that promises a client that the blob is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from roadstead.conflicts import Conflict
from roadstead.content.blob_index import Use
from roadstead.content.deletion.uses import find_live_use
from roadstead.digest import Digest
from roadstead.lifecycle.collector.backlog import Candidate, Kind, MarkedLink
from roadstead.lifecycle.collector.stores import Run
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, ActorKind, Operation

COLLECTOR = Actor("collector", ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A link that may be needed by nothing; there need not be one."""

    repository: RepositoryName
    digest: Digest


def mark(run: Run, suspects: Sequence[Suspect]) -> None:
    """Mark the links that no manifest needs. Two calls for each that is needed, two for each that is not."""
    new = [suspect for suspect in suspects if run.is_first(suspect)]
    marked = [one for one in run.each(lambda suspect: _mark(run, suspect), new) if one is not None]
    run.report.links_marked += len(marked)
    if marked and not run.dry:
        run.stores.backlog.keep(marked)


def _mark(run: Run, suspect: Suspect) -> MarkedLink | None:
    stores, now = run.stores, run.stores.events.now_ms()
    repository, digest = suspect.repository, suspect.digest
    use = _live_use(run, suspect)
    if use is not None:
        if use.at > now - run.fence_ms and not run.dry:
            # The commit may be under way, and fail: then nothing else would lead to this link.
            stores.backlog.renew(Kind.LINK, {"repository": repository, "digest": digest}, now)
        return None
    if run.dry:
        found = stores.links.find_link(repository, digest)
        return MarkedLink(repository, digest, "", found.size, now) if found is not None else None
    new = stores.events.new_mark()
    link = stores.links.mark_link(repository, digest, new)
    return MarkedLink(repository, digest, new, link.size, now) if link is not None else None


def sweep(run: Run, marked: Sequence[MarkedLink]) -> None:
    """Remove the links that still carry their mark and that still nothing needs. Two calls for each."""
    removed = run.each(lambda one: _sweep(run, one), marked)
    run.report.links_removed += sum(removed)
    if not run.dry:
        run.stores.backlog.done(marked)


def _sweep(run: Run, marked: MarkedLink) -> bool:
    stores, repository, digest = run.stores, marked.repository, marked.digest
    lapsed: list[Use] = []
    use = _live_use(run, Suspect(repository, digest), lapsed)
    if run.dry:
        return use is None
    if use is None:
        event = stores.events.make(Operation.DELETE_BLOB, COLLECTOR, repository, digest=digest, size=marked.size)
        try:
            stores.links.unlink(repository, digest, mark=marked.mark, event=event)
        except Conflict:
            pass
        else:
            # Of commits that failed, or that another process did not take back.
            for gone in lapsed:
                stores.manifests.remove_uses(repository, gone.manifest, gone.generation, [digest])
            return True
    if stores.links.find_link(repository, digest) is not None:
        # Somebody removed the mark, or a commit noted a use and may yet fail: look again when the grace is over.
        stores.links.unmark_link(repository, digest, marked.mark)
        stores.backlog.renew(Kind.LINK, {"repository": repository, "digest": digest}, stores.events.now_ms())
    return False


def _live_use(run: Run, suspect: Suspect, lapsed: list[Use] | None = None) -> Use | None:
    stores = run.stores
    return find_live_use(
        stores.links,
        stores.manifests,
        suspect.repository,
        suspect.digest,
        now_ms=stores.events.now_ms(),
        fence_ms=run.fence_ms,
        lapsed=lapsed,
        for_collector=True,
    )


def suspects(candidates: Sequence[Candidate]) -> list[Suspect]:
    return [Suspect(RepositoryName(one.fields["repository"]), Digest(one.fields["digest"])) for one in candidates]
