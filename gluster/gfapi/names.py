"""Names: made and removed, and the working directory that they are relative to.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module

from . import api, at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr, Optional, Union

    from .at import AnyDir
    from .descriptor import Descriptor
    from .mount import Mount
    from .volume import Volume

_LONGEST_PATH = 4096
_MOST_LINKS = 40  # as many as the kernel follows


def mkdir(
    vol: Volume, path: api.AnyPath, mode: int = 0o777, *, dir_fd: Optional[AnyDir] = None
) -> None:
    """Make a directory (``glfs_mkdir``), as :func:`os.mkdir`.

    :param path: the path (str, bytes or path-like).
    :param mode: its permission bits. No umask is applied.
    :param dir_fd: an open directory that a relative path begins at, instead of the working
        directory: a :class:`Dir`, or what :meth:`open` returned for one
        (``glfs_mkdirat``).
    :raises OSError: on failure.
    """
    if dir_fd is not None:
        at.mkdir(vol, path, mode, dir_fd)
    else:
        api.glfs_mkdir(vol._mount, path, mode)


def mknod(
    vol: Volume, path: api.AnyPath, mode: int, dev: int = 0, *, dir_fd: Optional[AnyDir] = None
) -> None:
    """Make a special or regular file (``glfs_mknod``), as :func:`os.mknod`.

    :param path: the path (str, bytes or path-like).
    :param mode: its type and permission bits, as ``stat.S_IFIFO | 0o600``; a regular file
        where it has no type.
    :param dev: the number of a device special file, from :func:`os.makedev`.
    :param dir_fd: as in :meth:`mkdir` (``glfs_mknodat``).
    :raises OSError: on failure.
    """
    mode = api.check_uint32(mode)
    if not stat_module.S_IFMT(mode):  # what a disperse volume takes for something else
        mode |= stat_module.S_IFREG
    if dir_fd is not None:
        at.mknod(vol, path, mode, dev, dir_fd)
    else:
        api.glfs_mknod(vol._mount, path, mode, dev)


def symlink(
    vol: Volume,
    source: api.AnyPath,
    link_name: api.AnyPath,
    *,
    dir_fd: Optional[AnyDir] = None,
) -> None:
    """Make a symbolic link (``glfs_symlink``), as :func:`os.symlink`.

    :param source: what it points to (str, bytes or path-like).
    :param link_name: the link's own path.
    :param dir_fd: for ``link_name``, as in :meth:`mkdir` (``glfs_symlinkat``).
    :raises OSError: on failure.
    """
    if dir_fd is not None:
        at.symlink(vol, source, link_name, dir_fd)
    else:
        api.glfs_symlink(vol._mount, source, link_name)


def readlink(
    vol: Volume,
    path: Union[AnyStr, os.PathLike[AnyStr]],
    *,
    dir_fd: Optional[AnyDir] = None,
) -> AnyStr:
    """What a symbolic link points to (``glfs_readlink``), as :func:`os.readlink`.

    :param path: the link (str, bytes or path-like).
    :param dir_fd: as in :meth:`mkdir` (``glfs_readlinkat``).
    :returns: str, or bytes if ``path`` is bytes.
    :raises OSError: on failure.
    """
    path, target = os.fspath(path), bytearray(_LONGEST_PATH)
    if dir_fd is not None:
        length = at.readlink(vol, path, target, dir_fd)
    else:
        length = api.glfs_readlink(vol._mount, path, *api.memory(target, writable=True))
    return _as_given(bytes(target[:length]), path)


def _as_given(raw: bytes, path: Union[AnyStr, os.PathLike[AnyStr]]) -> AnyStr:
    """A path in the type of the one that it is the answer to."""
    answer: Any = raw if isinstance(os.fspath(path), bytes) else os.fsdecode(raw)
    return answer  # type: ignore[no-any-return]


def realpath(vol: Volume, path: Union[AnyStr, os.PathLike[AnyStr]]) -> AnyStr:
    """The absolute path of what a path leads to, without symbolic links (``glfs_realpath``), as
    :func:`os.path.realpath` with ``strict``.

    :param path: the path (str, bytes or path-like).
    :returns: str, or bytes if ``path`` is bytes.
    :raises OSError: FileNotFoundError if it leads nowhere, ELOOP if its links form a loop; and
        others.
    """
    mount, path, found = vol._mount, os.fspath(path), bytearray(_LONGEST_PATH + 1)
    wanted = api.encode_path(path)
    try:
        # libgfapi leaves the last name as it is, be it a link or dots.
        for _ in range(_MOST_LINKS):
            resolved: bytes = api.glfs_realpath(mount, wanted, api.memory(found, writable=True)[0])
            resolved = os.path.normpath(resolved)
            if not stat_module.S_ISLNK(vol.lstat(resolved).st_mode):
                return _as_given(resolved, path)
            wanted = os.path.join(os.path.dirname(resolved), vol.readlink(resolved))
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    except OSError as error:
        error.filename = path
        raise


def unlink(vol: Volume, path: api.AnyPath, *, dir_fd: Optional[AnyDir] = None) -> None:
    """Remove a file (``glfs_unlink``), as :func:`os.unlink`.

    :param path: the path (str, bytes or path-like).
    :param dir_fd: as in :meth:`mkdir` (``glfs_unlinkat``).
    :raises OSError: on failure, as if it is a directory.
    """
    if dir_fd is not None:
        at.unlink(vol, path, False, dir_fd)
    else:
        api.glfs_unlink(vol._mount, path)


def remove(vol: Volume, path: api.AnyPath, *, dir_fd: Optional[AnyDir] = None) -> None:
    """Remove a file; the same as :meth:`unlink`.

    :param path: the path (str, bytes or path-like).
    :param dir_fd: as in :meth:`unlink`.
    :raises OSError: on failure, as if it is a directory.
    """
    vol.unlink(path, dir_fd=dir_fd)


def rmdir(vol: Volume, path: api.AnyPath, *, dir_fd: Optional[AnyDir] = None) -> None:
    """Remove an empty directory (``glfs_rmdir``), as :func:`os.rmdir`.

    :param path: the path (str, bytes or path-like).
    :param dir_fd: as in :meth:`mkdir` (``glfs_unlinkat``).
    :raises OSError: on failure.
    """
    if dir_fd is not None:
        at.unlink(vol, path, True, dir_fd)
    else:
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


def fchdir(vol: Volume, fd: AnyDir) -> None:
    """Make an open directory this volume's working directory (``glfs_fchdir``), as
    :func:`os.fchdir`.

    :param fd: a :class:`Dir`, or what :meth:`open` returned for a directory.
    :raises OSError: EBADF if it is closed, ENOTDIR if it is a file; and others.
    :raises TypeError: if it is neither.
    :raises ValueError: if it is of another Volume.
    """
    change_to(at.directory_of(vol, fd))


def getcwd(vol: Volume) -> str:
    """This volume's working directory (``glfs_getcwd``), as :func:`os.getcwd`.

    :raises OSError: on failure.
    """
    return os.fsdecode(working_directory(vol._mount))


def working_directory(mount: Mount) -> bytes:
    """The path of a mount's working directory, as it is called now."""
    raw: bytes = api.glfs_getcwd(mount, *api.memory(bytearray(_LONGEST_PATH), True))
    return raw
