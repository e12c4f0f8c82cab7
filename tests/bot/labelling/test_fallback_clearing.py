"""A fallback label of a person's or a template's goes only where the file says so, and once."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, REPO

from bot.simulator.records import AutomationLevel

pytestmark = pytest.mark.anyio

KEPT = "mode: apply\ndelay_seconds: 0\nfallback_label: needs-triage\n"
CLEARED = KEPT + "clear_fallback_label: true\n"


@pytest.fixture
def bench(bench):
    bench.github.add_label(REPO, "needs-triage")
    return bench


async def opened(bench, rules: str, title: str = "a bug", labels=("Needs-Triage",)) -> list[str]:
    """The labels of an issue that a template labelled, once the bot has looked at it."""
    bench.configure(rules)
    await bench.deliver(bench.github.open_issue(REPO, title, labels=labels))
    return sorted(bench.labels(1))


async def test_it_stays_unless_the_file_says_so(bench) -> None:
    assert await opened(bench, KEPT) == ["bug", "needs-triage"]


async def test_it_goes_with_the_first_labels_and_whose_doing_that_was_is_known(bench) -> None:
    assert await opened(bench, CLEARED) == ["bug"]
    bench.receive_all()
    await bench.work()
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        history = work.labels.history(repository.id, 1)
        writes = work.writes.list(repository_id=repository.id, number=1)
    off = [act for act in history if act.label == "needs-triage" and act.action == "removed"]
    assert {act.actor_kind for act in off} == {"self"}
    assert [w.state for w in writes if w.label == "needs-triage"] == ["undone"]


@pytest.mark.parametrize("title", ["who knows", "bug? perhaps"])
async def test_where_no_label_is_set_it_stays(bench, title: str) -> None:
    assert await opened(bench, CLEARED, title) == ["needs-triage"]


async def test_a_label_that_github_holds_back_is_not_set(bench) -> None:
    bench.github.repository(REPO).automation = AutomationLevel.FULL_CONTROL
    assert await opened(bench, CLEARED) == ["needs-triage"]


@pytest.mark.parametrize("by", ["ada", BOT])
async def test_a_person_who_puts_it_back_keeps_it(bench, by: str) -> None:
    await opened(bench, CLEARED)
    bench.receive_all()
    await bench.deliver(*bench.github.add_labels(REPO, 1, ["needs-triage"], by=by))
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="eve", title="a bug in docs"))
    assert sorted(bench.labels(1)) == ["bug", "docs", "needs-triage"]
    await bench.deliver(*bench.github.add_labels(REPO, 1, ["feature"], by="ada"))
    assert "needs-triage" in bench.labels(1)


async def test_one_that_was_taken_off_and_set_again_before_stays(bench) -> None:
    bench.configure(CLEARED)
    delivery = bench.github.open_issue(REPO, "a bug", labels=["needs-triage"])
    bench.github.remove_label(REPO, 1, "needs-triage", by="ada")
    bench.github.add_labels(REPO, 1, ["needs-triage"], by="ada")
    await bench.deliver(delivery)
    assert sorted(bench.labels(1)) == ["bug", "needs-triage"]


async def test_one_that_a_person_sets_on_a_labelled_issue_stays(bench) -> None:
    await opened(bench, CLEARED, labels=())
    await bench.deliver(*bench.github.add_labels(REPO, 1, ["needs-triage"], by="ada"))
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="eve", title="a bug in docs"))
    assert sorted(bench.labels(1)) == ["bug", "docs", "needs-triage"]
