"""Waiting for what GlusterFS does on its own."""

from __future__ import annotations

import time
from typing import Callable

from .. import gate
from ..arguments import checked_timeout
from .exceptions import SandboxError


def wait_until(condition: Callable[[], bool], timeout: float, failure: str) -> None:
    """Return as soon as a condition holds.

    :param condition: asked again and again, at least once.
    :param timeout: how long to wait, in seconds.
    :param failure: what to say when it still does not hold, e.g. "Node 1 did not answer".
    :raises SandboxError: with that text, when the time is over.
    :raises TypeError: if ``timeout`` is no number.
    :raises ValueError: if it is negative or not a number (NaN).
    """
    checked_timeout(timeout)
    if not gate.wait_until(condition, time.monotonic() + timeout):
        raise SandboxError(f"{failure} within {timeout:g} seconds.")
