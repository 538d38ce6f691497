"""What is written on this machine is for its owner alone, whatever the umask is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from gluster import gfapi

PROGRAM = """
import json, os, socket, stat, sys
os.umask(0)
from gluster.gfapi import sandbox
from gluster.gfapi.sandbox.janitor import processes

def sockets_of(pids):
    for pid in pids:
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
            except FileNotFoundError:
                continue
            if target.startswith("socket:"):
                yield target[8:-1]

def reached_by_another(path):
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setresgid(4711, 4711, 4711)
            os.setresuid(4711, 4711, 4711)
            os.listdir(path)
        except PermissionError:
            os._exit(1)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

def may_be_written(path):
    return bool(os.stat(path).st_mode & 0o022)

folder = sys.argv[1]
found = {}
with sandbox.Cluster(nodes=2) as cluster:
    volume = cluster.create_volume("private", replica=2)
    log = f"{folder}/client.log"
    with volume.client(log_file=log, log_level=7) as vol:
        vol.set_logging(f"{folder}/other.log", 7)
        vol.stat("/")
        dump = vol.statedump(folder)
        written = [log, f"{folder}/other.log", dump]
        found["modes"] = [oct(stat.S_IMODE(os.stat(path).st_mode)) for path in written]
        found["umask"] = os.umask(0)
    inodes = set(sockets_of(processes(cluster.folder)))
    listening = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/net/{table}") as lines:
            for line in list(lines)[1:]:
                words = line.split()
                if words[9] in inodes and (table.startswith("udp") or words[3] == "0A"):
                    address = bytes.fromhex(words[1].partition(":")[0])[::-1]
                    listening.append(f"{table} {'.'.join(map(str, address))}")
    found["listening"] = listening
    with open("/proc/net/unix") as lines:
        named = [line.split()[7] for line in lines if line.split()[6] in inodes and "/" in line]
    found["unix"] = sorted(set(named))
    found["open"] = [path for path in found["unix"] if may_be_written(path)]
    found["reached"] = reached_by_another(cluster.folder)
print(json.dumps(found))
"""


def test_nothing_is_written_or_listened_at_for_others(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(gfapi.__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["modes"] == ["0o600"] * 3
    assert found["umask"] == 0
    assert len(found["listening"]) >= 4  # of each node a glusterd and a brick
    assert {where.split(".")[0] for where in found["listening"]} == {"tcp 127"}
    assert found["unix"]
    assert found["open"] == []
    assert found["reached"] is False
