"""Crew: threads that help the calling one with many small calls, for the length of one call.

A call over a network is mostly waiting, so several at a time are as fast as one. What is done is
cut into jobs. The calling thread does them too, and alone all that concerns its caller: it calls
callbacks and raises errors.

No lock is held while Python runs: Ctrl-C may strike the calling thread anywhere, and must leave
nothing behind that others wait for. All rests on deques and lists, whose methods are atomic.
"""

from __future__ import annotations

import contextlib
import operator
import os
import sys
import threading
import time
from collections import deque
from functools import partial

from . import identity
from .gate import wait_until
from .parking import park, unpark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    Job = Callable[[], object]

#: How many threads work unless told otherwise. On a fast network more than a few are of no use, and
#: do no harm; with a delay of some milliseconds, each doubling up to here is worth it.
THREADS = 32
# So few jobs are done before a thread is there.
_FEW = 4
_MOST = 1000  # more threads than this are of no use to anybody
_IDLE = 2.0  # seconds after which a thread without work ends
# How long a thread may take to start if Ctrl-C came meanwhile, so that nobody knows if it will.
_START = 0.5


class Over(BaseException):
    """The crew has been stopped, and this job with it."""


def checked_threads(threads: Optional[int], default: int = THREADS) -> int:
    """How many threads may work, the calling one among them.

    :raises TypeError: if it is neither None nor an integer.
    :raises ValueError: if it is less than 1.
    """
    if threads is None:
        return default
    number = operator.index(threads)
    if number < 1:
        raise ValueError(f"threads is {number}; it must be at least 1")
    return number


