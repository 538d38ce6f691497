"""Calls on a File that return a Future."""

from __future__ import annotations

import doctest
import errno
import gc
import os
import queue
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, Callable

import hanging
import pytest

from gluster import gfapi
from gluster.gfapi import api, sandbox, workers
from gluster.gfapi.api.parameters import IoCallback
from gluster.gfapi.descriptor import Descriptor

Output = Callable[..., str]
WaitUntil = Callable[[Callable[[], object]], None]

PAGE = 4096
SOON = 30  # seconds within which each call here has ended


@pytest.fixture
def file(vol: gfapi.Volume, folder: str) -> Iterator[gfapi.File]:
    """An empty file, open for reading and writing."""
    with vol.fopen(f"{folder}/file", "w+") as file:
        yield file


def page(number: int) -> bytes:
    return number.to_bytes(4, "big") * (PAGE // 4)


def pages(count: int) -> bytes:
    return b"".join(map(page, range(count)))


class Gate:
    """A call that lasts until it is let go, given to the threads in place of a real one."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, *_: Any) -> bytes:
        self.begun.set()
        assert self.open.wait(SOON)
        return b""


# ------------------------------------------------------------------------ each of the calls


def test_pwrite_and_pread_at_an_offset_leave_the_position(file: gfapi.File) -> None:
    file.write(b"0123456789")
    assert file.pwrite_async(b"abc", 4).result(SOON) == 3
    assert file.pread_async(5, 3).result(SOON) == b"3abc7"
    assert file.pread_async(5, 10).result(SOON) == b""
    assert file.tell() == 10


def test_pwritev_and_preadv_at_an_offset_leave_the_position(file: gfapi.File) -> None:
    file.write(b"0123456789")
    assert file.pwritev_async([b"ab", bytearray(b"c")], 4).result(SOON) == 3
    buffers = [bytearray(2), bytearray(3)]
    assert file.preadv_async(buffers, 3).result(SOON) == 5
    assert buffers == [b"3a", b"bc7"]
    assert file.tell() == 10


def test_write_and_read_go_on_where_the_one_before_ended(file: gfapi.File) -> None:
    written = [file.write_async(page(number)) for number in range(200)]
    assert [future.result(SOON) for future in written] == [PAGE] * 200
    assert file.tell() == 200 * PAGE
    file.seek(0)
    # The last of them meet the end of the file, and what they do not get is not skipped.
    read = [file.read_async(3000) for _ in range(300)]
    pieces = [future.result(SOON) for future in read]
    assert b"".join(pieces) == pages(200)
    assert [len(piece) for piece in pieces[:3]] == [3000] * 3
    assert file.tell() == 200 * PAGE
    file.seek(PAGE)
    assert file.read_async().result(SOON) == pages(200)[PAGE:]


def test_writev_and_readv_go_on_where_the_one_before_ended(file: gfapi.File) -> None:
    written = [file.writev_async([page(number), page(number + 1)]) for number in (0, 2, 4)]
    assert [future.result(SOON) for future in written] == [2 * PAGE] * 3
    file.seek(0)
    buffers = [bytearray(PAGE) for _ in range(6)]
    read = [file.readv_async(buffers[number : number + 2]) for number in (0, 2, 4)]
    assert [future.result(SOON) for future in read] == [2 * PAGE] * 3
    assert b"".join(buffers) == pages(6)
    assert file.readv_async(buffers).result(SOON) == 0


def test_fsync_and_fdatasync_begin_when_what_came_before_is_over(
    sandbox_volume: sandbox.SandboxVolume, file: gfapi.File
) -> None:
    for sync in (file.fsync_async, file.fdatasync_async):
        written = [file.pwrite_async(page(number), number * PAGE) for number in range(100)]
        written.append(file.write_async(b"x"))
        assert sync().result(SOON) is None
        assert all(future.done() for future in written)


def test_fsync_is_not_made_before_a_call_that_takes_long(file: gfapi.File) -> None:
    gate = Gate()
    file.pwritev = gate  # type: ignore[method-assign, assignment]
    slow = file.pwritev_async([], 0)
    first, second = file.fsync_async(), file.fdatasync_async()
    assert file.pwrite_async(b"x", 0).result(SOON) == 1  # which came later, and waits for none
    assert gate.begun.wait(SOON)
    assert not first.running()
    gate.open.set()
    wait([slow, first, second], SOON)
    assert first.done()
    assert second.done()


def test_ftruncate_and_discard_change_the_content(file: gfapi.File) -> None:
    file.write(b"x" * 10)
    assert file.ftruncate_async(6).result(SOON) is None
    assert file.discard_async(4, 1).result(SOON) is None
    assert file.pread(10, 0) == b"xxxx\0x"


def test_zerofill_changes_the_content_where_there_is_such_a_call(
    file: gfapi.File, sandbox_volume: sandbox.SandboxVolume
) -> None:
    file.write(b"x" * 6)
    filled = file.zerofill_async(1, 2)
    if sandbox_volume.name == "disperse":
        with pytest.raises(OSError, match="not supported"):
            filled.result(SOON)
    else:
        assert filled.result(SOON) is None
        assert file.pread(10, 0) == b"x\0\0xxx"


def test_in_append_mode_all_goes_to_the_end(vol: gfapi.Volume, folder: str) -> None:
    with vol.fopen(f"{folder}/log", "a+") as file:
        lines = [b"%d\n" % number for number in range(100)]
        written = [file.write_async(line) for line in lines]
        assert not wait(written, SOON).not_done
        assert file.pread(1000, 0) == b"".join(lines)


def test_a_duplicate_has_a_line_of_its_own(file: gfapi.File) -> None:
    file.write(pages(4))
    with file.dup() as other:
        assert other.read_async(PAGE).result(SOON) == page(0)
        assert other.read_async(PAGE).result(SOON) == page(1)
        assert other.pread_async(PAGE, 0).result(SOON) == page(0)
    assert file.tell() == 4 * PAGE


# ------------------------------------------------------------------------ failures


def every_call(file: gfapi.File) -> list[Future[Any]]:
    return [
        file.read_async(1),
        file.readv_async([bytearray(1)]),
        file.pread_async(1, 0),
        file.preadv_async([bytearray(1)], 0),
        file.write_async(b"x"),
        file.writev_async([b"x"]),
        file.pwrite_async(b"x", 0),
        file.pwritev_async([b"x"], 0),
        file.ftruncate_async(1),
        file.fsync_async(),
        file.fdatasync_async(),
        file.discard_async(0, 1),
        file.zerofill_async(0, 1),
    ]


def test_on_a_closed_file_each_call_gets_ebadf(vol: gfapi.Volume, folder: str) -> None:
    path = f"{folder}/file"
    file = vol.fopen(path, "w+")
    file.close()
    for future in every_call(file):
        error = future.exception(SOON)
        assert isinstance(error, OSError)
        assert (error.errno, error.filename) == (errno.EBADF, path)


def test_on_a_file_that_was_closed_after_a_first_call_too(vol: gfapi.Volume, folder: str) -> None:
    file = vol.fopen(f"{folder}/file", "w+")
    file.fsync_async().result(SOON)
    file.close()
    for call in (file.fsync_async, lambda: file.pread_async(1, 0), file.read_async):
        with pytest.raises(OSError, match="Bad file descriptor"):
            call()  # type: ignore[operator]


def test_what_the_file_is_not_open_for_gets_ebadf(vol: gfapi.Volume, folder: str) -> None:
    path = f"{folder}/file"
    vol.mknod(path, 0o600)
    with vol.fopen(path, "r") as reader, vol.fopen(path, "w") as writer:
        refused = [
            *every_call(reader)[4:8],
            *every_call(writer)[:4],
        ]
        for future in refused:
            error = future.exception(SOON)
            assert isinstance(error, OSError)
            assert (error.errno, error.filename) == (errno.EBADF, path)


def test_a_negative_number_is_einval(file: gfapi.File) -> None:
    for future in (
        file.pread_async(-1, 0),
        file.pread_async(1, -1),
        file.preadv_async([bytearray(1)], -1),
        file.pwrite_async(b"x", -1),
        file.pwritev_async([b"x"], -1),
        file.ftruncate_async(-1),
        file.discard_async(-1, 1),
        file.zerofill_async(0, -1),
    ):
        error = future.exception(SOON)
        assert isinstance(error, OSError)
        assert error.errno == errno.EINVAL


def test_what_is_no_buffer_is_a_type_error_at_once(file: gfapi.File) -> None:
    calls: list[Callable[[], Future[int]]] = [
        lambda: file.pwrite_async(1, 0),
        lambda: file.write_async(None),
        lambda: file.writev_async(["text"]),
        lambda: file.preadv_async([1], 0),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()
    assert isinstance(file.preadv_async([b"read-only"], 0).exception(SOON), TypeError)


def test_a_buffer_cannot_be_resized_while_it_is_being_written(file: gfapi.File) -> None:
    gate = Gate()
    file.pwrite = gate  # type: ignore[method-assign, assignment]
    data = bytearray(b"x")
    future = file.pwrite_async(data, 0)
    with pytest.raises(BufferError):
        data.append(0)
    gate.open.set()
    future.result(SOON)
    data.append(0)


def test_a_call_that_has_not_begun_can_be_cancelled(file: gfapi.File) -> None:
    gate = Gate()
    file.read = gate  # type: ignore[method-assign, assignment]
    slow, waiting, last = file.read_async(1), file.write_async(b"x"), file.write_async(b"y")
    assert gate.begun.wait(SOON)
    assert waiting.cancel()
    assert not slow.cancel()
    gate.open.set()
    assert last.result(SOON) == 1
    assert file.pread(10, 0) == b"y"


def test_what_failed_leaves_nothing_behind_but_its_error(file: gfapi.File) -> None:
    data = bytearray(b"x")
    future = file.pwrite_async(data, -1)
    assert future.exception(SOON)
    alive = weakref.ref(future)
    gc.disable()  # no cycle keeps it
    try:
        del future
        deadline = time.monotonic() + SOON
        while alive() is not None and time.monotonic() < deadline:
            time.sleep(0.001)
        assert alive() is None
        data.append(0)
    finally:
        gc.enable()


def test_a_call_that_fails_holds_up_none(file: gfapi.File) -> None:
    futures = [file.write_async(b"a"), file.readv_async([b"read-only"]), file.write_async(b"b")]
    assert isinstance(futures[1].exception(SOON), TypeError)
    assert futures[2].result(SOON) == 1
    assert file.fsync_async().result(SOON) is None
    assert file.pread(10, 0) == b"ab"


# ------------------------------------------------------------------------ many at once


def test_thousands_at_once_all_come_true(file: gfapi.File) -> None:
    count = 3_000
    written = [file.pwrite_async(number.to_bytes(4, "big"), 4 * number) for number in range(count)]
    file.fsync_async().result(SOON)
    assert {future.result(0) for future in written} == {4}
    read = [file.pread_async(4, 4 * number) for number in range(count)]
    assert [int.from_bytes(future.result(SOON), "big") for future in read] == list(range(count))


def test_several_threads_share_a_file(file: gfapi.File) -> None:
    def write(first: int) -> None:
        for number in range(first, first + 200):
            futures.append(file.pwrite_async(page(number), number * PAGE))

    futures: list[Future[int]] = []
    threads = [threading.Thread(target=write, args=(200 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wait(futures, SOON).not_done
    assert file.pread(800 * PAGE, 0) == pages(800)


def test_the_threads_end_when_there_is_nothing_to_do(
    monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil
) -> None:
    from gluster.gfapi import workers

    monkeypatch.setattr(workers, "_IDLE", 0.01)
    own = workers.Workers()
    done: list[int] = []
    for _ in range(1000):
        own.do(lambda: done.append(0))
    wait_until(lambda: len(done) == 1000)
    wait_until(lambda: own._count == 0)
    own.do(lambda: done.append(-1))
    wait_until(lambda: done[-1] == -1)


def test_a_callback_that_ends_its_thread_costs_no_thread(
    file: gfapi.File, monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil
) -> None:
    def end(_: object) -> None:
        raise SystemExit

    ended: list[object] = []
    monkeypatch.setattr(threading, "excepthook", ended.append)
    gate = Gate()
    file.pwrite = gate  # type: ignore[method-assign, assignment]
    for _ in range(50):
        file.pwrite_async(b"x", 0).add_done_callback(end)
    gate.open.set()
    assert file.fsync_async().result(SOON) is None
    wait_until(lambda: len(ended) == 50)


# ------------------------------------------------------------------------ the end of a file


def test_close_waits_for_all_that_was_asked_for(vol: gfapi.Volume, folder: str) -> None:
    path = f"{folder}/file"
    file = vol.fopen(path, "w")
    written = [file.pwrite_async(page(number), number * PAGE) for number in range(500)]
    written += [file.write_async(b"x") for _ in range(100)]
    file.close()
    assert all(future.done() and not future.exception() for future in written)
    assert vol.getsize(path) == 500 * PAGE


def test_umount_waits_for_all_that_was_asked_for(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str
) -> None:
    with sandbox_volume.client() as other:
        files = [other.fopen(f"{folder}/{number}", "w") for number in range(3)]
        written = [
            file.pwrite_async(page(number), number * PAGE)
            for number in range(300)
            for file in files
        ]
    assert all(future.done() and not future.exception() for future in written)
    for number in range(3):
        with vol.fopen(f"{folder}/{number}") as file:
            assert file.read() == pages(300)


def test_a_callback_may_close_the_file(
    vol: gfapi.Volume, folder: str, wait_until: WaitUntil
) -> None:
    # Far more of them than there are threads, each with calls behind it that need a thread.
    files = [vol.fopen(f"{folder}/{number}", "w") for number in range(40)]
    futures = []
    for file in files:
        first = file.write_async(b"x")
        futures += [first, *(file.write_async(b"x") for _ in range(20)), file.fsync_async()]
        first.add_done_callback(lambda _, file=file: file.close())  # type: ignore[misc]
    wait_until(lambda: all(file.closed for file in files))
    assert not wait(futures, SOON).not_done
    assert not any(future.exception() for future in futures)
    assert {vol.getsize(f"{folder}/{number}") for number in range(40)} == {21}


def test_a_callback_may_make_calls_that_wait(vol: gfapi.Volume, folder: str) -> None:
    with vol.fopen(f"{folder}/file", "w+") as file:
        ended: Future[list[str]] = Future()

        def look(future: Future[int]) -> None:
            ended.set_result([*vol.listdir(folder), file.pread(10, 0).decode()])

        file.pwrite_async("text", 0).add_done_callback(look)
        assert ended.result(SOON) == ["file", "text"]


def test_a_file_that_is_dropped_is_closed_after_its_calls(
    vol: gfapi.Volume, folder: str, wait_until: WaitUntil
) -> None:
    path = f"{folder}/file"

    def drop() -> list[Future[int]]:
        file = vol.fopen(path, "w")
        return [file.pwrite_async(page(number), number * PAGE) for number in range(100)]

    def drop_and_wait() -> None:
        assert not wait(drop(), SOON).not_done
        wait_until(lambda: path not in [each.path for each in list(vol._mount.descriptors)])

    with pytest.warns(ResourceWarning, match="unclosed"):
        drop_and_wait()
    assert vol.getsize(path) == 100 * PAGE


def test_a_brick_that_hangs_does_not_hold_up_umount_for_ever(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume("hangs")
    client = volume.client()
    client.mount()
    file = client.fopen("/file", "w+")
    file.pwrite_async(b"x", 0).result(SOON)
    (brick,) = volume.bricks
    assert brick.pid
    hanging.stop(brick.pid)
    try:
        futures = [file.fsync_async(), *(file.pread_async(1, 0) for _ in range(100))]
        with pytest.raises(gfapi.LibgfapiException, match="did not end in time"):
            client._mount.umount(0.5)
        assert not futures[0].done()
    finally:
        os.kill(brick.pid, signal.SIGCONT)
    assert not wait(futures, SOON).not_done
    file.close()
    volume.stop()
    volume.delete()


def test_a_brick_that_dies_fails_what_is_under_way(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume("dies")
    with volume.client() as client, client.fopen("/file", "w+") as file:
        file.pwrite_async(pages(100), 0).result(SOON)
        volume.kill_brick(0)
        futures = [file.pread_async(PAGE, PAGE * number) for number in range(100)]
        futures += [file.ftruncate_async(number) for number in range(100)]
        errors = [future.exception(SOON) for future in futures]
        assert any(isinstance(error, OSError) for error in errors)
        volume.start_brick(0)
        volume.wait_online()
    volume.stop()
    volume.delete()


# ------------------------------------------------------------------------ another graph


def test_thousands_under_way_outlive_changes_of_the_graph(cluster: sandbox.Cluster) -> None:
    """Libgfapi's own asynchronous calls end the process here."""
    volume = cluster.create_volume("graphs")
    with volume.client() as client, client.fopen("/file", "w+") as file:
        file.pwrite_async(pages(256), 0).result(SOON)
        is_over = threading.Event()
        futures: list[Future[Any]] = []
        room = threading.Semaphore(2000)

        def keep_busy(kind: int) -> None:
            number = 0
            while not is_over.is_set():
                number += 1
                room.acquire()
                place = number % 256
                if kind:
                    future: Future[Any] = file.pwrite_async(page(place), place * PAGE)
                else:
                    future = file.pread_async(PAGE, place * PAGE)
                    future.place = place  # type: ignore[attr-defined]
                future.add_done_callback(lambda _: room.release())
                futures.append(future)

        threads = [threading.Thread(target=keep_busy, args=(kind,)) for kind in (0, 1)]
        for thread in threads:
            thread.start()
        try:
            for value in ("off", "on") * 2:
                volume.set_option("performance.quick-read", value)
                volume.set_option("performance.io-cache", value)
                enough = len(futures) + 2000
                while len(futures) < enough:
                    time.sleep(0.01)
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        assert not wait(futures, SOON).not_done
        for future in futures:
            place = getattr(future, "place", None)
            assert future.result(0) == (PAGE if place is None else page(place))
        assert len(futures) > 4000
    volume.stop()
    volume.delete()


# ------------------------------------------------------------------------ libgfapi's own


def test_libgfapis_own_calls_are_bound_rightly(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    """Nothing uses them. On a volume whose graph stays the same, they do what they should."""
    gc.disable()  # it might close something in libgfapi's thread, which would wait for itself
    try:
        _check_libgfapis_own_calls(plain_vol, plain_folder)
    finally:
        gc.enable()


def _check_libgfapis_own_calls(vol: gfapi.Volume, folder: str) -> None:
    ended: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()

    @IoCallback
    def done(glfd: int, result: int, before: Any, after: Any, data: int) -> None:
        ended.put((data, result))

    def result_of(call: Callable[..., int], *arguments: Any) -> int:
        assert call(descriptor, *arguments, done, 4711) == 0
        data, result = ended.get(timeout=SOON)
        assert data == 4711
        return result

    with vol.fopen(f"{folder}/file", "w+") as file:
        descriptor, (memory, size) = file._descriptor, api.memory(b"0123456789")
        assert result_of(api.glfs_write_async, memory, size, 0) == 10
        assert result_of(api.glfs_pwrite_async, memory, size, 20, 0) == 10
        assert result_of(api.glfs_writev_async, api.vector([b"ab", b"c"]), 2, 0) == 3
        assert result_of(api.glfs_pwritev_async, api.vector([b"de", b"f"]), 2, 40, 0) == 3
        assert result_of(api.glfs_fsync_async) == 0
        assert result_of(api.glfs_fdatasync_async) == 0
        assert file.pread(100, 0) == (
            b"0123456789" + bytes(10) + b"0123456789" + b"abc" + bytes(7) + b"def"
        )
        assert result_of(api.glfs_zerofill_async, 1, 2) == 0
        assert result_of(api.glfs_discard_async, 4, 1) == 0
        assert result_of(api.glfs_ftruncate_async, 6) == 0
        api.glfs_lseek(descriptor, 0, os.SEEK_SET)
        filled = bytearray(3)
        memory, size = api.memory(filled, writable=True)
        assert result_of(api.glfs_read_async, memory, size, 0) == 3
        assert filled == b"0\0\0"
        assert result_of(api.glfs_readv_async, api.vector([filled]), 1, 0) == 3
        assert filled == b"3\x005"
        assert result_of(api.glfs_pread_async, memory, size, 1, 0) == 3
        assert filled == b"\0\x003"
        assert result_of(api.glfs_preadv_async, api.vector([filled]), 1, 3, 0) == 3
        assert filled == b"3\x005"


# ------------------------------------------------------------------------ the documentation


def test_the_examples_of_the_documentation_give_what_they_say(
    plain: sandbox.SandboxVolume,
) -> None:
    text = (Path(__file__).parents[2] / "doc/asynchronous.rst").read_text(encoding="utf-8")
    text = text.replace("server1.example.com", plain.hosts[0]).replace("demo", plain.name)
    examples = doctest.DocTestParser().get_doctest(text, {}, "asynchronous", "asynchronous.rst", 0)
    report: list[str] = []
    results = doctest.DocTestRunner().run(examples, out=report.append)
    assert results.attempted > 10
    assert results.failed == 0, "".join(report)


# ------------------------------------------------------------------------ exit and fork

MANY = """
vol.mount()
file = vol.fopen(folder + "/file", "w+")
def submit(count=2000):
    return [file.pwrite_async(number.to_bytes(4, "big") * 256, 1024 * number)
            for number in range(count)]
"""
WHOLE = b"".join(number.to_bytes(4, "big") * 256 for number in range(2000))


@pytest.mark.parametrize(
    "end",
    [
        "futures = submit()",
        "futures = submit(); file.fsync_async()",
        "futures = submit(); sys.exit(0)",
        "threading.Thread(target=submit).start()",
        "futures = submit(); del file",
        "futures = submit(); [f.add_done_callback(lambda f: vol.listdir(folder)) for f in futures]",
        "import atexit; atexit.register(submit)",
    ],
    ids=["return", "fsync", "sys.exit", "thread", "dropped", "callbacks", "atexit"],
)
def test_nothing_is_lost_when_the_interpreter_ends(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    folder: str,
    run_python: Callable[..., subprocess.CompletedProcess[str]],
    end: str,
) -> None:
    done = run_python(sandbox_volume, folder, MANY + end, options=("-X", "faulthandler"))
    assert (done.returncode, done.stderr) == (0, ""), done
    with vol.fopen(f"{folder}/file") as file:
        assert file.read() == WHOLE


def test_nothing_is_lost_when_an_exception_ends_the_program(
    plain: sandbox.SandboxVolume,
    plain_vol: gfapi.Volume,
    plain_folder: str,
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_python(plain, plain_folder, MANY + "futures = submit(); raise KeyError('why')")
    assert done.returncode == 1
    assert done.stderr.endswith("KeyError: 'why'\n")
    with plain_vol.fopen(f"{plain_folder}/file") as file:
        assert file.read() == WHOLE


def test_a_daemon_thread_that_submits_at_exit_ends_quietly(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> None:
    program = (
        MANY
        + """
from concurrent.futures import wait
begun = threading.Event()
def for_ever():
    while True:
        wait(submit(50))
        begun.set()
threading.Thread(target=for_ever, daemon=True).start()
begun.wait()
"""
    )
    for _ in range(3):
        output_of(plain, plain_folder, program, options=("-X", "faulthandler"))


def test_after_a_fork_the_futures_of_the_parent_fail_in_the_child(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> None:
    program = (
        MANY
        + """
futures = submit() + [file.fsync_async()]
pid = os.fork()
if pid == 0:
    results = [future.exception(10) for future in futures]
    assert isinstance(results[-1], OSError), results[-1]
    assert all(result is None or result.errno == 9 for result in results)
    try:
        file.pread_async(1, 0)
    except OSError as error:
        assert error.errno == 9
    with vol.fopen(folder + "/child", "w+") as own:
        assert own.pwrite_async(b"x", 0).result(20) == 1
    sys.exit()
print(os.waitpid(pid, 0)[1], futures[-1].result(30), {f.result() for f in futures[:-1]})
"""
    )
    options = ("-W", "ignore::DeprecationWarning", "-X", "faulthandler")
    assert output_of(plain, plain_folder, program, options=options) == "0 None {1024}\n"


def test_the_import_of_the_package_does_not_import_futures(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> None:
    program = "print('concurrent.futures' in sys.modules)"
    assert output_of(plain, plain_folder, program) == "False\n"


# -------------------------------------------------------------------- interrupts and unmounts


def test_a_sync_that_an_unmount_overtakes_has_succeeded(
    plain: sandbox.SandboxVolume, plain_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = api.glfs_fsync
    begun = threading.Event()

    def fsync(*arguments: Any) -> Any:
        begun.set()
        result = real(*arguments)
        time.sleep(0.3)  # by then the volume refuses new calls
        return result

    with plain.client() as vol, vol.fopen(f"{plain_folder}/file", "w") as file:
        file.write(b"content")
        monkeypatch.setattr(api, "glfs_fsync", fsync)
        future = file.fsync_async()
        assert begun.wait(SOON)
        vol.umount()
        assert future.result(SOON) is None


def test_an_interrupt_while_a_thread_is_made_holds_up_no_call(
    plain: sandbox.SandboxVolume, plain_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_IDLE", 0.05)
    with plain.client() as vol, vol.fopen(f"{plain_folder}/file", "w+") as file:
        with monkeypatch.context() as patch:

            def interrupted(*_: Any, **__: Any) -> None:
                raise KeyboardInterrupt

            patch.setattr(threading.Thread, "__init__", interrupted)
            with pytest.raises(KeyboardInterrupt):
                file.pwrite_async(b"a", 0)
        for _ in range(3):
            assert file.pwrite_async(b"b", 0).result(SOON) == 1
            time.sleep(0.1)  # until the thread has gone


def test_a_file_whose_close_is_interrupted_can_be_closed(file: gfapi.File) -> None:
    class Interrupted:
        def __iter__(self) -> Any:
            raise KeyboardInterrupt

    assert file.pwrite_async(b"a", 0).result(SOON) == 1
    backlog = file._descriptor.backlog
    assert backlog
    backlog._futures = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        file.close()
    backlog._futures = set()
    assert not file.closed
    assert file.pwrite_async(b"b", 1).result(SOON) == 1
    file.close()
    assert file.closed


def test_the_first_call_of_a_file_may_come_while_it_is_closed(
    file: gfapi.File, monkeypatch: pytest.MonkeyPatch
) -> None:
    futures: list[Future[int]] = []
    real = Descriptor.finish

    def finish(descriptor: Descriptor, *arguments: Any) -> None:
        if descriptor is file._descriptor:
            futures.append(file.pwrite_async(b"a", 0))
        real(descriptor, *arguments)

    monkeypatch.setattr(Descriptor, "finish", finish)
    file.close()
    assert futures[0].done()
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.pwrite_async(b"b", 0)
