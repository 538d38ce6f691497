"""How files are copied inside a volume: by a brick or through the client, with their holes."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api, sandbox, transfer
from gluster.gfapi.copies import copy_entry

MIB = 1 << 20
CHUNK = transfer._CHUNK
TIMES = (1_000_000_000_000_000_001, 1_100_000_000_000_000_002)
# Where the data of a sparse file are, and its size.
Map = tuple[list[tuple[int, int]], int]


def write(vol: gfapi.Volume, path: str, data: bytes) -> None:
    with vol.fopen(path, "w") as file:
        file.write(data)


def read(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


def write_sparse(vol: gfapi.Volume, path: str, extents: list[tuple[int, int]], size: int) -> None:
    with vol.fopen(path, "w") as file:
        for begin, count in extents:
            file.pwrite(os.urandom(count), begin)
        file.ftruncate(size)


def space(vol: gfapi.Volume, path: str) -> int:
    with vol.fopen(path) as file:
        file.fdatasync()
    return vol.stat(path).st_blocks * 512


@pytest.fixture(scope="module")
def other(sandbox_volume: sandbox.SandboxVolume) -> Iterator[gfapi.Volume]:
    """The same volume, as another client sees it."""
    with sandbox_volume.client() as other:
        yield other


@pytest.fixture
def brick_copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What bricks have been asked to copy since."""
    seen: list[int] = []
    real = transfer.Transfer._ask_brick

    def ask_brick(self: transfer.Transfer, count: int) -> int:
        seen.append(count)
        return real(self, count)

    monkeypatch.setattr(transfer.Transfer, "_ask_brick", ask_brick)
    return seen


# ------------------------------------------------------------------------------ copies


@pytest.mark.parametrize("size", [0, 1, 65536, CHUNK - 1, CHUNK, CHUNK + 1])
def test_a_copy_of_any_size_is_seen_by_another_client(
    vol: gfapi.Volume, other: gfapi.Volume, folder: str, size: int
) -> None:
    data = os.urandom(size)
    write(vol, f"{folder}/src", data)
    vol.copy2(f"{folder}/src", f"{folder}/dst")
    assert read(other, f"{folder}/dst") == data


def test_a_big_file_is_copied_by_the_brick_if_there_is_only_one(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    other: gfapi.Volume,
    folder: str,
    brick_copies: list[int],
) -> None:
    data = os.urandom(MIB) * 16 + b"end"
    write(vol, f"{folder}/src", data)
    write(vol, f"{folder}/dst", b"x" * (17 * MIB))
    assert read(vol, f"{folder}/dst")[-1:] == b"x"
    inode = vol.stat(f"{folder}/dst").st_ino
    vol.copyfile(f"{folder}/src", f"{folder}/dst", by_brick=True)
    assert brick_copies == ([len(data)] if len(sandbox_volume.bricks) == 1 else [])
    assert vol.stat(f"{folder}/dst").st_ino == inode
    assert read(vol, f"{folder}/dst") == read(other, f"{folder}/dst") == data


def copy_opened(vol: gfapi.Volume, src: str, dst: str) -> None:
    with vol.fopen(src) as source, vol.fopen(dst, "w") as target:
        while vol.copy_file_range(source, target, 1 << 30):
            pass


def copy_tree(vol: gfapi.Volume, src: str, dst: str) -> None:
    vol.copytree(os.path.dirname(src), f"{dst} of all")
    vol.rename(f"{dst} of all/{os.path.basename(src)}", dst)


