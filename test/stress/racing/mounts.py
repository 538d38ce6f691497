"""Unmounts at the wrong moment."""

from __future__ import annotations

import threading
from typing import Any

from gluster import gfapi

from . import Stage, calls, left_over, scenario

_BATCH = 28  # tear-downs that nobody waits for


def _settled(stage: Stage, vol: gfapi.Volume, threads: list[threading.Thread]) -> None:
    """What holds after each unmount."""
    for thread in threads:
        thread.join()
    if vol.mounted:
        stage.wrong.append("it is still mounted")
    stage.wrong += left_over(vol, stage.folder)


@scenario("umount-against-everything", batch=_BATCH, is_mounted=False, cost=4)
def umount_against_everything(stage: Stage) -> None:
    """Threads make all sorts of calls until the volume is unmounted."""
    vol = stage.another()
    vol.mount()

    def work() -> None:
        while True:
            calls.some(stage, vol)

    threads = stage.together(*[work] * stage.choose.randint(2, 6))
    stage.pause(0.15)
    vol.umount()
    _settled(stage, vol, threads)


@scenario("open-racing-umount", batch=_BATCH, is_mounted=False, cost=4)
def open_racing_umount(stage: Stage) -> None:
    """Threads open what they can until the volume is unmounted: nothing stays open."""
    vol = stage.another()
    vol.mount()
    vol.symlink("x", stage.path())
    kept: list[Any] = []
    keeps = stage.choose.random() < 0.5

    def work() -> None:
        while True:
            path = stage.path()
            opened = [vol.fopen(path, "w"), vol.fopen(path), vol.opendir(stage.folder)]
            opened += [vol.scandir("/"), vol.lookup(path), opened[0].dup()]  # type: ignore[list-item]
            opened += [vol.open(path, 0)]  # type: ignore[list-item]
            if keeps:
                kept.append(opened)

    threads = stage.together(*[work] * 3)
    stage.pause(0.05)
    vol.umount()
    _settled(stage, vol, threads)


@scenario("mount-racing-umount", batch=7, is_mounted=False, cost=8)
def mount_racing_umount(stage: Stage) -> None:
    """Threads mount, use and unmount one Volume at the same time."""
    vol = stage.another()

    def work() -> None:
        for _ in range(2):
            vol.mount()
            stage.attempt(lambda: calls.some(stage, vol, "files", "names", "handles"))
            vol.umount()

    threads = stage.together(*[work] * 3)
    for thread in threads:
        thread.join()
    vol.umount()
    _settled(stage, vol, threads)


@scenario("umount-by-many", batch=_BATCH, is_mounted=False, cost=4)
def umount_by_many(stage: Stage) -> None:
    """Several threads unmount at once, one of them by ``with``, beside open files and upcalls."""
    vol = stage.another()
    vol.mount()
    file = vol.fopen(stage.path(), "w")
    file.write_async(b"x" * 100_000)
    watch = vol.watch(lambda upcall: upcall.handle)
    walk = vol.walk("/")
    next(walk)
    threads = stage.together(vol.umount, vol.__exit__, vol.umount, file.close, watch.close)
    _settled(stage, vol, threads)
