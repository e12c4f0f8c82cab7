"""The writers' turn: first come, first served, but for those who must not wait."""

import threading
from collections.abc import Callable
from time import monotonic, sleep

from store.engine.fair_lock import LONG_ENOUGH, FairLock

LONG = 10.0


def in_order(turn: FairLock, *urgent: bool) -> list[int]:
    """Let so many threads queue one after the other while the turn is held; who got it when."""
    served: list[int] = []

    def wait(number: int) -> None:
        assert turn.acquire(LONG, urgent=urgent[number])
        served.append(number)
        turn.release()

    assert turn.acquire(LONG)
    threads = []
    for number in range(len(urgent)):
        thread = threading.Thread(target=wait, args=(number,))
        thread.start()
        threads.append(thread)
        until(lambda waiting=number + 1: waiting_in(turn) == waiting)
    turn.release()
    for thread in threads:
        thread.join(LONG)
    return served


def waiting_in(turn: FairLock) -> int:
    return len(turn._urgent) + len(turn._others)


def until(true: Callable[[], bool]) -> None:
    end = monotonic() + LONG
    while not true():
        assert monotonic() < end
        sleep(0.001)


def test_served_in_the_order_of_coming():
    assert in_order(FairLock(), False, False, False, False) == [0, 1, 2, 3]


def test_the_urgent_go_first_in_their_own_order():
    assert in_order(FairLock(), False, True, False, True) == [1, 3, 0, 2]


def test_who_has_waited_long_enough_gets_it_before_the_one_who_releases():
    turn, served = FairLock(), []
    assert turn.acquire(LONG)

    def wait() -> None:
        assert turn.acquire(LONG)
        served.append("other")
        turn.release()

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: waiting_in(turn) == 1)
    sleep(2 * LONG_ENOUGH)
    turn.release()
    assert turn.acquire(LONG)
    served.append("again")
    turn.release()
    thread.join(LONG)

    assert served == ["other", "again"]


def test_patience_ends_and_leaves_nothing_behind():
    turn = FairLock()
    assert turn.acquire(LONG)

    assert not turn.acquire(0.01)
    assert not turn.acquire(0.01, urgent=True)

    turn.release()
    assert turn.acquire(0.01)
    turn.release()
    assert waiting_in(turn) == 0


def test_never_two_at_a_time():
    turn, inside, most = FairLock(), [0], [0]

    def work() -> None:
        for _ in range(200):
            assert turn.acquire(LONG)
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1
            turn.release()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)

    assert most == [1]
