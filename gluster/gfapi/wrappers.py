"""Streams and archives around open files, which hold what is not written yet.

Python's buffers, text streams and archives write the last of it when they are closed, at the latest
when the interpreter ends. An unmount closes the files below them, and then it is too late: so it
closes what is around them first.
"""

from __future__ import annotations

import ctypes
import gc
import io
import sys
import threading
import time

from .file import File

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


def close_around(descriptors: Collection[Descriptor], deadline: float) -> list[str]:
    """Close what is around files that are open for writing, with all that it holds.

    In a thread of its own, as a file may be on a brick that hangs.

    :param deadline: the :func:`time.monotonic` time at which to give up.
    :returns: what went wrong, in words.
    """
    writable = {descriptor for descriptor in descriptors if descriptor.is_writable}
    wrappers = _outermost(writable) if writable else []
    if not wrappers:
        return []
    problems: list[str] = []
    closer = threading.Thread(
        target=_close, args=(wrappers, problems), name="gfapi-flush", daemon=True
    )
    try:
        closer.start()
    except RuntimeError:  # the interpreter is past starting threads: it exits
        _close(wrappers, problems)
    else:
        closer.join(max(0.0, deadline - time.monotonic()))
    if wrappers:
        problems.append(f"what {wrappers[0]!r} holds is not written yet")
        # The interpreter would die of a buffer that is still in use when it ends.
        for wrapper in list(wrappers):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(wrapper))
    return problems


def _close(wrappers: list[Any], problems: list[str]) -> None:
    """Close all, and take out what is closed."""
    while wrappers:
        try:
            wrappers[0].close()
        except SystemExit:  # the EBADF of a thread when the interpreter exits
            pass
        except Exception as error:
            problems.append(str(error) or repr(error))
        wrappers.pop(0)


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