def removed_but_open(volume: sandbox.SandboxVolume) -> set[str]:
    """What bricks have open of files that are removed."""
    found = set()
    for brick in volume.bricks:
        for descriptor in os.listdir(f"/proc/{brick.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                path = os.readlink(f"/proc/{brick.pid}/fd/{descriptor}")
                if path.endswith(" (deleted)") or "/.glusterfs/unlink/" in path:
                    found.add(path)
    return found


@pytest.mark.parametrize(
    "copy",
    [gfapi.Volume.copyfile, gfapi.Volume.copy, gfapi.Volume.copy2, copy_opened, copy_tree],
    ids=["copyfile", "copy", "copy2", "copy_file_range", "copytree"],
)
def test_no_brick_keeps_a_copy_open_that_is_removed_unless_it_was_asked_to_copy(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    folder: str,
    brick_copies: list[int],
    open_on_bricks: Callable[[sandbox.SandboxVolume, str], int],
    wait_until: Callable[..., None],
    copy: Callable[[gfapi.Volume, str, str], Any],
) -> None:
    before = removed_but_open(sandbox_volume)
    vol.mkdir(f"{folder}/one")
    write(vol, f"{folder}/one/src", b"x" * (16 * MIB))
    copy(vol, f"{folder}/one/src", f"{folder}/dst")
    assert vol.getsize(f"{folder}/dst") == 16 * MIB
    wait_until(lambda: open_on_bricks(sandbox_volume, f"{folder}/dst") == 0)
    vol.unlink(f"{folder}/dst")
    wait_until(lambda: removed_but_open(sandbox_volume) <= before)
    assert brick_copies == []


def refused(code: int) -> Callable[..., int]:
    def copy(*_: Any) -> int:
        raise OSError(code, os.strerror(code))

    return copy


def lacking(*_: Any) -> int:
    raise NotImplementedError("glfs_copy_file_range needs GlusterFS 6.0 or later")


@pytest.mark.parametrize(
    "answer",
    [lacking, *(refused(code) for code in (errno.EOPNOTSUPP, errno.EXDEV, errno.ENOSYS))],
    ids=["lacking", "EOPNOTSUPP", "EXDEV", "ENOSYS"],
)
def test_what_a_brick_refuses_goes_through_the_client(
    plain_vol: gfapi.Volume,
    plain_folder: str,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[..., int],
) -> None:
    data = os.urandom(MIB) * 16
    write(plain_vol, f"{plain_folder}/src", data)
    monkeypatch.setattr(api, "glfs_copy_file_range", answer)
    plain_vol.copyfile(f"{plain_folder}/src", f"{plain_folder}/dst", by_brick=True)
    assert read(plain_vol, f"{plain_folder}/dst") == data
    with (
        plain_vol.fopen(f"{plain_folder}/src") as src,
        plain_vol.fopen(f"{plain_folder}/again", "w") as dst,
    ):
        assert plain_vol.copy_file_range(src, dst, 20 * MIB, by_brick=True) == len(data)
    assert read(plain_vol, f"{plain_folder}/again") == data


def test_what_the_brick_leaves_over_goes_through_the_client(
    plain_vol: gfapi.Volume,
    plain_folder: str,
    monkeypatch: pytest.MonkeyPatch,
    brick_copies: list[int],
) -> None:
    monkeypatch.setattr(transfer, "MOST_OF_BRICK", 5 * MIB + 1)
    data = os.urandom(MIB) * 16
    write(plain_vol, f"{plain_folder}/src", data)
    plain_vol.copyfile(f"{plain_folder}/src", f"{plain_folder}/dst", by_brick=True)
    assert brick_copies == [5 * MIB + 1]
    assert read(plain_vol, f"{plain_folder}/dst") == data


def test_a_copy_by_a_brick_that_others_have_joined_meanwhile_is_made_again(
    plain_vol: gfapi.Volume, plain_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(MIB) * 16
    write(plain_vol, f"{plain_folder}/src", data)
    answers = [True, False]
    written: list[int] = []
    real = transfer.Transfer._write

    def count(self: transfer.Transfer, piece: memoryview, done: int) -> None:
        written.append(len(piece))
        real(self, piece, done)

    monkeypatch.setattr(transfer, "_is_single_brick", lambda _: answers.pop(0))
    monkeypatch.setattr(transfer.Transfer, "_write", count)
    plain_vol.copyfile(f"{plain_folder}/src", f"{plain_folder}/dst", by_brick=True)
    assert sum(written) == len(data)
    assert not answers
    assert read(plain_vol, f"{plain_folder}/dst") == data


def test_a_copy_keeps_within_a_quota(cluster: sandbox.Cluster, brick_copies: list[int]) -> None:
    """A brick that copies by itself would not, and a copy that fails says so."""
    if not os.path.exists("/dev/fuse"):
        pytest.skip("GlusterFS sets a limit by way of a FUSE mount")
    volume = cluster.create_volume("limited")
    try:
        for words in (
            ("enable",),
            ("limit-usage", "/", "40MB"),
            ("hard-timeout", "0"),
            ("soft-timeout", "0"),
        ):
            cluster.gluster("volume", "quota", volume.name, *words)
        with volume.client() as vol:
            write(vol, "/src", os.urandom(MIB) * 20)
            vol.copy2("/src", "/copy", by_brick=True)
            copies = (vol.copy2("/src", f"/copy{n}", by_brick=True) for n in range(20))
            with pytest.raises(OSError, match="quota exceeded") as caught:
                list(copies)
            assert caught.value.errno == errno.EDQUOT
            assert brick_copies == []
    finally:
        volume.stop()
        volume.delete()


def test_ctrl_c_stops_a_copy_and_leaves_nothing_open(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    folder: str,
    monkeypatch: pytest.MonkeyPatch,
    open_on_bricks: Callable[[sandbox.SandboxVolume, str], int],
    wait_until: Callable[..., None],
) -> None:
    write(vol, f"{folder}/src", bytes(3 * CHUNK - 5))
    pieces: list[int] = []
    real = api.glfs_pread

    def interrupted(*arguments: Any) -> int:
        if pieces:
            raise KeyboardInterrupt
        pieces.append(real(*arguments))
        return pieces[-1]

    monkeypatch.setattr(api, "glfs_pread", interrupted)
    with pytest.raises(KeyboardInterrupt):
        vol.copy2(f"{folder}/src", f"{folder}/dst")
    monkeypatch.undo()
    assert pieces == [CHUNK]
    assert vol.getsize(f"{folder}/dst") == CHUNK
    assert stat.S_IMODE(vol.stat(f"{folder}/dst").st_mode) == 0o600
    for name in ("src", "dst"):
        path = f"{folder}/{name}"
        wait_until(lambda path=path: open_on_bricks(sandbox_volume, path) == 0)


def test_nobody_copies_what_he_may_not_read(vol: gfapi.Volume, folder: str) -> None:
    """Nor does he get it out of what another's copy has left in memory."""
    vol.chmod(folder, 0o777)
    for name, size in (("small", 100), ("big", 17 * MIB)):
        write(vol, f"{folder}/{name}", b"x" * size)
        vol.chmod(f"{folder}/{name}", 0o600)
        vol.copy2(f"{folder}/{name}", f"{folder}/{name} of root", by_brick=True)
        with vol.identity(1234, 1234):
            with pytest.raises(PermissionError):
                vol.copy2(f"{folder}/{name}", f"{folder}/stolen {name}", by_brick=True)
            write(vol, f"{folder}/own {name}", b"y" * size)
            vol.copy2(f"{folder}/own {name}", f"{folder}/copy of {name}", by_brick=True)
        status = vol.stat(f"{folder}/copy of {name}")
        assert (status.st_uid, status.st_gid, status.st_size) == (1234, 1234, size)


# ------------------------------------------------------------------------------ holes

SPARSE: dict[str, Map] = {
    "between": ([(0, MIB), (5 * MIB + 4096, 5000), (9 * MIB, 3)], 9 * MIB + 3),
    "at both ends": ([(3 * MIB, MIB)], 6 * MIB),
    "in a small file": ([(64 * 1024, 4096)], MIB + 5),
    "everywhere": ([], 2 * MIB),
    "beyond 4 GiB": ([(5 << 30, 100_000)], 6 << 30),
}


@pytest.mark.parametrize(("extents", "size"), SPARSE.values(), ids=SPARSE.keys())
def test_holes_stay_holes(
    vol: gfapi.Volume,
    other: gfapi.Volume,
    folder: str,
    extents: list[tuple[int, int]],
    size: int,
) -> None:
    write_sparse(vol, f"{folder}/src", extents, size)
    vol.copyfile(f"{folder}/src", f"{folder}/dst")
    assert vol.getsize(f"{folder}/dst") == other.getsize(f"{folder}/dst") == size
    assert space(vol, f"{folder}/dst") <= space(vol, f"{folder}/src") + 64 * 1024
    with vol.fopen(f"{folder}/src") as one, other.fopen(f"{folder}/dst") as two:
        if size <= 32 * MIB:
            assert one.read() == two.read()
        for begin, count in extents:
            assert one.pread(count + 9000, begin) == two.pread(count + 9000, begin)


def test_a_file_that_only_looks_sparse_is_copied(
    vol: gfapi.Volume, other: gfapi.Volume, folder: str
) -> None:
    """Blocks of NULs that were written may become holes, and space kept for later is not."""
    data = bytes(10_000) + b"x" * 10_000 + bytes(5 * MIB) + b"y" * 10_000
    with vol.fopen(f"{folder}/src", "w") as file:
        file.write(data)
        file.ftruncate(6 * MIB)
    vol.copyfile(f"{folder}/src", f"{folder}/dst")
    assert read(other, f"{folder}/dst") == data.ljust(6 * MIB, b"\0")


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL, errno.ENXIO])
def test_where_holes_cannot_be_looked_for_all_is_read(
    vol: gfapi.Volume, folder: str, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """ENXIO after the first data is what a brick says where the file is no more."""
    write_sparse(vol, f"{folder}/src", [(0, 3 * MIB), (7 * MIB, MIB)], 8 * MIB)
    real, seeks = api.glfs_lseek, iter(range(1000))

    def lseek(descriptor: Any, offset: int, whence: int) -> int:
        if whence == os.SEEK_HOLE and next(seeks) >= 1:
            raise OSError(code, os.strerror(code))
        found: int = real(descriptor, offset, whence)
        return found

    monkeypatch.setattr(api, "glfs_lseek", lseek)
    vol.copyfile(f"{folder}/src", f"{folder}/dst")
    monkeypatch.undo()
    assert read(vol, f"{folder}/dst") == read(vol, f"{folder}/src")
    assert space(vol, f"{folder}/dst") <= 5 * MIB


# ------------------------------------------------------------------------------ copy_entry


def copy(vol: gfapi.Volume, folder: str, status: api.Stat, name: str = "dst") -> None:
    with vol.lookup(folder) as target:
        copy_entry(vol, vol.fopen(f"{folder}/src"), status, target, name)


def listed(vol: gfapi.Volume, folder: str, name: str) -> api.Stat:
    return dict(vol.listdir_with_stat(folder))[name]


@pytest.mark.parametrize("size", [0, 5000, CHUNK + 1, 17 * MIB])
def test_an_entry_is_copied_with_mode_and_times(
    vol: gfapi.Volume, other: gfapi.Volume, folder: str, size: int
) -> None:
    """Which the last of the data, that follow late, do not change."""
    write(vol, f"{folder}/src", b"x" * size)
    vol.chmod(f"{folder}/src", 0o4751)
    vol.utime(f"{folder}/src", ns=TIMES)
    copy(vol, folder, listed(vol, folder, "src"))
    for client in (vol, other):
        status = client.stat(f"{folder}/dst")
        assert stat.S_IMODE(status.st_mode) == 0o4751
        assert status.st_mtime_ns == TIMES[1]
        assert status.st_size == size
    assert read(other, f"{folder}/dst") == b"x" * size
    assert other.stat(f"{folder}/dst").st_mtime_ns == TIMES[1]


def test_an_entry_is_not_copied_over_what_is_there(vol: gfapi.Volume, folder: str) -> None:
    write(vol, f"{folder}/src", b"new")
    write(vol, f"{folder}/dst", b"old")
    vol.symlink("nowhere", f"{folder}/link")
    for name in ("dst", "link", "src"):
        with pytest.raises(FileExistsError):
            copy(vol, folder, vol.stat(f"{folder}/src"), name)
    assert read(vol, f"{folder}/dst") == b"old"
    assert sorted(vol.listdir(folder)) == ["dst", "link", "src"]


@pytest.mark.parametrize(
    ("before", "after"),
    [(0, 10), (3000, 0), (3000, 200_000), (200_000, 3001), (16 * MIB, 10), (16 * MIB, 18 * MIB)],
)
def test_an_entry_whose_size_has_changed_is_copied_to_its_end(
    vol: gfapi.Volume, folder: str, before: int, after: int
) -> None:
    write(vol, f"{folder}/src", b"x" * before)
    status = vol.stat(f"{folder}/src")
    data = os.urandom(1000) * (after // 1000) + b"z" * (after % 1000)
    write(vol, f"{folder}/src", data)
    copy(vol, folder, status)
    assert read(vol, f"{folder}/dst") == data


def test_a_sparse_entry_that_grows_while_it_is_copied_has_all_its_data(
    vol: gfapi.Volume, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sparse(vol, f"{folder}/src", [(0, MIB)], 9 * MIB)
    status = vol.stat(f"{folder}/src")
    real = api.glfs_pread

    def pread(*arguments: Any) -> int:
        monkeypatch.undo()
        with vol.fopen(f"{folder}/src", "r+") as file:
            file.pwrite(b"new" * MIB, 8 * MIB)
        count: int = real(*arguments)
        return count

    monkeypatch.setattr(api, "glfs_pread", pread)
    copy(vol, folder, status)
    assert read(vol, f"{folder}/dst") == read(vol, f"{folder}/src")
