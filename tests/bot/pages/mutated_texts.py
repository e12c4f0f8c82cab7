"""Titles and bodies made to break out of a page: markup, scripts, directions, escapes, size."""

from __future__ import annotations

import random

PARTS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</textarea><svg onload=alert(1)>",
    "</script><script src=//evil.test></script>", "\"'><b id=evil>", "javascript:alert(1)",
    "<style>*{display:none}</style>", "</article></main></body></html>", "<!-- ", "-->", "]]>",
    "<iframe srcdoc='<script>alert(1)</script>'>", "<base href=//evil.test>", "{{ 7*7 }}",
    "{% raw %}", "${7*7}", "&lt;script&gt;", "&#x3c;script&#x3e;", "%3Cscript%3E",
    "\u202e\u202d\u2066\u2069 txt.exe", "\u200b\u200d\ufeff", "\x1b[31mred\x1b]8;;http://evil\x07",
    "\x00\x01\x08\x7f\x9b", "\r\n\r\nHTTP/1.1 200 OK", "\U0001f600",
    "𐍈\U000e0041", "a" * 3000, "`" * 300, "```\n<script>\n", "~~~\n", "# [x](y)",
    "![x](https://evil.test/pixel.png)", "<a href='data:text/html,<script>'>", "\u2028\u2029",
    "@octocat #1 GH-1", "<math><mi xlink:href=javascript:alert(1)>", "' OR 1=1 --",
    "=cmd|' /C calc'",
)  # fmt: skip


def mutated(seed: int) -> tuple[str, str]:
    """A title and a body, always the same ones for a seed."""
    chance = random.Random(seed)

    def text(most: int) -> str:
        parts = [chance.choice(PARTS) for _ in range(chance.randint(1, most))]
        joined = "".join(parts)
        for _ in range(chance.randint(0, 4)):
            place = chance.randrange(len(joined) + 1)
            joined = (
                joined[:place]
                + chr(chance.choice((60, 62, 34, 39, 38, 0x202E, 9, 10)))
                + joined[place:]
            )
        return joined

    body = text(12)
    return text(4)[:1000] or "x", body * (40 if chance.random() < 0.02 else 1)
