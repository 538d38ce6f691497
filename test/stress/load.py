"""A process that writes records to a volume, and reads them, while a stress program does harm.

``faults.py`` starts it by way of :class:`Load`; the process itself is the rest of this file.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Optional, TypeVar

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from records import Follower, Journal, State, record

from gluster import gfapi
from gluster.gfapi import sandbox

HANG = 120.0  # seconds that the process may take to end once it is told to
SIZES = (64, 512, 4096, 5000, 70000)  # bytes; a file has records of one size
PAUSE = 0.02  # seconds between two steps of a thread, so that clusters have processors left
RETRY = 0.1  # seconds between two attempts
PATIENCE = 3  # attempts that a File has once a new one works

_T = TypeVar("_T")
_Attempt = Callable[[gfapi.File], None]


class Worker(threading.Thread):
    """A thread that works on one file after the other, and notes in a journal what happens.

    After an error it tries again until it succeeds: with the same File, or with a new one where
    the same works no more although the new one does.
    """

    def __init__(
        self, vol: gfapi.Volume, journal: Journal, choose: random.Random, is_over: Any
    ) -> None:
        super().__init__()
        self.vol = vol
        self.journal = journal
        self.choose = choose
        self.is_over: Callable[[], bool] = is_over
        self.file: Optional[gfapi.File] = None
        self.slowest = 0.0

    def call(self, name: str, function: Callable[..., _T], *arguments: Any) -> _T:
        """Make a call, and note what is remarkable of it."""
        began = time.monotonic()
        try:
            return function(*arguments)
        except OSError as error:
            took = round(time.monotonic() - began, 3)
            self.journal.note(error=error.errno, call=name, took=took)
            if not error.filename:
                self.journal.note(wrong=f"the error of {name} names no file: {error!r}")
            raise
        finally:
            took = round(time.monotonic() - began, 3)
            if took > self.slowest:
                self.slowest = took
                self.journal.note(slowest=name, took=took)

    def persist(self, path: str, attempt: _Attempt) -> bool:
        """Make an attempt until it succeeds; False if the end comes first."""
        if self.file is None:
            self.file = self.opened(path)
        if self.succeeds(attempt, self.file):
            return True
        self.journal.note(failing=self.name)
        recovered = ""
        while not recovered and not self.is_over():
            time.sleep(RETRY)
            recovered = self.recovered(path, attempt)
        self.journal.note(recovered=recovered, by=self.name)
        return bool(recovered)

    def recovered(self, path: str, attempt: _Attempt) -> str:
        """What let an attempt succeed, if anything did."""
        if self.succeeds(attempt, self.file):
            return "same"
        new = self.opened(path)
        if not self.succeeds(attempt, new):
            self.close(new)
            return ""
        for _ in range(PATIENCE if self.file else 0):
            if self.succeeds(attempt, self.file):  # by now
                self.close(new)
                return "same"
            time.sleep(RETRY)
        old, self.file = self.file, new
        self.close(old)
        return "new" if old else "opened"

    def succeeds(self, attempt: _Attempt, file: Optional[gfapi.File]) -> bool:
        if file is None:
            return False
        try:
            attempt(file)
        except OSError:
            return False
        return True

    def opened(self, path: str) -> Optional[gfapi.File]:
        try:
            return self.open(path)
        except OSError:
            return None

    def open(self, path: str) -> gfapi.File:
        raise NotImplementedError

    def close(self, file: Optional[gfapi.File]) -> None:
        if file is not None:
            with contextlib.suppress(OSError):
                self.call("close", file.close)


class Writer(Worker):
    """Writes files record by record, and notes what a sync has made safe.

    What a sync that failed was for, is written again.
    """

    def __init__(self, *arguments: Any, folder: str) -> None:
        super().__init__(*arguments)
        self.folder = folder

    def run(self) -> None:
        number = 0
        while not self.is_over():
            self.write_file(f"{self.folder}/{self.name}-{number}")
            number += 1

    def write_file(self, path: str) -> None:
        size, count = self.choose.choice(SIZES), self.choose.randint(1, 200)
        self.journal.note(file=path, size=size)
        safe = 0
        while safe < count and not self.is_over():
            step = range(safe, min(safe + self.choose.randint(1, 5), count))
            if self.persist(path, partial(self.write, path=path, size=size, step=step)):
                safe = step.stop
                self.journal.note(file=path, safe=safe)
            time.sleep(self.choose.random() * PAUSE * 2)
        self.close(self.file)
        self.file = None

    def write(self, file: gfapi.File, path: str, size: int, step: range) -> None:
        if self.choose.random() < 0.5:
            for number in step:
                self.call("write", file.pwrite, record(path, number, size), number * size)
        else:
            file.lseek(step.start * size, os.SEEK_SET)
            for number in step:
                self.call("write", file.write, record(path, number, size))
        sync = self.choose.choice(("fsync", "fdatasync"))
        self.call(sync, getattr(file, sync))

    def open(self, path: str) -> gfapi.File:
        flags = os.O_RDWR | os.O_CREAT
        return gfapi.File(self.call("open", self.vol.open, path, flags, 0o644), path)


class Reader(Worker):
    """Reads what is safe, again and again; what it reads must be right, or be an error."""

    def run(self) -> None:
        while not self.is_over():
            states = [state for state in list(self.journal.files.values()) if state.safe]
            if states:
                self.read_file(self.choose.choice(states))
            time.sleep(PAUSE)

    def read_file(self, state: State) -> None:
        for _ in range(self.choose.randint(1, 50)):
            number = self.choose.randrange(state.safe)
            if not self.persist(state.file, partial(self.read, state=state, number=number)):
                break
            time.sleep(PAUSE)
        self.close(self.file)
        self.file = None

    def read(self, file: gfapi.File, state: State, number: int) -> None:
        found = self.call("read", file.pread, state.size, number * state.size)
        if found != record(state.file, number, state.size):
            what = (
                f"{len(found)} bytes that are not it, {found[:80]!r}; {self.again(state, number)}"
            )
            self.journal.note(wrong=f"{state.file}, record {number}, was read as {what}")

    def again(self, state: State, number: int) -> str:
        """What is seen right after a wrong read: the file's size, and the record read again."""
        new = self.opened(state.file)
        said = [f"{state.safe} records of {state.size} bytes are safe"]
        for name, file in (("it", self.file), ("a new one", new)):
            try:
                stat, data = file.fstat(), file.pread(state.size, number * state.size)
            except (OSError, AttributeError) as error:  # it is None where opening has failed
                said.append(f"{name}: {error!r}")
            else:
                is_right = data == record(state.file, number, state.size)
                what = f"{stat.st_size} bytes in {stat.st_blocks} blocks, mode {stat.st_mode:o}"
                said.append(f"{name} has {what}, and is read as {is_right}")
        self.close(new)
        return "; ".join(said)

    def open(self, path: str) -> gfapi.File:
        return self.call("open", self.vol.fopen, path)


