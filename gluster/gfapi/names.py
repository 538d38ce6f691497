"""Names: made, linked, renamed, removed, and the working directory that they are relative to.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import os
import stat as stat_module
from typing import TYPE_CHECKING, Any, AnyStr, Union

from . import api

if TYPE_CHECKING:
    from .descriptor import Descriptor
    from .mount import Mount
    from .volume import Volume

_LONGEST_PATH = 4096


def mkdir(vol: Volume, path: api.AnyPath, mode: int = 0o777) -> None:
    """Make a directory (``glfs_mkdir``), as :func:`os.mkdir`.

    :param path: the path (str, bytes or path-like).
    :param mode: its permission bits. No umask is applied.
    :raises OSError: on failure.
    """
    api.glfs_mkdir(vol._mount, path, mode)


def mknod(vol: Volume, path: api.AnyPath, mode: int, dev: int = 0) -> None:
    """Make a special or regular file (``glfs_mknod``), as :func:`os.mknod`.

    :param path: the path (str, bytes or path-like).
    :param mode: its type and permission bits, as ``stat.S_IFIFO | 0o600``; a regular file
        where it has no type.
    :param dev: the number of a device special file, from :func:`os.makedev`.
    :raises OSError: on failure.
    """
    if not stat_module.S_IFMT(mode):  # what a disperse volume takes for something else
        mode |= stat_module.S_IFREG
    api.glfs_mknod(vol._mount, path, mode, dev)


def link(vol: Volume, source: api.AnyPath, link_name: api.AnyPath) -> None:
    """Make a hard link (``glfs_link``), as :func:`os.link`.

    :param source: the file (str, bytes or path-like).
    :param link_name: its additional name.
    :raises OSError: on failure.
    """
    api.glfs_link(vol._mount, source, link_name)


def symlink(vol: Volume, source: api.AnyPath, link_name: api.AnyPath) -> None:
    """Make a symbolic link (``glfs_symlink``), as :func:`os.symlink`.

    :param source: what it points to (str, bytes or path-like).
    :param link_name: the link's own path.
    :raises OSError: on failure.
    """
    api.glfs_symlink(vol._mount, source, link_name)


def readlink(vol: Volume, path: Union[AnyStr, os.PathLike[AnyStr]]) -> AnyStr:
    """What a symbolic link points to (``glfs_readlink``), as :func:`os.readlink`.

    :param path: the link (str, bytes or path-like).
    :returns: str, or bytes if ``path`` is bytes.
    :raises OSError: on failure.
    """
    target = bytearray(_LONGEST_PATH)
    length = api.glfs_readlink(vol._mount, path, *api.memory(target, writable=True))
    raw: Any = bytes(target[:length])
    return raw if isinstance(os.fspath(path), bytes) else os.fsdecode(raw)  # type: ignore[return-value]


def rename(vol: Volume, src: api.AnyPath, dst: api.AnyPath) -> None:
    """Rename a file or directory (``glfs_rename``), as :func:`os.rename`.

    :param src: the path (str, bytes or path-like).
    :param dst: the new one; a file there is replaced.
    :raises OSError: on failure.
    """
    api.glfs_rename(vol._mount, src, dst)


def unlink(vol: Volume, path: api.AnyPath) -> None:
    """Remove a file (``glfs_unlink``), as :func:`os.unlink`.

    :param path: the path (str, bytes or path-like).
    :raises OSError: on failure, as if it is a directory.
    """
    api.glfs_unlink(vol._mount, path)


def remove(vol: Volume, path: api.AnyPath) -> None:
    """Remove a file; the same as :meth:`unlink`.

    :param path: the path (str, bytes or path-like).
    :raises OSError: on failure, as if it is a directory.
    """
    vol.unlink(path)


def rmdir(vol: Volume, path: api.AnyPath) -> None:
    """Remove an empty directory (``glfs_rmdir``), as :func:`os.rmdir`.

    :param path: the path (str, bytes or path-like).
    :raises OSError: on failure.
    """
    api.glfs_rmdir(vol._mount, path)


def chdir(vol: Volume, path: api.AnyPath) -> None:
    """Change this volume's working directory (``glfs_chdir``), as :func:`os.chdir`.

    :param path: the directory (str, bytes or path-like).
    :raises OSError: on failure.
    """
    mount = vol._mount
    api.glfs_chdir(mount, path)
    mount.cwd = working_directory(mount)


def change_to(folder: Descriptor) -> None:
    """Make an open directory the working one of its mount."""
    api.glfs_fchdir(folder)
    folder.mount.cwd = working_directory(folder.mount)


def getcwd(vol: Volume) -> str:
    """This volume's working directory (``glfs_getcwd``), as :func:`os.getcwd`.

    :raises OSError: on failure.
    """
    return os.fsdecode(working_directory(vol._mount))


def working_directory(mount: Mount) -> bytes:
    """The path of a mount's working directory, as it is called now."""
    raw: bytes = api.glfs_getcwd(mount, *api.memory(bytearray(_LONGEST_PATH), True))
    return raw
