"""Objects: what libgfapi knows a file by besides its path, held by a Handle or for a few calls."""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
from collections.abc import Iterator

from . import api
from .gate import Gate, held
from .identity import is_root, own_uid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Union

    from .leases import Lease
    from .mount import Mount

#: What stands for the NULL that a look-up takes where the path begins at no other object.
NO_OBJECT = Gate(0)
#: What a path may end in and is no name of an entry.
NO_NAMES = (b"", b".", b"..")
_LONGEST_PATH = 4096


def working_directory(mount: Mount) -> bytes:
    """The path of a mount's working directory, as it is called now."""
    raw: bytes = api.glfs_getcwd(mount, *api.memory(bytearray(_LONGEST_PATH), True))
    return raw


def look_up(
    mount: Mount,
    path: api.AnyPath,
    follow_symlinks: bool,
    stat: Optional[api.Stat],
    kept: list[Any],
) -> int:
    """The object of a path, for the caller to close.

    libgfapi begins at the root with every path, so a relative one is made absolute.

    :param kept: gets it too, before an interrupt can come.
    """
    path = os.fspath(path)
    absolute = api.encode_path(path)
    if mount.cwd is not None and not absolute.startswith(b"/"):
        absolute = os.path.join(working_directory(mount), absolute)
    try:
        found: int = api.glfs_h_lookupat(
            mount, NO_OBJECT, absolute, stat, bool(follow_symlinks), kept
        )
    except OSError as error:
        error.filename = path
        raise
    return found


@contextlib.contextmanager
def looked_up(
    mount: Mount, path: api.AnyPath, follow_symlinks: bool = True, stat: Optional[api.Stat] = None
) -> Iterator[Gate]:
    """The object of a path (``glfs_h_lookupat``), closed at the end of the ``with`` statement.

    An unmount waits for that end: it happens inside the mount's gate.

    :param path: the path (str, bytes or path-like), which errors of calls on the object name.
    :param follow_symlinks: whether it is the target of a symbolic link.
    :param stat: is filled with the status.
    :raises OSError: if it cannot be looked up.
    """
    path, follow_symlinks = os.fspath(path), bool(follow_symlinks)
    with held(mount), _closing(path) as kept:
        # Nobody else has it, so no other call can be inside when it is closed.
        yield Gate(look_up(mount, path, follow_symlinks, stat, kept), path)


@contextlib.contextmanager
def _closing(path: Any) -> Iterator[list[Any]]:
    """A list whose first element is closed at the end of the ``with`` statement."""
    kept: list[Any] = []
    closed: list[Any] = []
    try:
        yield kept
    finally:
        try:
            _close(kept, closed, path)
        finally:  # an interrupt may have come before
            _close(kept, closed, path)


@contextlib.contextmanager
def directory(mount: Mount, path: bytes) -> Iterator[Gate]:
    """The object of a directory, as :func:`looked_up`.

    :raises OSError: ENOTDIR if it is none, too.
    """
    stat = api.Stat()
    with looked_up(mount, path, stat=stat) as found:
        if not stat_module.S_ISDIR(stat.st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        yield found


def split(path: api.AnyPath) -> tuple[bytes, bytes]:
    """The path of the directory that something is in, and its name there."""
    parent, name = os.path.split(api.encode_bare_path(path).rstrip(b"/"))
    return parent or b".", name


def has_slash(path: api.AnyPath) -> bool:
    """Whether a path ends in a slash, as that of a directory may."""
    return api.encode_bare_path(path).endswith(b"/")


def rename(
    mount: Mount, folder: Gate, old: api.AnyPath, new_folder: Gate, new: api.AnyPath
) -> None:
    """Rename an entry of a directory (``glfs_h_rename``).

    As the kernel has it, nothing happens to what is renamed onto itself. libgfapi would forget the
    name of what is open, and then read nothing more of it: ENOENT.

    :param folder: the object of the directory, and ``new_folder`` that of the new one.
    :raises OSError: on failure.
    """
    is_same_name = api.encode_bare_path(old) == api.encode_bare_path(new)
    if not is_same_name or _gfid(folder) != _gfid(new_folder):
        check_rename(mount, folder, old, new_folder, new)
        api.glfs_h_rename(mount, folder, old, new_folder, new)
        return
    if _entry(mount, folder, old) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), old, None, new)


