"""The table of C functions: one row for each, in the order of GlusterFS's headers."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_ssize_t, c_uint32, c_void_p
from typing import Any, Callable, NamedTuple, Optional

from .conversions import check_length, encode, encode_or_null, encode_path, integer_check
from .structures import Dirent, Stat, Statvfs, Timespec


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
text_or_null = Parameter(c_char_p, encode_or_null)
integer = Parameter(c_int, integer_check(c_int))
mode = uid = gid = Parameter(c_uint32, integer_check(c_uint32))
owner = Parameter(c_uint32, integer_check(c_int64, -1, 0xFFFFFFFF))  # -1: leave as it is
device = Parameter(ctypes.c_uint64, integer_check(ctypes.c_uint64))
offset = Parameter(c_int64, integer_check(c_int64))
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
