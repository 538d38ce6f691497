"""Extended attributes of paths and open files."""

from __future__ import annotations

import array
import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox


@pytest.fixture
def path(vol: gfapi.Volume, folder: str) -> str:
    """An empty file."""
    path = f"{folder}/file"
    vol.mknod(path, 0o600)
    return path


class OfPath:
    """The calls on a path, as they are on a file."""

    def __init__(self, vol: gfapi.Volume, path: str) -> None:
        self.vol, self.path = vol, path

    def get(self, *arguments: Any, **options: Any) -> Any:
        return self.vol.getxattr(self.path, *arguments, **options)

    def set(self, *arguments: Any, **options: Any) -> Any:
        return self.vol.setxattr(self.path, *arguments, **options)

    def list(self, *arguments: Any, **options: Any) -> Any:
        return self.vol.listxattr(self.path, *arguments, **options)

    def remove(self, *arguments: Any, **options: Any) -> Any:
        return self.vol.removexattr(self.path, *arguments, **options)


class OfFile:
    def __init__(self, file: gfapi.File) -> None:
        self.get, self.set = file.fgetxattr, file.fsetxattr
        self.list, self.remove = file.flistxattr, file.fremovexattr


@pytest.fixture(params=["path", "directory", "file"])
def target(request: pytest.FixtureRequest, vol: gfapi.Volume, path: str) -> Iterator[Any]:
    """What has the attributes, with the same four methods for each."""
    if request.param == "file":
        with vol.fopen(path, "r+") as file:
            yield OfFile(file)
    else:
        yield OfPath(vol, path if request.param == "path" else os.path.dirname(path))


def test_str_in_str_out_and_bytes_out_for_a_key_of_bytes(target: Any) -> None:
    assert target.set("user.x", "Jürgen €") is None
    assert target.get("user.x") == "Jürgen €"
    assert target.get(b"user.x") == "Jürgen €".encode()
    target.set(b"user.x", b"other")
    assert target.get("user.x") == "other"
    assert target.get(key="user.x", size=0) == "other"


@pytest.mark.parametrize(
    "value",
    [
        b"\0",
        b"a\0b\0\0c\0",
        bytes(range(256)) * 4,
        b"\xff\xfe\x80",
        "é".encode("latin-1"),
        b"\n\r\t ",
    ],
    ids=["one NUL", "NULs", "every byte", "no UTF-8", "Latin-1", "white space"],
)
def test_a_binary_value_survives_the_round_trip_in_either_type(target: Any, value: bytes) -> None:
    target.set("user.binary", value)
    assert target.get(b"user.binary") == value
    text = target.get("user.binary")
    assert isinstance(text, str)
    target.set("user.copy", text)
    assert target.get(b"user.copy") == value


@pytest.mark.parametrize(
    "value", [bytearray(b"abc"), memoryview(b"xabcx")[1:4], array.array("B", b"abc")], ids=repr
)
def test_any_buffer_is_a_value(target: Any, value: Any) -> None:
    target.set("user.x", value)
    assert target.get(b"user.x") == b"abc"


def test_an_empty_value_is_there_and_empty(target: Any) -> None:
    target.set("user.empty", "")
    assert target.get("user.empty") == ""
    assert target.get(b"user.empty") == b""
    assert "user.empty" in target.list()


