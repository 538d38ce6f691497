"""Status, modes, owners, times, links, special files, and what asks for them."""

from __future__ import annotations

import errno
import math
import os
import stat
import threading
import time
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox


@pytest.fixture
def path(vol: gfapi.Volume, folder: str) -> str:
    """A file of three bytes."""
    path = f"{folder}/file"
    with vol.fopen(path, "w") as file:
        file.write(b"abc")
    return path


# ---------------------------------------------------------------------------------- status


def test_stat_has_what_os_stat_has(vol: gfapi.Volume, path: str) -> None:
    started = time.time()
    status = vol.stat(path)
    assert stat.S_ISREG(status.st_mode)
    assert (status.st_size, status.st_nlink) == (3, 1)
    assert (status.st_uid, status.st_gid) == (os.geteuid(), os.getegid())
    assert status.st_ino > 0
    assert status.st_blksize > 0
    for name in ("st_atime", "st_mtime", "st_ctime"):
        seconds, nanoseconds = getattr(status, name), getattr(status, f"{name}_ns")
        assert isinstance(seconds, float)
        assert isinstance(nanoseconds, int)
        assert math.isclose(seconds, nanoseconds / 1e9, abs_tol=1e-6)
        assert abs(seconds - started) < 3600


def test_stat_agrees_with_the_brick(plain: sandbox.SandboxVolume, plain_folder: str) -> None:
    with plain.client() as vol:
        path = f"{plain_folder}/file"
        with vol.fopen(path, "w") as file:
            file.write(b"x" * 5000)
            file.fsync()
        vol.chmod(path, 0o4640)
        vol.chown(path, 12, 34)
        vol.utime(path, ns=(1_111_111_111_123_456_789, 2_222_222_222_987_654_321))
        ours, bricks = vol.stat(path), os.stat(plain.bricks[0].path + path)
    for name in ("st_mode", "st_uid", "st_gid", "st_size"):
        assert getattr(ours, name) == getattr(bricks, name), name
    assert ours.st_mtime_ns == bricks.st_mtime_ns == 2_222_222_222_987_654_321
    assert ours.st_atime_ns == bricks.st_atime_ns == 1_111_111_111_123_456_789


def test_stat_shows_its_fields(vol: gfapi.Volume, path: str) -> None:
    vol.chmod(path, 0o640)
    assert "Stat(st_mode=0o100640" in repr(vol.stat(path))


def test_stat_follows_a_link_and_lstat_does_not(vol: gfapi.Volume, path: str) -> None:
    vol.symlink("file", f"{path}.link")
    assert stat.S_ISREG(vol.stat(f"{path}.link").st_mode)
    assert vol.stat(f"{path}.link").st_ino == vol.stat(path).st_ino
    assert stat.S_ISLNK(vol.lstat(f"{path}.link").st_mode)
    assert vol.lstat(f"{path}.link").st_size == len("file")
    assert vol.lstat(path).st_ino == vol.stat(path).st_ino


def test_a_broken_link_has_an_lstat_only(vol: gfapi.Volume, folder: str) -> None:
    vol.symlink("nowhere", f"{folder}/link")
    assert stat.S_ISLNK(vol.lstat(f"{folder}/link").st_mode)
    with pytest.raises(FileNotFoundError):
        vol.stat(f"{folder}/link")


@pytest.mark.parametrize("call", ["stat", "lstat"])
def test_the_status_of_what_is_not_there_is_an_error(
    vol: gfapi.Volume, folder: str, path: str, call: str
) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(vol, call)(f"{folder}/missing")
    with pytest.raises(NotADirectoryError):
        getattr(vol, call)(f"{path}/below")


def test_statvfs_tells_of_the_space_of_the_bricks(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume
) -> None:
    space = vol.statvfs("/")
    members = [
        "bsize",
        "frsize",
        "blocks",
        "bfree",
        "bavail",
        "files",
        "ffree",
        "favail",
        "fsid",
        "flag",
        "namemax",
    ]
    assert all(isinstance(getattr(space, f"f_{name}"), int) for name in members)
    assert space.f_namemax == 255
    brick = os.statvfs(sandbox_volume.bricks[0].path)
    assert 0 < space.f_blocks * space.f_frsize <= 3 * brick.f_blocks * brick.f_frsize
    assert 0 < space.f_bavail <= space.f_bfree <= space.f_blocks
    assert f"f_bsize={space.f_bsize}" in repr(space)


