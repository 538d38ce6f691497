"""walk and rmtree, beside os.walk and shutil.rmtree on a local copy of the same tree."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import removal, sandbox, treecopy

TREE = ["a/", "a/1", "a/2", "a/b/", "a/b/3", "a/b/c/", "d/", "d/e/", "d/e/f/", "d/e/f/4", "5"]


@pytest.fixture
def tree(vol: gfapi.Volume, folder: str) -> str:
    """A tree with two links to directories, one broken link and one to a file."""
    top = f"{folder}/top"
    vol.mkdir(top)
    for name in TREE:
        if name.endswith("/"):
            vol.mkdir(f"{top}/{name}")
        else:
            vol.fopen(f"{top}/{name}", "w").close()
    vol.symlink("a", f"{top}/to a")
    vol.symlink("../../d/e", f"{top}/a/b/to e")
    vol.symlink("nowhere", f"{top}/broken")
    vol.symlink("5", f"{top}/to 5")
    return top


@pytest.fixture
def local(tmp_path: Path) -> str:
    """The same on this machine."""
    top = tmp_path / "top"
    top.mkdir()
    for name in TREE:
        if name.endswith("/"):
            (top / name).mkdir()
        else:
            (top / name).touch()
    (top / "to a").symlink_to("a")
    (top / "a/b/to e").symlink_to("../../d/e")
    (top / "broken").symlink_to("nowhere")
    (top / "to 5").symlink_to("5")
    return str(top)


def found(walk: Any, top: str) -> dict[str, tuple[list[str], list[str]]]:
    """What a walk found, without the order within a directory."""
    return {os.path.relpath(path, top): (sorted(dirs), sorted(files)) for path, dirs, files in walk}


def order(walk: Any, top: str) -> list[str]:
    return [os.path.relpath(path, top) for path, _, _ in walk]


def test_walk_finds_what_os_walk_finds_when_both_follow_links(
    vol: gfapi.Volume, tree: str, local: str
) -> None:
    expected = found(os.walk(local, followlinks=True), local)
    assert found(vol.walk(tree, followlinks=True), tree) == expected
    assert "to a/b/to e/f" in expected


def test_walk_has_a_link_whose_target_cannot_be_told_among_the_files(
    vol: gfapi.Volume, tree: str, local: str
) -> None:
    for link, target in (("itself", "itself"), ("behind a file", "../../5/x")):
        vol.symlink(target, f"{tree}/d/e/f/{link}")
        os.symlink(target, f"{local}/d/e/f/{link}")
    for top in (tree, local):
        (vol if top == tree else os).unlink(f"{top}/a/b/to e")  # libgfapi takes a second for a loop
    expected = found(os.walk(local, followlinks=True), local)
    assert expected["d/e/f"] == ([], ["4", "behind a file", "itself"])
    assert found(vol.walk(tree, followlinks=True), tree) == expected
    for path, _, files in vol.walk_with_stat(tree, followlinks=True):
        assert sorted(name for name, _ in files) == expected[os.path.relpath(path, tree)][1]


LOOPS = pytest.mark.parametrize(("link", "target"), [("a/loop", "."), ("d/e/loop", "../../d")])


@LOOPS
@pytest.mark.parametrize("topdown", [True, False])
def test_walk_follows_a_loop_as_often_as_os_walk(
    vol: gfapi.Volume, tree: str, local: str, link: str, target: str, topdown: bool
) -> None:
    for number in range(2):  # a link that is not followed counts for nothing
        vol.symlink("../5", f"{tree}/d/to 5 {number}")
        os.symlink("../5", f"{local}/d/to 5 {number}")
    for top in (tree, local):
        (vol if top == tree else os).unlink(f"{top}/a/b/to e")  # one loop is enough
        (vol if top == tree else os).unlink(f"{top}/to a")
    vol.symlink(target, f"{tree}/{link}")
    os.symlink(target, f"{local}/{link}")
    expected = found(os.walk(local, topdown, followlinks=True), local)
    assert found(vol.walk(tree, topdown, followlinks=True), tree) == expected
    assert any(path.count("loop") == 40 for path in expected)
    with_stat = vol.walk_with_stat(tree, topdown, followlinks=True)
    assert sorted(order(with_stat, tree)) == sorted(expected)


def test_walk_differs_from_os_walk_in_that_links_to_directories_are_among_the_files(
    vol: gfapi.Volume, tree: str, local: str
) -> None:
    expected = found(os.walk(local), local)
    for path, (dirs, files) in expected.items():
        links = [name for name in dirs if os.path.islink(os.path.join(local, path, name))]
        for name in links:
            dirs.remove(name)
        files.extend(links)
        files.sort()
    assert found(vol.walk(tree), tree) == expected
    assert "to a" in expected["."][1]


@pytest.mark.parametrize("topdown", [True, False])
def test_walk_yields_parents_first_or_last(vol: gfapi.Volume, tree: str, topdown: bool) -> None:
    places = order(vol.walk(tree, topdown), tree)
    assert sorted(places) == sorted([".", "a", "a/b", "a/b/c", "d", "d/e", "d/e/f"])
    for child in places:
        if child != ".":
            parent = os.path.dirname(child) or "."
            assert (places.index(parent) < places.index(child)) == topdown


def test_walk_goes_where_the_caller_lets_it(vol: gfapi.Volume, tree: str) -> None:
    seen = []
    for path, dirs, _ in vol.walk(tree):
        seen.append(os.path.relpath(path, tree))
        if "b" in dirs:
            dirs.remove("b")
        dirs.sort(reverse=True)
    assert seen == [".", "d", "d/e", "d/e/f", "a"]


def test_walk_of_what_cannot_be_read_raises_when_it_comes_there(
    vol: gfapi.Volume, tree: str
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        list(vol.walk(f"{tree}/missing"))
    assert caught.value.filename == f"{tree}/missing"
    with pytest.raises(NotADirectoryError):
        list(vol.walk(f"{tree}/5"))
    walk = vol.walk(tree)
    _, dirs, _ = next(walk)
    dirs[:] = ["gone"]
    with pytest.raises(FileNotFoundError):
        next(walk)


def test_walk_tells_onerror_and_goes_on(vol: gfapi.Volume, tree: str) -> None:
    errors: list[OSError] = []
    assert list(vol.walk(f"{tree}/missing", onerror=errors.append)) == []
    assert [error.filename for error in errors] == [f"{tree}/missing"]
    errors.clear()
    seen = []
    for path, dirs, _ in vol.walk(tree, onerror=errors.append):
        seen.append(os.path.relpath(path, tree))
        if path == tree:
            dirs.insert(0, "gone")
    assert "a/b/c" in seen
    assert "d/e/f" in seen
    assert [error.filename for error in errors] == [f"{tree}/gone"]
    assert isinstance(errors[0], FileNotFoundError)


def test_walk_ends_when_onerror_raises(vol: gfapi.Volume, tree: str) -> None:
    def give_up(error: OSError) -> None:
        raise RuntimeError from error

    with pytest.raises(RuntimeError):
        list(vol.walk(f"{tree}/missing", onerror=give_up))


def test_walk_takes_its_parameters_by_name(vol: gfapi.Volume, tree: str) -> None:
    walk = vol.walk(top=tree, topdown=False, onerror=None, followlinks=False)
    assert order(walk, tree)[-1] == "."


def test_walk_that_is_abandoned_leaves_no_directory_open(vol: gfapi.Volume, tree: str) -> None:
    before = len(vol._mount.descriptors)
    walk = vol.walk(tree)
    next(walk)
    assert len(vol._mount.descriptors) == before


@pytest.fixture
def shallow_stack() -> Iterator[None]:
    """Room for forty calls within each other, and no more."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 40)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("shallow_stack")
