"""Experience with a program's own form, route, molecule and stage: depth before breadth.

Of a CMO as such, a question on products made counts the kind of which it made most. For one
program it counts the program's own kind alone. The difference moves technical_depth, and only ever
down: who made eight kinds five times is no better for one of them than who made that one five
times.
"""

from __future__ import annotations

from dataclasses import dataclass

from allocator.diligence.catalogue import ASPECTS, LIMITS, questions
from allocator.diligence.score import (
    Given,
    answer_score,
    answers_of,
    by_cmo,
    count_score,
    headings_of,
    scored_under,
    weight_of,
    weighted_mean,
)
from allocator.findings import fold
from allocator.portfolio import Cmo, DiligenceSettings, Portfolio, Program

HEADING = "technical_depth"


@dataclass(frozen=True)
class Aspect:
    """One kind of the program: `made` products of it, None where the CMO did not say.

    `score` is that number between the question's anchors, `general` the same of the kind that the
    CMO made most; both None where nothing is known. `disclaimed`: the CMO says that its expertise
    ends there, which counts as no experience.
    """

    question: str
    kind: str
    made: int | None
    score: float | None
    general: float | None
    disclaimed: bool


@dataclass(frozen=True)
class Experience:
    """What a CMO knows of a program's own kind.

    `general` is the CMO's technical_depth as such, `value` the program's; `adjustment` their
    difference, 0 or below, and 0 where nothing is known.
    """

    cmo_id: str
    program_id: str
    aspects: tuple[Aspect, ...]
    general: float | None
    value: float | None

    @property
    def adjustment(self) -> float:
        """Points that the program's own kind adds to technical_depth."""
        if self.general is None or self.value is None:
            return 0.0
        return self.value - self.general

    def lines(self) -> tuple[str, ...]:
        """Plain words for a reader: known aspects only."""
        said = []
        for aspect in self.aspects:
            word = ASPECTS[aspect.question].replace("_", " ")
            if aspect.disclaimed:
                said.append(f"says that its expertise ends at {word} {aspect.kind}")
            elif aspect.made is not None:
                said.append(f"made {aspect.made or 'no'} products of {word} {aspect.kind}")
        return tuple(said)


def experience(portfolio: Portfolio, cmo_id: str, program_id: str) -> Experience:
    """Experience of one CMO with one program's kind. KeyError for ids there aren't."""
    cmo, program = portfolio.cmos[cmo_id], portfolio.programs[program_id]
    return _experience(cmo, program, answers_of(portfolio, cmo_id), portfolio.policy.diligence)


def technical_depth(portfolio: Portfolio) -> dict[tuple[str, str], float | None]:
    """technical_depth of each (CMO, program), the program's own kind counted.

    Holds every pair where the score of the program differs from the CMO's as such.
    """
    found: dict[tuple[str, str], float | None] = {}
    for cmo_id, given in by_cmo(portfolio).items():
        if not (set(given) & {*ASPECTS, LIMITS}):
            continue
        kinds: dict[tuple[str, ...], Experience] = {}
        for program_id in sorted(portfolio.programs):
            program = portfolio.programs[program_id]
            kind = kind_of(program)
            if kind not in kinds:
                kinds[kind] = _experience(
                    portfolio.cmos[cmo_id], program, given, portfolio.policy.diligence
                )
            if kinds[kind].value != kinds[kind].general:
                found[cmo_id, program_id] = kinds[kind].value
    return found


def kind_of(program: Program) -> tuple[str, ...]:
    """What experience is asked about: form, route, molecule and stage of a program."""
    return tuple(str(getattr(program, column)) for column in ASPECTS.values())


def program_scores(portfolio: Portfolio, cmo_id: str, program_id: str) -> dict[str, float | None]:
    """All headings of a CMO as they count for one program. KeyError for ids there aren't."""
    scores = {heading: s.value for heading, s in headings_of(portfolio, cmo_id).items()}
    scores[HEADING] = experience(portfolio, cmo_id, program_id).value
    return scores


def _experience(
    cmo: Cmo, program: Program, given: Given, settings: DiligenceSettings
) -> Experience:
    aspects = tuple(
        aspect
        for question, column in ASPECTS.items()
        if (aspect := _aspect(question, str(getattr(program, column)), given)) is not None
    )
    own = cmo.scores.get(HEADING)
    plain = {
        q.question: (weight_of(q, settings), answer_score(q, given[q.question]))
        for q in scored_under(HEADING)
        if q.question in given
    }
    weights = {a.question: weight_of(questions()[a.question], settings) for a in aspects}
    known = [(a, a.score) for a in aspects if a.score is not None]
    if own is None:
        general = weighted_mean(plain.values())
        for aspect, score in known:
            plain[aspect.question] = (weights[aspect.question], score)
        value = weighted_mean(plain.values())
    else:
        general = own
        gaps = {a.question: score - _of(a) for a, score in known}
        gap = weighted_mean((w, gaps.get(name, 0.0)) for name, w in weights.items()) or 0.0
        value = min(100.0, max(0.0, own + settings.experience_weight * gap))
    return Experience(cmo.cmo_id, program.program_id, aspects, general, value)


def _of(aspect: Aspect) -> float:
    """What the CMO's score takes for granted: its best kind, full depth where it did not say."""
    return 100.0 if aspect.general is None else aspect.general


def _aspect(question: str, kind: str, given: Given) -> Aspect | None:
    """One aspect of a program; None where the program does not say its kind."""
    if not kind:
        return None
    answer, limits = given.get(question), given.get(LIMITS)
    asked = questions()[question]
    listed = limits.value if limits is not None and isinstance(limits.value, tuple) else ()
    disclaimed = fold(kind) in {fold(str(name)) for name in listed}
    made = general = None
    if answer is not None and isinstance(answer.value, tuple):
        counts = {fold(str(pair[0])): int(pair[1]) for pair in answer.value}
        made = counts.get(fold(kind), 0)
        general = answer_score(asked, answer)
    score = 0.0 if disclaimed else None if made is None else count_score(asked, made)
    return Aspect(question, kind, made, score, general, disclaimed)
