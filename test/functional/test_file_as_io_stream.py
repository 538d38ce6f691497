"""A File in the hands of Python's own io and of the libraries that build on it."""

from __future__ import annotations

import array
import csv
import errno
import gzip
import io
import json
import os
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from gluster import gfapi


@pytest.fixture
def vol(plain_vol: gfapi.Volume) -> gfapi.Volume:
    """None of this depends on the kind of volume."""
    return plain_vol


@pytest.fixture
def path(plain_folder: str) -> str:
    return f"{plain_folder}/file"


@pytest.fixture
def lines(vol: gfapi.Volume, path: str) -> Iterator[gfapi.File]:
    """Lines short, empty, longer than what one call reads, and one without an end."""
    with vol.fopen(path, "w+") as file:
        file.write(b"one\n\n" + b"x" * 20_000 + b"\r\nlast")
        file.seek(0)
        yield file


def test_a_file_is_a_raw_stream(lines: gfapi.File) -> None:
    assert isinstance(lines, io.RawIOBase)
    assert lines.seekable()
    assert lines.readable()
    assert lines.writable()
    assert lines.isatty() is False
    assert lines.flush() is None


def test_fileno_is_an_int_and_as_a_method_unsupported(lines: gfapi.File) -> None:
    assert isinstance(lines.fileno, int)
    assert lines.fileno > 0
    with pytest.raises(io.UnsupportedOperation):
        lines.fileno()
    with io.BufferedReader(lines) as buffered, pytest.raises(io.UnsupportedOperation):
        buffered.fileno()


def test_iteration_yields_lines(lines: gfapi.File) -> None:
    assert list(lines) == [b"one\n", b"\n", b"x" * 20_000 + b"\r\n", b"last"]
    assert list(lines) == []


def test_readline_and_readlines_do_what_those_of_io_do(lines: gfapi.File, tmp_path: Path) -> None:
    (tmp_path / "local").write_bytes(lines.read())
    calls: list[Callable[[io.RawIOBase], object]] = [
        lambda file: file.seek(0),
        lambda file: file.readline(2),
        lambda file: file.readline(),
        lambda file: file.tell(),
        lambda file: file.readline(-1),
        lambda file: file.readline(0),
        lambda file: file.readline(None),
        lambda file: file.tell(),
        lambda file: file.readline(100),
        lambda file: file.readline(),
        lambda file: file.seek(0),
        lambda file: file.readlines(),
        lambda file: file.readlines(),
        lambda file: file.seek(1),
        lambda file: file.readlines(3),
        lambda file: file.tell(),
    ]
    with (tmp_path / "local").open("rb", buffering=0) as local:
        for call in calls:
            assert call(lines) == call(local)


