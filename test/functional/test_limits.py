"""Volumes that take no more, and too few bricks: nothing is lost without a word.

The long form of most of this is ``test/stress/faults.py``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import replicas, sandbox
from gluster.gfapi.objects import inode_number

Output = Callable[..., str]
WaitUntil = Callable[[Callable[[], object]], None]

#: What no brick stores; a volume takes it, and finds out when it passes it on.
TOO_FAR = 2**62


@pytest.fixture(scope="module", autouse=True)
def stress() -> Iterator[None]:
    """The stress programs can be imported."""
    folder = str(Path(__file__).parents[1] / "stress")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def small(stress: None) -> Iterator[sandbox.SandboxVolume]:
    """A plain volume on a small disk."""
    import disks

    try:
        with disks.cluster_on_small_disks(1) as cluster:
            yield cluster.create_volume("small", options={"storage.reserve": 0})
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no disk can be mounted here: {error}")


# ------------------------------------------------------------------------------- a full disk


@pytest.mark.parametrize("write_behind", [True, False])
def test_whatever_way_a_file_is_written_on_a_full_disk_it_is_whole_or_somebody_is_told(
    small: sandbox.SandboxVolume, write_behind: bool
) -> None:
    import disks
    import ways

    (node,), seed = small.cluster.nodes, random.randrange(1 << 32)
    choose = random.Random(seed)
    small.set_option("performance.write-behind", write_behind)
    silent, said = [], Counter[bool]()
    with small.client() as vol, small.client() as reader:
        sources = ways.prepare(vol, f"/sources-{write_behind}")
        for name in ways.WAYS:
            source, data = choose.choice(list(sources.items())[:2])
            task = ways.Task(small, vol, f"/{name}-{write_behind}", data, source)
            vol.fopen(task.path, "x").close()
            disks.fill(node, choose.choice((0, len(data) // 2)))
            verdict = ways.attempt(name, task, reader)
            disks.empty(node)
            ways.remove(task)
            said[verdict.told is not None] += 1
            if verdict.is_silent or not verdict.is_of(errno.ENOSPC):
                silent.append(verdict)
    assert not silent, f"seed {seed}"
    assert said[True] > len(ways.WAYS) // 2


def test_small_writes_on_a_disk_that_gets_full_do_not_destroy_memory(
    small: sandbox.SandboxVolume, output_of: Output
) -> None:
    program = """
        import random
        choose = random.Random(1)
        disk, brick = arguments
        told = whole = 0
        with vol:
            for number in range(30):
                size = choose.randint(1, 4) << 20
                file = vol.fopen(f"/small-{number}", "x")
                with open(disk + "/program", "wb") as ballast:
                    status = os.statvfs(disk)
                    room = status.f_bavail * status.f_frsize - size // 2
                    os.posix_fallocate(ballast.fileno(), 0, max(1, room))
                piece = bytes(choose.choice((4096, 16384, 65536)))
                try:
                    with file:
                        for _ in range(size // len(piece)):
                            file.write(piece)
                except OSError:
                    told += 1
                else:  # the room of the last file was given back just then: bricks close late
                    whole += os.path.getsize(brick + file.name) == size
                os.unlink(disk + "/program")
                vol.unlink(file.name)
        print(told, whole)
    """
    (node,), (brick,) = small.cluster.nodes, small.bricks
    told, whole = map(int, output_of(small, "/", program, node.storage, brick.path).split())
    assert told + whole == 30
    assert told > 20


def test_a_file_that_was_told_of_a_full_disk_works_again_when_there_is_room(
    small: sandbox.SandboxVolume,
) -> None:
    import disks

    small.set_option("performance.write-behind", True)
    (node,) = small.cluster.nodes
    with small.client() as vol, vol.fopen("/again", "x+") as file:
        disks.fill(node, 0)
        file.write(bytes(100_000))  # which write-behind takes
        with pytest.raises(OSError, match="No space left on device") as caught:
            file.fsync()
        assert caught.value.filename == "/again"
        disks.empty(node)
        assert failure_of(file) is None
        assert file.pread(6, 0) == b"after!"


# -------------------------------------------------------------- who learns of a write that failed


@pytest.mark.parametrize("call", ["fsync", "fdatasync", "close"])
def test_a_write_that_failed_is_told_to_each_file_that_has_it_open_for_writing(
    vol: gfapi.Volume, folder: str, call: str
) -> None:
    file = vol.fopen(f"{folder}/file", "w")
    with vol.fopen(f"{folder}/another", "w") as another, vol.fopen(f"{folder}/file"):
        others = [vol.fopen(f"{folder}/file", "r+"), file.dup()]
        file.pwrite(b"x", TOO_FAR)
        for told in (*others, file):
            with pytest.raises(OSError, match="File too large") as caught:
                getattr(told, call)()
            assert caught.value.filename == f"{folder}/file"
        if call != "close":  # once
            for told in (*others, file):
                told.fsync()
                told.close()
        another.fsync()


def duplicate(file: gfapi.File) -> gfapi.File:
    with file:
        return file.dup()


#: How a file that was made as ``file`` is opened once more by another word.
BY_OTHER_WORDS: dict[str, Callable[[gfapi.Volume, str], gfapi.File]] = {
    "relative": lambda vol, folder: vol.fopen("file", "r+"),
    "renamed": lambda vol, folder: vol.fopen(f"{folder}/renamed", "r+"),
    "linked": lambda vol, folder: vol.fopen(f"{folder}/link", "r+"),
    "by gfid": lambda vol, folder: vol.lookup_gfid(vol.lookup(f"{folder}/file").gfid).fopen("r+"),
    "with a name": lambda vol, folder: gfapi.File(vol.open(f"{folder}/file", os.O_RDWR), "mine"),
    "named and duplicated": lambda vol, folder: duplicate(
        gfapi.File(vol.open(f"{folder}/file", os.O_RDWR), "mine")
    ),
}


@pytest.mark.parametrize("call", ["fsync", "close"])
@pytest.mark.parametrize("is_told_first", [True, False])
@pytest.mark.parametrize("word", BY_OTHER_WORDS)
def test_a_write_that_failed_is_told_to_who_knows_the_file_by_another_word(
    vol: gfapi.Volume, folder: str, word: str, is_told_first: bool, call: str
) -> None:
    file = vol.fopen(f"{folder}/file", "x")
    vol.chdir(folder)
    if word == "renamed":
        vol.rename("file", "renamed")
    elif word == "linked":
        vol.link("file", "link")
    other = BY_OTHER_WORDS[word](vol, folder)
    vol.chdir("/")
    with vol.fopen(f"{folder}/another", "w") as another:
        file.pwrite(b"x", TOO_FAR)
        for told in (other, file) if is_told_first else (file, other):
            with pytest.raises(OSError, match="File too large"):
                getattr(told, call)()
        another.fsync()
    if call == "fsync":
        file.close()
        other.close()


def test_a_file_that_took_the_name_of_the_one_whose_write_failed_is_not_told(
    vol: gfapi.Volume, folder: str
) -> None:
    with vol.fopen(f"{folder}/file", "x") as file:
        vol.rename(f"{folder}/file", f"{folder}/old")
        with vol.fopen(f"{folder}/file", "x") as other:
            file.pwrite(b"x", TOO_FAR)
            with pytest.raises(OSError, match="File too large"):
                file.fsync()
            other.fsync()


def test_the_inode_number_of_a_file_is_told_by_its_gfid(vol: gfapi.Volume, folder: str) -> None:
    vol.fopen(f"{folder}/file", "x").close()
    handle = vol.lookup(f"{folder}/file")
    assert inode_number(bytes(handle)) == handle.stat().st_ino


def test_a_write_by_a_handle_that_fails_later_fails(vol: gfapi.Volume, folder: str) -> None:
    vol.fopen(f"{folder}/file", "w").close()
    with vol.lookup(f"{folder}/file") as handle:
        with pytest.raises(OSError, match="File too large"):
            handle.pwrite(b"x", TOO_FAR)
        assert handle.pwrite(b"x", 0) == 1


def test_umount_tells_of_a_write_that_failed_with_ebadf(
    plain: sandbox.SandboxVolume, plain_folder: str, plain_vol: gfapi.Volume
) -> None:
    plain_vol.fopen(f"{plain_folder}/file", "w").close()
    vol = plain.client()
    vol.mount()
    file = vol.fopen(f"{plain_folder}/file")
    file._descriptor.is_writable = True  # what GlusterFS takes, and refuses later
    file.write(b"x")
    with pytest.raises(gfapi.LibgfapiException, match="Bad file descriptor"):
        vol.umount()


# ------------------------------------------------------------------ read-only, split-brain, quorum


def failure_of(file: gfapi.File) -> Any:
    """The errno and the name that writing to it fails with, if it does."""
    try:
        file.pwrite(b"after!", 0)
        file.fsync()
    except OSError as error:
        return error.errno, error.filename
    return None


def test_a_read_only_volume_is_erofs_also_for_what_was_open_and_only_as_long_as_it_is(
    cluster: sandbox.Cluster, wait_until: WaitUntil
) -> None:
    volume = cluster.create_volume("readonly")
    try:
        with volume.client() as vol, vol.fopen("/file", "x+") as file:
            file.write(b"before")
            file.fsync()

            def is_refused() -> bool:
                return failure_of(file) == (errno.EROFS, "/file")

            volume.set_option("features.read-only", True)
            wait_until(is_refused)
            for call in (
                lambda: vol.mkdir("/dir"),
                lambda: vol.unlink("/file"),
                lambda: vol.fopen("/new", "w"),
                lambda: vol.copyfile("/file", "/copy"),
            ):
                with pytest.raises(OSError, match="Read-only file system"):
                    call()
            assert file.pread(6, 0) in (b"before", b"after!")  # the option takes its time
            volume.set_option("features.read-only", False)
            wait_until(lambda: failure_of(file) is None)
    finally:
        volume.delete()


@pytest.fixture
def three_copies(cluster: sandbox.Cluster) -> Iterator[sandbox.SandboxVolume]:
    volume = cluster.create_volume("copies", replica=3, options={"network.ping-timeout": 5})
    yield volume
    volume.delete()


def test_a_file_in_split_brain_is_eio_that_names_it_and_keeps_no_other_from_being_copied(
    three_copies: sandbox.SandboxVolume,
) -> None:
    from scenarios import limits

    names = ["bad", "good", "other"]
    with three_copies.client() as vol:
        vol.mkdir("/split")
        for name in names:
            with vol.fopen(f"/split/{name}", "x") as file:
                file.write(name)
    three_copies.set_option("cluster.quorum-type", "none")  # with one, it may be ENOTCONN too
    stage: Any = SimpleNamespace(volume=three_copies, complaints=[], done=Counter())
    limits.split(stage, "/split/bad")
    with three_copies.client() as vol:
        limits.look_at(stage, vol, "/split", "bad")
        limits.check_tree(stage, vol, "/split", "bad")
    assert not stage.complaints
    assert stage.done["told"] == 5


def test_without_a_quorum_calls_fail_at_once_and_the_same_file_works_when_it_is_back(
    three_copies: sandbox.SandboxVolume, wait_until: WaitUntil
) -> None:
    with three_copies.client() as vol, vol.fopen("/file", "x+") as file:
        file.write(b"before")
        file.fsync()

        for number in (0, 2):
            three_copies.kill_brick(number)
        began = time.monotonic()
        assert failure_of(file) == (errno.ENOTCONN, "/file")
        with pytest.raises(OSError, match="not connected"):
            vol.mkdir("/dir")
        assert time.monotonic() - began < 60  # it does not wait for them
        for number in (0, 2):
            three_copies.start_brick(number)
        wait_until(lambda: failure_of(file) is None)
        assert file.pread(6, 0) == b"after!"
    assert os.path.getsize(f"{three_copies.bricks[0].path}/file") == 6


def test_what_is_synced_while_a_copy_is_away_is_noted_on_the_others_before_the_sync_returns(
    three_copies: sandbox.SandboxVolume, wait_until: WaitUntil
) -> None:
    """Else, if a second brick dies, the stale copy may be the source when all are healed."""
    _, *alive = three_copies.bricks
    calls: list[Callable[[gfapi.File], object]] = [
        gfapi.File.fsync,
        gfapi.File.fdatasync,
        lambda file: file.fsync_async().result(),
        lambda file: file.pwritev([b"."], 0, os.RWF_DSYNC),
    ]
    with three_copies.client() as vol, contextlib.ExitStack() as stack:
        files = [stack.enter_context(vol.fopen(f"/{i}", "x+")) for i in range(len(calls))]
        for file in files:
            file.write(b"before")
            file.fsync()
            file.lockf(fcntl.LOCK_EX | fcntl.LOCK_NB)
        three_copies.kill_brick(0)
        wait_until(lambda: replicas.is_one_away(vol._mount))
        for number, (file, sync) in enumerate(zip(files, calls)):
            path = f"/{number}"
            before = [blamed(brick.path + path) for brick in alive]
            for _ in range(3):
                file.write(b"after")
                sync(file)
                after = [blamed(brick.path + path) for brick in alive]
                assert all(more > less for more, less in zip(after, before)), sync
                before = after
            with vol.fopen(path, "r+") as other, pytest.raises(BlockingIOError):
                other.lockf(fcntl.LOCK_EX | fcntl.LOCK_NB)  # the file has kept its own


def blamed(copy: str) -> int:
    """How many changes a copy says that the first brick's lacks."""
    with contextlib.suppress(OSError):
        return int.from_bytes(os.getxattr(copy, "trusted.afr.copies-client-0")[:4], "big")
    return 0
