"""Retention: policies, their runs, and what they would do."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Schema,
    array,
    created,
    flag,
    mapping,
    nullable,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)
from roadstead.lifecycle.executions.executions import Status
from roadstead.lifecycle.retention.rules import DOUBLESTAR, REGULAR, Template
from roadstead.lifecycle.retention.verdicts import Cause

_SELECTOR = obj(
    {"kind": one_of(DOUBLESTAR, REGULAR), "decoration": text(), "pattern": text(maxLength=256)},
    {"extras": text('{"untagged":true} or {"untagged":false}')},
)
_STATUS = one_of(*map(str, Status))

SCHEMAS: Mapping[str, Schema] = {
    "RetentionPolicy": obj(
        {
            "algorithm": one_of("or"),
            "scope": obj({"level": one_of("project"), "ref": number("the project's id")}),
            "trigger": obj({"settings": obj({"cron": text("six fields, UTC; empty: by hand only")})}),
            "rules": array(ref("RetentionRule")),
        },
        {"id": number("the project's id")},
    ),
    "RetentionRule": obj(
        {
            "action": one_of("retain"),
            "template": one_of(*map(str, Template)),
            "params": mapping(number(), "the template's name and its number"),
            "tag_selectors": array(_SELECTOR),
            "scope_selectors": obj({"repository": array(_SELECTOR)}),
        },
        {"id": number(), "priority": number(), "disabled": flag()},
    ),
    "RetentionMetadata": obj(
        {"templates": array(obj({})), "scope_selectors": array(obj({})), "tag_selectors": array(obj({}))}
    ),
    "RetentionExecution": obj(
        {
            "id": number(),
            "policy_id": number(),
            "start_time": time(),
            "end_time": text("empty until its end"),
            "status": _STATUS,
            "trigger": one_of("Manual", "Schedule"),
            "dry_run": flag(),
        }
    ),
    "RetentionTask": obj(
        {
            "id": number(),
            "execution_id": number(),
            "repository": text("without its project"),
            "job_id": text(),
            "status": _STATUS,
            "status_code": number(),
            "status_revision": number(),
            "start_time": time(),
            "end_time": text("empty until its end"),
            "total": number("artifacts"),
            "retained": number(),
        }
    ),
    "RetentionReason": obj(
        {"cause": one_of(*map(str, Cause))},
        {
            "rule": number("the place of the rule in the policy, from 1"),
            "rank": number("its place in the order of the rule"),
            "most": number("what the rule keeps: so many, or days"),
            "days": number("since the last push, or the last pull", type="number"),
            "versions": text("the minor version of which it is one"),
            "tag": text("the tag that may not change"),
        },
    ),
    "RetentionVerdict": obj(
        {
            "digest": text(),
            "media_type": text(),
            "tags": array(text()),
            "push_time": time(),
            "pull_time": nullable(time()),
            "keep": flag(),
            "rule": number("the id of the rule that keeps it; 0 if none does"),
            "reason": text("a sentence for people"),
            "reasons": array(ref("RetentionReason"), "the same for programs that say it in their own words"),
        }
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "getRentenitionMetadata": Described("List what rules can be made of", ref("RetentionMetadata")),
    "createRetention": created("Give a project retention rules", ref("RetentionPolicy"), also=(400, 403, 404, 409)),
    "getRetention": Described("Show a project's retention rules", ref("RetentionPolicy")),
    "updateRetention": Described("Replace a project's retention rules", body=ref("RetentionPolicy"), also=(409,)),
    "deleteRetention": Described("Remove a project's retention rules"),
    "triggerRetentionExecution": created(
        "Run the rules, or look what they would do", obj({}, {"dry_run": flag()}), also=(400, 409)
    ),
    "listRetentionExecutions": page_of("List the runs of the rules, newest first", ref("RetentionExecution")),
    "operateRetentionExecution": Described("Stop a run", body=obj({"action": one_of("stop")})),
    "listRetentionTasks": page_of("List the repositories of a run", ref("RetentionTask")),
    "getRetentionTaskLog": Described(
        "Read what became of each artifact of a repository, and why", text(), media_type="text/plain"
    ),
    "previewRetention": Described(
        "Show what rules would do now, up to 5,000 tags and 4 MB",
        array(obj({"repository": text(), "artifacts": array(ref("RetentionVerdict"))})),
        body=ref("RetentionPolicy"),
    ),
}
