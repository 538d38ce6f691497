"""In whose name calls are made: users, groups and supplementary groups decide, thread by thread."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gluster import gfapi
from gluster.gfapi import api, sandbox
from gluster.gfapi.identity import MAX_GROUPS

USER, GROUP, OTHER = 1000, 1000, 2000


@pytest.fixture
def home(vol: gfapi.Volume, folder: str) -> str:
    """A directory that everybody may enter and write into."""
    vol.chmod(folder, 0o777)
    return folder


def in_thread(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def read(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as f:
        return f.read()


def write(vol: gfapi.Volume, path: str, content: bytes = b"x", mode: int = 0o644) -> str:
    with vol.fopen(path, "w") as f:
        f.write(content)
    vol.chmod(path, mode)
    return path


def owner(vol: gfapi.Volume, path: str) -> tuple[int, int]:
    status = vol.stat(path)
    return status.st_uid, status.st_gid


# ------------------------------------------------------------------------------- what is decided


def test_what_is_made_belongs_to_the_user_and_the_group(vol: gfapi.Volume, home: str) -> None:
    with vol.identity(USER, GROUP):
        vol.mkdir(f"{home}/d")
        write(vol, f"{home}/f")
        vol.symlink("f", f"{home}/l")
    assert owner(vol, f"{home}/d") == owner(vol, f"{home}/f") == (USER, GROUP)
    assert vol.lstat(f"{home}/l").st_uid == USER


def test_the_mode_bits_decide(vol: gfapi.Volume, home: str) -> None:
    secret = write(vol, f"{home}/secret", mode=0o600)
    public = write(vol, f"{home}/public", mode=0o644)
    vol.mkdir(f"{home}/closed", 0o700)
    with vol.identity(USER, GROUP):
        assert read(vol, public) == b"x"
        for refused in (
            lambda: read(vol, secret),
            lambda: vol.fopen(public, "r+"),
            lambda: vol.listdir(f"{home}/closed"),
            lambda: vol.mkdir(f"{home}/closed/d"),
            lambda: vol.chmod(public, 0o777),
            lambda: vol.utime(public, (1, 1)),
            lambda: vol.setxattr(public, "user.x", b"1"),
        ):
            with pytest.raises(PermissionError):
                refused()
        assert not vol.access(secret, os.R_OK)
        assert vol.access(public, os.R_OK)
    assert read(vol, secret) == b"x"


@pytest.mark.parametrize(("mode", "is_cut"), [(0o666, True), (0o644, False), (0o622, False)])
def test_only_who_may_write_a_file_cuts_it_as_he_opens_it_to_read(
    vol: gfapi.Volume, home: str, mode: int, is_cut: bool
) -> None:
    path = write(vol, f"{home}/f", mode=mode)
    calls = (lambda flags: vol.open(path, flags), vol.lookup(path).open)
    for call in calls:
        with vol.identity(USER, GROUP):
            if is_cut:
                gfapi.File(call(os.O_RDONLY | os.O_TRUNC)).close()
            else:
                with pytest.raises(PermissionError):
                    call(os.O_RDONLY | os.O_TRUNC)
        assert read(vol, path) == (b"" if is_cut else b"x")
        write(vol, path, mode=mode)


def test_only_root_gives_a_file_away(vol: gfapi.Volume, home: str) -> None:
    with vol.identity(USER, GROUP):
        path = write(vol, f"{home}/f")
        with pytest.raises(PermissionError):
            vol.chown(path, OTHER, GROUP)
    assert owner(vol, path) == (USER, GROUP)
    vol.chown(path, OTHER, GROUP)
    assert owner(vol, path) == (OTHER, GROUP)


def test_a_supplementary_group_opens_a_file(vol: gfapi.Volume, home: str) -> None:
    path = write(vol, f"{home}/f", mode=0o640)
    vol.chown(path, 0, 5000)
    with vol.identity(USER, GROUP), pytest.raises(PermissionError):
        read(vol, path)
    with vol.identity(USER, GROUP, [4000, 5000]):
        assert read(vol, path) == b"x"
    with vol.identity(USER, 5000):
        assert read(vol, path) == b"x"


def test_groups_of_this_process_count_only_if_asked_for(vol: gfapi.Volume, home: str) -> None:
    assert 0 in os.getgroups() or os.getegid() == 0
    path = write(vol, f"{home}/f", mode=0o040)
    if 0 in os.getgroups():
        with vol.identity(USER, GROUP, None):
            assert read(vol, path) == b"x"
    with vol.identity(USER, GROUP), pytest.raises(PermissionError):
        read(vol, path)


def test_a_setgid_directory_hands_its_group_on(vol: gfapi.Volume, home: str) -> None:
    shared = f"{home}/shared"
    vol.mkdir(shared)
    vol.chown(shared, 0, 5000)
    vol.chmod(shared, 0o2775)
    with vol.identity(USER, GROUP), pytest.raises(PermissionError):
        write(vol, f"{shared}/f")
    with vol.identity(USER, GROUP, [5000]):
        write(vol, f"{shared}/f")
        vol.mkdir(f"{shared}/d", 0o755)
    assert owner(vol, f"{shared}/f") == (USER, 5000)
    assert owner(vol, f"{shared}/d") == (USER, 5000)
    assert vol.stat(f"{shared}/d").st_mode & stat.S_ISGID


def test_in_a_sticky_directory_only_the_owner_removes(vol: gfapi.Volume, home: str) -> None:
    vol.chmod(home, 0o1777)
    with vol.identity(USER, GROUP):
        path = write(vol, f"{home}/f")
    with vol.identity(OTHER, OTHER), pytest.raises(PermissionError):
        vol.unlink(path)
    with vol.identity(USER, GROUP):
        vol.unlink(path)


@pytest.mark.parametrize("closed", [0o755, 0o1777])
@pytest.mark.parametrize("way", ["rename", "rename of a handle"])
def test_nobody_renames_what_he_may_not_remove_or_replace(
    vol: gfapi.Volume, home: str, closed: int, way: str
) -> None:
    """Of many names, as a distributed volume has bricks ask only where both belong to one."""
    secret, names = f"{home}/closed", [f"{number}" for number in range(12)]
    vol.mkdir(secret)
    for name in names:
        write(vol, f"{secret}/{name}")
    vol.chmod(secret, closed)

    def rename(old: str, name: str, new: str) -> None:
        if way == "rename":
            vol.rename(f"{old}/{name}", f"{new}/new-{name}")
            return
        with vol.lookup(old) as folder, vol.lookup(new) as target:
            folder.rename(name, target, f"new-{name}")

    with vol.identity(OTHER, OTHER):
        for name in names:
            with pytest.raises(PermissionError):
                rename(secret, name, home)
            write(vol, f"{home}/{name}")
            if closed == 0o755:
                with pytest.raises(PermissionError):
                    rename(home, name, secret)
            else:
                rename(home, name, secret)
        with pytest.raises(FileNotFoundError):
            rename(secret, "missing", home)
    assert set(names) <= set(vol.listdir(secret))


@pytest.mark.parametrize("way", ["rename", "rename of a handle"])
def test_nobody_moves_a_directory_that_he_may_not_write_to(
    vol: gfapi.Volume, home: str, way: str
) -> None:
    vol.mkdir(f"{home}/sub", 0o777)
    vol.chmod(home, 0o777)
    for name, owner in (("own", USER), ("other", OTHER)):
        vol.mkdir(f"{home}/{name}", 0o755)
        vol.chown(f"{home}/{name}", owner, owner)
    vol.chmod(f"{home}/own", 0o555)

    def move(name: str, below: str) -> None:
        if way == "rename":
            vol.rename(f"{home}/{name}", f"{home}{below}/moved-{name}")
            return
        with vol.lookup(home) as folder, vol.lookup(f"{home}{below}") as target:
            folder.rename(name, target, f"moved-{name}")

    with vol.identity(USER, GROUP):
        for name in ("own", "other"):
            with pytest.raises(PermissionError):
                move(name, "/sub")
            move(name, "")  # what is above it stays
    assert vol.listdir(f"{home}/sub") == []


def test_content_that_root_has_just_read_stays_secret(vol: gfapi.Volume, home: str) -> None:
    for size in (10, 1 << 20):
        path = write(vol, f"{home}/{size}", b"x" * size, 0o600)
        assert len(read(vol, path)) == size
        with vol.identity(USER, GROUP), pytest.raises(PermissionError):
            read(vol, path)
        with vol.identity(USER, GROUP), pytest.raises(PermissionError):
            gfapi.File(vol.open(path, os.O_RDONLY)).read()
        assert len(read(vol, path)) == size


def test_a_closed_directory_keeps_out_who_comes_first(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, home: str
) -> None:
    vol.mkdir(f"{home}/closed", 0o700)
    path = write(vol, f"{home}/closed/f")
    with sandbox_volume.client() as fresh, fresh.identity(USER, GROUP):
        for refused in (fresh.stat, fresh.listdir, lambda name: read(fresh, name)):
            with pytest.raises(PermissionError):
                refused(path)


def test_without_the_cache_of_status_a_closed_directory_keeps_everybody_out(
    cluster: sandbox.Cluster,
) -> None:
    volume = cluster.create_volume("strict", options={"performance.stat-prefetch": "off"})
    try:
        with volume.client() as vol:
            vol.mkdir("/closed", 0o700)
            path = write(vol, "/closed/f")
            assert read(vol, path) == b"x"
            with vol.identity(USER, GROUP):
                for refused in (vol.stat, lambda name: read(vol, name)):
                    with pytest.raises(PermissionError):
                        refused(path)
                assert not vol.access(path, os.R_OK)
    finally:
        volume.delete()


# -------------------------------------------------------------------------------- and afterwards


def test_afterwards_the_thread_is_itself_again(vol: gfapi.Volume, home: str) -> None:
    secret = write(vol, f"{home}/secret", mode=0o600)
    with vol.identity(USER, GROUP, [5000]):
        pass
    assert read(vol, secret) == b"x"
    assert owner(vol, write(vol, f"{home}/f")) == (os.geteuid(), os.getegid())


def test_the_same_after_an_exception(vol: gfapi.Volume, home: str) -> None:
    secret = write(vol, f"{home}/secret", mode=0o600)
    with pytest.raises(PermissionError), vol.identity(USER, GROUP):
        read(vol, secret)
    assert read(vol, secret) == b"x"


def test_identities_nest(vol: gfapi.Volume, home: str) -> None:
    def who(name: str) -> tuple[int, int]:
        return owner(vol, write(vol, f"{home}/{name}"))

    with vol.identity(USER, GROUP):
        with vol.identity(OTHER, OTHER):
            assert who("inner") == (OTHER, OTHER)
            with vol.identity(None, GROUP):
                assert who("innermost") == (OTHER, GROUP)
            assert who("inner again") == (OTHER, OTHER)
        assert who("outer") == (USER, GROUP)
    assert who("nobody") == (os.geteuid(), os.getegid())


def test_what_is_set_for_good_is_what_is_gone_back_to(vol: gfapi.Volume, home: str) -> None:
    def work() -> list[tuple[int, int]]:
        vol.setfsuid(OTHER)
        vol.setfsgid(OTHER)
        with vol.identity(USER, GROUP):
            vol.setfsuid(3000)
            inside = owner(vol, write(vol, f"{home}/inside"))
        return [inside, owner(vol, write(vol, f"{home}/outside"))]

    assert in_thread(work) == [(3000, GROUP), (OTHER, OTHER)]


def test_supplementary_groups_can_be_set_for_good(vol: gfapi.Volume, home: str) -> None:
    path = write(vol, f"{home}/f", mode=0o040)
    vol.chown(path, 0, 5000)

    def work() -> None:
        vol.setfsuid(USER)
        vol.setfsgid(GROUP)
        vol.setfsgroups([5000])
        assert read(vol, path) == b"x"
        with vol.identity(None, None, ()), pytest.raises(PermissionError):
            read(vol, path)
        assert read(vol, path) == b"x"
        vol.setfsgroups([])
        with pytest.raises(PermissionError):
            read(vol, path)

    in_thread(work)
    assert read(vol, path) == b"x"


def test_threads_do_not_leak_identity_into_each_other(vol: gfapi.Volume, home: str) -> None:
    barrier = threading.Barrier(8)

    def work(uid: int) -> tuple[int, int]:
        with vol.identity(uid, uid):
            barrier.wait()
            return owner(vol, write(vol, f"{home}/{uid}"))

    with ThreadPoolExecutor(8) as pool:
        uids = range(3000, 3008)
        assert list(pool.map(work, uids)) == [(uid, uid) for uid in uids]
        own = (os.geteuid(), os.getegid())
        after = [pool.submit(lambda i=i: owner(vol, write(vol, f"{home}/own{i}"))) for i in uids]
        assert {future.result() for future in after} == {own}


def test_a_child_of_a_fork_goes_on_in_the_same_name_and_comes_back(
    sandbox_volume: sandbox.SandboxVolume,
    home: str,
    output_of: Callable[..., str],
) -> None:
    program = """
    vol.mount()
    with vol.identity(1000, 1001):
        pid = os.fork()
        vol.fopen(f"{folder}/{'parent' if pid else 'child'}", "w").close()
    vol.fopen(f"{folder}/{'parent' if pid else 'child'}-after", "w").close()
    if not pid:
        vol.umount()
        os._exit(0)
    os.waitpid(pid, 0)
    for name in ("parent", "child", "parent-after", "child-after"):
        print(vol.stat(f"{folder}/{name}").st_uid, vol.stat(f"{folder}/{name}").st_gid)
    """
    printed = output_of(sandbox_volume, home, program)
    assert printed.splitlines() == ["1000 1001"] * 2 + ["0 0"] * 2


def test_in_a_generator_it_reaches_who_iterates(vol: gfapi.Volume, home: str) -> None:
    def steps() -> Iterator[None]:
        with vol.identity(USER, GROUP):
            yield

    generator = steps()
    next(generator)
    try:
        assert owner(vol, write(vol, f"{home}/f")) == (USER, GROUP)
    finally:
        generator.close()
    assert owner(vol, write(vol, f"{home}/g")) == (os.geteuid(), os.getegid())


# -------------------------------------------------------------------------------------- mistakes


def test_as_many_groups_as_reach_a_brick_and_no_more(vol: gfapi.Volume, home: str) -> None:
    path = write(vol, f"{home}/f", mode=0o040)
    vol.chown(path, 0, 5000)
    crowd = [*range(6000, 6000 + MAX_GROUPS - 1), 5000]
    with vol.identity(USER, GROUP, crowd):
        assert read(vol, path) == b"x"
    for call in (lambda: vol.identity(USER, GROUP, [1, *crowd]), lambda: vol.setfsgroups([1] * 88)):
        with pytest.raises(ValueError, match="too many numbers; no more than 87"):
            call()
    # What the error is for: GlusterFS itself forgets the last one.
    with vol.identity(USER, GROUP):
        api.glfs_setfsgroups(len(crowd) + 1, api.uint32_array([1, *crowd]))
        with pytest.raises(PermissionError):
            read(vol, path)
        vol.setfsgroups([])


@pytest.mark.parametrize(
    ("uid", "gid", "groups", "error"),
    [
        ("root", 0, (), TypeError),
        (0, 1.5, (), TypeError),
        (-1, 0, (), OverflowError),
        (0, 1 << 32, (), OverflowError),
        (0, 0, 5, TypeError),
        (0, 0, "12", TypeError),
        (0, 0, ["x"], TypeError),
        (0, 0, [-1], OverflowError),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    vol: gfapi.Volume, home: str, uid: Any, gid: Any, groups: Any, error: type[Exception]
) -> None:
    with pytest.raises(error), vol.identity(uid, gid, groups):
        pytest.fail("it was let in")
    assert owner(vol, write(vol, f"{home}/f")) == (os.geteuid(), os.getegid())


def test_groups_that_cannot_be_listed_are_refused_with_their_own_error(vol: gfapi.Volume) -> None:
    released: Any = memoryview(b"12")
    released.release()
    with pytest.raises(ValueError, match="released"), vol.identity(0, 0, released):
        pytest.fail("it was let in")


def test_a_lease_id_is_sixteen_bytes_or_none(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    def work() -> None:
        plain_vol.setfsleaseid(b"0123456789abcdef")
        assert plain_vol.exists(plain_folder)
        plain_vol.setfsleaseid(bytearray(16))
        plain_vol.setfsleaseid(None)
        assert plain_vol.exists(plain_folder)
        for wrong, error in (("x" * 16, TypeError), (b"short", ValueError), (5, TypeError)):
            with pytest.raises(error):
                plain_vol.setfsleaseid(wrong)

    in_thread(work)
