"""copyfile, copy, copy2, copymode, copystat, copyfileobj and copytree."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import stat
from pathlib import Path
from typing import Any, Optional

import pytest

from gluster import gfapi

DATA = bytes(range(256)) * 2000


@pytest.fixture
def source(vol: gfapi.Volume, folder: str) -> str:
    """A file with a mode and times of its own."""
    path = f"{folder}/source"
    write(vol, path, DATA)
    vol.chmod(path, 0o4751)
    vol.utime(path, ns=(1_000_000_000_000_000_001, 1_100_000_000_000_000_002))
    return path


def write(vol: gfapi.Volume, path: str, data: bytes) -> None:
    with vol.fopen(path, "w") as file:
        file.write(data)


def read(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


def mode(vol: gfapi.Volume, path: str) -> int:
    return stat.S_IMODE(vol.stat(path).st_mode)


FILE_COPIES = pytest.mark.parametrize("call", ["copyfile", "copy", "copy2"])


@FILE_COPIES
def test_a_copy_has_the_content(vol: gfapi.Volume, folder: str, source: str, call: str) -> None:
    getattr(vol, call)(source, f"{folder}/copy")
    assert read(vol, f"{folder}/copy") == DATA
    assert not vol.samefile(source, f"{folder}/copy")
    getattr(vol, call)(src=source, dst=f"{folder}/copy")
    assert read(vol, f"{folder}/copy") == DATA


@FILE_COPIES
def test_a_copy_replaces_the_content_of_a_longer_file(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    write(vol, f"{folder}/copy", b"x" * 700_000)
    getattr(vol, call)(source, f"{folder}/copy")
    assert read(vol, f"{folder}/copy") == DATA


@FILE_COPIES
def test_a_copy_of_an_empty_file_is_empty(vol: gfapi.Volume, folder: str, call: str) -> None:
    write(vol, f"{folder}/empty", b"")
    write(vol, f"{folder}/copy", b"old")
    getattr(vol, call)(f"{folder}/empty", f"{folder}/copy")
    assert read(vol, f"{folder}/copy") == b""


@FILE_COPIES
def test_a_copy_onto_itself_is_refused_and_loses_nothing(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    vol.link(source, f"{folder}/hard")
    vol.symlink("source", f"{folder}/soft")
    for same in (source, f"{folder}/../{folder}/source", f"{folder}/hard", f"{folder}/soft"):
        with pytest.raises(gfapi.Error, match="are the same file"):
            getattr(vol, call)(source, same)
    assert read(vol, source) == DATA
    if call != "copyfile":
        with pytest.raises(gfapi.Error, match="are the same file"):
            getattr(vol, call)(source, folder)


def test_error_is_an_oserror() -> None:
    assert issubclass(gfapi.Error, OSError)


@FILE_COPIES
def test_a_copy_of_or_onto_a_special_file_is_refused(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    vol.mknod(f"{folder}/pipe", stat.S_IFIFO | 0o600)
    vol.mknod(f"{folder}/null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    for special in (f"{folder}/pipe", f"{folder}/null"):
        with pytest.raises(gfapi.Error, match="is a pipe, socket or device"):
            getattr(vol, call)(special, f"{folder}/copy")
        with pytest.raises(gfapi.Error, match="is a pipe, socket or device"):
            getattr(vol, call)(source, special)
    assert not vol.exists(f"{folder}/copy")


@FILE_COPIES
def test_a_copy_of_what_is_not_there_fails_and_makes_nothing(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        getattr(vol, call)(f"{folder}/missing", f"{folder}/copy")
    assert caught.value.filename == f"{folder}/missing"
    with pytest.raises(FileNotFoundError):
        getattr(vol, call)(source, f"{folder}/missing/copy")
    assert vol.listdir(folder) == ["source"]


@FILE_COPIES
def test_a_copy_of_a_directory_fails_and_leaves_the_destination_alone(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    vol.mkdir(f"{folder}/dir")
    with pytest.raises(IsADirectoryError):
        getattr(vol, call)(f"{folder}/dir", source)
    assert read(vol, source) == DATA
    with pytest.raises(IsADirectoryError):
        getattr(vol, call)(f"{folder}/dir", f"{folder}/new")
    assert not vol.exists(f"{folder}/new")


def test_copyfile_does_not_copy_into_a_directory(
    vol: gfapi.Volume, folder: str, source: str
) -> None:
    vol.mkdir(f"{folder}/dir")
    with pytest.raises(IsADirectoryError):
        vol.copyfile(source, f"{folder}/dir")
    assert vol.listdir(f"{folder}/dir") == []


@pytest.mark.parametrize("call", ["copy", "copy2"])
def test_copy_into_a_directory_keeps_the_name(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    vol.mkdir(f"{folder}/dir")
    vol.symlink("dir", f"{folder}/to dir")
    assert getattr(vol, call)(source, f"{folder}/dir") == f"{folder}/dir/source"
    assert read(vol, f"{folder}/dir/source") == DATA
    getattr(vol, call)(source, f"{folder}/to dir/")
    assert vol.listdir(f"{folder}/dir") == ["source"]


@FILE_COPIES
def test_a_copy_takes_as_much_of_the_metadata_as_it_says(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    copy = f"{folder}/copy"
    getattr(vol, call)(source, copy)
    assert mode(vol, copy) == (0o666 if call == "copyfile" else 0o4751)
    original, status = vol.stat(source), vol.stat(copy)
    same_times = (status.st_mtime_ns, status.st_atime_ns) == (
        original.st_mtime_ns,
        1_000_000_000_000_000_001,
    )
    assert same_times == (call == "copy2")


def test_copyfile_leaves_the_mode_of_what_it_replaces(
    vol: gfapi.Volume, folder: str, source: str
) -> None:
    write(vol, f"{folder}/copy", b"")
    vol.chmod(f"{folder}/copy", 0o604)
    vol.copyfile(source, f"{folder}/copy")
    assert mode(vol, f"{folder}/copy") == 0o604


def test_copy_follows_links(vol: gfapi.Volume, folder: str, source: str) -> None:
    vol.symlink("source", f"{folder}/link")
    vol.copy2(f"{folder}/link", f"{folder}/copy")
    assert not vol.islink(f"{folder}/copy")
    assert read(vol, f"{folder}/copy") == DATA
    assert mode(vol, f"{folder}/copy") == 0o4751


def test_copymode_copies_the_permission_bits_only(
    vol: gfapi.Volume, folder: str, source: str
) -> None:
    write(vol, f"{folder}/other", b"kept")
    vol.chown(f"{folder}/other", 12, 34)
    before = vol.stat(f"{folder}/other")
    assert vol.copymode(src=source, dst=f"{folder}/other") is None
    after = vol.stat(f"{folder}/other")
    assert mode(vol, f"{folder}/other") == 0o4751
    assert (after.st_uid, after.st_gid, after.st_mtime_ns) == (12, 34, before.st_mtime_ns)
    assert read(vol, f"{folder}/other") == b"kept"


def test_copystat_copies_permission_bits_and_times_only(
    vol: gfapi.Volume, folder: str, source: str
) -> None:
    write(vol, f"{folder}/other", b"kept")
    vol.chown(f"{folder}/other", 12, 34)
    assert vol.copystat(src=source, dst=f"{folder}/other") is None
    status = vol.stat(f"{folder}/other")
    assert stat.S_IMODE(status.st_mode) == 0o4751
    assert status.st_atime_ns == 1_000_000_000_000_000_001
    assert status.st_mtime_ns == 1_100_000_000_000_000_002
    assert (status.st_uid, status.st_gid) == (12, 34)
    assert read(vol, f"{folder}/other") == b"kept"


def test_copystat_works_on_directories(vol: gfapi.Volume, folder: str, source: str) -> None:
    vol.mkdir(f"{folder}/dir")
    vol.copystat(source, f"{folder}/dir")
    assert vol.getmtime(f"{folder}/dir") == vol.getmtime(source)
    assert mode(vol, f"{folder}/dir") == 0o4751


@pytest.mark.parametrize("call", ["copymode", "copystat"])
def test_metadata_of_and_onto_what_is_not_there_is_an_error(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    for pair in ((f"{folder}/missing", source), (source, f"{folder}/missing")):
        with pytest.raises(FileNotFoundError) as caught:
            getattr(vol, call)(*pair)
        assert caught.value.filename == f"{folder}/missing"


@pytest.mark.parametrize(
    ("call", "target", "kind"),
    [
        ("copy", "source", shutil.SameFileError),
        ("copyfile", "pipe", shutil.SpecialFileError),
        ("copytree", "copy", shutil.Error),
        ("move", "dir", shutil.Error),
    ],
)
def test_who_catches_the_errors_of_shutil_catches_those_of_copies(
    vol: gfapi.Volume, folder: str, source: str, call: str, target: str, kind: type[OSError]
) -> None:
    vol.makedirs(f"{folder}/dir/source")
    vol.mknod(f"{folder}/dir/pipe", stat.S_IFIFO)
    vol.mknod(f"{folder}/pipe", stat.S_IFIFO)
    start = f"{folder}/dir" if call == "copytree" else source
    with pytest.raises(kind) as caught:
        getattr(vol, call)(start, f"{folder}/{target}")
    assert isinstance(caught.value, gfapi.Error)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.args) == (type(caught.value), caught.value.args)


# ------------------------------------------------------------------- links that are not followed


@FILE_COPIES
@pytest.mark.parametrize("target", ["source", "nowhere"])
def test_a_link_that_is_not_followed_is_copied_itself(
    vol: gfapi.Volume, folder: str, source: str, call: str, target: str
) -> None:
    link, copy = f"{folder}/link", f"{folder}/copy"
    vol.symlink(target, link)
    vol.utime(link, ns=(5, 7), follow_symlinks=False)
    assert getattr(vol, call)(link, copy, follow_symlinks=False) == copy
    assert vol.readlink(copy) == target
    assert (vol.lstat(copy).st_mtime_ns == 7) is (call == "copy2")
    assert mode(vol, source) == 0o4751
    with pytest.raises(OSError, match=r"File exists|are the same file"):
        getattr(vol, call)(link, copy, follow_symlinks=False)


@FILE_COPIES
def test_a_file_is_copied_as_ever_where_links_are_not_followed(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    getattr(vol, call)(source, f"{folder}/copy", follow_symlinks=False)
    assert read(vol, f"{folder}/copy") == DATA


@pytest.mark.parametrize("call", ["copy", "copy2"])
def test_a_link_that_is_not_followed_goes_into_a_directory(
    vol: gfapi.Volume, folder: str, call: str
) -> None:
    vol.mkdir(f"{folder}/dir")
    vol.symlink("nowhere", f"{folder}/link")
    assert getattr(vol, call)(f"{folder}/link", f"{folder}/dir", follow_symlinks=False) == (
        f"{folder}/dir/link"
    )
    assert vol.readlink(f"{folder}/dir/link") == "nowhere"


@pytest.mark.parametrize("call", ["copymode", "copystat"])
def test_only_of_two_links_the_metadata_are_those_of_the_links(
    vol: gfapi.Volume, folder: str, source: str, call: str
) -> None:
    write(vol, f"{folder}/other", b"")
    vol.chmod(f"{folder}/other", 0o600)
    for name, target in (("one", "source"), ("two", "other")):
        vol.symlink(target, f"{folder}/{name}")
    vol.utime(f"{folder}/one", ns=(5, 7), follow_symlinks=False)
    getattr(vol, call)(f"{folder}/one", f"{folder}/two", follow_symlinks=False)
    assert mode(vol, f"{folder}/other") == 0o600
    assert (vol.lstat(f"{folder}/two").st_mtime_ns == 7) is (call == "copystat")
    getattr(vol, call)(f"{folder}/one", f"{folder}/other", follow_symlinks=False)
    assert mode(vol, f"{folder}/other") == 0o4751


# ------------------------------------------------------------------------------ copyfileobj


@pytest.mark.parametrize("length", [1, 1000, 131072, 1 << 20, 0, -1, None])
def test_copyfileobj_copies_all_whatever_the_length_of_a_piece(
    vol: gfapi.Volume, folder: str, length: Optional[int]
) -> None:
    data = DATA[:300] if length == 1 else DATA
    write(vol, f"{folder}/from", data)
    with vol.fopen(f"{folder}/from") as reader, vol.fopen(f"{folder}/to", "w") as writer:
        assert gfapi.Volume.copyfileobj(reader, writer, length) is None
    assert read(vol, f"{folder}/to") == data


def test_copyfileobj_starts_at_the_current_position(vol: gfapi.Volume, source: str) -> None:
    with vol.fopen(source) as reader:
        reader.seek(-10, os.SEEK_END)
        target = io.BytesIO()
        vol.copyfileobj(fsrc=reader, fdst=target)
    assert target.getvalue() == DATA[-10:]


def test_copyfileobj_takes_any_file_object(vol: gfapi.Volume, folder: str, tmp_path: Path) -> None:
    (tmp_path / "local").write_bytes(DATA)
    with (tmp_path / "local").open("rb") as reader, vol.fopen(f"{folder}/to", "w") as writer:
        vol.copyfileobj(reader, writer)
    assert read(vol, f"{folder}/to") == DATA


def test_copyfileobj_of_a_closed_file_fails(vol: gfapi.Volume, source: str) -> None:
    reader = vol.fopen(source)
    reader.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        vol.copyfileobj(reader, io.BytesIO())


# --------------------------------------------------------------------------------- copytree


@pytest.fixture
def tree(vol: gfapi.Volume, folder: str) -> str:
    top = f"{folder}/tree"
    vol.makedirs(f"{top}/a/b", 0o751)
    vol.mkdir(f"{top}/empty", 0o700)
    for name in ("1", "a/2", "a/b/3", "a/keep.txt", "a/drop.tmp"):
        write(vol, f"{top}/{name}", name.encode())
    vol.symlink("1", f"{top}/to 1")
    vol.symlink("../a", f"{top}/empty/to a")
    vol.chmod(f"{top}/a/2", 0o640)
    for name in ("a/2", "a/b", "a", ""):
        vol.utime(f"{top}/{name}", ns=(5_000_000_000, 1_000_000_007))
    return top


def names(vol: gfapi.Volume, top: str) -> list[str]:
    found = []
    for path, dirs, files in vol.walk(top):
        found += [os.path.relpath(os.path.join(path, name), top) for name in dirs + files]
    return sorted(found)


def test_copytree_copies_all_with_modes_and_times(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    copy = f"{folder}/copy"
    assert vol.copytree(tree, copy) == copy
    expected = ["1", "a", "a/2", "a/b", "a/b/3", "a/drop.tmp", "a/keep.txt", "empty"]
    of_link = ["empty/to a", *(f"empty/to a/{n}" for n in ("2", "b", "b/3"))]
    of_link += ["empty/to a/drop.tmp", "empty/to a/keep.txt"]
    assert names(vol, copy) == sorted([*expected, *of_link, "to 1"])
    assert read(vol, f"{copy}/a/b/3") == b"a/b/3"
    assert read(vol, f"{copy}/empty/to a/2") == b"a/2"
    assert read(vol, f"{copy}/to 1") == b"1"
    assert not vol.islink(f"{copy}/to 1")
    assert not vol.islink(f"{copy}/empty/to a")
    assert (mode(vol, f"{copy}/a"), mode(vol, f"{copy}/empty")) == (0o751, 0o700)
    assert mode(vol, f"{copy}/a/2") == 0o640
    for name in ("a/2", "a/b", "a", ""):
        assert vol.stat(f"{copy}/{name}").st_mtime_ns == 1_000_000_007, name


def test_copytree_keeps_links_if_it_is_told_to(vol: gfapi.Volume, folder: str, tree: str) -> None:
    copy = f"{folder}/copy"
    vol.symlink("nowhere", f"{tree}/broken")
    vol.copytree(src=tree, dst=copy, symlinks=True)
    assert names(vol, copy) == names(vol, tree)
    for name in ("to 1", "empty/to a", "broken"):
        assert vol.islink(f"{copy}/{name}")
        assert vol.readlink(f"{copy}/{name}") == vol.readlink(f"{tree}/{name}")


@pytest.mark.parametrize("threads", [1, None])
def test_copytree_follows_a_loop_as_often_as_shutil(
    vol: gfapi.Volume, folder: str, tmp_path: Path, threads: Optional[int]
) -> None:
    local = str(tmp_path)
    os.mkdir(f"{local}/s")
    vol.mkdir(f"{folder}/s")
    for link, target in (("loop", "."), ("to f", "f")):
        vol.symlink(target, f"{folder}/s/{link}")
        os.symlink(target, f"{local}/s/{link}")
    write(vol, f"{folder}/s/f", DATA)
    Path(f"{local}/s/f").write_bytes(DATA)
    with pytest.raises(shutil.Error) as expected:
        shutil.copytree(f"{local}/s", f"{local}/c")
    with pytest.raises(gfapi.Error) as caught:
        vol.copytree(f"{folder}/s", f"{folder}/c", threads=threads)
    assert [
        tuple(part.replace(folder, local) for part in problem) for problem in caught.value.args[0]
    ] == sorted(expected.value.args[0])
    made = [path.replace(folder, local) for path, _, _ in vol.walk(f"{folder}/c")]
    assert sorted(made) == sorted(path for path, _, _ in os.walk(f"{local}/c"))


def test_copytree_leaves_out_what_ignore_names(vol: gfapi.Volume, folder: str, tree: str) -> None:
    calls: list[tuple[str, list[str]]] = []

    def ignore(src: str, listed: list[str]) -> list[str]:
        calls.append((src, sorted(listed)))
        return [name for name in listed if name.endswith(".tmp") or name in ("b", "empty", "?")]

    vol.copytree(tree, f"{folder}/copy", False, ignore)
    assert names(vol, f"{folder}/copy") == ["1", "a", "a/2", "a/keep.txt", "to 1"]
    assert sorted(calls) == [
        (tree, ["1", "a", "empty", "to 1"]),
        (f"{tree}/a", ["2", "b", "drop.tmp", "keep.txt"]),
    ]


def test_copytree_takes_shutils_ignore_patterns(vol: gfapi.Volume, folder: str, tree: str) -> None:
    vol.copytree(tree, f"{folder}/copy", symlinks=True, ignore=shutil.ignore_patterns("*.tmp", "b"))
    assert names(vol, f"{folder}/copy/a") == ["2", "keep.txt"]


def test_copytree_refuses_a_destination_that_exists(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    vol.mkdir(f"{folder}/copy")
    with pytest.raises(FileExistsError) as caught:
        vol.copytree(tree, f"{folder}/copy")
    assert caught.value.filename == f"{folder}/copy"
    assert vol.listdir(f"{folder}/copy") == []


def test_copytree_makes_the_parents_of_the_destination(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    vol.copytree(tree, f"{folder}/new/parents/copy", symlinks=True)
    assert names(vol, f"{folder}/new/parents/copy") == names(vol, tree)


def test_copytree_into_a_file_is_enotdir(vol: gfapi.Volume, folder: str, tree: str) -> None:
    vol.touch(f"{folder}/file")
    for target in (f"{folder}/file/copy", f"{folder}/file//copy"):
        with pytest.raises(NotADirectoryError) as caught:
            vol.copytree(tree, target)
        assert caught.value.filename == target


def test_copytree_of_what_is_no_directory_fails_and_makes_nothing(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    with pytest.raises(FileNotFoundError):
        vol.copytree(f"{folder}/missing", f"{folder}/copy")
    with pytest.raises(NotADirectoryError):
        vol.copytree(f"{tree}/1", f"{folder}/copy")
    assert vol.listdir(folder) == ["tree"]


def test_copytree_copies_the_rest_and_lists_what_failed(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    copy = f"{folder}/copy"
    vol.symlink("nowhere", f"{tree}/a/broken")
    vol.mknod(f"{tree}/pipe", stat.S_IFIFO | 0o600)
    with pytest.raises(gfapi.Error) as caught:
        vol.copytree(tree, copy)
    (problems,) = caught.value.args
    # The broken one is reached by its own path and by the link to its directory.
    assert sorted((src, dst) for src, dst, _ in problems) == [
        (f"{tree}/a/broken", f"{copy}/a/broken"),
        (f"{tree}/empty/to a/broken", f"{copy}/empty/to a/broken"),
        (f"{tree}/pipe", f"{copy}/pipe"),
    ]
    reasons = {os.path.basename(src): reason for src, _, reason in problems}
    assert "No such file" in reasons["broken"]
    assert "pipe, socket or device" in reasons["pipe"]
    assert read(vol, f"{copy}/a/b/3") == b"a/b/3"
    assert read(vol, f"{copy}/1") == b"1"


def test_copytree_copies_a_directory_that_is_read_only(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    vol.chmod(f"{tree}/a", 0o500)
    vol.copytree(tree, f"{folder}/copy", symlinks=True)
    assert mode(vol, f"{folder}/copy/a") == 0o500
    assert read(vol, f"{folder}/copy/a/2") == b"a/2"


def test_copytree_agrees_with_shutil(
    vol: gfapi.Volume, folder: str, tree: str, tmp_path: Path
) -> None:
    """The same tree, copied there and here by either, has the same names and contents."""

    def fetch(top: str, local: Path) -> None:
        for path, dirs, files in vol.walk(top, followlinks=True):
            place = local / os.path.relpath(path, top)
            place.mkdir(exist_ok=True)
            for name in files:
                (place / name).write_bytes(read(vol, os.path.join(path, name)))
            assert set(dirs) | set(files) == set(vol.listdir(path))

    def content(top: Path) -> dict[str, Any]:
        return {
            str(path.relative_to(top)): path.read_bytes() if path.is_file() else None
            for path in top.rglob("*")
        }

    vol.copytree(tree, f"{folder}/copy")
    fetch(f"{folder}/copy", tmp_path / "ours")
    fetch(tree, tmp_path / "original")
    shutil.copytree(tmp_path / "original", tmp_path / "theirs")
    assert content(tmp_path / "ours") == content(tmp_path / "theirs")


def test_copytree_passes_over_links_that_lead_nowhere_if_it_is_told_to(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    vol.symlink("nowhere", f"{tree}/a/broken")
    with pytest.raises(gfapi.Error, match="broken"):
        vol.copytree(tree, f"{folder}/one")
    vol.copytree(tree, f"{folder}/two", ignore_dangling_symlinks=True)
    assert not vol.lexists(f"{folder}/two/a/broken")
    assert read(vol, f"{folder}/two/to 1") == b"1"


@pytest.mark.parametrize("threads", [1, None])
def test_copytree_into_what_exists_merges_and_replaces(
    vol: gfapi.Volume, folder: str, tree: str, threads: int | None
) -> None:
    copy = f"{folder}/copy"
    vol.makedirs(f"{copy}/a/more")
    write(vol, f"{copy}/a/2", DATA)
    write(vol, f"{copy}/a/other", b"kept")
    assert vol.copytree(tree, copy, True, dirs_exist_ok=True, threads=threads) == copy
    assert names(vol, copy) == sorted([*names(vol, tree), "a/more", "a/other"])
    assert (read(vol, f"{copy}/a/2"), read(vol, f"{copy}/a/other")) == (b"a/2", b"kept")
    assert (mode(vol, f"{copy}/a"), mode(vol, f"{copy}/a/2")) == (0o751, 0o640)
    for name in ("a/2", "a", ""):
        assert vol.stat(f"{copy}/{name}").st_mtime_ns == 1_000_000_007, name


def test_copytree_into_what_exists_needs_a_directory(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    write(vol, f"{folder}/file", b"kept")
    vol.symlink("nowhere", f"{folder}/broken")
    for name in ("file", "broken"):
        with pytest.raises(FileExistsError):
            vol.copytree(tree, f"{folder}/{name}", dirs_exist_ok=True)
    assert read(vol, f"{folder}/file") == b"kept"
    vol.mkdir(f"{folder}/dir")
    vol.symlink("dir", f"{folder}/link")
    vol.copytree(tree, f"{folder}/link", dirs_exist_ok=True)
    assert read(vol, f"{folder}/dir/a/2") == b"a/2"


def test_copytree_into_itself_leaves_all_as_it_was(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    before = names(vol, tree)
    with pytest.raises(gfapi.Error, match="same file"):
        vol.copytree(tree, tree, dirs_exist_ok=True)
    assert names(vol, tree) == before
    assert read(vol, f"{tree}/a/b/3") == b"a/b/3"


def test_copytree_does_not_follow_links_of_what_exists(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    copy, victim = f"{folder}/copy", f"{folder}/victim"
    for place in (copy, victim):
        vol.mkdir(place)
    write(vol, f"{victim}/1", b"kept")
    vol.symlink(victim, f"{copy}/a")
    vol.symlink(f"{victim}/1", f"{copy}/1")
    vol.mkdir(f"{copy}/to 1")
    with pytest.raises(gfapi.Error) as caught:
        vol.copytree(tree, copy, dirs_exist_ok=True)
    failed = [os.path.relpath(source, tree) for source, _, _ in caught.value.args[0]]
    assert failed == ["1", "a", "to 1"]
    assert vol.listdir(victim) == ["1"]
    assert read(vol, f"{victim}/1") == b"kept"
    assert read(vol, f"{copy}/empty/to a/2") == b"a/2"
