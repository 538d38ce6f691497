"""See what libgfapi makes of volume files that are well-formed and senseless.

Each round takes the volume file of a real volume, changes one to three things in it at random, and
mounts from it in a process of its own, which then works with the volume a little. ::

    python test/stress/volfiles.py --rounds 300 --kind distribute --json doc/figures/volfiles.json

It needs root and the GlusterFS server. What kills the process or never ends is shown; the exit
code is 1 if there is any.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from gluster import gfapi
from gluster.gfapi import sandbox, volfile

KINDS = {
    "plain": {},
    "replica": {"replica": 3},
    "distribute": {"distribute": 3},
    "disperse": {"disperse": 3, "redundancy": 1},
}
PATIENCE = 30  # seconds; a mount that is not answered goes on for three minutes
VALUES = ["", "0", "-1", "1", "2", "99999999999999999999", "on", "off", "x", "64KB", "1e9", "a,b"]
TYPES = [
    *("cluster/distribute", "cluster/replicate", "cluster/disperse", "features/shard"),
    *("performance/write-behind", "performance/md-cache", "performance/open-behind", "meta"),
    *("debug/io-stats", "features/utime", "features/locks", "protocol/client", "no/such"),
]


# --------------------------------------------------------------------------- changes of a graph


def options(graph: list[Any]) -> list[tuple[Any, str]]:
    return [(xlator, key) for xlator in graph for key in xlator.options]


def parents(graph: list[Any]) -> list[Any]:
    return [xlator for xlator in graph if xlator.subvolumes]


def drop_option(graph: list[Any], choose: random.Random) -> None:
    xlator, key = choose.choice(options(graph))
    del xlator.options[key]


def change_option(graph: list[Any], choose: random.Random) -> None:
    xlator, key = choose.choice(options(graph))
    xlator.options[key] = choose.choice(VALUES)


def swap_options(graph: list[Any], choose: random.Random) -> None:
    (one, key), (other, other_key) = choose.sample(options(graph), 2)
    one.options[key], other.options[other_key] = other.options[other_key], one.options[key]


def move_option(graph: list[Any], choose: random.Random) -> None:
    xlator, key = choose.choice(options(graph))
    choose.choice(graph).options[key] = xlator.options.pop(key)


def drop_subvolume(graph: list[Any], choose: random.Random) -> None:
    xlator = choose.choice(parents(graph))
    xlator.subvolumes.remove(choose.choice(xlator.subvolumes))


def double_subvolume(graph: list[Any], choose: random.Random) -> None:
    xlator = choose.choice(parents(graph))
    xlator.subvolumes.append(choose.choice(xlator.subvolumes))


def change_subvolume(graph: list[Any], choose: random.Random) -> None:
    """Stand on another one, be it itself or one above."""
    xlator = choose.choice(parents(graph))
    xlator.subvolumes[0] = choose.choice(graph).name


def swap_subvolumes(graph: list[Any], choose: random.Random) -> None:
    one, other = choose.choice(parents(graph)), choose.choice(parents(graph))
    one.subvolumes, other.subvolumes = other.subvolumes, one.subvolumes


def change_type(graph: list[Any], choose: random.Random) -> None:
    choose.choice(graph).type = choose.choice(TYPES)


def swap_types(graph: list[Any], choose: random.Random) -> None:
    one, other = choose.sample(graph, 2)
    one.type, other.type = other.type, one.type


def bypass(graph: list[Any], choose: random.Random) -> None:
    """Take one out, and have those on it stand on what it stood on."""
    gone = choose.choice(parents(graph))
    graph.remove(gone)
    for xlator in graph:
        if gone.name in xlator.subvolumes:
            at = xlator.subvolumes.index(gone.name)
            xlator.subvolumes[at : at + 1] = gone.subvolumes


def move_block(graph: list[Any], choose: random.Random) -> None:
    graph.insert(choose.randrange(len(graph)), graph.pop(choose.randrange(len(graph))))


def insert(graph: list[Any], choose: random.Random) -> None:
    """Put a new one of any type on another."""
    below = choose.choice(graph)
    new = volfile.Xlator(f"new-{choose.randrange(1000)}")
    new.type, new.subvolumes, new.options = choose.choice(TYPES), [below.name], {}
    for xlator in graph:
        xlator.subvolumes = [new.name if n == below.name else n for n in xlator.subvolumes]
    graph.insert(graph.index(below) + 1, new)


CHANGES = [
    *(drop_option, change_option, swap_options, move_option, drop_subvolume, double_subvolume),
    *(change_subvolume, swap_subvolumes, change_type, swap_types, bypass, move_block, insert),
]


def changed(text: str, choose: random.Random) -> tuple[str, list[str]]:
    """A volume file with one to three changes, and their names."""
    graph = volfile._parse(text)
    done = []
    for change in choose.choices(CHANGES, k=choose.randint(1, 3)):
        with contextlib.suppress(IndexError, ValueError):  # there is nothing left of the kind
            change(graph, choose)
            done.append(change.__name__)
    return "\n".join(map(written, graph)), done


def written(xlator: Any) -> str:
    lines = [f"volume {xlator.name}", f"type {xlator.type}"]
    lines += [f'option {key} "{value}"' for key, value in xlator.options.items()]
    if xlator.subvolumes:
        lines.append(f"subvolumes {' '.join(xlator.subvolumes)}")
    return "\n    ".join(lines) + "\nend-volume\n"


# ---------------------------------------------------------------------------------- a round


def work(path: str, name: str) -> None:
    """Be the process that mounts."""
    try:
        vol = gfapi.Volume(None, name, volfile=path)
        vol.mount()
    except gfapi.LibgfapiException as error:
        print("refused" if str(error).startswith("cannot mount from") else "not mounted")
        os._exit(0)
    try:
        vol.mkdir("/folder")
        with vol.fopen("/folder/file", "w+") as file:
            file.write(b"x" * 10000)
            file.pread(10000, 0)
        vol.listdir("/")
        vol.stat("/folder/file")
        vol.rmtree("/folder")
    except OSError:
        print("errors")
    else:
        print("works")
    os._exit(0)


def run(text: str, name: str, choose: random.Random) -> tuple[str, str, list[str]]:
    """What became of a round: a word, the volume file, and what was changed."""
    mutant, done = changed(text, choose)
    with tempfile.NamedTemporaryFile("w", suffix=".vol") as file:
        file.write(mutant)
        file.flush()
        command = [sys.executable, "-X", "faulthandler", __file__, "--work", file.name, name]
        try:
            process = subprocess.run(
                command, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return "waits", mutant, done
    if process.returncode:
        return "crashed", f"{mutant}\n{process.stderr[-1500:]}", done
    return process.stdout.strip(), mutant, done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument("--kind", choices=KINDS, default="plain")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", help="a folder for the volume files that crashed or hung")
    parser.add_argument("--json", help="the file of figures to put the results into")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    counts: collections.Counter[str] = collections.Counter()
    with sandbox.Cluster(nodes=1) as cluster:
        volume = cluster.create_volume(chosen.kind, **KINDS[chosen.kind])
        with volume.client() as vol:
            text = os.fsdecode(vol.get_volfile())
        for number in range(chosen.rounds):
            choose = random.Random(f"{chosen.seed}-{number}")
            word, mutant, done = run(text, volume.name, choose)
            counts[word] += 1
            if word in ("crashed", "waits"):
                print(number, word, ", ".join(done), flush=True)
                if chosen.keep:
                    Path(chosen.keep, f"{chosen.kind}-{number}-{word}.vol").write_text(mutant)
    print(dict(counts), f"seed {chosen.seed}")
    if chosen.json:
        import figures

        words = ("refused", "not mounted", "errors", "works", "waits", "crashed")
        row = {"kind": chosen.kind, "volume files": chosen.rounds}
        figures.keep(chosen.json, ["kind"], [{**row, **{word: counts[word] for word in words}}])
    return int(counts["crashed"] > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:])
    else:
        sys.exit(main())
