"""Arguments that are nonsense, and those that do something when they are asked what they are."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import itertools
import os
import random
import sys
from typing import Any, Callable

import hostile
import pytest
from hostile_values import Boom, Index, LyingStr, Path, Refusing, in_turn

from gluster import gfapi
from gluster.gfapi import meta, sandbox


@pytest.fixture
def file(plain_vol: gfapi.Volume, plain_folder: str) -> Any:
    """A file of 100 bytes."""
    with plain_vol.fopen(f"{plain_folder}/file", "w+") as opened:
        opened.write(b"0123456789" * 10)
        opened.seek(0)
        yield opened


# ------------------------------------------------------------------------------- numbers

WITH_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "read": lambda f, n: f.read(n),
    "read size": lambda f, n: f.read(size=n),
    "readline": lambda f, n: f.readline(n),
    "pread size": lambda f, n: f.pread(n, 0),
    "pread offset": lambda f, n: f.pread(1, n),
    "preadinto": lambda f, n: f.preadinto(bytearray(1), n),
    "preadv": lambda f, n: f.preadv([bytearray(1)], n),
    "preadv flags": lambda f, n: f.preadv([bytearray(1)], 0, n),
    "pwrite": lambda f, n: f.pwrite(b"x", n),
    "pwritev": lambda f, n: f.pwritev([b"x"], n),
    "seek": lambda f, n: f.seek(n),
    "seek whence": lambda f, n: f.seek(0, n),
    "ftruncate": lambda f, n: f.ftruncate(n),
    "truncate": lambda f, n: f.truncate(n),
    "discard": lambda f, n: f.discard(n, 1),
    "fallocate": lambda f, n: f.fallocate(0, n, 1),
    "fallocate mode": lambda f, n: f.fallocate(n, 0, 1),
    "zerofill": lambda f, n: f.zerofill(0, n),
    "lockf": lambda f, n: f.lockf(n),
    "lock_holder": lambda f, n: f.lock_holder(n),
    "pread_async": lambda f, n: f.pread_async(1, n),
    "pwrite_async": lambda f, n: f.pwrite_async(b"x", n),
    "read_async": lambda f, n: f.read_async(n),
    "ftruncate_async": lambda f, n: f.ftruncate_async(n),
    "discard_async": lambda f, n: f.discard_async(n, 1),
    "zerofill_async": lambda f, n: f.zerofill_async(n, 1),
    "copy_file_range": lambda f, n: f.volume.copy_file_range(f, f, n, 0, 50),
    "copy_file_range offset": lambda f, n: f.volume.copy_file_range(f, f, 1, n, 50),
    "Volume.truncate": lambda f, n: f.volume.truncate(f.name, n),
    "Volume.mknod": lambda f, n: f.volume.mknod(f"{f.name}.new", n),
    "Volume.open mode": lambda f, n: f.volume.open(f.name, os.O_RDONLY, n),
    "Volume.setattr": lambda f, n: f.volume.setattr(f.name, size=n),
    "Handle.pread": lambda f, n: f.volume.lookup(f.name).pread(n, 0),
    "Handle.pwrite": lambda f, n: f.volume.lookup(f.name).pwrite(b"x", n),
    "Handle.truncate": lambda f, n: f.volume.lookup(f.name).truncate(n),
    "Handle.create": lambda f, n: f.volume.lookup("/").create("new", 0, n),
}


@pytest.mark.parametrize("number", ["1", 1.5, [], (1, 2)], ids=str)
@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_what_is_no_integer_is_refused_as_by_os(file: gfapi.File, name: str, number: Any) -> None:
    message = f"{type(number).__name__!r} object cannot be interpreted as an integer"
    with pytest.raises(TypeError, match=message):
        WITH_NUMBERS[name](file, number)


@pytest.mark.parametrize("name", set(WITH_NUMBERS) - {"seek whence", "lockf", "lock_holder"})
def test_an_integer_is_asked_for_its_value_once(file: gfapi.File, name: str) -> None:
    asked = itertools.count(1)
    WITH_NUMBERS[name](file, Index(lambda: next(asked) and 1))
    assert next(asked) == 2
    gfapi.File(file.volume.open(file.name, os.O_RDONLY)).close()


@pytest.mark.parametrize("timeout", [float("nan"), -1])
def test_a_lock_waits_for_no_impossible_time(file: gfapi.File, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout is"):
        file.lockf(fcntl.LOCK_EX, timeout=timeout)
    with pytest.raises(TypeError, match="timeout must be a number of seconds"):
        file.flock(fcntl.LOCK_EX, timeout="long")  # type: ignore[arg-type]


def test_groups_without_end_are_too_many(plain_vol: gfapi.Volume) -> None:
    with pytest.raises(ValueError, match="no more than 87"):
        plain_vol.setfsgroups(itertools.count())  # type: ignore[arg-type]


# ------------------------------------------------- what is done while an argument is looked at


@pytest.mark.parametrize("name", ["pread_async", "ftruncate_async", "zerofill_async", "pread size"])
def test_a_number_may_close_the_file(plain_vol: gfapi.Volume, file: gfapi.File, name: str) -> None:
    other = plain_vol.fopen(file.name, "r+")
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)) as caught:
        WITH_NUMBERS[name](other, Index(lambda: other.close() or 1))
    assert caught.value.errno == errno.EBADF


THAT_UNMOUNT = """
import os, time
vol.mount()
vol.mkdir(folder + "/d")
vol.fopen(folder + "/f", "w").close()

