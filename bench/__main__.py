"""`python -m bench [calls|handlers|imports|image|data-plane ...]`: all of them when none is named."""

from __future__ import annotations

import argparse
import os
import platform
import sys

from bench import calls, handlers, imports
from bench.rig import rig

SECTIONS = ("calls", "handlers", "imports")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    wanted = options.sections or list(SECTIONS)
    quick = options.quick
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n", flush=True)
    if {"calls", "handlers", "imports"} & set(wanted):
        with rig() as one:
            if "calls" in wanted:
                print(calls.show(calls.count(one)), flush=True)
            if "handlers" in wanted:
                measured = handlers.measure(one, pairs=2 if quick else 15, repeat=1 if quick else 5)
                print(handlers.show(list(measured)), flush=True)
            if "imports" in wanted:
                print(imports.show(imports.measure(one.environment, pairs=1 if quick else 7)), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What a request costs, as ratios.")
    parser.add_argument("sections", nargs="*", choices=SECTIONS, help="which tables (default: all)")
    parser.add_argument("--quick", action="store_true", help="few samples: to see that it runs, not what it says")
    return parser


if __name__ == "__main__":
    sys.exit(main())
