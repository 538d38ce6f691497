"""The asynchronous calls of a file: each returns a Future at once.

libgfapi has calls of its own for this. When the volume is given another graph of translators (many
a ``volume set`` does that) while one of them is under way, its end releases the wrong descriptor,
and the process dies. So its other calls are made here instead, by threads that live as long as
there is something to do. Arguments are asked what they are before that: a number of the user's own
making might close the file, which waits for all calls that are under way.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from .file import File
    from .workers import Backlog


def pread_async(file: File, size: int, offset: int) -> Future[bytes]:
    """Read at an offset, as :meth:`pread` (``glfs_pread_async``). The position stays as it is.

    :param size: how many bytes at most.
    :param offset: where, in bytes from the beginning.
    :returns: the Future of the bytes, ``b""`` at the end of the file.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add(file.pread, api.integer(size), api.integer(offset))


def preadv_async(file: File, buffers: Iterable[Any], offset: int) -> Future[int]:
    """Read at an offset into several buffers, as :meth:`preadv` (``glfs_preadv_async``).

    The position stays as it is.

    :param buffers: writable contiguous buffers. Leave them alone until the Future is done.
    :param offset: where, in bytes from the beginning.
    :returns: the Future of how many bytes were read.
    :raises TypeError: if one has no buffer, or a number is none.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add(file.preadv, _held(buffers), api.integer(offset))


def pwrite_async(file: File, data: Any, offset: int) -> Future[int]:
    """Write at an offset, as :meth:`pwrite` (``glfs_pwrite_async``).

    The position stays as it is. Two that overlap and are under way at the same time are written
    in any order.

    :param data: any contiguous buffer, or a str, which is stored as UTF-8. It is not copied: do
        not change it until the Future is done.
    :param offset: where, in bytes from the beginning.
    :returns: the Future of how many bytes were written.
    :raises TypeError: if ``data`` is neither, or ``offset`` no integer.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add(file.pwrite, _hold(data), api.integer(offset))


def pwritev_async(file: File, buffers: Iterable[Any], offset: int) -> Future[int]:
    """Write several buffers at an offset, as :meth:`pwritev` (``glfs_pwritev_async``).

    The position stays as it is. See :meth:`pwrite_async`.

    :param buffers: contiguous buffers. Do not change them until the Future is done.
    :param offset: where, in bytes from the beginning.
    :returns: the Future of how many bytes were written.
    :raises TypeError: if one has no buffer, or a number is none.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add(file.pwritev, _held(buffers), api.integer(offset))


def read_async(file: File, size: int = -1) -> Future[bytes]:
    """Read from the current position, as :meth:`read` (``glfs_read_async``).

    The asynchronous calls that use the position are made one after another, in the order in which
    they were asked for: each begins where the one before it ended.

    :param size: how many bytes at most; all up to the end of the file if it is negative.
    :returns: the Future of the bytes, ``b""`` at the end of the file.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add_in_line(file.read, None if size is None else api.integer(size))


def readv_async(file: File, buffers: Iterable[Any]) -> Future[int]:
    """Read from the current position into several buffers, as :meth:`readv`
    (``glfs_readv_async``). See :meth:`read_async`.

    :param buffers: writable contiguous buffers. Leave them alone until the Future is done.
    :returns: the Future of how many bytes were read, 0 at the end of the file.
    :raises TypeError: if one has no buffer, or a number is none.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add_in_line(file.readv, _held(buffers))


def write_async(file: File, data: Any) -> Future[int]:
    """Write at the current position, or at the end in append mode, as :meth:`write`
    (``glfs_write_async``).

    They are written in the order in which they were asked for; see :meth:`read_async`.

    :param data: any contiguous buffer, or a str, which is stored as UTF-8. It is not copied: do
        not change it until the Future is done.
    :returns: the Future of how many bytes were written: all of them.
    :raises TypeError: if ``data`` is neither.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add_in_line(file.write, _hold(data))


def writev_async(file: File, buffers: Iterable[Any]) -> Future[int]:
    """Write several buffers at the current position, or at the end in append mode, as
    :meth:`writev` (``glfs_writev_async``). See :meth:`write_async`.

    :param buffers: contiguous buffers. Do not change them until the Future is done.
    :returns: the Future of how many bytes were written.
    :raises TypeError: if one has no buffer, or a number is none.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add_in_line(file.writev, _held(buffers))


def fsync_async(file: File) -> Future[None]:
    """Have data and metadata written to the bricks' disks, as :meth:`fsync`
    (``glfs_fsync_async``).

    It begins when the file's asynchronous calls are over that were asked for before it, and so
    covers them.

    :returns: the Future of None.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future, also
        what went wrong with earlier writes.
    """
    return _backlog(file).add_after_all(file.fsync)


def fdatasync_async(file: File) -> Future[None]:
    """Have the data written to the bricks' disks, as :meth:`fdatasync`
    (``glfs_fdatasync_async``). See :meth:`fsync_async`.

    :returns: the Future of None.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future, also
        what went wrong with earlier writes.
    """
    return _backlog(file).add_after_all(file.fdatasync)


def ftruncate_async(file: File, length: int) -> Future[None]:
    """Cut or extend the file, as :meth:`ftruncate` (``glfs_ftruncate_async``).

    :param length: the new size in bytes.
    :returns: the Future of None.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add(file.ftruncate, api.integer(length))


def discard_async(file: File, offset: int, len: int) -> Future[None]:
    """Give the space of a range back, as :meth:`discard` (``glfs_discard_async``).

    :param offset: the start of the range in bytes.
    :param len: its length in bytes.
    :returns: the Future of None.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add(file.discard, api.integer(offset), api.integer(len))


def zerofill_async(file: File, offset: int, length: int) -> Future[None]:
    """Fill a range with NULs, as :meth:`zerofill` (``glfs_zerofill_async``).

    :param offset: the start of the range in bytes.
    :param length: its length in bytes.
    :returns: the Future of None.
    :raises OSError: EBADF if the file is being closed. All else is raised by the Future.
    """
    return _backlog(file).add(file.zerofill, api.integer(offset), api.integer(length))


def _backlog(file: File) -> Backlog:
    from .workers import backlog_of  # concurrent.futures is costly, and few use it

    return file._descriptor.backlog or backlog_of(file._descriptor)


def _hold(data: Any) -> Any:
    """What to write, where nobody resizes it."""
    if isinstance(data, str):
        return data.encode()
    return data if type(data) is bytes else memoryview(data)


def _held(buffers: Iterable[Any]) -> list[memoryview]:
    return [memoryview(buffer) for buffer in buffers]
