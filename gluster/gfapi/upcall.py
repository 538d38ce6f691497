"""Watch and Upcall: what other clients change, told to this one."""

from __future__ import annotations

import contextlib
import errno
import functools
import operator
import os
import queue  # costs a little: Volume imports this module where it is needed
import threading
import weakref
from typing import TYPE_CHECKING, Callable, Optional, Union

from . import api, callbacks
from .exceptions import VolumeNotMounted
from .gate import Gate, Unpicklable
from .handle import Handle, hold
from .mount import Mount

if TYPE_CHECKING:
    from .volume import Volume

Callback = Callable[["Upcall"], object]

_ALL = api.UpcallEvents.INODE_INVALIDATE | api.UpcallEvents.RECALL_LEASE
_EVENT_OF = {
    api.UpcallReason.INODE_INVALIDATE: api.UpcallEvents.INODE_INVALIDATE,
    api.UpcallReason.RECALL_LEASE: api.UpcallEvents.RECALL_LEASE,
}


def poll(vol: Volume) -> Optional[Upcall]:
    """See :meth:`Volume.poll_upcall`."""
    mount, found = vol._mount, api.result_pointer()
    calls = mount.calls
    try:
        calls.append(None)
        mount.is_polled = True
        api.glfs_h_poll_upcall(mount, found)
        if not found.value:
            return None
        try:
            return Upcall(vol, Gate(found.value))
        finally:
            api.glfs_free(found.value)
    finally:
        calls.pop()


class Upcall(Unpicklable):
    """What another client did to a file, directory or link: a copy of what libgfapi tells
    (``glfs_upcall_get_event``).
    """

    __slots__ = (
        "_expire",
        "_flags",
        "_handle",
        "_lease_type",
        "_old_parent",
        "_old_parent_stat",
        "_parent",
        "_parent_stat",
        "_reason",
        "_stat",
        "_volume",
    )

    def __init__(self, vol: Volume, told: Gate) -> None:
        """Made by :meth:`Volume.watch` and :meth:`Volume.poll_upcall`."""
        if not isinstance(told, Gate):
            raise TypeError("an Upcall is made by Volume.watch or Volume.poll_upcall")
        address = told.pointer
        self._volume = vol
        self._reason = api.UpcallReason(api.glfs_upcall_get_reason(address))
        self._flags = api.UpcallFlags(0)
        self._expire = 0
        self._lease_type: Optional[api.LeaseType] = None
        self._handle: Optional[Handle] = None
        self._parent: Optional[Handle] = None
        self._old_parent: Optional[Handle] = None
        self._stat: Optional[api.Stat] = None
        self._parent_stat: Optional[api.Stat] = None
        self._old_parent_stat: Optional[api.Stat] = None
        event = api.glfs_upcall_get_event(address)
        if self._reason == api.UpcallReason.INODE_INVALIDATE:
            self._read_change(event)
        elif self._reason == api.UpcallReason.RECALL_LEASE:
            self._read_recall(event)

    def _read_change(self, event: int) -> None:
        self._flags = api.UpcallFlags(api.glfs_upcall_inode_get_flags(event))
        self._expire = api.glfs_upcall_inode_get_expire(event)
        self._stat = _given(api.glfs_upcall_inode_get_stat(event))
        self._parent_stat = _given(api.glfs_upcall_inode_get_pstat(event))
        self._old_parent_stat = _given(api.glfs_upcall_inode_get_oldpstat(event))
        self._handle = self._copy(api.glfs_upcall_inode_get_object(event), self._stat)
        parent, old_parent = self._parent_stat, self._old_parent_stat
        self._parent = self._copy(api.glfs_upcall_inode_get_pobject(event), parent)
        self._old_parent = self._copy(api.glfs_upcall_inode_get_oldpobject(event), old_parent)

    def _read_recall(self, event: int) -> None:
        self._lease_type = api.LeaseType(api.glfs_upcall_lease_get_lease_type(event))
        self._handle = self._copy(api.glfs_upcall_lease_get_object(event), None)

    def _copy(self, address: Optional[int], stat: Optional[api.Stat]) -> Optional[Handle]:
        if not address:
            return None
        return hold(self._volume._mount, None, stat, api.glfs_object_copy, Gate(address))

    def __repr__(self) -> str:
        what = repr(self._lease_type if self._lease_type is not None else self._flags)
        return f"<gluster.gfapi.Upcall {self._reason.name} {what} of {self._handle!r}>"

    @property
    def volume(self) -> Volume:
        """The :class:`Volume` that was watched. (``glfs_upcall_get_fs`` is to tell, and gives
        NULL in all versions.)
        """
        return self._volume

    @property
    def reason(self) -> api.UpcallReason:
        """Why there is an upcall (``glfs_upcall_get_reason``).

        INODE_INVALIDATE: something has changed. RECALL_LEASE: a lease is wanted back.
        """
        return self._reason

    @property
    def flags(self) -> api.UpcallFlags:
        """What has changed (``glfs_upcall_inode_get_flags``): any of SIZE, MODE, NLINK, ..."""
        return self._flags

    @property
    def handle(self) -> Optional[Handle]:
        """What has changed, or the file of the lease (``glfs_upcall_inode_get_object``,
        ``glfs_upcall_lease_get_object``), as a :class:`Handle`.
        """
        return self._handle

    @property
    def stat(self) -> Optional[api.Stat]:
        """The status after the change (``glfs_upcall_inode_get_stat``); None if it did not come
        with the upcall.
        """
        return self._stat

    @property
    def expire(self) -> int:
        """How many seconds a client may rely on what it knows of the file
        (``glfs_upcall_inode_get_expire``).
        """
        return self._expire

    @property
    def parent(self) -> Optional[Handle]:
        """The directory, if it has changed too (``glfs_upcall_inode_get_pobject``)."""
        return self._parent

    @property
    def parent_stat(self) -> Optional[api.Stat]:
        """Its status after the change (``glfs_upcall_inode_get_pstat``)."""
        return self._parent_stat

    @property
    def old_parent(self) -> Optional[Handle]:
        """Of a rename, the directory that the file was in
        (``glfs_upcall_inode_get_oldpobject``).
        """
        return self._old_parent

    @property
    def old_parent_stat(self) -> Optional[api.Stat]:
        """Its status after the change (``glfs_upcall_inode_get_oldpstat``)."""
        return self._old_parent_stat

    @property
    def lease_type(self) -> Optional[api.LeaseType]:
        """The lease that the other client is waiting for
        (``glfs_upcall_lease_get_lease_type``); None if nothing is recalled.
        """
        return self._lease_type


