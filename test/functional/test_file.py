"""File and what opens it: modes, positions, content, space."""

from __future__ import annotations

import array
import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox
from gluster.gfapi.descriptor import Descriptor

FALLOC_FL_KEEP_SIZE = 1
FALLOC_FL_PUNCH_HOLE = 2
FALLOC_FL_COLLAPSE_RANGE = 8
FALLOC_FL_ZERO_RANGE = 16
FALLOC_FL_INSERT_RANGE = 32


@pytest.fixture
def path(folder: str) -> str:
    """Where there is nothing yet."""
    return f"{folder}/file"


@pytest.fixture
def file(vol: gfapi.Volume, path: str) -> Any:
    """An open file of ten bytes, to read and write, at its beginning."""
    with vol.fopen(path, "w+") as file:
        file.write(b"0123456789")
        file.seek(0)
        yield file


def content(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


# ------------------------------------------------------------------------------ opening

MODES = [
    letter + rest for letter in "rwax" for rest in ("", "b", "+", "+b", "b+")
]  # fmt: skip


def behaviour(open_: Callable[[], Any]) -> list[Any]:
    """What a file does, step by step, from the moment that it is opened."""
    try:
        file = open_()
    except OSError as error:
        return [type(error)]
    steps: list[Callable[[], Any]] = [
        file.tell,
        file.readable,
        file.writable,
        file.seekable,
        lambda: file.read(3),
        file.tell,
        lambda: file.write(b"XY"),
        file.tell,
        file.read,
        lambda: file.seek(1),
        lambda: file.write(b"Z"),
        file.tell,
        lambda: file.seek(-2, os.SEEK_END),
        file.read,
        lambda: file.seek(-1, os.SEEK_CUR),
        lambda: file.seek(-9, os.SEEK_SET),
        file.tell,
        lambda: file.truncate(4),
        file.tell,
    ]
    seen = []
    with file:
        for step in steps:
            try:
                seen.append(step())
            except OSError:
                seen.append("refused")
    return seen


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("before", [None, b"", b"12345678"], ids=["missing", "empty", "existing"])
def test_each_mode_does_what_pythons_own_open_does(
    vol: gfapi.Volume, path: str, tmp_path: Path, mode: str, before: Any
) -> None:
    local = tmp_path / "local"
    if before is not None:
        local.write_bytes(before)
        with vol.fopen(path, "w") as file:
            file.write(before)
    binary = mode if "b" in mode else mode + "b"
    expected = behaviour(lambda: local.open(binary, buffering=0))
    assert behaviour(lambda: vol.fopen(path, mode)) == expected
    assert vol.exists(path) == local.exists()
    if local.exists():
        assert content(vol, path) == local.read_bytes()


def test_mode_w_cuts_an_existing_file_and_its_size_is_seen_at_once(
    vol: gfapi.Volume, path: str
) -> None:
    with vol.fopen(path, "w") as file:
        file.write(b"x" * 100_000)
    assert vol.getsize(path) == 100_000
    with vol.fopen(path, "w") as file:
        assert file.fgetsize() == 0
        assert vol.getsize(path) == 0
        file.write(b"new")
        assert file.fgetsize() == 3
        assert vol.getsize(path) == 3


@pytest.mark.parametrize("flags", [os.O_TRUNC, os.O_TRUNC | os.O_CREAT])
def test_nothing_of_the_old_content_is_read_after_truncation(
    vol: gfapi.Volume, path: str, flags: int
) -> None:
    with vol.fopen(path, "w") as file:
        file.write(b"old")
    assert content(vol, path) == b"old"
    with gfapi.File(vol.open(path, os.O_RDWR | flags)) as file:
        assert file.read() == b""
    assert content(vol, path) == b""


@pytest.mark.parametrize("by_handle", [False, True])
@pytest.mark.parametrize("flags", [os.O_TRUNC, os.O_TRUNC | os.O_CREAT])
def test_a_file_opened_to_be_read_is_cut_too_and_stays_one_to_be_read(
    vol: gfapi.Volume, path: str, flags: int, by_handle: bool
) -> None:
    with vol.fopen(path, "w") as file:
        file.write(b"old")
    assert content(vol, path) == b"old"
    glfd = vol.lookup(path).open(flags) if by_handle else vol.open(path, flags)
    with gfapi.File(glfd) as file, file.dup() as duplicate:
        assert (file.read(), file.fgetsize()) == (b"", 0)
        for one in (file, duplicate):
            assert not one.writable()
            with pytest.raises(OSError, match="Bad file descriptor"):
                one.write(b"x")
    assert content(vol, path) == b""
    assert vol.getsize(path) == 0


def test_a_new_file_that_nobody_may_write_is_opened_to_be_read_with_o_trunc(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    vol.chmod(folder, 0o777)
    with vol.identity(1000, 1000):
        flags = os.O_RDONLY | os.O_CREAT | os.O_TRUNC
        with gfapi.File(vol.open(path, flags, 0o444)) as file:
            assert file.read() == b""
        with pytest.raises(PermissionError):
            vol.open(path, flags, 0o444)


def test_a_directory_is_not_cut(vol: gfapi.Volume, folder: str) -> None:
    with vol.lookup(folder) as handle:
        for flags in (os.O_TRUNC, os.O_TRUNC | os.O_DIRECTORY, os.O_TRUNC | os.O_CREAT):
            for call in (lambda flags: vol.open(folder, flags), handle.open):
                with pytest.raises(IsADirectoryError):
                    call(flags)


def test_what_is_known_of_a_file_is_not_read_by_one_open_for_writing_only(
    vol: gfapi.Volume, path: str
) -> None:
    with vol.fopen(path, "w") as file:
        file.write(b"secret")
    assert content(vol, path) == b"secret"
    with gfapi.File(vol.open(path, os.O_WRONLY)) as file:
        with pytest.raises(OSError, match="Bad file descriptor"):
            file.read(3)
        with pytest.raises(OSError, match="Bad file descriptor"):
            file.readinto(bytearray(3))


def test_the_default_mode_reads(vol: gfapi.Volume, file: gfapi.File, path: str) -> None:
    file.fsync()
    with vol.fopen(path) as reader:
        assert reader.mode == "r"
        assert reader.read() == b"0123456789"
        with pytest.raises(OSError, match="Bad file descriptor"):
            reader.write(b"x")


@pytest.mark.parametrize("mode", ["", "q", "rw", "r++", "rbb", "wr", "+", "b", "r+w", "rt", "U"])
def test_an_invalid_mode_is_a_value_error_and_makes_no_file(
    vol: gfapi.Volume, path: str, mode: str
) -> None:
    with pytest.raises(ValueError, match="mode is"):
        vol.fopen(path, mode)
    assert not vol.exists(path)


@pytest.mark.parametrize("mode", [None, 0, b"r", os.O_RDONLY])
def test_a_mode_that_is_no_str_is_a_type_error(vol: gfapi.Volume, path: str, mode: Any) -> None:
    with pytest.raises(TypeError, match="mode must be a str"):
        vol.fopen(path, mode)


@pytest.mark.parametrize("mode", ["r", "r+", "w", "a"])
def test_fopen_of_a_directory_fails(vol: gfapi.Volume, folder: str, mode: str) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        vol.fopen(folder, mode)
    assert caught.value.filename == folder


def test_fopen_of_a_missing_file_names_it(vol: gfapi.Volume, path: str) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        vol.fopen(path)
    assert caught.value.filename == path


def test_fopen_below_a_file_fails(vol: gfapi.Volume, file: gfapi.File, path: str) -> None:
    with pytest.raises(NotADirectoryError):
        vol.fopen(f"{path}/below", "w")


def test_fopen_makes_a_file_that_all_may_read_and_write_whatever_the_umask(
    vol: gfapi.Volume, path: str
) -> None:
    old = os.umask(0o077)
    try:
        vol.fopen(path, "w").close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o666


def test_open_gives_an_int_that_file_takes(vol: gfapi.Volume, path: str) -> None:
    fd = vol.open(path, os.O_CREAT | os.O_RDWR, 0o640)
    assert isinstance(fd, int)
    with gfapi.File(fd) as file:
        assert file.write(b"abc") == 3
        assert file.fileno == fd
        assert file.name == path
        assert file.mode == "rb+"
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o640


def test_open_makes_files_of_mode_777_unless_told_otherwise(vol: gfapi.Volume, path: str) -> None:
    gfapi.File(vol.open(path, os.O_CREAT | os.O_WRONLY)).close()
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o777


def test_open_leaves_the_mode_of_an_existing_file(
    vol: gfapi.Volume, file: gfapi.File, path: str
) -> None:
    gfapi.File(vol.open(path, os.O_CREAT | os.O_WRONLY, 0o600)).close()
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o666


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (os.O_RDWR, b"AB23456789"),
        (os.O_RDWR | os.O_TRUNC, b"AB"),
        (os.O_RDWR | os.O_CREAT | os.O_TRUNC, b"AB"),
        (os.O_RDWR | os.O_APPEND, b"0123456789AB"),
        (os.O_WRONLY | os.O_SYNC, b"AB23456789"),
    ],
)
def test_open_honours_its_flags(
    vol: gfapi.Volume, file: gfapi.File, path: str, flags: int, expected: bytes
) -> None:
    file.close()
    with gfapi.File(vol.open(path, flags)) as opened:
        assert opened.write(b"AB") == 2
    assert content(vol, path) == expected


