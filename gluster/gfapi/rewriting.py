"""Writes that a change of the volume's graph may have swallowed are made again.

A call that libgfapi has begun before such a change goes on in the old graph, even if it has to wait
for the change. Write-behind says there that it is written, while the graph is torn down; what does
not reach the bricks in time is lost, and a sync, which asks the new graph, does not tell.

So whoever writes looks afterwards whether the graph is still the same. It has been, if the write
was quick: a change asks the bricks several times.
"""

from __future__ import annotations

import os
from time import monotonic, sleep

from . import api, graphs
from .exceptions import VolumeNotMounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .descriptor import Descriptor
    from .mount import Mount

    _Write = Callable[..., int]

#: Seconds that a write takes at least whose graph is another one afterwards.
QUICK = 1e-4
_FRESH = 1.0  # seconds for which the end of a file is believed to be known
_TRIES, _PAUSE = 5, 0.01  # how often the graph is asked for, and seconds in between


def known_graph(mount: Mount) -> int:
    """The number of the graph as far as it is known, or 0."""
    graph = mount.graph
    return _graph_now(mount, 0) if graph is None else graph


def _graph_now(mount: Mount, known: int) -> int:
    for _ in range(_TRIES):
        try:
            return graphs.active(mount)
        except VolumeNotMounted:  # from now on; nothing can be written any more
            return known
        except OSError:  # in the middle of a change
            sleep(_PAUSE)
    mount.graph = 0
    return 0


def at(descriptor: Descriptor, function: _Write, *arguments: Any) -> int:
    """Write at an offset or, if that is how the file is open, at its end, with ``position`` held.

    :param function: ``glfs_pwrite`` or ``glfs_pwritev``, and what it gets.
    :returns: how many bytes were written.
    """
    if not descriptor.is_appending:
        return at_offset(descriptor.mount, function, *arguments)
    return at_end(descriptor, function, *arguments)


def at_offset(mount: Mount, function: _Write, *arguments: Any) -> int:
    """Write at an offset, and once more if the graph has changed.

    :param function: ``glfs_pwrite`` or one like it, and what it gets.
    :returns: how many bytes were written.
    """
    graph, began = known_graph(mount), monotonic()
    count = function(*arguments)
    if monotonic() - began > QUICK:
        while graph != (graph := _graph_now(mount, graph)):
            count = function(*arguments)
    return count


def at_position(descriptor: Descriptor, size: int, function: _Write, *arguments: Any) -> int:
    """Write where libgfapi is in the file, and once more if the graph has changed.

    It is called with ``position`` held.

    :param size: how many bytes there are to be written.
    :param function: ``glfs_write`` or ``glfs_writev``, and what it gets.
    :returns: how many bytes were written.
    """
    graph, began = known_graph(descriptor.mount), monotonic()
    count = function(*arguments)
    if count < size or monotonic() - began > QUICK:
        count = after_write(descriptor, graph, count, size, function, *arguments)
    return count


def after_write(
    descriptor: Descriptor, graph: int, count: int, size: int, function: _Write, *arguments: Any
) -> int:
    """The part of :func:`at_position` that comes after a write which was short, or not quick.

    :param graph: which one was known before.
    :param count: how many bytes were written. If a brick took only a part, libgfapi is behind all
        that it was given nevertheless, unless that part is nothing.
    """
    while graph != (graph := _graph_now(descriptor.mount, graph)):
        if count:
            api.glfs_lseek(descriptor, -size, os.SEEK_CUR)
        count = function(*arguments)
    if 0 < count < size:
        api.glfs_lseek(descriptor, count - size, os.SEEK_CUR)
    return count


def at_end(descriptor: Descriptor, function: _Write, *arguments: Any) -> int:
    """Append, and once more if the graph has changed and just that is missing from the file.

    If others append to it or cut it as well, that does not tell. It is called with ``position``
    held.

    :param function: any function that writes, and what it gets.
    :returns: how many bytes were written.
    """
    mount = descriptor.mount
    graph, began = known_graph(mount), monotonic()
    if began - descriptor.end_known_at > _FRESH:
        _look_for_end(descriptor, began)
    count = function(*arguments)
    descriptor.end += count
    if monotonic() - began > QUICK:
        while graph != (graph := _graph_now(mount, graph)):
            descriptor.sync()
            if descriptor.stat().st_size == descriptor.end - count:
                descriptor.end -= count
                count = function(*arguments)
                descriptor.end += count
    return count


def _look_for_end(descriptor: Descriptor, now: float) -> None:
    try:
        descriptor.end, descriptor.end_known_at = descriptor.stat().st_size, now
    except OSError:  # what fails is told by the write, or by a sync
        descriptor.end = 0
