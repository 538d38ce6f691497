"""Whole trees of small files, against the older binding and against FUSE."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

from ..rows import Goal, Group, Row, at_least
from .work import Work

FILES_IN_A_FOLDER = 100


class Tree(Work):
    def copytree(self) -> None:
        self.fs.copytree(f"{self.shared}/tree", f"{self.own}/tree")

    def walk(self) -> None:
        """Sum up the sizes of all files, as most would write it."""
        fs, top = self.fs, f"{self.own}/tree"
        if hasattr(fs, "walk_with_stat"):
            self.walk_by_listing()
        else:
            for folder, _, files in fs.walk(top):
                for name in files:
                    fs.lstat(f"{folder}/{name}")

    def walk_by_listing(self) -> None:
        """The same in the fastest way that there is."""
        if hasattr(self.fs, "walk_with_stat"):
            folders = self.fs.walk_with_stat(f"{self.own}/tree")
            sizes = [status.st_size for _, _, files in folders for _, status in files]
        else:
            sizes = list(self._sizes(f"{self.own}/tree"))
        assert len(sizes) == self.count

    def _sizes(self, folder: str) -> Iterator[int]:
        for name, status in self.fs.listdir_with_stat(folder):
            if stat.S_ISDIR(status.st_mode):
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
        rows=(
            Row("copytree", "copytree", "older", goal),
            Row("copytree", "copytree", "fuse", goal),
            Row("walk with stats", "walk", "older", goal),
            Row("walk with stats", "walk", "fuse", goal),
            Row("... or listdir_with_stat", "walk_by_listing", "older"),
            Row("rmtree", "rmtree", "older", goal),
            Row("rmtree", "rmtree", "fuse", goal),
        ),
        operations=("copytree", "walk", "walk_by_listing", "rmtree"),
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
