"""Where a volume's description comes from: servers, volume files, URLs, options of translators."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gluster import gfapi
from gluster.gfapi import api, sandbox

NOWHERE = "127.0.0.99"  # nothing listens there
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def works(vol: gfapi.Volume) -> bool:
    with vol:
        return vol.isdir("/")


def volfile_of(volume: sandbox.SandboxVolume) -> str:
    """The volume file that glusterd gives to clients."""
    folder = volume.cluster.nodes[0].folder
    path = Path(folder, "glusterd", "vols", volume.name, f"trusted-{volume.name}.tcp-fuse.vol")
    return path.read_text()


# --------------------------------------------------------------------------------------- servers


def test_a_dead_first_server_is_passed_over(plain: sandbox.SandboxVolume) -> None:
    assert works(gfapi.Volume([NOWHERE, *plain.hosts], plain.name))


def test_a_server_that_was_added_is_asked(plain: sandbox.SandboxVolume) -> None:
    vol = gfapi.Volume(NOWHERE, plain.name)
    vol.add_server(plain.hosts[0])
    vol.add_server(plain.hosts[0])
    assert vol.hosts == [NOWHERE, plain.hosts[0]]
    assert works(vol)


def test_a_server_that_was_removed_is_not_asked(plain: sandbox.SandboxVolume) -> None:
    vol = gfapi.Volume([*plain.hosts, NOWHERE], plain.name)
    vol.remove_server(plain.hosts[0])
    assert vol.hosts == [NOWHERE]
    with pytest.raises(gfapi.LibgfapiException, match=f"nothing answers on {NOWHERE}:24007"):
        vol.mount()


def test_each_server_has_its_own_port_and_protocol(plain: sandbox.SandboxVolume) -> None:
    gd = plain.cluster.nodes[0].socket
    vol = gfapi.Volume(plain.hosts, plain.name, port=1)
    vol.add_server("/nonexistent/socket", "unix")
    vol.add_server(NOWHERE, port=2)
    vol.add_server(gd)
    assert works(vol)
    vol.remove_server(gd)
    vol.add_server(plain.hosts[0])
    assert works(vol)


def test_servers_come_and_go_while_it_is_mounted(plain: sandbox.SandboxVolume) -> None:
    host, gd = plain.hosts[0], plain.cluster.nodes[0].socket
    with plain.client() as vol:
        vol.add_server(gd)
        vol.add_server(NOWHERE)
        vol.add_server(NOWHERE, "rdma")
        vol.remove_server(host)  # the one that it was mounted from
        vol.remove_server(NOWHERE, "rdma")
        vol.remove_server(NOWHERE)
        assert vol.hosts == [gd]
        assert vol.isdir("/")
    assert works(vol)


def test_the_last_server_stays(plain: sandbox.SandboxVolume) -> None:
    vol = plain.client()
    for _ in range(2):
        with pytest.raises(gfapi.LibgfapiException, match="is the last server"):
            vol.remove_server(plain.hosts[0])
        vol.mount()
    vol.umount()


def test_threads_add_and_remove_servers_of_a_mounted_volume(plain: sandbox.SandboxVolume) -> None:
    with plain.client() as vol:

        def work(number: int) -> None:
            for _ in range(50):
                vol.add_server(f"127.0.1.{number}")
                vol.remove_server(f"127.0.1.{number}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert vol.hosts == plain.hosts
        assert vol.isdir("/")


def test_a_volume_outlives_the_server_that_it_was_mounted_from(
    wait_until: Callable[..., None],
) -> None:
    with sandbox.Cluster(nodes=2) as cluster:
        first, second = cluster.nodes
        volume = cluster.create_volume("v", replica=2)
        vol = gfapi.Volume(first.host, "v")
        with vol:
            vol.fopen("/before", "w").close()
            vol.add_server(second.host)
            first.kill()
            wait_until(lambda: vol.exists("/before"))
            with pytest.raises(OSError, match="not connected"):
                vol.get_volume_id()
        vol.remove_server(first.host)
        with vol:
            assert vol.exists("/before")
        assert volume.name == vol.volname


# ------------------------------------------------------------------------------------------ IPv6


@contextmanager
def ipv6_gate(host: str) -> Iterator[int]:
    """A port of ``::1`` that leads to a host's glusterd."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:

        def serve() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                server = socket.create_connection((host, 24007))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

        def pump(source: socket.socket, target: socket.socket) -> None:
            with source, target:
                try:
                    while data := source.recv(1 << 16):
                        target.sendall(data)
                except OSError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_an_ipv6_address_is_a_host_with_brackets_and_without(plain: sandbox.SandboxVolume) -> None:
    if api.available("glfs_openat"):
        pytest.skip("with GlusterFS 11, bricks at IPv4 addresses are not found then")
    try:
        with ipv6_gate(plain.hosts[0]) as port:
            for host in ("::1", "[::1]", ["127.0.0.99", "::1"]):
                assert works(gfapi.Volume(host, plain.name, port=port))
            assert works(gfapi.Volume.from_url(f"gluster://[::1]:{port}/{plain.name}"))
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            pytest.skip("this machine has no IPv6")
        raise


