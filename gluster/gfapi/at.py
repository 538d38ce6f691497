"""Names below an open directory: the ``*at`` functions that GlusterFS has since 11.0, made safe.

Each function takes the Volume first and ``dir_fd`` last.

GlusterFS 11.1 drops a reference too many to the directory when a path cannot be resolved: the next
call on that glfd, or the one that closes it, is a use after free. So each call here gets a glfd of
its own, and that one is closed only if it has certainly survived. The duplicate is also what leads
to the right graph after the volume's options were changed.

Paths are asked what they are before a call is under way: one of the user's own making might unmount
the volume, which waits for the call.

A path that fails half-way gives a wrong error there, or kills the process. So everything that can
fail is looked at before. That costs little: the client remembers for a second what it has seen.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
from collections.abc import Iterator

from . import api
from .arguments import flags_to_cut
from .creation import known_to_all
from .descriptor import Descriptor
from .file import Glfd, descriptor_of
from .gate import Gate, held
from .identity import check_opened, is_root
from .objects import check_rename, looked_up
from .opened import Opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, NoReturn, Optional, Union

    from .volume import Volume

    #: An open directory: a :class:`~gluster.gfapi.Dir`, a File or a glfd.
    AnyDir = Union[Opened, int]


_NOFOLLOW, _REMOVEDIR, _FOLLOW = 0x100, 0x200, 0x400  # AT_*, which Python does not export
_NOREPLACE, _EXCHANGE = 1, 2  # RENAME_*

# What no resolution of a path says, or what leaves the directory whole.
_HARMLESS: tuple[int, ...] = (errno.ENOENT, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY)
# The same for a call on two directories: where the first path is not there, the second directory
# loses the reference that the call never took.
_HARMLESS_TO_TWO: tuple[int, ...] = (errno.EEXIST, errno.ENOTEMPTY)


def directory_of(vol: Volume, dir_fd: Any) -> Descriptor:
    """The open directory that a ``dir_fd`` is.

    :raises TypeError: if it is no Dir, File or glfd.
    :raises ValueError: if it is of another mount.
    :raises OSError: EBADF if it is closed, ENOTDIR if it is a file.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    if isinstance(dir_fd, Opened):
        descriptor = dir_fd._descriptor
    elif isinstance(dir_fd, int):
        descriptor = descriptor_of(dir_fd)
    else:
        kind = type(dir_fd).__name__
        raise TypeError(f"an open directory of the volume is needed, not {kind!r}")
    descriptor.check_open()
    if descriptor.mount is not vol._mount:
        raise ValueError("the open directory is of another Volume")
    is_known = descriptor.is_directory or descriptor.flags & os.O_DIRECTORY
    if not is_known and not stat_module.S_ISDIR(descriptor.stat().st_mode):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), descriptor.path)
    return descriptor


class _Folder(Gate):
    """The glfd of a directory that is used for one call."""

    __slots__ = ("harmless", "is_spoilt")

    def __init__(self, pointer: int) -> None:
        super().__init__(pointer)
        self.harmless = _HARMLESS
        self.is_spoilt = False  # by an error that was not handed on

    def deny(self, code: int, path: api.AnyPath) -> NoReturn:
        """Raise an error that C has no part in."""
        self.harmless = (code,)
        raise OSError(code, os.strerror(code), path)

    def status(self, path: api.AnyPath, follow_symlinks: bool = True) -> api.Stat:
        """The status of a path."""
        status = api.Stat()
        api.glfs_fstatat(self, path, status, 0 if follow_symlinks else _NOFOLLOW)
        return status

    def check_parent(self, path: api.AnyPath) -> None:
        """Raise an OSError if a path is in no directory."""
        parent = os.path.dirname(api.encode(path).rstrip(b"/"))
        if parent and not stat_module.S_ISDIR(self.status(parent).st_mode):
            self.deny(errno.ENOTDIR, path)

    def check_kind(self, path: api.AnyPath, flags: int) -> None:
        """Refuse to open what ``glfs_open`` refuses, or the kernel: ``glfs_openat`` opens it."""
        kind = stat_module.S_IFMT(self.status(path, not flags & os.O_NOFOLLOW).st_mode)
        if kind == stat_module.S_IFLNK:
            self.deny(errno.ELOOP, path)
        if kind == stat_module.S_IFDIR:
            if flags & (os.O_ACCMODE | os.O_CREAT):
                self.deny(errno.EISDIR, path)
        elif flags & os.O_DIRECTORY:
            self.deny(errno.ENOTDIR, path)
        elif kind != stat_module.S_IFREG:
            self.deny(errno.EINVAL, path)

    def is_free(self, path: api.AnyPath, flags: int = os.O_EXCL) -> bool:
        """Whether something can be made there.

        :param flags: with O_EXCL, a symbolic link is something, even a broken one.
        """
        self.check_parent(path)
        try:
            self.status(path, follow_symlinks=not flags & (os.O_EXCL | os.O_NOFOLLOW))
        except FileNotFoundError:
            return True
        return False


