"""truncate by path, and copies from one open file to another."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import content, sandbox, transfer

MIB = 1 << 20


@pytest.fixture
def path(folder: str) -> str:
    """Where there is nothing yet."""
    return f"{folder}/file"


def read(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


def write(vol: gfapi.Volume, path: str, data: bytes) -> None:
    with vol.fopen(path, "w") as file:
        file.write(data)


# ------------------------------------------------------------------------------ truncate


def test_truncate_cuts_and_extends(vol: gfapi.Volume, path: str) -> None:
    write(vol, path, b"0123456789")
    vol.truncate(path, 4)
    assert read(vol, path) == b"0123"
    vol.truncate(os.fsencode(path), 6)
    assert read(vol, path) == b"0123\0\0"
    vol.truncate(path, 0)
    assert (read(vol, path), vol.getsize(path)) == (b"", 0)


def test_a_truncate_is_seen_through_a_file_that_is_open(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w+") as file, vol.fopen(path) as reader:
        file.write(b"x" * 4096)
        assert reader.read(5000) == b"x" * 4096
        vol.truncate(path, 1234)
        assert file.fstat().st_size == reader.fgetsize() == vol.getsize(path) == 1234
        assert reader.pread(5000, 0) == b"x" * 1234
        assert read(vol, path) == b"x" * 1234
        vol.truncate(path, 2000)
        assert reader.pread(5000, 0) == b"x" * 1234 + bytes(766)
        assert file.tell() == 4096


def test_truncate_follows_a_symbolic_link(vol: gfapi.Volume, path: str) -> None:
    write(vol, path, b"0123456789")
    vol.symlink(path, path + ".link")
    vol.truncate(path + ".link", 3)
    assert read(vol, path) == b"012"


def test_what_truncate_refuses(vol: gfapi.Volume, folder: str, path: str) -> None:
    write(vol, path, b"0123456789")
    vol.mknod(f"{folder}/fifo", 0o644 | stat.S_IFIFO, 0)
    for bad, length, code in (
        (folder, 0, errno.EISDIR),
        (path + ".none", 0, errno.ENOENT),
        (path, -1, errno.EINVAL),
        (f"{folder}/fifo", 0, errno.EINVAL),
        (path, (1 << 63) - 1, errno.EFBIG),
    ):
        with pytest.raises(OSError, match=os.strerror(code)) as caught:
            vol.truncate(bad, length)
        assert (caught.value.errno, caught.value.filename) == (code, bad)
    for wrong, error in ((1 << 63, OverflowError), (1.5, TypeError), ("1", TypeError)):
        with pytest.raises(error):
            vol.truncate(path, wrong)  # type: ignore[arg-type]
    assert read(vol, path) == b"0123456789"


# ------------------------------------------------------------------------------ copies


@pytest.fixture
def files(vol: gfapi.Volume, folder: str) -> Iterator[tuple[gfapi.File, gfapi.File]]:
    """A file of ten bytes at position 2, and one of three at position 1, both read and written."""
    with vol.fopen(f"{folder}/src", "w+") as src, vol.fopen(f"{folder}/dst", "w+") as dst:
        src.write(b"0123456789")
        src.seek(2)
        dst.write(b"abc")
        dst.seek(1)
        yield src, dst


def test_a_copy_goes_from_position_to_position_and_moves_both(
    vol: gfapi.Volume, files: tuple[gfapi.File, gfapi.File]
) -> None:
    src, dst = files
    assert vol.copy_file_range(src, dst, 4) == 4
    assert (src.tell(), dst.tell()) == (6, 5)
    assert dst.pread(20, 0) == b"a2345"
    assert vol.copy_file_range(src, dst, 100) == 4
    assert (src.tell(), dst.tell()) == (10, 9)
    assert vol.copy_file_range(src, dst, 100) == 0
    assert (src.tell(), dst.tell()) == (10, 9)
    dst.seek(0)
    assert dst.read() == b"a23456789"


def test_a_copy_at_offsets_leaves_the_positions(
    vol: gfapi.Volume, files: tuple[gfapi.File, gfapi.File]
) -> None:
    src, dst = files
    assert vol.copy_file_range(src, dst, count=3, offset_src=7, offset_dst=5) == 3
    assert (src.tell(), dst.tell()) == (2, 1)
    assert vol.copy_file_range(src, dst, 1, offset_dst=3) == 1
    assert (src.tell(), dst.tell()) == (3, 1)
    assert vol.copy_file_range(src, dst, 1, 0) == 1
    assert (src.tell(), dst.tell()) == (3, 2)
    assert vol.copy_file_range(src, dst, 0) == 0
    assert vol.copy_file_range(src, dst, 5, 500, 0) == 0
    assert dst.pread(20, 0) == b"a0c2\x00789"


@pytest.mark.usefixtures("brick_copies")
@pytest.mark.parametrize("by_brick", [False, True])
def test_a_copy_has_what_was_written_just_before_and_is_seen_at_once(
    vol: gfapi.Volume, folder: str, by_brick: bool
) -> None:
    """Whatever this client keeps in its memory of either file."""
    for number, size in enumerate((3000, 60_000, 3 * MIB)):
        old, new = os.urandom(size), os.urandom(size + 500)
        target = f"{folder}/dst{number}"
        write(vol, target, old)
        assert read(vol, target) == old
        with (
            vol.fopen(f"{folder}/src{number}", "w+") as src,
            vol.fopen(target, "r+") as dst,
            vol.fopen(target) as reader,
        ):
            assert reader.read() == old
            dst.write(b"overwritten")
            src.write(new)
            copied = vol.copy_file_range(src, dst, 1 << 40, 0, 0, by_brick=by_brick)
            assert copied == len(new)
            assert dst.fgetsize() == reader.fgetsize() == vol.getsize(target) == len(new)
            assert reader.pread(4 * MIB, 0) == dst.pread(4 * MIB, 0) == new
        assert read(vol, target) == new


def test_a_copy_is_on_all_bricks_and_seen_by_another_client(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str
) -> None:
    data = os.urandom(2 * MIB + 77)
    with vol.fopen(f"{folder}/src", "w+") as src, vol.fopen(f"{folder}/dst", "w+") as dst:
        src.write(data)
        assert vol.copy_file_range(src, dst, 2 * MIB, 77, 0) == 2 * MIB
        dst.fsync()
    if sandbox_volume.layout.replica:
        for brick in sandbox_volume.bricks:
            assert Path(f"{brick.path}{folder}/dst").read_bytes() == data[77:]
    with sandbox_volume.client() as other:
        assert read(other, f"{folder}/dst") == data[77:]


def test_a_copy_goes_on_where_another_client_has_appended(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str
) -> None:
    with (
        sandbox_volume.client() as other,
        other.fopen(f"{folder}/src", "w") as appending,
        vol.fopen(f"{folder}/dst", "w+") as dst,
    ):
        appending.write(b"a" * 200_000)
        appending.fsync()
        with vol.fopen(f"{folder}/src") as src:
            src.seek(200_000)
            for size in (100_000, 7):
                assert vol.copy_file_range(src, dst, MIB) == 0
                appending.write(b"b" * size)
                appending.fsync()
                assert vol.copy_file_range(src, dst, MIB) == size
            assert (src.tell(), dst.tell()) == (300_007, 100_007)
        assert dst.pread(MIB, 0) == b"b" * 100_007


def test_a_range_moves_within_a_file(
    vol: gfapi.Volume, files: tuple[gfapi.File, gfapi.File]
) -> None:
    src, _ = files
    with src.dup() as dup, vol.fopen(src.name or "", "r+") as again:
        assert vol.copy_file_range(src, src, 3, 0, 7) == 3
        assert vol.copy_file_range(src, dup, 100, 0, 10) == 10
        assert src.pread(100, 0) == b"01234560120123456012"
        for other in (src, dup, again):
            with pytest.raises(OSError, match="Invalid argument") as caught:
                vol.copy_file_range(src, other, 5, 4, 0)
            assert caught.value.errno == errno.EINVAL
        with pytest.raises(OSError, match="Invalid argument"):
            vol.copy_file_range(src, src, 5)
        assert src.tell() == 2


def test_a_glfd_is_a_file_too(vol: gfapi.Volume, folder: str) -> None:
    src = vol.open(f"{folder}/src", os.O_RDWR | os.O_CREAT)
    dst = vol.open(f"{folder}/dst", os.O_RDWR | os.O_CREAT)
    with gfapi.File(src) as file:
        file.write(b"0123456789")
        assert vol.copy_file_range(src, int(dst), 4, 3) == 4
        with gfapi.File(dst) as copied:
            assert copied.pread(10, 0) == b"3456"
    with pytest.raises(OSError, match="Bad file descriptor"):
        vol.copy_file_range(src, dst, 1)


def test_what_cannot_be_copied(
    vol: gfapi.Volume, folder: str, files: tuple[gfapi.File, gfapi.File]
) -> None:
    src, dst = files
    source, target = src.name or "", dst.name or ""
    with (
        vol.fopen(source) as reader,
        vol.fopen(target, "a") as appender,
        vol.fopen(target, "w") as writer,
        gfapi.File(vol.open(folder, os.O_RDONLY)) as directory,
    ):
        closed = vol.fopen(source)
        closed.close()
        cases: list[tuple[Any, Any, int]] = [
            (writer, dst, errno.EBADF),
            (src, reader, errno.EBADF),
            (src, appender, errno.EBADF),
            (closed, dst, errno.EBADF),
            (src, closed, errno.EBADF),
            (directory, dst, errno.EISDIR),
            (12345, dst, errno.EBADF),
        ]
        for one, other, code in cases:
            with pytest.raises(OSError, match=rf"Errno {code}\]"):
                vol.copy_file_range(one, other, 3)
    for arguments in ((3, -1, 0), (3, 0, -1)):
        with pytest.raises(OSError, match="Invalid argument"):
            vol.copy_file_range(src, dst, *arguments)
    with pytest.raises(ValueError, match="negative"):
        vol.copy_file_range(src, dst, -1)
    for wrong in ("3", None, 1.5):
        with pytest.raises(TypeError):
            vol.copy_file_range(src, dst, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        vol.copy_file_range(source, dst, 3)  # type: ignore[arg-type]
    assert (src.tell(), dst.tell()) == (2, 1)


def test_files_of_two_mounts_are_cross_device(plain: sandbox.SandboxVolume) -> None:
    with (
        plain.client() as vol,
        plain.client() as other,
        vol.fopen("/cross", "w+") as src,
        other.fopen("/device", "w+") as dst,
    ):
        for one, two in ((src, dst), (dst, src), (dst, dst)):
            with pytest.raises(OSError, match="cross-device") as caught:
                vol.copy_file_range(one, two, 3, 0, 0)
            assert caught.value.errno == errno.EXDEV
        assert caught.value.filename == caught.value.filename2 == "/device"


@pytest.fixture
def brick_copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What bricks have been asked to copy since, however little it is."""
    seen: list[int] = []
    real = transfer.Transfer._ask_brick

    def ask_brick(self: transfer.Transfer, count: int) -> int:
        seen.append(count)
        return real(self, count)

    monkeypatch.setattr(transfer, "_WORTHWHILE", 1)
    monkeypatch.setattr(transfer.Transfer, "_ask_brick", ask_brick)
    return seen


