"""Paths that begin at an open directory, and renames with flags: GlusterFS 11.0 and later."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api, sandbox

HAS_AT = api.available("glfs_openat")
on_11 = pytest.mark.skipif(not HAS_AT, reason="GlusterFS 11.0 and later have the *at calls")


@pytest.fixture
def top(vol: gfapi.Volume, folder: str) -> Iterator[gfapi.Dir]:
    """A directory with a file, a directory, and some links."""
    with vol.fopen(f"{folder}/file", "w") as file:
        file.write(b"abc")
    vol.makedirs(f"{folder}/dir/below")
    vol.symlink("file", f"{folder}/link")
    vol.symlink("nowhere", f"{folder}/broken")
    vol.symlink("loop", f"{folder}/loop")
    with vol.opendir(folder) as top:
        yield top


#: Each call with its arguments, for a path below the directory.
CALLS: dict[str, Callable[[gfapi.Volume, Any, Any], Any]] = {
    "open": lambda vol, path, at: gfapi.File(vol.open(path, os.O_RDONLY, dir_fd=at)).close(),
    "stat": lambda vol, path, at: vol.stat(path, dir_fd=at),
    "lstat": lambda vol, path, at: vol.lstat(path, dir_fd=at),
    "chmod": lambda vol, path, at: vol.chmod(path, 0o700, dir_fd=at),
    "chown": lambda vol, path, at: vol.chown(path, 1, 2, dir_fd=at),
    "readlink": lambda vol, path, at: vol.readlink(path, dir_fd=at),
    "unlink": lambda vol, path, at: vol.unlink(path, dir_fd=at),
    "remove": lambda vol, path, at: vol.remove(path, dir_fd=at),
    "rmdir": lambda vol, path, at: vol.rmdir(path, dir_fd=at),
    "link from": lambda vol, path, at: vol.link(path, "/other", src_dir_fd=at),
    "rename from": lambda vol, path, at: vol.rename(path, "/other", src_dir_fd=at),
    "replace from": lambda vol, path, at: vol.replace(path, "/other", src_dir_fd=at),
}
CALLS_THAT_MAKE: dict[str, Callable[[gfapi.Volume, Any, Any], Any]] = {
    "open to make": lambda vol, path, at: gfapi.File(
        vol.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, dir_fd=at)
    ).close(),
    "mkdir": lambda vol, path, at: vol.mkdir(path, dir_fd=at),
    "mknod": lambda vol, path, at: vol.mknod(path, 0o600, dir_fd=at),
    "symlink": lambda vol, path, at: vol.symlink("x", path, dir_fd=at),
    "link to": lambda vol, path, at: vol.link(
        f"{os.fsdecode(at._descriptor.path)}/file" if isinstance(at, gfapi.Dir) else "/",
        path,
        dst_dir_fd=at,
    ),
}
RENAME_TO: dict[str, Callable[[gfapi.Volume, Any, Any], Any]] = {
    "rename to": lambda vol, path, at: vol.rename(
        f"{os.fsdecode(at._descriptor.path)}/file" if isinstance(at, gfapi.Dir) else "/",
        path,
        dst_dir_fd=at,
    ),
}
ALL_CALLS = {**CALLS, **CALLS_THAT_MAKE, **RENAME_TO}


# ------------------------------------------------------------------------------ without them


@pytest.mark.skipif(HAS_AT, reason="this GlusterFS has the *at calls")
@pytest.mark.parametrize("call", ALL_CALLS)
def test_before_11_a_dir_fd_is_not_implemented(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir, call: str
) -> None:
    before = sorted(vol.listdir(folder))
    with pytest.raises(NotImplementedError, match=r"^glfs_\w+at needs GlusterFS 11.0 or later"):
        ALL_CALLS[call](vol, "new", top)
    assert sorted(vol.listdir(folder)) == before


@pytest.mark.skipif(HAS_AT, reason="this GlusterFS has the *at calls")
def test_before_11_a_rename_with_flags_is_not_implemented(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    for flags in {"noreplace": True}, {"exchange": True}:
        with pytest.raises(NotImplementedError, match="glfs_renameat2 needs GlusterFS"):
            vol.rename(f"{folder}/file", f"{folder}/new", **flags)
    assert vol.isfile(f"{folder}/file")


def test_noreplace_and_exchange_exclude_each_other(vol: gfapi.Volume, folder: str) -> None:
    with pytest.raises(ValueError, match="exclude"):
        vol.rename(folder, f"{folder}x", noreplace=True, exchange=True)


# -------------------------------------------------------------------------- what a dir_fd is


@pytest.mark.parametrize("call", ALL_CALLS)
@pytest.mark.parametrize("wrong", ["/", b"/", 1.5, [], object()], ids=type)
@on_11
def test_what_is_no_open_directory_is_a_type_error(
    plain_vol: gfapi.Volume, call: str, wrong: Any
) -> None:
    with pytest.raises(TypeError, match="an open directory"):
        ALL_CALLS[call](plain_vol, "file", wrong)


@pytest.mark.parametrize("call", ALL_CALLS)
@on_11
def test_a_closed_directory_is_ebadf(vol: gfapi.Volume, top: gfapi.Dir, call: str) -> None:
    top.close()
    for closed in top, 0, 12345:
        with pytest.raises(OSError, match=r"descriptor|no open glfd") as caught:
            ALL_CALLS[call](vol, "file", closed)
        assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize("call", ALL_CALLS)
@on_11
def test_a_file_is_enotdir(vol: gfapi.Volume, folder: str, top: gfapi.Dir, call: str) -> None:
    with vol.fopen(f"{folder}/file") as file, pytest.raises(NotADirectoryError):
        ALL_CALLS[call](vol, "file", file)


@on_11
def test_a_directory_of_another_mount_is_a_value_error(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume
) -> None:
    with plain.client() as other, other.opendir("/") as top:
        for call in ALL_CALLS.values():
            with pytest.raises(ValueError, match="another Volume"):
                call(plain_vol, "file", top)


@on_11
def test_access_says_no_for_a_path_and_raises_for_a_directory(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    top = plain_vol.opendir(plain_folder)
    for missing in ("no", "no/no", "", "n" * 300):
        assert plain_vol.access(missing, os.F_OK, dir_fd=top) is False
    assert plain_vol.access(".", os.R_OK, dir_fd=top) is True
    top.close()
    with pytest.raises(OSError, match="descriptor"):
        plain_vol.access(".", os.F_OK, dir_fd=top)
    with pytest.raises(TypeError):
        plain_vol.access(".", os.F_OK, dir_fd="/")


@on_11
def test_every_kind_of_open_directory_will_do(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    glfd = vol.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    plainly = vol.open(folder, os.O_RDONLY)
    below = vol.open("dir", os.O_RDONLY | os.O_DIRECTORY, dir_fd=top)
    with gfapi.File(glfd) as file, gfapi.File(plainly) as other, gfapi.File(below) as dir_:
        for directory in (top, glfd, int(glfd), file, plainly, other):
            assert vol.stat("file", dir_fd=directory).st_size == 3
            assert vol.stat("dir/below", dir_fd=directory).st_ino
        assert stat.S_ISDIR(vol.stat("below", dir_fd=below).st_mode)
        assert stat.S_ISDIR(vol.stat("below", dir_fd=dir_).st_mode)


# ----------------------------------------------------------------------------- what works


@on_11
@pytest.mark.parametrize("type_", [str, os.fsencode])
def test_each_call_does_below_the_directory_what_it_does_elsewhere(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir, type_: Any
) -> None:
    path = type_
    vol.mkdir(path("new"), 0o750, dir_fd=top)
    assert stat.S_IMODE(vol.stat(f"{folder}/new").st_mode) == 0o750
    vol.mknod(path("new/node"), 0o640, dir_fd=top)
    assert vol.stat(f"{folder}/new/node").st_mode == stat.S_IFREG | 0o640
    vol.mknod(path("pipe"), stat.S_IFIFO | 0o600, dir_fd=top)
    assert stat.S_ISFIFO(vol.stat(f"{folder}/pipe").st_mode)
    vol.symlink(path("../file"), path("new/up"), dir_fd=top)
    assert vol.readlink(path("new/up"), dir_fd=top) == path("../file")
    assert vol.stat(path("new/up"), dir_fd=top).st_size == 3
    vol.chmod(path("file"), 0o604, dir_fd=top)
    vol.chown(path("file"), 12, -1, dir_fd=top)
    vol.chown(path("file"), -1, 34, dir_fd=top)
    status = vol.stat(path("file"), dir_fd=top)
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o604, 12, 34)
    assert vol.access(path("file"), os.R_OK, dir_fd=top) is True
    vol.unlink(path("pipe"), dir_fd=top)
    vol.remove(path("new/node"), dir_fd=top)
    vol.unlink(path("new/up"), dir_fd=top)
    vol.rmdir(path("new"), dir_fd=top)
    expected = ["broken", "dir", "file", "link", "loop"]
    assert sorted(vol.listdir(folder)) == expected


@on_11
def test_the_directory_counts_and_not_its_path(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    vol.rename(folder, f"{folder}-moved")
    vol.mkdir(folder)
    vol.mkdir("new", dir_fd=top)
    assert vol.listdir(folder) == []
    assert vol.isdir(f"{folder}-moved/new")


@on_11
def test_dots_and_absolute_paths_are_what_they_are_elsewhere(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    here = vol.stat(folder).st_ino
    for path in (".", "./.", "dir/..", "dir/below/../..", folder):
        assert vol.stat(path, dir_fd=top).st_ino == here, path
    assert vol.stat("..", dir_fd=top).st_ino == vol.stat("/").st_ino
    vol.mkdir(f"{folder}/absolute", dir_fd=top)
    vol.mkdir("slash/", dir_fd=top)
    vol.mkdir("dir//double", dir_fd=top)
    vol.mkdir("dir/../round", dir_fd=top)
    assert {"absolute", "slash", "round"} <= set(vol.listdir(folder))
    assert vol.isdir(f"{folder}/dir/double")


@on_11
def test_symbolic_links_are_followed_or_not(vol: gfapi.Volume, folder: str, top: gfapi.Dir) -> None:
    assert stat.S_ISREG(vol.stat("link", dir_fd=top).st_mode)
    assert stat.S_ISLNK(vol.stat("link", dir_fd=top, follow_symlinks=False).st_mode)
    assert stat.S_ISLNK(vol.lstat("broken", dir_fd=top).st_mode)
    assert vol.access("broken", os.F_OK, dir_fd=top) is False
    assert vol.access("broken", os.F_OK, dir_fd=top, follow_symlinks=False) is True
    vol.chown("link", 11, 22, dir_fd=top, follow_symlinks=False)
    assert vol.lstat(f"{folder}/link").st_uid == 11
    assert vol.stat(f"{folder}/file").st_uid != 11
    vol.chmod("link", 0o640, dir_fd=top)
    vol.chmod("file", 0o641, dir_fd=top, follow_symlinks=False)
    assert stat.S_IMODE(vol.stat(f"{folder}/file").st_mode) == 0o641
    with pytest.raises(OSError, match="not supported") as caught:
        vol.chmod("link", 0o600, dir_fd=top, follow_symlinks=False)
    assert (caught.value.errno, caught.value.filename) == (errno.EOPNOTSUPP, "link")
    vol.link("link", "hard", src_dir_fd=top, dst_dir_fd=top)
    vol.link("link", "hard target", src_dir_fd=top, dst_dir_fd=top, follow_symlinks=True)
    assert vol.islink(f"{folder}/hard")
    assert vol.samefile(f"{folder}/hard target", f"{folder}/file")
    assert not vol.islink(f"{folder}/hard target")


@on_11
def test_a_link_and_a_rename_from_one_directory_to_another(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    with vol.opendir(f"{folder}/dir") as other:
        vol.link("file", "hard", src_dir_fd=top, dst_dir_fd=other)
        assert vol.samefile(f"{folder}/file", f"{folder}/dir/hard")
        vol.link(f"{folder}/file", "from a path", dst_dir_fd=other)
        vol.link("file", f"{folder}/dir/to a path", src_dir_fd=top)
        vol.rename("file", "moved", src_dir_fd=top, dst_dir_fd=other)
        assert vol.exists(f"{folder}/dir/moved")
        assert not vol.exists(f"{folder}/file")
        vol.rename(f"{folder}/dir/moved", "back", dst_dir_fd=top)
        vol.rename("back", f"{folder}/dir/again", src_dir_fd=top)
        vol.rename("below", "dir2", src_dir_fd=other, dst_dir_fd=top)
    assert sorted(vol.listdir(f"{folder}/dir")) == ["again", "from a path", "hard", "to a path"]
    assert vol.isdir(f"{folder}/dir2")


@on_11
def test_the_side_without_dir_fd_begins_at_the_working_directory(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    vol.chdir(f"{folder}/dir")
    try:
        vol.link("file", "hard", src_dir_fd=top)
        vol.rename("hard", "moved", dst_dir_fd=top)
        vol.rename("below", "renamed", noreplace=True)
    finally:
        vol.chdir("/")
    assert vol.exists(f"{folder}/moved")
    assert vol.listdir(f"{folder}/dir") == ["renamed"]


# --------------------------------------------------------------------------------- opening


def content(vol: gfapi.Volume, path: str, flags: int, top: gfapi.Dir) -> bytes:
    with gfapi.File(vol.open(path, flags, dir_fd=top)) as file:
        return file.read()


@on_11
def test_open_reads_writes_makes_and_cuts(vol: gfapi.Volume, folder: str, top: gfapi.Dir) -> None:
    assert content(vol, "file", os.O_RDONLY, top) == b"abc"
    assert content(vol, "link", os.O_RDWR, top) == b"abc"
    with gfapi.File(vol.open("new", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=top)) as file:
        assert file.write(b"12345") == 5
        assert file.name == "new"
    assert stat.S_IMODE(vol.stat(f"{folder}/new").st_mode) == 0o640
    with gfapi.File(vol.open("new", os.O_RDWR | os.O_CREAT, dir_fd=top)) as file:
        assert file.read() == b"12345"
    with gfapi.File(vol.open("new", os.O_RDWR | os.O_APPEND, dir_fd=top)) as file:
        file.write(b"67")
    assert content(vol, "new", os.O_RDONLY, top) == b"1234567"
    for flags in (os.O_TRUNC, os.O_TRUNC | os.O_CREAT):
        with gfapi.File(vol.open("new", os.O_WRONLY | flags, dir_fd=top)) as file:
            file.write(b"x")
        assert content(vol, "new", os.O_RDONLY, top) == b"x"
    assert content(vol, "dir/other", os.O_RDWR | os.O_CREAT | os.O_TRUNC, top) == b""
    assert content(vol, "file", os.O_RDONLY | os.O_TRUNC, top) == b""
    assert content(vol, "file", os.O_RDONLY, top) == b""


@on_11
@pytest.mark.parametrize(
    ("path", "flags", "code"),
    [
        ("missing", os.O_RDONLY, errno.ENOENT),
        ("missing", os.O_RDWR | os.O_TRUNC, errno.ENOENT),
        ("missing/file", os.O_RDWR | os.O_CREAT, errno.ENOENT),
        ("file/below", os.O_RDWR | os.O_CREAT, errno.ENOTDIR),
        ("file", os.O_RDWR | os.O_CREAT | os.O_EXCL, errno.EEXIST),
        ("dir", os.O_RDWR | os.O_CREAT | os.O_EXCL, errno.EEXIST),
        ("broken", os.O_RDWR | os.O_CREAT | os.O_EXCL, errno.EEXIST),
        ("broken", os.O_RDWR | os.O_CREAT, errno.ENOENT),
        ("broken", os.O_RDONLY, errno.ENOENT),
        ("loop", os.O_RDONLY, errno.ELOOP),
        ("link", os.O_RDONLY | os.O_NOFOLLOW, errno.ELOOP),
        ("dir", os.O_RDWR, errno.EISDIR),
        ("dir", os.O_WRONLY, errno.EISDIR),
        ("dir", os.O_RDONLY | os.O_CREAT, errno.EISDIR),
        ("dir", os.O_RDONLY | os.O_TRUNC, errno.EISDIR),
        (".", os.O_RDWR | os.O_CREAT, errno.EISDIR),
        ("file", os.O_RDONLY | os.O_DIRECTORY, errno.ENOTDIR),
        ("pipe", os.O_RDONLY, errno.EINVAL),
        ("n" * 256, os.O_RDWR | os.O_CREAT, errno.ENAMETOOLONG),
    ],
)
def test_open_refuses_what_it_cannot_do(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir, path: str, flags: int, code: int
) -> None:
    vol.mknod(f"{folder}/pipe", stat.S_IFIFO | 0o666)
    before = sorted(vol.listdir(folder))
    for _ in range(3):
        with pytest.raises(OSError, match=os.strerror(code)) as caught:
            vol.open(path, flags, dir_fd=top)
        assert (caught.value.errno, caught.value.filename) == (code, path)
    assert sorted(vol.listdir(folder)) == before
    with pytest.raises(TypeError):
        vol.open("file", "r", dir_fd=top)  # type: ignore[arg-type]


@on_11
def test_a_file_opened_below_a_directory_is_closed_by_an_unmount(
    plain: sandbox.SandboxVolume, plain_folder: str
) -> None:
    with plain.client() as vol:
        top = vol.opendir(plain_folder)
        file = gfapi.File(vol.open("file", os.O_RDWR | os.O_CREAT, dir_fd=top))
        file.write(b"abc")
    assert file.closed
    assert top.closed
    with plain.client() as vol:
        assert vol.getsize(f"{plain_folder}/file") == 3


# ---------------------------------------------------------------------------------- failures


@on_11
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("missing", errno.ENOENT),
        ("missing/file", errno.ENOENT),
        ("file/below", errno.ENOTDIR),
        ("loop/below", errno.ENOTDIR),
        ("n" * 256, errno.ENAMETOOLONG),
        ("", errno.ENOENT),
    ],
)
def test_a_path_that_leads_nowhere_is_the_error_that_it_is_elsewhere(
    vol: gfapi.Volume, top: gfapi.Dir, call: str, path: str, code: int
) -> None:
    for _ in range(3):  # 11.1 forgets the directory after the first
        with pytest.raises(OSError, match=os.strerror(code)) as caught:
            CALLS[call](vol, path, top)
        assert (caught.value.errno, caught.value.filename) == (code, path)
    assert vol.stat("file", dir_fd=top).st_size == 3


@on_11
@pytest.mark.parametrize("call", [*CALLS_THAT_MAKE, *RENAME_TO])
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("missing/new", errno.ENOENT),
        ("missing/missing/new", errno.ENOENT),
        ("file/new", errno.ENOTDIR),
        ("loop/new", errno.ELOOP),
        ("n" * 256, errno.ENAMETOOLONG),
        ("", errno.ENOENT),
    ],
)
def test_nothing_is_made_where_nothing_can_be(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir, call: str, path: str, code: int
) -> None:
    before = sorted(vol.listdir(folder))
    for _ in range(3):
        with pytest.raises(OSError, match=os.strerror(code)) as caught:
            ALL_CALLS[call](vol, path, top)
        assert caught.value.errno == code
        assert path in (caught.value.filename, caught.value.filename2)
    assert sorted(vol.listdir(folder)) == before


@on_11
@pytest.mark.parametrize("call", CALLS_THAT_MAKE)
@pytest.mark.parametrize("path", ["file", "dir", "link", "broken", "dir/below", "."])
def test_nothing_is_made_where_something_is(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir, call: str, path: str
) -> None:
    for _ in range(3):
        with pytest.raises(FileExistsError) as caught:
            ALL_CALLS[call](vol, path, top)
        assert path in (caught.value.filename, caught.value.filename2)
    assert vol.getsize(f"{folder}/file") == 3


@on_11
def test_an_error_of_a_call_on_two_directories_names_both_paths(
    vol: gfapi.Volume, top: gfapi.Dir
) -> None:
    for call in vol.link, vol.rename, vol.replace:
        for names in ("missing", "new"), ("file", "missing/new"):
            with pytest.raises(FileNotFoundError) as caught:
                call(*names, src_dir_fd=top, dst_dir_fd=top)
            assert (caught.value.filename, caught.value.filename2) == names
            assert "None" not in str(caught.value)
    with pytest.raises(FileNotFoundError) as caught:
        vol.stat("missing", dir_fd=top)
    assert str(caught.value).endswith(": 'missing'")


@on_11
def test_what_is_of_another_kind_is_not_removed(vol: gfapi.Volume, top: gfapi.Dir) -> None:
    for _ in range(3):
        with pytest.raises(IsADirectoryError):
            vol.unlink("dir", dir_fd=top)
        with pytest.raises(NotADirectoryError):
            vol.rmdir("file", dir_fd=top)
        with pytest.raises(OSError, match="not empty"):
            vol.rmdir("dir", dir_fd=top)
        with pytest.raises(OSError, match="Invalid argument"):
            vol.readlink("file", dir_fd=top)
        with pytest.raises(IsADirectoryError):
            vol.link("dir", "new", src_dir_fd=top, dst_dir_fd=top)


@on_11
def test_a_nul_and_numbers_that_do_not_fit_are_refused(vol: gfapi.Volume, top: gfapi.Dir) -> None:
    for call in ALL_CALLS.values():
        with pytest.raises(ValueError, match="null"):
            call(vol, "a\0b", top)
        with pytest.raises(TypeError):
            call(vol, None, top)
    with pytest.raises(OverflowError):
        vol.chmod("file", 1 << 32, dir_fd=top)
    with pytest.raises(OverflowError):
        vol.chown("file", -2, 0, dir_fd=top)
    with pytest.raises(TypeError):
        vol.mkdir("new", "rwx", dir_fd=top)  # type: ignore[arg-type]
    assert vol.stat("file", dir_fd=top).st_size == 3


@on_11
def test_a_directory_that_was_removed_has_nothing_below(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    with vol.opendir(f"{folder}/dir/below") as gone:
        vol.rmdir(f"{folder}/dir/below")
        for name, call in ALL_CALLS.items():
            if name.endswith(" to"):
                continue
            with pytest.raises(OSError, match=r"No such file|Stale") as caught:
                call(vol, "file", gone)
            assert caught.value.errno in (errno.ENOENT, errno.ESTALE), name


# ----------------------------------------------------------------------------------- renames


@on_11
def test_a_rename_replaces(vol: gfapi.Volume, folder: str, top: gfapi.Dir) -> None:
    for call in vol.rename, vol.replace:
        for target in "other", "dir/other":
            vol.touch(f"{folder}/{target}")
            call("file", target, src_dir_fd=top, dst_dir_fd=top)
            assert vol.getsize(f"{folder}/{target}") == 3
            vol.touch(f"{folder}/file")
            call(f"{folder}/{target}", "file", dst_dir_fd=top)
            assert vol.getsize(f"{folder}/file") == 3
    with pytest.raises(OSError, match=r"Is a directory|exists|Not a directory"):
        vol.rename("file", "dir", src_dir_fd=top, dst_dir_fd=top)
    assert vol.getsize(f"{folder}/file") == 3


@on_11
def test_a_rename_in_a_directory_that_was_moved_does_not_replace(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    vol.rename(folder, f"{folder}-moved")
    vol.touch(f"{folder}-moved/other")
    with pytest.raises(FileExistsError):
        vol.rename("file", "other", src_dir_fd=top, dst_dir_fd=top)
    vol.makedirs(folder)
    vol.touch(f"{folder}/file")
    with pytest.raises(FileExistsError):
        vol.rename("file", "other", src_dir_fd=top, dst_dir_fd=top)
    assert vol.getsize(f"{folder}-moved/file") == 3
    assert vol.exists(f"{folder}/file")


@on_11
def test_noreplace_does_not_replace(vol: gfapi.Volume, folder: str, top: gfapi.Dir) -> None:
    vol.touch(f"{folder}/other")
    for _ in range(3):
        with pytest.raises(FileExistsError) as caught:
            vol.rename(f"{folder}/file", f"{folder}/other", noreplace=True)
        assert caught.value.filename2 == f"{folder}/other"
        with pytest.raises(FileExistsError):
            vol.rename("file", "other", src_dir_fd=top, dst_dir_fd=top, noreplace=True)
    assert vol.getsize(f"{folder}/other") == 0
    vol.rename(f"{folder}/file", f"{folder}/new", noreplace=True)
    vol.rename("new", "newer", src_dir_fd=top, dst_dir_fd=top, noreplace=True)
    assert vol.getsize(f"{folder}/newer") == 3


@on_11
def test_exchange_is_refused_and_does_nothing_else(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    vol.touch(f"{folder}/other")
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            vol.rename(f"{folder}/file", f"{folder}/missing", exchange=True)
    assert not vol.exists(f"{folder}/missing")
    with pytest.raises(OSError, match="does not exchange names") as caught:
        vol.rename("file", "other", src_dir_fd=top, dst_dir_fd=top, exchange=True)
    assert caught.value.errno == errno.EOPNOTSUPP
    assert (caught.value.filename, caught.value.filename2) == ("file", "other")
    assert (vol.getsize(f"{folder}/file"), vol.getsize(f"{folder}/other")) == (3, 0)


@on_11
def test_a_directory_is_not_renamed_into_itself(vol: gfapi.Volume, top: gfapi.Dir) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        vol.rename("dir", "dir/new", src_dir_fd=top, dst_dir_fd=top)
    assert stat.S_ISDIR(vol.stat("dir/below", dir_fd=top).st_mode)


# -------------------------------------------------------------- threads, unmount, and options


@on_11
def test_threads_share_a_directory_while_some_fail(
    vol: gfapi.Volume, folder: str, top: gfapi.Dir
) -> None:
    unexpected: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(20):
                vol.mkdir(f"{number}-{i}", dir_fd=top)
                for path in ("file/no", "missing", "missing/x"):
                    assert vol.access(path, os.F_OK, dir_fd=top) is False
                vol.rename(f"{number}-{i}", f"{number}-{i}x", src_dir_fd=top, dst_dir_fd=top)
        except BaseException as error:
            unexpected.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unexpected == []
    assert len([name for name in vol.listdir(folder) if name.endswith("x")]) == 120


@on_11
def test_close_and_unmount_wait_for_calls_below_the_directory(
    plain: sandbox.SandboxVolume,
    plain_folder: str,
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    program = """
    vol.mount()
    for closing in range(20):
        vol.mount()
        top = vol.opendir(folder)
        def work():
            try:
                while True:
                    vol.stat(".", dir_fd=top)
                    try:
                        vol.rename("no", "other", src_dir_fd=top, dst_dir_fd=top)
                    except FileNotFoundError:
                        pass
            except (OSError, gfapi.VolumeNotMounted) as error:
                ended.append(type(error).__name__)
        ended = []
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.02)
        if closing % 5:
            top.close()
        else:
            vol.umount()
        for thread in threads:
            thread.join()
        assert len(ended) == 4, ended
    print("ended")
    """
    done = run_python(plain, plain_folder, program, options=("-X", "dev"), timeout=120)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done


@on_11
def test_a_directory_stays_good_when_the_options_of_the_volume_change(
    cluster: sandbox.Cluster, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    volume = cluster.create_volume("dirfd")
    try:
        with volume.client() as vol, vol.opendir("/") as top:
            vol.mkdir("before", dir_fd=top)
            client = f"/.meta/graphs/active/{volume.name}-client-0/private"
            for value in ("off", "on", "off"):
                graph = vol.readlink("/.meta/graphs/active")
                volume.set_option("performance.quick-read", value)
                wait_until(lambda: vol.readlink("/.meta/graphs/active") != graph)  # noqa: B023
                # Not before: the calls of 11.1 hold a lock that the change needs.
                wait_until(lambda: b"connected = 1" in content_of(vol, client))
                vol.mkdir(f"after-{value}", dir_fd=top)
                vol.rmdir(f"after-{value}", dir_fd=top)
                with pytest.raises(FileNotFoundError):
                    vol.stat("missing", dir_fd=top)
            assert vol.listdir("/") == ["before"]
    finally:
        volume.stop()
        volume.delete()


def content_of(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()
