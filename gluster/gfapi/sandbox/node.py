"""One node of a cluster: a glusterd with an address of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Optional

from .console import Console
from .exceptions import SandboxError
from .host import PORT, program
from .janitor import command_line, end, processes

#: Whatever the caller's is: bricks have sockets outside of the sandbox's folder, by which who may
#: write to them gives orders.
UMASK = 0o022

_VOLFILE = """\
volume management
    type mgmt/glusterd
    option working-directory {folder}/glusterd
    option run-directory {folder}/run
    option logging-directory {folder}/log
    option glusterd-sockfile {folder}/gd.sock
    option transport-type socket
    option transport.socket.bind-address {host}
    option transport.socket.listen-port {port}
    option transport.socket.keepalive-time 10
    option transport.socket.keepalive-interval 2
    option transport.socket.read-fail-log off
    option ping-timeout 0
    option event-threads 1
end-volume
"""


def owner(pid_file: str) -> Optional[int]:
    """The living process that a pid file names.

    :returns: its id, None if there is no such process or it is not the one that wrote the file.
    """
    try:
        pid = int(Path(pid_file).read_text())
    except (OSError, ValueError):
        return None
    return pid if pid_file in command_line(pid) else None


class Process:
    """What runs as long as the process that its pid file names."""

    _pid_file: str

    @property
    def pid(self) -> Optional[int]:
        """The process id, None while it is dead."""
        return owner(self._pid_file)

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.pid is not None


class Node(Process):
    """One node of a cluster: a glusterd with an address of its own.

    :ivar host: its address.
    :ivar folder: where its configuration, sockets and logs are.
    :ivar storage: where its bricks are.
    :ivar socket: the UNIX socket of its glusterd.
    :ivar console: the gluster program, talking to it.
    """

    def __init__(self, host: str, folder: str, storage: str) -> None:
        self.host = host
        self.folder = folder
        self.storage = storage
        self.socket = os.path.join(folder, "gd.sock")
        self.console = Console(self.socket, os.path.join(folder, "log", "cli.log"))
        self._pid_file = os.path.join(folder, "glusterd.pid")
        self._log = os.path.join(folder, "log", "glusterd.log")

    def __repr__(self) -> str:
        return f"<Node {self.host} {'alive' if self.alive else 'dead'}>"

    def prepare(self) -> None:
        """Make its folders and its configuration."""
        os.makedirs(os.path.join(self.folder, "log"))
        os.makedirs(self.storage)
        volfile = _VOLFILE.format(folder=self.folder, host=self.host, port=PORT)
        Path(self.folder, "glusterd.vol").write_text(volfile)

    def launch(self) -> subprocess.Popen[bytes]:
        """Begin to start its glusterd.

        :returns: a process that ends as soon as the glusterd serves, or failed.
        """
        return subprocess.Popen(
            [
                program("glusterd"),
                "-f",
                os.path.join(self.folder, "glusterd.vol"),
                "-l",
                self._log,
                "-p",
                self._pid_file,
            ],
            # glusterd sets geo-replication up by running 25 Python programs, with the
            # interpreter named by $PYTHON. A sandbox has no use for that second and a half.
            env={**os.environ, "PYTHON": "echo"},
            cwd="/",
            umask=UMASK,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def finish_launch(self, launched: subprocess.Popen[bytes]) -> None:
        """Wait until its glusterd serves.

        :param launched: what :meth:`launch` returned.
        :raises SandboxError: if it failed.
        """
        if launched.wait() != 0:
            raise SandboxError(f"glusterd did not start on {self.host}: {self._failure()}.")

    def _failure(self) -> str:
        try:
            log = Path(self._log).read_text(errors="surrogateescape")
        except OSError:
            return "it left no log"
        if "Address already in use" in log:
            return f"port {PORT} is taken there"
        errors = [line for line in log.splitlines() if "] E [" in line]
        return errors[0].partition("] E ")[2] if errors else "its log names no error"

    def kill(self) -> None:
        """End all its processes at once, as a power failure would."""
        end(processes(self.folder))
