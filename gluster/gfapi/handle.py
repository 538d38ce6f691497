"""Handle: a file, directory or link itself, whatever its path may be by now."""

from __future__ import annotations

import errno
import os
import stat as stat_module
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, Union, overload

from . import acl as acls
from . import api, entries, rereading, rewriting, xattr
from .arguments import attributes_of, checked_flags, flags_of, flags_to_cut
from .descriptor import MOST, Descriptor, DirectoryDescriptor
from .directory import Dir
from .file import File, Glfd, at_end
from .gate import Unpicklable, bad_descriptor
from .identity import check_opened, is_root
from .leases import Lease, lease_of_object
from .objects import HeldObject, gfid_text, inode_number, look_up

if TYPE_CHECKING:
    import uuid

    from .leases import OnRecall
    from .mount import Mount
    from .volume import Volume

T = TypeVar("T")

_LONGEST_LINK = 4096
# An attribute in the mask and as a member of struct glfs_stat, and the same for struct stat.
_ATTRIBUTES = (
    (api.StatMask.MODE, "glfs_st_mode", api.SetAttr.MODE, "st_mode"),
    (api.StatMask.UID, "glfs_st_uid", api.SetAttr.UID, "st_uid"),
    (api.StatMask.GID, "glfs_st_gid", api.SetAttr.GID, "st_gid"),
    (api.StatMask.ATIME, "glfs_st_atime", api.SetAttr.ATIME, "st_atim"),
    (api.StatMask.MTIME, "glfs_st_mtime", api.SetAttr.MTIME, "st_mtim"),
)


def hold(
    mount: Mount, path: Any, stat: Optional[api.Stat], function: Callable[..., int], *arguments: Any
) -> Handle:
    """Have C find or make an object, as :meth:`Mount.obtain`.

    :param path: what errors name, or None for its gfid.
    :param stat: what C fills with its status, if anything.
    :param function: the C function, which takes ``arguments`` and a list for its result.
    """

    def register(pointer: int) -> HeldObject:
        file_type = stat_module.S_IFMT(stat.st_mode) if stat is not None else 0
        return HeldObject(mount, pointer, path, file_type)

    return mount.obtain(function, arguments, register, Handle)


def lookup(vol: Volume, path: api.AnyPath, follow_symlinks: bool) -> Handle:
    """See :meth:`Volume.lookup`."""
    mount, path, stat = vol._mount, os.fspath(path), api.Stat()
    return hold(mount, path, stat, look_up, mount, path, bool(follow_symlinks), stat)


def lookup_gfid(vol: Volume, gfid: Union[bytes, str, uuid.UUID]) -> Handle:
    """See :meth:`Volume.lookup_gfid`."""
    mount, raw, stat = vol._mount, _bytes_of(gfid), api.Stat()
    create = api.glfs_h_create_from_handle
    try:
        # With a status to fill, libgfapi asks the bricks whether it exists.
        return hold(mount, None, stat, create, mount, raw, len(raw), stat)
    except OSError as error:
        error.filename = f"<gfid:{gfid_text(raw)}>"
        raise


def _bytes_of(gfid: Any) -> bytes:
    """The 16 bytes of a gfid in any of its forms."""
    import uuid  # costs more to import than this package

    if isinstance(gfid, str):
        return uuid.UUID(gfid).bytes
    if isinstance(gfid, uuid.UUID):
        return gfid.bytes
    raw = bytes(memoryview(gfid))
    if len(raw) != api.HANDLE_LENGTH:
        raise ValueError(f"a gfid has {api.HANDLE_LENGTH} bytes, not {len(raw)}")
    return raw


