"""`python -m tests.e2e.console.screenshots FOLDER`: every page of the console, in both themes and on a phone.

They are taken on a registry of their own, which journeys/harbour.ts fills.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from local.ports import free_port
from tests.e2e import cloud
from tests.e2e.console import journeys


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0] if arguments else "screenshots").resolve()
    with tempfile.TemporaryDirectory() as work, cloud.instance(Path(work, "state"), free_port()) as started:
        journeys.run(started.wait_until_ready(), environment={"SCREENSHOTS": str(folder)})
    print(f"{len(list(folder.glob('*.png')))} screenshots are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
