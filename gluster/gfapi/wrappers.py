"""Streams and archives around open files, which hold what is not written yet.

Python's buffers, text streams and archives write the last of it when they are closed, at the latest
when the interpreter ends. An unmount closes the files below them, and then it is too late: so it
closes what is around them first.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import io
import os
import sys
import threading
import time

from .file import File
from .opened import Opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from .descriptor import Descriptor

#: By which names they have what is below them.
_BELOW = ("raw", "buffer", "fileobj", "_fp", "fp")
#: Those that are no streams, by their modules; who has not imported these has none.
_ARCHIVES = (("zipfile", "ZipFile"), ("tarfile", "TarFile"))
_MOST_LAYERS = 8
_OF_FILES = {method.__code__.co_filename for method in (File.write, Opened.close)}
#: How often is looked whether it goes on, in seconds, and how often in a row it must not. A machine
#: that is busy may keep it waiting, too.
_LOOK, _SIGNS = 0.05, 20


def close_around(descriptors: Collection[Descriptor], deadline: float) -> list[str]:
    """Close what is around files that are open for writing, with all that it holds.

    In a thread of its own, as a file may be on a brick that hangs.

    :param deadline: the :func:`time.monotonic` time at which to give up.
    :returns: what went wrong, in words.
    :raises OSError: EDEADLK if the calling thread is inside one of them: a signal's handler was
        called while it writes, and nobody else can flush a buffer meanwhile.
    """
    writable = {descriptor for descriptor in descriptors if descriptor.is_writable}
    wrappers = _outermost(writable) if writable else []
    if not wrappers:
        return []
    closer = _Closer(wrappers)
    try:
        closer.start()
    except RuntimeError:  # the interpreter is past starting threads: it exits
        closer.run()
    else:
        closer.wait(deadline)
    if closer.left:
        closer.problems.append(f"what {closer.left[0]!r} holds is not written yet")
        # The interpreter would die of a buffer that is still in use when it ends.
        for wrapper in list(closer.left):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(wrapper))
    return closer.problems


class _Closer(threading.Thread):
    """Closes streams and archives.

    :ivar left: those that are not closed yet.
    :ivar problems: what went wrong, in words.
    """

    def __init__(self, wrappers: list[Any]) -> None:
        super().__init__(name="gfapi-flush", daemon=True)
        self.left = wrappers
        self.problems: list[str] = []
        self._is_called_off = False

    def run(self) -> None:
        while self.left:
            wrapper = self.left[0]
            try:
                # First, as it does no harm if it comes about after this was called off.
                getattr(wrapper, "flush", _nothing)()
                if self._is_called_off:
                    return
                wrapper.close()
            except SystemExit:  # the EBADF of a thread when the interpreter exits
                pass
            except Exception as error:
                self.problems.append(str(error) or repr(error))
            self.left.pop(0)

    def wait(self, deadline: float) -> None:
        """Wait for the end of it.

        :param deadline: the :func:`time.monotonic` time at which to give up.
        :raises OSError: EDEADLK if it waits for the calling thread.
        """
        signs: list[Any] = []  # what it waits for, once for each look
        while self.is_alive() and (time_left := deadline - time.monotonic()) > 0:
            self.join(min(time_left, _LOOK))
            waits_for = self.left[:1] if self._waits_for_caller() else []
            signs = signs + waits_for if waits_for == signs[:1] else waits_for
            if len(signs) == _SIGNS:
                self._is_called_off = True
                raise OSError(errno.EDEADLK, os.strerror(errno.EDEADLK))

    def _waits_for_caller(self) -> bool:
        """Whether it waits in C for a lock, and nobody else is inside a file, who could have it."""
        frames = sys._current_frames()
        frames.pop(threading.get_ident(), None)
        mine = frames.pop(self.ident or 0, None)
        if mine is None or mine.f_code is not _Closer.run.__code__:
            return False
        return not any(map(_is_in_file, frames.values()))


def _nothing() -> None:
    """What an archive has instead of a flush."""


def _is_in_file(frame: Any) -> bool:
    while frame is not None and frame.f_code.co_filename not in _OF_FILES:
        frame = frame.f_back
    return frame is not None


def _outermost(writable: Collection[Descriptor]) -> list[Any]:
    """What is around files, and is itself within nothing else."""
    layers = [found for thing in _candidates() if (found := _layers(thing, writable))]
    within = {id(layer) for found in layers for layer in found[1:]}
    return [found[0] for found in layers if id(found[0]) not in within]


def _candidates() -> list[Any]:
    """All buffers, text streams and archives of this process."""
    archives = (getattr(sys.modules.get(module), name, None) for module, name in _ARCHIVES)
    wanted = (io.BufferedIOBase, io.TextIOBase, *filter(None, archives))
    is_wanted: dict[type, bool] = {}  # there may be a million objects, of some hundred types
    found = []
    for thing in gc.get_objects():
        kind = type(thing)
        if kind not in is_wanted:
            is_wanted[kind] = issubclass(kind, wanted)
        if is_wanted[kind]:
            found.append(thing)
    return found


def _layers(thing: Any, writable: Collection[Descriptor]) -> list[Any]:
    """What there is from a stream or archive down to a file; nothing if it is not around one."""
    layers: list[Any] = []
    while thing is not None and len(layers) < _MOST_LAYERS:
        layers.append(thing)
        thing = _below(thing)
        if isinstance(thing, File):
            return layers if thing._descriptor in writable else []
    return []


def _below(thing: Any) -> Any:
    for name in _BELOW:
        try:
            found = getattr(thing, name)
        except Exception:  # it has none, or no more
            continue
        if found is not None:
            return found
    return None
