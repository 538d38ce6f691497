"""The curves at scale are measured to their end. What they look like is not looked at."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Callable

import pytest

from gluster.gfapi import sandbox

ROOT = Path(__file__).parents[2]
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def scale(run_module: Callable[..., Done]) -> Callable[..., Done]:
    return functools.partial(run_module, "bench.scale")


@pytest.fixture(scope="module")
def measured(
    scale: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The figures of a curve, as a file and as they were printed."""
    file = tmp_path_factory.mktemp("scale") / "figures.json"
    done = scale("--quick", "volumes", "--json", file)
    assert done.returncode == 0, done.stderr
    return file, done.stdout


def test_a_curve_alone_gives_its_figures(measured: tuple[Path, str]) -> None:
    file, _ = measured
    curves = json.loads(file.read_text())["curves"]
    assert list(curves) == ["volumes"]
    assert all(chart["series"]["one volume"] for chart in curves["volumes"])


def test_figures_that_were_kept_give_the_same_tables_again(
    scale: Callable[..., Done], measured: tuple[Path, str]
) -> None:
    file, printed = measured
    again = scale("--from", file)
    assert (again.returncode, again.stdout) == (0, printed)


def test_a_curve_is_drawn(
    scale: Callable[..., Done], measured: tuple[Path, str], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    done = scale("--from", measured[0], "--plot-dir", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "<svg" in (tmp_path / "scale-volumes.svg").read_text()


def test_a_curve_that_does_not_exist_is_told_in_words(scale: Callable[..., Done]) -> None:
    done = scale("nonsense")
    assert done.returncode == 2
    assert "no curve 'nonsense'" in done.stderr


def test_a_directory_made_on_the_brick_is_one_like_any_other(
    monkeypatch: pytest.MonkeyPatch, cluster: sandbox.Cluster
) -> None:
    monkeypatch.syspath_prepend(ROOT)
    from bench.scale.directories import fill

    name = f"filled-{uuid.uuid4().hex[:8]}"
    volume = cluster.create_volume(name, options={"storage.gfid2path": "off"})
    try:
        fill(volume, "many", 100)
        with volume.client() as vol:
            listed = vol.listdir_with_stat("/many")
            assert len(listed) == 100
            inodes = {status.st_ino for _, status in listed}
            assert len(inodes) == 100
            for entry in vol.scandir("/many"):
                assert vol.stat(entry.path).st_ino == entry.inode()
                with vol.fopen(entry.path, "r+") as file:
                    file.write("content")
            vol.rmtree("/many")
        left = [
            name
            for _, _, names in os.walk(os.path.join(volume.bricks[0].path, ".glusterfs"))
            for name in names
            if name.count("-") == 4 and not name.startswith("00000000-0000-0000-0000")
        ]
        assert left == []
    finally:
        volume.delete()
