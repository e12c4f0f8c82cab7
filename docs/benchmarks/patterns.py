"""How long a pattern of `ignore.titles` takes on a title: a million random pairs, and worse ones.

    python docs/benchmarks/patterns.py --pairs 1000000

Patterns of up to 200 characters are put together at random from what makes regular expressions
slow (repeats inside repeats, alternatives of one beginning, counted repeats, classes of Unicode)
and from plain text; those that the product refuses are counted and left out. Titles have 256
characters: random ones, and such as engines dislike. The patterns of one row of the table are
tried as a file would have them, twenty on each title. The time is that of the thread itself, so
that other work does not count; a pair that took over 5 ms all the same is timed anew,
alone, five times. It ends well whatever it measures: how fast a machine is, is no fault.
"""

from __future__ import annotations

import argparse
import random
import time

from bot.configuration.patterns import MAX_PATTERN, MAX_PROGRAM, MAX_TITLE, TitlePattern

BOUND_MS = 5.0
TOGETHER = 20
ATOMS: tuple[str, ...] = (
    *"ab01 .",
    r"\d",
    r"\w",
    r"\s",
    r"\b",
    "[ab]",
    "[^a]",
    "[a-z0-9_]",
    r"\p{Greek}",
    "ä",
    "😀",
    "^",
    "$",
    "(?i)",
)
REPEATS: tuple[str, ...] = ("", "", "", "*", "+", "?", "*?", "{0,9}", "{2,30}", "{24}")
HOSTILE = (
    r"(a+)+$",
    r"(a|aa)*$",
    r"(?:.?){24}\d",
    r"(?:[ab]?){400}\d",
    r"(?:(?:a*)*)*b",
    ".*" * 60 + "x",
    r"(?:.*a){25}\d",
    r"[ab]*a[ab]{180}\d",
    r"(a|b)*a(a|b){40}\d",
    r"(?:.?){160}\d",
    r"(?:\pL|\pN)*!",
    r"(?:(?:a{0,9}){0,9}){0,9}\d",
)


def main() -> None:
    """Run what the command line asks for."""
    wanted = _arguments()
    chance = random.Random(wanted.seed)
    titles = _titles(chance)
    rows = max(wanted.pairs // (len(titles) * TOGETHER), 1)
    refused, longest, again, together = 0, 0.0, 0.0, 0.0
    largest, pauses = 0, 0
    for row in range(rows):
        patterns, missed = _patterns(chance, HOSTILE if row == 0 else ())
        refused += missed
        largest = max(largest, *(pattern.size for pattern in patterns))
        for title in titles:
            whole = 0.0
            for pattern in patterns:
                took = _timed(pattern, title)
                if took > BOUND_MS:
                    pauses += 1
                    took = min(_timed(pattern, title) for _ in range(5))
                    again = max(again, took)
                longest, whole = max(longest, took), whole + took
            together = max(together, whole)
    pairs = rows * len(titles) * TOGETHER
    print("| pairs | patterns refused | largest program | longest ms | all 20 on a title ms |")
    print("|---|---|---|---|---|")
    print(f"| {pairs} | {refused} | {largest} of {MAX_PROGRAM} | {longest:.2f} | {together:.2f} |")
    print(f"\n{pauses} pairs took over {BOUND_MS:g} ms at first; alone, at most {again:.2f} ms.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _timed(pattern: TitlePattern, title: str) -> float:
    """Milliseconds of one search."""
    began = time.thread_time()
    pattern.is_in(title)
    return 1000 * (time.thread_time() - began)


def _patterns(chance: random.Random, first: tuple[str, ...]) -> tuple[list[TitlePattern], int]:
    """As many as a file may have, and how many more were refused."""
    patterns: list[TitlePattern] = []
    refused, known = 0, list(first)
    while len(patterns) < TOGETHER:
        text = known.pop() if known else _pattern(chance)
        try:
            patterns.append(TitlePattern.of(text))
        except ValueError:
            refused += 1
    return patterns, refused


def _pattern(chance: random.Random) -> str:
    """Some text of nearly 200 characters that is a regular expression, most of the time."""
    text = ""
    while True:
        piece = _piece(chance, chance.randint(0, 3))
        if len(text) + len(piece) > MAX_PATTERN:
            return text or "a"
        text += piece


def _piece(chance: random.Random, depth: int) -> str:
    if depth == 0:
        return chance.choice(ATOMS) + chance.choice(REPEATS)
    parts = [_piece(chance, depth - 1) for _ in range(chance.randint(1, 3))]
    return "(?:" + chance.choice(("", "|")).join(parts) + ")" + chance.choice(REPEATS)


def _titles(chance: random.Random) -> list[str]:
    alphabets = ("ab", "ab01 ", "aä😀", "abcdefghij klmnop_0123456789[]()", "🙂🙃")
    odd = ["ab" * 128, "a" * MAX_TITLE, "a" * (MAX_TITLE - 1) + "1", "😀" * MAX_TITLE, "0" * 256]
    drawn = ["".join(chance.choices(letters, k=MAX_TITLE)) for letters in alphabets * 9]
    return [*odd, *drawn]


if __name__ == "__main__":
    main()
