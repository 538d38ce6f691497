"""Processes that hang."""

import os
import signal
from pathlib import Path


def stop(pid: int) -> None:
    """Have a process hang, and return when it does: its threads go on for a moment.

    SIGCONT has it go on.
    """
    os.kill(pid, signal.SIGSTOP)
    threads = [Path(f"/proc/{pid}/task", task, "stat") for task in os.listdir(f"/proc/{pid}/task")]
    while not all(") T " in thread.read_text() for thread in threads):
        pass
