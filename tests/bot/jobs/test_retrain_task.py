"""The task `retrain`: every kind that the file names is trained, each by itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from fakes_bot import REPO

from bot.configuration import RepositoryConfiguration
from bot.errors import CommandRefused
from bot.jobs import retrain_task
from bot.jobs.task_kinds import TaskRun
from bot.learning import retraining

pytestmark = pytest.mark.anyio
TARGETS = ("issues", "pull_requests", "discussions")


@pytest.fixture
def trained(monkeypatch) -> dict[str, str]:
    """By kind, why it cannot be trained; whatever is not there can be."""
    refusals: dict[str, str] = {}

    def retrain(_, request):
        if why := refusals.get(request.target):
            raise CommandRefused(why)
        manifest, gate = SimpleNamespace(id=f"r-{request.target}"), SimpleNamespace(reason="first")
        done = SimpleNamespace(manifest=manifest, gate=gate, promoted=True)
        return SimpleNamespace(stages=[done])

    monkeypatch.setattr(retraining, "retrain", retrain)
    configuration = RepositoryConfiguration.model_validate({"targets": TARGETS})
    monkeypatch.setattr(retrain_task, "known_configuration", lambda _: configuration)
    return refusals


def task_run() -> TaskRun:
    container = SimpleNamespace(workspace=lambda: None)
    return TaskRun(container, None, SimpleNamespace(full_name=REPO))


async def test_a_kind_that_lacks_examples_keeps_no_other_from_being_trained(trained) -> None:
    trained["pull_requests"] = "no pull request has a label"
    assert await retrain_task.run(task_run()) == (
        "release r-issues serves: first; discussions: release r-discussions serves: first; "
        "pull requests: no pull request has a label"
    )


async def test_a_training_of_which_nothing_came_is_refused(trained) -> None:
    trained |= dict.fromkeys(TARGETS, "nothing is labelled")
    with pytest.raises(CommandRefused, match="nothing is labelled; pull requests: nothing"):
        await retrain_task.run(task_run())
