"""Integer plans by ruin and recreate, guided by the duals of the relaxation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.patterns.bound import Lagrangian
from models.patterns.columns import Columns
from models.patterns.crossing import differences, take_over, within_limits
from models.patterns.master import Master
from models.patterns.moves import State
from models.patterns.part import overfull
from models.patterns.plan import candidates, decision_of, empty_state, ground_of, settle, work_of
from models.patterns.root import Relaxation
from models.patterns.swapping import take_out
from models.patterns.watch import Watch
from models.problem import Bools, Floats, Ints
from models.result import Decision

#: Candidate options per program: so many of the best, and at least so many per CMO.
CANDIDATES, PER_CMO = 100, 6
#: Moves between two looks at the clock, fewer where pricing a stream looks at more than CELLS.
#: Rounds of a turn, and of an attempt from another start.
ROUND, CELLS, TURN, ATTEMPT = 100, 10_000, 10, 2
#: Moves per program of the first cycle of cooling, and how many times as long cycles may become.
CYCLE, LONGEST = 30, 16
#: Once cycles are that long: those that begin with a swap of CMOs for each that does not, and how
#: many times as long as the shortest they are.
SWAPS, SWAPPED = 3, 4
#: Heat at which a cycle begins, in costs of the programs that a move takes out, and the share of it
#: that is left at the end. So much counts what they cost themselves, the rest what programs do on
#: average: cheap ones would settle for good while dear ones still move, and the other way round.
HEAT, COLD = 0.05, 0.005
ITSELF = 0.5
#: Plans at which the last cycles ended that are kept.
ENDS = 16
#: Fields of a plan that the others follow from.
OWN = 5
#: Programs that a move may take out, and the share of moves that expand, give back, close
#: or engage.
SIZE, RESHAPE = 4, 0.07
#: Most programs, beside the first, that a move schedules together on a line, and the largest share
#: of such moves; the steps that their searches may take per move, and from LATE of a cycle on.
CROWD, JOINT = 5, 0.3
EFFORT, LATE_EFFORT, LATE = 800.0, 3_500.0, 0.85
#: Steps of such searches that take as long as another move.
STEPS_PER_MOVE = 2_000
#: Charge per money by which spend shares are broken, at least; ten times as high each time that is
#: too low.
PENALTY = 2.0
#: Guiding prices that a move is made with, as places in plan.GUIDE.
LEVELS = np.array([0, 1, 2, 3])


class Improver:
    """A plan under improvement over the candidate options of one relaxation."""

    def __init__(
        self,
        lagrangian: Lagrangian,
        relaxation: Relaxation,
        master: Master,
        watch: Watch,
        seed: int,
    ) -> None:
        """Guided by the relaxation, and by the last solution of its master."""
        assert relaxation.priced is not None
        assert relaxation.duals is not None
        self.lagrangian, self.watch, self.seed = lagrangian, watch, seed
        also = np.empty(0, np.int64)
        if watch.decision is not None:
            also = watch.decision.option
        values = relaxation.priced.options
        self.rows = candidates(lagrangian, values, CANDIDATES, PER_CMO, also)
        known = len(relaxation.duals) - len(lagrangian.layout.lower)
        prices = lagrangian.prices(relaxation.duals, master.added[:known])
        #: how far the relaxation engages each CMO, (K,)
        self.engaged = np.clip(master.side_values[lagrangian.layout.y], 0.0, 1.0)
        self.ground = ground_of(lagrangian, self.rows, prices, relaxation.duals)
        self.least = relaxation.priced.least
        cost = np.abs(self.least)
        #: money that a move of each program may cost at heat 1, (P,)
        self.warmth = ITSELF * cost + (1.0 - ITSELF) * float(cost.mean())
        self.state = empty_state(self.ground)
        self.best = empty_state(self.ground)
        self.saved = empty_state(self.ground)
        self.trial = empty_state(self.ground)
        self.work = work_of(self.ground)
        self.top = np.inf
        self.rounds = 0
        self.round = moves_per_round(lagrangian)
        #: turns of a cycle: of the shortest and of this one; and how many of it are done
        self.shortest = self.length = max(1, len(self.least) * CYCLE // (TURN * self.round))
        self.place = self.cycles = 0
        #: cycles since they are LONGEST; whether this one began with a swap of CMOs
        self.swaps = False
        #: the plans at which the last cycles ended, the latest last; as columns as well
        self.past: list[State] = []
        self.ends: tuple[Columns, ...] = ()
        #: money charged per money (or per 0.001 CMOs) by which a rule is broken
        self.penalty = max(PENALTY, 1.5 * float(self.ground.share_dual.max(initial=0.0)))
        self.chance = np.linspace(1.0 / len(self.least), 1.0, len(self.least))
        self.chance[-1] = 2.0

    def construct(self, columns: Columns, grown: Bools) -> None:
        """A plan from some columns, other programs put in one by one, the dearest first.

        Guiding prices keep room for those that come later.
        """
        self._place(columns, grown)
        settle(self.ground, self.state, self.best)
        program = self.lagrangian.book.problem.options.program[columns.option]
        missing = np.setdiff1d(np.arange(len(self.least)), program)
        self.top = np.inf
        self._moves(missing[np.argsort(-self.least[missing], kind="stable")], 0, 0.0)
        self._hand_over()

    def _place(self, columns: Columns, grown: Bools) -> None:
        """Make `best` the plan of these columns; programs without one have no source."""
        problem = self.lagrangian.book.problem
        options, streams, best = problem.options, problem.streams, self.best
        program = options.program[columns.option]
        best.option[:] = -1
        best.offer[:] = -1
        best.batches[:] = 0
        best.own[:] = 0.0
        best.grown[:] = grown
        best.own[program] = columns.cost
        best.option[program] = np.searchsorted(self.rows, columns.option)
        for source, (stream, made) in enumerate(
            ((options.first, columns.one), (options.second, columns.two))
        ):
            row = stream[columns.option]
            best.offer[program, source] = np.append(streams.offer, -1)[row]
            best.batches[program, source] = made

    def load(self, decision: Decision, objective: float) -> None:
        """Go on from a decision that keeps every rule and whose options are candidates."""
        book = self.lagrangian.book
        self._place(book.columns_of(decision), decision.expanded)
        self.top = objective
        self.place = 0

    def attempt(self, columns: Columns, grown: Bools) -> None:
        """A few moves from another start; the plans so far come back unless that was better."""
        best, state = ([field.copy() for field in plan[:OWN]] for plan in (self.best, self.state))
        top = self.top
        known = np.isin(columns.option, self.rows)
        columns = columns.take(np.flatnonzero(known))
        self.construct(columns, grown | overfull(self.lagrangian.book, columns))
        if np.isfinite(self.top):
            self._turn(ATTEMPT * self.round, 0.0, late=False)
        if self.top < top:
            self.place = 0
            return
        self.top = top
        for plan, kept in ((self.best, best), (self.state, state)):
            for field, value in zip(plan, kept, strict=False):
                np.copyto(field, value)
        self.state.moved[:] = True

    def run(self) -> bool:
        """A turn of TURN rounds of moves; whether a better plan was found.

        Turns form cycles of cooling, each from the best plan of the one before and, until they are
        LONGEST times as long, twice its length. Then SWAPS short ones, each from a swap of CMOs,
        follow each long one.
        """
        before = self.top
        if not np.isfinite(before):
            return False
        if self.place == 0:
            settle(self.ground, self.state, self.best)
            self.cycles = self.cycles + 1 if self.length == LONGEST * self.shortest else 0
            self.swaps = self.cycles % (SWAPS + 1) > 0
            if self.swaps:
                self._swap()
        else:
            settle(self.ground, self.state, self.state)  # without what rounding has added up
        length = SWAPPED * self.shortest if self.swaps else self.length
        cooled = self.place / length
        self._turn(TURN * self.round, HEAT * COLD**cooled, cooled >= LATE)
        self._cross((self.state,))
        self.place += 1
        if self.place >= length:
            self.place = 0
            self._keep_end()
            self._cross(self.past)
            if not self.swaps:
                self.length = min(2 * self.length, LONGEST * self.shortest)
        if self.top < before and self._hand_over():
            return True
        if self.breaks:
            self.penalty = min(self.penalty * 10.0, 1e9)
            settle(self.ground, self.state, self.best)
            self.top = np.inf  # what it was worth at the old charge says nothing of the new one
            self._moves(none_taken(), 0, 0.0)
            self.place = 0
            self._fall_back()
        return False

    def _turn(self, moves: int, heat: float, late: bool) -> None:
        """Moves from the plan at hand, with looks at the clock; fewer where searches take long.

        `heat` is in costs of the programs that a move takes out.
        """
        self.chance = self._chances(self.state)
        while moves > 0:
            if self.watch.over():
                break
            steps, searches = self.work.effort.tolist()
            joint = min(JOINT, (LATE_EFFORT if late else EFFORT) * max(searches, 1) / max(steps, 1))
            self._moves(none_taken(), self.round, heat, 0.0 if self.tied else joint)
            moves -= self.round + (int(self.work.effort[0]) - steps) // STEPS_PER_MOVE

    def _keep_end(self) -> None:
        """Keep the plan at which a cycle has ended: it may do some things better than the best."""
        if (self.state.option >= 0).all():
            decision = decision_of(self.ground, self.rows, self.state)
            end = self.lagrangian.book.columns_of(decision)
            self.ends = (*self.ends[1 - ENDS :], end)
            kept = empty_state(self.ground)
            settle(self.ground, kept, self.state)
            self.past = [*self.past[1 - ENDS :], kept]

    def _cross(self, plans: Sequence[State]) -> None:
        """Take over into the best plan what others do better, part by part."""
        ground, trial = self.ground, self.trial
        for plan in plans:
            parts = differences(ground, self.best, plan)
            for part in parts if len(parts) > 1 else []:
                settle(ground, trial, self.best)
                take_over(trial, plan, part)
                settle(ground, trial, trial)
                if within_limits(ground, trial):
                    self._moves(none_taken(), 0, 0.0, plan=trial)
                    self.state.moved[part[0]] = True  # it may differ from the best there now

    def _swap(self) -> None:
        """Change a CMO of the plan at hand for another where the programs then find a place."""
        state, ground, work = self.state, self.ground, self.work
        rng = np.random.default_rng((self.seed, self.rounds))
        taken = take_out(ground, state, work, self.engaged, rng)
        if len(taken):
            self._moves(taken, 0, 0.0)
        state.closed[:], work.welcome[0] = False, -1
        if (state.option < 0).any():
            settle(ground, state, self.best)

    def adopt(self, better: bool) -> None:
        """Go on from the best plan of the watch where somebody else found a better one."""
        if better:
            self._fall_back()

    def _fall_back(self) -> None:
        """Go on from the best plan that keeps every rule where the one at hand is worth less."""
        given = self.watch.decision
        if (
            given is not None
            and self._worth() <= self.top
            and np.isin(given.option, self.rows).all()
        ):
            self.load(given, self._worth())

    @property
    def tied(self) -> bool:
        """Whether a limit on spend shares costs something: it ties all lines together, which
        searches of one line do not see and moves keep badly.
        """
        return bool((self.ground.share_dual > 0.0).any())

    @property
    def breaks(self) -> bool:
        """Whether the best plan of the moves is worth less than any that keeps every rule."""
        return bool(self.top < self._worth() - 1e-6)

    def _worth(self) -> float:
        """The best objective of a plan that keeps every rule, inf where there is none."""
        return np.inf if self.watch.objective is None else self.watch.objective

    def _chances(self, plan: State) -> Floats:
        """How likely a move begins with each program, cumulative: by what it costs too much.

        That is its reduced cost at the guiding prices; a third is shared out evenly.
        """
        ground = self.ground
        program, source = np.nonzero(plan.offer >= 0)
        rows, batches = plan.offer[program, source], plan.batches[program, source]
        offer = ground.offer[rows]
        line = offer["line"]
        days = offer["days"][:, None] * batches
        days = days + ground.line["change_days"][line][:, None] * (batches > 0)
        days[np.arange(len(rows)), offer["validation_period"]] += offer["validation_days"]
        cost = plan.own.copy()
        np.add.at(cost, program, (days * ground.guide_day[line]).sum(1))
        np.add.at(cost, program, ground.guide_at[program, offer["cmo"]])
        regret = np.maximum(cost - self.least, 0.0)
        even = np.full(len(cost), 1.0 / len(cost))
        share = regret / regret.sum() if regret.sum() > 0 else even
        chance = np.cumsum(0.67 * share + 0.33 * even)
        chance[-1] = 2.0
        return np.asarray(chance)

    def _moves(
        self, start: Ints, moves: int, heat: float, joint: float = 0.0, plan: State | None = None
    ) -> None:
        """Moves from the plan at hand, or another one; `best` is the better of it and theirs."""
        from models.patterns.ruin import improve

        self.rounds += 1
        self.top, _ = improve(  # type: ignore[no-untyped-call]
            self.ground,
            self.state if plan is None else plan,
            self.saved,
            self.best,
            self.top,
            (self.seed * 1_000_003 + self.rounds) % 2**32,
            start,
            moves,
            self.chance,
            SIZE,
            RESHAPE,
            heat * self.warmth,
            self.penalty,
            LEVELS,
            joint,
            CROWD,
            self.work,
        )

    def _hand_over(self) -> bool:
        """Offer the best plan to the watch; whether it was better."""
        if not np.isfinite(self.top):
            return False
        return self.watch.offer(decision_of(self.ground, self.rows, self.best))

    def columns(self) -> Columns:
        """The best plan as columns, one per program."""
        option: Ints = self.rows[self.best.option]
        made = self.best.batches.astype(np.int16)
        return self.lagrangian.book.columns(option, made[:, 0], made[:, 1])


def moves_per_round(lagrangian: Lagrangian) -> int:
    """Moves between two looks at the clock, by the states x batches that pricing looks at."""
    problem = lagrangian.book.problem
    most = problem.max_batches[problem.streams.offer].sum(1)
    cells = float((lagrangian.pricer.width * most).mean()) if len(most) else 0.0
    return int(np.clip(ROUND * CELLS / max(cells, 1.0), 1, ROUND))


def none_taken() -> Ints:
    """No programs to put in."""
    return np.empty(0, np.int64)


def expanded_lines(expand: Ints, side: Floats) -> Bools:
    """Lines that the relaxation expands by half or more, (L,)."""
    values = np.append(side, 0.0)
    return np.asarray(values[np.where(expand >= 0, expand, len(side))] >= 0.5)
