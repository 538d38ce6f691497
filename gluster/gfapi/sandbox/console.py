"""Commands to a cluster, as its administrator gives them: the gluster program."""

from __future__ import annotations

import re
import subprocess
import time
from xml.etree import ElementTree

from .exceptions import SandboxError
from .host import program

# What passes by itself: another command holds the cluster's lock, a node or daemon is coming up, a
# rebalance ends while its daemon is asked how far it is.
_TRANSIENT = re.compile(
    r"Another transaction|Locking failed|not in 'Peer in Cluster' state"
    r"|Self-heal daemon is not running|gluster daemon is operational"
    r"|Please try again|Mgmt brick op 'Rebalance' failed",
    re.IGNORECASE,
)
_PATIENCE = 20.0
_INTERVAL = 0.2
_TIMEOUT = 300.0


class Console:
    """The gluster program, talking to one node.

    :param socket: the UNIX socket of the node's glusterd.
    :param log: where the program writes its log.
    """

    def __init__(self, socket: str, log: str) -> None:
        self._options = ["--mode=script", f"--glusterd-sock={socket}", f"--log-file={log}"]

    def run(self, *words: str) -> str:
        """Give one command, and again while it fails for a reason that passes by itself.

        :param words: the command, e.g. ``"volume", "info"``.
        :returns: what it printed.
        :raises SandboxError: if it failed, with its own words.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            succeeded, said = self._try(words)
            if succeeded:
                return said
            if not _TRANSIENT.search(said) or time.monotonic() > deadline:
                raise SandboxError(f"gluster {' '.join(words[:3])} failed: {_reason(said)}")
            time.sleep(_INTERVAL)

    def ask(self, *words: str) -> ElementTree.Element:
        """Give one command that answers in XML.

        :param words: the command, e.g. ``"volume", "info"``.
        :returns: the root of the answer.
        :raises SandboxError: if it failed, with its own words.
        """
        return ElementTree.fromstring(self.run(*words, "--xml"))

    def _try(self, words: tuple[str, ...]) -> tuple[bool, str]:
        try:
            done = subprocess.run(
                [program("gluster"), *self._options, *words],
                timeout=_TIMEOUT,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="surrogateescape",
            )
        except subprocess.TimeoutExpired:
            return False, f"no answer within {_TIMEOUT:g} seconds"
        failed = done.returncode != 0 or "<opRet>-1</opRet>" in done.stdout
        return not failed, done.stdout


def _reason(said: str) -> str:
    """What the program said, as the end of a sentence."""
    in_xml = re.search(r"<opErrstr>(.+?)</opErrstr>", said, re.DOTALL)
    words = " ".join((in_xml.group(1) if in_xml else said).split())
    reason = re.sub(r"^[\w -]+: ([\w.-]+: )?failed: ", "", words).rstrip(".")
    return f"{reason or 'it did not say why'}."
