"""GlusterFS for Python: a volume's files by way of libgfapi, without a mount point."""

from __future__ import annotations

from .directory import Dir
from .exceptions import Error, LibgfapiException, VolumeNotMounted
from .file import File
from .leases import Lease
from .locks import LockHolder
from .scan import DirEntry
from .volume import Volume
from .xattr import Xattrs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .api import LeaseType, UpcallEvents, UpcallFlags, UpcallReason
    from .handle import Handle
    from .upcall import Upcall, Watch

__version__ = "2.0.0.dev0"

__all__ = [
    "Dir",
    "DirEntry",
    "Error",
    "File",
    "Handle",
    "Lease",
    "LeaseType",
    "LibgfapiException",
    "LockHolder",
    "Upcall",
    "UpcallEvents",
    "UpcallFlags",
    "UpcallReason",
    "Volume",
    "VolumeNotMounted",
    "Watch",
    "Xattrs",
]

# The modules that are public.
_MODULES = ("api", "exceptions", "meta", "sandbox")
# The rooms of what most programs never ask for, which are imported when somebody does.
_ROOMS = {
    "Handle": "handle",
    "LeaseType": "api",
    "Upcall": "upcall",
    "UpcallEvents": "api",
    "UpcallFlags": "api",
    "UpcallReason": "api",
    "Watch": "upcall",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    room = importlib.import_module(f".{_ROOMS[name]}", __name__)
    found = globals()[name] = getattr(room, name)
    return found


def __dir__() -> list[str]:
    """What is public, and not each module that the package is made of."""
    shown = (name for name in globals() if name.startswith("__") or name in _MODULES)
    return sorted({*__all__, *shown})
