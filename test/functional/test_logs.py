"""GlusterFS's own log messages in Python's logging."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import logs, sandbox

Output = Callable[..., str]
Wait = Callable[[Callable[[], object]], None]
TRACE = 5


class Keeper(logging.Handler):
    """Keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logger(request: pytest.FixtureRequest) -> Iterator[logging.Logger]:
    """A logger of this test alone, which hands nothing on to others."""
    logger = logging.getLogger(f"test of {request.node.name}")
    logger.propagate = False
    logger.setLevel(TRACE)
    yield logger
    logger.handlers.clear()
    logger.setLevel(logging.CRITICAL + 1)


@pytest.fixture
def kept(logger: logging.Logger) -> list[Any]:
    """The records that the logger got."""
    keeper = Keeper()
    logger.addHandler(keeper)
    return keeper.records


@pytest.fixture(scope="session")
def deadly_pipes(plain: sandbox.SandboxVolume, begin: Callable[..., Future[str]]) -> Future[str]:
    """A program that a broken pipe would kill, looked at when its tear-down is over."""
    program = SETUP.format(level=9) + (
        "import signal\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "log.setLevel(logging.CRITICAL)\n"
        "vol.mount()\n"
        "vol.exists('/nowhere')\n"
        "vol.umount()\n"
        "time.sleep(13)\n"  # glfs_fini logs too
        "print([t.name for t in threading.enumerate()])\n"
    )
    return begin(plain, "", program)


def test_the_messages_of_the_mount_arrive(
    sandbox_volume: sandbox.SandboxVolume,
    logger: logging.Logger,
    kept: list[Any],
    wait_until: Wait,
) -> None:
    start = time.time()
    client = f"{sandbox_volume.name}-client-0"
    with sandbox_volume.client(logger=logger):
        wait_until(lambda: any("Connected" in record.getMessage() for record in kept))
    (record, *_) = (r for r in kept if r.getMessage().startswith("Connected"))
    assert record.translator.startswith(client[:-1])
    assert (record.name, record.levelno) == (logger.name, logging.INFO)
    assert (record.filename, record.funcName) == ("client-handshake.c", "client_setvolume_cbk")
    assert record.lineno > 0
    assert record.msgid > 0
    assert record.graph == 0
    assert start - 1 < record.created < time.time() + 1
    assert "\n" not in record.getMessage()


@pytest.mark.usefixtures("deadly_pipes")
def test_a_mount_that_fails_says_why_in_the_log(
    cluster: sandbox.Cluster, logger: logging.Logger, kept: list[Any], wait_until: Wait
) -> None:
    with pytest.raises(gfapi.LibgfapiException, match="knows no such volume"):
        gfapi.Volume(cluster.hosts, "nonesuch", logger=logger).mount()
    wait_until(lambda: any(record.levelno == logging.ERROR for record in kept))


def test_what_goes_wrong_later_arrives_too(
    cluster: sandbox.Cluster, logger: logging.Logger, kept: list[Any], wait_until: Wait
) -> None:
    volume = cluster.create_volume("logged")
    try:
        with volume.client(logger=logger, log_level=5):
            volume.kill_brick(0)
            wait_until(lambda: any(r.levelno == logging.WARNING for r in kept))
            assert not any("Connected" in r.getMessage() for r in kept), "that is information"
    finally:
        volume.delete()


def test_all_levels_arrive_and_the_loggers_own_chooses(
    plain: sandbox.SandboxVolume, logger: logging.Logger, kept: list[Any], wait_until: Wait
) -> None:
    with plain.client(logger=logger, log_level=9) as vol:
        vol.exists("/nowhere")
        wait_until(lambda: {TRACE, logging.DEBUG, logging.INFO} <= {r.levelno for r in kept})
        assert all(record.filename for record in kept if record.levelno == TRACE)
        logger.setLevel(logging.INFO)
        wait_until(lambda: not sum(map(logs.waiting, [reader.fd for reader in logs._readers])))
        time.sleep(0.05)
        kept.clear()
        vol.exists("/nowhere")
        wait_until(lambda: not sum(map(logs.waiting, [reader.fd for reader in logs._readers])))
        assert [record for record in kept if record.levelno < logging.INFO] == []


