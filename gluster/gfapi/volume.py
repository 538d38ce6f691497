"""Volume: mount, unmount, and one short method for each call on a path."""

from __future__ import annotations

import errno
import os
import stat as stat_module
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, AnyStr, Optional, Union

from . import api, tree, xattr
from .arguments import (
    checked_hosts,
    checked_int,
    checked_logging,
    checked_protocol,
    checked_text,
    flags_of,
    timespecs,
)
from .descriptor import Descriptor
from .directory import Dir, ScandirIterator
from .file import File, Glfd
from .gate import Unpicklable
from .mount import Mount, Server, set_logging, start_glfs

if TYPE_CHECKING:
    import uuid

_LONGEST_PATH = 4096


class Volume(Unpicklable):
    """A GlusterFS volume.

    ``with Volume(...) as vol`` mounts it, and unmounts it at the end. Without ``with``, call
    :meth:`mount` and :meth:`umount`. All other methods need it mounted and raise
    :exc:`VolumeNotMounted` if it is not.

    Paths are str, bytes or :class:`os.PathLike`, as with :mod:`os`. A call that fails raises
    :exc:`OSError`, or the subclass for its errno, with the path in ``filename``. A NUL in a path
    raises :exc:`ValueError`. A Volume may be used from several threads, and after a fork: the
    child mounts anew at its first call.
    """

    def __init__(
        self,
        hosts: Union[str, Sequence[str]],
        volname: str,
        proto: str = "tcp",
        port: int = 24007,
        log_file: Optional[api.AnyPath] = "/dev/null",
        log_level: int = 7,
    ) -> None:
        """Describe a volume; nothing is connected yet.

        :param hosts: the host that glusterd runs on (str), or several (list of str), which are
            tried in that order; or the path of a UNIX socket that glusterd listens on.
        :param volname: the volume's name (str).
        :param proto: how to reach glusterd: ``"tcp"``, ``"unix"`` or ``"rdma"``.
        :param port: the port that glusterd listens on (int).
        :param log_file: the file that GlusterFS logs to; None for one of its own below
            ``/var/log/glusterfs``.
        :param log_level: how much it logs (int), from 0 (nothing) over 5 (warnings) and 7
            (information) to 9 (everything).
        :raises LibgfapiException: if an argument is not usable; it says which and why.
        """
        self.hosts = checked_hosts(hosts)
        self.volname = checked_text("volname", volname)
        self.protocol = checked_protocol(proto)
        self.port = checked_int("port", port, 0, 65535)
        self.log_file, self.log_level = checked_logging(log_file, log_level)
        self._mount = Mount(self._start)

    # ------------------------------------------------------------------ mounting

    @property
    def mounted(self) -> bool:
        """Whether the volume is mounted."""
        return self._mount.is_open or self._mount.is_orphan

    def __repr__(self) -> str:
        state = "mounted" if self.mounted else "not mounted"
        return f"<gluster.gfapi.Volume {self.volname!r} on {', '.join(self.hosts)} ({state})>"

    def __enter__(self) -> Volume:
        self.mount()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.umount()

    def mount(self) -> None:
        """Mount the volume (``glfs_new``, ``glfs_set_volfile_server``, ``glfs_init``).

        It does nothing if it is mounted.

        :raises LibgfapiException: if that fails, with ``errno`` and the cause: no such volume,
            volume not started, nothing answers on the hosts, ...
        :raises ImportError: if libgfapi is not installed or older than GlusterFS 6.
        """
        self._mount.mount()

    def _start(self) -> int:
        return start_glfs(self.volname, self._servers(), self.log_file, self.log_level)

    def _servers(self) -> list[Server]:
        servers = []
        for host in self.hosts:
            is_socket = self.protocol == "unix" or host.startswith("/")
            servers.append(
                Server("unix", host, 0) if is_socket else Server(self.protocol, host, self.port)
            )
        return servers

    def umount(self) -> None:
        """Unmount the volume.

        New calls are refused, those of other threads finish, files and directories that are
        still open are closed, and what was written reaches the bricks before this returns. The
        rest (``glfs_fini``, which takes ten seconds) follows in the background. It does nothing
        if the volume is not mounted.

        :raises LibgfapiException: if a file could not be closed properly, or a call was still in
            flight after a minute. The volume is unmounted then too.
        """
        self._mount.umount()

    def set_logging(self, log_file: Optional[api.AnyPath], log_level: int) -> None:
        """Choose where GlusterFS logs to, and how much (``glfs_set_logging``).

        It holds at once if the volume is mounted, and else from the next :meth:`mount`.

        :param log_file: the file; ``"/dev/null"`` for none, None for one of its own below
            ``/var/log/glusterfs``.
        :param log_level: from 0 (nothing) to 9 (everything), as in the constructor.
        :raises LibgfapiException: if an argument is not usable, or the file cannot be written.
        """
        log_file, log_level = checked_logging(log_file, log_level)
        if self.mounted:
            set_logging(self._mount, log_file, log_level)
        self.log_file, self.log_level = log_file, log_level

    def disable_logging(self) -> None:
        """Have GlusterFS log nothing: :meth:`set_logging` with ``/dev/null``."""
        self.set_logging("/dev/null", self.log_level)

    def get_volume_id(self) -> uuid.UUID:
        """The volume's identifier (``glfs_get_volumeid``).

        :returns: a :class:`uuid.UUID`.
        :raises OSError: on failure.
        """
        import uuid  # costs more to import than this package

        raw = bytearray(16)
        api.glfs_get_volumeid(self._mount, *api.memory(raw, writable=True))
        return uuid.UUID(bytes=bytes(raw))

    def setfsuid(self, uid: int) -> None:
        """Have calls of this thread, on any volume, made as another user (``glfs_setfsuid``).

        :param uid: the user's number (int).
        :raises OSError: on failure.
        """
        self._mount.pointer  # noqa: B018 - raises VolumeNotMounted
        api.glfs_setfsuid(uid)

    def setfsgid(self, gid: int) -> None:
        """Have calls of this thread, on any volume, made as another group (``glfs_setfsgid``).

        :param gid: the group's number (int).
        :raises OSError: on failure.
        """
        self._mount.pointer  # noqa: B018 - raises VolumeNotMounted
        api.glfs_setfsgid(gid)

    # ------------------------------------------------------------------ opening

    def open(self, path: api.AnyPath, flags: int, mode: int = 0o777) -> int:
        """Open a file (``glfs_open``, ``glfs_creat``), as :func:`os.open`.

        :param path: the file (str, bytes or path-like).
        :param flags: one of :data:`os.O_RDONLY`, :data:`os.O_WRONLY` and :data:`os.O_RDWR`, with
            any of O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC, ... (int).
        :param mode: the permission bits of a file that is made. No umask is applied.
        :returns: the glfd (int), for :class:`File`. It is closed by the File, or by
            :meth:`umount`.
        :raises OSError: if the file cannot be opened or made.
        :raises TypeError: if ``flags`` is no integer.
        """
        return Glfd(self._open(path, flags, mode))

    def _open(self, path: api.AnyPath, flags: int, mode: int) -> Descriptor:
        mount = self._mount
        if not isinstance(flags, int):
            raise TypeError(f"flags must be an integer, not {type(flags).__name__!r}")
        if flags & os.O_TRUNC and flags & os.O_ACCMODE:
            return self._open_cut(path, flags, mode)
        if flags & os.O_CREAT:
            return mount.open(api.glfs_creat, path, flags, mount, path, flags, mode)
        return mount.open(api.glfs_open, path, flags, mount, path, flags)

    def _open_cut(self, path: api.AnyPath, flags: int, mode: int) -> Descriptor:
        """Open with O_TRUNC.

        Of a file that open itself cuts, GlusterFS's quick-read goes on giving out the old
        content. A new file needs no second call: whether there is one, libgfapi knows by then.
        """
        mount, rest = self._mount, flags & ~os.O_TRUNC
        if flags & os.O_CREAT:
            try:
                new = rest | os.O_EXCL
                return mount.open(api.glfs_creat, path, rest, mount, path, new, mode)
            except FileExistsError:
                if flags & os.O_EXCL:
                    raise
            descriptor = mount.open(api.glfs_creat, path, rest, mount, path, flags, mode)
        else:
            descriptor = mount.open(api.glfs_open, path, rest, mount, path, flags)
        try:
            api.glfs_ftruncate(descriptor, 0, None, None)
        except BaseException:
            descriptor.close()
            raise
        return descriptor

    def fopen(self, path: api.AnyPath, mode: str = "r") -> File:
        """Open a file without a buffer, as :func:`open` does with ``buffering=0``.

        :param path: the file (str, bytes or path-like).
        :param mode: ``"r"`` to read, ``"w"`` to write a file that is cut or made, ``"a"`` to
            write at its end, ``"x"`` to write one that must not exist; ``"+"`` after it to do
            both. ``"b"`` has no meaning: data are always bytes.
        :returns: a :class:`File`. A new file has the permission bits 0666; no umask is applied.
        :raises OSError: if the file cannot be opened or made.
        :raises TypeError: if ``mode`` is no str.
        :raises ValueError: if it is not one of those above.
        """
        flags = flags_of(mode)
        file = File(Glfd(self._open(path, flags, 0o666)), path, mode)
        if flags & os.O_APPEND:
            file.seek(0, os.SEEK_END)
        elif flags == os.O_RDONLY:
            _refuse_directory(file)
        return file

    def opendir(self, path: api.AnyPath, readdirplus: bool = False) -> Dir:
        """Open a directory (``glfs_opendir``).

        :param path: the directory (str, bytes or path-like).
        :param readdirplus: whether the status of each entry is fetched with it.
        :returns: a :class:`Dir`.
        :raises OSError: on failure.
        """
        mount = self._mount
        descriptor = mount.open(api.glfs_opendir, path, os.O_DIRECTORY, mount, path)
        return Dir(descriptor, bool(readdirplus))

    def scandir(self, path: Union[AnyStr, os.PathLike[AnyStr]]) -> ScandirIterator[AnyStr]:
        """The entries of a directory with their status, as :func:`os.scandir`.

        They come in no particular order, without ``.`` and ``..``. Neither the time nor the
        memory for one depends on how many there are.

        :param path: the directory (str, bytes or path-like).
        :returns: an iterator of :class:`DirEntry` objects with a ``close`` method, which can be
            used in a ``with`` statement.
        :raises OSError: on failure.
        """
        return ScandirIterator(self, os.fspath(path))

    # ------------------------------------------------------------------ status

    def stat(self, path: api.AnyPath) -> api.Stat:
        """The status of a path (``glfs_stat``), as :func:`os.stat`.

        :param path: the path (str, bytes or path-like).
        :returns: an object with the attributes of :class:`os.stat_result`.
        :raises OSError: on failure.
        """
        stat = api.Stat()
        api.glfs_stat(self._mount, path, stat)
        return stat

    def lstat(self, path: api.AnyPath) -> api.Stat:
        """The status of a path without following a symbolic link (``glfs_lstat``), as
        :func:`os.lstat`.

        :param path: the path (str, bytes or path-like).
        :returns: an object with the attributes of :class:`os.stat_result`.
        :raises OSError: on failure.
        """
        stat = api.Stat()
        api.glfs_lstat(self._mount, path, stat)
        return stat

    def statvfs(self, path: api.AnyPath) -> api.Statvfs:
        """The space on the volume (``glfs_statvfs``), as :func:`os.statvfs`.

        :param path: any path on it (str, bytes or path-like).
        :returns: an object with the attributes f_bsize, f_frsize, f_blocks, f_bfree, f_bavail,
            f_files, f_ffree, f_favail, f_fsid, f_flag and f_namemax.
        :raises OSError: on failure.
        """
        statvfs = api.Statvfs()
        api.glfs_statvfs(self._mount, path, statvfs)
        return statvfs

    def access(self, path: api.AnyPath, mode: int) -> bool:
        """Whether the caller may access a path (``glfs_access``), as :func:`os.access`.

        :param path: the path (str, bytes or path-like).
        :param mode: :data:`os.F_OK` (it exists), or any of :data:`os.R_OK`, :data:`os.W_OK` and
            :data:`os.X_OK` together (int).
        """
        try:
            api.glfs_access(self._mount, path, mode)
        except OSError:
            return False
        return True

    def chmod(self, path: api.AnyPath, mode: int) -> None:
        """Change the mode of a path (``glfs_chmod``), as :func:`os.chmod`.

        :param path: the path (str, bytes or path-like).
        :param mode: the permission bits, as 0o644.
        :raises OSError: on failure.
        """
        api.glfs_chmod(self._mount, path, mode)

    def chown(self, path: api.AnyPath, uid: int, gid: int) -> None:
        """Change owner and group of a path (``glfs_chown``), as :func:`os.chown`.

        :param path: the path (str, bytes or path-like).
        :param uid: the new owner's number, -1 to leave it.
        :param gid: the new group's number, -1 to leave it.
        :raises OSError: on failure.
        """
        api.glfs_chown(self._mount, path, uid, gid)

    def utime(
        self,
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
        set_times(self._mount, path, timespecs(times, ns))

    # ------------------------------------------------------------------ names

    def mkdir(self, path: api.AnyPath, mode: int = 0o777) -> None:
        """Make a directory (``glfs_mkdir``), as :func:`os.mkdir`.

        :param path: the path (str, bytes or path-like).
        :param mode: its permission bits. No umask is applied.
        :raises OSError: on failure.
        """
        api.glfs_mkdir(self._mount, path, mode)

    def mknod(self, path: api.AnyPath, mode: int, dev: int = 0) -> None:
        """Make a special or regular file (``glfs_mknod``), as :func:`os.mknod`.

        :param path: the path (str, bytes or path-like).
        :param mode: its type and permission bits, as ``stat.S_IFIFO | 0o600``; a regular file
            where it has no type.
        :param dev: the number of a device special file, from :func:`os.makedev`.
        :raises OSError: on failure.
        """
        if not stat_module.S_IFMT(mode):  # what a disperse volume takes for something else
            mode |= stat_module.S_IFREG
        api.glfs_mknod(self._mount, path, mode, dev)

    def link(self, source: api.AnyPath, link_name: api.AnyPath) -> None:
        """Make a hard link (``glfs_link``), as :func:`os.link`.

        :param source: the file (str, bytes or path-like).
        :param link_name: its additional name.
        :raises OSError: on failure.
        """
        api.glfs_link(self._mount, source, link_name)

    def symlink(self, source: api.AnyPath, link_name: api.AnyPath) -> None:
        """Make a symbolic link (``glfs_symlink``), as :func:`os.symlink`.

        :param source: what it points to (str, bytes or path-like).
        :param link_name: the link's own path.
        :raises OSError: on failure.
        """
        api.glfs_symlink(self._mount, source, link_name)

    def readlink(self, path: Union[AnyStr, os.PathLike[AnyStr]]) -> AnyStr:
        """What a symbolic link points to (``glfs_readlink``), as :func:`os.readlink`.

        :param path: the link (str, bytes or path-like).
        :returns: str, or bytes if ``path`` is bytes.
        :raises OSError: on failure.
        """
        target = bytearray(_LONGEST_PATH)
        length = api.glfs_readlink(self._mount, path, *api.memory(target, writable=True))
        raw: Any = bytes(target[:length])
        return raw if isinstance(os.fspath(path), bytes) else os.fsdecode(raw)  # type: ignore[return-value]

    def rename(self, src: api.AnyPath, dst: api.AnyPath) -> None:
        """Rename a file or directory (``glfs_rename``), as :func:`os.rename`.

        :param src: the path (str, bytes or path-like).
        :param dst: the new one; a file there is replaced.
        :raises OSError: on failure.
        """
        api.glfs_rename(self._mount, src, dst)

    def unlink(self, path: api.AnyPath) -> None:
        """Remove a file (``glfs_unlink``), as :func:`os.unlink`.

        :param path: the path (str, bytes or path-like).
        :raises OSError: on failure, as if it is a directory.
        """
        api.glfs_unlink(self._mount, path)

    def remove(self, path: api.AnyPath) -> None:
        """Remove a file; the same as :meth:`unlink`.

        :param path: the path (str, bytes or path-like).
        :raises OSError: on failure, as if it is a directory.
        """
        self.unlink(path)

    def rmdir(self, path: api.AnyPath) -> None:
        """Remove an empty directory (``glfs_rmdir``), as :func:`os.rmdir`.

        :param path: the path (str, bytes or path-like).
        :raises OSError: on failure.
        """
        api.glfs_rmdir(self._mount, path)

    def chdir(self, path: api.AnyPath) -> None:
        """Change this volume's working directory (``glfs_chdir``), as :func:`os.chdir`.

        :param path: the directory (str, bytes or path-like).
        :raises OSError: on failure.
        """
        mount = self._mount
        api.glfs_chdir(mount, path)
        mount.cwd = self._getcwd()

    def getcwd(self) -> str:
        """This volume's working directory (``glfs_getcwd``), as :func:`os.getcwd`.

        :raises OSError: on failure.
        """
        return os.fsdecode(self._getcwd())

    def _getcwd(self) -> bytes:
        raw: bytes = api.glfs_getcwd(self._mount, *api.memory(bytearray(_LONGEST_PATH), True))
        return raw

    # ------------------------------------------------------------------ extended attributes

    def getxattr(
        self, path: api.AnyPath, key: Union[str, bytes], size: int = 0
    ) -> Union[str, bytes]:
        """The value of an extended attribute (``glfs_getxattr``), as :func:`os.getxattr`.

        :param path: the path (str, bytes or path-like).
        :param key: the attribute's name.
        :param size: the value's length in bytes if it is known; 0 finds it out.
        :returns: bytes if ``key`` is bytes. Else str, decoded with ``surrogateescape``, so that
            no byte is lost.
        :raises OSError: ENODATA if there is none; ERANGE if ``size`` is too small; and others.
        """
        return xattr.get(api.glfs_getxattr, self._mount, path, key=key, size=size)

    def listxattr(self, path: api.AnyPath, size: int = 0) -> list[str]:
        """The names of the extended attributes (``glfs_listxattr``), as :func:`os.listxattr`.

        :param path: the path (str, bytes or path-like).
        :param size: the length of all names with a NUL each if it is known; 0 finds it out.
        :raises OSError: ERANGE if ``size`` is too small; and others.
        """
        return xattr.names(api.glfs_listxattr, self._mount, path, size=size)

    def setxattr(
        self, path: api.AnyPath, key: Union[str, bytes], value: Any, flags: int = 0
    ) -> None:
        """Set an extended attribute (``glfs_setxattr``), as :func:`os.setxattr`.

        :param path: the path (str, bytes or path-like).
        :param key: the attribute's name.
        :param value: str or any contiguous buffer.
        :param flags: 0 to create or replace, :data:`os.XATTR_CREATE` (1) to fail with EEXIST if
            there is one, :data:`os.XATTR_REPLACE` (2) to fail with ENODATA if there is none.
        :raises OSError: on failure.
        """
        api.glfs_setxattr(self._mount, path, key, *xattr.encode(value), flags)

    def removexattr(self, path: api.AnyPath, key: Union[str, bytes]) -> None:
        """Remove an extended attribute (``glfs_removexattr``), as :func:`os.removexattr`.

        :param path: the path (str, bytes or path-like).
        :param key: the attribute's name.
        :raises OSError: ENODATA if there is none; and others.
        """
        api.glfs_removexattr(self._mount, path, key)

    # ------------------------------------------------------------------ what these make up

    @classmethod
    def copyfileobj(cls, fsrc: Any, fdst: Any, length: int = 128 * 1024) -> None:
        """Copy from one file-like object to another, as :func:`shutil.copyfileobj`.

        It begins at the current position of ``fsrc``.

        :param fsrc: what is read.
        :param fdst: what is written.
        :param length: how many bytes are read at a time.
        :raises OSError: on failure.
        """
        while chunk := fsrc.read(length):
            fdst.write(chunk)

    exists = tree.exists
    isdir = tree.isdir
    isfile = tree.isfile
    islink = tree.islink
    samefile = tree.samefile
    getsize = tree.getsize
    getatime = tree.getatime
    getmtime = tree.getmtime
    getctime = tree.getctime
    makedirs = tree.makedirs
    listdir = tree.listdir
    listdir_with_stat = tree.listdir_with_stat
    walk = tree.walk
    rmtree = tree.rmtree
    copyfile = tree.copyfile
    copymode = tree.copymode
    copystat = tree.copystat
    copy = tree.copy
    copy2 = tree.copy2
    copytree = tree.copytree


def _refuse_directory(file: File) -> None:
    """Libgfapi opens it. The status came with the open, so asking for it costs nothing."""
    try:
        is_directory = stat_module.S_ISDIR(file.fstat().st_mode)
    except BaseException:
        file.close()
        raise
    if is_directory:
        file.close()
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file.name)
