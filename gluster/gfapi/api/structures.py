"""The C structures that cross the border, with the layout of this machine, and sizes in them."""

from __future__ import annotations

import ctypes
import operator
import os
from ctypes import c_int, c_int32, c_int64, c_uint32, c_uint64

from .conversions import decode, integer_check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    _Fields = list[tuple[str, Any]]

HANDLE_LENGTH = 16  # GFAPI_HANDLE_LENGTH
LEASE_ID_SIZE = 16  # GLFS_LEASE_ID_SIZE
MAX_LOCK_OWNER_LEN = 255  # GFAPI_MAX_LOCK_OWNER_LEN

_as_time_t = integer_check(c_int64)


class Timespec(ctypes.Structure):
    """``struct timespec``."""

    _fields_ = [("tv_sec", c_int64), ("tv_nsec", ctypes.c_long)]

    tv_sec: int
    tv_nsec: int

    @classmethod
    def from_ns(cls, nanoseconds: int) -> Timespec:
        """The time that many nanoseconds after the epoch.

        :raises OverflowError: if the seconds do not fit into 64 bits.
        """
        seconds, rest = divmod(operator.index(nanoseconds), 1_000_000_000)
        return cls(_as_time_t(seconds), rest)

    @property
    def ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self.tv_sec * 1_000_000_000 + self.tv_nsec

    @property
    def seconds(self) -> float:
        """Seconds since the epoch."""
        return self.tv_sec + self.tv_nsec * 1e-9


def timespecs(access: int, modification: int) -> Any:
    """The ``struct timespec[2]`` of two times in nanoseconds."""
    return (Timespec * 2)(Timespec.from_ns(access), Timespec.from_ns(modification))


_TIMES: _Fields = [("st_atim", Timespec), ("st_mtim", Timespec), ("st_ctim", Timespec)]


def stat_fields(machine: str) -> _Fields:
    """The members of ``struct stat`` on a 64-bit Linux machine.

    :param machine: the name that :func:`os.uname` gives it.
    """
    start: _Fields = [("st_dev", c_uint64), ("st_ino", c_uint64)]
    owner: _Fields = [("st_uid", c_uint32), ("st_gid", c_uint32)]
    mode, nlink = ("st_mode", c_uint32), ("st_nlink", c_uint64)
    size, blocks = ("st_size", c_int64), ("st_blocks", c_int64)
    rdev, spare = ("st_rdev", c_uint64), ("__spare", c_int64 * 3)
    if machine == "s390x":
        sizes = [size, *_TIMES, ("st_blksize", c_int64), blocks, spare]
        return [*start, nlink, mode, *owner, ("__pad", c_int32), rdev, *sizes]
    if machine in ("x86_64", "amd64", "ppc64", "ppc64le"):
        sizes = [size, ("st_blksize", c_int64), blocks, *_TIMES, spare]
        return [*start, nlink, mode, *owner, ("__pad", c_int32), rdev, *sizes]
    # aarch64, riscv64, loongarch64 and all that came later share the kernel's generic one.
    sizes = [("__pad1", c_uint64), size, ("st_blksize", c_int32), ("__pad2", c_int32), blocks]
    return [
        *start,
        mode,
        ("st_nlink", c_uint32),
        *owner,
        rdev,
        *sizes,
        *_TIMES,
        ("__spare", c_uint64),
    ]


# In the order of the stat module's ST_MODE and so on, which the three times follow.
_INDEXED = ("st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size")
_TOLD: tuple[str, ...] = (*_INDEXED, "st_rdev", "st_blksize", "st_blocks")
_TOLD += ("st_atime_ns", "st_mtime_ns", "st_ctime_ns")


class Stat(ctypes.Structure):
    """``struct stat`` with the attributes of :class:`os.stat_result`.

    Two are equal if all that they tell is, times to the nanosecond. An index, as
    :data:`stat.ST_MODE`, gives one of the ten numbers that :class:`os.stat_result` is a tuple of.
    """

    _fields_ = stat_fields(os.uname().machine)

    st_dev: int
    st_ino: int
    st_nlink: int
    st_mode: int
    st_uid: int
    st_gid: int
    st_rdev: int
    st_size: int
    st_blksize: int
    st_blocks: int
    st_atim: Timespec
    st_mtim: Timespec
    st_ctim: Timespec

    @property
    def st_atime(self) -> float:
        """Time of the last access, in seconds."""
        return self.st_atim.seconds

    @property
    def st_mtime(self) -> float:
        """Time of the last change of the content, in seconds."""
        return self.st_mtim.seconds

    @property
    def st_ctime(self) -> float:
        """Time of the last change of content or attributes, in seconds."""
        return self.st_ctim.seconds

    @property
    def st_atime_ns(self) -> int:
        """Time of the last access, in nanoseconds."""
        return self.st_atim.ns

    @property
    def st_mtime_ns(self) -> int:
        """Time of the last change of the content, in nanoseconds."""
        return self.st_mtim.ns

    @property
    def st_ctime_ns(self) -> int:
        """Time of the last change of content or attributes, in nanoseconds."""
        return self.st_ctim.ns

    def __len__(self) -> int:
        return len(_INDEXED) + 3

    def __getitem__(self, index: Any) -> Any:
        times = (time.tv_sec for time in (self.st_atim, self.st_mtim, self.st_ctim))
        return (*(getattr(self, name) for name in _INDEXED), *times)[index]

    def __eq__(self, other: object) -> bool:
        return self._told() == other._told() if isinstance(other, Stat) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._told())

    def _told(self) -> tuple[int, ...]:
        return tuple(getattr(self, name) for name in _TOLD)

    def __repr__(self) -> str:
        names = ("ino", "nlink", "uid", "gid", "size", "mtime")
        rest = ", ".join(f"st_{name}={getattr(self, 'st_' + name)}" for name in names)
        return f"gluster.gfapi.api.Stat(st_mode={self.st_mode:#o}, {rest})"


