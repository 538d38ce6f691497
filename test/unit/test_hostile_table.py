"""The proof in test/stress that nonsense does no harm leaves nothing out that is public."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from gluster import gfapi
from gluster.gfapi import api


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "stress"))
    return importlib.import_module("hostile_table")


def test_each_parameter_of_each_public_callable_has_a_right_value(table: ModuleType) -> None:
    assert table.uncovered() == []


def test_what_has_a_home_in_python_is_among_them(table: ModuleType) -> None:
    homes = {row.home.replace("__init__", "").rstrip(".") for row in api.TABLE.values()}
    assert homes - set(table.public()) == set()


def test_all_that_the_package_exports_is_among_them(table: ModuleType) -> None:
    assert set(gfapi.__all__) <= set(table.public())
