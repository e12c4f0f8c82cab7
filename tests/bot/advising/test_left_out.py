"""What an issue leaves out, and what speaks of a vulnerability: the rules, and who is told."""

from __future__ import annotations

from time import process_time

import pytest
from fakes_bot import BOT, REPO

from bot.advising.advice import Advice, LabelOwners
from bot.advising.advice_words import plain_lines, public_lines
from bot.advising.advisor import advice_on
from bot.advising.missing_information import missing_information
from bot.advising.security_reports import security_words
from bot.configuration import parse
from bot.simulator.records import SuggestionMode
from store.records import IssueRecord
from tagger.domain.issue import IssueText

FORM = "### What happened?\n\n{}\n\n### Steps to reproduce\n\n{}\n\n### Version\n\n{}\n"
NONE = "_No response_"
RULES = "mode: suggest\ndelay_seconds: 0\n"


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ("", ("description",)),
        ("<!-- Please describe -->\n\n", ("description",)),
        ("It crashes.", ()),
        (FORM.format("It crashes", "Open it", "1.2"), ()),
        (FORM.format("It crashes", "Open it", NONE), ("version",)),
        (FORM.format("It crashes", NONE, "1.2"), ("steps",)),
        (FORM.format("It crashes", "<!-- 1. 2. -->", NONE), ("version", "steps")),
        (FORM.format(NONE, NONE, NONE), ("form",)),
        (FORM.format("It crashes", "```\nrun it\n```", "v2"), ()),
        (FORM.format("It crashes", "1.\n2.\n3.", "v2"), ("steps",)),
        (FORM.format("It crashes", "# comment\nrun()", "v2"), ()),
        ("### Request\n\nMore colours\n\n### Why\n\nGrey is dull", ()),
        ("**Steps to reproduce**\n\n**Expected**\n\nA window", ("steps",)),
        ("Broken\n- OS: Linux\n- Python version:\n- App version:", ("version",)),
        ("Broken\n- Python version: 3.11\n- App version:", ()),
        ("## Steps\n- [x] Agree on names\n- [ ] Rename\n\n## Why\n\nNames differ", ()),
        ("### Bug\n\n_No response_\n\n### Checks\n\n- [x] I have searched", ("form",)),
        ("It fails with my environment:\nDebian 12", ()),
    ],
)
def test_only_what_the_form_asks_for_is_missed(body: str, missing: tuple[str, ...]) -> None:
    assert missing_information(body) == missing


@pytest.mark.parametrize(
    ("title", "body", "kinds"),
    [
        ("Stored XSS in comments", "", ("cross-site scripting",)),
        (
            "Update the parser",
            "See CVE-2024-12345, a remote code execution",
            ("CVE", "code execution"),
        ),
        ("Update the parser", "See CVE-2024-12345", ()),
        ("Crash", "```\nSQL injection and XSS\n```", ()),
        ("Passwords", "Logs leak passwords, which is exploitable", ("exposure", "exploit")),
        ("Dependency injection of services", "It is easy", ()),
        ("Tokenizer exposes token ids", "", ()),
    ],
)
def test_words_of_a_vulnerability(title: str, body: str, kinds: tuple[str, ...]) -> None:
    assert security_words(IssueText.of(title, body)) == kinds


def test_a_text_made_to_take_long_is_read_in_a_moment() -> None:
    began = process_time()
    for unit in ("<!--", "**a", "- a version", "```", "# a\n", "leaking ", "- version:\n"):
        missing_information(unit * 30_000)
        security_words(IssueText(unit * 100, unit * 30_000))
    assert process_time() - began < 30


@pytest.mark.anyio
async def test_a_vulnerability_is_told_to_maintainers_and_in_no_comment(bench) -> None:
    bench.configure(RULES + "advice: {missing_information: true, security: true}\n")
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    bench.github.set_role(REPO, "mona", "triage")
    body = FORM.format("Stored XSS: a script is run", NONE, "1.2")
    await bench.deliver(bench.github.open_issue(REPO, "bug? XSS in a name", body=body))
    await bench.deliver(bench.github.comment(REPO, 1, "/tagger why", by="mona"))
    comments = [c.body for c in bench.github.issue(REPO, 1).comments if c.author.login == BOT]
    assert len(comments) == 2
    assert all("Left out: the steps to reproduce it are not named" in each for each in comments)
    assert not any("vulnerab" in each or "scripting" in each for each in comments)
    with bench.installation.store.read() as work:
        advice = advice_on(work, work.repositories.get(REPO).id, 1)
    assert advice == Advice(missing=("steps",), security=("cross-site scripting",))
    assert "vulnerability" in " ".join(plain_lines(advice))
    assert "scripting" not in " ".join(public_lines(advice, ""))


@pytest.mark.anyio
async def test_both_are_off_unless_the_file_asks_for_them(bench) -> None:
    bench.configure(RULES)
    await bench.deliver(bench.github.open_issue(REPO, "bug? XSS in a name", body=""))
    with bench.installation.store.read() as work:
        assert advice_on(work, work.repositories.get(REPO).id, 1) == Advice()


@pytest.mark.anyio
async def test_a_pull_request_is_no_copy_and_misses_nothing(bench) -> None:
    rules = parse("advice: {missing_information: true, security: true}\nroutes: {bug: ['@ada']}")
    with bench.installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        record = IssueRecord(9, "Fix XSS", "", ("bug",), bench.clock(), is_pull_request=True)
        work.issues.upsert(repository.id, [record])
        issue = work.issues.get(repository.id, 9)
    advice = bench.installation.advisor.consider(repository, rules, issue, [])
    assert advice == Advice(owners=(LabelOwners("bug", ("@ada",)),))