def link(mount: Mount, file: Gate, folder: Gate, name: api.AnyPath) -> None:
    """Give a file a name in a directory, too (``glfs_h_link``).

    :param file: its object, and ``folder`` that of the directory.
    :raises OSError: on failure.
    """
    try:
        api.glfs_h_link(mount, file, folder, name)
    except OSError as error:
        # What a distributed volume says of a name that is taken.
        if error.errno == errno.ESTALE and _is_taken(mount, folder, name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from None
        raise


def _is_taken(mount: Mount, folder: Gate, name: api.AnyPath) -> bool:
    try:
        return _entry(mount, folder, name) is not None
    except OSError:
        return False


def check_rename(
    mount: Mount, folder: Gate, old: api.AnyPath, new_folder: Gate, new: api.AnyPath
) -> None:
    """See that this thread may rename, as the kernel does for who uses FUSE.

    Where the new name belongs to another brick than the old one, a distributed volume makes the one
    and removes the other as root, and nobody asks who may change the directories. And no brick asks
    who may write to a directory that gets another one above it.

    :raises OSError: EACCES or EPERM if it may not.
    """
    if is_root():
        return
    try:
        moved = _entry(mount, folder, old)
        if moved is None:
            return  # the call itself says what is missing
        _check_change(mount, folder, moved)
        _check_change(mount, new_folder, _entry(mount, new_folder, new))
        if stat_module.S_ISDIR(moved.st_mode) and _gfid(folder) != _gfid(new_folder):
            with _found_in(mount, folder, old) as found:  # its ".." becomes another
                api.glfs_h_access(mount, found, os.W_OK)
    except OSError as error:
        error.filename, error.filename2 = old, new
        raise


def _check_change(mount: Mount, folder: Gate, entry: Optional[api.Stat]) -> None:
    """See that this thread may make a name in a directory, or remove that of an entry."""
    api.glfs_h_access(mount, folder, os.W_OK | os.X_OK)
    stat = api.Stat()
    api.glfs_h_stat(mount, folder, stat)
    is_sticky = stat.st_mode & stat_module.S_ISVTX
    if is_sticky and entry is not None and own_uid() not in (entry.st_uid, stat.st_uid):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def _entry(mount: Mount, folder: Gate, name: api.AnyPath) -> Optional[api.Stat]:
    """The status of an entry of a directory; None if there is none."""
    stat = api.Stat()
    try:
        with _found_in(mount, folder, name, stat):
            return stat
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _found_in(
    mount: Mount, folder: Gate, name: api.AnyPath, stat: Optional[api.Stat] = None
) -> Iterator[Gate]:
    """The object of an entry of a directory, as :func:`looked_up`."""
    with _closing(name) as kept:
        yield Gate(api.glfs_h_lookupat(mount, folder, name, stat, 0, kept))


def _gfid(found: Gate) -> bytes:
    raw = api.new_bytes(api.HANDLE_LENGTH)
    api.glfs_h_extract_handle(found, raw, api.HANDLE_LENGTH)
    return raw


def _close(kept: list[Any], closed: list[Any], path: Any) -> None:
    if kept and kept[0] and not closed:
        api.glfs_h_close(Gate(kept[0], path), closed)


class HeldObject(Gate):
    """The ``glfs_object`` of a Handle.

    :ivar mount: the Mount that it belongs to.
    :ivar gfid: its 16 bytes.
    :ivar lease: the lease that it has or had.
    :ivar file_type: its type, as :data:`stat.S_IFDIR`; 0 if nobody has asked yet.
    """

    __slots__ = ("file_type", "gfid", "lease", "mount")

    def __init__(self, mount: Mount, pointer: int, path: Any, file_type: int) -> None:
        super().__init__(pointer, path)
        self.path: Union[str, bytes]
        self.gfid = _gfid(self)
        if path is None:
            self.path = f"<gfid:{gfid_text(self.gfid)}>"
        self.mount = mount
        self.file_type = file_type
        self.lease: Optional[Lease] = None
        mount.objects.add(self)

    def close(self, deadline: float = float("inf")) -> None:
        """Let the calls inside finish, then give it back.

        :param deadline: the :func:`time.monotonic` time at which to give up and leave it open.
        :raises OSError: EBADF if it is closed already, EDEADLK if the calling thread is inside.
        """
        self.refuse_deadlock()
        calls = self.calls  # noqa: F841 - by which is_inside knows that this thread is here
        self.finish(self._close, [], deadline, self.mount.objects)

    def _close(self, gate: Gate, kept: list[int]) -> None:
        if self.lease is not None:
            self.lease.end(gate)
        api.glfs_h_close(gate, kept)

    def forget(self) -> None:
        super().forget()
        if self.lease is not None:
            self.lease.forget()


def inode_number(raw: bytes) -> int:
    """What the status of a file has as its inode number, from its gfid."""
    return int.from_bytes(raw[8:], "big")


def gfid_text(raw: bytes) -> str:
    """The usual form of a gfid's 16 bytes."""
    digits = raw.hex()
    ends = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[start:end] for start, end in zip(ends, ends[1:]))
