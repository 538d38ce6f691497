"""``.. figures:: NAME`` in a page becomes the table of ``figures/NAME.json``.

Stress programs keep those. ``.. figures:: NAME without seed, which`` leaves columns out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_DIRECTIVE = re.compile(r"^\.\. figures:: (\S+)(?: without (.+))?$", re.MULTILINE)


def table(path: Path, without: Sequence[str] = ()) -> str:
    """The rows of a file of figures as a literal block, below what they were measured with.

    :param without: columns to leave out.
    """
    kept = json.loads(path.read_text(encoding="utf-8"))
    columns = [name for row in kept["rows"] for name in row if name not in without]
    columns = list(dict.fromkeys(columns))
    cells = [columns, *([_cell(row.get(name)) for name in columns] for row in kept["rows"])]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["  ".join(map(_aligned, row, widths)).rstrip() for row in cells]
    about = f"GlusterFS {kept['glusterfs']}, {kept['cpus']} cores, {kept['date']}"
    block = [f"    {line}" for line in lines]
    return "\n".join([f"{about}:", "", ".. code-block:: none", "", *block, ""])


def _cell(value: Any) -> str:
    if isinstance(value, (int, float)):
        return f"{value:,}"
    return "" if value is None else str(value)


def _aligned(cell: str, width: int) -> str:
    is_number = cell.replace(",", "").replace(".", "").replace("-", "").isdigit()
    return cell.rjust(width) if is_number else cell.ljust(width)


def _fill(app: Any, docname: str, source: list[str]) -> None:
    def filled(found: re.Match[str]) -> str:
        path = Path(app.srcdir, "figures", f"{found[1]}.json")
        app.env.note_dependency(str(path))
        return table(path, [name.strip() for name in (found[2] or "").split(",")])

    source[0] = _DIRECTIVE.sub(filled, source[0])


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}
