"""What changed between the look and the write: nothing is written by what no longer holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from fakes_bot import BOT, REPO

from bot.backfilling.backfilling import BackfillRequest, backfill
from bot.backfilling.throttling import Throttled
from bot.labelling.issue_lease import LEASE, issue_lease
from bot.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"
GROUP = APPLY + "exclusive:\n  - [bug, feature]\n"
ELSEWHERE = "acme/elsewhere"
PATH = ".github/issue-tagger.yml"


def before_the_write(bench: Bench, act: Callable[[], object]) -> None:
    """Let something happen when the bot's POST is on its way already."""
    add = bench.github.add_labels

    def racing(name, number, labels, *, by):
        if by == BOT:
            bench.github.add_labels = add
            act()
        return add(name, number, labels, by=by)

    bench.github.add_labels = racing


def before_the_request(bench: Bench, path: str, act: Callable[[], object]) -> None:
    """Let something happen right before GitHub answers what the bot asks for at this path."""
    real = bench.github.fault_for

    def asked(method: str, asked_path: str) -> Fault | None:
        if asked_path.endswith(path):
            bench.github.fault_for = real
            act()
        return real(method, asked_path)

    bench.github.fault_for = asked


def names(bench: Bench) -> set[str]:
    return {label.name for label in bench.github.repository(REPO).labels.values()}


@pytest.mark.parametrize("act", ["delete", "rename"])
@pytest.mark.parametrize("mode", ["apply", "suggest"])
async def test_a_label_that_went_meanwhile_is_not_created_anew(bench: Bench, act, mode) -> None:
    bench.configure(f"mode: {mode}\ndelay_seconds: 0\n")
    opened = bench.github.open_issue(REPO, "bug in docs")

    def go() -> None:
        if act == "delete":
            bench.github.delete_label(REPO, "bug", by="ada")
        else:
            bench.github.rename_label(REPO, "bug", "defect", by="ada")

    if mode == "apply":
        before_the_write(bench, go)
    else:
        before_the_request(bench, "/suggestions", go)
    assert (await bench.deliver(opened)).state == "done"
    left = {"defect"} if act == "rename" else set()
    assert names(bench) == {"feature", "docs", "question"} | left
    if mode == "apply":
        assert bench.labels(1) == ["docs"]
    else:
        pending = bench.github.suggestions(REPO, 1)
        assert "bug" not in [one.label.name for one in pending if one.state == "pending"]


