"""libacl, which libgfapi itself uses: the ``acl_t`` of its calls, and the text of one."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_void_p, string_at
from enum import IntEnum

from .conversions import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXT_NUMERIC_IDS = 0x08
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "acl_from_text": (c_void_p, c_char_p),
    "acl_to_any_text": (c_void_p, c_void_p, c_char_p, c_char, c_int),
    "acl_calc_mask": (c_int, POINTER(c_void_p)),
    "acl_check": (c_int, c_void_p, POINTER(c_int)),
    "acl_error": (c_char_p, c_int),
    "acl_free": (c_int, c_void_p),
}


class AclType(IntEnum):
    """Which of an object's two lists: ``ACL_TYPE_*``."""

    ACCESS = 0x8000
    DEFAULT = 0x4000


@functools.cache
def _libacl() -> Any:
    try:
        library = ctypes.CDLL("libacl.so.1")
    except OSError as error:
        raise NotImplementedError(f"access control lists need libacl ({error})") from None
    for name, (result, *parameters) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, parameters
    return library


def acl_to_text(acl: int) -> str:
    """One line for each entry of an ``acl_t``, with users and groups as numbers; frees it."""
    libacl = _libacl()
    text = None
    try:
        text = libacl.acl_to_any_text(acl, None, b"\n", _TEXT_NUMERIC_IDS)
        if text is None:
            raise MemoryError
        lines = string_at(text).decode().splitlines()
    finally:
        libacl.acl_free(text)
        libacl.acl_free(acl)
    return "".join(f"{line}\n" for line in lines)


@contextlib.contextmanager
def acl_from_text(text: str, may_be_empty: bool) -> Iterator[int]:
    """The ``acl_t`` of a text, freed at the end of the ``with`` statement.

    :param text: entries that newlines or commas separate, with comments as getfacl writes them.
    :param may_be_empty: whether a list without entries is a valid one.
    :raises ValueError: if it is no valid list.
    """
    libacl = _libacl()
    lines = (line.partition("#")[0] for line in text.splitlines())
    entries = [entry for line in lines for entry in line.replace(",", " ").split()]
    acl = c_void_p(libacl.acl_from_text(encode(",".join(entries))))
    if not acl:
        raise ValueError(f"{_wrong_entry(entries)!r} is no entry of an access control list")
    try:
        if entries or not may_be_empty:
            _complete(acl, entries)
        assert acl.value
        yield acl.value
    finally:
        libacl.acl_free(acl)


def _complete(acl: c_void_p, entries: list[str]) -> None:
    """Add the mask if it is missing, as setfacl does, and check that nothing else is."""
    libacl, where = _libacl(), c_int()
    if libacl.acl_check(acl, byref(where)) == 0:
        return
    if not any(entry.startswith("m") for entry in entries):
        libacl.acl_calc_mask(byref(acl))
    problem = libacl.acl_check(acl, byref(where))
    if problem:
        reason = libacl.acl_error(problem).decode().lower()
        raise ValueError(f"{','.join(entries)!r} is no access control list: {reason}")


def _wrong_entry(entries: list[str]) -> str:
    """The first entry that libacl does not understand."""
    for entry in entries:
        acl = _libacl().acl_from_text(encode(entry))
        if acl is None:
            return entry
        _libacl().acl_free(acl)
    return ",".join(entries)
