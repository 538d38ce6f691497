"""Descriptor: an open glfd, made to behave like one of the kernel's where libgfapi's does not."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import itertools
import os
import stat as stat_module
import threading

from . import api, replicas, rereading, rewriting
from .exceptions import VolumeNotMounted
from .gate import Gate, bad_descriptor, not_open_for_it
from .opened import Opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, TypeVar, Union

    from .leases import Lease
    from .mount import Mount
    from .workers import Backlog

    T = TypeVar("T")


#: What a single call moves at most, in bytes. Bricks and translators hold it in memory as a whole,
#: and refuse 1 GiB.
MOST = 1 << 27

#: In the place of a ``position`` where none need be held.
NO_LOCK: Any = contextlib.nullcontext()

#: An earlier time than any.
NEVER = float("-inf")

#: A place: where the file ends when somebody asks.
AT_END = -1
# By access mode: whether it allows reading, and writing.
_ALLOWED = {
    os.O_RDONLY: (True, False),
    os.O_WRONLY: (False, True),
    os.O_RDWR: (True, True),
    os.O_ACCMODE: (False, False),
}
_owners_exist = False  # whether any descriptor of this process has had a lock owner
# Lock owners of 4 bytes, as those that libgfapi itself uses: longer ones take the room of
# supplementary groups, in all later calls of the thread.
_owners = itertools.count(1)
_NOBODY = b"\xff\xff\xff\xff"  # the owner of what has none when it is closed


class _Names(threading.local):
    """What libgfapi sends with the calls of this thread."""

    owner: Optional[bytes] = None
    has_lease_id = False  # or had: it cannot be taken away
    lease_id: Optional[bytes] = None

    def set_lease_id(self, lease_id: Optional[bytes]) -> None:
        """Send this with them from now on; None for what is anybody's."""
        self.has_lease_id, self.lease_id = True, lease_id
        api.glfs_setfsleaseid(lease_id)


names_in_use = _Names()


