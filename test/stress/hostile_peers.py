"""The same calls to Python's own: what it refuses, gfapi refuses with the same kind of exception.

Only the kind counts: whether an argument is of no fitting type, has no possible value, does not
fit into C's, or is refused by the file system. Where gfapi differs, and is to, ``AS_IT_IS`` says
why.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import shutil
from pathlib import Path
from typing import Any, Callable, Optional

from hostile_table import valid
from hostile_values import UNMOUNTING, VALUES, Boom

_numbers = itertools.count()


class LocalStage:
    """The files of this machine that a call to Python's own is made on."""

    def __init__(self, base: str) -> None:
        self.folder = f"{base}/{next(_numbers)}"
        os.mkdir(self.folder)
        self.local = base
        self.file, self.new, self.link = (f"{self.folder}/{name}" for name in ("f", "new", "link"))
        self.empty, self.other_file = f"{self.folder}/empty", f"{self.folder}/g"
        for path in (self.file, self.other_file):
            Path(path).write_bytes(b"0123456789" * 10)
        os.symlink("f", self.link)
        os.mkdir(self.empty)
        os.setxattr(self.file, "user.there", b"value")
        self.opened = open(self.file, "r+b", buffering=0)  # noqa: SIM115
        self.closed_file = self.closed_directory = self.closed_handle = object()
        self.foreign_file = self.foreign_handle = self.volume = self.unmounted = object()
        self._endings: list[Callable[[], object]] = [self.opened.close]

    def shut(self) -> None:
        self.opened.close()

    unmount = shut

    def at_end(self, action: Callable[[], object]) -> None:
        self._endings.append(action)

    def end(self) -> None:
        for action in reversed(self._endings):
            action()
        shutil.rmtree(self.folder)


def _ignoring(function: Callable[..., Any], *ignored: str) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        for name in ignored:
            bool(arguments.pop(name, None))  # which a hostile value may refuse to be asked
        return function(**arguments)

    return call


def _by_position(function: Callable[..., Any], *names: str) -> Callable[..., Any]:
    return lambda **arguments: function(*(arguments[name] for name in names))


