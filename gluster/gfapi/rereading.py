"""What a brick says of a file that a rebalance is just moving is asked again.

The brick that it has been moved away from may be asked once more. It has nothing left of it, and
that is handed on as if the file were empty: the next read finds the file where it is now. And for
a moment its status may be that of the mark by which a distributed volume knows where a file is
not. A copy that gets such a mode is taken for one by all clients: nobody reads anything from it.
"""

from __future__ import annotations

import os
import stat as stat_module
import time

from . import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Union

    from .descriptor import Descriptor
    from .handle import Handle


#: The type and mode of the mark.
MARK = stat_module.S_IFREG | stat_module.S_ISVTX
#: How long a file is given to be moved, in seconds. What is remembered of it is so for a second.
_PAUSES = (0.1, 0.3, 1.0)


def status(ask: Callable[[], api.Stat]) -> api.Stat:
    """A status that is to be copied: the file's own, if it comes within a moment.

    :param ask: asks for it.
    :raises OSError: what that says.
    """
    for pause in _PAUSES:
        stat = ask()
        if stat.st_mode != MARK:
            return stat
        time.sleep(pause)
    return ask()


def at_offset(
    file: Union[Descriptor, Handle], offset: int, function: Callable[..., int], *arguments: Any
) -> int:
    """Read at an offset, and once more if there is nothing although the file goes on.

    :param file: what has the file's status.
    :param function: ``glfs_pread`` or one like it, and what it gets.
    :returns: how many bytes were read.
    """
    return function(*arguments) or _again(file, offset, function, *arguments)


def again_at_position(descriptor: Descriptor, function: Callable[..., int], *arguments: Any) -> int:
    """Read where libgfapi is in the file, where a read has found nothing, unless it ends there.

    It is called with ``position`` held.

    :param function: ``glfs_read`` or ``glfs_readv``, and what it gets.
    :returns: how many bytes were read.
    """
    position = api.glfs_lseek(descriptor, 0, os.SEEK_CUR)
    return _again(descriptor, position, function, *arguments)


def _again(
    file: Union[Descriptor, Handle], offset: int, function: Callable[..., int], *arguments: Any
) -> int:
    # The status comes from memory, where the answer to the read has put it: it is free, but may be
    # as wrong. The brick says that the file is empty.
    if 0 < file.stat().st_size <= offset:
        return 0
    return function(*arguments)
