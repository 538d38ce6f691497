"""The life of a mount: ``glfs_init`` to ``glfs_fini``, through forks and the interpreter's exit.

``glfs_fini`` takes ten seconds, and nobody need wait for it: once every file is closed and no call
is in flight, all that was written is with the bricks. So an unmount ends there. The C tear-down
follows in the background, and a process that exits does not run it at all.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from . import api
from .descriptor import Descriptor
from .exceptions import LibgfapiException, VolumeNotMounted
from .gate import Gate, exiting, refusal, wait_until

if TYPE_CHECKING:
    from .logs import Place

#: How long an unmount waits for what is in flight, in seconds.
SETTLE_TIMEOUT = 60.0
#: The same when the interpreter exits or a forgotten mount is collected.
EXIT_TIMEOUT = 10.0
#: How long the C tear-down is put off, so that a script that exits right away never starts it.
FINI_DELAY = 1.0

_FRAMES = "/.meta/frames"
# An open that no read has followed yet. Nobody waits for it, and if the file is closed without a
# read, open-behind keeps it for ever.
_HELD_BACK = re.compile(
    rb'\[\s*\{\s*"Number": 1,\s*"Xlator": "[^"]*-open-behind",\s*"Complete": 0\s*\}\s*\]'
)
_PROBE_TIMEOUT = 3.0  # seconds
_DEFAULT_LOGS = "/var/log/glusterfs"
_MISSING = (errno.ENOENT, errno.ENOMEM)  # the latter from GlusterFS 11


class Mount(Gate):
    """A volume's mount: there is one for each Volume, mounted or not.

    :ivar start: configures and initialises a ``glfs`` and returns it, a method of the Volume.
    :ivar descriptors: what is open.
    :ivar cwd: the working directory, if it was changed.
    :ivar is_orphan: whether it was mounted when this process was forked off, and not since.
    :ivar lock: held while it is mounted and unmounted.
    """

    __slots__ = ("cwd", "descriptors", "is_orphan", "lock", "start")

    def __init__(self, start: Callable[[], int]) -> None:
        super().__init__(None)
        self.start = weakref.WeakMethod(start)  # a Volume that is dropped is unmounted at once
        self.descriptors: set[Descriptor] = set()
        self.cwd: Optional[bytes] = None
        self.is_orphan = False
        self.lock = threading.RLock()

    def mount(self) -> None:
        """Mount, if it is not mounted.

        :raises LibgfapiException: if that fails.
        """
        with self.lock:
            if self.is_open:
                return
            start = self.start()
            assert start, "only a Volume mounts"
            pointer = start()
            try:
                if self.cwd is not None:
                    api.glfs_chdir(Gate(pointer), self.cwd)
            except BaseException:
                finish_in_background(pointer)
                raise
            self.is_orphan = False
            self.pointer = pointer
            _live.add(self)
            _settle_at_exit()

    def open(
        self, function: Callable[..., int], path: api.AnyPath, flags: int, *arguments: Any
    ) -> Descriptor:
        """Open a file or directory and register it, in one step that an unmount cannot divide.

        :param function: the C function, which takes a gate and ``arguments``.
        :param flags: what it is opened with, as :data:`os.O_RDWR`.
        """
        calls = self.calls
        try:
            calls.append(None)
            pointer = function(*arguments) if self.pointer else 0
            is_directory = function is api.glfs_opendir
            return Descriptor(self, pointer, os.fspath(path), flags, is_directory)
        finally:
            calls.pop()

    def refuse(self) -> int:
        """After a fork, in the child: mount again. Anywhere else: say that it is unmounted."""
        if not self.is_orphan:
            raise refusal(VolumeNotMounted("Volume not mounted"))
        self.mount()
        return self.pointer

    def forget(self) -> None:
        self.is_orphan = self.is_orphan or self.is_open
        super().forget()
        for descriptor in self.descriptors:
            descriptor.forget()
        self.descriptors = set()
        self.lock = threading.RLock()

    def umount(self, timeout: float = SETTLE_TIMEOUT) -> None:
        """Refuse new calls, let those inside finish, close all, wait until none is in flight.

        :param timeout: when to give up, in seconds.
        :raises LibgfapiException: if a file could not be closed properly, or a call did not end:
            the volume is unmounted all the same. Or if another thread's unmount did not end.
        """
        deadline = time.monotonic() + timeout
        if not self.lock.acquire(timeout=timeout):
            raise LibgfapiException("umount: another thread's does not end", errno.ETIMEDOUT)
        try:
            self._umount(deadline)
        finally:
            self.lock.release()

    def _umount(self, deadline: float) -> None:
        self.is_orphan = False
        pointer = self.shut()
        if pointer is None:
            return
        problems: list[str] = []
        try:
            is_quiet = self._settle(pointer, deadline, problems)
        except BaseException:
            self.pointer = pointer  # interrupted: still mounted, and the next unmount goes on
            raise
        self.cwd = None
        _live.discard(self)
        if is_quiet and not exiting.is_set():
            finish_in_background(pointer)
        if problems:
            raise LibgfapiException("umount: " + "; ".join(problems), errno.EIO)

    def _settle(self, pointer: int, deadline: float, problems: list[str]) -> bool:
        """Bring all to an end; whether nobody uses the glfs any more."""
        is_quiet = self.drain(deadline)
        for descriptor in list(self.descriptors):
            try:
                descriptor.close(deadline)
            except OSError as error:
                if error.errno != errno.EBADF:  # that one is being closed by another thread
                    problems.append(str(error))
        is_quiet = wait_until(lambda: not self.descriptors, deadline) and is_quiet
        if not is_quiet:
            problems.append("a call did not end in time")
        elif not wait_until(lambda: frames_in_flight(pointer) == 0, deadline):
            problems.append(f"{frames_in_flight(pointer)} calls to the bricks are still in flight")
            is_quiet = False
        return is_quiet

    def __del__(self) -> None:
        if self.is_open:
            self.umount(EXIT_TIMEOUT)


def descriptor_at(pointer: int) -> Optional[Descriptor]:
    """The open descriptor of any mount with this glfd."""
    for mount in list(_live):
        for descriptor in list(mount.descriptors):
            if descriptor.peek() == pointer:
                return descriptor
    return None


def frames_in_flight(pointer: int) -> int:
    """How many calls a mount has sent and not yet got back, without the one that asks.

    It is 0 too where the graph cannot tell.
    """
    content, chunk = b"", bytearray(1 << 16)
    memory, size = api.memory(chunk, writable=True)
    try:
        frames = Gate(api.glfs_open(Gate(pointer), _FRAMES, os.O_RDONLY), _FRAMES)
    except OSError:
        return 0
    try:
        while count := api.glfs_read(frames, memory, size, 0):
            content += chunk[:count]
    finally:
        api.glfs_close(frames)
    count = int(content.rpartition(b'"Call_Count":')[2].strip(b" \n}") or b"1") - 1
    return count - len(_HELD_BACK.findall(content))


def finish_in_background(pointer: int) -> None:
    """Tear a glfs down that nobody uses any more."""
    finisher = threading.Thread(target=_finish, args=(pointer,), name="glfs_fini", daemon=True)
    with contextlib.suppress(RuntimeError):  # the interpreter is past starting threads: it exits
        finisher.start()


def _finish(pointer: int) -> None:
    time.sleep(FINI_DELAY)
    if not exiting.is_set():
        with contextlib.suppress(OSError):  # it says how it found the frames, not whether it ended
            api.glfs_fini(Gate(pointer))


# ------------------------------------------------------------------------------ starting


class Server(NamedTuple):
    """Where the volume's description is fetched from.

    :ivar host: an address, or the path of glusterd's socket where ``transport`` is unix.
    """

    transport: str
    host: str
    port: int

    def answers(self) -> bool:
        """Whether anything accepts a connection there."""
        import socket  # only a mount that failed asks

        try:
            if self.transport == "unix":
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(_PROBE_TIMEOUT)
                    client.connect(self.host)
            else:
                socket.create_connection((self.host, self.port), _PROBE_TIMEOUT).close()
        except OSError:
            return False
        return True


def start_glfs(volname: str, servers: Sequence[Server], log_file: Place, log_level: int) -> int:
    """Make, configure and initialise a glfs.

    :raises LibgfapiException: if that fails, with the cause in words.
    """
    try:
        glfs = Gate(api.glfs_new(volname))
    except OSError as error:
        raise LibgfapiException(f"{volname!r} is no volume name", error.errno) from None
    try:
        for server in servers:
            api.glfs_set_volfile_server(glfs, *server)
        set_logging(glfs, log_file, log_level)
        api.glfs_init(glfs)
    except OSError as error:
        finish_in_background(glfs.pointer)
        code, cause = _why_not_mounted(error, servers)
        raise LibgfapiException(f"cannot mount volume {volname!r}: {cause}", code) from None
    except BaseException:
        finish_in_background(glfs.pointer)
        raise
    return glfs.pointer


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


def _why_not_mounted(error: OSError, servers: Sequence[Server]) -> tuple[Optional[int], str]:
    """The error number and the words for what ``glfs_init`` said."""
    where = ", ".join(f"{s.host}:{s.port}" if s.port else s.host for s in servers)
    if error.errno in _MISSING and not api.translators_installed():
        return errno.ENOENT, (
            "GlusterFS's translators are not installed; on Debian and Ubuntu they are in "
            "glusterfs-common, on Fedora and Enterprise Linux in glusterfs-client-xlators"
        )
    if not any(server.answers() for server in servers):
        return error.errno, f"nothing answers on {where}; is glusterd running there?"
    if error.errno in _MISSING:
        return errno.ENOENT, f"glusterd on {where} knows no such volume"
    if error.errno in (errno.EIO, errno.ENOTCONN):
        return error.errno, "it is not started, or none of its bricks can be reached"
    return error.errno, error.strerror or str(error)


# ------------------------------------------------------------------------- exit and fork

_live: weakref.WeakSet[Mount] = weakref.WeakSet()
_exit_hook_of = os.getpid()
#: What is called at the interpreter's exit when all mounts are settled.
after_settling: list[Callable[[], None]] = []


def _settle_all() -> None:
    exiting.set()
    problems: list[str] = []
    for mount in list(_live):
        try:
            mount.umount(EXIT_TIMEOUT)
        except LibgfapiException as error:
            problems.append(str(error))
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
