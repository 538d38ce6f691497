"""Names that become others.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import errno
import os
from stat import S_ISDIR

from . import api, at
from .identity import is_root
from .objects import NO_NAMES, check_rename, directory, has_slash, split
from .objects import rename as rename_entry
from .remembered import twice_if_stale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Union

    from .at import AnyDir
    from .mount import Mount
    from .volume import Volume


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

    :param src: the path (str, bytes or path-like).
    :param dst: the new one; a file there is replaced.
    :param src_dir_fd: for ``src``, as ``dir_fd`` in :meth:`mkdir` (``glfs_renameat``). Unless the
        directories are still where they were opened, GlusterFS 11 cannot replace a file then, and
        who is not root cannot rename at all (ESTALE).
    :param dst_dir_fd: the same for ``dst``.
    :param noreplace: whether it is an error if ``dst`` exists (``glfs_renameat2``). The client
        looks, not the brick, so another one may make it in between.
    :param exchange: whether ``src`` and ``dst`` change places (``glfs_renameat2``).
    :raises OSError: EEXIST if ``dst`` exists and is not to be replaced, EOPNOTSUPP if this
        GlusterFS does not exchange names (11.1 does not), EBUSY if one of them is the root or
        ends in dots; and others.
    :raises ValueError: if both ``noreplace`` and ``exchange`` are given.
    """
    if noreplace and exchange:
        raise ValueError("noreplace and exchange exclude each other")
    # Asked once, so that what is checked is what C gets.
    src, dst = os.fspath(src), os.fspath(dst)
    if src_dir_fd is not None or dst_dir_fd is not None or noreplace or exchange:
        at.rename(vol, src, dst, noreplace, exchange, src_dir_fd, dst_dir_fd)
    else:
        _rename(vol, src, dst)


def _rename(vol: Volume, src: Union[str, bytes], dst: Union[str, bytes]) -> None:
    """Rename by paths where that is safe, and else by the directories themselves.

    ``glfs_rename`` uses a NULL pointer where the directory of ``dst`` is not to be had.
    """
    mount = vol._mount
    (old_parent, old), (new_parent, new) = split(src), split(dst)
    try:
        if old in NO_NAMES or new in NO_NAMES:
            with directory(mount, old_parent), directory(mount, new_parent):
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        if has_slash(src) or has_slash(dst):
            with directory(mount, old_parent), directory(mount, new_parent):
                _check_directory(vol, src)
        if new_parent.strip(b"/") in (b"", b".") and old != new:  # root or working directory
            _check_in(mount, old_parent, old, new_parent, new)
            api.glfs_rename(mount, src, dst)
            return
        twice_if_stale(lambda: _rename_in(mount, old_parent, old, new_parent, new))
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.EISDIR, errno.ESTALE):
            _tell_kinds(vol, src, dst)
        error.filename, error.filename2 = src, dst
        raise


def _rename_in(mount: Mount, old_parent: bytes, old: bytes, new_parent: bytes, new: bytes) -> None:
    with directory(mount, old_parent) as source:
        if new_parent == old_parent:
            rename_entry(mount, source, old, source, new)
        else:
            with directory(mount, new_parent) as target:
                rename_entry(mount, source, old, target, new)


def _check_in(mount: Mount, old_parent: bytes, old: bytes, new_parent: bytes, new: bytes) -> None:
    if not is_root():
        with directory(mount, old_parent) as source, directory(mount, new_parent) as target:
            check_rename(mount, source, old, target, new)


def _check_directory(vol: Volume, path: api.AnyPath) -> None:
    """Raise an error if what a path ends at is none, be it a link to one."""
    if not S_ISDIR(vol.lstat(api.encode_bare_path(path).rstrip(b"/")).st_mode):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def _tell_kinds(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> None:
    """Raise the error of the kernel if only one of the two is a directory."""
    try:
        is_directory = [S_ISDIR(vol.lstat(path).st_mode) for path in (src, dst)]
    except OSError:
        return
    if is_directory[0] != is_directory[1]:
        code = errno.ENOTDIR if is_directory[0] else errno.EISDIR
        raise OSError(code, os.strerror(code), os.fspath(src), None, os.fspath(dst)) from None


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
