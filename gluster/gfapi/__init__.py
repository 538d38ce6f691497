"""GlusterFS for Python: a volume's files by way of libgfapi, without a mount point."""

from .api import LeaseType
from .directory import Dir, DirEntry
from .exceptions import Error, LibgfapiException, VolumeNotMounted
from .file import File
from .leases import Lease
from .locks import LockHolder
from .volume import Volume

__version__ = "2.0.0.dev0"

__all__ = [
    "Dir",
    "DirEntry",
    "Error",
    "File",
    "Lease",
    "LeaseType",
    "LibgfapiException",
    "LockHolder",
    "Volume",
    "VolumeNotMounted",
]
