"""Calls all that is public with what no argument should be, and looks at what comes of it.

Each parameter of each public callable takes each hostile value in turn, the others being right;
then several take some at random. Nothing may crash, hang, leak, disturb what comes after it, or
fail without saying what was wrong.

    python test/stress/hostile.py --random 10000 --kind plain --json doc/figures/hostile.json
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import faulthandler
import gc
import itertools
import json
import os
import random
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple, Optional

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import figures
import hostile_oracle
import hostile_peers
from hostile_stage import TARGETS, Stage, World, tempdir
from hostile_table import public, valid
from hostile_values import UNMOUNTING, VALUES

from gluster import gfapi
from gluster.gfapi import sandbox
from gluster.gfapi.file import Glfd

#: When a call hangs, in seconds, and when it is worth a word.
HANG, SLOW = 45, 8.0
_BATCH = 300
_STATES = ("right", "closed", "unmounted", "never mounted", "unknown keyword", "too many")
#: What the volume needs for calls about upcalls.
OPTIONS = {"features.cache-invalidation": True}
# What those with such a name do to their thread stays.
_OWN_THREAD = ("setfs", "ease")
# Leases keep others waiting, and want caches off: they have a volume of their own.
_FOR_LEASES = {
    "features.leases": True,
    "features.lease-lock-recall-timeout": 5,
    "performance.open-behind": False,
    "performance.quick-read": False,
    "performance.write-behind": False,
}
# A range of the disk is taken, on a machine that others use: not that much of it.
_GREEDY = ("File.fallocate", "File.zerofill", "File.zerofill_async")
_GREAT = ("2**31", "2**32", "2**32-1", "2**63-1", "an index that becomes huge")
# Commands of the cluster take their time, and a sandbox that is stopped is gone.
_SLOW_BY_RIGHT = ("Volume.umount(wait", "Volume.umount(timeout", "Upcall")
_OF_SANDBOX = ("None", "-1", "2**64", "NaN", "an object", "a str", "an empty str", "a NUL")
_OF_SANDBOX += ("10,000 characters", "a lone surrogate", "an index that raises", "a list")
_OF_SANDBOX += ("a dict of nonsense", "what refuses everything", "dots", "format characters")
_NOT_IN_SANDBOX = ("start", "stop", "__enter__", "__exit__", "launch", "prepare", "delete", "kill")
_NOT_IN_SANDBOX += ("kill_node", "start_node", "kill_brick", "finish_launch", "create", "ask")
_NOT_IN_SANDBOX += ("heal", "replace_brick")  # of a volume with one copy


class Case(NamedTuple):
    """One call.

    :ivar name: of what is called.
    :ivar values: the names of the hostile values, by parameter.
    :ivar state: what else is wrong.
    """

    name: str
    values: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    state: str = ""

    def __str__(self) -> str:
        told = [f"{parameter}={value}" for parameter, value in self.values.items()]
        return f"{self.name}({', '.join(told)})" + (f" [{self.state}]" if self.state else "")


class Verdict(NamedTuple):
    """What came of a call.

    :ivar outcome: the exception's type, or ``ok``.
    :ivar problem: what is wrong with it, or ``""``; it begins with its kind.
    """

    case: Case
    outcome: str
    message: str
    seconds: float
    problem: str = ""


# ------------------------------------------------------------------------------ which calls


def single_cases() -> list[Case]:
    """Each hostile value in the place of each right one, and each object in each wrong state."""
    cases = [Case(name, state=state) for name in public() for state in _states_of(name)]
    for name in public():
        for parameter in valid(name):
            cases += [Case(name, {parameter: value}) for value in _values_for(name, parameter)]
    return cases


def random_cases(choose: random.Random, count: int) -> list[Case]:
    """Calls with several hostile values."""
    names = [name for name in public() if len(valid(name)) > 1 and _is_free(name)]
    cases = []
    for _ in range(count):
        name = choose.choice(names)
        parameters = list(valid(name))
        chosen = choose.sample(parameters, choose.randint(2, len(parameters)))
        values = {p: choose.choice(_values_for(name, p)) for p in chosen}
        cases.append(Case(name, values))
    return cases


def some_cases(choose: random.Random, share: int) -> list[Case]:
    """One of so many of all single ones, but some of each parameter.

    None of them takes long: nothing is mounted anew, and no cluster is made.
    """
    cases: list[Case] = []
    key = lambda case: (case.name, *case.values)  # noqa: E731
    for _, found in itertools.groupby(single_cases(), key):
        listed = [case for case in found if not _is_unmounting(case)]
        if listed and _is_free(listed[0].name) and not _is_about_leases(listed[0]):
            cases += choose.sample(listed, max(1, len(listed) // share))
    return cases


def _values_for(name: str, parameter: str) -> list[str]:
    if name.startswith("sandbox."):
        return list(_OF_SANDBOX) if _is_allowed_in_sandbox(name) else []
    left_out = _GREAT if name in _GREEDY and parameter in ("length", "offset", "len") else ()
    return [value for value in VALUES if value not in left_out]


def _states_of(name: str) -> list[str]:
    if name.startswith("sandbox."):
        return ["right", "unknown keyword"] if _is_allowed_in_sandbox(name) else []
    if public()[name].owner is None:
        return ["right", "unknown keyword", "too many"]
    return [s for s in _STATES if s != "never mounted" or name.startswith("Volume.")]


def _is_quick(case: Case) -> bool:
    """Whether it takes no time: a tear-down takes ten seconds."""
    return _is_free(case.name) and not str(case).startswith(_SLOW_BY_RIGHT)


def _is_allowed_in_sandbox(name: str) -> bool:
    return name.rpartition(".")[2] not in _NOT_IN_SANDBOX


def _is_free(name: str) -> bool:
    return not name.startswith("sandbox.")


# -------------------------------------------------------------------------- in the process


def play(hosts: list[str], volname: str, cases: Sequence[Case], told: Any, mounts: bool) -> None:
    """Make calls, and tell of each before and after it."""
    with tempdir() as local, contextlib.ExitStack() as stack:
        os.chdir(local)
        world = World(hosts, volname, local)
        if any(case.name.startswith("sandbox.") for case in cases):
            stack.callback(lambda: world.cluster.stop())
        world.check()
        for number, case in enumerate(cases):
            print(json.dumps({"begin": number}), file=told, flush=True)
            faulthandler.dump_traceback_later(HANG * (6 if mounts else 1), exit=True)
            judge = lambda case=case: _judged(world, case, mounts)  # noqa: E731
            is_apart = any(part in case.name for part in _OWN_THREAD)
            verdict = _in_thread(judge) if is_apart else judge()
            if number % 50 == 49 or number == len(cases) - 1:
                verdict = _checked(world, verdict)
            faulthandler.cancel_dump_traceback_later()
            line = {"end": number, **verdict._asdict(), "case": None}
            print(json.dumps(line), file=told, flush=True)
        faulthandler.dump_traceback_later(HANG * 2, exit=True)


def _checked(world: World, verdict: Verdict) -> Verdict:
    try:
        world.check()
    except Exception:
        problem = f"corrupted: a later call: {traceback.format_exc(limit=-2)}"
        return verdict._replace(problem=verdict.problem or problem)
    return verdict


def _judged(world: World, case: Case, mounts: bool) -> Verdict:
    began = time.monotonic()
    stage = Stage(world)
    mount = world.volume._mount
    before = _held(world)
    error, problem = _attempt(stage, case, mounts)
    if problem:
        return Verdict(case, "?", "", 0.0, problem)
    seconds = time.monotonic() - began
    problem = hostile_oracle.complaint(case, error)
    if not problem and seconds > SLOW and not mounts and _is_quick(case):
        problem = f"slow: it took {seconds:.1f} s"
    outcome, message = (type(error).__name__, str(error)) if error is not None else ("ok", "")
    if not problem:
        problem = hostile_peers.difference(case, error, world.local)
    try:
        if error is not None:
            traceback.clear_frames(error.__traceback__)
        error = None
        _settle(stage, world, case)
    except Exception:
        problem = problem or f"corrupted: at its end: {traceback.format_exc(limit=-2)}"
    stage = None  # type: ignore[assignment]
    if mount is world.volume._mount and not problem:
        problem = _leak(world, before)
    return Verdict(case, outcome, message[:300], seconds, problem)


def _attempt(stage: Stage, case: Case, mounts: bool) -> tuple[Optional[BaseException], str]:
    """Make the call: what it raises, and what went wrong before it."""
    try:
        function, arguments, more = _prepared(stage, case)
    except Exception:
        return None, f"stage: {traceback.format_exc(limit=-3)}"
    try:
        _used(function(arguments, more), mounts)
    except (Exception, SystemExit) as caught:
        return caught, ""
    return None, ""


def _prepared(stage: Stage, case: Case) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """What to call, and with what."""
    callee = public()[case.name]
    target = None
    if callee.owner is not None:
        class_name = case.name.rpartition(".")[0]
        make = TARGETS.get(case.name) or TARGETS[class_name]
        if case.state == "never mounted" and class_name == "Volume":
            make = lambda s: s.unmounted  # noqa: E731
        target = stage.target = make(stage)
    arguments = {p: make(stage) for p, make in valid(case.name).items()}
    more: dict[str, Any] = {}
    if case.state == "closed":
        stage.shut()
    elif case.state == "unmounted":
        stage.unmount()
    elif case.state == "unknown keyword":
        more = {"unknown": 1}
    elif case.state == "too many":
        function = getattr(target, callee.attribute, None)
        if callable(function) and not case.name.endswith("="):
            return lambda a, m: function(*([None] * 20)), {}, {}
    if case.values and callee.owner in (gfapi.Volume, gfapi.Handle, gfapi.Dir):
        stage.enter()
    for parameter, value in case.values.items():
        arguments[parameter] = VALUES[value](stage)
    return lambda a, m: callee.of(target, a, **m), arguments, more


def _used(result: Any, mounts: bool) -> Any:
    """Do with a result what it is for."""
    if type(result) is Glfd:
        gfapi.File(result).close()
    if isinstance(result, Future):
        return result.result(HANG)
    if isinstance(result, gfapi.Volume):
        repr(result)
        if mounts and not result.mounted:
            with result:
                result.stat("/")
        return result
    if hasattr(result, "__enter__") and not isinstance(result, (gfapi.File, memoryview)):
        with result as inner:
            return [repr(inner)]
    if isinstance(result, Iterator) and not isinstance(result, gfapi.Watch):
        return list(itertools.islice(result, 20))
    if isinstance(result, gfapi.Xattrs):
        return len(result)
    if isinstance(result, (gfapi.File, gfapi.Dir, gfapi.Handle)) and not result.closed:
        repr(result)
    return result


def _in_thread(call: Any) -> Any:
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(call).result()


def _settle(stage: Stage, world: World, case: Case) -> None:
    """Have all as it was before the call."""
    if "log" in case.name:
        world.volume.log_file, world.volume._logger = "/dev/null", None
    world.ready()
    stage.end()
    world.volume.chdir("/")
    if "log" in case.name:
        world.volume.disable_logging()


def _held(world: World) -> tuple[int, int, int]:
    mount = world.volume._mount
    return (
        len(os.listdir("/proc/self/fd")),
        sum(d.is_open for d in list(mount.descriptors)),
        sum(o.is_open for o in list(mount.objects)),
    )


def _leak(world: World, before: tuple[int, int, int]) -> str:
    names = "descriptors of the kernel", "files", "objects"
    after = _held(world)
    if after > before or any(a > b for a, b in zip(after, before)):
        gc.collect()
        deadline = time.monotonic() + 1  # the upcalls of a replica's other bricks are on their way
        while (after := _held(world))[1:] > before[1:] and time.monotonic() < deadline:
            time.sleep(0.02)
    recent = world.volume._mount.endings
    grown = [
        f"{a - b} {name}"
        for a, b, name in zip(after, before, names)
        # What unmounts, and what connects meanwhile, has some of the kernel's for a while.
        if a > b + (8 if name == names[0] else 0) and not (recent and name == names[0])
    ]
    return f"leak: {', '.join(grown)}" if grown else ""


# ------------------------------------------------------------------------------ their judge


def run(
    volume: sandbox.SandboxVolume,
    leased: sandbox.SandboxVolume,
    cases: Sequence[Case],
    jobs: int = 2,
    mounts: bool = False,
) -> Iterator[Verdict]:
    """Make calls in processes of their own, which may crash, and judge them."""
    kinds: dict[tuple[bool, bool], list[Case]] = collections.defaultdict(list)
    for case in cases:
        kinds[_is_unmounting(case), _is_about_leases(case)].append(case)
    with ThreadPoolExecutor(jobs) as executor:
        futures = [
            executor.submit(_listed, leased if is_about_leases else volume, some, mounts)
            for (_, is_about_leases), listed in sorted(kinds.items())  # those that wait are last
            for some in (listed[i : i + _BATCH] for i in range(0, len(listed), _BATCH))
        ]
        for future in as_completed(futures):
            yield from future.result()


def _is_about_leases(case: Case) -> bool:
    return "ease" in case.name and not case.name.startswith("Upcall")


def _is_unmounting(case: Case) -> bool:
    """Whether the next one has to wait for a mount."""
    return case.state == "unmounted" or any(v in UNMOUNTING for v in case.values.values())


def _listed(volume: sandbox.SandboxVolume, cases: Sequence[Case], mounts: bool) -> list[Verdict]:
    return list(_batch(volume, cases, mounts))


def _batch(volume: sandbox.SandboxVolume, cases: Sequence[Case], mounts: bool) -> Iterator[Verdict]:
    """Make some, and those after one that ends the process in another."""
    while cases:
        done, said, code = _process(volume, cases, mounts)
        for number, verdict in enumerate(done):
            yield verdict._replace(case=cases[number])
        if len(done) == len(cases):
            if code:
                yield Verdict(cases[-1], "?", "", 0.0, f"crash: at the end, {code}: {said}")
            return
        kind = "hang" if "Timeout" in said else "crash"
        yield Verdict(cases[len(done)], "?", "", 0.0, f"{kind}: exit code {code}: {said}")
        cases = cases[len(done) + 1 :]


def _process(
    volume: sandbox.SandboxVolume, cases: Sequence[Case], mounts: bool
) -> tuple[list[Verdict], str, int]:
    command = [sys.executable, "-W", "ignore", __file__, "--play", str(int(mounts))]
    with tempdir() as folder:
        told = f"{folder}/told"
        given = json.dumps([volume.hosts, volume.name, told, cases])
        done = subprocess.run(
            command,
            input=given,
            env={**os.environ, "PYTHONPATH": str(Path(gfapi.__file__).parents[2])},
            capture_output=True,
            text=True,
            errors="replace",
        )
        lines = []
        with contextlib.suppress(FileNotFoundError), open(told) as file:
            lines = [json.loads(line) for line in file if line.endswith("\n")]
    ended = [line for line in lines if "end" in line]
    for line in ended:
        del line["end"]
    return [Verdict(**line) for line in ended], done.stderr[-3000:], done.returncode


# ------------------------------------------------------------------------------ command line


def main() -> int:
    options = _parsed()
    choose = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    cases: list[Case] = []
    if options.only:
        cases = [c for c in single_cases() if any(word in str(c) for word in options.only)]
    elif options.share:
        cases = some_cases(choose, options.share)
    else:
        cases = single_cases()
    cases += random_cases(choose, options.random)
    with sandbox.Cluster(nodes=1) as cluster:
        volume, leased = made(cluster, options.kind)
        began = time.monotonic()
        verdicts = []
        for verdict in run(volume, leased, cases, options.jobs, options.mounts):
            verdicts.append(verdict)
            if verdict.problem:
                print(f"{verdict.case}: {verdict.outcome}: {verdict.message}", flush=True)
                print(f"    {verdict.problem}", flush=True)
        took = time.monotonic() - began
    return report(options, verdicts, took)


def made(
    cluster: sandbox.Cluster, kind: str
) -> tuple[sandbox.SandboxVolume, sandbox.SandboxVolume]:
    """A volume, and one for calls about leases."""
    replica = 3 if kind == "replica" else 0
    volume, leased = (
        cluster.create_volume(f"{name}-{kind}", replica=replica, options=options)
        for name, options in (
            ("hostile", OPTIONS),
            ("leased", _FOR_LEASES),
        )
    )
    return volume, leased


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--random", type=int, default=0, help="calls with several hostile values")
    parser.add_argument("--share", type=int, default=0, help="one of so many single ones")
    parser.add_argument("--only", action="append", metavar="TEXT", help="what has this in its name")
    parser.add_argument("--kind", choices=("plain", "replica"), default="plain")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--mounts", action="store_true", help="mount what can be made of nonsense")
    parser.add_argument("--json", help="the file to keep the figures in")
    return parser.parse_args()


def report(options: argparse.Namespace, verdicts: Sequence[Verdict], took: float) -> int:
    found = collections.Counter(v.problem.partition(":")[0] for v in verdicts if v.problem)
    outcomes = collections.Counter(v.outcome for v in verdicts)
    print(", ".join(f"{count} {name}" for name, count in outcomes.most_common()))
    rows = [
        {
            "kind": options.kind,
            "callables": len({v.case.name for v in verdicts}),
            "parameters": len({(v.case.name, p) for v in verdicts for p in v.case.values}),
            "hostile values": len(VALUES),
            "calls": len(verdicts),
            "refused": sum(v.outcome not in ("ok", "?") for v in verdicts),
            "crashes": found["crash"],
            "hangs": found["hang"] + found["slow"],
            "unclear errors": found["unclear"],
            "leaks": found["leak"],
            "disturbed calls": found["corrupted"],
            "seed": options.seed,
        }
    ]
    print(rows[0], f"{took:.0f} s", dict(found))
    if options.json:
        figures.keep(options.json, ["kind"], rows)
    return 1 if found or not verdicts else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        faulthandler.enable()
        warnings.simplefilter("ignore")
        hosts, volname, told, listed = json.load(sys.stdin)
        with open(told, "w") as journal:
            play(hosts, volname, [Case(*case) for case in listed], journal, sys.argv[2] == "1")
    else:
        sys.exit(main())
