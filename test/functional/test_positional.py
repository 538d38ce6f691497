"""Reading and writing at a given offset, with several buffers, and what becomes of the position."""

from __future__ import annotations

import array
import ctypes
import errno
import mmap
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api, rewriting, sandbox

MIB = 1 << 20


@pytest.fixture
def path(folder: str) -> str:
    """Where there is nothing yet."""
    return f"{folder}/file"


@pytest.fixture
def file(vol: gfapi.Volume, path: str) -> Iterator[gfapi.File]:
    """An open file of ten bytes, to read and write, at position 3."""
    with vol.fopen(path, "w+") as file:
        file.write(b"0123456789")
        file.seek(3)
        yield file


# ------------------------------------------------------------------------------ at an offset


def test_pread_reads_at_an_offset_and_leaves_the_position(file: gfapi.File) -> None:
    assert file.pread(4, 5) == b"5678"
    assert file.tell() == 3
    assert file.pread(100, 8) == b"89"
    assert file.pread(100, 10) == b""
    assert file.pread(0, 5) == b""
    assert file.read(2) == b"34"
    assert file.tell() == 5


def test_pwrite_writes_at_an_offset_and_leaves_the_position(file: gfapi.File) -> None:
    assert file.pwrite(b"ab", 5) == 2
    assert file.tell() == 3
    assert file.pwrite("é", 12) == 2
    assert file.pwrite(b"", 500) == 0
    assert file.tell() == 3
    assert file.write(b"X") == 1
    assert file.tell() == 4
    assert file.pread(100, 0) == b"012X4ab789\0\0\xc3\xa9"


def test_preadinto_fills_any_buffer(file: gfapi.File) -> None:
    numbers = array.array("H", [0, 0])
    assert file.preadinto(numbers, 6) == 4
    assert numbers.tobytes() == b"6789"
    buffer = bytearray(b"....")
    assert file.preadinto(memoryview(buffer)[1:3], 0) == 2
    assert buffer == b".01."
    assert file.preadinto(buffer, 10) == 0
    assert file.preadinto(bytearray(), 0) == 0
    assert file.tell() == 3


def test_readv_fills_each_buffer_before_the_next_and_moves_the_position(file: gfapi.File) -> None:
    buffers = [bytearray(2), bytearray(), array.array("H", [0]), bytearray(9)]
    assert file.readv(buffers) == 7
    assert [bytes(b) for b in buffers] == [b"34", b"", b"56", b"789" + bytes(6)]
    assert file.tell() == 10
    assert file.readv(buffers) == 0
    assert file.readv([]) == 0


def test_writev_writes_one_buffer_after_the_other_and_moves_the_position(file: gfapi.File) -> None:
    assert file.writev([b"ab", b"", bytearray(b"c"), array.array("H", [0x6564])]) == 5
    assert file.tell() == 8
    assert file.writev(iter([b"f"])) == 1
    assert file.writev([]) == 0
    file.seek(0)
    assert file.read() == b"012abcdef9"


def test_preadv_and_pwritev_leave_the_position(file: gfapi.File) -> None:
    assert file.pwritev((b"ab", b"cd"), 1) == 4
    buffers = [bytearray(1), bytearray(5)]
    assert file.preadv(buffers, 0) == 6
    assert buffers == [b"0", b"abcd5"]
    assert file.tell() == 3
    assert file.pwritev([], 0) == file.preadv([], 0) == 0


def test_more_buffers_than_the_kernel_takes(file: gfapi.File) -> None:
    count = os.sysconf("SC_IOV_MAX") + 500
    assert file.pwritev([b"ab"] * count, 0) == 2 * count
    buffers = [bytearray(1) for _ in range(2 * count)]
    assert file.preadv(buffers, 0) == 2 * count
    assert b"".join(buffers) == b"ab" * count


def test_what_is_written_comes_from_any_kind_of_memory(file: gfapi.File) -> None:
    with mmap.mmap(-1, 4) as memory:
        memory[:] = b"mmap"
        assert file.pwritev([memory, memoryview(b"view")[1:]], 0) == 7
        memory[:] = bytes(4)
        assert file.preadv([memory], 0) == 4
        assert memory[:] == b"mmap"
    assert file.pread(7, 0) == b"mmapiew"


