"""The stored sign-in: one file, which nobody else on the machine can read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cli.failures import USAGE, Failure
from cli.keyless.registries import host_of, ways, write_json
from cli.remote.client import Login

FILE = "login.json"


def path_of(environ: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/roadstead/login.json`, by default in `~/.config`."""
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '~')}/.config"
    return Path(home).expanduser() / "roadstead" / FILE


def store(path: Path, login: Login) -> None:
    """Replace the file by a new one with mode 0600, in a directory with mode 0700."""
    write_json(path, {"url": login.url, "user": login.user, "password": login.password})


def stored(path: Path) -> Login | None:
    """Raises Failure if the file is not ours, or if others can read it."""
    try:
        with path.open() as file:
            mode = os.fstat(file.fileno()).st_mode & 0o077
            document = json.load(file)
        login = Login(str(document["url"]), str(document["user"]), str(document["password"]))
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError) as error:
        raise Failure(f"{path} is damaged; sign in again with `roadstead login`.", USAGE) from error
    if mode:
        raise Failure(f"{path} can be read by others; sign in again with `roadstead login`.", USAGE)
    return login


def forget(path: Path) -> bool:
    """Return whether there was one."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def chosen(environ: Mapping[str, str], url: str = "") -> Login | None:
    """Return the sign-in that counts: the variables ROADSTEAD_URL, ROADSTEAD_USER and ROADSTEAD_PASSWORD, then the
    stored one. `url` asks for another registry; the stored sign-in is for its own registry alone.

    Without a password, that of the registry's way is made afresh (`cli.keyless.registries`). Raises Failure.
    """
    kept = stored(path_of(environ))
    where = url or environ.get("ROADSTEAD_URL") or (kept.url if kept is not None else "")
    if not where:
        return None
    where = where.rstrip("/")
    if environ.get("ROADSTEAD_USER"):
        login = Login(where, environ["ROADSTEAD_USER"], environ.get("ROADSTEAD_PASSWORD", ""))
    else:
        login = kept if kept is not None and kept.url == where else Login(where)
    return login if login.password or not login.user else _afresh(login, environ)


def _afresh(login: Login, environ: Mapping[str, str]) -> Login:
    host = host_of(login.url)
    way = ways(environ).get(host)
    if way is None or way.user != login.user:
        return login
    return replace(login, fresh=lambda: way.password(host, environ))
