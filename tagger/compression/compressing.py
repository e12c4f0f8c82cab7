"""Compression: a release that serves teaches a small student, and the student is a release."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from tagger import __version__
from tagger.chain.chain import Chain
from tagger.chain.features import Usual
from tagger.chain.journal import Journal
from tagger.chain.members import reference_texts
from tagger.chain.prior import Trust
from tagger.chain.stage import Stage
from tagger.compression.distilling import Recipe
from tagger.compression.lab import Lab
from tagger.compression.pruning import Pruning
from tagger.compression.source import CHAIN, Source
from tagger.compression.student import choose_layers
from tagger.release import write_release
from tagger.runtimes.choice import settle
from tagger.strategies.distilled import Distilled, Teaching

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from tagger.issue import IssueText, TrainingSet
    from tagger.release import Manifest, Release
    from tagger.strategy import Resources, Scores, Strategy

MOST_UNLABELLED = 4000
"""Texts that only the teacher has labelled, the newest first."""

AT_ONCE = 256
"""Texts that the teacher scores between two steps that a kill cannot undo."""


@dataclass(frozen=True)
class Wish:
    """What the student shall be.

    :ivar teacher: "chain" for all of the release, "best" for its tuned transformer that serves
        most labels, or a member's name.
    :ivar layers: of the transformer it starts as; None: as many as are cheap.
    :ivar trials: of the search; 0 takes the usual recipe.
    :ivar neighbours: keep the nearest issues as reasons; they cost one more run of the encoder.
    """

    teacher: str = CHAIN
    layers: int | None = None
    trials: int = 8
    pruning: Pruning = field(default_factory=Pruning)
    neighbours: bool = True


def compress(
    teacher: Release,
    train: TrainingSet,
    resources: Resources,
    root: Path,
    wish: Wish,
    *,
    studies: Path,
    target: float,
    now: datetime,
    seed: int = 0,
    recipe: Recipe | None = None,
) -> Manifest:
    """Teach a student and write it as a release to `root/OWNER/NAME/ID`.

    Work that was killed goes on from its last finished step when it is called again: the
    teacher's scores, each trial of the search, each fold and the student itself.

    :param train: what may be learned from, with the labels of `teacher` in their order.
    :param studies: folder of the searches' SQLite files.
    :param recipe: that the search begins from.
    :raises NotATeacher: the release has no such member, or is a student itself.
    """
    resources, runtime = settle(resources, train)
    usual = replace(recipe or Recipe(), pruning=wish.pruning)
    source = Source.of(teacher, wish.teacher, resources)
    layers = choose_layers(source.start, wish.layers)
    context = json.dumps(
        [teacher.manifest.digest, train.fingerprint, seed, asdict(wish), asdict(usual), __version__]
    )
    journal = Journal(root / teacher.manifest.repository / ".unfinished-student", context)
    reference = reference_texts(train)
    ask = partial(_ask, source.strategy, teacher.manifest.cleaning)
    soft = _soft_targets(ask, train, reference, journal, resources)
    lab = Lab(train, resources, journal, Teaching(source.start, layers, soft, usual), seed)
    recipe, found = lab.searched(wish.trials, studies / f"{teacher.manifest.repository}.sqlite3")
    student = replace(lab, teaching=replace(lab.teaching, recipe=recipe)).member(reference)
    kept = [one for one in teacher.chain.fitted_ if one.name == "knn" and wish.neighbours]
    stage = Stage.fit([student], train, Trust(Usual.of(student.unseen).mean))
    chain = Chain(resources, seed=seed).settle(train, [student, *kept], [stage])
    notes = [_note(teacher, wish, layers, recipe, found, student.strategy)]
    if not wish.neighbours:
        notes.append("without nearest issues as reasons, as asked for")
    manifest = write_release(
        teacher.manifest.repository,
        chain,
        train,
        root,
        target=target,
        now=now,
        notes=notes,
        runtime=runtime,
    )
    journal.forget()
    return manifest


def _ask(teacher: Strategy, cleaning: int, texts: Sequence[IssueText]) -> Scores:
    """What a teacher says of texts, cleaned as it learned them."""
    return teacher.score([text.cleaned(cleaning) for text in texts])


def _soft_targets(
    ask: Callable[[Sequence[IssueText]], Scores],
    train: TrainingSet,
    reference: Sequence[IssueText],
    journal: Journal,
    resources: Resources,
) -> dict[IssueText, Scores]:
    """The teacher's probabilities of all texts that the student may learn from.

    Reference texts are left out: the student is measured on them.
    """
    away = set(reference) - set(train.issues)
    others = [text for text in train.unlabelled if text not in away][:MOST_UNLABELLED]
    texts = list(dict.fromkeys((*train.issues, *others)))
    soft: dict[IssueText, Scores] = {}
    for start in range(0, len(texts), AT_ONCE):
        resources.progress("asking the teacher", start, len(texts))
        some = texts[start : start + AT_ONCE]
        scores = journal.scores(f"teacher from {start}", lambda some=some: ask(some))  # type: ignore[misc]
        soft.update(zip(some, scores, strict=True))
    resources.progress("asking the teacher", len(texts), len(texts))
    return soft


def _note(
    teacher: Release,
    wish: Wish,
    layers: int,
    recipe: Recipe,
    found: float | None,
    student: Strategy,
) -> str:
    size = student.model_.size / 1e6 if isinstance(student, Distilled) else 0.0
    searched = "" if found is None else f", the best of {wish.trials} trials"
    pruned = ""
    if recipe.pruning.kind != "none":
        pruned = f", {recipe.pruning.sparsity:.0%} of its weights gone by {recipe.pruning.kind}"
    return (
        f"a student of release {teacher.manifest.id} (teacher: {wish.teacher}): {layers} layers in "
        f"eight bits, {size:.0f} MB{pruned}; alpha {recipe.alpha:.2f}, temperature "
        f"{recipe.temperature:.1f}, {recipe.epochs:g} epochs{searched}"
    )
