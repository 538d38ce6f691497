"""The sandbox, as far as it needs no GlusterFS."""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from gluster.gfapi import sandbox
from gluster.gfapi.sandbox import command, console, host, janitor
from gluster.gfapi.sandbox.layout import Layout
from gluster.gfapi.sandbox.node import owner
from gluster.gfapi.sandbox.polling import wait_until

Impostor = Callable[..., "subprocess.Popen[bytes]"]


@pytest.mark.parametrize(
    ("kind", "bricks", "words"),
    [
        ({}, 1, ""),
        ({"distribute": 4}, 4, ""),
        ({"replica": 3}, 3, "replica 3"),
        ({"replica": 2, "distribute": 2}, 4, "replica 2"),
        ({"replica": 3, "arbiter": 1}, 3, "replica 3 arbiter 1"),
        ({"disperse": 3}, 3, "disperse 3"),
        ({"disperse": 6, "redundancy": 2, "distribute": 2}, 12, "disperse 6 redundancy 2"),
    ],
)
def test_layout_counts_bricks_and_knows_the_words_for_gluster(
    kind: dict[str, int], bricks: int, words: str
) -> None:
    layout = Layout(**kind)
    assert layout.bricks == bricks
    assert " ".join(layout.arguments()) == words


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ({"distribute": 0}, "distribute must be 1 or more"),
        ({"replica": 1}, "replica must be 2 or more"),
        ({"replica": -2}, "replica must be 2 or more"),
        ({"replica": 2, "disperse": 3}, "either replicated or dispersed"),
        ({"arbiter": 1}, "an arbiter needs replica 3"),
        ({"replica": 2, "arbiter": 1}, "an arbiter needs replica 3"),
        ({"replica": 3, "arbiter": 2}, "arbiter must be 0 or 1"),
        ({"redundancy": 1}, "redundancy needs disperse"),
        ({"disperse": 2}, "disperse must be 3 or more"),
        ({"disperse": 4, "redundancy": 2}, "less than half of disperse"),
        ({"disperse": 4, "redundancy": -1}, "redundancy must be 1 or more"),
    ],
)
def test_impossible_layout_is_refused_with_its_reason(kind: dict[str, int], reason: str) -> None:
    with pytest.raises(sandbox.SandboxError, match=reason) as caught:
        Layout(**kind)
    assert_is_one_sentence(str(caught.value))


def test_volume_that_is_made_of_nonsense_says_so() -> None:
    cluster = sandbox.Cluster(1)
    nonsense: Any = 5
    with pytest.raises(TypeError, match=r"made by Cluster\.create_volume"):
        sandbox.SandboxVolume(nonsense, "demo", Layout())
    volume = sandbox.SandboxVolume(cluster, "demo", Layout())
    for call in (volume.set_options, lambda options: volume.create("tcp", options)):
        with pytest.raises(TypeError, match="options must be a mapping, not 'int'"):
            call(nonsense)
    for count in (None, 0, 1 << 64):
        with pytest.raises(sandbox.SandboxError, match=r"no number of bricks|room for \d+ bricks"):
            volume.add_bricks(count)  # type: ignore[arg-type]


@pytest.mark.parametrize("nodes", [0, -1, 100])
def test_impossible_number_of_nodes_is_refused(nodes: int) -> None:
    with pytest.raises(sandbox.SandboxError, match="1 to 99 nodes"):
        sandbox.Cluster(nodes)


def test_cluster_that_is_not_started_has_nothing_and_stops_quietly() -> None:
    cluster = sandbox.Cluster(3)
    cluster.stop()
    assert (cluster.hosts, cluster.nodes, cluster.volumes) == ([], [], [])
    assert repr(cluster) == "<Cluster not started>"
    with pytest.raises(sandbox.SandboxError, match="not started"):
        cluster.create_volume("demo")


def test_claimed_addresses_are_loopback_ones_of_one_network() -> None:
    claim, addresses = host.claim_addresses(3)
    with claim:
        assert len(set(addresses)) == 3
        assert all(ipaddress.ip_address(address).is_loopback for address in addresses)
        assert len({address.rpartition(".")[0] for address in addresses}) == 1


def test_claim_excludes_a_second_one_until_it_is_closed() -> None:
    claim, addresses = host.claim_addresses(1)
    network = addresses[0].rpartition(".")[0]
    with claim:
        assert host._claim(network, addresses) is None
    again = host._claim(network, addresses)
    assert again is not None
    again.close()


def test_network_where_a_server_listens_is_not_claimed() -> None:
    claim, addresses = host.claim_addresses(2)
    claim.close()
    with socket.socket() as server:
        server.bind((addresses[1], host.PORT))
        server.listen()
        assert host._claim(addresses[0].rpartition(".")[0], addresses) is None


