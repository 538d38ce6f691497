"""Files that have just been made, if another thread was faster to find them.

libgfapi has an inode for what it makes, and enters it into its table when the brick has answered.
If a thread that lists the directory, or looks the name up, has entered one for the same file by
then, that one stays, and what was made is open on an inode that nobody else has. Translators keep
what they know of a file with its inode: the mount's caches go on giving out sizes from before what
is written there, the status of the open file has neither type nor number, and on dispersed volumes
each call on it is EINVAL. So it is opened once more.
"""

from __future__ import annotations

import errno
import stat as stat_module

from . import api
from .identity import check_opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, TypeVar

    from .descriptor import Descriptor

    T = TypeVar("T")


def known_to_all(
    made: Descriptor,
    reopen: Callable[[Callable[[Descriptor], T]], T],
    make: Callable[[Descriptor], T],
) -> T:
    """Give out a file that has just been made, by a descriptor that is on its one inode.

    :param reopen: opens what is there by now, and makes of that what it is given.
    :param make: makes of a descriptor what the caller gets.
    """
    if _has_type(made):
        return make(made)

    def make_of_same(opened: Descriptor) -> T:
        check_opened(opened)
        if not _are_same(made, opened):
            raise FileNotFoundError  # somebody has put another one into its place
        made.drop()
        return make(opened)

    try:
        return reopen(make_of_same)
    except OSError:  # it is gone, or its mode lets nobody open it again
        if not made.is_open:
            raise
    return make(made)


def _are_same(made: Descriptor, opened: Descriptor) -> bool:
    # A status of what was made would be from memory. What a sync says is from the bricks.
    stat = api.GlfsStat()
    try:
        api.glfs_fdatasync(made, None, stat)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return True  # a dispersed volume does nothing at all with it, so nobody can tell
    return bool(stat.glfs_st_ino == opened.stat().st_ino)


def _has_type(made: Descriptor) -> bool:
    try:
        return stat_module.S_IFMT(made.stat().st_mode) != 0
    except OSError:  # what cannot be told now is no reason not to give it out
        return True
