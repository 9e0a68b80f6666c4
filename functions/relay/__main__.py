"""`python -m functions.relay`: the relay under uvicorn, configured by environment variables.

With `--until-stdin-ends` it stops when standard input does: it is a pipe from the parent, which closes when that dies.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import uvicorn

from functions.distribution.composition import build
from functions.distribution.settings import Settings
from functions.hosting import lines, metrics
from functions.hosting.environ import SettingsError
from functions.relay.application import Relay, Watch
from functions.relay.load import LoadReport
from functions.relay.places import Places
from functions.relay.protection import TaskProtection
from functions.relay.settings import RelaySettings
from roadstead.aws.clients import client
from roadstead.content.uploads.hashing import RunningHash
from roadstead.digest import ALGORITHMS

PART_THREADS = 16
COMPLETION_PATIENCE = 600  # seconds that S3 may take to put a large object together


def main(arguments: Sequence[str] = ()) -> int:
    lines.configure()
    if "--until-stdin-ends" in arguments:
        threading.Thread(target=_stop_with_the_parent, daemon=True).start()
    try:
        relay = RelaySettings.from_environ(os.environ)
        settings = Settings.from_environ(os.environ)
    except SettingsError as error:
        print(f"relay: {error}", file=sys.stderr)
        return 2
    metrics.start(settings.metrics)
    RunningHash(ALGORITHMS[0])  # a relay that cannot hash had better not start
    services = build(
        settings,
        limits=relay.limits,
        hands_over=True,
        executor=ThreadPoolExecutor(PART_THREADS, thread_name_prefix="part"),
        s3=client("s3", connections=PART_THREADS + relay.uploads, patience=COMPLETION_PATIENCE),
    )
    protection = TaskProtection.from_environ(os.environ)
    # Only ECS stops and scales tasks.
    watches: tuple[Watch, ...] = () if protection is None else (protection, LoadReport(relay.uploads))
    uvicorn.run(
        Relay(services, places=Places(relay.uploads, share=relay.uploads_per_user), watches=watches),
        host=relay.host,
        port=relay.port,
        timeout_graceful_shutdown=relay.drain_seconds,
        timeout_keep_alive=75,  # longer than the 60 s for which CloudFront and load balancers keep a connection
        access_log=False,  # a URL holds an upload token
        server_header=False,
        log_level="warning",
        log_config=None,  # into our own handler
    )
    return 0


def _stop_with_the_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
