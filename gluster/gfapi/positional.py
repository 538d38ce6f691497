"""Reading and writing at a given offset, and with several buffers at once.

Each function takes the File first; :class:`~gluster.gfapi.file.File` lists them as its methods.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

from . import api, replicas, rereading, rewriting
from .descriptor import MOST, NO_LOCK, Descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .file import File

    # The vector for a call, and what all calls before have moved: how many bytes this one moved.
    _Move = Callable[[Any, int], int]

# What libgfapi takes for the flags of preadv2(2) and pwritev2(2). RWF_HIPRI only asks for haste.
_READ_FLAGS = {os.RWF_HIPRI: 0}
_WRITE_FLAGS = {os.RWF_HIPRI: 0, os.RWF_DSYNC: os.O_DSYNC, os.RWF_SYNC: os.O_SYNC}


def pread(file: File, size: int, offset: int) -> bytes:
    """Read at an offset (``glfs_pread``), as :func:`os.pread`. The position stays as it is.

    Threads that read one file so do not wait for each other.

    :param size: how many bytes at most.
    :param offset: where to begin, in bytes from the beginning of the file.
    :returns: the bytes, ``b""`` at the end of the file. They may be fewer than asked for.
    :raises OSError: EINVAL if ``size`` or ``offset`` is negative; and others.
    """
    size = size if type(size) is int else api.integer(size)
    offset = offset if type(offset) is int else api.integer(offset)
    descriptor = _readable(file)
    descriptor.check_range(size, offset)
    size = api.check_length(size)
    if size > MOST:
        return _pread_pieces(file, size, offset)
    if not size:
        return b""
    descriptor.keep_place()
    data = api.new_bytes(size)
    arguments = (descriptor, data, size, offset, 0, None)
    count = rereading.at_offset(descriptor, offset, api.glfs_pread, *arguments)
    return data if count == size else data[:count]


def _pread_pieces(file: File, size: int, offset: int) -> bytes:
    pieces = []
    while size and (piece := pread(file, min(size, MOST), offset)):
        pieces.append(piece)
        size -= len(piece)
        offset += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def preadinto(file: File, buffer: Any, offset: int) -> int:
    """Read at an offset into a buffer (``glfs_pread``), without a copy. The position stays as it
    is.

    :param buffer: any writable contiguous buffer: bytearray, memoryview, array, NumPy's.
    :param offset: where to begin, in bytes from the beginning of the file.
    :returns: how many bytes were read, 0 at the end of the file.
    :raises TypeError: if it is no such buffer.
    :raises OSError: EINVAL if ``offset`` is negative; and others.
    """
    memory, size = api.memory(buffer, writable=True)
    offset = offset if type(offset) is int else api.integer(offset)
    if size > MOST:
        return preadv(file, (buffer,), offset)
    descriptor = _readable(file)
    descriptor.check_range(offset)
    if not size:
        return 0
    descriptor.keep_place()
    arguments = (descriptor, memory, size, offset, 0, None)
    return rereading.at_offset(descriptor, offset, api.glfs_pread, *arguments)


def pwrite(file: File, data: Any, offset: int) -> int:
    """Write at an offset (``glfs_pwrite``), as :func:`os.pwrite`. The position stays as it is.

    All of it is written. In append mode it is written at the end, whatever ``offset`` says, as
    Linux has it.

    :param data: any contiguous buffer, or a str, which is stored as UTF-8.
    :param offset: where to begin, in bytes from the beginning of the file.
    :returns: how many bytes were written.
    :raises TypeError: if ``data`` is neither.
    :raises OSError: EINVAL if ``offset`` is negative; and others. See :meth:`write`.
    """
    if isinstance(data, str):
        data = data.encode()
    memory, size = api.memory(data)
    offset = offset if type(offset) is int else api.integer(offset)
    descriptor = _writable(file)
    descriptor.check_range(offset)
    if not size:
        return 0
    descriptor.keep_place()
    arguments = (descriptor, memory, min(size, MOST), offset, 0, None, None)
    with descriptor.position if descriptor.is_appending else NO_LOCK:  # what goes there is whole
        descriptor.settle_end()
        done = rewriting.at(descriptor, api.glfs_pwrite, *arguments)
        if done < size:
            done += pwritev(file, (api.byte_view(data)[done:],), offset + done)
    return done


def readv(file: File, buffers: Iterable[Any]) -> int:
    """Read from the current position into several buffers (``glfs_readv``), as :func:`os.readv`.

    :param buffers: writable contiguous buffers. Each is filled before the next.
    :returns: how many bytes were read, 0 at the end of the file.
    :raises TypeError: if one is no such buffer.
    :raises OSError: on failure.
    """
    views = _views(buffers, writable=True)
    descriptor = _readable(file)
    with descriptor.position:
        return _fill(views, lambda vector, done: descriptor.readv(vector))


def writev(file: File, buffers: Iterable[Any]) -> int:
    """Write several buffers, one after the other, at the current position (``glfs_writev``), as
    :func:`os.writev`.

    All of them are written. In append mode, they are written at the end.

    :param buffers: contiguous buffers.
    :returns: how many bytes were written.
    :raises TypeError: if one is no such buffer.
    :raises OSError: on failure; see :meth:`write`.
    """
    views = _views(buffers)
    descriptor = _writable(file)
    with descriptor.position:
        return _drain(descriptor, views, lambda vector, done: descriptor.writev(vector))


def preadv(file: File, buffers: Iterable[Any], offset: int, flags: int = 0) -> int:
    """Read at an offset into several buffers (``glfs_preadv``), as :func:`os.preadv`. The position
    stays as it is.

    :param buffers: writable contiguous buffers. Each is filled before the next.
    :param offset: where to begin, in bytes from the beginning of the file.
    :param flags: 0 or :data:`os.RWF_HIPRI`, which has no effect.
    :returns: how many bytes were read, 0 at the end of the file.
    :raises TypeError: if one is no such buffer.
    :raises OSError: EINVAL if ``offset`` is negative; EOPNOTSUPP for other ``flags``; and others.
    """
    views = _views(buffers, writable=True)
    offset, flags = api.integer(offset), api.integer(flags)
    descriptor = _readable(file)
    descriptor.check_range(offset)
    flags = _flags(descriptor, flags, _READ_FLAGS)
    descriptor.keep_place()

    def read(vector: Any, done: int) -> int:
        at = offset + done
        arguments = (descriptor, vector, len(vector), at, flags)
        return rereading.at_offset(descriptor, at, api.glfs_preadv, *arguments)

    return _fill(views, read)


def pwritev(file: File, buffers: Iterable[Any], offset: int, flags: int = 0) -> int:
    """Write several buffers, one after the other, at an offset (``glfs_pwritev``), as
    :func:`os.pwritev`. The position stays as it is.

    All of them are written. In append mode, they are written at the end.

    :param buffers: contiguous buffers.
    :param offset: where to begin, in bytes from the beginning of the file.
    :param flags: any of :data:`os.RWF_DSYNC` and :data:`os.RWF_SYNC`, to return when it is on the
        bricks' disks, as if the file had been opened with O_DSYNC or O_SYNC;
        :data:`os.RWF_HIPRI` has no effect.
    :returns: how many bytes were written.
    :raises TypeError: if one is no such buffer.
    :raises OSError: EINVAL if ``offset`` is negative; EOPNOTSUPP for other ``flags``; and others.
        See :meth:`write`.
    """
    views = _views(buffers)
    offset, flags = api.integer(offset), api.integer(flags)
    descriptor = _writable(file)
    descriptor.check_range(offset)
    flags = _flags(descriptor, flags, _WRITE_FLAGS)
    descriptor.keep_place()

    def write(vector: Any, done: int) -> int:
        arguments = (descriptor, vector, len(vector), offset + done, flags)
        return rewriting.at(descriptor, api.glfs_pwritev, *arguments)

    with descriptor.position if descriptor.is_appending else NO_LOCK:
        descriptor.settle_end()
        count = _drain(descriptor, views, write)
    if flags and replicas.is_one_away(descriptor.mount):
        descriptor.sync()  # which does what such volumes need
    return count


# ------------------------------------------------------------------------- what they share


def _readable(file: File) -> Descriptor:
    descriptor = file._descriptor
    descriptor.check_readable()
    return descriptor


def _writable(file: File) -> Descriptor:
    descriptor = file._descriptor
    descriptor.check_writable()
    return descriptor


def _flags(descriptor: Descriptor, flags: int, known: dict[int, int]) -> int:
    """The flags for libgfapi, which by itself overlooks those that it does not know."""
    passed = 0
    for flag, meaning in known.items():
        if flags & flag:
            flags &= ~flag
            passed |= meaning
    if flags:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), descriptor.path)
    return passed


def _views(buffers: Iterable[Any], writable: bool = False) -> list[memoryview]:
    """The bytes of each buffer that has any."""
    views = (api.byte_view(buffer, writable) for buffer in buffers)
    return [view for view in views if view]


def _fill(views: list[memoryview], read: _Move) -> int:
    """Read until all is full or there is no more."""
    done = 0
    while views:
        piece = _head(views)
        count = read(api.vector(piece), done)
        done += count
        if count < sum(map(len, piece)):
            break
        views = _tail(views, count)
    return done


def _drain(descriptor: Descriptor, views: list[memoryview], write: _Move) -> int:
    """Write until all is written."""
    done = 0
    while views:
        count = write(api.vector(_head(views)), done)
        if not count:  # it takes no more, and does not say why
            raise OSError(errno.EIO, os.strerror(errno.EIO), descriptor.path)
        done += count
        views = _tail(views, count)
    return done


def _head(views: list[memoryview]) -> list[memoryview]:
    """As much of the views as a single call takes."""
    head, room = [], MOST
    for view in views:
        head.append(view[:room])
        room -= len(head[-1])
        if not room:
            break
    return head


def _tail(views: list[memoryview], start: int) -> list[memoryview]:
    """What of the views comes after so many bytes."""
    for i, view in enumerate(views):
        if start < len(view):
            return [view[start:], *views[i + 1 :]]
        start -= len(view)
    return []
