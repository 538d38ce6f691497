"""What the operations of all groups have in common."""

from __future__ import annotations

from typing import Any


class Work:
    """The operations of a group, as methods without arguments.

    A method ``before_X`` is run before each ``X``, and its time does not count.

    :param fs: a mounted Volume (ours or the older binding's), or what stands for it on FUSE.
    :param shared: the folder that :attr:`Group.furnish` filled.
    :param own: an empty folder of this contender's own.
    :param count: how much an operation is to do.
    """

    def __init__(self, fs: Any, shared: str, own: str, count: int) -> None:
        self.fs = fs
        self.shared = shared
        self.own = own
        self.count = count
