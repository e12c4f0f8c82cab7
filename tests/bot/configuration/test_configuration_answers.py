"""What a configuration answers to the rest of the bot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.configuration import Mode, RepositoryConfiguration, parse
from bot.configuration.model import ReportSettings
from bot.configuration.values import Commands, ReportTo
from bot.errors import ConfigurationInvalid
from tagger.domain.issue import Label

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)


def ignored(
    text: str,
    author: str = "ada",
    title: str = "It crashes",
    labels: tuple[str, ...] = (),
    created_at: datetime = NOW,
) -> str | None:
    return parse(text).ignores(
        author=author, title=title, labels=labels, created_at=created_at, now=NOW
    )


def test_without_a_file_everything_is_shadow_and_nothing_is_written() -> None:
    absent = RepositoryConfiguration.absent()
    assert absent.mode_for("anything") is Mode.SHADOW
    assert absent.fallback_label is None
    assert absent.report.to is ReportTo.NONE
    assert absent.commands is Commands.OFF


def test_a_label_s_own_settings_win_over_the_defaults_in_any_case() -> None:
    read = parse("mode: suggest\nprecision: 0.8\nlabels: {Bug: {mode: apply, precision: 0.99}}")
    assert (read.mode_for("bUG"), read.precision_for("bug")) == (Mode.APPLY, 0.99)
    assert (read.mode_for("docs"), read.precision_for("docs")) == (Mode.SUGGEST, 0.8)


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        ("area/api", Mode.APPLY),
        ("AREA/API", Mode.APPLY),
        ("area/internal", Mode.OFF),
        ("bug", Mode.OFF),
        ("needs-triage", Mode.OFF),
        ("area/skip", Mode.OFF),
    ],
)
def test_allow_block_fallback_and_ignore_switch_labels_off(label: str, mode: Mode) -> None:
    read = parse(
        "mode: apply\nallow: ['area/*', needs-triage]\nblock: [area/internal]\n"
        "fallback_label: needs-triage\nignore: {labels: [area/skip]}"
    )
    assert read.mode_for(label) is mode


def test_wordings_become_aliases_and_the_name_stays_github_s() -> None:
    read = parse("labels: {'c: Privacy': {name: privacy, aliases: [GDPR]}, x: {description: ours}}")
    assert read.wording_for("c: Privacy", "from GitHub") == Label(
        "c: Privacy", "from GitHub", ("privacy", "GDPR")
    )
    assert read.wording_for("x", "from GitHub") == Label("x", "ours")
    assert read.wording_for("other", "from GitHub") == Label("other", "from GitHub")


def test_exclusive_groups_name_the_others_of_every_group() -> None:
    read = parse("exclusive: [[Bug, question], [bug, P0]]")
    assert read.exclusive_with("BUG") == {"question", "p0"}
    assert read.exclusive_with("docs") == frozenset()


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("ignore: {authors: ['dependabot[bot]']}", "Dependabot[bot]"),
        ("ignore: {authors: ['*[bot]']}", "renovate[bot]"),
    ],
)
def test_ignored_authors(text: str, author: str) -> None:
    assert ignored(text, author=author) == f"its author {author} is ignored"
    assert ignored(text, author="ada") is None
    assert ignored(text, author="dependabotb") is None


def test_ignored_titles() -> None:
    text = r"ignore: {titles: ['^\[WIP\]', '(?i)do not merge']}"
    assert ignored(text, title="[WIP] x") == r"its title matches ^\[WIP\]"
    assert ignored(text, title="x: DO NOT MERGE") == "its title matches (?i)do not merge"
    assert ignored(text, title="x [WIP]") is None


def test_ignored_labels() -> None:
    text = "ignore: {labels: [skip-tagging]}"
    assert ignored(text, labels=("bug", "Skip-Tagging")) == "it carries Skip-Tagging"
    assert ignored(text, labels=("bug",)) is None


def test_ignored_ages() -> None:
    text = "ignore: {older_than_days: 30}"
    assert ignored(text, created_at=NOW - timedelta(days=30)) == "it is older than 30 days"
    assert ignored(text, created_at=NOW - timedelta(days=29, hours=23)) is None
    assert ignored("mode: apply", created_at=NOW - timedelta(days=3000)) is None


def test_a_report_is_due_once_after_its_minute() -> None:
    report = ReportSettings(schedule="0 6 * * 1", to=ReportTo.ISSUE)
    monday = datetime(2025, 3, 10, 6, tzinfo=UTC)
    assert report.is_due(last=monday - timedelta(days=7), now=monday)
    assert not report.is_due(last=monday, now=monday + timedelta(days=6))
    assert not ReportSettings(to=ReportTo.NONE).is_due(last=monday - timedelta(days=70), now=monday)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        RepositoryConfiguration().mode = Mode.APPLY  # type: ignore[misc]  # what is tested


def test_rules_come_back_from_the_store_as_they_were() -> None:
    read = parse(
        "mode: apply\nlabels: {Bug: {precision: 0.99}, docs: }\nallow: ['a*', bug]\n"
        "exclusive: [[bug, docs]]\nignore: {titles: ['^x'], older_than_days: 3}\nreport: none\n"
    )
    again = RepositoryConfiguration.stored(read.as_stored())
    assert again == read
    assert again.mode_for("BUG") is Mode.APPLY


def test_a_stored_pattern_that_is_no_longer_read_leaves_issues_alone_and_changes_nothing_else() -> (
    None
):
    rules = '{"mode": "apply", "ignore": {"titles": ["^(?!bug)", "^WIP"], "authors": ["eve"]}}'
    stored = RepositoryConfiguration.stored(rules)
    assert stored.mode_for("bug") is Mode.APPLY
    issue = {"labels": (), "created_at": NOW, "now": NOW}
    assert stored.ignores(author="eve", title="x", **issue) == "its author eve is ignored"
    assert stored.ignores(author="ada", title="WIP", **issue) == "its title matches ^WIP"
    why = stored.ignores(author="ada", title="bug", **issue)
    assert why == "its title may match ^(?!bug), which can no longer be read: mend the file"


def test_more_stored_names_than_a_file_may_hold_by_now_still_match() -> None:
    blocked = [f"*{i}*a*b*c" for i in range(250)]
    stored = RepositoryConfiguration.stored(
        RepositoryConfiguration.model_construct(
            _fields_set={"block"}, block=tuple(blocked)
        ).model_dump_json(exclude_unset=True)
    )
    assert stored.mode_for("x249-a-b-c") is Mode.OFF
    assert stored.mode_for("x249-a-b") is Mode.SHADOW


def test_a_renamed_label_is_looked_up_under_its_present_name() -> None:
    read = parse("mode: apply\nblock: [bug]\nexclusive: [[bug, docs]]")
    assert read.mode_for("defect") is Mode.APPLY
    renamed = read.renamed({"bug": "defect"})
    assert renamed.mode_for("defect") is Mode.OFF
    assert renamed.exclusive_with("docs") == {"defect"}
    assert renamed.rivals("docs", {"bug", "defect"}) == {"defect"}


def test_issues_alone_are_labelled_unless_targets_says_otherwise() -> None:
    absent = parse("mode: apply")
    assert (absent.covers("issues"), absent.covers("pull_requests")) == (True, False)
    other = parse("targets: [pull_requests]")
    assert (other.covers("issues"), other.covers("pull_requests")) == (False, True)


@pytest.mark.parametrize(
    ("targets", "problem"),
    [
        ("[]", "nothing would be labelled"),
        ("[commits]", "expected issues, pull_requests or discussions"),
    ],
)
def test_targets_that_are_none_are_named(targets: str, problem: str) -> None:
    with pytest.raises(ConfigurationInvalid) as invalid:
        parse(f"targets: {targets}")
    (only,) = invalid.value.problems
    assert problem in str(only)
