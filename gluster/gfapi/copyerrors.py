"""The errors of copies, as classes that those of :mod:`shutil` are bases of as well.

That module takes longer to import than this package, so this one is imported when a copy fails.
"""

from __future__ import annotations

import shutil

from .exceptions import Error


class CopyError(Error, shutil.Error):
    """A copy failed."""


class SameFileError(CopyError, shutil.SameFileError):
    """A file was to be copied onto itself."""


class SpecialFileError(CopyError, shutil.SpecialFileError):
    """A pipe, socket or device was to be copied."""
