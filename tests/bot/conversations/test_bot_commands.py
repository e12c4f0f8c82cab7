"""`/tagger …` in comments: who is obeyed, what is answered, and that nothing in it is markup."""

from __future__ import annotations

from time import process_time

import pytest
from fakes_bot import BOT, REPO

from bot.conversations.answering import MARK
from bot.github.markdown import code_span
from bot.labelling.explanations import issue_link
from bot.labelling.opt_out import remember_opt_out
from bot.receiving.command_lines import COMMANDS, READ_LINES, read_command
from bot.simulator.faults import Fault, NetworkFault
from tagger.domain.decision import SAYS_NOTHING, LabelDecision, Neighbour

pytestmark = pytest.mark.anyio
APPLY = "mode: apply\ndelay_seconds: 0\n"


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/tagger why", "why"),
        ("thanks!\n\n/tagger RETRY  \nbye", "retry"),
        ("/tagger why did you do this?", "why"),
        ("/tagger", ""),
        ("/tagger whi", "whi"),
        ("/taggers why", None),
        ("please /tagger why", None),
        ("> /tagger why", None),
        ("    /tagger why", None),
        ("```\n/tagger why\n```", None),
        ("````\n```\n/tagger why\n````\n/tagger off", "off"),
        ("<!-- issue-tagger: answer -->\n/tagger why", None),
        ("", None),
        ("/Tagger why", "why"),
        ("/TAGGER", ""),
        ("thanks\r\n   /tagger off\r\n", "off"),
        ("\t/tagger why", None),
        ("words\n    /tagger why", None),
        ("\\/tagger why", None),
        ("/tagger why\n---\nTess", "why"),
        ("# /tagger why", None),
        ("- a list\n/tagger why", "why"),
        ("- /tagger why", None),
        ("<!--\n/tagger why\n-->", None),
        ("<!-- of a template\n\n/tagger why", None),
        ("words <!-- and\n/tagger why\n-->", None),
        ("<!-- a template's -->\n/tagger why", "why"),
        ("<!--\n/tagger off\n-->\n\n/tagger why", "why"),
        ("`<!--`\n/tagger why", "why"),
        ("words `code\n/tagger why\ncode`", None),
        ("> > /tagger why", None),
        ("> they said\n/tagger why", None),
        ("> they said\n\n/tagger why", "why"),
        ("~~~\n/tagger why", None),
        ("- a list\n\n  ```\n  /tagger why\n  ```", None),
        ("<details>\n<summary>log</summary>\n</details>\n/tagger why", "why"),
        ("<pre>\n/tagger why\n</pre>", None),
        ("\ue0000\ue000\n\n```\n/tagger why\n```", None),
    ],
)
async def test_a_command_begins_a_line(body, command) -> None:
    assert read_command(body) == command


async def test_a_command_is_read_in_a_moment_whatever_stands_around_it() -> None:
    for unit in ("- a\n", "> - ", "a\n\n", "1. a\n", "`a", "<!-- ", "[a](", "\\`"):
        began = process_time()
        assert read_command("/tagger why\n\n" + (unit * 65_536)[:65_000]) == "why"
        assert process_time() - began < 20  # what grows with the square takes minutes


async def test_a_command_after_more_lines_than_are_read_is_none() -> None:
    assert read_command("a\n" * (READ_LINES - 1) + "/tagger why") == "why"
    assert read_command("a\n" * READ_LINES + "/tagger why") is None


@pytest.fixture
def answers(bench):
    """What the bot says on an issue."""
    bench.configure(APPLY)
    bench.github.set_role(REPO, "tess", "triage")

    def answers(number: int = 1) -> list[str]:
        return [
            one.body for one in bench.github.issue(REPO, number).comments if one.author.login == BOT
        ]

    return answers


async def say(bench, text: str, by: str = "tess", number: int = 1):
    return await bench.deliver(bench.github.comment(REPO, number, text, by=by))


