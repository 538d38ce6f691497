"""File: one open file."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable
from time import monotonic

from . import api, asynchronous, leases, locks, positional, rereading, rewriting, space, xattr
from .arguments import attributes_of, timespecs
from .descriptor import MOST, Descriptor
from .gate import Unpicklable
from .mount import descriptor_at
from .opened import Opened
from .rewriting import QUICK
from .typed import overload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Optional, Union

    from .volume import Volume

_Times = tuple[float, float]

_CHUNK = 1 << 17
_LINE = 1 << 13


class Glfd(Unpicklable, int):
    """A glfd: its address as an :class:`int`, which remembers what it belongs to.

    Calling it says that it is no descriptor of the kernel's, as :meth:`io.IOBase.fileno` does for
    streams that have none.
    """

    descriptor: Descriptor

    def __new__(cls, descriptor: Descriptor) -> Glfd:
        glfd = super().__new__(cls, descriptor.pointer)
        glfd.descriptor = descriptor
        return glfd

    def __call__(self) -> NoReturn:
        raise io.UnsupportedOperation("a file of libgfapi has no descriptor of the kernel's")


class File(Opened, io.RawIOBase):
    """An open file, like Python's own raw binary files.

    It is an :class:`io.RawIOBase`, so :class:`io.BufferedReader`, :class:`io.TextIOWrapper`,
    :mod:`tarfile`, :mod:`zipfile` and the like work on it. It may be used from several threads,
    and in a ``with`` statement, which closes it.
    """

    # Python finds these sooner than what is in the dictionary that a stream of C's has anyway.
    __slots__ = ("_descriptor", "_mode", "_name")

    def __init__(
        self,
        fd: Union[int, Descriptor],
        path: Optional[api.AnyPath] = None,
        mode: Optional[str] = None,
    ) -> None:
        """Make a File of an open glfd.

        :param fd: what :meth:`Volume.open` returned (:class:`int`).
        :param path: the file's path, for :attr:`name` (str, bytes or path-like).
        :param mode: the mode it was opened with, for :attr:`mode` (str); that tells it by itself
            otherwise.
        :raises TypeError: if ``fd`` is no integer.
        :raises OSError: EBADF if it is no open glfd, or not any more.
        """
        # No class above has anything to make ready, and each open file pays for a call.
        self._descriptor = descriptor = fd if isinstance(fd, Descriptor) else descriptor_of(fd)
        self._mode = mode
        if path is None:
            self._name = descriptor.path
        else:
            self._name = name = os.fspath(path)
            descriptor.call_it(name)

    # ------------------------------------------------------------------ attributes

    @property
    def fileno(self) -> Glfd:
        """The glfd (:class:`int`) that stands for this file in libgfapi.

        It is not one of the kernel's descriptors: called as a method, as :mod:`io` would, it
        raises :exc:`io.UnsupportedOperation`.

        :raises OSError: EBADF if the file is closed.
        """
        return Glfd(self._descriptor)

    @property
    def mode(self) -> str:
        """The mode given to :meth:`Volume.fopen`.

        Where none was given, as to a File of what :meth:`Volume.open` returned, it is what
        :class:`io.FileIO` would have: ``"rb"``, ``"wb"``, ``"rb+"``, ``"ab"`` or ``"ab+"``.
        """
        return _mode_of(self._descriptor) if self._mode is None else self._mode

    @property
    def name(self) -> Union[str, bytes, None]:
        """The path given to :meth:`Volume.fopen` or :meth:`Volume.open`."""
        return self._name

    @property
    def volume(self) -> Volume:
        """The :class:`Volume` that the file is on (``glfs_from_glfd``).

        :raises OSError: EBADF if the file is closed, or the volume unmounted.
        :raises ReferenceError: if the Volume is gone: a File needs it no more, and keeps none.
        """
        api.glfs_from_glfd(self._descriptor)  # no file of an unmounted volume gets past this
        volume: Optional[Volume] = self._descriptor.mount.volume
        if volume is None:
            raise ReferenceError(f"the Volume that {self._name!r} was opened on is gone")
        return volume

    def __repr__(self) -> str:
        return f"<gluster.gfapi.File name={self._name!r} mode={self.mode!r}{self._state}>"

    # ------------------------------------------------------------------ lifetime

    def dup(self) -> File:
        """Duplicate the file (``glfs_dup``).

        :returns: a File with a glfd of its own. Its position is its own too, and at the beginning.
        :raises OSError: on failure.
        """
        return self._descriptor.duplicate(lambda new: File(new, self._name, self._mode))

    # ------------------------------------------------------------------ reading and writing

    def read(self, buflen: Optional[int] = -1, *, size: Optional[int] = None) -> bytes:
        """Read from the current position (``glfs_read``).

        :param buflen: how many bytes at most; all up to the end of the file if it is negative or
            None.
        :param size: the same, under the name that older versions of this package use.
        :returns: the bytes, ``b""`` at the end of the file. They may be fewer than asked for, as
            with every raw file.
        :raises OSError: on failure.
        """
        limit = buflen if size is None else size
        if type(limit) is not int or not 0 < limit <= MOST:
            return self._read_otherwise(limit)
        data = api.new_bytes(limit)
        descriptor = self._descriptor
        if not descriptor.is_readable:
            descriptor.check_readable()
        with descriptor.position:
            if descriptor.place is None:  # as descriptor.read has it, but a layer less
                count = api.glfs_read(descriptor, data, limit, 0)
                if not count:
                    again = (api.glfs_read, descriptor, data, limit, 0)
                    count = rereading.again_at_position(descriptor, *again)
            else:
                count = descriptor.read(data, limit)
        return data if count == limit else data[:count]

    def _read_otherwise(self, limit: Optional[int]) -> bytes:
        """Read what is not done by a single call."""
        if limit is None or (limit := api.integer(limit)) < 0:
            return self.readall()
        limit = api.check_length(limit)
        if limit > MOST:
            return self._read_pieces(limit)
        if limit:
            return self.read(limit)
        self._descriptor.check_readable()
        return b""

    def readall(self) -> bytes:
        """Read from the current position to the end of the file, however its size changes.

        :raises OSError: on failure.
        """
        return self._read_pieces(sys.maxsize)

    def _read_pieces(self, limit: int) -> bytes:
        """Read until there is no more, or so many bytes."""
        pieces = []
        with self._descriptor.position:
            expected = self.fgetsize() - self.tell()
            while limit:
                piece = self.read(min(max(expected, _CHUNK), MOST, limit))
                if not piece:
                    break
                pieces.append(piece)
                limit -= len(piece)
                expected -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readinto(self, buf: Any) -> int:
        """Read from the current position into a buffer (``glfs_read``), without a copy.

        :param buf: any writable contiguous buffer: bytearray, memoryview, array, NumPy's.
        :returns: how many bytes were read, 0 at the end of the file.
        :raises TypeError: if it is no such buffer.
        :raises OSError: on failure.
        """
        memory, size = api.memory(buf, writable=True)
        if size > MOST:
            return self._readinto_pieces(api.byte_view(buf, writable=True))
        descriptor = self._descriptor
        if not descriptor.is_readable:
            descriptor.check_readable()
        if size == 0:
            descriptor.check_open()
            return 0
        with descriptor.position:
            if descriptor.place is None:
                count: int = api.glfs_read(descriptor, memory, size, 0)
                if count:
                    return count
                again = (api.glfs_read, descriptor, memory, size, 0)
                return rereading.again_at_position(descriptor, *again)
            return descriptor.read(memory, size)

    def _readinto_pieces(self, view: memoryview) -> int:
        done = 0
        with self._descriptor.position:
            while count := self.readinto(view[done : done + MOST]):
                done += count
        return done

    def readline(self, size: Optional[int] = -1) -> bytes:
        """Read up to and with the next newline.

        Each line costs a call. :class:`io.BufferedReader` around the file is faster.

        :param size: how many bytes at most; no limit if it is negative or None.
        :raises OSError: on failure.
        """
        limit = sys.maxsize if size is None or (size := api.integer(size)) < 0 else size
        line = b""
        with self._descriptor.position:
            while len(line) < limit:
                chunk = self.read(min(_LINE, limit - len(line)))
                end = chunk.find(b"\n") + 1
                line += chunk[: end or None]
                if end:
                    self.lseek(end - len(chunk), os.SEEK_CUR)
                if end or not chunk:
                    break
        return line

    def __iter__(self) -> File:
        self._descriptor.check_open()
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def write(self, data: Any) -> int:
        """Write at the current position, or at the end in append mode (``glfs_write``).

        Nothing is copied on the way to libgfapi, and all of it is written.

        :param data: any contiguous buffer, or a str, which is stored as UTF-8.
        :returns: how many bytes were written.
        :raises TypeError: if it is neither.
        :raises OSError: on failure. The volume may keep data back and tell of a failure, as a
            full disk, only at :meth:`fsync` or :meth:`close`.
        """
        if type(data) is bytes:  # as api.memory has it, but a layer less
            memory, size = data, len(data)
        else:
            data = data.encode() if isinstance(data, str) else data
            memory, size = api.memory(data)
        descriptor = self._descriptor
        if not descriptor.is_writable:
            descriptor.check_writable()
        if not size:  # GlusterFS would change the times
            descriptor.check_open()
            return 0
        with descriptor.position:
            first = size if size < MOST else MOST
            graph = descriptor.mount.graph
            # As descriptor.write has it, but two layers less.
            if graph is not None and descriptor.place is None and not descriptor.is_appending:
                began = monotonic()
                done: int = api.glfs_write(descriptor, memory, first, 0)
                if done < first or monotonic() - began > QUICK:
                    write = (api.glfs_write, descriptor, memory, first, 0)
                    done = rewriting.after_write(descriptor, graph, done, first, *write)
            else:
                done = descriptor.write(memory, first)
            if done < size:
                self._write_rest(data, done)
        return size

    def _write_rest(self, data: Any, done: int) -> None:
        """Write what a first call has left over."""
        descriptor = self._descriptor
        view = api.byte_view(data)
        while rest := view[done : done + MOST]:
            more = descriptor.write(*api.memory(rest))
            if not more:  # it takes no more, and does not say why
                raise OSError(errno.EIO, os.strerror(errno.EIO), descriptor.path)
            done += more

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write each of ``lines``, as :meth:`io.IOBase.writelines`; see :meth:`write`."""
        for line in lines:
            self.write(line)

    readv = positional.readv
    writev = positional.writev

    # ------------------------------------------------------------------ at a given offset

    pread = positional.pread
    preadinto = positional.preadinto
    preadv = positional.preadv
    pwrite = positional.pwrite
    pwritev = positional.pwritev

    # ------------------------------------------------------------------ position

    def lseek(self, pos: int, how: int) -> int:
        """Set the position (``glfs_lseek``).

        :param pos: the offset in bytes, relative to what ``how`` says.
        :param how: :data:`os.SEEK_SET` (the beginning), :data:`os.SEEK_CUR` (the current
            position) or :data:`os.SEEK_END` (the end of the file). Or :data:`os.SEEK_DATA` or
            :data:`os.SEEK_HOLE`: the next data or the next hole at ``pos``, from the beginning,
            or behind it. The end of the file counts as a hole. These two have all that was
            written to the file before written to the bricks' disks first.
        :returns: the new position, in bytes from the beginning.
        :raises OSError: ENXIO if there are no more data, or ``pos`` is not within the file;
            EOPNOTSUPP if the volume cannot tell data from holes, as a sharded one; and others.
        """
        return self._descriptor.seek(pos, how)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position, as :meth:`io.IOBase.seek`; see :meth:`lseek`."""
        return self.lseek(offset, whence)

    def tell(self) -> int:
        """The position, in bytes from the beginning."""
        return self.lseek(0, os.SEEK_CUR)

    def seekable(self) -> bool:
        """Whether the position can be set: always.

        :raises OSError: EBADF if the file is closed.
        """
        self._descriptor.check_open()
        return True

    def readable(self) -> bool:
        """Whether the file was opened for reading.

        :raises OSError: EBADF if the file is closed.
        """
        self._descriptor.check_open()
        return self._descriptor.is_readable

    def writable(self) -> bool:
        """Whether the file was opened for writing.

        :raises OSError: EBADF if the file is closed.
        """
        self._descriptor.check_open()
        return self._descriptor.is_writable

    def isatty(self) -> bool:
        """Whether it is a terminal: never.

        :raises OSError: EBADF if the file is closed.
        """
        self._descriptor.check_open()
        return False

    def flush(self) -> None:
        """Do nothing: this file has no buffer of its own. See :meth:`fsync`.

        :raises OSError: EBADF if the file is closed.
        """
        self._descriptor.check_open()

    # ------------------------------------------------------------------ content and space

    fsync = space.fsync
    fdatasync = space.fdatasync
    ftruncate = space.ftruncate
    truncate = space.truncate
    fallocate = space.fallocate
    discard = space.discard
    zerofill = space.zerofill

    # ------------------------------------------------------------------ locks and leases

    lockf = locks.lockf
    flock = locks.flock
    lock = locks.lock
    lock_holder = locks.lock_holder
    lkowner = property(locks.get_lkowner, locks.set_lkowner)
    lease = leases.lease
    lease_type = leases.lease_type

    # ------------------------------------------------------------------ metadata

    def fstat(self) -> api.Stat:
        """The file's status (``glfs_fstat``).

        :returns: an object with the attributes of :class:`os.stat_result`.
        :raises OSError: on failure.
        """
        return self._descriptor.stat()

    def fgetsize(self) -> int:
        """The file's size in bytes, as :meth:`fstat` has it.

        :raises OSError: on failure.
        """
        return self.fstat().st_size

    def fchmod(self, mode: int) -> None:
        """Change the file's mode (``glfs_fchmod``).

        :param mode: the permission bits, as 0o644.
        :raises OSError: on failure.
        """
        api.glfs_fchmod(self._descriptor, mode)

    def fchown(self, uid: int, gid: int) -> None:
        """Change the file's owner and group (``glfs_fchown``).

        :param uid: the new owner's number, -1 to leave it.
        :param gid: the new group's number, -1 to leave it.
        :raises OSError: on failure.
        """
        api.glfs_fchown(self._descriptor, uid, gid)

    def utime(
        self, times: Optional[_Times] = None, *, ns: Optional[tuple[int, int]] = None
    ) -> None:
        """Set the times of last access and change (``glfs_futimens``), as :func:`os.utime`.

        :param times: both in seconds since the epoch (a tuple of two numbers); now, if neither
            this nor ``ns`` is given.
        :param ns: both in nanoseconds (a tuple of two int).
        :raises OSError: on failure.
        :raises TypeError: if ``times`` or ``ns`` is no tuple of two numbers.
        :raises ValueError: if both are given.
        """
        api.glfs_futimens(self._descriptor, timespecs(times, ns))

    def setattr(
        self,
        *,
        mode: Optional[int] = None,
        uid: Optional[int] = None,
        gid: Optional[int] = None,
        size: Optional[int] = None,
        times: Optional[_Times] = None,
        ns: Optional[tuple[int, int]] = None,
    ) -> None:
        """Set several attributes in one call (``glfs_fsetattr``). What is None stays as it is.

        :param mode: the permission bits, as 0o644.
        :param uid: the new owner's number, -1 to leave it.
        :param gid: the new group's number, -1 to leave it.
        :param size: the new size in bytes. GlusterFS takes no size among attributes, so this is
            :meth:`ftruncate`, a call of its own, before the other one.
        :param times: the times of last access and change, in seconds since the epoch (a tuple
            of two numbers).
        :param ns: both in nanoseconds (a tuple of two int).
        :raises OSError: on failure; some of it may have been done by then.
        :raises TypeError: if ``times`` or ``ns`` is no tuple of two numbers.
        :raises ValueError: if both are given.
        """
        attributes = attributes_of(mode, uid, gid, size, times, ns)
        if size is not None:
            self.ftruncate(attributes.glfs_st_size)
        if size is None or attributes.glfs_st_mask != api.StatMask.SIZE:
            api.glfs_fsetattr(self._descriptor, attributes)

    # ------------------------------------------------------------------ asynchronous calls

    read_async = asynchronous.read_async
    readv_async = asynchronous.readv_async
    write_async = asynchronous.write_async
    writev_async = asynchronous.writev_async
    pread_async = asynchronous.pread_async
    preadv_async = asynchronous.preadv_async
    pwrite_async = asynchronous.pwrite_async
    pwritev_async = asynchronous.pwritev_async
    ftruncate_async = asynchronous.ftruncate_async
    fsync_async = asynchronous.fsync_async
    fdatasync_async = asynchronous.fdatasync_async
    discard_async = asynchronous.discard_async
    zerofill_async = asynchronous.zerofill_async

    # ------------------------------------------------------------------ extended attributes

    @overload
    def fgetxattr(self, key: str, size: int = 0) -> str: ...

    @overload
    def fgetxattr(self, key: bytes, size: int = 0) -> bytes: ...

    def fgetxattr(self, key: Any, size: int = 0) -> Any:
        """The value of an extended attribute (``glfs_fgetxattr``).

        :param key: its name.
        :param size: the value's length in bytes if it is known; 0 finds it out.
        :returns: bytes if ``key`` is bytes. Else str, decoded with ``surrogateescape``, so that
            no byte is lost.
        :raises OSError: ENODATA if there is none; ERANGE if ``size`` is too small; and others.
        """
        return xattr.get(api.glfs_fgetxattr, self._descriptor, key=key, size=size)

    def flistxattr(self, size: int = 0) -> list[str]:
        """The names of the extended attributes (``glfs_flistxattr``).

        :param size: the length of all names with a NUL each if it is known; 0 finds it out.
        :raises OSError: ERANGE if ``size`` is too small; and others.
        """
        return xattr.names(api.glfs_flistxattr, self._descriptor, size=size)

    def fsetxattr(self, key: Union[str, bytes], value: Any, flags: int = 0) -> None:
        """Set an extended attribute (``glfs_fsetxattr``).

        :param key: its name.
        :param value: str or any contiguous buffer.
        :param flags: 0 to create or replace, :data:`os.XATTR_CREATE` (1) to fail with EEXIST if
            there is one, :data:`os.XATTR_REPLACE` (2) to fail with ENODATA if there is none.
        :raises OSError: on failure.
        """
        memory, size = xattr.encode(value)
        name = xattr.check_new(key, size, self._descriptor.path)
        api.glfs_fsetxattr(self._descriptor, name, memory, size, flags)

    def fremovexattr(self, key: Union[str, bytes]) -> None:
        """Remove an extended attribute (``glfs_fremovexattr``).

        :param key: its name.
        :raises OSError: ENODATA if there is none; and others.
        """
        name = xattr.check_key(key, self._descriptor.path)
        api.glfs_fremovexattr(self._descriptor, name)

    @property
    def xattrs(self) -> xattr.Xattrs:
        """The extended attributes as a mapping: ``file.xattrs["user.x"] = b"..."``.

        It is an :class:`Xattrs`.
        """
        functions = (self.fgetxattr, self.flistxattr, self.fsetxattr, self.fremovexattr)
        return xattr.Xattrs(self._name, *functions)


def _mode_of(descriptor: Descriptor) -> str:
    """What fopen could have opened it with."""
    both = descriptor.is_readable and descriptor.is_writable
    if descriptor.is_appending:
        return "ab+" if both else "ab"
    if both:
        return "rb+"
    return "rb" if descriptor.is_readable else "wb"


def at_end(file: File) -> File:
    """A file that was opened to append, at its end; closed if it cannot get there."""
    try:
        file.seek(0, os.SEEK_END)
    except BaseException:
        file.close()
        raise
    return file


def descriptor_of(fd: int) -> Descriptor:
    """The open descriptor with this glfd.

    :raises TypeError: if it is no integer.
    :raises OSError: EBADF if it is no open glfd.
    """
    if isinstance(fd, Glfd):
        fd.descriptor.check_open()
        return fd.descriptor
    descriptor = descriptor_at(api.check_length(fd))
    if descriptor is None:
        raise OSError(errno.EBADF, f"{fd} is no open glfd")
    return descriptor
