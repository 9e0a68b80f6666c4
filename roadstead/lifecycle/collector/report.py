"""What a run of the collector did, or in a dry run would do."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Report:
    """Counts of one run. Bytes are those of objects; kept versions of a bucket cost until they expire."""

    dry_run: bool = False
    candidates: int = 0  # that were due
    links_marked: int = 0  # that no manifest needs: removed by a run a commit fence later, unless somebody asks
    links_removed: int = 0
    blobs_deleted: int = 0  # objects whose last link was removed
    manifests_deleted: int = 0  # objects of manifests that do not stand
    leftovers_deleted: int = 0  # surplus objects, and those of uploads that nobody finished or asked for
    bytes_freed: int = 0
    unexplained: int = 0  # candidates that could not be understood; they stay, and the log names them
    complete: bool = True  # False: time ran out, and the next run goes on

    @property
    def objects_deleted(self) -> int:
        return self.blobs_deleted + self.manifests_deleted + self.leftovers_deleted

    def as_json(self) -> dict[str, int | bool]:
        return {**asdict(self), "objects_deleted": self.objects_deleted}
