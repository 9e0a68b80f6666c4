"""`python -m local up | down | reset | audit`: the commands behind the Makefile's targets of the same names.

`--help` lists the exit codes; with any but 0 and 1 there is one sentence on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import re
import signal
import ssl
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local import ports
from local.failures import ExitCode, Failure
from local.processes.supervisor import complain
from local.state import StateDirectory

if TYPE_CHECKING:
    from local.collection import Times

STOP = 90.0  # seconds to wait for a running instance to stop


def main(arguments: list[str] | None = None) -> int:
    os.umask(0o077)
    options = _parser().parse_args(arguments)
    state = StateDirectory(Path(options.state))
    commands = {
        "up": lambda: _up(state, options),
        "down": lambda: _down(state),
        "reset": lambda: _reset(state),
        "audit": lambda: _audit(state, options),
    }
    try:
        commands[options.command]()
    except Failure as failure:
        return complain(failure)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return complain(Failure(ExitCode.DISK_FULL, f"The disk of {state.path} is full."))
    return ExitCode.OK


def _up(state: StateDirectory, options: argparse.Namespace) -> None:
    try:
        from local import stack
        from local.web_function.terms import Terms
    except ModuleNotFoundError as error:
        raise Failure(
            ExitCode.DEPENDENCY_MISSING, f"The Python package {error.name} is missing; `make up` installs it."
        ) from None
    state.acquire()
    try:
        logging.basicConfig(
            filename=state.logs / "gateway.log", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
        )
        with ports.listen(options.listen, options.port) as listener:
            through = options.blobs_at == "distribution"
            terms = Terms(
                uploads=options.relay_uploads,
                environments=options.relay_environments,
                request=options.relay_request,
                idle=options.relay_idle,
            )
            wanted = stack.Options(
                stack.Front(options.front),
                through,
                options.url.rstrip("/"),
                stack.RelayKind(options.relay),
                terms,
                _collect(options),
                options.build_console,
                options.ldap_ca,
            )
            asyncio.run(stack.run(state, listener, wanted))
    finally:
        state.release()


def _collect(options: argparse.Namespace) -> Times | None:
    """The collector's times for a trial, if one of them was given."""
    from local.collection import Times

    if options.collect_grace is None and options.collect_fence is None:
        return None
    return Times(
        86_400 if options.collect_grace is None else options.collect_grace,
        3_600 if options.collect_fence is None else options.collect_fence,
    )


def _down(state: StateDirectory) -> None:
    """Stop the instance that serves from this state directory, and wait until it has stopped."""
    ready = state.read_ready()
    if ready is None or not state.in_use():
        if state.in_use():
            raise Failure(ExitCode.STATE_IN_USE, f"An instance is starting or stopping in {state.path}; try again.")
        print(f"No registry runs in {state.path}.")
        return
    os.kill(ready["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP
    while state.in_use():
        if time.monotonic() > deadline:
            raise Failure(ExitCode.STATE_IN_USE, f"Process {ready['pid']} did not stop within {STOP:.0f} s.")
        time.sleep(0.1)


def _reset(state: StateDirectory) -> None:
    """Stop a running instance, and delete the directory."""
    if state.in_use():
        _down(state)
    state.delete()


def _audit(state: StateDirectory, options: argparse.Namespace) -> None:
    """Print the audit trail of the instance that serves from this state directory."""
    from local import audit

    # --follow ends by Ctrl-C, or when the pipe is closed.
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        for line in audit.read(state, follow=options.follow, ask=options.ask.strip()):
            print(line, flush=True)


def _url(text: str) -> str:
    """A scheme and a host, or nothing. Raises ArgumentTypeError."""
    if text and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+/?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not like https://registry.example.com")
    return text


def _certificates(path: str) -> str:
    """The text of a file with certificates in PEM, or nothing. Raises ArgumentTypeError."""
    if not path:
        return ""
    try:
        text = Path(path).read_text(encoding="ascii")
        ssl.create_default_context(cadata=text)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise argparse.ArgumentTypeError(f"{path!r} has no certificates in PEM: {error}") from None
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="Run Roadstead on one machine.",
        epilog="exit codes:\n" + "\n".join(f"  {code.value}  {code.meaning}" for code in ExitCode),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "run the registry until Ctrl-C"),
        ("down", "stop a running registry"),
        ("reset", "stop it and delete everything pushed"),
        ("audit", "print the audit trail as JSON lines"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--state", default=".state", help="the state directory (default: %(default)s)")
        if name == "audit":
            command.add_argument("--follow", action="store_true", help="keep printing new entries")
            command.add_argument(
                "--ask",
                default="",
                help="print the answer to a question: pulls DIGEST, failed-logins, deletions or pushes",
            )
        if name == "up":
            command.add_argument("--port", type=int, default=5000, help="the registry's port (default: %(default)s)")
            command.add_argument(
                "--front",
                choices=("all", "edge", "none"),
                default="all",
                help="what runs in front of the API: edge and relay, only the edge, or nothing (default: %(default)s)",
            )
            command.add_argument(
                "--blobs-at",
                choices=("s3", "distribution"),
                default="s3",
                help="where clients pull blobs: from S3, or from the edge by signed URLs (default: %(default)s)",
            )
            command.add_argument(
                "--listen", default="127.0.0.1", help="the address to listen on (default: %(default)s)"
            )
            command.add_argument(
                "--url", default="", type=_url, help="the registry's URL, if a proxy in front changes it"
            )
            command.add_argument(
                "--build-console", action="store_true", help="build the web console in the background if need be"
            )
            command.add_argument(
                "--ldap-ca",
                default="",
                type=_certificates,
                metavar="FILE",
                help="certificates in PEM of the authorities that a directory's certificate may be of",
            )
            collect = command.add_argument_group("the collector", "with shorter times, for trying")
            collect.add_argument("--collect-grace", type=int, help="seconds until a candidate is looked at")
            collect.add_argument("--collect-fence", type=int, help="seconds until a marked link is removed")
            relay = command.add_argument_group("the relay", "as a Lambda web function, with shorter limits for tests")
            relay.add_argument(
                "--relay",
                choices=("web-function", "fargate"),
                default="web-function",
                help="what hosts it: environments that requests start, or a process that always runs",
            )
            relay.add_argument("--relay-idle", type=float, default=300, help="seconds until an environment ends")
            relay.add_argument("--relay-request", type=float, default=900, help="seconds that a request may take")
            relay.add_argument("--relay-uploads", type=int, default=24, help="requests at once in an environment")
            relay.add_argument("--relay-environments", type=int, default=4, help="environments at once")
    return parser


if __name__ == "__main__":
    sys.exit(main())
