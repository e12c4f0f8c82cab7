"""How long cleaning takes: 500 drawn bodies of a megabyte each, and the worst of them.

    python docs/benchmarks/cleaning_speed.py --bodies 500

Each body repeats a few pieces of Markdown: comments, code marks, boxes, quotes, lists, tables,
HTML, logs, plain words. Times are processor time of the process, the best of three.
"""

from __future__ import annotations

import argparse
import random
import time

import numpy as np

from tagger.text.cleaning.markdown import clean_body

MEGABYTE = 1_000_000
PIECES = (
    *(
        "<!--",
        "-->",
        "<!-- hint -->",
        "`",
        "``",
        "```\n",
        "~~~\n",
        "\n",
        "\n\n",
        "    ",
        "\t",
        "\\",
    ),
    *(
        "# ",
        "### ",
        "\n---\n",
        "\n===\n",
        "- ",
        "- [ ] ",
        "* [x] ",
        "1. ",
        "2) [ ] ",
        "> ",
        "> > > ",
    ),
    *("_No response_", "<div>", "</div>\n", "|a|b|\n|-|-|\n", "[", "](x)", "![", "<", "&amp;", "*"),
    *('  File "a/b.py", line 1\n', "ValueError: no\n", "2024-01-01 10:00:00 INFO up\n", "crash "),
    *("some words on a boat that sinks, and why it does. ", "a/b/c.py ", "QUJD" * 40, "日本語"),
)


def main() -> None:
    """Quantiles in milliseconds, and the slowest body's beginning."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=500)
    bodies = parser.parse_args().bodies
    clean_body("# warm up\n\n<!-- x -->")
    measured = sorted((milliseconds(body(seed)), seed) for seed in range(bodies))
    times = [spent for spent, _ in measured]
    shares = (0.5, 0.9, 0.99, 1)
    told = ", ".join(f"{share:.0%} {np.quantile(times, share):.2f} ms" for share in shares)
    print(f"of {bodies} bodies of 1 MB: {told}")
    for _, seed in measured[-3:]:
        print(repr(body(seed)[:80]))


def body(seed: int) -> str:
    """A megabyte, from one to eight pieces in their order over and over."""
    draw = random.Random(seed)
    unit = "".join(draw.choices(PIECES, k=draw.randint(1, 8)))
    return (unit * (MEGABYTE // len(unit) + 1))[:MEGABYTE]


def milliseconds(text: str) -> float:
    """Best of three."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        clean_body(text)
        spent.append(1000 * (time.process_time() - start))
    return min(spent)


if __name__ == "__main__":
    main()
