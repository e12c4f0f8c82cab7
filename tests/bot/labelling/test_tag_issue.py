"""Tagging through the real store, client and simulator: what goes out, and what is recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes_bot import BOT, REPO

from bot.configuration.last_reading import Reading
from bot.conversations import configuration_notice, report_issue
from bot.github.client import GitHubClient
from bot.github.errors import RateLimited
from bot.jobs.delivery_handlers import handle
from bot.labelling.suggesting import MARK
from bot.simulator.faults import server_error
from bot.simulator.records import SuggestionMode

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"


async def test_without_a_file_everything_is_recorded_and_nothing_written(bench) -> None:
    bench.configure(None)
    opened = bench.github.open_issue(REPO, "a bug somewhere")
    bench.receive(opened)
    await bench.work()
    assert bench.delivery(opened).state == "pending"  # 120 s, in which a person may act
    bench.clock.advance(seconds=121)
    await bench.work()
    assert bench.delivery(opened).state == "done"
    (prediction,) = bench.predictions()
    assert prediction.mode == "shadow"
    assert prediction.release == "r1"
    assert {label.name: label.decision for label in prediction.labels} == {
        "bug": "apply", "feature": "abstain", "docs": "abstain", "question": "abstain",
    }  # fmt: skip
    assert bench.labels(1) == []
    assert bench.asked("POST") == []


async def test_the_right_labels_go_out_and_all_of_it_is_recorded(bench) -> None:
    bench.configure(APPLY)
    bench.github.open_issue(REPO, "an old one, the neighbour")
    opened = bench.github.open_issue(REPO, "bug in docs")
    assert (await bench.deliver(opened)).state == "done"
    assert sorted(bench.labels(2)) == ["bug", "docs"]
    (prediction,) = bench.predictions()
    first = prediction.labels[0]
    assert (first.score, first.cut, first.decided_by) == (0.95, 0.8, "words")
    assert dict(first.votes) == {"words": 0.95}
    assert first.neighbours[0]["number"] == 1
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        (run,) = work.writes.runs(repository.id)
        writes = work.writes.list(run_id=run.id)
        history = work.labels.history(repository.id, 2)
    value = bench.installation.metrics.counted.get_sample_value
    assert value("issue_tagger_writes_total", {"form": "label", "state": "written"}) == 2
    assert value("issue_tagger_worked_deliveries_total", {"end": "done"}) == 1
    assert run.finished_at is not None
    assert {(write.label, write.state) for write in writes} == {
        ("bug", "written"), ("docs", "written"),
    }  # fmt: skip
    assert {event.actor_kind for event in history} == {"self"}


async def test_its_own_webhooks_cause_no_work_and_enter_history_as_its_own(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    requests = len(bench.github.requests)
    for caused in list(bench.github.deliveries)[1:]:
        assert caused.payload["sender"]["login"] == BOT
        assert (await bench.deliver(caused)).state == "ignored"
    assert len(bench.github.requests) == requests
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert work.issues.get(repository.id, 1).labels == ("bug",)
        kinds = {event.actor_kind for event in work.labels.history(repository.id, 1)}
    assert kinds == {"self"}


async def test_the_tokens_owner_files_issues_too(bench) -> None:
    bench.configure(APPLY)
    opened = await bench.deliver(bench.github.open_issue(REPO, "a bug", by=BOT))
    assert (opened.state, bench.labels(1)) == ("done", ["bug"])
    await bench.deliver(bench.github.edit_issue(REPO, 1, by=BOT, title="a bug in docs"))
    assert bench.labels(1) == ["bug", "docs"]
    bench.github.set_state(REPO, 1, "closed", by=BOT)
    reopened = bench.github.set_state(REPO, 1, "open", by=BOT)
    assert (await bench.deliver(reopened)).state == "done"


@pytest.mark.parametrize("mark", [configuration_notice.MARK, report_issue.MARK])
async def test_the_bots_own_issues_are_left_out_under_a_persons_login(bench, mark) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug", body=f"{mark}\nfound", by=BOT)
    assert (await bench.deliver(opened)).state == "ignored"
    edited = bench.github.edit_issue(REPO, 1, by=BOT, body=f"{mark}\nfound more")
    assert (await bench.deliver(edited)).state == "ignored"
    assert (bench.labels(1), bench.predictions()) == ([], ())


async def test_whatever_an_apps_own_account_does_is_left_out(bench) -> None:
    bench.configure(APPLY)
    bench.installation.own_login = "tagger[bot]"
    opened = bench.github.open_issue(REPO, "a bug", by="tagger[bot]")
    assert (await bench.deliver(opened)).state == "ignored"


async def test_what_a_person_removed_during_the_delay_stays_removed(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 60\n")
    opened = bench.github.open_issue(REPO, "a bug and a feature", labels=["bug"])
    bench.receive(opened)
    bench.github.remove_label(REPO, 1, "bug", by="ada")  # its webhook never arrives
    bench.clock.advance(seconds=61)
    await bench.work()
    assert bench.labels(1) == ["feature"]


async def test_what_happens_while_it_is_scored_is_seen(bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug and a feature")
    bench.release.before_tagging = lambda _: bench.github.add_labels(REPO, 1, ["bug"], by="ada")
    await bench.deliver(opened)
    assert sorted(bench.labels(1)) == ["bug", "feature"]
    with bench.installation.store.read() as work:
        writes = work.writes.list(repository_id=work.repositories.get(REPO).id)
    assert [write.label for write in writes] == ["feature"]


async def test_a_removal_in_the_moment_of_the_write_wins(bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug in docs")
    add = bench.github.add_labels

    def racing(name, number, labels, *, by):
        if by == BOT and labels == ["bug"]:
            add(name, number, ["bug"], by="ada")
            bench.github.remove_label(name, number, "bug", by="ada")
        return add(name, number, labels, by=by)

    bench.github.add_labels = racing
    await bench.deliver(opened)
    assert bench.labels(1) == ["docs"]
    with bench.installation.store.read() as work:
        writes = work.writes.list(repository_id=work.repositories.get(REPO).id)
    assert {(write.label, write.state) for write in writes} == {
        ("bug", "undone"), ("docs", "written"),
    }  # fmt: skip


@pytest.mark.parametrize("end", ["close", "delete"])
async def test_nothing_is_written_on_an_issue_that_ended_meanwhile(bench, end) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")

    def happens(_: str) -> None:
        if end == "close":
            bench.github.set_state(REPO, 1, "closed", by="ada")
        else:
            bench.github.delete_issue(REPO, 1, by="ada")

    bench.release.before_tagging = happens
    assert (await bench.deliver(opened)).state == "done"
    assert bench.asked("POST") == []
    assert len(bench.predictions()) == (1 if end == "close" else 0)  # nothing is kept of it


async def test_labels_that_the_repository_has_not_got_are_not_created(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "first a bug"))
    bench.github.delete_label(REPO, "docs", by="ada")  # its webhook never arrives
    await bench.deliver(bench.github.open_issue(REPO, "bug in docs"))
    assert bench.labels(2) == ["bug"]
    assert "docs" not in bench.github.repository(REPO).labels


async def test_a_renamed_label_is_followed(bench) -> None:
    bench.configure(APPLY)
    bench.receive(bench.github.rename_label(REPO, "bug", "defect", by="ada"))
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == ["defect"]


async def test_an_exclusive_group_respects_what_a_person_chose(bench) -> None:
    bench.configure(APPLY + "exclusive:\n  - [bug, feature]\n")
    opened = bench.github.open_issue(REPO, "a bug in docs", labels=["feature"])
    await bench.deliver(opened)
    assert sorted(bench.labels(1)) == ["docs", "feature"]
    assert bench.release.policies[-1].exclusive == (("bug", "feature"),)


async def test_a_choice_made_in_the_moment_of_the_write_wins(bench) -> None:
    bench.configure(APPLY + "exclusive:\n  - [bug, feature]\n")
    opened = bench.github.open_issue(REPO, "a bug")
    add = bench.github.add_labels

    def racing(name, number, labels, *, by):
        if by == BOT:
            add(name, number, ["feature"], by="ada")
        return add(name, number, labels, by=by)

    bench.github.add_labels = racing
    await bench.deliver(opened)
    assert bench.labels(1) == ["feature"]
    with bench.installation.store.read() as work:
        (write,) = work.writes.list(repository_id=work.repositories.get(REPO).id)
    assert (write.state, write.reason) == ("undone", "a person chose feature")


async def test_a_removal_that_could_not_be_recorded_is_still_the_bots(bench, monkeypatch) -> None:
    bench.configure(APPLY + "exclusive:\n  - [bug, feature]\n")
    opened = bench.github.open_issue(REPO, "a bug")
    add, remove = bench.github.add_labels, GitHubClient.remove_label

    def racing(name, number, labels, *, by):
        bench.github.add_labels = add
        add(name, number, ["feature"], by="ada")
        return add(name, number, labels, by=by)

    async def die(self, *given):
        await remove(self, *given)
        raise Killed

    bench.github.add_labels = racing
    monkeypatch.setattr(GitHubClient, "remove_label", die)
    with pytest.raises(Killed):
        await bench.deliver(opened)
    monkeypatch.undo()
    bench.receive_all()
    bench.clock.advance(minutes=10)
    await bench.work()
    assert bench.delivery(opened).state == "done"
    assert bench.labels(1) == ["feature"]
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        (write,) = work.writes.list(repository_id=repository.id)
        assert work.labels.removed_by_people(repository.id, 1) == frozenset()
    assert (write.state, write.reason) == ("undone", "a person chose feature")


@pytest.mark.parametrize(
    ("rule", "title", "by"),
    [
        ("ignore: {authors: ['dependabot[bot]']}", "a bug", "dependabot[bot]"),
        ("ignore: {titles: ['^\\[WIP\\]']}", "[WIP] a bug", "ada"),
        ("mode: 'off'", "a bug", "ada"),
    ],
)
async def test_ignored_issues_are_left_alone(bench, rule, title, by) -> None:
    bench.configure(f"delay_seconds: 0\n{rule}\n")
    delivery = await bench.deliver(bench.github.open_issue(REPO, title, by=by))
    assert delivery.state == "ignored"
    assert delivery.error
    assert bench.predictions() == ()


async def test_without_a_release_the_delivery_ends_and_says_what_to_do(bench) -> None:
    bench.github.add_repository("acme/new")
    bench.github.set_role("acme/new", BOT, "write")
    bench.github.repository("acme/new").files[".github/issue-tagger.yml"] = APPLY
    delivery = await bench.deliver(bench.github.open_issue("acme/new", "a bug"))
    assert delivery.state == "ignored"
    assert "issue-tagger retrain acme/new" in delivery.error


async def test_an_invalid_file_changes_nothing(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    pushed = bench.github.push_file(REPO, ".github/issue-tagger.yml", "mode: aply\n")
    assert (await bench.deliver(pushed)).state == "done"
    opened = bench.github.open_issue(REPO, "a bug")
    await bench.deliver(opened)
    assert bench.labels(opened.payload["issue"]["number"]) == ["bug"]
    with bench.installation.store.read() as work:
        reading = Reading.of(work.repositories.get(REPO))
    assert "did you mean 'apply'" in reading.problems[0].message


async def test_a_pushed_file_holds_from_the_next_delivery_on(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    text = "mode: shadow\ndelay_seconds: 0\n"
    await bench.deliver(bench.github.push_file(REPO, ".github/issue-tagger.yml", text))
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(2) == []


async def test_the_organisations_file_holds_where_the_repository_has_none(bench) -> None:
    bench.configure(None)
    bench.github.add_repository("acme/.github")
    bench.github.set_role("acme/.github", BOT, "write")
    bench.github.push_file("acme/.github", ".github/issue-tagger.yml", APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == ["bug"]


async def test_an_edit_is_scored_anew_only_where_the_text_changed(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "it is broken"))
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="it is a bug"))
    assert bench.labels(1) == ["bug"]
    assert [text.title for text in bench.release.texts] == ["it is broken", "it is a bug"]
    unchanged = bench.github.edit_issue(REPO, 1, by="ada")
    assert (await bench.deliver(unchanged)).state == "ignored"


async def test_an_opened_issue_is_scored_as_filed(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 60\n")
    opened = bench.github.open_issue(REPO, "a bug")
    bench.clock.advance(seconds=5)
    edited = bench.github.edit_issue(REPO, 1, by="ada", title="a feature")
    bench.receive(edited)  # overtook the other
    bench.receive(opened)
    bench.clock.advance(seconds=61)
    await bench.work()
    assert {text.title for text in bench.release.texts} == {"a bug", "a feature"}


async def test_pull_requests_are_not_tagged(bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug", pull_request=True)
    assert (await bench.deliver(opened)).state == "ignored"
    assert bench.predictions() == ()


async def test_suggestions_go_out_in_githubs_own_form(bench) -> None:
    bench.configure("mode: suggest\ndelay_seconds: 0\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == []
    (suggestion,) = bench.github.suggestions(REPO, 1)
    assert (suggestion.label.name, suggestion.confidence) == ("bug", "HIGH")
    assert suggestion.rationale.startswith("95% likely; threshold ")
    assert bench.github.issue(REPO, 1).comments == []


async def test_a_dismissed_suggestion_never_comes_back(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 0\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug?"))
    (suggestion,) = bench.github.suggestions(REPO, 1)
    bench.github.dismiss(REPO, 1, suggestion.id, by="ada")
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="bug? yes"))
    assert [one.state for one in bench.github.suggestions(REPO, 1)] == ["dismissed"]
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="a bug"))
    assert bench.labels(1) == []


async def test_elsewhere_one_comment_suggests_and_is_edited_in_place(bench) -> None:
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    bench.configure("mode: suggest\ndelay_seconds: 0\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="bug in docs"))
    (comment,) = bench.github.issue(REPO, 1).comments
    assert comment.body.startswith(MARK)
    assert "`bug` (95%)" in comment.body
    assert "`docs` (95%)" in comment.body
    with bench.installation.store.read() as work:
        forms = {w.form for w in work.writes.list(repository_id=work.repositories.get(REPO).id)}
    assert forms == {"comment"}


async def test_comments_can_be_switched_off(bench) -> None:
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    bench.configure("mode: suggest\ndelay_seconds: 0\nsuggestion_comments: false\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.github.issue(REPO, 1).comments == []
    assert len(bench.predictions()) == 1


async def test_the_fallback_label_is_set_and_goes_once_a_label_arrives(bench) -> None:
    bench.github.add_label(REPO, "needs-triage")
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    assert bench.labels(1) == ["needs-triage"]
    (labeled,) = bench.github.add_labels(REPO, 1, ["bug"], by="ada")
    assert (await bench.deliver(labeled)).state == "done"
    assert bench.labels(1) == ["bug"]


async def test_a_fallback_label_that_a_person_set_stays(bench) -> None:
    bench.github.add_label(REPO, "needs-triage")
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug", labels=["needs-triage"]))
    (labeled,) = bench.github.add_labels(REPO, 1, ["docs"], by="ada")
    await bench.deliver(labeled)
    assert sorted(bench.labels(1)) == ["bug", "docs", "needs-triage"]


async def test_the_bots_own_label_takes_the_fallback_away(bench) -> None:
    bench.github.add_label(REPO, "needs-triage")
    bench.configure(APPLY + "fallback_label: needs-triage\n")
    await bench.deliver(bench.github.open_issue(REPO, "who knows"))
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="a bug"))
    assert bench.labels(1) == ["bug"]


class Killed(BaseException):
    """The process ends here."""


async def _killed_after_adding(bench, monkeypatch) -> None:
    """Take up the next delivery, add the labels, and die before anything else is recorded."""
    real = GitHubClient.add_labels

    async def add_then_die(self, *given, **named):
        await real(self, *given, **named)
        raise Killed

    claim = bench.worker()._claim()
    monkeypatch.setattr(GitHubClient, "add_labels", add_then_die)
    with pytest.raises(Killed):
        await handle(bench.context, claim)
    monkeypatch.undo()
    bench.clock.advance(minutes=5)  # its lease runs out


async def test_a_killed_write_is_found_again_and_not_repeated(bench, monkeypatch) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    await _killed_after_adding(bench, monkeypatch)
    assert bench.labels(1) == ["bug"]
    assert bench.predictions() == ()
    await bench.work()
    assert bench.delivery(opened).state == "done"
    assert len(bench.predictions()) == 1
    assert [event.event for event in bench.github.issue(REPO, 1).events] == ["labeled"]
    with bench.installation.store.read() as work:
        (write,) = work.writes.list(repository_id=work.repositories.get(REPO).id)
        (run,) = work.writes.runs(work.repositories.get(REPO).id)
    assert write.state == "written"
    assert run.finished_at is not None


async def test_what_a_person_removed_after_a_kill_is_not_set_again(bench, monkeypatch) -> None:
    bench.configure(APPLY)
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    await _killed_after_adding(bench, monkeypatch)
    bench.github.remove_label(REPO, 1, "bug", by="ada")
    await bench.work()
    assert bench.labels(1) == []
    with bench.installation.store.read() as work:
        (write,) = work.writes.list(repository_id=work.repositories.get(REPO).id)
    assert write.state == "left"


async def test_the_bots_own_issues_are_not_tagged_even_before_it_knows_its_name(bench) -> None:
    bench.configure(APPLY)
    bench.installation.own_login = None
    opened = bench.github.open_issue(REPO, "a bug", body=report_issue.MARK, by=BOT)
    delivery = await bench.deliver(opened)
    assert (delivery.state, delivery.error) == ("ignored", "the bot did this itself")


async def test_a_rate_limit_brings_the_delivery_back_when_github_says(bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    budget = bench.github.budget(BOT)
    budget.remaining = 0
    delivery = await bench.deliver(opened)
    assert delivery.state == "pending"
    assert RateLimited.__name__ in delivery.error
    assert delivery.due_at - bench.clock() > timedelta(minutes=50)
    bench.clock.advance(hours=1, seconds=5)
    await bench.work()
    assert bench.labels(1) == ["bug"]


async def test_without_credentials_it_predicts_and_asks_nothing(bench) -> None:
    from dataclasses import replace

    bench._context = replace(bench.context, access=None)
    assert (await bench.deliver(bench.github.open_issue(REPO, "a bug"))).state == "pending"
    bench.clock.advance(seconds=121)
    await bench.work()
    assert len(bench.predictions()) == 1
    assert list(bench.github.requests) == []


async def test_five_hundred_deliveries_with_a_hundred_repeats_are_four_hundred(bench) -> None:
    bench.configure(None)
    opened = [bench.github.open_issue(REPO, f"a bug, number {n}") for n in range(400)]
    sent = opened + opened[150:250]
    assert [bench.receive(delivery) for delivery in sent].count(True) == 400
    bench.clock.advance(seconds=121)
    await bench.work()
    await bench.work()
    assert len(bench.predictions()) == 400
    with bench.installation.store.read() as work:
        assert work.inbox.counts()["done"] == 400


async def test_a_failure_of_github_is_repeated_later(bench, monkeypatch) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.github.fail_next(*[server_error(502)] * 4)

    async def no_time(_: float) -> None:
        bench.clock.advance(seconds=1)

    client = await bench.context.access.client(REPO)
    monkeypatch.setattr(
        client._connection, "_patience", _impatient(client._connection._patience, no_time)
    )
    delivery = await bench.deliver(opened)
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert "Unreachable" in delivery.error
    bench.clock.advance(minutes=1)
    await bench.work()
    assert bench.labels(1) == ["bug"]


def _impatient(patience, sleep):
    from dataclasses import replace

    return replace(patience, sleep=sleep)
