"""Prove that rmtree and copytree are not led out of their tree by symbolic links.

While they run, other processes on mounts of their own take directories and files of the tree
away, put symbolic links to a victim tree in their place, and take those back, as fast as they can.
After each round the victim is looked at on the bricks: each name, content, mode and time must be
as it was, and no copy may have anything of it. ::

    python test/stress/symlinks.py --rounds 500 --json doc/figures/security.json

It needs root and the GlusterFS server. The exit code is 1 if there was any harm.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import errno
import json
import os
import random
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import figures

from gluster import gfapi
from gluster.gfapi import moving, sandbox

KINDS: dict[str, dict[str, int]] = {
    "plain": {},
    "replica": {"replica": 3},
    "distribute": {"distribute": 3},
    "disperse": {"disperse": 3, "redundancy": 1},
}
VICTIM, SOURCE, COPY = "/victim", "/work/source", "/work/copy"
ASIDE = "/aside"
MARK = b"of the victim "
FOLDERS = ("", "/a", "/b", "/a/c", "/a/c/d")
FILES = ("f", "g", "h")
ATTACKERS = 2
#: After so many seconds without a swap an attacker gives up: rounds without attacks prove nothing.
PATIENCE = 30.0
#: Renames that race leave the copies of a replicated directory accusing each other, and it answers
#: ENOTCONN or EIO from then on, healed or not. So a volume of that kind has few rounds.
MOST_OF_REPLICA = 10


# ------------------------------------------------------------------------------- the attacker


def attack(hosts: list[str], volname: str, number: int, seed: int) -> None:
    """Swap until stdin ends; then say how often.

    :raises RuntimeError: if it cannot for long, with the errors that it got instead.
    """
    choose, is_over, swaps = random.Random(seed), threading.Event(), 0
    errors: collections.Counter[str] = collections.Counter()
    last = time.monotonic()

    def wait_for_end() -> None:
        sys.stdin.read()
        is_over.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    with gfapi.Volume(hosts, volname) as vol:
        print("ready", flush=True)
        while not is_over.is_set():
            error = swap(vol, choose, f"{number}-{swaps}")
            if error is None:
                swaps, last = swaps + 1, time.monotonic()
                errors.clear()
                continue
            errors[errno.errorcode.get(error.errno or 0, str(error))] += 1
            if time.monotonic() > last + PATIENCE:
                raise RuntimeError(f"{swaps} swaps, and then only errors: {dict(errors)}")
    print(swaps)


def swap(vol: gfapi.Volume, choose: random.Random, aside: str) -> OSError | None:
    """Put a symbolic link in the place of something in a tree, for a moment.

    :returns: why it could not.
    """
    top, below = choose.choice((SOURCE, COPY)), choose.choice(FOLDERS)
    name = choose.choice(("a", "b", "c", "d", *FILES))
    try:
        shelf = vol.lookup(ASIDE)
        folder = vol.lookup(top, follow_symlinks=False)
        for part in below.split("/")[1:]:  # never by a link of another attacker
            folder = folder.lookup(part, follow_symlinks=False)
        folder.rename(name, shelf, aside)
    except OSError as error:
        return error
    with contextlib.suppress(OSError):
        folder.symlink(f"{VICTIM}/{name}", name)
        time.sleep(choose.choice((0, 0.001, 0.005, 0.02)))
        folder.unlink(name)
    try:
        shelf.rename(aside, folder, name)
    except OSError:  # its directory is gone
        clear(vol, f"{ASIDE}/{aside}")
    return None


@contextlib.contextmanager
def attackers(volume: sandbox.SandboxVolume, seed: int) -> Iterator[list[int]]:
    """Have them at work; in the list is how often they have swapped, at the end.

    :raises RuntimeError: if one of them has done nothing for long, or all of them at all.
    """
    started, swaps = [], []
    for number in range(ATTACKERS):
        words = (json.dumps(volume.hosts), volume.name, str(number), str(seed + number))
        process = subprocess.Popen(
            [sys.executable, __file__, "--attack", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(gfapi.__file__).parents[2])},
        )
        started.append(process)
    try:
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield swaps
    finally:
        for process in started:
            said, _ = process.communicate(timeout=60)
            swaps.append(0 if process.returncode else int(said))
    if not sum(swaps) or any(process.returncode for process in started):
        raise RuntimeError(f"attackers did nothing, so the rounds prove nothing: {swaps} swaps")


# ------------------------------------------------------------------------------- the rounds


def fill(vol: gfapi.Volume, top: str, content: bytes, folders: tuple[str, ...] = FOLDERS) -> None:
    """Make a tree, as far as the attackers let it."""
    handles: dict[str, gfapi.Handle] = {}
    for path in folders:
        with contextlib.suppress(OSError, KeyError):  # KeyError: the one above is not there
            above, name = os.path.split(top + path)
            parent = handles[above] if path else vol.lookup(above)
            handles[top + path] = folder = parent.mkdir(name, 0o750)
            for name in FILES:
                made, file = folder.create_open(name, os.O_WRONLY | os.O_EXCL)
                with made, file:
                    file.write(content + path.encode())


def clear(vol: gfapi.Volume, path: str) -> None:
    """Remove a tree or whatever has its name, however long the attackers keep it."""
    deadline = time.monotonic() + 60
    while vol.lexists(path):
        assert time.monotonic() < deadline, f"{path} cannot be removed"
        with contextlib.suppress(OSError):
            vol.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            vol.unlink(path)


def rmtree(vol: gfapi.Volume) -> None:
    with contextlib.suppress(OSError):
        vol.rmtree(SOURCE)


def rmtree_ignoring(vol: gfapi.Volume) -> None:
    vol.rmtree(SOURCE, ignore_errors=True, threads=1)


def copytree(vol: gfapi.Volume) -> None:
    with contextlib.suppress(OSError):
        vol.copytree(SOURCE, COPY, symlinks=True)


def copytree_following(vol: gfapi.Volume) -> None:
    with contextlib.suppress(OSError):
        vol.copytree(SOURCE, COPY)


def move(vol: gfapi.Volume) -> None:
    with contextlib.suppress(OSError):
        vol.move(SOURCE, COPY)


def move_by_copy(vol: gfapi.Volume) -> None:
    """What move does where GlusterFS cannot rename."""
    with contextlib.suppress(OSError):
        moving._move_by_copy(vol, SOURCE, COPY, None)


def walk(vol: gfapi.Volume) -> None:
    """It reads by path and may be led astray; it must not crash, and it changes nothing."""
    with contextlib.suppress(OSError):
        for _ in vol.walk(SOURCE, onerror=lambda error: None):
            pass


WAYS: dict[str, Callable[[gfapi.Volume], None]] = {
    "rmtree": rmtree,
    "rmtree, ignore_errors, one thread": rmtree_ignoring,
    "copytree, symlinks=True": copytree,
    "copytree, symlinks=False": copytree_following,
    "move": move,
    "move by copy": move_by_copy,
    "walk": walk,
}
#: Those that copy what links point to.
FOLLOWING = ("copytree, symlinks=False",)


class Outcome(NamedTuple):
    """What became of a way."""

    way: str
    rounds: int
    swaps: int
    harm: list[str]


def run(
    volume: sandbox.SandboxVolume, rounds: int, seed: int, ways: Iterator[str] | None = None
) -> Generator[Outcome, None, None]:
    """Run rounds of each way under attack."""
    with volume.client() as vol:
        fill(vol, VICTIM, MARK, ("", "/a", "/a/c", "/a/c/d", "/b", "/c", "/d"))
        for folder in ("/work", ASIDE):
            vol.mkdir(folder)
        before = seen(volume)
        for way in ways or WAYS:
            with attackers(volume, seed) as swaps:
                harm = [what for _ in range(rounds) for what in round_of(volume, vol, way, before)]
            yield Outcome(way, rounds, sum(swaps), harm)
            for path in (SOURCE, COPY, *(f"{ASIDE}/{name}" for name in vol.listdir(ASIDE))):
                clear(vol, path)


def run_apart(cluster: sandbox.Cluster, kind: str, rounds: int, seed: int) -> Iterator[Outcome]:
    """The same on volumes that are made for it."""
    most = MOST_OF_REPLICA if kind == "replica" else rounds
    for way in WAYS:
        total = Outcome(way, rounds, 0, [])
        for done in range(0, rounds, most):
            volume = cluster.create_volume(kind, **KINDS[kind])
            number = min(most, rounds - done)
            with contextlib.closing(run(volume, number, seed + done, iter([way]))) as outcomes:
                some = next(outcomes)
            volume.delete()
            total = total._replace(swaps=total.swaps + some.swaps, harm=total.harm + some.harm)
        yield total


def round_of(
    volume: sandbox.SandboxVolume, vol: gfapi.Volume, way: str, before: dict[str, Any]
) -> Iterator[str]:
    fill(vol, SOURCE, b"of the tree")
    WAYS[way](vol)
    after = seen(volume)
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            yield f"{way}: {path} was {before.get(path)} and is {after.get(path)}"
    before.clear()
    before.update(after)  # harm is counted once
    if way not in FOLLOWING:
        yield from (f"{way}: {path} was copied from outside" for path in copied(volume))
    clear(vol, COPY)


def seen(volume: sandbox.SandboxVolume) -> dict[str, Any]:
    """The victim as the bricks have it."""
    found = {}
    for brick in volume.bricks:
        for folder, _, names in os.walk(brick.path + VICTIM):
            for path in (folder, *(f"{folder}/{name}" for name in names)):
                status = os.lstat(path)
                content = Path(path).read_bytes() if stat.S_ISREG(status.st_mode) else b""
                found[path] = (status.st_mode, status.st_uid, status.st_mtime_ns, content)
    return found


def copied(volume: sandbox.SandboxVolume) -> Iterator[str]:
    """The files of a copy that have the victim's content."""
    for brick in volume.bricks:
        for folder, _, names in os.walk(brick.path + COPY):
            for name in names:
                path = f"{folder}/{name}"
                with contextlib.suppress(OSError):
                    if not os.path.islink(path) and MARK in Path(path).read_bytes():
                        yield path


# ------------------------------------------------------------------------------- the command line


def main() -> int:
    options = parsed()
    print(f"seed {options.seed}")
    rows = []
    with sandbox.Cluster(nodes=1) as cluster:
        for kind in options.kinds.split(","):
            for outcome in run_apart(cluster, kind, options.rounds, options.seed):
                rows.append(
                    {
                        "tested": f"symbolic links swapped in: {outcome.way}",
                        "kind": kind,
                        "cases": outcome.rounds,
                        "swaps": outcome.swaps,
                        "documented differences": 0,
                        "harm": len(outcome.harm),
                    }
                )
                print(rows[-1], *outcome.harm[:10], sep="\n", flush=True)
                if options.json:
                    figures.keep(options.json, ["tested", "kind"], rows[-1:])
    return 1 if any(row["harm"] for row in rows) else 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=100, help="of each way (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--kinds", default="plain", help="(default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="where to keep the figures")
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--attack"]:
        attack(json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        sys.exit(main())
