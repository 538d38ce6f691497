"""What becomes of a file's content besides reading and writing: disks, size, holes.

Each function takes the File first; :class:`~gluster.gfapi.file.File` lists them as its methods.
"""

from __future__ import annotations

import errno
import os

from . import api
from .descriptor import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .file import File

_FALLOC_FL_KEEP_SIZE, _FALLOC_FL_PUNCH_HOLE, _FALLOC_FL_ZERO_RANGE = 1, 2, 16


def fsync(file: File) -> None:
    """Have data and metadata written to the bricks' disks (``glfs_fsync``).

    While a brick of a replicated volume is away, it also waits until the others have noted that it
    lacks them (``glfs_dup``, ``glfs_pwrite`` of nothing, ``glfs_close`` and ``glfs_fsync``
    again).

    :raises OSError: on failure, also of earlier writes.
    """
    file._descriptor.sync(api.glfs_fsync)


def fdatasync(file: File) -> None:
    """Have the data written to the bricks' disks (``glfs_fdatasync``). See :meth:`fsync`.

    :raises OSError: on failure, also of earlier writes.
    """
    file._descriptor.sync()


def ftruncate(file: File, length: int) -> None:
    """Cut or extend the file (``glfs_ftruncate``). What is added reads as NULs.

    :param length: the new size in bytes.
    :raises OSError: on failure.
    """
    length = api.integer(length)
    file._descriptor.check_range(length)
    file._descriptor.settle_end()
    api.glfs_ftruncate(file._descriptor, length, None, None)
    file._descriptor.end_known_at = NEVER


def truncate(file: File, size: Optional[int] = None) -> int:
    """Cut or extend the file, as :meth:`io.IOBase.truncate`; see :meth:`ftruncate`.

    :param size: the new size in bytes; the current position if it is None.
    :returns: the new size.
    :raises OSError: on failure.
    """
    length = file.tell() if size is None else api.integer(size)
    ftruncate(file, length)
    return length


def fallocate(file: File, mode: int, offset: int, length: int) -> None:
    """Change the space that a range of the file takes up (``glfs_fallocate``).

    :param mode: what to do, as in ``fallocate(2)``: 0, or FALLOC_FL_KEEP_SIZE (1) to leave
        the file's size alone; FALLOC_FL_PUNCH_HOLE with FALLOC_FL_KEEP_SIZE (3) is
        :meth:`discard`, FALLOC_FL_ZERO_RANGE (16) is :meth:`File.zerofill`.
    :param offset: the start of the range in bytes.
    :param length: its length in bytes.
    :raises OSError: EOPNOTSUPP for any other mode; and others.
    """
    mode = api.integer(mode)
    if mode == _FALLOC_FL_PUNCH_HOLE | _FALLOC_FL_KEEP_SIZE:
        discard(file, offset, length)
    elif mode == _FALLOC_FL_ZERO_RANGE:
        zerofill(file, offset, length)
    elif mode in (0, _FALLOC_FL_KEEP_SIZE):
        offset, length = api.integer(offset), api.integer(length)
        file._descriptor.check_range(offset, length)
        file._descriptor.settle_end()
        api.glfs_fallocate(file._descriptor, mode, offset, length)
        file._descriptor.end_known_at = NEVER
    else:  # libgfapi would take it for FALLOC_FL_KEEP_SIZE
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), file._descriptor.path)


def discard(file: File, offset: int, len: int) -> None:
    """Give the space of a range back (``glfs_discard``). It reads as NULs then.

    :param offset: the start of the range in bytes.
    :param len: its length in bytes.
    :raises OSError: on failure.
    """
    offset, len = api.integer(offset), api.integer(len)
    file._descriptor.check_range(offset, len)
    api.glfs_discard(file._descriptor, offset, len)


def zerofill(file: File, offset: int, length: int) -> None:
    """Fill a range with NULs (``glfs_zerofill``), extending the file if need be.

    :param offset: the start of the range in bytes.
    :param length: its length in bytes.
    :raises OSError: on failure.
    """
    offset, length = api.integer(offset), api.integer(length)
    file._descriptor.check_range(offset, length)
    file._descriptor.settle_end()
    api.glfs_zerofill(file._descriptor, offset, length)
    file._descriptor.end_known_at = NEVER
