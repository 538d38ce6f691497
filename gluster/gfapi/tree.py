"""What :mod:`os`, :mod:`os.path` and :mod:`shutil` build out of single calls.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods. None is recursive, so no tree is too deep for one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, AnyStr, Callable, Optional, Union

from . import api
from .exceptions import Error
from .file import File
from .scan import DirEntry, names_in, statuses_in

if TYPE_CHECKING:
    from .volume import Volume

Ignore = Callable[[Any, list[Any]], Iterable[Any]]
# What a copy is made with, until it gets the mode of its original: nobody else is to read it.
_PRIVATE, _PRIVATE_DIRECTORY = 0o600, 0o700
OnError = Callable[[Callable[..., Any], Any, OSError], Any]

# ----------------------------------------------------------------------------------- os.path


def exists(vol: Volume, path: api.AnyPath) -> bool:
    """Whether a path exists, as :func:`os.path.exists`; False for a broken symbolic link.

    :param path: the path (str, bytes or path-like).
    """
    return _mode(vol.stat, path) is not None


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


# ------------------------------------------------------------------------------- directories


def makedirs(vol: Volume, path: api.AnyPath, mode: int = 0o777, *, exist_ok: bool = False) -> None:
    """Make a directory and those above it that are missing, as :func:`os.makedirs`.

    :param path: the path (str, bytes or path-like).
    :param mode: the permission bits of each directory made. No umask is applied.
    :param exist_ok: whether the last one may exist already.
    :raises OSError: FileExistsError if it exists and may not; and others.
    """
    missing: list[Any] = [os.fspath(path)]
    while missing:
        wanted = missing[-1]
        try:
            vol.mkdir(wanted, mode)
        except FileNotFoundError:
            parent = os.path.dirname(wanted.rstrip(_separator(wanted)))
            if not parent:
                raise
            missing.append(parent)
            continue
        except FileExistsError:
            is_last = len(missing) == 1
            if (is_last and not exist_ok) or not vol.isdir(wanted):
                raise
        missing.pop()


def listdir(vol: Volume, path: Union[AnyStr, os.PathLike[AnyStr]]) -> list[AnyStr]:
    """The names of a directory's entries (``glfs_readdir_r``), as :func:`os.listdir`: without
    ``.`` and ``..``.

    :param path: the directory (str, bytes or path-like).
    :returns: a list in no particular order; of bytes if ``path`` is bytes.
    :raises OSError: if it cannot be read.
    """
    as_given: Any = bytes if isinstance(os.fspath(path), bytes) else os.fsdecode
    with vol.opendir(path) as folder:
        return [as_given(name) for name in names_in(folder)]


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
    as_given: Any = bytes if isinstance(path, bytes) else os.fsdecode
    listed = []
    with vol.opendir(path, readdirplus=True) as folder:
        for raw, status in statuses_in(folder):
            name = as_given(raw)
            with contextlib.suppress(FileNotFoundError):  # it is gone by now
                listed.append((name, status or vol.lstat(os.path.join(path, name))))
    return listed


def walk(
    vol: Volume,
    top: Union[AnyStr, os.PathLike[AnyStr]],
    topdown: bool = True,
    onerror: Optional[Callable[[OSError], Any]] = None,
    followlinks: bool = False,
) -> Iterator[tuple[AnyStr, list[AnyStr], list[AnyStr]]]:
    """Go through a directory tree, as :func:`os.walk`.

    There are two differences. Symbolic links to directories are among the file names unless
    ``followlinks`` is set. And an error is raised if ``onerror`` is None.

    :param top: the directory to begin with (str, bytes or path-like).
    :param topdown: whether a directory comes before those in it. If so, the caller may change
        the list of directory names in place to choose where to go on.
    :param onerror: called with the OSError of a directory that cannot be read.
    :param followlinks: whether to go into directories that symbolic links point to.
    :returns: an iterator of ``(dirpath, dirnames, filenames)``.
    :raises OSError: if a directory cannot be read and ``onerror`` is None.
    """
    pending: list[Any] = [os.fspath(top)]
    while pending:
        folder = pending.pop()
        if isinstance(folder, tuple):
            yield folder
            continue
        dirnames: list[AnyStr] = []
        filenames: list[AnyStr] = []
        try:
            with vol.scandir(folder) as entries:
                for entry in entries:
                    (dirnames if entry.is_dir(followlinks) else filenames).append(entry.name)
        except OSError as error:
            if onerror is None:
                raise
            onerror(error)
            continue
        if topdown:
            yield folder, dirnames, filenames
        else:
            pending.append((folder, dirnames, filenames))
        pending.extend(os.path.join(folder, name) for name in reversed(dirnames))


def rmtree(
    vol: Volume,
    path: api.AnyPath,
    ignore_errors: bool = False,
    onerror: Optional[OnError] = None,
) -> None:
    """Remove a directory and all that is in it, as :func:`shutil.rmtree`.

    :param path: the directory (str, bytes or path-like).
    :param ignore_errors: whether errors are passed over.
    :param onerror: called with the function that failed, the path that it failed on and the
        exception; then the removal goes on.
    :raises OSError: if ``path`` is a symbolic link, or something cannot be removed, and both
        ``ignore_errors`` is false and ``onerror`` is None.
    """

    def failed(function: Callable[..., Any], where: Any, error: OSError) -> None:
        if ignore_errors:
            return
        if onerror is None:
            raise error
        onerror(function, where, error)

    def attempt(function: Callable[[Any], None], where: Any) -> None:
        try:
            function(where)
        except OSError as error:
            failed(function, where, error)

    top: Any = os.fspath(path)
    if vol.islink(top):
        is_link = OSError(errno.ELOOP, "rmtree does not remove a symbolic link", top)
        failed(vol.islink, top, is_link)
        return
    unreadable: Callable[[OSError], None] = lambda error: failed(  # noqa: E731
        vol.scandir, error.filename, error
    )
    for folder, _, names in walk(vol, top, topdown=False, onerror=unreadable):
        for name in names:
            attempt(vol.unlink, os.path.join(folder, name))
        attempt(vol.rmdir, folder)


# ------------------------------------------------------------------------------------ copies


def copyfile(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> Any:
    """Copy the content of a file to another one of the volume, as :func:`shutil.copyfile`.

    :param src: the file to read.
    :param dst: the file to write, its full name; replaced if it exists.
    :returns: ``dst``.
    :raises Error: if both are the same file, or one is a pipe, socket or device.
    :raises OSError: on failure.
    """
    _copy_content(vol, src, dst, 0o666)
    return dst


def _copy_content(vol: Volume, src: api.AnyPath, dst: api.AnyPath, mode: int) -> None:
    source = vol.stat(src)
    _refuse_special(src, source)
    try:
        target = vol.stat(dst)
    except FileNotFoundError:
        pass
    else:
        _refuse_special(dst, target)
        if (source.st_dev, source.st_ino) == (target.st_dev, target.st_ino):
            raise Error(f"{src!r} and {dst!r} are the same file")
    with vol.fopen(src) as reader:
        writer = File(vol.open(dst, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode))
        with writer:
            vol.copyfileobj(reader, writer)


def _refuse_special(path: api.AnyPath, stat: api.Stat) -> None:
    if not (stat_module.S_ISREG(stat.st_mode) or stat_module.S_ISDIR(stat.st_mode)):
        raise Error(f"{path!r} is a pipe, socket or device")


def copymode(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> None:
    """Copy the permission bits, as :func:`shutil.copymode`.

    :param src: where they are read (a path).
    :param dst: what gets them (a path).
    :raises OSError: on failure.
    """
    vol.chmod(dst, stat_module.S_IMODE(vol.stat(src).st_mode))


def copystat(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> None:
    """Copy permission bits and the times of last access and change, as :func:`shutil.copystat`.

    Extended attributes are not copied.

    :param src: where they are read (a path).
    :param dst: what gets them (a path).
    :raises OSError: on failure.
    """
    stat = vol.stat(src)
    vol.utime(dst, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    vol.chmod(dst, stat_module.S_IMODE(stat.st_mode))


def copy(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> Any:
    """Copy content and permission bits of a file, as :func:`shutil.copy` (``cp src dst``).

    :param src: the file to read.
    :param dst: the file to write, or a directory to make one of the same name in.
    :returns: the path of the file written.
    :raises Error: as :meth:`Volume.copyfile`.
    :raises OSError: on failure.
    """
    return _copy_with(copymode, vol, src, dst)


def copy2(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> Any:
    """Copy content, permission bits and times of a file, as :func:`shutil.copy2` (``cp -p``).

    :param src: the file to read.
    :param dst: the file to write, or a directory to make one of the same name in.
    :returns: the path of the file written.
    :raises Error: as :meth:`Volume.copyfile`.
    :raises OSError: on failure.
    """
    return _copy_with(copystat, vol, src, dst)


def _copy_with(
    attributes: Callable[[Volume, Any, Any], None], vol: Volume, src: api.AnyPath, dst: api.AnyPath
) -> Any:
    """Copy content, then attributes, to a file or into a directory."""
    dst = _inside(vol, src, dst)
    _copy_content(vol, src, dst, _PRIVATE)
    attributes(vol, src, dst)
    return dst


def _inside(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> Any:
    if not vol.isdir(dst):
        return dst
    name: Any = os.fspath(src)
    return os.path.join(os.fspath(dst), os.path.basename(name.rstrip(_separator(name))))


def copytree(
    vol: Volume,
    src: Union[AnyStr, os.PathLike[AnyStr]],
    dst: Union[AnyStr, os.PathLike[AnyStr]],
    symlinks: bool = False,
    ignore: Optional[Ignore] = None,
) -> Any:
    """Copy a directory tree with :meth:`Volume.copy2`, as :func:`shutil.copytree`.

    What cannot be copied does not keep the rest from being copied.

    :param src: the directory to read.
    :param dst: the directory to make; it must not exist.
    :param symlinks: whether a symbolic link is copied as one; if not, what it points to is.
    :param ignore: called for each directory with its path and the list of its names; returns
        the names that are left out. :func:`shutil.ignore_patterns` makes such functions.
    :returns: ``dst``.
    :raises Error: at the end, with a list of ``(source, destination, reason)``.
    :raises OSError: if ``src`` cannot be read, or ``dst`` exists or cannot be made.
    """
    problems: list[tuple[Any, Any, str]] = []
    folders: list[tuple[Any, Any]] = [(os.fspath(src), os.fspath(dst))]
    copied: list[tuple[Any, Any]] = []
    for source, target in folders:  # which grows meanwhile
        try:
            with vol.scandir(source) as scan:
                entries: list[DirEntry[Any]] = list(scan)
            ignored = set(ignore(source, [entry.name for entry in entries])) if ignore else set()
            _make_target(vol, target, is_top=not copied)
        except OSError as error:
            if not copied:
                raise
            problems.append((source, target, str(error)))
            continue
        copied.append((source, target))
        for entry in entries:
            if entry.name in ignored:
                continue
            place = os.path.join(target, entry.name)
            try:
                if symlinks and entry.is_symlink():
                    _copy_link(vol, entry, place)
                elif entry.is_dir(follow_symlinks=True):
                    folders.append((entry.path, place))
                else:
                    copy2(vol, entry.path, place)
            except OSError as error:
                problems.append((entry.path, place, str(error)))
    # Now, because each file made in a directory changed its times; and a directory that is to
    # be read-only had to be writable until here.
    for source, target in reversed(copied):
        try:
            copystat(vol, source, target)
        except OSError as error:
            problems.append((source, target, str(error)))
    if problems:
        raise Error(problems)
    return dst


def _make_target(vol: Volume, target: Any, is_top: bool) -> None:
    parent = os.path.dirname(target.rstrip(_separator(target)))
    if is_top and parent:
        makedirs(vol, parent, exist_ok=True)
    vol.mkdir(target, _PRIVATE_DIRECTORY)


def _copy_link(vol: Volume, entry: DirEntry[Any], place: Any) -> None:
    vol.symlink(vol.readlink(entry.path), place)
    stat = entry.stat()
    vol.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns), follow_symlinks=False)


def _separator(path: Union[str, bytes]) -> Any:
    return b"/" if isinstance(path, bytes) else "/"
