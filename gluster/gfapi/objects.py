"""Objects: what libgfapi knows a file by besides its path, held for the length of a few calls."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Optional

from . import api
from .gate import Gate

if TYPE_CHECKING:
    from .mount import Mount

#: What stands for the NULL that a look-up takes where the path begins at no other object.
NO_OBJECT = Gate(0)


@contextlib.contextmanager
def looked_up(
    mount: Mount, path: api.AnyPath, follow_symlinks: bool = True, stat: Optional[api.Stat] = None
) -> Iterator[Gate]:
    """The object of a path (``glfs_h_lookupat``), closed at the end of the ``with`` statement.

    An unmount waits for that end: it happens inside the mount's gate.

    :param path: the path (str, bytes or path-like), which errors of calls on the object name.
    :param follow_symlinks: whether it is the target of a symbolic link.
    :param stat: is filled with the status.
    :raises OSError: if it cannot be looked up.
    """
    calls = mount.calls
    try:
        calls.append(None)
        found = api.glfs_h_lookupat(mount, NO_OBJECT, path, stat, bool(follow_symlinks))
        # Nobody else has it, so no other call can be inside when it is closed.
        gate = Gate(found, os.fspath(path))
        try:
            yield gate
        finally:
            api.glfs_h_close(gate)
    finally:
        calls.pop()
