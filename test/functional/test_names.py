"""Which names and paths there may be, and how they go in and come out."""

from __future__ import annotations

import errno
import os
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

NAMES = {
    "ASCII of 255 bytes": b"n" * 255,
    "UTF-8 of 254 bytes": "é".encode() * 127,
    "Latin-1": "Jürgen".encode("latin-1"),
    "no encoding at all": b"\xff\xfe\x80\x01",
    "surrogates": b"\xed\xa0\x80",
    "every other byte": bytes(set(range(1, 256)) - {ord("/")})[:250],
    "blanks": b" leading and trailing ",
    "a newline": b"two\nlines",
    "a tab and a backspace": b"\t\b",
    "quotes and backslashes": b"\\'\"`$(x)",
    "a leading dash": b"-rf",
    "a leading dot": b".hidden",
    "three dots": b"...",
    "an emoji": "🐘".encode(),
    "a wildcard": b"*?[a]",
    "a colon and a percent": b"C:%41",
}


@pytest.fixture(params=list(NAMES.values()), ids=list(NAMES))
def name(request: pytest.FixtureRequest) -> bytes:
    return request.param


def test_a_name_that_was_given_as_bytes_is_listed_and_opened(
    vol: gfapi.Volume, folder: str, name: bytes
) -> None:
    raw = os.fsencode(folder)
    with vol.fopen(raw + b"/" + name, "w") as file:
        file.write(b"content")
    assert vol.listdir(raw) == [name]
    assert vol.listdir(folder) == [os.fsdecode(name)]
    with vol.fopen(f"{folder}/{vol.listdir(folder)[0]}") as file:
        assert file.read() == b"content"
    assert vol.getsize(raw + b"/" + name) == 7


def test_a_name_that_was_given_as_str_is_listed_and_opened(
    vol: gfapi.Volume, folder: str, name: bytes
) -> None:
    text = os.fsdecode(name)
    vol.mkdir(f"{folder}/{text}")
    vol.symlink(text, f"{folder}/link")
    assert sorted(vol.listdir(folder)) == sorted([text, "link"])
    assert sorted(vol.listdir(os.fsencode(folder))) == sorted([name, b"link"])
    assert vol.readlink(f"{folder}/link") == text
    assert vol.readlink(os.fsencode(f"{folder}/link")) == name
    assert vol.isdir(f"{folder}/link")
    vol.rename(f"{folder}/{text}", f"{folder}/plain")
    assert sorted(vol.listdir(folder)) == ["link", "plain"]


def test_every_listing_gives_such_a_name_in_the_type_of_the_path(
    vol: gfapi.Volume, folder: str, name: bytes
) -> None:
    raw, text = os.fsencode(folder), os.fsdecode(name)
    vol.mkdir(raw + b"/" + name)
    assert [entry[0] for entry in vol.listdir_with_stat(folder)] == [text]
    assert [entry[0] for entry in vol.listdir_with_stat(raw)] == [name]
    with vol.scandir(folder) as entries:
        assert [(entry.name, entry.path) for entry in entries] == [(text, f"{folder}/{text}")]
    with vol.scandir(raw) as entries:
        assert [(entry.name, entry.path) for entry in entries] == [(name, raw + b"/" + name)]
    assert list(vol.walk(folder)) == [(folder, [text], []), (f"{folder}/{text}", [], [])]
    assert list(vol.walk(raw)) == [(raw, [name], []), (raw + b"/" + name, [], [])]
    with vol.opendir(folder) as listing:
        assert name in [entry.d_name for entry in listing]


@pytest.mark.parametrize("name", [b"n" * 256, "é".encode() * 128], ids=["ASCII", "UTF-8"])
@pytest.mark.parametrize(
    "call",
    [
        lambda vol, path: vol.fopen(path, "w"),
        lambda vol, path: vol.mkdir(path),
        lambda vol, path: vol.symlink("x", path),
        lambda vol, path: vol.mknod(path, 0o600),
        lambda vol, path: vol.stat(path),
        lambda vol, path: vol.lstat(path),
        lambda vol, path: vol.rename(os.path.dirname(path), path),
    ],
    ids=["fopen", "mkdir", "symlink", "mknod", "stat", "lstat", "rename"],
)
def test_a_name_of_256_bytes_is_too_long(
    vol: gfapi.Volume, folder: str, name: bytes, call: Any
) -> None:
    with pytest.raises(OSError, match="File name too long") as caught:
        call(vol, os.fsencode(folder) + b"/" + name)
    assert caught.value.errno == errno.ENAMETOOLONG
    assert vol.listdir(folder) == []


