"""Charts as pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import LogLocator

from .. import picture
from .chart import Chart, in_words

_MARKS = "osv^Dx*+"
_WIDTH, _HEIGHT = 4.2, 3.1  # inches


def draw(name: str, charts: Sequence[Chart], folder: str) -> None:
    """Draw the charts of one curve side by side, into an SVG file."""
    pyplot = picture.start()
    charts = [chart for chart in charts if chart.is_drawn]
    columns = min(len(charts), 2)
    rows = math.ceil(len(charts) / columns)
    size = (_WIDTH * columns, _HEIGHT * rows)
    figure, places = pyplot.subplots(rows, columns, figsize=size, squeeze=False)
    for axes in places.flat[len(charts) :]:
        axes.remove()
    for axes, chart in zip(places.flat, charts):
        if isinstance(chart.positions[0], str):
            _draw_bars(axes, chart)
        else:
            _draw_lines(axes, chart)
        axes.set_title(chart.title, fontsize=9)
        if len(chart.series) > 1:
            axes.legend(fontsize=6, framealpha=0.5, edgecolor="none")
    figure.tight_layout()
    picture.save(figure, os.path.join(folder, f"scale-{name}.svg"))
    pyplot.close(figure)


def _draw_lines(axes: Any, chart: Chart) -> None:
    for (label, points), mark in zip(chart.series.items(), _MARKS * len(chart.series)):
        axes.plot(*zip(*points), marker=mark, markersize=3, linewidth=1, label=label)
    if chart.is_linear:
        axes.set_ylim(bottom=0)
    else:
        _set_logarithmic(axes, chart)
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.grid(linewidth=0.3)


def _set_logarithmic(axes: Any, chart: Chart) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ticks = chart.positions
    axes.set_xticks(ticks, [in_words(x, chart.x_label) for x in ticks], fontsize=7)
    axes.minorticks_off()


def _draw_bars(axes: Any, chart: Chart) -> None:
    labels, count = chart.positions, len(chart.series)
    for shift, (label, points) in enumerate(chart.series.items()):
        places = [labels.index(x) + (shift + 0.5) * 0.8 / count - 0.4 for x, _ in points]
        axes.barh(places, [y for _, y in points], height=0.7 / count, label=label)
    axes.set_yticks(range(len(labels)), labels, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(chart.y_label)
