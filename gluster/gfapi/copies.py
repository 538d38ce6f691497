"""Copies and moves: what :mod:`shutil` does to whole files and trees.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods. None is recursive, so no tree is too deep for one.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, AnyStr, Callable, Optional, Union

from . import api
from .exceptions import Error
from .file import File
from .scan import DirEntry
from .tree import parent_of, without_slashes

if TYPE_CHECKING:
    from .volume import Volume

Ignore = Callable[[Any, list[Any]], Iterable[Any]]
CopyFunction = Callable[[Any, Any], Any]
# What a copy is made with, until it gets the mode of its original: nobody else is to read it.
_PRIVATE, _PRIVATE_DIRECTORY = 0o600, 0o700


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
    return os.path.join(os.fspath(dst), os.path.basename(without_slashes(src)))


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
    vol.mkdir(target, _PRIVATE_DIRECTORY)


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
        real_dst = _inside(vol, src, dst)
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
