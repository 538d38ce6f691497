"""What a brick says of a file that is just being moved, as that it is empty, is asked again."""

from __future__ import annotations

import functools
import os
import stat
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api, rereading
from gluster.gfapi.handle import Handle

CONTENT = bytes(range(256)) * 40
FUNCTIONS = ("glfs_read", "glfs_readv", "glfs_pread", "glfs_preadv", "glfs_h_anonymous_read")


def _filled(read: Callable[[bytearray], int]) -> bytes:
    memory = bytearray(2 * len(CONTENT))
    return bytes(memory[: read(memory)])


def _after_a_call_at_an_offset(file: gfapi.File) -> bytes:
    file.pread(1, 5)  # from now on, gfapi keeps the position
    return file.read(2 * len(CONTENT))


def _handle_of(file: gfapi.File) -> Handle:
    return file.volume.lookup(file.name or "")


WAYS: dict[str, Callable[[gfapi.File], bytes]] = {
    "read": lambda file: file.read(2 * len(CONTENT)),
    "read all": lambda file: file.read(),
    "readinto": lambda file: _filled(file.readinto),
    "readline": lambda file: b"".join(file.readlines()),
    "readv": lambda file: _filled(lambda memory: file.readv([memory])),
    "pread": lambda file: file.pread(2 * len(CONTENT), 0),
    "preadinto": lambda file: _filled(lambda memory: file.preadinto(memory, 0)),
    "preadv": lambda file: _filled(lambda memory: file.preadv([memory], 0)),
    "read_async": lambda file: file.read_async(2 * len(CONTENT)).result(),
    "read after pread": _after_a_call_at_an_offset,
    "pread by a handle": lambda file: _handle_of(file).pread(2 * len(CONTENT), 0),
    "preadinto by a handle": lambda file: _filled(
        lambda memory: _handle_of(file).preadinto(memory, 0)
    ),
}


@pytest.fixture
def path(plain_vol: gfapi.Volume, plain_folder: str) -> str:
    path = f"{plain_folder}/file"
    with plain_vol.fopen(path, "w") as file:
        file.write(CONTENT)
        file.fsync()
    return path


def _replace_reads(monkeypatch: pytest.MonkeyPatch, replacement: Callable[..., int]) -> None:
    """Have each read in C made by a function that gets its name, itself and its arguments."""
    for name in FUNCTIONS:
        monkeypatch.setattr(api, name, functools.partial(replacement, name, getattr(api, name)))


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes each second read that would find something find nothing; the names of all that did."""
    found: list[str] = []

    def read(name: str, real: Callable[..., int], *arguments: Any) -> int:
        if not found or found[-1]:
            found.append("")
            return 0
        found.append(name)
        return real(*arguments)

    _replace_reads(monkeypatch, read)
    return found


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What each read in C has returned."""
    results: list[int] = []

    def read(name: str, real: Callable[..., int], *arguments: Any) -> int:
        results.append(real(*arguments))
        return results[-1]

    _replace_reads(monkeypatch, read)
    return results


def _size_is_told_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "glfs_fstat", lambda gate, stat: None)
    monkeypatch.setattr(api, "glfs_h_stat", lambda mount, held, stat: None)


@pytest.mark.parametrize("is_told_empty", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_read_as_nothing_is_read_again(
    plain_vol: gfapi.Volume,
    path: str,
    moved: list[str],
    way: str,
    is_told_empty: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with plain_vol.fopen(path, "r") as file:
        if is_told_empty:
            _size_is_told_as_none(monkeypatch)
        assert WAYS[way](file) == CONTENT
    assert any(moved)


@pytest.mark.parametrize("call", ["copyfile", "copytree"])
def test_a_copy_waits_for_a_file_that_is_told_to_be_empty_and_was_not(
    plain_vol: gfapi.Volume, path: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    left = [None] * 4  # reads that find nothing

    def read(name: str, real: Callable[..., int], *arguments: Any) -> int:
        return 0 if left and left.pop() is None else real(*arguments)

    folder, name = os.path.split(path)
    source, target = (folder, f"{folder}-copy") if call == "copytree" else (path, f"{path}-copy")
    _replace_reads(monkeypatch, read)
    _size_is_told_as_none(monkeypatch)
    getattr(plain_vol, call)(source, target)
    monkeypatch.undo()
    assert not left
    with plain_vol.fopen(f"{target}/{name}" if call == "copytree" else target) as file:
        assert file.read() == CONTENT


def test_a_copy_is_not_cut_short(plain_vol: gfapi.Volume, path: str, moved: list[str]) -> None:
    plain_vol.copyfile(path, f"{path}-copy")
    assert any(moved)
    with plain_vol.fopen(f"{path}-copy", "r") as file:
        assert file.read() == CONTENT


@pytest.mark.parametrize("beyond", [0, 100])
def test_at_the_end_of_a_file_nothing_is_read_again(
    plain_vol: gfapi.Volume, path: str, counted: list[int], beyond: int
) -> None:
    with plain_vol.fopen(path, "r") as file:
        file.seek(len(CONTENT) + beyond)
        assert file.read(10) == b""
        assert file.pread(10, len(CONTENT) + beyond) == b""
        assert file.readv([bytearray(10)]) == 0
        assert _handle_of(file).pread(10, len(CONTENT) + beyond) == b""
    assert counted == [0, 0, 0, 0]


def test_an_empty_file_is_read_twice_and_stays_empty(
    plain_vol: gfapi.Volume, plain_folder: str, counted: list[int]
) -> None:
    with plain_vol.fopen(f"{plain_folder}/empty", "w+") as file:
        assert file.read(10) == b""
        assert file.tell() == 0
    assert counted == [0, 0]


# ------------------------------------------------------------------------------------ status


@pytest.fixture
def marked(path: str, plain_vol: gfapi.Volume, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with the status of the mark of a rebalance: in listings, and twice by its path."""
    plain_vol.chmod(path, 0o640)
    left = [None] * 2
    list_in_c, stat_in_c = api.glfs_readdirplus_r, api.glfs_stat

    def listed(gate: Any, stat: api.Stat, entry: Any, found: Any) -> None:
        list_in_c(gate, stat, entry, found)
        if entry.d_name == b"file":
            stat.st_mode = rereading.MARK

    def status(mount: Any, asked: Any, stat: api.Stat) -> None:
        stat_in_c(mount, asked, stat)
        if asked == path and left:
            left.pop()
            stat.st_mode = rereading.MARK

    monkeypatch.setattr(api, "glfs_readdirplus_r", listed)
    monkeypatch.setattr(api, "glfs_stat", status)
    return path


def test_a_listing_tells_the_status_of_a_file_that_is_being_moved(
    plain_vol: gfapi.Volume, marked: str
) -> None:
    with plain_vol.scandir(os.path.dirname(marked)) as entries:
        assert [stat.S_IMODE(entry.stat().st_mode) for entry in entries] == [0o640]


@pytest.mark.parametrize("call", ["copy", "copy2", "copytree", "copymode", "copystat"])
def test_no_copy_gets_the_mode_of_a_mark(plain_vol: gfapi.Volume, marked: str, call: str) -> None:
    """Nobody reads anything from a file of that mode on a distributed volume."""
    source, target = marked, f"{marked}-copy"
    if call == "copytree":
        source, target = os.path.dirname(marked), f"{os.path.dirname(marked)}-copy"
    elif call in ("copymode", "copystat"):
        plain_vol.touch(target)
    getattr(plain_vol, call)(source, target)
    target = f"{target}/file" if call == "copytree" else target
    assert stat.S_IMODE(plain_vol.stat(target).st_mode) == 0o640
