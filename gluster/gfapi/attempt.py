"""One attempt to start a ``glfs``: it succeeds, fails, or never ends."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time

from . import api, forks
from .ending import end_in_background
from .exceptions import LibgfapiException
from .gate import Gate, Token, wait_until
from .mount import set_logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Optional

    from .servers import Server
    from .start import Configuration

#: How long an initialisation may take, in seconds. The kernel gives a dead host up after 130.
INIT_TIMEOUT = 180.0
_END_TIMEOUT = 1.0  # seconds
#: How many descriptors a mount takes at least. libgfapi ends the process if it gets less than some.
_DESCRIPTORS = 8
#: How long a child of a fork may take to begin, and how much of that asleep, in seconds.
_NEW_TIMEOUT, _NEW_SLEEP = 30.0, 2.0
_FORKED_BADLY = (
    "this process was forked at a bad moment: another thread held a lock of the C library, which "
    "nobody gives back here; fork again"
)
#: Where a brick that gets full takes a part of a write, write-behind goes on to gather small writes
#: in the buffer that the part was at the beginning of, and forgets that it was: what is more than
#: fits destroys the memory behind it. Buffers of up to 128 KiB, as by default, are just as long as
#: that; for one byte more than 256 KiB it gets 1 MiB, where what it overlooks has room.
_AGGREGATE_SIZE = ("*-write-behind", "aggregate-size", str((1 << 18) + 1))
#: libgfapi does not look directories up again, as the kernel does. After a rebalance it goes on
#: asking the brick that a file was to be on before, and without this takes its word that there is
#: none.
_LOOKUP = ("*-dht", "lookup-optimize", "off")
#: The tear-down frees what threads for events use, and waits for the end of the first of them
#: alone: with a second one it may crash the process.
_EVENT_THREADS = ("*-client-[0-9]*", "event-threads", "1")
#: The threads of a graph that is not in use any more outlive the tear-down. Those that get nothing
#: to do end two minutes later, and look at what it has freed as they do; now they end before it.
_IDLE_TIME = ("*-io-threads", "idle-time", "1")
#: A thread of such a graph that writes statistics (``diagnostics.stats-dump-interval``) never ends,
#: and looks at what was freed each time; so there is none. Its translator is named as the volume.
_NO_STATISTICS = ("ios-dump-interval", "0")


class Attempt(threading.Thread):
    """A glfs, configured, and a thread that initialises it.

    ``glfs_init`` waits for ever where bricks refuse this client, for instance. In a thread of its
    own, an interrupt ends the waiting too.

    :ivar deadline: until when it may initialise, as :func:`time.monotonic` has it.
    :raises LibgfapiException: if that is no name of a volume.
    :raises OSError: if something else is refused.
    """

    def __init__(self, configuration: Configuration, servers: Sequence[Server]) -> None:
        super().__init__(name="glfs_init", daemon=True)
        self.deadline = time.monotonic() + INIT_TIMEOUT
        self._error: Optional[BaseException] = None
        # Not is_alive(): an interrupt of a join() makes that False before its time.
        self._over = threading.Event()
        # Who takes it first, the thread at its end or who drops it, leaves the rest to the other.
        self._end_token = Token()
        self._begin_token = Token()  # taken by the thread, or by who drops it before
        volname, _, volfile, options, log_file, log_level = configuration
        _check_descriptors()
        try:
            self.glfs = Gate(_new_glfs(volname))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise LibgfapiException(f"{volname!r} is no volume name", error.errno) from None
        try:
            if volfile is not None:
                api.glfs_set_volfile(self.glfs, volfile)
            for server in servers:
                api.glfs_set_volfile_server(self.glfs, *server)
            # Of two that fit, the one that was set first is taken.
            own = (_AGGREGATE_SIZE, _LOOKUP, _EVENT_THREADS, _IDLE_TIME, (volname, *_NO_STATISTICS))
            for option in (*options, *own):
                api.glfs_set_xlator_option(self.glfs, *option)
            set_logging(self.glfs, log_file, log_level)
        except BaseException:
            self._end()
            raise

    def begin(self) -> None:
        """Have it initialised. Who calls this drops it afterwards, also after an interrupt."""
        try:
            self.start()
        except RuntimeError:  # the interpreter is past starting threads: it exits
            self.run()

    def run(self) -> None:
        if not self._begin_token.take():
            return
        try:
            api.glfs_init(self.glfs)
        except BaseException as error:
            self._error = error
        self._over.set()
        if not self._end_token.take():
            self._end()

    def wait(self, end: float) -> bool:
        """Wait for the end of its initialisation, and tell whether that has come.

        :param end: the :func:`time.monotonic` time at which to give up.
        """
        return self._over.wait(max(0.0, end - time.monotonic()))

    def finish(self) -> None:
        """Raise what its initialisation, which is over, has raised."""
        # join() returns when Python is done with it; in C it still gives memory back, under locks
        # that a fork at this moment would leave locked in the child.
        task = f"/proc/self/task/{self.native_id}"
        wait_until(lambda: not os.path.exists(task), time.monotonic() + _END_TIMEOUT)
        if self._error:
            raise self._error

    def drop(self) -> None:
        """Tear the glfs down as soon as its initialisation is over, which it is in the end."""
        if self._begin_token.take() or not self._end_token.take():
            self._end()
            return
        with contextlib.suppress(RuntimeError):  # the interpreter is past starting threads
            threading.Thread(target=self._end_init, name="gfapi-drop", daemon=True).start()

    def _end_init(self) -> None:
        if not self.wait(self.deadline):
            api.end_init(self.glfs.pointer)

    def _end(self) -> None:
        api.end_init(self.glfs.pointer)
        end_in_background(self.glfs.pointer)


def _check_descriptors() -> None:
    """See that this process may have as many more as a mount takes.

    :raises OSError: EMFILE or ENFILE if not.
    """
    taken: list[int] = []
    try:
        while len(taken) < _DESCRIPTORS:
            taken.extend(os.pipe())
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _new_glfs(volname: str) -> int:
    """A glfs, in a thread of its own where that may take for ever.

    It sets the locale. If a thread of libgfapi looked up the words of an error when its process was
    forked, which each translator does that hands an error on, the fork has left the lock of that to
    nobody here. A lock of ``getaddrinfo`` is left likewise by a thread that tells glusterd that a
    brick has come or gone, and then all stops as soon as one comes here.
    """
    found: list[Any] = []

    def make() -> None:
        if forks.is_child:
            _look_up_nothing()
        try:
            found.append(api.glfs_new(volname))
        except OSError as error:
            found.append(error)

    if not forks.is_child:
        make()
    else:
        thread = threading.Thread(target=make, name="glfs_new", daemon=True)
        thread.start()
        deadline, earlier = time.monotonic() + _NEW_TIMEOUT, ""
        while thread.is_alive() and time.monotonic() < deadline:
            thread.join(_NEW_SLEEP)
            now = _sleep_of(thread)
            if now and now == earlier:
                break  # nobody will wake it
            earlier = now
    if not found:
        raise LibgfapiException(_FORKED_BADLY, errno.ETIMEDOUT)
    if isinstance(found[0], OSError):
        raise found[0]
    pointer: int = found[0]
    return pointer


def _look_up_nothing() -> None:
    import socket  # few forks, and it costs

    with contextlib.suppress(OSError):
        socket.getaddrinfo(None, 0, flags=socket.AI_ADDRCONFIG)


def _sleep_of(thread: threading.Thread) -> str:
    """Which sleep of its life a thread is in, as the kernel counts them; "" if it is awake."""
    try:
        with open(f"/proc/self/task/{thread.native_id}/status", encoding="ascii") as file:
            told = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return ""
    is_asleep = told.get("State", "").startswith("S")
    return told.get("voluntary_ctxt_switches", "") if is_asleep else ""


def first_of(attempts: Sequence[Attempt], end: float) -> Optional[Attempt]:
    """The first whose initialisation is over, or None if there is none at the end.

    :param end: the :func:`time.monotonic` time at which to give up.
    """
    if len(attempts) == 1:
        return attempts[0] if attempts[0].wait(end) else None
    over: list[Attempt] = []

    def is_over() -> bool:
        over.extend(attempt for attempt in attempts if attempt.wait(0))
        return bool(over)

    return over[0] if wait_until(is_over, end) else None
