"""Some programs by themselves, with every outage: a MIP that bounds what they cost together.

The master of their own problem with a block for every outage (models/secure.md), in fractions after
an outage. What each costs at least alone, option by option, is told to it as a row: its relaxation
knows little of that. Without the other programs it bounds what these cost in any plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.compact.highs import HighsSolver
from models.compact.matrix import Matrix
from models.compact.plans import decision_of
from models.patterns.apart import engaging
from models.patterns.part import subproblem
from models.problem import Bools, Cmos, Floats, Ints, Problem, Rule
from models.recourse import outage
from models.result import Decision
from models.secure.block import Growth
from models.secure.check import Terms
from models.secure.choosing import Cover
from models.secure.master import Demanded, Master, joined
from models.secure.standing import Standing, closed_cmos
from models.solve import Settings

#: Relative gap to which a group is solved.
GAP = 5e-4
#: Largest coefficient of a row of costs.
LARGEST = 1e3
#: Programs with which every outage counts for a bound; with more of them only those from the first
#: start on do.
ALL_STARTS = 3
#: Part of the service level's units that a plan beside others uses, less than re-routings do.
SPARE = 0.998


@dataclass(frozen=True)
class Money:
    """What the programs of the whole problem are charged.

    `apart` (O,) of an option apart from its batches, `batch` and `setup` (F, T) by period of start,
    `expansion` (L,) of a line's expansion.
    """

    apart: Floats
    batch: Floats
    setup: Floats
    expansion: Floats


@dataclass(frozen=True)
class Found:
    """What a group costs at least, None where nothing was proven, and its best plan.

    `plan` holds for the group alone; its re-routings after outages may be fractions. `closed` tells
    that bound and plan meet.
    """

    bound: float | None
    plan: Decision | None
    cost: float
    closed: bool


class Group:
    """The programs `programs` of a problem by themselves, or beside those of a `standing`."""

    def __init__(
        self, problem: Problem, terms: Terms, programs: Ints, standing: Standing | None = None
    ) -> None:
        self.whole, self.standing = problem, standing
        rows = np.flatnonzero(np.isin(problem.options.program, programs))
        part, self.maps = subproblem(problem, programs, rows)
        self.part = replace(
            part,
            rules=(
                *(rule for rule in part.rules if rule.name == "not_together"),
                Rule("force", "banned options", banned=np.flatnonzero(self._banned(rows))),
            ),
            cmos=_free(part.cmos),
        )
        if standing is not None:  # its expansions are days like others
            none = np.zeros_like(part.lines.expansion_days)
            days = np.maximum(standing.base, 0.0)
            lines = replace(part.lines, days=days, expansion_days=none)
            self.part = replace(self.part, lines=lines)
        self.terms = replace(
            terms,
            threats=tuple(
                replace(threat, inputs=threat.inputs[self.maps.offers]) for threat in terms.threats
            ),
        )
        self.master = Master(self.part, terms.surge)
        self.plain = self.master.matrix(self._demanded())

    def _banned(self, rows: Ints) -> Bools:
        """Options of the whole problem that may not be chosen, also for what others have."""
        problem = self.whole
        banned: Bools = problem.banned[rows]
        if self.standing is not None:
            every = range(len(problem.programs.ids))
            closed = np.array([closed_cmos(self.standing, p) for p in every])
            at = engaging(problem)[rows]
            banned = banned | (at & closed[problem.options.program[rows]]).any(1)
        return banned

    def _demanded(self) -> list[Demanded]:
        """Every outage that can take something from these programs, in fractions."""
        part, found = self.part, []
        for g, threat in enumerate(each for each in self.terms.threats if each.length > 0):
            if not (threat.lines[part.offers.line] | threat.inputs).any():
                continue
            few = self.standing is not None or len(self.maps.programs) <= ALL_STARTS
            last = part.periods if few else self.terms.first + 1
            for start in range(self.terms.first, last):
                event = outage(start, threat.length, threat.lines, threat.inputs, part.periods)
                demand = part.programs.demand[:, start:].sum(1)
                allowed = (1.0 - self.terms.service_level) * demand
                days = None
                if self.standing is not None:
                    allowed = SPARE * allowed
                    free = self.standing.free[g, start]
                    days = np.maximum(np.where(np.isfinite(free), free, 0.0), 0.0)
                found.append(Demanded(event, allowed, False, days))
        return found

    def solve(
        self,
        money: Money,
        out: frozenset[int],
        values: Floats,
        covers: Sequence[Cover],
        seconds: float,
        start: Decision | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Found:
        """What the programs cost at least at `money` without the CMOs `out`.

        `values` (O,) is what options of the whole problem cost at least alone, `covers` what some
        of the programs do, with the expansions that are theirs. `start` is a plan of the whole
        problem.
        """
        matrix = self._strengthened(self._priced(money, out), values, covers)
        solver = HighsSolver(matrix, 1, 0)
        if start is not None:
            self._begin(solver, matrix, self.maps.lower(start))
        outcome = solver.run(Settings(gap=GAP, stop=stop), seconds)
        plan, cost = None, np.inf
        if outcome.x is not None:
            plan = decision_of(self.master.built.model, matrix.columns, outcome.x)
            cost = float(outcome.objective or 0.0)
        bound = np.inf if outcome.infeasible else outcome.bound
        return Found(bound, plan, cost, outcome.infeasible or outcome.limit in (None, "gap"))

    def beside(
        self, out: frozenset[int], seconds: float, start: Decision, stop: Callable[[], bool]
    ) -> Decision | None:
        """The cheapest plan of the programs found without the CMOs `out`, in rows of the whole.

        Others are left where they are; programs of theirs stay unsourced.
        """
        matrix = self._closed(self.plain, out)
        solver = HighsSolver(matrix, 1, 0)
        self._begin(solver, matrix, self.maps.lower(start))
        outcome = solver.run(Settings(gap=GAP, stop=stop), seconds)
        if outcome.x is None:
            return None
        plan = decision_of(self.master.built.model, matrix.columns, outcome.x)
        return replace(self.maps.lift(plan, self.whole), expanded=start.expanded)

    def _closed(self, matrix: Matrix, out: frozenset[int]) -> Matrix:
        """With some CMOs closed."""
        high = matrix.high.copy()
        for k, variable in self.master.built.model.variables.engaged.items():
            if k in out:
                high[matrix.columns[variable]] = 0.0
        return replace(matrix, high=high)

    def _priced(self, money: Money, out: frozenset[int]) -> Matrix:
        """The arrays at some prices, CMOs of `out` closed."""
        maps, variables = self.maps, self.master.built.model.variables
        column = self.plain.columns
        cost = self.plain.cost.copy()
        for variable in variables.offer.values():  # an option pays for its sources
            cost[column[variable]] = 0.0
        for o, variable in variables.choose.items():
            apart = money.apart[maps.options[o]]
            cost[column[variable]] = apart if np.isfinite(apart) else 0.0
        for (f, t), variable in variables.batches.items():
            cost[column[variable]] = money.batch[maps.offers[f], t]
        for (f, t), variable in variables.campaign.items():
            cost[column[variable]] = money.setup[maps.offers[f], t]
        for line, variable in variables.expanded.items():
            cost[column[variable]] = money.expansion[line]
        return self._closed(replace(self.plain, cost=cost), out)

    def _strengthened(self, matrix: Matrix, values: Floats, covers: Sequence[Cover]) -> Matrix:
        """With rows for what programs cost at least."""
        rows, columns = matrix.shape
        grow, variables = Growth(columns, rows), self.master.built.model.variables
        options, program = self.part.options, self.part.offers.program
        chosen = {o: matrix.columns[v] for o, v in variables.choose.items()}
        flows = [variables.batches, variables.campaign, variables.stock]
        flows += [variables.unmet, variables.scrap, variables.gap]
        paid_by: dict[int, dict[int, float]] = {}
        limits: list[tuple[dict[int, float], float]] = []
        for i, p in enumerate(self.maps.programs.tolist()):
            paid = {j: float(matrix.cost[j]) for o, j in chosen.items() if options.program[o] == i}
            for table in flows:
                mine = [matrix.columns[v] for (f, _), v in table.items() if program[f] == i]
                paid |= {j: float(matrix.cost[j]) for j in mine if matrix.cost[j]}
            above = dict(paid)
            for o, j in chosen.items():
                value = float(values[self.maps.options[o]])
                if options.program[o] == i and np.isfinite(value):
                    above[j] -= value
            paid_by[p] = paid
            limits.append((above, 0.0))
        for cover in covers:
            terms: dict[int, float] = {}
            for p in cover.programs.tolist():
                terms |= paid_by[p]
            for line in cover.lines:
                if line in variables.expanded:
                    j = matrix.columns[variables.expanded[line]]
                    terms[j] = float(matrix.cost[j])
            limits.append((terms, cover.bound))
        for terms, low in limits:
            unit = max(max(abs(value) for value in terms.values()) / LARGEST, 1e-9)
            scaled = [(j, value / unit) for j, value in terms.items()]
            grow.row(scaled, (low - 1e-9 * abs(low)) / unit, np.inf)
        return joined(matrix, grow)

    def _begin(self, solver: HighsSolver, matrix: Matrix, plan: Decision) -> None:
        """Tell the solver a plan to begin with; it works out the rest by itself."""
        variables, options = self.master.built.model.variables, self.part.options
        value: dict[int, float] = {}
        for o, variable in variables.choose.items():
            taken = plan.option[options.program[o]] == o
            value[matrix.columns[variable]] = float(taken)
        for (f, t), variable in variables.batches.items():
            made = plan.batches.get(f)
            value[matrix.columns[variable]] = 0.0 if made is None else float(made[t])
        index = np.array(list(value), np.int32)
        solver.highs.setSolution(len(index), index, np.array(list(value.values())))

    @property
    def complete(self) -> bool:
        """Whether every offer that an outage may turn to is known here."""
        offers = self.whole.offers
        able = offers.qualified & np.isin(offers.program, self.maps.programs)
        return bool(np.isin(np.flatnonzero(able), self.maps.offers).all())


def _free(cmos: Cmos) -> Cmos:
    """The CMOs at no cost of their own: these belong to all programs together."""
    zero = np.zeros(len(cmos.ids))
    none: tuple[tuple[tuple[float, float], ...], ...] = tuple(() for _ in cmos.ids)
    return replace(
        cmos, onboarding_cost=zero, fees=zero, floor=np.zeros_like(cmos.floor), tiers=none
    )