def test_a_mounted_volume_can_be_told_to_log_elsewhere(
    plain: sandbox.SandboxVolume,
    logger: logging.Logger,
    kept: list[Any],
    wait_until: Wait,
    tmp_path: Path,
) -> None:
    with plain.client() as vol:
        assert vol.log_to(logger, 9) is None
        assert vol.log_level == vol.meta.log_level == 9
        wait_until(lambda: len(kept) > 10)
        log = tmp_path / "log"
        vol.set_logging(log, 9)
        wait_until(lambda: not [r for r in logs._readers if r.logger is logger])
        count = len(kept)
        vol.exists("/nowhere")
        assert "nowhere" in log.read_text() or log.stat().st_size
        assert len(kept) == count
        vol.disable_logging()
        assert vol.meta.log_file == "/dev/null"
        vol.log_to(logger)
        assert vol.meta.log_level == 7


def test_log_to_holds_for_the_next_mount(
    plain: sandbox.SandboxVolume, logger: logging.Logger, kept: list[Any], wait_until: Wait
) -> None:
    vol = plain.client()
    vol.log_to(logger)
    for _ in range(2):
        kept.clear()
        with vol:
            wait_until(lambda: any("Connected" in record.getMessage() for record in kept))
    vol.set_logging("/dev/null", 7)
    with vol:
        assert vol.meta.log_file == "/dev/null"


def test_logging_is_changed_under_load(
    plain: sandbox.SandboxVolume, output_of: Output, tmp_path: Path
) -> None:
    """Libgfapi itself hangs or crashes if its threads log while that is changed."""
    program = """
        import logging
        log = logging.getLogger("gluster")
        log.addHandler(logging.NullHandler())
        log.propagate = False
        over = threading.Event()
        def work():
            while not over.is_set():
                vol.exists("/nowhere")
        vol.set_logging(arguments[0], 9)
        vol.mount()
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(20):
            if number % 3:
                vol.set_logging(arguments[number % 3 - 1], 9)
            else:
                vol.log_to(log, 9)
        over.set()
        for thread in threads:
            thread.join()
        vol.umount()
    """
    output_of(plain, "", program, str(tmp_path / "one"), str(tmp_path / "two"))


def test_a_slow_handler_holds_up_nobody(
    plain: sandbox.SandboxVolume, logger: logging.Logger, wait_until: Wait
) -> None:
    go_on = threading.Event()
    messages: list[str] = []

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            go_on.wait()
            messages.append(record.getMessage())

    logger.addHandler(Slow())
    try:
        with plain.client(logger=logger, log_level=9) as vol:
            for number in range(1000):  # of which each is logged in a dozen lines
                vol.exists(f"/nowhere{number}")
            assert messages == []
        assert not vol.mounted
    finally:
        go_on.set()
    wait_until(lambda: any("some are probably lost" in message for message in messages))
    wait_until(lambda: len(messages) > 1000)


def test_a_handler_that_raises_is_reported_and_ends_nothing(
    plain: sandbox.SandboxVolume,
    logger: logging.Logger,
    kept: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    wait_until: Wait,
) -> None:
    class Bad(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("a bad handler")

    reports: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reports.append)
    logger.addHandler(Bad())
    with plain.client(logger=logger) as vol:
        wait_until(lambda: any("Connected" in record.getMessage() for record in kept))
        assert vol.exists("/")
    assert {str(report.exc_value) for report in reports} == {"a bad handler"}