def test_open_with_o_excl_refuses_an_existing_file(
    vol: gfapi.Volume, file: gfapi.File, path: str
) -> None:
    with pytest.raises(FileExistsError) as caught:
        vol.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    assert caught.value.filename == path


def test_open_of_a_missing_file_without_o_creat_fails(vol: gfapi.Volume, path: str) -> None:
    with pytest.raises(FileNotFoundError):
        vol.open(path, os.O_RDWR)


@pytest.mark.parametrize("flags", ["r", None, 1.5])
def test_flags_that_are_no_integer_are_a_type_error(
    vol: gfapi.Volume, path: str, flags: Any
) -> None:
    with pytest.raises(TypeError, match="flags must be an integer"):
        vol.open(path, flags)


def test_a_directory_can_be_opened_by_flags_and_closed(vol: gfapi.Volume, folder: str) -> None:
    for flags in (os.O_RDONLY, os.O_RDONLY | os.O_DIRECTORY):
        with gfapi.File(vol.open(folder, flags)) as opened:
            assert stat.S_ISDIR(opened.fstat().st_mode)
            with pytest.raises(IsADirectoryError):
                opened.read(1)


def test_o_directory_refuses_a_file(vol: gfapi.Volume, file: gfapi.File, path: str) -> None:
    with pytest.raises(NotADirectoryError):
        vol.open(path, os.O_RDONLY | os.O_DIRECTORY)


