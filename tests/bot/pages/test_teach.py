"""Teach: from no labelled issue to labels that are served, and onto GitHub as one run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes_bot import REPO
from fakes_cli import WORDS

from bot.container import Container
from bot.teaching.lesson import MEMBERS
from store.records import IssueRecord, LabelRecord
from tagger.domain.strategy import Resources
from tagger.evaluation.teaching_order import teaching_order

if TYPE_CHECKING:
    from fakes_pages import Browser

TEACH = f"/r/{REPO}/teach"
KINDS = tuple(WORDS)


class ThreeWords:
    """An encoder that knows the words of three labels."""

    identity, width = "three words", 4

    def encode(self, texts):
        rows = [
            [*(float(any(word in text for word in words)) for words in WORDS.values()), 0.5]
            for text in texts
        ]
        vectors = np.array(rows, dtype=np.float32).reshape(len(texts), 4)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def kind_of(number: int) -> str:
    return KINDS[number % 3]


@pytest.fixture
def unlabelled(installation, github, clock, monkeypatch):
    """Forty issues on GitHub and in the store, none labelled; an encoder that is quick."""
    monkeypatch.setattr(
        Container, "resources", lambda self, *_, **more: Resources(encoder=ThreeWords)
    )
    monkeypatch.setattr("bot.backfilling.throttling.Throttled.after_a_write", _at_once)
    with installation.store.begin() as work:
        repository = work.repositories.get_or_create(
            REPO, now=clock(), github_id=github.repository(REPO).id
        )
        labels = [LabelRecord(kind) for kind in KINDS]
        work.labels.upsert(repository.id, labels, now=clock())
        rows = []
        for number in range(1, 41):
            words = WORDS[kind_of(number)]
            title = f"{words[number % len(words)]} in part {number}"
            github.open_issue(REPO, title, "It is so.", by="ada")
            rows.append(IssueRecord(number, title, "It is so.", (), clock()))
        work.issues.upsert(repository.id, rows)
    for kind in KINDS:
        github.add_label(REPO, kind)
    github.deliveries.clear()
    return repository


async def _at_once(self) -> None:
    """No second between writes."""


def question(browser: Browser) -> tuple[str, object]:
    """The page with the next issue, once the first lesson is made."""
    for _ in range(100):
        text = browser.get(TEACH)
        if "Save and next" in text:
            return text, browser.form(TEACH, action="/teach")
        time.sleep(0.1)
    raise AssertionError(text)


def answer(browser: Browser, count: int) -> None:
    for _ in range(count):
        _, form = question(browser)
        browser.send(form, act="answer", label=kind_of(int(form.fields["number"])))


def local_labels(installation, repository) -> dict[int, tuple[str, ...]]:
    with installation.store.read() as work:
        return {issue.number: issue.labels for issue in work.issues.walk(repository.id)}


def test_answers_are_learned_from_after_every_eighth(local, unlabelled, installation) -> None:
    text, _ = question(local)
    assert "Nothing is labelled yet" in text
    answer(local, 8)
    for _ in range(100):
        if "The last lesson learned from 8 issues more" in (text := local.get(TEACH)):
            break
        time.sleep(0.1)
    assert "8 issues answered" in text
    assert "learns again after 8 answers" in text
    labels = local_labels(installation, unlabelled)
    assert sum(map(len, labels.values())) == 8
    assert all(names in {(), (kind_of(number),)} for number, names in labels.items())


def test_no_label_belongs_skip_and_undo(local, unlabelled, installation) -> None:
    _, form = question(local)
    number = int(form.fields["number"])
    local.send(form, act="none", offered="bug")
    with installation.store.read() as work:
        (row,) = work.issues.training_rows(unlabelled.id, numbers=[number])
    assert row.declined == ("bug",)
    _, second = question(local)
    assert second.fields["number"] != form.fields["number"]
    local.send(second, act="skip")
    _, third = question(local)
    assert third.fields["number"] not in {form.fields["number"], second.fields["number"]}
    local.send(third, act="undo")
    local.send(third, act="undo")
    with installation.store.read() as work:
        (row,) = work.issues.training_rows(unlabelled.id, numbers=[number])
        assert work.decisions.not_on_github(unlabelled.id) == ()
    assert row.declined == ()
    local.send(third, act="undo", status=409)


def test_what_was_taught_survives_a_sync_and_goes_to_github_as_one_run(
    local, unlabelled, installation, github, clock
) -> None:
    answer(local, 3)
    before = local_labels(installation, unlabelled)
    with installation.store.begin() as work:  # GitHub lists the issues without labels
        rows = [
            IssueRecord(issue.number, issue.title, issue.body, (), issue.created_at)
            for issue in work.issues.walk(unlabelled.id)
        ]
        work.issues.upsert(unlabelled.id, rows)
    assert local_labels(installation, unlabelled) == before
    assert not any(issue.labels for issue in github.repository(REPO).issues.values())
    run(local, "write", "3 labels set")
    taught = {number: list(names) for number, names in before.items() if names}
    on_github = github.repository(REPO).issues
    assert {n: on_github[n].label_names for n in on_github if on_github[n].labels} == taught
    assert "GitHub knows of everything" in local.get(TEACH)
    run(local, "unwrite", "3 labels taken off")
    assert not any(issue.labels for issue in on_github.values())
    assert local_labels(installation, unlabelled) == before


def run(browser: Browser, act: str, words: str) -> None:
    _, form = question(browser)
    browser.send(form, act=act)
    for _ in range(100):
        if words in (text := browser.get(TEACH)):
            return
        time.sleep(0.1)
    raise AssertionError(text)


def test_a_label_that_people_took_off_meanwhile_is_not_set_again(
    local, unlabelled, installation, github
) -> None:
    answer(local, 1)
    (number,) = [n for n, names in local_labels(installation, unlabelled).items() if names]
    github.delete_label(REPO, kind_of(number), by="maintainer")
    run(local, "write", "there is no label")
    assert github.issue(REPO, number).label_names == []


def test_an_answer_may_go_to_github_at_once(local, unlabelled, github) -> None:
    _, form = question(local)
    number = int(form.fields["number"])
    local.send(form, act="answer", label=kind_of(number), direct="1")
    for _ in range(100):
        if github.issue(REPO, number).label_names:
            break
        time.sleep(0.1)
    assert github.issue(REPO, number).label_names == [kind_of(number)]
    assert "to GitHub at once" in local.get(f"{TEACH}?direct=1")


def test_the_bots_own_writing_stays_a_persons_word(local, unlabelled, installation, github) -> None:
    answer(local, 2)
    run(local, "write", "2 labels set")
    with installation.store.read() as work:
        rows = [row for row in work.issues.training_rows(unlabelled.id) if row.labels]
    assert len(rows) == 2
    assert all(row.labels == (kind_of(row.number),) for row in rows)


def test_scarce_labels_come_first_and_no_two_issues_are_alike() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.8], [0.1, 0.1]])
    vectors = np.eye(4, dtype=np.float32)
    vectors[1] = vectors[0]
    none = np.zeros((0, 4), np.float32)
    order = teaching_order(probabilities, np.array([30, 0]), vectors, none, count=2)
    assert order[0] == 2
    order = teaching_order(probabilities, np.zeros(2), vectors, vectors[:1], count=1)
    assert order == [2]
    assert len(set(teaching_order(probabilities, np.zeros(2), vectors, none, count=9))) == 4


def test_a_lesson_takes_members_that_learn_in_seconds() -> None:
    from tagger.chain.members import CHEAP

    assert set(MEMBERS) == set(CHEAP)