def test_a_handler_may_use_the_volume(
    plain: sandbox.SandboxVolume, logger: logging.Logger, wait_until: Wait
) -> None:
    seen: list[bool] = []

    class Curious(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if vol.mounted:
                seen.append(vol.exists("/"))

    logger.addHandler(Curious())
    vol = plain.client(logger=logger, log_level=9)
    with vol:
        wait_until(lambda: len(seen) > 100)
        logger.handlers.clear()
    assert all(seen)


def test_two_volumes_log_to_two_loggers(
    plain: sandbox.SandboxVolume, logger: logging.Logger, kept: list[Any], wait_until: Wait
) -> None:
    other = logging.getLogger(f"{logger.name}, another")
    other.propagate = False
    keeper = Keeper()
    other.addHandler(keeper)
    other.setLevel(TRACE)
    with plain.client(logger=logger), plain.client(logger=other, log_level=9) as second:
        second.exists("/nowhere")
        wait_until(lambda: any(r.levelno == TRACE for r in keeper.records))
        wait_until(lambda: any("Connected" in record.getMessage() for record in kept))
    assert {record.name for record in kept} == {logger.name}
    assert TRACE not in {record.levelno for record in kept}
    other.setLevel(logging.CRITICAL + 1)


@pytest.mark.parametrize("logger", ["gluster", None, True, logging])
def test_what_is_no_logger_is_refused(plain: sandbox.SandboxVolume, logger: Any) -> None:
    with pytest.raises(gfapi.LibgfapiException, match="logger is"):
        plain.client().log_to(logger)
    if logger is not None:
        with pytest.raises(gfapi.LibgfapiException, match="logger is"):
            plain.client(logger=logger)


@pytest.mark.parametrize("level", [-1, 10, "7", None])
def test_a_level_that_is_none_is_refused(plain: sandbox.SandboxVolume, level: Any) -> None:
    with pytest.raises(gfapi.LibgfapiException, match="log_level is"):
        plain.client().log_to(logging.getLogger("x"), level)


# ------------------------------------------------------------------- processes of their own

SETUP = """
import logging
logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stdout)
log = logging.getLogger("gluster")
log.setLevel(1)
vol.log_to(log, {level})
"""


@pytest.mark.parametrize("ending", ["", "vol.umount()", "sys.exit(0)"])
@pytest.mark.parametrize("level", [7, 9])
def test_a_process_that_logs_ends_well(
    plain: sandbox.SandboxVolume, output_of: Output, ending: str, level: int
) -> None:
    program = SETUP.format(level=level) + "vol.mount()\nvol.exists('/nowhere')\n" + ending
    for _ in range(3):
        start = time.monotonic()
        printed = output_of(plain, "", program, options=("-X", "dev"))
        assert time.monotonic() - start < 20
        # At level 9 there is more than a pipe takes.
        assert ("DEBUG " if level == 9 else "INFO Connected, attached to remote volume") in printed


def test_a_process_whose_handlers_are_slow_ends_well(
    plain: sandbox.SandboxVolume, output_of: Output
) -> None:
    program = SETUP.format(level=9) + (
        "class Slow(logging.Handler):\n"
        "    def emit(self, record):\n"
        "        time.sleep(0.01)\n"
        "log.addHandler(Slow())\n"
        "vol.mount()\n"
        "for _ in range(500): vol.exists('/nowhere')\n"
    )
    start = time.monotonic()
    output_of(plain, "", program)
    assert time.monotonic() - start < 20


def test_a_process_that_wants_to_be_killed_by_broken_pipes_is_not(
    deadly_pipes: Future[str],
) -> None:
    assert deadly_pipes.result() == "['MainThread']\n"


def test_a_child_logs_for_itself(plain: sandbox.SandboxVolume, output_of: Output) -> None:
    program = """
        import logging
        records = []
        class Keeper(logging.Handler):
            def emit(self, record):
                records.append(record)
        log = logging.getLogger("gluster")
        log.propagate = False
        log.setLevel(1)
        log.addHandler(Keeper())
        def connected():
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                if any("Connected" in record.getMessage() for record in records):
                    return {record.process for record in records} == {os.getpid()}
                time.sleep(0.01)
        vol.log_to(log)
        vol.mount()
        assert connected()
        pid = os.fork()
        if pid == 0:
            records.clear()
            vol.exists("/")
            assert connected()
            vol.umount()
            sys.exit()
        assert os.waitpid(pid, 0)[1] == 0
        records.clear()
        vol.log_to(log, 9)
        vol.exists("/nowhere")
        deadline = time.monotonic() + 20
        while not records and time.monotonic() < deadline:
            time.sleep(0.01)
        assert records
    """
    output_of(plain, "", program, options=("-W", "ignore::DeprecationWarning"))


def test_a_child_of_another_program_does_not_get_the_pipe(
    plain: sandbox.SandboxVolume, output_of: Output
) -> None:
    program = SETUP.format(level=7) + (
        "log.setLevel(logging.CRITICAL)\n"
        "import subprocess\n"
        "vol.mount()\n"
        "command = ['readlink', *(f'/proc/self/fd/{n}' for n in range(3, 60))]\n"
        "done = subprocess.run(command, close_fds=False, capture_output=True, text=True)\n"
        "print(sum('pipe' in line for line in done.stdout.splitlines()))\n"
    )
    ours = "vol.mount()\n"
    without = program.replace("vol.log_to(log, 7)\n", "")
    assert ours in program
    assert output_of(plain, "", program) == output_of(plain, "", without)


def test_an_unprivileged_user_may_log_to_a_logger(
    plain: sandbox.SandboxVolume, output_of: Output
) -> None:
    if os.getuid():
        pytest.skip("needs root")
    drop = "from gluster.gfapi import logs\nos.setgid(65534)\nos.setuid(65534)\n"
    printed = output_of(plain, "", drop + SETUP.format(level=7) + "vol.mount()\n")
    assert "Connected, attached to remote volume" in printed
