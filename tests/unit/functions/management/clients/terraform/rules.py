"""Immutable tags, retention and webhooks."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.unit.functions.management.clients.terraform.projects import PROJECT_MODEL, ships
from tests.unit.functions.management.clients.terraform.provider import (
    BOOL,
    INT,
    SCHEDULES,
    STRING,
    TIME,
    ZERO_TIME,
    Provider,
    ProviderError,
    Resource,
    State,
    delete,
)

_REPOSITORY_MODEL = {"kind": STRING, "decoration": STRING, "pattern": STRING}
IMMUTABLE_MODEL = {
    "id": INT, "disabled": BOOL, "action": STRING, "template": STRING,
    "tag_selectors": [{"kind": STRING, "decoration": STRING, "pattern": STRING, "extras": STRING}],
    "scope_selectors": {"repository": [_REPOSITORY_MODEL]},
}  # fmt: skip


def immutable_body(config: State, number: int = 0) -> State:
    return {
        "id": number,
        "disabled": config["disabled"],
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": config["repo_matching"]}]
        },
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": config["tag_matching"]}],
        "action": "immutable",
        "template": "immutable_template",
    }


def read_immutable(provider: Provider, id_: str, config: State) -> State:
    path, _, number = id_.rpartition("/")
    for rule in provider.get(path, [IMMUTABLE_MODEL]):
        if rule["id"] == int(number):
            assert rule["tag_selectors"][0]["decoration"] == "matches"
            assert rule["scope_selectors"]["repository"][0]["decoration"] == "repoMatches"
            return {
                "disabled": rule["disabled"], "project_id": path.removesuffix("/immutabletagrules"),
                "tag_matching": rule["tag_selectors"][0]["pattern"],
                "repo_matching": rule["scope_selectors"]["repository"][0]["pattern"],
            }  # fmt: skip
    raise ProviderError(f"resource not found {id_}")


IMMUTABLE = Resource(
    "harbor_immutable_tag_rule",
    lambda provider: {
        "project_id": ships(provider), "disabled": False, "repo_matching": "**", "tag_matching": "v2.*",
    },
    lambda provider, config: provider.made(f"{config['project_id']}/immutabletagrules", immutable_body(config)),
    read_immutable,
    lambda provider, id_, config: (
        provider.send("PUT", id_, immutable_body(config, int(id_.rpartition("/")[2])), 200)
    ),
    delete,
    {"disabled": True},
)  # fmt: skip

RETENTION_MODEL = {
    "id": INT, "algorithm": STRING,
    "rules": [
        {
            "disabled": BOOL, "action": STRING, "template": STRING,
            "scope_selectors": {"repository": [_REPOSITORY_MODEL]},
            "tag_selectors": [{"kind": STRING, "decoration": STRING, "pattern": STRING, "extras": STRING}],
            "params": {
                "latestPushedK": INT, "latestPulledN": INT, "nDaysSinceLastPush": INT, "nDaysSinceLastPull": INT,
            },
        }
    ],
    "trigger": {"kind": STRING, "settings": {"cron": STRING}}, "scope": {"level": STRING, "ref": INT},
}  # fmt: skip


def retention_body(config: State, rules: list[State] | None = None) -> State:
    untagged = json.dumps({"untagged": config["untagged_artifacts"]}, separators=(",", ":"))
    number = config["most_recently_pushed"]
    rule = {
        "disabled": config["disabled"],
        "action": "retain",
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": config["repo_matching"]}]
        },
        "tag_selectors": [
            {"kind": "doublestar", "decoration": "matches", "pattern": config["tag_matching"], "extras": untagged}
        ],
        "params": {"latestPushedK": number} if number else {},
        "template": "latestPushedK" if number else "always",
    }
    reference = re.search(r"[0-9]+", config["scope"])
    assert reference is not None
    return {
        "algorithm": "or",
        "rules": [rule] if rules is None else rules,
        "trigger": {"kind": "Schedule", "references": {}, "settings": {"cron": SCHEDULES[config["schedule"]]}},
        "scope": {"level": "project", "ref": int(reference[0])},
    }


def create_retention(provider: Provider, config: State) -> str:
    """Where the project has a policy already, its id is in the metadata, and a PUT replaces it."""
    kept = provider.get(config["scope"], PROJECT_MODEL)["metadata"]["retention_id"]
    if kept:
        provider.send("PUT", f"/retentions/{kept}", retention_body(config), 200)
        return f"/retentions/{kept}"
    return provider.made("/retentions", retention_body(config))


def read_retention(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(id_, RETENTION_MODEL)
    (rule,) = found["rules"]
    crons = {cron: name for name, cron in SCHEDULES.items()}
    return {
        "scope": f"/projects/{found['scope']['ref']}",
        "schedule": crons[found["trigger"]["settings"]["cron"]],
        "disabled": rule["disabled"],
        "most_recently_pushed": rule["params"]["latestPushedK"],
        "repo_matching": rule["scope_selectors"]["repository"][0]["pattern"],
        "tag_matching": rule["tag_selectors"][0]["pattern"],
        "untagged_artifacts": json.loads(rule["tag_selectors"][0]["extras"])["untagged"],
    }


def destroy_retention(provider: Provider, id_: str) -> None:
    """A PUT without rules: the policy stays, and keeps everything."""
    found = provider.get(id_, RETENTION_MODEL)
    config = {
        "scope": f"/projects/{found['scope']['ref']}", "schedule": "", "disabled": False, "most_recently_pushed": 0,
        "repo_matching": "**", "tag_matching": "**", "untagged_artifacts": True,
    }  # fmt: skip
    provider.send("PUT", id_, retention_body(config, rules=[]), 200)


def _retention(name: str, **more: Any) -> Resource:
    return Resource(
        name,
        lambda provider: {
            "scope": ships(provider), "schedule": "Daily", "disabled": False, "most_recently_pushed": 10,
            "repo_matching": "**", "tag_matching": "**", "untagged_artifacts": True, **more,
        },
        create_retention,
        read_retention,
        lambda provider, id_, config: provider.send("PUT", id_, retention_body(config), 200),
        destroy_retention,
        {"schedule": "Weekly", "tag_matching": "v*"},
        remains=True,
    )  # fmt: skip


RETENTION = _retention("harbor_retention_policy")
RETENTION_ALWAYS = _retention("harbor_retention_policy that always retains", most_recently_pushed=0, schedule="")


WEBHOOK_MODEL = {
    "update_time": TIME, "description": STRING, "creator": STRING, "creation_time": TIME, "enabled": BOOL,
    "targets": [
        {
            "type": STRING, "auth_header": STRING, "skip_cert_verify": BOOL, "address": STRING,
            "payload_format": STRING,
        }
    ],
    "event_types": [STRING], "project_id": INT, "id": INT, "name": STRING,
}  # fmt: skip


def webhook_body(config: State) -> State:
    """`payload_format:omitempty` is the name of a member, by a mistake in the provider's model."""
    target = {
        "type": config["notify_type"], "auth_header": config["auth_header"],
        "skip_cert_verify": config["skip_cert_verify"], "address": config["address"], "payload_format:omitempty": "",
    }  # fmt: skip
    return {
        "update_time": ZERO_TIME, "description": config["description"], "creator": "", "creation_time": ZERO_TIME,
        "enabled": config["enabled"], "targets": [target], "event_types": config["events_types"], "project_id": 0,
        "id": 0, "name": config["name"],
    }  # fmt: skip


def read_webhook(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(id_, WEBHOOK_MODEL)
    target = found["targets"][0]
    return {
        "name": found["name"], "project_id": f"/projects/{found['project_id']}", "description": found["description"],
        "enabled": found["enabled"], "notify_type": target["type"], "address": target["address"],
        "auth_header": target["auth_header"], "skip_cert_verify": target["skip_cert_verify"],
        "events_types": found["event_types"],
    }  # fmt: skip


WEBHOOK = Resource(
    "harbor_project_webhook",
    lambda provider: {
        "name": "test_webhook", "project_id": ships(provider), "description": "", "enabled": True,
        "notify_type": "http", "address": "https://webhook.example.com/", "auth_header": "Bearer x",
        "skip_cert_verify": False, "events_types": ["DELETE_ARTIFACT", "PUSH_ARTIFACT", "SCANNING_FAILED"],
    },
    lambda provider, config: provider.made(f"{config['project_id']}/webhook/policies", webhook_body(config)),
    read_webhook,
    lambda provider, id_, config: provider.send("PUT", id_, webhook_body(config), 200),
    delete,
    {"auth_header": "", "enabled": False},
)  # fmt: skip
