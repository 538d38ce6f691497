"""libgfapi as Python sees it: structures, constants and one table of C functions.

This is the only module that declares or loads C. ``api.glfs_stat(mount, path, stat)`` and its like
are Python functions made from the rows of :data:`TABLE` when they are first asked for, so the
library is loaded by the first call and not by the import.

A made function takes what the user gave, checks it, passes the :class:`~gluster.gfapi.gate.Gate`
of its ``glfs`` or ``glfd``, calls C and raises :class:`OSError` with the user's own paths in it.
Nothing that calls one needs an error check.
"""

from __future__ import annotations

import ctypes
import errno
import operator
import os
import sys
from ctypes import c_char_p, c_int, c_int32, c_int64, c_size_t, c_ssize_t, c_uint32, c_void_p
from typing import Any, Callable, NamedTuple, Optional, Union

AnyPath = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

# ------------------------------------------------------------------------------- structures


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


_Fields = list[tuple[str, Any]]
_TIMES: _Fields = [("st_atim", Timespec), ("st_mtim", Timespec), ("st_ctim", Timespec)]
_U64, _U32 = ctypes.c_uint64, c_uint32


def stat_fields(machine: str) -> _Fields:
    """The members of ``struct stat`` on a 64-bit Linux machine.

    :param machine: the name that :func:`os.uname` gives it.
    """
    start: _Fields = [("st_dev", _U64), ("st_ino", _U64)]
    owner: _Fields = [("st_uid", _U32), ("st_gid", _U32)]
    mode, nlink = ("st_mode", _U32), ("st_nlink", _U64)
    size, blocks = ("st_size", c_int64), ("st_blocks", c_int64)
    rdev, spare = ("st_rdev", _U64), ("__spare", c_int64 * 3)
    if machine == "s390x":
        sizes = [size, *_TIMES, ("st_blksize", c_int64), blocks, spare]
        return [*start, nlink, mode, *owner, ("__pad", c_int32), rdev, *sizes]
    if machine in ("x86_64", "amd64", "ppc64", "ppc64le"):
        sizes = [size, ("st_blksize", c_int64), blocks, *_TIMES, spare]
        return [*start, nlink, mode, *owner, ("__pad", c_int32), rdev, *sizes]
    # aarch64, riscv64, loongarch64 and all that came later share the kernel's generic one.
    sizes = [("__pad1", _U64), size, ("st_blksize", c_int32), ("__pad2", c_int32), blocks]
    return [*start, mode, ("st_nlink", _U32), *owner, rdev, *sizes, *_TIMES, ("__spare", _U64)]


class Stat(ctypes.Structure):
    """``struct stat`` with the attributes of :class:`os.stat_result`."""

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

    def __repr__(self) -> str:
        names = ("ino", "nlink", "uid", "gid", "size", "mtime")
        rest = ", ".join(f"st_{name}={getattr(self, 'st_' + name)}" for name in names)
        return f"gluster.gfapi.api.Stat(st_mode={self.st_mode:#o}, {rest})"


class Statvfs(ctypes.Structure):
    """``struct statvfs`` with the attributes of :class:`os.statvfs_result` and ``f_fsid``."""

    _fields_ = [
        *((f"f_{name}", ctypes.c_ulong) for name in ("bsize", "frsize")),
        *(
            (f"f_{name}", _U64)
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
        ("d_ino", _U64),
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
        return os.fsdecode(self.d_name)

    def __repr__(self) -> str:
        return f"gluster.gfapi.api.Dirent(d_name={self.d_name!r}, d_ino={self.d_ino})"


# --------------------------------------------------------------- what a caller may have given


def encode(value: AnyPath) -> bytes:
    """A name as C has it.

    :raises TypeError: if it is no str, bytes or path-like object.
    :raises ValueError: if it contains a NUL.
    """
    raw = value.encode(_ENCODING, _ERRORS) if type(value) is str else os.fsencode(value)
    if b"\0" in raw:
        raise ValueError("embedded null byte")
    return raw


def encode_path(value: AnyPath) -> bytes:
    """As :func:`encode`, for a path.

    :raises FileNotFoundError: if it is empty, which libgfapi would take for the root.
    """
    raw = value.encode(_ENCODING, _ERRORS) if type(value) is str else os.fsencode(value)
    if b"\0" in raw:
        raise ValueError("embedded null byte")
    if not raw:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), value)
    return raw