def test_a_brick_copies_only_where_it_is_the_only_one(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    files: tuple[gfapi.File, gfapi.File],
    brick_copies: list[int],
) -> None:
    """And never from anywhere but the beginning: it does not learn of that."""
    src, dst = files
    assert vol.copy_file_range(src, dst, 5, 0, 0, by_brick=True) == 5
    assert vol.copy_file_range(src, dst, 5, 3, 3, by_brick=True) == 5
    assert dst.pread(20, 0) == b"01234567"
    assert brick_copies == ([5] if len(sandbox_volume.bricks) == 1 else [])


@pytest.mark.parametrize(
    "options",
    [
        {"features.shard": "on", "features.shard-block-size": "4MB"},
        {"performance.io-cache": "on", "performance.read-ahead": "on"},
    ],
    ids=["sharded", "cached"],
)
def test_a_volume_whose_translators_cannot_copy_copies_through_the_client(
    cluster: sandbox.Cluster, options: dict[str, str], brick_copies: list[int]
) -> None:
    volume = cluster.create_volume("copies", options=options)
    try:
        with volume.client() as vol:
            data = os.urandom(9 * MIB)
            with vol.fopen("/src", "w+") as src, vol.fopen("/dst", "w+") as dst:
                src.write(data)
                dst.write(b"x" * 4 * MIB)
                assert dst.pread(4 * MIB, 0) == b"x" * 4 * MIB
                assert vol.copy_file_range(src, dst, 20 * MIB, 0, 1, by_brick=True) == 9 * MIB
                assert dst.pread(20 * MIB, 0) == b"x" + data
                if "features.shard" in options:
                    with pytest.raises(OSError, match="not supported"):
                        src.lseek(0, os.SEEK_DATA)
                    src.ftruncate(30 * MIB)
                    vol.copyfile("/src", "/copy", by_brick=True)
                    assert read(vol, "/copy") == read(vol, "/src")
                    assert vol.stat("/copy").st_blocks * 512 <= 10 * MIB
            assert brick_copies == []
    finally:
        volume.stop()
        volume.delete()


