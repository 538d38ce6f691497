"""``python -m bench.scale``: measure how cost grows, print the figures, draw them."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from gluster.gfapi import sandbox

from ..run import machine
from . import delays, directories, files, options, threads, volumes
from .chart import Chart
from .ground import Ground

CURVES = {
    "threads": threads,
    "volumes": volumes,
    "directories": directories,
    "files": files,
    "delays": delays,
    "options": options,
}


def parser() -> argparse.ArgumentParser:
    """What it is told on the command line."""
    described = "\n".join(f"  {name:12} {module.__doc__}" for name, module in CURVES.items())
    result = argparse.ArgumentParser(
        prog="python -m bench.scale",
        description="Shows how cost grows, on a sandbox of its own. The curves are\n" + described,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("curves", nargs="*", metavar="CURVE", help="what to measure (default: all)")
    add("--quick", action="store_true", help="few points: to see that it works")
    add("--long", action="store_true", help="write files of 16 GiB too")
    add("--json", metavar="FILE", help="write the figures to a file, beside those of other curves")
    add("--from", dest="source", metavar="FILE", help="take the figures of --json; measure nothing")
    add("--plot-dir", metavar="DIR", help="draw each curve into a file there")
    return result


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Do what the command line says; the exit status."""
    command = parser()
    told = command.parse_args(arguments)
    for name in told.curves:
        if name not in CURVES:
            command.error(f"there is no curve {name!r}; there are {', '.join(CURVES)}")
    if told.source:
        report = json.loads(Path(told.source).read_text(encoding="utf-8"))
    else:
        why_not = sandbox.why_not()
        if why_not:
            command.exit(1, f"{command.prog}: {why_not}\n")
        report = measured(told)
    curves = {
        name: [Chart(**chart) for chart in report["curves"][name]]
        for name in CURVES
        if name in report["curves"] and (not told.curves or name in told.curves)
    }
    print(text(report["machine"], curves))
    if told.plot_dir:
        from .picture import draw  # matplotlib is only needed here

        os.makedirs(told.plot_dir, exist_ok=True)
        for name, charts in curves.items():
            draw(name, charts, told.plot_dir)
    return 0


def measured(told: argparse.Namespace) -> dict[str, Any]:
    """Measure; the figures, and what they were measured with."""
    curves = {}
    with sandbox.Cluster(nodes=1) as cluster:
        ground = Ground(cluster, is_quick=told.quick, is_long=told.long)
        for name in told.curves or CURVES:
            begin = time.monotonic()
            curves[name] = [chart.to_json() for chart in CURVES[name].measure(ground)]
            if told.json:
                write(Path(told.json), {"machine": machine(), "curves": curves})
            print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return {"machine": machine(), "curves": curves}


def write(place: Path, report: dict[str, Any]) -> None:
    """Keep a report, beside the curves that the file has already."""
    curves = json.loads(place.read_text(encoding="utf-8"))["curves"] if place.exists() else {}
    report = {**report, "curves": {**curves, **report["curves"]}}
    place.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def text(about: dict[str, Any], curves: dict[str, list[Chart]]) -> str:
    """All figures as tables."""
    head = (
        f"gfapi {about['gfapi']}, GlusterFS {about['glusterfs']}, Python {about['python']}, "
        f"{about['system']}, {about['cores']} cores of {about['processor']}, {about['date']}"
    )
    return "\n\n".join([head, *(chart.table() for charts in curves.values() for chart in charts)])


if __name__ == "__main__":
    sys.exit(main())
