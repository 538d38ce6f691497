"""One File, Dir or iterator, used by several threads and closed by another."""

from __future__ import annotations

import concurrent.futures
import os
from collections import Counter
from typing import Any

from gluster import gfapi

from . import HANG, Stage, scenario

_BLOCK = b"0123456789abcdef" * 64


@scenario("close-against-io")
def close_against_io(stage: Stage) -> None:
    """Threads read, write and look at a File until it is closed; what was written is there."""
    vol, path = stage.vol, stage.path()
    file = vol.fopen(path, "w+")
    written: list[int] = []

    def forever(action: Any) -> Any:
        def run() -> None:
            while True:
                action()

        return run

    actions = [
        lambda: written.append(file.write(_BLOCK)),
        lambda: written.append(file.write(_BLOCK)),
        lambda: file.pread(100, 0),
        lambda: file.preadv([bytearray(10), bytearray(10)], 5),
        lambda: file.fstat(),
        lambda: file.fsync(),
        lambda: file.dup().close(),
        lambda: file.lockf(0o0 + 1, 10, 0),  # LOCK_SH
        lambda: file.fgetxattr("user.none") if file.closed else file.tell(),
    ]
    chosen = [actions[0], *stage.choose.sample(actions[1:], stage.choose.randint(1, 4))]
    threads = stage.together(*map(forever, chosen))
    stage.pause(0.01)
    file.close()
    for thread in threads:
        thread.join()
    # Not by its size: that of a cache may be that of a read which the last write has overtaken.
    with vol.fopen(path) as again:
        size = len(again.read())
    if size < sum(written):
        stage.wrong.append(f"{path} has {size} of {sum(written)} bytes")
    vol.unlink(path)


@scenario("close-against-async")
def close_against_async(stage: Stage) -> None:
    """Threads submit asynchronous calls to a File until it is closed: each Future ends."""
    vol, path = stage.vol, stage.path()
    file = vol.fopen(path, "w+")
    futures: list[Any] = []

    def submit() -> None:
        for number in range(200):  # all of them are waited for
            futures.append(file.pwrite_async(_BLOCK, number * len(_BLOCK)))
            futures.append(file.fsync_async() if number % 3 else file.read_async(10))

    threads = stage.together(*[submit] * stage.choose.randint(1, 3))
    stage.pause(0.002)
    file.close()
    for thread in threads:
        thread.join()
    # One that was asked for just after the close is told so a moment later.
    if concurrent.futures.wait(futures, HANG / 2).not_done:
        stage.wrong.append("a Future is not done, and its File is closed")
    for future in futures:
        stage.attempt(future.result)
    vol.unlink(path)


@scenario("close-by-many")
def close_by_many(stage: Stage) -> None:
    """One of many threads closes a File, the others are told."""
    kind = stage.choose.choice(("fopen", "opendir", "lookup"))
    opened: Any = {
        "fopen": lambda: stage.vol.fopen(f"{stage.folder}/many", "w"),
        "opendir": lambda: stage.vol.opendir("/"),
        "lookup": lambda: stage.vol.lookup("/"),
    }[kind]()
    closed: list[None] = []
    threads = stage.together(*[lambda: closed.append(opened.close())] * 4)
    for thread in threads:
        thread.join()
    if len(closed) != 1:
        stage.wrong.append(f"{kind}: {len(closed)} threads have closed it")


def _entries(stage: Stage, count: int) -> str:
    folder = f"{stage.folder}/entries-{count}"
    if not stage.vol.exists(folder):
        stage.vol.mkdir(folder)
        for number in range(count):
            stage.vol.symlink("x", f"{folder}/{number}")
    return folder


@scenario("dir-shared")
def dir_shared(stage: Stage) -> None:
    """Threads share a Dir, which is closed meanwhile."""
    listing = stage.vol.opendir(_entries(stage, 40), stage.choose.random() < 0.5)

    def use() -> None:
        while True:
            for _ in listing:
                listing.tell()
            listing.rewind()

    threads = stage.together(use, use, listing.stat)
    stage.pause(0.005)
    listing.close()
    for thread in threads:
        thread.join()


@scenario("scandir-shared")
def scandir_shared(stage: Stage) -> None:
    """Threads share an iterator of scandir, by ``for`` and by ``next``: each entry comes once."""
    count = 60
    entries = stage.vol.scandir(_entries(stage, count), handles=stage.choose.random() < 0.3)
    names: list[str] = []

    def loop() -> None:
        for entry in entries:
            names.append(entry.name)

    def step() -> None:
        while (entry := next(entries, None)) is not None:
            names.append(entry.name)

    ways = [stage.choose.choice((loop, step)) for _ in range(3)]
    closes = stage.choose.random() < 0.3
    threads = stage.together(*ways)
    if closes:
        stage.pause(0.002)
        entries.close()
    for thread in threads:
        thread.join()
    seen = Counter(names)
    if any(times > 1 for times in seen.values()) or (not closes and len(seen) != count):
        stage.wrong.append(f"{len(seen)} of {count} entries, {max(seen.values())} times")
    entries.close()


@scenario("raw-against-close")
def raw_against_close(stage: Stage) -> None:
    """Several Files stand for one glfd, and one of them closes it."""
    glfd = stage.vol.open(stage.path(), os.O_RDWR | os.O_CREAT)
    files = [gfapi.File(glfd) for _ in range(3)]

    def use() -> None:
        while True:
            files[0].pwrite(b"x", 0)
            gfapi.File(int(glfd)).pread(1, 0)

    threads = stage.together(use, use, *[file.close for file in files])
    for thread in threads:
        thread.join()
