"""Who may do what: users, groups, access control lists, and what a volume is told to refuse."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gluster.gfapi import sandbox

USER, GROUP = 4711, 4712
STRESS = Path(__file__).parents[1] / "stress"


@pytest.fixture(scope="module")
def permissions() -> Iterator[Any]:
    """The module of all cases: test/stress/permissions.py."""
    sys.path.insert(0, str(STRESS))
    try:
        yield importlib.import_module("permissions")
    finally:
        sys.path.remove(str(STRESS))


def wrong(verdicts: list[Any]) -> list[Any]:
    return [verdict for verdict in verdicts if verdict.differs and not verdict.is_known]


@pytest.mark.parametrize("subject", ["root", "owner", "supplementary group", "group in the ACL"])
def test_a_volume_decides_as_the_kernel_does(
    plain: sandbox.SandboxVolume, permissions: Any, subject: str
) -> None:
    for objects, names in (
        (permissions.FILES, ["0o640", "ACL"]),
        (permissions.FOLDERS, ["0o750"]),
    ):
        verdicts = permissions.compare(plain, objects, [subject], names)
        assert len(verdicts) > 20
        assert not wrong(verdicts)


def test_the_same_for_a_process_of_a_user(plain: sandbox.SandboxVolume, permissions: Any) -> None:
    for objects, names in ((permissions.FILES, ["0o640"]), (permissions.FOLDERS, ["0o750"])):
        verdicts = permissions.compare(plain, objects, ["others"], names, as_process=True)
        assert len(verdicts) > 20
        assert not wrong(verdicts)
