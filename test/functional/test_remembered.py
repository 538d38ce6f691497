"""Names that another client or thread has given to something else, or taken away."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gluster import gfapi


@pytest.fixture
def other(sandbox_volume: Any) -> Iterator[gfapi.Volume]:
    """Another client, who knows nothing of what this one does."""
    with sandbox_volume.client() as vol:
        yield vol


def replace(vol: gfapi.Volume, path: str, content: bytes) -> None:
    with vol.fopen(path + ".new", "x") as file:
        file.write(content)
    vol.rename(path + ".new", path)


def read(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


def test_what_another_client_has_replaced_is_opened_as_it_is_now(
    vol: gfapi.Volume, other: gfapi.Volume, folder: str
) -> None:
    path = f"{folder}/file"
    for number in range(10):
        replace(other, path, b"%d" % number)
        assert read(vol, path) == b"%d" % number
        vol.stat(path)


def test_what_another_client_replaces_all_the_time_can_always_be_opened(
    sandbox_volume: Any, vol: gfapi.Volume, other: gfapi.Volume, folder: str
) -> None:
    if sandbox_volume.layout.disperse:
        pytest.skip("a dispersed volume may say EIO when its bricks do not agree")
    path, over = f"{folder}/file", threading.Event()
    replace(other, path, b"0")

    def replace_on() -> None:
        while not over.is_set():
            replace(other, path, b"0")

    thread = threading.Thread(target=replace_on)
    thread.start()
    try:
        for _ in range(100):
            vol.fopen(path, "r+").close()
    finally:
        over.set()
        thread.join()


def test_what_another_client_has_removed_can_be_made_at_once(
    vol: gfapi.Volume, other: gfapi.Volume, folder: str
) -> None:
    path, directory = f"{folder}/file", f"{folder}/directory"
    vol.fopen(path, "x").close()
    vol.mkdir(directory)
    for _ in range(3):
        vol.stat(path)
        vol.stat(directory)
        other.unlink(path)
        other.rmdir(directory)
        vol.fopen(path, "x").close()
        vol.mkdir(directory)
    with pytest.raises(FileExistsError):
        vol.fopen(path, "x")
    with pytest.raises(FileExistsError):
        vol.mkdir(directory)


def test_what_is_missing_or_a_broken_link_stays_so(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    with pytest.raises(FileNotFoundError):
        plain_vol.fopen(f"{plain_folder}/missing")
    with pytest.raises(FileNotFoundError):
        plain_vol.opendir(f"{plain_folder}/missing")
    plain_vol.symlink("nowhere", f"{plain_folder}/broken")
    with pytest.raises(FileNotFoundError):
        plain_vol.fopen(f"{plain_folder}/broken")
    with pytest.raises(FileExistsError):
        plain_vol.fopen(f"{plain_folder}/broken", "x")
    with pytest.raises(FileExistsError):
        plain_vol.mkdir(f"{plain_folder}/broken")


def test_a_file_that_another_client_removes_while_it_is_read_is_closed_without_an_error(
    plain: Any, plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    path = f"{plain_folder}/file"
    with plain_vol.fopen(path, "x") as file:
        file.write(b"x")
    with plain.client() as reader:
        file = reader.fopen(path)
        plain_vol.unlink(path)
        file.close()


def test_a_directory_that_another_client_has_replaced_is_listed_as_it_is_now(
    vol: gfapi.Volume, other: gfapi.Volume, folder: str
) -> None:
    path = f"{folder}/directory"
    for number in range(3):
        other.mkdir(path)
        other.mkdir(f"{path}/{number}")
        with vol.opendir(path) as opened:
            found = {os.fsdecode(entry.d_name) for entry in opened}
        assert found - {".", ".."} == {str(number)}
        other.rmtree(path)
