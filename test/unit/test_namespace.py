"""``gluster`` is a namespace: GlusterFS's own gluster.cliutils lives in it too."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi

ROOT = Path(gfapi.__file__).parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
BOTH = """
import gluster.cliutils, gluster.gfapi
tell([gluster.cliutils.__file__, gluster.gfapi.__file__, gluster.gfapi.Volume.__name__])
"""
# How the packages that have a part of the namespace declare it. Debian, Fedora and GlusterFS
# itself do it in the first way.
DECLARATIONS = {
    "pkgutil": "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n",
    "ours": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
    "implicit": None,
}


@pytest.fixture(params=DECLARATIONS)
def cliutils(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a gluster.cliutils like the distribution's."""
    folder = tmp_path / "dist-packages"
    package = folder / "gluster" / "cliutils"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    declaration = DECLARATIONS[request.param]
    if declaration is not None:
        (package.parent / "__init__.py").write_text(declaration)
    return folder


@pytest.fixture(scope="module")
def system_python() -> str:
    """The system's Python, if the distribution's gluster.cliutils is there and works."""
    program = "import sys, gluster.cliutils; sys.exit(sys.version_info < (3, 9))"
    command = [SYSTEM_PYTHON, "-I", "-c", program]
    if not os.path.exists(SYSTEM_PYTHON):
        pytest.skip(f"no {SYSTEM_PYTHON}")
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        pytest.skip(f"{SYSTEM_PYTHON} has no gluster.cliutils, or is older than 3.9")
    return SYSTEM_PYTHON


def setuptools_version() -> int:
    try:
        return int(importlib.metadata.version("setuptools").partition(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return 0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what an installation puts into site-packages."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("the package under test is not a source tree")
    if setuptools_version() < 64:
        pytest.skip("setuptools 64 or later is not installed")
    tree = tmp_path_factory.mktemp("source") / "tree"
    tree.mkdir()
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, tree)
    shutil.copytree(ROOT / "gluster", tree / "gluster", ignore=shutil.ignore_patterns("*.pyc"))
    target = tree / "site-packages"
    target.mkdir()
    command = [sys.executable, "setup.py", "-q", "build", "--build-lib", str(target)]
    command += ["egg_info", "--egg-base", str(target)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return target


def assert_are_in(told: list[str], first: Path, second: Path) -> None:
    cliutils, gfapi_file, volume = told
    assert Path(cliutils).is_relative_to(first)
    assert Path(gfapi_file).is_relative_to(second)
    assert volume == "Volume"


# -------------------------------------------------------------------------------- anywhere


def test_both_are_found_with_cliutils_first(python: Callable[..., Any], cliutils: Path) -> None:
    assert_are_in(python(BOTH, PYTHONPATH=f"{cliutils}:{ROOT}"), cliutils, ROOT)


def test_both_are_found_with_gfapi_first(python: Callable[..., Any], cliutils: Path) -> None:
    assert_are_in(python(BOTH, PYTHONPATH=f"{ROOT}:{cliutils}"), cliutils, ROOT)


def test_a_part_that_joins_the_path_late_is_found_by_a_fresh_import(
    python: Callable[..., Any], cliutils: Path
) -> None:
    program = f"sys.path.append({str(ROOT)!r})\n" + BOTH
    assert_are_in(python(program, PYTHONPATH=str(cliutils)), cliutils, ROOT)


def test_a_part_in_an_archive_is_found(python: Callable[..., Any], cliutils: Path) -> None:
    archive = shutil.make_archive(str(cliutils / "parts"), "zip", cliutils, "gluster")
    shutil.rmtree(cliutils / "gluster")
    told = python(BOTH, PYTHONPATH=f"{ROOT}:{archive}")
    assert_are_in(told, Path(archive), ROOT)


def test_a_part_that_a_pkg_file_names_is_found(
    python: Callable[..., Any], cliutils: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (cliutils / "gluster").rename(elsewhere)
    (cliutils / "gluster.pkg").write_text(f"# a comment\n{elsewhere}\n")
    assert_are_in(python(BOTH, PYTHONPATH=f"{ROOT}:{cliutils}"), elsewhere, ROOT)


@pytest.mark.parametrize("order", [1, -1])
def test_the_path_is_the_one_that_pkgutil_makes(
    python: Callable[..., Any], cliutils: Path, order: int
) -> None:
    program = """
import gluster, pkgutil
tell([gluster.__path__, pkgutil.extend_path(gluster.__path__[:1], "gluster")])
"""
    places = [str(ROOT), "/nonexistent", __file__, str(cliutils), str(cliutils)][::order]
    ours, pkgutils = python(program, PYTHONPATH=":".join(places))
    assert ours == pkgutils


# ------------------------------------------------------------------- with the distribution's own


def test_the_system_python_finds_both_with_gfapi_first(
    python: Callable[..., Any], system_python: str
) -> None:
    assert_are_in(python(BOTH, system_python, PYTHONPATH=str(ROOT)), Path("/usr"), ROOT)


def test_the_system_python_finds_both_with_cliutils_first(
    python: Callable[..., Any], system_python: str
) -> None:
    program = f"sys.path.append({str(ROOT)!r})\n" + BOTH
    assert_are_in(python(program, system_python, PYTHONPATH=""), Path("/usr"), ROOT)


# ------------------------------------------------------------------------------------- installed


def test_an_installation_has_every_file_of_the_package_and_no_compiled_one(built: Path) -> None:
    ours = (ROOT / "gluster").rglob("*")
    expected = {file.relative_to(ROOT) for file in ours if file.suffix in (".py", ".typed")}
    theirs = (built / "gluster").rglob("*")
    assert {file.relative_to(built) for file in theirs if file.is_file()} == expected


def test_an_installation_pulls_in_nothing(built: Path) -> None:
    lines = (built / "gfapi.egg-info" / "PKG-INFO").read_text().splitlines()
    required = [line for line in lines if line.startswith("Requires-Dist:") and "extra" not in line]
    assert required == []
    assert f"Version: {gfapi.__version__}" in lines


@pytest.mark.parametrize("is_first", [True, False])
def test_an_installation_lives_beside_the_distributions_cliutils(
    python: Callable[..., Any], system_python: str, built: Path, tmp_path: Path, is_first: bool
) -> None:
    venv = tmp_path / "venv"
    command = [system_python, "-m", "venv", "--system-site-packages", "--without-pip", str(venv)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("the system's Python makes no virtual environments")
    (site_packages,) = venv.glob("lib/python3*/site-packages")
    shutil.copytree(built, site_packages, dirs_exist_ok=True)
    interpreter = str(venv / "bin" / "python")
    found = python("import gluster.cliutils; tell(gluster.cliutils.__file__)", system_python, "-I")
    first = "" if is_first else str(Path(found).parents[2])
    assert_are_in(python(BOTH, interpreter, PYTHONPATH=first), Path("/usr"), site_packages)
