"""Volume: mount, unmount, and one short method for each call on a path."""

from __future__ import annotations

import errno
import os
import stat as stat_module
from collections.abc import Mapping, Sequence

from . import (
    acl,
    api,
    at,
    content,
    copies,
    identity,
    inspection,
    metadata,
    moving,
    names,
    opening,
    paths,
    removal,
    renaming,
    servers,
    treecopy,
    walk,
    xattr,
)
from .arguments import (
    checked_flags,
    checked_logging,
    checked_options,
    checked_text,
    checked_timeout,
    checked_volfile,
    flags_of,
)
from .directory import Dir
from .file import File, Glfd, at_end
from .mount import Mount
from .scan import ScandirIterator
from .start import Configuration, XlatorOption, start_glfs
from .typed import overload

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    import uuid
    from typing import Any, AnyStr, Callable, Optional, TypeVar, Union

    from .handle import Handle
    from .meta import Meta
    from .upcall import Upcall, Watch

    T = TypeVar("T")

_CHUNK = 128 * 1024
_ANY_EVENT = 0xFFFFFFFF  # api.UpcallEvents.ANY, without an import that takes time


class Volume:
    """A GlusterFS volume.

    ``with Volume(...) as vol`` mounts it, and unmounts it at the end; ``with vol`` also unmounts
    one at the end that was mounted before. Without ``with``, call :meth:`mount` and
    :meth:`umount`. All other methods need it mounted and raise
    :exc:`VolumeNotMounted` if it is not.

    Paths are str, bytes or :class:`os.PathLike`, as with :mod:`os`. A call that fails raises
    :exc:`OSError`, or the subclass for its errno, with the path in ``filename``. A NUL in a path
    raises :exc:`ValueError`. A Volume may be used from several threads, and after a fork: the
    child mounts anew at its first call. It can be copied and pickled: what comes of that is the
    same volume by the same hosts and with the same options, not mounted.
    """

    def __init__(
        self,
        hosts: Union[str, Sequence[str], None],
        volname: str,
        proto: str = "tcp",
        port: int = 24007,
        log_file: Optional[api.AnyPath] = "/dev/null",
        log_level: int = 7,
        *,
        volfile: Optional[api.AnyPath] = None,
        xlator_options: Optional[Mapping[str, Union[str, int]]] = None,
        logger: Optional[logging.Logger] = None,
    ) -> None:
        """Describe a volume; nothing is connected yet.

        :param hosts: the host that glusterd runs on (str), or several (list of str), which are
            tried in that order; or the path of a UNIX socket that glusterd listens on. It must
            be None where ``volfile`` is given.
        :param volname: the volume's name (str).
        :param proto: how to reach glusterd: ``"tcp"``, ``"unix"`` or ``"rdma"``. GlusterFS has no
            RDMA since version 8, and takes TCP for the last one.
        :param port: the port that glusterd listens on (int).
        :param log_file: the file that GlusterFS logs to; None for one of its own below
            ``/var/log/glusterfs``.
        :param log_level: how much it logs (int), from 0 (nothing) over 5 (warnings) and 7
            (information) to 9 (everything).
        :param volfile: a local volume file to mount from, instead of asking glusterd for it
            (``glfs_set_volfile``). It is read at each :meth:`mount`.
        :param xlator_options: options of this client's translators, which override those of the
            volume (``glfs_set_xlator_option``). A key is the pattern of the translator's name, a
            dot and the option: ``{"*-md-cache.cache-size": "64MB"}``; a value is a str, an int or
            a bool.
        :param logger: the :class:`logging.Logger` that gets what GlusterFS logs, in place of
            ``log_file``; see :meth:`log_to`.
        :raises LibgfapiException: if an argument is not usable; it says which and why.
        """
        self.volname = checked_text("volname", volname)
        self.volfile = checked_volfile(volfile, hosts)
        self._servers = [] if volfile is not None else servers.servers_of(hosts, proto, port)
        self.protocol, self.port = proto, port
        self._options = [XlatorOption(*option) for option in checked_options(xlator_options)]
        self.xlator_options = dict(xlator_options or {})
        self.log_file, self.log_level = checked_logging(log_file, log_level)
        self._logger = None if logger is None else _checked_logger(logger)
        self._mount = Mount(self._start)

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name != "_mount"}
        lists = {name: value.copy() for name, value in state.items() if isinstance(value, list)}
        return {**state, **lists, "xlator_options": dict(self.xlator_options)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._mount = Mount(self._start)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        xlator_options: Optional[Mapping[str, Union[str, int]]] = None,
        logger: Optional[logging.Logger] = None,
    ) -> Volume:
        """A volume by its URL, in the syntax that QEMU uses; nothing is connected yet.

        :param url: ``gluster://host:port/volume`` or ``gluster+tcp://...``, where the host is
            ``localhost`` and the port 24007 if they are left out, and an IPv6 address is in
            brackets; or ``gluster+unix:///volume?socket=/path/of/socket``. Further options after
            the ``?`` are ``logfile=`` and ``debug=`` for the constructor's ``log_file`` and
            ``log_level``. What has a meaning of its own in a URL is written as ``%2F`` and so on.
        :param xlator_options: as in the constructor.
        :param logger: as in the constructor, in place of a ``logfile=``.
        :returns: a :class:`Volume`.
        :raises LibgfapiException: if the URL is not usable, or names a path inside the volume;
            it says why.
        """
        from .url import volume_from_url  # urllib costs as much to import as this package

        return volume_from_url(cls, url, xlator_options=xlator_options, logger=logger)

    # ------------------------------------------------------------------ mounting

    @property
    def hosts(self) -> list[str]:
        """The hosts and sockets that are asked for the volume, in that order (list of str)."""
        return [server.host for server in self._servers]

    @property
    def mounted(self) -> bool:
        """Whether the volume is mounted."""
        return self._mount.is_open or self._mount.is_orphan

    def __repr__(self) -> str:
        state = "mounted" if self.mounted else "not mounted"
        place = self.volfile or ", ".join(self.hosts)
        return f"<gluster.gfapi.Volume {self.volname!r} on {place} ({state})>"

    def __enter__(self) -> Volume:
        self.mount()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.umount()

    def mount(self) -> None:
        """Mount the volume (``glfs_new``, ``glfs_set_volfile_server``, ``glfs_init``).

        It does nothing if it is mounted. The hosts are asked in turn: the next one if one refuses,
        and if one has said nothing for ten seconds. Where many volumes have just been unmounted, it
        waits until there are fewer than 32 whose tear-down is still under way.

        :raises LibgfapiException: if that fails, with ``errno`` and the cause: no such volume,
            volume not started, nothing answers on the hosts, ...
        :raises ImportError: if libgfapi is not installed or older than GlusterFS 6.
        """
        self._mount.mount()

    def _start(self, mount: Mount) -> None:
        start_glfs(
            Configuration(
                self.volname,
                tuple(self._servers),
                self.volfile,
                self._options,
                self._log_place,
                self.log_level,
            ),
            mount,
        )

    add_server = servers.add_server
    remove_server = servers.remove_server

    def umount(self, *, wait: bool = False, timeout: float = 60.0) -> None:
        """Unmount the volume.

        New calls are refused, those of other threads finish, files and directories that are
        still open are closed, Python's streams and archives around them first, which write what
        they hold, and what was written reaches the bricks before this returns. The
        rest (``glfs_fini``, which takes ten seconds) follows in the background. It does nothing
        if the volume is not mounted.

        :param wait: whether to wait for that rest too, also if an earlier ``umount`` has left it
            to the background (bool).
        :param timeout: how long to wait for what is in flight, in seconds (float); the rest is
            not among it.
        :raises LibgfapiException: if a file or stream could not be closed properly, or a call was
            still in flight when ``timeout`` was over (``errno`` is ETIMEDOUT then, and the words
            say which calls and files). The volume is unmounted then too. Not so if the calling
            thread is itself in the middle of a call, as in a signal's handler (EDEADLK).
        :raises TypeError: if ``timeout`` is no number.
        :raises ValueError: if it is negative or not a number (NaN).
        """
        self._mount.umount(checked_timeout(timeout), wait)

    @property
    def _log_place(self) -> Union[logging.Logger, str, None]:
        return self.log_file if self._logger is None else self._logger

    def set_logging(self, log_file: Optional[api.AnyPath], log_level: int) -> None:
        """Choose where GlusterFS logs to, and how much (``glfs_set_logging``).

        It holds at once if the volume is mounted, and else from the next :meth:`mount`.

        :param log_file: the file; ``"/dev/null"`` for none, None for one of its own below
            ``/var/log/glusterfs``.
        :param log_level: from 0 (nothing) to 9 (everything), as in the constructor.
        :raises LibgfapiException: if an argument is not usable, or the file cannot be written.
        """
        log_file, log_level = checked_logging(log_file, log_level)
        self._log_elsewhere(log_file, log_level)
        self.log_file, self.log_level, self._logger = log_file, log_level, None

    def log_to(self, logger: logging.Logger, log_level: int = 7) -> None:
        """Have GlusterFS log to a logger, in place of a file (``glfs_set_logging``).

        It holds at once if the volume is mounted, and else from the next :meth:`mount`. A
        thread hands them on as :class:`logging.LogRecord` objects: GlusterFS's file, line and
        function are the record's ``filename``, ``lineno`` and ``funcName``; besides, it has
        ``translator`` (str), ``graph`` (int) and ``msgid`` (int or None). Its levels are those
        of :mod:`logging`, with trace as 5.

        GlusterFS never waits for it. About a megabyte of messages may wait to be handled; more
        are lost, which a warning says. What a handler raises goes to
        :func:`threading.excepthook`.

        :param logger: the :class:`logging.Logger`.
        :param log_level: how much GlusterFS logs, from 0 (nothing) to 9 (everything), as in the
            constructor. The logger's own level chooses among that.
        :raises LibgfapiException: if an argument is not usable, or it fails.
        """
        logger = _checked_logger(logger)
        _, log_level = checked_logging(None, log_level)
        self._log_elsewhere(logger, log_level)
        self.log_level, self._logger = log_level, logger

    def _log_elsewhere(self, place: Union[logging.Logger, str, None], log_level: int) -> None:
        if self.mounted:
            from .logs import change  # it imports logging

            change(self, place, log_level, self._log_place)

    def disable_logging(self) -> None:
        """Have GlusterFS log nothing: :meth:`set_logging` with ``/dev/null``."""
        self.set_logging("/dev/null", self.log_level)

    @property
    def meta(self) -> Meta:
        """What the mounted volume tells about itself: a :class:`~gluster.gfapi.meta.Meta`.

        Calls in flight, connections to the bricks, the time that calls take, translators and
        their options, ...
        """
        from .meta import Meta  # few ask

        return Meta(self)

    get_volfile = inspection.get_volfile
    statedump = inspection.statedump
    sysrq = inspection.sysrq

    def get_volume_id(self) -> uuid.UUID:
        """The volume's identifier (``glfs_get_volumeid``), which glusterd is asked for once.

        :returns: a :class:`uuid.UUID`.
        :raises OSError: on failure; ENOTCONN where no glusterd can be asked, as for a volume
            that is mounted from a volume file.
        """
        import uuid  # costs more to import than this package

        raw = bytearray(16)
        try:
            api.glfs_get_volumeid(self._mount, *api.memory(raw, writable=True))
        except OSError:  # libgfapi leaves the errno of something else
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN)) from None
        return uuid.UUID(bytes=bytes(raw))

    setfsuid = identity.setfsuid
    setfsgid = identity.setfsgid
    setfsgroups = identity.setfsgroups
    setfsleaseid = identity.setfsleaseid
    identity = identity.identity

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
            any of O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC, ... (int). O_TRUNC cuts a file also
            with O_RDONLY, and takes the permission to write then, as Linux has it.
        :param mode: the permission bits of a file that is made. No umask is applied.
        :param dir_fd: an open directory that a relative path begins at, instead of the working
            directory: a :class:`Dir`, or what this returned for one (``glfs_openat``).
        :returns: the glfd (int), for :class:`File`. It is closed by the File, or by
            :meth:`umount`.
        :raises OSError: if the file cannot be opened or made.
        :raises TypeError: if ``flags`` is no integer.
        """
        if dir_fd is not None:
            return at.open(self, path, checked_flags(flags), mode, dir_fd)
        return self._open(path, flags, mode, Glfd)

    _open = opening.open_file

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
        file = self._open(path, flags, 0o666, lambda opened: File(opened, None, mode))
        if flags & os.O_APPEND:
            at_end(file)
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
        is_plus = bool(readdirplus)
        return opening.open_directory(self, path, lambda opened: Dir(opened, is_plus))

    @overload
    def scandir(
        self, path: Union[AnyStr, os.PathLike[AnyStr]], *, handles: bool = False
    ) -> ScandirIterator[AnyStr]: ...

    @overload
    def scandir(self, *, handles: bool = False) -> ScandirIterator[str]: ...

    def scandir(self, path: Any = ".", *, handles: bool = False) -> ScandirIterator[Any]:
        """The entries of a directory with their status, as :func:`os.scandir`
        (``glfs_readdirplus_r``; with handles ``glfs_xreaddirplus_r``,
        ``glfs_xreaddirplus_get_stat``, ``glfs_free``).

        They come in no particular order, without ``.`` and ``..``. Neither the time nor the
        memory for one depends on how many there are.

        :param path: the directory (str, bytes or path-like); the working directory by default.
        :param handles: whether the :class:`Handle` of each comes with it, for
            :meth:`DirEntry.handle`.
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
        events: Union[api.UpcallEvents, int] = _ANY_EVENT,
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
            :class:`UpcallEvents.RECALL_LEASE` or both, as by default.
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

    truncate = content.truncate
    copy_file_range = content.copy_file_range

    mkdir = names.mkdir
    mknod = names.mknod
    link = names.link
    symlink = names.symlink
    readlink = names.readlink
    realpath = names.realpath
    rename = renaming.rename
    replace = renaming.replace
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
    def copyfileobj(cls, fsrc: Any, fdst: Any, length: Optional[int] = _CHUNK) -> None:
        """Copy from one file-like object to another, as :func:`shutil.copyfileobj`.

        It begins at the current position of ``fsrc``.

        :param fsrc: what is read.
        :param fdst: what is written.
        :param length: how many bytes are read at a time; as many as by default if it is 0 or None.
        :raises OSError: on failure.
        """
        while chunk := fsrc.read(length or _CHUNK):
            fdst.write(chunk)

    exists = paths.exists
    lexists = paths.lexists
    isdir = paths.isdir
    isfile = paths.isfile
    islink = paths.islink
    samefile = paths.samefile
    getsize = paths.getsize
    getatime = paths.getatime
    getmtime = paths.getmtime
    getctime = paths.getctime
    disk_usage = paths.disk_usage
    touch = paths.touch
    makedirs = paths.makedirs
    removedirs = paths.removedirs
    renames = paths.renames
    listdir = paths.listdir
    listdir_with_stat = paths.listdir_with_stat
    walk_with_stat = walk.walk_with_stat
    walk = walk.walk
    rmtree = removal.rmtree
    copyfile = copies.copyfile
    copymode = copies.copymode
    copystat = copies.copystat
    copy = copies.copy
    copy2 = copies.copy2
    copytree = treecopy.copytree
    move = moving.move


def _checked_logger(logger: Any) -> logging.Logger:
    from .logs import checked_logger  # it imports logging

    return checked_logger(logger)


def _refuse_directory(file: File) -> None:
    """Libgfapi opens it. The status came with the open, so asking for it costs nothing."""
    try:
        is_directory = stat_module.S_ISDIR(file._descriptor.stat().st_mode)
    except BaseException:
        file.close()
        raise
    if is_directory:
        file.close()
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file.name)
