"""Memory that C fills or reads, without a copy."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int, c_ssize_t, c_void_p

from .structures import Iovec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_not_filled: Callable[[None, int], bytes] = ctypes.PYFUNCTYPE(
    ctypes.py_object, c_void_p, c_ssize_t
)(("PyBytes_FromStringAndSize", ctypes.pythonapi))
# Up to here it takes less time to have it filled with NULs than to call C.
_SOON_FILLED = 1 << 14


def new_bytes(size: int) -> bytes:
    """A bytes object that nobody has seen yet, for C to fill."""
    return bytes(size) if size <= _SOON_FILLED else _not_filled(None, size)


def memory(data: Any, writable: bool = False) -> tuple[Any, int]:
    """A buffer's memory for C, without a copy.

    :param data: any object with a C-contiguous buffer.
    :param writable: whether C is going to write into it.
    :returns: what a ``void *`` parameter takes, which keeps the buffer in place as long as it
        lives, and the length in bytes.
    :raises TypeError: if it is no such object.
    """
    kind = type(data)
    if kind is bytes and not writable:
        return data, len(data)
    if kind is bytearray:  # what follows has it, too, but takes longer
        array = _array_at(data)  # which keeps its size as it is from now on
        size = len(data)
        return (array if size else None), size
    view = data if kind is memoryview else memoryview(data)
    if not view.c_contiguous:
        raise TypeError("a contiguous buffer is required")
    size = view.nbytes
    if view.readonly:
        if writable:
            raise TypeError(f"a writable buffer is required, not {kind.__name__!r}")
        return (_Pinned(view) if size else None), size
    return (_array_at(view) if size else None), size


def byte_view(data: Any, writable: bool = False) -> memoryview:
    """A view of the bytes of a buffer, however many dimensions it has and whatever they are of.

    :raises TypeError: as :func:`memory`.
    """
    view = memoryview(data)  # one for all: an object may give another buffer each time
    memory(view, writable)
    if view.format in _NATIVE:
        return view.cast("B")
    pinned = _Pinned(view)
    raw: Any = (ctypes.c_char * view.nbytes).from_address(pinned.value or 0)
    raw.pinned = pinned
    return memoryview(raw)


#: The formats that a view can be cast from.
_NATIVE = frozenset(kind + code for kind in ("", "@") for code in "bBhHiIlLqQnNfdcP?")

# An array stands for its address, whatever its length: there is no need to make one of each.
_array_at = (ctypes.c_char * 0).from_buffer


def vector(views: Sequence[memoryview]) -> Any:
    """The ``struct iovec[]`` of views of bytes, which keeps them in place as long as it lives."""
    pinned = [_Pinned(view) for view in views]
    iovecs: Any = (Iovec * len(views))(*map(Iovec, (p.value for p in pinned), map(len, views)))
    iovecs.pinned = pinned
    return iovecs


class _Buffer(ctypes.Structure):
    """``Py_buffer``: ctypes' own way to a buffer takes only writable ones."""

    _fields_ = [("buf", c_void_p), ("obj", c_void_p), ("rest", ctypes.c_byte * 64)]


class _Pinned(c_void_p):
    """The address of a view's memory, which stays in place as long as this lives."""

    def __init__(self, view: memoryview) -> None:
        super().__init__()
        self._buffer = _Buffer()
        _get_buffer(view, ctypes.byref(self._buffer), 0)
        self.value = self._buffer.buf

    def __del__(self) -> None:
        buffer = getattr(self, "_buffer", None)
        if buffer is not None:  # no interrupt came before; of one that holds nothing it is harmless
            _release_buffer(ctypes.byref(buffer))


_get_buffer = ctypes.PYFUNCTYPE(c_int, ctypes.py_object, c_void_p, c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release_buffer = ctypes.PYFUNCTYPE(None, c_void_p)(("PyBuffer_Release", ctypes.pythonapi))