@pytest.mark.parametrize("by_handle", [False, True])
def test_a_file_opened_to_append_is_closed_if_its_end_cannot_be_found(
    vol: gfapi.Volume,
    file: gfapi.File,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    by_handle: bool,
) -> None:
    def seek(descriptor: Any, offset: int, whence: int) -> int:
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))

    monkeypatch.setattr(Descriptor, "seek", seek)
    opened = vol._mount.descriptors.copy()
    with pytest.raises(OSError, match="not connected") as kept:
        vol.lookup(path).fopen("a") if by_handle else vol.fopen(path, "a")
    assert vol._mount.descriptors == opened
    monkeypatch.undo()
    assert kept.value.errno == errno.ENOTCONN


# -------------------------------------------------------------------- the int behind a File


def test_file_takes_a_plain_int(vol: gfapi.Volume, file: gfapi.File) -> None:
    with gfapi.File(int(file.fileno), "a name", "r+") as other:
        assert other.read() == b"0123456789"
        assert (other.name, other.mode) == ("a name", "r+")


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4096, 0xDEADBEEF, 2**63 - 1])
def test_file_of_an_int_that_is_no_glfd_is_ebadf(vol: gfapi.Volume, number: int) -> None:
    with pytest.raises(OSError, match=f"{number} is no open glfd") as caught:
        gfapi.File(number)
    assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize("number", [-1, 2**64])
def test_file_of_an_int_that_is_no_address_is_an_error(vol: gfapi.Volume, number: int) -> None:
    with pytest.raises((OSError, OverflowError)):
        gfapi.File(number)


@pytest.mark.parametrize("thing", [None, "3", 3.5, b"3"])
def test_file_of_something_else_is_a_type_error(vol: gfapi.Volume, thing: Any) -> None:
    with pytest.raises(TypeError):
        gfapi.File(thing)


def test_file_of_a_closed_glfd_is_ebadf(vol: gfapi.Volume, path: str) -> None:
    fd = vol.open(path, os.O_CREAT | os.O_RDWR)
    gfapi.File(fd).close()
    with pytest.raises(OSError, match="no open glfd"):
        gfapi.File(int(fd))
    # The one that remembers what it belongs to knows that it is closed.
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        gfapi.File(fd)
    assert caught.value.filename == path


def test_two_files_of_one_glfd_are_closed_together(vol: gfapi.Volume, path: str) -> None:
    fd = vol.open(path, os.O_CREAT | os.O_RDWR)
    one, other = gfapi.File(fd), gfapi.File(fd)
    one.write(b"abc")
    assert other.tell() == 3
    one.close()
    assert other.closed
    with pytest.raises(OSError, match="Bad file descriptor"):
        other.close()


# ----------------------------------------------------------------------------- attributes


