"""A big file copied inside a volume, against a loop of read and write."""

from __future__ import annotations

import os

from ..rows import Group, Row, at_least
from . import stream
from .work import Work


class Copy(Work):
    def before_copyfile(self) -> None:
        # None is to wait for the disk to take what the one before has written. What a brick has
        # copied stays open there when it is removed, so it is cut before.
        if self.fs.exists(f"{self.own}/copy"):
            self.fs.truncate(f"{self.own}/copy", 0)
            self.fs.unlink(f"{self.own}/copy")
        os.sync()

    def copyfile(self) -> None:
        self.fs.copyfile(f"{self.shared}/big", f"{self.own}/copy")

    before_copyfile_by_brick = before_copyfile

    def copyfile_by_brick(self) -> None:
        self.fs.copyfile(f"{self.shared}/big", f"{self.own}/copy", by_brick=True)


_NEVER_SLOWER = Row("copyfile", "copyfile", "c", at_least(0.95, "≥ 1 (0.95)"))


def _group(name: str, title: str, kind: str, count: int, *rows: Row) -> Group:
    return Group(
        name,
        title,
        rows=rows,
        operations=tuple(row.operation for row in rows),
        work=Copy,
        count=count,
        quick=4,
        rounds=3,
        furnish=stream.furnish,
        kind=kind,
    )


GROUPS = [
    _group(
        "copy",
        "A file of {count:,} MiB, where the brick can copy by itself",
        "plain",
        1024,
        Row("copyfile by the brick", "copyfile_by_brick", "c", at_least(3)),
        _NEVER_SLOWER,
    ),
    _group(
        "copy-spread",
        "A file of {count:,} MiB, where it cannot",
        "distribute",
        1024,
        _NEVER_SLOWER,
    ),
]
