"""The metadata half of File: utime, setattr, and the Volume that it is on."""

from __future__ import annotations

import errno
import gc
import os
import stat
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox


@pytest.fixture
def file(vol: gfapi.Volume, folder: str) -> Iterator[gfapi.File]:
    """An open file of ten bytes."""
    with vol.fopen(f"{folder}/file", "w+") as file:
        file.write(b"0123456789")
        yield file


def times(vol: gfapi.Volume, file: gfapi.File) -> tuple[int, int]:
    status, by_path = file.fstat(), vol.stat(file.name or "")
    assert status.st_mtime_ns == by_path.st_mtime_ns
    return status.st_atime_ns, status.st_mtime_ns


def test_utime_sets_both_times(vol: gfapi.Volume, file: gfapi.File) -> None:
    file.utime((1.5, 1_000_000_000))
    assert times(vol, file) == (1_500_000_000, 10**18)
    file.utime(ns=(10**18 + 7, 10**18 + 9))
    assert times(vol, file) == (10**18 + 7, 10**18 + 9)
    before = time.time_ns()
    file.utime()
    assert all(before <= moment <= time.time_ns() for moment in times(vol, file))


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"times": (1, 2), "ns": (1, 2)}, ValueError),
        ({"times": 5}, TypeError),
        ({"times": (1, 2, 3)}, TypeError),
        ({"ns": (1.5, 2)}, TypeError),
        ({"times": ("1", "2")}, TypeError),
        ({"ns": (1 << 200, 0)}, OverflowError),
    ],
)
@pytest.mark.parametrize("method", ["utime", "setattr"])
def test_times_that_are_none(file: gfapi.File, method: str, given: Any, error: Any) -> None:
    before = file.fstat().st_mtime_ns
    with pytest.raises(error):
        getattr(file, method)(**given)
    assert file.fstat().st_mtime_ns == before


def test_setattr_sets_all_that_it_is_given(vol: gfapi.Volume, file: gfapi.File) -> None:
    file.setattr(mode=0o4711, uid=1000, gid=1001, size=4, ns=(10**18, 10**18 + 1))
    status = vol.stat(file.name or "")
    assert stat.S_IMODE(status.st_mode) == 0o4711
    assert (status.st_uid, status.st_gid, status.st_size) == (1000, 1001, 4)
    assert times(vol, file) == (10**18, 10**18 + 1)
    assert file.pread(10, 0) == b"0123"


def test_setattr_leaves_what_it_is_not_given(vol: gfapi.Volume, file: gfapi.File) -> None:
    file.setattr(mode=0o640, uid=1000, gid=1001, times=(1, 2))
    for given, changed in (
        ({"gid": 5}, ("st_gid", 5)),
        ({"uid": 6, "gid": -1}, ("st_uid", 6)),
        ({"mode": 0o600}, ("st_mode", 0o100600)),
        ({"uid": -1}, ("st_size", 10)),
        ({}, ("st_size", 10)),
    ):
        expected = {
            name: getattr(file.fstat(), name)
            for name in ("st_mode", "st_uid", "st_gid", "st_size", "st_mtime_ns", "st_atime_ns")
        }
        expected[changed[0]] = changed[1]
        file.setattr(**given)  # type: ignore[arg-type]
        status = vol.stat(file.name or "")
        assert {name: getattr(status, name) for name in expected} == expected
    file.setattr(size=3)
    assert (file.fgetsize(), vol.getsize(file.name or "")) == (3, 3)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"mode": "0644"}, TypeError),
        ({"mode": -1}, OverflowError),
        ({"uid": -2}, OverflowError),
        ({"gid": 1 << 32}, OverflowError),
        ({"size": 1.5}, TypeError),
        ({"size": 1 << 63}, OverflowError),
        ({"size": -1}, OSError),
    ],
)
def test_bad_attributes_change_nothing(file: gfapi.File, given: Any, error: Any) -> None:
    with pytest.raises(error):
        file.setattr(**{"mode": 0o777, **given})
    assert stat.S_IMODE(file.fstat().st_mode) == 0o666
    assert file.fgetsize() == 10


def test_a_closed_file_is_a_bad_descriptor(vol: gfapi.Volume, folder: str) -> None:
    file = vol.fopen(f"{folder}/file", "w")
    file.close()
    for ask in (file.utime, file.setattr, lambda: file.setattr(size=1), lambda: file.volume):
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            ask()
        assert (caught.value.errno, caught.value.filename) == (errno.EBADF, f"{folder}/file")


# ------------------------------------------------------------------------------ the Volume


def test_a_file_knows_its_volume(vol: gfapi.Volume, file: gfapi.File) -> None:
    assert file.volume is vol
    with file.dup() as dup:
        assert dup.volume is vol
    with gfapi.File(vol.open(file.name or "", os.O_RDONLY)) as again:
        assert again.volume is vol
    assert file.volume.getsize(file.name or "") == 10


def test_a_file_of_an_unmounted_volume_has_none(plain: sandbox.SandboxVolume) -> None:
    vol = plain.client()
    vol.mount()
    file = vol.fopen("/of-an-unmounted-volume", "w")
    vol.umount()
    with pytest.raises(OSError, match="Bad file descriptor"):
        _ = file.volume


def test_a_file_outlives_its_volume_and_says_so(plain: sandbox.SandboxVolume) -> None:
    vol = plain.client()
    vol.mount()
    with vol.fopen("/outlives", "w+") as file:
        gone = weakref.ref(vol)
        del vol
        gc.collect()
        assert gone() is None
        file.write(b"still here")
        assert file.pread(5, 6) == b"here"
        with pytest.raises(ReferenceError, match="/outlives"):
            _ = file.volume