# ------------------------------------------------------------------------------------------ URLs


def test_a_url_mounts_by_tcp_and_by_socket(plain: sandbox.SandboxVolume) -> None:
    host, gd = plain.hosts[0], plain.cluster.nodes[0].socket
    for url in (
        f"gluster://{host}/{plain.name}",
        f"gluster+tcp://{host}:24007/{plain.name}/",
        f"gluster+unix:///{plain.name}?socket={gd}",
    ):
        assert works(gfapi.Volume.from_url(url))


def test_a_url_chooses_the_log(plain: sandbox.SandboxVolume, tmp_path: Path) -> None:
    url = f"gluster://{plain.hosts[0]}/{plain.name}?logfile={tmp_path}/log&debug=8"
    assert works(gfapi.Volume.from_url(url))
    assert " D [" in (tmp_path / "log").read_text()


# ---------------------------------------------------------------------------------- volume files


def test_a_volume_is_mounted_from_a_volume_file(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str, tmp_path: Path
) -> None:
    path = tmp_path / "vol"
    path.write_text(volfile_of(sandbox_volume))
    with gfapi.Volume(None, "any-name", volfile=path) as local:
        with local.fopen(f"{folder}/f", "w") as f:
            f.write(b"from the file")
        with pytest.raises(OSError, match="not connected"):
            local.get_volume_id()
        assert str(path) in repr(local)
    with vol.fopen(f"{folder}/f") as f:
        assert f.read() == b"from the file"


def test_no_glusterd_is_asked_for_it(tmp_path: Path) -> None:
    if not shutil.which("ss"):
        pytest.skip("ss, which tells the ports of a brick, is not installed")
    with sandbox.Cluster(nodes=1) as cluster:
        volume = cluster.create_volume("v")
        port = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        assert volume.bricks[0].pid
        mine = [line for line in port.splitlines() if f"pid={volume.bricks[0].pid}," in line]
        number = mine[0].split()[3].rpartition(":")[2]
        text = volfile_of(volume).replace(
            "option remote-host", f"option remote-port {number}\n    option remote-host"
        )
        path = tmp_path / "vol"
        path.write_text(text)
        os.kill(cluster.nodes[0].pid or 0, 9)
        assert works(gfapi.Volume(None, "v", volfile=str(path)))


