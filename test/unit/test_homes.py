"""Each function of libgfapi has a home in Python, which says so and is described."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gluster import gfapi
from gluster.gfapi import api

DOC = Path(gfapi.__file__).parents[2] / "doc"
# What stands for a class or the use of it in a statement; the class itself is described.
DUNDERS = ("__init__", "__next__")


def home_of(name: str) -> tuple[Any, str]:
    """The class and the name in it, or the class and ""."""
    owner, _, attribute = api.TABLE[name].home.partition(".")
    assert owner in gfapi.__all__
    return getattr(gfapi, owner), attribute


@pytest.fixture(scope="module")
def described() -> dict[str, str]:
    """The options of each ``autoclass`` of the documentation, by the class' name."""
    if not DOC.is_dir():
        pytest.skip("the package under test is not a source tree")
    pattern = re.compile(r"^\.\. autoclass:: (\S+)\n((?:   .*\n|\n)*)", re.MULTILINE)
    texts = [file.read_text() + "\n" for file in sorted(DOC.glob("*.rst"))]
    return {match[1].rpartition(".")[2]: match[2] for t in texts for match in pattern.finditer(t)}


def test_there_are_as_many_as_libgfapi_exports() -> None:
    assert len(api.TABLE) == 165


@pytest.mark.parametrize("name", api.TABLE)
def test_a_home_is_public_and_there(name: str) -> None:
    owner, attribute = home_of(name)
    assert not attribute or hasattr(owner, attribute)
    assert attribute in DUNDERS or not attribute.startswith("_")


@pytest.mark.parametrize("name", api.TABLE)
def test_a_home_says_which_c_functions_are_behind_it(name: str) -> None:
    owner, attribute = home_of(name)
    found = getattr(owner, attribute) if attribute else owner
    assert f"``{name}``" in (inspect.getdoc(found) or "")


@pytest.mark.parametrize("name", api.TABLE)
def test_a_home_is_in_the_reference(described: dict[str, str], name: str) -> None:
    owner, attribute = home_of(name)
    assert owner.__name__ in described
    options = described[owner.__name__]
    if not attribute or attribute in DUNDERS:
        return
    members = re.search(r":members:(.*)", options)
    assert members
    assert not members[1].strip() or attribute in re.findall(r"\w+", members[1])
    assert attribute in vars(owner) or ":inherited-members:" in options


# ----------------------------------------------------------------------------- the page of all


@pytest.fixture(scope="module")
def extension() -> ModuleType:
    """What makes the page."""
    if not DOC.is_dir():
        pytest.skip("the package under test is not a source tree")
    spec = importlib.util.spec_from_file_location("every_function", DOC / "every_function.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_has_each_function_once_with_its_home(extension: ModuleType) -> None:
    lines = extension.page().splitlines()
    names = [line[9:-2] for line in lines if line.startswith("   * - ``")]
    assert names == list(api.TABLE)
    for name, line in zip(names, (line for line in lines if line.startswith("     - :py:obj:"))):
        assert api.TABLE[name].home.partition(".")[0] in line


@pytest.mark.parametrize("home", sorted({row.home for row in api.TABLE.values()}))
def test_the_page_says_what_each_home_does(extension: ModuleType, home: str) -> None:
    gist = extension.gist(home)
    assert 3 < len(gist) < 200
    assert gist.count("`") % 2 == 0
    assert gist.count("(") == gist.count(")")
