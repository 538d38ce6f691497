"""Records that can be recognised, the journal of those that are safe, and what is left of them.

Each record says which file and which place in it it belongs to, and is random otherwise, so that
:func:`check` knows one that is lost, torn or in a wrong place. ``load.py`` writes them.
"""

from __future__ import annotations

import collections
import errno
import functools
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from gluster import gfapi

_HEAD = re.compile(rb"(\S+) (\d+) (\d+) ")


@functools.lru_cache(1000)
def record(path: str, number: int, size: int) -> bytes:
    """The record that belongs at ``number * size`` of a file."""
    head = f"{path} {number} {size} ".encode()
    assert len(head) < size, "no record would be like it, and no part of one"
    return head + hashlib.shake_128(head).digest(size - len(head))


def is_record(data: bytes) -> bool:
    """Whether it is a whole record, be it of another place or file."""
    found = _HEAD.match(data)
    if found is None or len(data) != int(found[3]):
        return False
    return data == record(found[1].decode(errors="replace"), int(found[2]), int(found[3]))


# -------------------------------------------------------------------------------- the journal


@dataclass
class State:
    """What a journal says of a file: records of ``size`` bytes, the first ``safe`` of them safe."""

    file: str
    size: int
    safe: int = 0


class Journal:
    """A local file of what happens to a load, a JSON object a line, with the time ``at``:

    * ``file, size``: a file has been begun, of records of so many bytes;
    * ``file, safe``: a sync has returned, and so many records are safe now;
    * ``error, call, took``: a call failed with this errno after so many seconds;
    * ``slowest, took``: no call of this thread took longer before;
    * ``failing``: a thread fails from now on; ``recovered, by``: no more, by the same File, or a
      new one, or it never had one; empty if the end came first;
    * ``wrong``: something is not as it should be, in words.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.files: dict[str, State] = {}

    def note(self, **event: Any) -> None:
        """Append an event."""
        line = json.dumps({"at": round(time.time(), 3), **event})
        os.write(self._descriptor, line.encode() + b"\n")
        learn(self.files, event)


class Follower:
    """What a journal says so far, while it grows.

    :ivar files: the state of each file, by its path.
    :ivar failing: the threads whose calls fail.
    :ivar errors: how many calls have failed.
    """

    def __init__(self, journal: str) -> None:
        Path(journal).touch()
        self._journal = journal
        self._place = 0
        self.files: dict[str, State] = {}
        self.failing: set[str] = set()
        self.errors = 0

    def read(self) -> Follower:
        """Take in what is new."""
        for event, place in _events(self._journal, self._place):
            self._place = place
            learn(self.files, event)
            self.errors += "error" in event
            if "failing" in event:
                self.failing.add(event["failing"])
            elif "recovered" in event:
                self.failing.discard(event["by"])
        return self

    @property
    def safe(self) -> int:
        """The number of records that are safe."""
        return sum(state.safe for state in self.files.values())


def events(journal: str) -> Iterator[dict[str, Any]]:
    """What has happened."""
    return (event for event, _ in _events(journal, 0))


def _events(journal: str, place: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Each event from a place on, and the place behind it."""
    with open(journal, "rb") as lines:
        lines.seek(place)
        for line in lines:
            if not line.endswith(b"\n"):  # it is just being written
                break
            place += len(line)
            yield json.loads(line), place


def learn(files: dict[str, State], event: Mapping[str, Any]) -> None:
    """Take in what an event says of a file."""
    if "size" in event:
        files[event["file"]] = State(event["file"], event["size"])
    elif "safe" in event:
        files[event["file"]].safe = event["safe"]


# --------------------------------------------------------------------------------- the checker


