"""AddressSanitizer does find what goes past the end of a buffer, so --sanitize proves something."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

PROGRAM = """
from gluster import gfapi
vol = gfapi.Volume("host", "vol")
vol.mount()
with vol.fopen("/f", "w+") as file:
    tell(file.readinto(bytearray(4096)))
    tell(len(file.read(4096)))
"""
Run = Callable[[int], Any]


@pytest.fixture
def run(
    shared: Callable[..., str],
    python: Callable[..., Any],
    guarded: dict[str, str],
    tmp_path: Path,
) -> Run:
    """A function that runs the program on a stub that writes so many bytes too many."""

    def run_program(excess: int) -> Any:
        options = ("-DSIX", f"-DEXCESS={excess}", "-fsanitize=address")
        versions = ("3.4.0", "3.5.0", "6.0")
        library = shared(Path(__file__).with_name("stub.c"), tmp_path, versions, *options)
        diary = str(tmp_path / "diary")
        return python(PROGRAM, GFAPI_LIBRARY=library, STUB_DIARY=diary, **guarded)

    return run_program


def test_a_write_past_the_end_of_a_buffer_fails_the_test(run: Run) -> None:
    with pytest.raises(AssertionError, match=r"heap-buffer-overflow on address[\s\S]*WRITE of"):
        run(2)


def test_a_write_to_all_of_a_buffer_does_not(run: Run) -> None:
    assert run(0) == [4096, 4096]
