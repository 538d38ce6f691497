"""All sorts of calls on a volume, each on names of its own, for those who disturb them."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
from collections.abc import Callable
from typing import Any

from gluster import gfapi

from . import Stage

Call = Callable[[Stage, gfapi.Volume, str], Any]
ALL: dict[str, Call] = {}


def call(function: Call) -> Call:
    ALL[function.__name__] = function
    return function


def some(stage: Stage, vol: gfapi.Volume, *names: str) -> str:
    """Make one of the calls; which it was."""
    name = stage.choose.choice(names or list(ALL))
    ALL[name](stage, vol, stage.path())
    return name


@call
def files(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w+") as file:
        file.write(b"x" * 5000)
        file.seek(0)
        file.read(100)
        file.readinto(bytearray(100))
        file.fsync()
    with vol.fopen(path) as file:
        file.read()
    vol.unlink(path)


@call
def positional(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w+") as file:
        file.pwrite(b"x" * 5000, 10)
        file.pread(100, 20)
        file.preadv([bytearray(10), bytearray(10)], 0)
        file.writev([b"a", b"b"])
        file.dup().close()
        file.ftruncate(10)
        file.fallocate(0, 0, 100)


@call
def raw(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    with gfapi.File(vol.open(path, os.O_RDWR | os.O_CREAT)) as file:
        file.write(b"x")
    with io.BufferedWriter(vol.fopen(path, "a")) as buffered:
        buffered.write(b"y" * 100)


@call
def appended(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    for _ in range(3):
        with vol.fopen(path, "a") as file:
            file.write("line\n")
    with vol.fopen(path) as file:
        for _line in file:
            pass


@call
def asynchronous(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w+") as file:
        futures = [
            file.write_async(b"a" * 100),
            file.write_async(b"b" * 100),
            file.pwrite_async(b"c" * 100, 50),
            file.fsync_async(),
            file.pread_async(100, 0),
            file.fdatasync_async(),
        ]
        for future in futures[:: stage.choose.choice((1, 2, 10))]:
            future.result(60)


@call
def abandoned(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    file = vol.fopen(path, "w")
    for number in range(4):
        file.pwrite_async(b"a" * 1000, number * 1000)
    file.fsync_async()


@call
def names(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    vol.mkdir(path)
    vol.mknod(f"{path}/a", 0o644)
    vol.symlink("a", f"{path}/l")
    vol.readlink(f"{path}/l")
    vol.link(f"{path}/a", f"{path}/b")
    vol.rename(f"{path}/b", f"{path}/c")
    vol.chmod(f"{path}/c", 0o600)
    vol.utime(f"{path}/c")
    vol.setxattr(f"{path}/c", "user.x", "y")
    vol.getxattr(f"{path}/c", "user.x")
    vol.listxattr(f"{path}/c")
    vol.statvfs(path)
    vol.realpath(path)
    for name in vol.listdir(path):
        vol.unlink(f"{path}/{name}")
    vol.rmdir(path)


@call
def listings(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    with vol.scandir(stage.folder, handles=stage.choose.random() < 0.5) as entries:
        for entry, _ in zip(entries, range(20)):
            with contextlib.suppress(FileNotFoundError):  # another thread may have removed it
                entry.stat()
    with vol.opendir(stage.folder, readdirplus=True) as listing:
        for _, _ in zip(listing, range(20)):
            listing.tell()
    vol.listdir_with_stat("/")


@call
def half_listings(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    entries = vol.scandir(stage.folder)
    next(iter(entries), None)
    listing = vol.opendir("/")
    next(listing)


def tree(vol: gfapi.Volume, path: str) -> None:
    for name in ("a", "b", "a/c"):
        vol.makedirs(f"{path}/{name}", exist_ok=True)
        for number in range(3):
            with vol.fopen(f"{path}/{name}/{number}", "w") as file:
                file.write(b"x" * 100)


@call
def trees(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    tree(vol, path)
    vol.copytree(path, path + "-copy")
    for _ in vol.walk(path):
        pass
    for _ in vol.walk_with_stat(path, topdown=False):
        pass
    vol.rmtree(path)
    vol.rmtree(path + "-copy")


@call
def half_walks(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    tree(vol, path)
    walk = vol.walk(path, threads=stage.choose.choice((1, 4)))
    for _ in range(stage.choose.randint(0, 3)):
        next(walk)


@call
def copies(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file:
        file.write(b"x" * 10_000)
    vol.copyfile(path, path + "-1")
    vol.copy2(path, path + "-2")
    vol.move(path + "-2", path + "-3")
    with vol.fopen(path) as source, vol.fopen(path + "-4", "w") as target:
        vol.copy_file_range(source, target, 100)


@call
def locks(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w+") as file, vol.fopen(path, "r+") as other:
        with file.lock():
            other.lock_holder()
            with contextlib.suppress(TimeoutError):
                other.flock(fcntl.LOCK_EX, timeout=0.001)
        other.lockf(fcntl.LOCK_SH)


@call
def handles(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    folder = vol.lookup(stage.folder)
    made, file = folder.create_open(os.path.basename(path))
    with file:
        file.write(b"x")
    made.pwrite(b"abc", 0)
    made.pread(3, 0)
    made.copy().close()
    with made.fopen() as file:
        file.read()
    vol.lookup_gfid(made.gfid).stat()
    folder.unlink(os.path.basename(path))


@call
def watches(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    with vol.watch() as watch:
        watch.get(0)
    vol.watch(lambda upcall: None).close()


@call
def inside(stage: Stage, vol: gfapi.Volume, path: str) -> None:
    vol.meta.frames()
    vol.get_volfile()
    vol.get_volume_id()
    vol.disk_usage("/")
    with vol.identity(0, 0):
        vol.exists("/")