def test_statvfs_of_what_is_not_there_is_an_error(vol: gfapi.Volume, folder: str) -> None:
    with pytest.raises(FileNotFoundError):
        vol.statvfs(f"{folder}/missing")


def test_getsize_and_the_times_are_those_of_stat(vol: gfapi.Volume, path: str) -> None:
    vol.utime(path, (1000, 2000))
    status = vol.stat(path)
    assert vol.getsize(path) == 3
    assert vol.getatime(path) == 1000
    assert vol.getmtime(path) == 2000
    assert vol.getctime(path) == status.st_ctime > 2000


@pytest.mark.parametrize("call", ["getsize", "getatime", "getmtime", "getctime"])
def test_size_and_times_of_what_is_not_there_are_errors(
    vol: gfapi.Volume, folder: str, call: str
) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(vol, call)(f"{folder}/missing")


def test_ctime_moves_with_attributes_and_mtime_with_content(vol: gfapi.Volume, path: str) -> None:
    vol.utime(path, (1000, 2000))
    before = vol.stat(path)
    vol.chmod(path, 0o600)
    after = vol.stat(path)
    assert after.st_mtime == 2000
    assert after.st_ctime_ns > before.st_ctime_ns
    with vol.fopen(path, "a") as file:
        file.write(b"x")
        file.fsync()
    assert vol.stat(path).st_mtime > 2000


# ----------------------------------------------------------------------- exists and its kin


