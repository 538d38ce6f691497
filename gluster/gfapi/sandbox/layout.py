"""The kind of a volume: how its bricks store its files."""

from __future__ import annotations

from dataclasses import dataclass

from .exceptions import SandboxError

_MOST_BRICKS = 1000  # each is a process


@dataclass(frozen=True)
class Layout:
    """How many bricks a volume has and what each of them holds.

    :param replica: copies of each file, or 0 for one.
    :param arbiter: how many bricks of a replica set keep names and metadata only: 0 or 1.
    :param disperse: bricks that each file is erasure-coded over, or 0.
    :param redundancy: how many of those may be lost, or 0 for GlusterFS's own choice.
    :param distribute: sets of bricks that the files are spread over.
    :raises SandboxError: if GlusterFS has no such kind of volume.
    """

    replica: int = 0
    arbiter: int = 0
    disperse: int = 0
    redundancy: int = 0
    distribute: int = 1

    def __post_init__(self) -> None:
        for name in ("replica", "arbiter", "disperse", "redundancy", "distribute"):
            if not isinstance(getattr(self, name), int):
                raise SandboxError(f"{name} is {getattr(self, name)!r}; it must be an int.")
        for impossible, reason in (
            (self.distribute < 1, "distribute must be 1 or more"),
            (self.replica < 0 or self.replica == 1, "replica must be 2 or more, or 0 for none"),
            (self.replica and self.disperse, "a volume is either replicated or dispersed"),
            (self.arbiter not in (0, 1), "arbiter must be 0 or 1"),
            (self.arbiter and self.replica != 3, "an arbiter needs replica 3"),
            (self.redundancy and not self.disperse, "redundancy needs disperse"),
            (self.disperse and self.disperse < 3, "disperse must be 3 or more, or 0 for none"),
            (self.redundancy < 0, "redundancy must be 1 or more, or 0 for the default"),
            (
                self.redundancy and 2 * self.redundancy >= self.disperse,
                "redundancy must be less than half of disperse",
            ),
        ):
            if impossible:
                raise SandboxError(f"No such kind of volume, {self}: {reason}.")
        check_room(self.bricks)

    @property
    def bricks(self) -> int:
        """The number of bricks."""
        return (self.replica or self.disperse or 1) * self.distribute

    def arguments(self) -> list[str]:
        """The words of ``gluster volume create`` that ask for this kind."""
        words = ("replica", "arbiter", "disperse", "redundancy")
        return [
            part
            for word in words
            if getattr(self, word)
            for part in (word, str(getattr(self, word)))
        ]

    def __str__(self) -> str:
        given = self.arguments()
        pairs = [" ".join(given[i : i + 2]) for i in range(0, len(given), 2)]
        if self.distribute != 1:
            pairs.append(f"distribute {self.distribute}")
        return ", ".join(pairs) or "plain"


def check_room(bricks: int) -> None:
    """See that a volume may get so many bricks.

    :raises SandboxError: if not.
    """
    if not isinstance(bricks, int):
        raise SandboxError(f"{bricks!r} is no number of bricks; it must be an int.")
    if not 1 <= bricks <= _MOST_BRICKS:
        raise SandboxError(f"No sandbox has room for {bricks} bricks of a volume.")
