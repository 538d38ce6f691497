"""Ends of the interpreter with everything open. What was written then, ``exits.py`` looks for."""

from __future__ import annotations

import atexit
import contextlib
import errno
import importlib
import itertools
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from gluster import gfapi

from . import Stage, calls, lifetimes, scenario

kept: list[Any] = []  # until the interpreter ends


def _open_everything(stage: Stage) -> None:
    warnings.simplefilter("ignore")
    kept.append(lifetimes._things(stage, stage.vol))
    logged = gfapi.Volume(stage.vol.hosts, stage.vol.volname, logger=logging.getLogger("gfapi"))
    logged.mount()
    kept.append((logged, logged.fopen(stage.path(), "w")))
    kept[-1][1].write(b"x" * 1000)
    things = kept[0]
    kept.extend(things["file"].pwrite_async(b"x" * 1000, n * 1000) for n in range(5))
    if stage.choose.random() < 0.5:
        kept.append(lifetimes._Holder(**things))


def _work(stage: Stage, is_over: Callable[[], bool] = lambda: False) -> None:
    with contextlib.suppress(gfapi.VolumeNotMounted):
        while not is_over():
            stage.attempt(lambda: calls.some(stage, stage.vol))
            if not stage.vol.mounted:
                return


def _threads(stage: Stage, daemon: bool) -> None:
    for _ in range(3):
        threading.Thread(target=_work, args=(stage,), daemon=daemon).start()
    stage.pause(0.1)


@scenario("exit-with-everything-open", batch=1, cost=20)
def exit_with_everything_open(stage: Stage) -> None:
    _open_everything(stage)
    if stage.choose.random() < 0.5:
        sys.exit(0)


@scenario("exit-beside-daemon-threads", batch=1, cost=20)
def exit_beside_daemon_threads(stage: Stage) -> None:
    _open_everything(stage)
    _threads(stage, daemon=True)


@scenario("exit-beside-threads", batch=1, cost=20)
def exit_beside_threads(stage: Stage) -> None:
    """Threads that the interpreter waits for end with the unmount of another."""
    _open_everything(stage)
    _threads(stage, daemon=False)
    threading.Thread(target=lambda: (stage.pause(0.1), stage.vol.umount())).start()


@scenario("exit-handlers", batch=1, cost=20)
def exit_handlers(stage: Stage) -> None:
    """Functions of atexit mount, work and unmount; those first that were registered last."""
    _open_everything(stage)

    def mount_once_more() -> None:
        with stage.another() as vol:
            calls.some(stage, vol, "files", "names", "asynchronous", "trees")

    handlers = [stage.vol.umount, mount_once_more, lambda: calls.some(stage, stage.vol, "names")]
    for handler in handlers[: stage.choose.randint(1, 3)]:
        atexit.register(handler)
    if stage.choose.random() < 0.5:
        _threads(stage, daemon=True)


@scenario("exit-by-signal-handler", batch=1, cost=20)
def exit_by_signal_handler(stage: Stage) -> None:
    """A signal's handler ends the program wherever it is, and may unmount and mount first."""
    other = stage.another()

    handled = threading.Event()

    def handle(*_: Any) -> None:
        handled.set()
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        if stage.choose.random() < 0.3:
            try:
                stage.vol.umount()
            except gfapi.LibgfapiException as error:
                if error.errno != errno.EDEADLK:
                    raise
        elif stage.choose.random() < 0.5:
            with other:
                other.stat("/")
        sys.exit(0)

    sys.unraisablehook = lambda unraisable: None  # of an exit that is dropped in a __del__
    _open_everything(stage)
    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.001 + stage.choose.random() * 0.1)
    _work(stage, handled.is_set)


_PROGRAM = """
import sys
sys.path[:] = {path!r}
try:
    from gluster import gfapi
    vol = gfapi.Volume({hosts!r}, {volname!r})
    vol.mount()
    with vol.fopen({name!r}, "w") as file:
        file.write_async(b"x").result(20)
    watch = vol.watch()
    vol.umount()
except (ImportError, gfapi.LibgfapiException if "gfapi" in globals() else ImportError) as error:
    pass  # a refusal
"""


def _interpreters() -> Any:
    for name in ("_interpreters", "_xxsubinterpreters"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


@scenario("subinterpreters", batch=1, cost=20)
def subinterpreters(stage: Stage) -> None:
    """Other interpreters of the process use the package, or are refused, and end."""
    interpreters = _interpreters()
    if stage.choose.random() < 0.5:
        _open_everything(stage)
    for _ in range(stage.choose.randint(1, 3)):
        ways: list[tuple[Any, ...]] = [()]
        if sys.version_info >= (3, 13):
            ways = [("isolated",), ("legacy",)]
        elif sys.version_info >= (3, 10):
            ways = [(), (True,), (False,)]
        way = stage.choose.choice(ways)
        other = interpreters.create(
            **{"isolated": way[0]} if way and way[0] in (True, False) else {}
        )
        if way and isinstance(way[0], str):
            interpreters.destroy(other)
            other = interpreters.create(way[0])
        program = _PROGRAM.format(
            path=sys.path, hosts=stage.vol.hosts, volname=stage.vol.volname, name=stage.path()
        )
        said = interpreters.run_string(other, program)
        if said is not None:
            stage.wrong.append(str(said))
        if stage.choose.random() < 0.7:
            interpreters.destroy(other)
    stage.vol.stat("/")
    for line in itertools.islice(stage.wrong, 1):
        print(line, file=sys.stderr)
        os._exit(1)
    time.sleep(0)
