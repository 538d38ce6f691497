"""The examples of the documentation, run as they stand but for the name of the host."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from gluster.gfapi import sandbox

ROOT = Path(__file__).parents[2]
HOST, VOLUME = "server1.example.com", "demo"


@pytest.fixture
def demo(cluster: sandbox.Cluster) -> Iterator[sandbox.SandboxVolume]:
    """An empty volume of the name that the examples use."""
    volume = cluster.create_volume(VOLUME)
    yield volume
    volume.stop()
    volume.delete()


def python_blocks(page: str) -> list[str]:
    """The code blocks of Python in a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


@pytest.mark.parametrize("page", ["doc/tutorial.rst", "doc/data.rst", "doc/attributes.rst"])
def test_every_example_of_a_guide_gives_what_it_says(
    demo: sandbox.SandboxVolume, page: str
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(
        text.replace(HOST, demo.hosts[0]), {}, page, page, 0
    )
    report: list[str] = []
    results = doctest.DocTestRunner().run(examples, out=report.append)
    assert results.attempted > 30
    assert results.failed == 0, "".join(report)


@pytest.mark.parametrize("page", ["doc/configuration.rst", "doc/identity.rst"])
def test_every_example_of_a_topic_gives_what_it_says(
    demo: sandbox.SandboxVolume, page: str
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8").replace(HOST, demo.hosts[0])
    examples = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    report: list[str] = []
    results = doctest.DocTestRunner().run(examples, out=report.append)
    assert results.attempted > 5
    assert results.failed == 0, "".join(report)


@pytest.mark.parametrize(
    ("page", "printed"),
    [
        ("README.rst", "b'Three days at the sea\\n'\nnotes.txt 22\n"),
        ("doc/index.rst", "['today']\n"),
    ],
)
def test_the_first_example_of_a_page_runs(
    demo: sandbox.SandboxVolume, capsys: pytest.CaptureFixture[str], page: str, printed: str
) -> None:
    (example,) = python_blocks(page)
    exec(example.replace(HOST, demo.hosts[0]), {})
    assert capsys.readouterr().out == printed


def test_the_sandbox_example_heals_what_a_dead_brick_missed() -> None:
    (example,) = python_blocks("doc/sandbox.rst")
    healed = "    volume.wait_healed()\n"
    assert example.rstrip().endswith(healed.strip())
    look = "    contents = [Path(brick.path, 'file').read_text() for brick in volume.bricks]\n"
    names = {"Path": Path}
    exec(example.replace(healed, healed + look), names)
    assert names["contents"] == ["three times the same, one of them later"] * 3


def test_the_tour_runs_where_bytes_and_text_may_not_be_mixed(
    sandbox_volume: sandbox.SandboxVolume,
) -> None:
    """As ``python -bb`` has it, for which a comparison of the two is an error."""
    tour = ROOT / "examples" / "tour.py"
    command = [sys.executable, "-bb", "-W", "error::BytesWarning", tour]
    done = subprocess.run(
        [*command, sandbox_volume.hosts[0], sandbox_volume.name],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "> Snowdrops\n" in done.stdout
