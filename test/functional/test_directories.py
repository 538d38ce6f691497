"""Making, listing and removing directories; Dir, DirEntry and the iterator of scandir."""

from __future__ import annotations

import errno
import os
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api, sandbox


def fill(vol: gfapi.Volume, folder: str) -> None:
    """Make one entry of each type."""
    vol.mkdir(f"{folder}/dir", 0o750)
    with vol.fopen(f"{folder}/file", "w") as file:
        file.write(b"12345")
    vol.symlink("file", f"{folder}/to file")
    vol.symlink("dir", f"{folder}/to dir")
    vol.symlink("nowhere", f"{folder}/broken")
    vol.mknod(f"{folder}/pipe", stat.S_IFIFO | 0o600)


NAMES = ["broken", "dir", "file", "pipe", "to dir", "to file"]


# -------------------------------------------------------------------------- making, removing


def test_mkdir_makes_a_directory_that_all_may_use_whatever_the_umask(
    vol: gfapi.Volume, folder: str
) -> None:
    old = os.umask(0o077)
    try:
        assert vol.mkdir(f"{folder}/a") is None
        vol.mkdir(path=f"{folder}/b", mode=0o1750)
    finally:
        os.umask(old)
    assert stat.S_IMODE(vol.stat(f"{folder}/a").st_mode) == 0o777
    assert stat.S_IMODE(vol.stat(f"{folder}/b").st_mode) == 0o1750
    assert sorted(vol.listdir(folder)) == ["a", "b"]


def test_mkdir_refuses_what_it_cannot_make(vol: gfapi.Volume, folder: str) -> None:
    vol.mknod(f"{folder}/file", 0o600)
    with pytest.raises(FileExistsError):
        vol.mkdir(folder)
    with pytest.raises(FileExistsError):
        vol.mkdir(f"{folder}/file")
    with pytest.raises(FileNotFoundError):
        vol.mkdir(f"{folder}/missing/dir")
    with pytest.raises(NotADirectoryError):
        vol.mkdir(f"{folder}/file/dir")


def test_rmdir_removes_an_empty_directory_only(vol: gfapi.Volume, folder: str) -> None:
    vol.makedirs(f"{folder}/a/b")
    with pytest.raises(OSError, match="not empty") as caught:
        vol.rmdir(f"{folder}/a")
    assert caught.value.errno == errno.ENOTEMPTY
    assert caught.value.filename == f"{folder}/a"
    assert vol.rmdir(f"{folder}/a/b") is None
    vol.rmdir(f"{folder}/a")
    assert vol.listdir(folder) == []
    with pytest.raises(FileNotFoundError):
        vol.rmdir(f"{folder}/a")
    vol.mknod(f"{folder}/file", 0o600)
    with pytest.raises(NotADirectoryError):
        vol.rmdir(f"{folder}/file")


@pytest.mark.parametrize("end", ["", "/", "//", "/."])
def test_makedirs_makes_all_that_are_missing(vol: gfapi.Volume, folder: str, end: str) -> None:
    if end == "/.":
        with pytest.raises(FileExistsError):
            vol.makedirs(f"{folder}/.")
        return
    assert vol.makedirs(f"{folder}/a/b/c{end}", 0o750) is None
    for name in ("a", "a/b", "a/b/c"):
        assert stat.S_IMODE(vol.stat(f"{folder}/{name}").st_mode) == 0o750
    vol.makedirs(path=f"{folder}/a/d")
    assert stat.S_IMODE(vol.stat(f"{folder}/a/d").st_mode) == 0o777


def test_makedirs_refuses_a_leaf_that_exists_unless_told_otherwise(
    vol: gfapi.Volume, folder: str
) -> None:
    vol.makedirs(f"{folder}/a/b")
    with pytest.raises(FileExistsError) as caught:
        vol.makedirs(f"{folder}/a/b")
    assert caught.value.filename == f"{folder}/a/b"
    vol.makedirs(f"{folder}/a/b", exist_ok=True)
    vol.makedirs(f"{folder}/a/b", 0o777, True)
    vol.mknod(f"{folder}/file", 0o600)
    for exist_ok in (False, True):
        with pytest.raises(FileExistsError):
            vol.makedirs(f"{folder}/file", exist_ok=exist_ok)
        with pytest.raises(OSError, match=r"Not a directory|File exists"):
            vol.makedirs(f"{folder}/file/below", exist_ok=exist_ok)


