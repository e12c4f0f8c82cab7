"""Adapted: a transformer reads the repository's unlabelled texts before it learns the labels."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar, Self

from tagger.errors import ReleaseDamaged
from tagger.persistence import load_json, save_json
from tagger.runtimes.devices import choose_device
from tagger.statistics.stratification import stratified_sample
from tagger.strategies.fine_tuned import FineTuned
from tagger.text.augmentation import has_masked_lm_head
from tagger.training.adaptation import AdaptationSettings, curve_from
from tagger.training.budget import StepBudget
from tagger.training.probe import probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.training.adaptation import AdaptedBody, Curve

ENOUGH_UNLABELLED = 100
"""From so many unlabelled texts on the labelled ones are left out of the corpus: they would add
little, and every fold and slice of them would have to be adapted to anew."""

RECORD = "adaptation.json"

PROBED = 256
"""Labelled issues that the objectives are compared on, at most."""


@dataclass(frozen=True)
class Adaptation:
    """What was adapted to, and what came of it.

    :ivar corpus: "unlabelled", "unlabelled and labelled" or "labelled": which texts were read.
    :ivar n_texts: how many.
    :ivar held_out_f1: of each objective, on the labelled issues.
    :ivar impossible: objectives that model or texts did not allow, and why.
    :ivar chosen: the objective that the fine-tuning began from; empty where none was possible.
    :ivar curves: loss over steps, of each objective.
    """

    corpus: str
    n_texts: int
    held_out_f1: dict[str, float] = field(default_factory=dict)
    impossible: dict[str, str] = field(default_factory=dict)
    chosen: str = ""
    curves: dict[str, Curve] = field(default_factory=dict, repr=False)


class Adapted(FineTuned):
    """Domain adaptation without labels, then `FineTuned` from the adapted weights.

    Two objectives are tried, titles against bodies and masked-language modelling; the one whose
    vectors serve the labels better on held-out issues is used. Where the checkpoint brings no
    masked-language head, as sentence encoders do not, titles and bodies alone are: in the same time
    a head made anew learns more than the body does, and trying both gained nothing
    (docs/benchmarks.md).

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, "Leveraging unlabeled data"; Gururangan et al. 2020, "Don't Stop Pretraining".
    """

    name: ClassVar[str] = "adapted"
    budget: ClassVar[StepBudget] = StepBudget()

    adaptation_: Adaptation

    @property
    def curves_(self) -> dict[str, Curve]:
        """Loss over steps, of each objective; empty where no label could be learned."""
        return self.adaptation_.curves

    def fit(self, train: TrainingSet) -> Self:
        self.adaptation_ = Adaptation("none", 0)
        return super().fit(train)

    @contextmanager
    def _start(self, train: TrainingSet) -> Iterator[Path]:
        corpus, texts = corpus_of(train)
        with super()._start(train) as base, cache_of(self.resources) as cache:
            workshop = AdaptationSettings(
                base,
                cache,
                choose_device(self.resources.device),
                replace(self.budget, whole_words=self.resources.whole_words),
                self.resources.progress,
            )
            bodies, impossible = _adapted(workshop, texts)
            held_out = self._probe(bodies, train)
            chosen = max(held_out, key=lambda name: held_out[name], default="")
            curves = {name: body.curve for name, body in bodies.items()}
            self.adaptation_ = Adaptation(corpus, len(texts), held_out, impossible, chosen, curves)
            yield bodies[chosen].folder if chosen else base

    def _probe(self, bodies: Mapping[str, AdaptedBody], train: TrainingSet) -> dict[str, float]:
        """Out-of-fold F1 of each objective's vectors."""
        targets = train.targets[:, self.learnable_]
        rows = stratified_sample(targets, PROBED, self.seed)
        texts = [train.issues[row].full for row in rows]
        return {
            name: probe(
                body.folder,
                texts,
                targets[rows],
                max_tokens=self.max_tokens,
                device=choose_device(self.resources.device),
                seed=self.seed,
            )
            for name, body in bodies.items()
        }

    def save(self, folder: Path) -> None:
        super().save(folder)
        save_json(folder / RECORD, asdict(self.adaptation_))

    def restore(self, folder: Path) -> Self:
        super().restore(folder)
        record = load_json(folder / RECORD)
        try:
            curves = {name: curve_from(points) for name, points in record.pop("curves").items()}
            self.adaptation_ = Adaptation(**record, curves=curves)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReleaseDamaged(folder, f"{RECORD}: {error}") from error
        return self


def _adapted(
    workshop: AdaptationSettings, texts: Sequence[IssueText]
) -> tuple[dict[str, AdaptedBody], dict[str, str]]:
    """See `AdaptationSettings.adapt`."""
    if has_masked_lm_head(workshop.base):
        return workshop.adapt(texts)
    bodies, impossible = workshop.adapt(texts, ("title-body",))
    if bodies:
        return bodies, impossible
    bodies, also_impossible = workshop.adapt(texts, ("masked-language",))
    return bodies, impossible | also_impossible


@contextmanager
def cache_of(resources: Resources) -> Iterator[Path]:
    """Where adapted weights are kept: the cache, or a folder that ends with this fit."""
    if resources.cache is not None:
        yield resources.cache
        return
    with TemporaryDirectory(prefix="issue-tagger-adapted-") as passing:
        yield Path(passing)


def corpus_of(train: TrainingSet) -> tuple[str, tuple[IssueText, ...]]:
    """What is read without labels, and what to call it."""
    if len(train.unlabelled) >= ENOUGH_UNLABELLED:
        return "unlabelled", train.unlabelled
    name = "unlabelled and labelled" if train.unlabelled else "labelled"
    return name, train.unlabelled + train.issues
