"""The page that says where each function of libgfapi is in Python, made from the table."""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any, Optional

from gluster import gfapi
from gluster.gfapi import api
from gluster.gfapi.api import table

PAGE = "functions"
_HEADER = re.compile(r"    # ---- (\S+)")
_HEADING = re.compile(r"    # (.+)")
_ROW = re.compile(r'    \("(glfs_\w+)"')
_FOR_DUNDERS = {"__init__": "{}(...)", "__next__": "for ... in {}"}


def page() -> str:
    """The page's text: a section for each of the table's, and in it a row for each function."""
    lines: list[str] = []
    for line in inspect.getsource(table).splitlines():
        if header := _HEADER.match(line):
            lines += ["", f"Declared in {header[1]}", "-" * (12 + len(header[1])), ""]
        elif heading := _HEADING.match(line):
            lines += ["", heading[1][0].upper() + heading[1][1:], "~" * len(heading[1]), ""]
            lines += [".. list-table::", "   :header-rows: 1", "   :widths: 25 10 25 40", ""]
            lines += _cells("C", "Since", "Python", "What that does")
        elif row := _ROW.match(line):
            found = api.TABLE[row[1]]
            lines += _cells(f"``{found.name}``", found.version, link(found.home), gist(found.home))
    return "\n".join(lines) + "\n"


def _cells(*cells: str) -> list[str]:
    return [f"   {'*' if number == 0 else ' '} - {cell}" for number, cell in enumerate(cells)]


def link(home: str) -> str:
    """The home, linked to its description."""
    owner, _, name = home.partition(".")
    if name in _FOR_DUNDERS:
        return f":py:obj:`{_FOR_DUNDERS[name].format(owner)} <gluster.gfapi.{owner}>`"
    return f":py:obj:`{home} <gluster.gfapi.{home}>`"


def gist(home: str) -> str:
    """The first sentence of a home's docstring."""
    try:
        found = functools.reduce(getattr, home.split("."), gfapi)
    except AttributeError:
        return ""
    paragraph = " ".join((inspect.getdoc(found) or "").partition("\n\n")[0].split())
    sentence = re.split(r"\.(?: |$)", paragraph)[0]
    return re.sub(r" ?\(``glfs_[^)]*\)", "", sentence)


def _fill(app: Any, docname: str, source: list[str]) -> None:
    if docname == PAGE:
        source[0] += page()


def _always_anew(*arguments: Any) -> Optional[list[str]]:
    return [PAGE]


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this."""
    app.connect("source-read", _fill)
    app.connect("env-get-outdated", _always_anew)
    return {"parallel_read_safe": True}
