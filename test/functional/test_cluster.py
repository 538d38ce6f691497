"""The sandbox, on real clusters."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from gluster.gfapi import sandbox
from gluster.gfapi.sandbox import host
from gluster.gfapi.sandbox.janitor import processes
from gluster.gfapi.sandbox.polling import wait_until

COMMAND = [sys.executable, "-m", "gluster.gfapi.sandbox"]


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[sandbox.Cluster]:
    with sandbox.Cluster(nodes=3) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def replica(three_nodes: sandbox.Cluster) -> sandbox.SandboxVolume:
    return three_nodes.create_volume("replica", replica=3)


def write(volume: sandbox.SandboxVolume, path: str, data: bytes) -> None:
    with volume.client() as vol, vol.fopen(path, "w") as file:
        file.write(data)


def on_brick(brick: sandbox.Brick, path: str) -> bytes:
    return Path(brick.path, path).read_bytes()


def listening(pids: set[int]) -> list[str]:
    """The addresses, as the kernel writes them, that processes take connections or datagrams on."""
    inodes = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                inodes.add(os.readlink(descriptor))
    addresses = []
    for table, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == state and f"socket:[{fields[9]}]" in inodes:
                addresses.append(fields[1].partition(":")[0])
    return addresses


def as_kernel_writes(address: str) -> str:
    return f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}"


def test_nothing_stands_in_the_way_of_a_sandbox_here() -> None:
    assert sandbox.why_not() is None


def test_each_kind_of_volume_has_its_bricks_and_takes_a_client_at_once(
    three_nodes: sandbox.Cluster,
) -> None:
    for name, kind, bricks, called in (
        ("plain", {}, 1, "Distribute"),
        ("distribute", {"distribute": 2}, 2, "Distribute"),
        ("arbiter", {"replica": 3, "arbiter": 1}, 3, "Replicate"),
        ("disperse", {"disperse": 3, "redundancy": 1}, 3, "Disperse"),
        ("mixed", {"replica": 2, "distribute": 2}, 4, "Distributed-Replicate"),
    ):
        volume = three_nodes.create_volume(name, **kind)
        write(volume, "file", b"data")
        assert len(volume.bricks) == bricks
        assert all(brick.alive for brick in volume.bricks)
        assert f"Type: {called}\n" in three_nodes.gluster("volume", "info", name)
        assert three_nodes.volumes[-1] is volume


def test_bricks_are_spread_over_the_nodes(replica: sandbox.SandboxVolume) -> None:
    assert [brick.host for brick in replica.bricks] == replica.hosts
    assert replica.hosts == replica.cluster.hosts


def test_volume_tells_how_to_use_it(replica: sandbox.SandboxVolume) -> None:
    code = f"{replica.usage}; print(vol.listdir('/')); vol.umount()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("["), done.stderr
    assert "'replica' (replica 3)" in repr(replica)


def test_all_processes_listen_on_the_loopback_addresses_of_their_cluster_only(
    three_nodes: sandbox.Cluster, replica: sandbox.SandboxVolume
) -> None:
    for node, brick in zip(three_nodes.nodes, replica.bricks):
        pids = set(processes(node.folder))
        assert {node.pid, brick.pid} < pids
        addresses = listening(pids)
        # At least its glusterd and the brick.
        assert len(addresses) >= 2
        assert set(addresses) == {as_kernel_writes(node.host)}


def test_files_are_for_root_alone(three_nodes: sandbox.Cluster) -> None:
    assert three_nodes.folder is not None
    assert stat.S_IMODE(os.stat(three_nodes.folder).st_mode) == 0o700


def test_brick_that_was_killed_lacks_what_was_written_until_it_is_healed(
    replica: sandbox.SandboxVolume,
) -> None:
    write(replica, "file", b"before")
    replica.kill_brick(1)
    assert [brick.alive for brick in replica.bricks] == [True, False, True]
    write(replica, "file", b"after!")
    assert replica.heal_pending() >= 1
    assert on_brick(replica.bricks[1], "file") == b"before"
    with pytest.raises(sandbox.SandboxError, match="not healed within 0 seconds"):
        replica.wait_healed(timeout=0)
    replica.start_brick(1)
    assert replica.bricks[1].alive
    replica.heal()
    replica.wait_healed()
    assert on_brick(replica.bricks[1], "file") == b"after!"


def test_only_the_brick_that_is_asked_for_starts_again(replica: sandbox.SandboxVolume) -> None:
    replica.kill_brick(0)
    replica.kill_brick(2)
    replica.start_brick(0)
    assert [brick.alive for brick in replica.bricks] == [True, True, False]
    replica.start_brick(2)


def test_node_that_was_killed_comes_back_with_its_bricks(
    three_nodes: sandbox.Cluster, replica: sandbox.SandboxVolume
) -> None:
    three_nodes.kill_node(0)
    assert [node.alive for node in three_nodes.nodes] == [False, True, True]
    assert not replica.bricks[0].alive
    with pytest.raises(sandbox.SandboxError, match="is dead"):
        replica.start_brick(0)
    # Also without the node that takes commands otherwise.
    assert "Number of Peers: 2" in three_nodes.gluster("peer", "status")
    write(replica, "while-away", b"data")
    three_nodes.start_node(0)
    assert replica.bricks[0].alive
    replica.wait_healed()
    assert on_brick(replica.bricks[0], "while-away") == b"data"


def test_disperse_volume_serves_without_one_brick_and_heals(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume("sandbox-disperse", disperse=3, redundancy=1)
    volume.kill_brick(0)
    write(volume, "file", b"x" * 5000)
    with volume.client() as vol, vol.fopen("file", "r") as file:
        assert file.read() == b"x" * 5000
    assert volume.heal_pending() >= 1
    volume.start_brick(0)
    volume.wait_healed()
    assert Path(volume.bricks[0].path, "file").exists()
    volume.delete()


def test_new_brick_gets_its_share_of_the_files_by_a_rebalance(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume("sandbox-distribute", distribute=2)
    with volume.client() as vol:
        for number in range(40):
            vol.fopen(f"file{number}", "w").close()
    volume.add_bricks()
    assert len(volume.bricks) == 3
    assert not list(Path(volume.bricks[2].path).glob("file*"))
    volume.rebalance()
    assert list(Path(volume.bricks[2].path).glob("file*"))
    volume.delete()


def test_new_brick_in_the_place_of_another_is_healed(cluster: sandbox.Cluster) -> None:
    if not os.path.exists("/dev/fuse"):
        pytest.skip("GlusterFS replaces a brick by way of a FUSE mount")
    volume = cluster.create_volume("sandbox-replaced", replica=3)
    write(volume, "file", b"x" * 5000)
    old = volume.bricks[1]
    volume.replace_brick(1)
    assert volume.bricks[1].path != old.path
    assert not Path(old.path).exists()
    volume.heal()
    volume.wait_healed()
    assert Path(volume.bricks[1].path, "file").read_bytes() == b"x" * 5000
    volume.delete()


def test_options_are_set_at_creation_and_later(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume(
        "sandbox-options", options={"performance.quick-read": False}, start=False
    )
    volume.set_option("performance.io-cache", "on")
    options = volume.options()
    assert options["performance.quick-read"] == "off"
    assert options["performance.io-cache"] == "on"
    with pytest.raises(sandbox.SandboxError, match=r"volume set .*no\.such\.option"):
        volume.set_option("no.such.option", 1)
    volume.delete()


def test_refused_option_at_creation_leaves_no_volume(cluster: sandbox.Cluster) -> None:
    with pytest.raises(sandbox.SandboxError, match=r"no\.such\.option"):
        cluster.create_volume("sandbox-refused", options={"no.such.option": 1})
    cluster.create_volume("sandbox-refused", start=False).delete()


def test_volume_stops_starts_and_is_deleted_with_its_files(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume("sandbox-stop")
    write(volume, "file", b"data")
    volume.stop()
    assert not volume.bricks[0].alive
    with pytest.raises(sandbox.SandboxError, match="is stopped"):
        volume.start_brick(0)
    volume.start()
    with volume.client() as vol:
        assert vol.listdir("/") == ["file"]
    volume.delete()
    assert not os.path.exists(volume.bricks[0].path)


def test_refused_command_says_so_in_glusters_own_words(cluster: sandbox.Cluster) -> None:
    with pytest.raises(sandbox.SandboxError) as caught:
        cluster.gluster("volume", "start", "nonesuch")
    assert str(caught.value) == (
        "gluster volume start nonesuch failed: Volume nonesuch does not exist."
    )


def test_two_clusters_run_side_by_side_and_end_without_each_other(
    cluster: sandbox.Cluster,
) -> None:
    with sandbox.Cluster() as other:
        assert not set(other.hosts) & set(cluster.hosts)
        other.create_volume("same", replica=3)
        mine = cluster.create_volume("same")
        folder = str(other.folder)
        commands = processes(folder).values()
        sockets = [words[words.index("-S") + 1] for words in commands if "-S" in words]
        assert all(map(os.path.exists, sockets))
        # One that was killed leaves its socket behind.
        os.kill(other.volumes[0].bricks[0].pid or 0, signal.SIGKILL)
    assert len(sockets) == 4
    assert not any(map(os.path.exists, sockets))
    assert not processes(folder)
    assert not os.path.exists(folder)
    write(mine, "file", b"data")
    mine.delete()
    assert mine not in cluster.volumes


def test_cluster_ends_with_an_exception_and_can_be_started_again() -> None:
    cluster = sandbox.Cluster()
    for _ in range(2):
        folder = ""
        with contextlib.suppress(ZeroDivisionError), cluster:
            folder = str(cluster.folder)
            with pytest.raises(sandbox.SandboxError, match="started already"):
                cluster.start()
            raise ZeroDivisionError
        assert not processes(folder)
        assert not os.path.exists(folder)


def test_forked_child_does_not_end_the_cluster() -> None:
    with sandbox.Cluster() as cluster:
        child = os.fork()
        if child == 0:
            cluster.stop()
            os._exit(0)
        os.waitpid(child, 0)
        assert cluster.nodes[0].alive


def test_bricks_live_below_the_storage_folder(tmp_path: Path) -> None:
    with sandbox.Cluster(storage=str(tmp_path)) as cluster:
        volume = cluster.create_volume("demo")
        assert tmp_path in Path(volume.bricks[0].path).parents
        assert os.path.isdir(volume.bricks[0].path)
    assert os.listdir(tmp_path) == []


def test_too_long_base_folder_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    base = tmp_path / ("b" * 100)
    base.mkdir()
    with pytest.raises(sandbox.SandboxError, match="too long"):
        sandbox.Cluster(base=str(base)).start()
    assert os.listdir(base) == []


def test_storage_without_trusted_xattrs_is_refused_and_left_empty(tmp_path: Path) -> None:
    # ramfs has no extended attributes at all.
    if subprocess.run(["mount", "-t", "ramfs", "ramfs", tmp_path], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        with pytest.raises(sandbox.SandboxError, match="no trusted extended attributes"):
            sandbox.Cluster(storage=str(tmp_path)).start()
        assert os.listdir(tmp_path) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def run_python(code: str, *prefix: str) -> str:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_root_it_says_that_root_is_needed() -> None:
    reason = run_python(
        """
        import os
        from gluster.gfapi import sandbox
        os.setuid(65534)
        print(sandbox.why_not())
        """
    )
    assert reason.startswith("A sandbox has to be started by root")


def test_server_on_all_addresses_is_given_as_the_reason() -> None:
    alone = ["unshare", "--net"]
    bring_up = """
