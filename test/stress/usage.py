"""What a process uses, and how it grows: memory, threads and descriptors."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple, Optional

_PAGE = os.sysconf("SC_PAGE_SIZE")
_c = ctypes.CDLL(None)


class Usage(NamedTuple):
    """What a process uses at a moment.

    :ivar memory: bytes of it that are in the machine's memory.
    :ivar heap: bytes that C's ``malloc`` has given out and not got back.
    :ivar blocks: how many pieces of memory Python's own allocator has given out.
    :ivar objects: how many objects there are of the package's classes.
    """

    memory: int
    heap: int
    threads: int
    descriptors: int
    blocks: int = 0
    objects: int = 0


class _Mallinfo2(ctypes.Structure):
    _fields_ = [(f"field{number}", ctypes.c_size_t) for number in range(10)]


def of_this_process() -> Usage:
    """What this process uses, once all that nobody refers to is gone."""
    for _ in range(3):  # what one collection drops may be what kept the rest
        gc.collect()
    _c.malloc_trim(0)
    # Before anything is made to count it.
    blocks = sys.getallocatedblocks()
    mine = sum(type(thing).__module__.startswith("gluster.gfapi") for thing in gc.get_objects())
    return Usage(_resident(), _heap(), _entries("task"), _entries("fd"), blocks, mine)


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * _PAGE


def _heap() -> int:
    _c.mallinfo2.restype = _Mallinfo2  # of glibc 2.33 and later
    info = _c.mallinfo2()
    return int(info.field4 + info.field7)  # what is mapped for large pieces, and what is in use


def _entries(name: str) -> int:
    return len(os.listdir(f"/proc/self/{name}"))


def descriptors_of(pids: Sequence[Optional[int]]) -> int:
    """How many descriptors some processes have open."""
    count = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            count += len(os.listdir(f"/proc/{pid}/fd"))
    return count


def wait_for_threads(most: int, timeout: float = 60.0) -> None:
    """Wait until the process has no more than so many threads, or the time is over."""
    deadline = time.monotonic() + timeout
    while _entries("task") > most and time.monotonic() < deadline:
        time.sleep(0.1)


def slope(values: Sequence[float]) -> float:
    """The growth from one value to the next: the median of that between all pairs of them."""
    pairs = itertools.combinations(enumerate(values), 2)
    return statistics.median((b - a) / (j - i) for (i, a), (j, b) in pairs)
