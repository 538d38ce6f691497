"""What libgfapi tells of its own accord, brought to Python: upcalls of a mount, to all who listen.

libgfapi calls back on a stack of its own, where a call into it, or an end of the interpreter,
would end the process. So nothing runs there but the one line that puts the event into a queue.
A thread of this module takes it out and calls whom it concerns.

libgfapi knows one callback for each mount. So whoever wants upcalls, of whichever kind, comes
here. It never calls the callback that ``glfs_lease`` takes: a lease, too, is recalled by an upcall.
"""

from __future__ import annotations

import itertools
import os
import queue  # costs a little: import this module where it is needed, not with the package
import threading
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

    ``receive`` and what it returns are called on a thread of this module, one after the other. An
    exception that they raise is reported by :func:`sys.unraisablehook`.

    :param events: which upcalls; ``receive`` is given others too if others listen for those.
    :raises VolumeNotMounted: if it is not mounted.
    """
    pointer = mount.pointer
    with _lock:
        if mount.upcalls is None or mount.upcalls.pointer != pointer:
            mount.upcalls = Upcalls(mount, pointer)
        return mount.upcalls.add(events, receive)


class Listener:
    """One who listens.

    :ivar events: which upcalls it wants.
    :ivar receive: what they are given to.
    """

    def __init__(self, upcalls: Upcalls, events: api.UpcallEvents, receive: Receiver) -> None:
        self.events = events
        self.receive = receive
        self._upcalls = upcalls

    def close(self) -> None:
        """Have no more upcalls. One that is being told may still come. It may be closed twice."""
        self._upcalls.discard(self)


class Upcalls:
    """The upcalls of one mount, from :meth:`Mount.mount` to :meth:`Mount.umount`."""

    def __init__(self, mount: Mount, pointer: int) -> None:
        self.mount = mount
        self.pointer = pointer
        self.listeners: list[Listener] = []
        self._key = next(_keys)

    def add(self, events: api.UpcallEvents, receive: Receiver) -> Listener:
        """Register a new listener."""
        _by_key[self._key] = self
        _start()
        api.glfs_upcall_register(self.mount, events, _callback, self._key)
        listener = Listener(self, events, receive)
        self.listeners.append(listener)
        return listener

    def discard(self, listener: Listener) -> None:
        """Forget a listener, and have no upcalls that nobody wants."""
        with _lock:
            if listener not in self.listeners:
                return
            self.listeners.remove(listener)
            unwanted = listener.events
            for other in self.listeners:
                unwanted &= ~other.events
            if unwanted and self.mount.peek() == self.pointer:
                api.glfs_upcall_unregister(self.mount, unwanted)

    def end(self) -> None:
        """The mount has been settled and is about to be torn down."""
        with _lock:
            listeners, self.listeners = self.listeners, []
        api.glfs_upcall_unregister(Gate(self.pointer), api.UpcallEvents.ANY)
        _by_key.pop(self._key, None)
        for listener in listeners:
            _arrived.put((None, listener.receive))

    def read(self, event: int) -> list[Callable[[], object]]:
        """Show an upcall to all listeners and free it; what they want called after that.

        One of a volume that is unmounted is never freed: libgfapi would look for its inode.
        """
        calls = self.mount.calls
        try:
            calls.append(None)
            if self.mount.peek() != self.pointer:
                return []
            try:
                wanted = [_read(listener.receive, event) for listener in list(self.listeners)]
            finally:
                api.glfs_free(event)
        finally:
            calls.pop()
        return [call for call in wanted if call]


_keys = itertools.count(1)
_by_key: dict[int, Upcalls] = {}
_arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()  # its put takes no lock of Python's
_thread: Optional[threading.Thread] = None
_lock = threading.Lock()  # not the mount's: an unmount holds that while it waits for others


def _on_upcall(event: int, key: int) -> None:
    if not exiting.is_set():
        _arrived.put((event, key))


_callback = api.UpcallCallback(_on_upcall)  # for ever: libgfapi may call it as long as it runs


def _start() -> None:
    global _thread
    if _thread is None:
        _thread = threading.Thread(target=_tell_all, name="gfapi-upcalls", daemon=True)
        _thread.start()


def _tell_all() -> None:
    while not exiting.is_set():
        event, target = _arrived.get()
        if event is None:
            _finish(target)
        elif upcalls := _by_key.get(target):
            for call in upcalls.read(event):
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
    """After a fork, in the child: the thread is gone, and whatever it was about to tell."""
    global _arrived, _lock, _thread
    _lock = threading.Lock()
    _arrived = queue.SimpleQueue()
    _thread = None
    _by_key.clear()


os.register_at_fork(after_in_child=_forget)
