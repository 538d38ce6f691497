"""Copies of files, as :mod:`shutil` makes them.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import os
import stat as stat_module

from . import api
from .exceptions import Error
from .file import File
from .paths import without_slashes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .volume import Volume

# What a copy is made with, until it gets the mode of its original: nobody else is to read it.
_PRIVATE = 0o600


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
    dst = inside(vol, src, dst)
    _copy_content(vol, src, dst, _PRIVATE)
    attributes(vol, src, dst)
    return dst


def inside(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> Any:
    """The path that a file gets where a directory may have been given to put it in."""
    if not vol.isdir(dst):
        return dst
    return os.path.join(os.fspath(dst), os.path.basename(without_slashes(src)))
