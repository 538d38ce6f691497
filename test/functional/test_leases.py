"""Leases: taken, given back, and asked for when another client comes.

They are tried as they can be used: with write-behind off, which forgets to say whose data it
writes, and so waits for the lease of its own File.
"""

from __future__ import annotations

import gc
import itertools
import os
import stat
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Callable, Union

import pytest

from gluster import gfapi
from gluster.gfapi import LeaseType, sandbox

RD, RW, NONE = LeaseType.RD, LeaseType.RW, LeaseType.NONE
OPTIONS = {
    "features.leases": "on",
    "features.lease-lock-recall-timeout": "5",
    "performance.open-behind": "off",
    "performance.quick-read": "off",
    "performance.write-behind": "off",
}


# A thread never gets rid of an id for leases.
pytestmark = pytest.mark.own_thread


@pytest.fixture(scope="module", params=[{}, {"replica": 3}], ids=["plain", "replica"])
def leased(
    request: pytest.FixtureRequest, cluster: sandbox.Cluster
) -> Iterator[sandbox.SandboxVolume]:
    """A volume with leases on."""
    name = f"leased-{len(request.param)}"
    volume = cluster.create_volume(name, options=OPTIONS, **request.param)
    yield volume
    volume.delete()


@pytest.fixture(scope="module")
def vol(leased: sandbox.SandboxVolume) -> Iterator[gfapi.Volume]:
    """It, mounted."""
    with leased.client() as vol:
        yield vol


_numbers = itertools.count()


@pytest.fixture
def path(vol: gfapi.Volume) -> str:
    """A file of 100 bytes."""
    path = f"/{next(_numbers)}"
    with vol.fopen(path, "w") as file:
        file.write(b"x" * 100)
    return path


def taken(
    wait_until: Callable[[Callable[[], object]], None],
    file: Union[gfapi.File, gfapi.Handle],
    *arguments: Any,
) -> gfapi.Lease:
    """A lease on a file that was just closed: a replica's bricks have it open a little longer."""
    found: list[gfapi.Lease] = []

    def take() -> bool:
        try:
            found.append(file.lease(*arguments))
        except BlockingIOError:
            return False
        return True

    wait_until(take)
    return found[0]


def test_a_lease_is_taken_and_given_back(
    vol: gfapi.Volume, path: str, wait_until: Callable[..., None]
) -> None:
    with vol.fopen(path, "r+") as file:
        assert file.lease_type() is NONE
        for type_ in (RW, RD):
            with taken(wait_until, file, type_) as lease:
                assert lease.type is type_
                assert file.lease_type() is type_
                assert not lease.released
                with pytest.raises(OSError, match="has a lease already"):
                    file.lease(type_)
            assert lease.released
            assert file.lease_type() is NONE
            lease.release()


def test_the_holder_works_on_the_file_in_every_thread(
    vol: gfapi.Volume, path: str, wait_until: Callable[..., None]
) -> None:
    with vol.fopen(path, "r+") as file, taken(wait_until, file, RW) as lease:
        read: list[bytes] = []

        def work() -> None:
            file.seek(0)
            file.write(b"held")
            file.fsync()
            file.seek(0)
            read.append(file.read(4))
            assert file.fgetsize() == 100

        work()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(30)
        assert read == [b"held"] * 2
        assert not lease.recalled


READ = """
with vol, vol.fopen(folder) as file:
    print(file.read(10).decode())
"""
WRITE = """
with vol, vol.fopen(folder, "r+") as file:
    file.write(b"other")
    file.fsync()
    print("written")
"""


@pytest.fixture
def write_elsewhere(
    output_of: Callable[..., str],
) -> Callable[[sandbox.SandboxVolume, str], None]:
    """A function that has another process write to a file."""

    def write(leased: sandbox.SandboxVolume, path: str) -> None:
        try:
            assert output_of(leased, path, WRITE, timeout=20) == "written\n"
        except subprocess.TimeoutExpired:
            # One in a hundred times, one of several bricks forgets for ever to go on with what
            # waited for a lease that was given back.
            assert leased.layout.replica
            assert output_of(leased, path, WRITE) == "written\n"

    return write


