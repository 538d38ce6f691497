"""Attributes of paths beyond mode and owner: several at once, those of links, and real paths."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox


@pytest.fixture
def path(vol: gfapi.Volume, folder: str) -> str:
    """A file of three bytes, with a link to it beside it."""
    path = f"{folder}/file"
    with vol.fopen(path, "w") as file:
        file.write(b"abc")
    vol.symlink("file", f"{folder}/link")
    return path


def content(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


# --------------------------------------------------------------------------- links themselves


def test_stat_that_does_not_follow_is_lstat(vol: gfapi.Volume, folder: str, path: str) -> None:
    assert stat.S_ISLNK(vol.stat(f"{folder}/link", follow_symlinks=False).st_mode)
    assert stat.S_ISREG(vol.stat(f"{folder}/link", follow_symlinks=True).st_mode)
    assert vol.stat(path, follow_symlinks=False).st_size == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda vol, link: vol.lchown(link, 12, 34),
        lambda vol, link: vol.chown(link, 12, 34, follow_symlinks=False),
        lambda vol, link: vol.setattr(link, uid=12, gid=34, follow_symlinks=False),
    ],
    ids=["lchown", "chown", "setattr"],
)
def test_the_owner_of_a_link_is_changed_without_its_target(
    vol: gfapi.Volume, folder: str, path: str, change: Any
) -> None:
    link = f"{folder}/link"
    before = vol.stat(path)
    change(vol, link)
    assert (vol.lstat(link).st_uid, vol.lstat(link).st_gid) == (12, 34)
    assert (vol.stat(path).st_uid, vol.stat(path).st_gid) == (before.st_uid, before.st_gid)
    change(vol, path)  # which is no link
    assert (vol.stat(path).st_uid, vol.stat(path).st_gid) == (12, 34)
    with pytest.raises(FileNotFoundError):
        change(vol, f"{folder}/missing")


def test_lchown_leaves_what_is_minus_one(vol: gfapi.Volume, folder: str, path: str) -> None:
    link = f"{folder}/link"
    vol.lchown(link, 12, -1)
    vol.lchown(link, -1, 34)
    assert (vol.lstat(link).st_uid, vol.lstat(link).st_gid) == (12, 34)


@pytest.mark.parametrize(
    "change",
    [
        lambda vol, path: vol.chmod(path, 0o640, follow_symlinks=False),
        lambda vol, path: vol.setattr(path, mode=0o640, follow_symlinks=False),
        lambda vol, path: vol.setattr(path, mode=0o640, size=1, follow_symlinks=False),
    ],
    ids=["chmod", "setattr", "setattr with size"],
)
def test_the_mode_of_a_link_is_refused(
    vol: gfapi.Volume, folder: str, path: str, change: Any
) -> None:
    link, before = f"{folder}/link", vol.stat(path).st_mode
    with pytest.raises(OSError, match="not supported") as caught:
        change(vol, link)
    assert (caught.value.errno, caught.value.filename) == (errno.EOPNOTSUPP, link)
    assert (vol.stat(path).st_mode, vol.getsize(path)) == (before, 3)
    change(vol, path)
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o640


def test_access_of_a_link_itself(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.symlink("nowhere", f"{folder}/broken")
    for name, exists in (("broken", False), ("link", True), ("file", True)):
        assert vol.access(f"{folder}/{name}", os.F_OK) is exists
        assert vol.access(f"{folder}/{name}", os.F_OK, follow_symlinks=False) is True
    assert vol.access(os.fsencode(path), os.R_OK | os.W_OK, follow_symlinks=False) is True
    for missing in (f"{folder}/missing", f"{path}/below", "", "n" * 300, "file"):
        assert vol.access(missing, os.F_OK, follow_symlinks=False) is False
    vol.chdir(folder)
    try:
        assert vol.access("broken", os.F_OK, follow_symlinks=False) is True
        assert vol.access("../file", os.F_OK, follow_symlinks=False) is False
    finally:
        vol.chdir("/")
    with pytest.raises(TypeError):
        vol.access(5, os.F_OK, follow_symlinks=False)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="null"):
        vol.access("a\0b", os.F_OK, follow_symlinks=False)
    with pytest.raises(OverflowError):
        vol.access(path, 1 << 40, follow_symlinks=False)


def test_a_hard_link_is_one_of_a_symbolic_link_or_of_its_target(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    link = f"{folder}/link"
    vol.link(link, f"{folder}/plainly")
    vol.link(link, f"{folder}/itself", follow_symlinks=False)
    vol.link(link, f"{folder}/target", follow_symlinks=True)
    vol.link(path, f"{folder}/file too", follow_symlinks=True)
    assert vol.readlink(f"{folder}/plainly") == vol.readlink(f"{folder}/itself") == "file"
    assert vol.lstat(link).st_nlink == 3
    assert not vol.islink(f"{folder}/target")
    assert vol.stat(path).st_nlink == 3
    vol.symlink("nowhere", f"{folder}/broken")
    with pytest.raises(FileNotFoundError) as caught:
        vol.link(f"{folder}/broken", f"{folder}/new", follow_symlinks=True)
    names = (f"{folder}/broken", f"{folder}/new")
    assert (caught.value.filename, caught.value.filename2) == names
    with pytest.raises(FileExistsError) as caught:
        vol.link(link, path, follow_symlinks=True)
    assert (caught.value.filename, caught.value.filename2) == (link, path)


# ------------------------------------------------------------------------------------ setattr


def test_setattr_sets_what_it_is_given_and_no_more(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    vol.setattr(path, mode=0o4640, uid=12, gid=34, ns=(1_000_000_001, 2_000_000_002))
    vol.setattr(f"{folder}/link", mode=0o600)
    status = vol.stat(path)
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o600, 12, 34)
    assert (status.st_atime_ns, status.st_mtime_ns) == (1_000_000_001, 2_000_000_002)
    vol.setattr(path, times=(3.5, 4))
    vol.setattr(path, uid=-1, gid=5)
    status = vol.stat(path)
    assert (status.st_atime_ns, status.st_mtime_ns) == (3_500_000_000, 4_000_000_000)
    assert (status.st_uid, status.st_gid, status.st_size) == (12, 5, 3)


def test_setattr_of_a_size_keeps_the_times_and_modes_that_are_given(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    vol.setattr(path, size=1)
    assert content(vol, path) == b"a"
    vol.setattr(f"{folder}/link", size=4, mode=0o4400, ns=(1_000_000_001, 2_000_000_002))
    status = vol.stat(path)
    assert (status.st_size, stat.S_IMODE(status.st_mode)) == (4, 0o4400)
    assert (status.st_atime_ns, status.st_mtime_ns) == (1_000_000_001, 2_000_000_002)
    assert content(vol, path) == b"a\0\0\0"


def test_setattr_of_a_link_sets_its_times(vol: gfapi.Volume, folder: str, path: str) -> None:
    link, before = f"{folder}/link", vol.stat(path).st_mtime_ns
    vol.setattr(link, ns=(1_000_000_001, 2_000_000_002), follow_symlinks=False)
    assert vol.lstat(link).st_mtime_ns == 2_000_000_002
    assert vol.stat(path).st_mtime_ns == before


def test_setattr_of_nothing_only_asks_whether_it_is_there(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    before = bytes(vol.stat(path))
    vol.setattr(path)
    assert vol.stat(path).st_mode == type(vol.stat(path)).from_buffer_copy(before).st_mode
    with pytest.raises(FileNotFoundError) as caught:
        vol.setattr(f"{folder}/missing")
    assert caught.value.filename == f"{folder}/missing"


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ({"mode": "rw"}, TypeError),
        ({"mode": 1 << 32}, OverflowError),
        ({"mode": -1}, OverflowError),
        ({"uid": 1 << 32}, OverflowError),
        ({"gid": -2}, OverflowError),
        ({"size": -1}, OSError),
        ({"size": 1 << 63}, OverflowError),
        ({"size": 1.5}, TypeError),
        ({"times": 5}, TypeError),
        ({"times": (1, 2), "ns": (1, 2)}, ValueError),
        ({"ns": (1 << 100, 1)}, OverflowError),
    ],
)
def test_setattr_refuses_what_is_no_attribute(
    vol: gfapi.Volume, path: str, attributes: Any, error: Any
) -> None:
    with pytest.raises(error):
        vol.setattr(path, **{"mode": 0o600, "size": 1, **attributes})
    assert vol.getsize(path) == 3
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o666


def test_setattr_of_the_size_of_a_directory_is_an_error(vol: gfapi.Volume, folder: str) -> None:
    with pytest.raises(IsADirectoryError):
        vol.setattr(folder, size=1)


def test_setattr_is_one_call_to_a_brick(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume("setattr")
    try:
        with volume.client() as vol:
            vol.mknod("/file", 0o600)
            with vol.fopen("/.meta/measure_latency", "r+") as switch:
                switch.write(b"1")
            before = calls_of(vol, volume)
            vol.setattr("/file", mode=0o640, uid=12, gid=34, ns=(1, 2))
            assert calls_of(vol, volume) - before == 1
    finally:
        volume.stop()
        volume.delete()


def calls_of(vol: gfapi.Volume, volume: sandbox.SandboxVolume) -> int:
    with vol.fopen(f"/.meta/graphs/active/{volume.name}-client-0/profile") as profile:
        found = re.search(rb"SETATTR = .*CNT:(\d+)", profile.read())
    return int(found.group(1)) if found else 0


# ----------------------------------------------------------------------------------- realpath


@pytest.mark.parametrize("type_", [str, os.fsencode])
def test_realpath_has_no_links_and_no_dots(
    vol: gfapi.Volume, folder: str, path: str, type_: Any
) -> None:
    vol.makedirs(f"{folder}/dir/below")
    vol.symlink(f"{folder}/dir", f"{folder}/absolute")
    vol.symlink("../link", f"{folder}/dir/up")
    vol.symlink("dir/below/", f"{folder}/deep")
    expected = {
        "": folder,
        ".": folder,
        "..": "/",
        "../..": "/",
        "file": path,
        "link": path,
        "dir/up": path,
        "absolute/up": path,
        "absolute": f"{folder}/dir",
        "absolute/..": folder,
        "deep/..": f"{folder}/dir",
        "deep/.": f"{folder}/dir/below",
        "deep/": f"{folder}/dir/below",
        "dir/../dir/./below": f"{folder}/dir/below",
        "//dir//": f"{folder}/dir",
    }
    for name, real in expected.items():
        assert vol.realpath(type_(f"{folder}/{name}")) == type_(real), name
    vol.chdir(f"{folder}/dir")
    try:
        for name in ("below", ".", "..", "up", "../absolute/below/.."):
            real = expected.get(os.path.normpath(f"dir/{name}"), f"{folder}/{name}")
            assert vol.realpath(type_(name)) == type_(
                {"below": f"{folder}/dir/below", ".": f"{folder}/dir", "..": folder}.get(name)
                or (path if name == "up" else f"{folder}/dir")
            ), real
    finally:
        vol.chdir("/")
    assert vol.realpath(type_("/")) == type_("/")


def test_realpath_agrees_with_that_of_the_system(
    vol: gfapi.Volume, folder: str, tmp_path: Path
) -> None:
    vol.makedirs(f"{folder}/a/b")
    (tmp_path / "a/b").mkdir(parents=True)
    for target, link in ("a/b", "one"), ("one/..", "two"), ("../two/b", "a/three"):
        vol.symlink(target, f"{folder}/{link}")
        (tmp_path / link).symlink_to(target)
    for name in ("one", "two", "a/three", "two/three", "one/../three", "a/b/../../one/.."):
        system = os.path.relpath(os.path.realpath(tmp_path / name), tmp_path)
        assert os.path.relpath(vol.realpath(f"{folder}/{name}"), folder) == system, name


def test_realpath_of_what_leads_nowhere_is_an_error(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    vol.symlink("nowhere", f"{folder}/broken")
    vol.symlink("other", f"{folder}/one")
    vol.symlink("one", f"{folder}/other")
    for name, code in (
        ("missing", errno.ENOENT),
        ("broken", errno.ENOENT),
        ("missing/..", errno.ENOENT),
        ("file/below", errno.ENOTDIR),
        ("one", errno.ELOOP),
        ("n" * 256, errno.ENAMETOOLONG),
    ):
        with pytest.raises(OSError, match=os.strerror(code)) as caught:
            vol.realpath(f"{folder}/{name}")
        assert (caught.value.errno, caught.value.filename) == (code, f"{folder}/{name}")
    with pytest.raises(FileNotFoundError):
        vol.realpath("")
    with pytest.raises(TypeError):
        vol.realpath(5)  # type: ignore[type-var]
    with pytest.raises(ValueError, match="null"):
        vol.realpath("a\0b")


# ------------------------------------------------------------------------------------- fchdir


def test_fchdir_goes_to_an_open_directory(vol: gfapi.Volume, folder: str) -> None:
    vol.makedirs(f"{folder}/dir")
    with vol.opendir(f"{folder}/dir") as top:
        glfd = vol.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        with gfapi.File(glfd) as file:
            try:
                for directory, where in (
                    (top, f"{folder}/dir"),
                    (glfd, folder),
                    (top, f"{folder}/dir"),
                    (file, folder),
                ):
                    vol.fchdir(directory)
                    assert vol.getcwd() == where
                vol.mkdir("new")
            finally:
                vol.chdir("/")
    assert vol.isdir(f"{folder}/new")


def test_fchdir_refuses_what_is_no_open_directory(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    with plain_vol.fopen(f"{plain_folder}/file", "w") as file, pytest.raises(NotADirectoryError):
        plain_vol.fchdir(file)
    for closed in file, plain_vol.opendir(plain_folder):
        closed.close() if not closed.closed else None
        with pytest.raises(OSError, match="descriptor"):
            plain_vol.fchdir(closed)
    for wrong in ("/", None, 1.5):
        with pytest.raises(TypeError, match="open directory"):
            plain_vol.fchdir(wrong)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="no open glfd"):
        plain_vol.fchdir(12345)
    with plain.client() as other, other.opendir("/") as top, pytest.raises(ValueError):  # noqa: PT011
        plain_vol.fchdir(top)
    assert plain_vol.getcwd() == "/"


def test_a_child_is_where_fchdir_went(
    plain: sandbox.SandboxVolume,
    plain_folder: str,
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    program = """
    vol.mount()
    with vol.opendir(folder) as top:
        vol.fchdir(top)
    child = os.fork()
    if not child:
        print(vol.getcwd() == folder, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    """
    # Python 3.12 and later warn of every fork with threads.
    quietly = ("-W", "ignore::DeprecationWarning")
    done = run_python(plain, plain_folder, program, options=quietly)
    assert (done.stdout, done.stderr) == ("True\n", ""), done


# ------------------------------------------------------------------------- what these make up


def test_replace_replaces(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.touch(f"{folder}/other")
    vol.replace(path, f"{folder}/other")
    assert vol.getsize(f"{folder}/other") == 3
    with pytest.raises(FileNotFoundError) as caught:
        vol.replace(path, f"{folder}/other")
    assert (caught.value.filename, caught.value.filename2) == (path, f"{folder}/other")


def test_lexists(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.symlink("nowhere", f"{folder}/broken")
    assert vol.lexists(path) is vol.lexists(f"{folder}/link") is True
    assert vol.lexists(f"{folder}/broken") is True
    assert vol.exists(f"{folder}/broken") is False
    for missing in (f"{folder}/missing", f"{path}/below", "", "/\0"):
        assert vol.lexists(missing) is False


def test_removedirs_goes_up_as_far_as_it_can(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.makedirs(f"{folder}/a/b/c")
    vol.removedirs(f"{folder}/a/b/c/")
    assert sorted(vol.listdir(folder)) == ["file", "link"]
    vol.makedirs(f"{folder}/a/b/c")
    vol.mkdir(f"{folder}/a/other")
    vol.removedirs(os.fsencode(f"{folder}/a/b/c"))
    assert vol.listdir(f"{folder}/a") == ["other"]
    for wrong, error in ((f"{folder}/a", OSError), (f"{folder}/missing", FileNotFoundError)):
        with pytest.raises(error):
            vol.removedirs(wrong)
    with pytest.raises(NotADirectoryError):
        vol.removedirs(path)


def test_renames_makes_and_removes_directories(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.makedirs(f"{folder}/a/b")
    vol.rename(path, f"{folder}/a/b/file")
    vol.renames(f"{folder}/a/b/file", f"{folder}/c/d/file")
    assert vol.getsize(f"{folder}/c/d/file") == 3
    assert not vol.exists(f"{folder}/a")
    with pytest.raises(FileNotFoundError):
        vol.renames(f"{folder}/missing", f"{folder}/c/new")
    vol.chdir(folder)
    try:
        vol.renames("c/d", "e")
        vol.renames("e", "f/g/")
    finally:
        vol.chdir("/")
    assert sorted(vol.listdir(folder)) == ["f", "link"]
    assert vol.listdir(f"{folder}/f/g") == ["file"]


def test_disk_usage_is_that_of_the_brick(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume
) -> None:
    ours, bricks = plain_vol.disk_usage("/"), shutil.disk_usage(plain.bricks[0].path)
    assert ours._fields == bricks._fields
    assert abs(ours.total - bricks.total) < 1 << 20
    assert 0 < ours.used < ours.total
    assert abs(ours.free - bricks.free) < 1 << 30
    with pytest.raises(FileNotFoundError):
        plain_vol.disk_usage("/missing")


def test_touch_makes_a_file_or_sets_its_times(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.touch(f"{folder}/new", 0o640)
    assert vol.stat(f"{folder}/new").st_mode == stat.S_IFREG | 0o640
    vol.utime(path, ns=(1, 2))
    vol.touch(path)
    assert vol.getsize(path) == 3
    assert vol.stat(path).st_mtime_ns > 2
    vol.touch(folder)
    vol.touch(f"{folder}/another", exist_ok=False)
    for existing in path, folder, f"{folder}/link":
        with pytest.raises(FileExistsError):
            vol.touch(existing, exist_ok=False)
    with pytest.raises(FileNotFoundError):
        vol.touch(f"{folder}/missing/file")


# --------------------------------------------------------------------------------------- move


def test_move_renames(vol: gfapi.Volume, folder: str, path: str) -> None:
    inode = vol.stat(path).st_ino
    assert vol.move(path, f"{folder}/moved") == f"{folder}/moved"
    vol.mkdir(f"{folder}/dir")
    assert vol.move(f"{folder}/moved", f"{folder}/dir") == f"{folder}/dir/moved"
    assert vol.stat(f"{folder}/dir/moved").st_ino == inode
    assert vol.move(f"{folder}/dir/", f"{folder}/dir2") == f"{folder}/dir2"
    vol.mkdir(f"{folder}/other")
    assert vol.move(f"{folder}/dir2/", f"{folder}/other/") == f"{folder}/other/dir2"
    assert vol.listdir(f"{folder}/other/dir2") == ["moved"]
    moved = vol.move(os.fsencode(f"{folder}/other"), os.fsencode(f"{folder}/last"))
    assert moved == os.fsencode(f"{folder}/last")
    assert vol.move(f"{folder}/link", f"{folder}/last") == f"{folder}/last/link"
    assert vol.readlink(f"{folder}/last/link") == "file"


def test_move_replaces_a_file_and_nothing_in_a_directory(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    vol.makedirs(f"{folder}/dir/file")
    with pytest.raises(gfapi.Error, match="exists"):
        vol.move(path, f"{folder}/dir")
    vol.touch(f"{folder}/other")
    vol.move(path, f"{folder}/other")
    assert vol.getsize(f"{folder}/other") == 3


def test_move_onto_itself_does_nothing(vol: gfapi.Volume, folder: str, path: str) -> None:
    assert vol.move(path, path) == path
    vol.mkdir(f"{folder}/dir")
    assert vol.move(f"{folder}/dir", f"{folder}/dir") == f"{folder}/dir"
    assert vol.isdir(f"{folder}/dir")
    assert vol.getsize(path) == 3


def test_move_of_a_directory_into_itself_is_an_error(vol: gfapi.Volume, folder: str) -> None:
    vol.makedirs(f"{folder}/dir/below")
    vol.symlink("dir", f"{folder}/alias")
    for target in ("dir/below", "dir/new", "alias/below", "dir/below/../new"):
        with pytest.raises(gfapi.Error, match="into itself"):
            vol.move(f"{folder}/dir", f"{folder}/{target}")
    assert vol.listdir(f"{folder}/dir") == ["below"]
    vol.move(f"{folder}/dir", f"{folder}/dir too")
    with pytest.raises(FileNotFoundError):
        vol.move(f"{folder}/missing", f"{folder}/new")


@pytest.fixture
def refuses_to_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(self: gfapi.Volume, src: Any, dst: Any, **_: Any) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), src, None, dst)

    monkeypatch.setattr(gfapi.Volume, "rename", rename)


@pytest.mark.usefixtures("refuses_to_rename")
def test_move_copies_what_cannot_be_renamed(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.utime(path, ns=(1_000_000_000, 2_000_000_000))
    assert vol.move(path, f"{folder}/moved") == f"{folder}/moved"
    assert vol.stat(f"{folder}/moved").st_mtime_ns == 2_000_000_000
    vol.move(f"{folder}/link", f"{folder}/link2")
    assert vol.readlink(f"{folder}/link2") == "file"
    vol.makedirs(f"{folder}/dir/below")
    vol.symlink("nowhere", f"{folder}/dir/broken")
    vol.touch(f"{folder}/dir/below/file")
    copied: list[tuple[str, str]] = []

    def copy(src: str, dst: str) -> None:
        copied.append((src, dst))
        vol.copy(src, dst)

    vol.move(f"{folder}/dir", f"{folder}/dir2", copy)
    assert copied == [(f"{folder}/dir/below/file", f"{folder}/dir2/below/file")]
    assert vol.readlink(f"{folder}/dir2/broken") == "nowhere"
    vol.move(f"{folder}/moved", f"{folder}/dir2", copy_function=copy)
    assert sorted(vol.listdir(folder)) == ["dir2", "link2"]
    assert sorted(vol.listdir(f"{folder}/dir2")) == ["below", "broken", "moved"]
