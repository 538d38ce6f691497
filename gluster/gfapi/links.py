"""Names that files get besides those that they have, or in place of them: links and renames.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
from collections.abc import Iterator

from . import api, at
from .names import realpath
from .objects import looked_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Union

    from .at import AnyDir
    from .gate import Gate
    from .mount import Mount
    from .volume import Volume

    AnyName = Union[str, bytes]

_NO_NAMES = {b"", b".", b".."}


def link(
    vol: Volume,
    source: api.AnyPath,
    link_name: api.AnyPath,
    *,
    src_dir_fd: Optional[AnyDir] = None,
    dst_dir_fd: Optional[AnyDir] = None,
    follow_symlinks: bool = False,
) -> None:
    """Make a hard link (``glfs_link``), as :func:`os.link`.

    :param source: the file (str, bytes or path-like).
    :param link_name: its additional name.
    :param src_dir_fd: for ``source``, as ``dir_fd`` in :meth:`mkdir` (``glfs_linkat``).
    :param dst_dir_fd: the same for ``link_name``.
    :param follow_symlinks: whether the new name is one of a symbolic link's target, and not of
        the link itself. It is false unless given, as ``link(2)`` has it on Linux and so
        :func:`os.link` had for long, whatever it says; to follow takes more calls.
    :raises OSError: on failure.
    """
    if src_dir_fd is not None or dst_dir_fd is not None:
        at.link(vol, source, link_name, follow_symlinks, src_dir_fd, dst_dir_fd)
    elif follow_symlinks:
        _link_target(vol, source, link_name)
    else:
        _link(vol, source, link_name)


def _link_target(vol: Volume, source: api.AnyPath, link_name: api.AnyPath) -> None:
    source, link_name = os.fspath(source), os.fspath(link_name)
    try:
        _link(vol, realpath(vol, api.encode_path(source)), link_name)
    except OSError as error:
        error.filename, error.filename2 = source, link_name
        raise


def _link(vol: Volume, source: api.AnyPath, link_name: api.AnyPath) -> None:
    """``glfs_link`` goes on without the directory of the new name where it finds none."""
    source, link_name = os.fspath(source), os.fspath(link_name)
    mount = vol._mount
    with _naming(source, link_name), _directory(mount, _split(link_name)[0]):
        api.glfs_link(mount, source, link_name)


def rename(
    vol: Volume,
    src: api.AnyPath,
    dst: api.AnyPath,
    *,
    src_dir_fd: Optional[AnyDir] = None,
    dst_dir_fd: Optional[AnyDir] = None,
    noreplace: bool = False,
    exchange: bool = False,
) -> None:
    """Rename a file or directory (``glfs_rename``), as :func:`os.rename`.

    It is done by way of the two directories (``glfs_h_rename``).

    :param src: the path (str, bytes or path-like).
    :param dst: the new one; a file there is replaced.
    :param src_dir_fd: for ``src``, as ``dir_fd`` in :meth:`mkdir` (``glfs_renameat``). GlusterFS
        11 cannot replace a file then unless the directories are still where they were opened.
    :param dst_dir_fd: the same for ``dst``.
    :param noreplace: whether it is an error if ``dst`` exists (``glfs_renameat2``). The client
        looks, not the brick, so another one may make it in between.
    :param exchange: whether ``src`` and ``dst`` change places (``glfs_renameat2``).
    :raises OSError: EEXIST if ``dst`` exists and is not to be replaced, EOPNOTSUPP if this
        GlusterFS does not exchange names (11.1 does not); and others.
    :raises ValueError: if both ``noreplace`` and ``exchange`` are given.
    """
    if noreplace and exchange:
        raise ValueError("noreplace and exchange exclude each other")
    if src_dir_fd is not None or dst_dir_fd is not None or noreplace or exchange:
        at.rename(vol, src, dst, noreplace, exchange, src_dir_fd, dst_dir_fd)
    else:
        _rename(vol._mount, os.fspath(src), os.fspath(dst))


def _rename(mount: Mount, src: AnyName, dst: AnyName) -> None:
    """By the two directories, since ``glfs_rename`` kills the process where it cannot find one of
    those that ``dst`` leads through: because it is not there, no directory, or its brick is away.
    """
    with _naming(src, dst):
        (old_parent, old), (new_parent, new) = _split(src), _split(dst)
        if {old, new} & _NO_NAMES:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        with _directory(mount, old_parent) as there:
            if old_parent == new_parent:
                _rename_in(mount, there, old, there, new)
            else:
                with _directory(mount, new_parent) as here:
                    _rename_in(mount, there, old, here, new)


def _rename_in(mount: Mount, there: Gate, old: bytes, here: Gate, new: bytes) -> None:
    try:
        api.glfs_h_rename(mount, there, old, here, new)
    except FileExistsError:  # a directory and something else, of which glfs_rename says this
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from None


def replace(
    vol: Volume,
    src: api.AnyPath,
    dst: api.AnyPath,
    *,
    src_dir_fd: Optional[AnyDir] = None,
    dst_dir_fd: Optional[AnyDir] = None,
) -> None:
    """Rename a file or directory, as :func:`os.replace`; the same as :meth:`rename`.

    :param src: the path (str, bytes or path-like).
    :param dst: the new one; a file there is replaced.
    :param src_dir_fd: for ``src``, as in :meth:`rename`.
    :param dst_dir_fd: the same for ``dst``.
    :raises OSError: on failure.
    """
    vol.rename(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)


# ------------------------------------------------------------------- the directory of a name


def _split(path: AnyName) -> tuple[bytes, bytes]:
    """The directory of a path, and the name in it."""
    parent, name = os.path.split(api.encode_path(path).rstrip(b"/"))
    return parent or (b"." if name else b"/"), name


@contextlib.contextmanager
def _directory(mount: Mount, path: bytes) -> Iterator[Gate]:
    """The object of a directory: not all of GlusterFS sees to it that it is one."""
    stat = api.Stat()
    with looked_up(mount, path, True, stat) as found:
        if not stat_module.S_ISDIR(stat.st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        yield found


@contextlib.contextmanager
def _naming(path: AnyName, path2: AnyName) -> Iterator[None]:
    """Have errors name the two paths that the user gave."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = path, path2
        raise