class Descriptor(Gate):
    """An open glfd of a mount.

    :ivar mount: the Mount that it belongs to.
    :ivar flags: what it was opened with, as :data:`os.O_RDWR`.
    :ivar backlog: its asynchronous calls, from the first one on.
    :ivar is_directory: whether ``glfs_closedir`` closes it.
    :ivar is_over: whether the iterator of scandir that has opened it has come to its end.
    :ivar end: where the file ends if nobody else writes, once it has appended.
    :ivar end_known_at: the :func:`time.monotonic` time at which that was looked for.
    :ivar is_readable: whether that allows reading. GlusterFS looks at it too late: of a file open
        for writing, it gives out what it has in memory.
    :ivar is_writable: whether that allows writing. Of a file open for reading, GlusterFS takes the
        data, and refuses them when nobody waits for them any more.
    :ivar is_appending: whether it has each write go to the end of the file.
    :ivar position: held by a call that uses the descriptor's own position, as the kernel does
        for its descriptors: two threads never read or write the same place.
    :ivar place: the position, from the moment on that libgfapi does not know it: after it has
        appended, and as soon as there are calls at given offsets, which move its own. None as
        long as libgfapi keeps it.
    :ivar owner: whose its locks are, or None as long as that does not matter.
    :ivar inode: the file's inode number, by which descriptors of one file are known; 0 if nobody
        has asked for its status yet.
    :ivar lease: the lease that it has or had.
    :ivar may_have_locks: whether it has taken a lock since it last unlocked all.
    :ivar missed: the errno of writes to the file that failed, if another descriptor of it was told.
    :ivar opened_as: the path that it was opened by, if errors name another one.
    :ivar start: the working directory when it was opened, or None for the root.
    """

    # What most descriptors never have is of the class, as each open file pays for its own.
    backlog: Optional[Backlog] = None
    end = 0
    end_known_at = NEVER
    inode = 0
    is_directory = False
    is_over = False
    lease: Optional[Lease] = None
    may_have_locks = False
    missed: Optional[int] = None
    opened_as: Optional[Union[str, bytes]] = None
    owner: Optional[bytes] = None
    place: Optional[int] = None

    def __init__(self, mount: Mount, pointer: int, path: Any, flags: int) -> None:
        self.calls = []  # all that Gate has to do, without its call
        self.path = path
        self.address = pointer
        self.mount = mount
        self.start = mount.cwd
        self.flags = flags
        self.is_readable, self.is_writable = _ALLOWED[flags & os.O_ACCMODE]
        self.is_appending = flags & os.O_APPEND != 0
        self.position = threading.RLock()
        mount.descriptors.add(self)

    @functools.cached_property
    def own_owner(self) -> bytes:
        """A lock owner that no other of this process has: its own, unless it is told otherwise."""
        return (next(_owners) % 0xFFFFFFFE + 1).to_bytes(4, "big")

    @property
    def is_waited_for(self) -> bool:
        return bool(self.calls) or self.backlog is not None

    @property
    def is_closed(self) -> bool:
        """Whether it is closed, or will be as soon as its asynchronous calls are over."""
        return not self.is_open or (self.backlog is not None and self.backlog.closer is not None)

    def check_open(self) -> None:
        """Raise EBADF if it is closed."""
        if not self.is_open:
            raise bad_descriptor(self.path)

    def check_readable(self) -> None:
        """Raise EBADF if it is closed, or not open for reading."""
        self.check_open()
        if not self.is_readable:
            raise not_open_for_it(self.path)

    def check_writable(self) -> None:
        """Raise EBADF if it is closed, or not open for writing."""
        self.check_open()
        if not self.is_writable:
            raise not_open_for_it(self.path)

    def check_range(self, *numbers: int) -> None:
        """Raise EBADF if it is closed, and EINVAL if an offset or length is negative.

        No brick is to see one: with some kinds of volume it does harm there.
        """
        if self.address is None:
            self.check_open()
        if min(numbers) < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), self.path)

    def check_no_directory(self) -> None:
        """Raise EISDIR if what is open is a directory."""
        if stat_module.S_ISDIR(self.stat().st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self.path)

    def stat(self) -> api.Stat:
        """The status of what is open."""
        stat = api.Stat()
        api.glfs_fstat(self, stat)
        if not self.inode:
            self.inode = stat.st_ino
        return stat

    def sync(self, function: Optional[Callable[..., Any]] = None) -> None:
        """Have all that was written to the file with the bricks.

        What asks a brick past write-behind would miss what that translator holds back. Nothing
        less than this surely waits for all of it: a status may come from memory.

        :param function: the C function, ``glfs_fdatasync`` by default.
        :raises OSError: on failure, also of earlier writes.
        """
        function = function or api.glfs_fdatasync
        self._settle(function, self, None, None)
        if replicas.is_one_away(self.mount):  # that it lacks this is not noted yet
            self._flush()
            self._settle(function, self, None, None)  # which waits for its end

    def duplicate(self, make: Callable[[Descriptor], T]) -> T:
        """Open the same file once more, with a position of its own (``glfs_dup``).

        :param make: makes of the new descriptor what is returned, as for :meth:`Mount.open`.
        """

        def of_same(duplicate: Descriptor) -> T:
            duplicate.inode, duplicate.start = self.inode, self.start
            duplicate.opened_as = self.opened_as
            return make(duplicate)

        path = "" if self.path is None else self.path
        return self.mount.open(api.glfs_dup, path, self.flags, self, make=of_same)

    def _flush(self) -> None:
        """Have replication note what it has put off; the file stays open.

        It does that at a flush, which libgfapi sends when it closes, and only if it has already put
        the last call's off. Of a write it does so before it answers, of a sync after that.
        """
        duplicate = self.duplicate(Opened)
        try:
            with duplicate:
                if self.is_writable:
                    api.glfs_pwrite(duplicate._descriptor, None, 0, 0, 0, None, None)
        except OSError:
            self.missed = None  # it is told now
            raise

    def _settle(self, function: Callable[..., Any], gate: Gate, *arguments: Any) -> None:
        """Make a call that tells of earlier writes that failed.

        Write-behind forgets them as soon as it has told one descriptor of the file, whichever
        asks first. The kernel tells each one once, and so do we.
        """
        try:
            function(gate, *arguments)
        except OSError as error:
            if gate.is_open:  # else it is not C that says so
                self.missed = None
                self._tell_others(error)
            raise
        missed, self.missed = self.missed, None
        if missed is not None:
            raise OSError(missed, os.strerror(missed), self.path)

    def _tell_others(self, error: OSError) -> None:
        if self.is_directory:
            return
        for other in list(self.mount.descriptors):
            if other is not self and other.is_writable and self._is_of_same_file(other):
                other.missed = error.errno

    def _is_of_same_file(self, other: Descriptor) -> bool:
        mine = self._number()
        its = other._number() if mine else 0
        return mine == its if its else self.whole_path() == other.whole_path()

    def _number(self) -> int:
        """The file's inode number, from memory if possible; 0 if nobody can tell it."""
        with contextlib.suppress(OSError, VolumeNotMounted):
            if not self.inode and self.is_open:
                self.stat()
            elif not self.inode:  # a close that failed has left nothing to ask but the path
                stat = api.Stat()
                api.glfs_stat(self.mount, self.whole_path(), stat)
                self.inode = stat.st_ino
        return self.inode

    def whole_path(self) -> bytes:
        """Where the file was when it was opened."""
        path = self.path if self.opened_as is None else self.opened_as
        return os.path.normpath(os.path.join(self.start or b"/", os.fsencode(path or b"")))

    def call_it(self, name: Union[str, bytes]) -> None:
        """Have errors name it so from now on."""
        if self.opened_as is None:
            self.opened_as = self.path
        self.path = name

    # ------------------------------------------------------------------ the position
    # All of these but seek, settle_end and keep_place are called with ``position`` held.

    def here(self) -> int:
        """The position, in bytes from the beginning."""
        if self.place is None:
            position: int = api.glfs_lseek(self, 0, os.SEEK_CUR)
            return position
        if self.place == AT_END:
            self.place = self.stat().st_size
        self.check_open()
        return self.place

    def settle_end(self) -> None:
        """Have the position after an append be where that ended, before the file's size changes."""
        if self.place == AT_END:
            with self.position:
                self.here()

    def keep_place(self) -> None:
        """Keep the position here from now on, for a call that moves libgfapi's."""
        if self.place is None:
            with self.position:
                if self.place is None:
                    self.place = self.here()

    def seek(self, offset: int, whence: int) -> int:
        """Set the position, and return it. libgfapi itself goes to places before the beginning."""
        offset = offset if type(offset) is int else api.integer(offset)
        whence = whence if type(whence) is int else api.integer(whence)
        with self.position:
            if whence:
                if whence == os.SEEK_CUR:
                    here = self.here()
                    if not offset:
                        return here
                    whence, offset = os.SEEK_SET, here + offset
                elif whence == os.SEEK_END:
                    if self.is_writable and not self.is_appending:
                        # A read that a write was overtaken by has told md-cache a size from
                        # before, and what is written there next would be in the wrong place.
                        self.sync()
                    whence, offset = os.SEEK_SET, self.stat().st_size + offset
                elif whence in (os.SEEK_DATA, os.SEEK_HOLE):
                    whence, offset = os.SEEK_SET, self._find(offset, whence)
            if offset < 0:
                self.check_range(offset)
            api.glfs_lseek(self, offset, whence)
            if self.place is not None:
                self.place = offset
        return offset

    def _find(self, offset: int, whence: int) -> int:
        """Where the next data or the next hole begins."""
        self.sync()
        if not 0 <= offset < self.stat().st_size:  # not every kind of volume minds
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), self.path)
        found: int = api.glfs_lseek(self, offset, whence)
        if self.place is not None:
            # libgfapi reads its answer from the position that calls at given offsets move.
            while found != (again := api.glfs_lseek(self, offset, whence)):
                found = again
        return found

    def read(self, memory: Any, size: int) -> int:
        """Read at the position, and move it."""
        if self.place is None:
            return self._read_on(api.glfs_read, self, memory, size, 0)
        here = self.here()
        arguments = (self, memory, size, here, 0, None)
        return self._advance(rereading.at_offset(self, here, api.glfs_pread, *arguments))

    def write(self, memory: Any, size: int) -> int:
        """Write at the position, and move it."""
        if self.place is None or self.is_appending:
            return self._go_on(size, api.glfs_write, self, memory, size, 0)
        arguments = (self, memory, size, self.here(), 0, None, None)
        return self._advance(rewriting.at_offset(self.mount, api.glfs_pwrite, *arguments))

    def readv(self, vector: Any) -> int:
        """Read at the position into several buffers, and move it."""
        if self.place is None:
            return self._read_on(api.glfs_readv, self, vector, len(vector), 0)
        here = self.here()
        arguments = (self, vector, len(vector), here, 0)
        return self._advance(rereading.at_offset(self, here, api.glfs_preadv, *arguments))

    def _read_on(self, read: Callable[..., int], *arguments: Any) -> int:
        """Read where libgfapi is."""
        return read(*arguments) or rereading.again_at_position(self, read, *arguments)

    def writev(self, vector: Any) -> int:
        """Write several buffers at the position, and move it."""
        if self.place is None or self.is_appending:
            size = sum(part.iov_len for part in vector)
            return self._go_on(size, api.glfs_writev, self, vector, len(vector), 0)
        arguments = (self, vector, len(vector), self.here(), 0)
        return self._advance(rewriting.at_offset(self.mount, api.glfs_pwritev, *arguments))

    def _go_on(self, size: int, write: Callable[..., int], *arguments: Any) -> int:
        """Write where libgfapi is, or append."""
        if not self.is_appending:
            return rewriting.at_position(self, size, write, *arguments)

        def append(*arguments: Any) -> int:
            count = write(*arguments)
            self.place = AT_END
            return count

        return rewriting.at_end(self, append, *arguments)

    def _advance(self, count: int) -> int:
        assert self.place is not None
        self.place += count
        return count

    # ------------------------------------------------------------------ the end

    def close(self, deadline: float = float("inf")) -> None:
        """Let the asynchronous calls and those inside finish, then close.

        :param deadline: the :func:`time.monotonic` time at which to give up and leave it open.
        :raises OSError: EBADF if it is closed already, EDEADLK if the calling thread is inside, or
            what C's close says.
        """
        self.refuse_deadlock()
        calls = self.calls  # noqa: F841 - by which is_inside knows that this thread is here
        kept: list[int] = []
        closer = object()
        try:
            if self.backlog and self.is_open:
                self.backlog.close(closer, deadline)
            self.finish(self._close, kept, deadline, self.mount.descriptors)
            if self.backlog and self.backlog.closer is None:  # the first call came in between
                self.backlog.close(closer, deadline)
        except BaseException as error:
            self.has_failed = bool(kept) and isinstance(error, OSError)
            if self.backlog and self.is_open:
                self.backlog.reopen(closer)
            raise

    def drop(self) -> None:
        """Close what nothing was done with; nobody wants to know what C says of it."""

        def close(gate: Gate, kept: list[int]) -> None:
            if _owners_exist:
                self._let_locks_go(gate)
            api.glfs_close(gate, kept)

        with contextlib.suppress(OSError):
            self.finish(close, [], float("inf"), self.mount.descriptors)

    def _close(self, gate: Gate, kept: list[int]) -> None:
        if self.lease is not None:
            self.lease.end(gate)
        if _owners_exist:
            self._let_locks_go(gate)
        self._settle(api.glfs_closedir if self.is_directory else self._close_file, gate, kept)

    def _close_file(self, gate: Gate, kept: list[int]) -> None:
        try:
            api.glfs_close(gate, kept)
        except OSError as error:
            # A file that was only read, from memory, is opened on a brick when it is closed, and
            # may have been removed or replaced by then.
            if self.is_writable or error.errno not in (errno.ENOENT, errno.ESTALE):
                raise

    def cut(self) -> None:
        """Cut a file that was just opened; see :func:`gluster.gfapi.arguments.flags_to_cut`."""
        api.glfs_ftruncate(self, 0, None, None)

    def find_owner(self) -> bytes:
        """Whose its locks are: its own, unless it was told otherwise."""
        if self.owner is None:
            self.set_owner(self.own_owner)
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
        if self.backlog:
            self.backlog.forget()


class DirectoryDescriptor(Descriptor):
    """What the functions for directories have opened."""

    is_directory = True
