"""What reads text from outside says no more than its documentation, whatever the text is.

The short form of ``test/stress/fuzz.py``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from gluster.gfapi import inflight


def _load(name: str) -> Any:
    path = Path(__file__).parents[1] / "stress" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


TARGETS = _load("fuzz").TARGETS


@st.composite
def _damaged(draw: Any, target: Any) -> bytes:
    """An input that is known to be good, with other pieces in it."""
    data: bytes = draw(st.sampled_from(target.seeds))
    piece = st.sampled_from(target.words) | st.binary(max_size=8)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        data = data[:start] + draw(piece) + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_raises_what_is_not_documented(name: str) -> None:
    target = TARGETS[name]
    pieces = st.lists(st.sampled_from(target.words) | st.binary(max_size=8), max_size=12)
    inputs = _damaged(target) | pieces.map(b"".join) | st.binary()

    @hypothesis.settings(max_examples=40, deadline=None, database=None, derandomize=True)
    @hypothesis.given(inputs)
    def read(data: bytes) -> None:
        target.read(data)

    read()
    for seed in target.seeds:
        target.read(seed)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"", 0),
        (b'{ "Call_Count": 1\n}', 0),
        (b'{ "Call_Count": 3\n}', 2),
        (b'{ "Stack": [', 1),
        (b'{ "Call_Count": ', 1),
        (b'{ "Call_Count": x\n}', 1),
        (b'{ "Call_Count": ' + b"9" * 5000, 1),
    ],
)
def test_calls_in_flight_are_counted_even_in_a_text_that_is_cut_off(
    text: bytes, count: int
) -> None:
    assert inflight.count_in(text) == count
