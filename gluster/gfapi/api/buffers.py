"""Memory that C fills or reads, without a copy."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int, c_ssize_t, c_void_p

from .structures import Iovec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

new_bytes: Callable[[None, int], bytes] = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)
new_bytes.__doc__ = """A bytes object that nobody has seen yet, for C to fill: ``(None, size)``."""


def memory(data: Any, writable: bool = False) -> tuple[Any, int]:
    """A buffer's memory for C, without a copy.

    :param data: any object with a C-contiguous buffer.
    :param writable: whether C is going to write into it.
    :returns: what a ``void *`` parameter takes, which keeps the buffer in place as long as it
        lives, and the length in bytes.
    :raises TypeError: if it is no such object.
    """
    if type(data) is bytes and not writable:
        return data, len(data)
    view = memoryview(data)
    if not view.c_contiguous:
        raise TypeError("a contiguous buffer is required")
    if view.readonly and writable:
        raise TypeError(f"a writable buffer is required, not {type(data).__name__!r}")
    if not view.nbytes:
        return None, 0
    if view.readonly:
        return _Pinned(view), view.nbytes
    return ctypes.byref(ctypes.c_char.from_buffer(view)), view.nbytes


def vector(views: Sequence[memoryview]) -> Any:
    """The ``struct iovec[]`` of views of bytes, which keeps them in place as long as it lives."""
    pinned = [_Pinned(view) for view in views]
    iovecs: Any = (Iovec * len(views))(*map(Iovec, (p.buf for p in pinned), map(len, views)))
    iovecs.pinned = pinned
    return iovecs


class _Pinned(ctypes.Structure):
    """``Py_buffer``: ctypes' own way to a buffer takes only writable ones."""

    _fields_ = [("buf", c_void_p), ("obj", c_void_p), ("rest", ctypes.c_byte * 64)]

    def __init__(self, view: memoryview) -> None:
        super().__init__()
        _get_buffer(view, ctypes.byref(self), 0)

    @property
    def _as_parameter_(self) -> c_void_p:
        return c_void_p(self.buf)

    def __del__(self) -> None:
        _release_buffer(ctypes.byref(self))


_get_buffer = ctypes.PYFUNCTYPE(c_int, ctypes.py_object, c_void_p, c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release_buffer = ctypes.PYFUNCTYPE(None, c_void_p)(("PyBuffer_Release", ctypes.pythonapi))
