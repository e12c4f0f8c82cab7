"""Owners by CODEOWNERS of the files that an issue names: told quietly, and only where asked for."""

from __future__ import annotations

import pytest
from fakes_bot import REPO

from bot.advising.advice import Advice, PathOwners
from bot.advising.advice_words import plain_lines, public_lines
from bot.advising.advisor import advice_on
from bot.advising.code_owners import MOST_OWNERS, owners_of_paths, paths_in
from bot.configuration.effective import LARGEST_CODE_OWNERS

pytestmark = pytest.mark.anyio

RULES = "mode: suggest\ndelay_seconds: 0\nadvice: {code_owners: true}\n"
FILE = """
*                @acme/everybody    # of all that has no owner
*.css            @Style
/src/engine/     @ada @acme/engine
docs/*           docs@example.com @bob
/src/engine/old.c
!src/x           @nobody
src/[ab].c       @nobody
"""


def patterns(text: str, code_owners: str = FILE) -> list[str]:
    return [each.pattern for each in owners_of_paths(code_owners, text)]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("crash in src/engine/run.py line 3", "/src/engine/"),
        (r"C:\build\src\engine\run.py", "/src/engine/"),
        ('File "/usr/lib/site-packages/src/engine/run.py"', "/src/engine/"),
        ("https://github.com/acme/rocket/blob/main/src/engine/run.py#L3", "/src/engine/"),
        ("the button (web/button.css) is grey", "*.css"),
        ("see docs/start.md.", "docs/*"),
    ],
)
def test_a_file_that_the_text_names_has_the_owners_of_the_last_line_for_it(
    text: str, pattern: str
) -> None:
    assert patterns(text) == [pattern]


@pytest.mark.parametrize(
    "text",
    [
        "nothing is named",
        "README.md",  # for everybody
        "docs/deep/start.md",  # `docs/*` ends at the folder
        "src/engine/old.c",  # a line without owners takes them away
        "version 1.2.3 and e.g. this",
        "src/a.c",
    ],
)
def test_nobody_is_told_where_no_line_speaks_for_somebody(text: str) -> None:
    assert patterns(text) == []


def test_addresses_are_nobody_and_order_is_the_text_s() -> None:
    owned = owners_of_paths(FILE, "docs/a.md, src/engine/a.c, src/engine/b.c")
    assert owned == (
        PathOwners("docs/*", ("@bob",)),
        PathOwners("/src/engine/", ("@ada", "@acme/engine")),
    )
    advice = Advice(path_owners=owned)
    assert Advice.of(advice.as_json()) == advice
    assert next(public_lines(advice, "")) == "- `docs/*` (CODEOWNERS) is for `@bob`"
    assert list(plain_lines(advice))[1] == "/src/engine/ (CODEOWNERS) is for @ada, @acme/engine"


def test_of_many_patterns_a_few_are_told() -> None:
    file = "\n".join(f"/{n}/ @ada" for n in range(9))
    assert len(patterns(" ".join(f"{n}/a.c" for n in range(9)), file)) == MOST_OWNERS


def test_a_pattern_made_to_be_slow_is_not() -> None:
    code_owners = "\n".join(["*a" * 40 + "b @ada"] * 500)
    assert patterns("/".join(["a" * 100] * 20) + ".c", code_owners) == []


def test_text_that_goes_on_and_on_has_few_paths() -> None:
    assert len(paths_in("a/" * 200_000 + " x.py" * 100)) <= 20


async def told(bench, text: str) -> tuple[PathOwners, ...]:
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere", text))
    with bench.installation.store.read() as work:
        return advice_on(work, work.repositories.get(REPO).id, 1).path_owners


@pytest.mark.parametrize("place", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"])
async def test_the_file_is_read_where_github_looks_for_it(bench, place: str) -> None:
    bench.configure(RULES)
    bench.github.repository(REPO).files[place] = FILE
    assert await told(bench, "in src/engine/run.py") == (
        PathOwners("/src/engine/", ("@ada", "@acme/engine")),
    )


async def test_the_first_place_counts(bench) -> None:
    bench.configure(RULES)
    bench.github.repository(REPO).files |= {"CODEOWNERS": FILE, ".github/CODEOWNERS": "x @ada"}
    assert await told(bench, "in src/engine/run.py") == ()


async def test_it_is_off_unless_the_file_says_so(bench) -> None:
    bench.configure("mode: suggest\ndelay_seconds: 0\n")
    bench.github.repository(REPO).files["CODEOWNERS"] = FILE
    assert await told(bench, "in src/engine/run.py") == ()


@pytest.mark.parametrize("text", ["", "x" * (LARGEST_CODE_OWNERS + 1)])
async def test_a_file_that_cannot_be_followed_stops_nothing(bench, text: str) -> None:
    bench.configure(RULES)
    bench.github.repository(REPO).files["CODEOWNERS"] = text
    assert await told(bench, "in src/engine/run.py") == ()


async def test_a_change_of_the_file_is_followed_when_it_is_looked_for_again(bench) -> None:
    bench.configure(RULES)
    bench.github.repository(REPO).files["CODEOWNERS"] = FILE
    await told(bench, "in src/engine/run.py")
    bench.github.repository(REPO).files["CODEOWNERS"] = "/src/engine/ @bob"
    bench.clock.advance(minutes=11)
    await bench.deliver(bench.github.edit_issue(REPO, 1, body="src/engine/run.py again", by="ada"))
    with bench.installation.store.read() as work:
        advice = advice_on(work, work.repositories.get(REPO).id, 1)
    assert advice.path_owners == (PathOwners("/src/engine/", ("@bob",)),)
