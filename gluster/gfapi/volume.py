"""Volume: mount, unmount, and one short method for each call on a path."""

from __future__ import annotations

import errno
import os
import stat as stat_module
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, AnyStr, Callable, Optional, Union

from . import acl, api, at, copies, metadata, names, tree, xattr
from .arguments import (
    checked_hosts,
    checked_int,
    checked_logging,
    checked_protocol,
    checked_text,
    flags_of,
)
from .descriptor import Descriptor
from .directory import Dir
from .file import File, Glfd
from .gate import Unpicklable
from .mount import Mount, Server, set_logging, start_glfs
from .scan import ScandirIterator

if TYPE_CHECKING:
    import uuid

    from .handle import Handle
    from .upcall import Upcall, Watch


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

    def open(
        self,
        path: api.AnyPath,
        flags: int,
        mode: int = 0o777,
        *,
        dir_fd: Optional[at.AnyDir] = None,
    ) -> int:
        """Open a file (``glfs_open``, ``glfs_creat``), as :func:`os.open`.

        :param path: the file (str, bytes or path-like).
        :param flags: one of :data:`os.O_RDONLY`, :data:`os.O_WRONLY` and :data:`os.O_RDWR`, with
            any of O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC, ... (int).
        :param mode: the permission bits of a file that is made. No umask is applied.
        :param dir_fd: an open directory that a relative path begins at, instead of the working
            directory: a :class:`Dir`, or what this returned for one (``glfs_openat``).
        :returns: the glfd (int), for :class:`File`. It is closed by the File, or by
            :meth:`umount`.
        :raises OSError: if the file cannot be opened or made.
        :raises TypeError: if ``flags`` is no integer.
        """
        if dir_fd is not None:
            return Glfd(at.open(self, path, flags, mode, dir_fd))
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

    def scandir(
        self, path: Union[AnyStr, os.PathLike[AnyStr]], *, handles: bool = False
    ) -> ScandirIterator[AnyStr]:
        """The entries of a directory with their status, as :func:`os.scandir`.

        They come in no particular order, without ``.`` and ``..``. Neither the time nor the
        memory for one depends on how many there are.

        :param path: the directory (str, bytes or path-like).
        :param handles: whether the :class:`Handle` of each comes with it, for
            :meth:`DirEntry.handle` (``glfs_xreaddirplus_r``, ``glfs_xreaddirplus_get_stat``,
            ``glfs_free``).
        :returns: an iterator of :class:`DirEntry` objects with a ``close`` method, which can be
            used in a ``with`` statement.
        :raises OSError: on failure.
        """
        return ScandirIterator(self, os.fspath(path), handles)

    # ------------------------------------------------------------------ handles

    def lookup(self, path: api.AnyPath, *, follow_symlinks: bool = True) -> Handle:
        """The file, directory or link itself that a path leads to now (``glfs_h_lookupat``).

        :param path: the path (str, bytes or path-like).
        :param follow_symlinks: whether it is the target of a symbolic link.
        :returns: a :class:`Handle`.
        :raises OSError: if there is none.
        """
        from . import handle  # for the few who need it

        return handle.lookup(self, path, follow_symlinks)

    def lookup_gfid(self, gfid: Union[bytes, str, uuid.UUID]) -> Handle:
        """A file, directory or link by its gfid (``glfs_h_create_from_handle``).

        :param gfid: the :attr:`Handle.gfid` (:class:`uuid.UUID`), its text or its 16 bytes, that
            any process has got from any mount of this volume.
        :returns: a :class:`Handle`.
        :raises OSError: ENOENT or ESTALE if there is none any more; and others.
        :raises ValueError: if it is no gfid.
        """
        from . import handle  # for the few who need it

        return handle.lookup_gfid(self, gfid)

    # ------------------------------------------------------------------ other clients' changes

    def watch(
        self,
        callback: Optional[Callable[[Upcall], object]] = None,
        events: Union[api.UpcallEvents, int] = api.UpcallEvents.ANY,
    ) -> Watch:
        """Be told what other clients change (``glfs_upcall_register``).

        That takes a volume with ``features.cache-invalidation on``. It holds for what this client
        has a :class:`Handle` or an open :class:`File` of, and has asked the bricks about within
        the last minute (``features.cache-invalidation-timeout``). What is done on this Volume
        itself is not told.

        :param callback: is called with each :class:`Upcall`, on a thread of the watch's own. An
            exception that it raises is reported by :func:`sys.unraisablehook`. If it is None,
            iterate over the watch.
        :param events: what to be told of: :class:`UpcallEvents.INODE_INVALIDATE`,
            :class:`UpcallEvents.RECALL_LEASE` or both.
        :returns: a :class:`Watch`. With a callback it goes on until it is closed, and else until
            nobody refers to it.
        :raises OSError: EINVAL if ``events`` is none of these.
        :raises TypeError: if ``callback`` cannot be called.
        """
        from . import upcall  # for the few who need it

        return upcall.Watch(self, callback, events)

    def poll_upcall(self) -> Optional[Upcall]:
        """What another client has changed, if anything (``glfs_h_poll_upcall``).

        The first call has the client keep such upcalls from then on, without limit, so go on
        calling. While there is a :meth:`watch`, they go there instead.

        :returns: the oldest :class:`Upcall` that has not been fetched, or None.
        :raises OSError: on failure.
        """
        from . import upcall  # for the few who need it

        return upcall.poll(self)

    # ------------------------------------------------------------------ calls on a path

    stat = metadata.stat
    lstat = metadata.lstat
    statvfs = metadata.statvfs
    access = metadata.access
    chmod = metadata.chmod
    chown = metadata.chown
    lchown = metadata.lchown
    utime = metadata.utime
    setattr = metadata.setattr

    mkdir = names.mkdir
    mknod = names.mknod
    link = names.link
    symlink = names.symlink
    readlink = names.readlink
    realpath = names.realpath
    rename = names.rename
    replace = names.replace
    unlink = names.unlink
    remove = names.remove
    rmdir = names.rmdir
    chdir = names.chdir
    fchdir = names.fchdir
    getcwd = names.getcwd

    getxattr = xattr.getxattr
    listxattr = xattr.listxattr
    setxattr = xattr.setxattr
    removexattr = xattr.removexattr
    xattrs = xattr.xattrs
    getacl = acl.getacl
    setacl = acl.setacl

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
    lexists = tree.lexists
    isdir = tree.isdir
    isfile = tree.isfile
    islink = tree.islink
    samefile = tree.samefile
    getsize = tree.getsize
    getatime = tree.getatime
    getmtime = tree.getmtime
    getctime = tree.getctime
    disk_usage = tree.disk_usage
    touch = tree.touch
    makedirs = tree.makedirs
    removedirs = tree.removedirs
    renames = tree.renames
    listdir = tree.listdir
    listdir_with_stat = tree.listdir_with_stat
    walk = tree.walk
    rmtree = tree.rmtree
    copyfile = copies.copyfile
    copymode = copies.copymode
    copystat = copies.copystat
    copy = copies.copy
    copy2 = copies.copy2
    copytree = copies.copytree
    move = copies.move


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
