"""What :mod:`os` and :mod:`os.path` build out of calls on a path or a directory.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module

from . import api
from .file import File
from .scan import as_a_whole, names_in, statuses_in
from .typed import NamedTuple, overload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr, Callable, Optional, Union

    from .volume import Volume

# The kernel's PATH_MAX. libgfapi has no such bound, and looks at each folder of each path: those of
# some thousand folders take minutes to make one by one.
_TOO_LONG = 4096

# ----------------------------------------------------------------------------------- os.path


def exists(vol: Volume, path: api.AnyPath) -> bool:
    """Whether a path exists, as :func:`os.path.exists`; False for a broken symbolic link.

    :param path: the path (str, bytes or path-like).
    """
    return _mode(vol.stat, path) is not None


def lexists(vol: Volume, path: api.AnyPath) -> bool:
    """Whether a path exists, as :func:`os.path.lexists`; True for a broken symbolic link.

    :param path: the path (str, bytes or path-like).
    """
    return _mode(vol.lstat, path) is not None


def isdir(vol: Volume, path: api.AnyPath) -> bool:
    """Whether a path is a directory or a symbolic link to one, as :func:`os.path.isdir`.

    :param path: the path (str, bytes or path-like).
    """
    return stat_module.S_ISDIR(_mode(vol.stat, path) or 0)


def isfile(vol: Volume, path: api.AnyPath) -> bool:
    """Whether a path is a regular file or a symbolic link to one, as :func:`os.path.isfile`.

    :param path: the path (str, bytes or path-like).
    """
    return stat_module.S_ISREG(_mode(vol.stat, path) or 0)


def islink(vol: Volume, path: api.AnyPath) -> bool:
    """Whether a path is a symbolic link, even a broken one, as :func:`os.path.islink`.

    :param path: the path (str, bytes or path-like).
    """
    return stat_module.S_ISLNK(_mode(vol.lstat, path) or 0)


def _mode(stat: Callable[[api.AnyPath], api.Stat], path: api.AnyPath) -> Optional[int]:
    try:
        return stat(path).st_mode
    except (OSError, ValueError):
        return None


def samefile(vol: Volume, path1: api.AnyPath, path2: api.AnyPath) -> bool:
    """Whether two paths are the same file or directory, as :func:`os.path.samefile`.

    :param path1: one path (str, bytes or path-like).
    :param path2: the other.
    :raises OSError: if the status of either cannot be read.
    """
    one, other = vol.stat(path1), vol.stat(path2)
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def getsize(vol: Volume, path: api.AnyPath) -> int:
    """The size of a file in bytes, as :func:`os.path.getsize`.

    :param path: the path (str, bytes or path-like).
    :raises OSError: if its status cannot be read.
    """
    return vol.stat(path).st_size


def getatime(vol: Volume, path: api.AnyPath) -> float:
    """The time of the last access in seconds, as :func:`os.path.getatime`.

    :param path: the path (str, bytes or path-like).
    :raises OSError: if its status cannot be read.
    """
    return vol.stat(path).st_atime


def getmtime(vol: Volume, path: api.AnyPath) -> float:
    """The time of the last change of the content in seconds, as :func:`os.path.getmtime`.

    :param path: the path (str, bytes or path-like).
    :raises OSError: if its status cannot be read.
    """
    return vol.stat(path).st_mtime


def getctime(vol: Volume, path: api.AnyPath) -> float:
    """The time of the last change of content or attributes in seconds, as
    :func:`os.path.getctime`.

    :param path: the path (str, bytes or path-like).
    :raises OSError: if its status cannot be read.
    """
    return vol.stat(path).st_ctime


class DiskUsage(NamedTuple):
    """The space on a volume in bytes, as :func:`shutil.disk_usage` has it."""

    total: int
    used: int
    free: int


def disk_usage(vol: Volume, path: api.AnyPath) -> DiskUsage:
    """The space on the volume, as :func:`shutil.disk_usage`.

    :param path: any path on it (str, bytes or path-like).
    :returns: a named tuple with the attributes total, used and free, in bytes.
    :raises OSError: on failure.
    """
    space = vol.statvfs(path)
    unit = space.f_frsize
    used = space.f_blocks - space.f_bfree
    return DiskUsage(space.f_blocks * unit, used * unit, space.f_bavail * unit)


def touch(vol: Volume, path: api.AnyPath, mode: int = 0o666, exist_ok: bool = True) -> None:
    """Make an empty file, or set the times of one that exists to now, as
    :meth:`pathlib.Path.touch`.

    :param path: the path (str, bytes or path-like).
    :param mode: the permission bits of a file that is made. No umask is applied.
    :param exist_ok: whether it may exist.
    :raises OSError: FileExistsError if it exists and may not; and others.
    """
    if exist_ok:
        with contextlib.suppress(FileNotFoundError):
            vol.utime(path)
            return
    flags = os.O_WRONLY | os.O_CREAT | (0 if exist_ok else os.O_EXCL)
    vol._open(path, flags, mode, File).close()


# ------------------------------------------------------------------------------- directories


def makedirs(vol: Volume, path: api.AnyPath, mode: int = 0o777, exist_ok: bool = False) -> None:
    """Make a directory and those above it that are missing, as :func:`os.makedirs`.

    :param path: the path (str, bytes or path-like).
    :param mode: the permission bits of each directory made. No umask is applied.
    :param exist_ok: whether the last one may exist already.
    :raises OSError: FileExistsError if it exists and may not; ENAMETOOLONG if the path has 4,096
        bytes or more; and others.
    """
    missing: list[Any] = [os.fspath(path)]
    mode = api.check_uint32(mode)
    if len(api.encode(missing[0])) >= _TOO_LONG:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), missing[0])
    while missing:
        wanted = missing[-1]
        try:
            vol.mkdir(wanted, mode)
        except FileNotFoundError:
            parent = parent_of(wanted)
            if not parent:
                raise
            if os.path.basename(api.encode(without_slashes(wanted))) == b".":
                missing[-1] = parent  # which is the same, and is to be made
            else:
                missing.append(parent)
            continue
        except FileExistsError:
            is_last = len(missing) == 1
            if (is_last and not exist_ok) or not vol.isdir(wanted):
                raise
        missing.pop()


def removedirs(vol: Volume, path: api.AnyPath) -> None:
    """Remove an empty directory, and those above it as far as they are empty then, as
    :func:`os.removedirs`.

    :param path: the directory (str, bytes or path-like).
    :raises OSError: if the directory itself cannot be removed.
    """
    vol.rmdir(path)
    with contextlib.suppress(OSError):
        while path := parent_of(path):
            vol.rmdir(path)


def renames(vol: Volume, old: api.AnyPath, new: api.AnyPath) -> None:
    """Rename a file or directory, make the directories that the new path needs, and remove those
    of the old one that are empty then, as :func:`os.renames`.

    :param old: the path (str, bytes or path-like).
    :param new: the new one.
    :raises OSError: if it cannot be renamed, or a directory cannot be made.
    """
    if parent := parent_of(new):
        vol.makedirs(parent, exist_ok=True)
    vol.rename(old, new)
    if parent := parent_of(old):
        with contextlib.suppress(OSError):
            vol.removedirs(parent)


@overload
def listdir(vol: Volume, path: Union[AnyStr, os.PathLike[AnyStr]]) -> list[AnyStr]: ...


@overload
def listdir(vol: Volume) -> list[str]: ...


@as_a_whole
def listdir(vol: Volume, path: Any = ".") -> list[Any]:
    """The names of a directory's entries (``glfs_readdir_r``), as :func:`os.listdir`: without
    ``.`` and ``..``.

    :param path: the directory (str, bytes or path-like); the working directory by default.
    :returns: a list in no particular order; of bytes if ``path`` is bytes.
    :raises OSError: if it cannot be read.
    """
    as_given: Any = bytes if isinstance(os.fspath(path), bytes) else api.decode
    with vol.opendir(path) as folder:
        return [as_given(name) for name in names_in(folder)]


@as_a_whole
def listdir_with_stat(
    vol: Volume, path: Union[AnyStr, os.PathLike[AnyStr]]
) -> list[tuple[AnyStr, api.Stat]]:
    """The names and the status of a directory's entries (``glfs_readdirplus_r``), without ``.``
    and ``..``.

    :param path: the directory (str, bytes or path-like).
    :returns: a list of pairs in no particular order. The status is as of :meth:`Volume.lstat`.
    :raises OSError: if it cannot be read.
    """
    path = os.fspath(path)
    as_given: Any = bytes if isinstance(path, bytes) else api.decode
    listed = []
    with vol.opendir(path, readdirplus=True) as folder:
        for raw, status in statuses_in(folder):
            name = as_given(raw)
            if status is None:
                try:
                    status = vol.lstat(os.path.join(path, name))
                except FileNotFoundError:  # it is gone by now
                    continue
            listed.append((name, status))
    return listed


def without_slashes(path: api.AnyPath) -> Any:
    """A path without slashes at its end, as str or bytes."""
    raw: Any = os.fspath(path)
    return raw.rstrip(b"/" if isinstance(raw, bytes) else "/")


def parent_of(path: api.AnyPath) -> Any:
    """The directory part of a path, empty if there is none."""
    return os.path.dirname(without_slashes(path))