@pytest.mark.parametrize("by_brick", [False, True])
def test_a_copy_takes_any_number_of_calls(
    vol: gfapi.Volume, folder: str, monkeypatch: pytest.MonkeyPatch, by_brick: bool
) -> None:
    monkeypatch.setattr(content, "MOST", 300_000)
    monkeypatch.setattr(transfer, "MOST_OF_BRICK", 300_000)
    monkeypatch.setattr(transfer, "_CHUNK", 70_000)
    monkeypatch.setattr(transfer, "_WORTHWHILE", 1)
    data = os.urandom(1_000_000)
    with vol.fopen(f"{folder}/src", "w+") as src, vol.fopen(f"{folder}/dst", "w+") as dst:
        src.write(data)
        src.seek(0)
        counts = []
        while count := vol.copy_file_range(src, dst, 1 << 40, by_brick=by_brick):
            counts.append(count)
        assert counts == [300_000] * 3 + [100_000]
        dst.seek(0)
        assert dst.read() == data


def test_threads_that_copy_to_and_fro_never_lock_each_other_out(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    with (
        plain_vol.fopen(f"{plain_folder}/a", "w+") as a,
        plain_vol.fopen(f"{plain_folder}/b", "w+") as b,
    ):
        a.write(bytes(1000))
        b.write(bytes(1000))
        a.seek(0)
        b.seek(0)

        def copy(one: gfapi.File, other: gfapi.File) -> None:
            for _ in range(50):
                plain_vol.copy_file_range(one, other, 1)

        pairs: list[Callable[[], None]] = [lambda: copy(a, b), lambda: copy(b, a)]
        threads = [threading.Thread(target=pair, daemon=True) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert a.tell() == b.tell() == 100
