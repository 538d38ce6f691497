"""The end of a sandbox: its processes ended, its files removed.

Beside every cluster runs this file as a program of its own. It waits until the program that
started the cluster asks for the end, or is itself gone, for whatever reason: an exception, a
signal, even SIGKILL. So nothing needs to be caught, and a second Ctrl-C cannot cut it short.

It imports nothing of the package, as it has to start quickly and outlive it.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Optional

# GlusterFS has these compiled in; the sockets of bricks and daemons are always put here.
_SOCKET_FOLDERS = ("/var/run/gluster/", "/run/gluster/")
# So has it these, which every glusterd makes when it starts, empty. /var/run/gluster is not
# among them: other clusters may have come to rely on it.
_SYSTEM_FILES = (
    "/var/lib/glusterd/geo-replication/gsyncd_template.conf",
    "/var/lib/glusterd/geo-replication",
    "/var/lib/glusterd/ss_brick",
    "/var/lib/glusterd",
)
_PROGRAMS = ("glusterd", "glusterfsd", "glusterfs", "gluster")
_PROGRAM = os.path.abspath(__file__)
_KILL_TIMEOUT = 10.0
_START_TIME = 1.0


def command_line(pid: int) -> list[str]:
    """The command line of a process, empty if it has ended, also while nobody reaped it."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(word) for word in raw.split(b"\0")[:-1]]


def processes(folder: str) -> dict[int, list[str]]:
    """The GlusterFS processes that work with files below a folder.

    :param folder: an absolute path that belongs to one sandbox, or to one of its nodes.
    :returns: the command line of each, by process id.
    """
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            command = command_line(int(entry))
            if _belongs(command, folder):
                found[int(entry)] = command
    return found


def _belongs(command: list[str], folder: str) -> bool:
    return (
        bool(command)
        and os.path.basename(command[0]) in _PROGRAMS
        and any(f"{folder}/" in word for word in command)
    )


def end(victims: dict[int, list[str]]) -> None:
    """Kill processes at once, and remove what a process killed so leaves behind.

    GlusterFS takes the process of a pid file that it finds for a living one while it is not
    reaped, and then would not start it again.

    :param victims: the command line of each, by process id.
    """
    for pid, command in victims.items():
        if command_line(pid) == command:
            _kill(pid)
    deadline = time.monotonic() + _KILL_TIMEOUT
    while any(command_line(pid) == c for pid, c in victims.items()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    for command in victims.values():
        _remove_files(_values(command, ("-p", "--pid-file", "-S", "--socket-file")))


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _values(command: list[str], options: tuple[str, ...]) -> Iterator[str]:
    return (value for option, value in zip(command, command[1:]) if option in options)


def _remove_files(paths: Iterable[str]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)


def sweep(folders: list[str], empty: Iterable[str] = ()) -> Optional[str]:
    """End all processes of a sandbox and remove all its files.

    :param folders: its base folder, and its storage folder if that is elsewhere.
    :param empty: files and folders that are to go too if they are empty.
    :returns: what could not be removed and why, or None.
    """
    base = folders[0]
    deadline = time.monotonic() + _KILL_TIMEOUT
    # More than once: a glusterd may start another process while it is being killed.
    while time.monotonic() < deadline:
        victims = processes(base)
        if not victims:
            break
        end(victims)
    _remove_files(_logged_sockets(base))
    for path in empty:
        _remove_empty(path)
    failures = [_remove_tree(folder) for folder in folders]
    return next(filter(None, failures), None)


def _remove_empty(path: str) -> None:
    with contextlib.suppress(OSError):
        if os.path.isdir(path):
            os.rmdir(path)
        elif os.path.getsize(path) == 0:
            os.unlink(path)


def _logged_sockets(base: str) -> set[str]:
    """The sockets of all processes that ever ran, which begin their logs with their command."""
    option = re.compile(rb" (?:-S|--socket-file) (\S+)")
    sockets: set[str] = set()
    for log in Path(base).glob("*/log/**/*.log"):
        with contextlib.suppress(OSError):
            for command in re.findall(rb"cmdlinestr=.*", log.read_bytes()):
                sockets.update(map(os.fsdecode, option.findall(command)))
    return {path for path in sockets if path.startswith(_SOCKET_FOLDERS)}


def _remove_tree(folder: str) -> Optional[str]:
    """Remove a folder by way of ``rm``: :func:`shutil.rmtree` ends at some depth.

    :returns: why something is left, if it is.
    """
    words = ["rm", "-rf", "--", folder]
    subprocess.run(words, check=False, stderr=subprocess.DEVNULL)
    # What made something in it meanwhile has ended by now.
    again = subprocess.run(words, check=False, stderr=subprocess.PIPE)
    return os.fsdecode(again.stderr).partition("\n")[0][len("rm: ") :] or None


class Janitor:
    """The process that cleans up behind a cluster.

    :param folders: the base folder, and the storage folder if that is elsewhere.
    :param keep_open: a file descriptor that is to stay open until all is done.
    """

    def __init__(self, folders: list[str], keep_open: int) -> None:
        self._folders = folders
        absent = [path for path in _SYSTEM_FILES if not os.path.exists(path)]
        self._process = subprocess.Popen(
            [sys.executable, "-IS", _PROGRAM, str(os.getpid()), *folders, "--", *absent],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd="/",
            pass_fds=(keep_open,),
            start_new_session=True,
        )

    def finish(self) -> None:
        """Clean up, and return when it is done."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as asked:
            asked.write(b"!")
        if self._process.wait() != 0:
            sweep(self._folders)


def _is_asked_for_the_end(parent: int) -> bool:
    """Wait for the end: whether the program asked for it, or is gone."""
    # A child that the parent forked holds the pipe open too, so watch the parent itself.
    while os.getppid() == parent:
        if select.select([sys.stdin], [], [], 0.5)[0]:
            return bool(os.read(sys.stdin.fileno(), 1))
    return False


def _main(parent: str, *words: str) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end_of_folders = words.index("--")
    folders, empty = list(words[:end_of_folders]), words[end_of_folders + 1 :]
    is_asked = _is_asked_for_the_end(int(parent))
    failure = sweep(folders, empty)
    if not is_asked:
        # What it was just about to start is a server now, and has made its folders anew.
        time.sleep(_START_TIME)
        failure = sweep(folders, empty)
    if failure:
        print(f"Could not clean up: {failure}.", file=sys.stderr)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