def test_fresh_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = host.fresh_path(str(tmp_path))
    host.make_folder(folder)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert host.fresh_path(str(tmp_path)) != folder


def test_fresh_folder_has_no_symbolic_link_in_its_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert Path(host.fresh_path(str(tmp_path / "link"))).parent == tmp_path / "real"


@pytest.mark.parametrize(
    ("name", "reason"), [("with space", "characters"), ("missing", "No such file")]
)
def test_unusable_folder_gives_one_sentence(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "with space").mkdir()
    with pytest.raises(sandbox.SandboxError, match=reason) as caught:
        host.make_folder(host.fresh_path(str(tmp_path / name)))
    assert_is_one_sentence(str(caught.value))


def test_base_folder_too_long_for_unix_sockets_says_by_how_much() -> None:
    room = 107 - len("/gf-01234567/99/gd.sock")
    host.check_length("/" + "b" * (room - 1))
    with pytest.raises(sandbox.SandboxError, match="shorter by 3 characters") as caught:
        host.check_length("/" + "b" * (room + 2))
    assert_is_one_sentence(str(caught.value))


def test_missing_storage_folder_gives_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(sandbox.SandboxError, match="No such file") as caught:
        host.check_storage(str(tmp_path / "missing"))
    assert_is_one_sentence(str(caught.value))


def test_missing_program_names_the_packages() -> None:
    with pytest.raises(sandbox.SandboxError, match="no-such-glusterd") as caught:
        host.program("no-such-glusterd")
    assert_is_one_sentence(str(caught.value))
    assert "glusterfs-server" in str(caught.value)


def test_waiting_ends_as_soon_as_the_condition_holds() -> None:
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), 60, "It did not happen")
    assert next(answers, None) is None


