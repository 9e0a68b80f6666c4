"""The endpoints of the management API, and which of them a request reaches."""

from __future__ import annotations

from functions.management.errors import ManagementCode, ManagementError, bad_request, not_found
from functions.management.handlers.content import (
    additions,
    artifact_changes,
    artifacts,
    find,
    labels,
    pullers,
    repositories,
    search,
    statistics,
    trash,
)
from functions.management.handlers.identity import (
    ldap,
    login_locks,
    newcomers,
    oidc,
    oidc_providers,
    robot_trust,
    robots,
    sessions,
    tokens,
    usergroups,
    users,
)
from functions.management.handlers.projects import (
    immutable_rules,
    members,
    metadata,
    projects,
    quotas,
    retentions,
    webhooks,
)
from functions.management.handlers.system import (
    absent,
    attention,
    audit_logs,
    bucket_audits,
    collections,
    configurations,
    costs,
    executions,
    home,
    openapi,
    system,
)
from functions.management.paths import MalformedPath
from functions.management.route import Match, Route

MAX_PATH = 2_048  # characters

# Of two rows that match a path, the first one decides.
ROUTES: tuple[Route, ...] = (
    *system.ROUTES,
    *configurations.ROUTES,
    *sessions.ROUTES,
    *tokens.ROUTES,
    *users.ROUTES,
    *usergroups.ROUTES,
    *projects.ROUTES,
    *robots.ROUTES,
    *robot_trust.ROUTES,
    *metadata.ROUTES,
    *statistics.ROUTES,
    *members.ROUTES,
    *labels.ROUTES,
    *ldap.ROUTES,
    *login_locks.ROUTES,
    *oidc.ROUTES,
    *newcomers.ROUTES,
    *oidc_providers.ROUTES,
    *additions.ROUTES,
    *artifact_changes.ROUTES,
    *artifacts.ROUTES,  # before the repositories, whose names may hold slashes
    *pullers.ROUTES,
    *repositories.ROUTES,
    *immutable_rules.ROUTES,
    *quotas.ROUTES,
    *search.ROUTES,
    *find.ROUTES,
    *audit_logs.ROUTES,
    *webhooks.ROUTES,
    *openapi.ROUTES,
    *executions.ROUTES,
    *trash.ROUTES,
    *retentions.ROUTES,
    *collections.ROUTES,
    *attention.ROUTES,
    *home.ROUTES,
    *costs.ROUTES,
    *bucket_audits.ROUTES,
    *absent.ROUTES,
)


def match(method: str, path: str) -> Match:
    """Raises 404 for an unknown path, 405 with `Allow` for a wrong method, 400 for a malformed path.

    HEAD is GET without a body wherever GET is (RFC 9110 section 9.1). A trailing slash counts for nothing.
    """
    if len(path) > MAX_PATH:
        raise bad_request(f"the path has more than {MAX_PATH} characters")
    path = path.rstrip("/") or "/"
    allowed: set[str] = set()
    head: Match | None = None
    for route in ROUTES:
        try:
            found = route.template.match(path)
        except MalformedPath as error:
            raise bad_request(str(error)) from error
        if found is None:
            continue
        if route.method == method:
            return Match(route, dict(found))
        if route.method == "GET" and method == "HEAD" and head is None:
            head = Match(route, dict(found))
        allowed.add(route.method)
    if head is not None:
        return head
    if allowed:
        methods = sorted(allowed | ({"HEAD"} if "GET" in allowed else set()))
        raise ManagementError(
            ManagementCode.METHOD_NOT_ALLOWED,
            f"{method[:20]} is not a method of this endpoint",
            headers=[("Allow", ", ".join(methods))],
        )
    raise not_found("there is no such endpoint; check the path, and that the version in it is v2.0")