def test_walk_and_rmtree_go_deeper_than_the_stack_does(vol: gfapi.Volume, folder: str) -> None:
    vol.makedirs(folder + "/d" * 80)
    assert len(list(vol.walk(folder))) == 81
    vol.copytree(f"{folder}/d", f"{folder}/copy")
    assert len(list(vol.walk(f"{folder}/copy", topdown=False))) == 80
    vol.rmtree(f"{folder}/d")
    assert vol.listdir(folder) == ["copy"]


# ------------------------------------------------------------------------------------ rmtree


def test_rmtree_removes_a_tree_and_not_what_its_links_lead_to(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    vol.mkdir(f"{folder}/elsewhere")
    vol.mknod(f"{folder}/elsewhere/kept", 0o600)
    vol.symlink("../elsewhere", f"{tree}/out")
    assert vol.rmtree(tree) is None
    assert vol.listdir(folder) == ["elsewhere"]
    assert vol.listdir(f"{folder}/elsewhere") == ["kept"]


def test_rmtree_does_not_mind_what_another_removes(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str
) -> None:
    top = f"{folder}/top"
    for number in range(40):
        vol.makedirs(f"{top}/{number % 4}/{number}")
        vol.mknod(f"{top}/{number % 4}/file {number}", 0o600)
    with sandbox_volume.client() as other, ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(each.rmtree, top) for each in (vol, other)]
        errors = [job.exception() for job in jobs]
    assert [type(error) for error in errors if error] in ([], [FileNotFoundError])
    assert {error.filename for error in errors if isinstance(error, OSError)} <= {top}
    assert vol.listdir(folder) == []


