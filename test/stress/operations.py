"""What can be done on a volume, and what of :mod:`os`, :mod:`shutil` and :mod:`io` is the same.

Each operation is a function that takes the Volume or File first, and one that takes the same
arguments (of a file, the LocalFile first). What they return is compared as :func:`seen` shows it.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import shutil
import stat as stat_module
from collections.abc import Callable
from typing import Any, NamedTuple

from gluster import gfapi

_OLD = 1_000_000_000 * 10**9  # nanoseconds: who sets a time sets one before, so later is now


class Operation(NamedTuple):
    """An operation.

    :ivar opens: whether it opens a file.
    """

    vol: Callable[..., Any]
    local: Callable[..., Any]
    opens: bool = False


class LocalFile:
    """A descriptor of the kernel's, with the methods of File."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        os.close(fd)

    def _stream(self) -> io.FileIO:
        os.fstat(self.fd)  # which knows whether it is open
        return io.FileIO(self.fd, "r", closefd=False)

    def read(self, size: Any = -1) -> bytes:
        return self.readall() if size is None or size < 0 else os.read(self.fd, size)

    def readall(self) -> bytes:
        return self._stream().readall()

    def readline(self, size: int) -> bytes:
        return self._stream().readline(size)

    def readlines(self) -> list[bytes]:
        return self._stream().readlines()

    def readinto(self, buffer: bytearray) -> int:
        return os.readv(self.fd, [buffer])

    def write(self, data: bytes) -> int:
        return os.write(self.fd, data)

    def writelines(self, lines: list[bytes]) -> None:
        for line in lines:
            self.write(line)

    def seek(self, offset: int, whence: int) -> int:
        return os.lseek(self.fd, offset, whence)

    def tell(self) -> int:
        return os.lseek(self.fd, 0, os.SEEK_CUR)

    def truncate(self, size: Any) -> int:
        size = self.tell() if size is None else size
        os.ftruncate(self.fd, size)
        return int(size)

    def _mode(self) -> int:
        import fcntl

        return fcntl.fcntl(self.fd, fcntl.F_GETFL) & os.O_ACCMODE

    def readable(self) -> bool:
        os.fstat(self.fd)
        return self._mode() != os.O_WRONLY

    def writable(self) -> bool:
        os.fstat(self.fd)
        return self._mode() != os.O_RDONLY


