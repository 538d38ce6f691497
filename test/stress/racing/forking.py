"""Forks: plain, of multiprocessing, and beside threads that are inside calls."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from typing import Any

from gluster import gfapi

from . import HANG, Stage, calls, scenario

_FORKS = 6  # in a round


def _child(stage: Stage, action: Any) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.alarm(int(HANG / 2) + 5)  # faulthandler would wait for the parent's thread
        aborting = threading.Timer(HANG / 2, os.abort)  # before that, which leaves a core
        aborting.daemon = True
        aborting.start()
        action()
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _wait(stage: Stage, pids: list[int]) -> None:
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        if status:
            stage.wrong.append(f"a child ended with status {status}")


@scenario("fork-inside-calls", batch=50, cost=4)
def fork_inside_calls(stage: Stage) -> None:
    """Forks while other threads are inside all sorts of calls: child and parent go on."""
    warnings.simplefilter("ignore")
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            calls.some(stage, stage.vol)

    def child() -> None:
        path = stage.path()
        with stage.vol.fopen(path, "w") as file:
            file.write_async(b"of the child").result(60)
        assert stage.vol.getsize(path) == 12
        if stage.choose.random() < 0.5:
            stage.vol.umount()

    threads = stage.together(*[work] * 3)
    pids = []
    for _ in range(_FORKS):
        stage.pause(0.02)
        pids.append(_child(stage, child if stage.choose.random() < 0.7 else lambda: None))
    is_over.set()
    for thread in threads:
        thread.join()
    _wait(stage, pids)


@scenario("fork-beside-mounts", batch=14, is_mounted=False, cost=8)
def fork_beside_mounts(stage: Stage) -> None:
    """Forks while another thread mounts and unmounts."""
    warnings.simplefilter("ignore")
    vol = stage.another()

    def cycle() -> None:
        for _ in range(2):
            vol.mount()
            vol.umount()

    def child() -> None:
        with stage.another() as own:
            own.stat("/")
        with contextlib.suppress(gfapi.VolumeNotMounted):
            vol.stat("/")

    threads = stage.together(cycle)
    pids = []
    while threads[0].is_alive() and len(pids) < 3:
        stage.pause(0.02)
        pids.append(_child(stage, child))
    _wait(stage, pids)
    threads[0].join()


def _read(vol: gfapi.Volume, path: str) -> int:
    """What a worker does: it has inherited the volume mounted, or got its description."""
    if not vol.mounted:
        vol.mount()
    with vol.fopen(path) as file:
        size = len(file.read())
    kept.append(vol)  # for the exit
    return size


kept: list[Any] = []


def _inherited(path: str) -> int:
    return _read(kept[0], path)


def _files(stage: Stage) -> list[str]:
    folder = f"{stage.folder}/pool"
    paths = [f"{folder}/{number}" for number in range(6)]
    if not stage.vol.exists(folder):
        stage.vol.mkdir(folder)
        for path in paths:
            with stage.vol.fopen(path, "w") as file:
                file.write(b"x" * 50_000)
    return paths


def _in_pool(stage: Stage, method: str) -> None:
    """A pool of workers that each read, while the parent goes on working in other threads."""
    warnings.simplefilter("ignore")
    paths = _files(stage)
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            calls.some(stage, stage.vol, "files", "asynchronous", "names")

    kept[:] = [stage.vol]
    threads = stage.together(work, work)
    try:
        with multiprocessing.get_context(method).Pool(2) as pool:
            if method == "fork" and stage.choose.random() < 0.5:
                sizes = pool.map(_inherited, paths)
            else:
                sizes = pool.starmap(_read, [(stage.vol, path) for path in paths])
            pool.close()
            pool.join()
        if sizes != [50_000] * len(paths):
            stage.wrong.append(f"the workers have read {sizes}")
    finally:
        is_over.set()
    for thread in threads:
        thread.join()


@scenario("pool-fork", batch=50, cost=10)
def pool_fork(stage: Stage) -> None:
    _in_pool(stage, "fork")


@scenario("pool-forkserver", batch=50, cost=20)
def pool_forkserver(stage: Stage) -> None:
    _in_pool(stage, "forkserver")


@scenario("pool-spawn", batch=50, cost=20)
def pool_spawn(stage: Stage) -> None:
    _in_pool(stage, "spawn")
