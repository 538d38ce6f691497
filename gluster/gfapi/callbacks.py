"""What libgfapi tells of its own accord, brought to Python: upcalls of a mount, to all who listen.

libgfapi calls back on a stack of its own, where a call into it, or an end of the interpreter,
would end the process. So no Python runs there, of which even one line might collect garbage and
close what is part of it: C calls the method of a queue that is C itself. A thread of the mount
takes the event out and calls whom it concerns.

libgfapi knows one callback for each mount. So whoever wants upcalls, of whichever kind, comes
here. It never calls the callback that ``glfs_lease`` takes: a lease, too, is recalled by an upcall.
"""

from __future__ import annotations

import collections
import functools
import os
import queue  # costs a little: import this module where it is needed, not with the package
import threading
import weakref
from typing import TYPE_CHECKING, Any, Callable, Optional

from . import api
from .gate import Gate, exiting

if TYPE_CHECKING:
    from .mount import Mount

#: Reads an upcall, whose address it is given and may not keep, and returns what is to be called
#: with no argument once that is done, or None. It is given None, and nothing more comes, when the
#: volume has been unmounted.
Receiver = Callable[[Optional[int]], Optional[Callable[[], object]]]


def listen(mount: Mount, events: api.UpcallEvents, receive: Receiver) -> Listener:
    """Have upcalls of a mount given to ``receive`` until the Listener is closed.

    ``receive`` and what it returns are called on the mount's own thread, one after the other. An
    exception that they raise is reported by :func:`sys.unraisablehook`.

    :param events: which upcalls; ``receive`` is given others too if others listen for those.
    :raises VolumeNotMounted: if it is not mounted.
    """
    pointer = mount.pointer
    with _lock:
        if mount.upcalls is None or mount.upcalls.pointer != pointer:
            mount.upcalls = Upcalls(mount, pointer)
        return mount.upcalls.add(mount, events, receive)


class Listener:
    """One who listens.

    :ivar events: which upcalls it wants.
    :ivar receive: what they are given to.
    """

    def __init__(self, upcalls: Upcalls, events: api.UpcallEvents, receive: Receiver) -> None:
        self.events = events
        self.receive = receive
        self._upcalls = upcalls

    @property
    def closed(self) -> bool:
        """Whether no more upcalls are read for it."""
        return self not in self._upcalls.listeners

    def close(self) -> None:
        """Have no more upcalls. One that is being told may still come. It may be closed twice."""
        self._upcalls.discard(self)

    def close_soon(self) -> None:
        """The same on the mount's own thread, for a ``__del__``, which must not wait."""
        if not self.closed:  # else that thread may be gone, and would not take it
            self._upcalls.arrived.put(self.close)


class Upcalls:
    """The upcalls of one mount, from :meth:`Mount.mount` to :meth:`Mount.umount`.

    :ivar arrived: what the thread is to do: the address of an upcall to tell, a function to call,
        or None to end.
    """

    def __init__(self, mount: Mount, pointer: int) -> None:
        # The mount knows this, and who drops the mount is to have it unmounted at once.
        self._mount = weakref.ref(mount)
        self.pointer = pointer
        self.listeners: list[Listener] = []
        self.arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._callback = api.UpcallCallback(self.arrived.put)
        _callbacks[id(self._callback)] = self._callback
        arguments = (self.arrived, weakref.ref(self))
        threading.Thread(
            target=_tell_all, args=arguments, name="gfapi-upcalls", daemon=True
        ).start()

    def add(self, mount: Mount, events: api.UpcallEvents, receive: Receiver) -> Listener:
        """Register a new listener."""
        api.glfs_upcall_register(mount, events, self._callback, None)
        listener = Listener(self, events, receive)
        self.listeners.append(listener)
        return listener

    def discard(self, listener: Listener) -> None:
        """Forget a listener, and have no upcalls that nobody wants."""
        mount = self._mount()
        if mount is None:
            return
        with _lock:
            if listener not in self.listeners:
                return
            self.listeners.remove(listener)
            unwanted = listener.events
            for other in self.listeners:
                unwanted &= ~other.events
            if unwanted and mount.peek() == self.pointer:
                api.glfs_upcall_unregister(mount, unwanted)

    def end(self) -> None:
        """The mount has been settled and is about to be torn down."""
        with _lock:
            listeners, self.listeners = self.listeners, []
        api.glfs_upcall_unregister(Gate(self.pointer), api.UpcallEvents.ANY)
        for listener in listeners:
            self.arrived.put(functools.partial(_finish, listener.receive))
        self.arrived.put(None)

    def forget(self) -> None:
        """The glfs is gone."""
        _callbacks.pop(id(self._callback), None)

    def read(self, event: int) -> list[Callable[[], object]]:
        """Show an upcall to all listeners and free it; what they want called after that.

        One of a volume that is unmounted is never freed: libgfapi would look for its inode.
        """
        mount = self._mount()
        if mount is None:
            return []
        calls = mount.calls
        try:
            calls.append(None)
            if mount.peek() != self.pointer:
                return []
            try:
                wanted = [_read(listener.receive, event) for listener in list(self.listeners)]
            finally:
                api.glfs_free(event)
        finally:
            calls.pop()
        return [call for call in wanted if call]


def drop_kept(glfs: Gate) -> None:
    """Free the upcalls that libgfapi has kept to be polled, and have it keep no more."""
    # As long as there is a callback it keeps none.
    api.glfs_upcall_register(glfs, api.UpcallEvents.ANY, _into_nothing, None)
    in_vain = 0
    # For one of a file that is gone it gives out none, as for none: ask until it is sure.
    while in_vain < _IN_VAIN:
        found = api.result_pointer()
        api.glfs_h_poll_upcall(glfs, found)
        in_vain = 0 if found.value else in_vain + 1
        if found.value:
            api.glfs_free(found.value)
    api.glfs_upcall_unregister(glfs, api.UpcallEvents.ANY)


_lock = threading.RLock()  # not the mount's: an unmount holds that while it waits for others

_IN_VAIN = 10_000
_into_nothing = api.UpcallCallback(collections.deque(maxlen=0).append)
# Those that libgfapi may call, by their ids: until a glfs is gone, whoever has forgotten it.
_callbacks: dict[int, Any] = {}


def _tell_all(arrived: queue.SimpleQueue[Any], owner: weakref.ref[Upcalls]) -> None:
    while not exiting.is_set():
        item = arrived.get()
        if item is None:
            return
        if isinstance(item, int):
            _tell(item, owner())
        else:
            item()


def _tell(event: int, upcalls: Optional[Upcalls]) -> None:
    for call in upcalls.read(event) if upcalls else ():
        api.run_reported(call)


def _finish(receive: Receiver) -> None:
    last = _read(receive, None)
    if last:
        api.run_reported(last)


def _read(receive: Receiver, event: Optional[int]) -> Optional[Callable[[], object]]:
    wanted: list[Optional[Callable[[], object]]] = [None]

    def read() -> None:
        wanted[0] = receive(event)

    api.run_reported(read)
    return wanted[0]


def _forget() -> None:
    """After a fork, in the child: another thread may have held it."""
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_forget)
