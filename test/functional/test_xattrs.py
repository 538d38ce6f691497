"""Extended attributes as a mapping, and those of a symbolic link itself."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, MutableMapping
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


@pytest.fixture(params=["path", "directory", "file"])
def xattrs(request: pytest.FixtureRequest, vol: gfapi.Volume, path: str) -> Iterator[Any]:
    """The mapping of each thing that has attributes."""
    if request.param == "file":
        with vol.fopen(path, "r+") as file:
            yield file.xattrs
    else:
        yield vol.xattrs(path if request.param == "path" else os.path.dirname(path))


# -------------------------------------------------------------------------------- the mapping


def test_it_is_a_mapping_from_str_to_bytes(xattrs: gfapi.Xattrs) -> None:
    assert isinstance(xattrs, MutableMapping)
    assert dict(xattrs) == {}
    xattrs["user.x"] = b"\0\xff"
    xattrs["user.text"] = "Jürgen"
    xattrs[b"user.bytes"] = bytearray(b"array")
    assert xattrs["user.x"] == xattrs[b"user.x"] == b"\0\xff"
    assert dict(xattrs) == {
        "user.x": b"\0\xff",
        "user.text": "Jürgen".encode(),
        "user.bytes": b"array",
    }
    assert len(xattrs) == 3
    assert "user.x" in xattrs
    assert b"user.x" in xattrs
    assert "user.y" not in xattrs
    assert xattrs == {"user.x": b"\0\xff", "user.text": "Jürgen".encode(), "user.bytes": b"array"}


def test_a_value_can_be_replaced_and_removed(xattrs: gfapi.Xattrs) -> None:
    xattrs["user.x"] = b"1"
    xattrs["user.x"] = b"2"
    assert xattrs.pop("user.x") == b"2"
    assert xattrs.pop("user.x", b"default") == b"default"
    xattrs.update({"user.a": b"1"}, **{"user.b": "2"})
    del xattrs["user.a"]
    assert dict(xattrs.items()) == {"user.b": b"2"}
    xattrs.clear()
    assert list(xattrs) == []
    assert not xattrs


def test_a_name_that_is_missing_is_a_key_error(xattrs: gfapi.Xattrs) -> None:
    for call in (
        lambda: xattrs["user.missing"],
        lambda: xattrs.__delitem__("user.missing"),
        lambda: xattrs.pop("user.missing"),
    ):
        with pytest.raises(KeyError, match=r"user\.missing"):
            call()
    assert xattrs.get("user.missing") is None
    assert xattrs.get("user.missing", b"x") == b"x"


def test_setdefault_sets_only_what_is_not_there(xattrs: gfapi.Xattrs) -> None:
    assert xattrs.setdefault("user.x", "first") == b"first"
    assert xattrs.setdefault("user.x", "second") == b"first"
    assert xattrs["user.x"] == b"first"
    with pytest.raises(TypeError):
        xattrs.setdefault("user.none")
    assert "user.none" not in xattrs


def test_of_many_threads_that_set_a_default_one_wins(vol: gfapi.Volume, path: str) -> None:
    def attempt(number: int) -> None:
        barrier.wait()
        got.append(vol.xattrs(path).setdefault("user.owner", str(number)))

    got: list[bytes] = []
    barrier = threading.Barrier(8)
    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert set(got) == {vol.xattrs(path)["user.owner"]}


def test_a_path_and_an_open_file_have_the_same_mapping(vol: gfapi.Volume, path: str) -> None:
    vol.xattrs(path)["user.x"] = b"1"
    vol.setacl(path, "u::rw,u:1000:r,g::-,o::-")
    with vol.fopen(path, "r+") as file:
        assert file.xattrs == vol.xattrs(path)
        assert sorted(file.xattrs) == ["system.posix_acl_access", "user.x"]
        file.xattrs["user.x"] = b"2"
    assert vol.xattrs(path)["user.x"] == b"2"


def test_all_names_can_be_read_and_glusterfs_own_are_not_among_them(
    xattrs: gfapi.Xattrs,
) -> None:
    for name in ("user.x", "trusted.x", "security.x"):
        xattrs[name] = name
    assert {name: xattrs[name] for name in xattrs} == {
        name: name.encode() for name in ("user.x", "trusted.x", "security.x")
    }


def test_what_glusterfs_knows_of_a_path_is_read_by_name(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, path: str
) -> None:
    if sandbox_volume.name == "disperse":
        pytest.skip("a dispersed volume of GlusterFS 10 says ENOMEM")
    where = vol.xattrs(path)["trusted.glusterfs.pathinfo"]
    assert b"POSIX" in where
    assert os.fsencode(path) in where
    assert os.fsencode(path) in vol.getxattr(path, b"glusterfs.pathinfo")


def test_other_failures_are_os_errors_with_the_path(vol: gfapi.Volume, path: str) -> None:
    missing = vol.xattrs(f"{path}.missing")
    for call in (lambda: missing["user.x"], lambda: list(missing), lambda: len(missing)):
        with pytest.raises(FileNotFoundError) as caught:
            call()
        assert caught.value.filename == f"{path}.missing"
    with pytest.raises(OSError, match="not supported"):
        vol.xattrs(path)["nonsense"] = b"x"
    with pytest.raises(OSError, match=r"File name too long|out of range"):
        vol.xattrs(path)["user." + "n" * 251] = b"x"
    with pytest.raises(OSError, match=r"No space left|Argument list too long"):
        vol.xattrs(path)["user.large"] = bytes(1 << 20)
    assert list(vol.xattrs(path)) == []


@pytest.mark.parametrize("key", [None, 5, ["user.x"]])
def test_a_key_that_is_no_text_is_a_type_error(
    plain_vol: gfapi.Volume, plain_folder: str, key: Any
) -> None:
    xattrs = plain_vol.xattrs(plain_folder)
    for call in (
        lambda: xattrs[key],
        lambda: key in xattrs,
        lambda: xattrs.__setitem__(key, b"x"),
        lambda: xattrs.__delitem__(key),
    ):
        with pytest.raises(TypeError):
            call()


def test_a_nul_in_a_key_is_a_value_error(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    with pytest.raises(ValueError, match="null"):
        plain_vol.xattrs(plain_folder)["user.\0"]


@pytest.mark.parametrize("value", [None, 5, ["x"]])
def test_a_value_of_another_type_is_a_type_error(
    plain_vol: gfapi.Volume, plain_folder: str, value: Any
) -> None:
    with pytest.raises(TypeError):
        plain_vol.xattrs(plain_folder)["user.x"] = value


def test_it_says_whose_it_is(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    assert repr(plain_vol.xattrs(plain_folder)) == f"<gluster.gfapi.Xattrs of {plain_folder!r}>"
    with plain_vol.fopen(f"{plain_folder}/file", "w") as file:
        assert repr(file.xattrs) == f"<gluster.gfapi.Xattrs of '{plain_folder}/file'>"


def test_those_of_a_closed_file_are_ebadf(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    with plain_vol.fopen(f"{plain_folder}/file", "w") as file:
        xattrs = file.xattrs
    for call in (lambda: xattrs["user.x"], lambda: list(xattrs)):
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            call()
        assert caught.value.errno == errno.EBADF


def test_those_of_an_unmounted_volume_say_so(plain: Any) -> None:
    vol = plain.client()
    with pytest.raises(gfapi.VolumeNotMounted):
        vol.xattrs("/")
    with vol:
        xattrs = vol.xattrs("/")
    with pytest.raises(gfapi.VolumeNotMounted):
        list(xattrs)


# ------------------------------------------------------------------------- links themselves


@pytest.fixture
def link(vol: gfapi.Volume, path: str) -> str:
    """A symbolic link to the file."""
    vol.symlink("file", f"{path}.link")
    return f"{path}.link"


def test_a_link_has_attributes_of_its_own(vol: gfapi.Volume, path: str, link: str) -> None:
    vol.setxattr(link, "trusted.x", "of the link", follow_symlinks=False)
    vol.setxattr(link, "trusted.x", "of the target")
    assert vol.getxattr(link, "trusted.x", follow_symlinks=False) == "of the link"
    assert vol.getxattr(link, b"trusted.x", follow_symlinks=False) == b"of the link"
    assert vol.getxattr(link, "trusted.x") == vol.getxattr(path, "trusted.x") == "of the target"
    vol.setxattr(link, "trusted.y", "", follow_symlinks=False)
    assert sorted(vol.listxattr(link, follow_symlinks=False)) == ["trusted.x", "trusted.y"]
    assert vol.listxattr(link) == ["trusted.x"]
    vol.removexattr(link, "trusted.x", follow_symlinks=False)
    assert vol.listxattr(link, follow_symlinks=False) == ["trusted.y"]
    assert vol.listxattr(path) == ["trusted.x"]


def test_the_mapping_of_a_link_itself(vol: gfapi.Volume, path: str, link: str) -> None:
    own = vol.xattrs(link, follow_symlinks=False)
    own["trusted.x"] = b"1"
    assert dict(own) == {"trusted.x": b"1"}
    assert dict(vol.xattrs(link)) == dict(vol.xattrs(path)) == {}
    del own["trusted.x"]
    assert dict(own) == {}


def test_a_link_itself_takes_none_of_users(vol: gfapi.Volume, link: str) -> None:
    with pytest.raises(PermissionError):
        vol.setxattr(link, "user.x", "y", follow_symlinks=False)
    with pytest.raises(OSError, match="No data available"):
        vol.getxattr(link, "user.x", follow_symlinks=False)


def test_a_broken_link_itself_is_there(vol: gfapi.Volume, path: str) -> None:
    vol.symlink("nowhere", f"{path}.broken")
    vol.setxattr(f"{path}.broken", "trusted.x", "y", follow_symlinks=False)
    assert vol.listxattr(f"{path}.broken", follow_symlinks=False) == ["trusted.x"]
    with pytest.raises(FileNotFoundError):
        vol.listxattr(f"{path}.broken")


def test_it_makes_no_difference_to_what_is_no_link(vol: gfapi.Volume, path: str) -> None:
    vol.setxattr(path, "user.x", "y", follow_symlinks=False)
    assert vol.getxattr(path, "user.x", follow_symlinks=False) == "y"
    assert vol.listxattr(path, follow_symlinks=False) == ["user.x"]
    with pytest.raises(FileExistsError):
        vol.setxattr(path, "user.x", "z", os.XATTR_CREATE, follow_symlinks=False)
    vol.removexattr(path, "user.x", follow_symlinks=False)
    assert vol.listxattr(path) == []
