"""Locks: ranges and whole files, between Files, mounts, threads and processes."""

from __future__ import annotations

import contextlib
import doctest
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

NB = fcntl.LOCK_NB
SH, EX, UN = fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN


@pytest.fixture
def path(vol: gfapi.Volume, folder: str) -> str:
    """A file of 100 bytes."""
    return _made(vol, folder)


@pytest.fixture
def plain_path(plain_vol: gfapi.Volume, plain_folder: str) -> str:
    """The same on the plain volume."""
    return _made(plain_vol, plain_folder)


def _made(vol: gfapi.Volume, folder: str) -> str:
    with vol.fopen(f"{folder}/file", "w") as file:
        file.write(b"x" * 100)
    return f"{folder}/file"


@pytest.fixture
def pair(vol: gfapi.Volume, path: str) -> Iterator[tuple[gfapi.File, gfapi.File]]:
    """The file, opened twice."""
    with vol.fopen(path, "r+") as one, vol.fopen(path, "r+") as two:
        yield one, two


def is_free(file: gfapi.File, *span: int, cmd: int = EX) -> bool:
    return file.lock_holder(cmd, *span) is None


# ------------------------------------------------------------------ what excludes what


def test_two_files_of_one_process_exclude_each_other(
    pair: tuple[gfapi.File, gfapi.File], path: str
) -> None:
    one, two = pair
    one.lockf(EX)
    with pytest.raises(BlockingIOError) as caught:
        two.lockf(EX | NB)
    assert caught.value.filename == path
    with pytest.raises(BlockingIOError):
        two.lockf(SH | NB)
    one.lockf(UN)
    two.lockf(EX | NB)


