"""Extended attributes: what paths and open files have in common."""

from __future__ import annotations

import errno
import os
from typing import Any, Callable, Union

from . import api

Value = Union[str, bytes]


def get(function: Callable[..., int], *target: Any, key: Any, size: int) -> Value:
    """The value of an attribute: ``bytes`` for a key of ``bytes``, else ``str``.

    :param function: ``glfs_getxattr`` or ``glfs_fgetxattr``.
    :param target: what the function takes before the key.
    :param size: the length of the value in bytes, if the caller knows it, or 0.
    """
    value = _fetch(lambda memory, room: function(*target, key, memory, room), size)
    return value if isinstance(key, bytes) else os.fsdecode(value)


def names(function: Callable[..., int], *target: Any, size: int) -> list[str]:
    """The names of all attributes.

    :param function: ``glfs_listxattr`` or ``glfs_flistxattr``.
    """
    joined = _fetch(lambda memory, room: function(*target, memory, room), size)
    return [os.fsdecode(name) for name in joined.split(b"\0") if name]


def encode(value: Any) -> tuple[Any, int]:
    """A value's memory and length.

    :param value: ``str`` or any buffer.
    """
    return api.memory(value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)


def _fetch(call: Callable[[Any, int], int], size: int) -> bytes:
    """Have C fill a buffer whose size only C knows, and that may grow in between."""
    if size:
        return _fill(call, api.check_length(size))
    while True:
        try:
            return _fill(call, call(None, 0))
        except OSError as error:
            if error.errno != errno.ERANGE:
                raise


def _fill(call: Callable[[Any, int], int], size: int) -> bytes:
    if size == 0:
        return b""
    value = api.new_bytes(None, size)
    return value[: call(value, size)]
