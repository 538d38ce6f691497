"""What a directory's Handle finds, makes, renames and removes in it.

Each function takes the directory's Handle first; :class:`~gluster.gfapi.handle.Handle` lists them
as its methods. A name is that of one entry: libgfapi would have the bricks take a slash for part
of it, and dies of a rename to a path that does not exist.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
from typing import TYPE_CHECKING, Any, Callable, Union

from . import api, objects
from .arguments import checked_flags
from .creation import known_to_all
from .file import File
from .names import checked_mode

if TYPE_CHECKING:
    from .descriptor import Descriptor
    from .handle import Handle

_LONGEST_NAME = 255


def lookup(folder: Handle, path: api.AnyPath, *, follow_symlinks: bool = True) -> Handle:
    """The file, directory or link that a path leads to from this directory
    (``glfs_h_lookupat``).

    :param path: a name or path (str, bytes or path-like), also ``".."``.
    :param follow_symlinks: whether it is the target of a symbolic link.
    :raises OSError: if there is none.
    """
    held, path = _directory(folder), os.fspath(path)
    stat, follow = api.Stat(), bool(follow_symlinks)
    arguments = (held.mount, held, path, stat, follow)
    return folder._hold(path, stat, api.glfs_h_lookupat, *arguments)


def create(folder: Handle, name: api.AnyPath, flags: int = 0, mode: int = 0o666) -> Handle:
    """Make a file in this directory, without opening it (``glfs_h_creat``).

    :param name: its name (str, bytes or path-like).
    :param flags: as for :func:`os.open` (int): with O_EXCL it fails if there is one, with O_TRUNC
        the one there is cut. O_CREAT goes without saying.
    :param mode: its permission bits, if it is made. No umask is applied.
    :returns: its :class:`Handle`.
    :raises OSError: on failure; EISDIR if there is a directory; EINVAL for a name with a slash
        in it.
    """
    flags, mode, name = checked_flags(flags), api.check_uint32(mode), checked_name(name)
    held, stat = _directory(folder), api.Stat()
    # Always O_EXCL: without a look-up before, a distributed volume would make a second one.
    new = flags & ~os.O_TRUNC | os.O_CREAT | os.O_EXCL
    arguments = (held.mount, held, name, new, mode, stat)
    try:
        return folder._hold(name, stat, api.glfs_h_creat, *arguments)
    except FileExistsError:
        if flags & os.O_EXCL:
            raise
    found = lookup(folder, name)
    if found._type == stat_module.S_IFDIR:
        raise found._error(errno.EISDIR)
    if flags & os.O_TRUNC:
        found.truncate(0)
    return found


def create_open(
    folder: Handle, name: api.AnyPath, flags: int = os.O_RDWR, mode: int = 0o666
) -> tuple[Handle, File]:
    """Make a file in this directory and open it (``glfs_h_creat_open``).

    :param name: its name (str, bytes or path-like).
    :param flags: as for :func:`os.open` (int). O_CREAT goes without saying.
    :param mode: its permission bits, if it is made. No umask is applied.
    :returns: its :class:`Handle` and a :class:`File`.
    :raises OSError: on failure; EINVAL for a name with a slash in it.
    """
    flags, mode, name = checked_flags(flags), api.check_uint32(mode), checked_name(name)
    held, stat = _directory(folder), api.Stat()
    mount, glfd = held.mount, api.result_pointer()
    rest = flags & ~os.O_TRUNC
    arguments = (mount, held, name, rest | os.O_CREAT | os.O_EXCL, mode, stat, glfd)
    made: list[Handle] = []

    def create(kept: list[Any]) -> Any:
        try:
            made.append(folder._hold(name, stat, api.glfs_h_creat_open, *arguments))
        finally:
            if glfd:
                kept.append(glfd.value)
        return glfd.value

    def reopen(make: Callable[[Descriptor], File]) -> File:
        return made[0]._open(rest & ~(os.O_CREAT | os.O_EXCL), make)

    def give_out(descriptor: Descriptor) -> File:
        return known_to_all(descriptor, reopen, File)

    try:
        file = mount.open(create, folder._path_of(name), rest, make=give_out)
        return made[0], file
    except FileExistsError:
        if flags & os.O_EXCL:
            raise
    found = lookup(folder, name)
    return found, found._open(flags | os.O_CREAT, File)


def mkdir(folder: Handle, name: api.AnyPath, mode: int = 0o777) -> Handle:
    """Make a directory in this one (``glfs_h_mkdir``).

    :param name: its name (str, bytes or path-like).
    :param mode: its permission bits. No umask is applied.
    :returns: its :class:`Handle`.
    :raises OSError: on failure; EINVAL for a name with a slash in it.
    """
    return _make(folder, api.glfs_h_mkdir, name, api.check_uint32(mode))


def mknod(folder: Handle, name: api.AnyPath, mode: int, dev: int = 0) -> Handle:
    """Make a special or regular file in this directory (``glfs_h_mknod``), as :func:`os.mknod`.

    :param name: its name (str, bytes or path-like).
    :param mode: its type and permission bits, as ``stat.S_IFIFO | 0o600``; a regular file where
        it has no type.
    :param dev: the number of a device special file, from :func:`os.makedev`.
    :returns: its :class:`Handle`.
    :raises OSError: on failure; EINVAL for a name with a slash in it.
    """
    return _make(folder, api.glfs_h_mknod, name, checked_mode(name, mode), api.integer(dev))


def symlink(folder: Handle, target: api.AnyPath, name: api.AnyPath) -> Handle:
    """Make a symbolic link in this directory (``glfs_h_symlink``), as :func:`os.symlink`.

    :param target: what it points to (str, bytes or path-like).
    :param name: the link's own name.
    :returns: the link's :class:`Handle`.
    :raises OSError: on failure; EINVAL for a name with a slash in it.
    """
    return _make(folder, api.glfs_h_symlink, name, os.fspath(target))


def link(file: Handle, parent: Handle, name: api.AnyPath) -> None:
    """Give the file an additional name (``glfs_h_link``).

    :param parent: the directory's :class:`Handle`.
    :param name: the name in it (str, bytes or path-like).
    :raises OSError: on failure; EINVAL for a name with a slash in it; EISDIR if this is a
        directory; EXDEV if ``parent`` is on another volume.
    :raises TypeError: if ``parent`` is no Handle.
    """
    held, directory, name = file._object, _other_directory(file, parent), checked_name(name)
    objects.link(held.mount, held, directory, name)


def rename(folder: Handle, name: api.AnyPath, new_parent: Handle, new_name: api.AnyPath) -> None:
    """Rename an entry of this directory (``glfs_h_rename``), as :func:`os.rename`.

    :param name: its name (str, bytes or path-like).
    :param new_parent: the :class:`Handle` of the directory that it goes to.
    :param new_name: its name there; a file of that name is replaced.
    :raises OSError: on failure; EINVAL for a name with a slash in it; EXDEV if ``new_parent`` is
        on another volume.
    :raises TypeError: if ``new_parent`` is no Handle.
    """
    held, directory = _directory(folder), _other_directory(folder, new_parent)
    objects.rename(held.mount, held, checked_name(name), directory, checked_name(new_name))


def unlink(folder: Handle, name: api.AnyPath) -> None:
    """Remove an entry of this directory: a file, or a directory that is empty
    (``glfs_h_unlink``).

    :param name: its name (str, bytes or path-like).
    :raises OSError: on failure; EINVAL for a name with a slash in it.
    """
    held = _directory(folder)
    api.glfs_h_unlink(held.mount, held, checked_name(name))


def checked_name(name: api.AnyPath) -> Union[str, bytes]:
    """The name of an entry, which is not asked for again: it might be another one by then.

    :raises OSError: EINVAL if it is ``.``, ``..`` or has a slash in it, ENAMETOOLONG.
    """
    name = os.fspath(name)
    raw = api.encode_bare_path(name)
    if b"/" in raw or raw in (b".", b".."):
        raise OSError(errno.EINVAL, "not the name of an entry", name)
    if len(raw) > _LONGEST_NAME:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), name)
    return name


def _make(
    folder: Handle, function: Callable[..., int], name: api.AnyPath, *arguments: Any
) -> Handle:
    held, stat, name = _directory(folder), api.Stat(), checked_name(name)
    given = (held.mount, held, name, *arguments, stat)
    return folder._hold(name, stat, function, *given)


def _directory(folder: Handle) -> Any:
    """The object of a directory.

    :raises OSError: ENOTDIR if it is none: not all of GlusterFS sees to that.
    """
    if folder._type != stat_module.S_IFDIR:
        raise folder._error(errno.ENOTDIR)
    return folder._object


def _other_directory(handle: Handle, other: Any) -> Any:
    """As :func:`_directory`, for one that must be on the same mount: C would not notice."""
    if not isinstance(other, type(handle)):
        raise TypeError(f"a Handle is required, not {type(other).__name__!r}")
    directory, mine = _directory(other), handle._object
    if directory.mount is not mine.mount:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), mine.path, None, directory.path)
    return directory