_SAME = ("chmod", "chown", "lstat", "mkdir", "readlink", "stat", "unlink", "remove")
_SAME += ("rmdir", "chdir", "listdir", "statvfs")
#: What a method of Volume is in Python. All get what theirs gets.
_OF_PATHS: dict[str, Callable[..., Any]] = {
    **{f"Volume.{name}": getattr(os, name) for name in _SAME},
    **{
        f"Volume.{name}": _by_position(getattr(os.path, name), "path")
        for name in ("exists", "lexists", "isdir", "isfile", "islink", "getsize", "getmtime")
    },
    "Volume.access": os.access,
    "Volume.makedirs": _by_position(os.makedirs, "path", "mode", "exist_ok"),
    "Volume.mknod": _by_position(os.mknod, "path", "mode", "dev"),
    "Volume.removedirs": _by_position(os.removedirs, "path"),
    "Volume.utime": lambda path, times, ns, follow_symlinks: (
        os.utime(path, times, follow_symlinks=follow_symlinks)
        if ns is None
        else os.utime(path, times, ns=ns)
    ),
    "Volume.lchown": os.lchown,
    "Volume.rename": _ignoring(os.rename, "noreplace", "exchange"),
    "Volume.replace": os.replace,
    "Volume.renames": os.renames,
    "Volume.truncate": os.truncate,
    "Volume.samefile": _by_position(os.path.samefile, "path1", "path2"),
    "Volume.link": _by_position(os.link, "source", "link_name"),
    "Volume.symlink": _by_position(os.symlink, "source", "link_name"),
    "Volume.copyfile": _ignoring(shutil.copyfile, "by_brick"),
    "Volume.copy": _ignoring(shutil.copy, "by_brick"),
    "Volume.copy2": _ignoring(shutil.copy2, "by_brick"),
    "Volume.copymode": shutil.copymode,
    "Volume.copystat": shutil.copystat,
    "Volume.fopen": lambda path, mode: open(path, mode + "b", buffering=0).close(),
    "Volume.scandir": lambda path, handles: list(os.scandir(path)),
    "Volume.walk": lambda top, topdown, onerror, followlinks, threads: list(
        os.walk(top, topdown, onerror, followlinks)
    ),
    "Volume.getxattr": lambda path, key, size, follow_symlinks: os.getxattr(path, key),
    "Volume.removexattr": lambda path, key, follow_symlinks: os.removexattr(path, key),
    "Volume.listxattr": lambda path, size, follow_symlinks: os.listxattr(path),
    "Volume.setxattr": _by_position(os.setxattr, "path", "key", "value", "flags"),
    "Volume.open": lambda path, flags, mode, dir_fd: os.close(os.open(path, flags, mode)),
}
#: The same for methods of File.
_OF_FILES: dict[str, Callable[..., Any]] = {
    "File.read": lambda file, buflen, size: file.read(size),
    "File.readinto": lambda file, buf: file.readinto(buf),
    "File.readline": lambda file, size: file.readline(size),
    "File.write": lambda file, data: file.write(data),
    "File.writelines": lambda file, lines: file.writelines(lines),
    "File.seek": lambda file, offset, whence: file.seek(offset, whence),
    "File.truncate": lambda file, size: file.truncate(size),
    "File.lseek": lambda file, pos, how: os.lseek(file.fileno(), pos, how),
    "File.pread": lambda file, size, offset: os.pread(file.fileno(), size, offset),
    "File.pwrite": lambda file, data, offset: os.pwrite(file.fileno(), data, offset),
    "File.readv": lambda file, buffers: os.readv(file.fileno(), buffers),
    "File.writev": lambda file, buffers: os.writev(file.fileno(), buffers),
    "File.preadv": lambda file, buffers, offset, flags: os.preadv(
        file.fileno(), buffers, offset, flags
    ),
    "File.pwritev": lambda file, buffers, offset, flags: os.pwritev(
        file.fileno(), buffers, offset, flags
    ),
    "File.ftruncate": lambda file, length: os.ftruncate(file.fileno(), length),
    "File.fchmod": lambda file, mode: os.fchmod(file.fileno(), mode),
    "File.fchown": lambda file, uid, gid: os.fchown(file.fileno(), uid, gid),
    "File.utime": lambda file, times, ns: (
        os.utime(file.fileno(), times) if ns is None else os.utime(file.fileno(), times, ns=ns)
    ),
}
# To Python, these may be descriptors of files that are open in this process.
_PATHS = ("path", "path1", "path2", "src", "dst", "old", "new", "source", "link_name", "top")
_PATHS += ("dir_fd", "src_dir_fd", "dst_dir_fd", "threads", "handles", "noreplace", "exchange")


def difference(case: Any, error: Optional[BaseException], base: str) -> str:
    """Whether Python's own says something else, in words."""
    peer = _OF_PATHS.get(case.name) or _OF_FILES.get(case.name)
    if peer is None or len(case.values) != 1:
        return ""
    ((parameter, value),) = case.values.items()
    if value in UNMOUNTING or (parameter in _PATHS and not _is_path(value)):
        return ""
    ours, theirs = kind_of(error), _kind_there(case.name, peer, parameter, value, base)
    if ours == theirs or _is_as_it_is(case.name, parameter, value, ours, theirs):
        return ""
    return f"differs: {ours}, and Python's own {theirs}"


def _is_path(value: str) -> bool:
    """Whether it is no number, which Python takes for a descriptor."""
    return value not in _NUMBERS


_NUMBERS = (*itertools.takewhile(lambda name: name != "an empty str", VALUES),)


def _kind_there(name: str, peer: Callable[..., Any], parameter: str, value: str, base: str) -> str:
    stage = LocalStage(base)
    here = os.getcwd()
    error: Optional[BaseException] = None
    try:
        os.chdir(stage.folder)
        arguments = {p: make(stage) for p, make in valid(name).items()}
        arguments[parameter] = VALUES[value](stage)
        if name in _OF_FILES:
            arguments["file"] = stage.opened
        peer(**arguments)
    except Exception as caught:
        error = caught
    finally:
        os.chdir(here)
        with contextlib.suppress(OSError, BufferError, AssertionError, RecursionError):
            stage.end()
    return kind_of(error)


