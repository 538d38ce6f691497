"""Threads that make calls for those who do not wait, and the calls that are not over yet.

This module imports :mod:`concurrent.futures`, which costs as much as the rest of the package: it is
imported by the first asynchronous call.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent import futures
from typing import TYPE_CHECKING, Any, Callable, Optional

from .gate import Token, bad_descriptor
from .parking import park, unpark

if TYPE_CHECKING:
    from .descriptor import Descriptor
    from .mount import Mount

#: How many calls of a mount are with libgfapi at the same time; the others wait for their turn.
MOST_THREADS = 16
_IDLE = 10.0  # seconds after which a thread without work ends


class Call:
    """One asynchronous call."""

    def __init__(
        self, backlog: Backlog, number: int, function: Callable[..., Any], arguments: Any
    ) -> None:
        self.number = number
        self.future: futures.Future[Any] = futures.Future()
        self._backlog = backlog
        self._function = function
        self._arguments = arguments
        self.token = Token()  # taken by who makes it, or withdraws it

    def run(self) -> None:
        """Make the call, unless it was withdrawn. What follows it is under way before anybody is
        told that it is over.
        """
        if not self.token.take():
            return
        try:
            self._make()
        finally:
            self._backlog.discard(self)
            # The one refers to an exception, and that to this call. The other may be what keeps
            # the file open, and to close it waits for all calls that are not discarded.
            del self.future, self._function

    def _make(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            self._backlog.go_on(self)
            return
        try:
            result = self._function(*self._arguments)
        except BaseException as error:
            self._end()
            self.future.set_exception(error)
        else:
            self._end()
            self.future.set_result(result)

    def _end(self) -> None:
        del self._arguments  # a bytearray among them can be resized again
        self._backlog.go_on(self)


class Backlog:
    """The asynchronous calls of one descriptor that are not over yet.

    :ivar closer: who is closing the descriptor, so that no more are taken; None if nobody is.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._path = descriptor.path
        self._descriptor = weakref.ref(descriptor)
        self._workers = workers_of(descriptor.mount)
        self._lock = threading.RLock()
        self._numbers = itertools.count()
        self._futures: set[futures.Future[Any]] = set()
        self._calls: OrderedDict[int, Call] = OrderedDict()  # the oldest is the first
        self._line: deque[Call] = deque()  # those that use the position: the first is being made
        self._barriers: deque[Call] = deque()  # those that wait for all before them
        self.closer: Optional[object] = None

    def add(self, function: Callable[..., Any], *arguments: Any) -> futures.Future[Any]:
        """Make a call as soon as there is a thread for it."""
        return self._add(function, arguments, lambda call: True)

    def add_in_line(self, function: Callable[..., Any], *arguments: Any) -> futures.Future[Any]:
        """Make a call that uses the position, after all others that use it."""

        def begins(call: Call) -> bool:
            self._line.append(call)
            return self._line[0] is call

        return self._add(function, arguments, begins)

    def add_after_all(self, function: Callable[..., Any], *arguments: Any) -> futures.Future[Any]:
        """Make a call as soon as all are over that were added before."""

        def begins(call: Call) -> bool:
            if self._oldest() == call.number:
                return True
            self._barriers.append(call)
            return False

        return self._add(function, arguments, begins)

    def _add(
        self, function: Callable[..., Any], arguments: Any, begins: Callable[[Call], bool]
    ) -> futures.Future[Any]:
        """Make a call when its turn has come.

        :param begins: puts it where it has to wait, or says that it begins at once.
        """
        call = Call(self, next(self._numbers), function, arguments)
        future = call.future
        descriptor = self._descriptor()
        calls = descriptor and descriptor.calls  # noqa: F841 - is_inside finds this thread by it
        try:
            with self._lock:
                if self.closer is not None:
                    raise bad_descriptor(self._path)
                self._calls[call.number] = call
                self._futures.add(future)
                is_ready = begins(call)
            if is_ready:
                self._workers.do(call.run)
        except BaseException:  # an interrupt, wherever it came
            self._withdraw(call)
            raise
        return future

    def _withdraw(self, call: Call) -> None:
        """Have nobody wait for a call that its caller knows nothing of, unless it is being made."""
        if call.token.take():
            call.future.cancel()
            call.future.set_running_or_notify_cancel()
            self.go_on(call)
            self.discard(call)

    def go_on(self, over: Call) -> None:
        """Start what had to wait for a call that is over."""
        ready = []
        with self._lock:
            self._calls.pop(over.number, None)
            if self._line and self._line[0] is over:
                self._line.popleft()
                if self._line:
                    ready.append(self._line[0])
            # What was withdrawn may be anywhere, or nowhere.
            for waiting in (self._line, self._barriers):
                with contextlib.suppress(ValueError):
                    waiting.remove(over)
            oldest = self._oldest() if self._barriers else None
            for barrier in list(self._barriers):
                if barrier.number == oldest:
                    self._barriers.remove(barrier)
                    ready.append(barrier)
        for call in ready:
            self._workers.do(call.run)

    def _oldest(self) -> Optional[int]:
        """The number of the first call that is not over."""
        while True:
            with contextlib.suppress(RuntimeError):  # a signal's handler has added one meanwhile
                return next(iter(self._calls), None)

    def discard(self, call: Call) -> None:
        """Nobody need wait for this call any more."""
        with self._lock:
            self._futures.discard(call.future)

    def close(self, closer: object, deadline: float) -> None:
        """Take no more calls, and wait for those that there are.

        :param closer: who does so, and may :meth:`reopen` it.
        :param deadline: the :func:`time.monotonic` time at which to give up.
        :raises OSError: EBADF if it is being closed already, ETIMEDOUT at the deadline.
        """
        with self._lock:
            if self.closer is not None:
                raise bad_descriptor(self._path)
            self.closer = closer
            pending = set(self._futures)
        self._wait(pending, deadline)

    def _wait(self, pending: set[futures.Future[Any]], deadline: float) -> None:
        if not pending:
            return  # and take no lock: a file that nobody refers to is closed at any point
        timeout = None if deadline == float("inf") else max(0.0, deadline - time.monotonic())
        # A callback of a Future runs on one of the workers, and it may be what closes the file.
        with self._workers.one_more():
            if futures.wait(pending, timeout).not_done:
                raise OSError(errno.ETIMEDOUT, "a call did not end in time", self._path)

    def reopen(self, closer: object) -> None:
        """Take calls again, if this is who was closing the descriptor: it could not be closed."""
        if self.closer is closer:
            self.closer = None

    def forget(self) -> None:
        """After a fork, in the child: the threads are gone, and so is the file."""
        self._lock = threading.RLock()
        self.closer = self
        for future in self._futures:
            futures.Future.__init__(future)  # a thread that is gone may have held its lock
            future.set_exception(bad_descriptor(self._path))


