"""Copies of files, as :mod:`shutil` makes them.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods. What a small file costs is the round trips over the network, so no call is made that an
earlier one has answered.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module

from . import api, rereading
from .file import File
from .paths import without_slashes
from .transfer import copy_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .exceptions import Error
    from .handle import Handle
    from .volume import Volume

# What a copy is made with, until it gets the mode of its original: nobody else is to read it.
_PRIVATE = 0o600
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def copyfile(
    vol: Volume,
    src: api.AnyPath,
    dst: api.AnyPath,
    *,
    follow_symlinks: bool = True,
    by_brick: bool = False,
) -> Any:
    """Copy the content of a file to another one of the volume, as :func:`shutil.copyfile`.

    :param src: the file to read.
    :param dst: the file to write, its full name; replaced if it exists.
    :param follow_symlinks: whether a symbolic link's target is copied; if not, the link itself is,
        to where there must be nothing.
    :param by_brick: whether the volume's only brick is to copy a file of 16 MiB or more by itself
        (``glfs_copy_file_range``), which sends nothing over the network. It keeps the copy open
        until its process ends: each copy takes a descriptor of the brick, and the space of one
        that is removed comes back only then, unless it is truncated first. Where a brick cannot
        copy, this client does.
    :returns: ``dst``.
    :raises Error: if both are the same file, or one is a pipe, socket or device.
    :raises OSError: on failure.
    """
    if not follow_symlinks and vol.islink(src):
        return _copy_link(vol, src, dst)
    return _copy(vol, src, dst, 0o666, by_brick)


def copymode(
    vol: Volume, src: api.AnyPath, dst: api.AnyPath, *, follow_symlinks: bool = True
) -> None:
    """Copy the permission bits, as :func:`shutil.copymode`.

    :param src: where they are read (a path).
    :param dst: what gets them (a path).
    :param follow_symlinks: whether the targets are meant where both are symbolic links. If not,
        nothing is done for two, because Linux has no modes for links.
    :raises OSError: on failure.
    """
    if not follow_symlinks and vol.islink(src) and vol.islink(dst):
        return
    stat = rereading.status(lambda: vol.stat(src))
    vol.chmod(dst, stat_module.S_IMODE(stat.st_mode))


def copystat(
    vol: Volume, src: api.AnyPath, dst: api.AnyPath, *, follow_symlinks: bool = True
) -> None:
    """Copy permission bits and the times of last access and change, as :func:`shutil.copystat`.

    Extended attributes are not copied.

    :param src: where they are read (a path).
    :param dst: what gets them (a path).
    :param follow_symlinks: whether the targets are meant where both are symbolic links. If not,
        the links themselves are, which have times only.
    :raises OSError: on failure.
    """
    if not follow_symlinks and vol.islink(src) and vol.islink(dst):
        stat = vol.lstat(src)
        vol.utime(dst, ns=(stat.st_atime_ns, stat.st_mtime_ns), follow_symlinks=False)
        return
    stat = rereading.status(lambda: vol.stat(src))
    vol.utime(dst, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    vol.chmod(dst, stat_module.S_IMODE(stat.st_mode))


def copy(
    vol: Volume,
    src: api.AnyPath,
    dst: api.AnyPath,
    *,
    follow_symlinks: bool = True,
    by_brick: bool = False,
) -> Any:
    """Copy content and permission bits of a file, as :func:`shutil.copy` (``cp src dst``).

    :param src: the file to read.
    :param dst: the file to write, or a directory to make one of the same name in.
    :param follow_symlinks: as for :meth:`Volume.copyfile`.
    :param by_brick: as for :meth:`Volume.copyfile`: faster where the volume has a single brick,
        which then keeps the copy open, and so its space, until the brick's process ends.
    :returns: the path of the file written.
    :raises Error: as :meth:`Volume.copyfile`.
    :raises OSError: on failure.
    """
    if not follow_symlinks and vol.islink(src):
        return _copy_link(vol, src, inside(vol, src, dst))
    return _copy(vol, src, dst, _PRIVATE, by_brick, mode=True)


def copy2(
    vol: Volume,
    src: api.AnyPath,
    dst: api.AnyPath,
    *,
    follow_symlinks: bool = True,
    by_brick: bool = False,
) -> Any:
    """Copy content, permission bits and times of a file, as :func:`shutil.copy2` (``cp -p``).

    :param src: the file to read.
    :param dst: the file to write, or a directory to make one of the same name in.
    :param follow_symlinks: as for :meth:`Volume.copyfile`.
    :param by_brick: as for :meth:`Volume.copyfile`: faster where the volume has a single brick,
        which then keeps the copy open, and so its space, until the brick's process ends.
    :returns: the path of the file written.
    :raises Error: as :meth:`Volume.copyfile`.
    :raises OSError: on failure.
    """
    if not follow_symlinks and vol.islink(src):
        path = _copy_link(vol, src, inside(vol, src, dst))
        copystat(vol, src, path, follow_symlinks=False)
        return path
    return _copy(vol, src, dst, _PRIVATE, by_brick, mode=True, times=True)


def _copy_link(vol: Volume, src: Any, dst: Any) -> Any:
    """Make a symbolic link to what another one points to.

    :raises Error: if both lead to the same file.
    """
    if vol.exists(src) and vol.exists(dst) and vol.samefile(src, dst):
        raise _same_file(src, dst)
    vol.symlink(vol.readlink(src), dst)
    return dst


def _copy(
    vol: Volume,
    src: api.AnyPath,
    dst: api.AnyPath,
    create_mode: int,
    by_brick: bool,
    **attributes: bool,
) -> Any:
    """Copy the content and these attributes."""
    by_brick = bool(by_brick)  # before anything is open
    source = rereading.status(lambda: vol.stat(src))
    refuse_special(src, source)
    if stat_module.S_ISDIR(source.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(src))
    with vol._open(src, os.O_RDONLY, 0, File) as reader:
        path, writer = _open_target(vol, src, source, dst, create_mode, bool(attributes))
        with writer:
            copy_content(vol, reader._descriptor, writer._descriptor, source, by_brick=by_brick)
            reader.close()  # while the last of it is still being written
            if attributes:
                _set_attributes(writer, source, **attributes)
    return path


def _open_target(
    vol: Volume,
    src: api.AnyPath,
    source: api.Stat,
    dst: api.AnyPath,
    create_mode: int,
    may_be_directory: bool,
) -> tuple[Any, File]:
    """Make and open a file, or open what is to be replaced, cut; in a directory if it is one.

    Most are new, and whether there is something is known without a call more.

    :returns: its path and what is open.
    """
    try:
        return dst, vol._open(dst, _NEW, create_mode, File)
    except FileExistsError:
        pass
    if may_be_directory and (path := inside(vol, src, dst)) is not dst:
        return _open_target(vol, src, source, path, create_mode, False)
    try:
        target = vol.stat(dst)
    except FileNotFoundError:
        pass  # a link that leads nowhere is one that open refuses
    else:
        refuse_special(dst, target)
        if (source.st_dev, source.st_ino) == (target.st_dev, target.st_ino):
            raise _same_file(src, dst)
    return dst, vol._open(dst, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, create_mode, File)


def refuse_special(path: api.AnyPath, stat: api.Stat) -> None:
    """See that it is a file that has content, or a directory.

    :raises Error: if not.
    """
    if not (stat_module.S_ISREG(stat.st_mode) or stat_module.S_ISDIR(stat.st_mode)):
        from .copyerrors import SpecialFileError  # it imports shutil

        raise SpecialFileError(f"{path!r} is a pipe, socket or device")


def _same_file(src: Any, dst: Any) -> Error:
    from .copyerrors import SameFileError  # it imports shutil

    return SameFileError(f"{src!r} and {dst!r} are the same file")


def copy_entry(
    vol: Volume,
    reader: File,
    stat: api.Stat,
    folder: Handle,
    name: api.AnyPath,
    may_exist: bool = False,
) -> None:
    """Copy a regular file as :func:`copy2` to where there is nothing, or a regular file.

    :param reader: the file to read, which is closed.
    :param stat: its status.
    :param folder: the directory of the copy.
    :param name: the copy's name in it.
    :param may_exist: whether a file of that name is replaced.
    :raises FileExistsError: if there is something else.
    :raises Error: if that is the file itself.
    :raises OSError: on failure.
    """
    with reader:
        new, writer = _made_in(folder, name, reader, stat, may_exist)
        with new, writer:
            copy_content(vol, reader._descriptor, writer._descriptor, stat)
            reader.close()
            _set_attributes(writer, stat, mode=True, times=True)


def _made_in(
    folder: Handle, name: api.AnyPath, reader: File, source: api.Stat, may_exist: bool
) -> tuple[Handle, File]:
    """Make and open a file in a directory, or open and cut the one that is there."""
    try:
        return folder.create_open(name, os.O_WRONLY | os.O_EXCL, _PRIVATE)
    except FileExistsError:
        if not may_exist:
            raise
        found = folder.lookup(name, follow_symlinks=False)
        if found._type != stat_module.S_IFREG:  # a link would lead elsewhere
            raise
    if found.stat().st_ino == source.st_ino:
        raise _same_file(reader.name, name)
    return found, found._opened(os.O_WRONLY | os.O_TRUNC)


def open_target(vol: Volume, path: api.AnyPath) -> tuple[File, api.Stat]:
    """Open what a symbolic link leads to.

    :returns: what is open and its status.
    :raises Error: if that is a pipe, socket or device.
    :raises OSError: on failure.
    """
    stat = rereading.status(lambda: vol.stat(path))
    refuse_special(path, stat)
    return vol._open(path, os.O_RDONLY, 0, File), stat


def _set_attributes(
    file: File, source: api.Stat, *, mode: bool = False, times: bool = False
) -> None:
    """Have a file get these of another, in one call.

    By the open file and not by its path: that is the same file, and need not be looked up.
    """
    file.setattr(
        mode=stat_module.S_IMODE(source.st_mode) if mode else None,
        ns=(source.st_atime_ns, source.st_mtime_ns) if times else None,
    )


def inside(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> Any:
    """The path that a file gets where a directory may have been given to put it in."""
    if not vol.isdir(dst):
        return dst
    return os.path.join(os.fspath(dst), os.path.basename(without_slashes(src)))