class Statvfs(ctypes.Structure):
    """``struct statvfs`` with the attributes of :class:`os.statvfs_result` and ``f_fsid``."""

    _fields_ = [
        *((f"f_{name}", ctypes.c_ulong) for name in ("bsize", "frsize")),
        *(
            (f"f_{name}", c_uint64)
            for name in ("blocks", "bfree", "bavail", "files", "ffree", "favail")
        ),
        *((f"f_{name}", ctypes.c_ulong) for name in ("fsid", "flag", "namemax")),
        ("__f_spare", c_int * 6),
    ]

    f_bsize: int
    f_frsize: int
    f_blocks: int
    f_bfree: int
    f_bavail: int
    f_files: int
    f_ffree: int
    f_favail: int
    f_fsid: int
    f_flag: int
    f_namemax: int

    def __repr__(self) -> str:
        members = ", ".join(f"{n}={getattr(self, n)}" for n, *_ in self._fields_ if n[:2] == "f_")
        return f"gluster.gfapi.api.Statvfs({members})"


class Dirent(ctypes.Structure):
    """``struct dirent``: one entry of a directory."""

    _fields_ = [
        ("d_ino", c_uint64),
        ("d_off", c_int64),
        ("d_reclen", ctypes.c_ushort),
        ("d_type", ctypes.c_ubyte),
        ("d_name", ctypes.c_char * 256),
    ]

    d_ino: int
    d_off: int
    d_reclen: int
    d_type: int
    d_name: bytes

    @property
    def name(self) -> str:
        """``d_name`` as text, decoded by :func:`os.fsdecode`."""
        return decode(self.d_name)

    def __repr__(self) -> str:
        return f"gluster.gfapi.api.Dirent(d_name={self.d_name!r}, d_ino={self.d_ino})"


def glfs_stat_fields(machine: str) -> _Fields:
    """The members of ``struct glfs_stat``, two of which are of the types that ``struct stat`` has.

    :param machine: the name that :func:`os.uname` gives it.
    """
    kinds = dict(stat_fields(machine))
    times: _Fields = [(f"glfs_st_{x}time", Timespec) for x in ("a", "b", "c", "m")]
    return [
        ("glfs_st_mask", c_uint64),
        ("glfs_st_attributes", c_uint64),
        ("glfs_st_attributes_mask", c_uint64),
        *times,
        ("glfs_st_ino", c_uint64),
        ("glfs_st_size", c_int64),
        ("glfs_st_blocks", c_int64),
        ("glfs_st_rdev_major", c_uint32),
        ("glfs_st_rdev_minor", c_uint32),
        ("glfs_st_dev_major", c_uint32),
        ("glfs_st_dev_minor", c_uint32),
        ("glfs_st_blksize", kinds["st_blksize"]),
        ("glfs_st_nlink", kinds["st_nlink"]),
        ("glfs_st_uid", c_uint32),
        ("glfs_st_gid", c_uint32),
        ("glfs_st_mode", c_uint32),
    ]


class GlfsStat(ctypes.Structure):
    """``struct glfs_stat``: a status, or the attributes to set, as ``glfs_st_mask`` says."""

    _fields_ = glfs_stat_fields(os.uname().machine)


class Iovec(ctypes.Structure):
    """``struct iovec``: one of several buffers."""

    _fields_ = [("iov_base", ctypes.c_void_p), ("iov_len", ctypes.c_size_t)]


class Flock(ctypes.Structure):
    """``struct flock``: a lock on a range of a file."""

    _fields_ = [
        ("l_type", ctypes.c_short),
        ("l_whence", ctypes.c_short),
        ("l_start", c_int64),
        ("l_len", c_int64),
        ("l_pid", c_int),
    ]


class Lease(ctypes.Structure):
    """``struct glfs_lease``."""

    _fields_ = [
        ("cmd", ctypes.c_uint),
        ("lease_type", ctypes.c_uint),
        ("lease_id", ctypes.c_char * LEASE_ID_SIZE),
        ("lease_flags", ctypes.c_uint),
    ]
