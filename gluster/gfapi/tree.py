"""Whole trees: what :mod:`shutil` does to a directory and all that is in it.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods. None is recursive, so no tree is too deep for one. Their work is cut into jobs for a
:class:`~gluster.gfapi.crew.Crew`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
from collections.abc import Iterator
from functools import partial

from . import api
from .copies import copy_entry, inside, open_target, refuse_special
from .crew import Crew, checked_threads
from .exceptions import Error
from .paths import parent_of, without_slashes
from .scan import DirEntry, entries_in, statuses_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, AnyStr, Callable, Optional, Union

    from .handle import Handle
    from .volume import Volume

    OnError = Callable[[Callable[..., Any], Any, OSError], Any]
    Ignore = Callable[[Any, list[Any]], Iterable[Any]]
    CopyFunction = Callable[[Any, Any], Any]

# What a directory is made with, until it gets the mode of its original: nobody else is to look
# into it.
_PRIVATE = 0o700


class _Folder:
    """A directory that is ready when all in it is.

    :ivar path: what errors name.
    :ivar parent: the one that it is in, or None for the top.
    :ivar name: its name there.
    """

    def __init__(self, path: Any, parent: Any, name: Any) -> None:
        self.path = path
        self.parent: Any = parent
        self.name = name
        # One for each thing in it that is not ready, and one for the reading of it. Who takes
        # the lowest was the last: two threads cannot both be.
        self._left = [True]

    def enter(self) -> None:
        """There is one more thing in it to be waited for."""
        self._left.append(False)

    def leave(self) -> bool:
        """One thing is ready, or the reading; whether the directory is now."""
        return self._left.pop()


def rmtree(
    vol: Volume,
    path: api.AnyPath,
    ignore_errors: bool = False,
    onerror: Optional[OnError] = None,
    *,
    threads: Optional[int] = None,
) -> None:
    """Remove a directory and all that is in it, as :func:`shutil.rmtree`.

    What it removes it reaches by the directories themselves and not by their paths
    (``glfs_h_unlink``), so a symbolic link that takes the place of one meanwhile does not lead it
    elsewhere.

    :param path: the directory (str, bytes or path-like).
    :param ignore_errors: whether errors are passed over.
    :param onerror: called with the function that failed, the path that it failed on and the
        exception; then the removal goes on. It is called in this thread.
    :param threads: how many threads remove at most, this one among them (int); 32 by default,
        and 1 for none but this one.
    :raises OSError: if ``path`` is a symbolic link, or something cannot be removed, and both
        ``ignore_errors`` is false and ``onerror`` is None. Of several errors it is the first that
        happens.
    :raises TypeError: if ``threads`` is no integer.
    :raises ValueError: if it is less than 1.
    """
    top = _Doomed(os.fspath(path), None, b"")
    with Crew(checked_threads(threads)) as crew:
        removal = _Removal(vol, crew, ignore_errors, onerror)
        try:
            removal.find(top)
        except OSError as error:
            removal.report(vol.scandir, top.path, error)
            return
        if stat_module.S_ISLNK(top.handle._type):  # which came with it
            is_link = OSError(errno.ELOOP, "rmtree does not remove a symbolic link", top.path)
            removal.report(vol.islink, top.path, is_link)
            return
        removal.empty(top)
        crew.work()


class _Doomed(_Folder):
    """A directory to be removed.

    :ivar handle: itself.
    :ivar is_lost: whether it could not be read, and so cannot be removed.
    :ivar place: of the top, the directory that it is in; None if its path does not end with its
        name.
    """

    handle: Handle
    is_lost = False
    place: Optional[Handle] = None


class _Removal:
    """One call of rmtree."""

    def __init__(
        self, vol: Volume, crew: Crew, ignore_errors: bool, onerror: Optional[OnError]
    ) -> None:
        self._vol = vol
        self._crew = crew
        self._ignore_errors = ignore_errors
        self._onerror = onerror

    def report(self, function: Callable[..., Any], path: Any, error: OSError) -> None:
        """Raise an error, pass it over or tell the caller of it: in the calling thread."""
        if self._ignore_errors:
            return
        if self._onerror is None:
            raise error
        self._onerror(function, path, error)

    def find(self, top: _Doomed) -> None:
        """Look up the directory to begin with, and the one that it is removed from."""
        with _errors_name(top.path):
            top.name = os.path.basename(without_slashes(top.path))
            if os.fsencode(top.name) in (b"", b".", b".."):
                top.handle = self._vol.lookup(top.path)
                return
            top.place = self._vol.lookup(parent_of(top.path) or ".")
            top.handle = top.place.lookup(top.name, follow_symlinks=False)

    def empty(self, folder: _Doomed) -> None:
        """Read a directory and have all in it removed, and then itself."""
        try:
            if folder.parent is not None:
                found = folder.parent.handle.lookup(folder.name, follow_symlinks=False)
                folder.handle = found
            with folder.handle.opendir(readdirplus=True) as opened:
                for name, stat in statuses_in(opened):
                    self._remove(folder, name, stat)
        except OSError as error:
            folder.is_lost = True
            self._fail(self._vol.scandir, folder.path, error, folder)
        else:
            self._leave(folder)

    def _remove(self, folder: _Doomed, name: bytes, stat: Optional[api.Stat]) -> None:
        if stat is None:
            try:
                stat = folder.handle.lookup(name, follow_symlinks=False).stat()
            except FileNotFoundError:  # it is gone by now
                return
        folder.enter()
        if stat_module.S_ISDIR(stat.st_mode):
            self._crew.add(partial(self.empty, _Doomed(_path(folder, name), folder, name)))
        else:
            self._crew.offer(partial(self._unlink, folder, name))

    def _unlink(self, folder: _Doomed, name: bytes) -> None:
        try:
            folder.handle.unlink(name)
        except OSError as error:
            self._fail(self._vol.unlink, _path(folder, name), error, folder)
        else:
            self._leave(folder)

    def _leave(self, folder: Optional[_Doomed]) -> None:
        """Something in a directory is gone: remove it if that was the last, and so on upwards."""
        while folder is not None and folder.leave():
            parent = folder.parent
            if not folder.is_lost:
                try:
                    folder.handle.close()
                    if parent is not None:
                        parent.handle.unlink(folder.name)
                    elif folder.place is not None:
                        folder.place.unlink(folder.name)
                    else:
                        self._vol.rmdir(folder.path)
                except OSError as error:
                    self._fail(self._vol.rmdir, folder.path, error, parent)
                    return
            folder = parent

    def _fail(
        self,
        function: Callable[..., Any],
        path: Any,
        error: OSError,
        folder: Optional[_Doomed],
    ) -> None:
        """Go on after an error of something in a directory, when its caller knows."""
        _check_mounted(self._vol, error)
        error.filename, error.filename2 = path, None
        if self._ignore_errors:
            self._leave(folder)
        else:
            self._crew.tell(partial(self._go_on, function, path, error, folder))

    def _go_on(
        self,
        function: Callable[..., Any],
        path: Any,
        error: OSError,
        folder: Optional[_Doomed],
    ) -> None:
        self.report(function, path, error)
        self._leave(folder)


def _path(folder: _Folder, name: bytes) -> Any:
    as_given: Any = os.fsdecode if isinstance(folder.path, str) else bytes
    return os.path.join(folder.path, as_given(name))


def _check_mounted(vol: Volume, error: OSError) -> None:
    """Of what an unmount has closed, the error is EBADF, which the caller has nothing to do with.

    :raises VolumeNotMounted: if that is it.
    """
    if error.errno == errno.EBADF:
        vol._mount.pointer  # noqa: B018 - raises it


def copytree(
    vol: Volume,
    src: Union[AnyStr, os.PathLike[AnyStr]],
    dst: Union[AnyStr, os.PathLike[AnyStr]],
    symlinks: bool = False,
    ignore: Optional[Ignore] = None,
    *,
    copy_function: Optional[CopyFunction] = None,
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
    :param dst: the directory to make; it must not exist.
    :param symlinks: whether a symbolic link is copied as one; if not, what it points to is.
    :param ignore: called for each directory with its path and the list of its names; returns
        the names that are left out. :func:`shutil.ignore_patterns` makes such functions. It is
        called in this thread.
    :param copy_function: called for each file with its path and that of the copy, instead of
        :meth:`Volume.copy2`. It is called in this thread, unless ``threads`` is given: then it
        must stand being called in several at a time.
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
        copying = _Copying(vol, crew, symlinks, ignore, copy_function)
        copying.begin(top)
        crew.work()
    if copying.problems:
        raise Error(sorted(copying.problems))
    return dst


class _Copied(_Folder):
    """A directory to be copied.

    :ivar path: the directory itself.
    :ivar target: the path of its copy, which errors name too.
    :ivar is_link: whether the path is that of a symbolic link to it.
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
    ) -> None:
        self._vol = vol
        self._crew = crew
        self._symlinks = symlinks
        self._ignore = ignore
        self._copy_function = copy_function
        self._made: Optional[int] = None  # the inode number of the topmost copy
        self.problems: list[tuple[Any, Any, str]] = []

    def begin(self, folder: _Copied) -> None:
        """Read a directory, have all in it copied, and then give its copy its attributes."""
        try:
            with _errors_name(folder.path):
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
            folder.copy = self._make_top(folder.target)
            self._made = folder.copy.stat().st_ino
        else:
            with _errors_name(folder.target):
                folder.copy = folder.parent.copy.mkdir(folder.name, _PRIVATE)
        for entry in entries:
            place = os.path.join(folder.target, entry.name)
            try:
                self._copy(folder, entry, place)
            except OSError as error:
                self._note(entry.path, place, error)
        self._leave(folder)

    def _make_top(self, target: Any) -> Handle:
        parent = parent_of(target)
        if parent:
            self._vol.makedirs(parent, exist_ok=True)
        name = os.path.basename(without_slashes(target))
        with _errors_name(target):
            return self._vol.lookup(parent or ".").mkdir(name, _PRIVATE)

    def _copy(self, folder: _Copied, entry: DirEntry[Any], place: Any) -> None:
        if entry._lstat is None:  # asked once, so that the answer does not change
            found = folder.handle.lookup(entry.name, follow_symlinks=False)
            entry._lstat = found.stat()
        if self._symlinks and entry.is_symlink():
            job: Any = partial(self._copy_link, folder, entry, place)
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
        if self._copy_function is not None:
            self._copy_function(entry.path, place)
            return
        with _errors_name(entry.path):
            if entry.is_symlink():
                opened, stat = open_target(self._vol, entry.path)
            else:
                stat = entry.stat()
                refuse_special(entry.path, stat)
                with folder.handle.lookup(entry.name, follow_symlinks=False) as source:
                    if source._type != stat_module.S_IFREG:  # since the directory was read
                        raise OSError(errno.ELOOP, "not a regular file any more", entry.path)
                    opened = source._opened(os.O_RDONLY)
        with _errors_name(place):
            assert folder.copy
            copy_entry(self._vol, opened, stat, folder.copy, entry.name)

    def _copy_link(self, folder: _Copied, entry: DirEntry[Any], place: Any) -> None:
        stat = entry.stat()
        with (
            _errors_name(entry.path),
            folder.handle.lookup(entry.name, follow_symlinks=False) as source,
        ):
            target = source.readlink()
        with _errors_name(place):
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
        _check_mounted(self._vol, error)
        self.problems.append((source, target, str(error)))


