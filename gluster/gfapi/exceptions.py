"""The exceptions that are not plain :class:`OSError`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


__all__ = ["Error", "LibgfapiException", "VolumeNotMounted"]


class LibgfapiException(Exception):
    """A volume could not be set up, mounted or unmounted.

    :ivar errno: the error number behind it (an :class:`int` of :mod:`errno`), or None where
        there is none, as for a bad argument.
    """

    def __init__(self, message: str, errno: Optional[int] = None) -> None:
        super().__init__(message)
        self.errno = errno

    def __reduce__(self) -> tuple[type[LibgfapiException], tuple[str, Optional[int]]]:
        return type(self), (self.args[0], self.errno)


class VolumeNotMounted(LibgfapiException):
    """A call needs a mounted volume, and this one is not mounted."""


class Error(OSError):
    """A copy failed, for a reason that no single C call gave.

    :func:`shutil.copytree`'s convention holds for ``copytree``: the first argument is a list of
    ``(source, destination, reason)``.

    What is raised is a :exc:`shutil.Error` too; a :exc:`shutil.SameFileError` where a file was to
    be copied onto itself, and a :exc:`shutil.SpecialFileError` for a pipe, socket or device.
    """
