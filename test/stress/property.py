"""Prove that a volume does what a local folder does: random programs on both agree in all they see.

Hypothesis makes programs of the operations of :mod:`operations` and shrinks one that shows a
difference, which is then printed as a program to run. What is known to differ, and why, is in
:mod:`differences`. ::

    python test/stress/property.py --operations 100000 --kind plain --json doc/figures/property.json

It needs root, the GlusterFS server and a local file system with extended attributes. The exit
code is 1 if there was a difference or a crash.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import queue
import random
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sides import KINDS, Both, Different, Fill, program

STEPS = 50  # of a program at most
PART = 1_000  # operations of a process

# ----------------------------------------------------------------------------- arguments

NAMES = ["a", "b", "c", "d", ".", "..", "é", "x\udcff", "L" * 255, "L" * 256]
_name = st.sampled_from([*NAMES[:4] * 8, *NAMES[:2] * 8, *NAMES])


@st.composite
def paths(draw: Any) -> Any:
    """Paths of few names, so that many are of the same thing."""
    odd = draw(st.integers(0, 39))
    if odd == 0:
        return draw(st.sampled_from(["", "/", "//", ".", "..", b"", "x" * 5000, "a\0b"]))
    parts = draw(st.lists(_name, min_size=1, max_size=3))
    path = ("//" if odd == 1 else "/").join(parts)
    if odd in (2, 3, 4):
        path += "/"
    if odd in (5, 6, 7, 8):
        path = "/" + path
    return os.fsencode(path) if odd in (9, 10, 11) else path


PATH = paths()
PAIR = st.tuples(PATH, PATH).filter(lambda pair: type(pair[0]) is type(pair[1]))
SIZES = [0, 1, 2, 10, 100, 4095, 4096, 4097, 10000, 65536, 131073, 300000]
SIZE = st.sampled_from(SIZES)
OFFSET = st.sampled_from([*SIZES, 1 << 20, -1, -4096, 1 << 63])
# At -1, preadv(2) and pwritev(2) of newer kernels are at the position.
PLACE = OFFSET.filter(lambda offset: offset != -1)
# A line costs a call: there are many in what is small, and longer ones in what is great.
DATA = st.one_of(
    st.builds(Fill, st.sampled_from([b"ab\n", b"line\n"]), SIZE.filter(lambda size: size < 5000)),
    st.builds(Fill, st.sampled_from([b"x", b"\0", b"0123456789" * 99 + b"\n"]), SIZE),
)
MODE = st.sampled_from([0o777, 0o755, 0o644, 0o600, 0o400, 0, 0o4755, 0o2755, 0o1777, 0o7777])
# Of a file with setuid or setgid that is made, GlusterFS changes the owner, which takes these away.
NEW_MODE = st.sampled_from([0o777, 0o755, 0o644, 0o600, 0o400, 0, 0o1777])
OWNER = st.sampled_from([-1, 0, 1000, 65534])
NS = st.tuples(*[st.sampled_from([0, 1, 10**9 - 1, 123456789012345678, 5 * 10**17])] * 2)
KEY = st.sampled_from(["user.a", "user.b", "user.é", "user.", "nonsense", "user." + "k" * 251])
VALUE = st.sampled_from([b"", b"v", b"\0\xff", b"long" * 300])
FLAG = st.booleans()
ACCESS = [os.O_RDONLY, os.O_WRONLY, os.O_RDWR]
EXTRA = [os.O_CREAT, os.O_EXCL, os.O_TRUNC, os.O_APPEND, os.O_SYNC, os.O_DIRECTORY]
FLAGS = st.builds(
    lambda access, extra: access | sum(extra),
    st.sampled_from(ACCESS),
    st.lists(st.sampled_from(EXTRA), unique=True, max_size=3).filter(
        lambda extra: not {os.O_CREAT, os.O_DIRECTORY} <= {*extra}  # each Linux has its own mind
    ),
)
FOPEN = [letter + rest for letter in "rwax" for rest in ("", "+", "b", "+b", "b+")]
FOPEN_MODE = st.sampled_from([*FOPEN, *FOPEN, "", "rw", "t", "r++", "q", "rt"])


def _each(strategies: list[Any], *names: str) -> dict[str, list[Any]]:
    return dict.fromkeys(names, strategies)


OF_VOLUME: dict[str, list[Any]] = {
    **_each([PATH], "lstat", "exists", "lexists", "isdir", "isfile", "islink"),
    **_each([PATH], "rmdir", "removedirs", "unlink", "remove", "readlink", "listdir"),
    **_each([PATH], "scandir", "getsize", "realpath", "chdir"),
    **_each([PAIR], "rename", "replace", "renames", "symlink", "samefile", "move"),
    **_each([PAIR, FLAG], "copyfile", "copymode", "copystat", "copy", "copy2"),
    "stat": [PATH, FLAG],
    "access": [PATH, st.integers(0, 7), FLAG],
    "chmod": [PATH, MODE],
    "chown": [PATH, OWNER, OWNER, FLAG],
    "lchown": [PATH, OWNER, OWNER],
    "link": [PAIR, FLAG],
    "mkdir": [PATH, NEW_MODE],
    "makedirs": [PATH, FLAG],
    "mknod": [PATH, NEW_MODE.map(lambda mode: mode | stat.S_IFREG)],
    "truncate": [PATH, OFFSET],
    "touch": [PATH, NEW_MODE, FLAG],
    "utime": [PATH, NS, FLAG],
    "setxattr": [PATH, KEY, VALUE, st.integers(0, 2), FLAG],
    "getxattr": [PATH, KEY, FLAG],
    "listxattr": [PATH, FLAG],
    "removexattr": [PATH, KEY, FLAG],
    "walk": [PATH, FLAG],
    "rmtree": [PATH, FLAG],
    "copytree": [PAIR, FLAG, FLAG],
    "getcwd": [],
}
OF_FILE: dict[str, list[Any]] = {
    **_each([], "readall", "readlines", "tell", "fsync", "fdatasync", "fstat"),
    **_each([], "readable", "writable", "flistxattr"),
    "read": [st.sampled_from([*SIZES, None, -1])],
    "readline": [st.sampled_from([*SIZES, -1])],
    "readinto": [SIZE],
    "readv": [st.lists(SIZE, max_size=3)],
    "pread": [SIZE, OFFSET],
    "preadinto": [SIZE, PLACE],
    "preadv": [st.lists(SIZE, max_size=3), PLACE],
    "write": [DATA],
    "writelines": [st.lists(DATA, max_size=3)],
    "writev": [st.lists(DATA, max_size=3)],
    "pwrite": [DATA, OFFSET],
    "pwritev": [st.lists(DATA, max_size=3), PLACE],
    "seek": [OFFSET, st.sampled_from([0, 0, 0, 1, 1, 2, 2, os.SEEK_DATA, os.SEEK_HOLE, 9])],
    "truncate": [st.sampled_from([*SIZES, None, -1])],
    "ftruncate": [OFFSET],
    "fallocate": [OFFSET, SIZE],
    "fchmod": [MODE],
    "fchown": [OWNER, OWNER],
    "utime": [NS],
    "fsetxattr": [KEY, VALUE, st.integers(0, 2)],
    "fgetxattr": [KEY],
    "fremovexattr": [KEY],
}


# ------------------------------------------------------------------------------- the machine


class Machine(RuleBasedStateMachine):
    """What Hypothesis makes programs for. A rule for each operation is added below."""

    both: Both
    files: Any = Bundle("files")

    def __init__(self) -> None:
        super().__init__()
        self.both.reset()

    def teardown(self) -> None:
        self.both.finish()

    @rule(target=files, path=st.sampled_from(NAMES[:4]), mode=st.sampled_from(FOPEN))
    def fopen_easily(self, path: Any, mode: str) -> Any:
        return _opened(self.both.fopen(path, mode))

    @rule(target=files, path=st.sampled_from(NAMES[:4]))
    def fopen_again(self, path: Any) -> Any:
        return _opened(self.both.fopen(path, "r+"))

    @initialize(target=files, path=st.sampled_from(NAMES[:4]))
    def begin(self, path: Any) -> Any:
        return _opened(self.both.fopen(path, "x+"))

    @rule(target=files, path=PATH, mode=FOPEN_MODE)
    def fopen(self, path: Any, mode: str) -> Any:
        return _opened(self.both.fopen(path, mode))

    @rule(target=files, path=PATH, flags=FLAGS, mode=NEW_MODE)
    def open(self, path: Any, flags: int, mode: int) -> Any:
        return _opened(self.both.open(path, flags, mode))

    @rule(file=consumes(files))
    def close(self, file: Any) -> None:
        file.close()
        self.both.forget(file)

    @rule(file=files, other=files, count=SIZE, read_from=OFFSET, write_to=OFFSET, at=FLAG)
    def copy_file_range(
        self, file: Any, other: Any, count: int, read_from: int, write_to: int, at: bool
    ) -> None:
        places = (read_from, write_to) if at else ()
        self.both.copy_file_range(file, other, count, *places)


def _opened(file: Any) -> Any:
    return multiple() if file is None else file


def _add_rules() -> None:
    for name, strategies in OF_VOLUME.items():
        setattr(Machine, name, _rule_of_volume(name, strategies))
    for name, strategies in OF_FILE.items():
        setattr(Machine, f"file_{name}", _rule_of_file(name, strategies))


def _rule_of_volume(name: str, strategies: list[Any]) -> Any:
    def step(self: Machine, arguments: tuple[Any, ...]) -> None:
        if strategies and strategies[0] is PAIR:
            arguments = *arguments[0], *arguments[1:]
        getattr(self.both, name)(*arguments)

    step.__name__ = name
    return rule(arguments=st.tuples(*strategies))(step)


def _rule_of_file(name: str, strategies: list[Any]) -> Any:
    def step(self: Machine, file: Any, arguments: tuple[Any, ...]) -> None:
        getattr(file, name)(*arguments)

    step.__name__ = f"file_{name}"
    return rule(file=Machine.files, arguments=st.tuples(*strategies))(step)


_add_rules()


def try_out(both: Both, programs: int, seed: int, shrink: bool = True) -> None:
    """Run so many programs.

    :raises Different: with the shortest program found that shows a difference.
    """
    phases = [hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if shrink else [])]
    settings = hypothesis.settings(
        max_examples=programs,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    machine = hypothesis.seed(seed)(type("Programs", (Machine,), {"both": both}))
    run_state_machine_as_test(machine, settings=settings)


# --------------------------------------------------------------------------- the command line


def be_a_part(kind: str, hosts: str, volname: str, journal: str, wanted: int, seed: int) -> None:
    """Be a process that runs programs until so many operations are done, and tells of them."""
    from gluster import gfapi

    programs = 0
    with gfapi.Volume(hosts.split(","), volname) as vol, Both.on(vol, kind, journal) as both:
        difference = ""
        while sum(both.counts.values()) < wanted and not difference:
            left = wanted - sum(both.counts.values())
            number = max(1, min(100, left // STEPS))
            try:
                try_out(both, number, seed + programs)
            except Exception as error:  # Hypothesis has its own for one that does not come again
                if not both.found:
                    raise
                difference = str(error) if isinstance(error, Different) else both.found
            programs += number
        told = {
            "programs": programs,
            "counts": both.counts,
            "excused": both.excused,
            "difference": difference,
        }
    print(json.dumps(told))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--operations", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="for no longer")
    parser.add_argument("--findings", type=int, default=1, help="stop after so many differences")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--kind", choices=KINDS, default="plain")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--json", help="the file of figures to put the results into")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    row: dict[str, Any] = {"kind": options.kind, "operations": 0, "programs": 0}
    counts: collections.Counter[str] = collections.Counter()
    excused: collections.Counter[str] = collections.Counter()
    differences = crashes = 0
    began = time.monotonic()
    for told in run(options, began + options.minutes * 60):
        if told is None:
            crashes += 1
        else:
            counts.update(told["counts"])
            excused.update(told["excused"])
            row["programs"] += told["programs"]
            differences += bool(told["difference"])
            print(f"{sum(counts.values())} operations", told["difference"], flush=True)
        if differences + crashes >= options.findings:
            break
    row.update(operations=sum(counts.values()), differences=differences, crashes=crashes)
    row["seconds"] = round(time.monotonic() - began)
    print(row, f"seed {options.seed}")
    for reason, count in excused.most_common():
        print(f"{count:7} {reason}")
    print(dict(counts.most_common()))
    if options.json:
        import figures

        figures.keep(options.json, ["kind"], [row])
    return int(bool(differences or crashes))


def run(options: argparse.Namespace, deadline: float) -> Iterator[Any]:
    """What each process tells, None for one that died. Each has a volume that no other uses."""
    from gluster.gfapi import sandbox

    free: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def part(number: int) -> Any:
        volume = free.get()
        try:
            if time.monotonic() > deadline:
                return {"counts": {}, "excused": {}, "programs": 0, "difference": ""}
            wanted = min(PART, options.operations - number * PART)
            return run_part(volume, options.kind, wanted, options.seed + number * PART)
        finally:
            free.put(volume)

    with sandbox.Cluster(nodes=1) as cluster, ThreadPoolExecutor(options.jobs) as executor:
        for number in range(options.jobs):
            name = f"{options.kind}-{number}"
            free.put(cluster.create_volume(name, **KINDS[options.kind]))
        parts = range(-(-options.operations // PART))
        futures = [executor.submit(part, number) for number in parts]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def run_part(volume: Any, kind: str, wanted: int, seed: int) -> Any:
    """What a process of its own tells, or None if it died."""
    python = [sys.executable, "-X", "faulthandler", __file__, "--part"]
    with tempfile.NamedTemporaryFile() as journal:
        place = (kind, ",".join(volume.hosts), volume.name, journal.name)
        done = subprocess.run(
            [*python, *place, str(wanted), str(seed)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            steps = Path(journal.name).read_text(encoding="utf-8").splitlines()
            print(done.stderr, program(kind, steps), f"exit code {done.returncode}", sep="\n")
            return None
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        kind, hosts, volname, journal, wanted, seed = sys.argv[2:]
        be_a_part(kind, hosts, volname, journal, int(wanted), int(seed))
    else:
        sys.exit(main())
