"""rmtree, copytree and move under attack: a short form of test/stress/symlinks.py."""

from __future__ import annotations

import random

import pytest
import symlinks

from gluster import gfapi
from gluster.gfapi import sandbox


def test_trees_are_not_left_by_links_that_are_swapped_in(
    cluster: sandbox.Cluster,
) -> None:
    volume = cluster.create_volume("attacked")
    try:
        ways = ("rmtree", "copytree, symlinks=True")
        outcomes = list(symlinks.run(volume, 8, random.randrange(1 << 32), ways))
    finally:
        volume.delete()
    assert [outcome.harm for outcome in outcomes] == [[], []]
    assert sum(outcome.swaps for outcome in outcomes)


def test_a_copy_is_made_in_the_directory_and_not_at_its_path(
    vol: gfapi.Volume, folder: str
) -> None:
    """Somebody swaps the directory of the copy for a link while it is filled."""
    for name in ("source/a", "victim"):
        vol.makedirs(f"{folder}/{name}")
    vol.fopen(f"{folder}/source/a/f", "w").close()

    def swap(path: str, names: list[str]) -> list[str]:
        if path.endswith("/a"):
            vol.rename(f"{folder}/copy", f"{folder}/moved")
            vol.symlink(f"{folder}/victim", f"{folder}/copy")
        return []

    vol.copytree(f"{folder}/source", f"{folder}/copy", ignore=swap)
    assert vol.listdir(f"{folder}/victim") == []
    assert vol.listdir(f"{folder}/moved/a") == ["f"]


def test_a_directory_that_exists_is_merged_into_and_not_what_takes_its_place(
    vol: gfapi.Volume, folder: str
) -> None:
    for name in ("source/a/b", "copy/a/b", "victim/b"):
        vol.makedirs(f"{folder}/{name}")
    vol.fopen(f"{folder}/source/a/b/f", "w").close()

    def swap(path: str, names: list[str]) -> list[str]:
        if path.endswith("/b"):
            vol.rename(f"{folder}/copy/a", f"{folder}/moved")
            vol.symlink(f"{folder}/victim", f"{folder}/copy/a")
        return []

    vol.copytree(f"{folder}/source", f"{folder}/copy", ignore=swap, dirs_exist_ok=True)
    assert vol.listdir(f"{folder}/victim/b") == []
    assert vol.listdir(f"{folder}/moved/b") == ["f"]


@pytest.mark.parametrize("threads", [1, None])
def test_a_directory_is_read_itself_and_not_what_takes_its_place(
    vol: gfapi.Volume, folder: str, threads: int | None
) -> None:
    for name in ("source/a", "victim"):
        vol.makedirs(f"{folder}/{name}")
    vol.fopen(f"{folder}/victim/f", "w").close()

    def swap(path: str, names: list[str]) -> list[str]:
        if path.endswith("/source"):
            vol.rename(f"{folder}/source/a", f"{folder}/moved")
            vol.symlink(f"{folder}/victim", f"{folder}/source/a")
        return []

    with pytest.raises(gfapi.Error):
        vol.copytree(f"{folder}/source", f"{folder}/copy", ignore=swap, threads=threads)
    assert not vol.exists(f"{folder}/copy/a/f")
