"""Projects, their metadata and their members."""

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
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)

SCHEMAS: Mapping[str, Schema] = {
    "Project": obj(
        {
            "project_id": number(),
            "name": text(),
            "owner_id": number("0 if the owner is gone"),
            "owner_name": text(),
            "creation_time": time(),
            "update_time": time(),
            "deleted": flag(),
            "togglable": flag(),
            "metadata": ref("Metadata"),
            "cve_allowlist": ref("ProjectCveAllowlist"),
            "current_user_role_id": number("0 without a role"),
            "current_user_role_ids": array(number()),
        },
        {"repo_count": number()},
    ),
    "ProjectCveAllowlist": obj(
        {
            "id": number(),
            "project_id": number(),
            "items": array(ref("CveAllowlistItem"), "always empty: nothing is scanned"),
            "creation_time": time(),
            "update_time": time(),
        }
    ),
    "Metadata": mapping(text(), 'Booleans are text: "true", "false"'),
    "NewProject": obj(
        {"project_name": text(maxLength=255)},
        {"metadata": mapping({"type": ["string", "null"]}), "public": flag(), "storage_limit": number()},
    ),
    "ProjectChange": obj({}, {"metadata": mapping({"type": ["string", "null"]}), "public": flag()}),
    "ProjectSummary": obj(
        {"repo_count": number()},
        {
            "project_admin_count": number("left out, as the other counts of members, for who may not list members"),
            "maintainer_count": number(),
            "developer_count": number(),
            "guest_count": number(),
            "limited_guest_count": number(),
            "quota": ref("ProjectQuota"),
        },
    ),
    "ProjectQuota": obj({"hard": mapping(number()), "used": mapping(number())}),
    "Member": obj(
        {
            "id": number(),
            "project_id": number(),
            "entity_name": text(),
            "entity_id": number(),
            "entity_type": one_of("u", "g", description="a user or a group"),
            "role_id": number("1 admin, 2 developer, 3 guest, 4 maintainer, 5 limited guest"),
            "role_name": one_of("projectAdmin", "maintainer", "developer", "guest", "limitedGuest"),
        }
    ),
    "NewMember": obj(
        {"role_id": number()},
        {
            "member_user": obj({}, {"username": text(), "user_id": number()}),
            "member_group": obj(
                {}, {"id": number(), "group_name": text(), "group_type": number(), "ldap_group_dn": text()}
            ),
        },
    ),
    "MemberRole": obj({"role_id": number()}),
    "MemberLimits": obj(
        {"role_id": number(), "repositories": array(text(), "patterns such as team-a/**; empty for all")}
    ),
    "LimitedMember": obj(
        {
            "id": number(),
            "project_id": number(),
            "entity_name": text(),
            "entity_id": number(),
            "entity_type": one_of("u", "g"),
            "role_id": number(),
            "role_name": text(),
            "repositories": array(text(), "patterns; empty for all"),
        }
    ),
    "NewLimitedMember": obj(
        {"role_id": number(), "repositories": array(text(), "patterns such as team-a/**; empty for all")},
        {
            "member_user": obj({}, {"username": text(), "user_id": number()}),
            "member_group": obj(
                {}, {"id": number(), "group_name": text(), "group_type": number(), "ldap_group_dn": text()}
            ),
        },
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "listProjects": page_of(
        "List the projects that the caller may see",
        ref("Project"),
        Parameter("name", text(), "a part of the name"),
        Parameter("public", flag()),
        Parameter("owner", text()),
    ),
    "headProject": Described(
        "Whether a project exists that the caller may see",
        query=(Parameter("project_name", text(), required=True),),
        also=(403, 404),
    ),
    "createProject": created(
        "Create a project with the caller as its administrator", ref("NewProject"), also=(400, 403, 409)
    ),
    "getProject": Described("A project", ref("Project")),
    "updateProject": Described("Change a project's metadata", body=ref("ProjectChange"), also=(400,)),
    "deleteProject": Described("Delete an empty project", also=(412,)),
    "getProjectDeletable": Described(
        "Whether a project can be deleted", obj({"deletable": flag(), "message": text("why it cannot")})
    ),
    "getProjectSummary": Described("Counts of a project", ref("ProjectSummary")),
    "listProjectMetadatas": Described("A project's metadata", ref("Metadata")),
    "getProjectMetadata": Described("One value of a project's metadata", ref("Metadata")),
    "addProjectMetadatas": Described("Add a value to a project's metadata", body=mapping({}), also=(409,)),
    "updateProjectMetadata": Described("Change a value of a project's metadata", body=mapping({})),
    "deleteProjectMetadata": Described("Remove a value of a project's metadata"),
    "listProjectMembers": page_of(
        "List a project's members", ref("Member"), Parameter("entityname", text(), "a part of the name")
    ),
    "createProjectMember": created("Add a member", ref("NewMember")),
    "getProjectMember": Described("A member", ref("Member")),
    "updateProjectMember": Described("Change a member's role", body=ref("MemberRole"), also=(400,)),
    "deleteProjectMember": Described("Remove a member"),
    "createLimitedMember": created(
        "Add a member whose role is limited to repositories", ref("NewLimitedMember"), also=(400, 404, 409)
    ),
    "getLimitedMember": Described("A member with the patterns that limit the role", ref("LimitedMember")),
    "updateLimitedMember": Described("Change a member's role and its limits", body=ref("MemberLimits")),
}