def _given(stat: api.Stat) -> Optional[api.Stat]:
    """A status, or None where C left it empty."""
    return stat if stat.st_mode else None


class Watch(Unpicklable):
    """What other clients change on a volume: an iterator over :class:`Upcall` objects.

    It ends when it is closed, by :meth:`close`, at the end of a ``with`` statement or by
    :meth:`Volume.umount`; and at once in a child that was forked off. There may be several on one
    volume, each of which tells everything.
    """

    def __init__(
        self, vol: Volume, callback: Optional[Callback], events: Union[api.UpcallEvents, int]
    ) -> None:
        """Made by :meth:`Volume.watch`."""
        if not isinstance(getattr(vol, "_mount", None), Mount):
            raise TypeError(f"a Volume is required, not {type(vol).__name__!r}")
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__!r}")
        number = operator.index(events)
        if number == api.UpcallEvents.ANY:
            number = _ALL  # C takes back no part of ANY
        if not 0 < number <= _ALL:
            raise OSError(errno.EINVAL, f"{os.strerror(errno.EINVAL)}: events is {number:#x}")
        wanted = api.UpcallEvents(number)
        self._vol = vol
        self._inbox = inbox = _Inbox()
        self._has_callback = callback is not None
        # The mount knows the listener, which must not know the Watch: it is to be collected when
        # it is dropped.
        owner = weakref.ref(vol)
        self._listener = callbacks.listen(
            vol._mount, wanted, lambda address: _receive(address, owner, wanted, inbox)
        )
        if callback is not None:
            # A thread of its own: whatever the callback waits for, other watches go on.
            arguments = (inbox, callback)
            threading.Thread(target=_tell, args=arguments, name="gfapi-watch", daemon=True).start()

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<gluster.gfapi.Watch of {self._vol!r}{state}>"

    def get(self, timeout: Optional[float] = None) -> Optional[Upcall]:
        """Wait for the next upcall.

        :param timeout: how long, in seconds; None for ever, 0 not at all.
        :returns: the :class:`Upcall`, or None if none came in time or the watch is closed.
        """
        return self._inbox.get(timeout)

    def __iter__(self) -> Watch:
        return self

    def __next__(self) -> Upcall:
        upcall = self._inbox.get(None)
        if upcall is None:
            raise StopIteration
        return upcall

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._inbox.is_closed or self._listener.closed

    def close(self) -> None:
        """Be told no more (``glfs_upcall_unregister``). It may be closed twice.

        What was told and not taken yet is dropped. A callback that is running goes on to its end;
        it may close its own watch.
        """
        self._inbox.close()
        self._listener.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        # With a callback, nobody needs to keep it.
        listener = getattr(self, "_listener", None)
        if listener is not None and not self._has_callback:
            listener.close_soon()


class _Inbox:
    """The upcalls that nobody has taken yet.

    :ivar is_closed: whether there are no more.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self._queue: queue.SimpleQueue[Optional[Upcall]] = queue.SimpleQueue()
        _inboxes.add(self)

    def put(self, upcall: Upcall) -> None:
        self._queue.put(upcall)

    def get(self, timeout: Optional[float]) -> Optional[Upcall]:
        """The next one, or None if it is closed or none comes in time."""
        try:
            upcall = self._queue.get(timeout != 0, timeout or None)
        except queue.Empty:
            return None
        if self.is_closed:
            self._queue.put(None)  # for whoever else waits
            return None
        return upcall

    def close(self) -> None:
        self.is_closed = True
        self._queue.put(None)

    def forget(self) -> None:
        """After a fork, in the child: nothing comes any more."""
        self._queue = queue.SimpleQueue()  # another thread may have held the old one's lock
        self.close()


def _receive(
    address: Optional[int],
    owner: weakref.ref[Volume],
    wanted: api.UpcallEvents,
    inbox: _Inbox,
) -> None:
    """Take an upcall into an inbox; None if there are no more."""
    if address is None:
        inbox.close()
        return
    vol = owner()
    if vol is None or not _EVENT_OF.get(api.glfs_upcall_get_reason(address), 0) & wanted:
        return
    with contextlib.suppress(VolumeNotMounted):  # it is being unmounted
        inbox.put(Upcall(vol, Gate(address)))


def _tell(inbox: _Inbox, callback: Callback) -> None:
    """Call back with all that comes, until it is closed."""
    while (upcall := inbox.get(None)) is not None:
        api.run_reported(functools.partial(_call, callback, upcall))


def _call(callback: Callback, upcall: Upcall) -> None:
    try:
        callback(upcall)
    except VolumeNotMounted:
        if upcall.volume.mounted:  # else the end of the watch has overtaken it
            raise


def _forget_all() -> None:
    for inbox in list(_inboxes):
        inbox.forget()


_inboxes: weakref.WeakSet[_Inbox] = weakref.WeakSet()
os.register_at_fork(after_in_child=_forget_all)