class Handle(Unpicklable):
    """A file, directory or link itself: libgfapi's ``glfs_object``.

    It stands for the same file after that has been renamed, and as long as it exists. Its
    :attr:`gfid` finds it again, from any process. Two handles of the same file on the same Volume
    are equal.

    It is given back when it is collected, when the volume is unmounted, at the end of a ``with``
    statement or by :meth:`close`. From then on, and in a child that was forked off, its methods
    raise EBADF, but :attr:`gfid` remains. It may be used from several threads.
    """

    __slots__ = ("__weakref__", "_object")

    def __init__(self, held: HeldObject) -> None:
        """Made by :meth:`Volume.lookup`, :meth:`Volume.lookup_gfid` and methods of its own."""
        if not isinstance(held, HeldObject):
            raise TypeError("a Handle is made by Volume.lookup, Volume.lookup_gfid or a Handle")
        self._object = held

    # ------------------------------------------------------------------ identity

    @property
    def gfid(self) -> uuid.UUID:
        """What GlusterFS knows the file by (``glfs_h_extract_handle``), a :class:`uuid.UUID`.

        ``bytes(handle)`` gives its 16 bytes. Both are there after :meth:`close` too.
        """
        import uuid  # costs more to import than this package

        return uuid.UUID(bytes=self._object.gfid)

    def __bytes__(self) -> bytes:
        return self._object.gfid

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Handle):
            return NotImplemented
        mine, its = self._object, other._object
        return mine.gfid == its.gfid and mine.mount is its.mount

    def __hash__(self) -> int:
        return hash(self._object.gfid)

    def __repr__(self) -> str:
        held = self._object
        state = " closed" if self.closed else ""
        gfid = gfid_text(held.gfid)
        path = "" if held.path == f"<gfid:{gfid}>" else f" path={held.path!r}"
        return f"<gluster.gfapi.Handle {gfid}{path}{state}>"

    # ------------------------------------------------------------------ lifetime

    def copy(self) -> Handle:
        """Another handle of the same file, with a life of its own (``glfs_object_copy``).

        :func:`copy.copy` does the same.

        :raises OSError: on failure.
        """
        held = self._object
        copied = hold(held.mount, held.path, None, api.glfs_object_copy, held)
        copied._object.file_type = held.file_type
        return copied

    __copy__ = copy

    @property
    def closed(self) -> bool:
        """Whether it has been given back."""
        return not self._object.is_open

    def close(self) -> None:
        """Let calls of other threads on it finish, then give it back (``glfs_h_close``).

        :raises OSError: EBADF if it is closed already, EDEADLK if the calling thread is itself in
            the middle of a call on it.
        """
        self._object.close()

    def __enter__(self) -> Handle:
        self._check_open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self.closed:
            self.close()

    def __del__(self) -> None:
        try:
            held = self._object
        except AttributeError:
            return
        if held.address is None:
            return
        try:
            held.close()
        except OSError:  # another thread's unmount was faster
            pass
        finally:  # an interrupt, which Python drops here
            if held.address is not None:
                held.close()

    # ------------------------------------------------------------------ opening

    def open(self, flags: int) -> int:
        """Open the file (``glfs_h_open``).

        :param flags: as for :meth:`Volume.open` (int). O_CREAT does nothing, because there is a
            file; with O_EXCL it fails.
        :returns: the glfd (int), for :class:`File`. It is closed by the File, or by
            :meth:`Volume.umount`.
        :raises OSError: if the file cannot be opened. EINVAL if it is neither a regular file nor
            a directory.
        :raises TypeError: if ``flags`` is no integer.
        """
        return self._open(flags, Glfd)

    def _open(self, flags: int, make: Callable[[Descriptor], T]) -> T:
        flags = checked_flags(flags)
        held = self._object
        if flags & os.O_CREAT and flags & os.O_EXCL:
            self._check_open()
            raise self._error(errno.EEXIST)
        is_cut, rest = flags & os.O_TRUNC, flags & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC)
        given = flags_to_cut(rest) if is_cut else rest
        if not given & os.O_ACCMODE and self._type == stat_module.S_IFDIR:
            return self._open_directory(rest, make)

        def checked(descriptor: Descriptor) -> T:
            descriptor.inode = inode_number(held.gfid)  # the path is that of earlier, if any
            check_opened(descriptor)
            if is_cut:
                descriptor.cut()
            return make(descriptor)

        arguments = (held.mount, held, given)
        return held.mount.open(api.glfs_h_open, held.path, rest, *arguments, make=checked)

    def _open_directory(self, flags: int, make: Callable[[Descriptor], T]) -> T:
        held = self._object
        kind, arguments = DirectoryDescriptor, (held.mount, held)
        return held.mount.open(
            api.glfs_h_opendir, held.path, flags, *arguments, kind=kind, make=make
        )

    def fopen(self, mode: str = "r") -> File:
        """Open the file without a buffer (``glfs_h_open``), as :meth:`Volume.fopen`.

        :param mode: ``"r"`` to read, ``"w"`` to cut and write, ``"a"`` to write at the end;
            ``"+"`` after it to do both.
        :returns: a :class:`File`.
        :raises OSError: if the file cannot be opened. EEXIST for ``"x"``; EISDIR for a directory.
        :raises TypeError: if ``mode`` is no str.
        :raises ValueError: if it is not one of those above.
        """
        flags = flags_of(mode)
        if self._type == stat_module.S_IFDIR:
            raise self._error(errno.EISDIR)
        file = self._open(flags, lambda descriptor: File(descriptor, None, mode))
        return at_end(file) if flags & os.O_APPEND else file

    def _opened(self, flags: int) -> File:
        """An open File of it: who has opened nothing is not checked by the bricks."""
        return self._open(flags, File)

    def opendir(self, readdirplus: bool = False) -> Dir:
        """Open the directory (``glfs_h_opendir``), as :meth:`Volume.opendir`.

        :param readdirplus: whether the status of each entry is fetched with it.
        :returns: a :class:`Dir`.
        :raises OSError: ENOTDIR if it is none; and others.
        """
        is_plus = bool(readdirplus)  # before there is something to be closed
        return self._open_directory(os.O_DIRECTORY, lambda opened: Dir(opened, is_plus))

    # ------------------------------------------------------------------ content

    def pread(self, size: int, offset: int) -> bytes:
        """Read without opening the file (``glfs_h_anonymous_read``), as :func:`os.pread`.

        A user other than root does open it for that time: bricks check nothing else.

        :param size: how many bytes at most.
        :param offset: where to begin, in bytes from the beginning.
        :returns: the bytes, ``b""`` at the end of the file. They may be fewer than asked for.
        :raises OSError: EINVAL if ``size`` or ``offset`` is negative or it is no regular file;
            EISDIR for a directory; and others.
        """
        size, offset = api.check_int64(size), api.integer(offset)
        self._check_content(size, offset)
        if not is_root():
            with self._opened(os.O_RDONLY) as file:
                return file.pread(size, offset)
        pieces = []
        while size:
            room = min(size, MOST)
            piece = api.new_bytes(room)
            count = self._read(piece, room, offset)
            pieces.append(piece if count == room else piece[:count])
            if count < room:
                break
            size, offset = size - count, offset + count
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def preadinto(self, buffer: Any, offset: int) -> int:
        """Read into a buffer without opening the file and without a copy
        (``glfs_h_anonymous_read``). For users other than root see :meth:`pread`.

        :param buffer: any writable contiguous buffer.
        :param offset: where to begin, in bytes from the beginning.
        :returns: how many bytes were read, 0 at the end of the file.
        :raises TypeError: if it is no such buffer.
        :raises OSError: as :meth:`pread`.
        """
        memory, size = api.memory(buffer, writable=True)
        offset = api.integer(offset)
        self._check_content(offset)
        if not is_root():
            with self._opened(os.O_RDONLY) as file:
                return file.preadinto(buffer, offset)
        if size <= MOST:
            return self._read(memory, size, offset) if size else 0
        view, done = api.byte_view(buffer, writable=True), 0
        while done < size:
            memory, room = api.memory(view[done : done + MOST], writable=True)
            count = self._read(memory, room, offset + done)
            done += count
            if count < room:
                break
        return done

    def _read(self, memory: Any, size: int, offset: int) -> int:
        held = self._object
        arguments = (held.mount, held, memory, size, offset)
        return rereading.at_offset(self, offset, api.glfs_h_anonymous_read, *arguments)

    def pwrite(self, data: Any, offset: int) -> int:
        """Write, as :func:`os.pwrite`, and return when it is with the bricks.

        All of it is written. The file is open meanwhile, because nobody would learn of a failure of
        ``glfs_h_anonymous_write`` that becomes known later, as a full disk. With a lease root does
        call that, since an open file would be somebody else to the lease.

        :param data: any contiguous buffer, or a str, which is stored as UTF-8.
        :param offset: where to begin, in bytes from the beginning.
        :returns: how many bytes were written.
        :raises TypeError: if ``data`` is neither.
        :raises OSError: as :meth:`pread`; EACCES if the caller may not write to the file.
        """
        offset = api.integer(offset)
        self._check_content(offset)
        if self._object.lease is not None and is_root():
            return self._write(data, offset)
        with self._opened(os.O_WRONLY) as file:
            return file.pwrite(data, offset)

    def _write(self, data: Any, offset: int) -> int:
        view = api.byte_view(data.encode() if isinstance(data, str) else data)
        held, done = self._object, 0
        while done < len(view):
            arguments = (held.mount, held, *api.memory(view[done : done + MOST]), offset + done)
            count = rewriting.at_offset(held.mount, api.glfs_h_anonymous_write, *arguments)
            if not count:  # it takes no more, and does not say why
                raise self._error(errno.EIO)
            done += count
        return done

    def truncate(self, length: int) -> None:
        """Cut or extend the file (``glfs_h_truncate``), as :func:`os.truncate`.

        :param length: the new size in bytes.
        :raises OSError: as :meth:`pread`.
        """
        length = api.integer(length)
        self._check_content(length)
        held = self._object
        api.glfs_h_truncate(held.mount, held, length)

    def readlink(self) -> str:
        """What the symbolic link points to (``glfs_h_readlink``), as :func:`os.readlink`.

        :raises OSError: EINVAL if it is no symbolic link; and others.
        """
        held = self._object
        if self._type != stat_module.S_IFLNK:
            raise self._error(errno.EINVAL)
        target = api.new_bytes(_LONGEST_LINK)
        return os.fsdecode(target[: api.glfs_h_readlink(held.mount, held, target, _LONGEST_LINK)])

    # ------------------------------------------------------------------ metadata

    def stat(self) -> api.Stat:
        """Its status (``glfs_h_stat``).

        :returns: an object with the attributes of :class:`os.stat_result`.
        :raises OSError: ENOENT or ESTALE if the file does not exist any more; and others.
        """
        held, stat = self._object, api.Stat()
        api.glfs_h_stat(held.mount, held, stat)
        return stat

    def getattrs(self) -> api.Stat:
        """Its status by a new look-up (``glfs_h_getattrs``).

        It gives what :meth:`stat` gives; besides, the look-up has a replicated or dispersed
        volume compare its copies, and heal them if need be.

        :returns: an object with the attributes of :class:`os.stat_result`.
        :raises OSError: as :meth:`stat`.
        """
        held, stat = self._object, api.Stat()
        api.glfs_h_getattrs(held.mount, held, stat)
        if not stat.st_mode:  # libgfapi has not found it, and says that all went well
            raise self._error(errno.ESTALE)
        return stat

    def setattr(
        self,
        *,
        mode: Optional[int] = None,
        uid: Optional[int] = None,
        gid: Optional[int] = None,
        size: Optional[int] = None,
        times: Optional[tuple[float, float]] = None,
        ns: Optional[tuple[int, int]] = None,
    ) -> None:
        """Change several attributes by one call (``glfs_h_setattrs``). What is None stays.

        :param mode: the permission bits, as 0o644.
        :param uid: the owner's number.
        :param gid: the group's number.
        :param size: the size in bytes; this one takes a call of its own, :meth:`truncate`.
        :param times: those of the last access and change, in seconds since the epoch (a tuple of
            two numbers).
        :param ns: the same in nanoseconds (a tuple of two int).
        :raises OSError: on failure.
        :raises TypeError: if ``times`` or ``ns`` is no tuple of two numbers.
        :raises ValueError: if both are given.
        """
        held = self._object
        self._check_open()
        given = attributes_of(mode, uid, gid, size, times, ns)
        if size is not None:  # libgfapi overlooks it
            self.truncate(given.glfs_st_size)
        stat, wanted = api.Stat(), api.SetAttr(0)
        for mask, member, flag, its_member in _ATTRIBUTES:
            if given.glfs_st_mask & mask:
                setattr(stat, its_member, getattr(given, member))
                wanted |= flag
        if wanted:
            api.glfs_h_setattrs(held.mount, held, stat, wanted)

    def access(self, mode: int) -> bool:
        """Whether the caller may access it (``glfs_h_access``), as :func:`os.access`.

        :param mode: :data:`os.F_OK` (it exists), or any of :data:`os.R_OK`, :data:`os.W_OK` and
            :data:`os.X_OK` together (int).
        :raises OSError: EBADF if the handle is closed.
        """
        held = self._object
        self._check_open()
        try:
            api.glfs_h_access(held.mount, held, mode)
        except OSError:
            return False
        return True

    def statvfs(self) -> api.Statvfs:
        """The space on the volume (``glfs_h_statfs``), as :meth:`Volume.statvfs`.

        :raises OSError: on failure.
        """
        held, statvfs = self._object, api.Statvfs()
        api.glfs_h_statfs(held.mount, held, statvfs)
        return statvfs

    # ------------------------------------------------------------------ extended attributes

    @overload
    def getxattr(self, key: str, size: int = 0) -> str: ...

    @overload
    def getxattr(self, key: bytes, size: int = 0) -> bytes: ...

    def getxattr(self, key: Any, size: int = 0) -> Any:
        """The value of an extended attribute (``glfs_h_getxattrs``).

        :param key: its name.
        :param size: the value's length in bytes if it is known; 0 finds it out.
        :returns: bytes if ``key`` is bytes. Else str, decoded with ``surrogateescape``, so that
            no byte is lost.
        :raises OSError: ENODATA if there is none; ERANGE if ``size`` is too small; and others.
        """
        held = self._object
        return xattr.get(api.glfs_h_getxattrs, held.mount, held, key=key, size=size)

    def listxattr(self, size: int = 0) -> list[str]:
        """The names of the extended attributes (``glfs_h_getxattrs``).

        :param size: the length of all names with a NUL each if it is known; 0 finds it out.
        :raises OSError: ERANGE if ``size`` is too small; and others.
        """
        held = self._object
        return xattr.names(api.glfs_h_getxattrs, held.mount, held, None, size=size)

    def setxattr(self, key: Union[str, bytes], value: Any, flags: int = 0) -> None:
        """Set an extended attribute (``glfs_h_setxattrs``).

        :param key: its name.
        :param value: str or any contiguous buffer.
        :param flags: 0 to create or replace, :data:`os.XATTR_CREATE` (1) to fail with EEXIST if
            there is one, :data:`os.XATTR_REPLACE` (2) to fail with ENODATA if there is none.
        :raises OSError: on failure.
        """
        held = self._object
        memory, size = xattr.encode(value)
        name = xattr.check_new(key, size, held.path)
        memory = b"" if memory is None else memory  # C takes no NULL
        api.glfs_h_setxattrs(held.mount, held, name, memory, size, flags)

    def removexattr(self, key: Union[str, bytes]) -> None:
        """Remove an extended attribute (``glfs_h_removexattrs``).

        :param key: its name.
        :raises OSError: ENODATA if there is none; and others.
        """
        held = self._object
        name = xattr.check_key(key, held.path)
        api.glfs_h_removexattrs(held.mount, held, name)

    @property
    def xattrs(self) -> xattr.Xattrs:
        """The extended attributes as a mapping: ``handle.xattrs["user.x"] = b"..."``.

        It is an :class:`Xattrs`.
        """
        functions = (self.getxattr, self.listxattr, self.setxattr, self.removexattr)
        return xattr.Xattrs(self._object.path, *functions)

    # ------------------------------------------------------------------ access control lists

    def getacl(self, default: bool = False) -> str:
        """The access control list (``glfs_h_acl_get``), as :meth:`Volume.getacl`.

        :param default: whether to get a directory's default list.
        :raises OSError: EOPNOTSUPP if it is a symbolic link; and others.
        :raises NotImplementedError: if libacl is not installed.
        """
        return acls.get(self._object.mount, self._with_acl(), default)

    def setacl(self, acl: str, default: bool = False) -> None:
        """Set the access control list (``glfs_h_acl_set``), as :meth:`Volume.setacl`.

        :param acl: the whole list.
        :param default: whether to set a directory's default list.
        :raises OSError: EOPNOTSUPP if it is a symbolic link; and others.
        :raises ValueError: if ``acl`` is no list.
        :raises NotImplementedError: if libacl is not installed.
        """
        acls.set(self._object.mount, self._with_acl(), acl, default)

    def _with_acl(self) -> HeldObject:
        """A symbolic link has no list; libgfapi would use its target's."""
        if self._type == stat_module.S_IFLNK:
            raise self._error(errno.EOPNOTSUPP)
        return self._object

    # ------------------------------------------------------------------ leases

    def lease(self, type: api.LeaseType, on_recall: Optional[OnRecall] = None) -> Lease:
        """Take a lease on the file (``glfs_h_lease``), as :meth:`File.lease`, without opening it.

        Closing the handle gives it back.

        :param type: :attr:`LeaseType.RD <gluster.gfapi.api.LeaseType.RD>` or ``RW``.
        :param on_recall: called with the :class:`Lease` when it is asked for, as for
            :meth:`File.lease`; without it, the lease is given back at once.
        :returns: a :class:`Lease`.
        :raises BlockingIOError: if an open file or lease of another is in the way.
        :raises OSError: ENOSYS if leases are off; EBADF if the handle is closed; EBUSY if it has
            a lease; EINVAL if it is no regular file; and others.
        :raises ValueError: if ``type`` is neither of these.
        """
        self._check_open()
        if self._type != stat_module.S_IFREG:
            raise self._error(errno.EINVAL)
        return lease_of_object(self._object, type, on_recall)

    # ------------------------------------------------------------------ below a directory

    lookup = entries.lookup
    create = entries.create
    create_open = entries.create_open
    mkdir = entries.mkdir
    mknod = entries.mknod
    symlink = entries.symlink
    link = entries.link
    rename = entries.rename
    unlink = entries.unlink

    # ------------------------------------------------------------------ checks

    @property
    def _type(self) -> int:
        """Its type, as :data:`stat.S_IFDIR`. It never changes."""
        held = self._object
        self._check_open()
        if not held.file_type:
            held.file_type = stat_module.S_IFMT(self.stat().st_mode)
        return held.file_type

    def _hold(
        self, name: api.AnyPath, stat: api.Stat, function: Callable[..., int], *arguments: Any
    ) -> Handle:
        """Have C find or make what is below this directory, and hold it."""
        return hold(self._object.mount, self._path_of(name), stat, function, *arguments)

    def _path_of(self, name: api.AnyPath) -> str:
        """What errors of what is below this directory name."""
        return os.path.join(os.fsdecode(self._object.path), os.fsdecode(name))

    def _error(self, code: int) -> OSError:
        return OSError(code, os.strerror(code), self._object.path)

    def _check_open(self) -> None:
        if self.closed:
            raise bad_descriptor(self._object.path)

    def _check_content(self, *numbers: int) -> None:
        """Let no brick see a number that is negative, nor a call for content that there is not."""
        if self._type == stat_module.S_IFDIR:
            raise self._error(errno.EISDIR)
        if self._type != stat_module.S_IFREG or min(numbers) < 0:
            raise self._error(errno.EINVAL)
