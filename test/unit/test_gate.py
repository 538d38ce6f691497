"""What the Gate promises, and what the table's functions keep of it."""

from __future__ import annotations

import copy
import ctypes
import errno
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

from gluster.gfapi import api
from gluster.gfapi.api import parameters
from gluster.gfapi.gate import Gate, Token, wait_until

THREADS = 16
SOON = 10.0  # seconds: what is to happen at once may take that long on a busy machine
A_MOMENT = 0.02


def together(function: Callable[[], Any]) -> list[Any]:
    """The results of many threads that call a function at the same time."""
    barrier = threading.Barrier(THREADS)

    def call() -> Any:
        barrier.wait(SOON)
        return function()

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(call) for _ in range(THREADS)]
        return [future.result(SOON) for future in futures]


def wrapped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A row of the table with a Python function in place of C's."""
    return api.wrap(api.TABLE[name], function)


# ------------------------------------------------------------------------------- only one thread


def test_a_token_is_taken_by_one_thread() -> None:
    token = Token()
    assert sorted(together(token.take)) == [False] * (THREADS - 1) + [True]


def test_a_gate_is_finished_by_one_thread_when_nobody_is_inside() -> None:
    gate, closed = Gate(42, "/a"), []
    opened = {gate}

    def close(last: Gate, kept: list[Any]) -> None:
        assert not gate.is_open
        closed.append(last.pointer)
        kept.append(0)

    def finish() -> Any:
        try:
            return gate.finish(close, [], float("inf"), opened)
        except OSError as error:
            return error.errno, error.filename

    assert sorted(together(finish), key=str) == [(errno.EBADF, "/a")] * (THREADS - 1) + [None]
    assert closed == [42]
    assert opened == set()


