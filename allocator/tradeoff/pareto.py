"""Cost against risk: plans of which none is both cheaper and safer, each with what is proven.

Ends and first points come from weighing risk; between neighbours a cap on risk finds the plans
that no weight can (models/compact.md, `risk_cap`). Boxes between neighbours are split until there
are as many points as asked, or no box can hold another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from allocator.portfolio import Program

#: Weight of risk that only breaks ties of cost: a plan that costs less than this share of the risk
#: it removes is not told apart from the one without.
TIE = 1e-4
#: Two risks closer than this share of the greatest are one.
SAME_RISK = 1e-5


@dataclass(frozen=True)
class Point:
    """A plan by its money: `cost` is cash and shortage, `risk` all risk before `risk_weight`."""

    cost: float
    risk: float
    folder: str
    plan: Mapping[str, Any]

    def beats(self, other: Point) -> bool:
        """Whether this is as good in both and better in one."""
        better = self.cost < other.cost or self.risk < other.risk
        return better and self.cost <= other.cost and self.risk <= other.risk


@dataclass(frozen=True)
class Bound:
    """Proven: cost + `weight` x risk is at least `least` in every plan with risk within `cap`.

    `cap` None: whatever its risk.
    """

    least: float
    weight: float
    cap: float | None

    def cost_at(self, risk: float) -> float | None:
        """What a plan with at most this risk costs at least; None where nothing follows."""
        if self.cap is not None and risk > self.cap * (1 + 1e-12):
            return None
        return self.least - self.weight * risk


def point_of(folder: str, plan: Mapping[str, Any], programs: Mapping[str, Program]) -> Point:
    """The point of a plan.json; risk is delay_cost_per_month x (late + lost months)."""
    risk = 0.0
    for row in plan["programs"]:
        months = row["risks"]["late_months"] + row["risks"]["lost_months"]
        risk += programs[row["program_id"]].delay_cost_per_month * months
    return Point(plan["cash_cost"] + plan["shortage_cost"], risk, folder, plan)


def least_cost(bounds: Sequence[Bound], risk: float) -> float | None:
    """The best of what is proven about the cost of plans with at most this risk."""
    proven = [bound.cost_at(risk) for bound in bounds]
    return max((cost for cost in proven if cost is not None), default=None)


def non_dominated(points: Sequence[Point]) -> list[Point]:
    """The points that no other beats, by falling risk; of equal ones the first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.cost, p.risk, p.folder)):
        if not best or point.risk < best[-1].risk:
            best.append(point)
    return best


def supported(points: Sequence[Point]) -> list[bool]:
    """Which points (by falling risk) some weight of risk makes the best: the lower hull."""
    hull: list[int] = []
    for i, point in enumerate(points):
        while len(hull) > 1 and not _turns(points[hull[-2]], points[hull[-1]], point):
            hull.pop()
        hull.append(i)
    return [i in hull for i in range(len(points))]


def _turns(one: Point, two: Point, three: Point) -> bool:
    """Whether the middle point lies below the line through the others (or on it)."""
    rise = (two.cost - one.cost) * (one.risk - three.risk)
    return rise <= (three.cost - one.cost) * (one.risk - two.risk) * (1 + 1e-12)


@dataclass(frozen=True)
class Box:
    """Room for points between two neighbours."""

    risky: Point
    safe: Point

    def share(self, whole: Box) -> float:
        """How much of the whole range the box spans, in risk and cost together."""
        cost = (self.safe.cost - self.risky.cost) / max(whole.safe.cost - whole.risky.cost, 1e-9)
        span = whole.risky.risk - whole.safe.risk
        return cost + (self.risky.risk - self.safe.risk) / max(span, 1e-9)


@dataclass(frozen=True)
class Step:
    """What to solve next: the least cost + `weight` x risk with risk within `cap` (None: no cap).

    `between` are the two neighbours whose room it explores.
    """

    weight: float
    cap: float | None
    between: tuple[Point, Point]


