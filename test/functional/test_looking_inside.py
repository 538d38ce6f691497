"""What a mounted volume tells about itself: /.meta, the volfile, dumps of its state."""

from __future__ import annotations

import doctest
import errno
import logging
import os
import shutil
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api, meta, sandbox

Wait = Callable[[Callable[[], object]], None]
NOBODY = 65534


@pytest.fixture
def own(cluster: sandbox.Cluster, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A function that makes a volume for this test alone, which may change its state."""
    made = []

    def make(**kind: Any) -> sandbox.SandboxVolume:
        made.append(cluster.create_volume(f"inside{len(cluster.volumes)}", **kind))
        return made[-1]

    yield make
    for volume in made:
        volume.delete()


def test_every_example_of_the_page_gives_what_it_says(cluster: sandbox.Cluster) -> None:
    file = Path(__file__).parents[2] / "doc" / "looking-inside.rst"
    volume = cluster.create_volume("demo")
    report: list[str] = []
    try:
        text = file.read_text(encoding="utf-8").replace("server1.example.com", volume.hosts[0])
        text = text.replace("'10.3'", repr(version_of_glusterfs()))
        examples = doctest.DocTestParser().get_doctest(text, {}, file.name, str(file), 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        results = runner.run(examples, out=report.append)
    finally:
        volume.delete()
        logging.getLogger("gluster").handlers.clear()
        logging.getLogger("gluster").setLevel(logging.NOTSET)
    assert results.attempted > 20
    assert results.failed == 0, "".join(report)


def version_of_glusterfs() -> str:
    done = subprocess.run(["glusterd", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[1]


# ------------------------------------------------------------------------------------ graph


def test_the_graph_ends_in_the_bricks(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume
) -> None:
    top = vol.meta.graph()
    clients = top.find_all("protocol/client")
    assert [client.options["remote-subvolume"] for client in clients] == [
        brick.path for brick in sandbox_volume.bricks
    ]
    assert all(not client.subvolumes for client in clients)
    assert top.find(sandbox_volume.name).type == "debug/io-stats"
    assert top.find(f"{sandbox_volume.name}-dht").type == "cluster/distribute"
    assert set(clients) <= set(top.walk())


def test_the_graph_is_the_one_in_use_after_a_change_of_the_volume(
    own: Callable[..., sandbox.SandboxVolume], wait_until: Wait
) -> None:
    volume = own()
    with volume.client() as vol, vol.fopen("/file", "w") as file:
        assert vol.meta.graph().find_all("performance/write-behind")
        before = vol.get_volfile()
        volume.set_option("performance.write-behind", "off")

        def is_gone() -> bool:
            file.write(b"x")
            return not vol.meta.graph().find_all("performance/write-behind")

        wait_until(is_gone)
        assert "write-behind" in before
        wait_until(lambda: "write-behind" not in vol.get_volfile())
        wait_until(lambda: [c.connected for c in vol.meta.connections()] == [True])
        waiting = [call.frames[-1].translator for call in vol.meta.frames()]
        below = {f"{volume.name}-{name}" for name in ("open-behind", "client-0")}
        assert set(waiting) <= below, "the reopened file's first calls"


def test_objects_may_be_asked_for_while_the_graph_changes(
    own: Callable[..., sandbox.SandboxVolume],
) -> None:
    volume = own()
    problems: list[BaseException] = []
    is_over = threading.Event()

    def look(vol: gfapi.Volume) -> None:
        try:
            while not is_over.is_set():
                vol.meta.connections()
                vol.meta.latency()
                vol.meta.frames()
                assert vol.get_volfile().endswith("end-volume\n")
                vol.exists("/")
        except BaseException as problem:
            problems.append(problem)

    with volume.client() as vol:
        threads = [threading.Thread(target=look, args=(vol,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for value in ("off", "on", "off", "on"):
            volume.set_option("performance.open-behind", value)
        is_over.set()
        for thread in threads:
            thread.join()
    assert problems == []


def test_the_volfile_is_the_one_that_glusterd_has(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume
) -> None:
    text = plain_vol.get_volfile()
    folder = Path(plain.cluster.nodes[0].folder) / "glusterd" / "vols" / plain.name
    assert text == (folder / f"trusted-{plain.name}.tcp-fuse.vol").read_text()
    top = meta.graph_in(text)
    assert top.name == plain.name
    assert [t.name for t in top.walk()] == [t.name for t in plain_vol.meta.graph().walk()][1:]


def test_the_volfile_grows_with_the_volume(
    own: Callable[..., sandbox.SandboxVolume], wait_until: Wait
) -> None:
    volume = own()
    with volume.client() as vol:
        size = len(vol.get_volfile())
        volume.add_bricks(2)
        wait_until(lambda: len(vol.get_volfile()) > size)
        clients = meta.graph_in(vol.get_volfile()).find_all("protocol/client")
        assert [c.options["remote-subvolume"] for c in clients] == [b.path for b in volume.bricks]


def test_meta_has_the_same_as_a_volfile(plain_vol: gfapi.Volume) -> None:
    top = meta.graph_in(plain_vol.meta.volfile())
    assert [t.name for t in top.walk()] == [t.name for t in plain_vol.meta.graph().walk()]


# ------------------------------------------------------------------------------ connections


def test_a_connection_counts_what_goes_through_it(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    (before,) = plain_vol.meta.connections()
    with plain_vol.fopen(f"{plain_folder}/file", "w") as file:
        file.write(bytes(1 << 20))
        file.fsync()
    (after,) = plain_vol.meta.connections()
    assert (after.name, after.host) == (f"{plain.name}-client-0", plain.bricks[0].host)
    assert after.brick == plain.bricks[0].path
    assert after.connected is True
    assert after.ping_timeout == 42
    assert None not in (before.bytes_written, after.bytes_written, after.messages_sent)
    assert after.bytes_written - before.bytes_written > 1 << 20  # type: ignore[operator]
    assert after.bytes_read > before.bytes_read  # type: ignore[operator]
    assert after.messages_sent > before.messages_sent  # type: ignore[operator]


@pytest.mark.parametrize("kind", [{}, {"replica": 3}])
def test_a_dead_brick_shows_and_so_does_its_return(
    own: Callable[..., sandbox.SandboxVolume], wait_until: Wait, kind: dict[str, int]
) -> None:
    volume = own(**kind)
    alive = [True] * len(volume.bricks)
    with volume.client() as vol:

        def connected() -> list[Any]:
            return [connection.connected for connection in vol.meta.connections()]

        wait_until(lambda: connected() == alive)
        volume.kill_brick(0)
        wait_until(lambda: connected() == [False, *alive[1:]])
        assert vol.meta.graph().find_all("protocol/client")
        assert vol.meta.version
        volume.start_brick(0)
        wait_until(lambda: connected() == alive)


# --------------------------------------------------------------------------- calls, latency


def test_a_call_in_flight_shows_where_it_is(
    own: Callable[..., sandbox.SandboxVolume], wait_until: Wait
) -> None:
    volume = own()
    with volume.client() as vol:
        vol.mkdir("/there")
        vol.meta.measure_latency = True
        os.kill(volume.bricks[0].pid, 19)
        try:
            thread = threading.Thread(target=vol.mkdir, args=("/new",))
            start = time.monotonic()
            thread.start()
            client = vol.meta.graph().find_all("protocol/client")[0].name
            found: list[meta.Call] = []

            def has_arrived() -> list[meta.Call]:
                found[:] = [c for c in vol.meta.frames() if c.operation == "LOOKUP"]
                return [call for call in found if call.frames[-1].translator == client]

            wait_until(has_arrived)
            (call,) = found
        finally:
            os.kill(volume.bricks[0].pid, 18)
        thread.join()
        first, *_, last = call.frames
        assert (first.translator, first.caller, first.complete) == ("gfapi", None, False)
        assert last.translator == client
        assert last.caller == call.frames[-2].translator
        assert last.created is not None
        assert start <= last.created <= time.monotonic()
        assert (call.uid, call.gid) == (os.getuid(), os.getgid())
        wait_until(lambda: vol.meta.frames() == [])


def test_latency_is_measured_once_it_is_wanted(
    plain: sandbox.SandboxVolume, plain_folder: str
) -> None:
    with plain.client() as vol:
        assert vol.meta.measure_latency is False
        vol.stat(plain_folder)
        assert vol.meta.latency() == []
        vol.meta.measure_latency = True
        assert vol.meta.measure_latency is True
        vol.meta.latency()
        start = time.perf_counter()
        for number in range(3):
            vol.mkdir(f"{plain_folder}/{number}")
        took = time.perf_counter() - start
        found = {x.translator: x for x in vol.meta.latency() if x.operation == "MKDIR"}
        assert {latency.calls for latency in found.values()} == {3}
        for latency in found.values():
            assert 0 < latency.minimum <= latency.mean <= latency.maximum < latency.total < took
        assert found["gfapi"].total > found[f"{plain.name}-client-0"].total
        again = {x.translator for x in vol.meta.latency() if x.operation == "MKDIR"}
        assert again == set(), "it counts from the last look"
        vol.meta.measure_latency = False
        vol.meta.latency()
        vol.stat(plain_folder)
        assert vol.meta.latency() == []


# ---------------------------------------------------------------------------- small things


def test_what_else_meta_tells(plain: sandbox.SandboxVolume, plain_folder: str) -> None:
    with plain.client(log_level=6) as vol:
        about = vol.meta
        assert repr(about) == f"<gluster.gfapi.meta.Meta of volume {plain.name!r}>"
        assert about.version == version_of_glusterfs()
        assert len(about.process_uuid) == 36
        assert about.cmdline == ""
        assert about.log_file == "/dev/null"
        assert about.log_level == 6
        about.log_level = 4
        assert about.log_level == 4
        assert about.mallinfo()["uordblks"] != 0
        assert sum(about.allocations(f"{plain.name}-dht").values()) > 0
        (values,) = about.private(f"{plain.name}-md-cache").values()
        assert values["stat_hit_count"].isdigit()
        assert about.read("version").startswith("{")


@pytest.mark.parametrize("level", [-1, 10, "7", None])
def test_a_log_level_that_is_none_is_refused(plain_vol: gfapi.Volume, level: Any) -> None:
    before = plain_vol.meta.log_level
    with pytest.raises(gfapi.LibgfapiException, match="log_level is"):
        plain_vol.meta.log_level = level
    assert plain_vol.meta.log_level == before


@pytest.mark.parametrize("name", ["nowhere", "", ".", "..", "a/b", "../../root", "/"])
def test_a_translator_that_is_not_there_is_an_error(plain_vol: gfapi.Volume, name: str) -> None:
    for ask in (plain_vol.meta.private, plain_vol.meta.allocations):
        with pytest.raises(FileNotFoundError):
            ask(name)


def test_a_name_with_a_null_is_refused(plain_vol: gfapi.Volume) -> None:
    for ask in (plain_vol.meta.private, plain_vol.meta.allocations, plain_vol.meta.read):
        with pytest.raises(ValueError, match="null"):
            ask("a\0b")


def test_a_text_that_is_not_understood_names_its_file(
    plain_vol: gfapi.Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta.Meta, "read", lambda self, name: "nonsense")
    for ask in (plain_vol.meta.graph, plain_vol.meta.connections, plain_vol.meta.frames):
        with pytest.raises(OSError, match="not understood") as caught:
            ask()
        assert caught.value.errno == errno.EBADMSG
        assert str(caught.value.filename).startswith("/.meta/")


METHODS = ("frames", "connections", "latency", "graph", "volfile", "mallinfo")
PROPERTIES = (
    "version",
    "process_uuid",
    "cmdline",
    "log_level",
    "log_file",
    "measure_latency",
)


@pytest.mark.parametrize("ask", [*METHODS, *PROPERTIES])
def test_meta_of_a_volume_that_is_not_mounted_says_so(
    plain: sandbox.SandboxVolume, ask: str
) -> None:
    about = plain.client().meta
    with pytest.raises(gfapi.VolumeNotMounted):
        getattr(about, ask)() if ask in METHODS else getattr(about, ask)


def test_looking_inside_needs_no_rights(plain: sandbox.SandboxVolume, output_of: Any) -> None:
    if os.getuid():
        pytest.skip("needs root")
    program = f"""
        import gluster.gfapi.meta  # that user may not read where this Python is installed
        os.setgid({NOBODY})
        os.setuid({NOBODY})
        vol.mount()
        vol.meta.measure_latency = True
        print(vol.meta.connections()[0].connected, vol.meta.graph().type, len(vol.meta.frames()))
    """
    assert output_of(plain, "", program) == "True meta 0\n"


# ------------------------------------------------------------------------ dumps of the state


def test_a_state_dump_is_complete_and_nobody_elses_to_read(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, tmp_path: Path
) -> None:
    path = vol.statedump(tmp_path)
    assert os.listdir(tmp_path) == [os.path.basename(path)]
    assert os.path.dirname(path) == str(tmp_path)
    assert os.path.basename(path).startswith(f"glusterdump.{os.getpid()}.dump.")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    text = Path(path).read_text()
    assert text.startswith("DUMP-START-TIME")
    assert text.splitlines()[-1].startswith("DUMP-END-TIME")
    for number in range(len(sandbox_volume.bricks)):
        assert f"[xlator.protocol.client.{sandbox_volume.name}-client-{number}.priv]" in text


def test_dumps_of_the_same_second_do_not_replace_each_other(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, tmp_path: Path
) -> None:
    paths: list[str] = []

    def dump(vol: gfapi.Volume) -> None:
        paths.extend(vol.statedump(tmp_path) for _ in range(5))

    with plain.client() as other:
        volumes = (plain_vol, plain_vol, other)
        threads = [threading.Thread(target=dump, args=(vol,)) for vol in volumes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(map(os.path.basename, paths)) == sorted(os.listdir(tmp_path))
    assert len(set(paths)) == 15
    assert all("DUMP-END-TIME" in Path(path).read_text() for path in paths)


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_the_directory_of_a_dump_is_any_kind_of_path(
    plain_vol: gfapi.Volume, tmp_path: Path, kind: Callable[[str], Any]
) -> None:
    folder = tmp_path / "a b\udcff"
    os.mkdir(folder)
    assert os.path.exists(plain_vol.statedump(kind(str(folder))))


def test_a_relative_directory_is_one_of_this_process(
    plain_vol: gfapi.Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert plain_vol.statedump(".") == str(tmp_path / os.listdir(tmp_path)[0])


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ("/nowhere/at/all", FileNotFoundError),
        ("", FileNotFoundError),
        ("/etc/passwd", NotADirectoryError),
        ("/tmp\0", ValueError),
        (5, TypeError),
        (None, TypeError),
        ("/" + "x" * 300, OSError),
    ],
)
def test_a_directory_that_is_none_is_an_error(
    plain_vol: gfapi.Volume, directory: Any, expected: type[Exception]
) -> None:
    with pytest.raises(expected) as caught:
        plain_vol.statedump(directory)
    if isinstance(caught.value, OSError):
        assert caught.value.filename == directory


def test_a_dump_of_a_volume_that_is_not_mounted_leaves_nothing(
    plain: sandbox.SandboxVolume, tmp_path: Path
) -> None:
    with pytest.raises(gfapi.VolumeNotMounted):
        plain.client().statedump(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_dump_by_a_user_who_may_not_write_there_is_refused(
    plain: sandbox.SandboxVolume, output_of: Any, tmp_path: Path
) -> None:
    if os.getuid():
        pytest.skip("needs root")
    theirs = Path("/tmp") / f"gfapi-test-{os.getpid()}"
    theirs.mkdir()
    program = f"""
        os.setgid({NOBODY})
        os.setuid({NOBODY})
        vol.mount()
        for directory in arguments:
            try:
                print(os.path.getsize(vol.statedump(directory)) > 0)
            except PermissionError as error:
                print(error.filename == directory)
    """
    try:
        assert output_of(plain, "", program, "/root", str(theirs)) == "True\nTrue\n"
        assert os.listdir(theirs) == []
        os.chown(theirs, NOBODY, NOBODY)
        assert output_of(plain, "", program, str(theirs)) == "True\n"
        assert len(os.listdir(theirs)) == 1
    finally:
        shutil.rmtree(theirs)


def test_a_dump_while_a_brick_is_dead(
    own: Callable[..., sandbox.SandboxVolume], tmp_path: Path
) -> None:
    volume = own()
    with volume.client() as vol:
        volume.kill_brick(0)
        assert "DUMP-END-TIME" in Path(vol.statedump(tmp_path)).read_text()


@pytest.mark.parametrize("command", ["s", b"s", api.Sysrq.STATEDUMP])
def test_sysrq_dumps_where_the_last_dump_was(
    plain_vol: gfapi.Volume, tmp_path: Path, command: Any
) -> None:
    first = plain_vol.statedump(tmp_path)
    os.unlink(first)
    assert plain_vol.sysrq(command) is None
    (second,) = os.listdir(tmp_path)
    assert "DUMP-END-TIME" in (tmp_path / second).read_text()


@pytest.mark.parametrize("command", ["h", b"h", api.Sysrq.HELP])
def test_sysrq_helps(plain_vol: gfapi.Volume, command: Any) -> None:
    assert plain_vol.sysrq(command) is None


@pytest.mark.parametrize("command", ["", "x", "hs", b"\0", "\u20ac", "\udcff"])
def test_sysrq_refuses_what_libgfapi_does_not_know(plain_vol: gfapi.Volume, command: Any) -> None:
    with pytest.raises(ValueError, match="it may be 'h' or 's'"):
        plain_vol.sysrq(command)


@pytest.mark.parametrize("command", [None, 104, bytearray(b"h"), api.LockMode.ADVISORY])
def test_sysrq_refuses_other_types(plain_vol: gfapi.Volume, command: Any) -> None:
    with pytest.raises(TypeError, match="command must be"):
        plain_vol.sysrq(command)


def test_umount_and_dumps_from_other_threads_get_along(
    plain: sandbox.SandboxVolume, tmp_path: Path
) -> None:
    for _ in range(5):
        vol = plain.client()
        vol.mount()
        outcome: list[Any] = []

        def work(vol: gfapi.Volume = vol, outcome: list[Any] = outcome) -> None:
            try:
                while True:
                    vol.statedump(tmp_path)
                    vol.get_volfile()
                    vol.meta.connections()
            except BaseException as problem:
                outcome.append(type(problem))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.01)
        vol.umount()
        for thread in threads:
            thread.join()
        assert set(outcome) <= {gfapi.VolumeNotMounted, OSError}
    assert all(".dump." in name for name in os.listdir(tmp_path))
