"""From figures to the table."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

from .groups import GROUPS
from .rows import CONTENDERS, OURS, Group, Row

MET, MISSED, NO_GOAL = "met", "missed", ""


@dataclass(frozen=True)
class Line:
    """A row of the table with its figures.

    :ivar ours: the median of our figures, None if there is none.
    :ivar other: the median of the other's.
    :ivar missing: why a figure is missing.
    """

    group: Group
    row: Row
    count: int
    where: str
    ours: Optional[float]
    other: Optional[float]
    missing: str

    @property
    def is_measured(self) -> bool:
        return self.ours is not None and self.other is not None

    @property
    def ratio(self) -> Optional[float]:
        """How many times as fast as the other we are, or as small."""
        if self.ours is None or self.other is None or self.ours <= 0 or self.other <= 0:
            return None
        return self.other / self.ours

    @property
    def verdict(self) -> str:
        if self.ours is None or self.other is None:
            return "not measured"
        if self.row.goal is None:
            return NO_GOAL
        return MET if self.row.goal.is_met(self.ours, self.other) else MISSED

    @property
    def other_name(self) -> str:
        return CONTENDERS[self.row.against]

    def cells(self) -> list[str]:
        """The line as text, for each of :data:`COLUMNS`."""
        show = self.row.show
        return [
            self.row.what,
            "" if self.ours is None else show(self.ours),
            self.other_name,
            "" if self.other is None else show(self.other),
            ""
            if self.ratio is None
            else f"{self.ratio:.2f}"
            if self.ratio < 10
            else f"{self.ratio:.0f}",
            self.row.goal.text if self.row.goal else "",
            self.verdict,
        ]


def ratio_text(ratio: float) -> str:
    """A ratio, with as many digits as it deserves."""
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.0f}"


COLUMNS = ["what", "gfapi", "the other", "its figure", "ratio", "goal", "result"]


def lines(report: dict[str, Any]) -> Iterator[Line]:
    """The lines of a report, as :func:`bench.__main__.main` keeps it in JSON."""
    for name, samples in report["groups"].items():
        group = GROUPS[name]
        for row in group.rows:
            figures = samples["figures"].get(row.operation, {})
            yield Line(
                group,
                row,
                samples["count"],
                samples["where"],
                _median(figures.get(OURS)),
                _median(figures.get(row.against)),
                samples["missing"].get(row.against) or samples["missing"].get(OURS, ""),
            )


def _median(figures: Optional[list[float]]) -> Optional[float]:
    return statistics.median(figures) if figures else None


def title(line: Line) -> str:
    """What stands above the lines of a group."""
    where = "" if line.where in ("stub", "none") else f" ({line.where})"
    return line.group.title.format(count=line.count) + where


def table(report: dict[str, Any], form: str = "simple") -> str:
    """The table.

    :param form: one of tabulate's, e.g. ``"rst"``.
    """
    from tabulate import tabulate

    strong = "**{}**" if form == "rst" else "{}"
    cells, group, missing = [], None, {}
    for line in lines(report):
        if line.group is not group:
            group = line.group
            cells.append([strong.format(title(line)), *[""] * (len(COLUMNS) - 1)])
        cells.append(line.cells())
        if line.missing:
            missing[f"{line.group.name}: {line.other_name}"] = line.missing
    notes = [f"Not measured in {what}, as {why}." for what, why in missing.items()]
    return "\n\n".join([tabulate(cells, COLUMNS, form, disable_numparse=True), *notes])


def summary(report: dict[str, Any]) -> str:
    """One line that tells how many goals are met."""
    verdicts = [line.verdict for line in lines(report)]
    met, missed = verdicts.count(MET), verdicts.count(MISSED)
    unmeasured = verdicts.count("not measured")
    text = f"{met} of {met + missed} goals met"
    return text + (f", {unmeasured} rows not measured" if unmeasured else "")
