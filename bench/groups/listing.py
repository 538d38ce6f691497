"""A directory of many entries, against C."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..resources import growth_of_peak
from ..rows import Group, Row, at_least, at_most_more, memory
from .work import Work


class Listing(Work):
    def listdir(self) -> None:
        assert len(self.fs.listdir(self.shared)) == self.count

    def scandir(self) -> None:
        size = 0
        for entry in self.fs.scandir(self.shared):
            size += entry.stat().st_size

    def memory(self) -> float:
        return growth_of_peak(self.scandir)


def furnish(vol: Any, count: int, shared: str) -> None:
    def make(number: int) -> None:
        vol.mknod(f"{shared}/file-{number:08}", stat.S_IFREG | 0o644, 0)

    with ThreadPoolExecutor(16) as executor:
        list(executor.map(make, range(count)))


_GOAL = at_least(1 / 1.15, "≥ 0.87")  # 1.15 of the time
GROUPS = [
    Group(
        "list",
        "A directory of {count:,} entries",
        rows=(
            Row("listdir", "listdir", "c", _GOAL),
            Row("scandir and stat", "scandir", "c", _GOAL),
            Row("scandir, memory", "memory", "c", at_most_more(2 << 20, memory), memory),
        ),
        operations=("memory", "listdir", "scandir"),
        work=Listing,
        count=20_000,
        quick=100,
        rounds=9,
        at_most={"memory": 1},  # what the first has touched stays with the process
        furnish=furnish,
    )
]