def twice(listed: Any) -> Callable[..., Any]:
    """A listing that has each name twice, as GlusterFS's may be while files move among bricks."""
    return lambda *arguments: (entry for entry in listed(*arguments) for _ in range(2))


def test_what_is_listed_twice_is_copied_and_removed_once(
    plain_vol: gfapi.Volume, plain_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    top, copy = f"{plain_folder}/top", f"{plain_folder}/copy"
    for number in range(10):
        plain_vol.makedirs(f"{top}/{number}")
        plain_vol.mknod(f"{top}/{number}/file", 0o600)
    monkeypatch.setattr(treecopy, "entries_in", twice(treecopy.entries_in))
    monkeypatch.setattr(removal, "statuses_in", twice(removal.statuses_in))
    plain_vol.copytree(top, copy)
    plain_vol.rmtree(top)
    assert len(list(plain_vol.walk(copy))) == 11
    assert plain_vol.listdir(plain_folder) == ["copy"]


@pytest.mark.parametrize("is_link", [True, False])
@pytest.mark.parametrize(
    ("name", "is_same_mount"),
    [("top", True), ("top", False), ("top/a", False), ("top/a/b/c", False)],
)
def test_rmtree_leaves_what_takes_the_place_of_a_directory(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    folder: str,
    tree: str,
    name: str,
    is_link: bool,
    is_same_mount: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, leave = f"{folder}/{name}", removal._Doomed.leave

    def leave_and_swap(doomed: Any) -> bool:
        is_empty = leave(doomed)
        if is_empty and doomed.path == path:
            other.rmdir(path)
            if is_link:
                other.symlink("/", path)
            else:
                other.mknod(path, 0o600)
        return is_empty

    monkeypatch.setattr(removal._Doomed, "leave", leave_and_swap)
    with contextlib.ExitStack() as stack:
        other = vol if is_same_mount else stack.enter_context(sandbox_volume.client())
        with pytest.raises(OSError) as caught:  # noqa: PT011 - replicas say ENOENT for ENOTDIR
            vol.rmtree(tree)
        assert caught.value.filename in (path, os.path.dirname(path))
        assert other.islink(path) == is_link
        assert other.lexists(path)


def test_rmtree_of_a_link_fails_and_removes_nothing(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    vol.symlink("top", f"{folder}/link")
    with pytest.raises(OSError, match="symbolic link") as caught:
        vol.rmtree(f"{folder}/link")
    assert caught.value.filename == f"{folder}/link"
    assert sorted(vol.listdir(folder)) == ["link", "top"]
    assert "a" in vol.listdir(tree)


def test_rmtree_of_what_is_no_directory_fails(vol: gfapi.Volume, folder: str, tree: str) -> None:
    with pytest.raises(FileNotFoundError):
        vol.rmtree(f"{folder}/missing")
    with pytest.raises(NotADirectoryError):
        vol.rmtree(f"{tree}/5")
    assert "5" in vol.listdir(tree)


def test_rmtree_that_ignores_errors_raises_nothing(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    vol.rmtree(f"{folder}/missing", ignore_errors=True)
    vol.rmtree(f"{tree}/5", True)
    vol.symlink("top", f"{folder}/link")
    vol.rmtree(f"{folder}/link", True)
    assert "5" in vol.listdir(tree)


USER = 1000
MANY = 200  # files


@pytest.fixture
def obstructed(vol: gfapi.Volume, folder: str, tree: str) -> Iterator[gfapi.Volume]:
    """The volume, to a user who may remove all of the tree but one file."""
    vol.chown(folder, USER, USER)
    for path, dirs, files in vol.walk(tree):
        for name in [".", *dirs, *files]:
            vol.lchown(os.path.join(path, name), USER, USER)
    vol.chown(f"{tree}/a/b", 0, 0)
    vol.chmod(f"{tree}/a/b", 0o1777)
    vol.chown(f"{tree}/a/b/3", 0, 0)
    with vol.identity(USER, USER):
        yield vol


def test_rmtree_stops_at_an_error(obstructed: gfapi.Volume, tree: str) -> None:
    with pytest.raises(PermissionError) as caught:
        obstructed.rmtree(tree)
    assert caught.value.filename == f"{tree}/a/b/3"
    assert obstructed.exists(f"{tree}/a/b/3")


@pytest.fixture
def many(vol: gfapi.Volume, folder: str) -> Iterator[str]:
    """A directory with many files, of which the calling user may not remove every tenth."""
    top = f"{folder}/many"
    vol.mkdir(top)
    vol.chmod(top, 0o1777)
    for number in range(MANY):
        vol.mknod(f"{top}/{number}", 0o600)
        if number % 10:
            vol.chown(f"{top}/{number}", USER, USER)
    with vol.identity(USER, USER):
        yield top


def firm(names: list[str]) -> list[str]:
    """Those that cannot be removed."""
    return [name for name in names if int(name) % 10 == 0]


def give_up(function: Any, path: str, error: OSError) -> None:
    raise RuntimeError(path)


@pytest.mark.parametrize(("onerror", "raised"), [(None, PermissionError), (give_up, RuntimeError)])
def test_rmtree_by_one_thread_removes_nothing_after_the_first_error(
    vol: gfapi.Volume, many: str, onerror: Any, raised: Any
) -> None:
    listed = vol.listdir(many)
    first = firm(listed)[0]
    with pytest.raises(raised, match=f"{many}/{first}"):
        vol.rmtree(many, onerror=onerror, threads=1)
    assert sorted(vol.listdir(many)) == sorted(listed[listed.index(first) :])


@pytest.mark.parametrize(("onerror", "raised"), [(None, PermissionError), (give_up, RuntimeError)])
def test_rmtree_by_several_threads_stops_soon_after_an_error(
    vol: gfapi.Volume, many: str, onerror: Any, raised: Any
) -> None:
    with pytest.raises(raised):
        vol.rmtree(many, onerror=onerror, threads=4)
    assert len(vol.listdir(many)) > MANY // 2


def test_rmtree_tells_onerror_before_it_removes_the_next(vol: gfapi.Volume, many: str) -> None:
    listed = vol.listdir(many)
    left: list[list[str]] = []
    vol.rmtree(many, onerror=lambda *_: left.append(vol.listdir(many)), threads=1)
    places = [listed.index(name) for name in firm(listed)]
    expected = [firm(listed[:place]) + listed[place:] for place in places]
    assert [sorted(names) for names in left[:-1]] == [sorted(names) for names in expected]
    assert sorted(vol.listdir(many)) == sorted(firm(listed))


@pytest.mark.parametrize("name", ["onerror", "onexc"])
def test_rmtree_tells_the_caller_what_failed_and_goes_on(
    obstructed: gfapi.Volume, tree: str, name: str
) -> None:
    calls: list[Any] = []
    obstructed.rmtree(tree, **{name: lambda *arguments: calls.append(arguments)})
    assert [(function.__name__, path) for function, path, _ in calls] == [
        ("unlink", f"{tree}/a/b/3"),
        ("rmdir", f"{tree}/a/b"),
        ("rmdir", f"{tree}/a"),
        ("rmdir", tree),
    ]
    assert isinstance(calls[0][2], PermissionError)
    assert [type(error) for _, _, error in calls[1:]] == [OSError] * 3
    assert list(obstructed.walk(tree)) == [
        (tree, ["a"], []),
        (f"{tree}/a", ["b"], []),
        (f"{tree}/a/b", [], ["3"]),
    ]


def test_rmtree_tells_onerror_of_a_top_that_it_cannot_remove(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    calls: list[Any] = []
    vol.symlink("top", f"{folder}/link")
    for path in (f"{folder}/missing", f"{folder}/link"):
        vol.rmtree(path=path, ignore_errors=False, onerror=lambda *a: calls.append(a))
    assert {path for _, path, _ in calls} == {f"{folder}/missing", f"{folder}/link"}
    assert all(isinstance(error, OSError) for _, _, error in calls)
    assert "a" in vol.listdir(tree)


def test_rmtree_ignores_an_error_and_removes_the_rest(obstructed: gfapi.Volume, tree: str) -> None:
    obstructed.rmtree(tree, ignore_errors=True)
    assert [files for _, _, files in obstructed.walk(tree)] == [[], [], ["3"]]
