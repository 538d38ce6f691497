"""Paths whose last names are odd, or that lead nowhere: the errors are those of a local folder.

libgfapi dies of some of them; programs that may be ended by it are run by themselves.
"""

from __future__ import annotations

import errno
import os
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

NOWHERE = {
    "missing/x": errno.ENOENT,
    "file/x": errno.ENOTDIR,
    "sub/file/x": errno.ENOTDIR,
    "broken/x": errno.ENOENT,
}


@pytest.fixture
def place(vol: gfapi.Volume, folder: str) -> str:
    """A directory with a file, a directory ``sub`` that has one too, and two links."""
    vol.mkdir(f"{folder}/sub")
    for name in ("file", "sub/file"):
        vol.fopen(f"{folder}/{name}", "w").close()
    vol.symlink("missing", f"{folder}/broken")
    vol.symlink("sub", f"{folder}/way")
    return folder


@pytest.mark.parametrize("name", ["file", "sub"])
def test_a_rename_to_where_no_directory_is_does_not_end_the_process(
    sandbox_volume: sandbox.SandboxVolume, place: str, name: str, output_of: Callable[..., str]
) -> None:
    program = """
    with vol:
        for path in arguments[1:]:
            try:
                vol.rename(f"{folder}/{arguments[0]}", f"{folder}/{path}")
            except OSError as error:
                print(error.errno, error.filename2 == f"{folder}/{path}")
        print(sorted(vol.listdir(folder)))
    """
    said = output_of(sandbox_volume, place, program, name, *NOWHERE)
    expected = [f"{code} True" for code in NOWHERE.values()]
    assert said.splitlines() == [*expected, "['broken', 'file', 'sub', 'way']"]


def test_a_path_that_is_another_when_it_is_asked_again_is_asked_once(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
    class Changing:
        answers = ["renamed", "missing/x"]

        def __fspath__(self):
            return self.answers.pop(0)

    with vol:
        vol.chdir(folder)
        vol.fopen("name", "w").close()
        vol.rename("name", Changing())
        print(vol.listdir(folder))
    """
    assert output_of(plain, plain_folder, program) == "['renamed']\n"


@pytest.mark.parametrize("path", NOWHERE)
def test_a_hard_link_where_no_directory_is_says_why(
    vol: gfapi.Volume, place: str, path: str
) -> None:
    with pytest.raises(OSError, match=os.strerror(NOWHERE[path])) as caught:
        vol.link(f"{place}/file", f"{place}/{path}")
    assert (caught.value.filename, caught.value.filename2) == (f"{place}/file", f"{place}/{path}")


def test_a_rename_goes_by_links_to_directories(vol: gfapi.Volume, place: str) -> None:
    vol.rename(f"{place}/file", f"{place}/way/new")
    vol.rename(f"{place}/way/new", f"{place}/sub/file")
    assert sorted(vol.listdir(f"{place}/sub")) == ["file"]
    assert not vol.exists(f"{place}/file")


def test_a_rename_between_relative_paths_starts_at_the_working_directory(
    sandbox_volume: sandbox.SandboxVolume, place: str
) -> None:
    with sandbox_volume.client() as vol:
        vol.chdir(f"{place}/sub")
        vol.rename("file", "../new")
        vol.rename("../new", "./newer")
        assert vol.listdir(".") == ["newer"]


@pytest.mark.parametrize(
    ("src", "dst", "code"),
    [
        ("file", "sub", errno.EISDIR),
        ("sub", "file", errno.ENOTDIR),
        ("sub", "sub/sub", errno.EINVAL),
        ("file", "sub/.", errno.EBUSY),
        ("sub/..", "new", errno.EBUSY),
        ("missing/.", "new", errno.ENOENT),
        ("file/", "new", errno.ENOTDIR),
        ("file", "new/", errno.ENOTDIR),
        ("missing", "sub/new", errno.ENOENT),
    ],
)
def test_a_rename_that_cannot_be_has_the_errors_of_os(
    vol: gfapi.Volume, place: str, src: str, dst: str, code: int
) -> None:
    with pytest.raises(OSError, match=r".") as caught:
        vol.rename(f"{place}/{src}", f"{place}/{dst}")
    assert caught.value.errno == code
    assert (caught.value.filename, caught.value.filename2) == (f"{place}/{src}", f"{place}/{dst}")


@pytest.mark.parametrize(
    ("path", "code"),
    [("/", errno.EBUSY), ("sub/.", errno.EINVAL), ("sub/..", errno.ENOTEMPTY)],
)
def test_what_is_named_by_dots_is_not_removed(
    vol: gfapi.Volume, place: str, path: str, code: int
) -> None:
    with pytest.raises(OSError, match=os.strerror(code)):
        vol.rmdir(path if path == "/" else f"{place}/{path}")
    assert vol.isdir(f"{place}/sub")


CALLS: dict[str, Callable[[gfapi.Volume, str], Any]] = {
    "stat": lambda vol, path: vol.stat(path),
    "unlink": lambda vol, path: vol.unlink(path),
    "open": lambda vol, path: vol.open(path, os.O_RDWR),
    "truncate": lambda vol, path: vol.truncate(path, 5),
    "chmod": lambda vol, path: vol.chmod(path, 0),
    "listxattr": lambda vol, path: vol.listxattr(path),
    "lookup": lambda vol, path: vol.lookup(path),
    "opendir": lambda vol, path: vol.opendir(path),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_slash_behind_a_file_is_enotdir(vol: gfapi.Volume, place: str, call: str) -> None:
    with pytest.raises(NotADirectoryError) as caught:
        CALLS[call](vol, f"{place}/file/")
    assert caught.value.filename == f"{place}/file/"
    assert vol.stat(f"{place}/file").st_mode & 0o777 == 0o666


def test_a_slash_behind_a_link_is_the_directory(vol: gfapi.Volume, place: str) -> None:
    assert vol.lstat(f"{place}/way/").st_ino == vol.stat(f"{place}/sub").st_ino
    assert vol.samefile(f"{place}/way//", f"{place}/sub/")
    with pytest.raises(FileNotFoundError):
        vol.symlink("x", f"{place}/new/")
    vol.mkdir(f"{place}/new/")
    vol.rmdir(f"{place}/new/")


def test_slashes_alone_are_the_root(vol: gfapi.Volume) -> None:
    assert vol.isdir("//")
    assert vol.stat("///").st_ino == vol.stat("/").st_ino


def test_an_owner_that_is_left_alone_has_to_be_there(vol: gfapi.Volume, place: str) -> None:
    vol.chown(f"{place}/file", -1, -1)
    vol.lchown(f"{place}/broken", -1, -1)
    for call in (vol.chown, vol.lchown):
        with pytest.raises(FileNotFoundError):
            call(f"{place}/missing", -1, -1)


def test_makedirs_makes_what_ends_in_a_dot(vol: gfapi.Volume, folder: str) -> None:
    vol.makedirs(f"{folder}/one/two/.")
    assert vol.isdir(f"{folder}/one/two")
    with pytest.raises(FileExistsError):
        vol.makedirs(f"{folder}/one/.")


def test_a_directory_is_no_file_to_be_copied_from_or_to(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.open(folder, os.O_RDONLY)
    with vol.fopen(f"{folder}/file", "w+") as file, gfapi.File(directory) as opened:
        for pair in ((opened, opened), (opened, file), (file, opened)):
            with pytest.raises(IsADirectoryError):
                vol.copy_file_range(*pair, 0)
