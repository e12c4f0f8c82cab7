"""SVG by hand: elements, axes and marks whose colours are left to the page's style sheet.

Colours are classes (`c0` … `c6`, `heat`, `grid`), so that one picture serves light, dark and print.
Every text and attribute is escaped by markupsafe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 480, 330
"""The view box of most figures: on a phone it shrinks by a quarter and stays legible."""

N_COLOURS = 8
"""Colours of the style sheet, one for each strategy: Okabe and Ito's palette for the colour-blind,
with brown for its yellow, which is too light on paper."""

DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 4", "12 4", "12 3 2 3 2 3")
MARKERS = ("circle", "square", "triangle", "diamond", "cross", "ring", "down", "plus")


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """One element; `_` in attribute names stands for `-`, a trailing one is dropped.

    Children that are no `Markup` are escaped; names come from code, never from data.
    """
    written = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _short(value))
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup().join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inside)


def _short(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def drawing(label: str, *parts: str, width: float = WIDTH, height: float = HEIGHT) -> Markup:
    """An `<svg>` as wide as its place, named for those who do not see it.

    It shrinks by a fifth at most, so that its words stay legible; its place scrolls beyond that.
    """
    return tag(
        "svg",
        *parts,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        style=f"max-width:{1.3 * width:.0f}px;min-width:{min(0.8 * width, 760):.0f}px",
        role="img",
        aria_label=label,
        xmlns="http://www.w3.org/2000/svg",
        preserveAspectRatio="xMidYMid meet",
    )


def text(x: float, y: float, words: str, class_: str = "", **attributes: object) -> Markup:
    return tag("text", words, x=float(x), y=float(y), class_=class_ or None, **attributes)


def colour(kind: int) -> str:
    """The class of a series' colour; the first one's is its alone, the others are used again."""
    return f"c{kind if kind < N_COLOURS else _again(kind)[1]}"


def dash(kind: int) -> str | None:
    """The dashes of a series' line; series that share a colour differ in them."""
    return DASHES[_shape(kind) % len(DASHES)] or None


def _again(kind: int) -> tuple[int, int]:
    """How often the colours but the first one have been used up, and which one it is."""
    rounds, colour = divmod(max(kind - 1, 0), N_COLOURS - 1)
    return rounds, colour + 1


def _shape(kind: int) -> int:
    return kind + 2 * _again(kind)[0]


@dataclass(frozen=True)
class Axis:
    """From numbers to a share of the way along an axis.

    :ivar ticks: value and words of each tick.
    :ivar log: logarithmic; `low` must then be above 0.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    title: str = ""
    log: bool = False

    def share(self, value: float) -> float:
        """0 at `low`, 1 at `high`."""
        low, high = self._on(self.low), self._on(self.high)
        return (self._on(value) - low) / (high - low) if high > low else 0.5

    def _on(self, value: float) -> float:
        return math.log(max(value, 1e-12)) if self.log else value


@dataclass(frozen=True)
class Frame:
    """The plotting area inside a drawing, in its units."""

    x: Axis
    y: Axis
    width: float = WIDTH
    height: float = HEIGHT
    left: float = 46
    right: float = 14
    top: float = 12
    bottom: float = 46

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a pair of values lies."""
        across = self.left + self.x.share(x) * (self.width - self.left - self.right)
        inner = self.height - self.top - self.bottom
        return across, self.top + (1 - self.y.share(y)) * inner

    def axes(self) -> Markup:
        """Grid lines, tick words and titles of both axes."""
        foot, ceiling = self.height - self.bottom, self.top
        parts = [self._y_tick(value, words) for value, words in self.y.ticks]
        parts += [self._x_tick(value, words) for value, words in self.x.ticks]
        middle = (self.left + self.width - self.right) / 2
        parts.append(text(middle, self.height - 8, self.x.title, "title", text_anchor="middle"))
        up = (foot + ceiling) / 2
        turned = f"rotate(-90 12 {_short(up)})"
        parts.append(text(12, up, self.y.title, "title", text_anchor="middle", transform=turned))
        return tag("g", *parts)

    def _y_tick(self, value: float, words: str) -> Markup:
        _, y = self.at(self.x.low, value)
        end = self.width - self.right
        line = tag("line", x1=self.left, x2=float(end), y1=y, y2=y, class_="grid")
        return line + text(self.left - 6, y + 4, words, "tick", text_anchor="end")

    def _x_tick(self, value: float, words: str) -> Markup:
        x, _ = self.at(value, self.y.low)
        foot = self.height - self.bottom
        line = tag("line", x1=x, x2=x, y1=float(foot), y2=foot + 4.0, class_="axis")
        return line + text(x, foot + 17, words, "tick", text_anchor="middle")


def path(points: Iterable[tuple[float, float]]) -> str:
    """Straight lines through points, as a path's `d`."""
    return "M" + "L".join(f"{_short(float(x))} {_short(float(y))}" for x, y in points)


def dot(kind: int, x: float, y: float, hover: str = "", size: float = 3.4) -> Markup:
    """A round mark told by its colour alone, for clouds of them; 0 is the grey of the rest."""
    markups = [tag("title", hover)] if hover else []
    class_ = f"mark {colour(kind)}" if kind else "mark rest"
    return tag("circle", *markups, cx=float(x), cy=float(y), r=size, class_=class_)


def marker(kind: int, x: float, y: float, hover: str = "", size: float = 4.2) -> Markup:
    """A mark whose shape tells series apart where colour does not."""
    shape = MARKERS[_shape(kind) % len(MARKERS)]
    markups = [tag("title", hover)] if hover else []
    snapshot = f"mark {colour(kind)}" + (" open" if shape in {"ring", *_CROSSED} else "")
    if shape in {"circle", "ring"}:
        return tag("circle", *markups, cx=float(x), cy=float(y), r=size, class_=snapshot)
    corners = [(x + dx * size * 1.15, y + dy * size * 1.15) for dx, dy in _CORNERS[shape]]
    crossed = path(corners[:2]) + path(corners[2:])
    d = crossed if shape in _CROSSED else path(corners) + "Z"
    return tag("path", *markups, d=d, class_=snapshot)


_CORNERS: dict[str, Sequence[tuple[float, float]]] = {
    "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "triangle": ((0, -1.1), (1, 0.8), (-1, 0.8)),
    "down": ((0, 1.1), (1, -0.8), (-1, -0.8)),
    "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    "cross": ((-0.9, -0.9), (0.9, 0.9), (-0.9, 0.9), (0.9, -0.9)),
    "plus": ((0, -1.15), (0, 1.15), (-1.15, 0), (1.15, 0)),
}
_CROSSED = ("cross", "plus")


def even_ticks(
    low: float, high: float, step: float, form: str = "{:g}"
) -> tuple[tuple[float, str], ...]:
    """Ticks at every multiple of `step` in [low, high]."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((n * step, form.format(round(n * step, 10))) for n in range(first, last + 1))
