"""GlusterFS for Python: a volume's files by way of libgfapi, without a mount point."""

from .directory import Dir
from .exceptions import Error, LibgfapiException, VolumeNotMounted
from .file import File
from .scan import DirEntry
from .volume import Volume
from .xattr import Xattrs

__version__ = "2.0.0.dev0"

__all__ = [
    "Dir",
    "DirEntry",
    "Error",
    "File",
    "LibgfapiException",
    "Volume",
    "VolumeNotMounted",
    "Xattrs",
]
