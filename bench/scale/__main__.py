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
        found = {
            name: [Chart(**chart) for chart in charts]
            for name, charts in report["curves"].items()
            if not told.curves or name in told.curves
        }
        for charts in found.values():
            show(charts)
    else:
        why_not = sandbox.why_not()
        if why_not:
            command.exit(1, f"python -m bench.scale: {why_not}\n")
        found = measure(told.curves or list(CURVES), told.quick)
    if told.json:
        write(told.json, found)
    if told.plot_dir:
        from .picture import draw  # matplotlib is only needed here

        os.makedirs(told.plot_dir, exist_ok=True)
        for name, charts in found.items():
            print(draw(name, charts, told.plot_dir))
    return 0


def measure(names: Sequence[str], is_quick: bool) -> dict[str, list[Chart]]:
    """Measure some curves, and print each when it is done."""
    found: dict[str, list[Chart]] = {}
    with sandbox.Cluster(nodes=1) as cluster:
        ground = Ground(cluster, is_quick)
        for name in names:
            begin = time.monotonic()
            found[name] = CURVES[name].measure(ground)
            print(f"\n--- {name}, in {time.monotonic() - begin:.0f} s")
            show(found[name])
    return found


def show(charts: Sequence[Chart]) -> None:
    """Print charts as tables."""
    for chart in charts:
        print(f"\n{chart.table()}", flush=True)


def write(file: str, found: dict[str, list[Chart]]) -> None:
    """Keep the figures, and what they were measured with."""
    place = Path(file)
    report: dict[str, Any] = {"curves": {}}
    if place.exists():
        report = json.loads(place.read_text(encoding="utf-8"))
    report["machine"] = machine()
    for name, charts in found.items():
        report["curves"][name] = [chart.to_json() for chart in charts]
    place.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
