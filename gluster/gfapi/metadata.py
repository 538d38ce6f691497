"""What is known of a path besides its content: status, mode, owner and times.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import errno
import os
from stat import S_ISLNK

from . import api, at
from .arguments import attributes_of, timespecs
from .objects import looked_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .at import AnyDir
    from .volume import Volume


def stat(
    vol: Volume,
    path: api.AnyPath,
    *,
    dir_fd: Optional[AnyDir] = None,
    follow_symlinks: bool = True,
) -> api.Stat:
    """The status of a path (``glfs_stat``), as :func:`os.stat`.

    :param path: the path (str, bytes or path-like).
    :param dir_fd: an open directory that a relative path begins at, instead of the working
        directory: a :class:`Dir`, or what :meth:`open` returned for one (``glfs_fstatat``).
    :param follow_symlinks: whether a symbolic link's target is meant; if not, it is
        :meth:`lstat`.
    :returns: an object with the attributes of :class:`os.stat_result`.
    :raises OSError: on failure.
    """
    if dir_fd is not None:
        return at.stat(vol, path, follow_symlinks, dir_fd)
    stat = api.Stat()
    if follow_symlinks:
        api.glfs_stat(vol._mount, path, stat)
    else:
        api.glfs_lstat(vol._mount, path, stat)
    return stat


def lstat(vol: Volume, path: api.AnyPath, *, dir_fd: Optional[AnyDir] = None) -> api.Stat:
    """The status of a path without following a symbolic link (``glfs_lstat``), as
    :func:`os.lstat`.

    :param path: the path (str, bytes or path-like).
    :param dir_fd: as in :meth:`stat`.
    :returns: an object with the attributes of :class:`os.stat_result`.
    :raises OSError: on failure.
    """
    if dir_fd is not None:
        return at.stat(vol, path, False, dir_fd)
    stat = api.Stat()
    api.glfs_lstat(vol._mount, path, stat)
    return stat


def statvfs(vol: Volume, path: api.AnyPath) -> api.Statvfs:
    """The space on the volume (``glfs_statvfs``), as :func:`os.statvfs`.

    :param path: any path on it (str, bytes or path-like).
    :returns: an object with the attributes f_bsize, f_frsize, f_blocks, f_bfree, f_bavail,
        f_files, f_ffree, f_favail, f_fsid, f_flag and f_namemax.
    :raises OSError: on failure.
    """
    statvfs = api.Statvfs()
    api.glfs_statvfs(vol._mount, path, statvfs)
    return statvfs


def access(
    vol: Volume,
    path: api.AnyPath,
    mode: int,
    *,
    dir_fd: Optional[AnyDir] = None,
    follow_symlinks: bool = True,
) -> bool:
    """Whether the caller may access a path (``glfs_access``), as :func:`os.access`.

    :param path: the path (str, bytes or path-like).
    :param mode: :data:`os.F_OK` (it exists), or any of :data:`os.R_OK`, :data:`os.W_OK` and
        :data:`os.X_OK` together (int).
    :param dir_fd: as in :meth:`stat` (``glfs_faccessat``).
    :param follow_symlinks: whether a symbolic link's target is meant, and not the link itself.
    :raises OSError: only if ``dir_fd`` is closed or no directory.
    """
    if dir_fd is not None:
        at.directory_of(vol, dir_fd)
    try:
        if dir_fd is not None:
            at.access(vol, path, mode, follow_symlinks, dir_fd)
        elif follow_symlinks:
            api.glfs_access(vol._mount, path, mode)
        else:
            _access_itself(vol, path, mode)
    except OSError:
        return False
    return True


def _access_itself(vol: Volume, path: api.AnyPath, mode: int) -> None:
    """``glfs_access`` follows links. To an object, it is all the same."""
    with looked_up(vol._mount, path, follow_symlinks=False) as found:
        api.glfs_h_access(vol._mount, found, mode)


def chmod(
    vol: Volume,
    path: api.AnyPath,
    mode: int,
    *,
    dir_fd: Optional[AnyDir] = None,
    follow_symlinks: bool = True,
) -> None:
    """Change the mode of a path (``glfs_chmod``), as :func:`os.chmod`.

    :param path: the path (str, bytes or path-like).
    :param mode: the permission bits, as 0o644.
    :param dir_fd: as in :meth:`stat` (``glfs_fchmodat``).
    :param follow_symlinks: whether a symbolic link's target is meant. If not, a link is an
        error, because Linux has no modes for links.
    :raises OSError: EOPNOTSUPP for a symbolic link that is not to be followed; and others.
    """
    if dir_fd is not None:
        at.chmod(vol, path, mode, follow_symlinks, dir_fd)
    elif follow_symlinks:
        api.glfs_chmod(vol._mount, path, mode)
    else:
        setattr(vol, path, mode=mode, follow_symlinks=False)


def chown(
    vol: Volume,
    path: api.AnyPath,
    uid: int,
    gid: int,
    *,
    dir_fd: Optional[AnyDir] = None,
    follow_symlinks: bool = True,
) -> None:
    """Change owner and group of a path (``glfs_chown``), as :func:`os.chown`.

    :param path: the path (str, bytes or path-like).
    :param uid: the new owner's number, -1 to leave it.
    :param gid: the new group's number, -1 to leave it.
    :param dir_fd: as in :meth:`stat` (``glfs_fchownat``).
    :param follow_symlinks: whether a symbolic link's target is meant; if not, it is
        :meth:`lchown`.
    :raises OSError: on failure.
    """
    if uid == gid == -1:  # libgfapi would not look whether there is anything
        stat(vol, path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
    if dir_fd is not None:
        at.chown(vol, path, uid, gid, follow_symlinks, dir_fd)
    elif follow_symlinks:
        api.glfs_chown(vol._mount, path, uid, gid)
    else:
        api.glfs_lchown(vol._mount, path, uid, gid)


def lchown(vol: Volume, path: api.AnyPath, uid: int, gid: int) -> None:
    """Change owner and group of a path without following a symbolic link (``glfs_lchown``), as
    :func:`os.lchown`.

    :param path: the path (str, bytes or path-like).
    :param uid: the new owner's number, -1 to leave it.
    :param gid: the new group's number, -1 to leave it.
    :raises OSError: on failure.
    """
    chown(vol, path, uid, gid, follow_symlinks=False)


def utime(
    vol: Volume,
    path: api.AnyPath,
    times: Optional[tuple[float, float]] = None,
    *,
    ns: Optional[tuple[int, int]] = None,
    follow_symlinks: bool = True,
) -> None:
    """Set the times of last access and change (``glfs_utimens``), as :func:`os.utime`.

    :param path: the path (str, bytes or path-like).
    :param times: both in seconds since the epoch (a tuple of two numbers); now, if neither
        this nor ``ns`` is given.
    :param ns: both in nanoseconds (a tuple of two int).
    :param follow_symlinks: whether to set those of a symbolic link's target
        (``glfs_lutimens`` if not).
    :raises OSError: on failure.
    :raises TypeError: if ``times`` or ``ns`` is no tuple of two numbers.
    :raises ValueError: if both are given.
    """
    set_times = api.glfs_utimens if follow_symlinks else api.glfs_lutimens
    set_times(vol._mount, path, timespecs(times, ns))


def setattr(
    vol: Volume,
    path: api.AnyPath,
    *,
    mode: Optional[int] = None,
    uid: Optional[int] = None,
    gid: Optional[int] = None,
    size: Optional[int] = None,
    times: Optional[tuple[float, float]] = None,
    ns: Optional[tuple[int, int]] = None,
    follow_symlinks: bool = True,
) -> None:
    """Set several attributes of a path in one call to the bricks (``glfs_setattr``).

    Only a size takes a call of its own, which comes first (``glfs_truncate``).

    :param path: the path (str, bytes or path-like).
    :param mode: the permission bits, as 0o644; None leaves them, as with all that follow.
    :param uid: the owner's number.
    :param gid: the group's number.
    :param size: the size in bytes.
    :param times: the times of last access and change, both in seconds (a tuple of two numbers).
    :param ns: the same in nanoseconds (a tuple of two int).
    :param follow_symlinks: whether a symbolic link's target is meant, and not the link itself,
        of which mode and size cannot be set.
    :raises OSError: EOPNOTSUPP for the mode or size of a symbolic link that is not to be
        followed; EINVAL if ``size`` is negative; and others.
    :raises ValueError: if both ``times`` and ``ns`` are given.
    """
    mount, path = vol._mount, os.fspath(path)
    attributes = attributes_of(mode, uid, gid, size, times, ns)
    is_moded = mode is not None or size is not None
    if is_moded and not follow_symlinks and S_ISLNK(vol.lstat(path).st_mode):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), os.fspath(path))
    if size is not None:
        vol.truncate(path, attributes.glfs_st_size)
        attributes.glfs_st_mask &= ~api.StatMask.SIZE
        if not attributes.glfs_st_mask:
            return
    api.glfs_setattr(mount, path, attributes, bool(follow_symlinks))
