"""cosign's tags: `sha256-<hex>` with `.sig`, `.att`, `.sbom` or nothing behind it (cosign's specification, and the
referrers tag schema of distribution-spec 1.1.1). They name what belongs to another manifest, so lists and counts of
tags leave them out.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from roadstead.digest import Digest
from roadstead.names import Tag

_TAG = re.compile(r"sha256-([0-9a-f]{64})(\.(?:sig|att|sbom))?")


def is_accessory(tag: Tag) -> bool:
    return _TAG.fullmatch(tag) is not None


def belongs_to(tag: Tag) -> Digest | None:
    """Return the digest of the manifest that a tag of cosign's is about, or None for any other tag."""
    found = _TAG.fullmatch(tag)
    return Digest(f"sha256:{found[1]}") if found else None


def is_listed(*, has_subject: bool, tags: Collection[Tag], is_needed: bool) -> bool:
    """Return whether lists show a manifest as an artifact of its own: not what has a subject, not what has cosign's
    tags alone, and a child of an index only if it has a tag."""
    if has_subject:
        return False
    if tags:
        return not all(is_accessory(tag) for tag in tags)
    return not is_needed
