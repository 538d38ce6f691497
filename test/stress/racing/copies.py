"""Copies and pickles, of what they make sense for and of what they do not."""

from __future__ import annotations

import contextlib
import copy
import pickle
from collections.abc import Callable
from typing import Any

from . import Stage, lifetimes, scenario

_WAYS: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda thing, number=number: pickle.loads(pickle.dumps(thing, number))  # type: ignore[misc]
        for number in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]
#: Those that stand for something of this process alone.
REFUSED = ("file", "dup", "raw", "dir", "walk", "entries", "entry", "watch", "meta", "xattrs")


@scenario("copies-and-pickles", cost=4)
def copies_and_pickles(stage: Stage) -> None:
    """What cannot be copied says so; a Volume's description can, also while it is used."""
    vol = stage.vol
    things = lifetimes._things(stage, vol)
    threads = stage.together(lambda: lifetimes.calls.some(stage, vol, "files", "names"))
    for name in REFUSED:
        for way in stage.choose.sample(_WAYS, 3):
            try:
                way(things[name])
            except TypeError:
                continue
            stage.wrong.append(f"{name} was copied")
    for way in _WAYS:
        described = way(vol)
        if described.mounted or (described.hosts, described.volname) != (vol.hosts, vol.volname):
            stage.wrong.append(f"{described!r}")
        status = vol.stat(stage.folder)
        if bytes(way(status)) != bytes(status):
            stage.wrong.append("another status")
    for thread in threads:
        thread.join()
    things["told"].close()
    for name in ("walk", "walk_with_stat", "entries", "handles", "dir", "lock", "watch"):
        with contextlib.suppress(AttributeError):
            things[name].close()
    things["raw"].descriptor.close()
