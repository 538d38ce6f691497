"""What is written and read while the volume's options change under it, and with them its graph."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from typing import Any, Callable, Optional

import pytest

from gluster import gfapi
from gluster.gfapi import api, graphs, rewriting, sandbox
from gluster.gfapi import file as file_module

VOLFILE = "/.meta/graphs/active/volfile"
SWITCHES = [
    ("performance.quick-read", "off", b"performance/quick-read", False),
    ("performance.io-cache", "on", b"performance/io-cache", True),
    ("performance.stat-prefetch", "off", b"performance/md-cache", False),
    ("performance.write-behind", "off", b"performance/write-behind", False),
]


@pytest.fixture(scope="module", params=["plain", "replica"])
def volume(
    request: pytest.FixtureRequest, cluster: sandbox.Cluster
) -> Iterator[sandbox.SandboxVolume]:
    """A volume of its own."""
    replica = 3 if request.param == "replica" else 0
    volume = cluster.create_volume(f"switching-{request.param}", replica=replica)
    yield volume
    volume.stop()
    volume.delete()


@pytest.fixture
def vol(volume: sandbox.SandboxVolume) -> Iterator[gfapi.Volume]:
    """It, mounted."""
    with volume.client() as vol:
        yield vol


class Worker:
    """A thread that goes from step to step until it is told to stop.

    :ivar done: how many steps it has done.
    """

    def __init__(self, step: Callable[[int], Any]) -> None:
        self.step, self.done = step, 0
        self.failure: Optional[BaseException] = None
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self) -> None:
        try:
            while not self.is_over.is_set():
                self.step(self.done)
                self.done += 1
        except BaseException as error:
            self.failure = error

    def stop(self) -> None:
        self.is_over.set()
        self.thread.join()


def record(number: int) -> bytes:
    return b"%09d\n" % number


def writers(files: dict[str, gfapi.File]) -> dict[str, Callable[[int], Any]]:
    """What writes the record of a number, for each file."""
    files["write after pwrite"].pwrite(record(0), 0)
    return {
        "write": lambda number: files["write"].write(record(number)),
        "write after pwrite": lambda number: files["write after pwrite"].write(record(number)),
        "append": lambda number: files["append"].write(record(number)),
        "pwrite": lambda number: files["pwrite"].pwrite(record(number), 10 * number),
        "writev": lambda number: files["writev"].writev([record(number)[:4], record(number)[4:]]),
    }


def readers(files: dict[str, gfapi.File]) -> dict[str, Callable[[int], Any]]:
    """What reads the record of a number, for each file."""
    files["read after pread"].pread(1, 5)

    def readv(number: int) -> bytes:
        buffers = [bytearray(4), bytearray(6)]
        assert files["readv"].readv(buffers) == 10
        return b"".join(buffers)

    return {
        "read": lambda number: files["read"].read(10),
        "read after pread": lambda number: files["read after pread"].read(10),
        "pread": lambda number: files["pread"].pread(10, 10 * number),
        "readv": readv,
    }


COUNT = 500


def checking(read: Callable[[int], bytes], file: gfapi.File) -> Callable[[int], None]:
    """A step that reads the next record, and begins again after the last one."""

    def step(number: int) -> None:
        assert read(number % COUNT) == record(number % COUNT)
        if number % COUNT == COUNT - 1:
            file.seek(0)

    return step


def test_nothing_is_lost_and_all_go_on_where_they_were(
    volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    wait_until: Callable[[Callable[[], object]], None],
) -> None:
    with vol.fopen("/records", "w") as file:
        file.write(b"".join(map(record, range(COUNT))))
    written = {
        way: vol.fopen(f"/{way}", "a" if way == "append" else "w")
        for way in ("write", "write after pwrite", "append", "pwrite", "writev")
    }
    read = {way: vol.fopen("/records") for way in ("read", "read after pread", "pread", "readv")}
    workers = {way: Worker(step) for way, step in writers(written).items()}
    for way, step in readers(read).items():
        workers[way] = Worker(checking(step, read[way]))

    def all_have_gone_on(since: dict[str, int]) -> bool:
        return all(w.failure or w.done > since[way] + 3 for way, w in workers.items())

    try:
        for option, value, kind, is_there in SWITCHES:
            volume.set_option(option, value)
            wait_until(lambda kind=kind, is_there=is_there: has(vol, kind, is_there))
            since = {way: worker.done for way, worker in workers.items()}
            wait_until(lambda since=since: all_have_gone_on(since))
    finally:
        for worker in workers.values():
            worker.stop()
    assert {way: worker.failure for way, worker in workers.items() if worker.failure} == {}
    for way, file in {**written, **read}.items():
        done = workers[way].done
        if way not in ("pwrite", "pread"):
            assert file.tell() == 10 * (done if way in written else done % COUNT), way
        file.close()
    with volume.client() as other:
        for way in written:
            expected = b"".join(map(record, range(workers[way].done)))
            for each in (vol, other):
                with each.fopen(f"/{way}") as file:
                    assert file.read() == expected, way


def test_directories_that_are_listed_meanwhile_are_there_in_full(
    volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    wait_until: Callable[[Callable[[], object]], None],
) -> None:
    vol.makedirs("/walked/below")
    for number in range(20):
        vol.mknod(f"/walked/below/{number}", 0o600)

    def step(_: int) -> None:
        assert len(vol.listdir("/walked/below")) == 20
        assert [len(files) for _, _, files in vol.walk("/walked")] == [0, 20]
        assert "active" in vol.listdir("/.meta/graphs")  # a descriptor there survives no change

    worker = Worker(step)
    try:
        for value in ("on", "off") * 2:
            volume.set_option("performance.read-ahead", value)
            wait_until(lambda value=value: has(vol, b"performance/read-ahead", value == "on"))
    finally:
        worker.stop()
    assert worker.failure is None
    assert worker.done


def test_no_thread_that_writes_statistics_outlives_its_graph(
    volume: sandbox.SandboxVolume, output_of: Callable[..., str]
) -> None:
    """It would go on for ever with what the tear-down has freed."""
    program = """
        vol.mount()
        print(*thread_names())
    """
    volume.set_option("diagnostics.stats-dump-interval", 1)
    try:
        names = output_of(volume, "", program).split()
    finally:
        volume.set_option("diagnostics.stats-dump-interval", 0)
    assert "glfs_timer" in names
    assert "glfs_iosdump" not in names


@pytest.mark.parametrize("readdirplus", [False, True])
def test_a_directory_that_is_read_to_its_end_by_then_is_there_in_full_after_a_rewind(
    volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    wait_until: Callable[[Callable[[], object]], None],
    readdirplus: bool,
) -> None:
    folder = f"/listed-{readdirplus}"
    vol.mkdir(folder)
    for number in range(20):
        vol.mknod(f"{folder}/{number}", 0o600)
    with vol.opendir(folder, readdirplus) as listing:
        for _ in range(22):
            next(listing)
        volume.set_option("performance.nl-cache", not readdirplus)
        kind = b"performance/nl-cache"
        wait_until(lambda: has(vol, kind, not readdirplus))
        assert list(listing) == []
        for _ in range(2):
            listing.rewind()
            assert len(list(listing)) == 22


def has(vol: gfapi.Volume, kind: bytes, is_there: bool) -> bool:
    """Whether the graph in use has a kind of translator, or has none."""
    with contextlib.suppress(OSError), vol.fopen(VOLFILE) as volfile:  # it may switch just then
        return (kind in volfile.read()) == is_there
    return False


# ------------------------------------------------------------- what the old graph swallows


class Swallowing:
    """A function of libgfapi that writes nothing at first and says that it has, as one may whose
    graph is torn down.
    """

    def __init__(self, name: str) -> None:
        self._function = getattr(api, name)
        self._moves = "p" not in name.removeprefix("glfs_")
        self.calls = 0

    def __call__(self, descriptor: Any, data: Any, *rest: Any) -> Any:
        self.calls += 1
        if self.calls > 1:
            return self._function(descriptor, data, *rest)
        size = 4  # of all
        if self._moves and not descriptor.is_appending:
            api.glfs_lseek(descriptor, size, os.SEEK_CUR)
        return size


WRITES: dict[str, Callable[[gfapi.File], Any]] = {
    "glfs_write": lambda f: f.write(b"abcd"),
    "glfs_writev": lambda f: f.writev([b"ab", b"cd"]),
    "glfs_pwrite": lambda f: f.pwrite(b"abcd", 4),
    "glfs_pwritev": lambda f: f.pwritev([b"ab", b"cd"], 4),
}


@pytest.fixture
def file_of_eight(plain_vol: gfapi.Volume, plain_folder: str) -> str:
    path = f"{plain_folder}/file"
    with plain_vol.fopen(path, "w") as file:
        file.write(b"01234567")
    return path


def _change_graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Have the next write, however quick, find another graph; what has not been asked for of it."""
    numbers = iter([-1, -1])
    monkeypatch.setattr(rewriting, "QUICK", 0)
    monkeypatch.setattr(graphs, "active", lambda mount: next(numbers))
    return numbers


