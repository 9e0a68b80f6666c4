"""What was deleted and can be restored."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    array,
    created,
    mapping,
    number,
    obj,
    one_of,
    ref,
    text,
    time,
)
from roadstead.content.deletion.trash import MAX_GRACE, UnitKind

SCHEMAS: Mapping[str, Schema] = {
    "TrashUnit": obj(
        {
            "id": text(),
            "kind": one_of(*map(str, UnitKind)),
            "repository": text("with its project"),
            "digest": text("empty for a repository"),
            "media_type": text(),
            "size": number("bytes of the manifest"),
            "tags": array(text(), "that went with it, the first hundred"),
            "tag_count": number(),
            "deleted_by": text(),
            "deleted": time(),
            "expires": time("until then it can be restored"),
        }
    ),
    "TrashGrace": obj({"seconds": number("0: what is deleted cannot be restored", minimum=0, maximum=MAX_GRACE)}),
}
_RESTORE = obj(
    {}, {"tags": mapping(text(), "new names of tags; an empty one leaves the tag out")}, "the body may be absent"
)
_LEFT_OUT = Parameter("before", text(maxLength=60), "the id of the last unit of the page before")

OPERATIONS: Mapping[str, Described] = {
    "listTrash": Described(
        "List what was deleted and can be restored, newest first, 100 a page",
        array(ref("TrashUnit")),
        query=[Parameter("repository", text(), "without its project"), _LEFT_OUT],
    ),
    "getTrashed": Described("Show something that was deleted", ref("TrashUnit")),
    "restoreTrashed": created("Start to restore it: `Location` is the execution", _RESTORE, also=(400, 409)),
    "emptyTrashed": Described("Start to remove it for good", status=202, also=(409,)),
    "emptyTrash": Described("Start to remove everything for good", status=202, also=(409,)),
    "getTrashGrace": Described("Show for how long what is deleted can be restored", ref("TrashGrace")),
    "setTrashGrace": Described("Set it for later deletions", body=ref("TrashGrace")),
}
