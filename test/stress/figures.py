"""Where stress programs keep the figures of their long runs, for the documentation: doc/figures.

A file for each suite, with a row for each thing tested: e.g. rounds, records, losses. A run
replaces the rows of what it ran.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def keep(path: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows into a file of figures.

    :param path: the file, which is made if need be.
    :param keys: the columns that say what was tested, e.g. ``["scenario", "kind"]``. A row that
        is there with the same is replaced.
    :param rows: each a dict of the same columns; what they are called is what readers see.
    """
    place = Path(path)
    kept = json.loads(place.read_text(encoding="utf-8"))["rows"] if place.exists() else []
    new = {tuple(row[key] for key in keys) for row in rows}
    kept = [row for row in kept if tuple(row.get(key) for key in keys) not in new]
    about = {
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "glusterfs": glusterfs_version(),
        "cpus": os.cpu_count(),
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    everything = {**about, "rows": [*kept, *rows]}
    place.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


def glusterfs_version() -> str:
    said = subprocess.run(["glusterd", "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return said.stdout.split()[1]