@pytest.mark.parametrize("mode", ["r+", "a"])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_the_old_graph_may_have_swallowed_is_made_again(
    plain_vol: gfapi.Volume,
    file_of_eight: str,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    name: str,
) -> None:
    swallowing = Swallowing(name)
    with plain_vol.fopen(file_of_eight, mode) as file:
        if mode == "r+":
            file.seek(4)
        rewriting.known_graph(plain_vol._mount)
        monkeypatch.setattr(api, name, swallowing)
        monkeypatch.setattr(file_module, "QUICK", 0)
        _change_graph(monkeypatch)
        assert WRITES[name](file) == 4
        monkeypatch.undo()
        assert swallowing.calls == 2
        assert (
            file.tell()
            == {"a": 8 if "pwrite" in name else 12, "r+": 4 if "pwrite" in name else 8}[mode]
        )
    with plain_vol.fopen(file_of_eight) as file:
        assert file.read() == {"a": b"01234567abcd", "r+": b"0123abcd"}[mode]


def test_what_was_appended_before_the_graph_changed_is_not_there_twice(
    plain_vol: gfapi.Volume, file_of_eight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_vol.fopen(file_of_eight, "a") as file:
        rewriting.known_graph(plain_vol._mount)
        numbers = _change_graph(monkeypatch)
        file.write(b"abcd")
        assert not list(numbers)
        monkeypatch.undo()
        file.ftruncate(0)
        file.write(b"efgh")
    with plain_vol.fopen(file_of_eight) as file:
        assert file.read() == b"efgh"


def test_what_is_cut_by_another_while_the_graph_changes_is_not_appended_twice(
    plain_vol: gfapi.Volume, file_of_eight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_vol.fopen(file_of_eight, "a") as file, plain_vol.fopen(file_of_eight, "r+") as other:
        file.write(b"abcd")  # where the file ends is known from here on
        other.ftruncate(0)
        other.fdatasync()
        numbers = _change_graph(monkeypatch)
        file.write(b"efgh")
        assert not list(numbers)
        monkeypatch.undo()
    with plain_vol.fopen(file_of_eight) as file:
        assert file.read() == b"efgh"


def test_the_graph_is_asked_for_again_when_it_cannot_be_told(
    plain_vol: gfapi.Volume, file_of_eight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    swallowing = Swallowing("glfs_pwrite")
    failures = [errno.EBADFD, errno.ESTALE]

    def active(mount: Any) -> int:
        if failures:
            raise OSError(failures.pop(), "in the middle of a change")
        return -1

    with plain_vol.fopen(file_of_eight, "r+") as file:
        rewriting.known_graph(plain_vol._mount)
        monkeypatch.setattr(api, "glfs_pwrite", swallowing)
        monkeypatch.setattr(rewriting, "QUICK", 0)
        monkeypatch.setattr(graphs, "active", active)
        assert file.pwrite(b"abcd", 4) == 4
        monkeypatch.undo()
    assert swallowing.calls == 2
