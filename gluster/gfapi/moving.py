"""Files and whole trees moved: :func:`shutil.move`.

It takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists it as its method.
"""

from __future__ import annotations

import errno
import os

from . import api
from .copies import inside
from .paths import parent_of
from .treecopy import copytree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from .exceptions import Error
    from .treecopy import CopyFunction
    from .volume import Volume


def move(
    vol: Volume, src: api.AnyPath, dst: api.AnyPath, copy_function: Optional[CopyFunction] = None
) -> Any:
    """Move a file or directory, as :func:`shutil.move` (``mv src dst``).

    It is renamed. Only where GlusterFS says that this cannot be done (EXDEV), it is copied and
    then removed.

    :param src: the file or directory (str, bytes or path-like).
    :param dst: its new path, or a directory to move it into.
    :param copy_function: called for each file that has to be copied with its path and that of
        the copy, instead of :meth:`Volume.copy2`.
    :returns: the new path.
    :raises Error: if the directory ``dst`` has something of that name, or ``dst`` is in ``src``.
    :raises OSError: on failure.
    """
    real_dst: Any = os.fspath(dst)
    if vol.isdir(dst) and not (vol.exists(src) and vol.samefile(src, dst)):
        real_dst = inside(vol, src, dst)
        if vol.lexists(real_dst):
            raise _error(f"{real_dst!r} exists")
    if _is_within(vol, src, real_dst):
        raise _error(f"cannot move the directory {src!r} into itself, {real_dst!r}")
    try:
        vol.rename(src, real_dst)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_by_copy(vol, src, real_dst, copy_function)
    return real_dst


def _error(message: str) -> Error:
    from .copyerrors import CopyError  # it imports shutil

    return CopyError(message)


def _is_within(vol: Volume, src: Any, dst: Any) -> bool:
    """Whether a path is one below a directory."""
    if vol.islink(src) or not vol.isdir(src):
        return False
    parent = parent_of(api.encode(dst)) or b"."
    try:
        place, source = vol.realpath(parent), vol.realpath(api.encode(src))
    except FileNotFoundError:
        return False
    return f"{os.fsdecode(place)}/".startswith(f"{os.fsdecode(source)}/")


def _move_by_copy(vol: Volume, src: Any, dst: Any, copy_function: Optional[CopyFunction]) -> None:
    if vol.islink(src):
        vol.symlink(vol.readlink(src), dst)
        vol.unlink(src)
    elif vol.isdir(src):
        copytree(vol, src, dst, symlinks=True, copy_function=copy_function)
        vol.rmtree(src)
    else:
        (copy_function or vol.copy2)(src, dst)
        vol.unlink(src)
