"""Several threads on one Volume, one File, one Dir."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

from gluster import gfapi

THREADS = 8


def in_threads(action: Callable[[int], Any]) -> list[Any]:
    """Run an action with each number in a thread of its own, all at once."""
    together = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        together.wait()
        return action(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_eight_threads_on_one_volume_do_not_disturb_each_other(
    vol: gfapi.Volume, folder: str
) -> None:
    def work(number: int) -> None:
        own = f"{folder}/{number}"
        vol.mkdir(own)
        for turn in range(10):
            data = bytes([number, turn]) * 5000
            with vol.fopen(f"{own}/{turn}", "w+") as file:
                assert file.write(data) == len(data)
                file.seek(0)
                assert file.read() == data
            vol.setxattr(f"{own}/{turn}", "user.n", str(number))
            vol.rename(f"{own}/{turn}", f"{own}/{turn}.done")
        assert sorted(vol.listdir(own)) == [f"{turn}.done" for turn in range(10)]
        for turn in range(10):
            assert vol.getxattr(f"{own}/{turn}.done", "user.n") == str(number)
            with vol.fopen(f"{own}/{turn}.done") as file:
                assert file.read() == bytes([number, turn]) * 5000
        for name in vol.listdir(own)[:5]:
            vol.unlink(f"{own}/{name}")

    in_threads(work)
    assert sum(len(files) for _, _, files in vol.walk(folder)) == THREADS * 5


def test_each_thread_gets_the_error_of_its_own_call(vol: gfapi.Volume, folder: str) -> None:
    vol.mknod(f"{folder}/file", 0o600)

    def fail(number: int) -> None:
        for _ in range(30):
            path = f"{folder}/missing {number}"
            with pytest.raises(FileNotFoundError) as caught:
                vol.stat(path)
            assert caught.value.filename == path
            with pytest.raises(NotADirectoryError):
                vol.listdir(f"{folder}/file")
            with pytest.raises(FileExistsError):
                vol.mkdir(folder)

    in_threads(fail)


# On one name only, and on a plain volume: GlusterFS 10.3 itself lets the winners of such races on
# a disperse volume fail, and with mkdir leaves damaged directories on any kind.
def test_one_of_many_threads_makes_a_file_with_mode_x(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    def make(_: int) -> bool:
        try:
            plain_vol.fopen(f"{plain_folder}/one", "x").close()
        except FileExistsError:
            return False
        return True

    assert sum(in_threads(make)) == 1


def test_threads_writing_to_one_file_never_write_to_the_same_place(
    vol: gfapi.Volume, folder: str
) -> None:
    with vol.fopen(f"{folder}/file", "w+") as file:
        in_threads(lambda number: [file.write(b"%d:%03d;" % (number, turn)) for turn in range(50)])
        file.seek(0)
        records = file.read().split(b";")
    expected = [b"%d:%03d" % (number, turn) for number in range(THREADS) for turn in range(50)]
    assert sorted(records) == sorted([*expected, b""])


@pytest.mark.parametrize("call", ["read", "readinto"])
def test_threads_reading_one_file_get_each_part_once(
    vol: gfapi.Volume, folder: str, call: str
) -> None:
    with vol.fopen(f"{folder}/file", "w+") as file:
        file.write(b"".join(b"%07d;" % number for number in range(1000)))
        file.seek(0)

        def read(_: int) -> list[bytes]:
            parts = []
            while True:
                if call == "read":
                    part = file.read(8)
                else:
                    buffer = bytearray(8)
                    part = bytes(buffer[: file.readinto(buffer)])
                if not part:
                    return parts
                parts.append(part)

        parts = [part for parts in in_threads(read) for part in parts]
    assert sorted(parts) == [b"%07d;" % number for number in range(1000)]


def test_threads_reading_one_dir_get_each_entry_once(vol: gfapi.Volume, folder: str) -> None:
    for number in range(200):
        vol.symlink("x", f"{folder}/{number}")
    for plus in (False, True):
        with vol.opendir(folder, plus) as listing:

            def read(_: int, listing: gfapi.Dir = listing, plus: bool = plus) -> list[str]:
                return [entry[0].name if plus else entry.name for entry in listing]

            names = Counter(name for names in in_threads(read) for name in names)
        assert set(names.values()) == {1}
        assert set(names) == {".", "..", *map(str, range(200))}


@pytest.mark.parametrize("handles", [False, True])
def test_threads_sharing_an_iterator_of_scandir_get_each_entry_once(
    vol: gfapi.Volume, folder: str, handles: bool
) -> None:
    for number in range(100):
        vol.symlink("x", f"{folder}/{number}")
    with vol.scandir(folder, handles=handles) as entries:

        def read(number: int) -> list[str]:
            if number % 2:
                return [entry.name for entry in entries]
            names = []
            while (entry := next(entries, None)) is not None:
                names.append(entry.name)
            return names

        names = [name for names in in_threads(read) for name in names]
        assert list(entries) == []
    assert sorted(names) == sorted(map(str, range(100)))


def test_one_of_many_threads_closes_a_file_and_the_others_are_told(
    vol: gfapi.Volume, folder: str
) -> None:
    for _ in range(20):
        file = vol.fopen(f"{folder}/file", "w")

        def close(_: int, file: gfapi.File = file) -> int:
            try:
                file.close()
            except OSError as error:
                return error.errno or 0
            return 0

        assert sorted(in_threads(close)) == [0] + [9] * (THREADS - 1)


def test_files_opened_in_one_thread_are_used_and_closed_in_another(
    vol: gfapi.Volume, folder: str
) -> None:
    files = in_threads(lambda number: vol.fopen(f"{folder}/{number}", "w"))
    in_threads(lambda number: files[number - 1].write(b"x" * 1000))
    in_threads(lambda number: files[number - 2].close())
    assert [vol.getsize(f"{folder}/{number}") for number in range(THREADS)] == [1000] * THREADS