def kind_of(error: Optional[BaseException]) -> str:
    """What kind of answer an exception is."""
    kinds = {
        Boom: "Boom",
        OverflowError: "OverflowError",
        TypeError: "TypeError",
        io.UnsupportedOperation: "ValueError",
        OSError: "OSError",
        BufferError: "TypeError",  # memoryview's, of what is not contiguous
        ValueError: "ValueError",
        MemoryError: "MemoryError",
    }
    if error is None:
        return "ok"
    return next((name for kind, name in kinds.items() if isinstance(error, kind)), repr(error))


# ------------------------------------------------------------------- what is to be different

# What Python's own functions do not have, or this GlusterFS.
_OURS = ("dir_fd", "src_dir_fd", "dst_dir_fd", "threads", "handles", "noreplace", "exchange")
_OURS_OF_CALLEE = {
    "Volume.getxattr": ("size", "follow_symlinks"),
    "Volume.listxattr": ("size", "follow_symlinks"),
    "Volume.link": ("follow_symlinks",),
    "Volume.removexattr": ("follow_symlinks",),
    "Volume.setxattr": ("follow_symlinks",),
    "Volume.walk": ("followlinks",),  # which is looked at when there is a link
}
_ANY = ("",)
_BUFFERS = ("a bytearray", "an empty bytearray", "a read-only", "a view", "a released", "an array")
_BUFFERS += ("a structure", "a mapped", "a closed mapped")
#: Values, parameters, what gfapi says and Python's own, each by the beginnings or "", and why.
AS_IT_IS: tuple[tuple[tuple[str, ...], tuple[str, ...], str, str], ...] = (
    (
        _BUFFERS,
        (*_PATHS, "key"),
        "TypeError",
        "",
    ),  # a path is no buffer: Python means to stop taking any
    (("",), ("data", "value", "lines"), "", "TypeError"),  # a str is stored as UTF-8
    (_ANY, ("buffers",), "", ""),  # any iterable will do, and what comes first is looked at first
    (("-",), _ANY, "OSError", "OverflowError"),  # negative is EINVAL, however far
    (("-", "a lying"), ("mode",), "OverflowError", ""),  # a mode is not negative
    (("2**31", "2**32-1"), ("mode",), "", "OverflowError"),
    (("an index", "what refuses"), ("dev",), "", "TypeError"),  # Python wants an int itself
    (_ANY, ("flags",), "OSError", "OverflowError"),  # EOPNOTSUPP, however great
    (("an index",), ("flags",), "TypeError", ""),  # Volume.open documents an int
    (("what refuses",), ("flags",), "TypeError", "Boom"),
    (_ANY, ("uid", "gid"), "Boom", "TypeError"),  # Python hides what was raised
    (_ANY, ("size", "buflen"), "ok", "OverflowError"),  # it is read in pieces
    (_ANY, ("size", "buflen"), "ok", "MemoryError"),
    (("an index that",), _ANY, "OSError", "ValueError"),  # io's word for EBADF
    (("a generator", "a sequence"), _ANY, "OSError", "ValueError"),
    (("a released", "a closed mapped"), ("buf",), "ValueError", "TypeError"),
    (("a path that",), _ANY, "", ""),  # it depends on how often it is asked
    (("a bytearray that is resized",), _ANY, "", ""),  # or on when
    (("two",), ("times", "ns"), "", ""),  # floats of what range, and asked when
    (("what refuses",), ("followlinks", "follow_symlinks"), "", ""),
    (("10,000 characters in",), ("path",), "OSError", "RecursionError"),
)


def _is_as_it_is(name: str, parameter: str, value: str, ours: str, theirs: str) -> bool:
    if parameter in _OURS or parameter in _OURS_OF_CALLEE.get(name, ()):
        return True
    if {ours, theirs} <= {"ok", "OSError"} or ours.startswith("NotImplementedError"):
        return True  # two file systems, or not with this GlusterFS
    return any(
        value.startswith(values)
        and parameter.startswith(parameters)
        and ours.startswith(mine)
        and theirs.startswith(other)
        for values, parameters, mine, other in AS_IT_IS
    )