def test_writelines_writes_each(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w+") as file:
        file.writelines([b"a\n", bytearray(b"b"), "c"])
        file.seek(0)
        assert file.read() == b"a\nbc"


def test_buffered_reader(lines: gfapi.File) -> None:
    with io.BufferedReader(lines) as reader:
        assert reader.peek(3)[:3] == b"one"
        assert reader.readline() == b"one\n"
        assert reader.read(1) == b"\n"
        assert reader.seek(-4, os.SEEK_END) == 20_007
        assert reader.read() == b"last"
        buffer = bytearray(6)
        reader.seek(0)
        assert reader.readinto(buffer) == 6
        assert buffer == b"one\n\nx"
    assert lines.closed


def test_buffered_writer(vol: gfapi.Volume, path: str) -> None:
    with io.BufferedWriter(vol.fopen(path, "w"), 64) as writer:
        for number in range(1000):
            writer.write(b"%d," % number)
        assert writer.tell() == sum(len(b"%d," % number) for number in range(1000))
    with vol.fopen(path) as file:
        assert file.read() == b"".join(b"%d," % number for number in range(1000))


def test_buffered_random_does_what_it_does_on_a_local_file(
    vol: gfapi.Volume, path: str, tmp_path: Path
) -> None:
    def use(raw: io.RawIOBase) -> list[object]:
        with io.BufferedRandom(raw, 16) as file:
            seen: list[object] = [file.write(b"0123456789" * 5), file.seek(3), file.read(4)]
            seen += [file.write(b"XX"), file.tell(), file.read(5), file.seek(-3, os.SEEK_CUR)]
            seen += [file.write(b"Y"), file.seek(0), file.read(), file.truncate(20)]
            seen += [file.seek(0, os.SEEK_END), file.seek(0), file.read()]
            return seen

    ours = use(vol.fopen(path, "w+"))
    theirs = use((tmp_path / "local").open("w+b", buffering=0))
    assert ours == theirs


def test_buffered_append(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file:
        file.write(b"start;")
    with io.BufferedRandom(vol.fopen(path, "a+")) as file:
        assert file.tell() == 6
        file.write(b"end")
        file.flush()
        assert file.tell() == 9
        file.seek(0)
        assert file.read() == b"start;end"


def test_buffered_streams_refuse_what_the_mode_does_not_allow(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file, pytest.raises(OSError, match="not readable"):
        io.BufferedReader(file)
    with vol.fopen(path, "r") as file, pytest.raises(OSError, match="not writable"):
        io.BufferedWriter(file)


def test_text(vol: gfapi.Volume, path: str) -> None:
    with io.TextIOWrapper(
        io.BufferedWriter(vol.fopen(path, "w")), encoding="utf-8", newline="\r\n"
    ) as text:
        print("Jürgen", 5, file=text)
        text.write("€\n")
    with vol.fopen(path) as file:
        assert file.read() == "Jürgen 5\r\n€\r\n".encode()
    with io.TextIOWrapper(io.BufferedReader(vol.fopen(path)), encoding="utf-8") as text:
        assert text.readline() == "Jürgen 5\n"
        place = text.tell()
        assert list(text) == ["€\n"]
        text.seek(place)
        assert text.read() == "€\n"


def test_text_appended_has_no_second_byte_order_mark(vol: gfapi.Volume, path: str) -> None:
    for word in ("one", "two"):
        with io.TextIOWrapper(io.BufferedWriter(vol.fopen(path, "a")), encoding="utf-16") as text:
            text.write(word)
    with vol.fopen(path) as file:
        assert file.read().decode("utf-16") == "onetwo"


def test_json(vol: gfapi.Volume, path: str) -> None:
    value = {"a": [1, 2.5, None, "Jürgen"], "b": {"c": True}}
    with vol.fopen(path, "w") as file:
        json.dump(value, file)
    with vol.fopen(path) as file:
        assert json.load(file) == value


def test_csv(vol: gfapi.Volume, path: str) -> None:
    rows = [["a", "b, c"], ["1", 'say "x"']]
    with io.TextIOWrapper(io.BufferedWriter(vol.fopen(path, "w")), newline="") as text:
        csv.writer(text).writerows(rows)
    with io.TextIOWrapper(io.BufferedReader(vol.fopen(path)), newline="") as text:
        assert list(csv.reader(text)) == rows


def test_pickle_into_and_out_of_a_file(vol: gfapi.Volume, path: str) -> None:
    value = {"list": list(range(1000)), "bytes": b"\0\xff"}
    with vol.fopen(path, "w") as file:
        pickle.dump(value, file)
    with vol.fopen(path) as file:
        assert pickle.load(file) == value


def test_a_file_itself_is_not_pickled(lines: gfapi.File) -> None:
    with pytest.raises(TypeError, match="cannot pickle 'File' object"):
        pickle.dumps(lines)


def test_gzip(vol: gfapi.Volume, path: str) -> None:
    data = os.urandom(1000) * 300
    with vol.fopen(path, "w") as file, gzip.GzipFile(fileobj=file, mode="wb") as packed:
        packed.write(data)
    assert vol.getsize(path) < len(data)
    with vol.fopen(path) as file, gzip.GzipFile(fileobj=file) as packed:
        assert packed.read() == data
        packed.seek(100_000)
        assert packed.read(10) == data[100_000:100_010]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w|", "w|gz"])
def test_tarfile(vol: gfapi.Volume, path: str, mode: str) -> None:
    contents = {"a": b"x" * 30_000, "b/c": b"", "Jürgen": os.urandom(5000)}
    with vol.fopen(path, "w") as file, tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    reading = mode.replace("w", "r")
    with vol.fopen(path) as file, tarfile.open(fileobj=file, mode=reading) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}
    assert found == contents


def test_a_tarfile_is_appended_to(vol: gfapi.Volume, path: str) -> None:
    for mode, name in (("w", "first"), ("a", "second")):
        file = vol.fopen(path, "w+" if mode == "w" else "r+")
        with file, tarfile.open(fileobj=file, mode=mode) as archive:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    with vol.fopen(path) as file, tarfile.open(fileobj=file) as archive:
        assert archive.getnames() == ["first", "second"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zipfile(vol: gfapi.Volume, path: str, compression: int) -> None:
    with vol.fopen(path, "w+") as file, zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("a", b"x" * 100_000)
    with vol.fopen(path, "r+") as file, zipfile.ZipFile(file, "a", compression) as archive:
        archive.writestr("b/c", "text")
    with vol.fopen(path) as file, zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a", "b/c"]
        assert archive.read("a") == b"x" * 100_000
        assert archive.read("b/c") == b"text"


def test_shutil_copies_to_and_from_local_files(
    vol: gfapi.Volume, path: str, tmp_path: Path
) -> None:
    data = os.urandom(700_001)
    (tmp_path / "from").write_bytes(data)
    with (tmp_path / "from").open("rb") as local, vol.fopen(path, "w") as file:
        shutil.copyfileobj(local, file)
    with (tmp_path / "to").open("wb") as local, vol.fopen(path) as file:
        shutil.copyfileobj(file, local)
    assert (tmp_path / "to").read_bytes() == data


def test_array_reads_and_writes(vol: gfapi.Volume, path: str) -> None:
    numbers = array.array("d", [1.5, -2.25, 1e300])
    with vol.fopen(path, "w") as file:
        numbers.tofile(file)
    read = array.array("d")
    with vol.fopen(path) as file:
        read.fromfile(file, 3)
    assert read == numbers


def test_gzip_reads_what_open_has_opened(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file:
        file.write(gzip.compress(b"text"))
    with gfapi.File(vol.open(path, os.O_RDONLY)) as file, gzip.GzipFile(fileobj=file) as stream:
        assert stream.read() == b"text"


@pytest.mark.parametrize("mode", ["rb", "wb", "ab", "rb+", "ab+"])
def test_the_mode_of_a_file_by_its_glfd_is_as_io_has_it(
    vol: gfapi.Volume, path: str, tmp_path: Path, mode: str
) -> None:
    flags = {"r": 0, "w": os.O_CREAT, "a": os.O_CREAT | os.O_APPEND}[mode[0]]
    access = os.O_RDWR if "+" in mode else os.O_RDONLY if mode[0] == "r" else os.O_WRONLY
    (tmp_path / "file").touch()
    vol.mknod(path)
    with io.FileIO(tmp_path / "file", mode) as local:
        assert local.mode == mode
    with gfapi.File(vol.open(path, flags | access)) as file:
        assert file.mode == mode
        assert f"mode='{mode}'" in repr(file)


@pytest.mark.parametrize("name", ["read", "readinto", "readline", "readall", "pread", "write"])
def test_what_a_file_is_not_open_for_is_the_error_that_io_has_and_ebadf(
    vol: gfapi.Volume, path: str, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    vol.mknod(path)
    mode = "r" if name == "write" else "w"
    arguments = {"readinto": [bytearray(3)], "pread": [3, 0], "write": [b"x"]}.get(name, [])
    with vol.fopen(path, mode) as file:
        with pytest.raises(io.UnsupportedOperation) as caught:
            getattr(file, name)(*arguments)
        assert (caught.value.errno, caught.value.filename) == (errno.EBADF, path)
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        getattr(file, name)(*arguments)
    assert not isinstance(caught.value, io.UnsupportedOperation)
    if name in ("read", "write"):
        with (
            open(tmp_path / "file", f"{mode}b", 0) as local,
            pytest.raises(io.UnsupportedOperation),
        ):
            getattr(local, name)(*arguments)