def test_waiting_in_vain_says_what_for() -> None:
    with pytest.raises(sandbox.SandboxError, match=r"^It did not happen within 0 seconds\.$"):
        wait_until(lambda: False, 0, "It did not happen")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "volume create: demo: failed: Volume demo already exists\n",
            "Volume demo already exists.",
        ),
        (
            "<cliOutput><opRet>-1</opRet>\n<opErrstr>Volume demo does not exist</opErrstr>",
            "Volume demo does not exist.",
        ),
        ("Connection failed. Please check.\n", "Connection failed. Please check."),
        ("two\nlines\n", "two lines."),
        ("", "it did not say why."),
    ],
)
def test_reason_of_a_failed_gluster_command_is_its_own_words(said: str, reason: str) -> None:
    assert console._reason(said) == reason


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("Another transaction is in progress for demo. Please try again after some time.", True),
        ("Locking failed on 127.1.1.2. Please check log file for details.", True),
        ("Host 127.1.1.2 is not in 'Peer in Cluster' state", True),
        ("Glusterd Syncop Mgmt brick op 'Rebalance' failed. Please check brick log file", True),
        ("Volume demo already exists", False),
    ],
)
def test_only_what_passes_by_itself_is_tried_again(said: str, passes: bool) -> None:
    assert bool(console._TRANSIENT.search(said)) == passes


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Impostor]:
    """Start a process that looks like one of GlusterFS, with a command line of one's own."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *words: str) -> subprocess.Popen[bytes]:
        code = "import os, time; os.close(1); time.sleep(600)"
        process = subprocess.Popen(
            [name, "-c", code, *words], executable=sys.executable, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        # It has its command line only after exec.
        process.stdout.read()
        process.stdout.close()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_processes_of_a_folder_are_those_of_gluster_that_name_it(
    tmp_path: Path, impostor: Impostor
) -> None:
    ours = impostor("/usr/sbin/glusterfsd", "-l", f"{tmp_path}/ours/log")
    impostor("/usr/sbin/glusterfsd", "-l", f"{tmp_path}/ours-not/log")
    impostor("tail", "-f", f"{tmp_path}/ours/log")
    assert set(janitor.processes(f"{tmp_path}/ours")) == {ours.pid}


def test_ended_process_is_gone_with_its_pid_file_and_socket(
    tmp_path: Path, impostor: Impostor
) -> None:
    pid_file, address = tmp_path / "pid", tmp_path / "socket"
    process = impostor("glusterfsd", "-p", str(pid_file), "-S", str(address))
    pid_file.write_text(str(process.pid))
    address.touch()
    janitor.end(janitor.processes(str(tmp_path)))
    assert process.wait() == -9
    assert not pid_file.exists()
    assert not address.exists()


def test_process_that_has_another_command_line_by_now_is_spared(impostor: Impostor) -> None:
    process = impostor("glusterfsd", "/new")
    janitor.end({process.pid: ["glusterfsd", "/old"]})
    assert process.poll() is None


def test_pid_file_names_its_owner_only_while_that_lives(tmp_path: Path, impostor: Impostor) -> None:
    pid_file = tmp_path / "pid"
    assert owner(str(pid_file)) is None
    process = impostor("glusterd", "-p", str(pid_file))
    pid_file.write_text(f"{process.pid}\n")
    assert owner(str(pid_file)) == process.pid
    pid_file.write_text(f"{os.getpid()}\n")
    assert owner(str(pid_file)) is None
    pid_file.write_text(f"{process.pid}\n")
    process.kill()
    wait_until(lambda: owner(str(pid_file)) is None, 10, "The killed process did not end")


def test_sweep_removes_sockets_that_a_log_names_and_no_others(tmp_path: Path) -> None:
    logs = tmp_path / "1" / "log" / "bricks"
    logs.mkdir(parents=True)
    (logs / "brick.log").write_text(
        "Started running [{cmdlinestr=/usr/sbin/glusterfsd -S /var/run/gluster/of-a-log.socket "
        "--socket-file /etc/elsewhere.socket}]\n-S /var/run/gluster/not-a-command.socket\n"
    )
    brick = tmp_path / "1" / "bricks" / "demo-0"
    brick.mkdir(parents=True)
    (brick / "data.log").write_text("cmdlinestr= -S /var/run/gluster/of-a-file.socket ")
    assert janitor._logged_sockets(str(tmp_path)) == {"/var/run/gluster/of-a-log.socket"}


def test_sweep_removes_empty_system_files_and_leaves_others(tmp_path: Path) -> None:
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "file").write_text("kept")
    (tmp_path / "touched").touch()
    paths = [str(tmp_path / name) for name in ("empty", "full", "full/file", "touched", "none")]
    (tmp_path / "base").mkdir()
    assert janitor.sweep([str(tmp_path / "base")], paths) is None
    assert sorted(os.listdir(tmp_path)) == ["full"]
    assert (tmp_path / "full" / "file").read_text() == "kept"


def test_janitor_ends_processes_and_removes_files_when_asked(
    tmp_path: Path, impostor: Impostor
) -> None:
    base, storage = tmp_path / "base", tmp_path / "storage"
    base.mkdir()
    storage.mkdir()
    process = impostor("glusterd", f"{base}/1/volfile")
    cleaner = janitor.Janitor([str(base), str(storage)], keep_open=2)
    cleaner.finish()
    assert process.wait() == -9
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("last_act", ["os.kill(os.getpid(), 9)", "os.abort()", "raise ValueError"])
def test_janitor_cleans_up_when_the_program_dies(
    tmp_path: Path, impostor: Impostor, last_act: str
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    process = impostor("glusterd", f"{base}/1/volfile")
    program = f"""\
        import os
        from gluster.gfapi.sandbox.janitor import Janitor
        keep = Janitor([{str(base)!r}], keep_open=2)
        # A child that lives on, and holds what it inherited open.
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "1"])
        {last_act}
        """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], stderr=subprocess.DEVNULL)
    assert process.wait(30) == -9
    wait_until(lambda: not base.exists(), 30, "The folder was not removed")


def test_folder_that_cannot_be_removed_is_reported() -> None:
    assert "'/proc/self/task" in (janitor._remove_tree("/proc/self/task") or "")


def test_folder_is_removed_however_deep_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(sys.getrecursionlimit() + 1):
        os.mkdir("deeper")
        os.chdir("deeper")
    monkeypatch.undo()
    assert janitor._remove_tree(f"{tmp_path}/deeper") is None
    assert not list(tmp_path.iterdir())


def test_command_takes_the_rest_of_the_line_to_run() -> None:
    options = command._parser().parse_args(["--replica", "3", "--run", "ls", "-l", "--name", "x"])
    assert options.run == ["ls", "-l", "--name", "x"]
    assert (options.replica, options.name) == (3, "demo")


def test_command_takes_several_options_of_the_volume() -> None:
    arguments = ["--option", "a.b=1", "--option", "c.d=e=f"]
    assert command._parser().parse_args(arguments).option == [("a.b", "1"), ("c.d", "e=f")]


@pytest.mark.parametrize("option", ["nothing", "=value"])
def test_command_refuses_an_option_without_key_or_value(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--option", option])
    assert caught.value.code == 2
    assert "KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--run"], "--run needs a command."),
        (["--replica", "3", "--disperse", "3"], "either replicated or dispersed"),
        (["--nodes", "0"], "1 to 99 nodes"),
    ],
)
def test_command_says_what_is_wrong_in_one_line(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == 1
    captured = capsys.readouterr()
    assert reason in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_sandbox_is_imported_without_loading_libgfapi() -> None:
    program = (
        "import gluster.gfapi.sandbox; assert 'libgfapi.so' not in open('/proc/self/maps').read()"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def assert_is_one_sentence(text: str) -> None:
    assert text.endswith(".")
    assert "\n" not in text
