"""What `adapted` promises beyond fine-tuning: adapted once, kept, chosen by held-out issues."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tiny_bodies

from tagger.domain.issue import IssueText, TrainingSet
from tagger.domain.strategy import Resources
from tagger.errors import ModelNotFound, ReleaseDamaged
from tagger.strategies.adapted import Adapted
from tagger.training.budget import StepBudget

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.encoders.encoder import Encoder


def no_encoder() -> Encoder:
    raise AssertionError("adapting has a body of its own and asks no encoder")


class Brief(Adapted):
    """Adapts for a few steps only."""

    budget = StepBudget(epochs=1, batch_size=16, max_tokens=24)


class Listener:
    """Keeps the names of the steps that it was told of, each once, in order."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def __call__(self, step: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        if step not in self.steps:
            self.steps.append(step)


@pytest.fixture(scope="session")
def masked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A body with the head that masked-language modelling needs."""
    folder = tmp_path_factory.mktemp("bodies") / "masked"
    return tiny_bodies.save(tiny_bodies.seeded(tiny_bodies.masked_bert), folder)


@pytest.fixture
def resources(masked_folder: Path, tmp_path: Path) -> Resources:
    return Resources(
        encoder=no_encoder, bert_model=masked_folder, device="cpu", cache=tmp_path / "cache"
    )


def training(n: int = 24, unlabelled: int = 120) -> TrainingSet:
    return replace(tiny_bodies.issues(n), unlabelled=tiny_bodies.unlabelled(unlabelled))


def listened(resources: Resources) -> tuple[Resources, Listener]:
    listener = Listener()
    return replace(resources, progress=listener), listener


ADAPTING = ["adapting (masked-language)", "adapting (title-body)"]


def test_both_objectives_are_tried_and_the_better_one_is_used(resources: Resources) -> None:
    learned = Brief(resources).fit(training())
    told = learned.adaptation_
    assert told.corpus == "unlabelled"
    assert told.n_texts == 120
    assert set(told.held_out_f1) == {"masked-language", "title-body"}
    assert told.held_out_f1[told.chosen] == max(told.held_out_f1.values())


def test_loss_curves_are_kept(resources: Resources, tmp_path: Path) -> None:
    learned = Brief(resources).fit(training())
    for curve in learned.curves_.values():
        steps = [step for step, _ in curve]
        assert steps == sorted(set(steps))
        assert np.isfinite([loss for _, loss in curve]).all()
    (tmp_path / "release").mkdir()
    learned.save(tmp_path / "release")
    restored = Brief(resources).restore(tmp_path / "release")
    assert restored.curves_ == learned.curves_
    assert restored.adaptation_ == learned.adaptation_


def test_a_corpus_is_adapted_to_once(resources: Resources) -> None:
    train = training()
    first, heard_first = listened(resources)
    again, heard_again = listened(resources)
    scores = Brief(first).fit(train).score(train.issues)
    fewer = Brief(again, seed=1).fit(train.subset(range(12)))
    assert heard_first.steps == [*ADAPTING, "fine-tuning"]
    assert heard_again.steps == ["fine-tuning"]
    assert fewer.curves_
    assert np.array_equal(Brief(resources).fit(train).score(train.issues), scores)


def test_whole_words_are_another_adaptation(resources: Resources) -> None:
    Brief(resources).fit(training())
    other, heard = listened(replace(resources, whole_words=True))
    Brief(other).fit(training())
    assert heard.steps == [*ADAPTING, "fine-tuning"]


def test_another_corpus_is_adapted_to_anew(resources: Resources) -> None:
    Brief(resources).fit(training(unlabelled=120))
    other, heard = listened(resources)
    Brief(other).fit(training(unlabelled=121))
    assert heard.steps == [*ADAPTING, "fine-tuning"]


def test_goes_on_after_a_kill_with_what_was_not_finished(resources: Resources) -> None:
    class KilledError(BaseException):
        """Ends the process in the middle of the second objective."""

    def kill(step: str, done: int, total: int) -> None:
        if step == ADAPTING[1] and done == 1:
            raise KilledError

    train = training()
    undisturbed = Brief(replace(resources, cache=None)).fit(train).score(train.issues)
    with pytest.raises(KilledError):
        Brief(replace(resources, progress=kill)).fit(train)
    later, heard = listened(resources)
    scores = Brief(later).fit(train).score(train.issues)
    assert heard.steps == [ADAPTING[1], "fine-tuning"]
    assert np.array_equal(scores, undisturbed)


def test_damaged_weights_in_the_cache_are_made_anew(resources: Resources) -> None:
    train = training()
    scores = Brief(resources).fit(train).score(train.issues)
    assert resources.cache is not None
    (weights,) = resources.cache.glob("adapted/*/title-body/model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-8])
    later, heard = listened(resources)
    assert np.array_equal(Brief(later).fit(train).score(train.issues), scores)
    assert heard.steps == [ADAPTING[1], "fine-tuning"]


def test_nothing_half_done_lies_about(resources: Resources) -> None:
    Brief(resources).fit(training())
    assert resources.cache is not None
    (place,) = resources.cache.glob("adapted/*")
    assert sorted(path.name for path in place.iterdir()) == [
        *("masked-language", "masked-language.lock"),
        *("title-body", "title-body.lock"),
    ]


def test_what_a_killed_process_left_is_swept_after_a_day(resources: Resources) -> None:
    Brief(resources).fit(training())
    assert resources.cache is not None
    (place,) = resources.cache.glob("adapted/*")
    young, old = place / ".title-body-young", place / ".title-body-old"
    for left in (young, old):
        left.mkdir()
    os.utime(old, (0, 0))
    (place / "title-body" / "adaptation.json").unlink()
    Brief(resources).fit(training())
    assert young.exists()
    assert not old.exists()


def test_works_without_a_cache(resources: Resources) -> None:
    train = training()
    learned = Brief(replace(resources, cache=None)).fit(train)
    assert learned.score(train.issues).shape == (24, 2)


def test_without_unlabelled_texts_it_reads_the_labelled_ones_and_says_so(
    resources: Resources,
) -> None:
    learned = Brief(resources).fit(tiny_bodies.issues(20))
    assert learned.adaptation_.corpus == "labelled"
    assert learned.adaptation_.n_texts == 20


def test_few_unlabelled_texts_are_read_with_the_labelled_ones(resources: Resources) -> None:
    learned = Brief(resources).fit(training(n=20, unlabelled=5))
    assert learned.adaptation_.corpus == "unlabelled and labelled"
    assert learned.adaptation_.n_texts == 25


def test_titles_alone_leave_masked_language(resources: Resources) -> None:
    train = tiny_bodies.issues(12)
    titles = tuple(IssueText(issue.title) for issue in train.issues)
    learned = Brief(resources).fit(replace(train, issues=titles))
    assert learned.adaptation_.chosen == "masked-language"
    assert "title and a body" in learned.adaptation_.impossible["title-body"]


@pytest.mark.parametrize("make", [tiny_bodies.gpt, tiny_bodies.mpnet, tiny_bodies.distilbert])
def test_any_architecture_adapts(resources: Resources, tmp_path: Path, make: Any) -> None:
    folder = tiny_bodies.save(tiny_bodies.seeded(make), tmp_path / "body")
    learned = Brief(replace(resources, bert_model=folder)).fit(training(n=12))
    assert set(learned.curves_) == {"title-body"}  # none of them brings a masked-language head


@pytest.mark.parametrize("make", [tiny_bodies.mpnet, tiny_bodies.distilbert])
def test_a_body_without_a_head_still_reads_titles(
    resources: Resources, tmp_path: Path, make: Any
) -> None:
    folder = tiny_bodies.save(tiny_bodies.seeded(make), tmp_path / "body")
    train = tiny_bodies.issues(12)
    titles = tuple(IssueText(issue.title) for issue in train.issues)
    learned = Brief(replace(resources, bert_model=folder)).fit(replace(train, issues=titles))
    assert learned.adaptation_.chosen == "masked-language"
    assert set(learned.adaptation_.impossible) == {"title-body"}


def test_where_nothing_can_be_adapted_tuning_starts_from_the_model_as_it_is(
    resources: Resources, tmp_path: Path
) -> None:
    folder = tiny_bodies.save(tiny_bodies.seeded(tiny_bodies.gpt), tmp_path / "body")
    train = tiny_bodies.issues(6)
    titles = tuple(IssueText(issue.title) for issue in train.issues)
    learned = Brief(replace(resources, bert_model=folder)).fit(replace(train, issues=titles))
    assert learned.adaptation_.chosen == ""
    assert set(learned.adaptation_.impossible) == {"masked-language", "title-body"}
    assert learned.score(titles).shape == (6, 2)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_issues_is_enough(resources: Resources, n: int) -> None:
    train = tiny_bodies.issues(8).subset(range(n))
    assert Brief(resources).fit(train).score(train.issues).shape == (n, 2)


def test_labels_without_contrast_need_no_adaptation(resources: Resources, tmp_path: Path) -> None:
    train = replace(training(n=4), targets=np.zeros((4, 2), dtype=bool))
    heard_resources, heard = listened(resources)
    learned = Brief(heard_resources).fit(train)
    assert heard.steps == []
    (tmp_path / "release").mkdir()
    learned.save(tmp_path / "release")
    assert Brief(resources).restore(tmp_path / "release").curves_ == {}


def test_says_which_setting_is_missing(resources: Resources) -> None:
    with pytest.raises(ModelNotFound, match="ISSUE_TAGGER_BERT_MODEL"):
        Brief(replace(resources, bert_model=None)).fit(training())


def test_a_broken_record_is_a_damaged_release(resources: Resources, tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    Brief(resources).fit(training()).save(tmp_path / "release")
    (tmp_path / "release" / "adaptation.json").write_text('{"corpus": 1}')
    with pytest.raises(ReleaseDamaged):
        Brief(resources).restore(tmp_path / "release")
