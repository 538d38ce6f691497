"""Whole trees removed: :func:`shutil.rmtree`.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
import time
from functools import partial

from . import api
from .crew import Crew, checked_threads
from .paths import parent_of, without_slashes
from .scan import statuses_in
from .tree import Folder, check_mounted, errors_name, path_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, TypeVar

    from .handle import Handle
    from .volume import Volume

    OnError = Callable[[Callable[..., Any], Any, OSError], Any]
    T = TypeVar("T")

_TRIES, _PAUSE = 4, 0.01  # how often what fails with EIO is tried, and seconds in between


def rmtree(
    vol: Volume,
    path: api.AnyPath,
    ignore_errors: bool = False,
    onerror: Optional[OnError] = None,
    *,
    onexc: Optional[OnError] = None,
    threads: Optional[int] = None,
) -> None:
    """Remove a directory and all that is in it, as :func:`shutil.rmtree`.

    What it removes it reaches by the directories themselves and not by their paths
    (``glfs_h_unlink``), so a symbolic link that takes the place of one meanwhile does not lead it
    elsewhere. As in Python 3.13, it is no error if somebody else removes something of it meanwhile,
    but the directory itself.

    :param path: the directory (str, bytes or path-like).
    :param ignore_errors: whether errors are passed over.
    :param onerror: called with the function that failed, the path that it failed on and the
        exception; then the removal goes on, unless it raises one. It is called in this thread,
        before that begins to remove anything else.
    :param onexc: the same, under the name that Python 3.12 has for it.
    :param threads: how many threads remove at most, this one among them (int); 32 by default,
        and 1 for none but this one.
    :raises OSError: if ``path`` is a symbolic link, or something cannot be removed, and none
        of ``ignore_errors``, ``onerror`` and ``onexc`` is given. It is the first error that
        happens, and nothing else is begun after it.
    :raises TypeError: if ``threads`` is no integer.
    :raises ValueError: if it is less than 1.
    """
    top = _Doomed(os.fspath(path), None, b"")
    with Crew(checked_threads(threads)) as crew:
        removal = _Removal(vol, crew, ignore_errors, onerror if onexc is None else onexc)
        try:
            removal.find(top)
        except OSError as error:
            removal.report(vol.scandir, top.path, error)
            return
        if stat_module.S_ISLNK(top.handle._type):  # which came with it
            is_link = OSError(errno.ELOOP, "rmtree does not remove a symbolic link", top.path)
            removal.report(vol.islink, top.path, is_link)
            return
        crew.add(partial(removal.empty, top))
        crew.work()


class _Doomed(Folder):
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
        with errors_name(top.path):
            top.name = os.path.basename(without_slashes(top.path))
            if api.encode(top.name) in (b"", b".", b".."):
                top.handle = self._vol.lookup(top.path)
                return
            top.place = self._vol.lookup(parent_of(top.path) or ".")
            top.handle = top.place.lookup(top.name, follow_symlinks=False)

    def empty(self, folder: _Doomed) -> None:
        """Read a directory and have all in it removed, and then itself."""
        try:
            if folder.parent is not None:
                look_up = partial(folder.parent.handle.lookup, follow_symlinks=False)
                folder.handle = _patiently(look_up, folder.name)
            with _patiently(partial(folder.handle.opendir, readdirplus=True)) as opened:
                for name, stat in statuses_in(opened):
                    self._remove(folder, name, stat)
        except OSError as error:
            folder.is_lost = True
            if folder.parent is None or not _is_gone(error):
                self._fail(self._vol.scandir, folder.path, error, folder)
                return
        self._leave(folder)

    def _remove(self, folder: _Doomed, name: bytes, stat: Optional[api.Stat]) -> None:
        if stat is None:
            try:
                look_up = partial(folder.handle.lookup, follow_symlinks=False)
                stat = _patiently(look_up, name).stat()
            except OSError as error:
                if _is_gone(error):
                    return
                raise
        folder.enter()
        if stat_module.S_ISDIR(stat.st_mode):
            self._crew.add(partial(self.empty, _Doomed(path_in(folder, name), folder, name)))
        else:
            self._crew.offer(partial(self._unlink, folder, name))

    def _unlink(self, folder: _Doomed, name: bytes) -> None:
        try:
            _patiently(folder.handle.unlink, name)
        except OSError as error:
            if not _is_gone(error):
                self._fail(self._vol.unlink, path_in(folder, name), error, folder)
                return
        self._leave(folder)

    def _leave(self, folder: Optional[_Doomed]) -> None:
        """Something in a directory is gone: remove it if that was the last, and so on upwards."""
        while folder is not None and folder.leave():
            parent = folder.parent
            if not folder.is_lost:
                try:
                    with folder.handle:  # until it is gone
                        self._remove_directory(folder)
                except OSError as error:
                    if parent is None or not _is_gone(error):
                        self._fail(self._vol.rmdir, folder.path, error, parent)
                        return
            folder = parent

    def _remove_directory(self, folder: _Doomed) -> None:
        """Remove an empty directory, and nothing else that has taken its place meanwhile.

        glfs_h_unlink removes whatever has the name. Of what is held it knows what it is without
        asking once more, and has the bricks remove a directory: they refuse if it is none by now.
        Only what this mount itself has seen there is taken for what it is, so the top is looked at.
        """
        if folder.parent is not None:
            _patiently(folder.parent.handle.unlink, folder.name)
        elif folder.place is None:
            self._vol.rmdir(folder.path)
        else:
            with folder.place.lookup(folder.name, follow_symlinks=False) as found:
                if found._type != stat_module.S_IFDIR:
                    raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                folder.place.unlink(folder.name)

    def _fail(
        self,
        function: Callable[..., Any],
        path: Any,
        error: OSError,
        folder: Optional[_Doomed],
    ) -> None:
        """Go on after an error of something in a directory, when its caller knows."""
        check_mounted(self._vol, error)
        if error.errno == errno.ESTALE:  # which is for who has handles
            error = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        error.filename = path
        del error.filename2  # None would be printed
        if self._ignore_errors:
            self._leave(folder)
        elif self._onerror is None:
            self._crew.fail(error)
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


def _patiently(function: Callable[..., T], *arguments: Any) -> T:
    """Call it, and again if a dispersed volume says that it fails.

    While somebody else removes the same, its bricks answer differently for a moment, which is EIO.
    """
    for _ in range(_TRIES - 1):
        try:
            return function(*arguments)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            time.sleep(_PAUSE)
    return function(*arguments)


def _is_gone(error: OSError) -> bool:
    """Whether there is nothing to remove any more.

    Somebody else was quicker, in a directory perhaps that is gone with its name (ESTALE); or this
    was: while a volume is rebalanced, a file may be listed twice. If it is there all the same, its
    directory cannot be removed, and that is told.
    """
    return error.errno in (errno.ENOENT, errno.ESTALE)
