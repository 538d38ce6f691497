"""Ctrl-C, and exceptions that one thread sends another, at any moment of all sorts of calls."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import threading
import time
import uuid  # noqa: F401 - of an interrupt in an import Python makes another error
import warnings
from collections.abc import Callable
from concurrent.futures import wait
from typing import Any

from . import Stage, calls, ignore_in_finalizers, left_over, scenario

_THREADLESS = ("files", "positional", "raw", "appended", "names", "listings", "half_listings")
_THREADLESS += ("copies", "locks", "handles", "inside")


class Interrupted(BaseException):
    """What is sent to another thread."""


def by_signal(stage: Stage, action: Callable[[], Any], longest: float) -> None:
    """Do something, and have a signal's handler raise KeyboardInterrupt at a random moment."""
    ignore_in_finalizers()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        # The moment is that of the kernel: none comes at all if it is zero.
        signal.setitimer(signal.ITIMER_REAL, max(1e-6, stage.choose.random() * longest))
        stage.attempt(action)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)


def by_another_thread(stage: Stage, action: Callable[[], Any], longest: float) -> None:
    """Do something in a thread, and have it raise an exception at a random moment."""
    ignore_in_finalizers()

    def work() -> None:
        try:
            stage.attempt(action)
            is_over.set()
        except Interrupted:
            is_over.set()

    is_over = threading.Event()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    stage.pause(longest)
    if not is_over.is_set():
        send(thread, Interrupted)
    thread.join()


def send(thread: threading.Thread, kind: type[BaseException]) -> None:
    assert thread.ident
    number = ctypes.c_ulong(thread.ident)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(kind))


def _quiet() -> None:
    warnings.simplefilter("ignore", ResourceWarning)
    threading.excepthook = lambda arguments: None


@scenario("ctrl-c-in-calls")
def ctrl_c_in_calls(stage: Stage) -> None:
    """Ctrl-C in a call, or between two."""
    _quiet()
    name = stage.choose.choice(list(calls.ALL))
    path = f"{stage.path()}-{name}"
    by_signal(stage, lambda: calls.ALL[name](stage, stage.vol, path), 0.02)


@scenario("ctrl-c-in-opens")
def ctrl_c_in_opens(stage: Stage) -> None:
    """Ctrl-C where something is opened or closed: nothing stays open for good."""
    _quiet()
    path = stage.path()

    def work() -> None:
        for _ in range(100):  # a __del__ may swallow it
            with stage.vol.fopen(path, "w"), stage.vol.fopen(path), stage.vol.opendir("/"):
                stage.vol.scandir(stage.folder).close()
                stage.vol.lookup(path).close()

    by_signal(stage, work, 0.01)


@scenario("ctrl-c-in-async")
def ctrl_c_in_async(stage: Stage) -> None:
    """Ctrl-C while asynchronous calls are submitted: the File still closes, the rest is made."""
    _quiet()
    path = stage.path()
    file = stage.vol.fopen(path, "w+")
    futures: list[Any] = []

    def work() -> None:
        for _ in range(1000):
            futures.append(file.write_async(b"x"))
            futures.append(file.pwrite_async(b"y", 5))
            futures.append(file.fsync_async())

    by_signal(stage, work, 0.004)
    last = file.fsync_async()
    last.result(60)
    if wait(futures, 60).not_done:  # they are over by now, and about to say so
        stage.wrong.append("a Future is not done after all others")
    file.close()
    stage.vol.unlink(path)


@scenario("ctrl-c-in-trees", cost=2)
def ctrl_c_in_trees(stage: Stage) -> None:
    """Ctrl-C while many threads walk, copy and remove trees."""
    _quiet()
    path = stage.path()
    calls.tree(stage.vol, path)
    by_signal(stage, lambda: calls.trees(stage, stage.vol, path), 0.06)


@scenario("exceptions-in-calls")
def exceptions_in_calls(stage: Stage) -> None:
    """An exception of another thread in a call, or between two.

    Not in calls that start threads: as long as one starts, Python may give it what was meant for
    its parent, and then ``Thread.start`` never returns.
    """
    _quiet()
    name = stage.choose.choice(_THREADLESS)
    path = f"{stage.path()}-{name}"
    by_another_thread(stage, lambda: calls.ALL[name](stage, stage.vol, path), 0.02)


@scenario("exceptions-under-load", cost=2)
def exceptions_under_load(stage: Stage) -> None:
    """The same in several threads that use one File, so that they wait for each other."""
    _quiet()
    path = stage.path()
    file = stage.vol.fopen(path, "w+")
    is_over = threading.Event()
    for future in [file.pwrite_async(b"y", 5) for _ in range(40)]:  # all threads are there then
        future.result(60)

    def work() -> None:
        while not is_over.is_set():
            file.write(b"x" * 100)
            file.pread(10, 0)
            file.pwrite_async(b"y", 5)
            file.fstat()

    def run() -> None:
        with contextlib.suppress(Interrupted):
            stage.attempt(work)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads[:2]:
        stage.pause(0.004)
        send(thread, Interrupted)
    is_over.set()
    for thread in threads:
        thread.join()
    file.close()


@scenario("ctrl-c-in-mounts", batch=12, is_mounted=False, cost=4)
def ctrl_c_in_mounts(stage: Stage) -> None:
    """Ctrl-C while a volume is mounted, used and unmounted: it can be mounted again."""
    _quiet()
    vol = stage.another()

    def work() -> None:
        with vol:
            calls.some(stage, vol, "files", "asynchronous", "half_listings", "watches")

    by_signal(stage, work, 0.08)
    for _ in range(2):
        vol.mount()
        vol.stat("/")
        vol.umount()
    stage.wrong += left_over(vol, stage.folder)


@scenario("ctrl-c-beside-umounts", batch=8, is_mounted=False, cost=6)
def ctrl_c_beside_umounts(stage: Stage) -> None:
    """Ctrl-C in a thread that mounts and unmounts, as others do with the same Volume."""
    _quiet()
    vol = stage.another()

    def work() -> None:
        vol.mount()
        stage.attempt(lambda: calls.some(stage, vol, "files", "names"))
        vol.umount()

    threads = stage.together(work, work)
    by_signal(stage, work, 0.15)
    for thread in threads:
        thread.join()
    began = time.monotonic()
    vol.umount()
    vol.mount()
    vol.stat("/")
    vol.umount()
    if time.monotonic() - began > 30:
        stage.wrong.append("the next unmount took more than half a minute")
    stage.wrong += left_over(vol, stage.folder)
