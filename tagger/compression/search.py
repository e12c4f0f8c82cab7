"""The search for how a student learns best: alpha, temperature, epochs; kept, so it resumes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import optuna

    from tagger.distillation.distilling import DistillationRecipe
    from tagger.domain.strategy import Progress

ALPHAS = (0.0, 0.9)
TEMPERATURES = (1.0, 8.0)
EPOCHS = (2, 8)


def search(
    skill_of: Callable[[DistillationRecipe], float],
    usual: DistillationRecipe,
    trials: int,
    *,
    file: Path,
    context: str,
    seed: int,
    progress: Progress = silent,
) -> tuple[DistillationRecipe, float]:
    """The best of `trials` recipes, the first of which is `usual`; at least one trial.

    Finished trials lie in an SQLite file and are not repeated: a search that was killed goes on,
    and ends where an unbroken one would have. Proposed by Optuna's TPE sampler (Bergstra et al.
    2011; Akiba et al. 2019, https://arxiv.org/abs/1907.10902).

    :param skill_of: higher is better; deterministic.
    :param context: whatever the skill depends on beside the recipe: another one is another study.
    :returns: the recipe and its skill.
    """
    study = _study(file, context)
    while len(done := _finished(study)) < trials:
        progress("searching the student's recipe", len(done), trials)
        study.sampler = _sampler(seed + len(done))  # each trial has its own chance, killed or not
        if not done and not study.get_trials(states=(_state().WAITING,)):
            study.enqueue_trial(_values(usual))
        trial = study.ask()
        study.tell(trial, skill_of(_proposed(trial, usual)))
    progress("searching the student's recipe", trials, trials)
    best = study.best_trial
    return replace(usual, **best.params), float(best.values[0])


def _study(file: Path, context: str) -> optuna.Study:
    """The study of this context; trials that a kill left half-done are marked as failed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{file}",
        study_name=context,
        direction="maximize",
        load_if_exists=True,
    )
    for trial in study.get_trials(states=(_state().RUNNING,)):
        study.tell(trial.number, state=_state().FAIL)
    return study


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(states=(_state().COMPLETE,))


def _state() -> type[optuna.trial.TrialState]:
    import optuna

    return optuna.trial.TrialState


def _sampler(seed: int) -> optuna.samplers.BaseSampler:
    import optuna

    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)


def _values(recipe: DistillationRecipe) -> dict[str, float]:
    return {
        "alpha": recipe.alpha,
        "temperature": recipe.temperature,
        "epochs": int(recipe.epochs),
    }


def _proposed(trial: optuna.Trial, usual: DistillationRecipe) -> DistillationRecipe:
    return replace(
        usual,
        alpha=trial.suggest_float("alpha", *ALPHAS),
        temperature=trial.suggest_float("temperature", *TEMPERATURES, log=True),
        epochs=trial.suggest_int("epochs", *EPOCHS),
    )
