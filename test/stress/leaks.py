"""Prove that nothing grows: calls of every kind, again and again, on a sandbox.

Each row of ``leaks_rows.py`` runs in a process of its own, and beside it a C program makes the same
calls of libgfapi. After each block of rounds both tell what they use. What Python's process grows
by, less what C's does, must stay below a bound; so must threads, descriptors, and the bricks'
descriptors. ::

    python test/stress/leaks.py --blocks 7 --json doc/figures/leaks.json

It needs root, the GlusterFS server, its headers and a C compiler. The exit code is 1 if anything
grows.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Optional

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import figures
import leaks_rows
import usage

from gluster.gfapi import sandbox

HERE = Path(__file__).parent
#: What a round may add, beyond what it adds in C: bytes of the heap, and pieces of Python's.
BOUND, BLOCKS_BOUND = 16.0, 0.05
#: For a round that mounts, which is worth some thousand others.
MOUNT_BOUND, MOUNT_BLOCKS_BOUND = 2048.0, 4.0
#: For a change of the volume's graph, which leaves megabytes: in C 120 KB more or less each time.
SWITCH_BOUND = 262144.0
#: What a block of rounds may add besides, whatever its length: bytes of GlusterFS's pools, which
#: come and go, and more where threads do, as each has its own; and pieces of Python's.
NOISE, CREW_NOISE, BLOCKS_NOISE = 16384.0, 262144.0, 60.0
#: How many threads and descriptors a process may have more at the end than after the warm-up.
SLACK = 4
#: The same of bricks' descriptors for a row that mounts, as others use the bricks at the same time.
SHARED_SLACK = 32
#: An option that is a translator of its own, and one that keeps nothing of what is read.
SWITCHED = "performance.read-ahead"
OPTIONS = {
    "features.cache-invalidation": "on",
    "features.leases": "on",
    "features.lease-lock-recall-timeout": 10,
    "performance.open-behind": "off",
}


class Worker:
    """A process that makes the rounds of a row.

    :ivar usages: what it used after each block.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = " ".join(command)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )
        self.usages: list[usage.Usage] = []
        self.is_there = self._answer() == "ready"

    def play(self, count: int) -> None:
        self.usages.append(usage.Usage(*self.ask(count)))

    def ask(self, line: object) -> Any:
        assert self._process.stdin
        print(line, file=self._process.stdin, flush=True)
        return json.loads(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            _, said = self._process.communicate()
            raise RuntimeError(f"{self._command}: exit code {self._process.returncode}: {said}")
        return answer.strip()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Verdict(NamedTuple):
    """How a row grows: all but ``what`` and ``rounds`` from the end of the warm-up on.

    :ivar heap: bytes of the heap, for each round.
    :ivar heap_in_c: the same in C, or None where there is no such program.
    :ivar memory: bytes of the machine's memory, for each round.
    :ivar pieces: of Python's allocator, for each round.
    :ivar objects: how many more of the package's there are at the end.
    :ivar broken: which bounds are, in words.
    """

    row: str
    what: str
    rounds: int
    heap: float
    heap_in_c: Optional[float]
    memory: float
    memory_in_c: Optional[float]
    pieces: float
    objects: int
    threads: int
    descriptors: int
    on_bricks: int
    on_bricks_in_c: Optional[int]
    broken: tuple[str, ...]


def measure(
    name: str,
    volumes: Sequence[sandbox.SandboxVolume],
    c_program: Optional[str],
    blocks: int,
    count: int,
) -> Verdict:
    """Run a row.

    :param volumes: the one that Python works on, and C's.
    :param c_program: the built ``leaks.c``, or None to do without.
    :param blocks: how many blocks are measured; two more warm up.
    :param count: how many rounds a block has; of a row with changes of the volume, an even number.
    """
    row = leaks_rows.ROWS[name]
    with ThreadPoolExecutor(2) as executor, contextlib.ExitStack() as stack:
        workers = list(executor.map(Worker, commands(name, volumes, c_program)))
        for worker in workers:
            stack.callback(worker.end)
        workers = [worker for worker in workers if worker.is_there]
        on_bricks: list[list[int]] = []
        for _ in range(blocks + 2):
            for number in range(count if row.switches else 1):
                if row.switches:
                    switch(volumes, number % 2 == 0)
                rounds = 1 if row.switches else count
                played = [executor.submit(worker.play, rounds) for worker in workers]
                played[0].result()
                try:
                    played[-1].result()
                except RuntimeError as error:  # C may crash where gfapi takes care not to
                    print(error, flush=True)
                    del workers[1:]
            on_bricks.append([open_on(volume) for volume in volumes])
    if row.switches:
        for worker in workers:
            worker.usages = worker.usages[count - 1 :: count]
    mine = workers[0].usages[1:]
    c = workers[1].usages[1:] if len(workers) > 1 else None
    more_open = [after - before for before, after in zip(on_bricks[1], on_bricks[-1])]
    return judged(row, name, blocks * count, count, mine, c, more_open)


def open_on(volume: sandbox.SandboxVolume) -> int:
    """How many descriptors its bricks have."""
    return usage.descriptors_of([brick.pid for brick in volume.bricks])


def commands(
    name: str, volumes: Sequence[sandbox.SandboxVolume], c_program: Optional[str]
) -> Iterator[list[str]]:
    mine, cs = volumes[0], volumes[-1]
    yield [sys.executable, str(HERE / "leaks_rows.py"), mine.hosts[0], mine.name, name]
    if c_program:
        yield [c_program, cs.hosts[0], cs.name, name]


def judged(
    row: leaks_rows.Row,
    name: str,
    rounds: int,
    count: int,
    mine: Sequence[usage.Usage],
    c: Optional[Sequence[usage.Usage]],
    on_bricks: Sequence[int],  # of Python's volume, and of C's
) -> Verdict:
    def growth(usages: Sequence[usage.Usage], field: str) -> float:
        return usage.slope([getattr(each, field) for each in usages]) / count

    heap, memory = growth(mine, "heap"), growth(mine, "memory")
    heap_in_c = growth(c, "heap") if c else None
    pieces = growth(mine, "blocks")
    more = {field: getattr(mine[-1], field) - getattr(mine[0], field) for field in mine[0]._fields}
    bound, pieces_bound = (MOUNT_BOUND, MOUNT_BLOCKS_BOUND) if row.mounts else (BOUND, BLOCKS_BOUND)
    bound = SWITCH_BOUND if row.switches else bound
    noise = CREW_NOISE if row.has_crew else NOISE
    checks = {
        "heap": heap - max(0.0, heap_in_c or 0.0) <= bound + noise / count,
        "pieces": pieces <= pieces_bound + BLOCKS_NOISE / count,
        "objects": more["objects"] <= SLACK,
        "threads": more["threads"] <= SLACK,
        "descriptors": more["descriptors"] <= SLACK,
        "bricks' descriptors": on_bricks[0] - (max(0, on_bricks[-1]) if c else 0)
        <= (SHARED_SLACK if row.mounts else SLACK),
    }
    return Verdict(
        name,
        row.what,
        rounds,
        round(heap, 1),
        None if heap_in_c is None else round(heap_in_c, 1),
        round(memory, 1),
        round(growth(c, "memory"), 1) if c else None,
        round(pieces, 3),
        more["objects"],
        more["threads"],
        more["descriptors"],
        on_bricks[0],
        on_bricks[-1] if c else None,
        tuple(what for what, is_kept in checks.items() if not is_kept),
    )


def built(folder: str) -> str:
    """The path of the C program, which is made there."""
    program, library = f"{folder}/leaks", f"{folder}/leaks.so"
    command = ["cc", "-O2", "-Wall", "-pthread", str(HERE / "leaks.c"), "-o"]
    subprocess.run([*command, library, "-shared", "-fPIC", "-lgfapi"], check=True)
    subprocess.run([*command, program, f'-DLIBRARY="{library}"', "-ldl"], check=True)
    return program


def made(cluster: sandbox.Cluster, name: str) -> sandbox.SandboxVolume:
    """A volume with what the rows find on it."""
    volume = cluster.create_volume(name, options=OPTIONS)
    with volume.client() as vol:
        leaks_rows.furnish(vol)
    return volume


def switch(volumes: Sequence[sandbox.SandboxVolume], is_on: bool) -> None:
    """Have all clients of some volumes change their graphs."""
    for volume in volumes:
        volume.set_option(SWITCHED, "on" if is_on else "off")


# ------------------------------------------------------------------------ the command line


def main() -> int:
    options = parsed()
    names = options.rows or list(leaks_rows.ROWS)
    with tempfile.TemporaryDirectory() as folder, sandbox.Cluster(nodes=1) as cluster:
        program = built(folder)
        pair = made(cluster, "python"), made(cluster, "c")
        if "refused_client" in names:
            cluster.create_volume(leaks_rows.CLOSED, options={"auth.reject": "*"})
        keeping = threading.Lock()

        def run(name: str) -> Verdict:
            row = leaks_rows.ROWS[name]
            count = max(1, round(row.count * options.size))
            verdict = measure(name, pair, program, options.blocks, count)
            print(line_of(verdict), flush=True)
            if options.json:
                with keeping:
                    figures.keep(options.json, ["what"], [shown(verdict)])
            return verdict

        print(HEAD, flush=True)
        quick = [name for name in names if not leaks_rows.ROWS[name].mounts]
        slow = [name for name in names if leaks_rows.ROWS[name].mounts]
        verdicts = [run(name) for name in quick]
        # They wait for tear-downs most of the time.
        with ThreadPoolExecutor(options.jobs) as executor:
            verdicts += executor.map(run, slow)
    broken = [verdict for verdict in verdicts if verdict.broken]
    print(f"{sum(verdict.rounds for verdict in verdicts)} rounds, {len(broken)} rows grow")
    return 1 if broken else 0


HEAD = (
    f"{'rounds':>8} {'heap':>9} {'in C':>9} {'memory':>9} {'in C':>9} {'pieces':>7} "
    "objects threads fds bricks in C"
)


def line_of(verdict: Verdict) -> str:
    v = verdict
    in_c = (v.heap_in_c, v.memory_in_c, v.on_bricks_in_c)
    heap_in_c, memory_in_c, bricks_in_c = ("-" if number is None else number for number in in_c)
    return (
        f"{v.rounds:8} {v.heap:9} {heap_in_c:>9} {v.memory:9} {memory_in_c:>9} {v.pieces:7} "
        f"{v.objects:7} {v.threads:7} {v.descriptors:3} {v.on_bricks:6} {bricks_in_c:>4}  "
        f"{v.row}: {v.what}" + "".join(f" ** {what} **" for what in v.broken)
    )


def shown(verdict: Verdict) -> dict[str, Any]:
    """A row of the documentation's table."""
    v = verdict
    return {
        "what": v.what,
        "rounds": v.rounds,
        "heap/round": v.heap,
        "in C": v.heap_in_c,
        "memory/round": v.memory,
        "memory/round in C": v.memory_in_c,
        "Python's pieces/round": v.pieces,
        "objects": v.objects,
        "threads": v.threads,
        "descriptors": v.descriptors,
        "on bricks": v.on_bricks,
        "on bricks in C": v.on_bricks_in_c,
        "within bounds": not v.broken,
    }


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="*", choices=[[], *leaks_rows.ROWS], help="all by default")
    parser.add_argument("--blocks", type=int, default=7, help="to measure (default: %(default)s)")
    parser.add_argument("--size", type=float, default=1.0, help="of a block, as a factor")
    parser.add_argument("--jobs", type=int, default=6, help="rows with mounts at a time")
    parser.add_argument("--json", help="the file of figures to keep them in")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
