"""Holder: a descriptor that has a mandatory lock, or a lease.

A brick knows those by a name that comes with each call: that of the lock's owner, or of the lease.
libgfapi sends the name that was used last in the same *thread*. So a File would wait for its own
lock as soon as it is used in another thread, and nothing ends a call that waits for one.
"""

from __future__ import annotations

import fcntl
import os
from typing import Any, Optional

from . import api
from .descriptor import Descriptor, names_in_use
from .gate import Gate

_pointer: Any = Gate.__dict__["pointer"]  # the slot that the property below stands before


class Holder(Descriptor):
    """A descriptor whose calls are made in the names that it has, by whichever thread."""

    __slots__ = ()

    @staticmethod
    def make(descriptor: Descriptor) -> None:
        """Make a Holder of a descriptor, for good. All others pay nothing for there being any."""
        descriptor.__class__ = Holder

    @property
    def pointer(self) -> int:
        pointer: int = _pointer.__get__(self)
        if self.owner is not None and names_in_use.owner != self.owner:
            self._use_owner(pointer)
        return pointer

    @pointer.setter
    def pointer(self, pointer: int) -> None:
        _pointer.__set__(self, pointer)

    @pointer.deleter
    def pointer(self) -> None:
        _pointer.__delete__(self)

    def _use_owner(self, pointer: int) -> None:
        """Nothing but a call on a lock has libgfapi change the thread's owner."""
        question = api.Flock(fcntl.F_RDLCK, os.SEEK_SET, 0, 1, os.getpid())
        api.glfs_posix_lock(Gate(pointer, self.path), fcntl.F_GETLK, question)
        names_in_use.owner = self.owner

    def peek(self) -> Optional[int]:
        try:
            pointer: int = _pointer.__get__(self)
        except AttributeError:
            return None
        return pointer
