"""The measurements run to their end. What they measure is not looked at."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path
from typing import Callable

import pytest

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def bench(run_module: Callable[..., Done]) -> Callable[..., Done]:
    return functools.partial(run_module, "bench")


def test_each_row_is_measured_or_says_why_not(bench: Callable[..., Done], tmp_path: Path) -> None:
    pytest.importorskip("tabulate")
    figures = tmp_path / "figures.json"
    done = bench("--quick", "--json", figures)
    assert (done.returncode, done.stderr) == (0, "")
    groups = json.loads(figures.read_text())["groups"]
    listed = [line.split()[0] for line in bench("--list").stdout.splitlines()]
    assert list(groups) == listed
    for group in groups.values():
        assert all(figures["ours"] for figures in group["figures"].values())
    notes = [line for line in done.stdout.splitlines() if line.startswith("Not measured in")]
    assert bool(notes) == ("not measured" in done.stdout)


def test_figures_that_were_kept_give_the_same_table_again(
    bench: Callable[..., Done], tmp_path: Path
) -> None:
    pytest.importorskip("tabulate")
    figures = tmp_path / "figures.json"
    measured = bench("--quick", "import", "--json", figures)
    again = bench("--from", figures)
    assert (again.returncode, again.stdout) == (0, measured.stdout)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "no group 'nonsense'"),
        (["import", "--older", "/nowhere"], "/nowhere has no gluster/gfapi of gfapi 1.x"),
    ],
)
def test_a_wrong_argument_is_told_in_words(
    bench: Callable[..., Done], arguments: list[str], words: str
) -> None:
    pytest.importorskip("tabulate")
    done = bench(*arguments)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
