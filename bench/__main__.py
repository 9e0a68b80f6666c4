"""`python -m bench [section ...]`, which `make bench` runs: the named sections, or all."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable

from bench import operations
from bench.content import MIB
from bench.rig import rig
from bench.sections import (
    calls,
    cold_pull,
    collection,
    concurrency,
    console,
    costs,
    data_plane,
    embedded,
    events,
    from_zero,
    handlers,
    image,
    imports,
    logins,
    management,
    pull_profile,
    scale,
)
from bench.servers import Missing


def main(arguments: list[str] | None = None) -> int:
    """Run sections and print their tables. Return 1 if one could not be measured; the others are still shown."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.sections if name not in SECTIONS]:
        parser.error(f"unknown section {', '.join(unknown)}; the sections are {', '.join(SECTIONS)}")
    # As with Ctrl-C, everything that was started is stopped.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n", flush=True)
    skipped = 0
    for name in options.sections or SECTIONS:
        began = time.monotonic()
        try:
            print(SECTIONS[name](options), flush=True)
        except Missing as missing:
            skipped = 1
            print(f"{name} skipped: {missing}.\n", flush=True)
        else:
            print(f"({name} took {time.monotonic() - began:.0f} s)\n", flush=True)
    return skipped


def _calls(_: argparse.Namespace) -> str:
    with rig() as one:
        return calls.show(calls.count(one))


def _handlers(options: argparse.Namespace) -> str:
    pairs, repeat = (1, 1) if options.quick else (options.pairs or 15, 5)
    with rig() as one:
        return handlers.show(list(handlers.measure(one, operations.operations(one), pairs=pairs, repeat=repeat)))


def _management(options: argparse.Namespace) -> str:
    """Calls and CPU of every list and every change of the management API; `imports` has its cold start."""
    pairs, repeat, number = (1, 1, 100) if options.quick else (options.pairs or 7, 3, 1_000)
    with rig() as one:
        rows = list(management.operations(one, number=number))
        counted = calls.show({row.name: calls.calls_of(one, row) for row in rows})
        return f"{counted}\n{handlers.show(list(handlers.measure(one, rows, pairs=pairs, repeat=repeat)))}"


def _events(options: argparse.Namespace) -> str:
    with rig() as one:
        return events.show(list(events.measure(one, pairs=1 if options.quick else options.pairs or 15)))


def _logins(options: argparse.Namespace) -> str:
    pairs, repeat = (1, 1) if options.quick else (options.pairs or 15, 5)
    with rig() as one:
        return logins.show(logins.measure(one, pairs=pairs, repeat=repeat))


def _imports(options: argparse.Namespace) -> str:
    with rig() as one:
        pairs, functions = (1, one.functions[:1]) if options.quick else (options.pairs or 7, one.functions)
        return imports.show(imports.measure(functions, one.environment, pairs=pairs))


def _image(options: argparse.Namespace) -> str:
    return image.show(image.measure(pairs=1 if options.quick else options.pairs or 7))


def _data_plane(options: argparse.Namespace) -> str:
    pairs, size = (1, 8) if options.quick else (options.pairs or 3, options.size)
    moved = []
    for one in data_plane.measure(size=size * MIB, pairs=pairs, only=options.only):
        moved.append(one)
        print(f"{one.name}, layers {one.layers}: {one.distribution} x distribution", file=sys.stderr, flush=True)
    if not moved:
        raise Missing(f"no row has {options.only!r} in its name")
    return data_plane.show(moved)


def _from_zero(options: argparse.Namespace) -> str:
    return from_zero.show(from_zero.measure(pairs=1 if options.quick else options.pairs or 7))


def _cold_pull(options: argparse.Namespace) -> str:
    return cold_pull.show(cold_pull.measure(pairs=1 if options.quick else options.pairs or 7))


def _collection(options: argparse.Namespace) -> str:
    with rig() as one:
        return collection.show(list(collection.measure(one, blobs=20 if options.quick else 4_000)))


def _concurrency(options: argparse.Namespace) -> str:
    return concurrency.show(concurrency.measure(pushes=3 if options.quick else 50))


def _profile(options: argparse.Namespace) -> str:
    with rig() as one:
        profiles = pull_profile.measure(one, pulls=5 if options.quick else 200)
    if options.picture:
        pull_profile.PICTURE.write_text(pull_profile.draw(profiles))
    return pull_profile.show(profiles)


def _costs(_: argparse.Namespace) -> str:
    return costs.show() + "\n"


def _scale(_: argparse.Namespace) -> str:
    with rig() as one:
        return scale.show(calls.count(one), scale.Assumptions())


def _embedded(options: argparse.Namespace) -> str:
    pairs, tags = (2, 2_000) if options.quick else (options.pairs or 15, 100_000)
    with rig() as one:
        return embedded.show(list(embedded.measure(one, tags=tags, pairs=pairs)))


def _console(options: argparse.Namespace) -> str:
    return console.show(console.measure(samples=1 if options.quick else options.pairs or 5))


SECTIONS: dict[str, Callable[[argparse.Namespace], str]] = {
    "calls": _calls,
    "handlers": _handlers,
    "events": _events,
    "management": _management,
    "imports": _imports,
    "logins": _logins,
    "embedded": _embedded,
    "image": _image,
    "data-plane": _data_plane,
    "from-zero": _from_zero,
    "cold-pull": _cold_pull,
    "console": _console,
    "scale": _scale,
    "collection": _collection,
    "concurrency": _concurrency,
    "profile": _profile,
    "costs": _costs,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure what a request costs, as ratios.")
    parser.add_argument("sections", nargs="*", metavar="section", help=f"{', '.join(SECTIONS)} (default: all)")
    parser.add_argument(
        "--quick", action="store_true", help="take few samples: enough to see that it runs, not to trust the figures"
    )
    parser.add_argument("--pairs", type=int, help="pairs of samples to take, instead of each section's own number")
    parser.add_argument("--size", type=int, default=1024, help="MiB that data-plane moves (default: %(default)s)")
    parser.add_argument(
        "--only", default="", help="only the rows of data-plane whose name contains this: pull, relay, skopeo"
    )
    parser.add_argument("--picture", action="store_true", help="let profile draw docs/images/pull-profile.svg again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
