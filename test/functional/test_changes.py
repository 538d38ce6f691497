"""The short form of a stress test: a volume that changes under records, walks, copies and locks."""

from __future__ import annotations

from pathlib import Path

import pytest

from gluster.gfapi import sandbox

STRESS = str(Path(__file__).parents[1] / "stress")


def test_a_volume_whose_options_change_all_the_time_keeps_what_was_synced_and_does_all_right(
    cluster: sandbox.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(STRESS)
    import faults
    import scenarios

    volume = cluster.create_volume("changing")
    try:
        tally = faults.play(volume, scenarios.ALL["volume-set"], "1-0", str(tmp_path))
    finally:
        volume.delete()
    assert tally.complaints == []
    assert tally.is_good and tally.safe > 0
    for what in ("changes", "walks", "copies of a tree", "locks", "children"):
        assert tally.done[what] > 0, what
