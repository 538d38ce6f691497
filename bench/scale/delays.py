"""Round-trip delays: each kind of call, and whole trees."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Callable

from gluster import gfapi

from .chart import Chart
from .ground import DELAYS, Ground, Place, alone, place, seconds_of

_BLOCK = bytes(4096)
_ENTRIES = 100
_NAMES = ("opened", "stat", "read", "copied", "attributes", "renamed", "unlinked")
_FOLDERS, _FILES = 10, 20
# More than what a client gets with the look-up.
_LARGE = 1 << 20
_THREADS = (1, 8, 32)


def measure(ground: Ground) -> list[Chart]:
    """Milliseconds of a call, and seconds of a tree, by the delay of the network."""
    calls = Chart("delays-calls", "one call", "ms of delay", "ms", is_drawn=False)
    size = f"{_FOLDERS * _FILES} files in {_FOLDERS} folders"
    trees = {
        call: Chart(f"delays-{call}", f"{call} of {size}", "ms of delay", "s", is_linear=True)
        for call in ("copytree", "walk", "rmtree")
    }
    repeats = 3 if ground.is_quick else 15
    delays = (0, 2) if ground.is_quick else DELAYS
    for delay in delays:
        where = place(ground.slowed(delay))
        alone(_prepare, where, "/calls", repeats)
        for label, milliseconds in alone(_calls, where, "/calls", repeats):
            calls.add(label, delay, milliseconds)
        alone(_make_tree, where, "/tree")
        for threads in (1, 8) if ground.is_quick else _THREADS:
            for call, seconds in alone(_trees, where, "/tree", threads):
                trees[call].add(f"threads={threads}", delay, seconds)
    return [calls, _round_trips(calls, delays[-1]), *trees.values()]


def _round_trips(calls: Chart, delay: float) -> Chart:
    """How often a call waits for the network: how far it grows with the delay."""
    chart = Chart("round-trips", "how often a call waits for the network", "call", "round trips")
    for label, points in calls.series.items():
        at = dict(points)
        chart.add("round trips", label, (at[delay] - at[0]) / delay)
    return chart


def _prepare(place: Place, top: str, repeats: int) -> None:
    """Make what the calls are made on."""
    with place.client() as vol, ThreadPoolExecutor(32) as makers:

        def make(number: int) -> None:
            vol.mkdir(f"{top}/{number}")
            vol.mkdir(f"{top}/{number}/empty")
            for name in _NAMES:
                _create(vol, f"{top}/{number}/{name}")
            vol.truncate(f"{top}/{number}/opened", _LARGE)

        vol.mkdir(top)
        vol.mkdir(f"{top}/full")
        list(makers.map(make, range(repeats)))
        list(makers.map(lambda n: _create(vol, f"{top}/full/{n}"), range(_ENTRIES)))


def _calls(place: Place, top: str, repeats: int) -> list[tuple[str, float]]:
    """The median of each kind of call in milliseconds, each time on something else.

    The client knows the folders, but not the files in them.
    """
    with place.client() as vol:
        folders = [f"{top}/{number}" for number in range(repeats)]
        opened = [vol.fopen(f"{folder}/opened", "r+") for folder in folders]
        for file in opened:
            file.pread(1, 0)  # open-behind opens it now
        to_read, to_write = iter(opened), iter(opened)
        kinds: dict[str, Callable[[str], object]] = {
            "stat": lambda folder: vol.stat(f"{folder}/stat"),
            "open, read 4 KiB, close": lambda folder: _read(vol, f"{folder}/read"),
            "pread 4 KiB": lambda folder: next(to_read).pread(4096, _LARGE // 2),
            "write 4 KiB, fsync": lambda folder: _write(next(to_write)),
            "create, write 4 KiB, close": lambda folder: _create(vol, f"{folder}/new"),
            "copyfile 4 KiB": lambda folder: vol.copyfile(f"{folder}/copied", f"{folder}/copy"),
            "setxattr": lambda folder: vol.setxattr(f"{folder}/attributes", "user.a", "b"),
            "rename": lambda folder: vol.rename(f"{folder}/renamed", f"{folder}/other"),
            "unlink": lambda folder: vol.unlink(f"{folder}/unlinked"),
            "mkdir": lambda folder: vol.mkdir(f"{folder}/folder"),
            "rmdir": lambda folder: vol.rmdir(f"{folder}/empty"),
            f"listdir of {_ENTRIES}": lambda folder: vol.listdir(f"{top}/full"),
        }
        found = []
        for label, call in kinds.items():
            times = [seconds_of(functools.partial(call, folder)) for folder in folders]
            found.append((label, 1e3 * median(times)))
        return found


def _write(file: gfapi.File) -> None:
    file.pwrite(_BLOCK, 0)
    file.fsync()


def _read(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path) as file:
        file.read(4096)


def _create(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file:
        file.write(_BLOCK)


def _make_tree(place: Place, top: str) -> None:
    with place.client() as vol, ThreadPoolExecutor(32) as makers:
        for folder in range(_FOLDERS):
            vol.makedirs(f"{top}/{folder}")
        paths = [f"{top}/{folder}/{n}" for folder in range(_FOLDERS) for n in range(_FILES)]
        list(makers.map(lambda path: _create(vol, path), paths))


def _trees(place: Place, top: str, threads: int) -> list[tuple[str, float]]:
    """The seconds to copy a tree, to go through it and to remove it, each by a new client."""
    copy = f"{top}-{threads}"
    steps: dict[str, Callable[[gfapi.Volume], object]] = {
        "copytree": lambda vol: vol.copytree(top, copy, threads=threads),
        "walk": lambda vol: list(vol.walk(copy, threads=threads)),
        "rmtree": lambda vol: vol.rmtree(copy, threads=threads),
    }
    found = []
    for label, step in steps.items():
        with place.client() as vol:
            vol.stat("/")
            found.append((label, seconds_of(functools.partial(step, vol))))
    return found
