"""What the binding itself costs, above a library whose functions return at once (``stub.c``)."""

from __future__ import annotations

from ..rows import Group, Row, at_least, at_most
from .work import Work

MIB = 1 << 20


class Calls(Work):
    def before(self) -> None:
        self.f = self.fs.fopen("/file", "r+")

    before_read_4k = before_readinto_4k = before_write_4k = before_read_1m = before

    def stat(self) -> None:
        stat = self.fs.stat
        for _ in range(self.count):
            stat("/file")

    def read_4k(self) -> None:
        read = self.f.read
        for _ in range(self.count):
            read(4096)

    def readinto_4k(self) -> None:
        readinto, buffer = self.f.readinto, bytearray(4096)
        for _ in range(self.count):
            readinto(buffer)

    def write_4k(self) -> None:
        write, data = self.f.write, b"w" * 4096
        for _ in range(self.count):
            write(data)

    def fopen_close(self) -> None:
        fopen = self.fs.fopen
        for _ in range(self.count):
            fopen("/file", "r").close()

    def read_1m(self) -> None:
        read = self.f.read
        for _ in range(self.count):
            read(MIB)


_GOAL = at_least(1)
GROUPS = [
    Group(
        "calls",
        "The binding itself",
        rows=(
            Row("stat", "stat", "older", _GOAL),
            Row("read 4 KiB", "read_4k", "older", at_least(2)),
            Row("readinto 4 KiB", "readinto_4k", "older", _GOAL),
            Row("write 4 KiB", "write_4k", "older", _GOAL),
            Row("fopen, close", "fopen_close", "older", _GOAL),
            Row("read 1 MiB", "read_1m", "older", at_most(10e-6)),
        ),
        operations=("stat", "read_4k", "readinto_4k", "write_4k", "fopen_close", "read_1m"),
        work=Calls,
        count=2000,
        quick=50,
        rounds=31,
        at_most={"read_1m": 3},  # the older binding takes a second for a thousand
        per="call",
        kind="stub",
    )
]
