"""Whatever is written in an issue, a page shows it as text."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from fakes_bot import LABELS, REPO, decision
from fakes_pages import Forms
from mutated_texts import mutated

from bot.labelling.deciding import predicted
from bot.pages.rendering import harmless, passages
from store.records import IssueRecord, LabelEvent, LabelRecord, PredictionRecord
from tagger.domain.decision import Neighbour

QUICK = 120
"""Texts in the suite; TEST_MUTATED_TEXTS=10000 puts as many through every page."""
EVIL_LABEL = "<b id=evil>\"'>\u202e"
TAGS = {
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "p", "form", "input",
    "span", "button", "h1", "h2", "h3", "nav", "main", "div", "ul", "ol", "li", "strong", "section",
    "article", "svg", "rect", "bdi", "kbd", "details", "summary", "pre", "code", "table", "thead",
    "tbody", "tr", "th", "td", "time", "label", "textarea", "fieldset", "legend", "datalist",
    "option", "figure", "figcaption",
}  # fmt: skip


class Scripts(HTMLParser):
    """What is in a page that the templates did not put there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        if tag == "script" and not (given.get("src") or "").startswith("/static/keys.js?"):
            self.wrong.append(f"script {given}")
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "srcdoc"} or name == "evil":
                self.wrong.append(f"{tag} {name}={value}")
            if name == "id" and value == "evil":
                self.wrong.append("an id of theirs")
            if name in {"href", "src", "action"} and (value or "").split(":")[0].lower() in {
                "javascript", "data", "vbscript"
            } and value != "data:,":  # fmt: skip
                self.wrong.append(f"{tag} {name}={value}")


def plant(installation, clock, releases, seeds) -> int:
    """Issues with such texts, predicted, with precedents and a history."""
    now = clock()
    releases.promote(installation.store, "r1", LABELS, now)
    with installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        work.labels.upsert(
            repository.id, [LabelRecord(name) for name in (*LABELS, EVIL_LABEL)], now=now
        )
        for number, seed in enumerate(seeds, 1):
            title, body = mutated(seed)
            work.issues.upsert(
                repository.id,
                [IssueRecord(number, title, body, (EVIL_LABEL,), now, author="<i>ada")],
            )
            near = (Neighbour(1, title, (EVIL_LABEL, "bug"), 0.5), Neighbour(2, title, (), 0.4))
            labels = [
                predicted(decision("bug"), action="set"),
                predicted(decision(EVIL_LABEL, 0.85, "suggest"), action="suggested"),
            ]
            neighbours = tuple(
                {"number": n.number, "title": n.title, "labels": list(n.labels),
                 "similarity": n.similarity} for n in near
            )  # fmt: skip
            labels = [replace(label, neighbours=neighbours) for label in labels]
            work.predictions.record(
                PredictionRecord(repository.id, number, "r1", now, "apply", tuple(labels))
            )
            event = LabelEvent(number, EVIL_LABEL, "added", now, "<script>", "person", "webhook")
            work.labels.record_events(repository.id, [event])
    return len(seeds)


def check(text: str, seed: object) -> None:
    assert Scripts(text).wrong == [], seed
    shown = re.sub(r'<input type="hidden"[^>]*>', "", text)  # what goes back as it came
    assert not set(shown) & set("\x00\x1b\u202e\u202d\u2066\u200b\x9b"), seed


@pytest.mark.parametrize("start", range(0, int(os.environ.get("TEST_MUTATED_TEXTS", QUICK)), 40))
def test_no_markup_of_theirs_gets_out(local, installation, clock, releases, start) -> None:
    seeds = range(start, start + 40)
    count = plant(installation, clock, releases, seeds)
    check(local.get(f"/r/{REPO}"), seeds)
    for number in range(1, count + 1):
        check(local.get(f"/r/{REPO}/why/{number}"), number + start)
    for number in (1, 7, 23):
        text = local.get(f"/r/{REPO}/try?number={number}")
        check(text, number + start)
        form = next(form for form in Forms(text).forms if form.action.endswith("/try"))
        title, body = mutated(start + number - 1)
        check(local.send(form, title=title[:1000] or "x", body=body[:60000]), number + start)
    check(local.get(f"/r/{REPO}/preview"), seeds)


def test_a_huge_text_is_cut() -> None:
    assert len(harmless("x" * 10**6)) == 300
    assert sum(len(text) for _, text in passages("y\n" * 10**6)) <= 20_000
    assert harmless("\u202eabc\x1b[31m\x00") == "abc[31m"
    assert harmless("\ud800") == "?"


def test_code_stays_apart_from_prose() -> None:
    body = "Before\r\n```py\nx < 1\n```\nafter\n~~~\nno end"
    assert passages(body) == [
        ("text", "Before"), ("code", "py\nx < 1"), ("text", "after"), ("code", "no end")
    ]  # fmt: skip
