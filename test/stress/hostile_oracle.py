"""Which exceptions say what was wrong, and which do not."""

from __future__ import annotations

import io
from typing import Any, Optional

from hostile_values import Boom

from gluster import gfapi
from gluster.gfapi import sandbox

#: What a call with nonsense may raise. OSError is any of its subclasses.
ALLOWED = (TypeError, ValueError, OverflowError, OSError, gfapi.LibgfapiException, Boom)
ALLOWED += (KeyError, NotImplementedError, BufferError, StopIteration, sandbox.SandboxError)
ALLOWED += (io.UnsupportedOperation,)
#: Words of Python's that are about the insides of a function, and not about what it was given.
UNCLEAR = (
    "not supported between instances",
    "unsupported operand",
    "bad operand",
    "can only concatenate",
    "is not subscriptable",
    "has no attribute",
    "argument of type",
    "takes no arguments",
    "missing 1 required positional",
    "cannot unpack",
    "values to unpack",
    "not all arguments converted",
    "list index",
    "tuple index",
    "don't know how to convert",
    "Don't know how to convert",
    "wrong type",
    "incompatible types",
)


def complaint(case: Any, error: Optional[BaseException]) -> str:
    """What is wrong with the outcome of a call, or ``""``."""
    if case.state == "right":
        return _of_a_right_call(case, error)
    if error is None or isinstance(error, Boom):
        return ""
    if case.state in ("unknown keyword", "too many"):
        return "" if isinstance(error, (TypeError, *ALLOWED)) else f"unclear: {error!r}"
    if not isinstance(error, ALLOWED):
        if _is_of_its_owns(case, error):
            return ""
        return f"unclear: {error!r}"
    words = str(error)
    if not words.strip() and not isinstance(error, (StopIteration, KeyError)):
        return f"unclear: {error!r} says nothing"
    found = [unclear for unclear in UNCLEAR if unclear in words]
    if (
        found
        and not _is_of_its_owns(case, error)
        and isinstance(error, TypeError)
        and not isinstance(error, OSError)
    ):
        return f"unclear: {error!r}"
    has_number = not isinstance(error, OSError) or error.errno is not None
    if not has_number and not isinstance(error, (gfapi.Error, io.UnsupportedOperation)):
        return f"unclear: {error!r} has no errno"
    return ""


def _is_of_its_owns(case: Any, error: BaseException) -> bool:
    """Whether an exception is what the counterpart in Python has for the same."""
    name = case.name
    if name == "Volume.copyfileobj" and isinstance(error, AttributeError):
        return True  # as shutil's
    if isinstance(error, MemoryError) and {"size", "buflen"} & set(case.values):
        return True  # as os.pread's
    if name == "Xattrs.update":
        return isinstance(error, (TypeError, AttributeError))  # as any MutableMapping
    return isinstance(error, IndexError) and {"index", "node"} & set(case.values) != set()


def _of_a_right_call(case: Any, error: Optional[BaseException]) -> str:
    expected = _RIGHT.get(case.name) or _RIGHT.get(case.name.rpartition(".")[2], ())
    if error is None or isinstance(error, expected):
        return ""
    return f"table: the right call of {case.name} fails: {error!r}"


_RIGHT: dict[str, Any] = {
    # A file that was just closed is open on a replica's bricks a little longer.
    "File.lease": BlockingIOError,
    "Handle.lease": BlockingIOError,
    "Lease": (BlockingIOError, OSError),
    "Upcall": TypeError,
    "Watch.__next__": StopIteration,
    "__reduce__": TypeError,
}