@dataclass
class Tally:
    """What became of a load, and of the records that a sync had made safe.

    :ivar safe: how many there were.
    :ivar lost: those that are not there, or nothing but zeros, in words.
    :ivar torn: those of which a part is there, in words.
    :ivar misplaced: whole records where another one belongs, in words.
    :ivar wrong: whatever else is not as it should be, e.g. reads that gave something else than
        was safe, without an error.
    :ivar errors: how often a call failed with which errno, e.g. ``("fsync", 107)``.
    :ivar slowest: how many seconds a call took at most.
    :ivar slowest_error: the same of calls that failed.
    :ivar recovered: how often, after errors, the ``"same"`` File worked again, or only a ``"new"``
        one, or one was ``"opened"`` at last.
    :ivar crashes: how many processes ended otherwise than they should.
    :ivar hangs: how many did not end.
    :ivar done: what else was done how often.
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
    slowest_error: float = 0.0
    recovered: collections.Counter[str] = field(default_factory=collections.Counter)
    crashes: int = 0
    hangs: int = 0
    done: collections.Counter[str] = field(default_factory=collections.Counter)

    @property
    def is_good(self) -> bool:
        """Whether all was as it should be."""
        return not (self.complaints or self.crashes or self.hangs)

    @property
    def complaints(self) -> list[str]:
        """All that was not, in words."""
        sorts = ("lost", "torn", "misplaced", "wrong")
        return [f"{sort}: {what}" for sort in sorts for what in getattr(self, sort)]

    @property
    def misread(self) -> list[str]:
        """The records that were not read as they are, in words."""
        return [what for what in self.complaints if not what.startswith("wrong")]

    @property
    def failures(self) -> str:
        """The calls that failed and with what, e.g. "fsync ENOTCONN"."""
        names = (f"{call} {errno.errorcode.get(n or 0, str(n))}" for call, n in self.errors)
        return ", ".join(sorted(names))

    def __iadd__(self, other: Tally) -> Tally:
        for name in ("safe", "lost", "torn", "misplaced", "wrong", "crashes", "hangs"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors.update(other.errors)
        self.recovered.update(other.recovered)
        self.done.update(other.done)
        self.slowest = max(self.slowest, other.slowest)
        self.slowest_error = max(self.slowest_error, other.slowest_error)
        return self


def check(journal: str, places: Mapping[str, Callable[[str], bytes]]) -> Tally:
    """Look for what a journal says is safe.

    :param places: where: each gives the content of a file by its path on the volume, e.g.
        ``{"a client": from_client(vol), "brick 0": from_folder(brick.path)}``.
    """
    tally, files = Tally(), {}
    for event in events(journal):
        learn(files, event)
        if "error" in event:
            tally.errors[event["call"], event["error"]] += 1
            tally.slowest_error = max(tally.slowest_error, event["took"])
        elif "wrong" in event:
            tally.wrong.append(event["wrong"])
        elif event.get("recovered"):
            tally.recovered[event["recovered"]] += 1
        tally.slowest = max(tally.slowest, event.get("took", 0.0))
    for state in files.values():
        if state.safe:
            tally.safe += state.safe
            for place, read in places.items():
                _check_file(state, place, read, tally)
    return tally


def _check_file(state: State, place: str, read: Callable[[str], bytes], tally: Tally) -> None:
    path, size = state.file, state.size
    try:
        content = read(path)
    except FileNotFoundError:
        content = b""
    except OSError as error:
        tally.wrong.append(f"{path} cannot be read by {place}: {error}")
        return
    for number in range(max(state.safe, -(-len(content) // size))):
        found = content[number * size : (number + 1) * size]
        if found == record(path, number, size):
            continue
        where = f"{path}, record {number}, by {place}"
        if is_record(found):  # where nothing is safe yet, that is as wrong
            tally.misplaced.append(where)
        elif number < state.safe:
            (tally.torn if found.strip(b"\0") else tally.lost).append(where)


def from_client(vol: gfapi.Volume) -> Callable[[str], bytes]:
    """What :func:`check` reads with, by way of a client."""

    def read(path: str) -> bytes:
        with vol.fopen(path) as file:
            return file.read()

    return read


def from_folder(folder: str) -> Callable[[str], bytes]:
    """What :func:`check` reads with, where whole files are below a folder, as a brick's."""
    return lambda path: Path(folder + path).read_bytes()
