"""Calls by a path of which libgfapi remembers what is no longer so are made again.

For a second after it has seen a name (``performance.md-cache-timeout``) libgfapi takes it for the
file that it was then, also if another client, or another thread, has put another one into its place
or removed it. An open asks the brick for that file: it is gone, ESTALE or ENOENT. What is to be
made exists, EEXIST. libgfapi asks once more by itself, and its own cache gives the same answer. But
the cache drops what it knows of a file as soon as a brick says that there is no such file to a call
that changes it, or that asks for an attribute.
"""

from __future__ import annotations

import contextlib
import errno

from . import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional, TypeVar, Union

    from .mount import Mount

    T = TypeVar("T")

#: How often a call is made again: what is put into its place may be replaced once more.
_MOST = 16
_NO_ATTRIBUTE = "user.gfapi.no-such-attribute"


def asked_again(mount: Mount, path: api.AnyPath, call: Callable[[], T]) -> T:
    """Make a call on what a path leads to, and again as long as that was something else.

    :raises OSError: what the call says.
    """
    for _ in range(_MOST):
        try:
            return call()
        except OSError as error:
            if error.errno == errno.ENOENT:
                if _error_of(api.glfs_stat, mount, path) in (errno.ENOENT, errno.ENOTDIR):
                    raise
            elif error.errno != errno.ESTALE:
                raise
        _forget(mount, path, api.glfs_getxattr)
    return call()


def twice_if_stale(call: Callable[[], T]) -> T:
    """Make a call by directories, and once more if one of them was something else.

    What the caches knew of them is forgotten by then.

    :raises OSError: what the call says.
    """
    try:
        return call()
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
    return call()


def made_again(mount: Mount, path: Union[str, bytes], make: Callable[[], T]) -> T:
    """Make something that must not exist, and again as long as what exists is gone.

    :raises OSError: what the call says.
    """
    bare = api.encode(path).rstrip(b"/") or path
    for _ in range(_MOST):
        try:
            return make()
        except FileExistsError:
            _forget(mount, bare, api.glfs_lgetxattr)
            if _error_of(api.glfs_lstat, mount, bare) != errno.ENOENT:
                raise
    return make()


def _forget(mount: Mount, path: api.AnyPath, getxattr: Callable[..., int]) -> None:
    """Have libgfapi ask the bricks what a path is, unless what it takes it for is still there."""
    with contextlib.suppress(OSError):
        getxattr(mount, path, _NO_ATTRIBUTE, None, 0)


def _error_of(stat: Callable[..., int], mount: Mount, path: api.AnyPath) -> Optional[int]:
    try:
        stat(mount, path, api.Stat())
    except OSError as error:
        return error.errno
    return None
