"""Big files from end to end, 1 MiB a call, against C and fio.

The file is larger than all caches of a client together, so each of its pages is gone from them
when the next round comes to it. The bricks have it in memory.
"""

from __future__ import annotations

from typing import Any

from ..rows import Group, Row, at_least, throughput
from .work import Work

MIB = 1 << 20


class Stream(Work):
    def read(self) -> None:
        with self.fs.fopen(f"{self.shared}/big") as f:
            for _ in range(self.count):
                f.read(MIB)

    def readinto(self) -> None:
        buffer = bytearray(MIB)
        with self.fs.fopen(f"{self.shared}/big") as f:
            for _ in range(self.count):
                f.readinto(buffer)

    def before_write(self) -> None:
        if self.fs.exists(f"{self.own}/written"):
            self.fs.unlink(f"{self.own}/written")

    def write(self) -> None:
        data = b"w" * MIB
        with self.fs.fopen(f"{self.own}/written", "w") as f:
            for _ in range(self.count):
                f.write(data)


def furnish(vol: Any, count: int, shared: str) -> None:
    data = b"r" * MIB
    with vol.fopen(f"{shared}/big", "w") as f:
        for _ in range(count):
            f.write(data)


_GOAL = at_least(0.95)
GROUPS = [
    Group(
        "stream",
        "A file of {count:,} MiB, 1 MiB a call",
        rows=(
            Row("read", "read", "c", _GOAL, throughput),
            Row("readinto", "readinto", "c", _GOAL, throughput),
            Row("write", "write", "c", _GOAL, throughput),
            Row("read", "read", "older", None, throughput),
            Row("write", "write", "older", None, throughput),
            Row("read", "read", "fio", None, throughput),
            Row("write", "write", "fio", None, throughput),
        ),
        operations=("read", "readinto", "write"),
        work=Stream,
        count=256,
        quick=4,
        rounds=9,
        per="MiB",
        at_most={"fio": 2},
        slow=("fio",),  # it tears down its mount each time
        furnish=furnish,
    )
]
