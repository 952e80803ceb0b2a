"""Two sides kept in step by their work."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.patterns.pace import MOST, SLACK, Pace


def walk(pace, side, units, naps, heard):
    """Take steps of these units, each with a nap; note what was heard before each."""
    try:
        for number, (amount, nap) in enumerate(zip(units, naps, strict=True)):
            heard.append(pace.begin(side, amount))
            time.sleep(nap)
            pace.finish(side, (side, number))
    finally:
        pace.leave(side)


def conversation(units, naps):
    """What each side heard before each of its steps."""
    pace, heard = Pace(), ([], [])
    with ThreadPoolExecutor(2) as pool:
        for side in (0, 1):
            pool.submit(walk, pace, side, units[side], naps[side], heard[side])
    return heard


@pytest.mark.parametrize("seed", range(5))
def test_what_is_heard_depends_on_work_alone(seed):
    rng = np.random.default_rng(seed)
    units = [rng.uniform(0.1, 3.0, 40).tolist() for _ in range(2)]
    quick, slow = np.zeros(40), rng.uniform(0.0, 0.004, 40)
    first = conversation(units, (quick, slow))
    assert first == conversation(units, (slow, quick))
    assert first == conversation(units, (quick, quick))


@pytest.mark.parametrize("seed", range(5))
def test_news_come_once_in_order_and_after_at_most_the_slack(seed):
    rng = np.random.default_rng(seed)
    units = [rng.uniform(0.1, 3.0, 40).tolist() for _ in range(2)]
    heard = conversation(units, (np.zeros(40), np.zeros(40)))
    for side in (0, 1):
        told = [item for items in heard[side] for item in items]
        assert told == [(1 - side, number) for number in range(len(told))]
        done, found = np.cumsum([0.0, *units[side]])[:-1], np.cumsum(units[1 - side])
        known = 0
        for number, items in enumerate(heard[side]):
            known += len(items)
            # all that was found by MOST units before is known, nothing that was found later is
            assert known >= np.searchsorted(found, done[number] - MOST, side="right")
            assert known <= np.searchsorted(found, done[number] - SLACK + 1e-9, side="right")


def test_a_side_waits_for_the_other_unless_that_works_on_a_longer_step():
    pace = Pace()
    pace.begin(0, SLACK + 1.0)
    pace.finish(0, "first")
    again = threading.Thread(target=pace.begin, args=(0, 1.0), daemon=True)
    again.start()
    again.join(0.05)
    assert again.is_alive()  # the other side has done nothing yet
    assert pace.begin(1, 50.0) == []  # under way for long: nothing to be heard before it ends
    again.join(5.0)
    assert not again.is_alive()


def test_a_side_that_leaves_or_fails_keeps_nobody_waiting():
    for failed in (False, True):
        pace = Pace()
        pace.leave(1, failed)
        for _ in range(10):
            assert pace.begin(0, 5.0) == []
            pace.finish(0, None)
        assert pace.failed is failed
