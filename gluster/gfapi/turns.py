"""Turns: the calls on a descriptor that has a mandatory lock or a lease.

A brick knows those by a name that comes with each call: that of the lock's owner, or of the lease.
libgfapi sends the names that were used last in the same *thread*. So a File would wait for its own
lock as soon as it is used in another thread, and nothing ends a call that waits for one.
"""

from __future__ import annotations

import fcntl
import os

from . import api
from .descriptor import Descriptor, names_in_use
from .gate import Gate


class Turns(list[None]):
    """Stands in for ``calls`` of a descriptor: whoever comes in takes its names on.

    All other descriptors pay nothing for there being any of this kind.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._earlier = descriptor.calls  # those that are inside by now

    @classmethod
    def take(cls, descriptor: Descriptor) -> None:
        """Have each call on a descriptor made in its names from now on."""
        if not isinstance(descriptor.calls, cls):
            descriptor.calls = cls(descriptor)

    def __bool__(self) -> bool:
        return len(self) > 0 or bool(self._earlier)

    def append(self, call: None) -> None:
        super().append(call)
        descriptor = self._descriptor
        if descriptor.lease is not None and not descriptor.lease.released:
            api.glfs_setfsleaseid(descriptor.lease.id)
        if descriptor.owner is not None and names_in_use.owner != descriptor.owner:
            self._use_owner(descriptor)

    @staticmethod
    def _use_owner(descriptor: Descriptor) -> None:
        """Nothing but a call on a lock has libgfapi change the thread's owner."""
        question = api.Flock(fcntl.F_RDLCK, os.SEEK_SET, 0, 1, os.getpid())
        gate = Gate(descriptor.pointer, descriptor.path)
        api.glfs_posix_lock(gate, fcntl.F_GETLK, question)
        names_in_use.owner = descriptor.owner
