"""Extended attributes: those of a path, and what paths and open files have in common.

:class:`~gluster.gfapi.volume.Volume` lists the functions that take a Volume first as its methods.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Callable, Union

from . import api

if TYPE_CHECKING:
    from .volume import Volume

Value = Union[str, bytes]


def getxattr(
    vol: Volume, path: api.AnyPath, key: Union[str, bytes], size: int = 0
) -> Union[str, bytes]:
    """The value of an extended attribute (``glfs_getxattr``), as :func:`os.getxattr`.

    :param path: the path (str, bytes or path-like).
    :param key: the attribute's name.
    :param size: the value's length in bytes if it is known; 0 finds it out.
    :returns: bytes if ``key`` is bytes. Else str, decoded with ``surrogateescape``, so that
        no byte is lost.
    :raises OSError: ENODATA if there is none; ERANGE if ``size`` is too small; and others.
    """
    return get(api.glfs_getxattr, vol._mount, path, key=key, size=size)


def listxattr(vol: Volume, path: api.AnyPath, size: int = 0) -> list[str]:
    """The names of the extended attributes (``glfs_listxattr``), as :func:`os.listxattr`.

    :param path: the path (str, bytes or path-like).
    :param size: the length of all names with a NUL each if it is known; 0 finds it out.
    :raises OSError: ERANGE if ``size`` is too small; and others.
    """
    return names(api.glfs_listxattr, vol._mount, path, size=size)


def setxattr(
    vol: Volume, path: api.AnyPath, key: Union[str, bytes], value: Any, flags: int = 0
) -> None:
    """Set an extended attribute (``glfs_setxattr``), as :func:`os.setxattr`.

    :param path: the path (str, bytes or path-like).
    :param key: the attribute's name.
    :param value: str or any contiguous buffer.
    :param flags: 0 to create or replace, :data:`os.XATTR_CREATE` (1) to fail with EEXIST if
        there is one, :data:`os.XATTR_REPLACE` (2) to fail with ENODATA if there is none.
    :raises OSError: on failure.
    """
    api.glfs_setxattr(vol._mount, path, key, *encode(value), flags)


def removexattr(vol: Volume, path: api.AnyPath, key: Union[str, bytes]) -> None:
    """Remove an extended attribute (``glfs_removexattr``), as :func:`os.removexattr`.

    :param path: the path (str, bytes or path-like).
    :param key: the attribute's name.
    :raises OSError: ENODATA if there is none; and others.
    """
    api.glfs_removexattr(vol._mount, path, key)


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