async def test_a_label_that_a_person_made_anew_is_nobody_elses_to_delete(bench: Bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")

    def go() -> None:
        bench.github.delete_label(REPO, "bug", by="ada")
        bench.github.add_label(REPO, "bug", "Something is broken", "ff0000")

    before_the_write(bench, go)
    await bench.deliver(opened)
    assert "bug" in names(bench)


async def test_a_label_that_others_use_by_then_stays(bench: Bench) -> None:
    bench.configure(APPLY)
    bench.github.open_issue(REPO, "nothing")
    opened = bench.github.open_issue(REPO, "a bug")

    def go() -> None:
        bench.github.delete_label(REPO, "bug", by="ada")
        bench.github.add_labels(REPO, 1, ["bug"], by="ada")  # makes it anew, plain as it is

    before_the_write(bench, go)
    await bench.deliver(opened)
    assert bench.labels(1) == ["bug"]
    assert "bug" in names(bench)


@pytest.mark.parametrize("end", ["close", "lock"])
async def test_an_issue_closed_or_locked_on_the_way_is_left_as_it_was(bench: Bench, end) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")

    def go() -> None:
        if end == "close":
            bench.github.set_state(REPO, 1, "closed", by="ada")
        else:
            bench.github.set_locked(REPO, 1, True, by="ada")

    before_the_write(bench, go)
    assert (await bench.deliver(opened)).state == "done"
    assert bench.labels(1) == []


async def test_a_locked_conversation_is_left_alone(bench: Bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.github.set_locked(REPO, 1, True, by="ada")
    assert (await bench.deliver(opened)).state == "done"
    assert bench.asked("POST") == []


async def test_an_issue_transferred_on_the_way_is_labelled_nowhere(bench: Bench) -> None:
    bench.configure(APPLY)
    bench.github.add_repository(ELSEWHERE)
    bench.github.set_role(ELSEWHERE, BOT, "write")
    bench.github.add_label(ELSEWHERE, "bug")
    opened = bench.github.open_issue(REPO, "a bug")
    transfer = bench.github.transfer_issue
    before_the_request(bench, "/issues/1/labels", lambda: transfer(REPO, 1, ELSEWHERE, by="ada"))
    assert (await bench.deliver(opened)).state in {"done", "ignored"}
    assert bench.github.issue(ELSEWHERE, 1).label_names == []
    asked = [one.path for one in bench.github.requests if one.method != "GET"]
    assert all(path.startswith(f"/repos/{REPO}/") for path in asked)


async def test_a_file_pushed_and_heard_of_meanwhile_holds(bench: Bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")

    def push() -> None:
        bench.clock.advance(seconds=1)
        bench.receive(bench.github.push_file(REPO, PATH, "mode: 'off'\n"))

    before_the_request(bench, "/timeline", push)
    await bench.deliver(opened)
    assert bench.labels(1) == []


@pytest.mark.parametrize(("status", "state"), [(410, "done"), (404, "done"), (422, "done")])
async def test_what_github_refuses_for_good_ends_and_is_not_tried_for_hours(
    bench: Bench, status: int, state: str
) -> None:
    bench.configure(APPLY)
    fault = Fault(status, {}, "no", method="POST", path="/labels")
    bench.github.fail_next(*[fault] * 10)
    delivery = await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert (delivery.state, delivery.attempts) == (state, 1)
    with bench.installation.store.read() as work:
        (write,) = work.writes.list(repository_id=work.repositories.get(REPO).id)
    assert write.state == "left"
    assert write.reason


async def test_of_several_labels_those_that_fit_are_set(bench: Bench) -> None:
    bench.configure(APPLY)
    bench.github.fail_next(*[Fault(422, {}, "no", method="POST", path="/labels")] * 3)
    await bench.deliver(bench.github.open_issue(REPO, "bug in docs"))
    assert bench.labels(1) == ["docs"]


async def test_a_suggestion_goes_out_where_a_label_is_refused(bench: Bench) -> None:
    bench.configure(APPLY)
    bench.github.fail_next(Fault(422, {}, "no", method="POST", path="/labels"))
    delivery = await bench.deliver(bench.github.open_issue(REPO, "bug and docs?"))
    assert delivery.state == "done"
    assert [one.label.name for one in bench.github.suggestions(REPO, 1)] == ["docs"]


async def test_no_answer_is_given_where_the_issue_is_elsewhere_by_then(bench: Bench) -> None:
    bench.configure(APPLY)
    bench.github.add_repository(ELSEWHERE)
    bench.github.set_role(ELSEWHERE, BOT, "write")
    bench.github.set_role(REPO, "ada", "triage")
    bench.github.open_issue(REPO, "a bug")
    bench.receive_all()
    command = bench.github.comment(REPO, 1, "/tagger off", by="ada")
    bench.receive(command)
    bench.github.transfer_issue(REPO, 1, ELSEWHERE, by="ada")
    await bench.work()
    assert bench.delivery(command).state == "ignored"
    assert len(bench.github.issue(ELSEWHERE, 1).comments) == 1


async def test_two_writers_never_have_one_issue(bench: Bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    repository_id = _repository_id(bench)
    async with issue_lease(bench.context, repository_id, 1):
        await bench.work()
        delivery = bench.delivery(opened)
        assert (delivery.state, delivery.attempts, bench.labels(1)) == ("pending", 0, [])
    bench.clock.advance(seconds=3)
    await bench.work()
    assert bench.labels(1) == ["bug"]


async def test_a_backfill_waits_for_the_worker_and_for_the_lease_of_a_dead_one(
    bench: Bench,
) -> None:
    bench.configure(None)
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    bench.clock.advance(minutes=15)
    bench.configure(APPLY)
    dead = issue_lease(bench.context, _repository_id(bench), 1)
    lease = await dead.__aenter__()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        bench.clock.advance(seconds=seconds)
        await asyncio.sleep(0)

    patient = Throttled(bench.clock, sleep)
    await backfill(bench.context, REPO, BackfillRequest(), apply=True, throttled=patient)
    assert bench.labels(1) == ["bug"]
    assert sum(slept) >= LEASE.total_seconds()
    lease.give_back()


async def test_a_late_choice_of_a_person_makes_the_bots_label_step_aside(bench: Bench) -> None:
    bench.configure(GROUP)
    await bench.deliver(bench.github.open_issue(REPO, "a bug in docs"))
    bench.clock.advance(days=3)
    await bench.deliver(*bench.github.add_labels(REPO, 1, ["feature"], by="ada"))
    assert bench.labels(1) == ["docs", "feature"]


async def test_a_label_that_a_person_confirmed_stays_beside_a_later_choice(bench: Bench) -> None:
    bench.configure(GROUP)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    bench.github.remove_label(REPO, 1, "bug", by="ada")
    bench.github.add_labels(REPO, 1, ["bug"], by="ada")
    bench.github.add_labels(REPO, 1, ["feature"], by="ada")
    bench.receive_all()
    await bench.work()
    assert bench.labels(1) == ["bug", "feature"]


@pytest.mark.parametrize("by", ["github-actions[bot]", "other[bot]", "ada"])
async def test_what_anybody_took_off_stays_off(bench: Bench, by: str) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    bench.clock.advance(minutes=1)
    bench.receive(bench.github.remove_label(REPO, 1, "bug", by=by))
    for round_ in range(3):
        bench.clock.advance(minutes=1)
        title = f"a bug, edited {round_}"
        await bench.deliver(bench.github.edit_issue(REPO, 1, by="editor[bot]", title=title))
        assert bench.labels(1) == []
    with bench.installation.store.read() as work:
        (row,) = work.issues.training_rows(_repository_id(bench))
    assert row.labels == ()
    assert row.declined == (("bug",) if by == "ada" else ())


async def test_retry_brings_back_what_another_bot_took_off(bench: Bench) -> None:
    bench.configure(APPLY)
    bench.github.set_role(REPO, "ada", "triage")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    bench.clock.advance(minutes=1)
    bench.receive(bench.github.remove_label(REPO, 1, "bug", by="other[bot]"))
    bench.clock.advance(minutes=1)
    await bench.deliver(bench.github.comment(REPO, 1, "/tagger retry", by="ada"))
    assert bench.labels(1) == ["bug"]


async def test_a_label_that_the_new_text_speaks_against_makes_room(bench: Bench) -> None:
    bench.configure(GROUP)
    await bench.deliver(bench.github.open_issue(REPO, "feature"))
    assert bench.labels(1) == ["feature"]
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="a real bug"))
    assert bench.labels(1) == ["bug"]
    with bench.installation.store.read() as work:
        writes = work.writes.list(repository_id=_repository_id(bench))
    assert {(one.label, one.state) for one in writes} == {("feature", "undone"), ("bug", "written")}


@pytest.mark.parametrize("how", ["confirmed", "suggestible", "not by the bot"])
async def test_what_the_text_still_fits_or_others_touched_stays(bench: Bench, how: str) -> None:
    bench.configure(APPLY)
    by_hand = ["feature"] if how == "not by the bot" else []
    await bench.deliver(bench.github.open_issue(REPO, "feature", labels=by_hand))
    if how == "confirmed":
        bench.receive(bench.github.remove_label(REPO, 1, "feature", by="ada"))
        for one in bench.github.add_labels(REPO, 1, ["feature"], by="ada"):
            bench.receive(one)
    title = "feature? or so" if how == "suggestible" else "a real bug"
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title=title))
    assert "feature" in bench.labels(1)


def _repository_id(bench: Bench) -> int:
    with bench.installation.store.read() as work:
        return work.repositories.get(REPO).id
