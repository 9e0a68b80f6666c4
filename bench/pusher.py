"""One of many clients that push at once: `python -m bench.pusher`, a process with functions of its own.

It reads its plan, prepares, prints `ready`, waits for another line, pushes, and prints what it saw; each is a line.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench.operations import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Requests, entry
from bench.rig import Rig, Unexpected, installed
from bench.write_units import writes
from local.cloud.resources import Resources
from roadstead.aws import clients


def main() -> None:
    plan, output = json.loads(sys.stdin.readline()), sys.stdout
    rig = Rig(Resources(**plan["resources"]), (), plan["environment"])
    with installed(rig):
        one = Pusher(rig, plan)
        print("ready", file=output, flush=True)
        sys.stdin.readline()
        print(json.dumps(one.push()), file=output, flush=True)


class Pusher:
    def __init__(self, rig: Rig, plan: Mapping[str, Any]) -> None:
        self._rig = rig
        self._errors: Counter[str] = Counter()
        clients.session().register("after-call.dynamodb", self._answered)
        self._pushes = []
        repositories = [Requests(rig, name) for name in plan["repositories"]]
        blobs = {one.repository: (one.push_blob(1024), one.push_blob(1024)) for one in repositories}
        for number in range(plan["pushes"]):
            there = repositories[number % len(repositories)]
            config, layer = blobs[there.repository]
            name = f"{plan['name']}-{number}"
            document = {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": entry(OCI_CONFIG, config),
                "layers": [entry(OCI_LAYER, layer)],
                "annotations": {"name": name},
            }
            self._pushes.append(there.manifest_put(plan["tag"] or name, json.dumps(document).encode()))

    def push(self) -> Mapping[str, Any]:
        """Return seconds, pushes and those refused, calls and errors of DynamoDB, and units by partition."""
        asked: list[tuple[str, Mapping[str, Any]]] = []
        self._rig.watchers.append(lambda params, model: asked.append((f"dynamodb.{model.name}", dict(params))))
        before, refused = len(self._rig.calls), 0
        self._errors.clear()
        began = time.perf_counter()
        for put in self._pushes:
            try:
                put()
            except Unexpected:
                refused += 1
        seconds = time.perf_counter() - began
        units: Counter[str] = Counter()
        for write in writes(asked):
            units[write.partition] += write.of_table
        return {
            "seconds": seconds,
            "pushes": len(self._pushes),
            "refused": refused,
            "calls": Counter(self._rig.calls[before:]),
            "errors": self._errors,
            "units": dict(units.most_common(50)),
        }

    def _answered(self, parsed: Mapping[str, Any], **_: Any) -> None:
        if code := parsed.get("Error", {}).get("Code"):
            self._errors[code] += 1


if __name__ == "__main__":
    main()
