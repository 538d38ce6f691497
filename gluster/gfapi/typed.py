"""What of :mod:`typing` is needed when a program runs.

That module, and what it imports, takes longer to import than ctypes and threading together. So the
modules that are imported with the package leave it to type checkers, below ``TYPE_CHECKING``.
"""

from __future__ import annotations

from collections import namedtuple
from types import GenericAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic as Generic
    from typing import NamedTuple as NamedTuple
    from typing import overload as overload
else:

    class Generic:
        """What takes a type in brackets, as :class:`typing.Generic`; that is to be a str."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)

    class _NamedTupleMeta(type):
        def __new__(cls, name, bases, namespace):
            fields = namespace["__annotations__"]
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            base = namedtuple(name, fields, defaults=defaults)
            return type(name, (base,), {"__slots__": (), **namespace})

    #: A class with this base is a tuple with names, as with :class:`typing.NamedTuple`.
    NamedTuple = type.__new__(_NamedTupleMeta, "NamedTuple", (), {})

    def overload(function):
        """Before each type that a function may have, as :func:`typing.overload`."""
        return function
