"""Prove that no race, fork, interrupt or end crashes or hangs the interpreter, or leaks for good.

Thousands of rounds of each scenario of ``racing`` are played, in processes of their own on a
sandbox. A round is bad if its process crashed, hung, said something wrong, or left something open
on the bricks. ::

    python test/stress/races.py --rounds 2000 --seed 1
    python test/stress/races.py --scenario scandir-shared --python python3.9

It needs root and the GlusterFS server. The exit code is 1 if any round was bad. What a thread does
when is not in the hands of the seed: it decides only what the rounds choose.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import racing

KEYS = ("scenario", "python")
_MOST_TOLD = 2000  # characters of what a process said


@dataclass
class Tally:
    """What came of some rounds.

    :ivar rounds: how many were played to their end.
    :ivar crashes: processes that were killed, or ended with a wrong exit code.
    :ivar hangs: those that did not come to their end.
    :ivar leaks: what was left open, in words; ``wrong`` what else was not as it should be.
    """

    rounds: int = 0
    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.crashes or self.hangs or self.leaks or self.wrong)

    def add(self, other: Tally) -> None:
        self.rounds += other.rounds
        for name in ("crashes", "hangs", "leaks", "wrong"):
            getattr(self, name).extend(getattr(other, name))


def run(
    volume: Any,
    scenario: racing.Scenario,
    rounds: int,
    seed: int,
    jobs: int = 2,
    python: str = sys.executable,
) -> Tally:
    """Play rounds of a scenario, in several processes at a time.

    :param volume: the :class:`~gluster.gfapi.sandbox.SandboxVolume` to play on.
    """
    total = Tally()
    with volume.client() as vol, tempfile.TemporaryDirectory() as scratch:
        folder = f"/{scenario.name}-{seed}-{os.getpid()}-{time.monotonic_ns()}"
        vol.mkdir(folder)

        def play(first: int) -> Tally:
            own = f"{folder}/{first}"
            vol.mkdir(own)
            until = min(first + scenario.batch, rounds)
            tally = _play(volume, scenario, seed, first, until, own, scratch, python)
            vol.rmtree(own, ignore_errors=True)
            return tally

        with ThreadPoolExecutor(jobs) as pool:
            for tally in pool.map(play, range(0, rounds, scenario.batch)):
                total.add(tally)
        vol.rmtree(folder, ignore_errors=True)
    return total


def _play(
    volume: Any,
    scenario: racing.Scenario,
    seed: int,
    first: int,
    until: int,
    folder: str,
    scratch: str,
    python: str,
) -> Tally:
    """Play a batch, with a new process after each that crashed or hung."""
    total = Tally()
    while first < until:
        tally, last = _process(volume, scenario, seed, first, until, folder, scratch, python)
        total.add(tally)
        first = last + 1
    return total


def _process(
    volume: Any,
    scenario: racing.Scenario,
    seed: int,
    first: int,
    until: int,
    folder: str,
    scratch: str,
    python: str,
) -> tuple[Tally, int]:
    """Have a process play rounds; what came of them, and the last that it began."""
    journal = f"{scratch}/{first}"
    arguments = [scenario.name, str(seed), str(first), str(until - first)]
    arguments += [json.dumps(volume.hosts), volume.name, folder, journal]
    # Since 3.12 Python warns of each fork beside threads, which libgfapi always has.
    quiet = ["-W", "ignore:This process:DeprecationWarning"]
    process = subprocess.Popen(
        [python, *quiet, __file__, "--play", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=scratch,
        env=_environment(volume),
        errors="replace",
    )
    tally = Tally()
    bound = racing.HANG * (until - first) + racing.HANG
    try:
        said, _ = process.communicate(timeout=min(bound, 1200.0))
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        said = "Timeout" + said
    began, ended = first - 1, False
    with contextlib.suppress(FileNotFoundError):
        for line in Path(journal).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):  # the last one may be cut
                told = json.loads(line)
                began = told.get("began", began)
                if "over" in told:
                    tally.rounds += 1
                tally.wrong += [f"round {began}: {words}" for words in told.get("wrong", ())]
                tally.leaks += [f"after round {began}: {each}" for each in told.get("leaks", ())]
                ended = ended or "leaks" in told
        os.unlink(journal)
    words = f"round {began}, exit code {process.returncode}: {said[-_MOST_TOLD:]}"
    if "Timeout" in said:
        tally.hangs.append(words)
    elif process.returncode == 1 and "Fatal" not in said:  # a traceback
        tally.wrong.append(words)
    elif process.returncode != scenario.code:
        tally.crashes.append(words)
    elif said:
        tally.wrong.append(words)
    if scenario.batch == 1 and tally.is_good:
        tally.rounds = 1  # which may have ended the process by itself
    tally.leaks += _left_on_bricks(volume, folder)
    return tally, max(began, first)


def _environment(volume: Any) -> Mapping[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    bricks = ":".join(f"{brick.pid}={brick.path}" for brick in volume.bricks)
    root = str(Path(__file__).parents[2])
    return {**inherited, "RACES_BRICKS": bricks, "PYTHONPATH": root}


def _left_on_bricks(volume: Any, folder: str) -> Iterator[str]:
    """What a process that is gone has left open."""
    os.environ["RACES_BRICKS"] = _environment(volume)["RACES_BRICKS"]
    deadline = time.monotonic() + racing.SETTLE
    while (found := racing.open_on_bricks(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return (f"on a brick after the end: {path}" for path in found)


# ------------------------------------------------------------------------------- the command line


def row(scenario: str, version: str, seed: int, tally: Tally, took: float) -> dict[str, Any]:
    """What the documentation says of a run."""
    return {
        "scenario": scenario,
        "python": version,
        "rounds": tally.rounds,
        "crashes": len(tally.crashes),
        "hangs": len(tally.hangs),
        "leaks": len(tally.leaks),
        "wrong": len(tally.wrong),
        "seconds": round(took),
        "seed": seed,
    }


def version_of(python: str) -> str:
    command = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", command], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=2000, help="default: %(default)s")
    parser.add_argument("--scenario", action="append", choices=racing.ALL, help="default: all")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--python", action="append", help="which ones play (default: this)")
    parser.add_argument("--all", action="store_true", help="so many rounds also of costly ones")
    parser.add_argument("--json", metavar="FILE", help="keep the figures in doc/figures/...")
    return parser.parse_args()


def main() -> int:
    from gluster.gfapi import sandbox

    racing.load()
    options = parsed()
    print(f"seed {options.seed}", flush=True)
    is_good = True
    with sandbox.Cluster(nodes=1) as cluster:
        volume = create_volume(cluster)
        for name in options.scenario or racing.ALL:
            for python in options.python or [sys.executable]:
                scenario = racing.ALL[name]
                rounds = options.rounds if options.all else options.rounds // scenario.cost or 1
                began = time.monotonic()
                tally = run(volume, scenario, rounds, options.seed, options.jobs, python)
                took = time.monotonic() - began
                tell(row(name, version_of(python), options.seed, tally, took), tally, options.json)
                is_good = is_good and tally.is_good
    return 0 if is_good else 1


def create_volume(cluster: Any, name: str = "races") -> Any:
    """A plain volume whose bricks have open what clients have open, and no more."""
    return cluster.create_volume(name, options={"performance.open-behind": "off"})


def tell(found: Mapping[str, Any], tally: Tally, path: str) -> None:
    print(dict(found), flush=True)
    for kind in ("crashes", "hangs", "leaks", "wrong"):
        told: Sequence[str] = getattr(tally, kind)
        for words in told[:5]:
            print(f"  {kind}: {words}", flush=True)
    if path:
        import figures

        figures.keep(path, KEYS, [found])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        racing.main(sys.argv[2:])
    else:
        sys.exit(main())
