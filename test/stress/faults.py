"""Prove that a cluster may fail in any way, and what a sync has made safe stays.

Programs write records to a volume of a sandbox of three nodes, and note each one whose sync has
returned. Meanwhile a scenario does harm, with random timing: it kills bricks or nodes, changes the
volume, fills it. Afterwards what is noted is looked for. ::

    python test/stress/faults.py --scenario brick-killed --kind replica --rounds 100 --seed 1

It needs root and the GlusterFS server. The exit code is 1 if anything was lost, wrong, crashed or
hung, or if a scenario found that something is not as documented. ``--list`` names the scenarios,
which are in the folder ``scenarios``.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import figures
import load
import records
import scenarios

from gluster.gfapi import sandbox

HEAL = 120.0  # seconds
KEYS = ("scenario", "kind")


def play(
    volume: sandbox.SandboxVolume, scenario: scenarios.Scenario, seed: str, scratch: str
) -> records.Tally:
    """A round: harm the cluster while a load writes to a volume, and look for what was safe."""
    journal, folder = f"{scratch}/{seed}", f"/{seed}"
    with load.Load(volume, folder, journal, seed, scenario.threads) as writing:
        stage = scenarios.Stage(volume, random.Random(seed), folder, writing)
        scenario.harm(stage)
    left = heal(volume) if stage.is_redundant else set()
    with volume.client() as vol:
        places = {"a client": records.from_client(vol), **copies(volume)}
        tally = records.check(journal, places)
        tally.wrong += unequal(volume, journal)
        tally.wrong += [f"after {HEAL} s there is to heal: {left}"] * bool(left)
    if volume.layout.disperse:
        without_a_brick(volume, stage.choose, journal, tally)
    with volume.client() as vol:
        vol.rmtree(folder)
    tally.wrong += ["nothing was safe"] * (not tally.safe)
    tally.wrong += stage.complaints
    tally.done.update(stage.done)  # zeros too
    tally.wrong += [writing.crash] * bool(writing.crash)
    tally.crashes += bool(writing.crash) and not writing.hung
    tally.hangs += writing.hung
    return tally


def copies(volume: sandbox.SandboxVolume) -> dict[str, Callable[[str], bytes]]:
    """The bricks that have all files of a volume as they are."""
    count = volume.layout.replica - volume.layout.arbiter
    is_one_set = volume.layout.replica == len(volume.bricks)
    bricks = volume.bricks[:count] if is_one_set else []
    return {f"brick {i}": records.from_folder(brick.path) for i, brick in enumerate(bricks)}


def unequal(volume: sandbox.SandboxVolume, journal: str) -> Iterator[str]:
    """The files whose copies differ, what nobody has synced included."""
    read = copies(volume).values()
    for path in records.Follower(journal).read().files if read else ():
        contents = set()
        for content in read:
            try:
                contents.add(content(path))
            except FileNotFoundError:
                contents.add(None)
        if len(contents) > 1:
            yield f"{path} has {len(contents)} different copies"


def without_a_brick(
    volume: sandbox.SandboxVolume, choose: random.Random, journal: str, tally: records.Tally
) -> None:
    """Look for what is safe once more, where each other brick's part is needed for it."""
    number = choose.randrange(len(volume.bricks))
    volume.kill_brick(number)
    try:
        with volume.client() as vol:
            place = f"a client without brick {number}"
            again = records.check(journal, {place: records.from_client(vol)})
    finally:
        volume.start_brick(number)
    for sort in ("lost", "torn", "misplaced", "wrong"):
        known = getattr(tally, sort)
        known += [what for what in getattr(again, sort) if what not in known]


def heal(volume: sandbox.SandboxVolume) -> set[str]:
    """Heal what there is to heal, and return what is left after a while."""
    deadline = time.monotonic() + HEAL
    while volume.heal_pending():
        if time.monotonic() > deadline:
            return set().union(*(brick.pending() for brick in volume.bricks))
        # A daemon that saw a brick too early would look again only after minutes.
        with contextlib.suppress(sandbox.SandboxError):
            volume.heal()
        with contextlib.suppress(sandbox.SandboxError):
            volume.wait_healed(3)
    return set()


