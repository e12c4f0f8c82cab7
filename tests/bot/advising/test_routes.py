"""Owners of labels: told to maintainers beside the labels, and nobody notified unless asked for."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, REPO

from bot.advising.advice import Advice, LabelOwners
from bot.advising.advisor import advice_on
from bot.advising.routing import owners_by_label
from bot.configuration import parse
from bot.labelling.tag_issue import likely_labels
from bot.simulator.records import SuggestionMode
from tagger.domain.decision import LabelDecision

pytestmark = pytest.mark.anyio

RULES = """
mode: suggest
delay_seconds: 0
routes:
  Bug: ["@acme/rocket-team", "@ada"]
  docs: ["@bob"]
"""


def advice(bench, number: int) -> Advice:
    with bench.installation.store.read() as work:
        return advice_on(work, work.repositories.get(REPO).id, number)


def comments(bench, number: int) -> list[str]:
    return [c.body for c in bench.github.issue(REPO, number).comments if c.author.login == BOT]


async def test_owners_stand_beside_suggested_labels_as_code(bench) -> None:
    bench.configure(RULES)
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere"))
    (comment,) = comments(bench, 1)
    assert "- `bug` is for `@acme/rocket-team`, `@ada`" in comment
    assert advice(bench, 1).owners == (LabelOwners("bug", ("@acme/rocket-team", "@ada")),)


async def test_they_are_mentioned_only_where_the_file_says_so(bench) -> None:
    bench.configure(RULES + "advice: {mention_owners: true}\n")
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere"))
    (comment,) = comments(bench, 1)
    assert "- `bug` is for @acme/rocket-team, @ada" in comment


async def test_no_comment_is_made_for_owners_alone(bench) -> None:
    bench.configure(RULES)
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    await bench.deliver(bench.github.open_issue(REPO, "an odd thing", labels=["docs"]))
    assert comments(bench, 1) == []
    assert advice(bench, 1).owners == (LabelOwners("docs", ("@bob",)),)


async def test_why_tells_them_and_a_renamed_label_is_followed(bench) -> None:
    bench.configure(RULES)
    bench.github.set_role(REPO, "mona", "triage")
    bench.receive(bench.github.rename_label(REPO, "bug", "defect", by="mona"))
    await bench.deliver(bench.github.open_issue(REPO, "bug? somewhere"))
    await bench.deliver(bench.github.comment(REPO, 1, "/tagger why", by="mona"))
    assert "- `defect` is for `@acme/rocket-team`, `@ada`" in comments(bench, 1)[-1]


def test_labels_on_the_issue_speak_first_and_three_at_most() -> None:
    rules = parse("routes: {a: ['@a'], b: ['@b'], c: ['@c'], d: ['@d']}")
    routed = owners_by_label(rules, ["D", "x"], ["a", "d", "c", "b"])
    assert [each.label for each in routed] == ["D", "a", "c"]
    assert Advice.of(Advice(owners=routed).as_json()) == Advice(owners=routed)


def test_a_label_that_is_off_speaks_for_nobody() -> None:
    rules = parse("mode: suggest\nblock: [bug]\nroutes: {bug: ['@ada']}")
    bug = LabelDecision("bug", 0.9, 0.8, "suggest", "words")
    assert likely_labels([bug], rules, {}) == []
