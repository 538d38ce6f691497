"""The enumerations and flags of ``glfs.h`` and ``glfs-handles.h``.

A member has the C name without what all of its kind have before or behind it, which the class says.
"""

from __future__ import annotations

from enum import Enum, IntEnum, IntFlag


class SetAttr(IntFlag):
    """Which members of a ``struct stat`` ``glfs_h_setattrs`` is to set: ``GFAPI_SET_ATTR_*``."""

    MODE = 0x1
    UID = 0x2
    GID = 0x4
    SIZE = 0x8
    ATIME = 0x10
    MTIME = 0x20


class StatMask(IntFlag):
    """Which members of a ``struct glfs_stat`` are valid or to be set: ``GLFS_STAT_*``."""

    TYPE = 0x1
    MODE = 0x2
    NLINK = 0x4
    UID = 0x8
    GID = 0x10
    ATIME = 0x20
    MTIME = 0x40
    CTIME = 0x80
    INO = 0x100
    SIZE = 0x200
    BLOCKS = 0x400
    BASIC_STATS = 0x7FF
    BTIME = 0x800
    ALL = 0xFFF
    RESERVED = 0x8000000000000000


class LockMode(IntEnum):
    """How a lock binds those who never asked for one: ``GLFS_LK_*``."""

    ADVISORY = 0
    MANDATORY = 1


class Sysrq(Enum):
    """What ``glfs_sysrq`` can be asked for: ``GLFS_SYSRQ_*``."""

    HELP = b"h"
    STATEDUMP = b"s"


class Xreaddirp(IntFlag):
    """What ``glfs_xreaddirplus_r`` fetches with each entry: ``GFAPI_XREADDIRP_*``."""

    NULL = 0
    STAT = 0x1
    HANDLE = 0x2


class UpcallReason(IntEnum):
    """Why there is an upcall: ``GLFS_UPCALL_*``."""

    EVENT_NULL = 0
    INODE_INVALIDATE = 1
    RECALL_LEASE = 2


class UpcallEvents(IntFlag):
    """Which upcalls are wanted: ``GLFS_EVENT_*``."""

    INODE_INVALIDATE = 0x1
    RECALL_LEASE = 0x2
    ANY = 0xFFFFFFFF


class UpcallFlags(IntFlag):
    """What another client changed: ``GFAPI_UP_*``."""

    NLINK = 0x1
    MODE = 0x2
    OWN = 0x4
    SIZE = 0x8
    TIMES = 0x10
    ATIME = 0x20
    PERM = 0x40
    RENAME = 0x80
    FORGET = 0x100
    PARENT_TIMES = 0x200


class LeaseType(IntEnum):
    """What a lease allows its holder, who is asked before others do more: ``GLFS_*_LEASE``."""

    NONE = 0
    RD = 1
    RW = 2


class LeaseCommand(IntEnum):
    """What is to be done with a lease: ``GLFS_*_LEASE``."""

    GET = 1
    SET = 2
    UNLK = 3
