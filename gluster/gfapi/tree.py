"""What removing and copying whole trees have in common.

Neither is recursive, so no tree is too deep for one. Their work is cut into jobs for a
:class:`~gluster.gfapi.crew.Crew`.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .volume import Volume


class Folder:
    """A directory that is ready when all in it is.

    :ivar path: what errors name.
    :ivar parent: the one that it is in, or None for the top.
    :ivar name: its name there.
    """

    def __init__(self, path: Any, parent: Any, name: Any) -> None:
        self.path = path
        self.parent: Any = parent
        self.name = name
        # One for each thing in it that is not ready, and one for the reading of it. Who takes
        # the lowest was the last: two threads cannot both be.
        self._left = [True]

    def enter(self) -> None:
        """There is one more thing in it to be waited for."""
        self._left.append(False)

    def leave(self) -> bool:
        """One thing is ready, or the reading; whether the directory is now."""
        return self._left.pop()


def path_in(folder: Folder, name: bytes) -> Any:
    as_given: Any = os.fsdecode if isinstance(folder.path, str) else bytes
    return os.path.join(folder.path, as_given(name))


def check_mounted(vol: Volume, error: OSError) -> None:
    """Of what an unmount has closed, the error is EBADF, which the caller has nothing to do with.

    :raises VolumeNotMounted: if that is it.
    """
    if error.errno == errno.EBADF:
        vol._mount.pointer  # noqa: B018 - raises it


@contextlib.contextmanager
def errors_name(path: Any) -> Iterator[None]:
    """Have errors of calls below a directory name the whole path, as the caller knows it."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:  # not one of our own, which has words only
            error.filename = path
            del error.filename2  # None would be printed
        raise
