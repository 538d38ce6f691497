"""Options of the volume."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Callable

from gluster import gfapi
from gluster.gfapi import sandbox

from .chart import Chart
from .ground import Ground, Place, alone, place, rate, seconds_of
from .threads import calls_of_threads

Options = Mapping[str, str]
_AS_IS: Options = {}
_LISTING: dict[str, Options] = {
    "as delivered": _AS_IS,
    "force-readdirp off": {"performance.force-readdirp": "off"},
    "readdir-ahead on": {"performance.readdir-ahead": "on"},
    "parallel-readdir on": {
        "performance.readdir-ahead": "on",
        "performance.parallel-readdir": "on",
    },
}
_LONG: Options = {
    "features.cache-invalidation": "on",
    "features.cache-invalidation-timeout": "600",
    "performance.cache-invalidation": "on",
    "performance.md-cache-timeout": "600",
}
_STATUS: dict[str, tuple[Options, float]] = {
    "stat-prefetch off, at once": ({"performance.stat-prefetch": "off"}, 0),
    "as delivered, at once": (_AS_IS, 0),
    "as delivered, 2 s later": (_AS_IS, 2),
    "md-cache-timeout 600, 2 s later": (_LONG, 2),
}
_THREADS: dict[str, Options] = {
    "as delivered": _AS_IS,
    "client.event-threads 1": {"client.event-threads": "1"},
    "client.event-threads 4": {"client.event-threads": "4"},
    "server.event-threads 4": {"server.event-threads": "4"},
    "client-io-threads off": {"performance.client-io-threads": "off"},
}
_FOLDER = "/entries"
_MAKERS = 32
_ROUNDS = 3
_CALLERS = 32


def measure(ground: Ground) -> list[Chart]:
    """What options do to listing, to stat, and to calls of many threads."""
    entries, stats = (500, 50) if ground.is_quick else (2000, 200)
    listdir = Chart("options-listdir", "listdir", "options", "microseconds an entry")
    scandir = Chart("options-scandir", "scandir and stat", "options", "microseconds an entry")
    status = Chart("options-stat", "stat of a path that scandir listed", "options", "us a call")
    calls = Chart("options-threads", f"{_CALLERS} threads", "options", "calls a second")
    kinds: dict[str, dict[str, int]] = {"plain": {}}
    if not ground.is_quick:
        kinds["distribute 4"] = {"distribute": 4}
    for delay in (0,) if ground.is_quick else (0, 2):
        for kind, layout in kinds.items():
            volume = ground.volume(f"options-{kind[:5]}-{delay}", delay=delay, **layout)
            alone(_fill, place(volume), entries)
            where = f"{kind}, {delay} ms"
            for case in _tried(volume, _LISTING):
                names, statuses = alone(_list, place(volume))
                listdir.add(where, case, names)
                scandir.add(where, case, statuses)
            if kind == "plain":
                for case in _tried(volume, {case: told for case, (told, _) in _STATUS.items()}):
                    figure = alone(_stat, place(volume), stats, _STATUS[case][1])
                    status.add(f"{delay} ms", case, figure)
        uncached = ground.uncached(delay)
        for case in _tried(uncached, _THREADS):
            time.sleep(1)  # bricks take them up a little later
            for call, figure in alone(_many, place(uncached), 0.2 if ground.is_quick else 0.5):
                calls.add(f"{call}, {delay} ms", case, figure)
    return [listdir, scandir, status, calls]


def _tried(volume: sandbox.SandboxVolume, cases: Mapping[str, Options]) -> Iterator[str]:
    """Go through cases, each with its options set until the next one."""
    for case, options in cases.items():
        volume.set_options(options)
        yield case
        for key in options:
            volume.cluster.gluster("volume", "reset", volume.name, key)


def _fill(place: Place, entries: int) -> None:
    with place.client() as vol, ThreadPoolExecutor(_MAKERS) as makers:
        vol.mkdir(_FOLDER)

        def make(number: int) -> None:
            vol.fopen(f"{_FOLDER}/{number}", "w").close()

        list(makers.map(make, range(entries)))


def _list(place: Place) -> list[float]:
    """Microseconds an entry of listdir, and of scandir with the status, without what is cached."""
    return [median(_times(place, listing)) for listing in (_names, _statuses)]


def _times(place: Place, listing: Callable[[gfapi.Volume], int]) -> Iterator[float]:
    for _ in range(_ROUNDS):
        with place.client() as vol:
            vol.stat(_FOLDER)
            counts: list[int] = []
            seconds = seconds_of(lambda c=counts, v=vol: c.append(listing(v)))  # type: ignore[misc]
            yield 1e6 * seconds / counts[0]


def _names(vol: gfapi.Volume) -> int:
    return len(vol.listdir(_FOLDER))


def _statuses(vol: gfapi.Volume) -> int:
    return sum(entry.stat().st_nlink for entry in vol.scandir(_FOLDER))


def _stat(place: Place, count: int, pause: float) -> float:
    """Microseconds of a stat, some time after the directory was listed."""
    with place.client() as vol:
        paths = [entry.path for entry in vol.scandir(_FOLDER)][-count:]
        time.sleep(pause)
        return 1e6 * seconds_of(lambda: [vol.stat(path) for path in paths]) / count


def _many(place: Place, seconds: float) -> list[tuple[str, float]]:
    """Calls a second of many threads."""
    with place.client() as vol:
        return [
            (name, rate(call, _CALLERS, seconds))
            for name, call in calls_of_threads(vol, _CALLERS).items()
        ]