class Unmounting:
    def __init__(self, answer):
        self.answer = answer
    def __fspath__(self):
        vol.umount()
        return self.answer
    def __index__(self):
        vol.umount()
        return self.answer

path, new = Unmounting(folder + "/f"), Unmounting(folder + "/g")
calls = {
    "open": lambda: vol.open(path, os.O_RDONLY),
    "open mode": lambda: vol.open(folder + "/h", os.O_CREAT, Unmounting(0o600)),
    "copyfile": lambda: vol.copyfile(folder + "/f", new),
    "opendir": lambda: vol.opendir(Unmounting(folder)),
    "lookup": lambda: vol.lookup(path),
    "getacl": lambda: vol.getacl(path),
    "access": lambda: vol.access(path, os.R_OK, follow_symlinks=False),
    "Handle.mkdir": lambda: folder_handle.mkdir("x", Unmounting(0o700)),
    "Handle.create": lambda: folder_handle.create("y", 0, Unmounting(0o700)),
    "Handle.mknod": lambda: folder_handle.mknod("z", 0o600, Unmounting(0)),
    "Handle.symlink": lambda: folder_handle.symlink(Unmounting("to"), "link"),
    "Handle.lookup": lambda: folder_handle.lookup(Unmounting("f")),
}
call = calls[arguments[0]]
folder_handle = vol.lookup(folder)
began = time.monotonic()
try:
    call()
    print("ok")
except (gfapi.VolumeNotMounted, OSError) as error:
    print(type(error).__name__, error.errno)
assert time.monotonic() - began < 50  # and does not wait for itself
"""


BY_HANDLE = ("create", "lookup", "mkdir", "mknod", "symlink")


@pytest.mark.parametrize(
    "call",
    [
        *("open", "open mode", "copyfile", "opendir", "lookup", "getacl", "access"),
        *(f"Handle.{name}" for name in BY_HANDLE),
    ],
)
def test_an_argument_may_unmount_the_volume(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str], call: str
) -> None:
    said = output_of(plain, plain_folder, THAT_UNMOUNT, call)
    assert said.split()[0] in ("VolumeNotMounted", "OSError")
    assert said.split()[1] in ("None", str(errno.EBADF))


NAMES_THAT_CHANGE = """
vol.mount()
vol.fopen(folder + "/f", "w").close()