async def test_why_names_votes_neighbours_and_the_score_against_its_cut(bench, answers) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "an old one"))
    await bench.deliver(bench.github.open_issue(REPO, "a bug somewhere"))
    assert (await say(bench, "/tagger why", number=2)).state == "done"
    (text,) = answers(2)
    assert text.startswith(MARK)
    assert "by release `r1`" in text
    assert "- `bug` 0.95 (threshold 0.80): left alone, it is on the issue already" in text
    assert "votes: words 0.95; words weighed most" in text
    assert (
        "nearest: [#1](https://redirect.github.com/acme/rocket/issues/1) `an old one` 0.90 (`bug`)"
        in text
    )
    assert "- `docs` 0.05 (threshold 0.80): left alone, below the threshold" in text


async def test_a_repository_s_commands_have_one_answer_edited_in_place(bench, answers) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "a bug somewhere"))
    for command in COMMANDS:
        await say(bench, f"/tagger {command}")
    (text,) = answers()
    assert "A report is asked for" in text


@pytest.mark.parametrize("by", ["reporter", "renovate[bot]"])
async def test_strangers_and_bots_get_silence(bench, answers, by) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "a bug somewhere"))
    before = len(bench.github.deliveries)
    assert (await say(bench, "/tagger off", by=by)).state == "ignored"
    assert answers() == []
    assert len(bench.github.deliveries) == before + 1


@pytest.mark.parametrize(
    ("needed", "role", "obeyed"),
    [
        ("triage", "triage", 1),
        ("write", "triage", 0),
        ("write", "maintain", 1),
        ("off", "admin", 0),
    ],
)
async def test_the_file_says_which_role_is_obeyed(bench, answers, needed, role, obeyed) -> None:
    bench.configure(f"{APPLY}commands: {needed}\n")
    bench.github.set_role(REPO, "max", role)
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    await say(bench, "/tagger why", by="max")
    assert len(answers()) == obeyed


async def test_without_a_file_no_command_is_answered(bench, answers) -> None:
    bench.configure(None)
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    assert (await say(bench, "/tagger why")).state == "ignored"
    assert answers() == []


async def test_a_repeated_delivery_changes_nothing(bench, answers) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    commented = bench.github.comment(REPO, 1, "/tagger why", by="tess")
    await bench.deliver(commented)
    asked = len(bench.github.requests)
    assert not bench.receive(commented)
    await bench.work()
    assert len(bench.github.requests) == asked
    assert len(answers()) == 1


async def test_an_answer_that_was_not_confirmed_is_found_again(bench, answers) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    bench.github.fail_next(
        Fault(network_fault=NetworkFault.CLOSED, method="POST", path="/comments", after_acting=True)
    )
    commented = bench.github.comment(REPO, 1, "/tagger why", by="tess")
    assert (await bench.deliver(commented)).state == "pending"
    bench.clock.advance(minutes=1)
    await bench.work()
    assert bench.delivery(commented).state == "done"
    assert len(answers()) == 1


async def test_who_deletes_the_answer_and_asks_again_gets_a_new_one(bench, answers) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    await say(bench, "/tagger why")
    comments = bench.github.issue(REPO, 1).comments
    comments[:] = [one for one in comments if one.author.login != BOT]
    await say(bench, "/tagger why")
    assert len(answers()) == 1


async def test_off_leaves_the_issue_alone_until_retry(bench, answers) -> None:
    bench.configure("mode: apply\ndelay_seconds: 60\n")
    opened = bench.github.open_issue(REPO, "a bug somewhere")
    bench.receive(opened)
    await say(bench, "/tagger off")
    bench.clock.advance(seconds=61)
    await bench.work()
    assert bench.delivery(opened).error == "somebody told the bot to leave this issue alone"
    assert bench.labels(1) == []
    await say(bench, "/tagger retry")
    assert bench.labels(1) == ["bug"]
    assert "`bug` 0.95 (threshold 0.80): set, meets the target precision" in answers()[0]


async def test_off_is_heard_while_the_issue_is_scored(bench, answers) -> None:
    opened = bench.github.open_issue(REPO, "a bug somewhere")

    def obeyed(_: str) -> None:
        with bench.installation.store.begin() as work:
            issue = work.issues.get(work.repositories.get(REPO).id, 1)
            remember_opt_out(work, issue, "off", bench.clock())

    bench.release.before_tagging = obeyed
    await bench.deliver(opened)
    assert bench.labels(1) == []
    bench.release.before_tagging = lambda _: None
    await say(bench, "/tagger why")
    assert "left alone, somebody told the bot to leave this issue alone" in answers()[0]


