"""Cleaning of version 2: a title is plain text, a body is Markdown, and nothing breaks either."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tagger.text.cleaning.logs import LONGEST
from tagger.text.cleaning.markdown import READ, clean_body, clean_title


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Parser stops at <!-- in a title", "Parser stops at <!-- in a title"),
        ("Drop <!-- x --> from the output", "Drop <!-- x --> from the output"),
        ("- [ ] is shown as text", "- [ ] is shown as text"),
        ("_No response_", "_No response_"),
        ("  two\nlines\t\x00", "two lines"),
    ],
)
def test_a_title_is_plain_text(title, expected):
    assert clean_title(title) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("before <!-- tick\none box --> after", "before  after"),
        ("<!-- Thanks for the report! -->\nIt fails.", "It fails."),
        ("It fails.<!-- how? -->Always.", "It fails. Always."),
        ("> quoted <!-- a\n> b --> rest", "> quoted  rest"),
        ("- item <!-- hint -->\n\n  more", "- item \n\n  more"),
        ("<details><!-- hint -->\nlog\n</details>", "<details>\nlog\n</details>"),
        ("<!-- a --> <!-- b\n\nstill b -->\n\nwords", "words"),
    ],
)
def test_comments_go(body, expected):
    assert clean_body(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "The parser reads `<!--` as text. So does `` `<!-- `` here.",
        "```html\n<!-- kept -->\n```\n\nand after it",
        "~~~\n<!-- never closed\n~~~\n\nand after it",
        "    <!-- indented code -->\n\nand after it",
        "- step\n\n  ```\n  - [ ] not a box\n  ```",
        "An escaped \\<!-- is text, --> too",
        "before <!-- never closed",
        "<!-- never closed, and then the report",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "> a quote\n>\n> of two paragraphs",
        "- [x] Linux\n- [X] macOS",
        "# Crash when I press the button",
        "日本語 текст عربى 🐛\tkeep\ttabs",
    ],
)
def test_what_people_wrote_stays(body):
    assert clean_body(body) == body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("### Logs\n\n_No response_\n\n### Steps\n\nclick", "### Steps\n\nclick"),
        ("### Logs\n\n```shell\n\n```\n\n### Steps\n\nclick", "### Steps\n\nclick"),
        ("### What happened?\n\n_No response_\n\n### Version\n\n_No response_", ""),
        ("## A\n\n<!-- hint -->\n\n## B\n\n<!-- hint -->", ""),
        ("# A\n\n## B\n\n### C\n\ntext\n\n# D", "# A\n\n## B\n\n### C\n\ntext"),
        ("Logs\n----\n\n_No response_", ""),
        ("- [ ] Windows\n- [x] Linux\n1. [ ] never", "- [x] Linux"),
        ("- [ ] I searched\nand found nothing like it", "and found nothing like it"),
        ("-<!-- --> [ ] a box all the same", ""),
    ],
)
def test_what_nobody_filled_in_goes(body, expected):
    assert clean_body(body) == expected


def test_a_long_traceback_becomes_what_it_says():
    frames = "".join(
        f'  File "/usr/lib/python3/site-packages/boat/m{n}.py", line {n}, in row\n    pull()\n'
        for n in range(40)
    )
    log = f"Traceback (most recent call last):\n{frames}LeakError: wet"
    cleaned = clean_body(f"It sinks:\n\n```\n{log}\n```\n\nHelp.")
    assert "LeakError: wet" in cleaned
    assert "boat/m7.py" in cleaned
    assert cleaned.startswith("It sinks:")
    assert cleaned.endswith("```\n\nHelp.")
    assert cleaned.count("\n") < LONGEST + 6


def test_long_code_that_is_no_log_stays():
    code = "\n".join(f"def f{n}(a):\n    return a + {n}" for n in range(20))
    assert clean_body(f"```python\n{code}\n```") == f"```python\n{code}\n```"


def test_encoded_bytes_are_no_words():
    assert clean_body(f"![x](data:image/png;base64,{'iVBORw0KG' * 40}) seen") == (
        "![x](data:image/png;base64,) seen"
    )


WORDS = st.lists(st.sampled_from(["crash", "boat", "Ruder", "岸", "слово"]), min_size=1, max_size=4)
PIECES = st.one_of(
    WORDS.map(" ".join),
    st.sampled_from(
        [
            *(
                "<!--",
                "-->",
                "<!-- hint -->",
                "`",
                "``",
                "```\n",
                "~~~",
                "\n",
                "\n\n",
                "    ",
                "\t",
            ),
            *("# ", "### ", "\n---\n", "\n===\n", "- ", "- [ ] ", "* [x] ", "1. ", "2) [ ] ", "> "),
            *(
                "_No response_",
                "<div>",
                "</div>\n",
                "|a|b|\n|-|-|\n",
                "\\",
                "[",
                "](x)",
                "<",
                "\r\n",
            ),
            *("\x00", "\ud800", '  File "a/b.py", line 1\n', "ValueError: no\n"),
        ]
    ),
)
ANY_BODY = st.one_of(
    st.lists(PIECES, max_size=40).map("".join),
    st.text(st.characters(codec=None), max_size=300),
    st.tuples(st.lists(PIECES, min_size=1, max_size=4).map("".join), st.integers(2, 3000)).map(
        lambda drawn: drawn[0] * drawn[1]
    ),
)


@settings(max_examples=500)
@example("crash<!--\\``")  # one mark is escaped, so the other is alone
@example("0) [ ]\n0\n=\n0\n=")  # without its first line the rest is headings
@given(ANY_BODY)
def test_cleaning_again_changes_nothing(body):
    cleaned = clean_body(body)
    assert clean_body(cleaned) == cleaned
    assert len(cleaned) <= READ
    cleaned.encode("utf-8")


FILLED = WORDS.map(" ".join).flatmap(
    lambda words: st.sampled_from(
        [
            f"{words}\n",
            f"`<!-- {words}`\n",
            f"```\n<!-- {words}\n```\n",
            f"> {words}\n",
            f"- {words}\n- [x] {words}\n",
            f"### Steps\n\n{words}\n",
            f"| a | b |\n|---|---|\n| {words} | |\n",
            f"    {words}\n",
        ]
    ).map(lambda block: (block, words))
)
UNFILLED = st.sampled_from(
    ["<!-- what? -->\n", "### Logs\n\n_No response_\n", "- [ ] searched\n", "```\n\n```\n", "---\n"]
).map(lambda block: (block, ""))


@settings(max_examples=500)
@given(st.lists(st.one_of(FILLED, UNFILLED), max_size=12))
def test_no_word_of_the_reporter_is_lost(blocks):
    cleaned = clean_body("\n".join(block for block, _ in blocks))
    left = re.findall(r"\w+", cleaned)
    for _, words in blocks:
        assert set(words.split()) <= set(left)
    for word in ("what", "No", "searched"):
        assert word not in left


@settings(max_examples=500)
@given(st.text(st.characters(codec=None), max_size=300))
def test_a_title_keeps_its_words(title):
    cleaned = clean_title(title)
    assert clean_title(cleaned) == cleaned
    assert re.findall(r"[a-z]+", cleaned) == re.findall(r"[a-z]+", title)


@pytest.mark.parametrize(
    "hostile",
    [
        "<!--",
        "<!-- -->",
        "\n \n",
        "`",
        "` `` ",
        "- ",
        "> ",
        "- [ ]\n",
        "# a\n\n",
        "a\n=\n",
        "[",
        "<a ",
    ],
)
def test_a_megabyte_of_anything_ends(hostile):
    assert len(clean_body(hostile * (1_000_000 // len(hostile)))) <= READ
