"""Prove that what reads text from outside says no more than what its documentation says.

Each target below gets what libFuzzer makes up to reach every branch of it (atheris, from PyPI,
which has wheels for some versions of Python only). ::

    python test/stress/fuzz.py --seconds 600 --json doc/figures/fuzz.json

It needs neither GlusterFS nor root. The exit code is 1 if any input raised what it should not,
hung or crashed; that input is left in a file. The unit tests have a short
form, without atheris.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

SLOW = 120  # seconds that one input may take, by the clock: the machine may be busy
LONGEST = 4096  # bytes of an input


class Target(NamedTuple):
    """What is fuzzed.

    :ivar read: reads an input, and raises what it should not.
    :ivar seeds: inputs to begin with.
    :ivar words: what inputs are also made of.
    """

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


# ---------------------------------------------------------------------------------- the targets
# They import what they try when they are called, because atheris has to see the import.


def read_url(data: bytes) -> None:
    from gluster import gfapi

    text = os.fsdecode(data)
    for url in (text, "gluster://" + text, "gluster+unix:///v?" + text):
        with contextlib.suppress(gfapi.LibgfapiException):
            vol = gfapi.Volume.from_url(url)
            assert vol.volname
            assert len(vol.hosts) == 1


def read_volfile(data: bytes) -> None:
    from gluster import gfapi
    from gluster.gfapi import volfile

    with tempfile.NamedTemporaryFile(dir=_QUICK_PLACE) as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(gfapi.LibgfapiException):
            volfile.check_volfile(file.name)


def read_meta(data: bytes) -> None:
    from gluster.gfapi import meta

    text = os.fsdecode(data)
    for parse in (meta.calls_in, meta.graph_in, meta.latencies_in):
        with contextlib.suppress(ValueError):
            parse(text)
    meta.sections_in(text)


def read_frames(data: bytes) -> None:
    from gluster.gfapi import inflight

    assert inflight.count_in(data) >= 0
    assert isinstance(inflight.calls_told(data), str)


def read_log(data: bytes) -> None:
    from gluster.gfapi import logs

    message = logs.message_in(data.decode(errors="backslashreplace"))
    level = logs.LEVELS.get(message.letter, logging.INFO)
    logs.record_of(message, level, logging.getLogger("fuzz")).getMessage()


_QUICK_PLACE = "/dev/shm" if os.path.isdir("/dev/shm") else None
_FRAMES = b"""{
\t"Stack": [
\t   {
\t\t"Number": 1,
\t\t"Frame": [
\t\t   {
\t\t\t"Number": 1,
\t\t\t"Xlator": "v-client-0",
\t\t\t"Creation_time": 11996.422353477,
\t\t\t"Parent": "v-dht",
\t\t\t"Wind_to": "subvol->fops->writev",
\t\t\t"Complete": 0
\t\t   }
\t\t],
\t\t"Unique": 54,
\t\t"Type": "NULL",
\t\t"UID": 1000,
\t\t"GID": -2,
\t\t"LK_owner": "00ff"
\t   },
\t],
\t"Call_Count": 1
}"""
_VOLFILE = b"""# a comment
volume c-0
    type protocol/client
    option remote-host "server 1"
end-volume
volume c-1
    type protocol/client
    option transport-type tcp
end-volume
volume afr
    type cluster/replicate
    option afr-pending-xattr c-0,c-1
    subvolumes c-0 c-1
end-volume
"""
_PROFILE = b"[v.latency]\nv.latency.READ = AVG:2.500000 CNT:2 TOTAL:5 MIN:1 MAX:4\n"
_SECTIONS = b"[xlator.v.priv]\nconnected = 1\nempty = \nno pair\n[other]\nname = a = b\n"
_LINE = b"[2026-11-22 13:52:23.123456 +0200] W [MSGID: 1] [f.c:123:fn] 0-v-client-0: text [{x=1}]"
_REPEATED = (
    b'The message "W [MSGID: 1] [f.c:1:fn] 0-v: text" repeated 3 times between '
    b"[2026-11-22 13:50:00.000000 +0000] and [2026-11-22 13:52:23.123456 +0000]"
)

TARGETS = {
    "URLs": Target(
        read_url,
        (
            b"gluster://host:24007/vol?logfile=/tmp/a%26b&debug=9",
            b"gluster+unix:///vol?socket=/run/g%20d.socket",
            b"gluster+rdma://[::1]/v/",
        ),
        (b"gluster", b"+tcp", b"://", b"%00", b"[::1]", b"socket=", b"debug=", b"logfile=", b"@"),
    ),
    "volume files": Target(
        read_volfile,
        (_VOLFILE,),
        (b"volume ", b"end-volume\n", b"type ", b"option ", b"subvolumes ", b'"', b"#", b"`"),
    ),
    "texts below /.meta": Target(
        read_meta,
        (_FRAMES, _VOLFILE, _PROFILE, _SECTIONS),
        (b'"Frame": ', b'"Xlator": "x"\n', b'"Call_Count": ', b"CNT:", b"[", b" = ", b"subvolumes"),
    ),
    "calls in flight": Target(
        read_frames,
        (_FRAMES, _FRAMES.replace(b"v-client-0", b"v-open-behind")),
        (b'"Call_Count":', b'"Xlator": "', b"-open-behind", b'"Complete": 0', b"\n}", b"[", b"{"),
    ),
    "log messages": Target(
        read_log,
        (_LINE, _REPEATED, b" 17:     option password 16cac8a4"),
        (b"The message ", b" repeated ", b" times between ", b"[MSGID: ", b"(", b") ", b"0-v: "),
    ),
}


# --------------------------------------------------------------------------------- one long run


def fuzz(name: str, folder: str, arguments: list[str]) -> None:
    """Be the process that tries one target; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["gluster.gfapi", "urllib"]):
        import gluster.gfapi.inflight
        import gluster.gfapi.logs
        import gluster.gfapi.meta
        import gluster.gfapi.url
        import gluster.gfapi.volfile  # noqa: F401
    corpus, words = Path(folder, "corpus"), Path(folder, "words")
    corpus.mkdir()
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / str(number)).write_bytes(seed)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in TARGETS[name].words))
    atheris.Setup([sys.argv[0], f"-dict={words}", *arguments, str(corpus)], TARGETS[name].read)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def run(name: str, seconds: int, seed: int) -> dict[str, Any]:
    """Try a target for so long, in a process of its own."""
    slug, began = re.sub(r"\W+", "-", name), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *(sys.executable, __file__, "--run", name, folder),
                *(f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LONGEST}"),
                *(f"-timeout={SLOW}", "-print_final_stats=1", f"-artifact_prefix=fuzz-{slug}-"),
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            errors="replace",
            check=False,
        )
    executed = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    covered = re.findall(r"\bcov: (\d+)", done.stderr)
    if done.returncode:
        print(done.stderr[-4000:])
    return {
        "target": name,
        "inputs": int(executed[1]) if executed else 0,
        "seconds": round(time.monotonic() - began),
        "branches reached": int(covered[-1]) if covered else 0,
        "wrong exceptions, crashes and hangs": int(done.returncode != 0),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("targets", nargs="*", help=f"some of: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--json", help="the file of figures to put the results into")
    options = parser.parse_args()
    rows = []
    for name in options.targets or TARGETS:
        rows.append(run(name, options.seconds, options.seed))
        print(rows[-1], f"seed {options.seed}", flush=True)
    if options.json:
        import figures

        figures.keep(options.json, ["target"], rows)
    return int(any(row["wrong exceptions, crashes and hangs"] for row in rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        fuzz(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        sys.exit(main())