class Crew:
    """Up to so many threads, which start when there is work, and are gone at the end of ``with``.

    Each job is done in the name of the thread that added it: user, groups and lease.
    """

    def __init__(self, threads: int) -> None:
        """Nothing is started yet.

        :param threads: how many work at most, the calling one among them.
        """
        self._places: deque[None] = deque([None] * min(threads - 1, _MOST))  # for more threads
        self._room = 4 * len(self._places)
        self.ahead = 2 * len(self._places)
        self._caller = threading.get_ident()
        self._pid = os.getpid()
        self._jobs: deque[tuple[Any, Job]] = deque()
        self._small: deque[tuple[Any, Job]] = deque()
        self._calls: deque[Job] = deque()
        self._errors: deque[BaseException] = deque()  # that the calling thread is to raise
        self._unfinished: list[None] = []  # one element for each job, call and error
        self._threads: list[threading.Thread] = []
        # Who has nothing to do waits for a lock of his own, which is in here meanwhile.
        self._idle: deque[Any] = deque()
        self._idle_caller: deque[Any] = deque()
        self._until: Optional[Callable[[], object]] = None
        self._is_at_job = False  # the calling thread, in the midst of one
        self._is_over = False

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def is_gone(self) -> bool:
        """Whether this is a child that was forked off, where there are no threads."""
        return self._pid != os.getpid()

    @property
    def _is_caller(self) -> bool:
        return threading.get_ident() == self._caller

    # ------------------------------------------------------------------ for all threads

    def add(self, job: Job) -> None:
        """Have a job done by the first thread that is free; the one added last comes first."""
        self._put(self._jobs, job)

    def offer(self, job: Job) -> None:
        """Have a small job done by the first thread that is free, before all that :meth:`add` got;
        or here and now if there are many already: who finds work never waits for who does it.
        """
        if len(self._small) < self._room:
            self._put(self._small, job)
        else:
            self._make_waiting_calls()
            self.check()
            job()

    def tell(self, call: Job) -> None:
        """Have the calling thread make a call, at the latest when its job next finds work. If it
        raises, all ends with that.
        """
        while len(self._calls) > self._room and not self._is_caller:
            self.check()
            time.sleep(0.001)
        self._unfinished.append(None)
        self._calls.append(call)
        unpark(self._idle_caller)

    def fail(self, error: BaseException) -> None:
        """Have the calling thread raise an error. No job and no call begins any more."""
        self._hand_over(error)
        self._is_over = True  # only now: who leaves its job for that finds the error

    def _hand_over(self, error: BaseException) -> None:
        self._unfinished.append(None)
        self._errors.append(error)
        unpark(self._idle_caller)

    def check(self) -> None:
        """Leave the job if all has been stopped: to be called between the calls of a long one.

        :raises Over: if so.
        """
        if self._is_over:
            raise Over

    def _put(self, jobs: deque[tuple[Any, Job]], job: Job) -> None:
        self._make_waiting_calls()
        self.check()
        self._unfinished.append(None)
        jobs.append((identity.names(), job))
        if unpark(self._idle):
            return
        if self._places and len(self._small) + len(self._jobs) > _FEW:
            self._hire()
        unpark(self._idle_caller)

    def _take(self) -> Optional[tuple[Any, Job]]:
        with contextlib.suppress(IndexError):
            return self._small.popleft()
        with contextlib.suppress(IndexError):
            return self._jobs.pop()
        return None

    # ------------------------------------------------------------------ the calling thread

    def work(self, until: Optional[Callable[[], object]] = None) -> None:
        """Work, and make the calls that the others ask for, until all is done.

        :param until: or until this becomes true, by what a job does.
        """
        self._until = until
        try:
            while not self._is_done():
                if self._errors:
                    raise self._errors.popleft()
                self._work_once()
        except BaseException:
            self._is_over = True
            raise

    def _work_once(self) -> None:
        try:
            if self._calls:
                self._make_call()
            elif taken := self._take():
                self._do_here(taken[1])
            else:
                self._check_threads()
                park(self._idle_caller, self._has_work_for_caller)
        except Over:
            if not self._errors:  # one of which is why
                raise

    def _make_call(self) -> None:
        self._calls.popleft()()
        self._unfinished.pop()

    def _do_here(self, job: Job) -> None:
        self._is_at_job = True
        try:
            job()
        finally:
            self._is_at_job = False
        self._unfinished.pop()

    def _make_waiting_calls(self) -> None:
        """Make the calls before more is begun, if this is the calling thread at a job.

        :raises Over: if there is an error for :meth:`work` to raise. No job catches this.
        """
        if not (self._calls or self._errors) or not self._is_at_job or not self._is_caller:
            return
        self._is_at_job = False  # what a call adds makes no others: they would pile up
        while self._calls and not self._errors:
            try:
                self._make_call()
            except BaseException as error:
                self.fail(error)
        if self._errors:
            raise Over
        self._is_at_job = True

    def _check_threads(self) -> None:
        if self.is_gone:
            raise RuntimeError("forked off while threads of the parent were working")

    def _is_done(self) -> object:
        return self._until() if self._until else not self._unfinished

    def _has_work_for_caller(self) -> object:
        return self._errors or self._calls or self._has_work() or self._is_done()

    def stop(self) -> None:
        """Drop what has not begun, and wait for the calls that the threads are in."""
        self._is_over = True
        for waiting in (self._small, self._jobs, self._calls, self._errors):
            waiting.clear()
        if self.is_gone or sys.is_finalizing():
            return
        try:
            self._see_off()
        except BaseException:
            self._see_off()  # one more interrupt leaves them to end by themselves
            raise

    def _see_off(self) -> None:
        while unpark(self._idle):
            pass
        for thread in self._threads[:]:
            if thread is not threading.current_thread():  # which collects what was abandoned
                wait_until(partial(_has_ended, thread), time.monotonic() + _START)

    # ------------------------------------------------------------------ the others

    def _hire(self) -> None:
        for ended in [t for t in self._threads if t.ident and not t.is_alive()]:
            with contextlib.suppress(ValueError):
                self._threads.remove(ended)
        with contextlib.suppress(IndexError):
            self._places.pop()
            thread = threading.Thread(target=self._serve, name="gfapi-crew", daemon=True)
            self._threads.append(thread)
            try:
                thread.start()
            except RuntimeError:  # no more threads, or the interpreter is past starting any
                self._threads.remove(thread)
                self._places.clear()

    def _serve(self) -> None:
        try:
            while not self._is_over:
                if taken := self._take():
                    self._do(*taken)
                elif not park(self._idle, self._has_work, _IDLE):
                    self._places.append(None)
                    return
        except Over:
            pass
        except BaseException as error:
            self._hand_over(error)

    def _do(self, names: Any, job: Job) -> None:
        if names != identity.names():
            identity.take_on(names)
        job()
        self._unfinished.pop()
        if self._idle_caller and self._is_done():
            unpark(self._idle_caller)

    def _has_work(self) -> object:
        return self._small or self._jobs or self._is_over


def _has_ended(thread: threading.Thread) -> bool:
    """Wait for its end; False if it has not started yet."""
    try:
        thread.join()
    except RuntimeError:
        return False
    return True
