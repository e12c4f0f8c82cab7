"""What came of a training or report stands in the one answer of the issue that asked; once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes_bot import BOT, REPO

from bot.conversations.answering import MARK, amended, line_mark
from bot.errors import CommandRefused
from bot.jobs.task_kinds import TaskKind
from bot.jobs.task_queue import LEASE, MAX_ATTEMPTS, UPKEEP, TaskQueue
from bot.repositories import presence
from bot.simulator.faults import Fault, NetworkFault
from store.errors import LeaseLost

pytestmark = pytest.mark.anyio


class Training:
    """A task in place of the real one: says what it is told to, and counts its runs."""

    def __init__(self) -> None:
        self.says: str | Exception = "release r2 serves: not worse"
        self.runs = 0

    async def run(self, _errand) -> str:
        self.runs += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def training() -> Training:
    return Training()


@pytest.fixture
async def asked(bench, training):
    """An installation with three issues, where tess may give commands."""
    bench.configure("mode: shadow\ndelay_seconds: 0\n")
    bench.github.set_role(REPO, "tess", "triage")
    for _ in range(3):
        await bench.deliver(bench.github.open_issue(REPO, "words"))
    return bench


def queue(bench, training: Training) -> TaskQueue:
    kind = TaskKind(training.run, lambda _: None)
    return TaskQueue(UPKEEP, bench.installation, bench.context, {"retrain": kind, "report": kind})


async def say(bench, text: str, number: int = 1):
    return await bench.deliver(bench.github.comment(REPO, number, text, by="tess"))


async def run(bench, training: Training) -> None:
    """Do the task, and what it leaves in the inbox."""
    claim = await queue(bench, training).claim()
    assert claim is not None
    await lane_of(bench, training, claim).see_through(claim)
    await bench.work()


def lane_of(bench, training: Training, claim) -> TaskQueue:
    found = queue(bench, training)
    found.worker = claim.worker
    return found


def answers(bench, number: int = 1) -> list[str]:
    comments = bench.github.issue(REPO, number).comments
    return [one.body for one in comments if one.author.login == BOT]


def edits(bench) -> int:
    return len([path for path in bench.asked("PATCH") if "/issues/comments/" in path])


def waiting(bench) -> int:
    with bench.installation.store.read() as work:
        return work.inbox.counts()["pending"]


async def test_the_answer_says_what_came_of_it(asked, training) -> None:
    await say(asked, "/tagger retrain")
    assert "A training is asked for" in answers(asked)[0]
    await run(asked, training)
    (text,) = answers(asked)
    assert text == (
        f"{MARK}\nThe training ended 2026-03-01 12:00 UTC: `release r2 serves: not worse`."
        f"{line_mark('retrain')}"
    )
    assert edits(asked) == 1


async def test_what_was_said_meanwhile_stays(asked, training) -> None:
    await say(asked, "/tagger retrain")
    await say(asked, "/tagger why")
    await run(asked, training)
    (text,) = answers(asked)
    assert "Not predicted before" in text or "Predicted" in text
    assert text.endswith(f"`release r2 serves: not worse`.{line_mark('retrain')}")


async def test_a_training_and_a_report_each_have_their_line(asked, training) -> None:
    with asked.installation.store.begin() as work:
        work.repositories.set_report_issue(work.repositories.get(REPO).id, 3)
    await say(asked, "/tagger retrain")
    await say(asked, "/tagger report")
    training.says = "issue #3, 0 alarms"
    await run(asked, training)
    await run(asked, training)
    (text,) = answers(asked)
    assert text.count("The training ended") == text.count("The report ended") == 1
    link = "[#3](https://redirect.github.com/acme/rocket/issues/3)"
    assert f"`issue #3, 0 alarms`, see {link}." in text
    assert "is asked for" not in text


async def test_every_issue_that_asked_is_told_by_a_run_that_began_afterwards(
    asked, training
) -> None:
    await say(asked, "/tagger retrain", 1)
    await say(asked, "/tagger retrain", 2)
    claim = await queue(asked, training).claim()
    await say(asked, "/tagger retrain", 3)  # while it runs
    await lane_of(asked, training, claim).see_through(claim)
    await asked.work()
    ended = ["The training ended" in answers(asked, number)[0] for number in (1, 2, 3)]
    assert ended == [True, True, False]
    before = edits(asked)
    await run(asked, training)
    assert "The training ended" in answers(asked, 3)[0]
    assert edits(asked) == before + 1


async def test_killed_after_the_run_it_runs_twice_and_is_told_once(asked, training) -> None:
    await say(asked, "/tagger retrain")
    first = queue(asked, training)
    claim = await first.claim()
    await first.work(claim)  # and the process dies before it is put down
    asked.clock.advance(seconds=LEASE.total_seconds() + 1)
    await run(asked, training)
    assert training.runs == 2
    with pytest.raises(LeaseLost), asked.installation.store.begin() as work:
        work.tasks.finish(claim, asked.clock(), "late", None)
    await asked.work()
    assert len(answers(asked)) == edits(asked) == 1


async def test_killed_while_telling_nothing_is_told_twice(asked, training) -> None:
    await say(asked, "/tagger retrain")
    closed = Fault(network_fault=NetworkFault.CLOSED, method="PATCH", after_acting=True)
    asked.github.fail_next(*[closed] * 4)  # as often as the client tries
    await run(asked, training)
    assert waiting(asked) == 1
    asked.clock.advance(hours=1)
    await asked.work()
    assert waiting(asked) == 0
    (text,) = answers(asked)
    assert text.count("The training ended") == 1


async def test_a_command_that_is_repeated_asks_for_nothing_more(asked, training) -> None:
    commented = asked.github.comment(REPO, 1, "/tagger retrain", by="tess")
    asked.github.fail_next(
        Fault(network_fault=NetworkFault.CLOSED, method="POST", path="/comments", after_acting=True)
    )
    assert (await asked.deliver(commented)).state == "pending"
    with asked.installation.store.read() as work:
        assert work.tasks.all() == ()  # nothing that could end before it is answered
    asked.clock.advance(minutes=1)
    await asked.work()
    await run(asked, training)
    assert await queue(asked, training).claim() is None
    (text,) = answers(asked)
    assert "The training ended" in text


async def test_a_refusal_is_told_and_its_text_is_no_markup(asked, training) -> None:
    training.says = CommandRefused("@octo/lab has <b>no</b> labels")
    await say(asked, "/tagger retrain")
    await run(asked, training)
    assert (
        "was refused 2026-03-01 12:00 UTC: `@octo/lab has <b>no</b> labels`." in answers(asked)[0]
    )


async def test_a_failure_is_told_once_it_is_final_and_without_its_reason(asked, training) -> None:
    training.says = ValueError("secret of /srv/data")
    await say(asked, "/tagger retrain")
    for _ in range(MAX_ATTEMPTS):
        assert "A training is asked for" in answers(asked)[0]
        await run(asked, training)
        asked.clock.advance(hours=7)
    (text,) = answers(asked)
    assert "failed again and again and was given up" in text
    assert "secret" not in text


async def test_what_comes_round_by_itself_tells_nobody(asked, training) -> None:
    await say(asked, "/tagger retrain")
    await run(asked, training)
    before = len(asked.github.requests)
    with asked.installation.store.begin() as work:
        work.tasks.plan("retrain", work.repositories.get(REPO).id, "0 3 * * 6", asked.clock())
    await run(asked, training)
    assert training.runs == 2
    assert len(asked.github.requests) == before


async def test_who_deleted_the_answer_gets_no_new_one(asked, training) -> None:
    await say(asked, "/tagger retrain")
    comments = asked.github.issue(REPO, 1).comments
    comments[:] = [one for one in comments if one.author.login != BOT]
    await run(asked, training)
    assert answers(asked) == []


async def test_an_end_is_no_sign_that_the_bot_was_let_in_again(asked, training) -> None:
    await say(asked, "/tagger retrain")
    with asked.installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        presence.leave(work, repository, "uninstalled", asked.clock() - timedelta(hours=2))
    await run(asked, training)
    with asked.installation.store.read() as work:
        assert presence.left_because(work.repositories.get(REPO)) == "uninstalled"
    assert "A training is asked for" in answers(asked)[0]


@pytest.mark.parametrize("body", ["x\n\n- y", f"x\r\nold{line_mark('report')}\r\n\r\n- y"])
def test_a_line_has_its_place(body) -> None:
    line = f"new{line_mark('report')}"
    changed = amended(body, line)
    assert line in changed.split("\n")
    assert "old" not in changed
    assert amended(changed, line) == changed
