"""Compression: a release that serves teaches a small student, and the student is a release."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from tagger import __version__
from tagger.chain.chain import Chain
from tagger.chain.chain_trainer import ChainTrainer
from tagger.chain.checkpoints import Checkpoints
from tagger.chain.members import reference_texts
from tagger.chain.prior import CalibratedPrior
from tagger.chain.stage import Stage
from tagger.compression.student_training import StudentTraining
from tagger.compression.teacher import CHAIN, TeacherSource
from tagger.distillation.distilling import DistillationRecipe
from tagger.distillation.pruning import Pruning
from tagger.distillation.student import choose_layers
from tagger.releases.release import write_release
from tagger.runtimes.choice import settle
from tagger.statistics.log_odds import UsualLogOdds
from tagger.strategies.distilled import Distilled, Teaching

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tagger.chain.members import Member
    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources, Scores, Strategy
    from tagger.releases.release import Manifest, Release, ReleaseOrder

MAX_UNLABELLED = 4000
"""Texts that only the teacher has labelled, the newest first."""

AT_ONCE = 256
"""Texts that the teacher scores between two steps that a kill cannot undo."""


@dataclass(frozen=True)
class CompressionGoal:
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
    order: ReleaseOrder,
    teacher: Release,
    train: TrainingSet,
    resources: Resources,
    goal: CompressionGoal,
    *,
    studies: Path,
    recipe: DistillationRecipe | None = None,
) -> Manifest:
    """Teach a student and write it as a release.

    Work that was killed goes on from its last finished step when it is called again: the
    teacher's scores, each trial of the search, each fold and the student itself.

    :param train: what may be learned from, with the labels of `teacher` in their order.
    :param studies: folder of the searches' SQLite files.
    :param recipe: that the search begins from.
    :raises NotATeacher: the release has no such member, or is a student itself.
    """
    resources, runtime = settle(resources, train)
    usual = replace(recipe or DistillationRecipe(), pruning=goal.pruning)
    source = TeacherSource.of(teacher, goal.teacher, resources)
    layers = choose_layers(source.start, goal.layers)
    checkpoints = _checkpoints(order, teacher, train, goal, usual)
    reference = reference_texts(train)
    ask = partial(_ask, source.strategy, teacher.manifest.cleaning)
    soft = _soft_targets(ask, train, reference, checkpoints, resources)
    teaching = Teaching(source.start, layers, soft, usual)
    training = StudentTraining(train, resources, checkpoints, teaching, order.seed)
    recipe, skill = training.searched(goal.trials, studies / f"{order.repository}.sqlite3")
    training = replace(training, teaching=replace(teaching, recipe=recipe))
    student = training.member(reference)
    chain = _chain_of(student, teacher if goal.neighbours else None, train, resources, order.seed)
    notes = [_note(teacher, goal, layers, recipe, skill, student.strategy)]
    if not goal.neighbours:
        notes.append("without nearest issues as reasons, as asked for")
    manifest = write_release(order, chain, train, notes=notes, runtime=runtime)
    checkpoints.forget()
    return manifest


def _checkpoints(
    order: ReleaseOrder,
    teacher: Release,
    train: TrainingSet,
    goal: CompressionGoal,
    recipe: DistillationRecipe,
) -> Checkpoints:
    """Good for exactly this teacher, these issues and this goal."""
    whence = (teacher.manifest.digest, train.fingerprint, order.seed)
    context = json.dumps([*whence, asdict(goal), asdict(recipe), __version__])
    return Checkpoints(order.folder / ".unfinished-student", context)


def _chain_of(
    student: Member, teacher: Release | None, train: TrainingSet, resources: Resources, seed: int
) -> Chain:
    """The student alone decides; the nearest issues are its teacher's, None: it shows none."""
    fitted = () if teacher is None else teacher.chain.learned_.cascade.members
    members = [student, *(member for member in fitted if member.name == "knn")]
    stage = Stage.fit([student], train, CalibratedPrior(UsualLogOdds.of(student.unseen).mean))
    learned = ChainTrainer(resources, seed).conclude(train, members, [stage])
    return Chain.of(learned, resources, seed=seed)


def _ask(teacher: Strategy, cleaning: int, texts: Sequence[IssueText]) -> Scores:
    """What a teacher says of texts, cleaned as it learned them."""
    return teacher.score([text.cleaned(cleaning) for text in texts])


def _soft_targets(
    ask: Callable[[Sequence[IssueText]], Scores],
    train: TrainingSet,
    reference: Sequence[IssueText],
    checkpoints: Checkpoints,
    resources: Resources,
) -> dict[IssueText, Scores]:
    """The teacher's probabilities of all texts that the student may learn from.

    Reference texts are left out: the student is measured on them.
    """
    away = set(reference) - set(train.issues)
    others = [text for text in train.unlabelled if text not in away][:MAX_UNLABELLED]
    texts = list(dict.fromkeys((*train.issues, *others)))
    soft: dict[IssueText, Scores] = {}
    for start in range(0, len(texts), AT_ONCE):
        resources.progress("asking the teacher", start, len(texts))
        some = texts[start : start + AT_ONCE]
        scores = checkpoints.scores(f"teacher from {start}", partial(ask, some))
        soft.update(zip(some, scores, strict=True))
    resources.progress("asking the teacher", len(texts), len(texts))
    return soft


def _note(
    teacher: Release,
    goal: CompressionGoal,
    layers: int,
    recipe: DistillationRecipe,
    skill: float | None,
    student: Strategy,
) -> str:
    size = student.model_.size / 1e6 if isinstance(student, Distilled) else 0.0
    searched = "" if skill is None else f", the best of {goal.trials} trials"
    pruned = ""
    if recipe.pruning.kind != "none":
        pruned = f", {recipe.pruning.sparsity:.0%} of its weights gone by {recipe.pruning.kind}"
    return (
        f"a student of release {teacher.manifest.id} (teacher: {goal.teacher}): {layers} layers in "
        f"eight bits, {size:.0f} MB{pruned}; alpha {recipe.alpha:.2f}, temperature "
        f"{recipe.temperature:.1f}, {recipe.epochs:g} epochs{searched}"
    )
