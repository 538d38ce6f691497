"""The table as a picture: one bar for each ratio, with a mark at its goal."""

from __future__ import annotations

from typing import Any

from .report import MISSED, Line, lines, ratio_text, title

_COLOURS = {"met": "#2a7f62", MISSED: "#c0504d", "": "#7f8fa6"}


def start() -> Any:
    """Matplotlib's pyplot, set up for files and in the style of all pictures here."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update(
        {
            "svg.fonttype": "none",  # text as text, which is smaller
            "svg.hashsalt": "gfapi",  # the same picture from the same figures
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )
    return pyplot


def save(figure: Any, file: str) -> None:
    """Write a picture, in the format that the file's name ends with."""
    metadata = {"Date": None} if file.endswith(".svg") else {}
    figure.savefig(file, bbox_inches="tight", metadata=metadata)


def draw(report: dict[str, Any], file: str) -> None:
    """Draw a report into a file."""
    pyplot = start()
    labels, bars = [], []
    group = None
    for line in lines(report):
        if line.ratio is None or line.row.show.__name__ == "memory":
            continue
        if line.group is not group:
            group = line.group
            labels.append(title(line))
            bars.append(None)
        labels.append(f"{line.row.what}, against {line.other_name}")
        bars.append(line)
    figure, axes = pyplot.subplots(figsize=(8, 0.24 * len(bars) + 0.8))
    for place, bar in enumerate(bars):
        if bar:
            _draw_bar(axes, place, bar)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    ticks = [0.25, 0.5, 1, 2, 4, 8, 16, 40, 100, 1000]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(labels)), labels)
    for text, bar in zip(axes.get_yticklabels(), bars):
        text.set_fontweight("normal" if bar else "bold")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel("times as fast as the other; the mark is the goal, met if green, missed if red")
    save(figure, file)
    pyplot.close(figure)


def _draw_bar(axes: Any, place: int, line: Line) -> None:
    ratio = line.ratio or 1
    axes.barh(place, ratio - 1, left=1, height=0.6, color=_COLOURS[line.verdict])
    side = {"ha": "left"} if ratio >= 1 else {"ha": "right"}
    axes.annotate(
        ratio_text(ratio),
        (ratio, place),
        xytext=(3 if ratio >= 1 else -3, 0),
        textcoords="offset points",
        va="center",
        fontsize=7,
        **side,
    )
    goal = line.row.goal
    if goal and goal.ratio:
        axes.plot([goal.ratio] * 2, [place - 0.42, place + 0.42], color="black", linewidth=1.6)
