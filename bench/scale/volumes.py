"""Many volumes mounted in one process."""

from __future__ import annotations

import os
from statistics import median
from typing import NamedTuple

from gluster import gfapi

from ..resources import resident, threads
from .chart import Chart
from .ground import Ground, Place, alone, place, seconds_of

_COUNTS = (1, 2, 5, 10, 20, 50, 100)
_DIFFERENT = 20
_QUANTITIES = {
    "memory": ("memory", "MiB resident"),
    "threads": ("threads", "threads"),
    "descriptors": ("descriptors of the process", "descriptors"),
    "mount": ("one more mount", "milliseconds"),
    "umount": ("one unmount", "milliseconds"),
}


def measure(ground: Ground) -> list[Chart]:
    """What the mounts of one process cost, by their number."""
    most = 10 if ground.is_quick else _COUNTS[-1]
    one = place(ground.slowed(0))
    several = {
        "one volume": [one] * most,
        "a replica 3": [place(ground.volume("replica", replica=3))] * most,
        "a distribute 4": [place(ground.volume("distribute", distribute=4))] * most,
    }
    if not ground.is_quick:
        others = [place(ground.volume(f"other-{n}")) for n in range(_DIFFERENT)]
        several["different volumes"] = others
    charts = {
        quantity: Chart(f"volumes-{quantity}", title, "mounts in one process", unit)
        for quantity, (title, unit) in _QUANTITIES.items()
    }
    charts["descriptors"].is_drawn = False
    for quantity in ("memory", "threads"):
        charts[quantity].is_linear = True
    for label, places in several.items():
        for used in alone(_mount_all, places):
            for quantity, chart in charts.items():
                chart.add(label, used.mounts, getattr(used, quantity))
    return [*charts.values()]


class _Used(NamedTuple):
    """What the process had of the machine after some mounts, and the last ones' milliseconds."""

    mounts: int
    memory: float
    threads: int
    descriptors: int
    mount: float
    umount: float = 0.0


def _mount_all(places: list[Place]) -> list[_Used]:
    """Mount one after the other, then unmount them."""
    volumes = [place.client() for place in places]
    times: list[float] = []
    found: list[_Used] = []
    for count, vol in enumerate(volumes, 1):
        times.append(1e3 * seconds_of(vol.mount))
        vol.listdir("/")
        if count in _COUNTS:
            descriptors = len(os.listdir("/proc/self/fd"))
            memory = resident() / (1 << 20)
            found.append(_Used(count, memory, threads(), descriptors, median(times)))
            times.clear()
    return [used._replace(umount=_end(volumes, used.mounts)) for used in found[::-1]][::-1]


def _end(volumes: list[gfapi.Volume], mounts: int) -> float:
    """Unmount the second half of so many; the milliseconds of one."""
    half = mounts // 2
    return median(1e3 * seconds_of(vol.umount) for vol in volumes[half:mounts])