@contextlib.contextmanager
def _below(vol: Volume, dir_fd: Any, *named: api.AnyPath) -> Iterator[_Folder]:
    """A directory for one call, which an unmount waits for.

    :param dir_fd: as the user gave it; None is the working directory.
    :param named: the paths that an OSError names.
    """
    owner = vol._mount if dir_fd is None else directory_of(vol, dir_fd)
    with held(owner):
        if dir_fd is None:
            folder, close = _Folder(api.glfs_opendir(owner, ".")), api.glfs_closedir
        else:  # a duplicate lacks what closedir needs
            folder, close = _Folder(api.glfs_dup(owner)), api.glfs_close
        is_whole = False
        try:
            yield folder
            is_whole = not folder.is_spoilt
        except OSError as error:
            is_whole = error.errno in folder.harmless
            _name(error, *named)
            raise
        except Exception:  # of Python's, so C was not called
            is_whole = True
            raise
        finally:
            if is_whole:
                with contextlib.suppress(OSError):  # nothing was written to it
                    close(folder)


def _name(error: OSError, path: api.AnyPath, path2: Optional[api.AnyPath] = None) -> None:
    error.filename = os.fspath(path)
    if path2 is not None:
        error.filename2 = os.fspath(path2)


# ------------------------------------------------------------------------------ opening


def open(vol: Volume, path: api.AnyPath, flags: int, mode: int, dir_fd: Any) -> Glfd:
    """Open a file or directory (``glfs_openat``).

    To open a file that is there with O_CREAT is EINVAL in GlusterFS 11.1, and one made by way of
    a broken symbolic link is made on the machine of a brick. So a file is either made or opened.
    """
    path = os.fspath(path)
    openat, mount, rest = api.glfs_openat, vol._mount, flags & ~os.O_TRUNC
    old = rest & ~(os.O_CREAT | os.O_EXCL)
    to_cut = flags_to_cut(old) if flags & os.O_TRUNC else old
    with _below(vol, dir_fd, path) as folder:

        def open_again(make: Callable[[Descriptor], Glfd]) -> Glfd:
            try:
                return mount.open(openat, path, rest, folder, path, old, mode, make=make)
            except OSError as error:
                folder.is_spoilt = error.errno not in folder.harmless
                raise

        def made(descriptor: Descriptor) -> Glfd:
            return known_to_all(descriptor, open_again, Glfd)

        if flags & os.O_CREAT:
            is_free = folder.is_free(path, flags)
            if flags & os.O_EXCL and not is_free:
                folder.deny(errno.EEXIST, path)
            try:
                new = rest | os.O_EXCL
                if is_free:
                    return mount.open(openat, path, rest, folder, path, new, mode, make=made)
            except FileExistsError:  # since a moment ago, or it is a broken link
                if flags & os.O_EXCL:
                    raise
        folder.check_kind(path, to_cut | flags & os.O_CREAT)
        glfd = mount.open(openat, path, rest, folder, path, to_cut, mode, make=_checked)
    if flags & os.O_TRUNC:
        try:
            glfd.descriptor.cut()
        except BaseException:
            glfd.descriptor.close()
            raise
    return glfd


def _checked(descriptor: Descriptor) -> Glfd:
    check_opened(descriptor)
    return Glfd(descriptor)


# ----------------------------------------------------------------------------- metadata