class Workers:
    """The threads of one mount: a brick that hangs holds up no other mount."""

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._idle: deque[Any] = deque()
        self._unfinished: list[None] = []  # one element for each job
        self._lock = threading.RLock()
        self._most = MOST_THREADS
        self._count = 0

    def do(self, job: Callable[[], None]) -> None:
        """Have a job done by the first thread that is free."""
        self._unfinished.append(None)
        self._jobs.append(job)
        unpark(self._idle)
        self._hire()

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """Within this, the calling thread does not count: it waits for the others."""
        with self._lock:
            self._most += 1
        try:
            self._hire()
            yield
        finally:
            with self._lock:
                self._most -= 1

    def _hire(self) -> None:
        with self._lock:
            if self._count >= min(self._most, len(self._unfinished)):
                return
            place = Token()  # taken by the thread, if it comes to that
            thread = threading.Thread(
                target=self._work, args=(place,), name="gfapi-async", daemon=True
            )
            self._count += 1
            try:
                thread.start()
                return
            except BaseException as error:
                if place.take():
                    self._count -= 1
                # No more threads, or the interpreter is past starting any; or it is an interrupt.
                if not isinstance(error, RuntimeError):
                    raise
            if self._count:
                return
        while self._do_one(0.0):
            pass

    def _work(self, place: Token) -> None:
        if not place.take():
            return
        try:
            while self._do_one(_IDLE) or not self._retire():
                pass
        except BaseException:  # as the SystemExit of a callback that calls when the program ends
            with self._lock:
                self._count -= 1
            self._hire()
            raise

    def _retire(self) -> bool:
        with self._lock:
            if not self._jobs:
                self._count -= 1
                return True
        return False

    def _do_one(self, timeout: float) -> bool:
        while not self._jobs:
            if not timeout or not park(self._idle, lambda: self._jobs, timeout):
                return False
        try:
            job = self._jobs.popleft()
        except IndexError:  # another thread was faster
            return True
        try:
            job()
        finally:
            self._unfinished.pop()
        return True


_workers: weakref.WeakKeyDictionary[Mount, Workers] = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def workers_of(mount: Mount) -> Workers:
    """The threads of a mount."""
    with _lock:
        return _workers.setdefault(mount, Workers())


def backlog_of(descriptor: Descriptor) -> Backlog:
    """The asynchronous calls of a descriptor."""
    if descriptor.backlog is None:
        backlog = Backlog(descriptor)
        with _lock:
            if descriptor.backlog is None:
                descriptor.backlog = backlog
    return descriptor.backlog


def _forget() -> None:
    """After a fork, in the child: the threads are gone."""
    global _workers, _lock
    _workers = weakref.WeakKeyDictionary()
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_forget)
