"""Files of many sizes."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Callable

from gluster import gfapi

from .chart import Chart
from .ground import DELAYS, Ground, Place, alone, place, seconds_of

_SIZES = (1 << 12, 1 << 16, 1 << 20, 1 << 24, 1 << 28, 1 << 30, 1 << 32, 1 << 34)
_BLOCK = 1 << 20
_DATA = os.urandom(_BLOCK)
#: How much of a sparse file is data.
_SPARSE = 64
_SPARE = 8 << 30
#: A file that several threads read and write.
_SHARED = 64 << 20
_THREADS = (1, 2, 4, 8, 16, 32)
#: The largest file that is written in full each time.
_OFTEN = 1 << 32


def measure(ground: Ground) -> list[Chart]:
    """MB a second to write, read and copy a file, by its size."""
    volume = ground.slowed(0)
    chart = Chart("files", "one file in blocks of 1 MiB", "size in bytes", "MB a second")
    for size in _SIZES[:5] if ground.is_quick else _SIZES:
        free = shutil.disk_usage(volume.bricks[0].path).free
        if (size <= _OFTEN or ground.is_long) and free > 2 * size + _SPARE:
            for label, figure in alone(_speeds, place(volume), size, False):
                chart.add(label, size, figure)
        if size >= _SPARSE * _BLOCK:
            for label, figure in alone(_speeds, place(volume), size, True):
                chart.add(f"{label}, 1/{_SPARSE} data", size, figure)
    return [chart, _by_threads(ground)]


def _by_threads(ground: Ground) -> Chart:
    """One file that several threads read and write, each its share of it."""
    chart = Chart("files-threads", "one file by several threads", "threads", "MB a second")
    for delay in (0, 2) if ground.is_quick else DELAYS:
        for threads in (1, 8) if ground.is_quick else _THREADS:
            for label, figure in alone(_shared, place(ground.slowed(delay)), threads):
                chart.add(f"{label}, {delay:g} ms", threads, figure)
    return chart


def _shared(place: Place, threads: int) -> list[tuple[str, float]]:
    name = f"/shared-{os.getpid()}"
    with place.client() as vol, ThreadPoolExecutor(threads) as crew:
        with vol.fopen(name, "w+") as file:

            def write(offset: int) -> None:
                file.pwrite(_DATA, offset)

            def read(offset: int) -> None:
                file.preadinto(bytearray(_BLOCK), offset)

            offsets = range(0, _SHARED, _BLOCK)
            writing = seconds_of(lambda: (list(crew.map(write, offsets)), file.fsync()))
            reading = seconds_of(lambda: list(crew.map(read, offsets)))
        vol.unlink(name)
        return [("write", _SHARED / writing / 1e6), ("read", _SHARED / reading / 1e6)]


def _speeds(place: Place, size: int, is_sparse: bool) -> list[tuple[str, float]]:
    """MB a second of each, on files that are gone afterwards."""
    name = f"/file-{os.getpid()}"
    steps: dict[str, Callable[[gfapi.Volume], None]] = {
        "write": lambda vol: _write(vol, name, size, is_sparse),
        "read": lambda vol: _read(vol, name),
        "copyfile": lambda vol: vol.copyfile(name, f"{name}-copy", by_brick=True),
    }
    with place.client() as vol:
        try:
            found = [(label, _speed(place, step, size)) for label, step in steps.items()]
        finally:
            for path in (name, f"{name}-copy"):
                if vol.lexists(path):
                    vol.truncate(path, 0)  # the brick keeps open what it has copied
                    vol.unlink(path)
    return found[1:] if is_sparse else found


def _speed(place: Place, step: Callable[[gfapi.Volume], None], size: int) -> float:
    """MB a second, each time by a client that knows nothing of the file."""
    times = []
    for _ in range(7 if size <= 1 << 24 else 1):
        with place.client() as vol:
            vol.stat("/")
            times.append(seconds_of(lambda: step(vol)))
    return size / median(times) / 1e6


def _write(vol: gfapi.Volume, name: str, size: int, is_sparse: bool) -> None:
    block = _DATA[:size]
    with vol.fopen(name, "w") as file:
        for offset in range(0, size, _BLOCK * _SPARSE if is_sparse else _BLOCK):
            file.pwrite(block, offset)
        file.ftruncate(size)


def _read(vol: gfapi.Volume, name: str) -> None:
    buffer = bytearray(_BLOCK)
    with vol.fopen(name) as file:
        while file.readinto(buffer):
            pass
