"""Names: made, linked, removed, and the working directory that they are relative to.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
from functools import partial

from . import api, at, objects
from .identity import check_root
from .remembered import made_again, twice_if_stale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr, Optional, Union

    from .at import AnyDir
    from .descriptor import Descriptor
    from .mount import Mount
    from .volume import Volume

_LONGEST_PATH = 4096
#: As many symbolic links as the kernel follows on the way to a file.
MOST_LINKS = 40
# The names that rmdir(2) does not remove, and what it says.
_NOT_REMOVED = {b"": errno.EBUSY, b".": errno.EINVAL, b"..": errno.ENOTEMPTY}


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
        mount, path = vol._mount, os.fspath(path)
        made_again(mount, path, lambda: api.glfs_mkdir(mount, path, mode))


def mknod(
    vol: Volume,
    path: api.AnyPath,
    mode: int = 0o600,
    dev: int = 0,
    *,
    dir_fd: Optional[AnyDir] = None,
) -> None:
    """Make a special or regular file (``glfs_mknod``), as :func:`os.mknod`.

    :param path: the path (str, bytes or path-like).
    :param mode: its type and permission bits, as ``stat.S_IFIFO | 0o600``; a regular file
        where it has no type.
    :param dev: the number of a device special file, from :func:`os.makedev`.
    :param dir_fd: as in :meth:`mkdir` (``glfs_mknodat``).
    :raises OSError: on failure; EPERM for a device, if another user than root asks for it.
    """
    mode = checked_mode(path, mode)
    if dir_fd is not None:
        at.mknod(vol, path, mode, dev, dir_fd)
    else:
        api.glfs_mknod(vol._mount, path, mode, dev)


def checked_mode(path: api.AnyPath, mode: int) -> int:
    """The type and permission bits of what mknod is to make.

    :raises OSError: EPERM if this thread may not: bricks let everybody make devices.
    """
    mode = api.check_uint32(mode)
    if stat_module.S_ISCHR(mode) or stat_module.S_ISBLK(mode):
        check_root(os.fspath(path))
    # A disperse volume takes no type for something else.
    return mode if stat_module.S_IFMT(mode) else mode | stat_module.S_IFREG


def link(
    vol: Volume,
    source: api.AnyPath,
    link_name: api.AnyPath,
    *,
    src_dir_fd: Optional[AnyDir] = None,
    dst_dir_fd: Optional[AnyDir] = None,
    follow_symlinks: bool = False,
) -> None:
    """Make a hard link (``glfs_link``, ``glfs_h_link``), as :func:`os.link`.

    :param source: the file (str, bytes or path-like).
    :param link_name: its additional name.
    :param src_dir_fd: for ``source``, as ``dir_fd`` in :meth:`mkdir` (``glfs_linkat``).
    :param dst_dir_fd: the same for ``link_name``.
    :param follow_symlinks: whether the new name is one of a symbolic link's target, and not of
        the link itself. It is false unless given, as ``link(2)`` has it on Linux and so
        :func:`os.link` had for long, whatever it says; to follow takes more calls.
    :raises OSError: on failure.
    """
    if src_dir_fd is not None or dst_dir_fd is not None:
        at.link(vol, source, link_name, follow_symlinks, src_dir_fd, dst_dir_fd)
    elif follow_symlinks:
        _link_target(vol, source, link_name)
    else:
        _link(vol, source, link_name)


def _link(vol: Volume, source: api.AnyPath, link_name: api.AnyPath) -> None:
    """Link by paths in the root, and elsewhere by the directory itself.

    Where the directory of the new name is gone, ``glfs_link`` never returns.
    """
    mount, source, link_name = vol._mount, os.fspath(source), os.fspath(link_name)
    parent, name = objects.split(link_name)
    try:
        if name in objects.NO_NAMES or objects.has_slash(link_name):
            vol.lstat(source)
            vol.lstat(os.path.join(parent, name) or b"/")
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        if not parent.strip(b"/"):
            made_again(mount, link_name, lambda: api.glfs_link(mount, source, link_name))
        else:
            link_in = partial(_link_in, mount, source, parent, name)
            made_again(mount, link_name, lambda: twice_if_stale(link_in))
    except OSError as error:
        error.filename, error.filename2 = source, link_name
        raise


def _link_in(mount: Mount, source: Union[str, bytes], parent: bytes, name: bytes) -> None:
    with (
        objects.looked_up(mount, source, follow_symlinks=False) as found,
        objects.directory(mount, parent) as folder,
    ):
        objects.link(mount, found, folder, name)


def _link_target(vol: Volume, source: api.AnyPath, link_name: api.AnyPath) -> None:
    api.encode_bare_path(link_name)  # what is wrong with it is told first, as by os.link
    try:
        _link(vol, realpath(vol, api.encode_bare_path(source)), link_name)
    except OSError as error:
        error.filename, error.filename2 = os.fspath(source), os.fspath(link_name)
        raise


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
        for _ in range(MOST_LINKS):
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
        last = os.path.basename(api.encode_bare_path(path).rstrip(b"/"))
        if last in _NOT_REMOVED:  # a brick would be asked to remove a directory's "." or ".."
            code = _NOT_REMOVED[last]
            vol.stat(path)  # it is another error if it is not there
            raise OSError(code, os.strerror(code), os.fspath(path))
        api.glfs_rmdir(vol._mount, path)


def chdir(vol: Volume, path: api.AnyPath) -> None:
    """Change this volume's working directory (``glfs_chdir``), as :func:`os.chdir`.

    :param path: the directory (str, bytes or path-like).
    :raises OSError: on failure.
    """
    mount = vol._mount
    api.glfs_chdir(mount, path)
    _remember_directory(mount)


def change_to(folder: Descriptor) -> None:
    """Make an open directory the working one of its mount."""
    api.glfs_fchdir(folder)
    _remember_directory(folder.mount)


def _remember_directory(mount: Mount) -> None:
    mount.cwd, mount.cwd_inode = objects.working_directory(mount), 0
    stat = api.Stat()
    api.glfs_stat(mount, ".", stat)
    mount.cwd_inode = stat.st_ino


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
    return os.fsdecode(objects.working_directory(vol._mount))
