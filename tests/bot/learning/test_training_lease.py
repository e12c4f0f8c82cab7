"""One training of a repository at a time: the second is told who, a dead one is taken over."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest

from bot.errors import CommandRefused
from bot.learning.training_lease import training_lease
from bot.process.process_identity import has_died, holder_name
from store.errors import LeaseHeld
from tagger.domain.strategy import silent

REPO = "acme/rocket"


def test_a_second_training_says_who_holds_it(store, clock) -> None:
    with training_lease(store, REPO, silent, clock=clock):
        held = pytest.raises(LeaseHeld, match=r"the training of acme/rocket is held by process \d+")
        with held, training_lease(store, REPO, silent, clock=clock):
            pytest.fail("two trainings at once")
        with training_lease(store, "acme/probe", silent, clock=clock):
            pass
    with training_lease(store, REPO, silent, clock=clock):
        pass


def test_an_error_gives_the_turn_back(store, clock) -> None:
    with (
        pytest.raises(ValueError, match="broken"),
        training_lease(store, REPO, silent, clock=clock),
    ):
        raise ValueError("broken")
    with training_lease(store, REPO, silent, clock=clock):
        pass


def test_a_dead_trainings_turn_is_taken_over(store, clock) -> None:
    with store.begin() as work:
        work.leases.take(f"the training of {REPO}", "dead", timedelta(minutes=1), clock())
    with (
        pytest.raises(LeaseHeld, match="held by dead"),
        training_lease(store, REPO, silent, clock=clock),
    ):
        pytest.fail("it may still be alive")
    clock.advance(minutes=2)
    with training_lease(store, REPO, silent, clock=clock):
        pass


def test_a_training_killed_on_this_machine_is_taken_over_at_once(store, clock) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    dead = re.sub(r"process \d+", f"process {sleeper.pid}", holder_name())
    with store.begin() as work:
        work.leases.take(f"the training of {REPO}", dead, timedelta(minutes=1), clock())
    with pytest.raises(LeaseHeld), training_lease(store, REPO, silent, clock=clock):
        pytest.fail("it is alive")
    sleeper.kill()
    deadline = time.monotonic() + 10
    while not has_died(dead) and time.monotonic() < deadline:  # a zombie is dead enough
        time.sleep(0.01)
    with training_lease(store, REPO, silent, clock=clock):
        pass
    sleeper.wait()


def test_of_other_machines_nothing_is_known() -> None:
    mine = holder_name()
    assert not has_died(mine)
    assert not has_died(
        re.sub(r"\(\w{6}-", "(000000-", mine).replace(str(os.getpid()), "999999999")
    )
    assert not has_died("somebody else")


def test_a_training_that_was_taken_over_ends_and_changes_nothing(store, clock) -> None:
    steps: list[str] = []

    def overtaken() -> None:
        given = {"lease": timedelta(seconds=0.3), "clock": clock}
        with training_lease(store, REPO, lambda step, *_: steps.append(step), **given) as watched:
            watched("first", 1, 2)
            clock.advance(minutes=5)
            with store.begin() as work:
                work.leases.take(f"the training of {REPO}", "other", timedelta(hours=1), clock())
            threading.Event().wait(2.0)  # it looks three times a lease
            watched("second", 2, 2)

    with pytest.raises(CommandRefused, match="has been taken over by another process"):
        overtaken()
    assert steps == ["first"]
    with store.read() as work:
        assert work.leases.find(f"the training of {REPO}").holder == "other"
