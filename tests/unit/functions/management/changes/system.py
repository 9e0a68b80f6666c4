"""Changes of policies and of the system."""

from __future__ import annotations

from roadstead.trail.entries import Operation
from tests.unit.functions.management.changes.made import (
    HARBOR,
    ISSUER,
    OWN,
    Change,
    at,
    collection,
    execution,
    numbers,
    project,
    retention,
    retention_document,
    row,
    secret,
    simple,
)
from tests.unit.functions.management.cloud import Place

simple(
    "createRetention", "POST", lambda _: f"{HARBOR}/retentions", lambda place: retention_document(project(place)[1]),
    Operation.CHANGE_RETENTION,
)  # fmt: skip


@row("updateRetention")
def _(place: Place) -> Change:
    _, number = retention(place)
    sent = retention_document(number, 2)
    return Change("PUT", f"{HARBOR}/retentions/{number}", sent, (Operation.CHANGE_RETENTION,))


simple("deleteRetention", "DELETE", at(f"{HARBOR}/retentions/{{1}}", retention), None, Operation.CHANGE_RETENTION)
simple(
    "triggerRetentionExecution", "POST", at(f"{HARBOR}/retentions/{{1}}/executions", retention), {"dry_run": True},
    Operation.START_EXECUTION,
)  # fmt: skip
simple(
    "operateRetentionExecution", "PATCH", at(f"{HARBOR}/retentions/{{0}}/executions/{{1}}", execution),
    {"action": "stop"}, Operation.STOP_EXECUTION,
)  # fmt: skip
simple("stopExecution", "POST", at(f"{OWN}/executions/{{1}}/stop", execution), None, Operation.STOP_EXECUTION)
simple(
    "previewRetention", "POST", at(f"{OWN}/projects/{{0}}/retention/preview", retention),
    lambda place: retention_document(project(place)[1]),
)  # fmt: skip
simple(
    "createGCSchedule", "POST", lambda _: f"{HARBOR}/system/gc/schedule",
    {"schedule": {"type": "Daily", "cron": "0 0 0 * * *"}, "parameters": {"delete_untagged": False}},
    Operation.CHANGE_COLLECTION,
)  # fmt: skip
simple(
    "updateGCSchedule", "PUT", lambda _: f"{HARBOR}/system/gc/schedule",
    {"schedule": {"type": "Weekly", "cron": "0 0 0 * * 0"}, "parameters": {"delete_untagged": False}},
    Operation.CHANGE_COLLECTION,
)  # fmt: skip
simple("stopGC", "PUT", at(f"{HARBOR}/system/gc/{{}}", collection), None, Operation.STOP_EXECUTION)
simple(
    "updateConfigurations", "PUT", lambda _: f"{HARBOR}/configurations",
    lambda _: {"oidc_client_secret": secret(), "ldap_search_password": secret(), "robot_token_duration": 31},
    Operation.CHANGE_CONFIGURATION,
)  # fmt: skip


@row("importLdapUser")
def _(place: Place) -> Change:
    name = f"ldap{next(numbers)}"
    place.people.add(name, secret())
    configure_ldap(place)
    return Change("POST", f"{HARBOR}/ldap/users/import", {"ldap_uid_list": [name]}, (Operation.CREATE_USER,))


@row("pingLdap")
def _(place: Place) -> Change:
    """A question, which changes nothing."""
    sent = {"ldap_url": "ldaps://ldap.example.org", "ldap_search_password": secret()}
    return Change("POST", f"{HARBOR}/ldap/ping", sent)


@row("pingOIDC")
def _(place: Place) -> Change:
    """A question, which changes nothing, as in Harbor."""
    return Change("POST", f"{HARBOR}/system/oidc/ping", {"url": ISSUER, "verify_cert": True})


def configure_ldap(place: Place) -> None:
    sent = {"ldap_url": "ldaps://ldap.example.org", "ldap_base_dn": "dc=x", "ldap_search_password": secret()}
    place.made("PUT", f"{HARBOR}/configurations", sent)


simple(
    "startBucketAudit", "POST", lambda _: f"{OWN}/system/bucket-audits", {"repair": False}, Operation.START_EXECUTION,
)  # fmt: skip
simple(
    "setBucketAuditSchedule", "PUT", lambda _: f"{OWN}/system/bucket-audits/schedule", {"cron": "0 0 3 * * *"},
    Operation.CHANGE_COLLECTION,
)  # fmt: skip
