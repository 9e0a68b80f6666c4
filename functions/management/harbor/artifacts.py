"""Harbor's documents of artifacts, tags and accessories, as its `ToSwagger` functions make them.

Sources: Harbor, src/server/v2.0/handler/model/{artifact,tag,accessory}.go; src/controller/artifact (abstractor.go and
processor/) for an artifact's type and extra attributes; src/pkg/accessory/model for the types of accessories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from functions.management.harbor.labels import label_document
from functions.management.harbor.shapes import milliseconds
from roadstead.catalog.artifacts import Artifact
from roadstead.catalog.extraction import CONFIG, HARBOR_SBOM, SBOM, VALUES
from roadstead.catalog.labels import Label
from roadstead.catalog.layers import Layer
from roadstead.catalog.models import LICENSE, MODEL_CONFIG, README
from roadstead.catalog.pages import ArtifactTag
from roadstead.catalog.summaries import SBOMS, Summary
from roadstead.content.manifest_document import INDEX_TYPES
from roadstead.content.relatives import Accessory
from roadstead.digest import Digest
from roadstead.ids import hashed_id
from roadstead.lifecycle.policy.changes import IsImmutable
from roadstead.names import RepositoryName, Tag

BUILD_HISTORY, DEPENDENCIES, FILES = "build_history", "dependencies", "files"
IMAGE, CHART, MODEL, UNKNOWN = "IMAGE", "CHART", "CNAI", "UNKNOWN"
_TYPES: Final = {
    "application/vnd.oci.image.config.v1+json": IMAGE,
    "application/vnd.docker.container.image.v1+json": IMAGE,
    "application/vnd.cncf.helm.config.v1+json": CHART,
    "application/vnd.cnab.manifest.v1": "CNAB",
    "application/vnd.wasm.config.v1+json": "WASM",
    HARBOR_SBOM: "SBOM",
    MODEL_CONFIG: MODEL,
}
_NAMED_TYPE = re.compile(r"application/vnd\.[^.]*\.(.*)\.config\.[^.]*\+json")
_OCI = "org.opencontainers.image."
_OS_VERSION, _OS_FEATURES = "'os.version'", "'os.features'"  # the quotes are in Harbor's description, and in its JSON
_ACCESSORIES: Final = (
    ("application/vnd.dev.cosign.artifact.sig", "signature.cosign"),
    ("application/vnd.dev.sigstore.bundle", "signature.cosign"),
    ("application/vnd.cncf.notary.signature", "signature.notation"),
    ("application/vnd.goharbor.harbor.sbom", "sbom.harbor"),
)


def artifact_id(repository: RepositoryName, digest: str) -> int:
    return hashed_id("artifact", repository, digest)


def repository_id(repository: RepositoryName) -> int:
    return hashed_id("repository", repository)


def tag_id(repository: RepositoryName, tag: Tag) -> int:
    return hashed_id("tag", repository, tag)


def media_type(summary: Summary) -> str:
    """Return what Harbor calls an artifact's media type: its configuration's, or an index's own."""
    if summary.media_type in INDEX_TYPES:
        return summary.media_type
    return summary.config_type or summary.artifact_type


def type_of(summary: Summary) -> str:
    """Return Harbor's type: IMAGE, CHART and so on, UNKNOWN where the media type does not say it."""
    if summary.media_type in INDEX_TYPES:
        return IMAGE
    own = media_type(summary)
    if own in _TYPES:
        return _TYPES[own]
    found = _NAMED_TYPE.fullmatch(own)
    return found[1].upper() if found is not None else UNKNOWN


MAX_SBOMS = 50  # accessories of one artifact among which its SBOM is looked for
POSSIBLE: Final = {
    IMAGE: (BUILD_HISTORY, SBOM),
    CHART: (VALUES, README, DEPENDENCIES),
    MODEL: (README, LICENSE, FILES),
    "SBOM": (SBOM,),
}