@pytest.mark.parametrize("value", [None, 5, 1.5, ["x"], memoryview(b"abcd")[::2]], ids=repr)
def test_a_value_of_another_type_is_a_type_error(target: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        target.set("user.x", value)
    assert "user.x" not in target.list()


def test_the_list_has_the_names_of_all(target: Any) -> None:
    names = ["user.a", "user.b.c", "user.Jürgen", "user." + "n" * 250]
    for name in names:
        target.set(name, "x")
    assert sorted(name for name in target.list() if name.startswith("user.")) == sorted(names)
    assert target.list(size=4096) == target.list()


def test_a_file_without_attributes_lists_none_of_users(target: Any) -> None:
    assert [name for name in target.list() if name.startswith("user.")] == []


def test_a_name_that_is_not_utf_8_is_listed_and_read(target: Any) -> None:
    target.set(b"user.\xff", "x")
    (name,) = (name for name in target.list() if name.startswith("user."))
    assert target.get(name) == "x"
    assert os.fsencode(name) == b"user.\xff"


def test_a_removed_attribute_is_gone(target: Any) -> None:
    target.set("user.x", "y")
    assert target.remove(key="user.x") is None
    assert "user.x" not in target.list()
    with pytest.raises(OSError, match="No data available"):
        target.get("user.x")


@pytest.mark.parametrize("call", ["get", "remove"])
def test_an_attribute_that_is_not_there_is_enodata(target: Any, call: str) -> None:
    with pytest.raises(OSError, match="No data available") as caught:
        getattr(target, call)("user.missing")
    assert caught.value.errno == errno.ENODATA
    assert caught.value.filename is not None


def test_flags_0_creates_and_replaces(target: Any) -> None:
    target.set("user.x", "1", 0)
    target.set("user.x", "2", flags=0)
    assert target.get("user.x") == "2"


def test_flags_1_creates_only(target: Any) -> None:
    assert os.XATTR_CREATE == 1
    target.set("user.x", "1", os.XATTR_CREATE)
    with pytest.raises(FileExistsError):
        target.set("user.x", "2", os.XATTR_CREATE)
    assert target.get("user.x") == "1"


def test_flags_2_replaces_only(target: Any) -> None:
    assert os.XATTR_REPLACE == 2
    with pytest.raises(OSError, match="No data available"):
        target.set("user.x", "1", os.XATTR_REPLACE)
    target.set("user.x", "1")
    target.set("user.x", "2", os.XATTR_REPLACE)
    assert target.get("user.x") == "2"


def test_flags_that_do_not_exist_are_refused(target: Any) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        target.set("user.x", "1", 4)


def test_a_known_size_is_enough_if_it_is_right_or_larger(target: Any) -> None:
    target.set("user.x", "12345")
    assert target.get("user.x", 5) == "12345"
    assert target.get("user.x", size=4096) == "12345"


def test_a_size_that_is_too_small_is_erange(target: Any) -> None:
    target.set("user.x", "12345")
    with pytest.raises(OSError, match="Numerical result out of range") as caught:
        target.get("user.x", 4)
    assert caught.value.errno == errno.ERANGE
    with pytest.raises(OSError, match="Numerical result out of range"):
        target.list(1)


@pytest.mark.parametrize("size", ["5", 2.5])
def test_a_size_that_is_no_integer_is_a_type_error(target: Any, size: Any) -> None:
    target.set("user.x", "12345")
    with pytest.raises(TypeError):
        target.get("user.x", size)
    with pytest.raises(TypeError):
        target.list(size)


@pytest.mark.parametrize("key", ["novalidspace", "xyz.foo", ""])
def test_a_key_of_no_namespace_is_refused(target: Any, key: str) -> None:
    with pytest.raises(OSError, match=r"not supported|Invalid argument|No data"):
        target.set(key, "x")


def test_a_key_of_more_than_255_bytes_is_too_long(target: Any) -> None:
    with pytest.raises(OSError, match=r"File name too long|out of range"):
        target.set("user." + "n" * 251, "x")


@pytest.mark.parametrize("call", ["get", "set", "remove"])
@pytest.mark.parametrize("key", ["user.a\0b", b"\0"])
def test_a_nul_in_a_key_is_a_value_error(target: Any, call: str, key: Any) -> None:
    with pytest.raises(ValueError, match="null"):
        getattr(target, call)(key, *(["x"] if call == "set" else []))


@pytest.mark.parametrize("call", ["get", "set", "remove"])
def test_a_key_that_is_no_text_is_a_type_error(target: Any, call: str) -> None:
    with pytest.raises(TypeError):
        getattr(target, call)(None, *(["x"] if call == "set" else []))


def test_what_one_client_sets_another_sees(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, path: str
) -> None:
    vol.setxattr(path, "user.x", b"\0shared")
    with sandbox_volume.client() as other:
        assert other.getxattr(path, b"user.x") == b"\0shared"
        with other.fopen(path) as file:
            assert file.fgetxattr(b"user.x") == b"\0shared"


def test_attributes_of_a_link_are_those_of_its_target(vol: gfapi.Volume, path: str) -> None:
    vol.symlink(path, f"{path}.link")
    vol.setxattr(f"{path}.link", "user.x", "y")
    assert vol.getxattr(path, "user.x") == "y"


def test_path_and_file_see_the_same_attributes(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "r+") as file:
        file.fsetxattr("user.x", "of the file")
        assert vol.getxattr(path, "user.x") == "of the file"
        vol.setxattr(path, "user.x", "of the path")
        assert file.fgetxattr("user.x") == "of the path"
        vol.removexattr(path, "user.x")
        assert "user.x" not in file.flistxattr()


def test_a_value_of_3500_bytes_fits_into_an_inode_of_ext4(target: Any) -> None:
    value = os.urandom(3500)
    target.set("user.large", value)
    assert target.get(b"user.large") == value


def test_a_value_that_the_bricks_cannot_keep_is_refused_and_leaves_the_old_one(
    target: Any,
) -> None:
    target.set("user.large", "old")
    with pytest.raises(OSError, match=r"No space left|Argument list too long") as caught:
        target.set("user.large", b"x" * (1 << 20))
    assert caught.value.errno in (errno.ENOSPC, errno.E2BIG)
    assert target.get("user.large") == "old"


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gfapi.Volume]:
    """A volume whose brick is on a file system that takes values of 64 KiB, as ext4 does not."""
    storage = tmp_path_factory.mktemp("storage")
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(storage)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    try:
        try:
            os.setxattr(storage, "user.probe", b"x" * 65536)
        except OSError as error:
            pytest.skip(f"tmpfs takes no values of 64 KiB here: {error}")
        with sandbox.Cluster(storage=str(storage)) as cluster:
            vol = cluster.create_volume("roomy").client()
            with vol:
                yield vol
    finally:
        subprocess.run(["umount", "-l", str(storage)], check=True)


