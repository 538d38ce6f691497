"""libgfapi itself: found, loaded, and its functions bound at their exact symbol versions."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from ctypes import c_char_p, c_void_p

from .table import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_OLDEST = "glfs_fsync", "6.0"  # GlusterFS 6 gave it this version
_PACKAGES = (
    "install GlusterFS's client library: 'apt-get install glusterfs-common' on Debian and Ubuntu, "
    "'dnf install glusterfs-api' on Fedora and Enterprise Linux; "
    "GFAPI_LIBRARY in the environment names another file to load"
)
_loaded: Optional[ctypes.CDLL] = None


def library() -> ctypes.CDLL:
    """libgfapi, loaded by the first call.

    :raises ImportError: if there is none, it is older than GlusterFS 6, or this is not the main
        interpreter.
    """
    global _loaded
    if _loaded is None:
        _check_interpreter()
        _loaded = _load(os.environ.get("GFAPI_LIBRARY") or "libgfapi.so.0")
        # The C library wants it where libgfapi ends a thread, and the process ends if there is no
        # descriptor left by then to load it.
        _keep("libgcc_s.so.1", 0)
    return _loaded


def _check_interpreter() -> None:
    """Refuse all interpreters of the process but the first.

    What C calls back runs in that one, and forks and the end of the process are told to it.
    """
    python = ctypes.PyDLL(None)
    for function in (python.PyInterpreterState_Get, python.PyInterpreterState_Main):
        function.restype = c_void_p
    if python.PyInterpreterState_Get() != python.PyInterpreterState_Main():
        raise ImportError("gfapi works in the main interpreter only, and this is another one")


def _load(name: str) -> ctypes.CDLL:
    try:
        loaded = ctypes.CDLL(name, use_errno=True)
    except OSError as error:
        raise ImportError(f"cannot load libgfapi ({error}); {_PACKAGES}") from None
    if ctypes.sizeof(c_void_p) != 8:
        raise ImportError("gfapi needs a 64-bit Python")
    if symbol(loaded, *_OLDEST) is None:
        found = _newest_version(loaded)
        raise ImportError(f"gfapi needs GlusterFS 6 or later, and {name} is of GlusterFS {found}")
    return loaded


def _newest_version(loaded: ctypes.CDLL) -> str:
    """The newest of the versions in the table that a library has."""
    versions = [row.version for row in TABLE.values() if symbol(loaded, row.name, row.version)]
    numbers = [[int(part) for part in version.split(".")] for version in versions]
    return ".".join(map(str, max(numbers))) if numbers else "an unknown version"


def symbol(loaded: ctypes.CDLL, name: str, version: str) -> Any:
    """A symbol at exactly this version, as ctypes' function prototypes take it, or None."""
    dlvsym = _dlvsym()
    if dlvsym is None:
        return (name, loaded) if hasattr(loaded, name) else None
    return dlvsym(loaded._handle, name.encode(), f"GFAPI_{version}".encode())


@functools.cache
def _dlvsym() -> Any:
    """``dlvsym(3)``, or None with a C library that knows no symbol versions."""
    try:
        found = ctypes.CDLL(None).dlvsym
    except AttributeError:
        return None
    found.restype, found.argtypes = c_void_p, (c_void_p, c_char_p, c_char_p)
    return found


def thread_translator() -> Any:
    """A function that returns where libglusterfs keeps this thread's current translator, or None.

    Each call into libgfapi sets it and sets it back.
    """
    try:
        found = getattr(ctypes.CDLL("libglusterfs.so.0"), "__glusterfs_this_location")
    except (AttributeError, OSError):  # another library in the place of libgfapi
        return None
    found.restype = ctypes.POINTER(c_void_p)
    return found


def end_init(pointer: int) -> None:
    """Have ``glfs_init`` come back with an error, if it has not come back.

    Where bricks refuse a client it waits for ever. And one that failed at once leaves a glfs that
    counts as never initialised, of which ``glfs_fini`` ends no thread, and frees what they use.
    What is called here is what libgfapi itself calls at the end of an initialisation.
    """
    found = symbol(library(), "glfs_init_done", "PRIVATE_3.4.0")
    if found is not None:
        ctypes.CFUNCTYPE(None, c_void_p, ctypes.c_int)(found)(pointer, -1)


_kept: set[str] = set()


def keep_translators() -> None:
    """Have the shared objects that libgfapi has loaded stay where they are for good.

    ``glfs_fini`` would unload them under the feet of a fork or an exit, and the next mount load
    them again.
    """
    for file in _files("/glusterfs/") - _kept:
        _keep(file, os.RTLD_NOLOAD)


def _keep(file: str, mode: int) -> None:
    with contextlib.suppress(OSError):  # it has been replaced, or another system has none
        ctypes.CDLL(file, mode=mode | os.RTLD_NODELETE)
    _kept.add(file)


def _files(part: str) -> set[str]:
    """The files that this process has in its memory and whose paths have a part."""
    with open("/proc/self/maps") as maps:
        return {line.split(maxsplit=5)[-1].strip() for line in maps if part in line}


def translators_installed() -> bool:
    """Whether the shared objects that libgfapi loads to mount lie where it looks for them."""
    return translator_installed("mount/api")


def translator_installed(type: str) -> bool:
    """Whether there is a shared object of a type of translator, as ``"protocol/client"``.

    :raises ImportError: if there is no libgfapi.
    """
    import glob  # only a mount that failed asks, and one from a volume file

    library()
    folders = {os.path.dirname(file) for file in _files("libglusterfs.so")}
    type = glob.escape(type)
    return any(glob.glob(f"{folder}/glusterfs/*/xlator/{type}.so") for folder in folders)


def available(name: str) -> bool:
    """Whether the library that is loaded has a function.

    :param name: the name of a C function.
    :raises ImportError: if there is no libgfapi.
    """
    return symbol(library(), name, TABLE[name].version) is not None
