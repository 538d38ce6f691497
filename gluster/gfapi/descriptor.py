"""Descriptor: an open glfd, made to behave like one of the kernel's where libgfapi's does not."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import operator
import os
import threading
import warnings
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from . import api
from .gate import Gate, Unpicklable, bad_descriptor

if TYPE_CHECKING:
    from .leases import Lease
    from .mount import Mount


Self = TypeVar("Self", bound="Opened")

_owners_exist = False  # whether any descriptor of this process has had a lock owner
_NOBODY = b"nobody"  # the owner of what has none when it is closed


class _Names(threading.local):
    """What libgfapi sends with the calls of this thread."""

    owner: Optional[bytes] = None


names_in_use = _Names()


class Descriptor(Gate):
    """An open glfd of a mount.

    :ivar mount: the Mount that it belongs to.
    :ivar flags: what it was opened with, as :data:`os.O_RDWR`.
    :ivar is_directory: whether ``glfs_closedir`` closes it.
    :ivar is_readable: whether that allows reading. GlusterFS looks at it too late: of a file open
        for writing, it gives out what it has in memory.
    :ivar is_writable: whether that allows writing. Of a file open for reading, GlusterFS takes the
        data, and refuses them when nobody waits for them any more.
    :ivar position: held by a call that uses the descriptor's own position, as the kernel does
        for its descriptors: two threads never read or write the same place.
    :ivar is_at_end: whether the position is the end of the file, which libgfapi does not know
        after it has appended.
    :ivar owner: whose its locks are, or None as long as that does not matter.
    :ivar lease: the lease that it has or had.
    :ivar may_have_locks: whether it has taken a lock since it last unlocked all.
    """

    __slots__ = (
        "flags",
        "is_at_end",
        "is_directory",
        "is_readable",
        "is_writable",
        "lease",
        "may_have_locks",
        "mount",
        "owner",
        "position",
    )

    def __init__(
        self, mount: Mount, pointer: int, path: Any, flags: int, is_directory: bool
    ) -> None:
        super().__init__(pointer, path)
        self.mount = mount
        self.flags = flags
        self.is_directory = is_directory
        access = flags & os.O_ACCMODE
        self.is_readable = access in (os.O_RDONLY, os.O_RDWR)
        self.is_writable = access in (os.O_WRONLY, os.O_RDWR)
        self.is_at_end = False
        self.position = threading.RLock()
        self.owner: Optional[bytes] = None
        self.may_have_locks = False
        self.lease: Optional[Lease] = None
        mount.descriptors.add(self)

    def check_open(self) -> None:
        """Raise EBADF if it is closed."""
        if not self.is_open:
            raise bad_descriptor(self.path)

    def check_range(self, *numbers: int) -> None:
        """Raise EBADF if it is closed, and EINVAL if an offset or length is negative.

        No brick is to see one: with some kinds of volume it does harm there.
        """
        self.check_open()
        if min(numbers) < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), self.path)

    def stat(self) -> api.Stat:
        """The status of what is open."""
        stat = api.Stat()
        api.glfs_fstat(self, stat)
        return stat

    def seek(self, offset: int, whence: int) -> int:
        """Set the position, and return it. libgfapi itself goes to places before the beginning."""
        offset = operator.index(offset)
        with self.position:
            if whence == os.SEEK_CUR:
                self.find_end()
                here: int = api.glfs_lseek(self, 0, os.SEEK_CUR)
                if not offset:
                    return here
                whence, offset = os.SEEK_SET, here + offset
            elif whence == os.SEEK_END:
                whence, offset = os.SEEK_SET, self.stat().st_size + offset
            self.check_range(offset)
            position: int = api.glfs_lseek(self, offset, whence)
            self.is_at_end = False
        return position

    def find_end(self) -> None:
        """Go to the end of the file if that is where the position should be."""
        if self.is_at_end:
            api.glfs_lseek(self, 0, os.SEEK_END)
            self.is_at_end = False

    def close(self, deadline: float = float("inf")) -> None:
        """Let the calls inside finish, then close.

        :param deadline: the :func:`time.monotonic` time at which to give up and leave it open.
        :raises OSError: EBADF if it is closed already, or what C's close says.
        """
        pointer = self.shut()
        if pointer is None:
            raise bad_descriptor(self.path)
        try:
            if not self.drain(deadline):
                raise OSError(errno.ETIMEDOUT, "a call did not end in time", self.path)
        except BaseException:
            self.pointer = pointer
            raise
        try:
            gate = Gate(pointer, self.path)
            if self.lease is not None:
                self.lease.end(gate)
            if _owners_exist:
                self._let_locks_go(gate)
            close = api.glfs_closedir if self.is_directory else api.glfs_close
            close(gate)
        finally:
            # Whatever close said: a second one on the same pointer kills the process.
            self.mount.descriptors.discard(self)

    def find_owner(self) -> bytes:
        """Whose its locks are: its own, unless it was told otherwise."""
        if self.owner is None:
            self.set_owner(self.pointer.to_bytes(8, "big"))  # two threads agree on that
        return self.owner or _NOBODY

    def set_owner(self, owner: bytes) -> None:
        """Say whose its locks are."""
        global _owners_exist
        _owners_exist = True
        api.glfs_fd_set_lkowner(self, owner, len(owner))
        self.owner = owner

    def _let_locks_go(self, gate: Gate) -> None:
        """Unlock all before close does it: that may be done with before the brick has heard of it.

        And close lets those locks go whose owner is this descriptor's, or, if it has none, the one
        that this thread used last: that is another's.
        """
        if self.is_directory:
            return
        names_in_use.owner = self.owner or _NOBODY
        if self.owner is None:
            api.glfs_fd_set_lkowner(gate, _NOBODY, len(_NOBODY))
        elif self.may_have_locks:
            with contextlib.suppress(OSError):  # what close says is what counts
                whole = api.Flock(fcntl.F_UNLCK, os.SEEK_SET, 0, 0, os.getpid())
                api.glfs_posix_lock(gate, fcntl.F_SETLK, whole)

    def forget(self) -> None:
        super().forget()
        if self.lease is not None:
            self.lease.forget()
        self.position = threading.RLock()


class Opened(Unpicklable):
    """What is open until it is closed: a File or a Dir."""

    _descriptor: Descriptor

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return not self._descriptor.is_open

    @property
    def _state(self) -> str:
        return " closed" if self.closed else ""

    def close(self) -> None:
        """Let calls of other threads on it finish, then close it (``glfs_close``,
        ``glfs_closedir``).

        :raises OSError: EBADF if it is closed already; for a file also what became known of
            earlier writes, as ENOSPC or EDQUOT. It is closed then too.
        """
        self._descriptor.close()

    def __enter__(self: Self) -> Self:
        self._descriptor.check_open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self.closed:
            self.close()

    def __del__(self) -> None:
        descriptor = getattr(self, "_descriptor", None)
        if descriptor is not None and descriptor.is_open:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            self.close()
