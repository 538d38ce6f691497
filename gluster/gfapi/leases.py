"""Leases: be asked before another client does what one's own caches would not know of.

A lease is known to the bricks by an id, which comes with each call of its holder. libgfapi sends
the id of the calling *thread* (``glfs_setfsleaseid``), and the bricks block every call on the file
that has another. So a File with a lease sets it at each call, whichever thread makes it.

It stays set, as there is no way back: an id that was reset is sent as an empty one, which the
bricks take for anybody's. So all leases of a process have the same id. Were there several, a file
opened with one could not be leased with another, as its own open would be in the way.
"""

from __future__ import annotations

import contextlib
import errno
import os

from . import api
from .descriptor import Descriptor
from .gate import Gate, Unpicklable, bad_descriptor
from .turns import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    from .callbacks import Listener
    from .file import File
    from .mount import Mount
    from .objects import HeldObject

    OnRecall = Callable[["Lease"], object]
    #: The C call, which gets the mount, the file or handle, and what is asked for.
    Ask = Callable[[Gate, Gate, api.Lease], object]


class Lease(Unpicklable):
    """A lease that this process has, from :meth:`File.lease` or :meth:`Handle.lease`.

    In a ``with`` statement it is given back at the end.

    :ivar type: its :class:`~gluster.gfapi.api.LeaseType`.
    :ivar id: what the bricks know it by (bytes).
    :ivar recalled: whether it has been asked for.
    """

    def __init__(
        self,
        mount: Mount,
        gate: Gate,
        ask: Ask,
        inode: int,
        type: api.LeaseType,
        on_recall: Optional[OnRecall] = None,
    ) -> None:
        """Take a lease.

        :param gate: the file or handle.
        :param inode: the inode number of that.
        """
        from . import callbacks  # whoever takes no lease need not wait for this import

        if not (isinstance(mount, Gate) and isinstance(gate, Gate)):
            raise TypeError("a Lease is taken by File.lease or Handle.lease")
        self.type = _checked_type(type)
        self.id = _id
        self.recalled = False
        self._mount, self._gate, self._ask = mount, gate, ask
        self._glfs = mount.pointer  # an unmount shuts the mount before it closes what is leased
        self._inode = inode
        self._on_recall = on_recall
        self._listener: Optional[Listener] = callbacks.listen(
            mount, api.UpcallEvents.RECALL_LEASE, self._receive
        )
        try:
            _request(self._call, api.LeaseCommand.SET, self.type, self.id)
        except BaseException:
            self._listener.close()
            raise

    def _call(self, request: api.Lease) -> None:
        self._ask(self._mount, self._gate, request)

    @property
    def released(self) -> bool:
        """Whether it has been given back."""
        return self._listener is None

    def release(self) -> None:
        """Give it back (``glfs_lease``, ``glfs_h_lease``). If it has been, nothing happens.

        :raises OSError: on failure.
        """
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
            _request(self._call, api.LeaseCommand.UNLK, self.type, self.id)

    def end(self, gate: Gate) -> None:
        """Give it back when its file or handle is about to be closed.

        :param gate: that one's, for this alone.
        """
        if not isinstance(gate, Gate):
            raise TypeError(f"a Gate is required, not {type(gate).__name__!r}")
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
            with contextlib.suppress(OSError):  # what close says is what counts
                request = api.Lease(api.LeaseCommand.UNLK, self.type, self.id, 0)
                self._ask(Gate(self._glfs), gate, request)

    def forget(self) -> None:
        """After a fork, in the child: it is the parent's."""
        self._listener = None

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()

    def __repr__(self) -> str:
        state = " released" if self.released else " recalled" if self.recalled else ""
        return f"<gluster.gfapi.Lease {self.type.name} id={self.id!r}{state}>"

    def _receive(self, event: Optional[int]) -> Optional[Callable[[], object]]:
        """Read an upcall; it may be about the lease of another file."""
        if event is None or api.glfs_upcall_get_reason(event) != api.UpcallReason.RECALL_LEASE:
            return None
        handle = bytearray(api.HANDLE_LENGTH)
        leased = Gate(api.glfs_upcall_lease_get_object(api.glfs_upcall_get_event(event)))
        api.glfs_h_extract_handle(leased, *api.memory(handle, writable=True))
        is_ours = int.from_bytes(handle[8:], "big") == self._inode
        if not is_ours or self.recalled or self.released:  # each brick asks, and once is enough
            return None
        self.recalled = True
        return self._answer

    def _answer(self) -> None:
        if self._on_recall is None:
            self.release()
        else:
            self._on_recall(self)


