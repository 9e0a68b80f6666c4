"""`roadstead user`, `project` and `member`."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace

from cli.composition import Cloud
from cli.failures import Failure
from cli.output import Output, fields, table
from cli.passwords import new_password
from cli.subcommands import Subcommands
from roadstead.identity.directory import Project, Role, User
from roadstead.identity.lists import ListedProject, ListedUser

_ROLES = [str(role) for role in Role]


def add_parsers(commands: Subcommands) -> None:
    users = commands.group("user", "manage users: people and machines that log in")
    create = users.add("create", "create a user", create_user)
    create.add_argument("--admin", action="store_true", help="make it a system administrator")
    reset = users.add("reset-password", "set a new password and revoke stored logins", reset_password)
    users.add("list", "list all users", list_users)
    show = users.add("show", "show a user", show_user)
    disable = users.add("disable", "refuse new tokens; those issued stay valid for up to 15 minutes", set_disabled)
    enable = users.add("enable", "let a disabled user log in again", set_disabled)
    admin = users.add("set-admin", "make a user a system administrator", set_admin)
    admin.add_argument("--off", action="store_true", help="take the right away")
    release = users.add("release", "let a user sign in again whom too many wrong passwords have locked", release_login)
    released = release.add_mutually_exclusive_group(required=True)
    released.add_argument("name", nargs="?", help="the user's name")
    released.add_argument("--address", help="an address from where too many wrong passwords came")
    for parser in (create, reset):
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        source.add_argument("--generate", action="store_true", help="generate a password and show it once")

    projects = commands.group("project", "manage projects, which repositories belong to")
    new = projects.add("create", "create a project, private unless --public", create_project)
    new.add_argument("--public", action="store_true", help="let anybody pull from it")
    projects.add("list", "list all projects", list_projects)
    details = projects.add("show", "show a project and its members", show_project)
    open_ = projects.add("set-public", "let anybody pull from a project", set_public)
    close = projects.add("set-private", "let only members pull from a project", set_public)
    for parser in (create, reset, show, disable, enable, admin, new, details, open_, close):
        parser.add_argument("name")
    for parser, value in ((disable, True), (enable, False), (open_, True), (close, False)):
        parser.set_defaults(value=value)

    members = commands.group("member", "manage who may do what in a project")
    add = _member(members.add("set", "add a member, or change a member's role", set_member))
    add.add_argument("role", choices=_ROLES, help="guests pull, developers push, maintainers and admins also delete")
    _member(members.add("remove", "remove a member", remove_member))


def release_login(options: Namespace, cloud: Cloud, output: Output) -> None:
    if options.address is not None:
        cloud.accounts.release_address(options.address)
        output.record({"address": options.address, "released": True})
    else:
        cloud.accounts.release_login(options.name)
        output.record({"name": options.name, "released": True})


def create_user(options: Namespace, cloud: Cloud, output: Output) -> None:
    if cloud.accounts.find_user(options.name) is not None:
        raise Failure(f"There is a user {options.name} already.")  # before asking for a password
    password, shown = new_password(generate=options.generate, from_stdin=options.password_stdin)
    user = cloud.accounts.create_user(options.name, password, admin=options.admin)
    output.record({**_user(user), **({"password": password} if shown else {})})


def list_users(_: Namespace, cloud: Cloud, output: Output) -> None:
    users = [_user(user) for user in cloud.lists.list_users()]
    output.records(users, {"NAME": "name", "ADMIN": "admin", "DISABLED": "disabled", "CREATED": "created"})


def show_user(options: Namespace, cloud: Cloud, output: Output) -> None:
    output.record(_user(_existing_user(options.name, cloud)))


def set_disabled(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_disabled(options.name, options.value)
    output.record({"name": options.name, "disabled": options.value})


def reset_password(options: Namespace, cloud: Cloud, output: Output) -> None:
    _existing_user(options.name, cloud)
    password, shown = new_password(generate=options.generate, from_stdin=options.password_stdin)
    cloud.accounts.set_password(options.name, password)
    output.record({"name": options.name, **({"password": password} if shown else {})})


def set_admin(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_admin(options.name, not options.off)
    output.record({"name": options.name, "admin": not options.off})


def create_project(options: Namespace, cloud: Cloud, output: Output) -> None:
    output.record(_project(cloud.create_project(options.name, public=options.public)))


def list_projects(_: Namespace, cloud: Cloud, output: Output) -> None:
    projects = [_project(project) for project in cloud.lists.list_projects()]
    output.records(projects, {"NAME": "name", "PUBLIC": "public", "CREATED": "created", "BY": "created_by"})


def show_project(options: Namespace, cloud: Cloud, output: Output) -> None:
    project = cloud.accounts.find_project(options.name)
    if project is None:
        raise Failure(f"There is no project {options.name}.")
    members = {str(one.user): str(one.role) for one in cloud.lists.list_members(project.name)}
    shown = _project(project)
    lines = [*fields(shown), *([""] if members else []), *table([[user, role] for user, role in members.items()])]
    output.result({**shown, "members": members}, lines)


def set_public(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_public(options.name, options.value)
    output.record({"name": options.name, "public": options.value})


def set_member(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.set_member(options.project, options.user, Role(options.role))
    output.record({"project": options.project, "user": options.user, "role": options.role})


def remove_member(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.accounts.remove_member(options.project, options.user)
    output.record({"project": options.project, "user": options.user, "role": "none"})


def _member(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("project")
    parser.add_argument("user")
    return parser


def _existing_user(name: str, cloud: Cloud) -> User:
    """Return the user. Raises Failure if there is none."""
    user = cloud.accounts.find_user(name)
    if user is None:
        raise Failure(f"There is no user {name}.")
    return user


def _user(user: User | ListedUser) -> dict[str, object]:
    return {"name": user.name, "admin": user.admin, "disabled": user.disabled, "created": _time(user.created)}


def _project(project: Project | ListedProject) -> dict[str, object]:
    return {
        "name": project.name,
        "public": project.public,
        "created": _time(project.created),
        "created_by": project.created_by,
    }


def _time(seconds: object) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(str(seconds))))
