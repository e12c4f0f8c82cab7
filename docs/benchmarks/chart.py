"""The chapter's chart, redrawn: micro and macro F1 against labelled issues, every method.

    python docs/benchmarks/chart.py REPORT.json --title "hf-10" --out docs/images/chart-hf-10.svg

Takes what `issue-tagger evaluate` wrote and draws both figures side by side, the axis of labelled
issues logarithmic, bands of 95 % behind the lines, as one SVG that needs no style sheet: it serves
on GitHub in light and dark mode. Several reports may be given, such as one with rivals; of a method
that is in two, the first one counts. With `--png` a PNG is drawn beside it by Chromium, where that
is installed.

After Tunstall, von Werra, Wolf (2022), *Natural Language Processing with Transformers*, chapter 9.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tagger.evaluation.report.charts import Series, line_chart, sample
from tagger.evaluation.report.page import _HERE as REPORT
from tagger.evaluation.report.svg import HEIGHT, WIDTH, Axis, even_ticks
from tagger.evaluation.slices import slice_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Report = dict[str, Any]
Row = dict[str, Any]
"""An entry of a report's summary."""

FIRST = "chain"
GAP, LEGEND_ROW, HEAD = 24, 22, 34
EACH = 150
"""Width that a method's name takes in the legend."""


def main() -> None:
    given = _arguments()
    reports = [json.loads(Path(name).read_text(encoding="utf-8")) for name in given.reports]
    out = Path(given.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(chart(reports, given.title), encoding="utf-8")
    if given.png:
        print(as_png(out))


def chart(reports: Sequence[Report], title: str) -> str:
    """One SVG of both figures with a legend under them."""
    summary = merged(reports)
    names = sorted({one["strategy"] for one in summary}, key=lambda name: (name != FIRST, name))
    panels = [panel(summary, names, metric) for metric in ("micro_f1", "macro_f1")]
    rows = -(-len(names) // ((2 * WIDTH + GAP) // EACH))
    width, height = 2 * WIDTH + GAP, HEAD + HEIGHT + 8 + LEGEND_ROW * rows
    parts = [
        Markup('<text x="{}" y="20" class="name">{}</text>').format(width / 2, title),
        *(placed(one, n * (WIDTH + GAP), HEAD) for n, one in enumerate(panels)),
        *legend(names, width, HEAD + HEIGHT + 8),
    ]
    opened = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'width="{width}" height="{height}">'
    )
    label = Markup("<title>{}: F1 over labelled issues</title>").format(title)
    return f"{opened}{label}<style>{style()}</style>{Markup().join(parts)}</svg>\n"


def merged(reports: Sequence[Report]) -> list[Row]:
    """Summaries of all reports; of a method that is in two, the first report's."""
    found: dict[str, tuple[int, list[Row]]] = {}
    for number, report in enumerate(reports):
        for one in report["summary"]:
            found.setdefault(one["strategy"], (number, []))
            if found[one["strategy"]][0] == number:
                found[one["strategy"]][1].append(one)
    return [one for _, own in found.values() for one in own]


def panel(summary: Sequence[Row], names: Sequence[str], metric: str) -> Markup:
    sizes = {one["slice"]: one["n_train"] for one in summary}
    smallest = min((size for size in sizes.values() if size), default=1)

    def place(one: Row) -> float:  # no issue at all stands where half of the smallest slice would
        return float(one["n_train"] or max(smallest / 2, 0.5))

    lines = []
    for snapshot, name in enumerate(names):
        own = sorted(
            (one for one in summary if one["strategy"] == name),
            key=lambda one: slice_size(one["slice"]),
        )
        points = tuple((place(one), one[metric]) for one in own)
        bounds = (one[f"{metric}_ci"] for one in own)
        band = tuple((low, high) for low, high in bounds)
        lines.append(Series(name, snapshot, points, band, strong=name == FIRST))
    ticks = {place(one): f"{one['n_train']:,}" for one in summary}
    x = Axis(
        min(ticks) / 1.15,
        max(ticks) * 1.1,
        tuple(sorted(ticks.items())),
        "labelled issues",
        log=True,
    )
    top = max(high for line in lines for _, high in line.band)
    y = Axis(0, min(1.0, top + 0.03), even_ticks(0, 1 if top > 0.97 else top, 0.1))
    title = f"{'Micro' if metric == 'micro_f1' else 'Macro'} F1"
    return line_chart(title, lines, x, Axis(y.low, y.high, y.ticks, title))


def placed(drawing: Markup, x: float, y: float) -> Markup:
    """A drawing inside another: its own style is for a page."""
    own = re.sub(
        r' style="[^"]*"', f' x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}"', drawing, count=1
    )
    return Markup(own)  # noqa: S704 - our own drawing, escaped where it was made


def legend(names: Sequence[str], width: float, top: float) -> Iterator[Markup]:
    across = int(width // EACH)
    for n, name in enumerate(names):
        x, y = (n % across) * EACH + 12, top + (n // across) * LEGEND_ROW
        drawn = str(sample(n)).replace("<svg ", f'<svg x="{x}" y="{y}" width="36" height="16" ', 1)
        yield Markup(drawn)  # noqa: S704 - likewise
        yield Markup('<text x="{}" y="{}" class="tick">{}</text>').format(x + 42, y + 12, name)


def style() -> str:
    """The page's own colours and shapes, as far as a drawing needs them."""
    css = (REPORT / "page.css").read_text(encoding="utf-8")
    roots = _found(re.search(r":root \{.*?\n\}\n(?=@media screen)", css, re.DOTALL)).group()
    dark = re.search(
        r"@media screen and \(prefers-color-scheme: dark\) \{.*?\n\}\n", css, re.DOTALL
    )
    shapes = re.findall(r"^\.(?:tick|title|grid|axis|line|band|mark|c\d)[^\n]*$", css, re.MULTILINE)
    own = (
        "svg{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
        ".name{font-size:16px;font-weight:600;fill:var(--ink);text-anchor:middle}"
    )
    return "\n".join([roots, dark.group() if dark else "", *shapes, own])


def _found(match: re.Match[str] | None) -> re.Match[str]:
    if match is None:
        raise SystemExit("the report's style or the drawing is not in the shape that is known here")
    return match


def as_png(svg: Path) -> Path:
    """The same as a picture, drawn by Chromium at twice the size."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("a PNG needs chromium; the SVG is written")
    size = re.search(r'width="(\d+)" height="(\d+)">', svg.read_text("utf-8"))
    width, height = _found(size).groups()
    png = svg.with_suffix(".png").resolve()
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--force-device-scale-factor=2", f"--window-size={width},{height}"]
    command += [f"--screenshot={png}", svg.resolve().as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - our own
    return png


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+")
    parser.add_argument("--title", default="")
    parser.add_argument("--out", required=True)
    parser.add_argument("--png", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
