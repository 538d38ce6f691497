"""Directories with many entries."""

from __future__ import annotations

import os
from statistics import median
from typing import Any

from gluster import gfapi
from gluster.gfapi import sandbox

from ..contenders import BenchError
from ..resources import growth_of_peak
from .chart import Chart
from .ground import Ground, Place, alone, place, seconds_of, side_by_side

_SIZES = (100, 1000, 10_000, 100_000, 1_000_000)
_OFTEN = 10_000
_TEMPLATE = "template"
_MAKERS = 2


def measure(ground: Ground) -> list[Chart]:
    """Time and memory to list a directory, by the number of its entries."""
    volume = ground.volume("directories", options={"storage.gfid2path": "off"})
    time = Chart("directories-time", "listing one directory", "entries", "microseconds an entry")
    memory = Chart(
        "directories-memory", "memory of listing one directory", "entries", "MiB more at most"
    )
    for size in _SIZES[:3] if ground.is_quick else _SIZES:
        folder = f"of-{size}"
        fill(volume, folder, size)
        for listing in _LISTINGS:
            rounds = 1 if size > _OFTEN else 3
            found = [alone(_list, place(volume), folder, listing) for _ in range(rounds)]
            counts, seconds, grown = zip(*found)
            if {*counts} != {size}:
                raise BenchError(f"{listing} found {counts} of {size} entries")
            time.add(listing, size, 1e6 * median(seconds) / size)
            memory.add(listing, size, median(grown))
    return [time, memory]


def _scandir(vol: gfapi.Volume, path: str) -> int:
    count = 0
    for entry in vol.scandir(path):
        entry.stat()
        count += 1
    return count


_LISTINGS: dict[str, Any] = {
    "listdir": lambda vol, path: len(vol.listdir(path)),
    "listdir_with_stat": lambda vol, path: len(vol.listdir_with_stat(path)),
    "scandir and stat": _scandir,
    "walk": lambda vol, path: sum(len(names) for _, _, names in vol.walk(path)),
}


def _list(place: Place, folder: str, listing: str) -> tuple[int, float, float]:
    """How many entries there are, the seconds to list them, and the memory that it took in MiB."""
    with place.client() as vol:
        vol.stat(f"/{folder}")
        counts: list[int] = []
        times: list[float] = []

        def list_it() -> None:
            times.append(seconds_of(lambda: counts.append(_LISTINGS[listing](vol, f"/{folder}"))))

        grown = growth_of_peak(list_it) / (1 << 20)
        return counts[0], times[0], grown


# ------------------------------------------------------------------------- making directories


def fill(volume: sandbox.SandboxVolume, folder: str, count: int) -> None:
    """Make a directory with many empty files, straight on the only brick of a volume.

    A client makes some thousands a second, this some ten thousands. The files have what a brick
    itself gives a file of a client's: an identifier, the link in ``.glusterfs`` by which it finds
    that, and the times that it keeps for clients. The volume must have ``storage.gfid2path`` off.
    """
    (brick,) = volume.bricks
    with volume.client() as vol:
        vol.mkdir(f"/{folder}")
        vol.fopen(f"/{folder}/{_TEMPLATE}", "w").close()
    share = -(-(count - 1) // _MAKERS)
    ranges = [(first, min(first + share, count - 1)) for first in range(0, count - 1, share)]
    side_by_side(_make_files, [(brick.path, folder, *each) for each in ranges])


def _make_files(brick: str, folder: str, first: int, end: int) -> None:
    handles = os.path.join(brick, ".glusterfs")
    parent = os.open(os.path.join(brick, folder), os.O_RDONLY)
    template = os.path.join(brick, folder, _TEMPLATE)
    attributes = {name: os.getxattr(template, name) for name in os.listxattr(template)}
    made = set()
    for number in range(first, end):
        name, gfid = f"file-{number:07}", _new_gfid()
        file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666, dir_fd=parent)
        for key, value in {**attributes, "trusted.gfid": gfid}.items():
            os.setxattr(file, key, value)
        os.close(file)
        text = gfid.hex()
        shelf = os.path.join(handles, text[:2], text[2:4])
        if shelf not in made:
            os.makedirs(shelf, 0o700, exist_ok=True)
            made.add(shelf)
        parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
        os.link(name, os.path.join(shelf, "-".join(parts)), src_dir_fd=parent)
    os.close(parent)


def _new_gfid() -> bytes:
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40  # a UUID of version 4
    raw[8] = raw[8] & 0x3F | 0x80
    return bytes(raw)