def test_makedirs_refuses_a_path_longer_than_the_kernel_takes(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    with pytest.raises(OSError, match="File name too long"):
        plain_vol.makedirs(f"{plain_folder}/{'d/' * 5000}")
    assert plain_vol.listdir(plain_folder) == []


def test_makedirs_of_a_relative_path_starts_at_the_working_directory(
    vol: gfapi.Volume, folder: str
) -> None:
    vol.chdir(folder)
    try:
        vol.makedirs("a/b")
    finally:
        vol.chdir("/")
    assert vol.isdir(f"{folder}/a/b")


# ---------------------------------------------------------------------------------- listing


def test_listdir_gives_all_names_but_the_dots(vol: gfapi.Volume, folder: str) -> None:
    assert vol.listdir(folder) == []
    fill(vol, folder)
    assert sorted(vol.listdir(folder)) == NAMES
    assert sorted(vol.listdir(os.fsencode(folder))) == [name.encode() for name in NAMES]


def test_the_working_directory_is_listed_if_no_other_is_named(
    vol: gfapi.Volume, folder: str
) -> None:
    fill(vol, folder)
    vol.chdir(folder)
    try:
        assert sorted(vol.listdir()) == NAMES
        with vol.scandir() as entries:
            assert sorted(entry.path for entry in entries) == [f"./{name}" for name in NAMES]
    finally:
        vol.chdir("/")


def test_listdir_with_stat_gives_each_name_with_its_lstat(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    listed = dict(vol.listdir_with_stat(folder))
    assert sorted(listed) == NAMES
    for name, status in listed.items():
        assert isinstance(status, api.Stat)
        expected = vol.lstat(f"{folder}/{name}")
        assert (status.st_mode, status.st_ino) == (expected.st_mode, expected.st_ino), name
        if not stat.S_ISDIR(status.st_mode):
            assert status.st_size == expected.st_size, name


LISTINGS: list[Callable[[gfapi.Volume, str], Any]] = [
    lambda vol, path: vol.listdir(path),
    lambda vol, path: vol.listdir_with_stat(path),
    lambda vol, path: list(vol.scandir(path)),
    lambda vol, path: vol.opendir(path),
]


@pytest.mark.parametrize("listing", LISTINGS, ids=["listdir", "with_stat", "scandir", "opendir"])
def test_what_is_no_directory_is_not_listed(
    vol: gfapi.Volume, folder: str, listing: Callable[[gfapi.Volume, str], Any]
) -> None:
    vol.mknod(f"{folder}/file", 0o600)
    with pytest.raises(NotADirectoryError) as caught:
        listing(vol, f"{folder}/file")
    assert caught.value.filename == f"{folder}/file"
    with pytest.raises(FileNotFoundError) as missing:
        listing(vol, f"{folder}/missing")
    assert missing.value.filename == f"{folder}/missing"


def test_the_root_is_listed_without_what_glusterfs_keeps_there(vol: gfapi.Volume) -> None:
    assert not {".", "..", ".glusterfs", ".meta"} & set(vol.listdir("/"))


def test_a_link_to_a_directory_is_listed_as_its_target(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    vol.mknod(f"{folder}/dir/inner", 0o600)
    assert vol.listdir(f"{folder}/to dir") == ["inner"]


def test_what_another_client_made_is_listed(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, folder: str
) -> None:
    assert vol.listdir(folder) == []
    with sandbox_volume.client() as other:
        fill(other, folder)
    assert sorted(vol.listdir(folder)) == NAMES


# --------------------------------------------------------------------------- many entries


def test_many_entries_are_listed_once_each_by_every_listing(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, folder: str
) -> None:
    # Either is more than the bricks give at a time; they take minutes to make elsewhere.
    count = 5_000 if sandbox_volume.name == "plain" else 2_000
    names = {f"{number:05}" for number in range(count)}
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda name: vol.symlink("x", f"{folder}/{name}"), names):
            pass
    listed = vol.listdir(folder)
    assert len(listed) == count
    assert set(listed) == names
    with_stat = vol.listdir_with_stat(folder)
    assert len(with_stat) == count
    assert {name for name, status in with_stat if stat.S_ISLNK(status.st_mode)} == names
    with vol.scandir(folder) as entries:
        scanned = [entry.name for entry in entries if entry.is_symlink()]
    assert len(scanned) == count
    assert set(scanned) == names
    ((_, dirnames, filenames),) = vol.walk(folder)
    assert dirnames == []
    assert sorted(filenames) == sorted(names)


# -------------------------------------------------------------------------------------- Dir


def test_opendir_gives_a_dir_that_iterates_over_all_entries_and_the_dots(
    vol: gfapi.Volume, folder: str
) -> None:
    fill(vol, folder)
    with vol.opendir(folder) as listing:
        assert isinstance(listing, gfapi.Dir)
        entries = list(listing)
    assert all(isinstance(entry, api.Dirent) for entry in entries)
    assert sorted(entry.name for entry in entries) == sorted([".", "..", *NAMES])
    assert {entry.d_name for entry in entries} >= {b"file", b"dir"}
    inodes = {entry.name: entry.d_ino for entry in entries}
    assert inodes["file"] == vol.stat(f"{folder}/file").st_ino


def test_readdirplus_gives_the_status_of_each_entry_too(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    with vol.opendir(path=folder, readdirplus=True) as listing:
        pairs = {entry.name: status for entry, status in listing}
    assert sorted(pairs) == sorted([".", "..", *NAMES])
    assert pairs["file"].st_size == 5
    assert stat.S_ISLNK(pairs["broken"].st_mode)


def test_a_dir_that_came_to_its_end_stays_there(vol: gfapi.Volume, folder: str) -> None:
    with vol.opendir(folder) as listing:
        assert len(list(listing)) == 2
        assert list(listing) == []
        with pytest.raises(StopIteration):
            next(listing)


def test_a_closed_dir_is_ebadf(vol: gfapi.Volume, folder: str) -> None:
    listing = vol.opendir(folder)
    assert not listing.closed
    assert listing.close() is None
    assert listing.closed
    for call in (listing.close, lambda: next(listing), listing.__enter__):
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            call()
        assert caught.value.errno == errno.EBADF
        assert caught.value.filename == folder


def test_with_closes_a_dir_also_after_an_error(vol: gfapi.Volume, folder: str) -> None:
    with pytest.raises(KeyError), vol.opendir(folder) as listing:
        raise KeyError
    assert listing.closed


def test_repr_of_a_dir_shows_its_path_and_whether_it_is_closed(
    vol: gfapi.Volume, folder: str
) -> None:
    with vol.opendir(folder) as listing:
        assert repr(listing) == f"<gluster.gfapi.Dir path={folder!r}>"
    assert repr(listing) == f"<gluster.gfapi.Dir path={folder!r} closed>"


# --------------------------------------------------------------------- scandir and DirEntry


def entries_of(vol: gfapi.Volume, folder: str) -> dict[str, gfapi.DirEntry[str]]:
    with vol.scandir(folder) as entries:
        return {entry.name: entry for entry in entries}


def test_scandir_yields_an_entry_for_each_name(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    entries = entries_of(vol, folder)
    assert sorted(entries) == NAMES
    for name, entry in entries.items():
        assert isinstance(entry, gfapi.DirEntry)
        assert (entry.name, entry.path) == (name, f"{folder}/{name}")
        assert os.fspath(entry) == entry.path
        assert entry.inode() == vol.lstat(entry.path).st_ino
        assert entry.stat().st_mode == vol.lstat(entry.path).st_mode
        assert repr(entry) == f"<gluster.gfapi.DirEntry {name!r}>"


def test_an_entry_follows_links_only_if_it_is_told_to(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    entries = entries_of(vol, folder)

    def true_of(call: str, *arguments: bool) -> list[str]:
        return [name for name in NAMES if getattr(entries[name], call)(*arguments)]

    assert true_of("is_dir") == ["dir"]
    assert true_of("is_dir", True) == ["dir", "to dir"]
    assert true_of("is_file") == ["file"]
    assert true_of("is_file", True) == ["file", "to file"]
    assert true_of("is_symlink") == ["broken", "to dir", "to file"]
    assert entries["to file"].is_file(follow_symlinks=True)
    assert stat.S_ISLNK(entries["to file"].stat().st_mode)
    assert entries["to file"].stat(follow_symlinks=True).st_size == 5
    assert entries["to file"].stat().st_size == len("file")
    with pytest.raises(FileNotFoundError):
        entries["broken"].stat(follow_symlinks=True)


def test_an_entry_keeps_what_it_knew(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    entries = entries_of(vol, folder)
    vol.unlink(f"{folder}/file")
    assert entries["file"].stat().st_size == 5
    assert entries["file"].is_file()
    with pytest.raises(FileNotFoundError):
        vol.stat(entries["file"].path)
    # What the link led to had not been asked for before.
    assert not entries["to file"].is_file(follow_symlinks=True)


def test_an_entry_made_without_a_status_asks_for_it(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    assert gfapi.DirEntry(vol, folder, "file", None).stat().st_size == 5
    missing = gfapi.DirEntry(vol, folder, "missing", None)
    assert not missing.is_file()
    assert not missing.is_dir()
    assert not missing.is_symlink()
    with pytest.raises(FileNotFoundError):
        missing.stat()
    with pytest.raises(FileNotFoundError):
        missing.inode()


def test_the_path_of_an_entry_is_absolute_only_if_the_scanned_one_was(
    vol: gfapi.Volume, folder: str
) -> None:
    fill(vol, folder)
    for given in (folder, f"{folder}/", folder.lstrip("/")):
        assert entries_of(vol, given)["file"].path == os.path.join(given, "file")


def test_scandir_is_an_iterator_that_closes_itself_at_its_end(
    vol: gfapi.Volume, folder: str
) -> None:
    fill(vol, folder)
    entries = vol.scandir(folder)
    first = next(entries)
    rest = list(entries)
    assert sorted(entry.name for entry in [first, *rest]) == NAMES
    assert list(entries) == []
    with pytest.raises(StopIteration):
        next(entries)
    entries.close()


def test_scandir_can_be_closed_before_its_end(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    with vol.scandir(folder) as entries:
        next(entries)
    entries.close()
    assert list(entries) == []


@pytest.mark.parametrize("kind", ["Dir", "DirEntry", "File"])
def test_what_belongs_to_a_mount_cannot_be_pickled(
    plain_vol: gfapi.Volume, plain_folder: str, kind: str
) -> None:
    fill(plain_vol, plain_folder)
    with (
        plain_vol.opendir(plain_folder) as listing,
        plain_vol.fopen(f"{plain_folder}/file") as file,
    ):
        things = {
            "Dir": listing,
            "DirEntry": entries_of(plain_vol, plain_folder)["file"],
            "File": file,
        }
        with pytest.raises(TypeError, match=f"cannot pickle '{kind}' object"):
            pickle.dumps(things[kind])


def test_entries_made_and_removed_while_a_directory_is_read_do_no_harm(
    vol: gfapi.Volume, folder: str
) -> None:
    for number in range(300):
        vol.symlink("x", f"{folder}/{number}")
    seen = []
    with vol.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            seen.append(entry.name)
            if number < 100:
                vol.unlink(entry.path)
    assert len(seen) == len(set(seen))
    assert len(vol.listdir(folder)) == 200
