"""A real provider of OpenID Connect for tests: npm's certified `oidc-provider`, in a process of its own (provider.mjs).

`make oidc-provider` installs it, held to package-lock.json; so does the first test that needs it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.npm import install
from edge.node import node

HERE = Path(__file__).parent
CLIENT, SECRET = "registry", "the client's secret"
People = Mapping[str, Mapping[str, Any]]


@dataclass
class NpmProvider:
    """One that serves at `issuer`. `people` may sign in, by their names, with these claims."""

    issuer: str
    port: int
    clients: Sequence[Mapping[str, Any]]
    people: People
    tls: Mapping[str, str] | None = None
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Begin to serve: with new keys, and without anything that was before."""
        first = {"issuer": self.issuer, "port": self.port, "clients": self.clients, "people": self.people}
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", node(), "provider.mjs"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it warns of what is fit for tests only
            text=True,
        )
        self.tell(**first, **({"tls": self.tls} if self.tls else {}))

    def tell(self, **changes: Any) -> Mapping[str, Any]:
        """Change some of what provider.mjs lists."""
        assert self.process is not None and self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(changes) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"provider.mjs ended with {self.process.wait(10)}; run it by hand to see why")
        answered: Mapping[str, Any] = json.loads(line)
        return answered

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        self.process.communicate()
        self.process = None


def client(*registries: str, provider: str = "", **more: Any) -> dict[str, Any]:
    """Return the registration of a registry that is reached at some URLs, at a `provider` beside its first."""
    path = f"/c/oidc/callback/{provider}" if provider else "/c/oidc/callback"
    return {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uris": [f"{url}{path}" for url in registries],
        "post_logout_redirect_uris": [f"{url}/ui" for url in registries],
        **more,
    }


@contextlib.contextmanager
def npm_provider(
    port: int,
    people: People,
    *clients: Mapping[str, Any],
    tls: Mapping[str, str] | None = None,
    host: str = "127.0.0.1",
) -> Iterator[NpmProvider]:
    """Run one on a free port of 127.0.0.1, under a name of it; by HTTPS with the PEM `key` and `cert` of `tls`.

    Raises RuntimeError.
    """
    fetch()
    issuer = f"{'https' if tls else 'http'}://{host}:{port}"
    made = NpmProvider(issuer, port, clients, people, tls)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def fetch() -> None:
    """Install the packages unless they are there. Waits for another process that does."""
    with (HERE / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(HERE)
