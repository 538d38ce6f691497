"""What a row of the table is: an operation, against whom it is measured, and its goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

OURS = "ours"

#: What each contender is called in the table.
CONTENDERS = {
    OURS: "gfapi",
    "c": "C",
    "older": "gfapi 1.2",
    "fuse": "FUSE",
    "fio": "fio (gfapi engine)",
    "python": "python -c pass",
}

#: Those that do all operations of a group, since one may build on another.
WHOLE = {OURS, "c", "older", "fuse"}


def duration(seconds: float) -> str:
    """A time, with three digits that count."""
    for factor, unit in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms")):
        if abs(seconds) * factor < 999.5:
            return f"{_three_digits(seconds * factor)} {unit}"
    return f"{_three_digits(seconds)} s"


def throughput(seconds_per_mebibyte: float) -> str:
    """A speed, from the time for a MiB."""
    return f"{1 / seconds_per_mebibyte:.0f} MiB/s"


def memory(count: float) -> str:
    """Bytes, as MiB."""
    return f"{count / 2**20:.1f} MiB"


def _three_digits(number: float) -> str:
    digits = 2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0
    return f"{number:.{digits}f}"


@dataclass(frozen=True)
class Goal:
    """What is to be reached.

    :ivar text: as the table shows it.
    :ivar is_met: given our figure and the other's.
    :ivar ratio: the ratio from which it is met, if the goal is one.
    """

    text: str
    is_met: Callable[[float, float], bool]
    ratio: Optional[float] = None


def at_least(ratio: float, text: str = "") -> Goal:
    """Be so many times as fast as the other."""
    return Goal(text or f"≥ {ratio:g}", lambda ours, other: other / ours >= ratio, ratio)


def at_most(limit: float, show: Callable[[float], str] = duration) -> Goal:
    """Stay below a figure, whatever the other's."""
    return Goal(f"≤ {show(limit)}", lambda ours, other: ours <= limit)


def at_most_more(limit: float, show: Callable[[float], str] = duration) -> Goal:
    """Stay within the other's figure and so much."""
    return Goal(f"≤ {show(limit)} more", lambda ours, other: ours - other <= limit)


@dataclass(frozen=True)
class Row:
    """A row of the table.

    :ivar what: what is done, in words.
    :ivar operation: the name it has in the group's Python class and in ``worker.c``.
    :ivar against: one of :data:`CONTENDERS`.
    :ivar goal: None for a figure that is only shown beside others.
    :ivar show: from a figure to text.
    """

    what: str
    operation: str
    against: str
    goal: Optional[Goal] = None
    show: Callable[[float], str] = duration


@dataclass(frozen=True)
class Group:
    """Operations that are measured together.

    :ivar name: what it is called on the command line.
    :ivar title: what it is, in words.
    :ivar rows: its rows of the table.
    :ivar operations: in the order in which a round does them.
    :ivar work: the class whose methods are the operations, in Python.
    :ivar count: how many calls, files, entries or MiB an operation does.
    :ivar per: whether a figure is of one of these, rather than of the whole operation.
    :ivar quick: the count for a trial run.
    :ivar rounds: how often each is done.
    :ivar at_most: fewer rounds of a contender or an operation, by name.
    :ivar slow: the contenders that take ten seconds each time, which a trial run leaves out.
    :ivar pause: seconds to wait before each operation, until the clients' caches have run out.
    :ivar furnish: called once with a Volume, the count and a folder, to make there what all
        contenders find.
    :ivar kind: the kind of volume, if it is not to be chosen.
    :ivar delay: the delay of a call in milliseconds, if it is not to be chosen.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    operations: tuple[str, ...]
    work: Any
    count: int
    quick: int
    rounds: int
    per: str = ""
    at_most: Mapping[str, int] = field(default_factory=dict)
    slow: tuple[str, ...] = ()
    pause: float = 0
    furnish: Optional[Callable[[Any, int, str], None]] = None
    kind: Optional[str] = None
    delay: Optional[float] = None

    @property
    def contenders(self) -> list[str]:
        """Who takes part, ours first."""
        return [OURS, *dict.fromkeys(row.against for row in self.rows)]

    def rounds_of(self, contender: str, operation: str, rounds: int) -> int:
        """How often a contender does an operation: not at all if no row needs it."""
        by_row = contender in WHOLE or any(
            (row.against, row.operation) == (contender, operation) for row in self.rows
        )
        if not by_row:
            return 0
        return min(rounds, *(self.at_most.get(name, rounds) for name in (contender, operation)))
