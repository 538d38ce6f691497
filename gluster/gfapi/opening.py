"""From a path to what is open: files made or opened, and directories."""

from __future__ import annotations

import os
import stat as stat_module

from . import api
from .arguments import checked_flags, flags_to_cut
from .creation import known_to_all
from .descriptor import Descriptor, DirectoryDescriptor, names_in_use
from .identity import check_opened, is_root
from .remembered import asked_again, made_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, TypeVar

    from .volume import Volume

    T = TypeVar("T")

_OF_OWNER = 0o600  # without which he cannot open what he has made


def open_file(
    vol: Volume, path: api.AnyPath, flags: int, mode: int, make: Callable[[Descriptor], T]
) -> T:
    """Make a file or open one, in two steps if need be.

    Of a broken symbolic link, ``glfs_creat`` would make the target on the machine of a brick,
    wherever there the link points to; not if it must not exist.

    :param make: makes of its descriptor what is returned, as for :meth:`Mount.open`.
    """
    mount, path = vol._mount, os.fspath(path)  # which is asked once, and not within a call
    flags = checked_flags(flags)
    mode = mode if type(mode) is int else api.integer(mode)
    is_cut, rest = flags & os.O_TRUNC, flags & ~os.O_TRUNC
    new, old = rest | os.O_EXCL, rest & ~(os.O_CREAT | os.O_EXCL)
    to_cut = flags_to_cut(old) if is_cut else old

    def create() -> T:
        return mount.open(api.glfs_creat, path, rest, mount, path, new, mode, make=made)

    def open_again(make: Callable[[Descriptor], T]) -> T:
        return mount.open(api.glfs_open, path, rest, mount, path, old, make=make)

    def made(descriptor: Descriptor) -> T:
        return known_to_all(descriptor, open_again, make)

    def open_old() -> T:
        return mount.open(api.glfs_open, path, rest, mount, path, to_cut, make=checked)

    def checked(descriptor: Descriptor) -> T:
        check_opened(descriptor)
        if lent:
            now = stat_module.S_IMODE(descriptor.stat().st_mode)
            api.glfs_fchmod(descriptor, now & ~lent)
        if flags & (os.O_CREAT | os.O_ACCMODE) == os.O_CREAT:  # of others C says so
            descriptor.check_no_directory()
        if is_cut:
            descriptor.cut()
        return make(descriptor)

    while True:
        lent = 0  # permissions of a new file that are taken back once it is open
        try:
            if flags & os.O_CREAT and names_in_use.has_lease_id:
                # glfs_creat gives the file the id as an attribute. Bricks refuse that, and all
                # that come with it, without which disperse and shard do not know it.
                lacking = 0 if is_root() else _OF_OWNER & ~mode
                api.glfs_mknod(mount, path, stat_module.S_IFREG | (mode | lacking) & 0o7777, 0)
                lent = lacking
            elif flags & os.O_CREAT:
                return made_again(mount, path, create) if flags & os.O_EXCL else create()
        except FileExistsError:
            if flags & os.O_EXCL:
                raise
        try:
            return asked_again(mount, path, open_old)
        except FileNotFoundError:
            if not flags & os.O_CREAT or vol.islink(path):
                raise


def open_directory(vol: Volume, path: api.AnyPath, make: Callable[[Descriptor], T]) -> T:
    """Open a directory.

    :param make: as for :func:`open_file`.
    """
    mount, path = vol._mount, os.fspath(path)
    kind, arguments = DirectoryDescriptor, (api.glfs_opendir, path, os.O_DIRECTORY, mount, path)
    return asked_again(mount, path, lambda: mount.open(*arguments, kind=kind, make=make))