def stat(vol: Volume, path: api.AnyPath, follow_symlinks: bool, dir_fd: Any) -> api.Stat:
    """The status of a path (``glfs_fstatat``)."""
    path = os.fspath(path)
    api.glfs_fstatat  # noqa: B018 - raises NotImplementedError
    with _below(vol, dir_fd, path) as folder:
        return folder.status(path, follow_symlinks)


def access(vol: Volume, path: api.AnyPath, mode: int, follow_symlinks: bool, dir_fd: Any) -> None:
    """Raise an OSError if the caller may not access a path (``glfs_faccessat``)."""
    path = os.fspath(path)
    faccessat = api.glfs_faccessat
    with _below(vol, dir_fd, path) as folder:
        faccessat(folder, path, mode, 0 if follow_symlinks else _NOFOLLOW)


def chmod(vol: Volume, path: api.AnyPath, mode: int, follow_symlinks: bool, dir_fd: Any) -> None:
    """Change the mode of a path (``glfs_fchmodat``)."""
    path = os.fspath(path)
    fchmodat = api.glfs_fchmodat
    with _below(vol, dir_fd, path) as folder:
        # Whatever keeps the path from being resolved, the call itself says EIO.
        status = folder.status(path, follow_symlinks)
        if stat_module.S_ISLNK(status.st_mode):
            folder.deny(errno.EOPNOTSUPP, path)
        fchmodat(folder, path, mode, 0 if follow_symlinks else _NOFOLLOW)


def chown(
    vol: Volume, path: api.AnyPath, uid: int, gid: int, follow_symlinks: bool, dir_fd: Any
) -> None:
    """Change owner and group of a path (``glfs_fchownat``)."""
    path = os.fspath(path)
    fchownat = api.glfs_fchownat
    with _below(vol, dir_fd, path) as folder:
        folder.status(path, follow_symlinks)  # as in chmod
        fchownat(folder, path, uid, gid, 0 if follow_symlinks else _NOFOLLOW)


# ------------------------------------------------------------------------------- names


def mkdir(vol: Volume, path: api.AnyPath, mode: int, dir_fd: Any) -> None:
    """Make a directory (``glfs_mkdirat``)."""
    path = os.fspath(path)
    mkdirat = api.glfs_mkdirat
    with _below(vol, dir_fd, path) as folder:
        folder.check_parent(path)
        mkdirat(folder, path, mode)


def mknod(vol: Volume, path: api.AnyPath, mode: int, dev: int, dir_fd: Any) -> None:
    """Make a special or regular file (``glfs_mknodat``)."""
    path = os.fspath(path)
    mknodat = api.glfs_mknodat
    with _below(vol, dir_fd, path) as folder:
        folder.check_parent(path)
        mknodat(folder, path, mode, dev)


def symlink(vol: Volume, source: api.AnyPath, link_name: api.AnyPath, dir_fd: Any) -> None:
    """Make a symbolic link (``glfs_symlinkat``)."""
    source, link_name = os.fspath(source), os.fspath(link_name)
    symlinkat = api.glfs_symlinkat
    with _below(vol, dir_fd, source, link_name) as folder:
        folder.check_parent(link_name)
        symlinkat(source, folder, link_name)


def readlink(vol: Volume, path: api.AnyPath, target: bytearray, dir_fd: Any) -> int:
    """Read what a symbolic link points to into a buffer, and return the length
    (``glfs_readlinkat``).
    """
    path = os.fspath(path)
    readlinkat = api.glfs_readlinkat
    with _below(vol, dir_fd, path) as folder:
        if not stat_module.S_ISLNK(folder.status(path, follow_symlinks=False).st_mode):
            folder.deny(errno.EINVAL, path)
        length: int = readlinkat(folder, path, *api.memory(target, writable=True))
        return length


def unlink(vol: Volume, path: api.AnyPath, is_directory: bool, dir_fd: Any) -> None:
    """Remove a file or an empty directory (``glfs_unlinkat``)."""
    path = os.fspath(path)
    unlinkat = api.glfs_unlinkat
    with _below(vol, dir_fd, path) as folder:
        folder.status(path, follow_symlinks=False)  # what is not there is ENOTDIR, EINVAL, ...
        unlinkat(folder, path, _REMOVEDIR if is_directory else 0)


