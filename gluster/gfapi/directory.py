"""Dir: one open directory."""

from __future__ import annotations

import errno
import os

from . import api, names
from .descriptor import Descriptor
from .opened import Opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Union


class Dir(Opened):
    """An open directory: an iterator over its entries, ``.`` and ``..`` among them
    (``glfs_readdir``).

    It yields :class:`~gluster.gfapi.api.Dirent` objects, or with ``readdirplus`` pairs of those
    and :class:`~gluster.gfapi.api.Stat` (``glfs_readdirplus``). It may be used from several
    threads, and in a ``with`` statement, which closes it.
    """

    def __init__(self, descriptor: Descriptor, readdirplus: bool = False) -> None:
        """Made by :meth:`Volume.opendir`."""
        if not isinstance(descriptor, Descriptor):
            raise TypeError("a Dir is made by Volume.opendir")
        self._descriptor = descriptor
        self._readdirplus = readdirplus
        self._is_rewound = False  # and not yet read again

    def __repr__(self) -> str:
        return f"<gluster.gfapi.Dir path={self._descriptor.path!r}{self._state}>"

    @property
    def name(self) -> Union[str, bytes, None]:
        """The path given to :meth:`Volume.opendir`."""
        return self._descriptor.path

    def __iter__(self) -> Dir:
        return self

    def __next__(self) -> Union[api.Dirent, tuple[api.Dirent, api.Stat]]:
        """The next entry (``glfs_readdir``, ``glfs_readdirplus``).

        :raises OSError: on failure.
        """
        descriptor = self._descriptor
        stat = api.Stat() if self._readdirplus else None
        # libgfapi keeps one list of entries for each directory and guards it by nothing.
        with descriptor.position:
            entry = self._read(stat)
            if self._is_rewound:
                self._is_rewound = False
                if entry is None:
                    # There is always a dot. If the graph changed just before the end, a brick with
                    # ext4 has begun to read there, and lists nothing after one rewind.
                    api.glfs_seekdir(descriptor, 0)
                    entry = self._read(stat)
        if entry is None:
            raise StopIteration
        return entry if stat is None else (entry, stat)

    def _read(self, stat: Optional[api.Stat]) -> Any:
        if stat is None:
            return api.glfs_readdir(self._descriptor)
        return api.glfs_readdirplus(self._descriptor, stat)

    def tell(self) -> int:
        """Where the next entry is (``glfs_telldir``), as ``telldir(3)``.

        :returns: a number that only :meth:`seek` knows what to do with; 0 at the beginning.
        :raises OSError: on failure.
        """
        descriptor = self._descriptor
        with descriptor.position:
            position: int = api.glfs_telldir(descriptor)
        return position

    def seek(self, position: int) -> None:
        """Go on with another entry than the next one (``glfs_seekdir``), as ``seekdir(3)``.

        :param position: what :meth:`tell` returned, for this directory; 0 for the beginning.
            What any other number means, each kind of volume decides for itself.
        :raises OSError: EINVAL if it is negative; and others.
        """
        descriptor = self._descriptor
        position = api.check_int64(position)
        if position < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), descriptor.path)
        with descriptor.position:
            if position and not api.glfs_telldir(descriptor):
                # A brick's ext4 that begins with its end lists nothing after the next rewind.
                next(self, None)
            api.glfs_seekdir(descriptor, position)
            self._is_rewound = not position

    def rewind(self) -> None:
        """Begin again with the first entry, as ``rewinddir(3)``.

        What was made or removed in the meantime is then seen.

        :raises OSError: EBADF if it is closed.
        """
        self.seek(0)

    def stat(self) -> api.Stat:
        """The directory's status (``glfs_fstat``), as :func:`os.fstat`.

        :returns: an object with the attributes of :class:`os.stat_result`.
        :raises OSError: on failure.
        """
        return self._descriptor.stat()

    def chdir(self) -> None:
        """Make it the volume's working directory (``glfs_fchdir``), as :func:`os.fchdir`.

        :raises OSError: on failure.
        """
        names.change_to(self._descriptor)
