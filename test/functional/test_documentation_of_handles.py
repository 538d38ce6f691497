"""The examples of the guides to handles and to watching, run as they stand but for the host."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from gluster.gfapi import sandbox

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["handles", "watching"])
def test_every_example_of_a_guide_gives_what_it_says(cluster: sandbox.Cluster, page: str) -> None:
    text = (ROOT / f"doc/{page}.rst").read_text(encoding="utf-8")
    volume = cluster.create_volume("demo")
    try:
        for option, value in re.findall(r"gluster volume set demo (\S+) (\S+)", text):
            volume.set_option(option, value)
        examples = doctest.DocTestParser().get_doctest(
            text.replace("server1.example.com", volume.hosts[0]), {}, page, f"doc/{page}.rst", 0
        )
        report: list[str] = []
        results = doctest.DocTestRunner().run(examples, out=report.append)
        assert results.attempted > 10
        assert results.failed == 0, "".join(report)
    finally:
        volume.stop()
        volume.delete()
