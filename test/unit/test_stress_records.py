"""What the stress programs judge by: a checker that overlooked something would prove nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SIZE, SAFE = 512, 10


@pytest.fixture(scope="module")
def records() -> Iterator[Any]:
    folder = str(Path(__file__).parents[1] / "stress")
    sys.path.insert(0, folder)
    import records

    yield records
    sys.path.remove(folder)


@pytest.fixture
def check(records: Any, tmp_path: Path) -> Callable[..., Any]:
    """A function that counts what is found when a file of safe records has been changed."""
    journal = records.Journal(str(tmp_path / "journal"))
    file = tmp_path / "file"
    file.write_bytes(b"".join(records.record("/file", number, SIZE) for number in range(SAFE)))
    journal.note(file="/file", size=SIZE)
    journal.note(file="/file", safe=SAFE)

    def check(start: int = 0, data: bytes = b"", length: int = SIZE * SAFE) -> Any:
        with file.open("r+b") as stream:
            stream.seek(start)
            stream.write(data)
            stream.truncate(length)
        places = {"a folder": records.from_folder(str(tmp_path))}
        return records.check(str(tmp_path / "journal"), places)

    return check


def counts(tally: Any) -> dict[str, int]:
    sorts = {name: len(getattr(tally, name)) for name in ("lost", "torn", "misplaced", "wrong")}
    return {name: count for name, count in sorts.items() if count}


def test_records_that_are_there_are_no_cause_for_complaint(check: Callable[..., Any]) -> None:
    tally = check()
    assert tally.is_good
    assert tally.safe == SAFE


def test_record_is_told_by_any_of_its_bytes(records: Any, check: Callable[..., Any]) -> None:
    good = records.record("/file", 3, SIZE)
    for place in (0, 8, 20, 100, SIZE - 1):
        byte = bytes([good[place] ^ 1])
        assert counts(check(3 * SIZE + place, byte)) == {"torn": 1}, place
        check(3 * SIZE, good)


def test_file_that_is_gone_has_lost_all(check: Callable[..., Any], tmp_path: Path) -> None:
    check()
    (tmp_path / "file").unlink()
    assert counts(check_again(tmp_path)) == {"lost": SAFE}


@pytest.mark.parametrize(("cut", "found"), [(2 * SIZE, {"lost": 2}), (1, {"torn": 1})])
def test_file_that_is_cut_has_lost_records(
    check: Callable[..., Any], cut: int, found: dict[str, int]
) -> None:
    assert counts(check(length=SAFE * SIZE - cut)) == found


def test_zeros_are_a_loss_and_half_of_them_a_torn_record(check: Callable[..., Any]) -> None:
    assert counts(check(SIZE, bytes(SIZE))) == {"lost": 1}
    assert counts(check(4 * SIZE, bytes(SIZE // 2))) == {"lost": 1, "torn": 1}


def test_record_of_another_place_or_file_is_misplaced(
    records: Any, check: Callable[..., Any]
) -> None:
    assert counts(check(SIZE, records.record("/file", 2, SIZE))) == {"misplaced": 1}
    assert counts(check(2 * SIZE, records.record("/other", 2, SIZE))) == {"misplaced": 2}


def test_record_behind_the_safe_ones_may_be_anything_but_another_one(
    records: Any, check: Callable[..., Any]
) -> None:
    end, length = SAFE * SIZE, (SAFE + 1) * SIZE
    assert check(end, records.record("/file", SAFE, SIZE), length).is_good
    assert check(end, b"half of one", end + 11).is_good
    assert check(end, bytes(SIZE), length).is_good
    assert counts(check(end, records.record("/file", 0, SIZE), length)) == {"misplaced": 1}


def test_file_that_cannot_be_read_is_wrong(check: Callable[..., Any], tmp_path: Path) -> None:
    check()
    (tmp_path / "file").unlink()
    (tmp_path / "file").mkdir()
    assert counts(check_again(tmp_path)) == {"wrong": 1}


def check_again(folder: Path) -> Any:
    records = sys.modules["records"]
    return records.check(str(folder / "journal"), {"a folder": records.from_folder(str(folder))})


def test_errors_are_counted_and_the_slowest_call_is_known(records: Any, tmp_path: Path) -> None:
    journal = records.Journal(str(tmp_path / "journal"))
    journal.note(slowest="write", took=3.5)
    journal.note(error=107, call="fsync", took=1.25)
    journal.note(failing="Writer0")
    assert records.Follower(str(tmp_path / "journal")).read().failing == {"Writer0"}
    journal.note(recovered="same", by="Writer0")
    assert records.Follower(str(tmp_path / "journal")).read().failing == set()
    journal.note(wrong="what was read")
    tally = check_again(tmp_path)
    assert tally.failures == "fsync ENOTCONN"
    assert (tally.slowest, tally.slowest_error) == (3.5, 1.25)
    assert tally.recovered == {"same": 1}
    assert tally.wrong == ["what was read"]
    tally += tally
    assert tally.errors["fsync", 107] == 2
    assert len(tally.complaints) == 2