@pytest.mark.parametrize("kind", ["path", "file"])
def test_a_value_of_64_kib_with_nuls_survives_the_round_trip(
    roomy: gfapi.Volume, kind: str
) -> None:
    value = bytes(range(256)) * 256
    with roomy.fopen(f"/{kind}", "w") as file:
        target: Any = OfPath(roomy, f"/{kind}") if kind == "path" else OfFile(file)
        target.set("user.large", value)
        assert target.get(b"user.large") == value
        assert os.fsencode(target.get("user.large")) == value
        assert target.get(b"user.large", 65536) == value
        assert "user.large" in target.list()
        with pytest.raises(OSError, match="Numerical result out of range"):
            target.get("user.large", 65535)


def test_a_value_of_more_than_64_kib_is_refused(roomy: gfapi.Volume) -> None:
    with roomy.fopen("/more", "w"), pytest.raises(OSError, match="Argument list too long"):
        roomy.setxattr("/more", "user.large", bytes(65537))


def test_a_value_that_grows_between_the_two_calls_of_a_get_is_got_whole(
    roomy: gfapi.Volume,
) -> None:
    roomy.mknod("/growing", 0o600)
    roomy.setxattr("/growing", "user.x", b"x")
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            roomy.setxattr("/growing", "user.x", b"x")
            roomy.setxattr("/growing", "user.x", b"x" * 50000)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        lengths = {len(roomy.getxattr("/growing", "user.x")) for _ in range(300)}
    finally:
        done.set()
        thread.join()
    assert lengths <= {1, 50000}


def test_a_key_is_asked_for_its_name_once(target: Any) -> None:
    class Fickle:
        def __init__(self, *names: str) -> None:
            self.names = iter(names)

        def __fspath__(self) -> str:
            return next(self.names)

    command = "user.io.stat.dump"  # which a client takes for one
    target.set(Fickle("user.x", command), b"value")
    assert "user.x" in target.list()
    target.remove(Fickle("user.x", command))
    assert "user.x" not in target.list()
