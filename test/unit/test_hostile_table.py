"""The proof in test/stress that nonsense does no harm leaves nothing out that is public."""

from __future__ import annotations

import hostile_table

from gluster import gfapi
from gluster.gfapi import api


def test_each_parameter_of_each_public_callable_has_a_right_value() -> None:
    assert hostile_table.uncovered() == []


def test_what_has_a_home_in_python_is_among_them() -> None:
    homes = {row.home.replace("__init__", "").rstrip(".") for row in api.TABLE.values()}
    assert homes - set(hostile_table.public()) == set()


def test_all_that_the_package_exports_is_among_them() -> None:
    assert set(gfapi.__all__) <= set(hostile_table.public())
