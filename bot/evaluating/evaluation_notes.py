"""What a reader must know of an evaluation: who was left out, and which slices and issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.evaluation.runner import Evaluation
    from tagger.evaluation.slices import SplitPlan

NEEDS_BERT = ("fine-tuned", "adapted")

SHOWN = 10
"""Issues that a note names."""


def strategies_to_score(
    wanted: Sequence[str] | None, resources: Resources
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the strategies, and what a reader must know of those that are left out."""
    from tagger.strategies import ON_REQUEST, REGISTRY

    if wanted is not None:
        return tuple(dict.fromkeys(wanted)), ()
    usual = tuple(name for name in REGISTRY if name not in ON_REQUEST)
    if resources.bert_model is not None:
        return usual, ()
    out = [name for name in NEEDS_BERT if name in usual]
    note = (
        f"{', '.join(out)} left out: there is no transformer to fine-tune; "
        "ISSUE_TAGGER_BERT_MODEL names a folder or a hub model"
    )
    return tuple(name for name in usual if name not in out), (note,)


def left_out(evaluation: Evaluation) -> tuple[str, ...]:
    """What a reader must know of slices that were asked for and not scored."""
    from tagger.evaluation.slices import slice_size

    if not evaluation.left_out:
        return ()
    large = [name for name in evaluation.left_out if slice_size(name) > evaluation.smallest_pool]
    others = [name for name in evaluation.left_out if name not in large]
    notes = []
    if large:
        notes.append(
            f"slice {', '.join(large)} left out: beside the test set there are "
            f"{evaluation.smallest_pool} labelled issues to learn from"
        )
    if others:
        notes.append(
            f"slice {', '.join(others)} left out: none of these strategies works with so little"
        )
    return tuple(notes)


def not_held_out(data: TrainingSet, plan: SplitPlan) -> tuple[str, ...]:
    """What a reader must know of issues that were to be held out and cannot be judged."""
    missing = sorted(plan.holdout - set(data.numbers))
    if not missing:
        return ()
    named = ", ".join(f"#{number}" for number in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return (
        f"{len(missing)} of the {len(plan.holdout)} issues to hold out are not stored or carry no "
        f"label of the set, and are not in the test set: {named}{more}",
    )
