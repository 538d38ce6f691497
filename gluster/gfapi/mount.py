"""The life of a mount: ``glfs_init`` to ``glfs_fini``, through forks and the interpreter's exit.

``glfs_fini`` takes ten seconds, and nobody need wait for it: once every file is closed and no call
is in flight, all that was written is with the bricks. So an unmount ends there. The C tear-down
follows in the background, and a process that exits does not run it at all. Each mount gets a
``glfs`` of its own: what the caches of an earlier one know may be out of date.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import sys
import threading
import time
import weakref

from . import api
from .descriptor import Descriptor
from .ending import Ending, end_in_background, is_ending, wait_for, wait_for_room
from .exceptions import LibgfapiException, VolumeNotMounted
from .gate import Gate, exiting, is_inside, refusal, wait_until
from .inflight import frames_in_flight, frames_told, paths_told, threads_told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Callable, Optional, TypeVar, Union

    from .callbacks import Upcalls
    from .logs import Place
    from .objects import HeldObject

    D = TypeVar("D", Descriptor, HeldObject)
    T = TypeVar("T")

#: How long an unmount waits for what is in flight, in seconds.
SETTLE_TIMEOUT = 60.0
#: The same when the interpreter exits or a forgotten mount is collected.
EXIT_TIMEOUT = 10.0

_NOT_MOUNTED = "Volume not mounted: call mount() or use it in a with statement"
_INSIDE = "umount: this thread is inside a call of it"
_DEFAULT_LOGS = "/var/log/glusterfs"


class Mount(Gate):
    """A volume's mount: there is one for each Volume, mounted or not.

    :ivar start: configures and initialises a ``glfs`` and returns it, a method of the Volume.
    :ivar descriptors: what is open.
    :ivar objects: what handles hold.
    :ivar cwd: the working directory, if it was changed, and ``cwd_inode`` its inode number.
    :ivar is_orphan: whether it was mounted when this process was forked off, and not since.
    :ivar lock: held while it is mounted and unmounted.
    :ivar upcalls: what hears of other clients' changes, if anybody listens.
    :ivar is_polled: whether libgfapi keeps them, because somebody has polled.
    :ivar endings: the tear-downs that its unmounts have begun.
    :ivar abandoned: what an unmount could not close in time. It stays open, on a glfs that is never
        freed, so that it can be closed when a brick is there again.
    :ivar graph: the number of the graph that it had when somebody last looked, 0 if nobody could
        tell, or None if nobody has looked.
    :ivar replicas: the name of a graph, and those of its translators that keep copies.
    """

    __slots__ = (
        "abandoned",
        "cwd",
        "cwd_inode",
        "descriptors",
        "endings",
        "graph",
        "is_orphan",
        "is_polled",
        "lock",
        "objects",
        "replicas",
        "start",
        "upcalls",
    )

    def __init__(self, start: Callable[[Mount], None]) -> None:
        super().__init__(None)
        self.start = weakref.WeakMethod(start)  # a Volume that is dropped is unmounted at once
        self.descriptors: set[Descriptor] = set()
        self.objects: set[HeldObject] = set()
        self.cwd: Optional[bytes] = None
        self.cwd_inode = 0
        self.is_orphan = False
        self.lock = threading.RLock()
        self.upcalls: Optional[Upcalls] = None
        self.is_polled = False
        self.endings: list[Ending] = []
        self.abandoned: weakref.WeakSet[Any] = weakref.WeakSet()
        self.graph: Optional[int] = None
        self.replicas: Optional[tuple[bytes, list[str]]] = None

    @property
    def volume(self) -> Any:
        """The Volume whose mount this is, or None if it is gone."""
        return getattr(self.start(), "__self__", None)

    def mount(self) -> None:
        """Mount, if it is not mounted.

        :raises LibgfapiException: if that fails.
        """
        if not self.is_open:
            wait_for_room()
        with self.lock:
            if self.is_open:
                return
            start = self.start()
            assert start, "only a Volume mounts"
            _live.add(self)  # before an interrupt can leave it mounted
            _settle_at_exit()
            start(self)

    def take(self, pointer: int) -> None:
        """Have calls go to a glfs from now on.

        :raises LibgfapiException: if the working directory is not there any more.
        """
        if self.cwd is not None:
            self._go_back_to(self.cwd, Gate(pointer))
        self.graph = self.replicas = None
        self.is_orphan = False
        self.address = pointer

    def _go_back_to(self, cwd: bytes, glfs: Gate) -> None:
        """Enter the working directory that this had when its process was forked off.

        Where it is gone, or another one has its name, relative paths would lead elsewhere.
        """
        stat, reason = api.Stat(), "another directory has its name"
        try:
            api.glfs_chdir(glfs, cwd)
            api.glfs_stat(glfs, ".", stat)
        except OSError as error:
            reason = error.strerror or str(error)
        if stat.st_ino != self.cwd_inode:
            name = os.fsdecode(cwd)
            raise LibgfapiException(
                f"cannot mount with the working directory {name!r}, which umount() forgets: "
                f"{reason}",
                errno.ENOENT,
            )

    def open(
        self,
        function: Callable[..., int],
        path: api.AnyPath,
        flags: int,
        *arguments: Any,
        make: Callable[[Descriptor], T],
        kind: type[Descriptor] = Descriptor,
    ) -> T:
        """Open a file or directory, as :meth:`obtain`.

        :param flags: what it is opened with, as :data:`os.O_RDWR`.
        :param make: see there.
        :param kind: what it is registered as.
        """
        return self.obtain(function, arguments, lambda p: kind(self, p, path, flags), make)

    def obtain(
        self,
        function: Callable[..., int],
        arguments: Sequence[Any],
        register: Callable[[int], D],
        make: Callable[[D], T],
    ) -> T:
        """Have C open or find something and register it, in one step that an unmount cannot divide,
        nor an interrupt.

        :param function: the C function, which takes ``arguments`` and a list for its result.
        :param register: makes of that what this mount has open.
        :param make: makes of it what the caller gets, which closes it when it is collected. If that
            raises, it is closed.
        """
        calls = self.calls
        kept: list[Optional[int]] = []
        thing: Optional[D] = None
        try:
            calls.append(None)
            if self.address is None:
                self.refuse()
            try:
                thing = register(function(*arguments, kept))
                return make(thing)
            except BaseException:
                if kept and kept[0]:
                    self._close_again(kept[0], thing, register)
                raise
        finally:
            calls.pop()

    def _close_again(self, pointer: int, thing: Optional[D], register: Callable[[int], D]) -> None:
        """Close what its caller will never get."""
        known = [thing] if thing else [each for each in self._opened() if each.peek() == pointer]
        with contextlib.suppress(OSError):
            (known[0] if known else register(pointer)).close()

    def refuse(self) -> int:
        """After a fork, in the child: mount again. Anywhere else: say that it is unmounted."""
        if not self.is_orphan:
            raise refusal(VolumeNotMounted(_NOT_MOUNTED))
        self.mount()
        return self.pointer

    def forget(self) -> None:
        self.is_orphan = self.is_orphan or self.is_open
        for opened in [*self._opened(), *self.abandoned]:
            opened.forget()
        self._let_go()
        self.lock = threading.RLock()
        self.upcalls = None
        self.is_polled = False

    def umount(
        self, timeout: float = SETTLE_TIMEOUT, wait: bool = False, is_last: bool = False
    ) -> None:
        """Refuse new calls, let those inside finish, close all, wait until none is in flight.

        :param timeout: when to give up, in seconds.
        :param wait: whether to wait for the tear-down too, also for one that has begun earlier.
        :param is_last: whether nobody will try again.
        :raises LibgfapiException: if a file could not be closed properly, or a call did not end:
            the volume is unmounted all the same. If another thread's unmount did not end. Or if
            the calling thread is inside a call: it is still mounted then.
        """
        if not is_last and is_inside((self, *self._opened())):
            raise LibgfapiException(_INSIDE, errno.EDEADLK)
        timeout = min(timeout, threading.TIMEOUT_MAX)
        deadline = time.monotonic() + timeout
        problems = self._close_wrappers(deadline, is_last)
        endings: list[Ending] = []
        is_locked: list[bool] = []
        try:
            # In C, so that no interrupt comes when it is locked and nobody knows.
            is_locked.extend(map(self.lock.acquire, (True,), (timeout,)))
            if not is_locked[0]:
                raise LibgfapiException("umount: another thread's does not end", errno.ETIMEDOUT)
            try:
                self._umount(deadline, problems)
            finally:
                endings = [ending for ending in self.endings if not ending.is_over]
                self.endings = endings
        finally:
            if is_locked and is_locked[0]:
                self.lock.release()
        if wait:
            wait_for(endings)

    def _close_wrappers(self, deadline: float, is_last: bool) -> list[str]:
        """Close what is around open files, as long as these can be written; what went wrong."""
        if not (self.is_open and any(each.is_writable for each in list(self.descriptors))):
            return []
        from .wrappers import close_around  # few leave a file open

        try:
            # One that hangs is to leave some time for the other files.
            return close_around(list(self.descriptors), (time.monotonic() + deadline) / 2)
        except OSError as error:
            if not is_last:
                raise LibgfapiException(_INSIDE, error.errno) from None
            return [str(error)]

    def _umount(self, deadline: float, problems: list[str]) -> None:
        self.is_orphan = False
        pointer = self.shut()
        if pointer is None:
            self.cwd = None  # which a child of a fork has from its parent
            return
        try:
            is_quiet = self._settle(pointer, deadline, problems)
            upcalls = self.upcalls
            if upcalls:
                upcalls.end()
                self.upcalls = None
            if self.is_polled:
                _drop_upcalls(pointer)
                self.is_polled = False
            if is_quiet and not exiting.is_set():
                afterwards = upcalls.forget if upcalls else None
                self.endings.append(end_in_background(pointer, afterwards))
        except BaseException:
            if is_ending(pointer):
                self._ended()
            else:
                self.pointer = pointer  # interrupted: still mounted, and the next unmount goes on
            raise
        self._ended()
        if problems:
            code = errno.EIO if is_quiet else errno.ETIMEDOUT
            raise LibgfapiException("umount: " + "; ".join(problems), code)

    def _ended(self) -> None:
        self.cwd = None
        if not self.abandoned:  # which a fork still has to hear of
            _live.discard(self)

    def _settle(self, pointer: int, deadline: float, problems: list[str]) -> bool:
        """Bring all to an end; whether nobody uses the glfs any more."""
        self.drain(deadline)
        _close_all(self._opened(), deadline, problems)
        if not wait_until(lambda: not self.calls and not self._opened(), deadline):
            problems += self._told()
            self.abandoned.update(self._opened())
            self._let_go()
            return False
        if not wait_until(lambda: frames_in_flight(pointer) == 0, deadline):
            problems.append(frames_told(pointer))
            return False
        return True

    def _told(self) -> Iterator[str]:
        """What has not come to an end, in words."""
        opened = self._opened()
        inside = [gate for gate in (self, *opened) if gate.calls]
        if inside:
            yield f"a call did not end in time: {threads_told(inside)}"
        if opened:
            yield f"{len(opened)} still to be closed: {paths_told(thing.path for thing in opened)}"

    def _let_go(self) -> None:
        """Have nothing to do any more with the glfs, the calls inside it and what is open."""
        super().forget()
        self.descriptors = set()
        self.objects = set()

    def _opened(self) -> list[Union[Descriptor, HeldObject]]:
        """What is to be closed before the glfs is torn down."""
        return [*self.descriptors, *self.objects]

    def __del__(self) -> None:
        if self.is_open and not sys.is_finalizing():  # when no thread can be started any more
            self.umount(EXIT_TIMEOUT, is_last=True)


def descriptor_at(pointer: int) -> Optional[Descriptor]:
    """The open descriptor of any mount with this glfd."""
    for mount in list(_live):
        for descriptor in list(mount.descriptors):
            if descriptor.peek() == pointer:
                return descriptor
    return None


def _close_all(
    opened: list[Union[Descriptor, HeldObject]], deadline: float, problems: list[str]
) -> None:
    """Close what is open, in a thread of its own: in C, a close may wait for a dead brick.

    What somebody is still inside of is closed last, and holds up nothing else.
    """

    def close() -> None:
        for thing in sorted(opened, key=lambda thing: len(thing.calls)):
            try:
                thing.close(deadline)
            except SystemExit:  # the EBADF of a thread when the interpreter exits
                pass
            except OSError as error:  # what is open yet is told of later
                if not thing.is_open and (error.errno != errno.EBADF or thing.has_failed):
                    problems.append(str(error))

    if not opened:
        return
    closer = threading.Thread(target=close, name="gfapi-close", daemon=True)
    try:
        closer.start()
    except RuntimeError:  # the interpreter is past starting threads: it exits
        close()
    else:
        closer.join(max(0.0, deadline - time.monotonic()))


def _drop_upcalls(pointer: int) -> None:
    """Take out what was kept for who polls: ``glfs_fini`` frees it after what it belongs to."""
    from . import callbacks  # few poll

    callbacks.drop_kept(Gate(pointer))


# ------------------------------------------------------------------------------ logging


def set_logging(glfs: Gate, log_file: Place, log_level: int) -> None:
    """Send a glfs' log to a file, or to a logger.

    :raises LibgfapiException: if the file cannot be written.
    """
    if not isinstance(log_file, (str, type(None))):
        from .logs import log_to  # logging costs more to import than this package

        return log_to(glfs, log_file, log_level)
    try:
        api.glfs_set_logging(glfs, log_file, log_level)
    except OSError as error:
        place = log_file or _DEFAULT_LOGS
        reason = _why_not_written(log_file) or error  # libgfapi leaves the errno of another call
        raise LibgfapiException(f"cannot log to {place}: {reason.strerror}", reason.errno) from None


def _why_not_written(file: Optional[str]) -> Optional[OSError]:
    if file is None:
        code = errno.EACCES if os.path.isdir(_DEFAULT_LOGS) else errno.ENOENT
        return OSError(code, os.strerror(code))
    try:
        with open(file, "ab"):
            return None
    except OSError as error:
        return error


# ------------------------------------------------------------------------- exit and fork

_live: weakref.WeakSet[Mount] = weakref.WeakSet()
_exit_hook_of = os.getpid()
#: What is called at the interpreter's exit when all mounts are settled.
after_settling: list[Callable[[], None]] = []


def _settle_all() -> None:
    exiting.set()
    problems: list[str] = []
    mounts = list(_live)
    while mounts:
        try:
            mounts[-1].umount(EXIT_TIMEOUT, is_last=True)
        except LibgfapiException as error:
            problems.append(str(error))
        except SystemExit:  # a signal's handler wants what is about to happen
            continue
        mounts.pop()
    for finish in after_settling:
        finish()
    if problems:
        raise LibgfapiException("; ".join(problems), errno.EIO)


def _settle_at_exit() -> None:
    """Have the mounts of this process settled when it ends.

    :mod:`multiprocessing` drops the exit hooks that its children inherit, and in some versions
    calls none but its own.
    """
    global _exit_hook_of
    if _exit_hook_of == os.getpid():
        return
    _exit_hook_of = os.getpid()
    atexit.register(_settle_all)
    multiprocessing_util: Any = sys.modules.get("multiprocessing.util")
    if multiprocessing_util:
        multiprocessing_util.Finalize(None, _settle_all, exitpriority=-100)


def _forget_all() -> None:
    for mount in list(_live):
        mount.forget()


atexit.register(_settle_all)
os.register_at_fork(after_in_child=_forget_all)