def link(
    vol: Volume,
    source: api.AnyPath,
    link_name: api.AnyPath,
    follow_symlinks: bool,
    src_dir_fd: Any,
    dst_dir_fd: Any,
) -> None:
    """Make a hard link (``glfs_linkat``).

    If the new name cannot be resolved for another reason than that it is free, the call uses a
    NULL pointer.
    """
    source, link_name = os.fspath(source), os.fspath(link_name)
    linkat, names = api.glfs_linkat, (source, link_name)
    with _below(vol, src_dir_fd, *names) as old, _below(vol, dst_dir_fd, *names) as new:
        old.status(source, follow_symlinks)
        if not new.is_free(link_name):
            new.deny(errno.EEXIST, source)
        old.harmless = new.harmless = _HARMLESS_TO_TWO
        linkat(old, source, new, link_name, _FOLLOW if follow_symlinks else 0)


def rename(
    vol: Volume,
    src: api.AnyPath,
    dst: api.AnyPath,
    noreplace: bool,
    exchange: bool,
    src_dir_fd: Any,
    dst_dir_fd: Any,
) -> None:
    """Rename a file or directory (``glfs_renameat``, ``glfs_renameat2``).

    Neither replaces anything in GlusterFS 11.1, nor do they exchange.
    """
    src, dst = os.fspath(src), os.fspath(dst)
    flags = (_NOREPLACE if noreplace else 0) | (_EXCHANGE if exchange else 0)
    renameat, names = api.glfs_renameat2 if flags else api.glfs_renameat, (src, dst)
    _check_rename(vol, src_dir_fd, src, dst_dir_fd, dst)
    with _below(vol, src_dir_fd, *names) as old, _below(vol, dst_dir_fd, *names) as new:
        old.status(src, follow_symlinks=False)
        new.check_parent(dst)
        if exchange:
            new.status(dst, follow_symlinks=False)  # what is missing would be no reason to fail
        old.harmless = new.harmless = _HARMLESS_TO_TWO
        try:
            renameat(old, src, new, dst, *([flags] if flags else []))
            return
        except FileExistsError as error:
            if exchange:
                message = "this GlusterFS does not exchange names"
                raise OSError(errno.EOPNOTSUPP, message) from None
            if noreplace:
                raise
            exists = error
    # What the directories' paths lead to is checked, so it is a matter of time only.
    source, target = _path_below(vol, src_dir_fd, src), _path_below(vol, dst_dir_fd, dst)
    if source is None or target is None:
        raise exists
    try:
        vol.rename(source, target)
    except OSError as error:
        _name(error, *names)
        raise


def _check_rename(
    vol: Volume, src_dir_fd: Any, src: api.AnyPath, dst_dir_fd: Any, dst: api.AnyPath
) -> None:
    """See that this thread may rename; see :func:`gluster.gfapi.objects.check_rename`."""
    if is_root():
        return
    source, target = _path_below(vol, src_dir_fd, src), _path_below(vol, dst_dir_fd, dst)
    if source is None or target is None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), src, None, dst)
    old_parent, old = os.path.split(source.rstrip(b"/"))
    new_parent, new = os.path.split(target.rstrip(b"/"))
    mount, here, there = vol._mount, old_parent or b".", new_parent or b"."
    try:
        with looked_up(mount, here) as folder, looked_up(mount, there) as new_folder:
            check_rename(mount, folder, old, new_folder, new)
    except OSError as error:
        _name(error, src, dst)
        raise


def _path_below(vol: Volume, dir_fd: Any, path: api.AnyPath) -> Optional[bytes]:
    """A path as one that needs no ``dir_fd``, or None if the directory is not where it was."""
    raw = api.encode(path)
    if dir_fd is None or raw.startswith(b"/"):
        return raw
    descriptor = directory_of(vol, dir_fd)
    folder = os.fsencode(descriptor.path or "")
    try:
        there = vol.stat(folder)
    except OSError:
        return None
    return os.path.join(folder, raw) if there.st_ino == descriptor.stat().st_ino else None