def test_another_process_waits_until_the_lease_is_given_back(
    leased: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    path: str,
    wait_until: Callable[..., None],
    output_of: Callable[..., str],
) -> None:
    told: list[gfapi.Lease] = []

    def on_recall(lease: gfapi.Lease) -> None:
        told.append(lease)
        file.seek(0)
        file.write(b"last words")
        file.fsync()
        lease.release()

    with vol.fopen(path, "r+") as file:
        lease = taken(wait_until, file, RW, on_recall)
        assert output_of(leased, path, READ) == "last words\n"
        assert told == [lease]
        assert lease.recalled
        assert lease.released


def test_without_a_callback_the_lease_is_given_back_at_once(
    leased: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    path: str,
    wait_until: Callable[..., None],
    write_elsewhere: Callable[..., None],
) -> None:
    with vol.fopen(path, "r+") as file:
        lease = taken(wait_until, file, RW)
        write_elsewhere(leased, path)
        assert lease.recalled
        assert lease.released


def test_a_writer_asks_for_the_lease_of_a_reader(
    leased: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    path: str,
    wait_until: Callable[..., None],
    write_elsewhere: Callable[..., None],
) -> None:
    with vol.fopen(path) as file:
        lease = taken(wait_until, file, RD)
        write_elsewhere(leased, path)
        assert lease.recalled
        assert lease.released


def test_a_callback_may_close_the_file_and_what_it_raises_is_reported(
    leased: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    path: str,
    wait_until: Callable[..., None],
    write_elsewhere: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reports: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reports.append)

    def on_recall(lease: gfapi.Lease) -> None:
        file.close()
        raise ZeroDivisionError

    for number in (1, 2):
        file = vol.fopen(path, "r+")
        taken(wait_until, file, RW, on_recall)
        write_elsewhere(leased, path)
        wait_until(lambda number=number: len(reports) == number)
    assert [report.exc_type for report in reports] == [ZeroDivisionError] * 2


def test_close_gives_the_lease_back(
    leased: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    path: str,
    wait_until: Callable[..., None],
    write_elsewhere: Callable[..., None],
) -> None:
    with vol.fopen(path, "r+") as file:
        lease = taken(wait_until, file, RW)
    assert lease.released
    lease.release()
    assert not lease.recalled
    write_elsewhere(leased, path)


@pytest.mark.filterwarnings("ignore:unclosed")
def test_a_lease_does_not_keep_its_file_alive(
    vol: gfapi.Volume, path: str, wait_until: Callable[..., None]
) -> None:
    file = vol.fopen(path, "r+")
    lease = taken(wait_until, file, RW)
    watcher = weakref.ref(file)
    file = None  # type: ignore[assignment]
    gc.collect()
    assert watcher() is None
    assert lease.released


def test_mistakes_get_clear_errors(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "a") as writer, vol.fopen(path) as reader:
        for file, type_ in ((writer, RD), (reader, RW)):
            with pytest.raises(OSError, match="Bad file descriptor"):
                file.lease(type_)
        for wrong in (NONE, 7, "RW"):
            with pytest.raises(ValueError, match=r"[lL]ease"):
                writer.lease(wrong)  # type: ignore[arg-type]
    for call in (lambda: writer.lease(RW), writer.lease_type):
        with pytest.raises(OSError, match="Bad file descriptor"):
            call()