def test_a_path_of_thousands_of_bytes_works(vol: gfapi.Volume, folder: str) -> None:
    path = folder + f"/{'d' * 200}" * 15
    vol.makedirs(path)
    with vol.fopen(f"{path}/file", "w") as file:
        file.write(b"deep")
    assert vol.listdir(path) == ["file"]
    vol.chdir(path)
    try:
        assert vol.getcwd() == path
        assert vol.getsize("file") == 4
    finally:
        vol.chdir("/")


def test_a_link_may_point_to_a_target_of_4095_bytes_and_no_more(
    vol: gfapi.Volume, folder: str
) -> None:
    vol.symlink("t" * 4095, f"{folder}/link")
    assert vol.readlink(f"{folder}/link") == "t" * 4095
    with pytest.raises(OSError, match="File name too long"):
        vol.symlink("t" * 4096, f"{folder}/other")


class Path:
    """What is path-like only in that it says so."""

    def __init__(self, path: Any) -> None:
        self.path = path

    def __fspath__(self) -> Any:
        return self.path


@pytest.mark.parametrize("type_", [pathlib.PurePosixPath, Path, lambda path: Path(path.encode())])
def test_every_call_on_paths_takes_path_likes(vol: gfapi.Volume, folder: str, type_: Any) -> None:
    def path(name: str) -> Any:
        return type_(f"{folder}/{name}")

    vol.mkdir(path("dir"))
    with vol.fopen(path("dir/file"), "w") as file:
        file.write(b"abc")
    gfapi.File(vol.open(path("dir/file"), os.O_RDONLY)).close()
    vol.symlink(type_("file"), path("dir/link"))
    vol.link(path("dir/file"), path("dir/hard"))
    vol.rename(path("dir/hard"), path("dir/other"))
    vol.mknod(path("dir/node"), 0o644)
    assert vol.getsize(path("dir/file")) == vol.stat(path("dir/link")).st_size == 3
    assert vol.islink(path("dir/link"))
    assert vol.samefile(path("dir/file"), path("dir/other"))
    assert vol.access(path("dir"), os.R_OK)
    vol.chmod(path("dir/file"), 0o600)
    vol.chown(path("dir/file"), 0, 0)
    vol.utime(path("dir/file"), (1, 2))
    vol.setxattr(path("dir/file"), "user.x", "y")
    assert vol.getxattr(path("dir/file"), "user.x") == "y"
    assert "user.x" in vol.listxattr(path("dir/file"))
    vol.removexattr(path("dir/file"), "user.x")
    assert vol.statvfs(path("dir")).f_bsize
    vol.copy2(path("dir/file"), path("dir/copy"))
    vol.copyfile(path("dir/file"), path("dir/copy"))
    vol.copytree(path("dir"), path("tree"))
    expected = ["copy", "file", "link", "node", "other"]
    assert sorted(map(os.fsdecode, vol.listdir(path("tree")))) == expected
    assert sorted(os.fsdecode(name) for name, _ in vol.listdir_with_stat(path("dir"))) == expected
    with vol.scandir(path("dir")) as entries:
        assert sorted(os.fsdecode(entry.name) for entry in entries) == expected
    assert len(list(vol.walk(path("dir")))) == 1
    vol.makedirs(path("a/b"))
    vol.rmdir(path("a/b"))
    vol.unlink(path("dir/copy"))
    vol.remove(path("dir/node"))
    vol.rmtree(path("tree"))
    assert sorted(vol.listdir(folder)) == ["a", "dir"]


CALLS_ON_ONE_PATH: dict[str, tuple[Any, ...]] = {
    "access": (os.F_OK,),
    "chdir": (),
    "chmod": (0o600,),
    "chown": (0, 0),
    "fopen": (),
    "getatime": (),
    "getctime": (),
    "getmtime": (),
    "getsize": (),
    "getxattr": ("user.x",),
    "listdir": (),
    "listdir_with_stat": (),
    "listxattr": (),
    "lstat": (),
    "makedirs": (),
    "mkdir": (),
    "mknod": (0o600,),
    "open": (os.O_RDONLY,),
    "opendir": (),
    "readlink": (),
    "remove": (),
    "removexattr": ("user.x",),
    "rmdir": (),
    "rmtree": (),
    "scandir": (),
    "setxattr": ("user.x", "y"),
    "stat": (),
    "statvfs": (),
    "unlink": (),
    "utime": (),
    "copy": ("/x",),
    "copy2": ("/x",),
    "copyfile": ("/x",),
    "copymode": ("/x",),
    "copystat": ("/x",),
    "copytree": ("/x",),
    "link": ("/x",),
    "rename": ("/x",),
    "samefile": ("/x",),
}
MAKES_ITS_PATH = ("makedirs", "mkdir", "mknod")


