"""Which robot signs in to which registry, and from which source its password comes. No secret is in the file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cli.failures import USAGE, Failure
from cli.keyless.sources import check_source, password

FILE = "keyless.json"


@dataclass(frozen=True, slots=True)
class Way:
    """`audience` is "" for the registry's host, `profile` "" for the AWS credentials at hand."""

    user: str
    source: str
    audience: str = ""
    profile: str = ""

    def password(self, host: str, environ: Mapping[str, str]) -> str:
        """Return a password that is made now, for the registry at `host`. Raises Failure."""
        return password(self.source, self.audience or host, environ, profile=self.profile)


def host_of(url: str) -> str:
    """Return host and port of a registry's URL or address, in lower case: `registry.example.com`."""
    return url.partition("://")[2].partition("/")[0].lower() if "://" in url else url.partition("/")[0].lower()


def path_of(environ: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/roadstead/keyless.json`, by default in `~/.config`."""
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '~')}/.config"
    return Path(home).expanduser() / "roadstead" / FILE


def ways(environ: Mapping[str, str]) -> Mapping[str, Way]:
    """Return the ways by the registry's host: those of the file, and that of the variables, which counts first.

    The variables are ROADSTEAD_URL, ROADSTEAD_USER and ROADSTEAD_KEYLESS, and ROADSTEAD_AUDIENCE where it differs from
    the registry's host. Raises Failure.
    """
    kept = dict(_kept(path_of(environ)))
    source, url, user = (environ.get(f"ROADSTEAD_{name}", "") for name in ("KEYLESS", "URL", "USER"))
    if source:
        if not url or not user:
            raise Failure("ROADSTEAD_KEYLESS needs ROADSTEAD_URL and ROADSTEAD_USER, the robot's full name.", USAGE)
        kept[host_of(url)] = Way(user, check_source(source), environ.get("ROADSTEAD_AUDIENCE", ""))
    return kept


def keep(environ: Mapping[str, str], host: str, way: Way) -> Path:
    """Keep a way, in place of the one of the same registry. Return the file."""
    path = path_of(environ)
    write_json(path, {name: asdict(one) for name, one in {**_kept(path), host: way}.items()})
    return path


def forget(environ: Mapping[str, str], host: str) -> bool:
    """Return whether the file had one."""
    path = path_of(environ)
    kept = dict(_kept(path))
    if kept.pop(host, None) is None:
        return False
    write_json(path, {name: asdict(one) for name, one in kept.items()})
    return True


def write_json(path: Path, document: Any) -> None:
    """Replace a file by a new one with mode 0600; a directory that is missing gets 0700."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _kept(path: Path) -> Mapping[str, Way]:
    try:
        document = json.loads(path.read_text())
        return {host: Way(**{name: str(value) for name, value in one.items()}) for host, one in document.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise Failure(f"{path} is damaged; sign in again with `roadstead login`.", USAGE) from error
