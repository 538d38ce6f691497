"""What the constructor of Volume and a few of its methods accept."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping

from . import api
from .exceptions import LibgfapiException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_PROTOCOLS = ("tcp", "rdma", "unix")
# What a volume is made of. libgfapi may crash when a client's idea of that is another.
_STRUCTURE = ("afr-pending-xattr", "decommissioned-bricks", "transport-type")
_MODES = {
    letter + rest: flags | (os.O_RDWR if "+" in rest else os.O_WRONLY if flags else os.O_RDONLY)
    for letter, flags in (
        ("r", 0),
        ("w", os.O_CREAT | os.O_TRUNC),
        ("a", os.O_CREAT | os.O_APPEND),
        ("x", os.O_CREAT | os.O_EXCL),
    )
    for rest in ("", "b", "+", "+b", "b+")
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
    return [checked_host(f"hosts[{i}]", host) for i, host in enumerate(listed)]


def checked_host(name: str, value: Any) -> str:
    """A host's name or address, or the path of a socket.

    An IPv6 address may be in brackets, as in a URL. libgfapi knows only the bare one, and of the
    others makes host names that nobody has.
    """
    host = checked_text(name, value)
    if "," in host and not host.startswith("/"):
        listed = [part.strip() for part in host.split(",")]
        raise LibgfapiException(f"{name} is {value!r}; several hosts are a list: {listed!r}")
    if ":" not in host or host.startswith("/"):
        return host
    import socket  # few have IPv6 addresses

    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        socket.inet_pton(socket.AF_INET6, bare)
    except (OSError, ValueError):
        raise LibgfapiException(
            f"{name} is {value!r}; that is neither a host name nor an IPv6 address without a "
            "zone, and a port has an argument of its own"
        ) from None
    return bare


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


def checked_timeout(timeout: Any) -> float:
    """How long to wait.

    :raises TypeError: if it is no number.
    :raises ValueError: if it is negative or not a number (NaN).
    """
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout must be a number of seconds, not {type(timeout).__name__!r}")
    if not timeout >= 0:
        raise ValueError(f"timeout is {timeout!r}; it must not be negative")
    return timeout


def checked_logging(log_file: Any, log_level: Any) -> tuple[Optional[str], int]:
    """Where GlusterFS logs to and how much."""
    try:
        file = None if log_file is None else os.fsdecode(log_file)
    except TypeError:
        raise LibgfapiException(f"log_file is {log_file!r}; it must be a path or None") from None
    if file is not None:
        checked_text("log_file", file)
    return file, checked_int("log_level", log_level, 0, 9)


def checked_volfile(volfile: Any, hosts: Any) -> Optional[str]:
    """The absolute path of a volume file, or None."""
    if volfile is None:
        return None
    try:
        path = os.fsdecode(volfile)
    except TypeError:
        raise LibgfapiException(f"volfile is {volfile!r}; it must be a path or None") from None
    if hosts is not None:
        raise LibgfapiException(f"hosts is {hosts!r}; it must be None where a volfile is given")
    return os.path.abspath(checked_text("volfile", path))


def checked_options(options: Any) -> list[tuple[str, str, str]]:
    """Options of translators: each one's pattern, key and value."""
    if options is None:
        return []
    if not isinstance(options, Mapping):
        raise LibgfapiException(f"xlator_options is {options!r}; it must be a mapping or None")
    return [_checked_option(name, value) for name, value in options.items()]


def _checked_option(name: Any, value: Any) -> tuple[str, str, str]:
    import re  # few give options

    xlator, _, key = name.partition(".") if isinstance(name, str) else ("", "", "")
    if not re.fullmatch(r"\S+ \S+", f"{xlator} {key}"):
        raise LibgfapiException(
            f"xlator_options has {name!r}; a key must be a str like '*-md-cache.cache-size'"
        )
    if key in _STRUCTURE:
        raise LibgfapiException(
            f"xlator_options has {name!r}, which only the volume itself may say"
        )
    if isinstance(value, bool):
        value = "on" if value else "off"
    if not isinstance(value, (str, int)) or value == "":
        raise LibgfapiException(
            f"xlator_options has {value!r} for {name}; a value must be a str, int or bool"
        )
    for text in (name, str(value)):
        api.encode(text)  # for a NUL in it
    return xlator, key, str(value)


def checked_flags(flags: Any) -> int:
    """The flags of ``open(2)``, as a plain int."""
    if not isinstance(flags, int):
        raise TypeError(f"flags must be an integer, not {type(flags).__name__!r}")
    return flags if type(flags) is int else api.integer(flags)


def flags_to_cut(flags: int) -> int:
    """The flags that C opens a file with which is to be cut, by a call of its own then.

    Of one that open itself cuts, GlusterFS's quick-read goes on giving out the old content. To cut
    is to write, also for who then only reads: what is not open for that is opened for both, and
    the bricks ask for both permissions, as Linux does.
    """
    kept = flags & ~os.O_TRUNC
    if flags & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR):
        return kept
    return kept & ~os.O_ACCMODE | os.O_RDWR


def flags_of(mode: Any) -> int:
    """The flags of ``open(2)`` for a mode of :func:`open`."""
    if not isinstance(mode, str):
        raise TypeError(f"mode must be a str, not {type(mode).__name__!r}")
    flags = _MODES.get(mode)
    if flags is None:
        raise ValueError(f"mode is {mode!r}; it must be r, w, a or x, with + and b if need be")
    return flags


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
        attributes.glfs_st_size = api.check_int64(size)
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
