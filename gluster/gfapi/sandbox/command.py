"""The command ``python -m gluster.gfapi.sandbox``."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn, Optional

from .cluster import Cluster
from .exceptions import SandboxError
from .layout import Layout
from .volume import SandboxVolume

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE = 10.0
_KIND = ("replica", "arbiter", "disperse", "redundancy", "distribute")


class _Interrupted(BaseException):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Start a volume, and serve it until a signal comes or a command has ended.

    :param arguments: the words after the command's name, by default those of this process.
    :returns: the exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        return _serve(options)
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    except _Interrupted as interruption:
        return 128 + interruption.number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gluster.gfapi.sandbox",
        description="Start a throw-away GlusterFS volume on this machine, and print how to use "
        "it. It runs until Ctrl-C; then nothing of it is left.",
    )
    add = parser.add_argument
    add("--nodes", type=int, default=1, metavar="N", help="nodes of the cluster (default: 1)")
    add("--name", default="demo", help="name of the volume (default: demo)")
    add("--replica", type=int, default=0, metavar="N", help="copies of each file")
    add(
        "--arbiter",
        type=int,
        default=0,
        metavar="N",
        help="of three copies, how many hold names and metadata only: 0 or 1",
    )
    add(
        "--disperse",
        type=int,
        default=0,
        metavar="N",
        help="bricks that each file is erasure-coded over",
    )
    add("--redundancy", type=int, default=0, metavar="N", help="how many of those may be lost")
    add(
        "--distribute",
        type=int,
        default=1,
        metavar="N",
        help="sets of bricks that the files are spread over (default: 1)",
    )
    add(
        "--option",
        type=_option,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the volume; may be given several times",
    )
    add(
        "--storage",
        metavar="DIR",
        help="put bricks below this folder, on a file system with trusted extended attributes",
    )
    add(
        "--run",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="run a command (the rest of the line; a single quoted word is given to the shell) "
        "with GFAPI_HOST, GFAPI_HOSTS (all, separated by commas) and GFAPI_VOLUME in its "
        "environment, then clean up and exit with its status",
    )
    return parser


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form KEY=VALUE")
    return key, value


def _serve(options: argparse.Namespace) -> int:
    if options.run == []:
        raise SandboxError("--run needs a command.")
    kind = {word: getattr(options, word) for word in _KIND}
    # Before anything is started.
    Layout(**kind)
    _catch_signals()
    cluster = Cluster(options.nodes, storage=options.storage)
    try:
        cluster.start()
        volume = cluster.create_volume(options.name, options=dict(options.option), **kind)
        if options.run:
            return _run(options.run, volume)
        _print_usage(volume)
        return _wait()
    finally:
        _overlook_signals()
        cluster.stop()


def _catch_signals() -> None:
    for number in _SIGNALS:
        # nohup has it ignored.
        if not (number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN):
            signal.signal(number, _interrupt)


def _overlook_signals() -> None:
    for number in _SIGNALS:
        # Not SIG_IGN, which Python reports as a race if the signal has already arrived.
        signal.signal(number, lambda number, frame: None)


def _interrupt(number: int, frame: Optional[FrameType]) -> NoReturn:
    # The first one ends everything; a second one must not cut that short.
    _overlook_signals()
    raise _Interrupted(number)


def _print_usage(volume: SandboxVolume) -> None:
    cluster = volume.cluster
    print(
        f"Volume {volume.name} ({volume.layout}) is ready on {', '.join(volume.hosts)}.\n\n"
        f"    {volume.usage}\n\n"
        f"Administer it with: gluster --glusterd-sock={cluster.nodes[0].socket}\n"
        f"Logs: {cluster.nodes[0].folder}/log\n"
        "Ctrl-C stops it and removes everything.",
        flush=True,
    )


def _wait() -> int:
    try:
        while True:
            # Not pause(), which misses a signal that comes just before it.
            time.sleep(1)
    except _Interrupted:
        return 0


def _run(command: list[str], volume: SandboxVolume) -> int:
    environment = {
        **os.environ,
        "GFAPI_HOST": volume.hosts[0],
        "GFAPI_HOSTS": ",".join(volume.hosts),
        "GFAPI_VOLUME": volume.name,
    }
    words = ["/bin/sh", "-c", *command] if len(command) == 1 else command
    try:
        child = subprocess.Popen(words, env=environment)
    except OSError as error:
        raise SandboxError(f"Cannot run {command[0]}: {error.strerror}.") from None
    while child.returncode is None:
        try:
            child.wait()
        except _Interrupted as interruption:
            # A terminal's Ctrl-C reaches the command too, which decides what it means.
            if not (interruption.number == signal.SIGINT and sys.stdin.isatty()):
                _end(child, interruption.number)
                raise
            _catch_signals()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end(child: subprocess.Popen[bytes], number: int) -> None:
    child.send_signal(number)
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
