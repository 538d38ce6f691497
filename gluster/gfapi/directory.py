"""Dir, DirEntry and the iterator of scandir: the content of one directory."""

from __future__ import annotations

import os
import stat as stat_module
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, AnyStr, Generic, Optional, Union

from . import api
from .descriptor import Descriptor, Opened
from .gate import Unpicklable

if TYPE_CHECKING:
    from .volume import Volume


class Dir(Opened):
    """An open directory: an iterator over its entries, ``.`` and ``..`` among them.

    It yields :class:`~gluster.gfapi.api.Dirent` objects, or with ``readdirplus`` pairs of those
    and :class:`~gluster.gfapi.api.Stat`. It may be used from several threads, and in a ``with``
    statement, which closes it.
    """

    def __init__(self, descriptor: Descriptor, readdirplus: bool = False) -> None:
        """Made by :meth:`Volume.opendir`."""
        self._descriptor = descriptor
        self._readdirplus = readdirplus

    def __repr__(self) -> str:
        return f"<gluster.gfapi.Dir path={self._descriptor.path!r}{self._state}>"

    def __iter__(self) -> Dir:
        return self

    def __next__(self) -> Union[api.Dirent, tuple[api.Dirent, api.Stat]]:
        entry, stat = api.Dirent(), api.Stat() if self._readdirplus else None
        if not self._read(entry, stat):
            raise StopIteration
        return (entry, stat) if stat is not None else entry

    def _read(self, entry: api.Dirent, stat: Optional[api.Stat]) -> bool:
        """Fetch the next entry, with its status if there is a place for it."""
        descriptor = self._descriptor
        found = api.result_pointer()
        # libgfapi keeps one list of entries for each directory and guards it by nothing.
        with descriptor.position:
            if stat is None:
                api.glfs_readdir_r(descriptor, entry, found)
            else:
                api.glfs_readdirplus_r(descriptor, stat, entry, found)
        return bool(found)


class DirEntry(Unpicklable, Generic[AnyStr]):
    """What :meth:`Volume.scandir` yields: the name, path and status of a directory entry.

    The status came with the listing and is not asked for again. For a fresh one, call
    ``volume.stat(entry.path)``. Unlike :class:`os.DirEntry`'s methods, these do not follow
    symbolic links unless told to, because that costs a call over the network.
    """

    __slots__ = ("_lstat", "_stat", "_vol", "name", "path")

    name: AnyStr
    path: AnyStr

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
        self._lstat = lstat
        self._stat: Optional[api.Stat] = None
        self.name = name
        self.path = os.path.join(scandir_path, name)

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


class ScandirIterator(Generic[AnyStr]):
    """The iterator of :meth:`Volume.scandir`; closes its directory at the end, or in a ``with``."""

    def __init__(self, vol: Volume, path: AnyStr) -> None:
        self._dir = vol.opendir(path, readdirplus=True)
        self._entries: Generator[DirEntry[AnyStr], None, None] = _scan(vol, path, self._dir)

    def __iter__(self) -> Iterator[DirEntry[AnyStr]]:
        return self._entries  # a generator, so a loop over it does not come by here again

    def __next__(self) -> DirEntry[AnyStr]:
        return next(self._entries)

    def close(self) -> None:
        """Close the directory; harmless if it is closed."""
        self._entries.close()
        self._dir.__exit__()

    def __enter__(self) -> ScandirIterator[AnyStr]:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


# No method: it would keep its iterator alive, and an abandoned one is to be collected at once.
def _scan(vol: Volume, path: AnyStr, folder: Dir) -> Generator[DirEntry[AnyStr], None, None]:
    as_given: Any = os.fsdecode if isinstance(path, str) else bytes
    entry, stat = api.Dirent(), api.Stat()
    read = folder._read
    try:
        while read(entry, stat):
            name = entry.d_name
            if name not in (b".", b".."):
                # A brick that could not tell in time leaves the mode 0.
                yield DirEntry(vol, path, as_given(name), stat if stat.st_mode else None)
                stat = api.Stat()
    except OSError:
        folder.__exit__()
        raise
    folder.close()
