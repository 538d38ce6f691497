"""walk: a directory and all that is in it, as :func:`os.walk` goes through it.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods. None is recursive, so no tree is too deep for one.
"""

from __future__ import annotations

import contextlib
import os
from functools import partial

from . import api, identity
from .crew import Crew, checked_threads
from .names import MOST_LINKS
from .scan import as_a_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any, AnyStr, Callable, Optional, Union

    from .scan import DirEntry
    from .volume import Volume

    # The directories and the files of one, and the names of those directories that are links.
    Listing = tuple[list[Any], list[Any], set[Any]]
    Walk = Generator[tuple[AnyStr, list[Any], list[Any]], None, None]


def walk(
    vol: Volume,
    top: Union[AnyStr, os.PathLike[AnyStr]],
    topdown: bool = True,
    onerror: Optional[Callable[[OSError], Any]] = None,
    followlinks: bool = False,
    *,
    threads: Optional[int] = None,
) -> Iterator[tuple[AnyStr, list[AnyStr], list[AnyStr]]]:
    """Go through a directory tree, as :func:`os.walk`.

    There are three differences. Symbolic links to directories are among the file names unless
    ``followlinks`` is set. An error is raised if ``onerror`` is None. And directories that are
    to come next may have been read ahead, by other threads; but never before the caller has seen
    the one that they are in and has chosen among them.

    :param top: the directory to begin with (str, bytes or path-like).
    :param topdown: whether a directory comes before those in it. If so, the caller may change
        the list of directory names in place to choose where to go on.
    :param onerror: called with the OSError of a directory that cannot be read.
    :param followlinks: whether to go into directories that symbolic links point to. Where more
        than 40 of them would be on the way, as in a loop, they are among the file names; and
        so are those whose target cannot be told.
    :param threads: how many threads read at most, this one among them (int); 32 by default, and
        1 for none but this one.
    :returns: an iterator of ``(dirpath, dirnames, filenames)``; a generator, whose ``close``
        ends the threads, as does its end.
    :raises OSError: if a directory cannot be read and ``onerror`` is None.
    :raises TypeError: if ``threads`` is no integer.
    :raises ValueError: if it is less than 1.
    """
    crew = Crew(checked_threads(threads))
    begin = _Stop(os.fspath(top), partial(_names, vol), MOST_LINKS if followlinks else 0)
    return _walk(crew, begin, topdown, onerror, lambda name: name)


def walk_with_stat(
    vol: Volume,
    top: Union[AnyStr, os.PathLike[AnyStr]],
    topdown: bool = True,
    onerror: Optional[Callable[[OSError], Any]] = None,
    followlinks: bool = False,
    *,
    threads: Optional[int] = None,
) -> Iterator[tuple[AnyStr, list[tuple[AnyStr, api.Stat]], list[tuple[AnyStr, api.Stat]]]]:
    """Go through a directory tree as :meth:`walk`, with the status of all that is in it.

    It came with the names (``glfs_xreaddirplus_r``) and is not asked for again.

    :param top: the directory to begin with (str, bytes or path-like).
    :param topdown: as in :meth:`walk`; the list to change is one of pairs.
    :param onerror: as in :meth:`walk`.
    :param followlinks: as in :meth:`walk`.
    :param threads: as in :meth:`walk`.
    :returns: an iterator of ``(dirpath, directories, files)``, the last two as lists of pairs of
        name and status, which is as of :meth:`lstat`.
    :raises OSError: if a directory cannot be read and ``onerror`` is None.
    :raises TypeError: if ``threads`` is no integer.
    :raises ValueError: if it is less than 1.
    """
    crew = Crew(checked_threads(threads))
    begin = _Stop(os.fspath(top), partial(_pairs, vol), MOST_LINKS if followlinks else 0)
    return _walk(crew, begin, topdown, onerror, lambda pair: pair[0])


