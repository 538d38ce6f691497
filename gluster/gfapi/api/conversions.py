"""What a caller may give for a name or a number, and what C gets."""

from __future__ import annotations

import ctypes
import errno
import operator
import os
import sys
from collections.abc import Sequence
from ctypes import c_int64, c_uint32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Union

    AnyPath = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def encode(value: AnyPath) -> bytes:
    """A name as C has it.

    :raises TypeError: if it is no str, bytes or path-like object.
    :raises ValueError: if it contains a NUL.
    """
    raw = value.encode(_ENCODING, _ERRORS) if type(value) is str else _encoded(value)
    if 0 in raw:
        raise ValueError("embedded null byte")
    return raw


def encode_path(value: AnyPath) -> bytes:
    """As :func:`encode_bare_path`, for a path that is a directory's if it ends in a slash.

    libgfapi overlooks slashes at the end, but not the dot behind them; and of several alone it has
    no status.
    """
    raw = encode_bare_path(value)
    if raw[-1] != _SLASH:
        return raw
    bare = raw.rstrip(b"/")
    return bare + b"/." if bare else b"/"


def encode_bare_path(value: AnyPath) -> bytes:
    """As :func:`encode`, for a path.

    :raises FileNotFoundError: if it is empty, which libgfapi would take for the root.
    """
    raw = value.encode(_ENCODING, _ERRORS) if type(value) is str else _encoded(value)
    if 0 in raw:
        raise ValueError("embedded null byte")
    if not raw:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), value)
    return raw


def _encoded(value: AnyPath) -> bytes:
    """As :func:`os.fsencode`, of a subclass too, which may think otherwise of what it is."""
    given = os.fspath(value)
    return str.encode(given, _ENCODING, _ERRORS) if isinstance(given, str) else bytes(given)


def encode_or_null(value: Optional[AnyPath]) -> Optional[bytes]:
    return None if value is None else encode(value)


def decode(raw: bytes) -> str:
    """A name that C gave, as :func:`os.fsdecode` has it, which looks at its type first."""
    return raw.decode(_ENCODING, _ERRORS)


def integer(value: Any) -> int:
    """An integer as a plain int, which asks nobody any more what it is or how it compares.

    :raises TypeError: if it is none.
    """
    number = operator.index(value)
    return number if type(number) is int else int.__index__(number)  # Python 3.9 keeps a subclass


def integer_check(
    ctype: Any, least: Optional[int] = None, most: Optional[int] = None
) -> Callable[[Any], int]:
    """A check that a value is an integer that fits: ctypes itself would cut off what does not."""
    bits, is_signed = 8 * ctypes.sizeof(ctype), ctype(-1).value < 0
    low, high = (-1 << bits - 1, (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    low = low if least is None else least
    high = high if most is None else most

    def check(value: Any) -> int:
        number = value if type(value) is int else integer(value)
        if low <= number <= high:
            return number
        raise OverflowError(f"{number} is not between {low} and {high}")

    vars(check)["bounds"] = low, high  # for who would save the call
    return check


_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
_SLASH = ord("/")
#: An offset that may be negative, which a C structure would cut off.
check_int64 = integer_check(c_int64)
#: A length or offset from the start, which no C function has checked yet.
check_length = integer_check(c_int64, 0)
#: A mode, or the number of a user or group.
check_uint32 = integer_check(c_uint32)


def uint32_array(numbers: Sequence[int]) -> Any:
    """Numbers of users or groups, as C has several of them."""
    return (c_uint32 * len(numbers))(*map(check_uint32, numbers))