class Search:
    """Points and bounds so far, and the boxes in which a further point may be.

    `gap` is the relative distance of a cost from its bound that counts as none.
    """

    def __init__(self, gap: float) -> None:
        self.gap = gap
        self.points: list[Point] = []
        self.bounds: list[Bound] = []
        self.asked: set[tuple[str, str] | float] = set()

    @property
    def front(self) -> list[Point]:
        """The plans that no other beats, by falling risk."""
        return non_dominated(self.points)

    @property
    def step(self) -> float:
        """Risks closer than this are one."""
        return SAME_RISK * max((point.risk for point in self.points), default=0.0)

    def note(self, point: Point | None, bound: Bound | None) -> None:
        """Take what a solve brought."""
        if point is not None:
            self.points.append(point)
        if bound is not None:
            self.bounds.append(bound)

    @property
    def complete(self) -> bool:
        """Whether it is proven that no point is missing between the ends, within the gap."""
        return all(self._empty(risky, safe) for risky, safe in pairwise(self.front))

    def steps(self, count: int) -> list[Step]:
        """At most `count` solves to make next, those in the widest boxes first."""
        front = self.front
        if len(front) < 2:
            return []
        whole = Box(front[0], front[-1])
        found = [
            (Box(risky, safe).share(whole), step)
            for risky, safe in pairwise(front)
            if (step := self._step(risky, safe)) is not None
        ]
        found.sort(key=lambda pair: (-pair[0], pair[1].between[0].risk))
        chosen = [step for _, step in found[:count]]
        for step in chosen:
            one, two = step.between
            self.asked.add((one.folder, two.folder) if step.cap is None else step.cap)
        return chosen

    def _step(self, risky: Point, safe: Point) -> Step | None:
        """The next solve between two neighbours; None where nothing is left to find or to try.

        First the weight at which both are worth the same: a better plan at that weight lies below
        the line between them. Then a cap in the middle. Where that was tried, a cap as close below
        the upper neighbour as tells risks apart: that plan is the next point, or proves that there
        is none.
        """
        if self._empty(risky, safe):
            return None
        pair = (risky, safe)
        weight = (safe.cost - risky.cost) / (risky.risk - safe.risk)
        if (risky.folder, safe.folder) not in self.asked and not self._straight(risky, weight):
            return Step(weight, None, pair)
        middle, edge = 0.5 * (risky.risk + safe.risk), risky.risk - self.step
        if middle not in self.asked and not self._closed(middle, safe):
            return Step(TIE, middle, pair)
        return None if edge in self.asked else Step(TIE, edge, pair)

    def _straight(self, risky: Point, weight: float) -> bool:
        """Whether it is proven that nothing lies below the line of this slope through a point."""
        value = risky.cost + weight * risky.risk
        least = self._least_value(weight)
        return least is not None and value - least <= max(self.gap, 1e-7) * abs(value)

    def _least_value(self, weight: float) -> float | None:
        """What cost + weight x risk is at least: between two weights, between their bounds."""
        known = sorted((b.weight, b.least) for b in self.bounds if b.cap is None)
        for (low, least), (high, most) in pairwise(known):
            if low <= weight <= high and high > low:
                share = (weight - low) / (high - low)
                return (1.0 - share) * least + share * most
        return None

    def _empty(self, risky: Point, safe: Point) -> bool:
        """Whether no further point can be between two neighbours."""
        edge = risky.risk - self.step
        return edge <= safe.risk + self.step or self._closed(edge, safe)

    def _closed(self, cap: float, safe: Point) -> bool:
        """Whether it is proven that no plan within a cap costs less than the safer neighbour.

        What only breaks ties, TIE for each money of risk, is left out of account.
        """
        least = least_cost(self.bounds, cap)
        if least is None:
            return False
        tolerance = max(self.gap, 1e-7) * abs(safe.cost) + TIE * max(cap - safe.risk, 0.0)
        return safe.cost - least <= tolerance
