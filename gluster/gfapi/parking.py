"""Threads that rest until another one has work for them.

No lock is held while Python runs: Ctrl-C may strike a thread anywhere, and must leave nothing
behind that others wait for. All rests on deques, whose methods are atomic.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def park(
    resting: deque[Any], is_needed: Callable[[], object], timeout: float = threading.TIMEOUT_MAX
) -> bool:
    """Wait until somebody wakes this thread.

    :param resting: where those are who rest: each has a lock of his own in there.
    :param is_needed: asked once more when others can see that it rests, so that no job that was
        added in between is overlooked.
    :param timeout: how long, in seconds.
    :returns: whether it is needed; False at the end of the time.
    """
    bed = threading.Lock()
    bed.acquire()
    resting.append(bed)
    try:
        if is_needed() or bed.acquire(timeout=timeout):
            return True
    finally:
        with contextlib.suppress(ValueError):  # woken
            resting.remove(bed)
    return bool(is_needed())


def unpark(resting: deque[Any]) -> bool:
    """Wake one that rests; whether there was any."""
    try:
        resting.popleft().release()
    except IndexError:
        return False
    return True
