"""Locks: of ranges as :func:`fcntl.lockf`, of whole files as :func:`fcntl.flock`.

:class:`~gluster.gfapi.file.File` lists the functions as its methods.

A call that waits within libgfapi can be ended by nobody: not by Ctrl-C, not by a close. So no lock
is waited for there. It is asked for again and again, with growing pauses.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator

from . import api
from .arguments import checked_timeout
from .descriptor import Descriptor, names_in_use
from .gate import bad_descriptor, wait_until
from .turns import Turns
from .typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .file import File

_LARGEST_OFFSET = (1 << 63) - 1
_LONGEST_OWNER = 91  # what has room in the header of a request, without supplementary groups
_KINDS = {
    fcntl.LOCK_SH: fcntl.F_RDLCK,
    fcntl.LOCK_EX: fcntl.F_WRLCK,
    fcntl.LOCK_UN: fcntl.F_UNLCK,
}


class LockHolder(NamedTuple):
    """A lock that is in the way of another, from :meth:`File.lock_holder`.

    :ivar type: :data:`fcntl.LOCK_SH` or :data:`fcntl.LOCK_EX`.
    :ivar start: the first byte that it covers.
    :ivar length: how many bytes it covers; 0 for all to the end of the file, however it grows.
    :ivar pid: the number of the process that took it, on the host that this runs on.
    """

    type: int
    start: int
    length: int
    pid: int


class _Range(NamedTuple):
    """What a lock covers, from the beginning of the file."""

    start: int
    length: int


# The names of the parameters are those of fcntl.lockf.


def lockf(
    file: File,
    cmd: int,
    len: int = 0,
    start: int = 0,
    whence: int = os.SEEK_SET,
    *,
    timeout: Optional[float] = None,
    mandatory: bool = False,
) -> None:
    """Lock or unlock a range (``glfs_posix_lock``, ``glfs_file_lock``), as :func:`fcntl.lockf`.

    A lock belongs to :attr:`lkowner`, which each File has of its own: two Files exclude each
    other, whether they are of one process or of two. Locking again what the File has locked
    replaces that, so it makes a shared lock exclusive or the other way round. Closing the File
    lets all its locks go, and so does the death of the process.

    :param cmd: :data:`fcntl.LOCK_SH` to share the range with other readers,
        :data:`fcntl.LOCK_EX` to have it alone, :data:`fcntl.LOCK_UN` to unlock it. With
        ``| fcntl.LOCK_NB`` it does not wait.
    :param len: how many bytes; 0 for all to the end of the file, however it grows. If it is
        negative, the bytes before ``start``.
    :param start: the first byte, relative to what ``whence`` says.
    :param whence: :data:`os.SEEK_SET`, :data:`os.SEEK_CUR` or :data:`os.SEEK_END`.
    :param timeout: how long to wait at most, in seconds; None for ever. Ctrl-C, and closing the
        File in another thread, end the waiting. Whoever waits asks again and again, so it is not
        who came first that gets the lock.
    :param mandatory: whether the lock keeps all others from reading and writing, not only from
        locking. The volume's option ``locks.mandatory-locking`` has to be ``optimal`` or
        ``forced``: else it does not. A call that it keeps back waits within libgfapi, where nothing
        ends it, unless its file was opened with :data:`os.O_NONBLOCK`.
    :raises BlockingIOError: with LOCK_NB, if another has locked any of it.
    :raises TimeoutError: if the time is over.
    :raises OSError: EBADF if the File is closed, or not open for reading (LOCK_SH) or for writing
        (LOCK_EX); EINVAL if the range begins before the file; and others.
    :raises ValueError: if ``cmd`` is none of these, or ``timeout`` is negative, NaN or given with
        LOCK_NB.
    """
    descriptor = file._descriptor
    cmd, mandatory = api.integer(cmd), bool(mandatory)
    kind = _kind(cmd)
    deadline = _deadline(cmd, timeout)
    _check_access(descriptor, kind)
    span = _range(descriptor, len, start, whence)
    _lock(descriptor, kind, span, deadline, api.LockMode(mandatory))


def flock(file: File, operation: int, *, timeout: Optional[float] = None) -> None:
    """Lock or unlock the whole file (``glfs_posix_lock``), as :func:`fcntl.flock`.

    It is :meth:`lockf` of the range from the beginning to the end, however it grows, but for one
    thing: as with :func:`fcntl.flock`, the File may be open for reading or for writing.

    :param operation: as ``cmd`` of :meth:`lockf`.
    :param timeout: as that of :meth:`lockf`.
    :raises OSError: as :meth:`lockf`, and :exc:`ValueError`.
    """
    descriptor = file._descriptor
    operation = api.integer(operation)
    kind = _kind(operation)
    deadline = _deadline(operation, timeout)
    _lock(descriptor, kind, _Range(0, 0), deadline, api.LockMode.ADVISORY)


@contextlib.contextmanager
def lock(
    file: File,
    exclusive: bool = True,
    len: int = 0,
    start: int = 0,
    whence: int = os.SEEK_SET,
    *,
    timeout: Optional[float] = None,
    mandatory: bool = False,
) -> Iterator[File]:
    """Hold a lock for the time of a ``with`` statement (``glfs_posix_lock``).

    The same range is unlocked at the end, also after an exception, with whatever of it the File
    had locked before. If the File is closed by then, there is nothing left to unlock.

    :param exclusive: whether it is :data:`fcntl.LOCK_EX`; else it is :data:`fcntl.LOCK_SH`.
    :param len: as that of :meth:`lockf`, like all that follow.
    :returns: a context manager, which gives the File.
    :raises OSError: as :meth:`lockf`.
    """
    descriptor = file._descriptor
    cmd = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    span = _range(descriptor, len, start, whence)  # once: the position may move meanwhile
    lockf(file, cmd, span.length, span.start, timeout=timeout, mandatory=mandatory)
    try:
        yield file
    finally:
        if descriptor.is_open:
            lockf(file, fcntl.LOCK_UN, span.length, span.start)


def lock_holder(
    file: File,
    cmd: int = fcntl.LOCK_EX,
    len: int = 0,
    start: int = 0,
    whence: int = os.SEEK_SET,
) -> Optional[LockHolder]:
    """Whose lock is in the way (``glfs_posix_lock`` with F_GETLK).

    :param cmd: the lock that one would like, :data:`fcntl.LOCK_SH` or :data:`fcntl.LOCK_EX`.
    :param len: as that of :meth:`lockf`, like all that follow.
    :returns: a :class:`LockHolder`, one of them if there are several; None if there is none, and
        the File could take the lock. Its own locks are never in the way.
    :raises OSError: on failure.
    :raises ValueError: if ``cmd`` is neither of these.
    """
    cmd = api.integer(cmd)
    if cmd not in (fcntl.LOCK_SH, fcntl.LOCK_EX):
        raise ValueError(f"cmd is {cmd!r}; it must be LOCK_SH or LOCK_EX")
    descriptor = file._descriptor
    span = _range(descriptor, len, start, whence)
    found = _call(descriptor, fcntl.F_GETLK, _KINDS[cmd], span, api.LockMode.ADVISORY)
    if found.l_type == fcntl.F_UNLCK:
        return None
    type_ = fcntl.LOCK_SH if found.l_type == fcntl.F_RDLCK else fcntl.LOCK_EX
    return LockHolder(type_, found.l_start, found.l_len, found.l_pid)


def get_lkowner(file: File) -> bytes:
    """Whose the locks are that the File takes (``glfs_fd_set_lkowner``): 1 to 91 bytes, not all 0.

    A File has 4 bytes of its own, unless others are set. Files of one Volume with the same owner
    do not exclude each other, and closing one of them lets the locks of all go. Files of two
    Volumes, or of two processes, exclude each other whatever their owners.

    Each byte beyond the fourth takes the room of one of the 87 supplementary groups that a request
    may have, in all later calls of a thread that has used the File.

    :raises OSError: EBADF if the File is closed; EBUSY when it is set and the File may have
        locks, which would be nobody's then.
    :raises ValueError: when it is set to no bytes or zeros, or to more than fit into a request.
        libgfapi takes 255, and no call of that thread succeeds any more.
    """
    file._descriptor.check_open()
    return file._descriptor.find_owner()


def set_lkowner(file: File, owner: bytes) -> None:
    """The setter of :attr:`File.lkowner`."""
    descriptor = file._descriptor
    value = bytes(memoryview(owner))
    if not value.strip(b"\0") or len(value) > _LONGEST_OWNER:
        raise ValueError(f"a lock owner has 1 to {_LONGEST_OWNER} bytes, not all of them 0")
    if descriptor.may_have_locks and value != descriptor.owner:
        raise OSError(errno.EBUSY, "the file may have locks, which belong to its owner", file.name)
    descriptor.set_owner(value)


def _kind(cmd: int) -> int:
    """What C calls the kind of lock that ``cmd`` names."""
    kind = _KINDS.get(cmd & ~fcntl.LOCK_NB)
    if kind is None:
        raise ValueError(f"{cmd!r} is none of LOCK_SH, LOCK_EX, LOCK_UN, and these | LOCK_NB")
    return kind


def _deadline(cmd: int, timeout: Optional[float]) -> Optional[float]:
    """When to give up; None to ask only once."""
    if timeout is None:
        return None if cmd & fcntl.LOCK_NB else float("inf")
    if cmd & fcntl.LOCK_NB:
        raise ValueError("LOCK_NB does not wait, so it takes no timeout")
    return time.monotonic() + checked_timeout(timeout)


def _check_access(descriptor: Descriptor, kind: int) -> None:
    """GlusterFS locks a file whatever it was opened for."""
    is_fit = {
        fcntl.F_RDLCK: descriptor.is_readable,
        fcntl.F_WRLCK: descriptor.is_writable,
        fcntl.F_UNLCK: True,
    }
    if not is_fit[kind]:
        raise bad_descriptor(descriptor.path)


def _range(descriptor: Descriptor, length: int, start: int, whence: int) -> _Range:
    """The range that is meant. libgfapi takes each ``whence`` for SEEK_SET."""
    length, start, whence = api.integer(length), api.integer(start), api.integer(whence)
    if whence == os.SEEK_CUR:
        start += descriptor.seek(0, os.SEEK_CUR)
    elif whence == os.SEEK_END:
        start += descriptor.stat().st_size
    elif whence != os.SEEK_SET:
        raise ValueError(f"whence is {whence!r}; it must be SEEK_SET, SEEK_CUR or SEEK_END")
    if length < 0:
        start, length = start + length, -length
    descriptor.check_range(start)
    if start + length > _LARGEST_OFFSET:
        raise OverflowError("the range goes beyond the largest offset, 2 ** 63 - 1")
    return _Range(start, length)


def _lock(
    descriptor: Descriptor,
    kind: int,
    span: _Range,
    deadline: Optional[float],
    mode: api.LockMode,
) -> None:
    if mode is api.LockMode.MANDATORY and kind != fcntl.F_UNLCK:
        Turns.take(descriptor)

    def is_taken() -> bool:
        try:
            _call(descriptor, fcntl.F_SETLK, kind, span, mode)
        except BlockingIOError:
            if deadline is None:
                raise
            return False
        return True

    if not wait_until(is_taken, float("inf") if deadline is None else deadline):
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), descriptor.path)


def _call(
    descriptor: Descriptor, command: int, kind: int, span: _Range, mode: api.LockMode
) -> api.Flock:
    owner = descriptor.find_owner()
    flock = api.Flock(kind, os.SEEK_SET, span.start, span.length, os.getpid())
    if command == fcntl.F_SETLK and kind != fcntl.F_UNLCK:
        descriptor.may_have_locks = True
    names_in_use.owner = owner
    if mode is api.LockMode.MANDATORY:
        api.glfs_file_lock(descriptor, command, flock, mode)
    else:
        api.glfs_posix_lock(descriptor, command, flock)
    if kind == fcntl.F_UNLCK and span == (0, 0):
        descriptor.may_have_locks = False
    return flock
