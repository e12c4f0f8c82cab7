"""What GitHub refuses for good ends, after as many requests as make sense, and holds nothing up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes_bot import REPO

from bot.conversations import report_issue
from bot.errors import CommandRefused
from bot.jobs import report_task
from bot.jobs.task_kinds import TaskRun
from bot.simulator.faults import Fault
from bot.simulator.records import SuggestionMode

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"
FOR_GOOD = [404, 410, 422]


def refuse(bench: Bench, status: int, path: str, method: str = "POST", times: int = 10) -> None:
    bench.github.fail_next(*[Fault(status, {}, "no", method=method, path=path)] * times)


def refuse_from_the_second(bench: Bench, status: int, path: str) -> None:
    """Suggestions go where labels go, after them."""
    real = bench.github.fault_for
    seen = []

    def asked(method: str, asked_path: str) -> Fault | None:
        if method == "POST" and asked_path.endswith(path):
            seen.append(asked_path)
            if len(seen) > 1:
                return Fault(status, {}, "no")
        return real(method, asked_path)

    bench.github.fault_for = asked


def requests(bench: Bench, path: str, method: str = "POST") -> int:
    return sum(asked.endswith(path) for asked in bench.asked(method))


def forms(bench: Bench) -> dict[str, tuple[str, str]]:
    with bench.installation.store.read() as work:
        writes = work.writes.list(repository_id=work.repositories.get(REPO).id)
    return {write.label: (write.form, write.state) for write in writes}


@pytest.mark.parametrize(("status", "times"), [(410, 1), (404, 2), (422, 2)])
async def test_a_label_is_asked_for_once_and_after_another_look(
    bench: Bench, status: int, times: int
) -> None:
    """410 is final; behind a 404 may be a rename that another look finds.

    Behind a 422 may be a server that knows labels by their names alone.
    """
    bench.configure(APPLY)
    refuse(bench, status, "/labels")
    delivery = await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert (delivery.state, delivery.attempts) == ("done", 1)
    assert requests(bench, "/issues/1/labels") == times


@pytest.mark.parametrize("status", FOR_GOOD)
@pytest.mark.parametrize("form", ["suggestion", "comment"])
async def test_labels_are_set_where_suggestions_are_refused(
    bench: Bench, status: int, form: str
) -> None:
    bench.configure(APPLY)
    if form == "comment":
        bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
        refuse(bench, status, "/comments")
    else:
        refuse_from_the_second(bench, status, "/labels")
    delivery = await bench.deliver(bench.github.open_issue(REPO, "bug and docs?"))
    assert (delivery.state, delivery.attempts) == ("done", 1)
    assert bench.labels(1) == ["bug"]
    # A repository that takes no suggestions gets a comment.
    docs = ("comment", "written") if (form, status) == ("suggestion", 422) else (form, "left")
    assert forms(bench) == {"bug": ("label", "written"), "docs": docs}


@pytest.mark.parametrize("status", FOR_GOOD)
async def test_suggestions_and_labels_that_fit_go_out_where_one_label_is_refused(
    bench: Bench, status: int
) -> None:
    bench.configure(APPLY)
    times = 3 if status == 422 else 1  # both at once, then the first by itself, by name at last
    refuse(bench, status, "/labels", times=times)
    delivery = await bench.deliver(bench.github.open_issue(REPO, "bug feature and docs?"))
    assert (delivery.state, delivery.attempts) == ("done", 1)
    pending = [each for each in bench.github.suggestions(REPO, 1) if each.state == "pending"]
    assert [each.label.name for each in pending] == ["docs"]
    assert len(bench.labels(1)) == {404: 2, 410: 0, 422: 1}[status]


@pytest.mark.parametrize("status", FOR_GOOD)
async def test_an_answer_that_is_refused_ends(bench: Bench, status: int) -> None:
    bench.configure(APPLY)
    bench.github.set_role(REPO, "tess", "triage")
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    await bench.work()
    refuse(bench, status, "/comments")
    delivery = await bench.deliver(bench.github.comment(REPO, 1, "/tagger why", by="tess"))
    assert (delivery.state, delivery.attempts) == ("ignored", 1)
    assert requests(bench, "/comments") == 1


@pytest.mark.parametrize("status", FOR_GOOD)
async def test_a_report_that_github_takes_nowhere_is_refused(
    bench: Bench, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trying again would not help: the task waits until it comes round."""
    bench.configure(APPLY)
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    await bench.work()
    made = type("Reported", (), {"text": "all is well", "alarms": (), "document": {}})()
    monkeypatch.setattr("bot.evaluating.reporting.report", lambda *_, **__: made)
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
    refuse(bench, status, f"/repos/{REPO}/issues")
    with pytest.raises(CommandRefused, match=f"GitHub answered {status}"):
        await report_task.run(TaskRun(bench.installation, bench.context, repository, "tess"))
    assert report_issue.TITLE not in [
        one.title for one in bench.github.repository(REPO).issues.values()
    ]
