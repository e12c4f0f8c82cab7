"""Likely duplicates: what people call one, how issues are compared, what is measured."""

from __future__ import annotations

import numpy as np
import pytest

from tagger.domain.issue import IssueText
from tagger.duplicates.bundled import WEIGHTS
from tagger.duplicates.duplicate_index import DuplicateIndex
from tagger.duplicates.links import stated_originals
from tagger.duplicates.measurement import (
    Answers,
    judged,
    linked_groups,
    measured_threshold,
    replay,
)
from tagger.duplicates.similarity import IssueWords, WordRarity, pair_features, template_lines


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Duplicate of #12", (12,)),
        ("closing as a duplicate of #12, thanks", (12,)),
        ("dup of acme/rocket#7", (7,)),
        ("Dupe: #7", ()),
        ("dup: #7", (7,)),
        ("Duplicate of https://github.com/Acme/Rocket/issues/9#issuecomment-1", (9,)),
        ("duplicates #3\nand duplicate of #4. Duplicate of #3", (3, 4)),
        ("Duplicate of other/place#12", ()),
        ("not a duplicate of #12", ()),
        ("This isn't a duplicate of #12", ()),
        ("might be a duplicate of #12", ()),
        ("Is this a duplicate of #12?", ()),
        ("duplicate of #12 or am I wrong?", ()),
        ("> Duplicate of #12\n\nNo.", ()),
        ("```\nDuplicate of #12\n```", ()),
        ("Duplicate of #0, duplicate of #99999999999", ()),
        ("duplicated keys in #12", ()),
        ("", ()),
    ],
)
def test_what_people_call_a_duplicate(text: str, numbers: tuple[int, ...]) -> None:
    assert stated_originals(text, "acme/rocket") == numbers


def test_a_text_made_to_take_long_is_read_at_once_and_names_few() -> None:
    assert stated_originals("duplicate of " * 100_000, "acme/rocket") == ()
    many = "\n".join(f"duplicate of #{number}" for number in range(1, 5000))
    assert stated_originals(many, "acme/rocket") == (1, 2, 3, 4, 5)


def words(title: str, body: str = "", template: frozenset[str] = frozenset()) -> IssueWords:
    return IssueWords.of(IssueText(title, body), template)


def test_what_a_template_wrote_is_not_compared() -> None:
    bodies = ["Which dataset is missing here?\nnothing"] * 5
    template = template_lines(bodies)
    assert template == {"Which dataset is missing here?", "nothing"}
    assert words("Hi", bodies[0], template).says_little
    assert not words(
        "Hi", "The parser crashes while reading wide tables from a slow disk with old sheets"
    ).says_little


def test_the_same_words_are_alike_and_another_name_speaks_against_it() -> None:
    rarity = WordRarity()
    copies = [
        words(f"Checksum mismatch for {name}", "Loading the dataset fails with a wrong checksum")
        for name in ("orange", "purple", "orange")
    ]
    for each in copies:
        rarity.add(each)
    other, same = pair_features(rarity, copies[2], copies[1::-1], np.array([0.9, 0.9]))
    assert same.tolist() == [0.9, 1.0, 1.0, 1.0, 0.0]
    assert other[1] < 1
    assert other[4] > 0
    assert ((other >= 0) & (other <= 1)).all()
    assert WEIGHTS.probabilities(np.stack([same]))[0] > WEIGHTS.probabilities(np.stack([other]))[0]


def vectors(*angles: float) -> np.ndarray:
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles], dtype=np.float32)


TEXTS = (
    words(
        "Parser crashes on wide tables",
        "The parser crashes while reading wide tables, merged cells and long sheets in Excel",
    ),
    words(
        "Colours of the dark theme",
        "Buttons of the dark theme lack contrast beside white text, borders and icons",
    ),
    words(
        "Parser crash, wide tables",
        "The parser crashes while reading wide tables, merged cells and long sheets today",
    ),
)


def test_originals_come_before_copies() -> None:
    index = DuplicateIndex(2, WEIGHTS)
    angles = vectors(0, 1.2, 0.1)
    index.add([30, 20, 10], TEXTS, angles)
    copy = index.nearest(30, TEXTS[0], angles[:1])
    assert copy is not None
    assert copy.number == 10
    assert copy.similarity == pytest.approx(np.cos(0.1), abs=1e-5)
    assert index.nearest(10, TEXTS[2], angles[2:]) is None
    assert index.nearest(31, words("Hi"), angles[:1]) is None
    assert len(index) == 3


def test_each_issue_is_answered_by_what_came_before_it() -> None:
    answers = replay([1, 2, 3], TEXTS, vectors(0, 1.2, 0.1), WEIGHTS)
    assert answers.numbers.tolist() == [2, 3]
    assert answers.originals.tolist() == [1, 1]
    assert answers.probabilities[1] > answers.probabilities[0]


def test_links_join_by_way_of_others() -> None:
    assert linked_groups([(3, 1), (7, 3), (9, 8)]) == {1: 1, 3: 1, 7: 1, 8: 8, 9: 8}
    answers = Answers(np.array([7, 9, 5]), np.array([1, 1, 1]), np.array([0.9, 0.8, 0.7]))
    settled, right = judged(answers, [(3, 1), (7, 3), (9, 8)])
    assert settled.tolist() == [True, True, False]
    assert right.tolist() == [True, False, False]


def made_answers(n_right: int, n_wrong: int, n_unsettled: int) -> tuple[Answers, list]:
    """Right answers first, then wrong and unsettled ones, by falling probability."""
    size = n_right + n_wrong + n_unsettled
    numbers = np.arange(1001, 1001 + size)
    originals = np.arange(1, size + 1)
    probabilities = np.linspace(0.99, 0.01, size)
    links = [
        (int(copy), int(original) if row < n_right else 999)
        for row, (copy, original) in enumerate(zip(numbers, originals, strict=True))
        if row < n_right + n_wrong
    ]
    return Answers(numbers, originals, probabilities), links


def test_a_threshold_keeps_nine_in_ten_by_its_bound() -> None:
    answers, links = made_answers(60, 30, 0)
    threshold = measured_threshold(answers, links)
    assert threshold is not None
    assert threshold.bound >= 0.9
    named = answers.probabilities >= threshold.probability
    assert threshold.precision == pytest.approx(60 / named.sum()) or named.sum() <= 60
    assert threshold.recall == pytest.approx(min(named.sum(), 60) / 90)


def test_too_few_links_show_nothing() -> None:
    answers, links = made_answers(21, 0, 0)
    assert measured_threshold(answers, links) is None
    assert measured_threshold(answers, []) is None


def test_a_few_links_do_not_speak_for_a_thousand_unsettled_answers() -> None:
    answers, links = made_answers(40, 0, 1000)
    threshold = measured_threshold(answers, links)
    assert threshold is not None
    assert (answers.probabilities >= threshold.probability).sum() <= 80
    turned = Answers(answers.numbers, answers.originals, 1 - answers.probabilities)
    assert measured_threshold(turned, links) is None
