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
import errno
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import figures
import records
import scenarios

from gluster.gfapi import sandbox

HEAL = 300.0  # seconds
KEYS = ("scenario", "kind")


def play(
    volume: sandbox.SandboxVolume, scenario: scenarios.Scenario, seed: str, scratch: str
) -> records.Tally:
    """A round: harm the cluster while a load writes to a volume, and look for what was safe."""
    journal = f"{scratch}/{seed}"
    stage = scenarios.Stage(volume, random.Random(seed), f"/{seed}", journal)
    with records.Load(volume, stage.folder, journal, seed, scenario.threads) as load:
        stage.load = load
        scenario.harm(stage)
    if volume.layout.replica or volume.layout.disperse:
        volume.wait_healed(HEAL)
    with volume.client() as vol:
        tally = records.check(journal, records.from_client(vol))
        vol.rmtree(stage.folder)
    tally.wrong += stage.complaints
    tally.wrong += [load.crash] * bool(load.crash)
    tally.crashes += bool(load.crash) and not load.hung
    tally.hangs += load.hung
    return tally


def run(
    scenario: scenarios.Scenario, kind: str, rounds: int, seed: int, verbose: bool = True
) -> records.Tally:
    """Rounds of a scenario on one kind of volume, on a cluster of its own."""
    total = records.Tally()
    with sandbox.Cluster(nodes=3) as cluster, tempfile.TemporaryDirectory() as scratch:
        volume = cluster.create_volume("v", options=scenario.options, **scenarios.KINDS[kind])
        for number in range(rounds):
            began = time.monotonic()
            tally = play(volume, scenario, f"{seed}-{number}", scratch)
            total += tally
            if verbose:
                took = time.monotonic() - began
                print(f"{scenario.name} {kind} {number}: {took:.1f} s, {tally}", flush=True)
    return total


def row(scenario: str, kind: str, rounds: int, seed: int, tally: records.Tally) -> dict[str, Any]:
    """What the documentation says of a run."""
    names = (errno.errorcode.get(number or 0, str(number)) for _, number in tally.errors)
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
        "which": " ".join(sorted(set(names))),
        "slowest error (s)": round(tally.slowest, 1),
        "same File again": tally.recovered["same"],
        "new File": tally.recovered["new"],
        "seed": seed,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", action="append", choices=scenarios.ALL, help="default: all")
    parser.add_argument("--kind", action="append", choices=scenarios.KINDS, help="default: its all")
    parser.add_argument("--rounds", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--json", metavar="FILE", help="keep the figures in doc/figures/...")
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
        for kind in [kind for kind in scenario.kinds if kind in (options.kind or scenario.kinds)]:
            tally = run(scenario, kind, options.rounds, options.seed)
            found = row(scenario.name, kind, options.rounds, options.seed, tally)
            print(found, flush=True)
            if options.json:
                figures.keep(options.json, KEYS, [found])
            is_good = is_good and tally.is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
