"""Whole trees: what :mod:`os` and :mod:`shutil` do to a directory and all that is in it.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods. None is recursive, so no tree is too deep for one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator

from . import api
from .copies import copystat, inside
from .exceptions import Error
from .paths import parent_of
from .scan import DirEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr, Callable, Optional, Union

    from .volume import Volume

    OnError = Callable[[Callable[..., Any], Any, OSError], Any]
    Ignore = Callable[[Any, list[Any]], Iterable[Any]]
    CopyFunction = Callable[[Any, Any], Any]

# What a directory is made with, until it gets the mode of its original: nobody else is to look
# into it.
_PRIVATE = 0o700


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


def copytree(
    vol: Volume,
    src: Union[AnyStr, os.PathLike[AnyStr]],
    dst: Union[AnyStr, os.PathLike[AnyStr]],
    symlinks: bool = False,
    ignore: Optional[Ignore] = None,
    *,
    copy_function: Optional[CopyFunction] = None,
) -> Any:
    """Copy a directory tree with :meth:`Volume.copy2`, as :func:`shutil.copytree`.

    What cannot be copied does not keep the rest from being copied.

    :param src: the directory to read.
    :param dst: the directory to make; it must not exist.
    :param symlinks: whether a symbolic link is copied as one; if not, what it points to is.
    :param ignore: called for each directory with its path and the list of its names; returns
        the names that are left out. :func:`shutil.ignore_patterns` makes such functions.
    :param copy_function: called for each file with its path and that of the copy, instead of
        :meth:`Volume.copy2`.
    :returns: ``dst``.
    :raises Error: at the end, with a list of ``(source, destination, reason)``.
    :raises OSError: if ``src`` cannot be read, or ``dst`` exists or cannot be made.
    """
    copy_file = copy_function or vol.copy2
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
                    copy_file(entry.path, place)
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
    parent = parent_of(target)
    if is_top and parent:
        vol.makedirs(parent, exist_ok=True)
    vol.mkdir(target, _PRIVATE)


def _copy_link(vol: Volume, entry: DirEntry[Any], place: Any) -> None:
    vol.symlink(vol.readlink(entry.path), place)
    stat = entry.stat()
    vol.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns), follow_symlinks=False)


def move(
    vol: Volume, src: api.AnyPath, dst: api.AnyPath, copy_function: Optional[CopyFunction] = None
) -> Any:
    """Move a file or directory, as :func:`shutil.move` (``mv src dst``).

    It is renamed. Only where GlusterFS says that this cannot be done (EXDEV), it is copied and
    then removed.

    :param src: the file or directory (str, bytes or path-like).
    :param dst: its new path, or a directory to move it into.
    :param copy_function: called for each file that has to be copied with its path and that of
        the copy, instead of :meth:`Volume.copy2`.
    :returns: the new path.
    :raises Error: if the directory ``dst`` has something of that name, or ``dst`` is in ``src``.
    :raises OSError: on failure.
    """
    real_dst: Any = os.fspath(dst)
    if vol.isdir(dst) and not (vol.exists(src) and vol.samefile(src, dst)):
        real_dst = inside(vol, src, dst)
        if vol.lexists(real_dst):
            raise Error(f"{real_dst!r} exists")
    if _is_within(vol, src, real_dst):
        raise Error(f"cannot move the directory {src!r} into itself, {real_dst!r}")
    try:
        vol.rename(src, real_dst)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_by_copy(vol, src, real_dst, copy_function or vol.copy2)
    return real_dst


def _is_within(vol: Volume, src: Any, dst: Any) -> bool:
    """Whether a path is one below a directory."""
    if vol.islink(src) or not vol.isdir(src):
        return False
    parent = parent_of(os.fsencode(dst)) or b"."
    try:
        place, source = vol.realpath(parent), vol.realpath(os.fsencode(src))
    except FileNotFoundError:
        return False
    return f"{os.fsdecode(place)}/".startswith(f"{os.fsdecode(source)}/")


def _move_by_copy(vol: Volume, src: Any, dst: Any, copy_function: CopyFunction) -> None:
    if vol.islink(src):
        vol.symlink(vol.readlink(src), dst)
        vol.unlink(src)
    elif vol.isdir(src):
        copytree(vol, src, dst, symlinks=True, copy_function=copy_function)
        vol.rmtree(src)
    else:
        copy_function(src, dst)
        vol.unlink(src)
