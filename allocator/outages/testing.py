"""Outages under test: each falls into parts, and a part that several share is tried once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allocator.outages.cases import Case
from allocator.outages.figures import changes, programs_short, proof
from allocator.outages.results import Kept, OutageResult, Proof

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.problem import Floats, Ints
    from models.recourse import Found, Part, Position, Scene, Situation, Trial, Tried


#: Days and money this near, relatively or in all, are the same but for rounding.
SAME = 1e-6


def key(case: Case) -> bytes:
    """The same for outages that stop the same things from the same period for as long."""
    event = case.event
    head = f"{event.start},{event.periods},".encode()
    return head + event.cover.tobytes() + event.lines.tobytes() + event.inputs.tobytes()


class Pool:
    """The trial of every different part, by its key, and the rounds that it has had."""

    def __init__(self, service_level: float) -> None:
        self.service_level = service_level
        self.trials: dict[str, Trial] = {}
        self.rounds: dict[str, int] = {}

    def trials_of(self, situation: Situation, parts: Sequence[Part]) -> list[Trial]:
        """The trials of the parts of a situation, new where no other had the part."""
        from models.recourse import Trial, exposure_limit

        limit = exposure_limit(situation, self.service_level)
        for part in parts:
            if part.key not in self.trials:
                kept = situation.kept[part.offers]
                self.trials[part.key] = Trial(part.scene, limit[part.programs], kept)
        return [self.trials[part.key] for part in parts]

    def waiting(self, tests: Iterable[Test], gap: float, number: int) -> list[str]:
        """Parts of open outages that could tell more in this round, the most doubtful first."""
        names = {part.key for test in tests if test.open(gap) for part in test.parts}
        waiting = [
            name
            for name in names
            if self.rounds.get(name, 0) <= number and self.trials[name].open(gap)
        ]

        def doubt(name: str) -> tuple[float, str]:
            trial = self.trials[name]
            return -trial.doubt / max(1, trial.least.cells), name

        return sorted(waiting, key=doubt)

    def asked(self, names: Sequence[str]) -> tuple[Given, ...]:
        """What a worker needs to go on with some parts."""
        return tuple(
            Given(name, trial.scene, trial.limit, trial.least.best, trial.tried)
            for name in names
            for trial in [self.trials[name]]
        )

    def take(self, found: Sequence[tuple[str, Tried, bool]], number: int) -> None:
        """What workers found in a round; the flag tells whether the round was finished."""
        for name, tried, whole in found:
            self.trials[name].resume(tried)
            if whole:
                self.rounds[name] = number + 1

    def resume(self, known: Mapping[str, tuple[Tried, int]]) -> None:
        """Go on from finished rounds of an earlier test: key -> what was found, rounds had."""
        for name, (tried, number) in known.items():
            if name in self.trials and _sound(self.trials[name], tried):
                self.trials[name].resume(tried)
                self.rounds[name] = number


def _sound(trial: Trial, tried: Tried) -> bool:
    """Whether what a file says of a part may be so; a MIP solver's bound is taken at its word."""
    scene = trial.scene
    return _possible(scene, tried.least, scene.planned_unmet) and (
        tried.level is None or _possible(scene, tried.level, trial.limit)
    )


def _possible(scene: Scene, found: Found, allowed: Floats) -> bool:
    """Batches fit, duals prove their bound, and no bound lies above what the batches cost."""
    from models.recourse import over, proven

    batches, duals = found.batches, found.duals
    if batches.shape != scene.most.shape or (batches < 0).any() or (batches > scene.most).any():
        return False
    linear = 0.0
    if duals is not None:
        shapes = scene.wanted.shape, scene.room.shape, scene.price.shape
        values = duals.flow, duals.line_days, duals.short
        if any(value.shape != shape for value, shape in zip(values, shapes, strict=True)):
            return False
        if not all((value >= 0).all() for value in values) or (duals.short > scene.price).any():
            return False
        linear = proven(scene, duals, allowed)
    most = float(scene.price @ over(scene, batches, allowed)) * (1 + SAME) + SAME
    fits = (scene.used(batches) <= scene.room * (1 + SAME) + SAME).all()
    return bool(
        fits
        and 0 <= found.linear <= linear * (1 + SAME) + SAME
        and found.linear <= found.bound <= most
    )