def test_a_volume_without_leases_says_so(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    with plain_vol.fopen(f"{plain_folder}/file", "w") as file:
        for call in (lambda: file.lease(RW), file.lease_type):
            with pytest.raises(OSError, match=r"features\.leases is off") as caught:
                call()
            assert caught.value.filename == f"{plain_folder}/file"


def test_a_program_may_end_with_a_lease(
    leased: sandbox.SandboxVolume,
    path: str,
    output_of: Callable[..., str],
    write_elsewhere: Callable[..., None],
) -> None:
    program = """
    from gluster.gfapi import LeaseType
    vol.mount()
    file = vol.fopen(folder, "r+")
    while True:
        try:
            lease = file.lease(LeaseType.RW, print)
            break
        except BlockingIOError:
            time.sleep(0.1)
    if os.fork() == 0:
        lease.release()
        try:
            file.lease(LeaseType.RW)
        except OSError as error:
            print(error.strerror, flush=True)
        os._exit(0)
    os.wait()
    """
    assert output_of(leased, path, program) == "Bad file descriptor\n"
    write_elsewhere(leased, path)


def test_the_lease_of_a_process_that_is_killed_does_not_stay(
    leased: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    path: str,
    run_python: Callable[..., Any],
) -> None:
    program = """
    import signal
    from gluster.gfapi import LeaseType
    vol.mount()
    file = vol.fopen(folder, "r+")
    while True:
        try:
            lease = file.lease(LeaseType.RW)
            break
        except BlockingIOError:
            time.sleep(0.1)
    print("taken", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(leased, path, program).stdout == "taken\n"
    with vol.fopen(path, "r+") as file:
        assert file.write(b"free") == 4


def test_a_handle_has_a_lease_without_opening_the_file(
    leased: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    path: str,
    wait_until: Callable[..., None],
    write_elsewhere: Callable[..., None],
) -> None:
    told: list[gfapi.Lease] = []

    def on_recall(lease: gfapi.Lease) -> None:
        told.append(lease)
        lease.release()

    with vol.lookup(path) as handle:
        lease = taken(wait_until, handle, RW, on_recall)
        with pytest.raises(OSError, match="has a lease already"):
            handle.lease(RW)
        handle.pwrite(b"held", 0)
        assert handle.pread(4, 0) == b"held"
        write_elsewhere(leased, path)
        assert told == [lease]
        assert lease.recalled
        assert lease.released


@pytest.mark.parametrize("end", ["close", "umount"])
def test_the_lease_of_a_handle_ends_with_it(
    leased: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    path: str,
    wait_until: Callable[..., None],
    end: str,
) -> None:
    with leased.client() as other:
        handle = other.lookup(path)
        taken(wait_until, handle, RW)
        if end == "close":
            handle.close()
        else:
            other.umount()
        with vol.fopen(path, "r+") as file:
            assert file.lease_type() is NONE


def test_a_lease_of_a_handle_is_refused_where_there_can_be_none(
    vol: gfapi.Volume, path: str
) -> None:
    with vol.lookup("/") as root, pytest.raises(OSError, match="Invalid argument"):
        root.lease(RW)
    with vol.lookup(path) as handle, pytest.raises(ValueError, match="RD or RW"):
        handle.lease(NONE)
    with pytest.raises(OSError, match="Bad file descriptor"):
        handle.lease(RW)


@pytest.mark.own_thread
@pytest.mark.parametrize("mode", [0o444, 0o640, 0o200, 0])
def test_a_user_with_a_lease_id_makes_files_of_any_mode_for_writing(
    plain_vol: gfapi.Volume, plain_folder: str, mode: int
) -> None:
    plain_vol.chmod(plain_folder, 0o777)
    path = f"{plain_folder}/file"
    plain_vol.setfsleaseid(b"0123456789abcde\0")
    flags = os.O_RDWR | os.O_CREAT
    with plain_vol.identity(1000, 1000), gfapi.File(plain_vol.open(path, flags, mode)) as file:
        file.write(b"content")
        assert file.pread(10, 0) == b"content"
        assert stat.S_IMODE(file.fstat().st_mode) == mode
    assert stat.S_IMODE(plain_vol.stat(path).st_mode) == mode


def test_a_thread_with_a_lease_id_makes_files_that_are_whole(cluster: sandbox.Cluster) -> None:
    """``glfs_creat`` would make files there that a dispersed volume cannot read."""
    volume = cluster.create_volume("leased-dispersed", disperse=3, redundancy=1)
    with volume.client() as vol:
        vol.setfsleaseid(b"0123456789abcde\0")
        for flags in (os.O_RDWR | os.O_CREAT, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_TRUNC):
            with gfapi.File(vol.open(f"/{flags}", flags, 0o640)) as file:
                file.write(b"content")
                file.fsync()
                assert file.pread(10, 0) == b"content"
                assert file.fstat().st_mode == stat.S_IFREG | 0o640
        with pytest.raises(FileExistsError):
            vol.open(f"/{flags}", flags)
    volume.delete()