def test_readers_share_and_a_writer_does_not(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.lockf(SH)
    two.lockf(SH | NB)
    with pytest.raises(BlockingIOError):
        two.lockf(EX | NB)
    one.lockf(UN)
    two.lockf(EX | NB)


def test_ranges_that_do_not_overlap_do_not_exclude_each_other(
    pair: tuple[gfapi.File, gfapi.File],
) -> None:
    one, two = pair
    one.lockf(EX, 10, 20)
    two.lockf(EX | NB, 20)
    two.lockf(EX | NB, 0, 30)
    for span in ((21, 0), (1, 29), (0, 29), (5, 22)):
        with pytest.raises(BlockingIOError):
            two.lockf(EX | NB, *span)


def test_length_0_covers_what_the_file_will_grow_to(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.lockf(EX, 0, 50)
    assert two.lock_holder(EX, 1, 1 << 40) == (EX, 50, 0, os.getpid())
    assert is_free(two, 50)


def test_a_range_is_relative_to_position_or_end(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.seek(30)
    one.lockf(EX, 5, -10, os.SEEK_CUR)
    assert two.lock_holder() == (EX, 20, 5, os.getpid())
    one.lockf(UN)
    one.lockf(EX, 5, -10, os.SEEK_END)
    assert two.lock_holder() == (EX, 90, 5, os.getpid())
    assert one.tell() == 30


def test_a_negative_length_is_what_comes_before(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.lockf(EX, -5, 20)
    assert two.lock_holder() == (EX, 15, 5, os.getpid())


def test_unlocking_the_middle_splits_a_lock(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.lockf(EX, 30)
    one.lockf(UN, 10, 10)
    two.lockf(EX | NB, 10, 10)
    assert not is_free(two, 10)
    assert not is_free(two, 10, 20)
    assert is_free(two, 10, 30)


def test_a_lock_is_upgraded_and_downgraded(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.lockf(SH)
    one.lockf(EX | NB)
    assert not is_free(two, cmd=SH)
    one.lockf(SH | NB)
    assert is_free(two, cmd=SH)
    assert not is_free(two, cmd=EX)
    two.lockf(SH)
    with pytest.raises(BlockingIOError):
        one.lockf(EX | NB)
    assert not is_free(two, cmd=EX)  # what it had it still has


def test_what_is_locked_twice_is_unlocked_once(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.lockf(EX)
    one.lockf(EX)
    one.lockf(UN)
    assert is_free(two)
    one.lockf(UN)


def test_flock_locks_the_whole_file(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.flock(EX)
    assert two.lock_holder() == (EX, 0, 0, os.getpid())
    with pytest.raises(BlockingIOError):
        two.flock(SH | NB)
    one.flock(UN)
    two.flock(SH | NB)
    one.flock(SH | NB)


def test_lockf_needs_a_file_that_is_open_for_it_and_flock_does_not(
    plain_vol: gfapi.Volume, plain_path: str
) -> None:
    with plain_vol.fopen(plain_path) as reader, plain_vol.fopen(plain_path, "a") as writer:
        for file, cmd in ((reader, EX), (writer, SH)):
            with pytest.raises(OSError, match="Bad file descriptor"):
                file.lockf(cmd)
            file.flock(cmd)
            file.flock(UN)
        reader.lockf(SH)
        reader.lockf(UN)
        writer.lockf(EX | NB)


def test_lock_holder_leaves_out_ones_own(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.lockf(SH, 10, 10)
    assert one.lock_holder() is None
    assert two.lock_holder(SH) is None
    holder = two.lock_holder(EX)
    assert holder == gfapi.LockHolder(type=SH, start=10, length=10, pid=os.getpid())


# ------------------------------------------------------------------ waiting


def test_a_blocking_lock_waits_until_it_is_free(pair: tuple[gfapi.File, gfapi.File]) -> None:
    one, two = pair
    one.lockf(EX)
    waiter = threading.Thread(target=two.lockf, args=(EX,))
    waiter.start()
    waiter.join(0.2)
    assert waiter.is_alive()
    one.lockf(UN)
    waiter.join(30)
    assert not waiter.is_alive()
    assert not is_free(one)


def test_a_timeout_ends_the_waiting(pair: tuple[gfapi.File, gfapi.File], path: str) -> None:
    one, two = pair
    one.lockf(EX)
    for wait in (two.lockf, two.flock):
        with pytest.raises(TimeoutError) as caught:
            wait(SH, timeout=0.05)
        assert caught.value.filename == path
    with pytest.raises(TimeoutError), two.lock(timeout=0):
        pass
    one.lockf(UN)
    two.lockf(EX, timeout=0)


def test_closing_a_file_ends_the_waiting_of_another_thread(
    plain_vol: gfapi.Volume, plain_path: str
) -> None:
    with plain_vol.fopen(plain_path, "r+") as one:
        one.lockf(EX)
        two = plain_vol.fopen(plain_path, "r+")
        caught: list[OSError] = []

        def wait() -> None:
            with pytest.raises(OSError, match="Bad file descriptor") as error:
                two.lockf(EX)
            caught.append(error.value)

        waiter = threading.Thread(target=wait)
        waiter.start()
        waiter.join(0.1)
        two.close()
        waiter.join(30)
        assert caught


def test_ctrl_c_ends_the_waiting(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
    import fcntl, signal
    vol.mount()
    one, two = vol.fopen(folder + "/f", "w"), vol.fopen(folder + "/f", "r+")
    one.lockf(fcntl.LOCK_EX)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        two.lockf(fcntl.LOCK_EX)
    except KeyboardInterrupt:
        print("interrupted")
    one.close()
    two.lockf(fcntl.LOCK_EX)
    """
    assert output_of(plain, plain_folder, program) == "interrupted\n"


def test_a_process_ends_while_its_daemon_thread_waits_for_a_lock(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
    import fcntl
    vol.mount()
    one, two = vol.fopen(folder + "/f", "w"), vol.fopen(folder + "/f", "r+")
    one.lockf(fcntl.LOCK_EX)
    threading.Thread(target=two.lockf, args=(fcntl.LOCK_EX,), daemon=True).start()
    time.sleep(0.1)
    """
    assert output_of(plain, plain_folder, program, timeout=30) == ""


def test_an_unmount_ends_the_waiting(plain: sandbox.SandboxVolume, plain_path: str) -> None:
    with plain.client() as vol:
        one, two = vol.fopen(plain_path, "r+"), vol.fopen(plain_path, "r+")
        one.lockf(EX)
        caught: list[BaseException] = []

        def wait() -> None:
            try:
                two.lockf(EX)
            except OSError as error:
                caught.append(error)

        waiter = threading.Thread(target=wait)
        waiter.start()
        waiter.join(0.1)
    # It may get the lock when the unmount has closed the one file and not yet the other.
    waiter.join(30)
    assert not waiter.is_alive()
    assert two.closed


def test_all_who_wait_get_their_turn(vol: gfapi.Volume, path: str) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with vol.fopen(path, "r+") as file:
            for _ in range(5):
                with file.lock(timeout=50):
                    inside.append(number)
                    most.append(len(inside))
                    inside.remove(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1] * 20


# ------------------------------------------------------------------ with


def test_with_unlocks_what_it_locked_also_after_an_exception(
    pair: tuple[gfapi.File, gfapi.File],
) -> None:
    one, two = pair
    one.seek(40)
    with one.lock(True, 10, 0, os.SEEK_CUR) as file:
        assert file is one
        assert two.lock_holder() == (EX, 40, 10, os.getpid())
        one.read(20)  # it unlocks the range that it locked, wherever the position is
    assert is_free(two)
    with contextlib.suppress(ZeroDivisionError), one.lock(exclusive=False):
        assert is_free(two, cmd=SH)
        assert not is_free(two)
        raise ZeroDivisionError
    assert is_free(two)


def test_with_takes_a_file_that_is_closed_inside(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "r+") as one, vol.fopen(path, "r+") as two:
        with one.lock():
            one.close()
        assert is_free(two)


# ------------------------------------------------------------------ close, dup, fork


def test_close_lets_the_locks_go_before_it_returns(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "r+") as two:
        for _ in range(5):
            one = vol.fopen(path, "r+")
            one.lockf(EX, 10)
            one.lockf(EX, 10, 50)
            one.write(b"data that is written behind")
            one.close()
            assert is_free(two)


def test_closing_another_file_leaves_the_locks(
    pair: tuple[gfapi.File, gfapi.File], vol: gfapi.Volume, path: str
) -> None:
    one, two = pair
    one.lockf(EX)
    vol.fopen(path).close()
    with vol.fopen(path, "r+") as other:
        other.read()
    assert not is_free(two)


def test_a_duplicate_is_a_file_of_its_own(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "r+") as one:
        one.lockf(EX)
        with one.dup() as two:
            assert one.lkowner != two.lkowner
            with pytest.raises(BlockingIOError):
                two.lockf(EX | NB)
        with vol.fopen(path, "r+") as three:
            assert not is_free(three)


def test_a_child_has_none_of_its_parents_locks(
    plain: sandbox.SandboxVolume, plain_path: str, output_of: Callable[..., str]
) -> None:
    program = """
    import fcntl
    vol.mount()
    one = vol.fopen(arguments[0], "r+")
    one.lockf(fcntl.LOCK_EX)
    if os.fork() == 0:
        try:
            one.lockf(fcntl.LOCK_UN)
        except OSError as error:
            print(error.strerror, flush=True)
        two = vol.fopen(arguments[0], "r+")
        print(two.lock_holder().pid == os.getppid(), flush=True)
        sys.exit()
    os.wait()
    """
    expected = "Bad file descriptor\nTrue\n"
    assert output_of(plain, "", program, plain_path) == expected


# ------------------------------------------------------------------ processes


HOLD = """
import fcntl
with vol, vol.fopen(arguments[0], "r+") as file:
    file.lockf(fcntl.LOCK_EX, 10, 10)
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(sandbox_volume: sandbox.SandboxVolume, path: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has locked bytes 10 to 19."""
    prelude = "import sys\nfrom gluster import gfapi\nvol = gfapi.Volume(sys.argv[1], sys.argv[2])"
    program = f"{prelude}\narguments = sys.argv[3:]\n{HOLD}"
    command = [sys.executable, "-c", program, sandbox_volume.hosts[0], sandbox_volume.name, path]
    root = str(Path(gfapi.__file__).parents[2])
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": root},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_a_lock_of_another_process_is_in_the_way(
    vol: gfapi.Volume, path: str, holder: subprocess.Popen[str]
) -> None:
    with vol.fopen(path, "r+") as file:
        assert file.lock_holder() == (EX, 10, 10, holder.pid)
        with pytest.raises(BlockingIOError):
            file.lockf(EX | NB)
        file.lockf(EX | NB, 10)
        assert holder.stdin is not None
        holder.stdin.close()
        file.lockf(EX, timeout=30)


def test_a_lock_goes_with_the_process_that_is_killed(
    vol: gfapi.Volume, path: str, holder: subprocess.Popen[str]
) -> None:
    with vol.fopen(path, "r+") as file:
        assert not is_free(file)
        holder.send_signal(signal.SIGKILL)
        file.lockf(EX, timeout=30)


# ------------------------------------------------------------------ owners


def test_the_same_owner_on_one_volume_is_not_excluded(
    pair: tuple[gfapi.File, gfapi.File], vol: gfapi.Volume, path: str
) -> None:
    one, two = pair
    one.lkowner = b"owner A"
    two.lkowner = b"owner A"
    one.lockf(EX, 10)
    two.lockf(EX | NB, 10, 5)
    with vol.fopen(path, "r+") as three:
        three.lkowner = b"owner B"
        with pytest.raises(BlockingIOError):
            three.lockf(EX | NB, 10, 14)
        three.lockf(EX | NB, 10, 50)
        one.close()  # lets go what the owner has, as with fcntl
        three.lockf(EX | NB, 10, 5)
        assert two.lock_holder(EX, 50) == (EX, 5, 10, os.getpid())


def test_the_same_owner_on_two_mounts_is_excluded(
    sandbox_volume: sandbox.SandboxVolume, pair: tuple[gfapi.File, gfapi.File], path: str
) -> None:
    one, _ = pair
    one.lockf(EX)
    with sandbox_volume.client() as other, other.fopen(path, "r+") as file:
        file.lkowner = one.lkowner
        assert not is_free(file)


@pytest.mark.own_thread  # it takes the room of all supplementary groups
def test_an_owner_is_1_to_91_bytes(plain_vol: gfapi.Volume, plain_path: str) -> None:
    with plain_vol.fopen(plain_path, "r+") as file:
        assert len(file.lkowner) == 4
        assert file.lkowner == file.lkowner
        for owner in (b"", b"\0" * 8, b"x" * 92):
            with pytest.raises(ValueError, match="91"):
                file.lkowner = owner
        wrong: Any = "text"
        with pytest.raises(TypeError):
            file.lkowner = wrong
        for owner in (b"\1", b"\0x", b"\1" * 91):
            file.lkowner = owner
            file.lockf(EX | NB)
            file.lkowner = owner
            with pytest.raises(OSError, match="may have locks"):
                file.lkowner = b"other"
            file.lockf(UN)
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.lkowner  # noqa: B018
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.lkowner = b"x"


# ------------------------------------------------------------------ mistakes


def test_mistakes_get_clear_errors(plain_vol: gfapi.Volume, plain_path: str) -> None:
    with plain_vol.fopen(plain_path, "r+") as file:
        for cmd in (0, 3, NB, 99):
            with pytest.raises(ValueError, match="LOCK_EX"):
                file.lockf(cmd)
            with pytest.raises(ValueError, match="LOCK_EX"):
                file.flock(cmd)
            with pytest.raises(ValueError, match="LOCK_EX"):
                file.lock_holder(cmd)
        wrong: Any = "exclusive"
        with pytest.raises(TypeError):
            file.lockf(wrong)
        with pytest.raises(ValueError, match="timeout"):
            file.lockf(EX, timeout=-1)
        with pytest.raises(ValueError, match="LOCK_NB"):
            file.lockf(EX | NB, timeout=1)
        with pytest.raises(ValueError, match="whence"):
            file.lockf(EX, whence=7)
        for span in ((0, -1), (-5, 3)):
            with pytest.raises(OSError, match="Invalid argument"):
                file.lockf(EX, *span)
        for span in ((1, 1 << 63), (1 << 63, 0), (1, (1 << 63) - 1)):
            with pytest.raises(OverflowError):
                file.lockf(EX, *span)
        file.lockf(EX, 1, (1 << 63) - 2)
    for call in (lambda: file.lockf(EX), lambda: file.flock(UN), file.lock_holder):
        with pytest.raises(OSError, match="Bad file descriptor"):
            call()
    with pytest.raises(OSError, match="Bad file descriptor"), file.lock():
        pass


# ------------------------------------------------------------------ mandatory locks


def nonblocking(vol: gfapi.Volume, path: str) -> gfapi.File:
    return gfapi.File(vol.open(path, os.O_RDWR | os.O_NONBLOCK))


STRICT = {"locks.mandatory-locking": "optimal"}
CACHES = ("quick-read", "io-cache", "read-ahead", "stat-prefetch", "open-behind", "write-behind")
UNCACHED = {f"performance.{cache}": "off" for cache in CACHES}  # they know of no locks


@pytest.fixture(scope="module")
def strict(cluster: sandbox.Cluster) -> Iterator[sandbox.SandboxVolume]:
    """A volume that holds to mandatory locks."""
    volume = cluster.create_volume("strict", options={**STRICT, **UNCACHED})
    yield volume
    volume.delete()


@pytest.fixture
def strict_pair(strict: sandbox.SandboxVolume) -> Iterator[tuple[gfapi.Volume, gfapi.Volume]]:
    """Two mounts of it, with a file of 100 bytes: ``/file``."""
    with strict.client() as one, strict.client() as two:
        _made(one, "")
        yield one, two


def test_a_mandatory_lock_keeps_others_from_reading_and_writing(
    strict_pair: tuple[gfapi.Volume, gfapi.Volume],
) -> None:
    vol, other = strict_pair
    with vol.fopen("/file", "r+") as one, nonblocking(other, "/file") as two:
        one.lockf(EX, 10, mandatory=True)
        for call in (lambda: two.read(5), lambda: two.ftruncate(0)):
            with pytest.raises(BlockingIOError):
                call()
        with pytest.raises(BlockingIOError):
            other.open("/file", os.O_RDWR | os.O_NONBLOCK | os.O_TRUNC)
        assert vol.getsize("/file") == 100
        one.write(b"own")
        one.fsync()
        one.lockf(UN, 10)
        two.seek(0)
        assert two.read(3) == b"own"


def test_readers_share_a_mandatory_lock_and_writers_do_not(
    strict_pair: tuple[gfapi.Volume, gfapi.Volume],
) -> None:
    vol, other = strict_pair
    with vol.fopen("/file") as one, nonblocking(other, "/file") as two:
        with one.lock(False, 10, mandatory=True):
            assert two.read(5) == b"xxxxx"
            with pytest.raises(BlockingIOError):
                two.ftruncate(0)
        two.ftruncate(0)
        assert vol.getsize("/file") == 0


def test_an_advisory_lock_keeps_nobody_from_cutting_the_file(
    strict_pair: tuple[gfapi.Volume, gfapi.Volume],
) -> None:
    vol, other = strict_pair
    with vol.fopen("/file", "r+") as one:
        one.lockf(EX)
        other.fopen("/file", "w").close()
        assert one.fgetsize() == 0


def test_whoever_has_a_mandatory_lock_uses_the_file_in_every_thread(
    cluster: sandbox.Cluster,
) -> None:
    volume = cluster.create_volume("cached", options=STRICT)
    try:
        with volume.client() as vol:
            _made(vol, "")
            _use_in_threads(vol)
    finally:
        volume.delete()


def _use_in_threads(vol: gfapi.Volume) -> None:
    with vol.fopen("/file", "r+") as one, vol.fopen("/other", "w+") as other:
        one.lockf(EX, mandatory=True)
        done: list[bytes] = []

        def work() -> None:
            for _ in range(3):
                other.lockf(EX)  # leaves the thread with another owner
                other.lockf(UN)
                one.seek(0)
                one.write(b"more")
                one.fsync()
                one.seek(0)
                done.append(one.read(4))

        work()
        threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(done) == 9


# ------------------------------------------------------------------ options of the volume


@pytest.mark.parametrize("kind", [{}, {"replica": 3}], ids=["plain", "replica"])
def test_locks_work_with_upcalls_on(cluster: sandbox.Cluster, kind: dict[str, Any]) -> None:
    name = f"upcall-{len(kind)}"
    volume = cluster.create_volume(name, options={"features.cache-invalidation": "on"}, **kind)
    try:
        with volume.client() as vol:
            path = _made(vol, "")
            with vol.fopen(path, "r+") as one, vol.fopen(path, "r+") as two:
                one.lockf(EX)
                assert not is_free(two)
                one.lockf(UN)
                two.lockf(EX | NB)
    finally:
        volume.delete()


@pytest.mark.parametrize("kind", [{}, {"replica": 3}], ids=["plain", "replica"])
def test_locks_are_kept_when_an_option_of_the_volume_changes(
    cluster: sandbox.Cluster, kind: dict[str, Any], wait_until: Callable[..., None]
) -> None:
    volume = cluster.create_volume(f"switch-{len(kind)}", **kind)
    try:
        with volume.client() as vol, volume.client() as other:
            path = _made(vol, "")
            with vol.fopen(path, "r+") as one, other.fopen(path, "r+") as two:
                one.lockf(EX, 10, 10)
                graph = active_graph(vol)
                volume.set_option("performance.write-behind", "off")
                wait_until(lambda: active_graph(vol) != graph)
                one.write(b"through the new graph")
                assert two.lock_holder() == (EX, 10, 10, os.getpid())
                with pytest.raises(BlockingIOError):
                    two.lockf(EX | NB)
                one.lockf(UN)
                two.lockf(EX | NB)
    finally:
        volume.delete()


def active_graph(vol: gfapi.Volume) -> str:
    # By its path: what is open below /.meta ends with its graph.
    return vol.readlink("/.meta/graphs/active")


# ------------------------------------------------------------------ documentation


def test_every_example_of_the_page_gives_what_it_says(
    plain: sandbox.SandboxVolume,
) -> None:
    page = Path(__file__).parents[2] / "doc/locks.rst"
    text = page.read_text(encoding="utf-8").replace("server1.example.com", plain.hosts[0])
    text = text.replace('"demo"', f'"{plain.name}"')
    names: dict[str, Any] = {}
    examples = doctest.DocTestParser().get_doctest(text, names, "locks", str(page), 0)
    report: list[str] = []
    results = doctest.DocTestRunner().run(examples, out=report.append, clear_globs=False)
    assert results.attempted > 15
    assert results.failed == 0, "".join(report)
    examples.globs["f"].close()
    examples.globs["vol"].unlink("/counter")
    examples.globs["vol"].umount()
