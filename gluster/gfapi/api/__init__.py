"""libgfapi as Python sees it: structures, and one table of C functions.

This is the only package that declares or loads C. ``api.glfs_stat(mount, path, stat)`` and its like
are Python functions made from the rows of :data:`TABLE` when they are first asked for, so the
library is loaded by the first call and not by the import.

A made function takes what the user gave, checks it, passes the :class:`~gluster.gfapi.gate.Gate`
of its ``glfs`` or ``glfd``, calls C and raises :class:`OSError` with the user's own paths in it.
Nothing that calls one needs an error check.
"""

from __future__ import annotations

from .buffers import byte_view, memory, new_bytes, vector
from .conversions import (
    check_int64,
    check_length,
    check_uint32,
    decode,
    encode,
    encode_bare_path,
    encode_path,
    integer,
    uint32_array,
)
from .functions import bind, failure, prototype, wrap
from .loader import (
    available,
    end_init,
    keep_translators,
    library,
    symbol,
    translator_installed,
    translators_installed,
)
from .parameters import RecallCallback, UpcallCallback, result_pointer, run_reported
from .structures import (
    HANDLE_LENGTH,
    LEASE_ID_SIZE,
    MAX_LOCK_OWNER_LEN,
    Dirent,
    Flock,
    GlfsStat,
    Iovec,
    Lease,
    Stat,
    Statvfs,
    Timespec,
    glfs_stat_fields,
    stat_fields,
    timespecs,
)
from .table import TABLE, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .constants import (
        LeaseCommand,
        LeaseType,
        LockMode,
        SetAttr,
        StatMask,
        Sysrq,
        UpcallEvents,
        UpcallFlags,
        UpcallReason,
        Xreaddirp,
    )
    from .conversions import AnyPath as AnyPath
    from .libacl import AclType, acl_from_text, acl_to_text

__all__ = [
    "HANDLE_LENGTH",
    "LEASE_ID_SIZE",
    "MAX_LOCK_OWNER_LEN",
    "TABLE",
    "AclType",
    "Dirent",
    "Flock",
    "GlfsStat",
    "Iovec",
    "Lease",
    "LeaseCommand",
    "LeaseType",
    "LockMode",
    "RecallCallback",
    "Row",
    "SetAttr",
    "Stat",
    "StatMask",
    "Statvfs",
    "Sysrq",
    "Timespec",
    "UpcallCallback",
    "UpcallEvents",
    "UpcallFlags",
    "UpcallReason",
    "Xreaddirp",
    "acl_from_text",
    "acl_to_text",
    "available",
    "bind",
    "byte_view",
    "check_int64",
    "check_length",
    "check_uint32",
    "decode",
    "encode",
    "encode_bare_path",
    "encode_path",
    "end_init",
    "failure",
    "glfs_stat_fields",
    "integer",
    "keep_translators",
    "library",
    "memory",
    "new_bytes",
    "prototype",
    "result_pointer",
    "run_reported",
    "stat_fields",
    "symbol",
    "timespecs",
    "translator_installed",
    "translators_installed",
    "uint32_array",
    "vector",
    "wrap",
]


def __getattr__(name: str) -> Any:
    if name in TABLE:
        found = bind(TABLE[name])
    elif name in __all__:  # enumerations and libacl: most programs need neither, nor enum
        from . import constants, libacl

        found = getattr(constants if hasattr(constants, name) else libacl, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
