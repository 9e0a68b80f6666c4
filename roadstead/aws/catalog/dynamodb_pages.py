"""`Pages` on the index table and its index `by-push`.

artifact#<repository>  <digest>      the summary: document, generation; bytes of the manifest
where#<digest>         <repository>  a manifest's repositories, for search
reposum#<project>      <repository>  created, updated, tags, artifacts
pullsum#<project>      <repository>  count, last (written by the webhook function)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import islice

from roadstead.aws.content.counts import ARTIFACTS, TAGS, counts_pk
from roadstead.aws.content.index_items import BY_PUSH, blob_pk, repository_pk, usage_key
from roadstead.aws.table import BATCH_GET, Item, Key, Table
from roadstead.catalog.pages import (
    TAGS_AT_ONCE,
    ArtifactRow,
    ArtifactTag,
    Counts,
    Details,
    RepositorySummary,
    TagRow,
    Totals,
)
from roadstead.catalog.summaries import Summary
from roadstead.content.accessories import is_accessory
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.parallel import each
from roadstead.trail.pull_counts import Pulls

CATALOG = "catalog"
_TAG, _TAGGED, _TAG_PLACE, _MANIFEST_PLACE = "tag#", "tagged#", "t#", "m#"
_ONE_BY_ONE = 2  # artifacts whose tags are read by a Query each, however few the repository has
_COSIGN_TAGS = 8  # that an artifact may have beside its own: a Query of its tags reads so many more
_ROUNDS = 20  # Queries of one page where cosign's tags stand between the others
_SHOWN = ("digest", "type", "size", "at", "by")


def summary_key(repository: str, digest: str) -> Key:
    return f"artifact#{repository}", digest


def where_key(digest: str, repository: str) -> Key:
    return f"where#{digest}", repository


def repository_summary_key(repository: RepositoryName) -> Key:
    return f"reposum#{repository.project}", repository


def _pulled_key(repository: RepositoryName) -> Key:
    return f"pullsum#{repository.project}", repository


def pulls_key(repository: str, digest: str) -> Key:
    return f"pulls#{repository}", digest


def read_counts(table: Table, repository: str) -> Counts:
    """One Query of up to 128 small items."""
    totals = {TAGS: 0, ARTIFACTS: 0}
    for item in table.query(counts_pk(repository)):
        totals[item["sk"].partition("#")[0]] += item["n"]
    return Counts(totals[TAGS], totals[ARTIFACTS])


class DynamoPages:
    def __init__(self, table: Table) -> None:
        self._table = table

    def tags_by_push(
        self, repository: RepositoryName, *, after: str | None, limit: int, oldest_first: bool = False
    ) -> tuple[TagRow, ...]:
        return tuple(_tag(item) for item in self._by_push(repository, _TAG_PLACE, after, limit, oldest_first))

    def tags_by_name(
        self,
        repository: RepositoryName,
        *,
        after: str | None,
        limit: int,
        prefix: str = "",
        backward: bool = False,
    ) -> tuple[TagRow, ...]:
        rows: list[TagRow] = []
        for _ in range(_ROUNDS):
            wanted = limit - len(rows)
            found = list(
                self._table.query(
                    repository_pk(repository),
                    prefix=_TAG + prefix,
                    after=None if after is None else _TAG + after,
                    limit=wanted,
                    attributes=_SHOWN,
                    backward=backward,
                )
            )
            rows += [row for row in map(_tag, found) if not is_accessory(row.tag)]
            if len(found) < wanted or len(rows) == limit:
                break
            after = found[-1]["sk"].removeprefix(_TAG)
        return tuple(rows)

    def artifacts_by_push(
        self, repository: RepositoryName, *, after: str | None, limit: int, oldest_first: bool = False
    ) -> tuple[ArtifactRow, ...]:
        found = self._by_push(repository, _MANIFEST_PLACE, after, limit, oldest_first)
        return tuple(
            ArtifactRow(
                Digest(item["sk"].removeprefix("manifest#")), item["type"], item["size"], item["at"], item["by"]
            )
            for item in found
        )

    def count(self, repository: RepositoryName) -> Counts:
        return read_counts(self._table, repository)

    def details(self, repository: RepositoryName, digests: Collection[Digest]) -> Mapping[Digest, Details]:
        keys = [key(repository, digest) for digest in digests for key in (summary_key, pulls_key)]
        found = self._table.batch_get(keys)
        details = {}
        for digest in digests:
            summary, pulls = found.get(summary_key(repository, digest)), found.get(pulls_key(repository, digest))
            details[digest] = Details(
                Summary.from_json(summary["document"]) if summary else None,
                Pulls(pulls["count"], pulls["last"]) if pulls else None,
            )
        return details

    def tags_of(
        self, repository: RepositoryName, digests: Collection[Digest], *, limit: int
    ) -> Mapping[Digest, tuple[ArtifactTag, ...]]:
        wanted = sorted(digests)
        found: dict[Digest, list[ArtifactTag]] = {digest: [] for digest in wanted}
        if len(wanted) > _ONE_BY_ONE:
            last = self._read_tags(repository, found, limit=TAGS_AT_ONCE)
            if last is None:
                return {digest: tuple(tags[:limit]) for digest, tags in found.items()}
            wanted = [digest for digest in wanted if digest >= last]

        def read(digest: Digest) -> None:
            found[digest] = []
            self._read_tags(repository, found, limit=limit + _COSIGN_TAGS, digest=digest)

        each(read, wanted)
        return {digest: tuple(tags[:limit]) for digest, tags in found.items()}

    def all_tags(self, repository: RepositoryName, *, limit: int) -> Mapping[Digest, tuple[ArtifactTag, ...]]:
        found: dict[Digest, list[ArtifactTag]] = {}
        self._read_tags(repository, found, limit=limit, every=True)
        return {digest: tuple(tags) for digest, tags in found.items()}

    def all_summaries(self, repository: RepositoryName, *, limit: int) -> tuple[Summary, ...]:
        found = self._table.query(f"artifact#{repository}", limit=limit)
        return tuple(Summary.from_json(item["document"]) for item in found)

    def all_pulls(self, repository: RepositoryName) -> Mapping[Digest, Pulls]:
        found = self._table.query(f"pulls#{repository}", attributes=("count", "last"))
        return {Digest(item["sk"]): Pulls(item["count"], item["last"]) for item in found}

    def list_repositories(self, project: ProjectName) -> tuple[RepositorySummary, ...]:
        names = self._names(project)
        summaries = {item["sk"]: item for item in self._table.query(f"reposum#{project}")}
        pulls = {item["sk"]: item for item in self._table.query(f"pullsum#{project}")}
        return tuple(self._repository(item, summaries.get(name), pulls.get(name)) for name, item in names.items())

    def last_updated(self, names: Collection[RepositoryName], *, limit: int) -> tuple[RepositorySummary, ...]:
        keys = {repository_summary_key(name): name for name in names}
        if len(keys) <= BATCH_GET:
            summaries = self._table.batch_get(keys) if keys else {}
        else:
            partitions = each(lambda pk: list(self._table.query(pk)), dict.fromkeys(pk for pk, _ in keys))
            summaries = {(item["pk"], item["sk"]): item for items in partitions for item in items}
        newest = sorted((key for key in keys if key in summaries), key=lambda key: (-summaries[key]["updated"], key[1]))
        # What has no summary was created a moment ago, or is not there.
        chosen = {key: keys[key] for key in (*(key for key in keys if key not in summaries), *newest[:limit])}
        more = [place for name in chosen.values() for place in ((CATALOG, name), _pulled_key(name))]
        found = self._table.batch_get(more) if more else {}
        shown = (
            self._repository(found[CATALOG, name], summaries.get(key), found.get(_pulled_key(name)))
            for key, name in chosen.items()
            if (CATALOG, name) in found
        )
        return tuple(sorted(shown, key=lambda one: (-one.updated, one.name))[:limit])

    def count_repositories(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, int]:
        if len(projects) > _ONE_BY_ONE:
            found = Counter(name.project for name in self.list_names())
            return {project: found[project] for project in projects}
        return {project: self._table.count(CATALOG, prefix=f"{project}/").items for project in projects}

    def totals_of(self, repositories: Collection[RepositoryName]) -> Mapping[RepositoryName, Totals]:
        keys = [key(name) for name in repositories for key in (repository_summary_key, _pulled_key)]
        found = self._table.batch_get(keys)
        nothing: Item = {"artifacts": 0, "count": 0}
        return {
            name: Totals(
                found.get(repository_summary_key(name), nothing)["artifacts"],
                found.get(_pulled_key(name), nothing)["count"],
            )
            for name in repositories
        }

    def usage(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, int]:
        keys = {usage_key(project): project for project in projects}
        found = self._table.batch_get(keys)  # an item stays when everything is gone
        return {keys[key]: int(item["bytes"]) for key, item in found.items() if item["bytes"]}

    def list_names(self) -> tuple[RepositoryName, ...]:
        return tuple(RepositoryName(item["sk"]) for item in self._table.query(CATALOG, attributes=("at",)))

    def find_repositories_with(self, digest: Digest) -> dict[RepositoryName, bool]:
        manifests = {item["sk"] for item in self._table.query(f"where#{digest}")}
        links = [item["sk"].removeprefix("repo#") for item in self._table.query(blob_pk(digest), prefix="repo#")]
        return {RepositoryName(name): name in manifests for name in sorted({*manifests, *links})}

    def _by_push(
        self, repository: RepositoryName, kind: str, after: str | None, limit: int, oldest_first: bool
    ) -> list[Item]:
        found = self._table.query(
            repository_pk(repository),
            prefix=kind,
            after=None if after is None else kind + after,
            limit=limit,
            backward=not oldest_first,
            order=BY_PUSH,
        )
        return list(islice(found, limit))

    def _read_tags(
        self,
        repository: RepositoryName,
        found: dict[Digest, list[ArtifactTag]],
        *,
        limit: int,
        digest: str = "",
        every: bool = False,
    ) -> Digest | None:
        """Add up to `limit` tags, in the order of digests, to those artifacts in `found`, or to `every` one.

        Return the last artifact that was read where there may be more.
        """
        read = 0
        prefix = _TAGGED + (f"{digest}#" if digest else "")
        last = None
        for item in self._table.query(repository_pk(repository), prefix=prefix, limit=limit, attributes=("at",)):
            read += 1
            text, _, tag = item["sk"].removeprefix(_TAGGED).partition("#")
            last = Digest(text)
            if every:
                found.setdefault(last, [])
            if last in found and not is_accessory(Tag(tag)):
                found[last].append(ArtifactTag(Tag(tag), item["at"]))
        return last if read == limit else None

    def _names(self, project: ProjectName) -> dict[str, Item]:
        """The project's repositories: when they were created, and their descriptions."""
        return {item["sk"]: item for item in self._table.query(CATALOG, prefix=f"{project}/")}

    def _repository(self, item: Item, summary: Item | None, pulls: Item | None) -> RepositorySummary:
        name, created = RepositoryName(item["sk"]), item["at"]
        if summary is not None:
            updated, counts = summary["updated"], Counts(summary["tags"], summary["artifacts"])
        else:
            updated, counts = created, self.count(name)
        count, last = (pulls["count"], pulls["last"]) if pulls else (0, 0)
        description = item.get("description", "")
        return RepositorySummary(name, created, updated, counts.tags, counts.artifacts, count, last, description)


def _tag(item: Item) -> TagRow:
    tag = Tag(item["sk"].removeprefix(_TAG))
    return TagRow(tag, Digest(item["digest"]), item["type"], item["size"], item["at"], item["by"])
