"""Reads that found nothing are made again, unless the file ends there.

While a rebalance moves a file, the brick that it has just been moved away from may be asked once
more. It has nothing left of it, and that is handed on as if the file were empty. The next read
finds the file where it is now.
"""

from __future__ import annotations

import os

from . import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Union

    from .descriptor import Descriptor
    from .handle import Handle


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
