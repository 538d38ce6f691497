"""Offsets and sizes past 2, 4 and 8 GiB, on sparse files."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

GIB = 1 << 30
SIZES = pytest.mark.parametrize("gib", [2, 4, 8])


@pytest.fixture
def file(vol: gfapi.Volume, folder: str) -> Iterator[gfapi.File]:
    with vol.fopen(f"{folder}/large", "w+") as file:
        yield file


@SIZES
def test_a_write_past_it_reads_back(
    vol: gfapi.Volume, folder: str, file: gfapi.File, gib: int
) -> None:
    start = gib * GIB - 3
    assert file.seek(start) == start
    assert file.write(b"across the border") == 17
    assert file.tell() == start + 17
    assert file.fgetsize() == start + 17
    assert vol.getsize(f"{folder}/large") == start + 17
    assert file.seek(-17, os.SEEK_END) == start
    assert file.read() == b"across the border"
    with vol.fopen(f"{folder}/large") as other:
        assert other.seek(start) == start
        assert other.read(100) == b"across the border"
        assert other.seek(start - 5) == start - 5
        buffer = bytearray(8)
        assert other.readinto(buffer) == 8
        assert buffer == b"\0\0\0\0\0acr"


@SIZES
def test_what_another_client_wrote_past_it_reads_back(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str, gib: int
) -> None:
    with sandbox_volume.client() as other, other.fopen(f"{folder}/other", "w") as writer:
        writer.seek(gib * GIB)
        writer.write(b"beyond")
    with vol.fopen(f"{folder}/other") as reader:
        reader.seek(gib * GIB)
        assert reader.read() == b"beyond"


@SIZES
def test_ftruncate_extends_to_it_and_cuts_down_to_it(file: gfapi.File, gib: int) -> None:
    file.ftruncate(gib * GIB + 5)
    assert file.fgetsize() == gib * GIB + 5
    file.seek(gib * GIB)
    assert file.read() == bytes(5)
    file.ftruncate(gib * GIB)
    assert file.fgetsize() == gib * GIB
    assert file.truncate(gib * GIB - 1) == gib * GIB - 1
    assert file.fgetsize() == gib * GIB - 1


@SIZES
def test_a_file_in_append_mode_goes_on_past_it(
    vol: gfapi.Volume, folder: str, file: gfapi.File, gib: int
) -> None:
    file.ftruncate(gib * GIB)
    with vol.fopen(f"{folder}/large", "a") as appender:
        assert appender.tell() == gib * GIB
        appender.write(b"end")
        assert appender.tell() == gib * GIB + 3
    file.seek(gib * GIB)
    assert file.read() == b"end"


@SIZES
def test_discard_past_it_leaves_the_rest(file: gfapi.File, gib: int) -> None:
    file.seek(gib * GIB)
    file.write(b"x" * (1 << 17))
    file.discard(gib * GIB, 1 << 16)
    file.seek(gib * GIB)
    assert file.read() == bytes(1 << 16) + b"x" * (1 << 16)


@SIZES
def test_fallocate_and_zerofill_past_it_keep_their_offsets(
    file: gfapi.File, sandbox_volume: sandbox.SandboxVolume, gib: int
) -> None:
    file.fallocate(0, gib * GIB, 1 << 16)
    assert file.fgetsize() == gib * GIB + (1 << 16)
    assert file.fstat().st_blocks * 512 < GIB
    if not sandbox_volume.layout.disperse:
        file.seek(gib * GIB)
        file.write(b"x" * 10)
        file.zerofill(gib * GIB + 2, 3)
        file.seek(gib * GIB)
        assert file.read(11) == b"xx\0\0\0xxxxx\0"


def test_a_sparse_file_takes_no_space_for_its_holes(file: gfapi.File) -> None:
    file.seek(8 * GIB)
    file.write(b"x")
    file.fsync()
    assert file.fstat().st_size == 8 * GIB + 1
    assert file.fstat().st_blocks * 512 < 1 << 20


def test_one_write_of_many_mib_is_written_whole_and_read_whole(file: gfapi.File) -> None:
    data = os.urandom(1 << 20) * 20 + b"odd"
    assert file.write(data) == len(data)
    file.seek(0)
    assert file.read() == data
    buffer = bytearray(len(data))
    file.seek(0)
    assert file.readinto(buffer) == len(data)
    assert buffer == data
    file.seek(0)
    assert file.read(len(data) - 1) == data[:-1]


def test_a_position_past_what_64_bits_hold_is_an_overflow_error(file: gfapi.File) -> None:
    with pytest.raises(OverflowError):
        file.seek(1 << 63)
    assert file.tell() == 0