def _encode_or_null(value: Optional[AnyPath]) -> Optional[bytes]:
    return None if value is None else encode(value)


def _integer(
    ctype: Any, least: Optional[int] = None, most: Optional[int] = None
) -> Callable[[Any], int]:
    """A check that a value is an integer that fits: ctypes itself would cut off what does not."""
    bits, is_signed = 8 * ctypes.sizeof(ctype), ctype(-1).value < 0
    low, high = (-1 << bits - 1, (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    low = low if least is None else least
    high = high if most is None else most

    def check(value: Any) -> int:
        number = value if type(value) is int else operator.index(value)
        if low <= number <= high:
            return number
        raise OverflowError(f"{number} is not between {low} and {high}")

    return check


_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
_as_time_t = _integer(c_int64)
#: A length or offset from the start, which no C function has checked yet.
check_length = _integer(c_int64, 0)


# ---------------------------------------------------------------------- parameters and results


class Parameter(NamedTuple):
    """A kind of parameter of a C function.

    :ivar ctype: what C takes.
    :ivar convert: makes that of what the caller gave, or None where that fits already.
    :ivar is_gate: whether it is a Gate, which the call has to pass.
    :ivar is_path: whether an error names it.
    """

    ctype: Any
    convert: Optional[Callable[[Any], Any]] = None
    is_gate: bool = False
    is_path: bool = False


class Result(NamedTuple):
    """What a C function returns and how it says that it failed.

    :ivar failed: the condition on ``result``, or "" for a function that cannot fail.
    """

    ctype: Any
    failed: str


# An output that the caller made (a structure, a buffer) and numbers that never come from a user
# need no conversion.
fs = fd = Parameter(c_void_p, is_gate=True)
address = Parameter(c_void_p)
path = Parameter(c_char_p, encode_path, is_path=True)
text = Parameter(c_char_p, encode)
text_or_null = Parameter(c_char_p, _encode_or_null)
integer = Parameter(c_int, _integer(c_int))
mode = uid = gid = Parameter(c_uint32, _integer(c_uint32))
owner = Parameter(c_uint32, _integer(c_int64, -1, 0xFFFFFFFF))  # -1: leave as it is
device = Parameter(ctypes.c_uint64, _integer(ctypes.c_uint64))
offset = Parameter(c_int64, _integer(c_int64))
length = Parameter(c_size_t, check_length)
size = Parameter(c_size_t)
buffer = Parameter(c_void_p)
stat_p = Parameter(ctypes.POINTER(Stat))
statvfs_p = Parameter(ctypes.POINTER(Statvfs))
dirent_p = Parameter(ctypes.POINTER(Dirent))
times = Parameter(ctypes.POINTER(Timespec))
result_p = Parameter(ctypes.POINTER(c_void_p))
result_pointer = c_void_p  # what to give for a result_p: true once C has set it

status = Result(c_int, "result < 0")
count = Result(c_ssize_t, "result < 0")
position = Result(c_int64, "result < 0")
pointer = Result(c_void_p, "result is None")
string = Result(c_char_p, "result is None")
nothing = Result(None, "")


class Row(NamedTuple):
    """A C function: its name, symbol version, result and parameters."""

    name: str
    version: str
    result: Result
    parameters: tuple[Parameter, ...]


def _row(name: str, version: str, result: Result, *parameters: Parameter) -> Row:
    return Row(name, version, result, parameters)


# fmt: off
TABLE: dict[str, Row] = {row.name: row for row in (
    # glfs.h: the mount
    _row("glfs_new",                "3.4.0",  pointer,  text),
    _row("glfs_set_volfile_server", "3.4.0",  status,   fs, text, text, integer),
    _row("glfs_set_logging",        "3.4.0",  status,   fs, text_or_null, integer),
    _row("glfs_init",               "3.4.0",  status,   fs),
    _row("glfs_fini",               "3.4.0",  status,   fs),
    _row("glfs_get_volumeid",       "3.5.0",  status,   fs, buffer, size),
    # the calling thread's identity
    _row("glfs_setfsuid",           "3.4.2",  status,   uid),
    _row("glfs_setfsgid",           "3.4.2",  status,   gid),
    # open files
    _row("glfs_open",               "3.4.0",  pointer,  fs, path, integer),
    _row("glfs_creat",              "3.4.0",  pointer,  fs, path, integer, mode),
    _row("glfs_close",              "3.4.0",  status,   fd),
    _row("glfs_dup",                "3.4.0",  pointer,  fd),
    _row("glfs_read",               "3.4.0",  count,    fd, buffer, size, integer),
    _row("glfs_write",              "3.4.0",  count,    fd, buffer, size, integer),
    _row("glfs_lseek",              "3.4.0",  position, fd, offset, integer),
    _row("glfs_ftruncate",          "6.0",    status,   fd, offset, address, address),
    _row("glfs_fsync",              "6.0",    status,   fd, address, address),
    _row("glfs_fdatasync",          "6.0",    status,   fd, address, address),
    _row("glfs_fallocate",          "3.5.0",  status,   fd, integer, offset, length),
    _row("glfs_discard",            "3.5.0",  status,   fd, offset, length),
    _row("glfs_zerofill",           "3.5.0",  status,   fd, offset, offset),
    # metadata
    _row("glfs_stat",               "3.4.0",  status,   fs, path, stat_p),
    _row("glfs_lstat",              "3.4.0",  status,   fs, path, stat_p),
    _row("glfs_fstat",              "3.4.0",  status,   fd, stat_p),
    _row("glfs_statvfs",            "3.4.0",  status,   fs, path, statvfs_p),
    _row("glfs_access",             "3.4.0",  status,   fs, path, integer),
    _row("glfs_chmod",              "3.4.0",  status,   fs, path, mode),
    _row("glfs_fchmod",             "3.4.0",  status,   fd, mode),
    _row("glfs_chown",              "3.4.0",  status,   fs, path, owner, owner),
    _row("glfs_lchown",             "3.4.0",  status,   fs, path, owner, owner),
    _row("glfs_fchown",             "3.4.0",  status,   fd, owner, owner),
    _row("glfs_utimens",            "3.4.0",  status,   fs, path, times),
    _row("glfs_lutimens",           "3.4.0",  status,   fs, path, times),
    # names
    _row("glfs_symlink",            "3.4.0",  status,   fs, path, path),
    _row("glfs_readlink",           "3.4.0",  status,   fs, path, buffer, size),
    _row("glfs_mknod",              "3.4.0",  status,   fs, path, mode, device),
    _row("glfs_mkdir",              "3.4.0",  status,   fs, path, mode),
    _row("glfs_unlink",             "3.4.0",  status,   fs, path),
    _row("glfs_rmdir",              "3.4.0",  status,   fs, path),
    _row("glfs_rename",             "3.4.0",  status,   fs, path, path),
    _row("glfs_link",               "3.4.0",  status,   fs, path, path),
    _row("glfs_chdir",              "3.4.0",  status,   fs, path),
    _row("glfs_getcwd",             "3.4.0",  string,   fs, buffer, size),
    # directories
    _row("glfs_opendir",            "3.4.0",  pointer,  fs, path),
    _row("glfs_closedir",           "3.4.0",  status,   fd),
    _row("glfs_readdir_r",          "3.4.0",  status,   fd, dirent_p, result_p),
    _row("glfs_readdirplus_r",      "3.4.0",  status,   fd, stat_p, dirent_p, result_p),
    # extended attributes
    _row("glfs_getxattr",           "3.4.0",  count,    fs, path, text, buffer, size),
    _row("glfs_fgetxattr",          "3.4.0",  count,    fd, text, buffer, size),
    _row("glfs_listxattr",          "3.4.0",  count,    fs, path, buffer, size),
    _row("glfs_flistxattr",         "3.4.0",  count,    fd, buffer, size),
    _row("glfs_setxattr",           "3.4.0",  status,   fs, path, text, buffer, size, integer),
    _row("glfs_fsetxattr",          "3.4.0",  status,   fd, text, buffer, size, integer),
    _row("glfs_removexattr",        "3.4.0",  status,   fs, path, text),
    _row("glfs_fremovexattr",       "3.4.0",  status,   fd, text),
)}
# fmt: on


# --------------------------------------------------------------------------------- the library

_OLDEST = "glfs_fsync", "6.0"  # GlusterFS 6 gave it this version
_PACKAGES = (
    "install GlusterFS's client library: 'apt-get install glusterfs-common' on Debian and Ubuntu, "
    "'dnf install glusterfs-api' on Fedora and Enterprise Linux; "
    "GFAPI_LIBRARY in the environment names another file to load"
)
_loaded: Optional[ctypes.CDLL] = None


def library() -> ctypes.CDLL:
    """libgfapi, loaded by the first call.

    :raises ImportError: if there is none, or it is older than GlusterFS 6.
    """
    global _loaded
    if _loaded is None:
        _loaded = _load(os.environ.get("GFAPI_LIBRARY") or "libgfapi.so.0")
    return _loaded


def _load(name: str) -> ctypes.CDLL:
    try:
        loaded = ctypes.CDLL(name, use_errno=True)
    except OSError as error:
        raise ImportError(f"cannot load libgfapi ({error}); {_PACKAGES}") from None
    if ctypes.sizeof(c_void_p) != 8:
        raise ImportError("gfapi needs a 64-bit Python")
    if _symbol(loaded, *_OLDEST) is None:
        found = _newest_version(loaded)
        raise ImportError(f"gfapi needs GlusterFS 6 or later, and {name} is of GlusterFS {found}")
    return loaded


def _newest_version(loaded: ctypes.CDLL) -> str:
    """The newest of the versions in the table that a library has."""
    versions = [row.version for row in TABLE.values() if _symbol(loaded, row.name, row.version)]
    numbers = [[int(part) for part in version.split(".")] for version in versions]
    return ".".join(map(str, max(numbers))) if numbers else "an unknown version"


def _symbol(loaded: ctypes.CDLL, name: str, version: str) -> Any:
    """A symbol at exactly this version, as ctypes' function prototypes take it, or None."""
    try:
        dlvsym = ctypes.CDLL(None).dlvsym
    except AttributeError:  # a C library that knows no symbol versions
        return (name, loaded) if hasattr(loaded, name) else None
    dlvsym.restype, dlvsym.argtypes = c_void_p, (c_void_p, c_char_p, c_char_p)
    return dlvsym(loaded._handle, name.encode(), f"GFAPI_{version}".encode())


def translators_installed() -> bool:
    """Whether the shared objects that libgfapi loads to mount lie where it looks for them."""
    import glob  # only a mount that failed asks

    with open("/proc/self/maps") as maps:
        files = {line.split(maxsplit=5)[-1].strip() for line in maps if "libglusterfs.so" in line}
    folders = {os.path.dirname(file) for file in files}
    return any(glob.glob(f"{folder}/glusterfs/*/xlator/mount/api.so") for folder in folders)


def available(name: str) -> bool:
    """Whether the library that is loaded has a function.

    :param name: the name of a C function.
    :raises ImportError: if there is no libgfapi.
    """
    return _symbol(library(), name, TABLE[name].version) is not None


def __getattr__(name: str) -> Any:
    if name not in TABLE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = globals()[name] = _bind(TABLE[name])
    return function


def _bind(row: Row) -> Callable[..., Any]:
    """The Python function for a row.

    :raises NotImplementedError: if the library lacks it.
    """
    symbol = _symbol(library(), row.name, row.version)
    if symbol is None:
        raise NotImplementedError(
            f"{row.name} needs GlusterFS {row.version} or later; {library()._name} lacks it"
        )
    ctypes_of = (parameter.ctype for parameter in row.parameters)
    prototype = ctypes.CFUNCTYPE(row.result.ctype, *ctypes_of, use_errno=True)
    return _wrap(row, prototype(symbol))


def _wrap(row: Row, function: Callable[..., Any]) -> Callable[..., Any]:
    """Put the checks, the gates and the error of a row around its C function.

    The wrapper is made from source text because it is the hot path of everything: one that walks
    the row at each call takes twice as long.
    """
    names: dict[str, Any] = {"function": function, "failure": failure}
    exec(_source(row, names), names)
    wrapper: Callable[..., Any] = names[row.name]
    return wrapper


def _source(row: Row, names: dict[str, Any]) -> str:
    """The wrapper's source; what it needs by name is added to ``names``.

    For ``glfs_chmod`` it is::

        def glfs_chmod(a0, a1, a2):
            c1 = convert1(a1)
            c2 = convert2(a2)
            calls0 = a0.calls
            try:
                calls0.append(None)
                result = function(a0.pointer, c1, c2)
            finally:
                calls0.pop()
            if result < 0:
                raise failure(a1)
            return result
    """
    before, gates, passed = [], [], []
    for i, parameter in enumerate(row.parameters):
        if parameter.convert:
            names[f"convert{i}"] = parameter.convert
            before.append(f"c{i} = convert{i}(a{i})")
        if parameter.is_gate:
            before.append(f"calls{i} = a{i}.calls")
            gates.append(i)
        passed.append(
            f"c{i}" if parameter.convert else f"a{i}.pointer" if parameter.is_gate else f"a{i}"
        )
    body = [f"result = function({', '.join(passed)})"]
    for i in reversed(gates):
        inner = [f"    {line}" for line in (f"calls{i}.append(None)", *body)]
        body = ["try:", *inner, "finally:", f"    calls{i}.pop()"]
    if row.result.failed:
        paths = [f"a{i}" for i, parameter in enumerate(row.parameters) if parameter.is_path]
        paths = paths or [f"a{i}.path" for i in gates]
        body += [f"if {row.result.failed}:", f"    raise failure({', '.join(paths)})"]
    arguments = ", ".join(f"a{i}" for i in range(len(row.parameters)))
    return "\n    ".join([f"def {row.name}({arguments}):", *before, *body, "return result"])


def failure(filename: Optional[AnyPath] = None, filename2: Optional[AnyPath] = None) -> OSError:
    """The OSError for the errno that the last call of this thread left."""
    # libgfapi forgets to set it now and then, and then it is not to be that of an earlier call.
    code = ctypes.set_errno(0) or errno.EIO
    name, name2 = (None if n is None else os.fspath(n) for n in (filename, filename2))
    return OSError(code, os.strerror(code), name, None, name2)


# ----------------------------------------------------------------------------------- memory

new_bytes: Callable[[None, int], bytes] = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)
new_bytes.__doc__ = """A bytes object that nobody has seen yet, for C to fill: ``(None, size)``."""


def memory(data: Any, writable: bool = False) -> tuple[Any, int]:
    """A buffer's memory for C, without a copy.

    :param data: any object with a C-contiguous buffer.
    :param writable: whether C is going to write into it.
    :returns: what a ``void *`` parameter takes, which keeps the buffer in place as long as it
        lives, and the length in bytes.
    :raises TypeError: if it is no such object.
    """
    if type(data) is bytes and not writable:
        return data, len(data)
    view = memoryview(data)
    if not view.c_contiguous:
        raise TypeError("a contiguous buffer is required")
    if view.readonly and writable:
        raise TypeError(f"a writable buffer is required, not {type(data).__name__!r}")
    if not view.nbytes:
        return None, 0
    if view.readonly:
        return _ReadOnlyMemory(view), view.nbytes
    return ctypes.byref(ctypes.c_char.from_buffer(view)), view.nbytes


class _ReadOnlyMemory(ctypes.Structure):
    """``Py_buffer``: ctypes' own way to a buffer takes only writable ones."""

    _fields_ = [("buf", c_void_p), ("obj", c_void_p), ("rest", ctypes.c_byte * 64)]

    def __init__(self, view: memoryview) -> None:
        super().__init__()
        _get_buffer(view, ctypes.byref(self), 0)

    @property
    def _as_parameter_(self) -> c_void_p:
        return c_void_p(self.buf)

    def __del__(self) -> None:
        _release_buffer(ctypes.byref(self))


_get_buffer = ctypes.PYFUNCTYPE(c_int, ctypes.py_object, c_void_p, c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release_buffer = ctypes.PYFUNCTYPE(None, c_void_p)(("PyBuffer_Release", ctypes.pythonapi))
