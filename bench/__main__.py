"""``python -m bench``: measure, and print the table."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

from gluster.gfapi import sandbox

from . import peers, picture, report
from .contenders import BenchError
from .groups import GROUPS
from .run import machine, measure
from .stage import KINDS, Stage


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures gfapi against C, the older binding, FUSE and fio, on a sandbox of "
        "its own. The exit status is 0 also if a goal is missed.",
    )
    add = result.add_argument
    add("groups", nargs="*", metavar="GROUP", help="what to measure (default: all; see --list)")
    add("--list", action="store_true", help="list the groups and end")
    add("--kind", choices=KINDS, default="plain", help="the kind of volume (default: %(default)s)")
    add(
        "--delay",
        type=float,
        default=0,
        metavar="MS",
        help="slow the volume by so much a call",
    )
    add("--rounds", type=int, metavar="N", help="how often to do each operation")
    add("--long", action="store_true", help="four times as many rounds")
    add("--count", type=int, metavar="N", help="calls, files, entries or MiB of an operation")
    add("--quick", action="store_true", help="one round, tiny sizes: only to see that it works")
    add("--older", metavar="PATH", help="the folder that has gfapi 1.x (also: GFAPI_OLDER)")
    add("--json", metavar="FILE", help="write all figures to a file")
    add("--from", dest="source", metavar="FILE", help="take the figures of --json; measure nothing")
    add("--table", metavar="FILE", help="write the table in reStructuredText")
    add("--plot", metavar="FILE", help="draw the table (.svg, .png, .pdf)")
    return result


def main(arguments: Optional[Sequence[str]] = None) -> int:
    command = parser()
    options = command.parse_args(arguments)
    if options.list:
        for group in GROUPS.values():
            print(f"{group.name:14} {group.title.format(count=group.count)}")
        return 0
    for name in options.groups:
        if name not in GROUPS:
            command.error(f"there is no group {name!r}; there are {', '.join(GROUPS)}")
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        check_libraries(options)
        if options.source:
            results = json.loads(Path(options.source).read_text(encoding="utf-8"))
        else:
            results = run(options)
        if options.json:
            write(options.json, json.dumps(results, indent=1) + "\n")
        publish(results, options)
        for name, why in results["failures"].items():
            print(f"python -m bench: {name} failed: {why}", file=sys.stderr)
    except (BenchError, sandbox.SandboxError) as error:
        print(f"python -m bench: {error}", file=sys.stderr)
        return 1
    return 1 if results["failures"] else 0


def check_libraries(options: argparse.Namespace) -> None:
    """See that what prints and draws is there, before hours are spent."""
    try:
        import tabulate  # noqa: F401

        if options.plot:
            import matplotlib  # noqa: F401
    except ImportError as error:
        raise BenchError(
            f"{error.name} is not installed: pip install 'gfapi[bench]' brings it."
        ) from None


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, and return the report."""
    groups = [GROUPS[name] for name in options.groups or GROUPS]
    if any(group.kind not in ("stub", "none") for group in groups):
        why_not = sandbox.why_not()
        if why_not:
            raise BenchError(why_not)
    begin = time.monotonic()
    results: dict[str, Any] = {"machine": machine(), "groups": {}, "failures": {}}
    with Stage(find_older(options.older)) as stage:
        for group in groups:
            try:
                samples = measure(
                    stage,
                    group,
                    kind=options.kind,
                    delay=options.delay,
                    count=options.count or (group.quick if options.quick else group.count),
                    rounds=options.rounds
                    or (1 if options.quick else group.rounds * (4 if options.long else 1)),
                    quick=options.quick,
                    tell=tell,
                )
            except (BenchError, sandbox.SandboxError, OSError) as error:
                results["failures"][group.name] = str(error)
            else:
                results["groups"][group.name] = asdict(samples)
    tell("")
    results["seconds"] = round(time.monotonic() - begin)
    return results


def find_older(given: Optional[str]) -> Optional[str]:
    """The folder of the older binding, checked if somebody named it."""
    place = given or os.environ.get("GFAPI_OLDER")
    if not place:
        return peers.find_older()
    if not peers.is_older(place):
        raise BenchError(f"{place} has no gluster/gfapi of gfapi 1.x.")
    return os.path.abspath(place)


def tell(line: str) -> None:
    """Show what is going on, if somebody looks."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def publish(results: dict[str, Any], options: argparse.Namespace) -> None:
    """Print the table, and write what the options ask for."""
    about = results["machine"]
    print(
        f"gfapi {about['gfapi']}, GlusterFS {about['glusterfs']}, Python {about['python']}, "
        f"{about['system']}, {about['cores']} cores of {about['processor']}, {about['date']}\n"
    )
    print(report.table(results))
    print(f"\n{report.summary(results)}, measured in {results['seconds']} s")
    if options.table:
        write(options.table, report.table(results, "rst") + "\n")
    if options.plot:
        picture.draw(results, options.plot)


def write(file: str, text: str) -> None:
    Path(file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