def test_mode_name_and_closed_tell_how_a_file_was_opened(vol: gfapi.Volume, path: str) -> None:
    file = vol.fopen(path, "w+b")
    assert (file.mode, file.name, file.closed) == ("w+b", path, False)
    file.close()
    assert (file.mode, file.name, file.closed) == ("w+b", path, True)


def test_attributes_are_read_only(file: gfapi.File) -> None:
    for attribute in ("mode", "closed", "fileno", "name"):
        with pytest.raises(AttributeError):
            setattr(file, attribute, "x")


def test_a_file_opened_by_bytes_has_a_name_of_bytes(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(os.fsencode(path), "w") as file:
        assert file.name == os.fsencode(path)


def test_repr_shows_name_mode_and_whether_it_is_closed(file: gfapi.File, path: str) -> None:
    assert repr(file) == f"<gluster.gfapi.File name={path!r} mode='w+'>"
    file.close()
    assert repr(file) == f"<gluster.gfapi.File name={path!r} mode='w+' closed>"


CALLS: dict[str, tuple[Any, ...]] = {
    "read": (),
    "readall": (),
    "readinto": (bytearray(3),),
    "readline": (),
    "readlines": (),
    "write": (b"x",),
    "writelines": ([b"x"],),
    "lseek": (0, os.SEEK_SET),
    "seek": (0,),
    "tell": (),
    "truncate": (0,),
    "flush": (),
    "isatty": (),
    "readable": (),
    "writable": (),
    "seekable": (),
    "fsync": (),
    "fdatasync": (),
    "ftruncate": (0,),
    "fallocate": (0, 0, 10),
    "discard": (0, 10),
    "zerofill": (0, 10),
    "fstat": (),
    "fgetsize": (),
    "fchmod": (0o600,),
    "fchown": (0, 0),
    "fgetxattr": ("user.x",),
    "flistxattr": (),
    "fsetxattr": ("user.x", "y"),
    "fremovexattr": ("user.x",),
    "dup": (),
    "close": (),
    "__enter__": (),
    "__iter__": (),
    "__next__": (),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_call_on_a_closed_file_is_ebadf(vol: gfapi.Volume, path: str, name: str) -> None:
    file = vol.fopen(path, "w+")
    file.close()
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        getattr(file, name)(*CALLS[name])
    assert caught.value.errno == errno.EBADF
    assert caught.value.filename == path


def test_fileno_of_a_closed_file_is_ebadf(vol: gfapi.Volume, path: str) -> None:
    file = vol.fopen(path, "w+")
    file.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.fileno  # noqa: B018


def test_with_closes_the_file_also_after_an_error(vol: gfapi.Volume, path: str) -> None:
    with pytest.raises(KeyError), vol.fopen(path, "w") as file:
        raise KeyError
    assert file.closed


def test_with_bears_a_file_that_was_closed_within(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file:
        file.close()
    assert file.closed


def test_close_has_the_data_on_the_volume_for_another_client(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, path: str
) -> None:
    with vol.fopen(path, "w") as file:
        file.write(b"x" * 3_000_000)
        file.fsync()
    with sandbox_volume.client() as other:
        assert other.getsize(path) == 3_000_000


# -------------------------------------------------------------------------- reading, writing


def test_read_gives_what_is_there_and_then_no_bytes(file: gfapi.File) -> None:
    assert file.read(4) == b"0123"
    assert file.read(100) == b"456789"
    assert file.read(100) == b""
    assert file.read() == b""
    assert file.readall() == b""


@pytest.mark.parametrize("arguments", [(), (-1,), (-5,), (None,)])
def test_read_without_a_limit_goes_to_the_end(file: gfapi.File, arguments: Any) -> None:
    file.seek(2)
    assert file.read(*arguments) == b"23456789"


def test_read_takes_its_limit_by_either_name(file: gfapi.File) -> None:
    assert file.read(buflen=2) == b"01"
    assert file.read(size=2) == b"23"


def test_read_of_nothing_is_nothing(file: gfapi.File) -> None:
    assert file.read(0) == b""
    assert file.tell() == 0


def test_read_of_nothing_from_what_is_open_for_writing_is_ebadf(
    vol: gfapi.Volume, folder: str
) -> None:
    with vol.fopen(f"{folder}/new", "w") as file:
        for read in (lambda: file.read(0), lambda: file.read(1), lambda: file.readall()):
            with pytest.raises(OSError, match="Bad file descriptor"):
                read()


@pytest.mark.parametrize("limit", ["3", 2.5])
def test_read_of_a_limit_that_is_no_number_is_a_type_error(file: gfapi.File, limit: Any) -> None:
    with pytest.raises(TypeError):
        file.read(limit)


def test_read_to_the_end_of_a_file_that_grew_gets_it_all(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, path: str
) -> None:
    with vol.fopen(path, "w+") as file:
        file.write(b"a" * 1000)
        assert file.fgetsize() == 1000
        with sandbox_volume.client() as other, other.fopen(path, "a") as appender:
            appender.write(b"b" * 500_000)
        file.seek(0)
        assert file.read() == b"a" * 1000 + b"b" * 500_000


def test_a_reader_sees_what_another_client_appends(
    vol: gfapi.Volume,
    sandbox_volume: sandbox.SandboxVolume,
    path: str,
    wait_until: Callable[[Callable[[], object]], None],
) -> None:
    read = bytearray()

    def read_on(length: int) -> bool:
        read.extend(reader.read(1000))
        return len(read) >= length

    with contextlib.ExitStack() as stack:
        other = stack.enter_context(sandbox_volume.client())
        appender = stack.enter_context(other.fopen(path, "a"))
        reader = stack.enter_context(vol.fopen(path))
        for number in range(1, 21):
            appender.write(f"{number:<99}\n".encode())
            appender.fsync()
            wait_until(lambda length=100 * number: read_on(length))
    assert read == b"".join(f"{number:<99}\n".encode() for number in range(1, 21))


def test_two_files_in_mode_a_never_overwrite_each_other(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, path: str
) -> None:
    with sandbox_volume.client() as other, contextlib.ExitStack() as stack:
        files = [stack.enter_context(client.fopen(path, "a")) for client in (vol, vol, other)]
        for number in range(2):
            for name, file in zip((b"1", b"2", b"3"), files):
                file.write(name + b"%03d;" % number)
                file.fsync()
    records = content(vol, path).split(b";")
    assert sorted(records) == sorted(
        [b""] + [name + b"%03d" % number for name in (b"1", b"2", b"3") for number in range(2)]
    )


@pytest.mark.parametrize(
    "data",
    [
        b"abc",
        bytearray(b"abc"),
        memoryview(b"abc"),
        memoryview(b"xabcx")[1:4],
        memoryview(bytearray(b"abc")),
        array.array("B", b"abc"),
        "abc",
    ],
    ids=lambda data: type(data).__name__,
)
def test_write_takes_any_buffer_and_str(file: gfapi.File, data: Any) -> None:
    assert file.write(data) == 3
    file.seek(0)
    assert file.read() == b"abc3456789"


def test_write_of_a_buffer_of_larger_items_counts_bytes(file: gfapi.File) -> None:
    numbers = array.array("q", [1, -2, 3])
    assert file.write(numbers) == 24
    file.seek(0)
    assert file.read() == numbers.tobytes()


def test_write_of_text_is_utf_8_and_counts_bytes(file: gfapi.File) -> None:
    assert file.write("Jürgen €") == 11
    file.seek(0)
    assert file.read() == "Jürgen €".encode()


def test_write_of_nothing_changes_nothing(file: gfapi.File) -> None:
    assert file.write(b"") == 0
    assert file.read() == b"0123456789"


@pytest.mark.parametrize("data", [None, 5, 1.5, ["a"], memoryview(b"abcdef")[::2]])
def test_write_of_something_else_is_a_type_error(file: gfapi.File, data: Any) -> None:
    with pytest.raises(TypeError):
        file.write(data)
    assert file.read() == b"0123456789"


def test_writing_keeps_every_byte_value(file: gfapi.File) -> None:
    data = bytes(range(256)) * 1000
    file.write(data)
    file.seek(0)
    assert file.read() == data


@pytest.mark.parametrize(
    "buffer",
    [bytearray(4), memoryview(bytearray(4)), array.array("B", bytes(4))],
    ids=lambda buffer: type(buffer).__name__,
)
def test_readinto_fills_any_writable_buffer(file: gfapi.File, buffer: Any) -> None:
    assert file.readinto(buffer) == 4
    assert bytes(buffer) == b"0123"
    assert file.tell() == 4


def test_readinto_tells_how_much_there_was(file: gfapi.File) -> None:
    buffer = bytearray(b"x" * 16)
    assert file.readinto(buffer) == 10
    assert buffer == b"0123456789xxxxxx"
    assert file.readinto(buffer) == 0
    assert buffer == b"0123456789xxxxxx"


def test_readinto_a_part_of_a_buffer(file: gfapi.File) -> None:
    buffer = bytearray(b"." * 8)
    assert file.readinto(memoryview(buffer)[2:5]) == 3
    assert buffer == b"..012..."


def test_readinto_an_empty_buffer_reads_nothing(file: gfapi.File) -> None:
    assert file.readinto(bytearray()) == 0
    assert file.tell() == 0


@pytest.mark.parametrize(
    "buffer", [b"1234", "1234", None, 4, memoryview(b"1234"), memoryview(bytearray(8))[::2]]
)
def test_readinto_anything_else_is_a_type_error(file: gfapi.File, buffer: Any) -> None:
    with pytest.raises(TypeError):
        file.readinto(buffer)
    assert file.tell() == 0


def test_a_file_opened_for_writing_only_is_not_read(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file:
        for call in (file.read, lambda: file.read(1), lambda: file.readinto(bytearray(1))):
            with pytest.raises(OSError, match="Bad file descriptor"):
                call()


def test_a_file_opened_for_reading_only_is_not_changed(
    vol: gfapi.Volume, file: gfapi.File, path: str
) -> None:
    file.fsync()
    with vol.fopen(path) as reader:
        for call in (
            lambda: reader.write(b"x"),
            lambda: reader.ftruncate(0),
            lambda: reader.truncate(0),
            lambda: reader.fallocate(0, 0, 100),
            lambda: reader.discard(0, 5),
            lambda: reader.zerofill(0, 5),
        ):
            with pytest.raises(OSError, match=r"Bad file descriptor|Invalid argument|supported"):
                call()
    assert content(vol, path) == b"0123456789"


# -------------------------------------------------------------------------------- position


def test_lseek_goes_where_it_is_told_and_says_where_that_is(file: gfapi.File) -> None:
    assert file.lseek(4, os.SEEK_SET) == 4
    assert file.lseek(3, os.SEEK_CUR) == 7
    assert file.lseek(-2, os.SEEK_CUR) == 5
    assert file.lseek(-1, os.SEEK_END) == 9
    assert file.read() == b"9"
    assert file.lseek(pos=0, how=os.SEEK_END) == 10


def test_the_end_is_behind_what_was_just_written(vol: gfapi.Volume, folder: str) -> None:
    """Also where a read has told the client's cache the size from before."""
    with vol.fopen(f"{folder}/new", "w+") as file:
        size = 0
        for number in range(60):
            for piece in (b"x" * 4097, b"y" * (number * 1000)):
                size += file.write(piece)
            file.read(100)
            assert file.seek(0, os.SEEK_END) == size


def test_the_position_after_an_append_is_its_end_whatever_the_size_becomes_then(
    vol: gfapi.Volume, folder: str
) -> None:
    with vol.fopen(f"{folder}/new", "a+") as file:
        file.write(b"0123456789")
        file.fallocate(0, 0, 20)
        assert file.tell() == 10
        file.write(b"0123456789")
        file.ftruncate(5)
        assert file.tell() == 30


def test_lseek_past_the_end_makes_a_hole_of_nuls(file: gfapi.File) -> None:
    assert file.lseek(20, os.SEEK_SET) == 20
    assert file.write(b"x") == 1
    file.seek(0)
    assert file.read() == b"0123456789" + bytes(10) + b"x"


def test_there_is_nothing_to_read_past_the_end(
    file: gfapi.File, sandbox_volume: sandbox.SandboxVolume
) -> None:
    file.seek(10)
    assert file.read(1) == b""
    # A disperse volume shows what it pads the last part of a file with, up to a multiple of
    # 512 bytes for each brick that holds data.
    file.seek(2000)
    assert file.read(1) == b""
    if not sandbox_volume.layout.disperse:
        file.seek(20)
        assert file.read(1) == b""


@pytest.mark.parametrize(
    ("offset", "how"), [(-1, os.SEEK_SET), (-4, os.SEEK_CUR), (-11, os.SEEK_END), (0, 99)]
)
def test_lseek_to_no_possible_place_fails_and_stays_where_it_was(
    file: gfapi.File, path: str, offset: int, how: int
) -> None:
    file.seek(3)
    with pytest.raises(OSError, match="Invalid argument") as caught:
        file.lseek(offset, how)
    assert caught.value.filename == path
    assert file.tell() == 3
    assert file.read(2) == b"34"


def test_dup_has_a_position_of_its_own(file: gfapi.File) -> None:
    file.seek(5)
    with file.dup() as other:
        assert isinstance(other, gfapi.File)
        assert other.fileno != file.fileno
        assert (other.name, other.mode) == (file.name, file.mode)
        assert other.tell() == 0
        assert other.read(2) == b"01"
        assert file.tell() == 5
        other.write(b"XX")
    assert not file.closed
    file.seek(0)
    assert file.read() == b"01XX456789"


# ---------------------------------------------------------------------------- size and space


@pytest.mark.parametrize("call", ["fsync", "fdatasync"])
def test_what_was_synced_is_on_the_bricks(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, path: str, call: str
) -> None:
    data = os.urandom(300_000)
    with vol.fopen(path, "w") as file:
        for _ in range(3):
            file.write(data)
        assert getattr(file, call)() is None
        stored = sum(
            os.stat(brick.path + path).st_size
            for brick in sandbox_volume.bricks
            if os.path.exists(brick.path + path)
        )
        assert stored >= 900_000


@pytest.mark.parametrize("call", ["fsync", "fdatasync"])
def test_a_write_that_cannot_be_stored_fails_by_the_next_sync(
    vol: gfapi.Volume, path: str, call: str
) -> None:
    def write_and_sync() -> None:
        file.write(b"x")
        getattr(file, call)()

    with vol.fopen(path, "w") as file:
        file.seek(2**62)
        with pytest.raises(OSError, match=r"File too large|Invalid argument"):
            write_and_sync()


@pytest.mark.parametrize("call", ["ftruncate", "truncate"])
def test_truncation_cuts_and_extends_with_nuls(file: gfapi.File, call: str) -> None:
    truncate = getattr(file, call)
    truncate(4)
    assert file.fgetsize() == 4
    truncate(8)
    assert file.fgetsize() == 8
    assert file.read() == b"0123\0\0\0\0"


def test_truncate_without_a_size_cuts_at_the_position_and_returns_it(file: gfapi.File) -> None:
    file.seek(6)
    assert file.truncate() == 6
    assert file.tell() == 6
    assert file.fgetsize() == 6


@pytest.mark.parametrize("length", [-1, -(2**40)])
def test_ftruncate_to_less_than_nothing_fails(file: gfapi.File, length: int) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        file.ftruncate(length)
    assert file.read() == b"0123456789"


def test_fallocate_0_extends_the_file_and_takes_the_space(file: gfapi.File) -> None:
    file.fallocate(0, 0, 1 << 20)
    assert file.fgetsize() == 1 << 20
    assert file.fstat().st_blocks * 512 >= 1 << 20
    assert file.read(11) == b"0123456789\0"


def test_fallocate_keep_size_takes_the_space_and_leaves_the_size(
    file: gfapi.File, sandbox_volume: sandbox.SandboxVolume, path: str
) -> None:
    file.fallocate(mode=FALLOC_FL_KEEP_SIZE, offset=0, length=1 << 20)
    assert file.fgetsize() == 10
    assert file.read() == b"0123456789"
    taken = sum(
        os.stat(brick.path + path).st_blocks * 512
        for brick in sandbox_volume.bricks
        if os.path.exists(brick.path + path)
    )
    assert taken >= 1 << 20


def test_fallocate_punch_hole_gives_the_space_back_and_reads_as_nuls(file: gfapi.File) -> None:
    file.write(b"x" * (1 << 20))
    file.fsync()
    before = file.fstat().st_blocks
    file.fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 18, 1 << 19)
    assert file.fgetsize() == 1 << 20
    file.seek(0)
    assert file.read() == b"x" * (1 << 18) + bytes(1 << 19) + b"x" * (1 << 18)
    assert file.fstat().st_blocks <= before - 900


def test_fallocate_zero_range_fills_with_nuls_or_says_that_it_cannot(
    file: gfapi.File, sandbox_volume: sandbox.SandboxVolume
) -> None:
    if sandbox_volume.layout.disperse:
        with pytest.raises(OSError, match="not supported"):
            file.fallocate(FALLOC_FL_ZERO_RANGE, 2, 4)
    else:
        file.fallocate(FALLOC_FL_ZERO_RANGE, 2, 4)
        assert file.read() == b"01\0\0\0\x006789"


@pytest.mark.parametrize(
    "mode",
    [
        FALLOC_FL_PUNCH_HOLE,
        FALLOC_FL_COLLAPSE_RANGE,
        FALLOC_FL_INSERT_RANGE,
        FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
        0x40,
        0x1000,
        -1,
    ],
)
def test_fallocate_in_a_mode_that_the_volume_has_not_fails_and_changes_nothing(
    file: gfapi.File, path: str, mode: int
) -> None:
    file.write(b"x" * 8192)
    with pytest.raises(OSError, match="not supported") as caught:
        file.fallocate(mode, 0, 4096)
    assert caught.value.filename == path
    file.seek(0)
    assert file.read() == b"x" * 8192


def test_fallocate_of_a_mode_that_is_no_integer_is_a_type_error(file: gfapi.File) -> None:
    with pytest.raises(TypeError):
        file.fallocate("keep", 0, 10)  # type: ignore[arg-type]


@pytest.mark.parametrize("call", ["fallocate", "discard", "zerofill"])
@pytest.mark.parametrize(("offset", "length"), [(-1, 10), (0, -10), (-(2**40), -1)])
def test_a_range_below_zero_fails_and_changes_nothing(
    file: gfapi.File, path: str, call: str, offset: int, length: int
) -> None:
    first = (0,) if call == "fallocate" else ()
    with pytest.raises(OSError, match="Invalid argument") as caught:
        getattr(file, call)(*first, offset, length)
    assert caught.value.filename == path
    assert file.fgetsize() == 10
    assert file.read() == b"0123456789"


def test_discard_gives_the_space_back_and_reads_as_nuls(file: gfapi.File) -> None:
    file.write(b"x" * (1 << 20))
    file.fsync()
    before = file.fstat().st_blocks
    file.discard(offset=0, len=1 << 19)
    assert file.fgetsize() == 1 << 20
    file.seek(0)
    assert file.read() == bytes(1 << 19) + b"x" * (1 << 19)
    assert file.fstat().st_blocks <= before - 900


def test_zerofill_fills_with_nuls_and_extends_or_says_that_it_cannot(
    file: gfapi.File, sandbox_volume: sandbox.SandboxVolume
) -> None:
    if sandbox_volume.layout.disperse:
        with pytest.raises(OSError, match="not supported"):
            file.zerofill(8, 4)
        assert file.read() == b"0123456789"
    else:
        file.zerofill(offset=3, length=2)
        file.zerofill(8, 4)
        assert file.read() == b"012\0\x00567\0\0\0\0"


# -------------------------------------------------------------------------------- metadata


def test_fstat_and_fgetsize_agree_with_stat_of_the_path(
    vol: gfapi.Volume, file: gfapi.File, path: str
) -> None:
    status, other = file.fstat(), vol.stat(path)
    assert file.fgetsize() == status.st_size == other.st_size == 10
    for name in ("st_ino", "st_dev", "st_mode", "st_nlink", "st_uid", "st_gid", "st_mtime_ns"):
        assert getattr(status, name) == getattr(other, name)


def test_fstat_works_after_the_file_was_unlinked(
    vol: gfapi.Volume, file: gfapi.File, path: str
) -> None:
    vol.unlink(path)
    assert file.fgetsize() == 10
    assert file.read() == b"0123456789"


def test_fchmod_changes_the_mode(vol: gfapi.Volume, file: gfapi.File, path: str) -> None:
    file.fchmod(mode=0o4751)
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o4751
    assert stat.S_IMODE(file.fstat().st_mode) == 0o4751


def test_fchown_changes_owner_and_group(vol: gfapi.Volume, file: gfapi.File, path: str) -> None:
    file.fchown(uid=1001, gid=1002)
    assert (vol.stat(path).st_uid, vol.stat(path).st_gid) == (1001, 1002)
    file.fchown(-1, 1003)
    assert (vol.stat(path).st_uid, vol.stat(path).st_gid) == (1001, 1003)
    file.fchown(1004, -1)
    assert (vol.stat(path).st_uid, vol.stat(path).st_gid) == (1004, 1003)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("fchmod", ("rw",)),
        ("fchmod", (None,)),
        ("fchown", ("root", 0)),
        ("ftruncate", ("1",)),
        ("ftruncate", (1.5,)),
        ("lseek", ("0", 0)),
        ("fallocate", (0, "0", 1)),
        ("discard", (0, None)),
        ("zerofill", (0, 1.5)),
    ],
)
def test_arguments_of_a_wrong_type_are_type_errors(
    file: gfapi.File, call: str, arguments: Any
) -> None:
    with pytest.raises(TypeError):
        getattr(file, call)(*arguments)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("fchmod", (-1,)),
        ("fchmod", (1 << 32,)),
        ("fchown", (-2, 0)),
        ("fchown", (0, 1 << 32)),
        ("ftruncate", (1 << 63,)),
        ("seek", (1 << 63,)),
    ],
)
def test_numbers_that_do_not_fit_are_overflow_errors(
    file: gfapi.File, call: str, arguments: Any
) -> None:
    with pytest.raises(OverflowError):
        getattr(file, call)(*arguments)


def test_a_write_of_nothing_leaves_the_times(vol: gfapi.Volume, folder: str) -> None:
    with vol.fopen(f"{folder}/f", "w") as file:
        file.utime(ns=(0, 0))
        assert file.write(b"") == 0
    assert vol.stat(f"{folder}/f").st_mtime_ns == 0
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.write(b"")
