"""Forks at bad moments are put off.

While a thread loads or unloads a library, the loader's state is inconsistent. A child that is
forked then inherits that, and the loader ends it as soon as it mounts. GlusterFS loads its
translators when a volume is mounted, and more when it is torn down. It also sets the locale when it
is told where to log, and a child that inherits the lock of that waits for ever. And when an option
of a volume changes, libgfapi builds a new graph in a thread of its own, under locks of the process.

Parts of this package are imported when they are needed. If a thread does so at the moment of a
fork, the child waits for the end of that for ever as soon as it needs the same.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

from .gate import wait_until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: How long a fork is put off at most, in seconds: a mount may wait for a host for minutes.
LONGEST = 3.0

_DESCRIPTORS = "/proc/self/fd"
#: What libgfapi calls the file that it has open while it makes a graph of what glusterd has sent.
_VOLFILE = "/tmp/gfapi.volfile."

#: What else functions of this package import.
_IMPORTED = ("fnmatch", "glob", "re", "socket", "uuid")
# By the name of each module that a thread imports, a reference to the lock that it holds meanwhile.
_module_locks: dict[str, Any] = getattr(sys.modules["_frozen_importlib"], "_module_locks", {})

_busy: set[object] = set()  # one for each thread that is not to be forked beside
_forking: list[None] = []  # one for each fork that is about to happen
_has_mounted = False  # whether this process has, or tries to
#: Whether this process was forked off one that has mounted.
is_child = False


@contextlib.contextmanager
def none_meanwhile() -> Iterator[None]:
    """Have forks by other threads wait until the end of the ``with`` statement."""
    global _has_mounted
    mark = object()
    _has_mounted = True
    try:
        _busy.add(mark)
        # Who comes first is looked at after both have said that they are here.
        while _forking:
            _busy.discard(mark)
            wait_until(lambda: not _forking, time.monotonic() + LONGEST)
            _busy.add(mark)
        yield
    finally:
        _busy.discard(mark)


def _volfiles() -> list[int]:
    """The descriptors of volume files that libgfapi is making a graph of."""
    found = []
    with contextlib.suppress(OSError):  # there is no /proc, or no descriptor left to read it
        for name in os.listdir(_DESCRIPTORS):
            with contextlib.suppress(OSError):  # it is closed by now
                if os.readlink(f"{_DESCRIPTORS}/{name}").startswith(_VOLFILE):
                    found.append(int(name))
    return found


def _is_importing() -> bool:
    """Whether another thread is importing something of this package, or for it."""
    for name, reference in list(_module_locks.items()):
        if name.startswith("gluster.gfapi") or name in _IMPORTED:
            owner = getattr(reference(), "owner", None)
            if owner not in (None, threading.get_ident()):
                return True
    return False


def _before() -> None:
    _forking.append(None)
    deadline = time.monotonic() + LONGEST
    wait_until(lambda: not _is_importing(), deadline)
    if _has_mounted:
        wait_until(lambda: not (_busy or _volfiles()), deadline)


def _after_in_parent() -> None:
    _forking.pop()


def _after_in_child() -> None:
    global _has_mounted, is_child
    _forking.clear()
    _busy.clear()
    if _has_mounted:
        is_child = True
        for descriptor in _volfiles():  # nobody reads it here, and later forks would wait for it
            os.close(descriptor)
    _has_mounted = False


os.register_at_fork(
    before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
