"""Programs at work while a volume changes; most of it is a round of the proof in test/stress."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gluster.gfapi import sandbox


@pytest.fixture
def faults() -> Iterator[Any]:
    folder = str(Path(__file__).parents[1] / "stress")
    sys.path.insert(0, folder)
    import faults

    yield faults
    sys.path.remove(folder)


def test_records_walks_copies_locks_and_children_do_not_mind_that_options_change(
    cluster: sandbox.Cluster, faults: Any, tmp_path: Path
) -> None:
    seed = f"changes-{random.randrange(1 << 32)}"
    volume = cluster.create_volume("changing")
    try:
        scenario = faults.scenarios.ALL["volume-set"]
        tally = faults.play(volume, scenario, seed, str(tmp_path))
    finally:
        volume.delete()
    assert tally.is_good, (seed, tally.complaints)
    assert tally.safe > 20, seed
    for what in ("changes", "walks", "copies of a tree", "locks", "children"):
        assert tally.done[what] > 0, (seed, what)


def test_all_files_are_found_after_a_rebalance_by_who_knew_their_directory_before(
    cluster: sandbox.Cluster,
) -> None:
    volume = cluster.create_volume("spread", distribute=2)
    old, new = [[f"/folder/{age}{n}" for n in range(40)] for age in ("old", "new")]
    try:
        with volume.client() as vol:
            vol.mkdir("/folder")
            for path in old:
                vol.mknod(path, 0o600)
        volume.add_bricks()
        with volume.client() as vol:
            assert not vol.exists("/folder/none")
            volume.rebalance()
            assert list(filter(vol.exists, old)) == old
            for path in new:
                vol.mknod(path, 0o600)
        with volume.client() as vol:
            assert list(filter(vol.exists, old + new)) == old + new
            assert len(vol.listdir("/folder")) == len(old + new)
    finally:
        volume.delete()
