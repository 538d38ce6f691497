"""Small files: one call at a time, over the wire, against C.

The client trusts what it knows of a file for one second. Each operation begins after that, so that
it has to ask the brick, but for the stat of what it has just been told.
"""

from __future__ import annotations

from ..rows import Group, Row, at_least
from .work import Work

BLOCK = b"s" * 4096


class Small(Work):
    def names(self) -> list[str]:
        return [f"{self.own}/{number}" for number in range(self.count)]

    def create(self) -> None:
        fopen = self.fs.fopen
        for name in self.names():
            with fopen(name, "w") as f:
                f.write(BLOCK)

    def stat(self) -> None:
        stat = self.fs.stat
        for name in self.names():
            stat(name)

    before_stat_cached = stat_cached = stat

    def read(self) -> None:
        fopen = self.fs.fopen
        for name in self.names():
            with fopen(name) as f:
                f.read(4096)

    def before_pread(self) -> None:
        with self.fs.fopen(f"{self.own}/pread", "w") as f:
            f.write(BLOCK * self.count)
        self.f = self.fs.fopen(f"{self.own}/pread")

    def pread(self) -> None:
        pread = self.f.pread
        for offset in range(0, self.count * 4096, 4096):
            pread(4096, offset)

    def unlink(self) -> None:
        unlink = self.fs.unlink
        for name in self.names():
            unlink(name)


_GOAL = at_least(0.93)
GROUPS = [
    Group(
        "small",
        "Small files",
        rows=(
            Row("create, write 4 KiB, close", "create", "c", _GOAL),
            Row("stat", "stat", "c", _GOAL),
            Row("stat, cached by the client", "stat_cached", "c", _GOAL),
            Row("open, read 4 KiB, close", "read", "c", _GOAL),
            Row("pread 4 KiB", "pread", "c", _GOAL),
            Row("unlink", "unlink", "c", _GOAL),
        ),
        operations=("create", "stat", "stat_cached", "read", "pread", "unlink"),
        work=Small,
        count=500,
        quick=20,
        rounds=9,
        per="call",
        pause=1.1,
    )
]
