"""What is open until it is closed: the base of File, Dir and what stands for their glfds."""

from __future__ import annotations

import warnings

from .gate import Unpicklable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from .descriptor import Descriptor

    Self = TypeVar("Self", bound="Opened")


class Opened(Unpicklable):
    """What closes a descriptor."""

    _descriptor: Descriptor

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._descriptor.is_closed

    @property
    def _state(self) -> str:
        return " closed" if self.closed else ""

    def close(self) -> None:
        """Let calls of other threads on it and its asynchronous ones finish, then close it
        (``glfs_close``, ``glfs_closedir``).

        :raises OSError: EBADF if it is closed already; for a file also what became known of
            earlier writes, as ENOSPC or EDQUOT. It is closed then too. Not so if the calling thread
            is itself in the middle of a call on it, as in a signal's handler (EDEADLK).
        """
        self._descriptor.close()

    def __enter__(self: Self) -> Self:
        self._descriptor.check_open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self.closed:
            self.close()

    def __del__(self) -> None:
        try:
            descriptor = self._descriptor
        except AttributeError:
            return
        if descriptor.address is None:
            return
        try:
            if not descriptor.is_closed:
                warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
        finally:  # also where warnings are errors
            try:
                if not descriptor.is_closed:
                    self.close()
            finally:  # an interrupt, which Python drops here
                if descriptor.address is not None and not descriptor.is_closed:
                    descriptor.close()
