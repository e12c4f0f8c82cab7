"""A benchmark as JSON, Markdown, and the chapter's figure: F1 against latency, area for size."""

from __future__ import annotations

import json
import math
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tagger.evaluation.report.svg import Axis, Frame, drawing, even_ticks, tag, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagger.benchmark.rows import BenchmarkRow

LIBRARIES = ("torch", "onnxruntime", "transformers", "faiss-cpu", "numpy")

COLUMNS = (
    "strategy",
    "runtime",
    "median ms",
    "p95",
    "p99",
    "issues/s",
    "MB",
    "peak MB",
    "load s",
    "micro F1",
    "macro F1",
)

WIDTH, HEIGHT = 760, 460
TICKS_MS = (0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)

LARGEST = 26.0
"""Radius of the largest mark, in the drawing's units."""

STYLE = """
svg { background: #fff; font-family: system-ui, sans-serif; }
.tick { font-size: 11.5px; fill: #5b6570; }
.title { font-size: 12px; fill: #5b6570; font-weight: 600; }
.grid { stroke: #e3e6e9; } .axis { stroke: #9aa4ae; }
.size { fill-opacity: .35; stroke-width: 1.5; } .name { font-size: 11px; fill: #1c2024; }
.r0 { fill: #5b6570; stroke: #5b6570; } .r1 { fill: #0072b2; stroke: #0072b2; }
.r2 { fill: #3d9fd8; stroke: #3d9fd8; } .r3 { fill: #c98500; stroke: #c98500; }
.r4 { fill: #009e73; stroke: #009e73; } .r5 { fill: #cc79a7; stroke: #cc79a7; }
.r6 { fill: #d55e00; stroke: #d55e00; }
"""

LOOKS = ("torch", "torch-bf16", "torch-int8", "onnx", "onnx-int8", "onnx-int8-static")
"""Runtimes by their colour's number; peers have the last one."""


@dataclass(frozen=True)
class BenchmarkReport:
    """What a benchmark found.

    :ivar notes: what was left out, and why.
    """

    repository: str
    n_train: int
    n_test: int
    rows: tuple[BenchmarkRow, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "repository": self.repository,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "machine": machine(),
            "versions": {name: version(name) for name in LIBRARIES},
            "rows": [row.as_json() for row in self.rows],
            "notes": list(self.notes),
        }


def write(report: BenchmarkReport, folder: Path) -> tuple[Path, ...]:
    """`benchmark.json`, `.md`, `.svg` and `.html` in a folder, made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = figure(report.rows)
    written = {
        "benchmark.json": json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n",
        "benchmark.md": markdown(report),
        "benchmark.svg": str(picture),
        "benchmark.html": page(report, picture),
    }
    paths = tuple(folder / name for name in written)
    for path in paths:
        path.write_text(written[path.name], encoding="utf-8")
    return paths


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "processors": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def cells(row: BenchmarkRow) -> tuple[str, ...]:
    """One row's words, in the order of `COLUMNS`."""
    f1 = ["-" if value is None else f"{value:.3f}" for value in (row.micro_f1, row.macro_f1)]
    return (
        row.strategy,
        row.runtime,
        *(
            f"{milliseconds:.1f}"
            for milliseconds in (row.latency.median, row.latency.p95, row.latency.p99)
        ),
        f"{row.per_second:.1f}",
        f"{row.megabytes:.0f}",
        f"{row.peak_megabytes:.0f}",
        f"{row.load_seconds:.1f}",
        *f1,
    )


def markdown(report: BenchmarkReport) -> str:
    """The table, and under it what it rests on."""
    lines = [
        f"# Benchmark on {report.repository}",
        "",
        f"{report.n_train} issues learned from, {report.n_test} asked about; "
        f"{machine()['processors']} processors. Latency is of one issue alone, after a warm-up; "
        "each row ran in a process of its own.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|---|---|" + "---:|" * (len(COLUMNS) - 2),
        *("| " + " | ".join(cells(row)) + " |" for row in report.rows),
        *(f"\n{note}" for note in report.notes),
    ]
    return "\n".join(lines) + "\n"


def figure(rows: Sequence[BenchmarkRow]) -> Markup:
    """Micro F1 against median latency, a circle's area for size.

    Source of the idea: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers*
    (2022), chapter 8, "Making Transformers Efficient in Production".
    """
    shown = [(row, row.micro_f1) for row in rows if row.micro_f1 is not None]
    if not shown:
        return drawing("nothing that decides was measured", width=WIDTH, height=HEIGHT)
    frame = _frame([row for row, _ in shown])
    largest = max(row.megabytes for row, _ in shown) or 1.0
    marks = []
    for row, f1 in sorted(shown, key=lambda pair: -pair[0].megabytes):
        x, y = frame.at(row.latency.median, f1)
        radius = max(3.0, LARGEST * math.sqrt(row.megabytes / largest))
        hover = (
            f"{row.strategy}, {row.runtime}: {row.latency.median:.1f} ms, F1 {f1:.3f}, "
            f"{row.megabytes:.0f} MB"
        )
        marks += [
            tag("circle", tag("title", hover), cx=x, cy=y, r=radius, class_=f"size r{_look(row)}"),
            text(x + 5, y - 5, f"{row.strategy} · {row.runtime}", "name"),
        ]
    style = tag("style", Markup(STYLE))  # noqa: S704 - a constant of this file
    title = "F1 against latency by strategy and runtime, area for size"
    return drawing(title, style, frame.axes(), *marks, width=WIDTH, height=HEIGHT)


def page(report: BenchmarkReport, picture: Markup) -> str:
    """One HTML file with figure and table, that asks nothing of a network."""
    css = files("tagger.evaluation.report").joinpath("page.css").read_text(encoding="utf-8")
    head = tag("tr", *(tag("th", name) for name in COLUMNS))
    body = [tag("tr", *(tag("td", word) for word in cells(row))) for row in report.rows]
    content = tag(
        "body",
        tag("h1", f"Benchmark on {report.repository}"),
        tag("figure", tag("div", picture, class_="scroll")),
        tag("div", tag("table", head, *body), class_="scroll"),
        *(tag("p", note, class_="note") for note in report.notes),
    )
    title = tag("title", "Benchmark")
    style = tag("style", Markup(css))  # noqa: S704 - a file of the package
    meta = Markup('<meta charset="utf-8">')
    return f'<!doctype html><html lang="en"><head>{meta}{title}{style}</head>{content}</html>\n'


def _frame(rows: Sequence[BenchmarkRow]) -> Frame:
    times = [row.latency.median for row in rows]
    low, high = min(times) / 1.6, max(times) * 2.2
    ticks = tuple((tick, f"{tick:g}") for tick in TICKS_MS if low <= tick <= high)
    best = [row.micro_f1 or 0.0 for row in rows]
    bottom, top = max(0.0, min(best) - 0.08), min(1.0, max(best) + 0.08)
    return Frame(
        Axis(low, high, ticks, "milliseconds for one issue (median)", log=True),
        Axis(bottom, top, even_ticks(bottom, top, 0.1), "micro F1"),
        width=WIDTH,
        height=HEIGHT,
        right=60,
    )


def _look(row: BenchmarkRow) -> int:
    return LOOKS.index(row.runtime) if row.runtime in LOOKS else len(LOOKS)
