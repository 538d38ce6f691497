"""Companions of a load: they do what a change of the volume must not be seen in, again and again.

:class:`Company` is a process of them beside the one that writes records. What they work on stays
from round to round, so it also shows what a heal or a rebalance has made of older files.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import faulthandler
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from gluster import gfapi
from gluster.gfapi import sandbox

CHILD_HANG = 60.0  # seconds that a child may take
HANG = 150.0  # seconds that the company may take to begin or end
HOME = "/companions"
PARTLY = "a listing that is not in full"
LEFT_BEHIND = "an open directory has to be opened again"
FORKED_BADLY = "a child says that it was forked at a bad moment"
REFUSED = 99  # what such a child ends with
TREE = {
    f"{HOME}/tree/{above}/{folder}": [f"{above}-{folder}-{number}" for number in range(10)]
    for above in ("a", "b")
    for folder in range(4)
}
SOURCE = {f"{HOME}/source/{n % 3}/{n}": random.Random(n).randrange(300_000) for n in range(12)}


def content(path: str) -> bytes:
    """What a file of the tree, or of the source of copies, has in it."""
    size = SOURCE.get(path, 200)
    return (path.encode() * (size // len(path) + 1))[:size]


class Companion(threading.Thread):
    """Takes step after step.

    :cvar STEPS: what its steps are.
    :ivar done: how many steps it has taken.
    :ivar say: is called with what was wrong, in words.
    """

    STEPS = ""

    def __init__(self, company: Members, seed: str) -> None:
        super().__init__()
        self.vol, self.other = company.vol, company.other
        self.is_over, self.say = company.over.is_set, company.say
        self.choose = random.Random(f"{seed}-{self.kind()}")
        self.done = 0

    @classmethod
    def kind(cls) -> str:
        return cls.__name__.lower()

    def run(self) -> None:
        with contextlib.ExitStack() as self.stack:
            self._attempt(self.begin)
            while not self.is_over():
                self._attempt(self.step)
                self.done += 1
                time.sleep(0.02)

    def _attempt(self, step: Callable[[], Any]) -> None:
        try:
            step()
        except (OSError, AssertionError, gfapi.Error, gfapi.LibgfapiException) as error:
            names = [os.fsdecode(name) for name in names_in(error) if name]
            self.say(f"{self.kind()}: {error!r} {names}")
            time.sleep(0.1)

    def begin(self) -> None:
        """What is done once."""

    def step(self) -> None:
        raise NotImplementedError

    def expect(self, found: Any, wanted: Any, what: str) -> None:
        if found != wanted:
            self.say(f"{self.kind()}: {what}: {found!r:.300} instead of {wanted!r:.300}")

    def expect_list(self, found: list[str], wanted: list[str], what: str) -> None:
        missing, twice = (
            sorted((collections.Counter(one) - collections.Counter(other)).elements())
            for one, other in ((wanted, found), (found, wanted))
        )
        if missing or twice:
            self.say(f"{self.kind()}: {PARTLY}: {what}: missing {missing}, too much {twice}")


class Walker(Companion):
    """Sees a tree in full: nothing is missing or there twice, and what it opens is right."""

    STEPS = "walks"

    def step(self) -> None:
        threads = self.choose.choice((None, 1))
        found = [
            f"{folder}/{name}"
            for folder, _, names in self.vol.walk(f"{HOME}/tree", threads=threads)
            for name in names
        ]
        wanted = [f"{folder}/{name}" for folder, names in TREE.items() for name in names]
        self.expect_list(found, wanted, f"walk with threads={threads}")
        for path in self.choose.sample(wanted, 5):
            self.expect(read(self.vol, path), content(path), path)


class Copier(Companion):
    """Copies a tree, and compares."""

    STEPS = "copies of a tree"

    def step(self) -> None:
        target = f"{HOME}/copy-{os.getpid()}-{self.done}"
        self.vol.copytree(f"{HOME}/source", target)
        for path in SOURCE:
            copy = target + path[len(f"{HOME}/source") :]
            found, wanted = read(self.vol, copy), content(path)
            if found != wanted:
                again = [(len(data), data == wanted) for data in self._read_again(copy, path)]
                what = f"{copy} is as {path}; read again, copy and original: {again}"
                self.expect((len(found), False), (len(wanted), True), what)
        self.vol.rmtree(target)

    def _read_again(self, *paths: str) -> list[bytes]:
        time.sleep(1)  # for which caches of the client may be wrong
        return [read(self.vol, path) for path in paths]


class Locker(Companion):
    """Holds a lock for a while: it keeps another client out, and lets it in when it is gone."""

    STEPS = "locks"

    def step(self) -> None:
        path = f"{HOME}/lock"
        with self.vol.fopen(path, "r+") as one, self.other.fopen(path, "r+") as two:
            one.lockf(fcntl.LOCK_EX, 10, 10)
            until = time.monotonic() + self.choose.random() * 2
            while time.monotonic() < until:
                try:
                    two.lockf(fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(0.02)
                else:
                    self.say("locker: both clients have the lock")
                    return
            if self.choose.random() < 0.5:
                one.lockf(fcntl.LOCK_UN, 10, 10)
            else:
                one.close()
            two.lockf(fcntl.LOCK_EX, timeout=30)
            if one.closed:
                one.__init__(self.vol.open(path, os.O_RDWR))  # type: ignore[misc]


class Keeper(Companion):
    """Keeps a directory, a file, a handle and a working directory, and uses them."""

    STEPS = "uses of what is open"

    def begin(self) -> None:
        self.folder, names = self.choose.choice(sorted(TREE.items()))
        self.path = f"{self.folder}/{names[0]}"
        self.listing = self.vol.opendir(self.folder)
        self.stack.callback(lambda: self.listing.close())
        self.file = self.stack.enter_context(self.vol.fopen(self.path))
        self.handle = self.stack.enter_context(self.vol.lookup(self.path))
        self.other.chdir(self.folder)

    def step(self) -> None:
        names = TREE[self.folder]
        self.expect_list(self.listed(), [".", "..", *names], f"open {self.folder}")
        self.expect(self.file.pread(1000, 0), content(self.path), "what was open")
        self.expect(self.handle.stat().st_size, len(content(self.path)), "size by handle")
        with gfapi.File(self.handle.open(os.O_RDONLY)) as file:
            self.expect(file.read(), content(self.path), "by handle")
        self.expect(self.other.stat(names[1]).st_size, 200, "size by relative path")

    def listed(self) -> list[str]:
        """What is in the open directory, which is opened again if its brick has gone."""
        try:
            self.listing.rewind()
            return [os.fsdecode(entry.d_name) for entry in self.listing]
        except OSError as error:
            if error.errno not in (errno.EBADFD, errno.ENOTCONN):
                raise
            self.say(f"keeper: {LEFT_BEHIND}: {error!r}")
        old, self.listing = self.listing, self.vol.opendir(self.folder)
        old.close()
        return [os.fsdecode(entry.d_name) for entry in self.listing]


class Forker(Companion):
    """Forks children that use the volume: each lives, works and ends."""

    STEPS = "children"

    def step(self) -> None:
        pid = os.fork()
        if not pid:
            self._be_a_child()
        deadline = time.monotonic() + CHILD_HANG
        while (waited := os.waitpid(pid, os.WNOHANG)) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGABRT)  # which says where it is
                os.waitpid(pid, 0)
                self.say(f"forker: the child {pid} hung")
                return
            time.sleep(0.01)
        if os.WEXITSTATUS(waited[1]) == REFUSED:
            self.say(f"forker: {FORKED_BADLY}")
        else:
            self.expect(waited[1], 0, f"status of child {pid}")
        time.sleep(self.choose.random() * 0.2)

    def _be_a_child(self) -> None:
        code = 1
        try:
            path = f"{HOME}/child-{os.getpid()}"
            with self.vol.fopen(path, "x+") as file:
                file.write(content(path))
                file.fsync()
            assert read(self.vol, path) == content(path)
            self.vol.unlink(path)
            folder, names = sorted(TREE.items())[0]
            self.expect_list(self.vol.listdir(folder), names, f"{folder} in a child")
            self.vol.umount()
            code = 0
        except gfapi.LibgfapiException as error:
            code = REFUSED if "fork again" in str(error) else 1
            if code == 1:
                sys.excepthook(*sys.exc_info())
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)


KINDS = {kind.kind(): kind for kind in (Walker, Copier, Locker, Keeper, Forker)}


def names_in(error: Exception) -> tuple[Any, Any]:
    return getattr(error, "filename", None), getattr(error, "filename2", None)


def read(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


def prepare(vol: gfapi.Volume) -> None:
    """Make what companions work on, once for a volume."""
    if vol.exists(f"{HOME}/lock"):
        return
    paths = [f"{folder}/{name}" for folder, names in TREE.items() for name in names]
    for path in [*paths, *SOURCE]:
        vol.makedirs(os.path.dirname(path), exist_ok=True)
        with vol.fopen(path, "x") as file:
            file.write(content(path))
    vol.mknod(f"{HOME}/lock", 0o600)


# --------------------------------------------------------------------------------- the processes


class Members:
    """The companions of a process, which say to a journal what is wrong."""

    def __init__(self, hosts: list[str], volname: str, journal: str) -> None:
        self.vol, self.other = gfapi.Volume(hosts, volname), gfapi.Volume(hosts, volname)
        self.over = threading.Event()
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, **event: Any) -> None:
        os.write(self._journal, json.dumps(event).encode() + b"\n")

    def say(self, wrong: str) -> None:
        self.note(wrong=f"{time.time():.3f} {wrong}")

    def work(self, kinds: list[str], seed: str) -> None:
        with self.vol, self.other:
            members = [KINDS[kind](self, seed) for kind in kinds]
            for member in members:
                member.start()
            self.note(started=os.getpid())
            parent = os.getppid()
            # A signal may reach another thread than this one, which then has to look for itself.
            while not self.over.wait(1) and os.getppid() == parent:
                pass
            self.over.set()
            for member in members:
                member.join()
                self.note(steps=member.STEPS, done=member.done)


class Company:
    """A process of companions.

    :param volume: the volume, which nothing else works on below ``/companions``.
    :param journal: a local file, which is made.
    :param seed: decides what is random.
    :param kinds: which of :data:`KINDS`.
    :ivar done: how many steps each kind of them took; known at the end.
    :ivar wrong: what they found wrong, in words; known at the end.
    :ivar crash: how it ended if not as it should.
    """

    def __init__(
        self,
        volume: sandbox.SandboxVolume,
        journal: str,
        seed: object,
        kinds: tuple[str, ...] = tuple(KINDS),
    ) -> None:
        self.done: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        self.crash = ""
        self.hung = False
        self._journal = journal
        with volume.client() as vol:
            prepare(vol)
        quiet = ("-W", "ignore:This process:DeprecationWarning")  # each fork beside threads
        place = (",".join(volume.hosts), volume.name, journal, str(seed))
        self._process = subprocess.Popen(
            [sys.executable, *quiet, __file__, *place, *kinds],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Company:
        deadline = time.monotonic() + HANG
        while not any("started" in event for event in self._events()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ChildProcessError(f"the companions did not start: {self.crash}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.terminate()
        try:
            _, said = self._process.communicate(timeout=HANG)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)
            _, said = self._process.communicate()
            self.hung = True
        if self._process.returncode or said:
            self.crash = f"companions: exit code {self._process.returncode}: {said}"
        for event in self._events():
            if "wrong" in event:
                self.wrong.append(event["wrong"])
            elif "done" in event:
                self.done[event["steps"]] = event["done"]

    def _events(self) -> Iterator[dict[str, Any]]:
        with contextlib.suppress(FileNotFoundError):
            for line in Path(self._journal).read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    yield json.loads(line)


def main() -> None:
    hosts, volname, journal, seed, *kinds = sys.argv[1:]
    faulthandler.enable()
    members = Members(hosts.split(","), volname, journal)
    signal.signal(signal.SIGTERM, lambda *_: members.over.set())
    members.work(kinds, seed)


if __name__ == "__main__":
    main()
