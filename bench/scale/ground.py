"""Where the curves are measured: volumes of a sandbox, and processes of their own."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Callable, NamedTuple, TypeVar

from gluster import gfapi
from gluster.gfapi import sandbox

from ..stage import delay_options

T = TypeVar("T")

#: Round-trip delays in milliseconds.
DELAYS = (0, 0.5, 2, 10)
#: What makes each call of a client one to the bricks.
_UNCACHED = {
    "performance.stat-prefetch": "off",
    "performance.quick-read": "off",
    "performance.io-cache": "off",
    "performance.read-ahead": "off",
}
# A delayed call keeps one of the brick's threads, which one that is on the network does not.
_MANY_THREADS = {
    f"performance.{kind}": 64
    for kind in ("io-thread-count", "high-prio-threads", "normal-prio-threads", "low-prio-threads")
}


class Place(NamedTuple):
    """What another process needs to mount a volume."""

    host: str
    volume: str

    def client(self) -> gfapi.Volume:
        """A client, not mounted yet."""
        return gfapi.Volume(self.host, self.volume)


class Ground:
    """A sandbox, whose volumes are made when somebody needs them.

    :param cluster: the sandbox.
    :param is_quick: whether few points are enough.
    :param is_long: whether what takes many minutes is measured too.
    """

    def __init__(
        self, cluster: sandbox.Cluster, *, is_quick: bool = False, is_long: bool = False
    ) -> None:
        self.is_quick = is_quick
        self.is_long = is_long
        self._cluster = cluster
        self._volumes: dict[str, sandbox.SandboxVolume] = {}

    def volume(
        self, name: str, *, delay: float = 0, options: Any = None, **layout: Any
    ) -> sandbox.SandboxVolume:
        """A volume by its name, made at the first call.

        :param delay: what each call to a brick takes longer, in milliseconds.
        :param options: its options.
        :param layout: its kind, as ``create_volume`` takes it.
        """
        if name not in self._volumes:
            self._volumes[name] = self._cluster.create_volume(
                name, options={**(options or {}), **_slowed(delay)}, **layout
            )
        return self._volumes[name]

    def slowed(self, delay: float) -> sandbox.SandboxVolume:
        """A volume with the options that it comes with.

        :param delay: what each call to a brick takes longer, in milliseconds.
        """
        return self.volume(_name("plain", delay), delay=delay)

    def uncached(self, delay: float) -> sandbox.SandboxVolume:
        """A volume whose clients cache nothing."""
        return self.volume(_name("uncached", delay), delay=delay, options=_UNCACHED)


def _name(kind: str, delay: float) -> str:
    return f"{kind}-{delay:g}ms".replace(".", "-")


def _slowed(delay: float) -> dict[str, Any]:
    return {**delay_options(delay), **_MANY_THREADS} if delay else {}


def place(volume: sandbox.SandboxVolume) -> Place:
    """Where a volume of a sandbox is."""
    return Place(volume.hosts[0], volume.name)


# --------------------------------------------------------------------- processes, threads, time


def alone(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a process of its own, which has mounted nothing yet."""
    (result,) = side_by_side(function, [arguments])
    return result


def side_by_side(function: Callable[..., T], calls: Iterable[tuple[Any, ...]]) -> list[T]:
    """Call a function several times, in a process each, all at once."""
    calls = list(calls)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(calls), mp_context=spawn) as pool:
        return [future.result() for future in [pool.submit(function, *each) for each in calls]]


def rate(call: Callable[[int], object], threads: int, seconds: float) -> float:
    """How many calls a second some threads make.

    :param call: what each thread calls again and again, with the thread's number.
    :param threads: how many threads.
    :param seconds: for how long.
    """
    stop = threading.Event()
    start = threading.Barrier(threads + 1)
    counts = [0] * threads
    errors: list[BaseException] = []

    def work(number: int) -> None:
        start.wait()
        try:
            while not stop.is_set():
                call(number)
                counts[number] += 1
        except BaseException as error:
            errors.append(error)

    crew = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in crew:
        thread.start()
    start.wait()
    begin = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    for thread in crew:
        thread.join()
    if errors:
        raise errors[0]
    return sum(counts) / (time.perf_counter() - begin)


def seconds_of(call: Callable[[], object]) -> float:
    """How long a call takes, in seconds."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
