"""The Python functions made from the rows of the table."""

from __future__ import annotations

import ctypes
import errno
import os

from .loader import library, symbol, thread_translator
from .parameters import NAMES, Parameter
from .table import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    from .conversions import AnyPath


def bind(row: Row) -> Callable[..., Any]:
    """The Python function for a row.

    :raises NotImplementedError: if the library lacks it.
    """
    found = symbol(library(), row.name, row.version)
    if found is None:
        raise NotImplementedError(
            f"{row.name} needs GlusterFS {row.version} or later; {library()._name} lacks it"
        )
    function = prototype(row)(found)
    return wrap(row, _set_right(function) if row.name in _LEAVE_TRANSLATOR else function)


def prototype(row: Row) -> Any:
    """The C type of a row's function, as far as ctypes is told of it."""
    told = (parameter.ctype for parameter in row.parameters[: _told(row)])
    return ctypes.CFUNCTYPE(row.result.ctype, *told, use_errno=True)


# Those of two descriptors save what they find twice, and so come back with the translator of a
# volume as the thread's. Once that is unmounted and freed, the next glfs_new of the thread dies.
_LEAVE_TRANSLATOR = {"glfs_copy_file_range", "glfs_linkat", "glfs_renameat", "glfs_renameat2"}


def _set_right(function: Callable[..., Any]) -> Callable[..., Any]:
    """The C function, leaving the thread's current translator as it was."""
    place_of = thread_translator()
    if place_of is None:
        return function

    def call(*arguments: Any) -> Any:
        place = place_of()
        before = place[0]
        try:
            return function(*arguments)
        finally:
            place[0] = before

    return call


def wrap(row: Row, function: Callable[..., Any]) -> Callable[..., Any]:
    """Put the checks, the gates and the error of a row around its C function.

    The wrapper is made from source text because it is the hot path of everything: one that walks
    the row at each call takes half as long again.
    """
    names: dict[str, Any] = {
        **NAMES,
        "function": function,
        "failure": failure,
        "errno": ctypes.get_errno,
    }
    # Not of text: of an interrupt that falls into that, Python remembers to die when it ends.
    exec(compile(_source(row, names), "<gfapi>", "exec"), names)
    wrapper: Callable[..., Any] = names[row.name]
    return wrapper


def _told(row: Row) -> int:
    """How many parameters, from the first on, ctypes is told the types of.

    It takes them for the rest too if they are of fewer arguments than it gets, as for a function
    of C's with an ellipsis.
    """
    return max((i for i, each in enumerate(row.parameters, 1) if not each.untold), default=0)


def _source(row: Row, names: dict[str, Any]) -> str:
    """The wrapper's source; what it needs by name is added to ``names``.

    For ``glfs_chmod`` it is::

        def glfs_chmod(a0, a1, a2):
            c1 = convert1(a1)
            c2 = a2 if type(a2) is int and 0 <= a2 <= 4294967295 else convert2(a2)
            calls0 = a0.calls
            try:
                calls0.append(None)
                address0 = a0.address
                if address0 is None:
                    address0 = a0.refuse()
                result = function(address0, c1, c2)
            finally:
                calls0.pop()
            if result < 0:
                raise failure(a1)
            return result
    """
    before, gates, passed = [], [], []
    told = _told(row)
    for i, parameter in enumerate(row.parameters):
        if parameter.is_gate:
            gates.append(i)
            passed.append(f"address{i}")
            continue
        given = f"a{i}"
        if parameter.convert:
            names[f"convert{i}"] = parameter.convert
            before.append(f"c{i} = {_unless_fit(parameter, given)}convert{i}({given})")
            given = f"c{i}"
        passed.append(given if i < told else parameter.untold.format(given))
    call = f"function({', '.join(passed)})"
    if row.result.convert:
        names["convert"] = row.result.convert
        call = f"convert({call})"
    body = [f"result = {call}"]
    if row.result.is_kept:
        # A signal that comes while C runs has its handler called as soon as Python runs again. So
        # it is C, too, that takes the result.
        each = ", ".join(f"({one},)" for one in passed)
        before.append("kept = [] if kept is None else kept")
        body = [f"kept.extend(map(function, {each}))", "result = kept[-1]"]
    for i in reversed(gates):
        before.append(f"calls{i} = a{i}.calls")
        inner = [
            f"calls{i}.append(None)",
            f"address{i} = a{i}.address",
            f"if address{i} is None:",
            f"    address{i} = a{i}.refuse()",
            *body,
        ]
        body = ["try:", *(f"    {line}" for line in inner), "finally:", f"    calls{i}.pop()"]
    if row.result.failed:
        paths = [f"a{i}" for i, parameter in enumerate(row.parameters) if parameter.is_path]
        paths = paths or [f"a{i}.path" for i in gates]
        body += [f"if {row.result.failed}:", f"    raise failure({', '.join(paths)})"]
    arguments = ", ".join(f"a{i}" for i in range(len(row.parameters)))
    if row.result.is_kept:
        arguments += ", kept=None"
    return "\n    ".join([f"def {row.name}({arguments}):", *before, *body, "return result"])


def _unless_fit(parameter: Parameter, given: str) -> str:
    """The source that spares an int that fits the call of its check."""
    bounds = getattr(parameter.convert, "bounds", None)
    if bounds is None:
        return ""
    low, high = bounds
    return f"{given} if type({given}) is int and {low} <= {given} <= {high} else "


def failure(filename: Optional[AnyPath] = None, filename2: Optional[AnyPath] = None) -> OSError:
    """The OSError for the errno that the last call of this thread left."""
    # libgfapi forgets to set it now and then, and then it is not to be that of an earlier call.
    code = ctypes.set_errno(0) or errno.EIO
    if filename is None:  # a mount has no path, and what is called with one may
        filename, filename2 = filename2, None
    return OSError(code, os.strerror(code), _named(filename), None, _named(filename2))


def _named(path: Optional[AnyPath]) -> Any:
    """A path as an error names it; the error is not to be another because that cannot be told."""
    try:
        return None if path is None else os.fspath(path)
    except Exception:
        return None
