"""What is known of a path besides its content: status, mode, owner and times.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from . import api
from .arguments import timespecs

if TYPE_CHECKING:
    from .volume import Volume


def stat(vol: Volume, path: api.AnyPath) -> api.Stat:
    """The status of a path (``glfs_stat``), as :func:`os.stat`.

    :param path: the path (str, bytes or path-like).
    :returns: an object with the attributes of :class:`os.stat_result`.
    :raises OSError: on failure.
    """
    stat = api.Stat()
    api.glfs_stat(vol._mount, path, stat)
    return stat


def lstat(vol: Volume, path: api.AnyPath) -> api.Stat:
    """The status of a path without following a symbolic link (``glfs_lstat``), as
    :func:`os.lstat`.

    :param path: the path (str, bytes or path-like).
    :returns: an object with the attributes of :class:`os.stat_result`.
    :raises OSError: on failure.
    """
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


def access(vol: Volume, path: api.AnyPath, mode: int) -> bool:
    """Whether the caller may access a path (``glfs_access``), as :func:`os.access`.

    :param path: the path (str, bytes or path-like).
    :param mode: :data:`os.F_OK` (it exists), or any of :data:`os.R_OK`, :data:`os.W_OK` and
        :data:`os.X_OK` together (int).
    """
    try:
        api.glfs_access(vol._mount, path, mode)
    except OSError:
        return False
    return True


def chmod(vol: Volume, path: api.AnyPath, mode: int) -> None:
    """Change the mode of a path (``glfs_chmod``), as :func:`os.chmod`.

    :param path: the path (str, bytes or path-like).
    :param mode: the permission bits, as 0o644.
    :raises OSError: on failure.
    """
    api.glfs_chmod(vol._mount, path, mode)


def chown(vol: Volume, path: api.AnyPath, uid: int, gid: int) -> None:
    """Change owner and group of a path (``glfs_chown``), as :func:`os.chown`.

    :param path: the path (str, bytes or path-like).
    :param uid: the new owner's number, -1 to leave it.
    :param gid: the new group's number, -1 to leave it.
    :raises OSError: on failure.
    """
    api.glfs_chown(vol._mount, path, uid, gid)


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
