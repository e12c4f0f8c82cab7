"""Issues and labels that rules keep the bot from, as seen on GitHub."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, REPO

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"


@pytest.mark.parametrize("label", ["question", "QUESTION"])
async def test_an_issue_with_an_ignored_label_is_left_alone(bench, label) -> None:
    bench.configure(APPLY + f"ignore: {{labels: [{label}]}}\n")
    delivery = await bench.deliver(bench.github.open_issue(REPO, "a bug", labels=["question"]))
    assert delivery.state == "ignored"
    assert "it carries question" in delivery.error
    assert bench.labels(1) == ["question"]
    await bench.deliver(bench.github.open_issue(REPO, "a question"))
    assert bench.labels(2) == [], "nor does the bot set one"


async def test_a_label_to_be_ignored_for_that_arrives_meanwhile_is_seen(bench) -> None:
    bench.configure(APPLY + "ignore: {labels: [question]}\n")
    opened = bench.github.open_issue(REPO, "a bug")
    add = bench.github.add_labels
    bench.release.before_tagging = lambda _: add(REPO, 1, ["question"], by="ada")
    await bench.deliver(opened)
    assert bench.labels(1) == ["question"]


async def test_an_old_issue_is_left_alone(bench) -> None:
    bench.configure(APPLY + "ignore: {older_than_days: 30}\n")
    await bench.deliver(bench.github.open_issue(REPO, "nothing"))
    bench.clock.advance(days=30)
    delivery = await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="a bug"))
    assert delivery.state == "ignored"
    assert "older than 30 days" in delivery.error
    assert bench.labels(1) == []


async def test_an_issue_gets_so_many_labels_at_most_over_several_edits(bench) -> None:
    bench.configure(APPLY + "max_labels: 2\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="a bug feature in docs"))
    assert len(bench.labels(1)) == 2
    title = "a bug feature in docs, a question too"
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title=title))
    assert len(bench.labels(1)) == 2
    assert "bug" in bench.labels(1)


async def test_labels_by_people_do_not_count_against_the_bots(bench) -> None:
    bench.configure(APPLY + "max_labels: 1\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug", labels=["docs", "question"]))
    assert sorted(bench.labels(1)) == ["bug", "docs", "question"]


@pytest.mark.parametrize("by", ["ada", "other[bot]", BOT])
async def test_the_fallback_label_goes_whoever_brings_a_label(bench, by) -> None:
    bench.github.add_label(REPO, "needs-triage")
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    assert bench.labels(1) == ["needs-triage"]
    await bench.deliver(*bench.github.add_labels(REPO, 1, ["docs"], by=by))
    assert bench.labels(1) == ["docs"]
    assert {event.actor.login for event in bench.github.issue(REPO, 1).events} == {BOT, by}


async def test_who_sets_the_fallback_label_while_the_bot_takes_it_off_keeps_it(bench) -> None:
    bench.github.add_label(REPO, "needs-triage")
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    (labeled,) = bench.github.add_labels(REPO, 1, ["docs"], by="ada")
    remove = bench.github.remove_label

    def racing(name, number, label, *, by):
        gone = remove(name, number, label, by=by)
        if by == BOT:
            bench.github.remove_label = remove
            bench.github.add_labels(name, number, [label], by="ada")
        return gone

    bench.github.remove_label = racing
    await bench.deliver(labeled)
    assert sorted(bench.labels(1)) == ["docs", "needs-triage"]


async def test_taking_the_fallback_label_off_is_nobodys_word_however_soon_it_is_heard_of(
    bench,
) -> None:
    bench.github.add_label(REPO, "needs-triage")
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    (labeled,) = bench.github.add_labels(REPO, 1, ["docs"], by="ada")
    remove = bench.github.remove_label

    def heard_at_once(name, number, label, *, by):
        gone = remove(name, number, label, by=by)
        bench.receive(gone)
        return gone

    bench.github.remove_label = heard_at_once
    await bench.deliver(labeled)
    assert bench.labels(1) == ["docs"]
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        (write,) = work.writes.list(repository_id=repository.id)
        assert work.labels.removed_by_people(repository.id, 1) == frozenset()
    assert (write.state, write.reason) == ("undone", "a label arrived")


async def test_a_fallback_label_that_the_tokens_owner_set_again_stays(bench) -> None:
    bench.github.add_label(REPO, "needs-triage")
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    bench.github.remove_label(REPO, 1, "needs-triage", by=BOT)
    bench.github.add_labels(REPO, 1, ["needs-triage"], by=BOT)
    await bench.deliver(*bench.github.add_labels(REPO, 1, ["docs"], by="ada"))
    assert bench.labels(1) == ["needs-triage", "docs"]


async def test_a_dismissed_label_is_not_set_however_sure_the_bot_becomes(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "docs?"))
    (suggestion,) = bench.github.suggestions(REPO, 1)
    bench.github.dismiss(REPO, 1, suggestion.id, by="ada")
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="docs and a bug"))
    assert bench.labels(1) == ["bug"]
