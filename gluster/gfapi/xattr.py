"""Extended attributes: those of a path, and what paths and open files have in common.

:class:`~gluster.gfapi.volume.Volume` lists the functions that take a Volume first as its methods.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Iterator, MutableMapping, Sequence

from . import api
from .gate import Unpicklable
from .identity import check_root
from .typed import overload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Union

    from .volume import Volume

    Value = Union[str, bytes]

# GlusterFS's own. It hides them from the list of a path, and forgets to in that of a file.
_OWN = ("trusted.gfid2path.", "trusted.glusterfs.")
# What the kernel leaves to root to change. GlusterFS only looks who may write the file; with
# security.capability, a program would get rights of root on all machines that mount the volume.
_OF_ROOT = (b"trusted.", b"security.")
_LONGEST_NAME = 255  # of a file


@overload
def getxattr(
    vol: Volume, path: api.AnyPath, key: str, size: int = 0, *, follow_symlinks: bool = True
) -> str: ...


@overload
def getxattr(
    vol: Volume, path: api.AnyPath, key: bytes, size: int = 0, *, follow_symlinks: bool = True
) -> bytes: ...


def getxattr(
    vol: Volume, path: api.AnyPath, key: Any, size: int = 0, *, follow_symlinks: bool = True
) -> Any:
    """The value of an extended attribute (``glfs_getxattr``), as :func:`os.getxattr`.

    :param path: the path (str, bytes or path-like).
    :param key: the attribute's name.
    :param size: the value's length in bytes if it is known; 0 finds it out.
    :param follow_symlinks: whether to get that of a symbolic link's target
        (``glfs_lgetxattr`` if not).
    :returns: bytes if ``key`` is bytes. Else str, decoded with ``surrogateescape``, so that
        no byte is lost.
    :raises OSError: ENODATA if there is none; ERANGE if ``size`` is too small; and others.
    """
    function = api.glfs_getxattr if follow_symlinks else api.glfs_lgetxattr
    return get(function, vol._mount, path, key=key, size=size)


def listxattr(
    vol: Volume, path: api.AnyPath, size: int = 0, *, follow_symlinks: bool = True
) -> list[str]:
    """The names of the extended attributes (``glfs_listxattr``), as :func:`os.listxattr`.

    :param path: the path (str, bytes or path-like).
    :param size: the length of all names with a NUL each if it is known; 0 finds it out.
    :param follow_symlinks: whether to list those of a symbolic link's target
        (``glfs_llistxattr`` if not).
    :raises OSError: ERANGE if ``size`` is too small; and others.
    """
    function = api.glfs_listxattr if follow_symlinks else api.glfs_llistxattr
    return names(function, vol._mount, path, size=size)


def setxattr(
    vol: Volume,
    path: api.AnyPath,
    key: Union[str, bytes],
    value: Any,
    flags: int = 0,
    *,
    follow_symlinks: bool = True,
) -> None:
    """Set an extended attribute (``glfs_setxattr``), as :func:`os.setxattr`.

    :param path: the path (str, bytes or path-like).
    :param key: the attribute's name.
    :param value: str or any contiguous buffer.
    :param flags: 0 to create or replace, :data:`os.XATTR_CREATE` (1) to fail with EEXIST if
        there is one, :data:`os.XATTR_REPLACE` (2) to fail with ENODATA if there is none.
    :param follow_symlinks: whether to set that of a symbolic link's target
        (``glfs_lsetxattr`` if not). A link itself takes none of the ``user`` namespace.
    :raises OSError: on failure.
    """
    memory, size = encode(value)
    name = check_new(key, size, path)
    function = api.glfs_setxattr if follow_symlinks else api.glfs_lsetxattr
    function(vol._mount, path, name, memory, size, flags)


def removexattr(
    vol: Volume, path: api.AnyPath, key: Union[str, bytes], *, follow_symlinks: bool = True
) -> None:
    """Remove an extended attribute (``glfs_removexattr``), as :func:`os.removexattr`.

    :param path: the path (str, bytes or path-like).
    :param key: the attribute's name.
    :param follow_symlinks: whether to remove that of a symbolic link's target
        (``glfs_lremovexattr`` if not).
    :raises OSError: ENODATA if there is none; and others.
    """
    name = check_key(key, path)
    function = api.glfs_removexattr if follow_symlinks else api.glfs_lremovexattr
    function(vol._mount, path, name)


def xattrs(vol: Volume, path: api.AnyPath, *, follow_symlinks: bool = True) -> Xattrs:
    """The extended attributes as a mapping: ``vol.xattrs(path)["user.x"] = b"..."``.

    Nothing is asked for yet, so it takes any path.

    :param path: the path (str, bytes or path-like).
    :param follow_symlinks: whether they are those of a symbolic link's target.
    :returns: an :class:`Xattrs`.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    path = os.fspath(path)
    return Xattrs(
        path,
        functools.partial(getxattr, vol, path, follow_symlinks=follow_symlinks),
        functools.partial(listxattr, vol, path, follow_symlinks=follow_symlinks),
        functools.partial(setxattr, vol, path, follow_symlinks=follow_symlinks),
        functools.partial(removexattr, vol, path, follow_symlinks=follow_symlinks),
    )


