"""Backfill: previewed, written as a run that survives a kill, undone but for what is touched."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, REPO, Clock

from bot.backfilling.backfilling import BackfillRequest, backfill
from bot.backfilling.throttling import BETWEEN_WRITES, Throttled
from bot.backfilling.undoing import undo
from bot.errors import CommandRefused
from bot.github.client import GitHubClient
from bot.github.errors import Forbidden, Moved, RateLimited, Unreachable
from bot.simulator.records import SuggestionMode
from store.errors import NotStored

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"


class Killed(BaseException):
    """The process ends here."""


class Slept:
    """Sleeps by moving the clock."""

    def __init__(self, bench) -> None:
        self.bench, self.seconds, self.told = bench, [], []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.bench.clock.advance(seconds=seconds)

    @property
    def throttled(self) -> Throttled:
        return Throttled(self.bench.clock, self, self.told.append)


async def opened(bench, *titles: str) -> None:
    """Issues that were there before the bot might act: their webhooks find it in shadow."""
    bench.configure(None)
    for title in titles:
        bench.receive(bench.github.open_issue(REPO, title))
        bench.clock.advance(minutes=1)
    bench.clock.advance(minutes=3)
    await bench.work()
    bench.clock.advance(minutes=15)  # what is known of the configuration is old by now


async def fill(bench, *, apply: bool = True, since=None, limit=None):
    slept = Slept(bench)
    return await backfill(
        bench.context, REPO, BackfillRequest(since, limit), apply=apply, throttled=slept.throttled
    )


async def take_back(bench, run: int):
    return await undo(bench.context, run, throttled=Slept(bench).throttled)


def runs(bench, **given):
    with bench.installation.store.read() as work:
        return work.writes.runs(work.repositories.get(REPO).id, **given)


async def test_a_preview_shows_what_would_be_done_and_writes_nothing(bench) -> None:
    await opened(bench, "a bug", "nothing", "docs? and a feature")
    bench.configure(APPLY)
    shown = await fill(bench, apply=False)
    assert bench.asked("POST") == []
    assert runs(bench) == ()
    assert shown.as_json() == {
        "repository": REPO,
        "release": "r1",
        "run": None,
        "applied": False,
        "resumed": False,
        "considered": 3,
        "labels_set": 2,
        "labels_suggested": 1,
        "issues": [
            {
                "number": 3,
                "title": "docs? and a feature",
                "apply": [{"name": "feature", "score": 0.95, "cut": 0.8}],
                "suggest": [{"name": "docs", "score": 0.85, "cut": 0.8}],
                "fallback": None,
            },
            {
                "number": 1,
                "title": "a bug",
                "apply": [{"name": "bug", "score": 0.95, "cut": 0.8}],
                "suggest": [],
                "fallback": None,
            },
        ],
    }


async def test_a_preview_counts_what_will_be_written(bench) -> None:
    await opened(bench, "a bug", "nothing", "docs?")
    bench.configure(APPLY + "fallback_label: needs-triage\ncreate_labels: true\n")
    shown = await fill(bench, apply=False)
    done = await fill(bench)
    assert shown.as_json()["labels_set"] == done.as_json()["labels_set"] == 3


async def test_what_is_written_belongs_to_one_run(bench) -> None:
    await opened(bench, "a bug", "nothing", "docs? and a feature")
    bench.configure(APPLY)
    done = await fill(bench)
    assert [bench.labels(n) for n in (1, 2, 3)] == [["bug"], [], ["feature"]]
    pending = [each for each in bench.github.suggestions(REPO, 3) if each.state == "pending"]
    assert [each.label.name for each in pending] == ["docs"]
    (run,) = runs(bench, kind="backfill")
    assert (run.id, run.finished_at is not None) == (done.run_id, True)
    assert (done.considered, done.written, done.suggested) == (3, 2, 1)
    again = await fill(bench)
    assert again.run_id != done.run_id
    assert (again.written, again.suggested, again.lines) == (0, 0, ())


async def test_the_repositorys_configuration_holds(bench) -> None:
    await opened(bench, "a bug and a feature", "[WIP] a bug", "a bug in docs", "docs question")
    bench.github.add_labels(REPO, 3, ["feature"], by="ada")
    bench.github.add_labels(REPO, 4, ["docs"], by="ada")
    bench.github.remove_label(REPO, 4, "docs", by="ada")
    bench.receive_all()
    rules = "exclusive: [[bug, feature]]\nignore: {titles: ['^\\[WIP\\]']}\nmax_labels: 1\n"
    bench.configure(APPLY + rules + "labels: {question: {mode: shadow}}\n")
    shown = await fill(bench, apply=False)
    done = await fill(bench)
    assert [line.as_json() for line in done.lines] == [line.as_json() for line in shown.lines]
    assert [bench.labels(n) for n in (1, 2, 3, 4)] == [["bug"], [], ["feature", "docs"], []]


async def test_since_and_limit_choose_the_issues(bench) -> None:
    await opened(bench, "a bug", "a bug", "a bug")
    bench.configure(APPLY)
    with bench.installation.store.read() as work:
        second = work.issues.get(work.repositories.get(REPO).id, 2).created_at
    shown = await fill(bench, apply=False, since=second)
    assert [line.number for line in shown.lines] == [3, 2]
    await fill(bench, limit=1)
    assert [bench.labels(n) for n in (1, 2, 3)] == [[], [], ["bug"]]


async def test_a_killed_run_goes_on_and_sets_nothing_twice(bench, monkeypatch) -> None:
    await opened(bench, "a bug", "a bug", "a bug", "a bug")
    bench.configure(APPLY)
    real, calls = GitHubClient.add_labels, []

    async def die(self, *given, **named):
        calls.append(given)
        answer = await real(self, *given, **named)
        if len(calls) == 2:
            raise Killed
        return answer

    monkeypatch.setattr(GitHubClient, "add_labels", die)
    with pytest.raises(Killed):
        await fill(bench)
    monkeypatch.undo()
    bench.clock.advance(seconds=5)
    bench.receive(bench.github.open_issue(REPO, "a bug opened since"))
    bench.github.remove_label(REPO, 3, "bug", by="ada")  # set by the attempt that was killed
    done = await fill(bench)
    assert done.resumed
    assert [bench.labels(n) for n in (1, 2, 3, 4, 5)] == [["bug"], ["bug"], [], ["bug"], []]
    for number in (1, 2, 4):
        assert [one.event for one in bench.github.issue(REPO, number).events] == ["labeled"]
    assert done.written == 3
    (run,) = runs(bench, kind="backfill")
    assert (run.id, run.finished_at is not None) == (done.run_id, True)


async def test_it_keeps_a_second_between_writes_and_sits_rate_limits_out(bench) -> None:
    await opened(bench, "a bug", "a bug", "nothing")
    bench.configure(APPLY)
    bench.github.budget(BOT).remaining = 20
    slept = Slept(bench)
    done = await backfill(
        bench.context, REPO, BackfillRequest(), apply=True, throttled=slept.throttled
    )
    assert done.written == 2
    assert slept.seconds.count(BETWEEN_WRITES) == 2
    bench.github.budget(BOT).remaining = 0
    with pytest.raises(RateLimited):
        await (await bench.context.access.client(REPO)).issue(REPO, 1)
    await opened_more(bench)
    await backfill(bench.context, REPO, BackfillRequest(), apply=True, throttled=slept.throttled)
    assert bench.labels(4) == ["bug"]
    assert slept.told
    assert max(slept.seconds) > 60


async def opened_more(bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "a bug"))


async def test_the_bots_own_report_is_no_issue_to_label(bench) -> None:
    await opened(bench, "a bug")
    report = bench.github.open_issue(REPO, "a bug in figures", "<!-- issue-tagger:report -->")
    bench.receive(report)
    bench.configure(APPLY)
    await fill(bench)
    assert bench.github.issue(REPO, 1).label_names == ["bug"]
    assert bench.github.issue(REPO, 2).label_names == []


async def test_a_backfill_comments_on_nothing(bench) -> None:
    await opened(bench, "docs?")
    bench.configure(APPLY)
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    done = await fill(bench)
    assert bench.github.issue(REPO, 1).comments == []
    assert (done.written, done.suggested) == (0, 0)


def meanwhile(bench, happens) -> Throttled:
    """Takes its time, in which something happens once, after the first write."""
    slept = Slept(bench)

    async def sleep(seconds: float) -> None:
        await slept(seconds)
        if len(slept.seconds) == 1:
            await happens()

    return Throttled(bench.clock, sleep)


async def filled_while(bench, happens):
    return await backfill(
        bench.context, REPO, BackfillRequest(), apply=True, throttled=meanwhile(bench, happens)
    )


async def test_what_is_said_of_an_issue_during_a_run_is_heard(bench) -> None:
    await opened(bench, "a bug", "a bug", "a bug feature", "docs")
    bench.configure(APPLY + "exclusive: [[bug, feature]]\n")
    bench.github.set_role(REPO, "tess", "triage")

    async def happens() -> None:
        await bench.deliver(bench.github.comment(REPO, 1, "/tagger off", by="tess"))
        await bench.deliver(bench.github.delete_issue(REPO, 2, by="ada"))
        await bench.deliver(bench.github.rename_label(REPO, "bug", "defect", by="ada"))
        bench.github.add_labels(REPO, 3, ["defect"], by="ada")

    done = await filled_while(bench, happens)
    assert [bench.labels(n) for n in (1, 3, 4)] == [[], ["defect"], ["docs"]]
    assert [line.number for line in done.lines] == [4]


@pytest.mark.parametrize("heard", ["by a webhook", "by looking again"])
async def test_a_run_stops_once_nothing_may_be_written_and_goes_on_later(bench, heard) -> None:
    await opened(bench, "a bug", "a bug", "docs")
    bench.configure(APPLY)

    async def happens() -> None:
        if heard == "by a webhook":
            pushed = bench.github.push_file(REPO, ".github/issue-tagger.yml", "mode: off\n")
            await bench.deliver(pushed)
        else:
            bench.configure("mode: off\n")
            bench.clock.advance(minutes=15)

    with pytest.raises(CommandRefused, match="in mode shadow or off"):
        await filled_while(bench, happens)
    assert [bench.labels(n) for n in (1, 2, 3)] == [[], [], ["docs"]]
    bench.configure(APPLY)
    bench.clock.advance(minutes=15)
    done = await fill(bench)
    assert (done.resumed, done.written) == (True, 3)


async def test_a_run_that_is_undone_meanwhile_writes_no_more(bench) -> None:
    await opened(bench, "a bug", "a bug", "docs")
    bench.configure(APPLY)

    async def happens() -> None:
        (run,) = runs(bench, kind="backfill")
        await take_back(bench, run.id)

    with pytest.raises(CommandRefused, match="was ended meanwhile"):
        await filled_while(bench, happens)
    assert [bench.labels(n) for n in (1, 2, 3)] == [[], [], []]
    assert not (await fill(bench)).resumed


async def test_an_undo_in_the_moment_of_the_look_is_heard(bench, monkeypatch) -> None:
    await opened(bench, "a bug", "docs")
    bench.configure(APPLY)
    real, calls = GitHubClient.issue, []

    async def racing(self, *given):
        calls.append(given)
        if len(calls) == 2:
            (run,) = runs(bench, kind="backfill")
            await take_back(bench, run.id)
        return await real(self, *given)

    monkeypatch.setattr(GitHubClient, "issue", racing)
    await fill(bench)
    assert [bench.labels(n) for n in (1, 2)] == [[], []]


@pytest.mark.parametrize("moved", [1, 3])
async def test_a_transferred_issue_stands_in_nobodys_way(bench, moved) -> None:
    bench.github.add_repository("acme/other")  # there, the issue becomes number 1
    await opened(bench, "a bug", "docs", "a feature", "a question")
    bench.configure(APPLY)
    bench.github.transfer_issue(REPO, 4, "acme/other", by="ada")  # its webhook never arrives
    done = await fill(bench)
    assert [bench.labels(n) for n in (1, 2, 3)] == [["bug"], ["docs"], ["feature"]]
    assert bench.github.issue("acme/other", 1).label_names == []
    bench.github.add_repository("acme/another")
    bench.github.transfer_issue(REPO, moved, "acme/another", by="ada")
    found = await take_back(bench, done.run_id)
    assert [(one.number, one.reason) for one in found.left] == [(moved, "the issue is gone")]
    assert [bench.labels(n) for n in {1, 2, 3} - {moved}] == [[], []]


async def test_a_repository_that_was_renamed_unheard_is_no_transfer(bench) -> None:
    await opened(bench, "a bug")
    bench.configure(APPLY)
    bench.github.rename_repository(REPO, "legacy", by="ada")
    with pytest.raises(Moved):
        await fill(bench)
    assert bench.github.issue("acme/legacy", 1).label_names == []


async def test_it_refuses_to_write_in_vain(bench) -> None:
    await opened(bench, "a bug")
    with pytest.raises(CommandRefused, match="mode: suggest or apply"):
        await fill(bench)
    with pytest.raises(NotStored):
        await backfill(bench.context, "no/where", BackfillRequest(), apply=False)


async def test_undo_takes_off_what_nobody_touched_and_says_what_it_left(bench) -> None:
    await opened(bench, "a bug", "a bug", "a bug", "bug in docs?", "a bug")
    bench.configure(APPLY)
    done = await fill(bench)
    bench.github.remove_label(REPO, 2, "bug", by="ada")
    bench.github.remove_label(REPO, 3, "bug", by="ada")
    bench.github.add_labels(REPO, 3, ["bug"], by="ada")
    bench.github.add_labels(REPO, 4, ["question"], by="ada")
    bench.github.delete_issue(REPO, 5, by="ada")
    found = await take_back(bench, done.run_id)
    assert [(one.number, one.label) for one in found.removed] == [(1, "bug"), (4, "bug")]
    assert {(one.number, one.label): one.reason for one in found.left} == {
        (2, "bug"): "a person took it off",
        (3, "bug"): "a person set it",
        (4, "docs"): "it is only suggested: people decide",
        (5, "bug"): "the issue is gone",
    }
    assert [bench.labels(n) for n in (1, 2, 3, 4)] == [[], [], ["bug"], ["question"]]
    again = await take_back(bench, done.run_id)
    assert (again.removed, again.undo_id) == ((), None)
    assert {(one.number, one.label) for one in again.left} == {
        (one.number, one.label)
        for one in found.left
        if one.number != 5  # that one is forgotten
    }
    (undoing,) = runs(bench, kind="undo")
    assert (undoing.undoes, undoing.finished_at is not None) == (done.run_id, True)
    with pytest.raises(CommandRefused, match="is an undo itself"):
        await take_back(bench, undoing.id)
    with pytest.raises(NotStored):
        await take_back(bench, 4711)


@pytest.mark.parametrize("moment", ["before the removal", "after it"])
async def test_who_sets_a_label_while_it_is_taken_off_keeps_it(bench, monkeypatch, moment) -> None:
    await opened(bench, "a bug")
    bench.configure(APPLY)
    done = await fill(bench)
    real = GitHubClient.remove_label

    async def racing(self, *given):
        if moment == "before the removal":
            bench.github.remove_label(REPO, 1, "bug", by="ada")
            bench.github.add_labels(REPO, 1, ["bug"], by="ada")
            return await real(self, *given)
        gone = await real(self, *given)
        bench.github.add_labels(REPO, 1, ["bug"], by="ada")
        return gone

    monkeypatch.setattr(GitHubClient, "remove_label", racing)
    await take_back(bench, done.run_id)
    assert bench.labels(1) == ["bug"]


async def test_an_undo_that_was_killed_is_finished_by_the_next(bench, monkeypatch) -> None:
    await opened(bench, "a bug", "a bug")
    bench.configure(APPLY)
    done = await fill(bench)
    real, calls = GitHubClient.remove_label, []

    async def die(self, *given):
        calls.append(given)
        await real(self, *given)
        if len(calls) == 2:
            raise Killed

    monkeypatch.setattr(GitHubClient, "remove_label", die)
    with pytest.raises(Killed):
        await take_back(bench, done.run_id)
    monkeypatch.undo()
    await take_back(bench, done.run_id)
    assert [bench.labels(n) for n in (1, 2)] == [[], []]


async def test_a_webhooks_run_can_be_undone_too(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    (run,) = runs(bench)
    found = await take_back(bench, run.id)
    assert [(one.number, one.label) for one in found.removed] == [(1, "bug")]
    with bench.installation.store.read() as work:
        kinds = {
            event.actor_kind for event in work.labels.history(work.repositories.get(REPO).id, 1)
        }
    assert kinds == {"self"}, "what the bot took back is nobody's word against the label"


async def test_a_removal_of_its_own_that_is_heard_of_at_once_is_nobodys_word(
    bench, monkeypatch
) -> None:
    await opened(bench, "a bug")
    bench.configure(APPLY)
    done = await fill(bench)
    real = GitHubClient.remove_label

    async def heard_at_once(self, *given):
        gone = await real(self, *given)
        bench.receive_all()
        return gone

    monkeypatch.setattr(GitHubClient, "remove_label", heard_at_once)
    await take_back(bench, done.run_id)
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        kinds = {event.actor_kind for event in work.labels.history(repository.id, 1)}
        (row,) = work.issues.training_rows(repository.id)
    assert kinds == {"self"}
    assert (row.refused, row.declined) == ((), ()), "an undo teaches nothing"
    assert (await fill(bench)).written == 1
    assert bench.labels(1) == ["bug"], "what an undo took off, a backfill sets anew"


async def test_webhooks_that_come_after_an_undo_are_its_own_acts_too(bench) -> None:
    await opened(bench, "a bug")
    bench.configure(APPLY)
    done = await fill(bench)
    await take_back(bench, done.run_id)
    bench.receive_all()
    with bench.installation.store.read() as work:
        history = work.labels.history(work.repositories.get(REPO).id, 1)
    assert {event.actor_kind for event in history} == {"self"}
    assert {event.source for event in history} == {"write", "webhook"}


async def test_after_an_undo_the_tokens_owner_has_the_last_word(bench) -> None:
    await opened(bench, "a bug")
    bench.configure(APPLY)
    done = await fill(bench)
    await take_back(bench, done.run_id)
    bench.receive_all()
    bench.clock.advance(minutes=5)
    bench.receive(*bench.github.add_labels(REPO, 1, ["bug"], by=BOT))
    bench.clock.advance(minutes=5)
    bench.receive(bench.github.remove_label(REPO, 1, "bug", by=BOT))
    with bench.installation.store.read() as work:
        history = work.labels.history(work.repositories.get(REPO).id, 1)
    assert [(one.action, one.actor_kind) for one in history[-2:]] == [
        ("added", "person"),
        ("removed", "person"),
    ]
    await bench.deliver(bench.github.edit_issue(REPO, 1, title="a bug indeed", by="ada"))
    assert bench.labels(1) == []


async def test_what_the_tokens_owner_did_counts_although_no_webhook_told_of_it(bench) -> None:
    await opened(bench, "a bug")
    bench.configure(APPLY)
    done = await fill(bench)
    await take_back(bench, done.run_id)
    bench.github.add_labels(REPO, 1, ["bug"], by=BOT)
    bench.github.remove_label(REPO, 1, "bug", by=BOT)
    await bench.deliver(bench.github.edit_issue(REPO, 1, title="a bug indeed", by="ada"))
    assert bench.labels(1) == []


async def test_a_removal_that_an_undo_could_not_record_is_still_its_own(bench, monkeypatch) -> None:
    await opened(bench, "a bug")
    bench.configure(APPLY)
    done = await fill(bench)
    real = GitHubClient.remove_label

    async def die(self, *given):
        await real(self, *given)
        raise Killed

    monkeypatch.setattr(GitHubClient, "remove_label", die)
    with pytest.raises(Killed):
        await take_back(bench, done.run_id)
    monkeypatch.undo()
    bench.receive_all()
    found = await take_back(bench, done.run_id)
    assert [(one.number, one.label) for one in found.removed] == [(1, "bug")]
    with bench.installation.store.read() as work:
        assert work.labels.removed_by_people(work.repositories.get(REPO).id, 1) == frozenset()


@pytest.mark.parametrize(
    "refusal",
    [
        Forbidden("DELETE", 403),
        Unreachable("DELETE", "no route", Clock()(), attempts=1, may_have_happened=False),
    ],
)
async def test_what_could_not_be_taken_off_is_the_owners_to_take_off(
    bench, monkeypatch, refusal
) -> None:
    await opened(bench, "a bug")
    bench.configure(APPLY)
    done = await fill(bench)

    async def refuse(self, *given):
        raise refusal

    monkeypatch.setattr(GitHubClient, "remove_label", refuse)
    with pytest.raises(type(refusal)):
        await take_back(bench, done.run_id)
    monkeypatch.undo()
    bench.receive(bench.github.remove_label(REPO, 1, "bug", by=BOT))
    await bench.deliver(bench.github.edit_issue(REPO, 1, title="a bug indeed", by="ada"))
    assert bench.labels(1) == []
