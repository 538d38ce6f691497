"""A contender in Python: runs the operations that it is told on its standard input.

Each line there is the name of an operation, and is answered by a line with a figure: the seconds
that it took, or what it returned. An error is told in a line that begins with "error". The program
ends with its input. Started as
``python -m bench.worker CONTENDER GROUP HOST VOLUME SHARED OWN COUNT PLACE``, where the place is
the older binding's folder or the FUSE mount.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from . import peers
from .groups import GROUPS


def main(contender: str, group: str, host: str, volume: str, *rest: str) -> None:
    shared, own, count, place = rest
    try:
        fs: Any
        if contender == "fuse":
            fs = peers.Fuse(place)
        elif contender == "older":
            fs = peers.older(host, volume, place)
        else:
            fs = peers.ours(host, volume)
        work = GROUPS[group].work(fs, shared, own, int(count))
        print("ready", flush=True)
        for line in sys.stdin:
            print(repr(_figure(work, line.strip())), flush=True)
    except Exception as error:
        print(f"error {type(error).__name__}: {error}", flush=True)
    # What tears down a mount takes the older binding ten seconds, and is not measured here.
    os._exit(0)


def _figure(work: Any, operation: str) -> float:
    getattr(work, f"before_{operation}", lambda: None)()
    run = getattr(work, operation)
    begin = time.perf_counter()
    figure = run()
    took = time.perf_counter() - begin
    return took if figure is None else float(figure)


if __name__ == "__main__":
    main(*sys.argv[1:])
