"""Likely duplicates end to end: people name some, they are measured, and new ones are named."""

from __future__ import annotations

import re
from zlib import crc32

import numpy as np
import pytest
from fakes_bot import BOT, REPO

from bot.advising.advice import Advice
from bot.advising.advisor import Advisor, advice_on
from bot.advising.duplicates import DuplicateThreshold, measure
from bot.configuration.advice import DuplicateAdvice
from bot.simulator.records import SuggestionMode
from store.records import IssueRecord
from tagger.domain.strategy import Resources
from tagger.encoders.encoder import CachedEncoder

pytestmark = pytest.mark.anyio

SUGGEST = "mode: suggest\ndelay_seconds: 0\n"
N_PAIRS = 36
SUBJECTS = (
    *("parser", "export", "login", "theme", "search", "printing"),
    *("sync", "upload", "calendar", "chart", "table", "menu"),
)
PLACES = ("windows", "linux", "android", "browser", "tablet", "server")


class BagEncoder:
    """Texts with words in common are near."""

    identity = "bag"
    width = 512

    def encode(self, texts):
        vectors = np.full((len(texts), self.width), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, crc32(word.encode()) % self.width] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def report(n: int, n_words: int = 8) -> tuple[str, str]:
    """A report of its own: no two numbers have the same words."""
    subject, place = SUBJECTS[n % 12], PLACES[n // 12 % 6]
    words = " ".join(f"{subject}{place}{letter}" for letter in "abcdefgh"[:n_words])
    return f"bug? in {subject} on {place}", f"It fails loudly everywhere with {words}."


@pytest.fixture
def open_encoder(bench):
    encoder = CachedEncoder(BagEncoder(), bench.installation.store.vectors)
    bench.installation.advisor = Advisor(bench.installation.store, lambda: encoder)
    return lambda: encoder


def open_all(bench, reports, state: str = "open") -> None:
    """Issues that were filed and stored before; nobody waits for an answer on them."""
    records = []
    for title, body in reports:
        bench.github.open_issue(REPO, title, body=body)
        number = len(bench.github.repository(REPO).issues)
        records.append(IssueRecord(number, title, body, (), bench.clock(), state=state))
    with bench.installation.store.begin() as work:
        work.issues.upsert(work.repositories.get(REPO).id, records)


def open_pairs(bench, n_pairs: int) -> None:
    """Originals and then their copies, each called a duplicate by somebody who may say so."""
    bench.github.set_role(REPO, "mona", "write")
    open_all(bench, map(report, range(N_PAIRS)))
    open_all(bench, [report(n, 5 + n % 4) for n in range(n_pairs)])
    for n in range(n_pairs):
        said = f"Duplicate of #{n + 1}"
        bench.receive(bench.github.comment(REPO, N_PAIRS + n + 1, said, by="mona"))


def measured(bench, open_encoder, wanted=DuplicateAdvice.MEASURED) -> DuplicateThreshold:
    return measure(bench.installation.store, REPO, Resources(encoder=open_encoder), wanted)


def advice(bench, number: int) -> Advice:
    with bench.installation.store.read() as work:
        return advice_on(work, work.repositories.get(REPO).id, number)


async def opened_again(bench, n: int) -> int:
    """The number of a new issue that says what another said."""
    title, body = report(n)
    delivery = bench.github.open_issue(REPO, title, body=f"{body} Please help.")
    assert (await bench.deliver(delivery)).state == "done"
    return int(delivery.payload["issue"]["number"])


async def test_what_people_named_is_measured_and_then_new_ones_are_named(
    bench, open_encoder
) -> None:
    bench.configure(SUGGEST)
    bench.github.repository(REPO).suggestions = SuggestionMode.REFUSED
    open_pairs(bench, N_PAIRS)
    threshold = measured(bench, open_encoder)
    assert threshold.n_links == N_PAIRS
    assert threshold.bound >= 0.9
    number = await opened_again(bench, 5)
    duplicate = advice(bench, number).duplicate
    assert duplicate is not None
    assert duplicate.number == 6
    (comment,) = bench.github.issue(REPO, number).comments
    assert "Possibly a duplicate of [#6](" in comment.body
    assert " #6 " not in comment.body
    assert bench.github.issue(REPO, number).state == "open"
    fresh = bench.github.open_issue(
        REPO,
        "bug? in fonts",
        body="Glyphs overlap where kerning, ligatures, hinting and hyphens meet",
    )
    await bench.deliver(fresh)
    assert advice(bench, number + 1).duplicate is None


async def test_githubs_own_suggestions_say_it_in_their_rationale(bench, open_encoder) -> None:
    bench.configure(SUGGEST)
    open_pairs(bench, N_PAIRS)
    measured(bench, open_encoder)
    number = await opened_again(bench, 3)
    (suggestion,) = bench.github.issue(REPO, number).suggestions
    assert suggestion.rationale.endswith("possibly a duplicate of #4")
    assert bench.github.issue(REPO, number).comments == []


async def test_why_tells_it_to_who_asks(bench, open_encoder) -> None:
    bench.configure(SUGGEST)
    open_pairs(bench, N_PAIRS)
    measured(bench, open_encoder)
    number = await opened_again(bench, 3)
    await bench.deliver(bench.github.comment(REPO, number, "/tagger why", by="mona"))
    answers = [c.body for c in bench.github.issue(REPO, number).comments if c.author.login == BOT]
    assert "Possibly a duplicate of [#4](" in answers[-1]


@pytest.mark.parametrize("why", ["too few", "off", "strangers"])
async def test_otherwise_nothing_is_said(bench, open_encoder, why) -> None:
    off = "advice: {duplicates: off}\n" if why == "off" else ""
    bench.configure(SUGGEST + off)
    if why == "strangers":
        open_pairs(bench, 0)
        for n in range(N_PAIRS):
            title, body = report(n)
            bench.receive(
                bench.github.open_issue(REPO, title, body=f"{body}\nDuplicate of #{n + 1}")
            )
            bench.receive(bench.github.comment(REPO, N_PAIRS + n + 1, "Duplicate of #1", by="eve"))
    else:
        open_pairs(bench, 20 if why == "too few" else N_PAIRS)
    threshold = measured(bench, open_encoder)
    assert (threshold.probability is None) == (why != "off")
    number = await opened_again(bench, 5)
    assert advice(bench, number) == Advice()


async def test_an_original_that_was_deleted_is_not_named(bench, open_encoder) -> None:
    bench.configure(SUGGEST)
    open_pairs(bench, N_PAIRS)
    measured(bench, open_encoder)
    await opened_again(bench, 3)
    for number in (8, N_PAIRS + 8):
        bench.receive(bench.github.delete_issue(REPO, number, by="mona"))
    number = await opened_again(bench, 7)
    assert advice(bench, number).duplicate is None


async def test_where_advice_fails_labels_are_given_all_the_same(bench, open_encoder) -> None:
    bench.configure("mode: apply\ndelay_seconds: 0\n")
    open_pairs(bench, N_PAIRS)
    measured(bench, open_encoder)

    def broken():
        raise RuntimeError("no encoder")

    bench.installation.advisor = Advisor(bench.installation.store, broken)
    opened = bench.github.open_issue(REPO, "a bug", body=report(5)[1])
    assert (await bench.deliver(opened)).state == "done"
    assert "bug" in bench.labels(2 * N_PAIRS + 1)
