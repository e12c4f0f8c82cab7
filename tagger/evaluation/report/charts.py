"""The kinds of chart that the report draws: lines with bands, heat maps, bars, points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tagger.evaluation.report.svg import (
    WIDTH,
    Axis,
    Frame,
    colour,
    dash,
    dot,
    drawing,
    even_ticks,
    marker,
    path,
    tag,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

UNIT = Axis(0, 1, even_ticks(0, 1, 0.2))
"""An axis from 0 to 1."""

PHONE = 350
"""Width of drawings made for a phone, in its own pixels: words keep their size."""

_LETTER = 7.0
"""Width of a letter of tick size, in the drawing's units: room for names is reckoned from it."""


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    :ivar snapshot: number that stands for colour, dash and marker together.
    :ivar band: lower and upper end at each point; empty draws none.
    :ivar strong: drawn thick: the one to look at.
    :ivar marks: a marker at each point.
    """

    name: str
    snapshot: int
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float], ...] = ()
    strong: bool = False
    marks: bool = True


def line_chart(
    label: str, series: Sequence[Series], x: Axis, y: Axis, *, diagonal: bool = False
) -> Markup:
    """Lines with bands behind them; `diagonal` draws where x equals y."""
    frame = Frame(x, y)
    parts = [frame.axes()]
    parts += [_band(frame, line) for line in series if line.band]
    parts += [_line(frame, line) for line in series if line.points]
    if diagonal:  # last: a curve that lies on it would hide it
        ends = [frame.at(end, end) for end in (max(x.low, y.low), min(x.high, y.high))]
        parts.append(tag("path", d=path(ends), class_="even"))
    return drawing(label, *parts)


def _band(frame: Frame, series: Series) -> Markup:
    ends = list(zip(series.points, series.band, strict=True))
    upper = [frame.at(point[0], high) for point, (_, high) in ends]
    lower = [frame.at(point[0], low) for point, (low, _) in reversed(ends)]
    return tag("path", d=path(upper + lower) + "Z", class_=f"band {colour(series.snapshot)}")


def _line(frame: Frame, series: Series) -> Markup:
    places = [frame.at(*point) for point in series.points]
    snapshot = f"line {colour(series.snapshot)}" + (" strong" if series.strong else "")
    parts = [tag("path", d=path(places), class_=snapshot, stroke_dasharray=dash(series.snapshot))]
    if series.marks:
        points = zip(places, series.points, strict=True)
        parts += [
            marker(series.snapshot, *place, hover=f"{series.name}: {px:.3g} → {py:.3f}")
            for place, (px, py) in points
        ]
    return tag("g", *parts)


def sample(snapshot: int, point: bool = False, cloud: bool = False) -> Markup:
    """A short piece of a line with its marker, or the marker alone, for legends."""
    mark = dot(snapshot, 18, 8, size=5) if cloud else marker(snapshot, 18, 8)
    if point:
        return tag("svg", mark, viewBox="10 0 16 16", class_="sample point", aria_hidden="true")
    line = tag(
        "path", d="M2 8L34 8", class_=f"line {colour(snapshot)}", stroke_dasharray=dash(snapshot)
    )
    return tag("svg", line, mark, viewBox="0 0 36 16", class_="sample", aria_hidden="true")


def heat_map(
    label: str,
    rows: Sequence[str],
    columns: Sequence[str],
    shade: NDArray[Any],
    words: Sequence[Sequence[str]],
    *,
    titles: tuple[str, str] = ("", ""),
    second: Sequence[Sequence[str]] | None = None,
) -> Markup:
    """Cells shaded by `shade` in [0, 1], with words in them.

    :param shade: *Shape:* (n_rows, n_columns); NaN leaves a cell empty.
    :param second: smaller words under the first.
    :param titles: of the columns and of the rows.
    """
    left = 14 + _LETTER * max((len(name) for name in rows), default=0)
    widest = 112.0 if second else 76.0
    cell_width = max(34.0, min(widest, (2 * WIDTH - left) / max(len(columns), 1)))
    longest = max(map(len, columns), default=0)
    turned = longest * _LETTER > cell_width
    top = 26 + (_LETTER * 0.75 * longest if turned else 12)
    cell_height = 38.0 if second else 26.0
    parts = [
        _column_name(left + (n + 0.5) * cell_width, top, name, turned=turned)
        for n, name in enumerate(columns)
    ]
    parts.append(text(left, 13, titles[0], "title"))
    for row, name in enumerate(rows):
        y = top + row * cell_height
        parts.append(text(left - 8, y + cell_height / 2 + 4, name, "tick", text_anchor="end"))
        for column in range(len(columns)):
            under = second[row][column] if second else ""
            box = (left + column * cell_width, y, cell_width, cell_height)
            hover = f"{name} · {columns[column]}: {words[row][column]} {under}".strip()
            parts.append(_cell(box, float(shade[row][column]), words[row][column], under, hover))
    slack = _LETTER * 0.5 * len(columns[-1]) if turned and columns else 6
    return drawing(
        label,
        *parts,
        width=left + cell_width * len(columns) + slack,
        height=top + cell_height * len(rows) + 6,
    )


def _column_name(x: float, top: float, name: str, *, turned: bool) -> Markup:
    if not turned:
        return text(x, top - 7, name, "tick", text_anchor="middle")
    place = f"translate({x + 3:.1f} {top - 7:.1f}) rotate(-50)"
    return tag("text", name, class_="tick", transform=place)


def _cell(
    box: tuple[float, float, float, float], shade: float, words: str, under: str, hover: str
) -> Markup:
    x, y, width, height = box
    empty = math.isnan(shade)
    strength = 0.0 if empty else min(max(shade, 0.0), 1.0)
    ink = "ink-on" if strength > 0.55 else "ink-off"
    parts = [
        tag("title", hover),
        tag(
            "rect",
            x=x + 1,
            y=y + 1,
            width=width - 2,
            height=height - 2,
            rx=3,
            class_="cell-empty" if empty else "heat",
            fill_opacity=None if empty else f"{0.06 + 0.94 * strength:.3f}",
        ),
    ]
    middle = x + width / 2
    lift = -3 if under else 4
    parts.append(text(middle, y + height / 2 + lift, words, f"cell {ink}", text_anchor="middle"))
    if under:
        parts.append(text(middle, y + height / 2 + 11, under, f"under {ink}", text_anchor="middle"))
    return tag("g", *parts)


def bar_chart(
    label: str,
    names: Sequence[str],
    values: Sequence[float],
    words: Sequence[str],
    *,
    narrow: bool = False,
) -> Markup:
    """Lying bars, one a name, each with its words at the end; `narrow` has names above bars."""
    row, top, full = (40.0, 4.0, float(PHONE)) if narrow else (22.0, 6.0, float(WIDTH))
    left, lift = _room(names, narrow=narrow, most=0.45 * WIDTH), 18 if narrow else 0
    right = 12 + _LETTER * max((len(word) for word in words), default=0)
    longest = max([*values, 0]) or 1
    parts = []
    for n, (name, value, word) in enumerate(zip(names, values, words, strict=True)):
        y = top + n * row
        width = max(value / longest * (full - left - right), 1.0)
        bar = y + lift
        parts.append(_row_name(left, y + 15, name, narrow=narrow))
        parts.append(tag("rect", x=left, y=bar + 3, width=width, height=16.0, rx=3, class_="bar"))
        parts.append(text(left + width + 6, bar + 15, word, "tick"))
    return drawing(label, *parts, width=full, height=top + row * len(names) + 6)


def _room(names: Sequence[str], *, narrow: bool, most: float = float("inf")) -> float:
    """Where rows begin: beside their names, or at the edge with the names above."""
    if narrow:
        return 8.0
    return min(14 + _LETTER * max((len(name) for name in names), default=0), most)


def _row_name(left: float, y: float, name: str, *, narrow: bool) -> Markup:
    if narrow:
        return text(left, y, name, "tick name")
    return text(left - 8, y, name, "tick", text_anchor="end")


def dot_plot(
    label: str,
    names: Sequence[str],
    marks: Sequence[tuple[str, int, Sequence[float]]],
    title: str,
    *,
    narrow: bool = False,
) -> Markup:
    """Several marks (name, look, values in [0, 1]) on one line for each name, or under it."""
    row, top, width = (42.0, 4.0, float(PHONE)) if narrow else (24.0, 8.0, 1.25 * WIDTH)
    left, drop = _room(names, narrow=narrow), 12 if narrow else 0
    height = top + row * len(names) + 46
    x, y_axis = Axis(0, 1, even_ticks(0, 1, 0.2), title), Axis(0, 1, ())
    frame = Frame(x, y_axis, width=width, height=height, left=left, top=top)
    parts = [frame.axes()]
    for n, name in enumerate(names):
        middle = top + (n + 0.5) * row
        parts.append(_row_name(left, middle + (4 if not narrow else -4), name, narrow=narrow))
        parts += _marks_of_row(frame, middle + drop, name, [(m[0], m[1], m[2][n]) for m in marks])
    return drawing(label, *parts, width=width, height=height)


def _marks_of_row(
    frame: Frame, y: float, name: str, marks: Sequence[tuple[str, int, float]]
) -> list[Markup]:
    values = [value for _, _, value in marks]
    start, end = (frame.at(value, 0)[0] for value in (min(values), max(values)))
    full = float(frame.width - frame.right)
    return [
        tag("line", x1=frame.left, x2=full, y1=y, y2=y, class_="grid"),
        tag("line", x1=start, x2=end, y1=y, y2=y, class_="span"),
        *(
            marker(snapshot, frame.at(value, 0)[0], y, hover=f"{name}: {what} {value:.3f}")
            for what, snapshot, value in marks
        ),
    ]


def histogram(
    label: str, edges: Sequence[float], counts: Sequence[int], x: Axis, *, y_title: str
) -> Markup:
    """Standing bars between `edges` (one more than `counts`)."""
    most = max([*counts, 1])
    frame = Frame(x, Axis(0, most, counting_ticks(most), y_title))
    parts = [frame.axes()]
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        x0, y0 = frame.at(low, count)
        x1, y1 = frame.at(high, 0)
        markup = tag("title", f"{low:.0f} to {high:.0f}: {count}")
        parts.append(
            tag(
                "rect",
                markup,
                x=x0 + 0.75,
                y=y0,
                width=max(x1 - x0 - 1.5, 0.5),
                height=y1 - y0,
                class_="bar",
            )
        )
    return drawing(label, *parts)


def counting_ticks(most: float) -> tuple[tuple[float, str], ...]:
    """Some five round numbers from 0 up."""
    step = 1.0
    for factor in (2, 2.5, 2) * 6:
        if most / step <= 6:
            break
        step *= factor
    return even_ticks(0, most, step, "{:,.0f}")


def point_map(label: str, groups: Sequence[tuple[str, int, NDArray[Any], Sequence[str]]]) -> Markup:
    """Points of groups (name, look, places in [0, 1] of *Shape:* (n, 2), hover words)."""
    width, height = 2 * WIDTH, 1.15 * WIDTH
    parts = []
    for _, snapshot, places, tooltip in groups:
        for (x, y), words in zip(places, tooltip, strict=True):
            at = (12 + float(x) * (width - 24), 12 + (1 - float(y)) * (height - 24))
            parts.append(dot(snapshot, *at, hover=words))
    frame = tag("rect", x=1, y=1, width=width - 2, height=height - 2, rx=8, class_="frame")
    return drawing(label, frame, tag("g", *parts, class_="cloud"), width=width, height=height)