@pytest.mark.parametrize(("late", "later"), [("retry", "off"), ("off", "retry")])
async def test_a_command_that_is_heard_late_overturns_no_later_one(
    bench, answers, late, later
) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    delayed = bench.github.comment(REPO, 1, f"/tagger {late}", by="tess")  # GitHub could not send
    bench.clock.advance(minutes=10)
    await say(bench, f"/tagger {later}")
    answered = answers()
    bench.clock.advance(hours=3)
    assert (await bench.deliver(delayed)).state == "ignored"
    assert answers() == answered
    await bench.deliver(bench.github.edit_issue(REPO, 1, by="ada", title="a bug"))
    assert bench.labels(1) == ([] if later == "off" else ["bug"])


async def test_retry_reads_the_text_as_it_is_and_overturns_nobody(bench, answers) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "a bug somewhere"))
    bench.receive(bench.github.remove_label(REPO, 1, "bug", by="ada"))
    bench.github.edit_issue(REPO, 1, by="ada", title="a bug in docs")
    await say(bench, "/tagger retry")
    assert bench.labels(1) == ["docs"]
    assert (
        "`bug` 0.95 (threshold 0.80): left alone, a person removed or dismissed it" in answers()[0]
    )
    assert len(bench.predictions()) == 2


@pytest.mark.parametrize("kind", ["retrain", "report"])
async def test_long_work_is_asked_for_once_and_done_elsewhere(bench, answers, kind) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    await say(bench, f"/tagger {kind}")
    assert "is asked for" in answers()[0]
    await say(bench, f"/tagger {kind}")
    assert "was asked for already" in answers()[0]
    with bench.installation.store.read() as work:
        (task,) = work.tasks.all()
    assert (task.kind, task.state, task.asked_by) == (kind, "waiting", "tess")
    assert [one["number"] for one in task.detail.values()] == [1, 1]


async def test_an_unknown_word_is_answered_with_the_known_ones(bench, answers) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    await say(bench, "/tagger retran")
    assert "Did you mean `/tagger retrain`?" in answers()[0]


async def test_an_issue_that_says_nothing_is_told_so(bench, answers) -> None:
    bench.release.tag = lambda issues, policy=None: [
        (LabelDecision("bug", 0.9, 0.8, "abstain", SAYS_NOTHING),)
    ]
    bench.github.open_issue(REPO, "Test")
    await say(bench, "/tagger why")
    assert "says nothing" in answers()[0]
    assert "0.9" not in answers()[0]


async def test_nothing_of_an_issue_becomes_markup_or_a_mention(bench, answers) -> None:
    title = "@ada </code><img src=x> [l](u) `#7` **b** \n\n/tagger off"
    near = (Neighbour(7, title, ("@team|`x`",), 0.5),)
    bench.release.tag = lambda issues, policy=None: [
        (LabelDecision("bug", 0.9, 0.8, "suggest", "words", {"words": 0.9}, near),)
    ]
    bench.github.open_issue(REPO, "words")
    await say(bench, "/tagger why")
    (text,) = answers()
    (line,) = [line for line in text.splitlines() if "nearest" in line]
    assert f" {code_span(title)} " in line
    assert code_span("@team|`x`") == "`` @team|`x` ``"
    outside = line.replace(code_span(title), "").replace(code_span("@team|`x`"), "")
    assert "@" not in outside
    assert "<" not in outside
    assert not any(one.startswith("/tagger") for one in text.splitlines())


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("https://github.com/a/b/issues/1", "[#7](https://redirect.github.com/a/b/issues/7)"),
        ("https://ghe.test:8443/a/b/issues/1", "[#7](https://ghe.test:8443/a/b/issues/7)"),
        ("https://evil/](x) a/b/issues/1", "`#7`"),
        ("None", "`#7`"),
    ],
)
async def test_another_issue_is_linked_without_a_trace_in_it(page, link) -> None:
    assert issue_link(page, 7) == link


async def test_a_renamed_label_keeps_what_the_file_says_of_it(bench) -> None:
    bench.configure(f"{APPLY}labels:\n  bug: {{mode: 'off'}}\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    bench.receive(bench.github.rename_label(REPO, "bug", "defect", by="ada"))
    await bench.deliver(bench.github.open_issue(REPO, "a bug in docs"))
    assert bench.labels(2) == ["docs"]
