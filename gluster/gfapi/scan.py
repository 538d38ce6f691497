"""DirEntry and the iterator of scandir: a directory's entries with their status."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat as stat_module
from collections.abc import Generator, Iterator

from . import api, rereading
from .directory import Dir
from .gate import Gate, Unpicklable
from .typed import Generic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr, Callable, Optional, TypeVar

    from .handle import Handle
    from .volume import Volume

    Read = TypeVar("Read", bound=Callable[..., Any])

_DOTS = (b".", b"..")
_NOT_TOLD = (0, rereading.MARK)
#: What the descriptor of a directory says that a change of the volume's graph has left behind, or
#: the brick that it was read from. The directory itself may well be there.
_LEFT_BEHIND = (errno.EBADFD, errno.ENOTCONN)


class DirEntry(Unpicklable, Generic["AnyStr"]):
    """What :meth:`Volume.scandir` yields: the name, path and status of a directory entry.

    The status came with the listing and is not asked for again. For a fresh one, call
    ``volume.stat(entry.path)``. Unlike :class:`os.DirEntry`'s methods, these do not follow
    symbolic links unless told to, because that costs a call over the network.
    """

    __slots__ = ("_folder", "_handle", "_lstat", "_stat", "_vol", "name")

    name: AnyStr

    def __init__(
        self, vol: Volume, scandir_path: AnyStr, name: AnyStr, lstat: Optional[api.Stat]
    ) -> None:
        """Made by :meth:`Volume.scandir`.

        :param vol: the volume that the entry is on.
        :param scandir_path: the directory's path.
        :param name: the entry's name in it.
        :param lstat: the entry's status, or None to ask for it when it is needed.
        """
        self._vol = vol
        self._folder: AnyStr = scandir_path
        self._lstat = lstat
        self._stat: Optional[api.Stat] = None
        self._handle: Optional[Handle] = None
        self.name = name

    @property
    def path(self) -> AnyStr:
        """The entry's path: what :func:`os.path.join` makes of the path that
        :meth:`Volume.scandir` was given and :attr:`name`.
        """
        return os.path.join(self._folder, self.name)  # most only look at the name and status

    def __repr__(self) -> str:
        return f"<gluster.gfapi.DirEntry {self.name!r}>"

    def __fspath__(self) -> AnyStr:
        return self.path

    def inode(self) -> int:
        """The entry's inode number."""
        return self.stat().st_ino

    def stat(self, follow_symlinks: bool = False) -> api.Stat:
        """The entry's status, as of the first time that it was known.

        :param follow_symlinks: whether to give that of a symbolic link's target, by a call of
            :meth:`Volume.stat`.
        :raises OSError: if a call was needed and failed.
        """
        if self._lstat is None:
            self._lstat = self._vol.lstat(self.path)
        if not (follow_symlinks and stat_module.S_ISLNK(self._lstat.st_mode)):
            return self._lstat
        if self._stat is None:
            self._stat = self._vol.stat(self.path)
        return self._stat

    def handle(self) -> Handle:
        """The file, directory or link itself, as of the first time that it was known.

        It came with the listing if :meth:`Volume.scandir` was told so
        (``glfs_xreaddirplus_get_object``). If not, it is looked up by the path.

        :returns: a :class:`Handle`, the same each time.
        :raises OSError: if it was looked up and that failed.
        """
        if self._handle is None:
            self._handle = self._vol.lookup(self.path, follow_symlinks=False)
        return self._handle

    def is_dir(self, follow_symlinks: bool = False) -> bool:
        """Whether it is a directory; False if it is not there any more.

        :param follow_symlinks: whether a symbolic link to a directory counts as one.
        :raises OSError: if a call was needed and failed for another reason than a missing file.
        """
        return stat_module.S_ISDIR(self._mode(follow_symlinks))

    def is_file(self, follow_symlinks: bool = False) -> bool:
        """Whether it is a regular file; False if it is not there any more.

        :param follow_symlinks: whether a symbolic link to a file counts as one.
        :raises OSError: if a call was needed and failed for another reason than a missing file.
        """
        return stat_module.S_ISREG(self._mode(follow_symlinks))

    def is_symlink(self) -> bool:
        """Whether it is a symbolic link, even a broken one; False if it is not there any more.

        :raises OSError: if a call was needed and failed for another reason than a missing file.
        """
        return stat_module.S_ISLNK(self._mode(False))

    def _mode(self, follow_symlinks: bool) -> int:
        try:
            return self.stat(follow_symlinks).st_mode
        except FileNotFoundError:
            return 0