class Xattrs(Unpicklable, MutableMapping[str, bytes]):
    """The extended attributes of a path or an open file, as a mapping from names to values.

    Each operation is a call to the volume. A name is :class:`str`, and bytes are taken for one
    too. A value is :class:`bytes`; any contiguous buffer is taken for one, and a str, which is
    stored as UTF-8. What is no attribute raises :exc:`KeyError`; other failures raise
    :exc:`OSError`. What GlusterFS keeps there for itself can be read, but is not among the names.
    """

    def __init__(
        self,
        path: Union[str, bytes, None],
        get: Callable[..., Value],
        list: Callable[[], Sequence[str]],
        set: Callable[..., None],
        remove: Callable[..., None],
    ) -> None:
        """Made by :meth:`Volume.xattrs` and :attr:`File.xattrs`.

        :param path: what they belong to.
        :param get: takes a key of bytes and returns bytes.
        :param list: returns the names.
        :param set: takes a key, a value and flags.
        :param remove: takes a key.
        """
        self._path = path
        self._get, self._list, self._set, self._remove = get, list, set, remove

    def __repr__(self) -> str:
        return f"<gluster.gfapi.Xattrs of {self._path!r}>"

    def __getitem__(self, key: Union[str, bytes]) -> bytes:
        with _key_error(key):
            return self._get(api.encode(key))  # type: ignore[return-value]

    def __setitem__(self, key: Union[str, bytes], value: Any) -> None:
        self._set(key, value, 0)

    def __delitem__(self, key: Union[str, bytes]) -> None:
        with _key_error(key):
            self._remove(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return [name for name in self._list() if not name.startswith(_OWN)]

    def setdefault(self, key: Union[str, bytes], default: Any = None) -> bytes:
        """The value of an attribute, which is set first if there is none.

        Of several clients that do it at the same time, one sets it and all get its value.

        :param key: the attribute's name.
        :param default: the value to set.
        :raises OSError: on failure.
        """
        while True:
            with contextlib.suppress(KeyError):
                return self[key]
            with contextlib.suppress(FileExistsError):
                self._set(key, default, os.XATTR_CREATE)


@contextlib.contextmanager
def _key_error(key: Union[str, bytes]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        raise KeyError(key) from None


def get(function: Callable[..., int], *target: Any, key: Any, size: int) -> Value:
    """The value of an attribute: ``bytes`` for a key of ``bytes``, else ``str``.

    :param function: ``glfs_getxattr`` or one like it.
    :param target: what the function takes before the key.
    :param size: the length of the value in bytes, if the caller knows it, or 0.
    """
    value = _fetch(lambda memory, room: function(*target, key, memory, room), size)
    return value if isinstance(key, bytes) else os.fsdecode(value)


def names(function: Callable[..., int], *target: Any, size: int) -> list[str]:
    """The names of all attributes.

    :param function: ``glfs_listxattr`` or one like it.
    """
    joined = _fetch(lambda memory, room: function(*target, memory, room), size)
    return [os.fsdecode(name) for name in joined.split(b"\0") if name]


def check_new(key: Any, length: int, path: Any) -> bytes:
    """See that this thread may set an attribute of this name.

    Whatever is like ``*io*stat*dump``, GlusterFS's client takes for a command as well: it writes
    counters to ``/var/run/gluster``, as this process and under the name that the value is, of
    which it has two copies on the stack.

    :param length: of the value, in bytes.
    :param path: what the error names.
    :returns: the name as C has it.
    :raises OSError: as :func:`check_key`; EOPNOTSUPP if it is such a command, but for root's in
        ``trusted``; ENAMETOOLONG for what is then too long.
    """
    raw = check_key(key, path)
    if raw.endswith(b"dump") and b"stat" in raw[:-4].partition(b"io")[2]:
        if not raw.startswith(b"trusted."):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), os.fspath(path))
        if length > _LONGEST_NAME:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), os.fspath(path))
    return raw


def check_key(key: Any, path: Any) -> bytes:
    """See that this thread may change an attribute of this name.

    :param path: what the error names.
    :returns: the name as C has it, since a path-like one may answer otherwise the next time.
    :raises OSError: EPERM if it is one that the kernel leaves to root.
    """
    raw = api.encode(key)
    if raw.startswith(_OF_ROOT):
        check_root(os.fspath(path))
    return raw


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
    value = api.new_bytes(size)
    return value[: call(value, size)]
