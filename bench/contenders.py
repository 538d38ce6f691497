"""Who is measured: programs that run one operation at a time and tell its figure."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional


class BenchError(Exception):
    """Something failed to run, in words for the person who started it."""


class Unavailable(Exception):
    """A contender cannot take part on this machine, and why."""


class Worker:
    """A program that waits for operations on its standard input (``worker.py``, ``worker.c``).

    :param name: what it is called in messages.
    :param command: its command line.
    :param environment: additions to that of this process.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Optional[Mapping[str, str]] = None
    ) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
            start_new_session=True,  # Ctrl-C is not for it: it ends with its input
        )
        try:
            answer = self._answer()
            if answer != "ready":
                raise BenchError(f"{self.name} says {answer!r} instead of being ready.")
        except BaseException:
            self.stop()
            raise

    def run(self, operation: str) -> float:
        """Have it do an operation, and return its figure."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # it has ended, and why comes now
            self._process.stdin.write(f"{operation}\n")
            self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        if not line:
            raise BenchError(f"{self.name} ended with status {self._process.wait()}.")
        if line.startswith("error"):
            raise BenchError(f"{self.name}: {line[6:]}")
        return line

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Program:
    """A whole process, from its start to its end.

    :param name: what it is called in messages.
    :param command: its command line.
    """

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._command = command

    def run(self, operation: str) -> float:
        """Run it, and return how long it took, in seconds."""
        begin = time.perf_counter()
        done = subprocess.run(
            self._command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        took = time.perf_counter() - begin
        if done.returncode != 0:
            raise BenchError(f"{self.name} ended with status {done.returncode}: {done.stderr}")
        return took

    def stop(self) -> None:
        """Nothing, as it has ended."""


class Fio:
    """fio with its gfapi engine, reading or writing one file.

    :param program: where fio is.
    :param volume: host and name.
    :param files: the file for each of its operations, below the volume's root.
    :param mebibytes: the size of the files.
    """

    def __init__(
        self, program: str, volume: tuple[str, str], files: Mapping[str, str], mebibytes: int
    ) -> None:
        host, name = volume
        self._files = files
        self._command = [
            program,
            "--name=bench",
            "--ioengine=gfapi",
            f"--brick={host}",
            f"--volume={name}",
            f"--size={mebibytes}m",
            "--bs=1m",
            "--thread",
            "--output-format=json",
        ]

    def run(self, operation: str) -> float:
        """Run it, and return the seconds of the reading or writing alone."""
        file = self._files[operation]
        command = [*self._command, f"--rw={operation}", f"--filename={file}"]
        # It leaves files in the working directory.
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/tmp")
        if done.returncode != 0:
            raise BenchError(f"fio ended with status {done.returncode}: {done.stderr}")
        # A note for people may stand before it.
        told = json.loads(done.stdout[done.stdout.index("{") :])
        figures = told["jobs"][0][operation]
        return float(figures["io_bytes"] / figures["bw_bytes"])

    def stop(self) -> None:
        """Nothing, as it has ended."""


def compiled(source: Path, target: Path, *options: str) -> str:
    """Build a C program.

    :returns: the path of the result.
    """
    command = ["cc", "-O2", "-Wall", "-o", str(target), str(source), *options]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unavailable(
            "there is no C compiler (cc): install gcc or clang, and GlusterFS's headers "
            "(libglusterfs-dev on Debian, glusterfs-api-devel on Fedora)"
        ) from None
    if done.returncode != 0:
        first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr)
        raise Unavailable(
            f"{source.name} was not built ({first.strip()}): it needs GlusterFS's headers "
            "(libglusterfs-dev on Debian, glusterfs-api-devel on Fedora)"
        )
    return str(target)
