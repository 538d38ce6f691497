"""Turns: the calls on a descriptor or handle that has a mandatory lock or a lease.

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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from .objects import HeldObject


class Turns(list[None]):
    """Stands in for ``calls`` of one of these: whoever comes in takes its names on.

    All others pay nothing for there being any of this kind.
    """

    def __init__(self, descriptor: Union[Descriptor, HeldObject]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.earlier = descriptor.calls  # those that are inside by now

    @classmethod
    def take(cls, descriptor: Union[Descriptor, HeldObject]) -> None:
        """Have each call on it made in its names from now on."""
        if not isinstance(descriptor.calls, cls):
            descriptor.calls = cls(descriptor)

    def __bool__(self) -> bool:
        return len(self) > 0 or bool(self.earlier)

    def append(self, call: None) -> None:
        super().append(call)
        descriptor = self._descriptor
        if descriptor.lease is not None and not descriptor.lease.released:
            names_in_use.set_lease_id(descriptor.lease.id)
        if isinstance(descriptor, Descriptor):
            self._use_owner(descriptor)

    @staticmethod
    def _use_owner(descriptor: Descriptor) -> None:
        """Nothing but a call on a lock has libgfapi change the thread's owner."""
        if descriptor.owner is None or names_in_use.owner == descriptor.owner:
            return
        question = api.Flock(fcntl.F_RDLCK, os.SEEK_SET, 0, 1, os.getpid())
        gate = Gate(descriptor.pointer, descriptor.path)
        api.glfs_posix_lock(gate, fcntl.F_GETLK, question)
        names_in_use.owner = descriptor.owner