def run(
    scenario: scenarios.Scenario, kind: str, rounds: int, seed: int
) -> Iterator[tuple[int, records.Tally]]:
    """Rounds of a scenario on one kind of volume, on a cluster of its own.

    After each, it yields how many there were, and what came of all of them.
    """
    total, cluster = records.Tally(), None
    with contextlib.ExitStack() as stack:
        for number in range(rounds):
            cluster = cluster or stack.enter_context(scenario.cluster())
            began = time.monotonic()
            tally = judged(cluster, scenario, kind, f"{seed}-{number}")
            total += tally
            took = time.monotonic() - began
            print(f"{scenario.name} {kind} {number}: {took:.1f} s, {told(tally)}", flush=True)
            yield number + 1, total
            if not tally.is_good:  # what it left behind is nothing to go on with
                stack.close()
                cluster = None


def judged(
    cluster: sandbox.Cluster, scenario: scenarios.Scenario, kind: str, seed: str
) -> records.Tally:
    """A round, on the volume that is there or a new one."""
    scratch = tempfile.mkdtemp(prefix="faults-")
    try:
        if not cluster.volumes:
            name = f"v{seed.partition('-')[2]}"
            cluster.create_volume(name, options=scenario.options, **scenarios.KINDS[kind])
        tally = play(cluster.volumes[0], scenario, seed, scratch)
        if scenario.fresh and tally.is_good:
            cluster.volumes[0].delete()
    except Exception:  # of the scenario, the sandbox, or the checking
        tally = records.Tally(wrong=[f"the round failed: {traceback.format_exc()}"])
    if tally.is_good:
        shutil.rmtree(scratch)
    else:
        print(f"the journal of seed {seed} is in {scratch}", flush=True)
    return tally


def told(tally: records.Tally) -> str:
    """A line about a round, and more if it was bad."""
    parts = [f"{tally.safe} safe, slowest {tally.slowest:.1f} s"]
    if tally.errors:
        parts.append(f"{sum(tally.errors.values())} errors ({tally.failures})")
        parts.append(f"recovered {dict(tally.recovered)}")
    return "\n  ".join([", ".join(parts), *tally.complaints[:20]])


def row(scenario: str, kind: str, rounds: int, seed: int, tally: records.Tally) -> dict[str, Any]:
    """What the documentation says of a run."""
    return {
        "scenario": scenario,
        "kind": kind,
        "rounds": rounds,
        "records synced": tally.safe,
        "lost": len(tally.lost),
        "torn": len(tally.torn),
        "misplaced": len(tally.misplaced),
        "wrong": len(tally.wrong),
        "crashes": tally.crashes,
        "hangs": tally.hangs,
        "errors": sum(tally.errors.values()),
        "which": tally.failures,
        "slowest call (s)": round(tally.slowest, 1),
        "slowest error (s)": round(tally.slowest_error, 1),
        "same File again": tally.recovered["same"],
        "new File": tally.recovered["new"],
        **tally.done,
        "seed": seed,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", action="append", choices=scenarios.ALL, help="default: all")
    parser.add_argument("--kind", action="append", choices=scenarios.KINDS, help="default: its all")
    parser.add_argument(
        "--rounds",
        type=int,
        default=100,
        help="of each scenario, spread over its kinds (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--json", metavar="FILE", help="keep the figures there, in doc/figures")
    parser.add_argument("--list", action="store_true", help="name the scenarios, and end")
    options = parser.parse_args()
    chosen = [scenarios.ALL[name] for name in options.scenario or scenarios.ALL]
    if options.list:
        for scenario in chosen:
            print(f"{scenario.name}: {', '.join(scenario.kinds)}")
        return 0
    print(f"seed {options.seed}", flush=True)
    is_good = True
    for scenario in chosen:
        kinds = [kind for kind in scenario.kinds if kind in (options.kind or scenario.kinds)]
        for kind in kinds:
            rounds = -(-options.rounds // len(kinds))
            for done, tally in run(scenario, kind, rounds, options.seed):
                found = row(scenario.name, kind, done, options.seed, tally)
                if options.json:  # after each round, so that an interrupted run leaves it too
                    figures.keep(options.json, KEYS, [found])
            print(found, flush=True)
            is_good = is_good and tally.is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
