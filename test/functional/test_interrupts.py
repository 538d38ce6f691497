"""Ctrl-C at any moment of a call: nothing that C has opened is lost, and nobody stays inside.

An interrupt comes where Python looks for signals: as a function begins, or as one of C's is over.
A profile function is called just there, so a call is made again and again with an interrupt at one
place after the other.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api

PACKAGE = str(Path(gfapi.__file__).parent)
OPENERS = (
    *("glfs_open", "glfs_creat", "glfs_dup", "glfs_opendir", "glfs_h_open", "glfs_h_opendir"),
    *("glfs_h_lookupat", "glfs_h_create_from_handle", "glfs_object_copy", "glfs_h_creat"),
    *("glfs_h_creat_open", "glfs_h_mkdir", "glfs_h_mknod", "glfs_h_symlink"),
)
CLOSERS = ("glfs_close", "glfs_closedir", "glfs_h_close")


def is_ours(frame: Any) -> bool:
    """Whether it is a frame of the package."""
    place: str = frame.f_code.co_filename
    return place.startswith(PACKAGE) or place == "<gfapi>"


def interrupted_at(number: int, action: Callable[[], Any]) -> str:
    """Do something with an interrupt at this place; where that was, or "" if it is over before."""
    places: list[str] = []

    def interrupt(frame: Any, event: str, _: Any) -> None:
        if event == "c_call" or not is_ours(frame):
            return
        if event == "call" and frame.f_code.co_name == "__del__":
            return  # before it can do anything, and Python drops the interrupt
        if event == "return" and frame.f_code.co_flags & inspect.CO_GENERATOR:
            return  # a yield, where no interrupt comes
        places.append(f"{event} at {frame.f_code.co_name}:{frame.f_lineno}")
        if len(places) == number:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(interrupt)
    try:
        action()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    return places[-1] if len(places) == number else ""


@pytest.fixture
def c_has_open(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """What C has opened and not closed."""
    opened: set[int] = set()

    def watch(name: str, look: Callable[[Any, Any], None]) -> None:
        names = getattr(api, name).__globals__
        function = names["function"]

        def call(*arguments: Any) -> Any:
            result = function(*arguments)
            look(arguments, result)
            return result

        monkeypatch.setitem(names, "function", call)

    for name in OPENERS:
        watch(name, lambda arguments, result: opened.add(result) if result else None)
    for name in CLOSERS:
        watch(name, lambda arguments, result: opened.discard(arguments[0]))
    return opened


def use(thing: Any) -> None:
    with thing:
        pass


def close_both(pair: Any) -> None:
    with pair[0], pair[1]:
        pass


ACTIONS: dict[str, Callable[[gfapi.Volume, str], Any]] = {
    "fopen to read": lambda vol, path: use(vol.fopen(path)),
    "fopen to write": lambda vol, path: use(vol.fopen(path, "w")),
    "fopen to append": lambda vol, path: use(vol.fopen(path, "a")),
    "fopen what is new": lambda vol, path: use(vol.fopen(fresh(path), "x")),
    "touch": lambda vol, path: vol.touch(fresh(path)),
    "dup": lambda vol, path: use(vol.fopen(path).dup()),
    "opendir": lambda vol, path: use(vol.opendir("/")),
    "scandir": lambda vol, path: [*vol.scandir(os.path.dirname(path))],
    "scandir with handles": lambda vol, path: [
        use(entry.handle()) for entry in vol.scandir(os.path.dirname(path), handles=True)
    ],
    "lookup": lambda vol, path: use(vol.lookup(path)),
    "lookup_gfid": lambda vol, path: use(vol.lookup_gfid(vol.lookup(path).gfid)),
    "copy of a handle": lambda vol, path: use(vol.lookup(path).copy()),
    "fopen of a handle": lambda vol, path: use(vol.lookup(path).fopen("w")),
    "opendir of a handle": lambda vol, path: use(vol.lookup("/").opendir()),
    "create": lambda vol, path: use(vol.lookup("/").create(fresh(path)[1:])),
    "create_open": lambda vol, path: close_both(vol.lookup("/").create_open(fresh(path)[1:])),
    "mkdir": lambda vol, path: use(vol.lookup("/").mkdir(fresh(path)[1:])),
    "mknod": lambda vol, path: use(vol.lookup("/").mknod(fresh(path)[1:], stat.S_IFIFO)),
    "symlink": lambda vol, path: use(vol.lookup("/").symlink("x", fresh(path)[1:])),
    "rename": lambda vol, path: [vol.rename(path, path + "-2"), vol.rename(path + "-2", path)],
    "access": lambda vol, path: vol.access(path, os.R_OK),
    "copy": lambda vol, path: vol.copyfile(path, fresh(path)),
}
numbers = iter(range(1 << 30))


def fresh(path: str) -> str:
    """A name in the root where nothing is."""
    return f"/interrupts-{os.getpid()}-{next(numbers)}"


@pytest.fixture
def file(plain_vol: gfapi.Volume, plain_folder: str) -> Iterator[str]:
    yield f"{plain_folder}/file"
    for name in plain_vol.listdir("/"):
        if name.startswith("interrupts-"):
            entry = plain_vol.lookup("/")
            entry.unlink(name)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
# Of one in a __del__, or in the end of a generator that is dropped.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ACTIONS)
def test_an_interrupt_anywhere_leaves_nothing_open_and_nobody_inside(
    plain_vol: gfapi.Volume, file: str, c_has_open: set[int], name: str
) -> None:
    mount = plain_vol._mount
    others = {*mount.descriptors, *mount.objects}  # of tests that have failed
    wrong: dict[str, Any] = {}
    number = 0
    place = "none yet"
    while place:
        number += 1
        with plain_vol.fopen(file, "w"):  # whose rename was interrupted may be elsewhere
            pass
        place = interrupted_at(number, lambda: ACTIONS[name](plain_vol, file))
        left = [*({*mount.descriptors, *mount.objects} - others), *mount.calls, *c_has_open]
        if left:
            wrong[f"{number}: {place}"] = left
            for thing in {*mount.descriptors, *mount.objects} - others:
                with contextlib.suppress(OSError):
                    thing.close()
            mount.calls.clear()
            c_has_open.clear()
    assert wrong == {}
    assert number > 10
