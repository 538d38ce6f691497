"""Threads and processes on one volume."""

from __future__ import annotations

import itertools
import os
from typing import Callable

from gluster import gfapi

from .chart import Chart
from .ground import DELAYS, Ground, Place, alone, place, rate, side_by_side

_THREADS = (1, 2, 4, 8, 16, 32, 64)
_PROCESSES = (1, 2, 4, 8, 16)
_CALLS = {
    "stat": "stat",
    "pread": "pread of 4 KiB",
    "create": "open, write of 4 KiB, close of a new file",
}
_BLOCK = bytes(4096)


def measure(ground: Ground) -> list[Chart]:
    """Calls a second by the number of threads, and of processes."""
    seconds = 0.15 if ground.is_quick else 0.6
    threads = (1, 8, 64) if ground.is_quick else _THREADS
    charts = {
        call: Chart(f"threads-{call}", title, "threads", "calls a second")
        for call, title in _CALLS.items()
    }
    for delay in (0, 2) if ground.is_quick else DELAYS:
        found = alone(_rates, place(ground.uncached(delay)), threads, seconds)
        for call, count, figure in found:
            charts[call].add(f"{delay:g} ms", count, figure)
    return [*charts.values(), _processes(ground, seconds)]


def _rates(place: Place, threads: tuple[int, ...], seconds: float) -> list[tuple[str, int, float]]:
    with place.client() as vol:
        calls = calls_of_threads(vol, max(threads))
        return [
            (name, count, rate(call, count, seconds))
            for name, call in calls.items()
            for count in threads
        ]


def calls_of_threads(vol: gfapi.Volume, threads: int) -> dict[str, Callable[[int], object]]:
    """What is called by each thread: on files of its own, in a directory of its own."""
    top = f"/threads-{os.getpid()}"
    folders = [f"{top}/{number}" for number in range(threads)]
    files = []
    for folder in folders:
        vol.makedirs(folder)
        files.append(vol.fopen(f"{folder}/file", "w+"))
        files[-1].write(_BLOCK)
    numbers = itertools.count()

    def create(number: int) -> None:
        with vol.fopen(f"{folders[number]}/{next(numbers)}", "x") as file:
            file.write(_BLOCK)

    return {
        "stat": lambda number: vol.stat(f"{folders[number]}/file"),
        "pread": lambda number: files[number].pread(4096, 0),
        "create": create,
    }


def _processes(ground: Ground, seconds: float) -> Chart:
    """The same call from the threads of one process, and from one thread of each of several."""
    chart = Chart("processes", "stat by threads or processes", "at once", "calls a second")
    volumes = {"from the cache": ground.slowed(0)}
    if not ground.is_quick:
        volumes["2 ms"] = ground.uncached(2)
    for label, volume in volumes.items():
        for count in (1, 4) if ground.is_quick else _PROCESSES:
            (figure,) = side_by_side(_stats, [(place(volume), count, seconds)])
            chart.add(f"threads, {label}", count, figure)
            figures = side_by_side(_stats, [(place(volume), 1, 2 * seconds)] * count)
            chart.add(f"processes, {label}", count, sum(figures))
    return chart


def _stats(place: Place, threads: int, seconds: float) -> float:
    with place.client() as vol:
        return rate(calls_of_threads(vol, threads)["stat"], threads, seconds)
