"""Whole trees copied: :func:`shutil.copytree`.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
from functools import partial

from . import api, rereading
from .copies import copy_entry, open_target, refuse_special
from .crew import Crew, checked_threads
from .names import MOST_LINKS
from .paths import parent_of, without_slashes
from .scan import DirEntry, entries_in
from .tree import Folder, check_mounted, errors_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, AnyStr, Callable, Optional, Union

    from .handle import Handle
    from .volume import Volume

    Ignore = Callable[[Any, list[Any]], Iterable[Any]]
    CopyFunction = Callable[[Any, Any], Any]

# What a directory is made with, until it gets the mode of its original: nobody else is to look
# into it.
_PRIVATE = 0o700


def copytree(
    vol: Volume,
    src: Union[AnyStr, os.PathLike[AnyStr]],
    dst: Union[AnyStr, os.PathLike[AnyStr]],
    symlinks: bool = False,
    ignore: Optional[Ignore] = None,
    copy_function: Optional[CopyFunction] = None,
    *,
    ignore_dangling_symlinks: bool = False,
    dirs_exist_ok: bool = False,
    threads: Optional[int] = None,
) -> Any:
    """Copy a directory tree as :meth:`Volume.copy2` copies files, as :func:`shutil.copytree`.

    What cannot be copied does not keep the rest from being copied. If ``dst`` is in ``src``, it
    is not copied into itself.

    What it reads and makes it reaches by the directories themselves and not by their paths. A
    symbolic link that takes the place of something meanwhile does not lead it elsewhere: the copy
    stays in ``dst``, and with ``symlinks=True`` nothing comes from outside ``src``. With a
    ``copy_function``, which gets paths, that holds for directories only.

    :param src: the directory to read.
    :param dst: the directory to make; it must not exist, unless ``dirs_exist_ok`` is set.
    :param symlinks: whether a symbolic link is copied as one; if not, what it points to is. Where
        more than 40 of them would be on the way, as in a loop, they are not copied: ELOOP.
    :param ignore: called for each directory with its path and the list of its names; returns
        the names that are left out. :func:`shutil.ignore_patterns` makes such functions. It is
        called in this thread.
    :param copy_function: called for each file with its path and that of the copy, instead of
        :meth:`Volume.copy2`. It is called in this thread, unless ``threads`` is given: then it
        must stand being called in several at a time.
    :param ignore_dangling_symlinks: whether a symbolic link that leads nowhere is passed over,
        where what it points to is to be copied.
    :param dirs_exist_ok: whether ``dst`` and directories in it may exist already. Files in them are
        replaced, by what is written into them; a symbolic link in the place of a file or of a
        directory is not, and is an error.
    :param threads: how many threads copy at most, this one among them (int); 32 by default, or 1
        with a ``copy_function``, and 1 for none but this one.
    :returns: ``dst``.
    :raises Error: at the end, with a list of ``(source, destination, reason)``, sorted.
    :raises OSError: if ``src`` cannot be read, or ``dst`` exists or cannot be made.
    :raises TypeError: if ``threads`` is no integer.
    :raises ValueError: if it is less than 1.
    """
    number = checked_threads(threads) if copy_function is None else checked_threads(threads, 1)
    top = _Copied(os.fspath(src), os.fspath(dst), None, "", True)
    with Crew(number) as crew:
        copying = _Copying(
            vol,
            crew,
            symlinks,
            ignore,
            copy_function,
            ignores_dangling=bool(ignore_dangling_symlinks),
            may_exist=bool(dirs_exist_ok),
        )
        crew.add(partial(copying.begin, top))
        crew.work()
    if copying.problems:
        from .copyerrors import CopyError  # it imports shutil

        raise CopyError(sorted(copying.problems))
    return dst


class _Copied(Folder):
    """A directory to be copied.

    :ivar path: the directory itself.
    :ivar target: the path of its copy, which errors name too.
    :ivar is_link: whether the path is that of a symbolic link to it.
    :ivar links: how many symbolic links there are on the way from the top.
    :ivar handle: itself.
    :ivar copy: its copy itself, None as long as there is none.
    """

    handle: Handle

    def __init__(
        self, path: Any, target: Any, parent: Optional[_Copied], name: Any, is_link: bool
    ) -> None:
        super().__init__(path, parent, name)
        self.target = target
        self.is_link = is_link
        self.links: int = parent.links + is_link if parent is not None else 0
        self.copy: Optional[Handle] = None


class _Copying:
    """One call of copytree.

    :ivar problems: what failed.
    """

    def __init__(
        self,
        vol: Volume,
        crew: Crew,
        symlinks: bool,
        ignore: Optional[Ignore],
        copy_function: Optional[CopyFunction],
        *,
        ignores_dangling: bool,
        may_exist: bool,
    ) -> None:
        self._vol = vol
        self._crew = crew
        self._symlinks = symlinks
        self._ignore = ignore
        self._copy_function = copy_function
        self._ignores_dangling = ignores_dangling
        self._may_exist = may_exist
        self._made: Optional[int] = None  # the inode number of the topmost copy
        self.problems: list[tuple[Any, Any, str]] = []

    def begin(self, folder: _Copied) -> None:
        """Read a directory, have all in it copied, and then give its copy its attributes."""
        try:
            with errors_name(folder.path):
                folder.handle = self._source(folder)
                opened = folder.handle.opendir(readdirplus=True)
            with opened:
                entries = entries_in(self._vol, folder.path, opened)
                if self._ignore is None:
                    self._fill(folder, entries)
                    return
                listed = list(entries)
            if folder.parent is None:
                self._choose(folder, listed)
            else:
                self._crew.tell(partial(self._choose, folder, listed))
        except OSError as error:
            self._fail(folder, error)

    def _source(self, folder: _Copied) -> Handle:
        """The directory itself, by the one that it is in: nobody can put another in between."""
        if folder.is_link:
            return self._vol.lookup(folder.path)
        handle: Handle = folder.parent.handle.lookup(folder.name, follow_symlinks=False)
        return handle

    def _choose(self, folder: _Copied, entries: list[DirEntry[Any]]) -> None:
        """Ask the caller what is to be left out."""
        assert self._ignore is not None
        ignored = set(self._ignore(folder.path, [entry.name for entry in entries]))
        chosen = [entry for entry in entries if entry.name not in ignored]
        if folder.parent is None:
            self._fill(folder, chosen)
        else:
            self._crew.add(partial(self._try_to_fill, folder, chosen))

    def _try_to_fill(self, folder: _Copied, entries: list[DirEntry[Any]]) -> None:
        try:
            self._fill(folder, entries)
        except OSError as error:
            self._fail(folder, error)

    def _fill(self, folder: _Copied, entries: Iterable[DirEntry[Any]]) -> None:
        if folder.parent is None:
            folder.copy = self._top(folder.target)
            self._made = folder.copy.stat().st_ino
        else:
            with errors_name(folder.target):
                folder.copy = self._below(folder.parent.copy, folder.name)
        names = set()  # while a volume is rebalanced, a file may be listed twice
        for entry in entries:
            if entry.name in names:
                continue
            names.add(entry.name)
            place = os.path.join(folder.target, entry.name)
            try:
                self._copy(folder, entry, place)
            except OSError as error:
                self._note(entry.path, place, error)
        self._leave(folder)

    def _top(self, target: Any) -> Handle:
        """The directory that the copy is made in: one that there is already, or a new one."""
        try:
            return self._make_top(target)
        except FileExistsError:
            if not self._may_exist or not self._vol.isdir(target):
                raise
        return self._vol.lookup(target)

    def _below(self, parent: Handle, name: Any) -> Handle:
        """The copy of a directory, in that of the one that it is in."""
        try:
            return parent.mkdir(name, _PRIVATE)
        except FileExistsError:
            if not self._may_exist:
                raise
            found = parent.lookup(name, follow_symlinks=False)
            if found._type != stat_module.S_IFDIR:  # a link would lead elsewhere
                raise
        return found

    def _make_top(self, target: Any) -> Handle:
        parent, name = parent_of(target), os.path.basename(without_slashes(target))
        if api.encode(name) in (b"", b".", b".."):
            self._vol.makedirs(target)
            return self._vol.lookup(target)
        if parent and not self._vol.exists(parent):
            self._vol.makedirs(parent, exist_ok=True)
        with errors_name(target):
            return self._vol.lookup(parent or ".").mkdir(name, _PRIVATE)

    def _copy(self, folder: _Copied, entry: DirEntry[Any], place: Any) -> None:
        if entry._lstat is None:  # asked once, so that the answer does not change
            found = folder.handle.lookup(entry.name, follow_symlinks=False)
            entry._lstat = rereading.status(found.stat)
        if self._symlinks and entry.is_symlink():
            job: Any = partial(self._copy_link, folder, entry, place)
        elif folder.links == MOST_LINKS and entry.is_symlink():  # libgfapi would go on for ever
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), entry.path)
        elif entry.is_dir(follow_symlinks=True):
            if entry.stat(follow_symlinks=True).st_ino != self._made:
                folder.enter()
                new = _Copied(entry.path, place, folder, entry.name, entry.is_symlink())
                self._crew.add(partial(self.begin, new))
            return
        else:
            job = partial(self._copy_file, folder, entry, place)
        folder.enter()
        self._crew.offer(partial(self._do, folder, entry, place, job))

    def _do(self, folder: _Copied, entry: DirEntry[Any], place: Any, job: Any) -> None:
        try:
            job()
        except OSError as error:
            self._note(entry.path, place, error)
        self._leave(folder)

    def _copy_file(self, folder: _Copied, entry: DirEntry[Any], place: Any) -> None:
        if self._ignores_dangling and entry.is_symlink() and not self._vol.exists(entry.path):
            return
        if self._copy_function is not None:
            self._copy_function(entry.path, place)
            return
        with errors_name(entry.path):
            if entry.is_symlink():
                opened, stat = open_target(self._vol, entry.path)
            else:
                stat = entry.stat()
                refuse_special(entry.path, stat)
                with folder.handle.lookup(entry.name, follow_symlinks=False) as source:
                    if source._type != stat_module.S_IFREG:  # since the directory was read
                        raise OSError(errno.ELOOP, "not a regular file any more", entry.path)
                    opened = source._opened(os.O_RDONLY)
        with errors_name(place):
            assert folder.copy
            copy_entry(self._vol, opened, stat, folder.copy, entry.name, self._may_exist)

    def _copy_link(self, folder: _Copied, entry: DirEntry[Any], place: Any) -> None:
        stat = entry.stat()
        with (
            errors_name(entry.path),
            folder.handle.lookup(entry.name, follow_symlinks=False) as source,
        ):
            target = source.readlink()
        with errors_name(place):
            assert folder.copy
            with folder.copy.symlink(target, entry.name) as link:
                link.setattr(ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def _leave(self, folder: Optional[_Copied]) -> None:
        """Something in a directory is ready. If that was the last, its copy gets its attributes.

        Not before, because each file made in it changes its times; and a directory that is to be
        read-only has to be writable until then.
        """
        while folder is not None and folder.leave():
            if folder.copy:
                try:
                    with folder.handle, folder.copy:
                        _copy_attributes(folder.handle, folder.copy)
                except OSError as error:
                    self._note(folder.path, folder.target, error)
            folder = folder.parent

    def _fail(self, folder: _Copied, error: OSError) -> None:
        """A directory could not be read to its end, or its copy not be made."""
        if folder.parent is None and not folder.copy:
            raise error
        self._note(folder.path, folder.target, error)
        self._leave(folder)

    def _note(self, source: Any, target: Any, error: OSError) -> None:
        check_mounted(self._vol, error)
        self.problems.append((source, target, str(error)))


def _copy_attributes(source: Handle, target: Handle) -> None:
    stat = source.stat()
    target.setattr(mode=stat_module.S_IMODE(stat.st_mode), ns=(stat.st_atime_ns, stat.st_mtime_ns))
