"""The report: figures from what people did, one issue edited in place, alarms only beyond noise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fakes_bot import BOT, LABELS, REPO

from bot.configuration import RepositoryConfiguration
from bot.conversations.report_issue import MARK, TITLE
from bot.errors import CommandRefused
from bot.evaluating.live_outcomes import live_gauges
from bot.evaluating.reporting import report, write_files
from bot.jobs import report_task as job
from bot.jobs.task_kinds import KINDS, ScheduleContext, TaskRun
from store.records import (
    BEING_MADE,
    IssueRecord,
    LabelEvent,
    LabelRecord,
    PredictedLabel,
    PredictionRecord,
    ReleaseRecord,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio
OLD = 300
"""Labelled issues that were there before the release."""


@pytest.fixture
def filed(bench):
    """A repository with labelled issues, and a release whose manifest says what it learned from."""
    now = bench.clock()
    with bench.installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        work.labels.upsert(repository.id, map(LabelRecord, LABELS), now=now)
        names = ("bug", "docs")
        work.issues.upsert(
            repository.id,
            [
                IssueRecord(
                    n,
                    f"{names[n % 2]} number {n}",
                    "",
                    (names[n % 2],),
                    now - timedelta(days=400 - n),
                )
                for n in range(1, OLD + 1)
            ],
        )
        rows = [{"name": name, "examples": OLD // 2} for name in names]
        manifest = {"n_issues": OLD, "labels": rows}
        record = ReleaseRecord("r1", now, "r1", "digest", manifest)
        work.releases.add(repository.id, record)
    return bench


def predict(bench, numbers, *, at=None, decision="apply", **more: Any) -> None:
    now = at or bench.clock()
    with bench.installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        for n in numbers:
            work.issues.upsert(repository.id, [IssueRecord(n, f"bug {n}", "", (), now)])
            label = PredictedLabel("bug", 0.9, 0.8, decision, "words", action="set", **more)
            work.predictions.record(
                PredictionRecord(repository.id, n, "r1", now, "apply", (label,), inclusion=0.5)
            )


def answer(bench, numbers, action: str) -> None:
    at = bench.clock() + timedelta(hours=1)
    with bench.installation.store.begin() as work:
        repository = work.repositories.get(REPO).id
        if action == "added":
            for n in numbers:
                issue = work.issues.get(repository, n)
                record = IssueRecord(n, issue.title, "", ("bug",), issue.created_at, updated_at=at)
                work.issues.upsert(repository, [record])
        work.labels.record_events(
            repository,
            [LabelEvent(n, "bug", action, at, "ada", "person", key=f"e{n}") for n in numbers],
        )


def stock(bench):
    bench.clock.advance(hours=2)
    installation = bench.installation
    return report(installation.store, installation.cache, REPO, now=bench.clock())


async def test_precision_comes_from_what_people_said_to_the_audits_questions(filed) -> None:
    predict(filed, range(1001, 1021), drawn="audit", inclusion=0.2)
    answer(filed, range(1001, 1016), "added")
    answer(filed, range(1016, 1019), "removed")
    document = stock(filed).document
    bug = next(one for one in document["live"] if one["label"] == "bug" and one["week"] is None)
    assert bug["precision"]["basis"] == "asked"
    assert (bug["precision"]["n"], bug["precision"]["value"]) == (18, pytest.approx(15 / 18))
    assert {one["week"] for one in document["live"]} == {None, "2026-02-23"}
    [gauge] = live_gauges(filed.installation.store, filed.clock())
    assert (gauge.label, gauge.precision.n) == ("bug", 18)


async def test_a_precision_clearly_below_the_promise_raises_an_alarm(filed, caplog) -> None:
    predict(filed, range(1001, 1031), drawn="audit", inclusion=0.2)
    answer(filed, range(1001, 1016), "added")
    answer(filed, range(1016, 1031), "removed")
    done = stock(filed)
    assert len(done.alarms) == 1
    assert "bug: precision in use is 0.50" in done.alarms[0]
    assert "**Alarm:** bug: precision" in done.text
    assert [record.reason for record in caplog.records if record.message == "alarm"] == [
        done.alarms[0]
    ]


async def test_the_next_report_compares_and_a_worse_release_raises_an_alarm(filed) -> None:
    first = stock(filed)
    assert first.document["compared_with_last"] is None
    assert first.document["held_out"]["micro_f1"] == 1.0
    same = stock(filed).document
    assert same["compared_with_last"]["promote"]
    assert same["since"] == first.document["at"]
    assert same["alarms"] == []
    filed.release.names = ("feature", "question")  # it no longer gives a right label
    worse = stock(filed)
    assert "worse than at the last report" in worse.alarms[0]
    assert worse.document["held_out"]["micro_f1"] == 0.0


async def test_drift_says_retrain_now_and_says_why(filed) -> None:
    assert stock(filed).document["retrain"]["now"] is False
    now = filed.clock()
    with filed.installation.store.begin() as work:
        repository = work.repositories.get(REPO).id
        work.issues.upsert(
            repository,
            [IssueRecord(n, f"bug zebra{n}x", "", ("bug",), now) for n in range(2000, 2080)],
        )
        run = work.evaluations.start(repository, "evaluate", "f", {}, now)
        summary = [
            {"strategy": "chain", "n_train": n, "micro_f1": f} for n, f in ((100, 0.5), (200, 0.7))
        ]
        work.evaluations.finish(run.id, {"summary": summary, "changes": []}, now)
    done = stock(filed)
    advice = done.document["retrain"]
    assert advice["now"]
    assert any(one.startswith("bug: 50.0% then, 100.0% now") for one in advice["why"])
    assert advice["gain"]["labelled"] == OLD + 80
    assert advice["gain"]["expected"] == pytest.approx(0.2 * 0.341, abs=1e-3)
    assert "## Retrain now" in done.text


async def test_without_a_release_there_is_nothing_to_report(installation, clock) -> None:
    with installation.store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=clock())
        work.labels.upsert(repository.id, [LabelRecord("bug")], now=clock())
    with pytest.raises(CommandRefused, match="retrain"):
        report(installation.store, installation.cache, REPO, now=clock())


def task_run(bench) -> TaskRun:
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
    return TaskRun(bench.installation, bench.context, repository)


@pytest.fixture
def configured(filed, monkeypatch):
    """Lets a configuration hold without a file."""

    def put(to: str):
        asked = {"report": {"schedule": "0 6 * * 1", "to": to}}
        made = RepositoryConfiguration.model_validate(asked)
        monkeypatch.setattr(job, "known_configuration", lambda _: made)
        return made

    return put


async def test_the_periodic_run_edits_one_issue_in_place(filed, configured) -> None:
    configured("issue")
    said = await job.run(task_run(filed))
    [number] = [one.number for one in filed.github.repository(REPO).issues.values()]
    assert said == f"issue #{number}, 0 alarms"
    issue = filed.github.issue(REPO, number)
    assert issue.title == TITLE
    assert issue.body.startswith(MARK)
    filed.clock.advance(days=7)
    assert await job.run(task_run(filed)) == said
    assert len(filed.github.repository(REPO).issues) == 1
    assert "Last report: 2026-03-01" in filed.github.issue(REPO, number).body


async def test_after_a_crash_between_making_and_remembering_the_issue_is_found_again(
    filed, configured
) -> None:
    configured("issue")
    await job.run(task_run(filed))
    with filed.installation.store.begin() as work:
        work.repositories.set_report_issue(work.repositories.get(REPO).id, BEING_MADE)
    await job.run(task_run(filed))
    assert len(filed.github.repository(REPO).issues) == 1


async def test_files_are_written_where_files_are_asked_for(filed, configured) -> None:
    configured("files")
    said = await job.run(task_run(filed))
    folder = filed.installation.settings.reports_folder / REPO
    assert said == "written to files, 0 alarms"  # where they lie is nobody's business on GitHub
    assert json.loads((folder / "live.json").read_text("utf-8"))["repository"] == REPO
    assert not filed.github.repository(REPO).issues


async def test_the_schedule_is_the_configurations_and_none_means_none(filed, configured) -> None:
    settings = filed.installation.settings
    assert job.cron(ScheduleContext(settings, configured("issue"), None)) == "0 6 * * 1"
    assert job.cron(ScheduleContext(settings, configured("none"), None)) is None
    assert KINDS["report"].run is job.run


async def test_a_label_that_is_markup_stays_text(filed, tmp_path: Path) -> None:
    evil = "<b>@octocat|[x](javascript:1)"
    predict(filed, [1001], drawn="audit")
    with filed.installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        label = PredictedLabel(evil, 0.9, 0.8, "apply", "words", action="set")
        work.issues.upsert(repository.id, [IssueRecord(1002, "x", "", (), filed.clock())])
        record = PredictionRecord(repository.id, 1002, "r1", filed.clock(), "apply", (label,))
        work.predictions.record(replace(record))
    done = stock(filed)
    [as_json, text] = write_files(done, tmp_path)
    assert evil in as_json.read_text("utf-8")
    assert "<b>" not in text.read_text("utf-8")
    assert "@octocat" not in text.read_text("utf-8")
    assert BOT not in done.text