def additions_of(summary: Summary) -> list[str]:
    """Return the additions that an artifact itself has, by Harbor's names."""
    type_, there = type_of(summary), summary.additions
    own = [SBOM] if SBOM in there else []
    if type_ == IMAGE:
        return [*([BUILD_HISTORY] if CONFIG in there else []), *own]
    if type_ == CHART:
        return [name for name, file in ((VALUES, VALUES), (README, README), (DEPENDENCIES, CONFIG)) if file in there]
    if type_ == MODEL:
        return [*(name for name in (README, LICENSE) if name in there), FILES]
    return own


def is_sbom(accessory: Accessory) -> bool:
    return accessory.type.startswith(SBOMS)


def artifact_document(
    artifact: Artifact,
    *,
    project_id: int,
    is_immutable: IsImmutable,
    labels: Sequence[Label] = (),
    document: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`document` is the manifest and `config` its configuration, where one artifact is looked at.

    A list has of the annotations those that a summary keeps, and of the configuration its facts.
    """
    summary, repository = artifact.known, artifact.repository
    attributes = _attributes(summary, config) if config is not None else dict(summary.facts)
    annotations = (
        document.get("annotations") or {}
        if document is not None
        else {f"{_OCI}{name}": text for name, text in summary.annotations.items()}
    )
    shown: dict[str, Any] = {
        "id": artifact_id(repository, artifact.digest),
        "type": type_of(summary),
        "media_type": media_type(summary),
        "manifest_media_type": summary.media_type,
        "artifact_type": summary.artifact_type or summary.media_type,
        "project_id": project_id,
        "repository_id": repository_id(repository),
        "repository_name": repository,
        "digest": artifact.digest,
        "size": summary.size,
        "push_time": milliseconds(artifact.at),
        "pull_time": milliseconds(artifact.pulls.last if artifact.pulls is not None else 0),
        "references": _references(artifact, document),
        "tags": [
            tag_document(
                repository,
                artifact.digest,
                tag,
                pulled=_pulled(artifact),
                immutable=is_immutable(repository, tag.tag),
            )
            for tag in artifact.tags
        ],
        "accessories": [accessory_document(repository, artifact.digest, one) for one in artifact.accessories],
        "labels": [label_document(one) for one in labels],
    }
    if attributes:
        shown["extra_attrs"] = attributes
    if annotations:
        shown["annotations"] = dict(annotations)
    if links := _addition_links(artifact):
        shown["addition_links"] = {name: {"absolute": False, "href": href} for name, href in links.items()}
    return shown


def _addition_links(artifact: Artifact) -> dict[str, str]:
    """The paths of additions by their names. That of an image's SBOM leads to the accessory, as in Harbor."""
    base = f"{_path(artifact.repository)}/artifacts"
    links = {name: f"{base}/{artifact.digest}/additions/{name}" for name in additions_of(artifact.known)}
    if type_of(artifact.known) == IMAGE:
        for one in artifact.known.accessories:
            if is_sbom(one):
                links.setdefault(SBOM, f"{base}/{one.digest}/additions/{SBOM}")
    return links


def tag_document(
    repository: RepositoryName, digest: Digest, tag: ArtifactTag, *, pulled: int, immutable: bool
) -> dict[str, Any]:
    """`pulled` is the artifact's last pull, in ms: pulls are counted by artifact, not by tag."""
    return {
        "id": tag_id(repository, tag.tag),
        "repository_id": repository_id(repository),
        "artifact_id": artifact_id(repository, digest),
        "name": tag.tag,
        "push_time": milliseconds(tag.at),
        "pull_time": milliseconds(pulled),
        "immutable": immutable,
    }


def accessory_document(repository: RepositoryName, subject: Digest, accessory: Accessory) -> dict[str, Any]:
    return {
        "id": hashed_id("accessory", repository, subject, accessory.digest),
        "artifact_id": artifact_id(repository, accessory.digest),
        "subject_artifact_id": artifact_id(repository, subject),
        "subject_artifact_digest": subject,
        "subject_artifact_repo": repository,
        "size": accessory.size,
        "digest": accessory.digest,
        "type": accessory_type(accessory),
        "artifact_type": accessory.type,
        "creation_time": milliseconds(accessory.at),
    }


def accessory_type(accessory: Accessory) -> str:
    """Return Harbor's type of an accessory: `signature.cosign`, `subject.accessory` and so on."""
    return next((name for type_, name in _ACCESSORIES if accessory.type.startswith(type_)), "subject.accessory")


def build_history(config: Mapping[str, Any]) -> list[Any]:
    """Return an image's `history`; empty where it has none."""
    history = config.get("history")
    return history if isinstance(history, list) else []


def layer_document(layer: Layer) -> dict[str, Any]:
    """Return a layer; without what the history does not say. Ours: Harbor shows no layers."""
    said = {"created_by": layer.created_by, "created": layer.created, "comment": layer.comment}
    own = {"digest": layer.digest, "media_type": layer.media_type, "size": layer.size}
    return own | {name: text for name, text in said.items() if text}


def dependencies(chart: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a chart's dependencies; empty where it has none, or not in the form that Helm gives them."""
    found = chart.get("dependencies")
    names = ("name", "version", "repository")
    return [
        {name: one[name] if isinstance(one.get(name), str) else "" for name in names}
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict)
    ]


def _pulled(artifact: Artifact) -> int:
    return artifact.pulls.last if artifact.pulls is not None else 0


def _attributes(summary: Summary, config: Mapping[str, Any]) -> dict[str, Any]:
    """Of an image what Harbor shows; of a chart its whole metadata."""
    if type_of(summary) == IMAGE:
        return {name: config[name] for name in ("architecture", "author", "config", "created", "os") if name in config}
    return dict(config)


def _references(artifact: Artifact, document: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    summary = artifact.known
    if document is None:
        children: Iterable[tuple[str, dict[str, Any], Mapping[str, Any]]] = (
            (child.digest, _platform(child.platform), {}) for child in summary.children
        )
    else:
        children = (
            (child["digest"], _known_platform(child.get("platform")), child) for child in document.get("manifests", ())
        )
    return [_reference(artifact, digest, platform, child) for digest, platform, child in children]


def _reference(
    artifact: Artifact, digest: str, platform: dict[str, Any], descriptor: Mapping[str, Any]
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "parent_id": artifact_id(artifact.repository, artifact.digest),
        "child_id": artifact_id(artifact.repository, digest),
        "child_digest": digest,
    }
    if platform:
        shown["platform"] = platform
    annotations, urls = descriptor.get("annotations"), descriptor.get("urls")
    if isinstance(annotations, dict) and annotations:
        shown["annotations"] = {name: text for name, text in annotations.items() if isinstance(text, str)}
    if isinstance(urls, list) and urls:
        shown["urls"] = [url for url in urls if isinstance(url, str)]
    return shown


def _platform(text: str) -> dict[str, Any]:
    names = ("os", "architecture", "variant")
    return dict(zip(names, text.split("/", 2), strict=False)) if text else {}


def _known_platform(platform: Any) -> dict[str, Any]:
    """The platform of a descriptor, as far as its members have the types that image-spec gives them."""
    if not isinstance(platform, dict):
        return {}
    texts = {name: platform.get(name) for name in ("architecture", "os", "variant")}
    texts[_OS_VERSION] = platform.get("os.version")
    shown: dict[str, Any] = {name: text for name, text in texts.items() if isinstance(text, str)}
    features = platform.get("os.features")
    if isinstance(features, list):
        shown[_OS_FEATURES] = [one for one in features if isinstance(one, str)]
    return shown


def _path(repository: RepositoryName) -> str:
    """The repository's path in this API, its name encoded twice, as Harbor's clients send it."""
    rest = repository.removeprefix(f"{repository.project}/")
    return f"/api/v2.0/projects/{repository.project}/repositories/{quote(quote(rest, safe=''), safe='')}"
