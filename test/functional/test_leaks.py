"""Nothing grows: short forms of the programs in test/stress."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gluster.gfapi import sandbox

#: How many rounds a block has, fewer of what takes long.
ROUNDS = {
    "opens": 100,
    "asynchronous": 100,
    "abandons": 25,
    "fails_to_open": 100,
    "refusals": 100,
    "handles": 100,
    "watches": 100,
}


@pytest.fixture(scope="module")
def stress() -> Iterator[Any]:
    """A function that imports a program of test/stress."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "stress"))
        yield importlib.import_module


@pytest.fixture(scope="module")
def pair(cluster: sandbox.Cluster, stress: Any) -> Iterator[list[sandbox.SandboxVolume]]:
    """Volumes for Python and C, with what the rows find there."""
    volumes = [stress("leaks").made(cluster, name) for name in ("leaks-python", "leaks-c")]
    yield volumes
    for volume in volumes:
        volume.delete()


@pytest.fixture(scope="module")
def c_program(stress: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return stress("leaks").built(str(tmp_path_factory.mktemp("leaks")))


@pytest.mark.parametrize("row", ROUNDS)
def test_nothing_grows_with_the_number_of_calls_beyond_what_c_keeps(
    stress: Any, pair: list[sandbox.SandboxVolume], c_program: str, row: str
) -> None:
    leaks = stress("leaks")
    verdict = leaks.measure(row, pair, c_program, blocks=3, count=ROUNDS[row])
    assert verdict.broken == (), verdict


def test_all_that_is_looked_at_in_c_is_looked_at_in_python(stress: Any) -> None:
    source = (Path(__file__).parents[1] / "stress" / "leaks.c").read_text()
    table = source[source.index("} rows[]") : source.index("{NULL, NULL")]
    rows = stress("leaks_rows").ROWS
    known = {word.strip('"(),{} ') for word in table.replace("ROW", " ").split()}
    assert len(rows.keys() & known) > 40


def test_a_mix_of_all_calls_goes_on_without_an_error_and_without_growth(
    stress: Any, pair: list[sandbox.SandboxVolume]
) -> None:
    seed = random.randrange(1 << 32)
    soak = stress("soak").soak
    rows, problems = soak(pair[0], 0.1, seed, threads=4, interval=2, with_mounts=False)
    assert problems == [], (seed, rows)
    assert rows[-1]["operations"] > 20
