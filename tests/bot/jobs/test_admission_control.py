"""While deliveries pour in, the worker beside the webhook holds back."""

import asyncio
from time import monotonic

import pytest

from bot.jobs.admission_control import MANY, REST, WINDOW, AdmissionControl


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def come(admission: AdmissionControl, number: int) -> None:
    for _ in range(number):
        admission.arrived()


def test_a_few_deliveries_are_no_rush(clock: Clock):
    admission = AdmissionControl(clock)
    come(admission, MANY - 1)

    assert not admission.on
    assert admission.room(8) == 8


def test_many_within_the_window_are_one_and_leave_room_for_one(clock: Clock):
    admission = AdmissionControl(clock)
    come(admission, MANY)

    assert admission.on
    assert admission.room(8) == 1


def test_it_is_over_once_they_have_stopped_coming(clock: Clock):
    admission = AdmissionControl(clock)
    come(admission, MANY)
    clock.now += WINDOW

    assert not admission.on


def test_many_that_come_slowly_are_none(clock: Clock):
    admission = AdmissionControl(clock)
    for _ in range(10 * MANY):
        admission.arrived()
        clock.now += 1.1 * WINDOW / MANY

    assert not admission.on


def test_holding_back_ends_when_all_is_to_stop(clock: Clock):
    admission = AdmissionControl(clock)
    come(admission, MANY)

    async def hold() -> float:
        stopping, began = asyncio.Event(), monotonic()
        stopping.set()
        await admission.hold_back(stopping)
        return monotonic() - began

    assert asyncio.run(hold()) < REST


def test_outside_of_a_rush_nobody_is_held_back(clock: Clock):
    began = monotonic()
    asyncio.run(AdmissionControl(clock).hold_back(asyncio.Event()))

    assert monotonic() - began < REST
