"""The best plan of a tiny problem by exhaustive search, sharing nothing with the formulations.

Every choice of options and expansions is visited in the order of a lower bound; for each, every
schedule of whole batches of every source that no other schedule of the same source dominates.
`models.evaluate` alone decides what a plan is worth and whether it holds.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from models.evaluate import evaluate
from models.problem import Problem
from models.result import Decision
from models.stock import flow_cost, simulate, unsourced_cost


@dataclass(frozen=True)
class Schedules:
    """Undominated schedules of one stream, cheapest bound first; (N,) or (N, ...)."""

    batches: np.ndarray  # (N, T)
    cost: np.ndarray  # batches, changeovers, holding, shortage, safety stock
    days: np.ndarray  # (N, T) line-days
    spend: np.ndarray  # (N, Y) without validation
    least: np.ndarray  # cost less the highest rebate that could fall on it


class BruteForce:
    """Search state: the best plan so far and the schedules of each stream."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.best = np.inf
        self.plan: Decision | None = None
        self.cache: dict[int, Schedules] = {}
        kinds = {rule.name for rule in problem.rules}
        self.cash_counts = "budget" in kinds
        self.spend_counts = self.cash_counts or "max_spend_share" in kinds
        self.idle = unsourced_cost(problem)

    def schedules(self, s: int) -> Schedules:
        """All undominated schedules of stream s."""
        if s not in self.cache:
            self.cache[s] = self._schedules(s)
        return self.cache[s]

    def _schedules(self, s: int) -> Schedules:
        problem, T = self.problem, self.problem.periods
        offers, lines = problem.offers, problem.lines
        f = int(problem.streams.offer[s])
        line, k = int(offers.line[f]), int(problem.offer_cmo[f])
        ranges = [range(int(n) + 1) for n in problem.max_batches[f]]
        batches = np.array(list(itertools.product(*ranges)), np.int64)
        lag = int(offers.lag[f])
        released = np.zeros(batches.shape)
        released[:, lag:] = batches[:, : T - lag] * offers.good_per_batch[f]
        rows = np.full(len(batches), s)
        flow = simulate(problem.stream_tables(rows), released)
        program = np.full(len(batches), offers.program[f])
        runs = batches > 0
        cost = sum(flow_cost(problem, program, flow))
        cost = cost + offers.price[f] * batches.sum(1) + lines.changeover_cost[line] * runs.sum(1)
        days = offers.days[f] * batches + lines.changeover_days[line] * runs
        spend = np.zeros((len(batches), len(problem.year_labels)))
        for t in range(T):
            spend[:, problem.year[t]] += offers.price[f] * batches[:, t]
        rate = max((tier[1] for tier in problem.cmos.tiers[k]), default=0.0)
        matters = self.spend_counts or rate > 0 or problem.cmos.floor[k].any()
        hold = problem.programs.holding_price[offers.program[f]]
        cash = offers.price[f] * batches + lines.changeover_cost[line] * runs
        cash = cash + hold * (flow.stock + np.cumsum(flow.scrap, axis=1))
        smaller = np.hstack([days, cash]) if self.cash_counts else days
        keep = undominated(cost, smaller, spend if matters else spend[:, :0])
        least = (cost - rate * spend.sum(1))[keep]
        keep = keep[np.argsort(least, kind="stable")]
        least = (cost - rate * spend.sum(1))[keep]
        return Schedules(batches[keep], cost[keep], days[keep], spend[keep], least)

    def run(self) -> tuple[float, Decision | None]:
        """The least objective and its plan; infinity and None where no plan holds."""
        for bound, option, expanded in sorted(self.choices(), key=lambda choice: choice[0]):
            if bound >= self.best:
                break
            self.search(option, expanded, bound)
        return self.best, self.plan

    def choices(self):  # type: ignore[no-untyped-def]
        """Every (lower bound, options, expanded lines)."""
        problem, options = self.problem, self.problem.options
        start = options.start
        growing = np.flatnonzero(problem.lines.expansion_days > 0).tolist()
        for option in itertools.product(
            *(range(int(a), int(b)) for a, b in itertools.pairwise(start))
        ):
            rows = np.array(option, np.int64)
            if problem.banned[rows].any():
                continue
            fixed = self.fixed_cost(rows)
            streams = self.streams_of(rows)
            bound = fixed + sum(float(self.schedules(s).least[0]) for s in streams)
            used = {int(problem.offers.line[problem.streams.offer[s]]) for s in streams}
            grown = [line for line in growing if line in used]
            for count in range(len(grown) + 1):
                for more in itertools.combinations(grown, count):
                    extra = float(problem.lines.expansion_cost[list(more)].sum())
                    yield bound + extra, rows, more

    def streams_of(self, rows: np.ndarray) -> list[int]:
        """The chosen streams."""
        options = self.problem.options
        both = np.concatenate([options.first[rows], options.second[rows]])
        return [int(s) for s in both if s >= 0]

    def fixed_cost(self, rows: np.ndarray) -> float:
        """What the options and the CMOs they engage cost, without rebate on validation."""
        problem, options = self.problem, self.problem.options
        cost = (options.fixed_cost + problem.risk_weight * options.risk_cost)[rows].sum()
        cost += self.idle[problem.options.program[rows]][options.first[rows] < 0].sum()
        offer = problem.streams.offer[self.streams_of(rows)] if len(self.streams_of(rows)) else []
        engaged = sorted({int(problem.offer_cmo[f]) for f in offer})
        cost += (problem.cmos.onboarding_cost + problem.cmos.fees)[engaged].sum()
        for f in offer:
            tiers = problem.cmos.tiers[int(problem.offer_cmo[f])]
            cost -= problem.offers.validation_cost[f] * max((t[1] for t in tiers), default=0.0)
        return float(cost)

    def search(self, option: np.ndarray, expanded: tuple[int, ...], bound: float) -> None:
        """Depth first over the schedules of the chosen streams."""
        problem, lines = self.problem, self.problem.lines
        flags = np.zeros(len(lines.ids), np.bool_)
        flags[list(expanded)] = True
        grown = np.arange(problem.periods)[None, :] >= lines.expansion_period[:, None]
        free = lines.days + (lines.expansion_days * flags)[:, None] * grown
        spend = np.zeros((len(problem.cmos.ids), len(problem.year_labels)))
        streams = self.streams_of(option)
        for s in streams:
            f, offers = int(problem.streams.offer[s]), problem.offers
            when = offers.validation_period[f]
            free[offers.line[f], when] -= offers.validation_days[f]
            spend[problem.offer_cmo[f], problem.year[when]] += offers.validation_cost[f]
        picked: dict[int, np.ndarray] = {}
        if self.hopeless(option, flags):
            return

        def value() -> float:
            plan = Decision(option, dict(picked), flags)
            result = evaluate(problem, plan)
            if not result.broken and result.objective < self.best:
                self.best, self.plan = result.objective, plan
            return np.inf if result.broken else result.objective

        def deeper(depth: int, free: np.ndarray, spend: np.ndarray, bound: float) -> None:
            s = streams[depth]
            f = int(problem.streams.offer[s])
            line, k = int(problem.offers.line[f]), int(problem.offer_cmo[f])
            table = self.schedules(s)
            rows = np.flatnonzero((table.days <= free[line] * (1 + 1e-9) + 1e-6).all(1))
            bounds = bound + table.least[rows] - table.least[0]
            if depth == len(streams) - 1:
                bounds = bounds + self.settled(spend, k, table.spend[rows])
                order = np.argsort(bounds, kind="stable")
                rows, bounds = rows[order], bounds[order]
                possible = self.shares_hold(spend, k, table.spend[rows])
                rows, bounds = rows[possible], bounds[possible]
            for row, least in zip(rows, bounds, strict=True):
                if least >= self.best:
                    break
                picked[f] = table.batches[row]
                if depth == len(streams) - 1:
                    if value() < np.inf:
                        break
                    continue
                left, paid = free.copy(), spend.copy()
                left[line] -= table.days[row]
                paid[k] += table.spend[row]
                deeper(depth + 1, left, paid, least)

        if not streams:
            value()
        elif (free >= -1e-6).all():
            deeper(0, free, spend, bound)

    def hopeless(self, option: np.ndarray, flags: np.ndarray) -> bool:
        """Whether the choice of options alone breaks a rule, whatever is made."""
        loose = tuple(
            f"{rule.label}:"
            for rule in self.problem.rules
            if rule.name in ("max_spend_share", "budget")
        )
        broken = evaluate(self.problem, Decision(option, {}, flags)).broken
        return any(not text.startswith(loose) for text in broken)

    def settled(self, spend: np.ndarray, k: int, more: np.ndarray) -> np.ndarray:
        """Take-or-pay, and rebates less than assumed, when CMO k gets `more` (N, Y) spend."""
        cmos = self.problem.cmos
        extra = np.zeros(len(more))
        for other in np.flatnonzero((spend > 0).any(1) | (np.arange(len(spend)) == k)):
            paid = spend[other][None, :] + (more if other == k else np.zeros((1, 1)))
            # a CMO in `spend` makes something, unless nothing was ever paid to it
            extra = extra + np.maximum(cmos.floor[other] - paid, 0.0).sum(1)
            highest = max((tier[1] for tier in cmos.tiers[other]), default=0.0)
            rate = np.zeros(paid.shape)
            for spend_from, share in cmos.tiers[other]:
                rate = np.where(paid >= spend_from * (1 - 1e-9), share, rate)
            extra = extra + ((highest - rate) * paid).sum(1)
        return extra

    def shares_hold(self, spend: np.ndarray, k: int, more: np.ndarray) -> np.ndarray:
        """Which of `more` (N, Y) spend at CMO k keep every max_spend_share."""
        holds = np.ones(len(more), np.bool_)
        total = spend.sum() + more.sum(1)
        for rule in self.problem.rules:
            if rule.name == "max_spend_share":
                part = spend[list(rule.cmos)].sum() + more.sum(1) * (k in rule.cmos)
                holds &= part <= rule.limit * total * (1 + 1e-9) + 1e-6
        return holds


def undominated(cost: np.ndarray, smaller: np.ndarray, equal: np.ndarray) -> np.ndarray:
    """Rows that no other row beats: cost and `smaller` not above it, `equal` the same."""
    order = np.lexsort((smaller.sum(1), cost))
    kept: list[int] = []
    for row in order:
        mine = np.array(kept, np.int64)
        beaten = (smaller[mine] <= smaller[row] + 1e-12).all(1)
        beaten &= (equal[mine] == equal[row]).all(1)
        if not beaten.any():
            kept.append(int(row))
    return np.array(kept, np.int64)


def brute_force(problem: Problem) -> tuple[float, Decision | None]:
    """The least objective of a tiny problem and a plan that reaches it."""
    return BruteForce(problem).run()
