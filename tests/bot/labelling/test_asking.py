"""What people are asked, as it goes out to GitHub and is kept with its probability."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes_bot import REPO, decision

pytestmark = pytest.mark.anyio

AUDIT = "mode: apply\ndelay_seconds: 0\nlearning: {audit_share: 1.0, weekly_suggestions: 0}\n"
BUDGET = "mode: apply\ndelay_seconds: 0\nlearning: {audit_share: 0.0, weekly_suggestions: 2}\n"


def outcomes(bench):
    with bench.installation.store.read() as work:
        found = list(work.outcomes.walk(work.repositories.get(REPO).id))
    return {(one.number, one.label): one for one in found}


async def test_an_audited_issue_is_asked_about_and_its_answers_are_told(bench) -> None:
    bench.configure(AUDIT)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == []
    asked = {one.label.name: one for one in bench.github.suggestions(REPO, 1)}
    assert "bug" in asked
    assert len(asked) == 2, "and one label that the bot would not have named"
    (other,) = set(asked) - {"bug"}
    found = outcomes(bench)
    assert set(found) == {(1, name) for name in ("bug", "docs", "feature", "question")}
    assert (found[1, "bug"].action, found[1, "bug"].inclusion) == ("suggested", 1.0)
    assert found[1, other].inclusion == pytest.approx(1 / 3)
    assert {one.issue_inclusion for one in found.values()} == {1.0}
    bench.github.approve(REPO, 1, asked["bug"].id, by="ada")
    bench.github.dismiss(REPO, 1, asked[other].id, by="ada")
    bench.receive_all()
    await bench.work()
    assert outcomes(bench)[1, "bug"].answer == "confirmed"


async def test_without_a_way_to_ask_an_audited_issue_is_labelled_as_ever(bench) -> None:
    from bot.simulator.records import SuggestionMode

    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    bench.configure(AUDIT + "suggestion_comments: false\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == ["bug"]
    found = outcomes(bench)
    assert (found[1, "bug"].action, found[1, "bug"].drawn) == ("set", "audit")
    assert found[1, "docs"].inclusion is None


async def test_the_budget_asks_about_the_most_telling_issues_of_a_week(bench) -> None:
    bench.configure(BUDGET)
    unsure = {"hm": 0.45}

    def tag(issues, policy=None):
        return [
            tuple(
                decision(name, unsure.get(issue.title.split()[0], 0.005))
                if name == "docs"
                else decision(name, 0.001)
                for name in bench.release.names
            )
            for issue in issues
        ]

    bench.release.tag = tag
    for number in range(1, 36):
        await bench.deliver(bench.github.open_issue(REPO, f"plain {number}"))
        bench.clock.advance(hours=8)
    assert outcomes(bench) == {}
    await bench.deliver(bench.github.open_issue(REPO, "hm what is this"))
    await bench.deliver(bench.github.open_issue(REPO, "plain again"))
    (suggestion,) = bench.github.suggestions(REPO, 36)
    assert suggestion.label.name == "docs"
    assert bench.github.suggestions(REPO, 37) == []
    asked = outcomes(bench)
    assert {key: one.drawn for key, one in asked.items()} == {(36, "docs"): "budget"}
    assert bench.labels(36) == []
    bench.clock.advance(days=1)
    assert asked[36, "docs"].at < bench.clock() - timedelta(hours=1)