class ScandirIterator(Unpicklable, Generic["AnyStr"]):
    """The iterator of :meth:`Volume.scandir`; closes its directory at the end, or in a ``with``.

    Several threads may share it: each entry comes to one of them.
    """

    def __init__(self, vol: Volume, path: AnyStr, handles: bool) -> None:
        self._dir = vol.opendir(path, readdirplus=True)
        self._arguments: Any = (vol, path, self._dir, handles)
        self._entries: Generator[DirEntry[AnyStr], None, None] = _scan(*self._arguments)

    def __iter__(self) -> Iterator[DirEntry[AnyStr]]:
        # A generator, so a loop over it does not come by here again; of its own, so that those
        # of several threads do not meet in one.
        return _scan(*self._arguments)

    def __next__(self) -> DirEntry[AnyStr]:
        with self._dir._descriptor.position:
            return next(self._entries)

    def close(self) -> None:
        """Close the directory; harmless if it is closed. Then there are no more entries."""
        _finish(self._dir)
        with contextlib.suppress(ValueError):  # another thread is in it
            self._entries.close()

    def __enter__(self) -> ScandirIterator[AnyStr]:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


# None is a method: it would keep its iterator alive, and an abandoned one is to be collected at
# once.


def _scan(
    vol: Volume, path: AnyStr, folder: Dir, handles: bool
) -> Generator[DirEntry[AnyStr], None, None]:
    entries = _entries_with_handles if handles else entries_in
    try:
        yield from entries(vol, path, folder)
    except OSError:
        if folder._descriptor.is_over:
            return
        folder.__exit__()
        raise
    _finish(folder)


def _finish(folder: Dir) -> None:
    """There are no more entries: for other threads neither, whatever they are told meanwhile."""
    folder._descriptor.is_over = True
    try:
        folder.__exit__()
    except OSError as error:
        if error.errno != errno.EBADF:  # another thread was faster
            raise


def _entries_with_handles(vol: Volume, path: AnyStr, folder: Dir) -> Iterator[DirEntry[AnyStr]]:
    as_given: Any = api.decode if isinstance(path, str) else bytes
    dots = [as_given(name) for name in _DOTS]
    lock = folder._descriptor.position
    while True:
        with lock:
            entry = _next_with_handle(vol, path, folder, as_given)
        if entry is None:
            return
        if entry.name not in dots:
            yield entry


def _next_with_handle(
    vol: Volume, path: AnyStr, folder: Dir, as_given: Any
) -> Optional[DirEntry[AnyStr]]:
    from .handle import hold  # for the few who need it

    wanted = api.Xreaddirp.STAT | api.Xreaddirp.HANDLE
    descriptor = folder._descriptor
    xstat, found, dirent = api.result_pointer(), api.result_pointer(), api.Dirent()
    calls = descriptor.calls
    try:
        calls.append(None)  # until the last call below, the directory stays open
        handled = api.glfs_xreaddirplus_r(descriptor, wanted, xstat, dirent, found)
        if not found:
            return None
        stat = api.glfs_xreaddirplus_get_stat(xstat)
        entry = DirEntry(vol, path, as_given(dirent.d_name), stat if stat.st_mode else None)
        if handled & api.Xreaddirp.HANDLE:
            theirs = Gate(api.glfs_xreaddirplus_get_object(xstat), entry.path)
            mount = descriptor.mount
            entry._handle = hold(mount, entry.path, entry._lstat, api.glfs_object_copy, theirs)
        return entry
    finally:
        try:
            if xstat:
                api.glfs_free(xstat)  # and its object
        finally:
            calls.pop()


def entries_in(vol: Volume, path: AnyStr, folder: Dir) -> Iterator[DirEntry[AnyStr]]:
    """What is in an open directory.

    :param path: its path, as the entries have it.
    """
    as_given: Any = api.decode if isinstance(path, str) else bytes
    for name, stat in statuses_in(folder):
        yield DirEntry(vol, path, as_given(name), stat)


def statuses_in(folder: Dir) -> Iterator[tuple[bytes, Optional[api.Stat]]]:
    """The names in a directory with their status (``glfs_readdirplus_r``), but for the dots.

    The status is None where a brick could not tell in time, which leaves the mode 0, or where it is
    not the file's own because that is being moved.
    """
    descriptor, read = folder._descriptor, api.glfs_readdirplus_r
    lock = descriptor.position  # two threads may share an iterator of scandir
    entry, stat, found = api.Dirent(), api.Stat(), api.result_pointer()
    while True:
        with lock:
            read(descriptor, stat, entry, found)
        if not found:
            return
        name = entry.d_name
        if name not in _DOTS:
            yield name, stat if stat.st_mode not in _NOT_TOLD else None
            stat = api.Stat()


def names_in(folder: Dir) -> Iterator[bytes]:
    """The names in a directory (``glfs_readdir_r``), but for the dots."""
    descriptor, read = folder._descriptor, api.glfs_readdir_r
    entry, found = api.Dirent(), api.result_pointer()
    while True:
        read(descriptor, entry, found)
        if not found:
            return
        name = entry.d_name
        if name not in _DOTS:
            yield name


def as_a_whole(read: Read) -> Read:
    """Have what reads a whole directory begin anew, once, if its descriptor is left behind."""

    @functools.wraps(read)
    def read_again(*arguments: Any, **options: Any) -> Any:
        try:
            return read(*arguments, **options)
        except OSError as error:
            if error.errno not in _LEFT_BEHIND:
                raise
        return read(*arguments, **options)

    return read_again  # type: ignore[return-value]
