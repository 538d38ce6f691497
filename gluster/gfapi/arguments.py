"""What the constructor of Volume and a few of its methods accept."""

from __future__ import annotations

import math
import operator
import os
import re
import time
from typing import Any, Optional

from . import api
from .exceptions import LibgfapiException

_PROTOCOLS = ("tcp", "rdma", "unix")
_MODES = {
    "r": os.O_RDONLY,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "x": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
}


def checked_text(name: str, value: Any) -> str:
    """A name that is not empty and has no NUL in it."""
    if not isinstance(value, str) or not value:
        raise LibgfapiException(f"{name} is {value!r}; it must be a str that is not empty")
    api.encode(value)  # for a NUL in it
    return value


def checked_hosts(hosts: Any) -> list[str]:
    """One host or several, as a list."""
    listed = [hosts] if isinstance(hosts, str) else hosts
    if not isinstance(listed, (list, tuple)) or not listed:
        raise LibgfapiException(f"hosts is {hosts!r}; it must be a str or a list of them")
    return [checked_text(f"hosts[{i}]", host) for i, host in enumerate(listed)]


def checked_protocol(proto: Any) -> str:
    """How glusterd is reached."""
    if proto not in _PROTOCOLS:
        raise LibgfapiException(f"proto is {proto!r}; it may be {', '.join(_PROTOCOLS)}")
    checked: str = proto
    return checked


def checked_int(name: str, value: Any, low: int, high: int) -> int:
    """A number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise LibgfapiException(f"{name} is {value!r}; it must be an int from {low} to {high}")
    return value


def checked_logging(log_file: Any, log_level: Any) -> tuple[Optional[str], int]:
    """Where GlusterFS logs to and how much."""
    try:
        file = None if log_file is None else os.fsdecode(log_file)
    except TypeError:
        raise LibgfapiException(f"log_file is {log_file!r}; it must be a path or None") from None
    if file is not None:
        checked_text("log_file", file)
    return file, checked_int("log_level", log_level, 0, 9)


def flags_of(mode: Any) -> int:
    """The flags of ``open(2)`` for a mode of :func:`open`."""
    if not isinstance(mode, str):
        raise TypeError(f"mode must be a str, not {type(mode).__name__!r}")
    if not re.fullmatch(r"[rwax](\+?b?|b\+)", mode):
        raise ValueError(f"mode is {mode!r}; it must be r, w, a or x, with + and b if need be")
    flags = _MODES[mode[0]]
    return flags & ~os.O_ACCMODE | os.O_RDWR if "+" in mode else flags


def attributes_of(mode: Any, uid: Any, gid: Any, size: Any, times: Any, ns: Any) -> api.GlfsStat:
    """The attributes to set for ``glfs_setattr`` and ``glfs_fsetattr``.

    ``glfs_st_mask`` says which are given. What is None is not, nor is a ``uid`` or ``gid`` of -1.

    No brick does anything for a size. Who gets one has to truncate the file as well, and first:
    the rest may take the right to do that away, and the times are to be those given.
    """
    attributes, mask = api.GlfsStat(), api.StatMask(0)
    if mode is not None:
        attributes.glfs_st_mode = api.check_uint32(mode)
        mask |= api.StatMask.MODE
    if uid not in (None, -1):
        attributes.glfs_st_uid = api.check_uint32(uid)
        mask |= api.StatMask.UID
    if gid not in (None, -1):
        attributes.glfs_st_gid = api.check_uint32(gid)
        mask |= api.StatMask.GID
    if size is not None:
        attributes.glfs_st_size = operator.index(size)
        mask |= api.StatMask.SIZE
    if times is not None or ns is not None:
        attributes.glfs_st_atime, attributes.glfs_st_mtime = timespecs(times, ns)
        mask |= api.StatMask.ATIME | api.StatMask.MTIME
    attributes.glfs_st_mask = mask
    return attributes


def timespecs(times: Any, ns: Any) -> Any:
    """The two times of a file for C, from what :func:`os.utime` takes."""
    if times is not None and ns is not None:
        raise ValueError("utime takes times or ns, not both")
    given = times if ns is None else ns
    if given is None:  # C has no word for now
        now = time.time_ns()
        return api.timespecs(now, now)
    if not isinstance(given, tuple) or len(given) != 2:
        raise TypeError("utime needs a tuple of two numbers, or None")
    return api.timespecs(*(_nanoseconds(value) if ns is None else value for value in given))


def _nanoseconds(seconds: Any) -> int:
    """Seconds as nanoseconds, without the rounding of a float that has both in it."""
    if isinstance(seconds, int):
        return seconds * 1_000_000_000
    fraction, whole = math.modf(seconds)
    return int(whole) * 1_000_000_000 + math.floor(fraction * 1_000_000_000)
