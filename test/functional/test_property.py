"""A volume does what a local folder does: the short form of ``test/stress/property.py``."""

from __future__ import annotations

import pytest
import sides
from property import try_out

from gluster.gfapi import sandbox

PROGRAMS = 20
SEED = 1  # the long form takes others


def test_random_programs_on_a_volume_and_a_local_folder_agree(cluster: sandbox.Cluster) -> None:
    """On a volume of its own, as it empties it; where it fails, it says by which program."""
    with (
        cluster.create_volume("property").client() as vol,
        sides.Both.on(vol, "plain") as both,
    ):
        try_out(both, PROGRAMS, SEED)
        assert sum(both.counts.values()) > PROGRAMS


def test_a_difference_is_told_as_a_program(cluster: sandbox.Cluster) -> None:
    existing = {volume.name: volume for volume in cluster.volumes}
    volume = existing.get("property") or cluster.create_volume("property")
    with volume.client() as vol, sides.Both.on(vol, "plain") as both:
        both.mkdir("a", 0o755)
        vol.mkdir("a/b")  # on one side only
        with pytest.raises(sides.Different, match=r"both\.mkdir\('a', 493\)\n +both\.rmdir\('a'\)"):
            both.rmdir("a")