def be_a_load(
    hosts: str, volname: str, folder: str, path: str, threads: int, seed: str, end: Any = sys.stdin
) -> None:
    """Be the process, until ``end`` does."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # says where it hangs
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who starts it gets that too, and ends it
    threading.excepthook = _die
    over = threading.Event()
    with gfapi.Volume(hosts.split(","), volname) as vol:
        journal = Journal(path)
        vol.makedirs(folder, exist_ok=True)
        crew: list[Worker] = []
        for number in range(threads + 1):
            choose = random.Random(f"{seed}-{number}")
            if number < threads:
                crew.append(Writer(vol, journal, choose, over.is_set, folder=folder))
            else:
                crew.append(Reader(vol, journal, choose, over.is_set))
            crew[-1].name = f"{type(crew[-1]).__name__}{number}"
            crew[-1].start()
        end.read()
        over.set()
        for thread in crew:
            thread.join()


def _die(failure: Any) -> None:
    """A thread that fails otherwise than by an OSError would be missed by nobody."""
    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    os._exit(1)


class Load:
    """A process that writes records to a volume, and reads them, while it is in a ``with`` block.

    :param volume: the volume.
    :param folder: where on it, a path that no other load has.
    :param journal: the local file to note in what is safe.
    :param seed: decides what is written.
    :param threads: how many of its threads write; another one reads.
    :ivar crash: what was wrong with its end, if anything, in words.
    :ivar hung: whether it did not end.
    """

    def __init__(
        self,
        volume: sandbox.SandboxVolume,
        folder: str,
        journal: str,
        seed: object,
        threads: int = 2,
    ) -> None:
        self.crash = ""
        self.hung = False
        self.journal = journal
        self._follower = Follower(journal)
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115
        command = [sys.executable, __file__, ",".join(volume.hosts), volume.name]
        self._process = subprocess.Popen(
            [*command, folder, journal, str(threads), str(seed)],
            stdin=subprocess.PIPE,
            stderr=self._said,
        )

    def __enter__(self) -> Load:
        try:
            self.go_on(1)
        except BaseException:
            self._process.kill()
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def go_on(self, more: int, timeout: float = 60.0) -> None:
        """Return when so many more records are safe than now, and no thread fails.

        :raises TimeoutError: if that takes longer than timeout seconds.
        :raises ChildProcessError: if the process has ended.
        """
        wanted, deadline = self.now.safe + more, time.monotonic() + timeout
        while self.now.safe < wanted or self.now.failing:
            if self._process.poll() is not None:
                raise ChildProcessError(f"the load ended: {self.stop()}")
            if time.monotonic() > deadline:
                failing = ", ".join(sorted(self.now.failing)) or "none"
                raise TimeoutError(
                    f"no {more} records became safe within {timeout} s; failing: {failing}"
                )
            time.sleep(0.05)

    @property
    def now(self) -> Follower:
        """What its journal says."""
        return self._follower.read()

    def stop(self, timeout: float = HANG) -> str:
        """End it, and return what is wrong with how it ended; nothing if all is well."""
        if self._said.closed:
            return self.crash
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(1)
            self._process.kill()
            self.hung = True
        code = self._process.wait()
        with self._said:
            self._said.seek(0)
            said = self._said.read()
        if self.hung:
            self.crash = f"it did not end within {timeout} s: {said}"
        elif code or said:
            self.crash = f"exit code {code}: {said}"
        return self.crash


if __name__ == "__main__":
    hosts, volname, folder, path, threads, seed = sys.argv[1:]
    be_a_load(hosts, volname, folder, path, int(threads), seed)