import fcntl, socket, struct
control = socket.socket()
up = 1
fcntl.ioctl(control, 0x8914, struct.pack("16sh", b"lo", up).ljust(40, b"\\0"))
"""
    if subprocess.run([*alone, sys.executable, "-c", bring_up], capture_output=True).returncode:
        pytest.skip("a network of one's own is not permitted here")
    reason = run_python(
        bring_up
        + """
from gluster.gfapi import sandbox
server = socket.create_server(("0.0.0.0", 24007))
print(sandbox.why_not())
""",
        *alone,
    )
    assert reason.startswith("Port 24007 is taken on every loopback address")
    assert reason.count("\n") == 1


def test_command_runs_another_one_with_the_volume_in_its_environment() -> None:
    script = "echo $GFAPI_HOST $GFAPI_HOSTS $GFAPI_VOLUME; exit 7"
    done = subprocess.run(
        [*COMMAND, "--nodes", "2", "--name", "mine", "--run", script],
        capture_output=True,
        text=True,
    )
    first, hosts, name = done.stdout.split()
    assert done.returncode == 7
    assert hosts.split(",")[0] == first
    assert len(hosts.split(",")) == 2
    assert name == "mine"


def test_command_that_cannot_be_run_is_named_in_one_line() -> None:
    done = subprocess.run(
        [*COMMAND, "--run", "/no/such/command", "x"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "Cannot run /no/such/command: No such file or directory.\n"


def folder_named_in(output: str) -> str:
    match = re.search(r"glusterd-sock=(\S+)/1/gd\.sock", output)
    assert match, output
    return match.group(1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_command_prints_a_line_that_works_and_ends_by_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = ""
        while "Ctrl-C" not in output:
            output += process.stdout.readline()
        line = next(line for line in output.splitlines() if "import gfapi" in line)
        assert run_python(f"{line.strip()}; print(vol.listdir('/')); vol.umount()") == "[]\n"
        process.send_signal(number)
        # A second one must not cut the clean-up short.
        process.send_signal(number)
    assert process.returncode == 0
    assert not processes(folder_named_in(output))
    assert not os.path.exists(folder_named_in(output))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_program_killed_while_its_cluster_starts_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    code = f"""
    import signal
    from gluster.gfapi import sandbox
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sandbox.Cluster(3, storage={str(tmp_path)!r}).start()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.DEVNULL
    ) as process:
        # A node's folder is there before the first glusterd runs, and after what cleans up.
        wait_until(lambda: any(tmp_path.glob("*/1")), 60, "The cluster did not start")
        process.send_signal(number)
    assert process.returncode != 0
    wait_until(lambda: not any(tmp_path.iterdir()), 60, "The storage folder was not removed")
    # The last one to go is the one that cleaned up.
    wait_until(lambda: not mentioned(str(tmp_path)), 60, "A process was left")


