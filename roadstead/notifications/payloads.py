"""Payloads: Harbor's default JSON, field for field, or the same data in a CloudEvents 1.0 envelope.

Sources: goharbor.io, "Configure Webhook Notifications" (2.8 and newer), and the `omitempty` of Harbor's payload
structures for fields that are omitted when empty; CloudEvents 1.0.2, JSON format, structured mode;
of TAG_RETENTION, Harbor's src/controller/event/handler/webhook/artifact/retention.go and src/controller/event/model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from roadstead.names import RepositoryName
from roadstead.notifications.stores import EventType, PayloadFormat, Webhook
from roadstead.trail.entries import AuditEntry, Operation, Outcome, rfc3339

# Like Harbor, PUSH_ARTIFACT for every manifest that is pushed, including one that exists already.
EVENT_TYPES = {
    Operation.PUSH: EventType.PUSH_ARTIFACT,
    Operation.TAG: EventType.PUSH_ARTIFACT,
    Operation.UNTAG: EventType.DELETE_TAG,
    Operation.DELETE_MANIFEST: EventType.DELETE_ARTIFACT,
    Operation.PULL: EventType.PULL_ARTIFACT,
    Operation.WARN_QUOTA: EventType.QUOTA_WARNING,
    Operation.EXCEED_QUOTA: EventType.QUOTA_EXCEED,
    Operation.RETAIN: EventType.TAG_RETENTION,
}
_CLOUD_TYPES = {
    EventType.PUSH_ARTIFACT: "harbor.artifact.pushed",
    EventType.PULL_ARTIFACT: "harbor.artifact.pulled",
    EventType.DELETE_ARTIFACT: "harbor.artifact.deleted",
    EventType.DELETE_TAG: "harbor.tag.deleted",
    EventType.QUOTA_WARNING: "harbor.quota.warned",
    EventType.QUOTA_EXCEED: "harbor.quota.exceeded",
    EventType.TAG_RETENTION: "harbor.tag_retention.finished",
}
_QUOTAS = frozenset({EventType.QUOTA_WARNING, EventType.QUOTA_EXCEED})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a payload contains beyond the entry. `created` is in seconds since the epoch, or None if unknown."""

    host: str
    public: bool
    created: int | None


@dataclass(frozen=True, slots=True)
class Payload:
    content_type: str
    body: str


def event_type(entry: AuditEntry) -> EventType | None:
    """Return the type of an entry's notification, or None for entries without one (logins, refusals, blob uploads).

    As in Harbor, a run of retention rules has one if it deleted something and was no dry run.
    """
    if entry.outcome is not Outcome.SUCCESS:
        return None
    if entry.operation is Operation.RETAIN:
        run = _run_of(entry)
        return EventType.TAG_RETENTION if run.get("deleted", "0") != "0" and "dry_run" not in run else None
    return EVENT_TYPES.get(entry.operation) if entry.repository else None


def tags_of(entry: AuditEntry) -> tuple[str, ...]:
    """Return the tags in an entry's reference; none if it is a digest."""
    return tuple(entry.reference.split(",")) if entry.reference and ":" not in entry.reference else ()


def deleted_by(entry: AuditEntry) -> tuple[str, ...]:
    """Return what a run of retention rules names of what it deleted: `cargo/crane:v1`, `cargo/crane@sha256:…`."""
    return tuple(entry.reference.split(",")) if entry.operation is Operation.RETAIN and entry.reference else ()


def payload(
    entry: AuditEntry, kind: EventType, tags: tuple[str, ...], webhook: Webhook, around: Surroundings
) -> Payload:
    """Return the payload of one entry for one webhook. `tags` are those that the webhook subscribes to; for a run of
    retention rules, the names of `deleted_by` that it subscribes to."""
    operator = entry.actor.name or "anonymous"
    if kind is EventType.TAG_RETENTION:
        data = {"retention": _retention(entry, tags, around)}
        operator = _run_of(entry).get("trigger", "").upper() or operator  # Harbor names what started it, not who
    elif kind in _QUOTAS:
        data = _quota_data(entry, tags, around)
    else:
        data = _event_data(entry, tags, around)
    if webhook.payload is PayloadFormat.CLOUD_EVENTS:
        event = {
            "specversion": "1.0",
            "id": entry.id,
            "source": f"/projects/{webhook.project}/webhook/policies/{webhook.id}",
            "type": _CLOUD_TYPES[kind],
            "datacontenttype": "application/json",
            "time": rfc3339(entry.at),
            "data": data,
            "operator": operator,
        }
        if entry.actor.request_id:
            event["requestid"] = entry.actor.request_id
        return Payload("application/cloudevents+json", _json(event))
    document = {"type": str(kind), "occur_at": entry.at // 1000, "operator": operator, "event_data": data}
    return Payload("application/json", _json(document))


def _event_data(entry: AuditEntry, tags: tuple[str, ...], around: Surroundings) -> dict[str, Any]:
    name = RepositoryName(entry.repository)
    repository: dict[str, Any] = {} if around.created is None else {"date_created": around.created}
    repository |= {
        "name": name_in_project(name),
        "namespace": str(name.project),
        "repo_full_name": str(name),
        "repo_type": "public" if around.public else "private",
    }
    located = f"{around.host}/{name}"
    resources = [{"digest": entry.digest, "tag": tag, "resource_url": f"{located}:{tag}"} for tag in tags]
    if not resources:
        # Like Harbor: the digest takes the place of the missing tag.
        resources = [{"digest": entry.digest, "tag": entry.digest, "resource_url": f"{located}@{entry.digest}"}]
    return {"resources": resources, "repository": repository}


def _quota_data(entry: AuditEntry, tags: tuple[str, ...], around: Surroundings) -> dict[str, Any]:
    """As Harbor's `constructQuotaPayload` makes it: the manifest that was pushed, if one was, and a sentence."""
    repository = _event_data(entry, (), around)["repository"]
    repository.pop("date_created", None)
    data: dict[str, Any] = {"repository": repository, "custom_attributes": {"Details": entry.detail}}
    if entry.digest:
        data["resources"] = [{"digest": entry.digest, "tag": tag} for tag in tags or ("",)]
    return data


def _retention(entry: AuditEntry, deleted: tuple[str, ...], around: Surroundings) -> dict[str, Any]:
    """As Harbor's `constructRetentionPayload` makes it, but of a whole run."""
    run = _run_of(entry)
    retention: dict[str, Any] = {
        "total": int(run.get("total", "0")),
        "retained": int(run.get("retained", "0")),
        "harbor_hostname": around.host.partition(":")[0],
        "project_name": entry.project,
        "retention_policy_id": int(run.get("policy", "0")),
        "result": "SUCCESS",
    }
    if "rules" in run:
        retention["retention_rule"] = json.loads(run["rules"])
    if deleted:
        retention["deleted_artifact"] = [{"type": "image", "status": "SUCCESS", "name_tag": name} for name in deleted]
    return retention


def _run_of(entry: AuditEntry) -> dict[str, str]:
    """Return the detail of a run of retention rules: each part is `name=value`, and no value has a space."""
    return dict(part.split("=", 1) for part in entry.detail.split() if "=" in part)


def name_in_project(repository: RepositoryName) -> str:
    """Return the name without its project; a name of one component (in `library`) is returned whole."""
    return repository.removeprefix(f"{repository.project}/")


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