class Changing:
    answers = ["g", "no/such/folder/g"]
    def __fspath__(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

handle = vol.lookup(folder)
handle.rename("f", handle, Changing())
print(vol.listdir(folder))
vol.umount()
"""


def test_a_name_that_becomes_a_path_does_not_reach_libgfapi(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str]
) -> None:
    """Of a rename to a path that does not exist it dies."""
    assert output_of(plain, plain_folder, NAMES_THAT_CHANGE) == "['g']\n"


def test_a_path_is_asked_once_also_where_several_calls_are_made(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    path = Path(in_turn(f"{plain_folder}/one", f"{plain_folder}/two"))
    gfapi.File(plain_vol.open(path, os.O_CREAT | os.O_RDWR)).close()
    with pytest.raises(FileNotFoundError) as caught:
        plain_vol.readlink(Path(in_turn("/nothing", "/something")))
    assert plain_vol.listdir(plain_folder) == ["one"]
    assert caught.value.filename == "/nothing"


def test_a_mode_is_asked_once_also_where_several_directories_are_made(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    plain_vol.makedirs(f"{plain_folder}/a/b", Index(in_turn(0o700, 1 << 64)))
    assert plain_vol.isdir(f"{plain_folder}/a/b")


def test_an_error_is_not_replaced_by_that_of_naming_its_path(plain_vol: gfapi.Volume) -> None:
    asked = itertools.count()
    path = Path(lambda: "/nothing" if not next(asked) else 1 / 0)
    with pytest.raises(FileNotFoundError):
        plain_vol.stat(path)


def test_text_is_what_it_is_and_not_what_it_says(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    path = LyingStr(f"{plain_folder}/name")
    plain_vol.mkdir(path)
    plain_vol.setxattr(path, LyingStr("user.x"), b"v")
    assert plain_vol.listdir(plain_folder) == ["name"]
    assert plain_vol.getxattr(f"{plain_folder}/name", b"user.x") == b"v"


def test_a_directory_is_not_left_open_by_a_flag_that_raises(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    opened = len(plain_vol._mount.descriptors)
    with pytest.raises(Boom):
        plain_vol.opendir(plain_folder, Refusing())  # type: ignore[arg-type]
    with pytest.raises(Boom):
        plain_vol.lookup(plain_folder).opendir(Refusing())  # type: ignore[arg-type]
    assert len(plain_vol._mount.descriptors) == opened


# ------------------------------------------------------------------------------- buffers


@pytest.mark.parametrize("kind", [ctypes.c_uint32 * 3, ctypes.c_int, ctypes.c_double * 2])
def test_a_buffer_of_anything_is_one_of_bytes(file: gfapi.File, kind: Any) -> None:
    data = kind()
    ctypes.memset(ctypes.byref(data), 0x41, ctypes.sizeof(data))
    size = ctypes.sizeof(data)
    assert file.pwritev([data, memoryview(bytes(data))], 0) == 2 * size
    assert file.pread(1000, 0) == (b"A" * 2 * size + b"0123456789" * 10)[: 2 * size] + file.pread(
        1000, 2 * size
    )
    found = kind()
    assert file.preadv([found], 0) == size
    assert bytes(found) == bytes(data)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python has no __buffer__ before 3.12")
def test_a_buffer_that_becomes_another_is_asked_for_once(file: gfapi.File) -> None:
    class Changing:
        turns = (bytearray(10), b"read-only!")

        def __buffer__(self, flags: int) -> memoryview:
            turn, self.turns = self.turns[0], self.turns[1:] or self.turns
            return memoryview(turn)

    data = Changing()
    first, second = data.turns
    assert file.readv([data]) == 10
    assert first == b"0123456789"
    assert second == b"read-only!"


# ----------------------------------------------------- what is not made by its constructor


@pytest.mark.parametrize("nonsense", [None, 0, 12345, "x"], ids=repr)
def test_what_gfapi_makes_nobody_else_makes(plain_vol: gfapi.Volume, nonsense: Any) -> None:
    for make in (
        gfapi.Dir,
        gfapi.Handle,
        lambda value: gfapi.Upcall(plain_vol, value),
        lambda value: gfapi.Lease(value, value, value, 1, gfapi.LeaseType.RD),
    ):
        with pytest.raises(TypeError, match=r"is (made|taken) by"):
            make(nonsense)


def test_what_is_no_function_is_called_one(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    with pytest.raises(TypeError, match="'int' object is not callable"):
        plain_vol.copytree(plain_folder, f"{plain_folder}.new", ignore=0)  # type: ignore[arg-type]


def test_a_look_inside_wants_a_name(plain_vol: gfapi.Volume) -> None:
    inside: Any = plain_vol.meta
    for look in (inside.read, inside.private, inside.allocations):
        with pytest.raises(TypeError, match="name must be a str, not 'NoneType'"):
            look(None)
    with pytest.raises(TypeError, match="volfile must be a str, not 'bytes'"):
        meta.graph_in(b"volume")  # type: ignore[arg-type]


# ------------------------------------------------------------------- the proof of it all


def test_nonsense_is_refused_in_words(cluster: sandbox.Cluster) -> None:
    """Some calls of the proof in test/stress, another part of all in each run."""
    volume = cluster.create_volume("nonsense", options=hostile.OPTIONS)
    seed = random.randrange(1 << 32)
    some = hostile.some_cases(random.Random(seed), share=100)
    random.Random(seed).shuffle(some)
    cases = list({case.name: case for case in some}.values())  # one of each callable
    verdicts = list(hostile.run(volume, volume, cases))
    volume.delete()
    assert [verdict for verdict in verdicts if verdict.problem] == []
    assert len(verdicts) == len(cases) > 300
