"""Zero-shot labels by wording alone, says which way it went, and keeps its word on disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tiny_label_models import WordEncoder, save_masked_lm, save_nli

from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import Resources
from tagger.errors import ModelNotFound, ModelRefused, NothingToLearnFrom, ReleaseDamaged
from tagger.label_semantics.similarity import Lexicon, Scale, terms_of
from tagger.strategies.zero_shot import ZeroShot

if TYPE_CHECKING:
    from pathlib import Path

LABELS = (Label("bug"), Label("c: Privacy", "Consent and personal data."), Label("frobnicator"))
CORPUS = tuple(
    IssueText(f"{what} on the {where} page", f"I see {what} there, number {number}.")
    for number, (what, where) in enumerate(
        (what, where)
        for what in (
            "wrong colours",
            "an error and a crash",
            "personal data",
            "frobnicator",
            "text",
        )
        for where in ("login", "start", "help", "search", "report", "admin", "user", "about")
    )
)
CRASH = IssueText("Crash with an error", "It does not work as expected.")
DATA = IssueText("Ask for consent before personal data are kept")
FROB = IssueText("Frobnicator loses its frobnicator")


def unlabelled(texts: tuple[IssueText, ...] = CORPUS) -> TrainingSet:
    return TrainingSet(LABELS, (), (), np.zeros((0, len(LABELS)), dtype=bool), texts)


@pytest.fixture
def resources() -> Resources:
    return Resources(encoder=WordEncoder)


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_nli(tmp_path_factory.mktemp("nli"))


@pytest.fixture(scope="module")
def masked_lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_masked_lm(tmp_path_factory.mktemp("mlm"))


def test_without_one_labelled_issue_each_label_finds_its_issue(resources: Resources) -> None:
    scores = ZeroShot(resources).fit(unlabelled(CORPUS * 5)).score([CRASH, DATA, FROB])
    assert scores.argmax(axis=0).tolist() == [0, 1, 2]
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    assert ((scores >= 0) & (scores <= 1)).all()


def test_without_any_text_at_all_the_wordings_still_rank(resources: Resources) -> None:
    scores = ZeroShot(resources).fit(unlabelled(())).score([CRASH, DATA, FROB])
    assert scores.argmax(axis=0).tolist() == [0, 1, 2]


def test_labels_on_the_issues_are_not_looked_at(resources: Resources) -> None:
    texts, numbers = CORPUS, tuple(range(len(CORPUS)))
    none = np.zeros((len(texts), len(LABELS)), dtype=bool)
    without = ZeroShot(resources).fit(TrainingSet(LABELS, numbers, texts, none))
    with_labels = ZeroShot(resources).fit(TrainingSet(LABELS, numbers, texts, ~none))
    assert np.array_equal(without.score([CRASH, DATA]), with_labels.score([CRASH, DATA]))


def test_a_usual_issue_gets_about_the_usual_share_or_less(resources: Resources) -> None:
    scores = ZeroShot(resources).fit(unlabelled()).score([IssueText("Text on the help page")])
    assert scores[0, 0] < 0.5
    assert (scores[0, 1:] < 0.05).all()


def test_self_training_lets_words_count_that_no_wording_has(resources: Resources) -> None:
    told = [IssueText(f"Crash with an error in the gizmo, case {n}") for n in range(60)]
    other = [IssueText(f"Colour of the menu, case {n}") for n in range(200)]
    gizmo, menu = IssueText("The gizmo again"), IssueText("The menu again")
    few = ZeroShot(resources).fit(unlabelled(tuple(told[:8] + other[:30])))
    many = ZeroShot(resources).fit(unlabelled(tuple(told + other)))
    gain = {
        name: scores[0, 0] / scores[1, 0]
        for name, scores in (("few", few.score([gizmo, menu])), ("many", many.score([gizmo, menu])))
    }
    assert gain["many"] > gain["few"]


@pytest.mark.parametrize(
    "texts", [(), (IssueText(""),), (IssueText("x" * 100_000),), CORPUS[:1] * 9]
)
def test_odd_corpora_give_finite_scores(resources: Resources, texts: tuple[IssueText, ...]) -> None:
    odd = [IssueText(""), IssueText("ошибка при входе", "ログイン"), IssueText("a " * 50_000)]
    scores = ZeroShot(resources).fit(unlabelled(texts)).score(odd)
    assert np.isfinite(scores).all()


def test_one_label_alone_is_scored(resources: Resources) -> None:
    train = TrainingSet(LABELS[:1], (), (), np.zeros((0, 1), dtype=bool), CORPUS)
    scores = ZeroShot(resources).fit(train).score([CRASH, FROB])
    assert scores[0, 0] > scores[1, 0]


def test_a_label_of_stop_words_is_scored(resources: Resources) -> None:
    train = TrainingSet((Label("and"), Label("not a")), (), (), np.zeros((0, 2), bool), CORPUS)
    assert np.isfinite(ZeroShot(resources).fit(train).score([CRASH])).all()


def test_no_label_is_refused(resources: Resources) -> None:
    with pytest.raises(NothingToLearnFrom, match="at least one label"):
        ZeroShot(resources).fit(TrainingSet((), (), (), np.zeros((0, 0), dtype=bool)))


def test_the_model_at_hand_decides_the_route(
    resources: Resources, nli: Path, masked_lm: Path
) -> None:
    sayable = replace(unlabelled(), labels=(Label("bug"), Label("docs"), Label("speed")))
    taken = {
        model: ZeroShot(replace(resources, zero_shot_model=model)).fit(sayable).route_
        for model in (None, nli, masked_lm)
    }
    assert taken == {None: "encoder", nli: "entailment", masked_lm: "cloze"}


def test_a_route_can_be_asked_for(resources: Resources, nli: Path) -> None:
    asked = ZeroShot(replace(resources, zero_shot_model=nli), route="encoder").fit(unlabelled())
    assert asked.route_ == "encoder"
    assert np.array_equal(asked.score([DATA]), ZeroShot(resources).fit(unlabelled()).score([DATA]))


def test_entailment_without_a_model_says_what_to_set(resources: Resources) -> None:
    with pytest.raises(ModelNotFound, match="ISSUE_TAGGER_ZERO_SHOT_MODEL"):
        ZeroShot(resources, route="entailment").fit(unlabelled())


def test_cloze_refuses_labels_that_it_cannot_say(resources: Resources, masked_lm: Path) -> None:
    with pytest.raises(ModelRefused, match="frobnicator"):
        ZeroShot(replace(resources, zero_shot_model=masked_lm)).fit(unlabelled())


def test_a_model_of_another_kind_is_refused(resources: Resources, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["GPT2LMHeadModel"]}')
    with pytest.raises(ModelRefused, match="GPT2LMHeadModel"):
        ZeroShot(replace(resources, zero_shot_model=tmp_path)).fit(unlabelled())


def test_the_encoder_standing_in_is_worth_a_note(resources: Resources, nli: Path) -> None:
    assert "ISSUE_TAGGER_ZERO_SHOT_MODEL" in ZeroShot(resources).fit(unlabelled()).note
    assert not ZeroShot(replace(resources, zero_shot_model=nli)).fit(unlabelled()).note


def test_few_texts_make_it_cautious(resources: Resources) -> None:
    few, many = (
        ZeroShot(resources).fit(unlabelled(texts)).score([CRASH])
        for texts in (CORPUS, CORPUS + tuple(IssueText(f"Text {n}") for n in range(200)))
    )
    assert few[0, 0] < many[0, 0]


def test_long_entailment_tells_the_progress(resources: Resources, nli: Path) -> None:
    told: list[tuple[str, int, int]] = []
    shared = replace(resources, zero_shot_model=nli, progress=lambda *step: told.append(step))
    ZeroShot(shared).fit(unlabelled())
    assert {step for step, _, _ in told} == {"entailment"}
    assert told[-1][1] == told[-1][2] > 0


@pytest.mark.parametrize("model", ["none", "nli", "masked_lm"])
def test_restored_scores_are_the_same_and_so_is_the_route(
    resources: Resources, tmp_path: Path, model: str, request: pytest.FixtureRequest
) -> None:
    folder = None if model == "none" else request.getfixturevalue(model)
    shared = replace(resources, zero_shot_model=folder)
    labels = (Label("bug"), Label("docs"), Label("speed"))
    fitted = ZeroShot(shared).fit(replace(unlabelled(), labels=labels))
    fitted.save(tmp_path)
    restored = ZeroShot(shared).restore(tmp_path)
    assert restored.route_ == fitted.route_
    assert np.array_equal(restored.score([CRASH, DATA]), fitted.score([CRASH, DATA]))


def test_another_nli_model_than_the_release_was_made_with_is_refused(
    resources: Resources, nli: Path, tmp_path: Path
) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "other").mkdir()
    ZeroShot(replace(resources, zero_shot_model=nli)).fit(unlabelled()).save(tmp_path / "release")
    other = replace(
        resources, zero_shot_model=save_nli(tmp_path / "other", ("entailment", "not_entailment"))
    )
    with pytest.raises(ModelRefused, match="retrain"):
        ZeroShot(other).restore(tmp_path / "release").score([CRASH])


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("route.json", None),
        ("route.json", '{"route": "telepathy", "separation": 1.5}'),
        ("route.json", '{"route": "encoder"}'),
        ("scales.safetensors", "not a tensor"),
        ("likeness.safetensors", None),
        ("likeness.json", "{"),
    ],
)
def test_a_damaged_release_is_named(
    resources: Resources, tmp_path: Path, file: str, damage: str | None
) -> None:
    ZeroShot(resources).fit(unlabelled()).save(tmp_path)
    if damage is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(damage)
    with pytest.raises(ReleaseDamaged, match=file.split(".", maxsplit=1)[0]):
        ZeroShot(resources).restore(tmp_path)


def test_terms_are_words_and_pairs_without_stop_words_and_plurals() -> None:
    assert terms_of("The login pages of users") == [
        "login", "page", "user", "login page", "page user"
    ]  # fmt: skip


def test_rare_words_of_a_wording_weigh_more() -> None:
    lexicon = Lexicon.of([["page consent"]], ["the page", "a page", "page two", "consent"])
    overlap = lexicon.overlap(["page", "consent", "neither"])
    assert overlap[1, 0] > overlap[0, 0] > overlap[2, 0] == 0


def test_a_scale_makes_what_it_was_measured_on_standard() -> None:
    raw = np.random.default_rng(0).normal(3, 5, size=(50, 4)).astype(np.float32)
    standard = Scale.of(raw)(raw)
    assert np.allclose(standard.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(standard.std(axis=0), 1, atol=1e-5)
