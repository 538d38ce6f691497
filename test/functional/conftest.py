"""A sandbox cluster for the whole run, a volume of each kind on it, a folder for each test."""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox
from gluster.gfapi.api.loader import thread_translator

KINDS = {
    "plain": {},
    "replica": {"replica": 3},
    "distribute": {"distribute": 3},
    "disperse": {"disperse": 3, "redundancy": 1},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kinds",
        type=kinds_of,
        default=",".join(KINDS),
        help="the kinds of volume that tests of files run on (default: %(default)s)",
    )


def kinds_of(text: str) -> list[str]:
    kinds = text.split(",")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(KINDS)}")
    return kinds


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sandbox_volume" in metafunc.fixturenames:
        kinds = metafunc.config.getoption("kinds")
        metafunc.parametrize("sandbox_volume", kinds, indirect=True, scope="session")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "own_thread: runs in a thread of its own, as it leaves traces in it for good"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Optional[bool]:
    if pyfuncitem.get_closest_marker("own_thread") is None:
        return None
    names = pyfuncitem._fixtureinfo.argnames
    with ThreadPoolExecutor(1) as executor:
        arguments = {name: pyfuncitem.funcargs[name] for name in names}
        executor.submit(pyfuncitem.obj, **arguments).result()
    return True


@pytest.fixture(autouse=True)
def thread_is_left_as_it_was() -> Iterator[None]:
    """Fails a test whose thread goes on with a translator of a volume, which may be freed."""
    place_of = thread_translator()
    before = place_of()[0]
    yield
    assert place_of()[0] == before, "a call did not set the thread's translator back"


@pytest.fixture(scope="session")
def cluster() -> Iterator[sandbox.Cluster]:
    """One node; tests that kill nodes start a cluster of their own."""
    with sandbox.Cluster(nodes=1) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def sandbox_volume(
    request: pytest.FixtureRequest, cluster: sandbox.Cluster
) -> sandbox.SandboxVolume:
    """A started volume of each kind. Tests that change its options or state make their own."""
    return _started(cluster, request.param)


@pytest.fixture(scope="session")
def vol(sandbox_volume: sandbox.SandboxVolume) -> Iterator[gfapi.Volume]:
    """The volume, mounted once for all tests. Tests that unmount use ``sandbox_volume``."""
    with sandbox_volume.client() as volume:
        yield volume


@pytest.fixture(scope="session")
def plain(cluster: sandbox.Cluster) -> sandbox.SandboxVolume:
    """A plain volume, for tests of what does not depend on the kind."""
    return _started(cluster, "plain")


@pytest.fixture(scope="session")
def plain_vol(plain: sandbox.SandboxVolume) -> Iterator[gfapi.Volume]:
    """The plain volume, mounted once for all tests."""
    with plain.client() as volume:
        yield volume


def _started(cluster: sandbox.Cluster, kind: str) -> sandbox.SandboxVolume:
    existing = {volume.name: volume for volume in cluster.volumes}
    return existing.get(kind) or cluster.create_volume(kind, **KINDS[kind])


_numbers = itertools.count()


@pytest.fixture
def folder(vol: gfapi.Volume) -> str:
    """A new empty directory on the volume."""
    return _new_folder(vol)


@pytest.fixture
def plain_folder(plain_vol: gfapi.Volume) -> str:
    """A new empty directory on the plain volume."""
    return _new_folder(plain_vol)


def _new_folder(vol: gfapi.Volume) -> str:
    path = f"/test{next(_numbers)}"
    vol.mkdir(path)
    return path


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], object]], None]:
    """A function that returns when a condition holds, and fails after a minute."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "it did not come about within a minute"
            time.sleep(0.05)

    return wait


@pytest.fixture(scope="session")
def open_on_bricks() -> Callable[[sandbox.SandboxVolume, str], int]:
    """A function that counts the descriptors that a volume's bricks have open of a path."""

    def count(volume: sandbox.SandboxVolume, path: str) -> int:
        holders = [brick for brick in volume.bricks if os.path.exists(brick.path + path)]
        assert holders, "it is on none of the bricks"
        return sum(_open_in(brick.pid, brick.path + path) for brick in holders)

    return count


def _open_in(pid: Optional[int], path: str) -> int:
    assert pid, "the brick is dead"
    wanted, found = os.stat(path), 0
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found += os.path.samestat(os.stat(f"/proc/{pid}/fd/{descriptor}"), wanted)
    return found


_PRELUDE = """
import contextlib, os, sys, threading, time
from gluster import gfapi
hosts, volname, folder, *arguments = sys.argv[1:]
vol = gfapi.Volume(hosts.split(","), volname)

def thread_names():
    names = []
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):  # it has ended since
            names.append(open(f"/proc/self/task/{task}/comm").read().strip())
    return names
"""
# Since 3.12 Python warns of each fork beside threads, which libgfapi always has.
_QUIET = ("-W", "ignore:This process:DeprecationWarning")
_ROOT = str(Path(gfapi.__file__).parents[2])


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs a program in a Python of its own.

    The program finds ``vol``, not mounted yet, ``folder``, the list ``arguments``, and
    ``thread_names()``: the names of its threads, libgfapi's too.
    """

    def run(
        volume: sandbox.SandboxVolume,
        folder: str,
        program: str,
        *arguments: str,
        options: Sequence[str] = (),
        prefix: Sequence[str] = (),
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        source = _PRELUDE + textwrap.dedent(program)
        place = (",".join(volume.hosts), volume.name, folder)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        return subprocess.run(
            [*prefix, sys.executable, *_QUIET, *options, "-c", source, *place, *arguments],
            env={**inherited, "PYTHONPATH": _ROOT},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def output_of(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[..., str]:
    """As ``run_python``, for a program that has to end well and say nothing on stderr.

    It returns what the program printed.
    """

    def run(*arguments: Any, **options: Any) -> str:
        done = run_python(*arguments, **options)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    return run


@pytest.fixture(scope="session")
def begin(output_of: Callable[..., str]) -> Iterator[Callable[..., Future[str]]]:
    """As ``output_of``, but a Future of what is printed is returned at once.

    Other tests run while a program waits for a tear-down, which takes GlusterFS ten seconds. The
    fixture that begins it is asked for by the test that looks at what was printed, and by one of
    the first of the same file.
    """
    with ThreadPoolExecutor() as executor:
        yield functools.partial(executor.submit, output_of)


@pytest.fixture(scope="session")
def run_module() -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs a module of the project as a program, with ``python -m``."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