def test_what_is_what(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.symlink("file", f"{folder}/to file")
    vol.symlink(folder, f"{folder}/to dir")
    vol.symlink("nowhere", f"{folder}/broken")
    vol.mknod(f"{folder}/fifo", stat.S_IFIFO | 0o600)
    names = [path, folder, "/", f"{path}/x"]
    names += [f"{folder}/{name}" for name in vol.listdir(folder) if name != "file"]
    seen = {
        name: [getattr(vol, call)(name) for call in ("exists", "isfile", "isdir", "islink")]
        for name in [
            path,
            folder,
            "/",
            f"{path}/x",
            *(f"{folder}/{n}" for n in vol.listdir(folder)),
        ]
    }
    assert seen == {
        path: [True, True, False, False],
        folder: [True, False, True, False],
        "/": [True, False, True, False],
        f"{path}/x": [False, False, False, False],
        f"{folder}/to file": [True, True, False, True],
        f"{folder}/to dir": [True, False, True, True],
        f"{folder}/broken": [False, False, False, True],
        f"{folder}/fifo": [True, False, False, False],
    }


def test_samefile(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.link(path, f"{folder}/hard")
    vol.symlink("file", f"{folder}/soft")
    vol.mknod(f"{folder}/other", 0o600)
    assert vol.samefile(path, f"{folder}/hard")
    assert vol.samefile(path1=path, path2=f"{folder}/soft")
    assert vol.samefile(folder, f"{folder}/../{folder}")
    assert not vol.samefile(path, f"{folder}/other")
    for pair in ((path, f"{folder}/missing"), (f"{folder}/missing", path)):
        with pytest.raises(FileNotFoundError):
            vol.samefile(*pair)


# ------------------------------------------------------------------------- modes and owners


# Files with both setgid and sticky bit are what a distributed volume marks as being moved.
@pytest.mark.parametrize("mode", [0o000, 0o644, 0o777, 0o4755, 0o2755, 0o1777, 0o6777])
def test_chmod_sets_the_bits_that_it_is_given(vol: gfapi.Volume, path: str, mode: int) -> None:
    assert vol.chmod(path, mode) is None
    assert stat.S_IMODE(vol.stat(path).st_mode) == mode
    assert stat.S_ISREG(vol.stat(path).st_mode)


def test_chmod_of_a_link_changes_its_target(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.symlink("file", f"{folder}/link")
    vol.chmod(f"{folder}/link", 0o604)
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o604
    assert stat.S_IMODE(vol.lstat(f"{folder}/link").st_mode) == 0o777


def test_chown_sets_owner_and_group_and_leaves_what_is_minus_one(
    vol: gfapi.Volume, path: str
) -> None:
    for uid, gid, expected in ((1001, 1002, (1001, 1002)), (-1, 3, (1001, 3)), (4, -1, (4, 3))):
        assert vol.chown(path, uid, gid) is None
        assert (vol.stat(path).st_uid, vol.stat(path).st_gid) == expected
    vol.chown(path, (1 << 32) - 2, 0)
    assert vol.stat(path).st_uid == (1 << 32) - 2


@pytest.mark.parametrize(
    ("call", "arguments", "error"),
    [
        ("chmod", (None,), TypeError),
        ("chmod", ("rw",), TypeError),
        ("chmod", (-1,), OverflowError),
        ("chown", ("root", 0), TypeError),
        ("chown", (0, 1.5), TypeError),
        ("chown", (0, 1 << 32), OverflowError),
        ("chown", (-2, 0), OverflowError),
        ("access", (None,), TypeError),
        ("mkdir", ("x",), TypeError),
        ("mknod", (None,), TypeError),
    ],
)
def test_bad_numbers_are_refused(
    vol: gfapi.Volume, path: str, call: str, arguments: Any, error: Any
) -> None:
    before = vol.stat(path)
    with pytest.raises(error):
        getattr(vol, call)(path, *arguments)
    assert vol.stat(path).st_mode == before.st_mode


def as_user(vol: gfapi.Volume, uid: int, gid: int, action: Any) -> Any:
    """What an action gives or raises in a thread that acts as another user."""
    outcome: list[Any] = []

    def run() -> None:
        vol.setfsgid(gid)
        vol.setfsuid(uid)
        try:
            outcome.append(action())
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome[0]


def test_setfsuid_and_setfsgid_make_the_owner_of_what_is_made(
    vol: gfapi.Volume, folder: str
) -> None:
    vol.chmod(folder, 0o777)
    as_user(vol, 4321, 8765, lambda: vol.mkdir(f"{folder}/dir"))
    assert (vol.stat(f"{folder}/dir").st_uid, vol.stat(f"{folder}/dir").st_gid) == (4321, 8765)
    vol.mkdir(f"{folder}/mine")
    assert vol.stat(f"{folder}/mine").st_uid == os.geteuid()


def test_setfsuid_takes_the_rights_of_others_away(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    vol.chmod(path, 0o600)
    refused = as_user(vol, 4321, 4321, lambda: vol.open(path, os.O_RDWR | os.O_SYNC))
    if not isinstance(refused, OSError):
        # The open has not reached a brick yet, and the brick is who knows.
        with gfapi.File(refused) as file:
            refused = as_user(vol, 4321, 4321, lambda: file.read(1))
    assert isinstance(refused, PermissionError)
    refused = as_user(vol, 4321, 4321, lambda: vol.chmod(path, 0o777))
    assert isinstance(refused, PermissionError)
    assert refused.filename == path
    refused = as_user(vol, 4321, 4321, lambda: vol.mkdir(f"{folder}/dir"))
    assert isinstance(refused, PermissionError) == (not vol.exists(f"{folder}/dir"))


@pytest.mark.parametrize("call", ["setfsuid", "setfsgid"])
@pytest.mark.parametrize(
    ("value", "error"), [("root", TypeError), (-1, OverflowError), (1 << 32, OverflowError)]
)
def test_setfsuid_and_setfsgid_refuse_what_is_no_id(
    vol: gfapi.Volume, call: str, value: Any, error: Any
) -> None:
    with pytest.raises(error):
        getattr(vol, call)(value)


def test_access_asks_for_existence_and_each_permission(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    vol.chmod(path, 0o640)
    vol.chown(path, 4321, 8765)
    vol.chmod(folder, 0o755)
    modes = (os.F_OK, os.R_OK, os.W_OK, os.X_OK, os.R_OK | os.W_OK, os.R_OK | os.X_OK)

    def asked() -> list[bool]:
        return [vol.access(path, mode) for mode in modes]

    assert as_user(vol, 4321, 4321, asked) == [True, True, True, False, True, False]
    assert as_user(vol, 1, 8765, asked) == [True, True, False, False, False, False]
    assert as_user(vol, 1, 1, asked) == [True, False, False, False, False, False]
    assert as_user(vol, 0, 0, asked)[:3] == [True, True, True]


def test_access_never_raises_for_a_path(vol: gfapi.Volume, folder: str, path: str) -> None:
    for missing in (f"{folder}/missing", f"{path}/below", "", "n" * 300):
        assert vol.access(missing, os.F_OK) is False
    assert vol.access(path, mode=os.F_OK) is True


# ----------------------------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((0, 0), (0, 0)),
        ((1, 2), (1_000_000_000, 2_000_000_000)),
        ((1.5, 2.25), (1_500_000_000, 2_250_000_000)),
        ((1e9 + 0.125, 2_147_483_648), (1_000_000_000_125_000_000, 2_147_483_648_000_000_000)),
    ],
)
def test_utime_sets_both_times(
    vol: gfapi.Volume, path: str, times: Any, expected: tuple[int, int]
) -> None:
    assert vol.utime(path, times) is None
    status = vol.stat(path)
    assert (status.st_atime_ns, status.st_mtime_ns) == expected
    vol.utime(path, times=(7, 7))
    vol.utime(path, ns=expected)
    status = vol.stat(path)
    assert (status.st_atime_ns, status.st_mtime_ns) == expected


@pytest.mark.parametrize("arguments", [(), (None,)])
def test_utime_without_times_sets_them_to_now(vol: gfapi.Volume, path: str, arguments: Any) -> None:
    vol.utime(path, (1, 1))
    before = time.time()
    vol.utime(path, *arguments)
    after = time.time()
    assert before - 1 <= vol.getatime(path) <= after + 1
    assert before - 1 <= vol.getmtime(path) <= after + 1


def test_utime_of_a_link_sets_those_of_its_target_unless_told_otherwise(
    vol: gfapi.Volume, path: str
) -> None:
    vol.symlink("file", f"{path}.link")
    vol.utime(f"{path}.link", (1, 2))
    assert vol.getmtime(path) == 2
    assert vol.lstat(f"{path}.link").st_mtime > 2
    vol.utime(f"{path}.link", (3, 4), follow_symlinks=False)
    assert vol.getmtime(path) == 2
    assert vol.lstat(f"{path}.link").st_mtime == 4


@pytest.mark.parametrize(
    "times", [5, "now", [1, 2], (1,), (1, 2, 3), ("1", "2"), (None, None), (1, "2")], ids=repr
)
def test_utime_of_invalid_times_is_a_type_error(vol: gfapi.Volume, path: str, times: Any) -> None:
    before = vol.stat(path).st_mtime_ns
    with pytest.raises(TypeError):
        vol.utime(path, times)
    assert vol.stat(path).st_mtime_ns == before


def test_utime_refuses_both_ways_of_giving_times_at_once(vol: gfapi.Volume, path: str) -> None:
    with pytest.raises(ValueError, match="not both"):
        vol.utime(path, (1, 2), ns=(1, 2))


@pytest.mark.parametrize("times", [(float("nan"), 1), (float("inf"), 1), (1e300, 1)], ids=repr)
def test_utime_of_times_that_are_no_time_is_an_error(
    vol: gfapi.Volume, path: str, times: Any
) -> None:
    with pytest.raises((ValueError, OverflowError)):
        vol.utime(path, times)


# ---------------------------------------------------------------- links, names, special files


def test_link_makes_a_second_name_of_the_same_file(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    assert vol.link(path, f"{folder}/hard") is None
    assert vol.stat(path).st_nlink == vol.stat(f"{folder}/hard").st_nlink == 2
    with vol.fopen(f"{folder}/hard", "a") as file:
        file.write(b"def")
    with vol.fopen(path) as file:
        assert file.read() == b"abcdef"
    vol.unlink(path)
    assert vol.stat(f"{folder}/hard").st_nlink == 1
    assert vol.getsize(f"{folder}/hard") == 6


def test_a_file_may_have_forty_names(vol: gfapi.Volume, folder: str, path: str) -> None:
    for number in range(39):
        vol.link(source=path, link_name=f"{folder}/{number}")
    assert vol.stat(path).st_nlink == 40
    assert len(vol.listdir(folder)) == 40


def test_link_refuses_what_it_cannot_do(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.mkdir(f"{folder}/dir")
    with pytest.raises(FileExistsError):
        vol.link(path, f"{folder}/dir")
    with pytest.raises(FileNotFoundError):
        vol.link(f"{folder}/missing", f"{folder}/new")
    with pytest.raises((PermissionError, IsADirectoryError)):
        vol.link(f"{folder}/dir", f"{folder}/new")
    assert sorted(vol.listdir(folder)) == ["dir", "file"]


@pytest.mark.parametrize("target", ["file", "../absent", "/absolute", "two words", "é"])
def test_symlink_keeps_its_target_as_it_was_given(
    vol: gfapi.Volume, folder: str, target: str
) -> None:
    assert vol.symlink(source=target, link_name=f"{folder}/link") is None
    assert vol.readlink(f"{folder}/link") == target
    assert vol.readlink(path=os.fsencode(f"{folder}/link")) == os.fsencode(target)


def test_symlink_does_not_replace(vol: gfapi.Volume, path: str) -> None:
    with pytest.raises(FileExistsError) as caught:
        vol.symlink("x", path)
    assert (caught.value.filename, caught.value.filename2) == ("x", path)


def test_readlink_of_what_is_no_link_is_einval(vol: gfapi.Volume, folder: str, path: str) -> None:
    for place in (path, folder):
        with pytest.raises(OSError, match="Invalid argument"):
            vol.readlink(place)


def test_rename_moves_a_file_and_replaces_another(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    inode = vol.stat(path).st_ino
    assert vol.rename(path, f"{folder}/new") is None
    with vol.fopen(f"{folder}/other", "w") as file:
        file.write(b"to be replaced")
    vol.rename(src=f"{folder}/new", dst=f"{folder}/other")
    assert vol.listdir(folder) == ["other"]
    assert vol.stat(f"{folder}/other").st_ino == inode
    assert vol.getsize(f"{folder}/other") == 3


def test_a_file_that_is_renamed_onto_itself_stays_readable(
    vol: gfapi.Volume, folder: str, path: str
) -> None:
    """Libgfapi forgets its name, and as it is open, that it is there."""
    parent, name = os.path.split(path)
    vol.mkdir(f"{folder}/other")
    vol.symlink(folder, f"{folder}/other/link")
    held, again = vol.lookup(parent), vol.lookup(parent)
    vol.chdir(folder)
    for rename in (
        lambda: vol.rename(path, path),
        lambda: vol.replace(path, f"{parent}/./{name}"),
        lambda: vol.rename(path, f"{parent}/../{os.path.basename(parent)}/{name}"),
        lambda: vol.rename(path, name),
        lambda: vol.rename(name, f"other/link/{name}"),
        lambda: held.rename(name, again, name),
    ):
        with vol.fopen(path, "w") as file:
            rename()
            file.write(b"content")
        assert name in vol.listdir(parent)
        assert vol.lstat(path).st_size == 7
        with vol.fopen(path) as file:
            assert file.read() == b"content"
    vol.chdir("/")
    with vol.fopen("/in the root", "w"):
        vol.rename("/in the root", "in the root")
    assert "in the root" in vol.listdir("/")
    with vol.fopen("/in the root") as file:
        assert file.read() == b""
    vol.unlink("/in the root")
    with pytest.raises(FileNotFoundError) as caught:
        held.rename("nothing", again, "nothing")
    assert (caught.value.filename, caught.value.filename2) == ("nothing", "nothing")
    with pytest.raises(FileNotFoundError) as caught:
        vol.rename("/nothing", "nothing")
    assert (caught.value.filename, caught.value.filename2) == ("/nothing", "nothing")


def test_rename_moves_a_directory_with_its_content(vol: gfapi.Volume, folder: str) -> None:
    vol.makedirs(f"{folder}/a/b")
    vol.mknod(f"{folder}/a/b/file", 0o600)
    vol.mkdir(f"{folder}/to")
    vol.rename(f"{folder}/a", f"{folder}/to/c")
    assert vol.listdir(f"{folder}/to/c/b") == ["file"]
    assert not vol.exists(f"{folder}/a")


def test_a_name_in_no_directory_is_refused(
    sandbox_volume: sandbox.SandboxVolume, folder: str, output_of: Callable[..., str]
) -> None:
    """Libgfapi ends the process of who renames a file to such a place."""
    program = """
    vol.mount()
    vol.chdir(folder)
    for name in ("source", "file"):
        vol.fopen(name, "w").close()
    vol.symlink("loop", "loop")
    for place in ("no/new", "no/such/new", "no/new/", "file/new", "loop/new"):
        errnos = set()
        for call in (vol.rename, vol.replace, vol.link, vol.move):
            for path in (place, os.path.join(folder, place)):
                try:
                    call("source", path)
                except OSError as error:
                    assert (error.filename, error.filename2) == ("source", path), error
                    errnos.add(error.errno)
        print(place, *errnos)
    print(*sorted(vol.listdir(folder)))
    """
    told = output_of(sandbox_volume, folder, program).splitlines()
    assert told == [
        *(f"{place} {errno.ENOENT}" for place in ("no/new", "no/such/new", "no/new/")),
        f"file/new {errno.ENOTDIR}",
        f"loop/new {errno.ELOOP}",
        "file loop source",
    ]


def test_what_is_no_name_is_not_renamed(vol: gfapi.Volume, folder: str) -> None:
    vol.mkdir(f"{folder}/d")
    for src, dst in (("/", folder), (folder, "/"), (f"{folder}/d/.", "x"), (folder, "..")):
        with pytest.raises(OSError, match=os.strerror(errno.EBUSY)) as caught:
            vol.rename(src, dst)
        assert (caught.value.errno, caught.value.filename) == (errno.EBUSY, src)


def test_rename_refuses_what_it_cannot_do(vol: gfapi.Volume, folder: str, path: str) -> None:
    vol.makedirs(f"{folder}/dir/below")
    with pytest.raises(OSError, match=r"Is a directory|File exists"):
        vol.rename(path, f"{folder}/dir")
    with pytest.raises(OSError, match=r"Not a directory|Is a directory"):
        vol.rename(f"{folder}/dir", path)
    with pytest.raises(OSError, match="Invalid argument"):
        vol.rename(f"{folder}/dir", f"{folder}/dir/below/x")
    vol.mkdir(f"{folder}/other")
    with pytest.raises(OSError, match=r"not empty|File exists"):
        vol.rename(f"{folder}/other", f"{folder}/dir")
    with pytest.raises(FileNotFoundError):
        vol.rename(f"{folder}/missing", f"{folder}/x")
    assert sorted(vol.listdir(folder)) == ["dir", "file", "other"]


def test_rename_to_a_directory_that_is_not_there_is_an_error(
    sandbox_volume: sandbox.SandboxVolume, folder: str, output_of: Callable[..., str]
) -> None:
    """It ends the process in GlusterFS, so this has one of its own."""
    program = """
    vol.mount()
    other = gfapi.Volume(hosts.split(","), volname)
    other.mount()
    vol.chdir(folder)
    for name in ("file", "plain"):
        vol.fopen(name, "w").close()
    vol.symlink("nowhere", "link")
    vol.symlink("loop", "loop")
    for name in ("gone", "replaced", "new"):
        vol.mkdir(name)
        vol.stat(name)
        other.rmdir(f"{folder}/{name}")
    other.fopen(f"{folder}/replaced", "w").close()
    other.mkdir(f"{folder}/new")
    for name in ("missing", "missing/deep", "plain", "link", "loop", "gone", "replaced", "new"):
        try:
            vol.rename("file", f"{name}/file")
            print(name, "renamed")
        except OSError as error:
            assert (error.filename, error.filename2) == ("file", f"{name}/file")
            print(name, type(error).__name__)
    os._exit(sys.stdout.flush() or 0)
    """
    said = dict(line.split() for line in output_of(sandbox_volume, folder, program).splitlines())
    assert said["missing"] == said["missing/deep"] == said["link"] == "FileNotFoundError"
    assert said["plain"] == "NotADirectoryError"
    assert said["new"] == "renamed"
    assert all(said[name] not in ("renamed", "") for name in ("loop", "gone", "replaced"))


@pytest.mark.parametrize("call", ["unlink", "remove"])
def test_unlink_removes_a_file_and_a_link_but_no_directory(
    vol: gfapi.Volume, folder: str, path: str, call: str
) -> None:
    unlink = getattr(vol, call)
    vol.symlink("file", f"{folder}/link")
    unlink(f"{folder}/link")
    assert vol.listdir(folder) == ["file"]
    assert unlink(path) is None
    assert vol.listdir(folder) == []
    with pytest.raises(FileNotFoundError):
        unlink(path)
    with pytest.raises(IsADirectoryError) as caught:
        unlink(folder)
    assert caught.value.filename == folder


@pytest.mark.parametrize(
    ("kind", "is_kind", "device"),
    [
        (stat.S_IFCHR, stat.S_ISCHR, os.makedev(1, 3)),
        (stat.S_IFBLK, stat.S_ISBLK, os.makedev(7, 300)),
        (stat.S_IFCHR, stat.S_ISCHR, os.makedev(4000, 1_000_000)),
        (stat.S_IFIFO, stat.S_ISFIFO, 0),
        (stat.S_IFSOCK, stat.S_ISSOCK, 0),
    ],
    ids=["character", "block", "large numbers", "pipe", "socket"],
)
def test_mknod_makes_special_files(
    vol: gfapi.Volume, folder: str, kind: int, is_kind: Any, device: int
) -> None:
    assert vol.mknod(path=f"{folder}/node", mode=kind | 0o640, dev=device) is None
    status = vol.stat(f"{folder}/node")
    assert is_kind(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o640
    if device:
        assert status.st_rdev == device
    with pytest.raises(FileExistsError):
        vol.mknod(f"{folder}/node", kind | 0o640, device)
    vol.unlink(f"{folder}/node")


def test_mknod_makes_a_private_file_unless_it_is_told_otherwise(
    vol: gfapi.Volume, folder: str
) -> None:
    vol.mknod(f"{folder}/node")
    assert vol.stat(f"{folder}/node").st_mode == stat.S_IFREG | 0o600


@pytest.mark.parametrize("kind", [0, stat.S_IFREG])
def test_mknod_makes_a_regular_file_that_is_used_like_any_other(
    vol: gfapi.Volume, folder: str, kind: int
) -> None:
    vol.mknod(f"{folder}/node", kind | 0o640)
    assert vol.isfile(f"{folder}/node")
    with vol.fopen(f"{folder}/node") as file:
        assert file.read() == b""
    with vol.fopen(f"{folder}/node", "r+") as file:
        file.write(b"content")
    with vol.fopen(f"{folder}/node") as file:
        assert file.read() == b"content"


def test_a_special_file_is_not_opened(vol: gfapi.Volume, folder: str) -> None:
    vol.mknod(f"{folder}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    vol.mknod(f"{folder}/pipe", stat.S_IFIFO | 0o666)
    for name in ("null", "pipe"):
        with pytest.raises(OSError, match="Invalid argument") as caught:
            vol.fopen(f"{folder}/{name}")
        assert caught.value.errno == errno.EINVAL
