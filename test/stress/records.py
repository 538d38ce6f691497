"""Records that can be recognised: written under load, noted when they are safe, counted afterwards.

:class:`Load` is a process that writes them to a volume while a stress program harms the cluster.
Each record says which file and which place in it it belongs to, and carries a digest, so that
:func:`check` knows one that is lost, torn or in a wrong place.
"""

from __future__ import annotations

import collections
import contextlib
import faulthandler
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from gluster import gfapi
from gluster.gfapi import sandbox

HANG = 120.0  # seconds that a process may take to end once it is told to
SIZES = (64, 512, 4096, 5000, 70000)  # bytes; a file has records of one size
PAUSE = 0.005  # seconds between two syncs, so that clusters have processors left


def record(name: str, number: int, size: int) -> bytes:
    """The record that belongs at ``number * size`` of a file."""
    head = f"{name} {number} {size} ".encode()
    digest = hashlib.sha256(head).hexdigest().encode()
    return (head + digest * (size // len(digest) + 1))[: size - 1] + b"\n"


# ---------------------------------------------------------------------------------- the writer


class Writer:
    """Writes files record by record, and notes in a journal what a sync has made safe.

    After an error it goes on with the same File as long as that lets it, else with a new one, and
    writes again what no sync has made safe.
    """

    def __init__(self, vol: gfapi.Volume, folder: str, journal: Journal, choose: Any) -> None:
        self.vol = vol
        self.folder = folder
        self.journal = journal
        self.choose = choose
        self.file: Any = None

    def run(self, is_over: Callable[[], bool]) -> None:
        number = 0
        while not is_over():
            name = f"{self.folder}/{threading.get_native_id()}-{number}"
            self.write_file(name, is_over)
            number += 1

    def write_file(self, name: str, is_over: Callable[[], bool]) -> None:
        size = self.choose.choice(SIZES)
        self.journal.note(file=name, size=size)
        safe, count = 0, self.choose.randint(1, 200)
        while safe < count:
            if is_over() and self.file is None:
                return
            step = min(self.choose.randint(1, 5), count - safe)
            try:
                self.write_records(name, size, safe, step)
            except OSError as error:
                self.recover(error)
                if is_over():
                    break
            else:
                safe += step
                self.journal.note(file=name, safe=safe)
                time.sleep(PAUSE)
        self.close()

    def write_records(self, name: str, size: int, first: int, step: int) -> None:
        self.began = time.monotonic()
        if self.file is None:
            self.call = "fopen"
            self.file = self.vol.fopen(name, "r+" if first or self.vol.exists(name) else "x+")
            if self.journal.is_failing:
                self.journal.note(recovered="new")
        self.call = "seek"
        self.file.lseek(first * size, os.SEEK_SET)
        for number in range(first, first + step):
            self.call = "write"
            write_all(self.file, record(name, number, size))
        self.call = self.choose.choice(("fsync", "fdatasync"))
        getattr(self.file, self.call)()
        if self.journal.is_failing:
            self.journal.note(recovered="same")

    def recover(self, error: OSError) -> None:
        took = round(time.monotonic() - self.began, 3)
        self.journal.note(error=error.errno, call=self.call, took=took)
        # On the same File twice; then it is given up.
        self.failures = getattr(self, "failures", 0) + 1
        if self.failures % 3 == 0:
            self.close()
        time.sleep(0.1)

    def close(self) -> None:
        file, self.file = self.file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.journal.note(error=error.errno, call="close", took=0)


def write_all(file: Any, data: bytes) -> None:
    done = 0
    while done < len(data):
        done += file.write(data[done:])


class Journal:
    """A local file of what happened, a JSON object a line."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._failing: dict[int, bool] = collections.defaultdict(bool)
        self.files: dict[str, State] = {}

    @property
    def is_failing(self) -> bool:
        """Whether this thread's last call but those since has failed."""
        return self._failing[threading.get_ident()]

    def note(self, **event: Any) -> None:
        if "error" in event:
            self._failing[threading.get_ident()] = True
        elif "recovered" in event:
            self._failing[threading.get_ident()] = False
        line = json.dumps({"at": round(time.time(), 3), **event})
        os.write(self._descriptor, line.encode() + b"\n")
        learn(self.files, event)


class Reader(threading.Thread):
    """Reads what is safe, again and again; what it reads must be right, or be an error."""

    def __init__(self, vol: gfapi.Volume, journal: Journal, is_over: Any) -> None:
        super().__init__()
        self.vol = vol
        self.journal = journal
        self.is_over = is_over

    def run(self) -> None:
        choose = random.Random()
        while not self.is_over():
            files = [state for state in list(self.journal.files.values()) if state.safe]
            if files:
                self.read(choose.choice(files), choose)
            time.sleep(PAUSE * 4)

    def read(self, state: State, choose: random.Random) -> None:
        number, began = choose.randrange(state.safe), time.monotonic()
        try:
            with self.vol.fopen(state.file) as file:
                found = file.pread(state.size, number * state.size)
        except OSError as error:
            took = round(time.monotonic() - began, 3)
            self.journal.note(error=error.errno, call="read", took=took)
        else:
            if found != record(state.file, number, state.size):
                self.journal.note(wrong=state.file, number=number, length=len(found))


def be_a_load(hosts: str, volname: str, folder: str, path: str, threads: int, seed: str) -> None:
    """Be the process that writes, until SIGTERM."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # says where it hangs
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with gfapi.Volume(hosts.split(","), volname) as vol:
        journal = Journal(path)
        vol.makedirs(folder, exist_ok=True)
        crew: list[threading.Thread] = [Reader(vol, journal, over.is_set)]
        for number in range(threads):
            choose = random.Random(f"{seed}-{number}")
            writer = Writer(vol, folder, journal, choose)
            crew.append(threading.Thread(target=writer.run, args=(over.is_set,)))
        for thread in crew:
            thread.start()
        journal.note(started=os.getpid())
        while not over.wait(1):
            pass
        for thread in crew:
            thread.join()
        journal.note(ended=os.getpid())


class Load:
    """A process that writes records to a volume.

    :param volume: the volume.
    :param folder: where on it, a path that no other load has.
    :param journal: the local file to note in what is safe.
    :param seed: decides what is written.
    :param threads: how many of its threads write.
    """

    def __init__(
        self,
        volume: sandbox.SandboxVolume,
        folder: str,
        journal: str,
        seed: object,
        threads: int = 2,
    ) -> None:
        self.journal = journal
        command = [sys.executable, __file__, ",".join(volume.hosts), volume.name]
        self._process = subprocess.Popen(
            [*command, folder, journal, str(threads), str(seed)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.crash = ""
        self.hung = False

    def __enter__(self) -> Load:
        try:
            self.wait_safe(1)
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_safe(self, more: int, timeout: float = 60.0) -> None:
        """Return when so many more records are safe than now.

        :raises TimeoutError: if that takes longer than timeout seconds.
        """
        wanted, deadline = self.safe + more, time.monotonic() + timeout
        while self.safe < wanted:
            if self._process.poll() is not None:
                raise ChildProcessError(f"the load ended: {self.stop()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {more} records became safe within {timeout} s")
            time.sleep(0.1)

    @property
    def safe(self) -> int:
        """The number of records that are safe."""
        return sum(state.safe for state in states(self.journal).values())

    def stop(self, timeout: float = HANG) -> str:
        """End it, and return what is wrong with how it ended; nothing if all is well."""
        self._process.terminate()
        try:
            _, said = self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(1)
            self._process.kill()
            _, said = self._process.communicate()
            self.hung = True
            self.crash = f"it did not end within {timeout} s: {said}"
            return self.crash
        if self._process.returncode:
            self.crash = f"exit code {self._process.returncode}: {said}"
        return self.crash


# --------------------------------------------------------------------------------- the checker


@dataclass
class State:
    """What a journal says of a file: records of ``size`` bytes, the first ``safe`` of them safe."""

    file: str
    size: int
    safe: int = 0


def events(journal: str) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError), open(journal, encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def states(journal: str) -> dict[str, State]:
    found: dict[str, State] = {}
    for event in events(journal):
        learn(found, event)
    return found


def learn(files: dict[str, State], event: dict[str, Any]) -> None:
    """Take in what an event of a journal says of a file."""
    if "size" in event:
        files[event["file"]] = State(event["file"], event["size"])
    elif "safe" in event:
        files[event["file"]].safe = event["safe"]


@dataclass
class Tally:
    """What became of the records that a sync had made safe.

    :ivar safe: how many there were.
    :ivar lost: those that are not there, or nothing but zeros, in words.
    :ivar torn: those of which a part is there, in words.
    :ivar misplaced: records found where another one belongs, in words.
    :ivar wrong: whatever else was not as it should be, e.g. reads that gave something else than
        was safe, without an error.
    :ivar errors: how often a call failed with which errno, e.g. ``("fsync", 107)``.
    :ivar slowest: how many seconds a failing call took at most.
    :ivar recovered: how often the same File worked again after errors, and how often a new one.
    :ivar crashes: how many processes ended otherwise than they should.
    :ivar hangs: how many did not end.
    """

    safe: int = 0
    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    errors: collections.Counter[tuple[str, Optional[int]]] = field(
        default_factory=collections.Counter
    )
    slowest: float = 0.0
    recovered: collections.Counter[str] = field(default_factory=collections.Counter)
    crashes: int = 0
    hangs: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.torn or self.misplaced or self.wrong)

    def __iadd__(self, other: Tally) -> Tally:
        self.safe += other.safe
        for name in ("lost", "torn", "misplaced", "wrong"):
            getattr(self, name).extend(getattr(other, name))
        self.errors.update(other.errors)
        self.recovered.update(other.recovered)
        self.slowest = max(self.slowest, other.slowest)
        self.crashes += other.crashes
        self.hangs += other.hangs
        return self


def check(journal: str, read: Callable[[str], bytes]) -> Tally:
    """Look for what a journal says is safe.

    :param read: gives the content of a file by its path on the volume: from a client, or from a
        brick.
    """
    tally = Tally()
    for event in events(journal):
        if "error" in event:
            tally.errors[event["call"], event["error"]] += 1
            tally.slowest = max(tally.slowest, event["took"])
        elif "wrong" in event:
            tally.wrong.append(f"{event['wrong']}, record {event['number']}")
        elif "recovered" in event:
            tally.recovered[event["recovered"]] += 1
    for state in states(journal).values():
        if state.safe:
            tally.safe += state.safe
            _check_file(state, read, tally)
    return tally


def _check_file(state: State, read: Callable[[str], bytes], tally: Tally) -> None:
    try:
        content = read(state.file)
    except FileNotFoundError:
        content = b""
    for number in range(len(content) // state.size + 1):
        place = f"{state.file}, record {number}"
        found = content[number * state.size : (number + 1) * state.size]
        if found == record(state.file, number, state.size):
            continue
        if found.startswith(f"{state.file} ".encode()) and (
            not found.startswith(f"{state.file} {number} ".encode())
        ):
            tally.misplaced.append(place)
        elif number < state.safe:
            (tally.torn if found.strip(b"\0") else tally.lost).append(place)
    for number in range(len(content) // state.size + 1, state.safe):
        tally.lost.append(f"{state.file}, record {number}")


def from_client(vol: gfapi.Volume) -> Callable[[str], bytes]:
    """What :func:`check` reads with, by way of a client."""

    def read(path: str) -> bytes:
        with vol.fopen(path) as file:
            return b"".join(iter(lambda: file.read(1 << 20), b""))

    return read


if __name__ == "__main__":
    hosts, volname, folder, path, threads, seed = sys.argv[1:]
    be_a_load(hosts, volname, folder, path, int(threads), seed)
