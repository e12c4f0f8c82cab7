"""What a file's text becomes, and what it is told when it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.configuration import Mode, RepositoryConfiguration, parse
from bot.configuration.document import MAX_BYTES
from bot.configuration.values import Commands, ReportTo
from bot.errors import BotError, ConfigurationInvalid

DOCS = Path(__file__).parents[3] / "docs"

CONTRACT = r"""
version: 1
mode: shadow                 # off | shadow | suggest | apply: the default for every label
precision: 0.9               # target
fallback_label: needs-triage # quiet; removed once a label is set
delay_seconds: 120
labels:
  bug: {mode: apply, precision: 0.95}
  "c: Privacy": {name: privacy, description: "For issues that impact or improve privacy."}
exclusive:
  - [bug, enhancement, question]
ignore: {authors: ["dependabot[bot]"], titles: ["^\\[WIP\\]"], labels: [skip-tagging],
         older_than_days: 30}
report: {schedule: "0 6 * * 1", to: issue}   # or: none
"""


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigurationInvalid) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


def outcome(text: str | bytes) -> RepositoryConfiguration | ConfigurationInvalid:
    try:
        return parse(text)
    except ConfigurationInvalid as error:
        return error


def test_the_contract_s_example_is_read_as_it_says() -> None:
    read = parse(CONTRACT)
    assert (read.mode, read.precision, read.delay_seconds) == (Mode.SHADOW, 0.9, 120)
    assert (read.mode_for("bug"), read.precision_for("bug")) == (Mode.APPLY, 0.95)
    assert read.fallback_label == "needs-triage"
    assert read.exclusive == (("bug", "enhancement", "question"),)
    assert read.ignore.titles == (r"^\[WIP\]",)
    assert (read.report.schedule, read.report.to) == ("0 6 * * 1", ReportTo.ISSUE)


@pytest.mark.parametrize(
    "example", re.findall(r"```yaml\n(.*?)```", (DOCS / "configuration.md").read_text(), re.DOTALL)
)
def test_every_example_of_the_documentation_is_valid(example: str) -> None:
    assert parse(example) != RepositoryConfiguration()


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "labels:\n  # bug: {}\nmode:\n"])
def test_an_empty_file_means_the_defaults(text: str) -> None:
    assert parse(text) == RepositoryConfiguration()


def test_off_is_a_word_and_not_false() -> None:
    read = parse("mode: off\ncommands: off\nlabels: {on: {mode: suggest}, no: {}}")
    assert (read.mode, read.commands) == (Mode.OFF, Commands.OFF)
    assert read.mode_for("on") is Mode.SUGGEST
    assert "no" in read.labels


def test_label_names_that_look_like_numbers_stay_names() -> None:
    assert parse("labels: {1.0: {mode: off}, null: {mode: off}}").mode_for("1.0") is Mode.OFF


def test_a_label_without_settings_has_the_defaults() -> None:
    assert parse("mode: apply\nlabels: {bug: }").mode_for("bug") is Mode.APPLY


def test_report_none_is_short_for_no_report() -> None:
    assert parse("report: none").report.to is ReportTo.NONE


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert parse(b"\xef\xbb\xbfmode: apply").mode is Mode.APPLY


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mode: off\nprecison: 0.9", "2: precison: unknown key; did you mean 'precision'?"),
        (
            "labels:\n  bug:\n    mod: apply",
            "3: labels.bug.mod: unknown key; did you mean 'mode'?",
        ),
        ("ignore: {author: [x]}", "1: ignore.author: unknown key; did you mean 'authors'?"),
        (
            "learning: {xyz: 1}",
            "1: learning.xyz: unknown key; known are weekly_suggestions, audit_share, "
            "confirm_after_days",
        ),
        (
            "labels: {good first issue: {mode: aply}}",
            "1: labels.\"good first issue\".mode: got 'aply', expected off, shadow, suggest or "
            "apply; did you mean 'apply'?",
        ),
        ("version: 2", "1: version: got '2', expected 1"),
        (
            "precision: 95",
            "1: precision: got 95, it should be less than or equal to 0.999",
        ),
        ("precision: .nan", "1: precision: got .nan, it should be a valid number"),
        ("delay_seconds: true", "1: delay_seconds: got true, it should be a valid integer"),
        ("- mode: off", "1: got a list, expected keys with values"),
        ("labels: [bug]", "1: labels: got a list, expected keys with values"),
        ("exclusive: [[bug]]", "1: exclusive[1]: got 1 of them, expected at least 2"),
        ("block: bug", "1: block: got bug, expected a list, such as [bug]"),
        ("allow: [1.5]", '1: allow[1]: got 1.5, expected text; put it in quotes: "1.5"'),
        (
            "ignore:\n  titles:\n    - ok\n    - '[WIP'",
            "4: ignore.titles[2]: '[WIP' is no regular expression: missing ]: [WIP "
            "(see https://github.com/google/re2/wiki/Syntax)",
        ),
        (
            "routes:\n  bug: [sync-team]",
            "2: routes.bug[1]: 'sync-team' is nobody on GitHub; write @login or @organisation/team",
        ),
        ("routes: {bug: ada}", "1: routes.bug: got ada, expected a list, such as [ada]"),
        (
            "report: {schedule: 0 6 * * 8}",
            "1: report.schedule: day of week: got '8', expected 0 to 7",
        ),
        (
            'report: {schedule: "* * * * *"}',
            "1: report.schedule: due more than once an hour; give one minute, such as 0",
        ),
    ],
)
def test_a_problem_names_line_key_and_the_way_out(text: str, problem: str) -> None:
    assert problems(text) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mode: off\nversion: 1\nmode: apply", "3: mode: written twice, first on line 1; keep"),
        (
            "labels:\n  Bug: {}\n  bug: {}",
            "3: labels.bug: written twice; GitHub ignores case in label names",
        ),
        ("exclusive:\n  - [a, b]\n  - [c, d, C]", "3: exclusive[2]: names 'C' twice"),
        (
            "routes:\n  Bug: ['@ada']\n  bug: ['@bob']",
            "3: routes.bug: written twice; GitHub ignores case in label names",
        ),
        (
            "fallback_label: Triage\nlabels:\n  triage:\n    mode: apply",
            "4: labels.triage.mode: says apply, but it is the fallback label",
        ),
        (
            "block: [area/*]\nlabels: {area/x: {mode: suggest}}",
            '2: labels."area/x".mode: says suggest, but `block` names it',
        ),
        (
            "allow: [bug]\nlabels: {docs: {mode: shadow}}",
            "2: labels.docs.mode: says shadow, but `allow` does not name it",
        ),
        (
            "ignore: {labels: [skip]}\nlabels: {skip: {mode: apply}}",
            "2: labels.skip.mode: says apply, but an issue that carries it is ignored",
        ),
    ],
)
def test_a_contradiction_is_a_problem(text: str, problem: str) -> None:
    (found,) = problems(text)
    assert found.startswith(problem)


def test_all_problems_are_told_at_once_in_the_order_of_lines() -> None:
    found = problems(
        "mode: aply\nmod: off\nlabels:\n  bug: {precision: 2}\ncommands: all\n"
        "fallback_label: x\nfallback_label: y\nexclusive: [[a, A]]\n"
    )
    keys = [problem.split(": ")[1] for problem in found]
    assert keys == [
        "mode",
        "mod",
        "labels.bug.precision",
        "commands",
        "fallback_label",
        "exclusive[1]",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mode: off\nlabels: {bug: [}", "2: no valid YAML: "),
        (
            "mode: &m off\nlabels: *m",
            "2: no valid YAML: aliases (*m) are not read; write the value",
        ),
        ("!!python/object:os.system {}", "1: no valid YAML: the tag "),
        ("mode: !!str off", "1: no valid YAML: the tag "),
        ("mode: off\n---\nmode: off", "2: no valid YAML: but found another document"),
        ("{[a]: b}", "1: a key is a single word or text"),
        ("[" * 1000, "1: no valid YAML: nested more than 10 levels deep"),
        ('mode: "\\UFFFFFFFF"', "1: no valid YAML: an escape that is no character"),
        ("mode: off\nlabels: \x07", "2: the character '\\x07' has no place in YAML; remove it"),
        (b"mode: off\nlabels: \xff", "2: no UTF-8 text; save the file as UTF-8"),
        ("#" * (MAX_BYTES + 1), "1: the file has 65,537 bytes, expected at most 65,536"),
    ],
)
def test_a_file_that_is_no_plain_yaml_is_refused_with_its_line(
    text: str | bytes, problem: str
) -> None:
    assert problems(text)[0].startswith(problem)


def _eleven(i: int) -> str:
    return ", ".join(f"{i}{letter}" for letter in "abcdefghijk")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "block:\n" + "".join(f"  - area/{i}-*\n" for i in range(101)),
            "102: block[101]: the file has 101 names with *, expected at most 100",
        ),
        ("allow: ['a*b*c*d*']", "1: allow[1]: 'a*b*c*d*' has more than 3 *"),
        (
            "exclusive:\n" + "".join(f"  - [{_eleven(i)}]\n" for i in range(100)),
            "92: exclusive[91]: the groups name 1,100 labels, expected at most 1,000",
        ),
        (
            "ignore:\n  titles:\n" + "".join(f"    - '{i}.{{150}}'\n" for i in range(20)),
            "6: ignore.titles[4]: with it the patterns become too large together",
        ),
        (
            "labels:\n" + "".join(f"  {i}: {{}}\n" for i in range(1001)),
            "1: labels: got 1001 of them, expected at most 1000",
        ),
        (
            "block: [" + "a, " * 8_001 + "]",
            "1: no valid YAML: more than 8,000 keys and values; shorten the file",
        ),
    ],
)
def test_a_file_that_would_cost_too_much_is_told_the_place_and_the_bound(
    text: str, problem: str
) -> None:
    (found,) = problems(text)
    assert found.startswith(problem)


def test_no_more_than_a_hundred_problems_are_put_into_words() -> None:
    assert len(problems("".join(f"key{i}: 1\n" for i in range(3000)))) == 100


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    assert "aliases" in problems(bomb)[0]


def test_a_problem_quotes_a_line_and_not_a_page() -> None:
    (found,) = problems(f"mode: {'x' * 5000}")
    assert len(found) < 200


def test_the_error_names_the_file_before_each_line() -> None:
    with pytest.raises(BotError, match=r"^\.github/issue-tagger\.yml:1: mod: unknown key"):
        parse("mod: off")


@given(st.text() | st.binary())
def test_any_input_is_either_read_or_refused_with_lines(text: str | bytes) -> None:
    found = outcome(text)
    if isinstance(found, ConfigurationInvalid):
        assert found.problems
        assert all(problem.line >= 1 and problem.message for problem in found.problems)


_VALUES = st.recursive(
    st.sampled_from(
        ["off", "none", "1", "0.9", "-1", "true", "", '""', "[", "'^(a+)+$'", '"\\ud800"']
    )
    | st.text(alphabet="ab *?[](){}'\"\\:#\n", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda xs: f"[{', '.join(xs)}]")
        | st.dictionaries(st.sampled_from(["mode", "to", "titles", "x"]), inner, max_size=3).map(
            lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}"
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(RepositoryConfiguration.model_fields)), _VALUES))
def test_any_value_under_a_known_key_is_read_or_refused(given_values: dict[str, str]) -> None:
    text = "\n".join(f"{key}: {value}" for key, value in given_values.items())
    found = outcome(text)
    if isinstance(found, ConfigurationInvalid):
        lines = text.count("\n") + 2
        assert all(1 <= problem.line <= lines for problem in found.problems)