def lease(
    file: File,
    type: api.LeaseType,
    on_recall: Optional[OnRecall] = None,
) -> Lease:
    """Take a lease on the file (``glfs_lease``), as :data:`fcntl.F_SETLEASE` does.

    The volume's option ``features.leases`` has to be on. As long as there is the lease, the bricks
    hold every call of another process on the file back. They ask for the lease then, and take it
    away when ``features.lease-lock-recall-timeout`` (60 s) is over. Closing the File gives it back.

    A lease is the process's: its own Files do not exclude each other. But a thread that has made
    no call on a File with a lease counts as another process's. Only who has an id for leases, as
    from :meth:`Volume.setfsleaseid`, may read what another has a lease of the type RD on.

    :param type: :attr:`LeaseType.RD <gluster.gfapi.api.LeaseType.RD>`, which others may have too,
        for a File that is open for reading; or ``RW``, for one open for writing.
    :param on_recall: called with the Lease when it is asked for. It may use the File, and has to
        call :meth:`Lease.release` soon, or see to it. It runs on a thread of the volume's, which
        serves all its leases; what it raises is reported by :func:`sys.unraisablehook`. Without it,
        the lease is given back at once.
    :returns: a :class:`Lease`.
    :raises BlockingIOError: if an open file or lease of another is in the way.
    :raises OSError: ENOSYS if leases are off; EBADF if the File is closed, or not open for what
        the lease is about; EBUSY if this File has a lease; and others.
    :raises ValueError: if ``type`` is neither of these.
    """
    descriptor = file._descriptor
    _check_access(descriptor, _checked_type(type))
    if descriptor.lease is not None and not descriptor.lease.released:
        raise OSError(errno.EBUSY, "the file has a lease already", descriptor.path)

    inode = descriptor.stat().st_ino
    Turns.take(descriptor)
    descriptor.lease = Lease(descriptor.mount, descriptor, _ask_file, inode, type, on_recall)
    return descriptor.lease


def lease_of_object(
    held: HeldObject, type_: api.LeaseType, on_recall: Optional[OnRecall] = None
) -> Lease:
    """Take a lease on what a handle holds; see :meth:`Handle.lease`."""
    _checked_type(type_)
    if held.lease is not None and not held.lease.released:
        raise OSError(errno.EBUSY, "the handle has a lease already", held.path)
    stat = api.Stat()
    api.glfs_h_stat(held.mount, held, stat)
    Turns.take(held)
    held.lease = Lease(held.mount, held, _ask_object, stat.st_ino, type_, on_recall)
    return held.lease


def lease_type(file: File) -> api.LeaseType:
    """Which lease there is on the file, whoever has it (``glfs_lease``).

    :returns: NONE, RD or RW, as :class:`~gluster.gfapi.api.LeaseType` has them.
    :raises OSError: ENOSYS if leases are off; and others.
    """
    descriptor = file._descriptor

    def ask(request: api.Lease) -> None:
        _ask_file(descriptor.mount, descriptor, request)

    return _request(ask, api.LeaseCommand.GET, api.LeaseType.NONE, _id)


def _ask_file(mount: Gate, descriptor: Gate, request: api.Lease) -> None:
    api.glfs_lease(descriptor, request, _never_called, None)


def _ask_object(mount: Gate, held: Gate, request: api.Lease) -> None:
    api.glfs_h_lease(mount, held, request)


def _request(
    ask: Callable[[api.Lease], object],
    command: api.LeaseCommand,
    type_: api.LeaseType,
    lease_id: bytes,
) -> api.LeaseType:
    request = api.Lease(command, type_, lease_id, 0)
    try:
        ask(request)
    except OSError as error:
        raise _in_words(error) from None
    is_rw = request.lease_type & api.LeaseType.RW
    return api.LeaseType.RW if is_rw else api.LeaseType(request.lease_type)


_never_called = api.RecallCallback(lambda lease, data: None)  # in place of NULL, to be safe


def _in_words(error: OSError) -> OSError:
    """What the leases translator's numbers mean."""
    if error.errno == errno.EPERM:
        return OSError(
            errno.EAGAIN, "an open file or lease of another is in the way", error.filename
        )
    if error.errno == errno.ENOSYS:
        return OSError(error.errno, "the volume's option features.leases is off", error.filename)
    return error


def _checked_type(type_: api.LeaseType) -> api.LeaseType:
    checked = api.LeaseType(type_)
    if checked is api.LeaseType.NONE:
        raise ValueError("a lease is of the type RD or RW")
    return checked


def _check_access(descriptor: Descriptor, type_: api.LeaseType) -> None:
    descriptor.check_open()
    if not (descriptor.is_readable if type_ is api.LeaseType.RD else descriptor.is_writable):
        raise bad_descriptor(descriptor.path)


def _new_id() -> bytes:
    """A new id: bricks compare them as strings of C, with a NUL at the end."""
    return os.urandom(api.LEASE_ID_SIZE - 1).replace(b"\0", b"\1")


def _forget() -> None:
    """After a fork, in the child: it is another client."""
    global _id
    _id = _new_id()


_id = _new_id()
os.register_at_fork(after_in_child=_forget)
