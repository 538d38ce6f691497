"""Ctrl-C at any moment of a call: nothing that C has opened is lost, and nobody stays inside.

An interrupt comes where Python looks for signals: as a function begins, or as one of C's is over.
A profile function is called just there, so a call is made again and again with an interrupt at one
place after the other.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import inspect
import os
import stat
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from gluster import gfapi
from gluster.gfapi import api
from gluster.gfapi.gate import held, is_inside

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


def called_everywhere(look: Callable[[], Any], action: Callable[[], Any]) -> dict[str, Any]:
    """Do something, and look at each place where a signal's handler may be called; what it saw."""
    seen: dict[str, Any] = {}

    def handle(frame: Any, event: str, _: Any) -> None:
        if event != "c_call" and is_ours(frame):
            sys.setprofile(None)
            seen[f"{len(seen)}: {event} at {frame.f_code.co_name}:{frame.f_lineno}"] = look()
            sys.setprofile(handle)

    sys.setprofile(handle)
    try:
        action()
    finally:
        sys.setprofile(None)
    return seen


def close_beside_asynchronous_calls(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file:
        file.write_async(b"x" * 70000)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    "action", [*ACTIONS.values(), close_beside_asynchronous_calls], ids=[*ACTIONS, "close"]
)
def test_a_handler_knows_what_its_own_thread_is_inside_of(
    plain_vol: gfapi.Volume, file: str, action: Callable[[gfapi.Volume, str], Any]
) -> None:
    mount = plain_vol._mount

    def is_known() -> Optional[bool]:
        gates: list[Any] = [mount, *mount.descriptors, *mount.objects]
        others_work = any(getattr(gate, "backlog", None) for gate in gates)
        is_busy = any(gate.calls for gate in gates) and not others_work
        is_closing = any(getattr(gate, "is_closed", not gate.is_open) for gate in gates)
        return is_inside(gates) if is_busy or is_closing else None

    with plain_vol.fopen(file, "w"):
        pass
    seen = called_everywhere(is_known, lambda: action(plain_vol, file))
    assert [place for place, known in seen.items() if known is False] == []
    assert True in seen.values()


def test_a_handler_that_unmounts_or_closes_what_its_thread_is_inside_of_is_refused_at_once(
    plain: Any, plain_folder: str
) -> None:
    told: list[Any] = []

    def handle(frame: Any, event: str, _: Any) -> None:
        if event == "c_return" and frame.f_code.co_name in ("glfs_stat", "glfs_read"):
            sys.setprofile(None)
            try:
                file.close() if frame.f_code.co_name == "glfs_read" else vol.umount()
            except (OSError, gfapi.LibgfapiException) as error:
                told.append((type(error), error.errno, str(error)))

    with plain.client() as vol, vol.fopen(f"{plain_folder}/file", "w+") as file:
        file.write(b"x")
        for action in (lambda: vol.stat("/"), lambda: file.read()):
            sys.setprofile(handle)
            try:
                action()
            finally:
                sys.setprofile(None)
        assert file.pread(1, 0) == b"x"
    inside = "this thread is inside a call of it"
    assert told == [
        (gfapi.LibgfapiException, errno.EDEADLK, f"umount: {inside}"),
        (OSError, errno.EDEADLK, f"[Errno {errno.EDEADLK}] {inside}: '{plain_folder}/file'"),
    ]


def test_an_unmount_of_one_thread_waits_for_the_calls_of_another(plain_vol: gfapi.Volume) -> None:
    mount = plain_vol._mount
    with held(mount):
        pool = futures.ThreadPoolExecutor(1)
        assert pool.submit(is_inside, [mount]).result(10) is False
        assert is_inside([mount]) is True
        pool.shutdown()
    assert is_inside([mount]) is False


def test_a_thread_is_not_inside_a_section_that_an_interrupt_kept_it_from_entering(
    plain_vol: gfapi.Volume, file: str
) -> None:
    """Nobody ends the section as long as somebody has the traceback."""
    mount = plain_vol._mount

    def interrupt(frame: Any, event: str, _: Any) -> None:
        if event == "c_return" and frame.f_code.co_name == "__enter__" and is_ours(frame.f_back):
            sys.setprofile(None)
            raise KeyboardInterrupt

    with plain_vol.fopen(file, "w"):
        pass
    sys.setprofile(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            plain_vol.rename(file, file + "-2")
    finally:
        sys.setprofile(None)
    assert mount.calls
    assert not is_inside([mount])
    caught.value.__traceback__ = None
    del caught
    gc.collect()
    assert not mount.calls


@pytest.mark.parametrize("begins", ["write_async", "fsync_async"])
def test_calls_that_a_handler_submits_in_the_middle_of_a_submission_are_all_made(
    plain_vol: gfapi.Volume, file: str, begins: str
) -> None:
    def submit(to: gfapi.File) -> Any:
        return to.write_async(b"x") if begins == "write_async" else to.fsync_async()

    with plain_vol.fopen(file, "w") as opened:
        submit(opened).result(20)  # what is imported at first use is imported
        number, seen = 0, 1
        while seen:
            number += 1
            made: list[Any] = []
            seen = 0

            def handle(frame: Any, event: str, _: Any, number: int = number) -> None:
                nonlocal seen
                seen += (
                    event != "c_call" and is_ours(frame) and "workers" in frame.f_code.co_filename
                )
                if seen == number:
                    sys.setprofile(None)
                    made.append(submit(opened))  # noqa: B023 - called in this round alone

            sys.setprofile(handle)
            made.append(submit(opened))
            sys.setprofile(None)
            for future in made:
                future.result(20)
            seen = seen == number
    assert number > 10
