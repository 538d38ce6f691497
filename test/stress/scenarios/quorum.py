"""Too few bricks: what fails, with what and how soon; and what works when they are back."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from records import Journal

from . import Stage, scenario

SOON = 5.0  # seconds within which a call fails if the bricks are known to be gone
PING_TIMEOUT = 3  # seconds
BACK = 15.0  # seconds within which a client is connected again
#: Reads of what a client has in memory may succeed.
_MUST_FAIL = ("write", "fsync", "open to write", "mkdir")


@scenario("quorum-lost", "replica", "arbiter", "disperse", network__ping_timeout=PING_TIMEOUT)
def quorum_lost(stage: Stage) -> None:
    """Two of three bricks die."""
    dead = stage.choose.sample(range(3), 2)
    with Probe(stage, SOON) as probe:
        for number in dead:
            stage.volume.kill_brick(number)

        probe.all_fail()
        for number in dead:
            stage.volume.start_brick(number)
        probe.recover()
    stage.go_on()


@scenario(
    "quorum-hangs",
    "replica",
    "arbiter",
    "disperse",
    network__ping_timeout=PING_TIMEOUT,
)
def quorum_hangs(stage: Stage) -> None:
    """Two of three bricks hang, for longer than the ping-timeout."""
    # Who hears nothing asks, waits so long for the answer, and may have asked just before.
    with Probe(stage, 2 * PING_TIMEOUT + SOON) as probe:
        with stopped(brick.pid or 0 for brick in stage.choose.sample(stage.volume.bricks, 2)):
            probe.all_fail()
        probe.recover()
    stage.go_on()


@scenario("server-quorum", "replica", "distribute", cluster__server_quorum_type="server")
def server_quorum(stage: Stage) -> None:
    """Two of three nodes die, so the third one ends its bricks."""
    cluster = stage.volume.cluster
    dead = stage.choose.sample(range(3), 2)
    (left,) = {0, 1, 2}.difference(dead)
    with Probe(stage, SOON) as probe:
        for number in dead:
            cluster.kill_node(number)
        began = time.monotonic()
        while stage.volume.bricks[left].alive:
            if time.monotonic() > began + BACK:
                stage.complaints.append("the brick outlived the quorum of servers")
                break
            time.sleep(0.05)
        probe.all_fail()
        for number in dead:
            cluster.start_node(number)
        probe.recover()
    stage.go_on()


@contextlib.contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """A block within which processes hang."""
    pids = list(pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class Probe:
    """A client with a File that is open for as long as it takes.

    :param within: how many seconds a call may take to fail.
    """

    def __init__(self, stage: Stage, within: float) -> None:
        self.stage = stage
        self.within = within
        self.journal = Journal(stage.load.journal)
        self.path = f"{stage.folder}/probe"

    def __enter__(self) -> Probe:
        self.vol = self.stage.volume.client()
        self.vol.mount()
        self.file = self.vol.fopen(self.path, "x+")
        self.file.write(b"before")
        self.file.fsync()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.vol.umount()

    @property
    def calls(self) -> dict[str, Callable[[], Any]]:
        # As those of others: what is not asked for often is looked at every time.
        return {
            "write": lambda: self.file.pwritev([b"during"], 6, os.RWF_DSYNC),
            "fsync": self._write_and_fsync,
            "read": lambda: self.file.pread(6, 0),
            "stat": lambda: self.vol.stat(self.path),
            "open": lambda: self.vol.fopen(self.path).close(),
            "open to write": lambda: self.vol.fopen(f"{self.path}-new", "w").close(),
            "mkdir": lambda: self.vol.mkdir(f"{self.path}-dir"),
            "listdir": lambda: self.vol.listdir(self.stage.folder),
        }

    def _write_and_fsync(self) -> None:
        self.file.pwrite(b"during", 6)
        self.file.fsync()

    def all_fail(self) -> None:
        """What changes something fails, soon and with a clear errno; what reads may."""
        for name, call in self.calls.items():
            began = time.monotonic()
            try:
                call()
            except OSError as error:
                took = time.monotonic() - began
                self.journal.note(error=error.errno, call=name, took=round(took, 3))
                if took > self.within:
                    self.stage.complaints.append(f"{name} took {took:.1f} s to fail")
            else:
                if name in _MUST_FAIL:
                    self.stage.complaints.append(f"{name} succeeded without a quorum")

    def recover(self) -> None:
        """All works again, on the same File if that can be."""
        deadline = time.monotonic() + BACK
        while True:
            try:
                self._write_and_fsync()
            except OSError:
                if time.monotonic() > deadline:
                    self._open_anew()
                    return
                time.sleep(0.1)
            else:
                self.stage.done["probe: same File again"] += 1
                return

    def _open_anew(self) -> None:
        with contextlib.suppress(OSError):
            self.file.close()
        try:
            self.file = self.vol.fopen(self.path, "r+")
            self._write_and_fsync()
        except OSError as error:
            self.stage.complaints.append(f"not even a new File works again: {error!r}")
        else:
            self.stage.done["probe: new File"] += 1