@pytest.fixture
def base() -> Iterator[Path]:
    """An empty folder with a short path, for clusters."""
    with tempfile.TemporaryDirectory(prefix="gf", dir=host.default_folder()) as folder:
        yield Path(folder)


def test_program_killed_before_anything_runs_that_cleans_up_leaves_nothing(base: Path) -> None:
    code = f"""
    import os, signal
    from gluster.gfapi import sandbox
    from gluster.gfapi.sandbox import cluster
    cluster.Janitor = lambda *arguments, **options: os.kill(os.getpid(), signal.SIGKILL)
    sandbox.Cluster(base={str(base)!r}).start()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)])
    assert done.returncode == -signal.SIGKILL
    assert list(base.iterdir()) == []


def test_server_that_comes_up_after_the_program_was_killed_is_ended_too(
    base: Path, tmp_path: Path
) -> None:
    late = tmp_path / "glusterd"
    gone = f"while ls {base}/* >/dev/null 2>&1; do sleep 0.01; done"
    late.write_text(f'#!/bin/sh\n{gone}\nexec {host.program("glusterd")} "$@"\n')
    late.chmod(0o700)
    code = f"from gluster.gfapi import sandbox; sandbox.Cluster(base={str(base)!r}).start()"
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PATH": path}
    ) as process:
        wait_until(lambda: bool(mentioned(f"{late}")), 60, "Nothing started")
        process.kill()
    wait_until(lambda: not mentioned(str(base)), 60, "A process was left")
    assert list(base.iterdir()) == []


def mentioned(word: str) -> list[Path]:
    """The command lines of all processes that contain a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if word.encode() in path.read_bytes():
                found.append(path)
    return found