@as_a_whole
def _names(vol: Volume, path: Any, follow: bool) -> Listing:
    directories: list[Any] = []
    files: list[Any] = []
    links: set[Any] = set()
    with vol.scandir(path) as entries:
        for entry in entries:
            (directories if _is_dir(entry, follow, links) else files).append(entry.name)
    return directories, files, links


@as_a_whole
def _pairs(vol: Volume, path: Any, follow: bool) -> Listing:
    directories: list[Any] = []
    files: list[Any] = []
    links: set[Any] = set()
    with vol.scandir(path) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # it is gone by now
                pair = entry.name, entry.stat()
                (directories if _is_dir(entry, follow, links) else files).append(pair)
    return directories, files, links


def _is_dir(entry: DirEntry[Any], follow: bool, links: set[Any]) -> bool:
    """Whether an entry is a directory to go into.

    A link whose target cannot be told is none, as :func:`os.walk` has it: it may lead to itself,
    or go on behind a file.

    :param follow: whether a link to one counts as one.
    :param links: gets its name if it is such a link.
    """
    if not (follow and entry.is_symlink()):
        return entry.is_dir()
    try:
        is_dir = entry.is_dir(follow_symlinks=True)
    except OSError:
        return False
    if is_dir:
        links.add(entry.name)
    return is_dir


class _Stop:
    """A directory that a walk is to come to, read by the first thread that is free.

    :ivar links_left: how many links may be followed from here on. libgfapi would follow those of a
        loop for ever.
    """

    def __init__(self, path: Any, read: Callable[[Any, bool], Listing], links_left: int) -> None:
        self.path = path
        self.links_left = links_left
        self.found: Union[Listing, Exception, None] = None
        self.is_asked_for = False
        self._read = read
        self._reader = [None]  # taken by who reads it

    def next(self, name: Any, is_link: bool) -> _Stop:
        """One that is in it."""
        return _Stop(os.path.join(self.path, name), self._read, self.links_left - is_link)

    def read(self) -> None:
        """Read it, unless another thread does."""
        with contextlib.suppress(IndexError):
            self._reader.pop()
            self.read_now()

    def read_now(self) -> None:
        self.names = identity.names()
        try:
            self.found = self._read(self.path, self.links_left > 0)
        except Exception as error:
            self.found = error

    def listing(self, crew: Crew) -> Listing:
        """What is in it.

        :raises OSError: if it cannot be read.
        """
        if not crew.is_gone:
            self.read()
            crew.work(until=lambda: self.found)
        if not self.found or self.names != identity.names():
            self.read_now()  # its reader was not copied by a fork, or may read what this may not
        assert self.found
        if isinstance(self.found, Exception):
            try:
                raise self.found
            finally:
                self.found = None  # it refers to this frame, and that to it
        return self.found


def _walk(
    crew: Crew,
    begin: _Stop,
    topdown: bool,
    onerror: Optional[Callable[[OSError], Any]],
    name_of: Callable[[Any], AnyStr],
) -> Walk[AnyStr]:
    pending: list[Any] = [begin]  # what comes next is the last
    with crew:
        while pending:
            stop = pending.pop()
            if isinstance(stop, tuple):
                yield stop
                continue
            _read_ahead(pending, crew)
            try:
                directories, files, links = stop.listing(crew)
            except OSError as error:
                if onerror is None:
                    raise
                onerror(error)
                continue
            if topdown:
                yield stop.path, directories, files
            else:
                pending.append((stop.path, directories, files))
            for entry in reversed(directories):
                name = name_of(entry)
                pending.append(stop.next(name, name in links))


def _read_ahead(pending: list[Any], crew: Crew) -> None:
    """Have the directories read that are next."""
    if crew.is_gone:
        return
    for stop in pending[-crew.ahead :] if crew.ahead else ():
        if isinstance(stop, _Stop) and not stop.is_asked_for:
            stop.is_asked_for = True
            crew.add(stop.read)