class Test:
    """One outage under test: what can be kept, and whether every program keeps its level."""

    def __init__(self, compiled: Compiled, case: Case, where: Position, pool: Pool) -> None:
        from models.recourse import over, parts, situation

        self.compiled, self.case = compiled, case
        self.situation: Situation = situation(where, case.event)
        short = over(self.situation, self.situation.kept, self.situation.planned_unmet) > 0
        self.parts = parts(self.situation, short)
        self.trials = pool.trials_of(self.situation, self.parts)

    @property
    def kept(self) -> Kept:
        """Whether every program can keep its service level."""
        words = {trial.kept for trial in self.trials}
        return "no" if "no" in words else "open" if "open" in words else "yes"

    def open(self, gap: float) -> bool:
        """Whether more work could tell more."""
        value = sum(trial.least.value for trial in self.trials)
        doubt = sum(trial.doubt for trial in self.trials)
        return self.kept == "open" or doubt > max(gap, 1e-6) * value

    def result(self, gap: float) -> OutageResult:
        """The outage in the words of the tables."""
        from models.recourse import merged

        compiled, situation, kept = self.compiled, self.situation, self.kept
        found = [
            trial.level.best if kept == "yes" and trial.level is not None else trial.least.best
            for trial in self.trials
        ]
        batches = merged(situation.kept, self.parts, found)
        programs = programs_short(compiled, situation, batches)
        value = sum(trial.least.value for trial in self.trials)
        least = sum(trial.least.bound for trial in self.trials)
        certified = self._proof(situation.planned_unmet, level=False)
        bound = min(max(least, certified.bound), value)
        unfinished = kept == "open" or value - bound > max(gap, 1e-6) * value
        beyond, refuted = 0.0, Proof(0.0)
        if kept == "no":
            searches = [trial.level for trial in self.trials if trial.level is not None]
            refuted = self._proof(None, level=True)
            beyond = max(refuted.bound, sum(min(s.bound, s.value) for s in searches))
        return OutageResult(
            group=self.case.group,
            start_period=compiled.problem.period_labels[situation.start],
            kept=kept,
            money=sum(program.money for program in programs),
            bound=bound,
            exposure_bound=beyond,
            programs=programs,
            changes=changes(compiled, situation, batches),
            proof=certified,
            exposure_proof=refuted,
            limit="time" if unfinished else None,
        )

    def _proof(self, allowed: Floats | None, level: bool) -> Proof:
        """What the duals of all parts prove together, of the money or (`level`) beyond levels."""
        from models.recourse import exposure_limit, joined, proven

        searches = [trial.level if level else trial.least for trial in self.trials]
        found = [None if search is None else search.duals for search in searches]
        duals = joined(self.situation, self.parts, found)
        if duals is None:
            return Proof(0.0)
        if allowed is None:
            allowed = exposure_limit(self.situation, self.compiled.portfolio.policy.service_level)
        value = sum(search.value for search in searches if search is not None)
        bound = min(proven(self.situation, duals, allowed), value)
        return proof(self.compiled, bound, duals)


@dataclass(frozen=True)
class Given:
    """A part as a worker gets it: `tried` is what is known, `batches` (A, T) a start."""

    name: str
    scene: Scene
    limit: Floats
    batches: Ints
    tried: Tried


@dataclass(frozen=True)
class Asked:
    """Some parts to go on with, each to a gap and for so many looks (None: no end)."""

    parts: tuple[Given, ...]
    gap: float
    looks: int | None


def work_parts(asked: Asked, progress: Any = None, stop: Any = None) -> list[Any]:
    """Go on with some parts: name, what is known, and whether nothing cut it off, of each."""
    from models.recourse import Effort, Trial

    effort = Effort(asked.gap, stop=stop, looks=asked.looks)
    found = []
    for given in asked.parts:
        trial = Trial(given.scene, given.limit, given.batches)
        trial.resume(given.tried)
        trial.work(effort)
        found.append((given.name, trial.tried, not effort.over))
    return found
