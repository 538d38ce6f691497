"""The kinds of parameters and results that the rows of the table are made of."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_ssize_t, c_uint32, c_uint64, c_void_p

from ..typed import NamedTuple
from .conversions import (
    check_length,
    encode,
    encode_bare_path,
    encode_or_null,
    encode_path,
    integer_check,
)
from .structures import Dirent, Flock, GlfsStat, Iovec, Lease, Stat, Statvfs, Timespec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional


class Parameter(NamedTuple):
    """A kind of parameter of a C function.

    :ivar ctype: what C takes.
    :ivar convert: makes that of what the caller gave, or None where that fits already.
    :ivar is_gate: whether it is a Gate, which the call has to pass.
    :ivar is_path: whether an error names it.
    :ivar untold: the expression for what ctypes passes as that type without being told the type,
        which takes it as long as the rest of a short call; "" where it has to be told. By itself,
        it passes an int as C's, bytes and None as a pointer, and its own objects as what they are.
    """

    ctype: Any
    convert: Optional[Callable[[Any], Any]] = None
    is_gate: bool = False
    is_path: bool = False
    untold: str = ""


class Result(NamedTuple):
    """What a C function returns and how it says that it failed.

    :ivar failed: the condition on ``result``, or "" for a function that cannot fail.
    :ivar convert: makes what the caller gets of that, before another call can change it.
    :ivar is_kept: whether the caller may give a list as the last argument that gets what C
        returned. No interrupt comes in between: who has the list knows what was opened or closed.
    """

    ctype: Any
    failed: str
    convert: Optional[Callable[[Any], Any]] = None
    is_kept: bool = False


def _copy_of(structure: Any) -> Callable[[Optional[int]], Any]:
    """What makes a copy of a structure in libgfapi's own memory; None of NULL."""
    at, copy = structure.from_address, structure.from_buffer_copy
    return lambda address: None if address is None else copy(at(address))


#: What libgfapi calls when an asynchronous call is over: glfd, result, status before and after,
#: and what was given for ``data``. Both status live on the stack of its caller.
IoCallback = ctypes.CFUNCTYPE(
    None, c_void_p, c_ssize_t, ctypes.POINTER(GlfsStat), ctypes.POINTER(GlfsStat), c_void_p
)
#: The same when another client changed something: the event. C gives ``data`` too, in a register
#: that whoever takes no second argument leaves alone.
UpcallCallback = ctypes.CFUNCTYPE(None, c_void_p)
#: The same when a lease is wanted back: the lease and ``data``.
RecallCallback = ctypes.CFUNCTYPE(None, Lease, c_void_p)

_Plain = ctypes.CFUNCTYPE(None)


def run_reported(function: Callable[[], object]) -> None:
    """Call a function as C calls one back: what it raises goes to :func:`sys.unraisablehook`.

    :exc:`SystemExit` ends it without a word, as it ends a thread.
    """

    @functools.wraps(function)
    def run() -> None:
        with contextlib.suppress(SystemExit):
            function()

    _Plain(run)()


_as_offset = integer_check(c_int64)


def _offset_or_null(value: Optional[int]) -> Optional[c_int64]:
    """Where C finds an offset. What it leaves there instead is of no use to the caller."""
    return None if value is None else c_int64(_as_offset(value))


class _Sizes(dict[int, "Any"]):
    """Lengths as ctypes passes them to C: making one takes longer than finding it."""

    def __missing__(self, size: int) -> Any:
        passed = c_size_t.from_param(size)
        if len(self) < _MOST_SIZES:
            self[size] = passed
        return passed


_MOST_SIZES = 1024
#: What the expressions of the kinds below use.
NAMES = {"byref": ctypes.byref, "int64": c_int64, "sizes": _Sizes()}

_AS_IT_IS = "{0}"
_BY_REFERENCE = "{0} and byref({0})"

# An output that the caller made (a structure, a buffer) and numbers that never come from a user
# need no conversion.
fs = fd = obj = Parameter(c_void_p, is_gate=True)
address = Parameter(c_void_p)
path = Parameter(c_char_p, encode_path, is_path=True, untold=_AS_IT_IS)
bare_path = Parameter(c_char_p, encode_bare_path, is_path=True, untold=_AS_IT_IS)
text = Parameter(c_char_p, encode, untold=_AS_IT_IS)
text_or_null = Parameter(c_char_p, encode_or_null, untold=_AS_IT_IS)
int_ = Parameter(c_int, integer_check(c_int), untold=_AS_IT_IS)
own_int = Parameter(c_int, untold=_AS_IT_IS)
uint32 = mode = uid = gid = Parameter(c_uint32, integer_check(c_uint32), untold=_AS_IT_IS)
owner = Parameter(  # -1: leave as it is
    c_uint32, integer_check(c_int64, -1, 0xFFFFFFFF), untold=_AS_IT_IS
)
device = Parameter(ctypes.c_uint64, integer_check(ctypes.c_uint64))
offset = Parameter(c_int64, integer_check(c_int64), untold="int64({0})")
length = Parameter(c_size_t, check_length)
size = Parameter(c_size_t, untold="sizes[{0}]")
character = Parameter(ctypes.c_char)
buffer = Parameter(c_void_p, untold=_AS_IT_IS)
stat_p = Parameter(ctypes.POINTER(Stat), untold=_BY_REFERENCE)
statvfs_p = Parameter(ctypes.POINTER(Statvfs), untold=_BY_REFERENCE)
dirent_p = Parameter(ctypes.POINTER(Dirent), untold=_BY_REFERENCE)
attr_p = Parameter(ctypes.POINTER(GlfsStat), untold=_BY_REFERENCE)
times = Parameter(ctypes.POINTER(Timespec))
iovec_p = Parameter(ctypes.POINTER(Iovec), untold=_AS_IT_IS)
flock_p = Parameter(ctypes.POINTER(Flock), untold=_BY_REFERENCE)
lease_p = Parameter(ctypes.POINTER(Lease), untold=_BY_REFERENCE)
offset_p = Parameter(ctypes.POINTER(c_int64), _offset_or_null)
gids = Parameter(ctypes.POINTER(c_uint32))
done = Parameter(IoCallback)
event = Parameter(UpcallCallback)
recall = Parameter(RecallCallback)
result_p = Parameter(ctypes.POINTER(c_void_p), untold="byref({0})")  # false until C has set it
result_pointer = c_void_p  # what to give for a result_p: true once C has set it

status = Result(c_int, "result < 0")
count = Result(c_ssize_t, "result < 0")
position = Result(c_int64, "result < 0")
pointer = Result(c_void_p, "result is None")
opened = Result(c_void_p, "result is None", is_kept=True)
closed = Result(c_int, "result < 0", is_kept=True)
string = Result(c_char_p, "result is None")
answer = Result(c_int, "")
amount = Result(c_ssize_t, "")
flags32 = Result(c_uint32, "")
flags64 = Result(c_uint64, "")
maybe = Result(c_void_p, "")  # NULL means that there is none
stat = Result(c_void_p, "", _copy_of(Stat))
entry = Result(c_void_p, "result is None and errno()", _copy_of(Dirent))  # None at the end
nothing = Result(None, "")
