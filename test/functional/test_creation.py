"""Files that are made while other threads list the directory."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import creation

FILES = 100  # of which one in fifteen was open on an inode that nobody else had


@contextlib.contextmanager
def others_list(vol: gfapi.Volume, folder: str) -> Iterator[None]:
    """Have two threads list a directory all the time."""
    over = threading.Event()

    def list_it() -> None:
        while not over.is_set():
            for _ in vol.scandir(folder):
                pass

    threads = [threading.Thread(target=list_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def make_below(handle: gfapi.Handle) -> Callable[[gfapi.Volume, str], gfapi.File]:
    def make(vol: gfapi.Volume, path: str) -> gfapi.File:
        made, file = handle.create_open(os.path.basename(path))
        made.close()
        return file

    return make


@pytest.mark.parametrize("way", ["fopen", "create_open"])
def test_a_file_made_while_others_list_has_a_type_and_its_size_is_told_right(
    vol: gfapi.Volume, folder: str, way: str
) -> None:
    make: Callable[[gfapi.Volume, str], gfapi.File] = lambda vol, path: vol.fopen(path, "x")  # noqa: E731
    wrong: dict[str, Any] = {}
    with vol.lookup(folder) as handle, others_list(vol, folder):
        if way == "create_open":
            make = make_below(handle)
        for number in range(FILES):
            path = f"{folder}/{number}"
            with make(vol, path) as file:
                kind = stat.S_IFMT(file.fstat().st_mode)
                file.write(b"x" * 100)
            size = vol.stat(path).st_size
            if (kind, size) != (stat.S_IFREG, 100):
                wrong[path] = kind, size
            if number % 10 == 9:
                for earlier in range(number - 9, number + 1):
                    vol.unlink(f"{folder}/{earlier}")
    assert wrong == {}


def test_a_file_whose_place_another_one_took_is_still_the_one_that_was_made(
    plain_vol: gfapi.Volume, plain_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{plain_folder}/made"

    def replace(descriptor: Any) -> bool:
        monkeypatch.undo()
        plain_vol.rename(path, f"{plain_folder}/renamed")
        with plain_vol.fopen(path, "x") as other:
            other.write(b"other")
        return False

    monkeypatch.setattr(creation, "_has_type", replace)
    with plain_vol.fopen(path, "x") as file:
        file.write(b"made")
    with plain_vol.fopen(f"{plain_folder}/renamed") as file:
        assert file.read() == b"made"
    with plain_vol.fopen(path) as file:
        assert file.read() == b"other"


def test_a_file_that_is_gone_before_it_is_opened_again_can_be_written(
    plain_vol: gfapi.Volume, plain_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{plain_folder}/made"

    def remove(descriptor: Any) -> bool:
        monkeypatch.undo()
        plain_vol.unlink(path)
        return False

    monkeypatch.setattr(creation, "_has_type", remove)
    with plain_vol.fopen(path, "x+") as file:
        file.write(b"made")
        file.seek(0)
        assert file.read() == b"made"
    assert not plain_vol.exists(path)


def test_what_is_opened_again_is_one_file_with_one_descriptor(
    plain: Any,
    plain_vol: gfapi.Volume,
    plain_folder: str,
    monkeypatch: pytest.MonkeyPatch,
    open_on_bricks: Callable[..., int],
    wait_until: Callable[..., None],
) -> None:
    path = f"{plain_folder}/made"
    monkeypatch.setattr(creation, "_has_type", lambda descriptor: False)
    with plain_vol.fopen(path, "x") as file:
        assert [d.path for d in plain_vol._mount.descriptors].count(path) == 1
        file.write(b"made")
        file.fsync()
        wait_until(lambda: open_on_bricks(plain, path) == 1)
    wait_until(lambda: open_on_bricks(plain, path) == 0)
