"""Labels that are set carry reasons, and what GitHub then holds back waits for a person."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, REPO

from bot.github.client import GitHubClient
from bot.jobs.delivery_handlers import handle
from bot.labelling.approvals import HELD
from bot.simulator.faults import Fault
from bot.simulator.records import AutomationLevel, SuggestionMode

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"


def sent(bench) -> list[object]:
    """What was asked of GitHub about labels of issues."""
    asked = [seen for seen in bench.github.requests if seen.method == "POST"]
    return [seen.json["labels"] for seen in asked if seen.path.endswith("/labels")]


def writes(bench) -> list[tuple[str, str, str, str]]:
    with bench.installation.store.read() as work:
        every = work.writes.list(repository_id=work.repositories.get(REPO).id)
    return [(write.label, write.form, write.state, write.reason) for write in every]


def hold(bench, level: AutomationLevel = AutomationLevel.FULL_CONTROL) -> None:
    bench.configure(APPLY)
    bench.github.repository(REPO).automation = level


async def test_a_label_that_is_set_says_why_and_how_certain(bench) -> None:
    bench.configure(APPLY)
    bench.github.open_issue(REPO, "an old one, the neighbour")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    ((label,),) = sent(bench)
    assert label == {
        "name": "bug",
        "rationale": "95% likely; threshold 80%; most like #1, which has it",
        "confidence": "high",
    }
    assert bench.labels(2) == ["bug"]
    assert [each.state for each in bench.github.suggestions(REPO, 2)] == ["applied"]


async def test_the_fallback_label_claims_nothing(bench) -> None:
    bench.github.add_label(REPO, "needs-triage")
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    assert sent(bench) == [["needs-triage"]]


async def test_a_held_label_is_a_suggestion_and_counts_as_one(bench) -> None:
    hold(bench)
    await bench.deliver(bench.github.open_issue(REPO, "a bug in docs"))
    assert bench.labels(1) == []
    assert [each.state for each in bench.github.suggestions(REPO, 1)] == ["pending"] * 2
    assert sorted(writes(bench)) == [
        ("bug", "label", "left", HELD), ("bug", "suggestion", "written", ""),
        ("docs", "label", "left", HELD), ("docs", "suggestion", "written", ""),
    ]  # fmt: skip
    (prediction,) = bench.predictions()
    actions = {label.name: label.action for label in prediction.labels}
    assert (actions["bug"], actions["docs"]) == ("suggested", "suggested")
    value = bench.installation.metrics.counted.get_sample_value
    name = "issue_tagger_writes_total"
    assert value(name, {"form": "suggestion", "state": "written"}) == 2
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert work.labels.history(repository.id, 1) == ()


@pytest.mark.parametrize("level", sorted(set(AutomationLevel) - {AutomationLevel.FULL_CONTROL}))
async def test_what_is_promised_passes_every_other_level(bench, level) -> None:
    hold(bench, level)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == ["bug"]


async def test_an_approval_of_a_held_label_is_a_persons_word(bench) -> None:
    hold(bench)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    (suggestion,) = bench.github.suggestions(REPO, 1)
    bench.github.approve(REPO, 1, suggestion.id, by="ada")
    await bench.deliver(bench.github.deliveries[-1])
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="a bug in docs"))
    assert bench.labels(1) == ["bug"]
    assert ("bug", "suggestion", "approved", "") in writes(bench)
    with bench.installation.store.read() as work:
        (event,) = work.labels.history(work.repositories.get(REPO).id, 1)
    assert (event.label, event.action, event.actor_kind) == ("bug", "added", "person")


async def test_a_dismissal_of_a_held_label_stands(bench) -> None:
    hold(bench)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    (suggestion,) = bench.github.suggestions(REPO, 1)
    bench.github.dismiss(REPO, 1, suggestion.id, by="ada")
    bench.github.repository(REPO).automation = AutomationLevel.FULL_AUTOMATION
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="still a bug"))
    assert bench.labels(1) == []
    assert ("bug", "suggestion", "dismissed", "") in writes(bench)


async def test_a_held_label_is_not_asked_for_twice(bench) -> None:
    hold(bench)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="still a bug"))
    assert len(sent(bench)) == 1


class Killed(BaseException):
    """The process ends here."""


async def test_a_killed_attempt_s_held_label_is_found_again(bench, monkeypatch) -> None:
    hold(bench)
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    real = GitHubClient.add_labels

    async def add_then_die(self, *arguments):
        await real(self, *arguments)
        raise Killed

    claim = bench.worker()._claim()
    monkeypatch.setattr(GitHubClient, "add_labels", add_then_die)
    with pytest.raises(Killed):
        await handle(bench.context, claim)
    monkeypatch.undo()
    bench.clock.advance(minutes=5)
    await bench.work()
    assert len(sent(bench)) == 1
    assert sorted(writes(bench)) == [
        ("bug", "label", "left", HELD), ("bug", "suggestion", "written", ""),
    ]  # fmt: skip


async def test_a_label_deleted_since_the_look_is_not_made_by_holding_it(bench, monkeypatch) -> None:
    hold(bench)
    real = GitHubClient.add_labels
    times = []

    async def racing(self, *arguments):
        if not times:
            bench.github.delete_label(REPO, "bug", by="ada")
        times.append(1)
        return await real(self, *arguments)

    monkeypatch.setattr(GitHubClient, "add_labels", racing)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert "bug" not in bench.github.repository(REPO).labels
    assert ("bug", "suggestion", "written", "") not in writes(bench)


async def test_an_older_server_gets_names_alone_for_a_while(bench) -> None:
    bench.configure(APPLY)
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    bench.github.fail_next(Fault(422, {}, '"name" is not a string', method="POST", path="/labels"))
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await bench.deliver(bench.github.open_issue(REPO, "another bug"))
    assert [type(label) for ((label),) in sent(bench)] == [dict, str, str]
    assert (bench.labels(1), bench.labels(2)) == (["bug"], ["bug"])


async def test_a_label_that_is_asked_about_claims_no_confidence(bench) -> None:
    """One below its threshold, drawn by the audit."""
    bench.configure("mode: suggest\ndelay_seconds: 0\nlearning: {audit_share: 1.0}\n")
    for number in range(1, 6):
        await bench.deliver(bench.github.open_issue(REPO, "a bug", by=BOT))
        for suggestion in bench.github.suggestions(REPO, number):
            expected = "HIGH" if suggestion.label.name == "bug" else None
            assert suggestion.confidence == expected
