"""Artifacts, their tags, accessories and additions."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    array,
    created,
    flag,
    mapping,
    nullable,
    number,
    obj,
    page_of,
    ref,
    text,
    time,
)

_SHOWN = (
    Parameter("with_tag", flag(), "show tags; true unless told otherwise"),
    Parameter("with_label", flag(), "show labels; false unless told otherwise"),
    Parameter("with_accessory", flag(), "show accessories; true unless told otherwise"),
)
_CURSOR = Parameter("after", text(maxLength=160), "the cursor in `Link`")

SCHEMAS: Mapping[str, Schema] = {
    "Artifact": obj(
        {
            "id": number(),
            "type": text("IMAGE, CHART and so on, by the media type"),
            "media_type": text("the configuration's, or an index's own"),
            "manifest_media_type": text(),
            "artifact_type": text(),
            "project_id": number(),
            "repository_id": number(),
            "repository_name": text(),
            "digest": text(),
            "size": number("bytes that a pull may transfer"),
            "push_time": time(),
            "pull_time": time("the year 1 if it was never pulled"),
            "references": array(ref("Reference"), "children of an index"),
            "tags": array(ref("Tag")),
            "accessories": array(ref("Accessory")),
            "labels": array(ref("Label")),
        },
        {
            "extra_attrs": mapping({}, "what the configuration says"),
            "annotations": mapping({}),
            "addition_links": mapping(obj({"href": text(), "absolute": flag()})),
        },
    ),
    "Reference": obj(
        {"parent_id": number(), "child_id": number(), "child_digest": text()},
        {"platform": mapping({}), "annotations": mapping({}), "urls": array(text())},
    ),
    "Tag": obj(
        {
            "id": number(),
            "repository_id": number(),
            "artifact_id": number(),
            "name": text(),
            "push_time": time(),
            "pull_time": time("the last pull of its artifact"),
            "immutable": flag(),
        }
    ),
    "Puller": obj(
        {
            "name": nullable(text("of a user or a robot; null for those who did not sign in")),
            "pull_count": number("within the 90 days, or since the puller came back after them"),
            "last_pull": time(),
        }
    ),
    "Layer": obj(
        {"digest": text(), "media_type": text(), "size": number("bytes of the compressed blob")},
        {
            "created_by": text("the instruction that made the layer, as the image's history has it"),
            "created": text("when, as the history says it"),
            "comment": text(),
        },
    ),
    "Accessory": obj(
        {
            "id": number(),
            "artifact_id": number(),
            "subject_artifact_id": number(),
            "subject_artifact_digest": text(),
            "subject_artifact_repo": text(),
            "size": number("bytes of its manifest"),
            "digest": text(),
            "type": text("signature.cosign, signature.notation, sbom.harbor or subject.accessory"),
            "artifact_type": text("what its manifest says it is; not in Harbor's API"),
            "creation_time": time(),
        }
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "listArtifacts": page_of("List a repository's artifacts", ref("Artifact"), *_SHOWN, _CURSOR),
    "getArtifact": Described("An artifact, by a digest or a tag", ref("Artifact"), query=_SHOWN),
    "CopyArtifact": Described(
        "Copy an artifact from another repository, with its tags, children and accessories",
        status=201,
        creates=True,
        query=(Parameter("from", text(), "`project/repository:tag` or `project/repository@digest`", required=True),),
        also=(400, 412),
        goes_on="It takes longer than ten seconds, and an execution goes on with it",
    ),
    "deleteArtifact": Described("Delete an artifact, its accessories and its untagged children", also=(412,)),
    "createTag": created("Give an artifact a new tag", obj({"name": text()}), also=(400, 409, 412)),
    "deleteTag": Described("Remove a tag of an artifact", also=(412,)),
    "listTags": page_of("List an artifact's tags", ref("Tag")),
    "listAccessories": page_of("List what belongs to an artifact: signatures, SBOMs", ref("Accessory")),
    "getVulnerabilitiesAddition": Described("An empty report: there is no scanner", mapping({})),
    "getAddition": Described(
        "What was extracted: build_history, readme.md, values.yaml, dependencies, license, files or sbom",
        {},
        media_type="*/*",
    ),
    "listLayers": Described(
        "List an image's layers with their sizes, the lowest first; an index has none", array(ref("Layer"))
    ),
    "listPullers": page_of("List who pulled an artifact within 90 days, the last one first", ref("Puller")),
    "listArtifactsOfProject": page_of(
        "List a project's artifacts",
        ref("Artifact"),
        *_SHOWN,
        Parameter("latest_in_repository", flag(), "the last pushed artifact of each repository alone"),
    ),
}
