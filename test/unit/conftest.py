"""What several modules need: C compilers, and Python in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi

#: The folder that has to be on the path for ``import gluster.gfapi``.
ROOT = str(Path(gfapi.__file__).parents[2])
THIS_MACHINE = os.uname().machine
PRELUDE = """
import sys

def tell(value):
    import json
    print(json.dumps(value))

def error_of(function, *arguments, **options):
    try:
        function(*arguments, **options)
    except Exception as error:
        return [type(error).__name__, str(error)]

"""


@pytest.fixture(scope="session")
def compiler() -> Callable[..., str]:
    """A function that finds the C compiler for a machine, by uname(2)'s name for it, or skips."""

    def find(machine: str = THIS_MACHINE) -> str:
        prefix = machine.replace("ppc64le", "powerpc64le")
        is_native = machine == THIS_MACHINE
        names = ["cc", "gcc", "clang"] if is_native else [f"{prefix}-linux-gnu-gcc"]
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            pytest.skip(f"no C compiler: {' or '.join(names)}")
        return found

    return find


@pytest.fixture
def python() -> Callable[..., Any]:
    """A function that runs a program in a fresh Python and returns what it gave to ``tell``."""

    def run(program: str, *command: str, **environment: str) -> Any:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        settings = {"PYTHONPATH": ROOT, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [*(command or (sys.executable, "-W", "error")), "-c", PRELUDE + program],
            env={**inherited, **settings, **environment},
            cwd="/",  # which is on the path too
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        told = [json.loads(line) for line in done.stdout.splitlines()]
        return told[0] if len(told) == 1 else told

    return run