def _copy_attributes(source: Handle, target: Handle) -> None:
    stat = source.stat()
    target.setattr(mode=stat_module.S_IMODE(stat.st_mode), ns=(stat.st_atime_ns, stat.st_mtime_ns))


@contextlib.contextmanager
def _errors_name(path: Any) -> Iterator[None]:
    """Have errors of calls below a directory name the whole path, as the caller knows it."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:  # not one of our own, which has words only
            error.filename, error.filename2 = path, None
        raise


def move(
    vol: Volume, src: api.AnyPath, dst: api.AnyPath, copy_function: Optional[CopyFunction] = None
) -> Any:
    """Move a file or directory, as :func:`shutil.move` (``mv src dst``).

    It is renamed. Only where GlusterFS says that this cannot be done (EXDEV), it is copied and
    then removed.

    :param src: the file or directory (str, bytes or path-like).
    :param dst: its new path, or a directory to move it into.
    :param copy_function: called for each file that has to be copied with its path and that of
        the copy, instead of :meth:`Volume.copy2`.
    :returns: the new path.
    :raises Error: if the directory ``dst`` has something of that name, or ``dst`` is in ``src``.
    :raises OSError: on failure.
    """
    real_dst: Any = os.fspath(dst)
    if vol.isdir(dst) and not (vol.exists(src) and vol.samefile(src, dst)):
        real_dst = inside(vol, src, dst)
        if vol.lexists(real_dst):
            raise Error(f"{real_dst!r} exists")
    if _is_within(vol, src, real_dst):
        raise Error(f"cannot move the directory {src!r} into itself, {real_dst!r}")
    try:
        vol.rename(src, real_dst)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_by_copy(vol, src, real_dst, copy_function)
    return real_dst


def _is_within(vol: Volume, src: Any, dst: Any) -> bool:
    """Whether a path is one below a directory."""
    if vol.islink(src) or not vol.isdir(src):
        return False
    parent = parent_of(os.fsencode(dst)) or b"."
    try:
        place, source = vol.realpath(parent), vol.realpath(os.fsencode(src))
    except FileNotFoundError:
        return False
    return f"{os.fsdecode(place)}/".startswith(f"{os.fsdecode(source)}/")


def _move_by_copy(vol: Volume, src: Any, dst: Any, copy_function: Optional[CopyFunction]) -> None:
    if vol.islink(src):
        vol.symlink(vol.readlink(src), dst)
        vol.unlink(src)
    elif vol.isdir(src):
        copytree(vol, src, dst, symlinks=True, copy_function=copy_function)
        vol.rmtree(src)
    else:
        (copy_function or vol.copy2)(src, dst)
        vol.unlink(src)
