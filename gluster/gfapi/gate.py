"""The gate before every C object: who may still call, and who is inside.

libgfapi frees a ``glfs`` or ``glfd`` while other threads use it, and a call on freed memory kills
the process. So each one stands behind a :class:`Gate`. Every call first adds itself to ``calls``
and then reads ``address``; whoever wants to free the object first takes that away and then waits
until ``calls`` is empty. Both steps are atomic in Python, so no call can slip between them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Callable, NoReturn, Optional, Union

#: Set once the interpreter ends.
exiting = threading.Event()

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.0002, 0.02  # seconds


class Unpicklable:
    """What stands for something of this process alone."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")


class Token:
    """What one of several threads may do, and only one: the first to take it."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = [None]

    def take(self) -> bool:
        """Whether nobody has taken it before."""
        try:
            self._left.pop()
        except IndexError:
            return False
        return True


class Gate(Unpicklable):
    """Guards one C pointer.

    :ivar address: the pointer, or None once it is shut.
    :ivar calls: one element for each call that is inside.
    :ivar path: what errors name, or None.
    :ivar has_failed: whether C said that its close failed, rather than that it was closed already.
    """

    # Of the class, so that None is seen once shut has deleted an instance's own: only one can.
    address: Optional[int] = None
    has_failed = False

    def __init__(self, pointer: Optional[int], path: Union[str, bytes, None] = None) -> None:
        self.calls: list[None] = []
        self.path = path
        if pointer is not None:
            self.address = pointer

    @property
    def pointer(self) -> int:
        """The address; reading it raises what :meth:`refuse` says once it is shut."""
        address = self.address
        return self.refuse() if address is None else address

    @pointer.setter
    def pointer(self, pointer: int) -> None:
        self.address = pointer

    def refuse(self) -> int:
        """Called for ``pointer`` when there is none: raises, or finds a new one and returns it."""
        raise bad_descriptor(self.path)

    def peek(self) -> Optional[int]:
        """The pointer if the gate is open, else None."""
        return self.address

    @property
    def is_open(self) -> bool:
        """Whether a call may still enter."""
        return self.address is not None

    def shut(self) -> Optional[int]:
        """Refuse new calls.

        :returns: the pointer to the one caller that shut the gate, None to all others.
        """
        address = self.address
        if address is None:
            return None  # and no step further: it may have been opened again since
        try:
            del self.address
        except AttributeError:
            return None
        return address

    def drain(self, deadline: float = float("inf")) -> bool:
        """Wait until no call is inside.

        :param deadline: the :func:`time.monotonic` time at which to give up.
        :returns: whether it is empty.
        """
        return wait_until(lambda: not self.calls, deadline)

    @property
    def is_waited_for(self) -> bool:
        """Whether who closes this may have to wait for somebody."""
        return bool(self.calls)

    def refuse_deadlock(self) -> None:
        """Raise EDEADLK if the calling thread is inside, and would wait for itself."""
        if self.is_waited_for and is_inside((self,)):
            raise OSError(errno.EDEADLK, "this thread is inside a call of it", self.path)

    def finish(
        self,
        close: Callable[[Gate, list[Any]], object],
        kept: list[Any],
        deadline: float,
        opened: set[Any],
    ) -> None:
        """Shut it, let the calls inside finish, and close what it guards.

        If C's close was not reached, as after an interrupt, it is open again.

        :param close: closes it: called with a gate for this alone, and ``kept``.
        :param kept: gets what C's close returned.
        :param deadline: the :func:`time.monotonic` time at which to give up and leave it open.
        :param opened: where it is until it is closed.
        :raises OSError: EBADF if it is shut already, ETIMEDOUT at the deadline, or what ``close``
            says.
        """
        taken: list[Optional[int]] = []
        try:
            # In C, so that no interrupt comes when it is shut and nobody knows.
            taken.extend(map(vars(self).pop, ("address",), (None,)))
            if taken[0] is None:
                raise bad_descriptor(self.path)
            if self.calls and not self.drain(deadline):
                raise OSError(errno.ETIMEDOUT, "a call did not end in time", self.path)
            close(Gate(taken[0], self.path), kept)
        finally:
            # Whatever close said: a second one on the same pointer kills the process.
            if kept:
                opened.discard(self)
            elif taken and taken[0] is not None:
                self.address = taken[0]

    def forget(self) -> None:
        """Have nothing to do with the object any more, nor with the threads that use it.

        In the child of a fork they are gone; after an unmount they may hang.
        """
        self.shut()
        self.calls = []  # a new list: who is inside, as below us on the stack, pops from the old


class _Holding:
    """That a thread is inside a gate for the length of a ``with`` statement.

    :ivar calls: those of the gate.
    :ivar frame: of the function with that statement. An interrupt as it begins leaves what is held
        to the traceback; the thread is not inside any more when it has left the function.
    """

    __slots__ = ("calls", "frame")

    def __init__(self, calls: list[None]) -> None:
        self.calls = calls
        frame: Any = sys._getframe(2)
        while frame.f_back and (frame.f_code.co_flags & _GENERATOR or not _is_ours(frame)):
            frame = frame.f_back
        self.frame = frame


class _Held(threading.local):
    """What :func:`held` has the calling thread inside of, as its stack does not show it."""

    def __init__(self) -> None:
        self.all: list[_Holding] = []


_held = _Held()
_GENERATOR = 0x20  # inspect.CO_GENERATOR
_PACKAGE = os.path.dirname(__file__)


def _is_ours(frame: Any) -> bool:
    """Whether a frame is one of this package."""
    place: str = frame.f_code.co_filename
    return place == "<gfapi>" or place.startswith(_PACKAGE)


@contextlib.contextmanager
def held(gate: Gate) -> Iterator[None]:
    """Be inside a gate for the length of a ``with`` statement."""
    calls, mine = gate.calls, _held.all
    holding = _Holding(calls)
    try:
        calls.append(None)
        try:
            mine.append(holding)
            yield
        finally:
            with contextlib.suppress(ValueError):
                mine.remove(holding)
    finally:
        calls.pop()


def is_inside(gates: Iterable[Gate]) -> bool:
    """Whether the calling thread is inside a call through one of some gates, or is closing one.

    It is, if a signal's handler asks that was called in the middle of one. Nobody may wait for
    that call then: it goes on when the handler is over.
    """
    wanted = set()
    for gate in gates:
        wanted.add(id(gate.calls))
        wanted.add(id(getattr(gate.calls, "earlier", None)))
    wanted.discard(id(None))
    holders = {id(holding.frame) for holding in _held.all if id(holding.calls) in wanted}
    frame: Any = sys._getframe()
    while frame is not None:
        if id(frame) in holders:
            return True
        # Whoever else enters a gate, or closes what it guards, has its calls in a variable. The
        # variables of others are not looked at: Python before 3.13 keeps them alive then.
        if _is_ours(frame):
            names = [name for name in frame.f_code.co_varnames if name.startswith("calls")]
            if any(id(frame.f_locals.get(name)) in wanted for name in names):
                return True
        frame = frame.f_back
    return False


def wait_until(is_over: Callable[[], object], deadline: float) -> bool:
    """Look at something again and again until it is over.

    :param deadline: the :func:`time.monotonic` time at which to give up.
    :returns: whether it is over.
    """
    pause = _SHORTEST_PAUSE
    while not is_over():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True


def bad_descriptor(path: Union[str, bytes, None]) -> BaseException:
    """The error of a closed File or Dir."""
    return refusal(OSError(errno.EBADF, os.strerror(errno.EBADF), path))


def not_open_for_it(path: Union[str, bytes, None]) -> BaseException:
    """The error of a read of a file that is open for writing only, and of the opposite.

    It is EBADF as with :mod:`os`, of the class that :mod:`io` has for it.
    """
    return refusal(io.UnsupportedOperation(errno.EBADF, os.strerror(errno.EBADF), path))


def refusal(error: Exception) -> BaseException:
    """What to raise for a call that comes too late.

    When the interpreter ends, only daemon threads still call. Each of them ends there without a
    word: one that printed its traceback by then would have the interpreter abort.
    """
    is_daemon = threading.current_thread() is not threading.main_thread()
    return SystemExit() if is_daemon and exiting.is_set() else error
