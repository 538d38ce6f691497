"""All ways to write a file: each stores it whole, or somebody is told that it has not.

:func:`attempt` takes one of them while a volume is full, read-only or broken, and looks at the file
through another client. A file that is not whole and of which nobody was told is a silent error.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import random
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from gluster import gfapi
from gluster.gfapi import sandbox

#: What files are made of, in bytes: less than what write-behind holds back, more, and so much that
#: a brick may copy it by itself.
SIZES = (5_000, 300_000, 3_000_000, 17 << 20)
_PIECE = 70_000  # what a single call writes


@dataclass
class Task:
    """A file to be written.

    :ivar volume: where.
    :ivar vol: that volume, mounted.
    :ivar path: the file.
    :ivar data: what it is to have.
    :ivar source: a file on the volume that has the same, alone in its directory.
    """

    volume: sandbox.SandboxVolume
    vol: gfapi.Volume
    path: str
    data: bytes
    source: str

    @property
    def size(self) -> int:
        return len(self.data)

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        for offset in range(0, len(self.data), _PIECE):
            yield offset, self.data[offset : offset + _PIECE]


def write(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        for _, piece in task.pieces():
            file.write(piece)


def write_and_append(task: Task) -> None:
    middle = len(task.data) // 2
    with task.vol.fopen(task.path, "w") as file:
        file.write(task.data[:middle])
    with task.vol.fopen(task.path, "a") as file:
        file.write(task.data[middle:])


def write_and_fsync(task: Task) -> None:
    """Its fsync is enough: whatever close says is overlooked."""
    file = task.vol.fopen(task.path, "w")
    try:
        for _, piece in task.pieces():
            file.write(piece)
        file.fsync()
    finally:
        with contextlib.suppress(OSError):
            file.close()


def write_and_fdatasync(task: Task) -> None:
    file = task.vol.fopen(task.path, "w")
    try:
        for _, piece in task.pieces():
            file.write(piece)
        file.fdatasync()
    finally:
        with contextlib.suppress(OSError):
            file.close()


def write_synchronously(task: Task) -> None:
    """As O_SYNC has it: its write is enough."""
    file = gfapi.File(task.vol.open(task.path, os.O_CREAT | os.O_WRONLY | os.O_SYNC))
    try:
        for _, piece in task.pieces():
            file.write(piece)
    finally:
        with contextlib.suppress(OSError):
            file.close()


def writev(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        file.writev([piece for _, piece in task.pieces()])


def pwrite(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        for offset, piece in task.pieces():
            file.pwrite(piece, offset)


def pwritev(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        for offset, piece in task.pieces():
            file.pwritev([piece[:100], piece[100:]], offset)


def pwritev_dsync(task: Task) -> None:
    """Its pwritev is enough."""
    file = task.vol.fopen(task.path, "w")
    try:
        for offset, piece in task.pieces():
            file.pwritev([piece], offset, os.RWF_DSYNC)
    finally:
        with contextlib.suppress(OSError):
            file.close()


def write_async(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        futures = [file.write_async(piece) for _, piece in task.pieces()]
        for future in futures:
            future.result()


def pwrite_async_and_fsync_async(task: Task) -> None:
    file = task.vol.fopen(task.path, "w")
    try:
        futures: list[Any] = [file.pwrite_async(piece, at) for at, piece in task.pieces()]
        futures.append(file.fsync_async())
        for future in futures:
            future.result()
    finally:
        with contextlib.suppress(OSError):
            file.close()


def fallocate_and_write(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        file.fallocate(0, 0, len(task.data))
        for _, piece in task.pieces():
            file.write(piece)


def truncate_and_write(task: Task) -> None:
    task.vol.fopen(task.path, "w").close()
    task.vol.truncate(task.path, len(task.data))
    with task.vol.fopen(task.path, "r+") as file:
        for offset, piece in reversed(list(task.pieces())):
            file.pwrite(piece, offset)


def write_and_truncate(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        file.write(task.data)
        file.write(b"more")
        file.truncate(len(task.data))


def buffered(task: Task) -> None:
    with io.BufferedWriter(task.vol.fopen(task.path, "w"), 1 << 14) as file:
        for _, piece in task.pieces():
            file.write(piece)


def text(task: Task) -> None:
    raw = task.vol.fopen(task.path, "w")
    with io.TextIOWrapper(io.BufferedWriter(raw), encoding="latin-1", newline="") as file:
        for _, piece in task.pieces():
            file.write(piece.decode("latin-1"))


def copyfileobj(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        shutil.copyfileobj(io.BytesIO(task.data), file)


def copyfile(task: Task) -> None:
    task.vol.copyfile(task.source, task.path)


def copy2(task: Task) -> None:
    task.vol.copy2(task.source, task.path)


def copytree(task: Task) -> None:
    top = f"{task.path}.tree"
    task.vol.copytree(os.path.dirname(task.source), top)
    task.vol.rename(f"{top}/{os.path.basename(task.source)}", task.path)


def copy_file_range(task: Task) -> None:
    with task.vol.fopen(task.source) as source, task.vol.fopen(task.path, "w") as file:
        while task.vol.copy_file_range(source, file, 1 << 30):
            pass


def copied_from_before_it_is_closed(task: Task) -> None:
    """A copy of what this client has not sent yet must not take the error from who wrote it."""
    with task.vol.fopen(task.path, "w+") as file:
        file.write(task.data)
        with contextlib.suppress(OSError), task.vol.fopen(f"{task.path}.copy", "w") as copy:
            task.vol.copy_file_range(file, copy, len(task.data), 0)


def handle_pwrite(task: Task) -> None:
    task.vol.fopen(task.path, "w").close()
    with task.vol.lookup(task.path) as handle:
        for offset, piece in task.pieces():
            handle.pwrite(piece, offset)


def handle_open(task: Task) -> None:
    task.vol.fopen(task.path, "w").close()
    with (
        task.vol.lookup(task.path) as handle,
        gfapi.File(handle.open(os.O_WRONLY)) as file,
    ):
        for _, piece in task.pieces():
            file.write(piece)


def duplicate(task: Task) -> None:
    """The error that one of two learns of must not be kept from the other."""
    with task.vol.fopen(task.path, "w") as file:
        for _, piece in task.pieces():
            file.write(piece)
        with contextlib.suppress(OSError):
            file.dup().close()


def another_file(task: Task) -> None:
    with task.vol.fopen(task.path, "w") as file:
        for _, piece in task.pieces():
            file.write(piece)
        with contextlib.suppress(OSError), task.vol.fopen(task.path, "r+") as other:
            other.fsync()


def by_umount(task: Task) -> None:
    vol = task.volume.client()
    with vol:
        file = vol.fopen(task.path, "w")
        file.write(task.data)


def by_collection(task: Task) -> None:
    """Python tells of what a ``__del__`` raises; nobody could catch it."""
    told: list[BaseException] = []

    def hear(unraisable: Any) -> None:
        told.append(unraisable.exc_value)

    before, sys.unraisablehook = sys.unraisablehook, hear
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            file = task.vol.fopen(task.path, "w")
            file.write(task.data)
            del file
            gc.collect()
    finally:
        sys.unraisablehook = before
    for error in told:
        raise error


_PROGRAM = """
import sys
from gluster import gfapi
hosts, volname, path, source = sys.argv[1:]
vol = gfapi.Volume(hosts.split(","), volname)
vol.mount()
file = vol.fopen(path, "w")
file.write(open(source, "rb").read())
"""


def by_exit(task: Task) -> None:
    """What a program says when it ends is all that it can do."""
    place = (",".join(task.volume.hosts), task.volume.name, task.path)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *place, "/dev/stdin"],
        input=task.data,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(gfapi.__file__).parents[2])},
        timeout=120,
        check=False,
    )
    said = done.stderr.decode()
    if said:
        raise gfapi.LibgfapiException(said)
    if done.returncode:
        raise ChildProcessError(f"exit code {done.returncode}")


Way = Callable[[Task], None]
WAYS: dict[str, Way] = {
    way.__name__: way
    for way in (
        write,
        write_and_append,
        write_and_fsync,
        write_and_fdatasync,
        write_synchronously,
        writev,
        pwrite,
        pwritev,
        pwritev_dsync,
        write_async,
        pwrite_async_and_fsync_async,
        fallocate_and_write,
        truncate_and_write,
        write_and_truncate,
        buffered,
        text,
        copyfileobj,
        copyfile,
        copy2,
        copytree,
        copy_file_range,
        copied_from_before_it_is_closed,
        handle_pwrite,
        handle_open,
        duplicate,
        another_file,
        by_umount,
        by_collection,
        by_exit,
    )
}


@dataclass
class Verdict:
    """What came of an attempt.

    :ivar told: the error that somebody got, or None.
    :ivar lacks: how the file differs from what it should be, in words; "" if it does not.
    """

    way: str
    size: int
    told: Optional[BaseException]
    lacks: str

    @property
    def is_whole(self) -> bool:
        """Whether the file has all that it should."""
        return not self.lacks

    @property
    def is_silent(self) -> bool:
        """Whether something is lost and nobody was told."""
        return self.told is None and not self.is_whole

    def is_of(self, code: int) -> bool:
        """Whether all that was told is this error number."""
        if self.told is None:
            return True
        words = os.strerror(code)
        said = str(self.told)
        return getattr(self.told, "errno", None) == code or words in said


def sources(folder: str) -> dict[str, bytes]:
    """The files to be copied: their paths, and what they have."""
    return {f"{folder}/{size}/source": random.Random(size).randbytes(size) for size in SIZES}


def prepare(vol: gfapi.Volume, folder: str) -> dict[str, bytes]:
    """Make them, while there is room."""
    made = sources(folder)
    for path, data in made.items():
        vol.makedirs(os.path.dirname(path))
        with vol.fopen(path, "x") as file:
            file.write(data)
            file.fsync()
    return made


def attempt(name: str, task: Task, reader: gfapi.Volume) -> Verdict:
    """Write a file in one way.

    :param reader: another client, that looks at it afterwards.
    """
    told: Optional[BaseException] = None
    try:
        WAYS[name](task)
    except (OSError, gfapi.LibgfapiException) as error:
        told = error
    return Verdict(name, len(task.data), told, _lacks(reader, task))


def _lacks(reader: gfapi.Volume, task: Task) -> str:
    try:
        with reader.fopen(task.path) as file:
            found = file.read()
    except OSError as error:  # as EIO for what a dispersed volume could write to some bricks only
        return str(error)
    if found == task.data:
        return ""
    pairs = enumerate(zip(found, task.data))
    same = next((at for at, (one, other) in pairs if one != other), min(len(found), task.size))
    zeros = len(found[same:]) - len(found[same:].lstrip(b"\0"))
    return f"it has {len(found)} bytes, of which {same} are right and {zeros} NULs follow"


def remove(task: Task) -> None:
    """Make room again."""
    for path in (task.path, f"{task.path}.copy"):
        with contextlib.suppress(FileNotFoundError):
            task.vol.unlink(path)
    task.vol.rmtree(f"{task.path}.tree", ignore_errors=True)