def on_fd(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda file, *arguments: function(file.fd, *arguments)


# ----------------------------------------------------------------------------- what is compared


def facts(stat: Any) -> tuple[Any, ...]:
    """What of a status is the same on all file systems."""
    is_directory = stat_module.S_ISDIR(stat.st_mode)
    changed = stat.st_mtime_ns if stat.st_mtime_ns < _OLD else "now"
    return (
        stat_module.filemode(stat.st_mode),
        None if is_directory else stat.st_nlink,
        None if is_directory else stat.st_size,
        stat.st_uid,
        stat.st_gid,
        changed,
    )


def seen(value: Any) -> Any:
    """What is compared of a result."""
    if isinstance(value, (os.stat_result, gfapi.api.Stat)):
        return facts(value)
    if isinstance(value, (LocalFile, gfapi.File)):
        return "a file"
    if isinstance(value, pathlib.Path):
        return str(value)
    return value


# ------------------------------------------------------------------------------- of a volume


def _scan(scandir: Callable[..., Any]) -> Callable[..., Any]:
    def scan(*arguments: Any) -> Any:
        found = []
        with scandir(*arguments) as entries:
            for entry in entries:
                kinds = [
                    check(follow_symlinks=follow)
                    for check in (entry.is_dir, entry.is_file)
                    for follow in (False, True)
                ]
                told = *kinds, entry.is_symlink(), facts(entry.stat(follow_symlinks=False))
                found.append((entry.name, *told))
        return sorted(found)

    return scan


def _sorted(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: sorted(function(*arguments))


def _walked(pairs: Any) -> Any:
    return sorted((folder, sorted(folders), sorted(files)) for folder, folders, files in pairs)


def _local_walk(top: Any, topdown: bool) -> Any:
    def fail(error: OSError) -> None:
        raise error

    found = []
    for folder, folders, files in os.walk(top, topdown, fail):
        # Links to directories are files to gfapi, as its reference has it.
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        found.append((folder, [n for n in folders if n not in links], files + links))
    return _walked(found)


def _local_open(path: Any, flags: int, mode: int) -> LocalFile:
    return LocalFile(os.open(path, flags, mode))


def _local_fopen(path: Any, mode: str) -> LocalFile:
    with contextlib.closing(io.FileIO(path, mode)) as stream:
        return LocalFile(os.dup(stream.fileno()))


def _local_touch(path: Any, mode: int, exist_ok: bool) -> None:
    pathlib.Path(os.fsdecode(path)).touch(mode, exist_ok)


def _touch(vol: gfapi.Volume, path: Any, mode: int, exist_ok: bool) -> None:
    vol.touch(pathlib.Path(os.fsdecode(path)), mode, exist_ok)


def _times_read_back(side: Any) -> Callable[..., Any]:
    def utime(*arguments: Any) -> Any:
        *subject, path, ns, follow = arguments
        side.utime(*subject, path, ns=ns, follow_symlinks=follow)
        stat = side.stat(*subject, path, follow_symlinks=follow)
        return stat.st_atime_ns, stat.st_mtime_ns

    return utime


def _without_words(function: Callable[..., Any], follow: str) -> Callable[..., Any]:
    """With the last argument for a parameter that is keyword-only."""
    return lambda *arguments: function(*arguments[:-1], **{follow: arguments[-1]})


def _follow(name: str, local: Any = None) -> Operation:
    key = "follow_symlinks"
    vol = getattr(gfapi.Volume, name)
    return Operation(_without_words(vol, key), _without_words(local or getattr(os, name), key))


def _strict(path: Any) -> Any:
    os.stat(path)  # which knows what is not there
    return os.path.realpath(path)


def _plain(module: Any, *names: str) -> dict[str, Operation]:
    return {name: Operation(getattr(gfapi.Volume, name), getattr(module, name)) for name in names}


OF_VOLUME: dict[str, Operation] = {
    **_plain(os, "lstat", "mkdir", "rmdir", "removedirs", "unlink", "remove", "rename", "replace"),
    **_plain(os, "renames", "symlink", "readlink", "truncate", "lchown", "mknod", "chdir", "chmod"),
    **_plain(os, "getcwd"),
    **_plain(os.path, "exists", "lexists", "isdir", "isfile", "islink", "samefile", "getsize"),
    **_plain(shutil, "rmtree", "move"),
    "copytree": Operation(
        _without_words(gfapi.Volume.copytree, "dirs_exist_ok"),
        _without_words(shutil.copytree, "dirs_exist_ok"),
    ),
    **{
        name: _follow(name, getattr(shutil, name))
        for name in ("copyfile", "copymode", "copystat", "copy", "copy2")
    },
    **{name: _follow(name) for name in ("stat", "access", "chown", "link")},
    **{name: _follow(name) for name in ("setxattr", "removexattr")},
    "getxattr": Operation(
        lambda vol, path, key, follow: vol.getxattr(path, key.encode(), follow_symlinks=follow),
        lambda path, key, follow: os.getxattr(path, key, follow_symlinks=follow),
    ),
    "listxattr": Operation(
        lambda vol, path, follow: _users(vol.listxattr(path, follow_symlinks=follow)),
        lambda path, follow: _users(os.listxattr(path, follow_symlinks=follow)),
    ),
    # Without a mode, which gfapi gives to those above, too.
    "makedirs": Operation(
        lambda vol, path, ok: vol.makedirs(path, exist_ok=ok),
        lambda path, ok: os.makedirs(path, exist_ok=ok),
    ),
    "realpath": Operation(gfapi.Volume.realpath, _strict),
    "listdir": Operation(_sorted(gfapi.Volume.listdir), _sorted(os.listdir)),
    "scandir": Operation(_scan(gfapi.Volume.scandir), _scan(os.scandir)),
    "walk": Operation(lambda vol, *args: _walked(vol.walk(*args)), _local_walk),
    "touch": Operation(_touch, _local_touch),
    "utime": Operation(_times_read_back(gfapi.Volume), _times_read_back(os)),
    "open": Operation(lambda vol, *args: gfapi.File(vol.open(*args)), _local_open, True),
    "fopen": Operation(gfapi.Volume.fopen, _local_fopen, True),
    "copy_file_range": Operation(
        gfapi.Volume.copy_file_range,
        lambda src, dst, *args: os.copy_file_range(src.fd, dst.fd, *args),
    ),
}


def _users(names: list[str]) -> list[str]:
    return sorted(name for name in names if name.startswith("user."))


# --------------------------------------------------------------------------------- of a file


def _filled(function: Callable[..., int]) -> Callable[..., Any]:
    """For what reads into a buffer, of which a size is given."""

    def fill(file: Any, size: int, *arguments: Any) -> Any:
        buffer = bytearray(size)
        count = function(file, buffer, *arguments)
        return count, bytes(buffer)

    return fill


def _filled_many(function: Callable[..., int]) -> Callable[..., Any]:
    def fill(file: Any, sizes: list[int], *arguments: Any) -> Any:
        buffers = [bytearray(size) for size in sizes]
        count = function(file, buffers, *arguments)
        return count, b"".join(buffers)

    return fill


def _times_of_file(file: Any, ns: tuple[int, int]) -> Any:
    file.utime(ns=ns)
    stat = file.fstat()
    return stat.st_atime_ns, stat.st_mtime_ns


def _times_of_fd(fd: int, ns: tuple[int, int]) -> Any:
    os.utime(fd, ns=ns)
    stat = os.fstat(fd)
    return stat.st_atime_ns, stat.st_mtime_ns


def _both(*names: str) -> dict[str, Operation]:
    return {name: Operation(getattr(gfapi.File, name), getattr(LocalFile, name)) for name in names}


def _on_fd(*names: str, skip: str = "") -> dict[str, Operation]:
    return {
        name: Operation(getattr(gfapi.File, name), on_fd(getattr(os, name.removeprefix(skip))))
        for name in names
    }


OF_FILE: dict[str, Operation] = {
    **_both("close", "read", "readall", "readline", "readlines", "write", "writelines", "seek"),
    **_both("tell", "truncate", "readable", "writable"),
    **_on_fd("pread", "pwrite", "writev", "pwritev", "ftruncate", "fsync", "fdatasync", "fstat"),
    **_on_fd("fchmod", "fchown"),
    **_on_fd("fsetxattr", "fremovexattr", skip="f"),
    "readinto": Operation(_filled(gfapi.File.readinto), _filled(LocalFile.readinto)),
    "preadinto": Operation(
        _filled(gfapi.File.preadinto),
        _filled(lambda file, buffer, at: os.preadv(file.fd, [buffer], at)),
    ),
    "readv": Operation(_filled_many(gfapi.File.readv), _filled_many(on_fd(os.readv))),
    "preadv": Operation(_filled_many(gfapi.File.preadv), _filled_many(on_fd(os.preadv))),
    "fallocate": Operation(
        lambda file, at, length: file.fallocate(0, at, length), on_fd(os.posix_fallocate)
    ),
    "utime": Operation(_times_of_file, on_fd(_times_of_fd)),
    "fgetxattr": Operation(lambda file, key: file.fgetxattr(key.encode()), on_fd(os.getxattr)),
    "flistxattr": Operation(
        lambda file: _users(file.flistxattr()), lambda file: _users(os.listxattr(file.fd))
    ),
}