@pytest.mark.parametrize("call", CALLS_ON_ONE_PATH)
@pytest.mark.parametrize("path", ["/a\0b", b"/a\0b", Path("/a\0b"), "\0"], ids=repr)
def test_a_nul_in_a_path_is_a_value_error_before_anything_is_done(
    plain_vol: gfapi.Volume, call: str, path: Any
) -> None:
    before = sorted(plain_vol.listdir("/"))
    with pytest.raises(ValueError, match="null"):
        getattr(plain_vol, call)(path, *CALLS_ON_ONE_PATH[call])
    assert sorted(plain_vol.listdir("/")) == before


@pytest.mark.parametrize("call", ["symlink", "link", "rename", "copyfile", "samefile"])
def test_a_nul_in_the_second_path_is_a_value_error(
    plain_vol: gfapi.Volume, plain_folder: str, call: str
) -> None:
    plain_vol.mknod(f"{plain_folder}/file", 0o600)
    with pytest.raises(ValueError, match="null"):
        getattr(plain_vol, call)(f"{plain_folder}/file", f"{plain_folder}/a\0b")
    assert plain_vol.listdir(plain_folder) == ["file"]


def test_a_nul_is_noticed_before_a_path_that_leads_through_a_file(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    plain_vol.touch(f"{plain_folder}/file")
    with pytest.raises(ValueError, match="null"):
        plain_vol.link(f"{plain_folder}/file/x", "a\0b", follow_symlinks=True)


@pytest.mark.parametrize("place", ["", "{folder}/gone/"])
def test_a_link_comes_back_when_its_directory_is_gone(
    sandbox_volume: sandbox.SandboxVolume,
    folder: str,
    output_of: Callable[..., str],
    place: str,
) -> None:
    """Another client has removed it, and ``glfs_link`` would ask for it for ever."""
    program = """
        vol.mount()
        vol.fopen(f"{folder}/file", "w").close()
        vol.mkdir(f"{folder}/gone")
        vol.chdir(f"{folder}/gone")
        with gfapi.Volume(hosts.split(","), volname) as other:
            other.rmdir(f"{folder}/gone")
        try:
            vol.link(f"{folder}/file", arguments[0] + "new")
        except FileNotFoundError as error:
            print(error.filename2)
    """
    place = place.format(folder=folder)
    assert output_of(sandbox_volume, folder, program, place) == f"{place}new\n"


@pytest.mark.parametrize("name", ["file/", "sub", "sub/", ".", "sub/..", "/", "missing/", "no/."])
def test_a_link_onto_what_is_no_new_name_is_what_it_is_to_os(
    vol: gfapi.Volume, folder: str, tmp_path: pathlib.Path, name: str
) -> None:
    vol.touch(f"{folder}/file")
    (tmp_path / "file").touch()
    vol.mkdir(f"{folder}/sub")
    (tmp_path / "sub").mkdir()
    with pytest.raises((FileExistsError, FileNotFoundError)) as expected:
        os.link(tmp_path / "file", os.path.join(tmp_path, name))
    with pytest.raises(expected.type):
        vol.link(f"{folder}/file", os.path.join(folder, name))


@pytest.mark.parametrize("call", ["exists", "isdir", "isfile", "islink"])
def test_a_nul_in_a_path_is_nothing_that_exists(plain_vol: gfapi.Volume, call: str) -> None:
    assert getattr(plain_vol, call)("/\0") is False


@pytest.mark.parametrize("call", CALLS_ON_ONE_PATH)
@pytest.mark.parametrize("path", [None, 5, 1.5, ["/x"], bytearray(b"/x")], ids=repr)
def test_what_is_no_path_is_a_type_error(plain_vol: gfapi.Volume, call: str, path: Any) -> None:
    with pytest.raises(TypeError):
        getattr(plain_vol, call)(path, *CALLS_ON_ONE_PATH[call])


@pytest.mark.parametrize("call", [call for call in CALLS_ON_ONE_PATH if call != "access"])
def test_an_empty_path_is_not_found(plain_vol: gfapi.Volume, call: str) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(plain_vol, call)("", *CALLS_ON_ONE_PATH[call])


@pytest.mark.parametrize(
    "call", [call for call in CALLS_ON_ONE_PATH if call not in ("access", *MAKES_ITS_PATH)]
)
def test_an_error_names_the_path_as_it_was_given(vol: gfapi.Volume, folder: str, call: str) -> None:
    path = os.fsencode(folder) + b"/no\xff"
    given: Any
    for given in (path, os.fsdecode(path)):
        with pytest.raises(FileNotFoundError) as caught:
            getattr(vol, call)(given, *CALLS_ON_ONE_PATH[call])
        assert caught.value.filename == given
        assert caught.value.errno == errno.ENOENT
        assert caught.value.strerror == "No such file or directory"


@pytest.mark.parametrize("call", ["link", "rename"])
def test_an_error_of_a_call_on_two_paths_names_both(
    vol: gfapi.Volume, folder: str, call: str
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        getattr(vol, call)(f"{folder}/no", f"{folder}/new")
    assert (caught.value.filename, caught.value.filename2) == (f"{folder}/no", f"{folder}/new")


@pytest.mark.parametrize("call", MAKES_ITS_PATH)
def test_an_error_of_a_call_that_makes_names_what_is_there(
    vol: gfapi.Volume, folder: str, call: str
) -> None:
    with pytest.raises(FileExistsError) as caught:
        getattr(vol, call)(folder, *CALLS_ON_ONE_PATH[call])
    assert caught.value.filename == folder


@pytest.mark.parametrize(
    "call",
    [
        "chdir",
        "chmod",
        "chown",
        "fopen",
        "getsize",
        "getxattr",
        "listdir",
        "listdir_with_stat",
        "listxattr",
        "open",
        "opendir",
        "scandir",
        "setxattr",
        "stat",
        "statvfs",
        "utime",
        "copyfile",
        "copytree",
    ],
)
def test_a_loop_of_links_is_eloop(vol: gfapi.Volume, folder: str, call: str) -> None:
    vol.symlink("b", f"{folder}/a")
    vol.symlink("a", f"{folder}/b")
    with pytest.raises(OSError, match="Too many levels of symbolic links") as caught:
        getattr(vol, call)(f"{folder}/a", *CALLS_ON_ONE_PATH[call])
    assert caught.value.errno == errno.ELOOP


def test_a_loop_of_links_exists_only_as_links(vol: gfapi.Volume, folder: str) -> None:
    vol.symlink("itself", f"{folder}/itself")
    path = f"{folder}/itself"
    assert vol.islink(path)
    assert not vol.exists(path)
    assert not vol.isdir(path)
    assert not vol.isfile(path)
    assert not vol.access(path, os.F_OK)
    assert vol.readlink(path) == "itself"
    assert list(vol.walk(folder)) == [(folder, [], ["itself"])]
    with vol.scandir(folder) as entries:
        (entry,) = entries
    assert entry.is_symlink()
    assert not entry.is_file()
    with pytest.raises(OSError, match="Too many levels"):
        entry.is_dir(follow_symlinks=True)
    vol.unlink(path)
    assert vol.listdir(folder) == []


@pytest.mark.parametrize(
    "path", ["//{}//file", "{}/./file", "{0}/../{0}/file", "/../..{}/file", "{}/dir/../file"]
)
def test_dots_and_repeated_slashes_lead_to_the_same_file(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    vol.mkdir(f"{folder}/dir")
    vol.mknod(f"{folder}/file", 0o600)
    assert vol.samefile(path.format(folder), f"{folder}/file")


def test_a_relative_path_starts_at_the_working_directory(vol: gfapi.Volume, folder: str) -> None:
    vol.mkdir(f"{folder}/dir")
    assert vol.getcwd() == "/"
    vol.chdir(folder)
    try:
        with vol.fopen("dir/file", "w") as file:
            file.write(b"x")
        vol.chdir("dir")
        assert vol.getcwd() == f"{folder}/dir"
        assert vol.listdir(".") == ["file"]
        assert [entry.path for entry in vol.scandir(".")] == ["./file"]
        vol.chdir("..")
        assert vol.getcwd() == folder
        assert vol.getsize("dir/file") == 1
    finally:
        vol.chdir("/")


def test_chdir_to_what_is_no_directory_fails_and_stays(vol: gfapi.Volume, folder: str) -> None:
    vol.mknod(f"{folder}/file", 0o600)
    with pytest.raises(NotADirectoryError) as caught:
        vol.chdir(f"{folder}/file")
    assert caught.value.filename == f"{folder}/file"
    assert vol.getcwd() == "/"


def test_a_directory_is_not_opened_to_be_made(vol: gfapi.Volume, folder: str) -> None:
    for path in (folder, f"{folder}/", "/"):
        with pytest.raises(IsADirectoryError) as caught:
            vol.open(path, os.O_CREAT)
        assert caught.value.filename == path
