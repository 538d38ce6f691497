"""Whole trees of small files, against the older binding and against FUSE."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

from ..rows import Goal, Group, Row, at_least
from .work import Work

FILES_IN_A_FOLDER = 100


class Tree(Work):
    def copytree(self) -> None:
        self.fs.copytree(f"{self.shared}/tree", f"{self.own}/tree")

    def walk(self) -> None:
        """Sum up the sizes of all files."""
        top = f"{self.own}/tree"
        if hasattr(self.fs, "walk_with_stat"):
            found = [
                status.st_size for _, _, files in self.fs.walk_with_stat(top) for _, status in files
            ]
        else:
            found = list(self._sizes(top))
        assert len(found) == self.count

    def _sizes(self, folder: str) -> Any:
        # The fastest way that the older binding has.
        for name, status in self.fs.listdir_with_stat(folder):
            if status.st_mode & 0o040000:
                yield from self._sizes(f"{folder}/{name}")
            else:
                yield status.st_size

    def rmtree(self) -> None:
        self.fs.rmtree(f"{self.own}/tree")


def furnish(vol: Any, count: int, shared: str) -> None:
    def make(number: int) -> None:
        folder = f"{shared}/tree/{number // FILES_IN_A_FOLDER}"
        vol.makedirs(folder, exist_ok=True)
        with vol.fopen(f"{folder}/{number}", "w") as f:
            f.write(b"t" * 512)

    vol.makedirs(f"{shared}/tree")
    with ThreadPoolExecutor(16) as executor:
        for _ in executor.map(make, range(count)):
            pass


def _group(name: str, title: str, count: int, goal: Goal, delay: Optional[float]) -> Group:
    return Group(
        name,
        title,
        rows=tuple(
            Row(what, operation, against, goal)
            for what, operation in (
                ("copytree", "copytree"),
                ("walk with stats", "walk"),
                ("rmtree", "rmtree"),
            )
            for against in ("older", "fuse")
        ),
        operations=("copytree", "walk", "rmtree"),
        work=Tree,
        count=count,
        quick=20,
        rounds=2,
        furnish=furnish,
        delay=delay,
    )


GROUPS = [
    _group("tree", "{count:,} small files, 100 a folder", 10_000, at_least(2), None),
    _group("tree-delayed", "{count:,} small files, 100 a folder", 1_000, at_least(8), 2),
]
