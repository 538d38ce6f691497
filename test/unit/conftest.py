"""What several modules need: C compilers, and Python in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sanitize",
        action="store_true",
        help="build the stubs with AddressSanitizer, and run the programs on them with it",
    )


@pytest.fixture(scope="session")
def sanitizer(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a Python with AddressSanitizer, or an empty one if it is not asked for."""
    if not request.config.getoption("--sanitize"):
        return {}
    environment: dict[str, str] = request.getfixturevalue("guarded")
    return environment


@pytest.fixture(scope="session")
def guarded(request: pytest.FixtureRequest, compiler: Callable[..., str]) -> dict[str, str]:
    """The environment of a Python with AddressSanitizer."""
    command = [compiler(), "-print-file-name=libasan.so"]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if not os.path.isabs(found):
        report = pytest.fail if request.config.getoption("--sanitize") else pytest.skip
        report("there is no AddressSanitizer: install the compiler's libasan")
    # Python itself keeps much to its end, which is no leak; its memory is to come from malloc, for
    # each piece of it to be guarded.
    options = "detect_leaks=0:detect_stack_use_after_return=1"
    return {"LD_PRELOAD": found, "PYTHONMALLOC": "malloc", "ASAN_OPTIONS": options}


@pytest.fixture(scope="session")
def shared(compiler: Callable[..., str], sanitizer: dict[str, str]) -> Callable[..., str]:
    """A function that compiles a libgfapi of a test's own.

    :param source: its C source.
    :param folder: where to put it.
    :param versions: of the symbols that it has, each on top of the one before.
    """

    def compile_it(source: Path, folder: Path, versions: Sequence[str], *options: str) -> str:
        script, library = folder / "versions", folder / "libgfapi.so.0"
        nodes = [f"GFAPI_{versions[0]} {{ local: stub_*; }};"]
        nodes += [f"GFAPI_{new} {{}} GFAPI_{old};" for old, new in zip(versions, versions[1:])]
        script.write_text("\n".join(nodes))
        # Without a soname, by which the loader would take it for the real one in this process.
        command = [compiler(), "-shared", "-fPIC", "-Wall", "-Werror", *options, str(source)]
        command += [f"-Wl,--version-script={script}", "-o", str(library)]
        if sanitizer:
            command += ["-g", "-fsanitize=address", "-fno-omit-frame-pointer"]
        subprocess.run(command, check=True)
        return str(library)

    return compile_it


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
def python(sanitizer: dict[str, str]) -> Callable[..., Any]:
    """A function that runs a program in a fresh Python and returns what it gave to ``tell``."""

    def run(program: str, *command: str, **environment: str) -> Any:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        settings = {"PYTHONPATH": ROOT, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [*(command or (sys.executable, "-W", "error")), "-c", PRELUDE + program],
            env={**inherited, **settings, **sanitizer, **environment},
            cwd="/",  # which is on the path too
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines()]
        return told[0] if len(told) == 1 else told

    return run
