"""Access control lists: those of an object, and those of a path.

:class:`~gluster.gfapi.volume.Volume` lists the functions that take a Volume first as its methods.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
from collections.abc import Iterator

from . import api
from .objects import looked_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .gate import Gate
    from .mount import Mount
    from .volume import Volume


def getacl(
    vol: Volume, path: api.AnyPath, default: bool = False, *, follow_symlinks: bool = True
) -> str:
    """The access control list of a path (``glfs_h_acl_get``), as ``getfacl -cn`` prints it.

    :param path: the path (str, bytes or path-like).
    :param default: whether to get a directory's default list, which is what new files and
        directories in it begin with.
    :param follow_symlinks: whether to get that of a symbolic link's target.
    :returns: a line for each entry, as ``user::rw-`` or ``group:100:r--``, with users and groups
        as numbers. A path that was never given a list has one of three entries, which are its
        mode. ``""`` if there is no default list.
    :raises OSError: EOPNOTSUPP if it is a symbolic link that is not to be followed, or the
        bricks' file system keeps no lists; EACCES for the default list of a file; and others.
    :raises NotImplementedError: if libacl is not installed.
    """
    with _with_acl(vol._mount, path, follow_symlinks) as obj:
        return get(vol._mount, obj, default)


def setacl(
    vol: Volume,
    path: api.AnyPath,
    acl: str,
    default: bool = False,
    *,
    follow_symlinks: bool = True,
) -> None:
    """Set the access control list of a path (``glfs_h_acl_set``), as ``setfacl --set``.

    The mode follows: its group bits become those of the mask.

    :param path: the path (str, bytes or path-like).
    :param acl: the whole list, as :meth:`getacl` gives it or getfacl prints it, or in the short
        form, as ``"u::rw,u:1000:r,g::r,o::-"``. Users and groups are numbers, or names that this
        machine knows. A mask that is needed and missing is added, so that it permits all that
        the entries do. ``""`` removes a default list.
    :param default: whether to set a directory's default list.
    :param follow_symlinks: whether to set that of a symbolic link's target.
    :raises OSError: EPERM if the caller is not the owner; EOPNOTSUPP if it is a symbolic link
        that is not to be followed, or the bricks' file system keeps no lists; EACCES for the
        default list of a file; and others.
    :raises ValueError: if ``acl`` is no list; it says what is wrong.
    :raises NotImplementedError: if libacl is not installed.
    """
    with _with_acl(vol._mount, path, follow_symlinks) as obj:
        set(vol._mount, obj, acl, default)


def get(mount: Mount, obj: Gate, default: bool) -> str:
    """The list of an object, in the form of :meth:`Volume.getacl`."""
    return api.acl_to_text(api.glfs_h_acl_get(mount, obj, _type(default)))


def set(mount: Mount, obj: Gate, text: str, default: bool) -> None:
    """Set the list of an object, in the form that :meth:`Volume.setacl` takes."""
    if not isinstance(text, str):
        raise TypeError(f"an access control list is a str, not {type(text).__name__!r}")
    with api.acl_from_text(text, may_be_empty=bool(default)) as acl:
        api.glfs_h_acl_set(mount, obj, _type(default), acl)


def _type(default: bool) -> api.AclType:
    return api.AclType.DEFAULT if default else api.AclType.ACCESS


@contextlib.contextmanager
def _with_acl(mount: Mount, path: api.AnyPath, follow_symlinks: bool) -> Iterator[Gate]:
    """The object of a path. A symbolic link has no list; libgfapi would use its target's."""
    stat = api.Stat()
    with looked_up(mount, path, follow_symlinks, stat) as obj:
        if stat_module.S_ISLNK(stat.st_mode):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), obj.path)
        yield obj