def test_a_child_of_a_fork_mounts_from_the_file_too(
    plain: sandbox.SandboxVolume, tmp_path: Path, output_of: Callable[..., str]
) -> None:
    (tmp_path / "vol").write_text(volfile_of(plain))
    program = """
    os.chdir(arguments[0])
    vol = gfapi.Volume(None, volname, volfile="vol", xlator_options={"*-md-cache.cache-size": 7})
    os.chdir("/")
    vol.mount()
    pid = os.fork()
    with vol.fopen(f"/.meta/graphs/active/{volname}-md-cache/options/cache-size") as f:
        print(f.read().decode().strip(), flush=True)
    if not pid:
        vol.umount()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert output_of(plain, "", program, str(tmp_path)).split() == ["7", "7", "0"]


NOISE = bytes(range(256)) * 10
CLIENT = "volume c\n type protocol/client\n option remote-host x\nend-volume\n"
ON_IT = b"volume a\n type %s\n subvolumes c\nend-volume\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "No such file", id="none"),
        pytest.param(b"", "empty", id="empty"),
        (b"# nothing", "empty"),
        pytest.param(NOISE, "not text", id="noise"),
        pytest.param(NOISE[1:96], "a volume is expected in line 1", id="characters"),
        (b"volume a", "empty or cut off"),
        (b"hello world", "a volume is expected in line 1"),
        (b"volume `touch /tmp/x`\n", "a command in backticks"),
        (b"volume a\n type storage/posix\n option directory /\nend-volume", "has no place there"),
        (b"volume a\n type debug/io-stats\n option x y\nend-volume", "has no place there"),
        (b"volume a\n type mgmt/glusterd\n option x y\nend-volume", "has no place there"),
        (CLIENT.encode() + ON_IT % b"features/changelog", "has no place there"),
        (CLIENT.encode() + ON_IT % b"features/index", "has no place there"),
        (CLIENT.encode() + ON_IT % b"../../../../../../tmp/code", "is no type of a translator"),
        (CLIENT.encode() + ON_IT % b"debug//tmp/code", "is no type of a translator"),
        (CLIENT.encode() * 2, "a new volume is expected in line 5"),
        (CLIENT.encode() + CLIENT.replace("c\n", "d\n", 1).encode(), "the one on top"),
        (b"volume a\n type t/t\n subvolumes b\nend-volume", "'b' of 'a' is not above it"),
        (b"volume a\n type protocol/client\nend-volume", "has nothing in it"),
        (b"volume a\n option x y\n type t/t\nend-volume", "not expected in line 2"),
        (b"volume a\n type protocol/client\n option x\nend-volume", "1 words after it in line 3"),
        (b'volume a\n type "t\n', "line 2 is not in the form"),
        (b"volume a\n type t\\t\n", "line 2 is not in the form"),
    ],
)
def test_a_file_that_is_no_volume_file_is_refused_in_words(
    tmp_path: Path, content: Any, reason: str
) -> None:
    path = tmp_path / "vol"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(gfapi.LibgfapiException, match=f"volume file .*/vol: .*({reason})"):
        gfapi.Volume(None, "v", volfile=path).mount()


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(1 << 40)
    for name, reason in (("", "no regular file"), ("pipe", "no regular"), ("huge", "far too big")):
        with pytest.raises(gfapi.LibgfapiException, match=reason):
            gfapi.Volume(None, "v", volfile=tmp_path / name).mount()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("performance/quick-read", "performance/quick-red", "type that is not installed"),
        ("option remote-subvolume ", "option remote-subvolume /not", "none of the bricks"),
        ("option remote-host 127", "option remote-port 1\n option remote-host 127", "none of the"),
        ("/md-cache\n", "/md-cache\n option md-cache-timeout x\n", "Invalid argument|refuses"),
        ("subvolumes replica-client-0 ", "subvolumes ", "does not fit it"),
        ("option transport-type tcp", "option transport-type abc", "does not fit it"),
        ("option lock-migration", "option decommissioned-bricks x\n option x", "does not fit it"),
        ("option transport.address-family inet", "option transport.address-family x", "get ready"),
    ],
)
def test_a_volume_file_that_misleads_ends_in_words_and_not_in_a_crash(
    cluster: sandbox.Cluster,
    sandbox_volume: sandbox.SandboxVolume,
    tmp_path: Path,
    run_python: Run,
    old: str,
    new: str,
    reason: str,
) -> None:
    text = volfile_of(sandbox_volume)
    if old not in text:
        pytest.skip("this kind has nothing of the sort")
    (tmp_path / "vol").write_text(text.replace(old, new))
    program = """
    import gluster.gfapi.attempt
    gluster.gfapi.attempt.INIT_TIMEOUT = 3.0
    try:
        gfapi.Volume(None, "v", volfile=arguments[0]).mount()
    except gfapi.LibgfapiException as error:
        print(error)
    """
    done = run_python(sandbox_volume, "", program, f"{tmp_path}/vol")
    assert (done.returncode, done.stderr) == (0, "")
    assert any(word in done.stdout for word in reason.split("|")), done.stdout


# -------------------------------------------------------------------------- translators' options


def option(vol: gfapi.Volume, xlator: str, key: str) -> bytes:
    with vol.fopen(f"/.meta/graphs/active/{xlator}/options/{key}") as f:
        return f.read().strip()


def test_options_of_translators_take_effect(plain: sandbox.SandboxVolume) -> None:
    options = {
        "*-md-cache.cache-size": "64MB",
        "plain-write-behind.flush-behind": False,
        "plain-client-?.ping-timeout": 17,
    }
    with plain.client(xlator_options=options) as vol:
        assert option(vol, "plain-md-cache", "cache-size") == b"64MB"
        assert option(vol, "plain-write-behind", "flush-behind") == b"off"
        assert option(vol, "plain-client-0", "ping-timeout") == b"17"
        assert vol.xlator_options == options


def test_they_hold_when_the_volume_is_changed(
    cluster: sandbox.Cluster, wait_until: Callable[..., None]
) -> None:
    volume = cluster.create_volume("changing")
    try:
        with volume.client(xlator_options={"*-md-cache.cache-size": "64MB"}) as vol:
            volume.set_option("performance.io-cache", "on")
            wait_until(lambda: vol.exists("/.meta/graphs/active/changing-io-cache"))
            assert option(vol, "changing-md-cache", "cache-size") == b"64MB"
    finally:
        volume.delete()


def test_a_translator_that_there_is_not_is_named(plain: sandbox.SandboxVolume) -> None:
    vol = plain.client(xlator_options={"*-md-cash.cache-size": 1})
    with pytest.raises(
        gfapi.LibgfapiException, match=r"\*-md-cash.cache-size, and .*; it has .*, plain-md-cache,"
    ) as caught:
        vol.mount()
    assert caught.value.errno == errno.EINVAL
    assert not vol.mounted


def test_a_value_that_is_refused_is_named(plain: sandbox.SandboxVolume) -> None:
    vol = plain.client(xlator_options={"*-write-behind.cache-size": "much"})
    with pytest.raises(gfapi.LibgfapiException, match=r"write-behind\.cache-size=much"):
        vol.mount()


# ----------------------------------------------------------------------------------- no way in


def test_a_client_that_the_bricks_refuse_is_told_so_instead_of_waiting_for_ever(
    cluster: sandbox.Cluster, run_python: Run
) -> None:
    volume = cluster.create_volume("closed", options={"auth.reject": "*"})
    program = """
    import gluster.gfapi.attempt
    gluster.gfapi.attempt.INIT_TIMEOUT = 2.0
    try:
        vol.mount()
    except gfapi.LibgfapiException as error:
        print(vol.mounted, error.errno, error)
    """
    try:
        done = run_python(volume, "", program)
    finally:
        volume.delete()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"False {errno.ETIMEDOUT} cannot mount")
    assert "auth.reject" in done.stdout


def test_bricks_that_allow_nothing_insecure_take_only_roots_clients_that_are_told_so(
    cluster: sandbox.Cluster, run_python: Run
) -> None:
    volume = cluster.create_volume("secure", options={"server.allow-insecure": "off"})
    program = """
    import gluster.gfapi.attempt
    gluster.gfapi.attempt.INIT_TIMEOUT = 2.0
    user, *options = arguments
    os.setuid(int(user))
    vol = gfapi.Volume(vol.hosts, volname, xlator_options=dict.fromkeys(options, "off"))
    try:
        with vol:
            print("mounted", vol.listdir("/"))
    except gfapi.LibgfapiException as error:
        print("server.allow-insecure" in str(error))
    """
    option = "*-client-*.client-bind-insecure"
    try:
        said = [
            run_python(volume, "", program, *arguments).stdout
            for arguments in (("0", option), ("0",), ("65534", option), ("65534",))
        ]
    finally:
        volume.delete()
    assert said == ["mounted []\n", "True\n", "True\n", "True\n"]


def test_an_interrupt_ends_a_mount_that_does_not_get_ready(
    cluster: sandbox.Cluster, run_python: Run
) -> None:
    volume = cluster.create_volume("closed", options={"auth.reject": "*"})
    program = """
    import signal
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        vol.mount()
    except KeyboardInterrupt:
        print("interrupted")
    """
    try:
        done = run_python(volume, "", program)
    finally:
        volume.delete()
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


# -------------------------------------------------------------------------- what failures leave


def test_a_mount_that_fails_leaves_nothing_whatever_it_fails_at(
    cluster: sandbox.Cluster, plain: sandbox.SandboxVolume, tmp_path: Path, run_python: Run
) -> None:
    """One that libgfapi gives up at once, one that never gets ready, one that is interrupted."""
    option = "/md-cache\n option md-cache-timeout "
    (tmp_path / "vol").write_text(volfile_of(plain).replace("/md-cache\n", f"{option}x\n"))
    closed = cluster.create_volume("closed", options={"auth.reject": "*"})
    program = """
    import operator, signal
    import gluster.gfapi.attempt
    gluster.gfapi.attempt.INIT_TIMEOUT = 1.0

    def use():
        return [len(os.listdir(f"/proc/self/{kind}")) for kind in ("task", "fd")]

    def fail(bad, *errors):
        try:
            bad.mount()
        except errors:
            return
        raise AssertionError(bad)

    # What libgfapi keeps for the life of the process is less than what a mount has.
    most = [count + 3 for count in use()]
    refused = gfapi.Volume(hosts, arguments[1])
    for _ in range(3):
        fail(gfapi.Volume(None, "v", volfile=arguments[0]), gfapi.LibgfapiException)
        fail(gfapi.Volume(hosts, volname, log_file="/proc/no/log"), gfapi.LibgfapiException)
    fail(refused, gfapi.LibgfapiException)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    fail(refused, KeyboardInterrupt)
    deadline = time.monotonic() + 50
    while any(map(operator.gt, use(), most)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(operator.gt, use(), most)), (use(), most)
    """
    try:
        done = run_python(plain, "", program, f"{tmp_path}/vol", closed.name)
    finally:
        closed.delete()
    assert (done.returncode, done.stderr) == (0, "")


def test_a_volume_file_with_an_unknown_translator_does_no_harm_to_later_mounts(
    plain: sandbox.SandboxVolume, tmp_path: Path, run_python: Run
) -> None:
    old, new = "performance/write-behind", "performance/write-behint"
    (tmp_path / "vol").write_text(volfile_of(plain).replace(old, new))
    program = """
    try:
        gfapi.Volume(None, "v", volfile=arguments[0]).mount()
    except gfapi.LibgfapiException as error:
        print(error.errno, error)
    with vol:
        vol.stat("/")
    """
    done = run_python(plain, "", program, f"{tmp_path}/vol")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{errno.ENOENT} cannot mount from the volume file {tmp_path}")
    assert "is of type performance/write-behint" in done.stdout
