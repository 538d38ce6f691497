"""Forks at bad moments are put off.

While a thread loads or unloads a library, the loader's state is inconsistent. A child that is
forked then inherits that, and the loader ends it as soon as it mounts. GlusterFS loads its
translators when a volume is mounted, and more when it is torn down. It also sets the locale when it
is told where to log, and a child that inherits the lock of that waits for ever.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from .gate import wait_until

#: How long a fork is put off at most, in seconds: a mount may wait for a host for minutes.
LONGEST = 3.0

_busy: set[object] = set()  # one for each thread that is not to be forked beside
_forking: list[None] = []  # one for each fork that is about to happen


@contextlib.contextmanager
def none_meanwhile() -> Iterator[None]:
    """Have forks by other threads wait until the end of the ``with`` statement."""
    mark = object()
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


def _before() -> None:
    _forking.append(None)
    wait_until(lambda: not _busy, time.monotonic() + LONGEST)


def _after_in_parent() -> None:
    _forking.pop()


def _after_in_child() -> None:
    _forking.clear()
    _busy.clear()


os.register_at_fork(
    before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
