"""What is abandoned half way, collected in odd order, or outlives its Volume."""

from __future__ import annotations

import gc
import threading
import time
import warnings
import weakref
from typing import Any

from gluster.gfapi.gate import wait_until

from . import SETTLE, Stage, calls, on_bricks_for_long, scenario


class _Holder:
    """Part of a cycle."""

    def __init__(self, **held: Any) -> None:
        self.__dict__.update(held)
        self.me = self


def _things(stage: Stage, vol: Any) -> dict[str, Any]:
    path = stage.path()
    calls.tree(vol, path)
    file = vol.fopen(f"{path}/a/0", "r+")
    walk, walk_with_stat = vol.walk(path, threads=4), vol.walk_with_stat(path, threads=2)
    next(walk)
    next(walk_with_stat)
    entries, handles = vol.scandir(path), vol.scandir(path, handles=True)
    next(entries)
    entry = next(handles)
    lock = file.lock()
    lock.__enter__()
    return {
        "vol": vol,
        "file": file,
        "dup": file.dup(),
        "raw": vol.open(f"{path}/a/1", 2),
        "dir": vol.opendir(path, True),
        "walk": walk,
        "walk_with_stat": walk_with_stat,
        "entries": entries,
        "handles": handles,
        "entry": entry,
        "handle": entry.handle(),
        "lock": lock,
        "future": file.pread_async(10, 0),
        "watch": vol.watch(),
        "told": vol.watch(lambda upcall: None),
        "meta": vol.meta,
        "xattrs": file.xattrs,
    }


@scenario("collected-in-odd-order", cost=4)
def collected_in_odd_order(stage: Stage) -> None:
    """All that a Volume gives, in cycles, is dropped in any order, also by other threads."""
    warnings.simplefilter("ignore", ResourceWarning)
    things = _things(stage, stage.vol)
    things["told"].close()
    raw = things.pop("raw")
    names = list(things)
    stage.choose.shuffle(names)
    for name in names[: len(names) // 2]:
        _Holder(**{name: things.pop(name), "other": things.get(names[-1])})
    collector = threading.Thread(target=gc.collect)
    collector.start()
    gc.collect()
    for name in names[len(names) // 2 :]:
        things.pop(name)
        if stage.choose.random() < 0.3:
            gc.collect()
    collector.join()
    gc.collect()
    raw.descriptor.close()  # which is an int, and closed by nobody else before an unmount


@scenario("volume-dropped-first", batch=14, is_mounted=False, cost=4)
def volume_dropped_first(stage: Stage) -> None:
    """A mounted Volume is collected before or with what was opened on it."""
    warnings.simplefilter("ignore", ResourceWarning)
    vol = stage.another()
    vol.mount()
    things = _things(stage, vol)
    mount = weakref.ref(vol._mount)
    things["told"].close()  # which goes on without anybody
    del vol
    names = list(things)
    stage.choose.shuffle(names)
    if stage.choose.random() < 0.5:
        _Holder(**things)
        things.clear()
        gc.collect()
    for name in names:
        things.pop(name, None)
    gc.collect()

    def is_mounted() -> bool:
        gc.collect()
        kept = mount()
        return kept is not None and kept.is_open

    # A thread that is about to end may be the last that knows of it, or leave a cycle.
    if not wait_until(lambda: not is_mounted(), time.monotonic() + SETTLE):
        stage.wrong.append("nobody has unmounted it")
    stage.wrong += on_bricks_for_long(stage.folder)


@scenario("abandoned-half-way", cost=2)
def abandoned_half_way(stage: Stage) -> None:
    """Listings, walks and asynchronous calls are begun and forgotten, in several threads."""
    warnings.simplefilter("ignore", ResourceWarning)

    def work() -> None:
        for _ in range(5):
            calls.some(stage, stage.vol, "half_listings", "half_walks", "abandoned")

    for thread in stage.together(work, work):
        thread.join()