@pytest.mark.parametrize("method", ["pwrite", "pwritev", "writev"])
def test_pieces_larger_than_one_call_takes(
    plain_vol: gfapi.Volume, plain_folder: str, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    from gluster.gfapi import positional

    monkeypatch.setattr(positional, "MOST", 1000)
    data = os.urandom(3500)
    with plain_vol.fopen(f"{plain_folder}/f", "w+") as file:
        if method == "pwrite":
            assert file.pwrite(data, 0) == 3500
        else:
            views = [data[:100], data[100:2600], data[2600:]]
            arguments = (views, 0) if method == "pwritev" else (views,)
            assert getattr(file, method)(*arguments) == 3500
        assert file.pread(10_000, 0) == data
        assert file.pread(2000, 1234) == data[1234:3234]
        buffers = [bytearray(1500), bytearray(500), bytearray(5000)]
        assert file.preadv(buffers, 0) == 3500
        assert b"".join(buffers)[:3500] == data
        file.seek(100)
        assert file.readv(buffers) == 3400
        assert b"".join(buffers)[:3400] == data[100:]
        into = bytearray(4000)
        assert file.preadinto(into, 0) == 3500
        assert into[:3500] == data


def test_a_gigabyte_goes_in_pieces(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    with plain_vol.fopen(f"{plain_folder}/f", "w+") as file, mmap.mmap(-1, 1 << 30) as memory:
        memory[-1:] = b"!"
        assert file.pwritev([memory, b"end"], 0) == (1 << 30) + 3
        assert file.pread(10, (1 << 30) - 1) == b"!end"
        memory[-1:] = b"?"
        tail = bytearray(9)
        assert file.preadv([memory, tail], 0) == (1 << 30) + 3
        assert memory[-1:] == b"!"
        assert tail == b"end" + bytes(6)
        assert len(file.pread(1 << 40, 0)) == (1 << 30) + 3
        file.ftruncate(0)
    plain_vol.unlink(f"{plain_folder}/f")


def test_huge_offsets(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    with plain_vol.fopen(f"{plain_folder}/f", "w+") as file:
        assert file.pwrite(b"far", 1 << 40) == 3
        assert file.pread(5, (1 << 40) - 2) == b"\0\0far"
        with pytest.raises(OverflowError):
            file.pread(1, 1 << 63)
        with pytest.raises(OverflowError):
            file.pwritev([b"x"], 1 << 63)


# ------------------------------------------------------------------------------ bad requests

REQUESTS: dict[str, Callable[[gfapi.File, int], Any]] = {
    "pread": lambda f, at: f.pread(1, at),
    "preadinto": lambda f, at: f.preadinto(bytearray(1), at),
    "preadv": lambda f, at: f.preadv([bytearray(1)], at),
    "pwrite": lambda f, at: f.pwrite(b"x", at),
    "pwritev": lambda f, at: f.pwritev([b"x"], at),
}
VECTORED: dict[str, Callable[[gfapi.File], Any]] = {
    "readv": lambda f: f.readv([bytearray(1)]),
    "writev": lambda f: f.writev([b"x"]),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_negative_offset_is_refused(file: gfapi.File, path: str, name: str) -> None:
    with pytest.raises(OSError, match="Invalid argument") as caught:
        REQUESTS[name](file, -1)
    assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, path)
    assert file.pread(20, 0) == b"0123456789"


def test_a_negative_size_is_refused(file: gfapi.File) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        file.pread(-1, 0)


@pytest.mark.parametrize("name", [*REQUESTS, *VECTORED])
def test_a_file_that_is_closed_or_not_open_for_it_is_a_bad_descriptor(
    plain_vol: gfapi.Volume, plain_folder: str, name: str
) -> None:
    path = f"{plain_folder}/f"
    plain_vol.fopen(path, "w").close()

    def ask(file: gfapi.File) -> Any:
        return VECTORED[name](file) if name in VECTORED else REQUESTS[name](file, 0)

    with plain_vol.fopen(path, "r" if "write" in name else "w") as file:
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            ask(file)
        assert (caught.value.errno, caught.value.filename) == (errno.EBADF, path)
    with plain_vol.fopen(path, "r+") as file:
        ask(file)
    with pytest.raises(OSError, match="Bad file descriptor"):
        ask(file)
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.tell()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("pread", ("1", 0)),
        ("pread", (1.5, 0)),
        ("pread", (1, 0.5)),
        ("pread", (1, None)),
        ("preadinto", (b"read only", 0)),
        ("preadinto", (5, 0)),
        ("pwrite", (5, 0)),
        ("pwrite", (b"x", "0")),
        ("readv", (5,)),
        ("readv", ([b"read only"],)),
        ("readv", (bytearray(5),)),
        ("writev", (["text"],)),
        ("writev", ("text",)),
        ("writev", (b"bytes",)),
        ("writev", ([memoryview(b"abcd")[::2]],)),
        ("preadv", ([bytearray(1), b"read only"], 0)),
        ("preadv", ([bytearray(1)], 0, None)),
        ("pwritev", ([b"x"], None)),
    ],
)
def test_a_wrong_type_is_a_type_error_and_nothing_is_written(
    plain_vol: gfapi.Volume, plain_folder: str, name: str, arguments: Any
) -> None:
    with plain_vol.fopen(f"{plain_folder}/f", "w+") as file:
        with pytest.raises(TypeError):
            getattr(file, name)(*arguments)
        assert file.fgetsize() == 0


def test_flags_that_libgfapi_does_not_know_are_refused(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    with plain_vol.fopen(f"{plain_folder}/f", "w+") as file:
        assert file.pwritev([b"abc"], 0, os.RWF_HIPRI) == 3
        assert file.preadv([bytearray(3)], 0, flags=os.RWF_HIPRI) == 3
        for flags in (os.RWF_NOWAIT, os.RWF_DSYNC | 0x1000, -1):
            with pytest.raises(OSError, match="not supported") as caught:
                file.pwritev([b"x"], 0, flags)
            assert caught.value.errno == errno.EOPNOTSUPP
        with pytest.raises(OSError, match="not supported"):
            file.preadv([bytearray(1)], 0, os.RWF_DSYNC)
        assert file.pread(9, 0) == b"abc"


@pytest.mark.parametrize("flags", [os.RWF_DSYNC, os.RWF_SYNC])
def test_a_write_with_a_sync_flag_is_on_the_brick_when_it_returns(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, flags: int
) -> None:
    path = f"{plain_folder}/f"
    with plain_vol.fopen(path, "w") as file:
        for number in range(50):
            file.pwritev([b"%04d" % number], 4 * number, flags)
            on_brick = Path(plain.bricks[0].path + path).read_bytes()
            assert on_brick[4 * number :] == b"%04d" % number


# ------------------------------------------------------------------------------ the position


def steps(file: Any) -> list[Any]:
    """What a file's position is, whatever is done besides."""
    seen = []
    for number in range(2):
        seen += [
            file.seek(3 * number),
            file.tell(),
            file.read(3),
            file.tell(),
            file.write(b"XY"),
            file.tell(),
        ]
        seen += [file.seek(-1, os.SEEK_CUR), file.read(), file.seek(0, os.SEEK_END)]
        seen += [file.seek(1), file.readinto(bytearray(4)), file.tell(), file.readline()]
        seen += [file.truncate(9 + number), file.tell(), file.seek(7 + number)]
    return seen


@pytest.mark.parametrize("mode", ["r+", "a+"])
@pytest.mark.parametrize("when", ["at once", "after an append or a read"])
def test_all_goes_on_from_the_position_as_without_calls_at_offsets(
    vol: gfapi.Volume, path: str, tmp_path: Path, mode: str, when: str
) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"0123456789\nabc")
    with vol.fopen(path, "w") as file:
        file.write(b"0123456789\nabc")
    with local.open(mode + "b", buffering=0) as ours, vol.fopen(path, mode) as file:
        if when != "at once":
            for each in (ours, file):
                each.write(b"Z") if mode == "a+" else each.read(1)
        assert file.pread(2, 1) == b"12"
        assert steps(file) == steps(ours)
        assert file.pread(100, 0) == local.read_bytes()


def test_a_call_at_an_offset_between_all_others_disturbs_none(file: gfapi.File) -> None:
    for i in range(3, 10):
        assert file.read(1) == b"%d" % i
        assert file.pread(3, i % 3) == b"0123456789"[i % 3 : i % 3 + 3]
        assert file.tell() == i + 1
    file.seek(0)
    for i in range(5):
        file.write(b"%c" % (97 + i))
        file.pwrite(b"!", 9 - i % 2)
    assert file.tell() == 5
    assert file.pread(10, 0) == b"abcde567!!"


def test_pwrite_appends_in_append_mode_as_on_linux(
    vol: gfapi.Volume, path: str, tmp_path: Path
) -> None:
    with (tmp_path / "local").open("ab+", buffering=0) as ours, vol.fopen(path, "a+") as file:
        for each in (ours, file):
            each.write(b"0123456789")
            each.seek(2)
        os.pwrite(ours.fileno(), b"AB", 0)
        assert file.pwrite(b"AB", 0) == 2
        assert file.pwritev([b"C"], 1) == 1
        os.pwrite(ours.fileno(), b"C", 1)
        assert file.tell() == ours.tell() == 2
        assert file.read() == ours.read() == b"23456789ABC"
        for each in (ours, file):
            each.seek(1)
            each.write(b"D")
        assert file.tell() == ours.tell() == 14
        assert file.writev([b"E", b"F"]) == 2
        assert file.tell() == 16
        assert file.pread(100, 0) == b"0123456789ABCDEF"


AT_OFFSETS: dict[str, Callable[[gfapi.File], object]] = {
    "pwrite": lambda file: file.pwrite(b"12345", 0),
    "pwritev": lambda file: file.pwritev([b"123", b"45"], 0),
    "pwrite_async": lambda file: file.pwrite_async(b"12345", 0).result(),
    "pwritev_async": lambda file: file.pwritev_async([b"123", b"45"], 0).result(),
}


@pytest.mark.parametrize("name", AT_OFFSETS)
def test_the_position_after_an_append_stays_when_more_is_appended_by_offset(
    vol: gfapi.Volume, path: str, tmp_path: Path, name: str
) -> None:
    with (tmp_path / "local").open("ab+", buffering=0) as ours, vol.fopen(path, "a+") as file:
        for _ in range(2):
            for each in (ours, file):
                each.write(b"abc")
            os.pwrite(ours.fileno(), b"12345", 0)
            AT_OFFSETS[name](file)
            assert file.tell() == ours.tell()
            assert file.read() == ours.read() == b"12345"


@pytest.mark.parametrize("mode", ["r+", "a+"])
@pytest.mark.parametrize("name", ["write", "writev", "write_async"])
def test_what_a_brick_takes_only_a_part_of_is_whole_and_in_its_place(
    file: gfapi.File,
    vol: gfapi.Volume,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    name: str,
) -> None:
    real = api.glfs_write

    def part(gate: Any, size: int, write: Callable[[int], int]) -> int:
        """As libgfapi has it: it goes on behind all that it was to write."""
        count = write(min(size, 7))
        if gate.place is None and not gate.is_appending:
            api.glfs_lseek(gate, size - count, os.SEEK_CUR)
        return count

    def glfs_write(gate: Any, memory: Any, size: int, flags: int) -> int:
        return part(gate, size, lambda count: real(gate, memory, count, flags))

    def glfs_writev(gate: Any, vector: Any, length: int, flags: int) -> int:
        data = b"".join(ctypes.string_at(each.iov_base, each.iov_len) for each in vector)
        return part(gate, len(data), lambda count: real(gate, data, count, flags))

    monkeypatch.setattr(api, "glfs_write", glfs_write)
    monkeypatch.setattr(api, "glfs_writev", glfs_writev)
    data = bytes(range(65, 90))
    with vol.fopen(path, mode) as other:
        if mode == "r+":
            other.seek(4)
        ways: dict[str, Callable[[], Any]] = {
            "write": lambda: other.write(data),
            "writev": lambda: other.writev([data[:3], data[3:]]),
            "write_async": lambda: other.write_async(data).result(),
        }
        assert ways[name]() == len(data)
        assert other.tell() == (4 if mode == "r+" else 10) + len(data)
    monkeypatch.undo()
    assert file.pread(100, 0) == {"r+": b"0123", "a+": b"0123456789"}[mode] + data


def test_what_pwrite_appends_in_several_pieces_is_in_one(
    file: gfapi.File, vol: gfapi.Volume, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = api.glfs_pwrite, api.glfs_pwritev
    size = 10

    def pwrite(gate: Any, memory: Any, count: int, *rest: Any) -> int:
        return real[0](gate, memory, min(count, size), *rest)  # type: ignore[no-any-return]

    monkeypatch.setattr(api, "glfs_pwrite", pwrite)
    file.ftruncate(0)
    records = [bytes([65 + i]) * 3 * size for i in range(20)]
    with vol.fopen(path, "a") as one, vol.fopen(path, "a") as two:

        def append(records: list[bytes]) -> None:
            for record in records:
                assert one.pwrite(record, 0) == len(record)

        threads = [threading.Thread(target=append, args=(records[i::2],)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert two.pwritev([b"!"], 0) == 1
    monkeypatch.undo()
    with vol.fopen(path) as file:
        content = file.read()
    found = {content[at : at + 3 * size] for at in range(0, len(content) - 1, 3 * size)}
    assert found == set(records)


def test_an_append_that_fails_after_it_was_made_has_moved_the_position(
    vol: gfapi.Volume, path: str, file: gfapi.File, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vol.fopen(path, "a+") as appending:
        appending.seek(0)
        assert appending.read(3) == b"012"

        def at_end(descriptor: Any, function: Any, *arguments: Any) -> int:
            function(*arguments)
            raise OSError(errno.ENOSPC, "told by the sync after it")

        monkeypatch.setattr(rewriting, "at_end", at_end)
        with pytest.raises(OSError, match="told by the sync"):
            appending.write(b"abcd")
        monkeypatch.undo()
        appending.fdatasync()
        assert appending.tell() == 14


def test_a_dup_has_a_position_of_its_own_in_all_ways_to_move_it(file: gfapi.File) -> None:
    file.pread(1, 0)
    with file.dup() as dup:
        assert (file.tell(), dup.tell()) == (3, 0)
        assert dup.pread(2, 8) == b"89"
        assert dup.read(1) == b"0"
        assert dup.writev([b"a", b"b"]) == 2
        assert dup.pwrite(b"c", 3) == 1
        buffers = [bytearray(1), bytearray(2)]
        assert file.readv(buffers) == 3
        assert buffers == [b"c", b"45"]
        assert (file.tell(), dup.tell()) == (6, 3)
        assert dup.lseek(-1, os.SEEK_END) == 9
        assert dup.lseek(0, os.SEEK_DATA) == 0
        dup.ftruncate(8)
        dup.fsync()
        dup.fdatasync()
        dup.fchmod(0o600)
        dup.utime((1, 2))
        dup.setattr(mode=0o640)
        dup.fsetxattr("user.x", "y")
        assert dup.fgetxattr("user.x") == "y"
        assert dup.volume.copy_file_range(file, dup, 2, 0, 6) == 2
        assert dup.fstat().st_mtime >= 2
        assert file.fgetsize() == 8
        assert file.pread(9, 0) == b"0abc450a"
    assert file.read() == b"0a"


# ------------------------------------------------------------------------------ threads


def test_many_threads_read_one_file_beside_a_sequential_reader(
    vol: gfapi.Volume, path: str
) -> None:
    records = [b"%07d\n" % number for number in range(5000)]
    with vol.fopen(path, "w") as file:
        file.write(b"".join(records))
    wrong: list[Any] = []
    with vol.fopen(path) as file:

        def read_every_fourth(start: int) -> None:
            for number in range(start, 5000, 4):
                if (got := file.pread(8, 8 * number)) != records[number]:
                    wrong.append((number, got))

        threads = [threading.Thread(target=read_every_fourth, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        sequential = [file.read(8) for _ in range(5000)]
        for thread in threads:
            thread.join()
        assert wrong == []
        assert sequential == records
        assert file.tell() == 40_000


def test_many_threads_write_one_file_beside_a_sequential_writer(
    vol: gfapi.Volume, path: str
) -> None:
    with vol.fopen(path, "w+") as file:

        def write_every_fourth(start: int) -> None:
            for number in range(1 + start, 1001, 4):
                file.pwrite(b"%07d\n" % number, 8000 + 8 * number)

        threads = [threading.Thread(target=write_every_fourth, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1001):
            file.write(b"%07d\n" % number)
        for thread in threads:
            thread.join()
        numbers = [*range(1001), *range(1, 1001)]
        assert file.pread(1 << 20, 0) == b"".join(b"%07d\n" % number for number in numbers)


def test_readers_at_offsets_do_not_wait_for_each_other(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    """Nor for a thread that holds the position."""
    with plain_vol.fopen(f"{plain_folder}/f", "w+") as file:
        file.write(b"0123456789")
        file.pread(1, 0)
        with file._descriptor.position:
            read: list[bytes] = []
            thread = threading.Thread(target=lambda: read.append(file.pread(3, 4)))
            thread.start()
            thread.join(30)
        assert read == [b"456"]


def test_closing_while_threads_read_at_offsets_gives_bad_descriptor(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    for _ in range(20):
        file = plain_vol.fopen(f"{plain_folder}/f", "w+")
        file.write(b"x" * 1000)
        ended: list[int] = []

        def read(file: gfapi.File = file, ended: list[int] = ended) -> None:
            try:
                while True:
                    file.pread(100, 500)
                    file.preadv([bytearray(5)], 5)
            except OSError as error:
                ended.append(error.errno or 0)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        file.close()
        for thread in threads:
            thread.join()
        assert ended == [errno.EBADF] * 4


# ------------------------------------------------------------------------------ holes


def regions(file: gfapi.File) -> list[tuple[int, int]]:
    """Where a file has data."""
    found, end = [], 0
    while True:
        try:
            start = file.lseek(end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return found
        end = file.lseek(start, os.SEEK_HOLE)
        found.append((start, end))


def test_holes_are_found_at_once_also_after_calls_at_offsets(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w+") as file:
        file.write(b"a" * MIB)
        file.lseek(8 * MIB, os.SEEK_SET)
        file.write(b"b" * MIB)
        file.ftruncate(12 * MIB)
        expected = [(0, MIB), (8 * MIB, 9 * MIB)]
        assert regions(file) == expected
        assert file.pread(2, MIB - 1) == b"a\0"
        assert regions(file) == expected
        assert file.lseek(MIB + 5, os.SEEK_HOLE) == MIB + 5
        assert file.tell() == MIB + 5
        assert file.lseek(MIB + 5, os.SEEK_DATA) == file.tell() == 8 * MIB
        assert file.read(1) == b"b"
        assert file.lseek(8 * MIB + 5, os.SEEK_DATA) == 8 * MIB + 5
        file.pwrite(b"c" * MIB, 11 * MIB)
        assert regions(file) == [*expected, (11 * MIB, 12 * MIB)]
        assert file.lseek(11 * MIB, os.SEEK_HOLE) == 12 * MIB


def test_a_seek_past_the_data_is_refused_and_moves_nothing(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w+") as file:
        file.write(b"0123456789")
        for whence in (os.SEEK_DATA, os.SEEK_HOLE):
            for offset in (10, 11, 1 << 40, -1):
                with pytest.raises(OSError, match="No such device or address") as caught:
                    file.lseek(offset, whence)
                assert (caught.value.errno, caught.value.filename) == (errno.ENXIO, path)
        file.ftruncate(4 * MIB)
        with pytest.raises(OSError, match="No such device or address"):
            file.lseek(3 * MIB, os.SEEK_DATA)
        assert file.tell() == 10
        with pytest.raises(OSError, match="Invalid argument"):
            file.lseek(0, 99)
        with pytest.raises(TypeError):
            file.lseek("0", os.SEEK_DATA)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.lseek(0, os.SEEK_DATA)
