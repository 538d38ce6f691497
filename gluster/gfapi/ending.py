"""The end of a ``glfs``: ``glfs_fini`` in the background, for not too many of them at a time.

``glfs_fini`` takes as long as the oldest timers of the ``glfs`` still run, which is up to ten
seconds, and one more. Until then it keeps its threads and most of its memory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time

from . import api, forks
from .exceptions import LibgfapiException
from .gate import Gate, Token, exiting, wait_until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Callable, Optional

#: How long it is put off, so that a script that exits right away never starts it, in seconds.
FINI_DELAY = 1.0
#: How many may be under way when a volume is mounted. Each has 2 MB, 6 threads and 4 descriptors
#: of its process for 11 seconds, and more on a volume of many bricks.
MOST_ENDING = 32
#: How long is waited for one that does not come to its end, in seconds.
FINI_TIMEOUT = 60.0


class Ending(threading.Thread):
    """Tears a glfs down that nobody uses any more."""

    def __init__(self, pointer: int, afterwards: Optional[Callable[[], object]]) -> None:
        super().__init__(name="glfs_fini", daemon=True)
        self.pointer = pointer
        self.afterwards = afterwards
        self.is_wanted = threading.Event()
        self.token = Token()  # taken by the thread, or by who calls it off before

    def run(self) -> None:
        if not self.token.take():
            return
        try:
            self.is_wanted.wait(FINI_DELAY)
            if not exiting.is_set():
                with contextlib.suppress(OSError), forks.none_meanwhile():
                    api.keep_translators()
                with contextlib.suppress(OSError):  # it tells of frames, not whether it ended
                    api.glfs_fini(Gate(self.pointer))
                if self.afterwards:
                    self.afterwards()
        finally:
            _ending.discard(self)

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end, or will never begin.

        An interrupted ``join`` has Python think that a thread is over.
        """
        return self not in _ending


_ending: set[Ending] = set()


def end_in_background(pointer: int, afterwards: Optional[Callable[[], object]] = None) -> Ending:
    """Tear a glfs down that nobody uses any more.

    It is left as it is if no thread can be started, as when the interpreter exits.

    :param afterwards: called when it is gone.
    """
    ending = Ending(pointer, afterwards)
    try:
        _ending.add(ending)
        ending.start()
    except RuntimeError:
        _ending.discard(ending)
    except BaseException:  # an interrupt, and nobody knows whether the thread starts
        if ending.token.take():
            _ending.discard(ending)
        raise
    return ending


def is_ending(pointer: int) -> bool:
    """Whether a glfs is being torn down, or about to be."""
    return any(ending.pointer == pointer for ending in list(_ending))


def wait_for_room() -> None:
    """Wait as long as too many are under way.

    An unmount need not: it only ever makes a mount smaller. One that never ends, by a fault of
    GlusterFS, delays mounts and prevents none.
    """
    if len(_ending) < MOST_ENDING:
        return
    for ending in list(_ending):
        ending.is_wanted.set()
    deadline = time.monotonic() + FINI_TIMEOUT
    wait_until(lambda: len(_ending) < MOST_ENDING or exiting.is_set(), deadline)


def wait_for(endings: Iterable[Ending]) -> None:
    """Wait until some are over.

    :raises LibgfapiException: if one does not come to its end.
    """
    endings = list(endings)
    deadline = time.monotonic() + FINI_TIMEOUT
    for ending in endings:
        ending.is_wanted.set()
    if not wait_until(lambda: all(ending.is_over for ending in endings), deadline):
        raise LibgfapiException(
            f"umount: glfs_fini did not end within {FINI_TIMEOUT:g} seconds", errno.ETIMEDOUT
        )
    for ending in endings:
        if ending.is_alive():  # one that could not be started is not
            ending.join()


os.register_at_fork(after_in_child=_ending.clear)
