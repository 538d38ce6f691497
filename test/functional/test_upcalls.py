"""Upcalls: what other clients change, told to a watch."""

from __future__ import annotations

import errno
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, wait
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import callbacks, sandbox
from gluster.gfapi.gate import Gate

Output = Callable[..., str]
WaitUntil = Callable[[Callable[[], object]], None]

SOON = 20  # seconds, within which an upcall has come on the slowest of machines
FLAGS = gfapi.UpcallFlags
# A Python that runs out of patience says where; a warning of a fork among threads is no matter.
OPTIONS = ("-X", "faulthandler", "-W", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def watched(cluster: sandbox.Cluster) -> Iterator[sandbox.SandboxVolume]:
    """A volume that tells its clients what others change, and whose clients listen."""
    options = {
        "features.cache-invalidation": "on",
        "performance.cache-invalidation": "on",
        "performance.quick-read-cache-invalidation": "on",
    }
    volume = cluster.create_volume("watched", options=options)
    yield volume
    volume.stop()
    volume.delete()


@pytest.fixture
def vol(watched: sandbox.SandboxVolume) -> Iterator[gfapi.Volume]:
    """The client that watches."""
    with watched.client() as vol:
        yield vol


@pytest.fixture(scope="module")
def other(watched: sandbox.SandboxVolume) -> Iterator[gfapi.Volume]:
    """Another client, which changes things."""
    with watched.client() as vol:
        yield vol


@pytest.fixture
def file(other: gfapi.Volume, request: pytest.FixtureRequest) -> str:
    """The path of a file in a folder of its own."""
    folder = f"/{abs(hash(request.node.nodeid))}"
    other.mkdir(folder)
    with other.fopen(f"{folder}/file", "w") as file:
        file.write(b"content")
    return f"{folder}/file"


def use(vol: gfapi.Volume, path: str) -> gfapi.Handle:
    """Have a client ask the bricks about a file, which makes them tell it of changes as long as
    it has the handle.
    """
    handle = vol.lookup(path)
    handle.listxattr()  # no cache answers this
    held.append(handle)
    return handle


held: list[gfapi.Handle] = []


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    yield
    held.clear()


def write(vol: gfapi.Volume, path: str, data: bytes = b"x") -> None:
    with vol.fopen(path, "r+") as file:
        file.write(data)
        file.fsync()


def next_of(watch: gfapi.Watch) -> gfapi.Upcall:
    """The next upcall that is not about the root, in which the fixtures make folders."""
    while upcall := watch.get(SOON):
        assert upcall.handle is not None
        if upcall.handle.gfid.int != 1:
            return upcall
    raise AssertionError("nothing was told")


# ------------------------------------------------------------------------ what is told


@pytest.fixture(scope="module")
def storm(
    watched: sandbox.SandboxVolume, other: gfapi.Volume, begin: Callable[..., Future[str]]
) -> Iterator[Future[str]]:
    """A program that unmounts in a storm of upcalls, and waits for the tear-downs."""
    other.fopen("/storm", "x").close()
    program = """
        second = gfapi.Volume(vol.hosts, vol.volname)
        second.mount()

        def change():
            with second.fopen("/storm", "r+") as file:
                while not done:
                    file.write(b"x")
                    file.fsync()

        done = []
        changer = threading.Thread(target=change)
        changer.start()
        for _ in range(5):
            with vol:
                handle = vol.lookup("/storm")
                handle.listxattr()
                watch, told = vol.watch(), []
                vol.watch(told.append)
                while len(told) < 5:
                    time.sleep(0.01)
            assert handle.closed and watch.closed
            assert not vol._mount.objects, vol._mount.objects
        done.append(True)
        changer.join()
        second.umount()
        time.sleep(14)  # while glfs_fini looks at what is left
        print("done")
        """
    storm = begin(watched, "", program, options=OPTIONS)
    yield storm
    wait([storm])


@pytest.mark.usefixtures("storm")
def test_a_write_of_another_client_is_told_with_a_matching_handle(
    vol: gfapi.Volume, other: gfapi.Volume, file: str
) -> None:
    handle = use(vol, file)
    with vol.watch() as watch:
        write(other, file, b"longer than before")
        upcall = next_of(watch)
    assert upcall.reason == gfapi.UpcallReason.INODE_INVALIDATE
    assert upcall.flags & FLAGS.SIZE
    assert upcall.flags & FLAGS.TIMES
    assert upcall.handle == handle
    assert upcall.volume is vol
    assert upcall.stat is not None
    assert upcall.stat.st_ino == handle.stat().st_ino
    assert upcall.expire == 60
    assert (upcall.parent, upcall.old_parent, upcall.parent_stat) == (None, None, None)
    assert upcall.lease_type is None
    assert "SIZE" in repr(upcall)
    assert str(handle.gfid) in repr(upcall)


def test_a_watch_tells_what_is_done_in_another_process(
    vol: gfapi.Volume, watched: sandbox.SandboxVolume, file: str, output_of: Output
) -> None:
    handle = use(vol, file)
    with vol.watch() as watch:
        output_of(watched, file, "with vol:\n    vol.chmod(folder, 0o600)")
        upcall = next_of(watch)
    assert upcall.handle == handle
    assert upcall.flags & FLAGS.MODE
    assert upcall.stat is not None
    assert upcall.stat.st_mode & 0o777 == 0o600


def test_a_rename_tells_both_directories(vol: gfapi.Volume, other: gfapi.Volume, file: str) -> None:
    other.mkdir(f"{os.path.dirname(file)}/new")
    handle = use(vol, file)
    old, new = (vol.lookup(os.path.dirname(file) + end) for end in ("", "/new"))
    for directory in (old, new):
        directory.opendir().close()
        directory.getattrs()
    with vol.watch() as watch:
        other.rename(file, f"{os.path.dirname(file)}/new/name")
        upcall = next_of(watch)
        while not upcall.flags & FLAGS.RENAME:  # the directories may be told first
            upcall = next_of(watch)
    assert upcall.handle == handle
    assert (upcall.parent, upcall.old_parent) == (new, old)
    assert upcall.parent_stat is not None
    assert upcall.old_parent_stat is not None
    assert upcall.parent_stat.st_ino == new.stat().st_ino


def test_links_and_removals_are_told(vol: gfapi.Volume, other: gfapi.Volume, file: str) -> None:
    handle = use(vol, file)
    with vol.watch() as watch:
        other.link(file, f"{file}2")
        upcall = next_of(watch)
        assert upcall.flags & FLAGS.NLINK
        assert upcall.handle == handle
        use(vol, file)
        while watch.get(1):
            pass
        other.unlink(file)
        assert next_of(watch).flags & FLAGS.NLINK


def test_what_this_client_does_is_not_told(
    vol: gfapi.Volume, other: gfapi.Volume, file: str
) -> None:
    handle = use(vol, file)
    with vol.watch() as watch:
        write(vol, file, b"mine")
        vol.chmod(file, 0o600)
        vol.rename(file, f"{file}2")
        handle.truncate(1)
        other.chmod(f"{file}2", 0o640)  # comes after all of these, had they been told
        upcall = next_of(watch)
        assert upcall.flags & FLAGS.MODE
        assert upcall.stat is not None
        assert upcall.stat.st_mode & 0o777 == 0o640


def test_two_clients_that_watch_tell_each_others_changes(
    vol: gfapi.Volume, other: gfapi.Volume, file: str
) -> None:
    use(vol, file)
    use(other, file)
    with vol.watch() as mine, other.watch() as its:
        vol.chmod(file, 0o600)
        assert next_of(its).handle == other.lookup(file)
        use(vol, file)
        use(other, file)
        other.chmod(file, 0o640)
        upcall = next_of(mine)
        assert upcall.stat is not None
        assert upcall.stat.st_mode & 0o777 == 0o640


def test_a_lock_is_taken_while_there_is_a_watch(
    vol: gfapi.Volume, other: gfapi.Volume, file: str
) -> None:
    use(vol, file)
    lock = gfapi.api.Flock(l_type=1, l_whence=0, l_start=0, l_len=0)
    with vol.watch(), vol.fopen(file, "r+") as locked:
        gfapi.api.glfs_posix_lock(locked._descriptor, 6, lock)
        write(other, file, b"advisory")
        locked.write(b"x")


# ------------------------------------------------------------------- iterating, getting


def test_a_loop_over_a_watch_ends_when_it_is_closed(
    vol: gfapi.Volume, other: gfapi.Volume, file: str
) -> None:
    use(vol, file)
    watch, told = vol.watch(), []

    def loop() -> None:
        for upcall in watch:
            told.append(upcall)
            watch.close()

    thread = threading.Thread(target=loop)
    thread.start()
    write(other, file)
    thread.join(SOON)
    assert not thread.is_alive()
    assert len(told) == 1
    assert watch.closed
    assert list(watch) == []


def test_closing_wakes_all_who_wait(vol: gfapi.Volume) -> None:
    watch = vol.watch()
    threads = [threading.Thread(target=lambda: list(watch)) for _ in range(4)]
    for thread in threads:
        thread.start()
    watch.close()
    for thread in threads:
        thread.join(SOON)
        assert not thread.is_alive()


def test_get_waits_no_longer_than_it_is_told(vol: gfapi.Volume) -> None:
    with vol.watch() as watch:
        assert watch.get(0) is None
        start = time.monotonic()
        assert watch.get(0.2) is None
        assert 0.15 < time.monotonic() - start < SOON
        with pytest.raises(ValueError, match="non-negative"):
            watch.get(-1)
        with pytest.raises(TypeError):
            watch.get("1")  # type: ignore[arg-type]
    assert watch.get() is None
    assert watch.get(5) is None


def test_a_watch_is_closed_as_often_as_one_likes(vol: gfapi.Volume) -> None:
    watch = vol.watch()
    assert not watch.closed
    assert "closed" not in repr(watch)
    watch.close()
    watch.close()
    assert "closed" in repr(watch)


def test_each_of_several_watches_tells_everything(
    vol: gfapi.Volume, other: gfapi.Volume, file: str
) -> None:
    use(vol, file)
    leases = gfapi.UpcallEvents.RECALL_LEASE
    with vol.watch(events=leases) as third:
        with vol.watch() as second:
            with vol.watch(events=gfapi.UpcallEvents.INODE_INVALIDATE) as first:
                write(other, file)
                assert next_of(first).handle == next_of(second).handle
            use(vol, file)
            write(other, file)
            assert next_of(second)
        assert third.get(0) is None


def test_nothing_comes_after_all_watches_are_closed(
    vol: gfapi.Volume, other: gfapi.Volume, file: str
) -> None:
    told: list[gfapi.Upcall] = []
    vol.watch(told.append).close()
    use(vol, file)
    write(other, file)
    use(vol, file)
    with vol.watch() as watch:  # a new one goes on as the first
        other.chmod(file, 0o600)
        assert next_of(watch)
    assert told == []


# ----------------------------------------------------------------------------- callbacks


def test_a_callback_is_told_and_may_use_the_volume(
    vol: gfapi.Volume, other: gfapi.Volume, file: str, wait_until: WaitUntil
) -> None:
    use(vol, file)
    told: list[Any] = []

    def callback(upcall: gfapi.Upcall) -> None:
        assert upcall.handle is not None
        content = upcall.handle.pread(100, 0)
        told.append((content, vol.listdir(os.path.dirname(file)), threading.current_thread()))

    vol.watch(callback)  # it goes on without being kept
    gc.collect()
    write(other, file, b"CON")
    wait_until(lambda: told)
    content, names, thread = told[0]
    assert content == b"CONtent"
    assert names == ["file"]
    assert thread.daemon


def test_a_callback_may_close_its_own_watch_and_unmount(
    watched: sandbox.SandboxVolume, other: gfapi.Volume, file: str, wait_until: WaitUntil
) -> None:
    vol, told = watched.client(), []
    vol.mount()
    use(vol, file)

    def callback(upcall: gfapi.Upcall) -> None:
        watch.close()
        vol.umount()
        told.append(upcall)

    watch = vol.watch(callback)
    write(other, file)
    wait_until(lambda: told)
    assert watch.closed
    assert not vol.mounted


def test_an_exception_in_a_callback_is_reported_and_ends_nothing(
    vol: gfapi.Volume,
    other: gfapi.Volume,
    file: str,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: reported.append(what.exc_value))
    calls: list[gfapi.Upcall] = []

    def callback(upcall: gfapi.Upcall) -> None:
        calls.append(upcall)
        raise LookupError("my own mistake")

    use(vol, file)
    with vol.watch(callback):
        write(other, file)
        wait_until(lambda: reported)
        use(vol, file)
        other.chmod(file, 0o600)
        wait_until(lambda: len(reported) > 1)
    assert [str(error) for error in reported[:2]] == ["my own mistake"] * 2


def test_a_callback_that_waits_holds_up_no_other_watch(
    vol: gfapi.Volume, other: gfapi.Volume, file: str
) -> None:
    use(vol, file)
    entered, release = threading.Event(), threading.Event()

    def callback(upcall: gfapi.Upcall) -> None:
        entered.set()
        release.wait(SOON)

    try:
        with vol.watch(callback), vol.watch() as watch:
            write(other, file)
            assert entered.wait(SOON)
            next_of(watch)
            use(vol, file)
            other.chmod(file, 0o600)
            assert next_of(watch)
    finally:
        release.set()


def test_what_is_no_callback_or_event_is_refused(vol: gfapi.Volume) -> None:
    with pytest.raises(TypeError, match="callable"):
        vol.watch("print")  # type: ignore[arg-type]
    for events in (0, 8, -1):
        with pytest.raises(OSError, match="Invalid argument") as caught:
            vol.watch(events=events)
        assert caught.value.errno == errno.EINVAL
    with pytest.raises(TypeError):
        vol.watch(events="all")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------ polling


def test_upcalls_can_be_polled(
    vol: gfapi.Volume, other: gfapi.Volume, file: str, wait_until: WaitUntil
) -> None:
    assert vol.poll_upcall() is None  # from now on they are kept
    handle = use(vol, file)
    write(other, file)
    found: list[gfapi.Upcall] = []

    def poll() -> bool:
        upcall = vol.poll_upcall()
        if upcall and upcall.handle == handle:
            found.append(upcall)
        return bool(found)

    wait_until(poll)
    assert found[0].flags & FLAGS.SIZE
    assert found[0].volume is vol


def test_an_unmount_lets_go_what_was_kept_for_a_poll(
    vol: gfapi.Volume, other: gfapi.Volume, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libgfapi's tear-down would free it after what it belongs to."""
    dropped: list[Gate] = []
    drop = callbacks.drop_kept

    def drop_and_tell(glfs: Gate) -> None:
        drop(glfs)
        dropped.append(glfs)

    monkeypatch.setattr(callbacks, "drop_kept", drop_and_tell)
    assert vol.poll_upcall() is None
    handle = use(vol, file)
    write(other, file)
    time.sleep(0.5)  # there is nothing to see of what is kept
    drop(vol._mount)
    assert vol.poll_upcall() is None
    del handle
    glfs = vol._mount.pointer
    vol.umount()
    assert [gate.pointer for gate in dropped] == [glfs]


def test_upcalls_can_be_polled_after_a_watch(
    vol: gfapi.Volume, other: gfapi.Volume, file: str, wait_until: WaitUntil
) -> None:
    use(vol, file)
    with vol.watch() as watch:
        assert vol.poll_upcall() is None
        write(other, file)
        next_of(watch)
        assert vol.poll_upcall() is None
    vol.poll_upcall()
    use(vol, file)
    write(other, file)
    wait_until(vol.poll_upcall)


# ----------------------------------------------------------------------------- lifetimes


def test_an_unmounted_volume_cannot_be_watched(watched: sandbox.SandboxVolume) -> None:
    vol = watched.client()
    with pytest.raises(gfapi.VolumeNotMounted):
        vol.watch()
    with pytest.raises(gfapi.VolumeNotMounted):
        vol.poll_upcall()


def test_an_unmount_ends_watches_and_a_new_mount_has_new_ones(
    watched: sandbox.SandboxVolume, other: gfapi.Volume, file: str
) -> None:
    vol = watched.client()
    vol.mount()
    watch = vol.watch()
    thread = threading.Thread(target=lambda: list(watch))
    thread.start()
    vol.umount()
    thread.join(SOON)
    assert not thread.is_alive()
    assert watch.closed
    watch.close()
    with vol:
        use(vol, file)
        with vol.watch() as again:
            write(other, file)
            assert next_of(again)


def test_handles_of_upcalls_live_until_they_are_collected_or_unmounted(
    watched: sandbox.SandboxVolume, other: gfapi.Volume, file: str
) -> None:
    with watched.client() as vol:
        handle = use(vol, file)
        with vol.watch() as watch:
            assert handle
            write(other, file, b"CON")
            upcall = next_of(watch)
        gc.collect()
        assert upcall.handle is not None
        assert upcall.handle.pread(100, 0) == b"CONtent"
        count = len(vol._mount.objects)
        kept = upcall.handle
        del upcall, handle
        held.clear()
        gc.collect()
        assert len(vol._mount.objects) == count - 1
    assert kept.closed


def test_a_watch_that_is_dropped_is_closed(
    vol: gfapi.Volume, other: gfapi.Volume, file: str, wait_until: WaitUntil
) -> None:
    use(vol, file)
    watch = vol.watch()
    upcalls = vol._mount.upcalls
    assert upcalls is not None
    assert len(upcalls.listeners) == 1
    write(other, file)
    del watch
    wait_until(lambda: not upcalls.listeners)


def test_a_watch_is_forgotten_with_its_mount_and_c_callback_when_the_volume_is_gone(
    watched: sandbox.SandboxVolume, wait_until: WaitUntil
) -> None:
    def known() -> int:
        gc.collect()
        kinds = callbacks.Upcalls, callbacks.Listener
        return len(callbacks._callbacks) + sum(isinstance(o, kinds) for o in gc.get_objects())

    before = known()
    vol = watched.client()
    vol.mount()
    watch = vol.watch()
    vol.umount(wait=True)
    del watch, vol
    wait_until(lambda: known() <= before)


def test_a_volume_that_is_dropped_with_its_watches_is_unmounted(
    watched: sandbox.SandboxVolume, wait_until: WaitUntil
) -> None:
    vol = watched.client()
    vol.mount()
    mount, watch = weakref.ref(vol._mount), vol.watch()
    vol.watch(print)
    watch.close()
    del vol, watch
    gc.collect()
    wait_until(lambda: mount() is None)
    names = {thread.name for thread in threading.enumerate()}
    wait_until(lambda: not {"gfapi-watch"} & {t.name for t in threading.enumerate()})
    assert names


@pytest.mark.parametrize("end", ["", "vol.umount()", "watch.close()", "del watch, vol"])
def test_a_process_may_end_in_a_storm_of_upcalls(
    watched: sandbox.SandboxVolume, file: str, output_of: Output, end: str
) -> None:
    program = f"""
        import contextlib
        second = gfapi.Volume(vol.hosts, vol.volname)
        vol.mount()
        second.mount()
        handle = vol.lookup(folder)

        def change():
            with second.fopen(folder, "r+") as file:
                while True:
                    file.write(b"x")
                    file.fsync()

        def follow(handle=handle):
            with contextlib.suppress(OSError, gfapi.VolumeNotMounted):
                while True:
                    handle.stat()
                    handle.pread(1, 0)

        told = []
        watch, other = vol.watch(), vol.watch(lambda upcall: told.append(upcall.handle.stat()))
        for action in (change, follow, follow):
            threading.Thread(target=action, daemon=True).start()
        while len(told) < 20:
            time.sleep(0.01)
        del handle
        {end}
        """
    output_of(watched, file, program, options=OPTIONS)


def test_unmounting_in_a_storm_of_upcalls_leaves_nothing(storm: Future[str]) -> None:
    assert storm.result() == "done\n"


def test_a_forked_child_is_told_nothing_until_it_watches_itself(
    watched: sandbox.SandboxVolume, file: str, output_of: Output
) -> None:
    program = """
        second = gfapi.Volume(vol.hosts, vol.volname)
        vol.mount()
        watch, told = vol.watch(), []
        vol.watch(told.append)
        pid = os.fork()
        if pid == 0:
            assert watch.closed and list(watch) == [] and watch.get(5) is None
            watch.close()
            handle = vol.lookup(folder)
            handle.listxattr()
            with vol.watch() as mine, second:
                second.chmod(folder, 0o600)
                print(mine.get(20).handle == handle, flush=True)
            sys.exit()
        _, status = os.waitpid(pid, 0)
        print(status, watch.closed)
        """
    assert output_of(watched, file, program, options=OPTIONS) == "True\n0 False\n"
