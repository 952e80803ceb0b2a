"""What the worst outage of a program's own sources takes from it, whatever the odds.

Each group of the policy that stops one of its sources stops in turn, and supply is re-routed at the
least cost of units short, as in `allocator stress` (docs/stress.md).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allocator.tradeoff.figures import STRESS_GAP

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from allocator.outages import OutageResult
    from allocator.tradeoff.crew import Stop
    from models.result import Decision


@dataclass(frozen=True)
class Worst:
    """The outage that leaves a program shortest: units beyond what the plan misses anyway.

    `outage` is None where none leaves it short; `proven` tells that the re-routing of every outage
    is the cheapest within the gap.
    """

    outage: str | None
    units: float
    money: float
    proven: bool

    def stated(self, sources: str) -> dict[str, Any]:
        """As columns of the ranking; `sources` is `one` or `two`."""
        return {
            f"worst_outage_{sources}": self.outage,
            f"worst_units_{sources}": self.units,
            f"worst_money_{sources}": self.money,
            f"worst_proven_{sources}": self.proven,
        }


def worst_outage(
    compiled: Compiled,
    decision: Decision,
    program_id: str,
    time_limit: float | None,
    stop: Stop = None,
) -> Worst:
    """The worst outage of the sources that a program has in a plan, within `time_limit` seconds."""
    until = None if time_limit is None else time.monotonic() + time_limit

    def over() -> bool:
        late = until is not None and time.monotonic() >= until
        return late or (stop is not None and stop())

    results = _results(compiled, decision, offers_of(compiled, decision, program_id), over)
    proven = all(result.limit is None for result in results)
    found = [
        Worst(result.group.label, short.units_short, short.money, proven)
        for result in results
        for short in result.programs
        if short.program_id == program_id
    ]
    return max(found, key=lambda worst: worst.units, default=Worst(None, 0.0, 0.0, proven))


def offers_of(compiled: Compiled, decision: Decision, program_id: str) -> list[str]:
    """Offer ids of the sources of a program."""
    options, streams = compiled.problem.options, compiled.problem.streams
    row = decision.option[compiled.problem.programs.ids.index(program_id)]
    rows = (int(options.first[row]), int(options.second[row]))
    return [compiled.problem.offers.ids[int(streams.offer[s])] for s in rows if s >= 0]


def _results(
    compiled: Compiled, decision: Decision, offer_ids: Sequence[str], over: Stop
) -> list[OutageResult]:
    """Every outage that stops one of some offers, each re-routed as well as it can be."""
    from allocator.outages.cases import cases, surge_of
    from allocator.outages.groups import groups_of
    from allocator.outages.stressing import work
    from allocator.outages.testing import Pool, Test
    from models.recourse import position

    policy = compiled.portfolio.policy
    where = position(compiled.problem, decision, surge_of(compiled))
    groups = groups_of(compiled.portfolio, policy.secure_groups, offer_ids)
    pool = Pool(policy.service_level)
    tests = [Test(compiled, case, where, pool) for case in cases(compiled, where, groups)]
    work(tests, pool, STRESS_GAP, stop=over)
    return [test.result(STRESS_GAP) for test in tests]
