"""A big file copied inside a volume, against a loop of read and write."""

from __future__ import annotations

from ..rows import Group, Row, at_least
from . import stream
from .work import Work


class Copy(Work):
    def before_copyfile(self) -> None:
        if self.fs.exists(f"{self.own}/copy"):
            self.fs.unlink(f"{self.own}/copy")

    def copyfile(self) -> None:
        self.fs.copyfile(f"{self.shared}/big", f"{self.own}/copy")


def _group(name: str, title: str, kind: str, count: int, row: Row) -> Group:
    return Group(
        name,
        title,
        rows=(row,),
        operations=("copyfile",),
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
        Row("copyfile", "copyfile", "c", at_least(3)),
    ),
    _group(
        "copy-spread",
        "A file of {count:,} MiB, where it cannot",
        "distribute",
        1024,
        Row("copyfile", "copyfile", "c", at_least(0.95, "≥ 1 (0.95)")),
    ),
]