def test_a_gate_whose_calls_do_not_end_or_whose_close_is_interrupted_is_open_again() -> None:
    gate = Gate(42, "/a")
    opened = {gate}
    gate.calls.append(None)
    with pytest.raises(OSError, match="did not end") as caught:
        gate.finish(lambda last, kept: None, [], time.monotonic(), opened)
    assert (caught.value.errno, gate.pointer) == (errno.ETIMEDOUT, 42)
    gate.calls.clear()

    def interrupted(last: Gate, kept: list[Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gate.finish(interrupted, [], float("inf"), opened)
    assert gate.pointer == 42
    assert opened == {gate}


def test_a_gate_whose_close_failed_or_was_interrupted_late_is_not_closed_twice() -> None:
    def failed(last: Gate, kept: list[Any]) -> None:
        kept.append(-1)
        raise OSError

    def late(last: Gate, kept: list[Any]) -> None:
        kept.append(0)
        raise KeyboardInterrupt

    for close, error in ((failed, OSError), (late, KeyboardInterrupt)):
        gate = Gate(42)
        with pytest.raises(error):
            gate.finish(close, [], float("inf"), set())
        assert not gate.is_open


# ----------------------------------------------------------------------------------- the pointer


def test_an_open_gate_gives_its_pointer() -> None:
    gate = Gate(42)
    assert gate.is_open
    assert gate.pointer == 42
    assert gate.calls == []


def test_zero_is_a_pointer_like_any_other() -> None:
    gate = Gate(0)
    assert gate.is_open
    assert gate.shut() == 0
    assert not gate.is_open


def test_a_shut_gate_refuses_with_ebadf_and_the_path() -> None:
    gate = Gate(42, "/file")
    assert gate.shut() == 42
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        _ = gate.pointer
    assert (caught.value.errno, caught.value.filename) == (errno.EBADF, "/file")


def test_shut_gives_the_pointer_to_exactly_one_of_many_threads() -> None:
    for _ in range(50):
        results = together(Gate(42).shut)
        assert sorted(results, key=repr) == [42] + [None] * (THREADS - 1)


def test_a_gate_that_was_shut_opens_again_with_a_new_pointer() -> None:
    gate = Gate(42)
    assert gate.shut() == 42
    assert gate.shut() is None
    gate.pointer = 43
    assert gate.is_open
    assert gate.shut() == 43
    assert not gate.is_open


def test_shut_and_is_open_do_not_ask_for_a_new_pointer() -> None:
    class Reopening(Gate):
        def refuse(self) -> int:
            raise AssertionError("asked")

    gate = Reopening(1)
    gate.shut()
    assert not gate.is_open
    assert gate.shut() is None


def test_refuse_may_find_a_new_pointer() -> None:
    class Reopening(Gate):
        def refuse(self) -> int:
            self.pointer = 43
            return self.pointer

    gate = Reopening(42)
    gate.shut()
    assert gate.pointer == 43
    assert gate.is_open


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = Gate(1).nonsense


def test_a_gate_is_neither_pickled_nor_copied() -> None:
    for function in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="cannot pickle 'Gate' object"):
            function(Gate(1))


# ------------------------------------------------------------------------------------- draining


def test_an_empty_gate_is_drained_at_once() -> None:
    assert Gate(1).drain(0)


def test_drain_waits_for_the_calls_inside() -> None:
    gate, inside, leave = Gate(1), threading.Event(), threading.Event()

    def fchmod(pointer: int, mode: int) -> int:
        inside.set()
        assert leave.wait(SOON)
        return 0

    with ThreadPoolExecutor(2) as pool:
        call = pool.submit(wrapped("glfs_fchmod", fchmod), gate, 0)
        assert inside.wait(SOON)
        assert gate.shut() == 1
        assert not gate.drain(time.monotonic() + A_MOMENT)
        drained = pool.submit(gate.drain)
        time.sleep(A_MOMENT)
        assert not drained.done()
        leave.set()
        assert drained.result(SOON)
        assert call.result(SOON) == 0


@pytest.mark.parametrize("attempt", range(5))
def test_after_shut_and_drain_nobody_is_inside_or_enters(attempt: int) -> None:
    """What a free after the two relies on, with threads that try all the time."""
    gate = Gate(1)
    freed: list[None] = []
    used_after_free: list[None] = []

    def fstat(pointer: int, stat: Any) -> int:
        used_after_free.extend(freed)
        return 0

    call = wrapped("glfs_fstat", fstat)

    def use() -> int:
        try:
            while True:
                call(gate, None)
        except OSError as error:
            return error.errno or 0

    with ThreadPoolExecutor(4) as pool:
        users = [pool.submit(use) for _ in range(4)]
        time.sleep(A_MOMENT)
        gate.shut()
        assert gate.drain(time.monotonic() + SOON)
        freed.append(None)
        assert {user.result(SOON) for user in users} == {errno.EBADF}
    assert used_after_free == []


def test_wait_until_gives_up_at_the_deadline() -> None:
    start = time.monotonic()
    assert not wait_until(lambda: False, start + A_MOMENT)
    assert time.monotonic() >= start + A_MOMENT


def test_wait_until_looks_once_even_if_it_is_too_late() -> None:
    assert wait_until(lambda: True, 0)


def test_wait_until_looks_again_and_again() -> None:
    answers = iter([0, "", None, 1])
    assert wait_until(lambda: next(answers), float("inf"))


def test_forget_shuts_and_drops_calls_of_threads_that_are_gone() -> None:
    gate = Gate(1)
    gate.calls.append(None)
    gate.forget()
    assert not gate.is_open
    assert gate.drain(0)
    gate.forget()


def test_forget_inside_a_call_does_not_disturb_its_end() -> None:
    """A fork may happen inside: the wrapper below it on the stack still leaves the gate."""
    gate = Gate(1)

    def fchmod(pointer: int, mode: int) -> int:
        gate.forget()
        gate.calls.append(None)
        return 0

    assert wrapped("glfs_fchmod", fchmod)(gate, 0) == 0
    assert gate.calls == [None]


# -------------------------------------------------------------------------------- the functions


def test_a_call_is_inside_for_as_long_as_c_runs() -> None:
    gate = Gate(42)
    seen = []

    def fchmod(pointer: int, mode: int) -> int:
        seen.append((pointer, mode, len(gate.calls)))
        return 0

    wrapped("glfs_fchmod", fchmod)(gate, 0o644)
    assert seen == [(42, 0o644, 1)]
    assert gate.calls == []


@pytest.mark.parametrize("problem", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_call_that_raises_leaves_the_gate(problem: type[BaseException]) -> None:
    gate = Gate(42)

    def fchmod(pointer: int, mode: int) -> int:
        raise problem

    with pytest.raises(problem):
        wrapped("glfs_fchmod", fchmod)(gate, 0)
    assert gate.calls == []


def test_a_call_that_fails_leaves_the_gate() -> None:
    gate = Gate(42, "/file")
    with pytest.raises(OSError, match="/file"):
        wrapped("glfs_fchmod", lambda pointer, mode: -1)(gate, 0)
    assert gate.calls == []


def test_a_refused_call_never_reaches_c_and_leaves_the_gate() -> None:
    gate = Gate(42, b"/file")
    gate.shut()
    called: list[Any] = []
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        wrapped("glfs_fchmod", lambda *arguments: called.append(arguments))(gate, 0)
    assert caught.value.filename == b"/file"
    assert called == []
    assert gate.calls == []


def test_an_argument_that_does_not_fit_never_enters_the_gate() -> None:
    gate = Gate(42)
    entered: list[Any] = []
    fchmod = wrapped("glfs_fchmod", lambda *arguments: entered.append(arguments))
    with pytest.raises(OverflowError):
        fchmod(gate, -1)
    with pytest.raises(TypeError):
        fchmod(gate, "0644")
    with pytest.raises(TypeError):
        fchmod(gate)
    assert entered == []
    assert gate.calls == []


TWO_GATES = api.Row(
    "glfs_copy",
    "1.0",
    "",
    parameters.status,
    (parameters.fd, parameters.path, parameters.fd, parameters.path, parameters.int_),
)


def test_a_row_of_two_gates_passes_both() -> None:
    one, other = Gate(1), Gate(2)
    seen: list[Any] = []

    def copy_range(*arguments: Any) -> int:
        seen.append((arguments, len(one.calls), len(other.calls)))
        return 5

    assert api.wrap(TWO_GATES, copy_range)(one, "a", other, "b", 3) == 5
    assert seen == [((1, b"a", 2, b"b", 3), 1, 1)]
    assert one.calls == other.calls == []


def test_a_row_of_two_gates_passes_the_same_gate_twice() -> None:
    gate = Gate(1)
    inside = api.wrap(TWO_GATES, lambda *arguments: len(gate.calls))
    assert inside(gate, "a", gate, "b", 3) == 2
    assert gate.calls == []


@pytest.mark.parametrize("shut", [0, 1])
def test_a_row_of_two_gates_leaves_both_if_one_is_shut(shut: int) -> None:
    gates = (Gate(1, "/one"), Gate(2, "/two"))
    gates[shut].shut()
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        api.wrap(TWO_GATES, lambda *arguments: 0)(gates[0], "a", gates[1], "b", 3)
    assert caught.value.filename == ("/one", "/two")[shut]
    assert gates[0].calls == gates[1].calls == []


# --------------------------------------------------------------------------------- the failures


def failing(name: str, *arguments: Any, result: Any = -1) -> OSError:
    def function(*passed: Any) -> Any:
        ctypes.set_errno(errno.EXDEV)
        return result

    with pytest.raises(OSError, match="cross-device") as caught:
        wrapped(name, function)(*arguments)
    assert caught.value.errno == errno.EXDEV
    return caught.value


def test_an_error_names_the_path_as_it_was_given() -> None:
    for path in ("/a", b"/a"):
        error = failing("glfs_chmod", Gate(1), path, 0)
        assert (error.filename, error.filename2) == (path, None)


def test_an_error_on_two_paths_names_both() -> None:
    error = failing("glfs_rename", Gate(1), "/a", b"/b")
    assert (error.filename, error.filename2) == ("/a", b"/b")


def test_an_error_on_a_descriptor_names_what_it_was_opened_as() -> None:
    assert failing("glfs_fchmod", Gate(1, "/file"), 0).filename == "/file"
    assert failing("glfs_fchmod", Gate(1), 0).filename is None


def test_an_error_on_two_descriptors_names_both() -> None:
    row = api.Row("glfs_two", "1.0", "", parameters.status, (parameters.fd, parameters.fd))

    with pytest.raises(OSError, match="/one") as caught:
        api.wrap(row, lambda *arguments: -1)(Gate(1, "/one"), Gate(2, "/two"))
    assert (caught.value.filename, caught.value.filename2) == ("/one", "/two")


def test_null_is_a_failure_where_a_pointer_is_expected() -> None:
    assert failing("glfs_open", Gate(1), "/a", 0, result=None).filename == "/a"
    failing("glfs_getcwd", Gate(1), None, 0, result=None)


def test_the_result_of_c_is_the_result() -> None:
    assert wrapped("glfs_read", lambda *arguments: 17)(Gate(1), None, 20, 0) == 17
    assert wrapped("glfs_open", lambda *arguments: 99)(Gate(1), "/a", 0) == 99


def test_what_is_opened_or_closed_is_in_the_callers_list_before_an_interrupt_can_come() -> None:
    kept: list[Any] = []
    assert wrapped("glfs_open", lambda *arguments: 99)(Gate(1), "/a", 0, kept) == 99
    with pytest.raises(OSError, match="/a"):
        wrapped("glfs_open", lambda *arguments: None)(Gate(1), "/a", 0, kept)
    with pytest.raises(OSError, match="error"):
        wrapped("glfs_close", lambda pointer: -1)(Gate(1), kept)
    assert kept == [99, None, -1]


def test_ctrl_c_in_the_first_call_of_a_function_is_no_exit_code_later(
    python: Callable[..., Any],
) -> None:
    program = """
import sys
from gluster.gfapi import api

def interrupt(frame, event, argument):
    if frame.f_code.co_filename.startswith("<") and frame.f_code.co_name == "<module>":
        raise KeyboardInterrupt

sys.settrace(interrupt)
try:
    api.wrap(api.TABLE["glfs_close"], len)
except KeyboardInterrupt:
    tell("interrupted")
"""
    assert python(program) == "interrupted"


def test_a_function_that_cannot_fail_returns_whatever_it_is() -> None:
    row = api.Row("glfs_free", "1.0", "", parameters.nothing, (parameters.address,))
    assert api.wrap(row, lambda pointer: None)(1) is None
