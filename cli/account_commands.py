"""`roadstead user`, `project` and `member`."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace

from cli.composition import Cloud, operator
from cli.failures import Failure
from cli.output import Output, fields, table
from cli.passwords import new_password
from cli.subcommands import Subcommands
from roadstead.identity.directory import Project, Role, User

_ROLES = [str(role) for role in Role]


def add_parsers(commands: Subcommands) -> None:
    users = commands.group("user", "people and machines that log in")
    create = users.add("create", "a new user", create_user)
    _name(create)
    create.add_argument("--admin", action="store_true", help="a system administrator")
    _password(create)
    users.add("list", "all of them", list_users)
    _name(users.add("show", "one of them", show_user))
    _name(users.add("disable", "give out no new token to one; tokens live on for 15 minutes", disable_user))
    _name(users.add("enable", "let one in again", enable_user))
    reset = users.add("reset-password", "a new password; what `docker login` has stored is revoked", reset_password)
    _name(reset)
    _password(reset)
    admin = users.add("set-admin", "make one a system administrator, or (--off) no more", set_admin)
    _name(admin)
    admin.add_argument("--off", action="store_true")

    projects = commands.group("project", "what repositories belong to")
    create = projects.add("create", "a new project, private unless --public", create_project)
    _name(create)
    create.add_argument("--public", action="store_true", help="anybody may pull from it")
    projects.add("list", "all of them", list_projects)
    _name(projects.add("show", "one of them, with its members", show_project))
    _name(projects.add("set-public", "let anybody pull from it", set_public))
    _name(projects.add("set-private", "let members alone pull from it", set_private))

    members = commands.group("member", "who may do what in a project")
    set_ = members.add("set", "add one, or change the role", set_member)
    remove = members.add("remove", "remove one", remove_member)
    for one in (set_, remove):
        one.add_argument("project")
        one.add_argument("user")
    set_.add_argument("role", choices=_ROLES, help="guest pulls, developer pushes, maintainer and admin delete too")


def create_user(options: Namespace, cloud: Cloud, output: Output) -> None:
    if cloud.accounts.find_user(options.name) is not None:
        raise Failure(f"There is a user {options.name} already.")  # before a password is asked for
    password, shown = new_password(generate=options.generate, from_stdin=options.password_stdin)
    user = cloud.accounts.create_user(options.name, password, admin=options.admin)
    _told(output, {**_user(user), **({"password": password} if shown else {})})


def list_users(_: Namespace, cloud: Cloud, output: Output) -> None:
    users = [{**user, "created": _time(user["created"])} for user in cloud.listing.users()]
    rows = [["NAME", "ADMIN", "DISABLED", "CREATED"]]
    rows += [[str(user["name"]), _yes(user["admin"]), _yes(user["disabled"]), str(user["created"])] for user in users]
    output.result(users, table(rows))


def show_user(options: Namespace, cloud: Cloud, output: Output) -> None:
    user = cloud.accounts.find_user(options.name)
    if user is None:
        raise Failure(f"There is no user {options.name}.")
    _told(output, _user(user))


def disable_user(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_disabled(options.name, True)
    _told(output, {"name": options.name, "disabled": True})


def enable_user(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_disabled(options.name, False)
    _told(output, {"name": options.name, "disabled": False})


def reset_password(options: Namespace, cloud: Cloud, output: Output) -> None:
    if cloud.accounts.find_user(options.name) is None:
        raise Failure(f"There is no user {options.name}.")
    password, shown = new_password(generate=options.generate, from_stdin=options.password_stdin)
    cloud.accounts.set_password(options.name, password)
    _told(output, {"name": options.name, **({"password": password} if shown else {})})


def set_admin(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_admin(options.name, not options.off)
    _told(output, {"name": options.name, "admin": not options.off})


def create_project(options: Namespace, cloud: Cloud, output: Output) -> None:
    _told(output, _project(cloud.accounts.create_project(options.name, public=options.public, created_by=operator())))


def list_projects(_: Namespace, cloud: Cloud, output: Output) -> None:
    projects = [{**project, "created": _time(project["created"])} for project in cloud.listing.projects()]
    rows = [["NAME", "PUBLIC", "CREATED", "BY"]]
    rows += [[str(one["name"]), _yes(one["public"]), str(one["created"]), str(one["created_by"])] for one in projects]
    output.result(projects, table(rows))


def show_project(options: Namespace, cloud: Cloud, output: Output) -> None:
    project = cloud.accounts.find_project(options.name)
    if project is None:
        raise Failure(f"There is no project {options.name}.")
    members = dict(cloud.listing.members(project.name))
    shown = _project(project)
    lines = [*fields(shown), *([""] if members else []), *table([[user, role] for user, role in members.items()])]
    output.result({**shown, "members": members}, lines)


def set_public(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_public(options.name, True)
    _told(output, {"name": options.name, "public": True})


def set_private(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_public(options.name, False)
    _told(output, {"name": options.name, "public": False})


def set_member(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_member(options.project, options.user, Role(options.role))
    _told(output, {"project": options.project, "user": options.user, "role": options.role})


def remove_member(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.remove_member(options.project, options.user)
    _told(output, {"project": options.project, "user": options.user, "role": "none"})


def _name(parser: ArgumentParser) -> None:
    parser.add_argument("name")


def _password(parser: ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    source.add_argument("--generate", action="store_true", help="make a password and show it, once")


def _told(output: Output, record: dict[str, object]) -> None:
    output.result(record, fields(record))


def _user(user: User) -> dict[str, object]:
    return {"name": user.name, "admin": user.admin, "disabled": user.disabled, "created": _time(user.created)}


def _project(project: Project) -> dict[str, object]:
    return {
        "name": project.name,
        "public": project.public,
        "created": _time(project.created),
        "created_by": project.created_by,
    }


def _time(seconds: object) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(str(seconds))))


def _yes(value: object) -> str:
    return "yes" if value else "no"
