"""The journey by `harbor-api-client`, which is generated from Harbor's description of its API."""

from __future__ import annotations

import os
import secrets

import harbor_client
from harbor_client.rest import ApiException
from pushing import push

URL, PASSWORD = os.environ["ROADSTEAD_URL"], os.environ["ROADSTEAD_PASSWORD"]
OWN = secrets.token_hex(4)
PROJECT, USER, NEW = f"generated-{OWN}", f"yan-{OWN}", "a brand new password 1A"


def client(user: str, password: str) -> harbor_client.ApiClient:
    configuration = harbor_client.Configuration()
    configuration.host, configuration.username, configuration.password = f"{URL}/api/v2.0", user, password
    return harbor_client.ApiClient(configuration)


def main() -> None:
    admin = client("admin", PASSWORD)
    assert harbor_client.PingApi(admin).get_ping() == "Pong"
    assert harbor_client.HealthApi(admin).get_health().status == "healthy"
    assert harbor_client.SysteminfoApi(admin).get_system_info().auth_mode
    users = harbor_client.UserApi(admin)
    users.create_user(harbor_client.UserCreationReq(username=USER, password=NEW, email=f"{USER}@example.com"))
    (user,) = users.list_users(q=f"username={USER}")
    users.set_user_sys_admin(user.user_id, harbor_client.UserSysAdminFlag(sysadmin_flag=False))
    assert harbor_client.UserApi(client(USER, NEW)).get_current_user_info().username == USER

    projects = harbor_client.ProjectApi(admin)
    projects.create_project(harbor_client.ProjectReq(project_name=PROJECT, metadata={"public": "true"}))
    project = projects.get_project(PROJECT)
    projects.update_project(str(project.project_id), harbor_client.ProjectReq(metadata={"public": "false"}))
    assert projects.get_project(str(project.project_id)).metadata.public == "false"
    members = harbor_client.MemberApi(admin)
    role = harbor_client.ProjectMember(role_id=2, member_user=harbor_client.UserEntity(username=USER))
    members.create_project_member(PROJECT, project_member=role)
    assert USER in [one.entity_name for one in members.list_project_members(PROJECT)]

    digest = push(URL, USER, NEW, f"{PROJECT}/a/b", "v1")
    artifacts = harbor_client.ArtifactApi(admin)
    assert [one.digest for one in artifacts.list_artifacts(PROJECT, "a%2Fb")] == [digest]
    assert artifacts.get_artifact(PROJECT, "a%2Fb", "v1").digest == digest
    artifacts.create_tag(PROJECT, "a%2Fb", "v1", harbor_client.Tag(name="v2"))
    assert {one.name for one in artifacts.list_tags(PROJECT, "a%2Fb", digest)} == {"v1", "v2"}
    artifacts.delete_tag(PROJECT, "a%2Fb", digest, "v2")

    robots = harbor_client.RobotApi(admin)
    access = [harbor_client.Access(resource="repository", action="pull")]
    permission = harbor_client.RobotPermission(kind="project", namespace=PROJECT, access=access)
    made = robots.create_robot(
        harbor_client.RobotCreate(name="puller", level="project", duration=-1, permissions=[permission])
    )
    assert robots.get_robot_by_id(made.id).name == f"robot${PROJECT}+puller"
    robots.delete_robot(made.id)

    webhooks = harbor_client.WebhookApi(admin)
    target = harbor_client.WebhookTargetObject(type="http", address="http://127.0.0.1:9/hook")
    policy = harbor_client.WebhookPolicy(name="ci", targets=[target], event_types=["PUSH_ARTIFACT"], enabled=True)
    webhooks.create_webhook_policy_of_project(PROJECT, policy)
    (policy,) = webhooks.list_webhook_policies_of_project(PROJECT)
    assert webhooks.list_executions_of_webhook_policy(PROJECT, policy.id) == []
    webhooks.delete_webhook_policy_of_project(PROJECT, policy.id)

    harbor_client.AuditlogApi(admin).list_audit_logs()
    assert harbor_client.ConfigureApi(admin).get_configurations().auth_mode.value
    artifacts.delete_artifact(PROJECT, "a%2Fb", digest)
    users.delete_user(user.user_id)
    try:
        users.get_user(user.user_id)
    except ApiException as error:
        assert error.status == 404
    else:
        raise AssertionError("a removed user is found")
    print("done")


main()
