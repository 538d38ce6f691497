"""What a curve consists of, and how it is printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

Number = float


@dataclass
class Chart:
    """Some series of figures over one quantity.

    :ivar name: of its picture's file and in the JSON.
    :ivar title: what is shown.
    :ivar x_label: the quantity, with its unit.
    :ivar y_label: what was measured, with its unit.
    :ivar series: label to a list of ``(x, y)``.
    :ivar is_linear: whether the picture's scales are linear, instead of logarithmic.
    :ivar is_drawn: whether there is a picture of it.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    series: dict[str, list[tuple[Any, Number]]] = field(default_factory=dict)
    is_linear: bool = False
    is_drawn: bool = True

    def add(self, label: str, x: Any, y: Number) -> None:
        """Add a point to a series."""
        self.series.setdefault(label, []).append((x, y))

    def to_json(self) -> dict[str, Any]:
        """All of it, for :mod:`json`."""
        return asdict(self)

    @property
    def positions(self) -> list[Any]:
        """All x, in the order in which they were measured."""
        return list(dict.fromkeys(x for points in self.series.values() for x, _ in points))

    def table(self) -> str:
        """The figures as text: a row for each x, a column for each series."""
        labels = list(self.series)
        found = {(label, x): y for label in labels for x, y in self.series[label]}
        rows = [[self.x_label, *labels]]
        for x in self.positions:
            figures = [found.get((label, x)) for label in labels]
            rows.append([in_words(x, self.x_label), *map(figure, figures)])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths)) for row in rows]
        return "\n".join([f"{self.title} ({self.y_label})", *lines])


def figure(value: Any) -> str:
    """A figure with three digits that count."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def in_words(x: Any, label: str) -> str:
    """An x, as it is written in a table or on an axis."""
    if isinstance(x, str):
        return x
    if "bytes" in label:
        for unit in ("B", "KiB", "MiB", "GiB"):
            if x < 1024 or unit == "GiB":
                return f"{x:g} {unit}"
            x /= 1024
    return f"{x:,}" if isinstance(x, int) else f"{x:g}"
