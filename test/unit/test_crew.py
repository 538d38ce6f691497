"""The crew that works for the length of one call: bounded, prompt at errors, gone at the end."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from gluster.gfapi.crew import Crew, Over, checked_threads


def crew_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "gfapi-crew"]


def wait_until(condition: object) -> None:
    deadline = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_all_jobs_are_done_and_those_that_they_add(threads: int) -> None:
    done: list[int] = []

    def job(depth: int) -> None:
        for _ in range(3 if depth else 0):
            crew.add(partial(job, depth - 1))
            crew.offer(partial(done.append, depth))
        done.append(depth)

    with Crew(threads) as crew:
        crew.add(partial(job, 6))
        crew.work()
    assert sorted(done) == sorted(
        [level for level in range(7) for _ in range(3 ** (6 - level))]
        + [level for level in range(1, 7) for _ in range(3 ** (7 - level))]
    )
    assert not crew_threads()


def test_one_thread_is_the_calling_one() -> None:
    seen = set()
    with Crew(1) as crew:
        for _ in range(100):
            crew.add(lambda: seen.add(threading.get_ident()))
            crew.offer(lambda: seen.add(threading.get_ident()))
        crew.work()
    assert seen == {threading.get_ident()}


def test_no_thread_is_started_for_a_few_jobs() -> None:
    with Crew(8) as crew:
        for _ in range(3):
            crew.offer(lambda: None)
        assert not crew_threads()
        crew.work()


def test_no_more_threads_work_than_were_asked_for() -> None:
    busy: list[None] = []
    most: list[int] = []

    def job() -> None:
        busy.append(None)
        most.append(len(busy))
        time.sleep(0.001)
        busy.pop()

    with Crew(4) as crew:
        for _ in range(200):
            crew.add(job)
        crew.work()
    assert 2 <= max(most) <= 4


def test_who_finds_small_jobs_does_them_when_too_many_wait() -> None:
    begin = threading.Event()
    here: list[None] = []

    def small() -> None:
        if threading.get_ident() == caller:
            here.append(None)
        else:
            begin.wait(30)

    caller = threading.get_ident()
    with Crew(3) as crew:
        for _ in range(1000):
            crew.offer(small)
            assert len(crew._small) <= crew._room
        assert len(here) >= 1000 - crew._room - 2
        begin.set()
        crew.work()


def test_calls_are_made_by_the_calling_thread_in_order() -> None:
    seen: list[tuple[int, int]] = []

    def job() -> None:
        for number in range(100):
            crew.tell(lambda number=number: seen.append((number, threading.get_ident())))

    with Crew(2) as crew:
        crew.add(job)
        crew.work()
    assert seen == [(number, threading.get_ident()) for number in range(100)]


@pytest.mark.parametrize("put", ["add", "offer"])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_call_is_made_before_its_job_adds_more(put: str, threads: int) -> None:
    seen: list[object] = []

    def job() -> None:
        for number in range(20):
            crew.tell(partial(seen.append, number))
            getattr(crew, put)(lambda: None)
            seen.append("added")

    with Crew(threads) as crew:
        crew.add(job)
        crew.work()
    assert seen == [each for number in range(20) for each in (number, "added")]


def test_a_call_that_adds_jobs_makes_no_other_calls() -> None:
    within: list[None] = []

    def call() -> None:
        within.append(None)
        assert len(within) == 1
        crew.add(lambda: None)
        within.pop()

    def job() -> None:
        for _ in range(10):
            crew.tell(call)
        crew.add(lambda: None)

    with Crew(1) as crew:
        crew.add(job)
        crew.work()


@pytest.mark.parametrize("put", ["add", "offer"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_call_that_raises_ends_the_job_that_catches_errors(put: str, error: type) -> None:
    done: list[None] = []

    def call() -> None:
        raise error

    def job() -> None:
        crew.tell(call)
        try:
            getattr(crew, put)(lambda: done.append(None))
        except Exception:
            done.append(None)
        done.append(None)

    with Crew(1) as crew:
        crew.add(job)
        with pytest.raises(error):
            crew.work()
    assert not done


def test_an_error_that_is_to_be_raised_ends_all_at_once() -> None:
    done: list[None] = []

    def job() -> None:
        crew.offer(lambda: crew.fail(OSError("first")))
        crew.offer(lambda: crew.fail(OSError("second")))
        done.append(None)

    with Crew(1) as crew:
        crew.add(job)
        with pytest.raises(OSError, match="first"):
            crew.work()
    assert not done


def test_a_call_that_an_error_overtakes_leaves_the_error_to_be_raised() -> None:
    def job() -> None:
        crew.tell(lambda: crew.fail(OSError("first")))
        crew.tell(lambda: crew.add(lambda: None))

    with Crew(1) as crew:
        crew.add(job)
        with pytest.raises(OSError, match="first"):
            crew.work()


def test_an_error_of_a_job_is_raised_and_ends_all() -> None:
    done: list[None] = []

    def fails() -> None:
        if threading.get_ident() != caller:
            raise RuntimeError("no")
        time.sleep(0.001)
        done.append(None)

    caller = threading.get_ident()
    with Crew(4) as crew:
        for _ in range(10_000):
            crew.add(fails)
        with pytest.raises(RuntimeError, match="no"):
            crew.work()
    assert len(done) < 10_000
    assert not crew_threads()


def test_a_long_job_learns_that_all_has_been_stopped() -> None:
    begun, ended = threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        try:
            while True:
                crew.check()
                time.sleep(0.001)
        except Over:
            ended.set()
            raise

    with Crew(2) as crew:
        for _ in range(10):
            crew.add(long)
        assert begun.wait(30)
    assert ended.is_set()
    assert not crew_threads()


def test_a_thread_without_work_ends_and_comes_back_with_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gluster.gfapi.crew._IDLE", 0.01)
    done: list[int] = []

    def job() -> None:
        done.append(threading.get_ident())
        time.sleep(0.001)

    with Crew(8) as crew:
        for _ in range(3):
            done.clear()
            for _ in range(50):
                crew.add(job)
            crew.work()
            assert len(done) == 50
            assert len(set(done)) > 1
            wait_until(lambda: not crew_threads())


def test_a_crew_may_work_within_another() -> None:
    done: list[None] = []

    def job() -> None:
        with Crew(4) as inner:
            for _ in range(20):
                inner.add(lambda: done.append(None))
            inner.work()

    with Crew(4) as crew:
        for _ in range(20):
            crew.add(job)
        crew.work()
    assert len(done) == 400
    assert not crew_threads()


def test_the_number_of_threads_is_checked() -> None:
    assert checked_threads(None, 5) == 5
    assert checked_threads(3) == 3
    for nonsense in (0, -1):
        with pytest.raises(ValueError, match="must be at least 1"):
            checked_threads(nonsense)
    for wrong in ("2", 2.0, [2]):
        with pytest.raises(TypeError):
            checked_threads(wrong)  # type: ignore[arg-type]
