"""Each CMO on one card: what it is good at, where it falls short, what is open, what to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

from allocator.diligence.answers import is_stale
from allocator.diligence.catalogue import Question, questions
from allocator.diligence.score import (
    Given,
    Score,
    answer_score,
    by_cmo,
    headings_of,
    weight_of,
)
from allocator.diligence.wording import answer_words, value_words
from allocator.portfolio import Answer, Cmo, Portfolio, Shift

#: From this score on an answer or heading is a strength; up to the other it is a gap.
STRONG, WEAK = 80.0, 40.0

#: How many entries of a list a card prints.
SHOWN = 6


@dataclass(frozen=True)
class Card:
    """One CMO. Every list starts with what weighs most.

    `scores` are the nine headings. `strengths`, `gaps`, `stale`, `ask` and `gates` are sentences,
    `missing` the texts of the questions without an answer. `slip_odds` and `outage_odds` are what
    the readiness model makes of it: factors on the odds, 1 is neutral; `measured` tells where the
    first was measured and not scored.
    """

    cmo_id: str
    name: str
    scores: Mapping[str, Score]
    strengths: tuple[str, ...]
    gaps: tuple[str, ...]
    missing: tuple[str, ...]
    stale: tuple[str, ...]
    ask: tuple[str, ...]
    gates: tuple[str, ...]
    slip_odds: float
    outage_odds: float
    measured: str = ""

    def lines(self) -> tuple[str, ...]:
        """The card as text: the name, then one indented line per list that is not empty."""
        title = f"{self.cmo_id} ({self.name})" if self.name else self.cmo_id
        marks = {"own": "", "diligence": " from answers", "missing": ""}
        told = "; ".join(
            f"{_plain(h)} {s.value:.0f}{marks[s.origin]}"
            for h, s in self.scores.items()
            if s.value is not None
        )
        blank = ", ".join(_plain(h) for h, s in self.scores.items() if s.value is None)
        how = f" ({self.measured})" if self.measured else ""
        odds = f"of slips x {self.slip_odds:.2f}{how}, of outages x {self.outage_odds:.2f}"
        lists = (
            ("knocked out", self.gates),
            ("strengths", self.strengths),
            ("gaps", self.gaps),
            ("no answer yet", self.missing),
            ("stale", self.stale),
            ("ask at the audit", self.ask),
        )
        return (
            title,
            f"  scores: {told or 'none'}",
            *([f"  without a score, so neutral: {blank}"] if blank else []),
            f"  odds {odds}",
            *(f"  {word}: {_some(entries)}" for word, entries in lists if entries),
        )


def cards(portfolio: Portfolio) -> tuple[Card, ...]:
    """The card of every CMO, in the order of their ids."""
    from allocator.gates import gate_reasons

    return tuple(
        _card(portfolio, portfolio.cmos[cmo_id], given, gate_reasons(portfolio, cmo_id))
        for cmo_id, given in by_cmo(portfolio).items()
    )


def _card(portfolio: Portfolio, cmo: Cmo, given: Given, out: tuple[str, ...]) -> Card:
    from allocator.risk.evidence import site_readiness

    scores = headings_of(portfolio, cmo.cmo_id, given)
    settings, start = portfolio.policy.diligence, portfolio.periods[0]
    asked = sorted(questions().values(), key=lambda q: -weight_of(q, settings))
    rated = [
        (q, given[q.question], answer_score(q, given[q.question]))
        for q in asked
        if q.scored and q.question in given
    ]
    weak = [(q, answer) for q, answer, score in rated if score <= WEAK]
    open_ = [q for q in asked if q.question not in given]
    told = [q for q in asked if q.question in given]
    stale = [(q, a) for q in told if is_stale(a := given[q.question], start, settings)]
    shift = site_readiness(portfolio, [cmo.cmo_id])[cmo.cmo_id]
    measured = portfolio.shifts.get(cmo.cmo_id)
    best = [
        (q, answer)
        for q, answer, score in sorted(rated, key=lambda r: -weight_of(r[0], settings) * r[2])
        if score >= STRONG
    ]
    return Card(
        cmo_id=cmo.cmo_id,
        name=cmo.name,
        scores=scores,
        strengths=(*_own(scores, strong=True), *(answer_words(q, a) for q, a in best)),
        gaps=(
            *_record(cmo),
            *_own(scores, strong=False),
            *(answer_words(q, a) for q, a in weak),
        ),
        missing=tuple(q.text for q in open_ if not _in_record(q, cmo)),
        stale=tuple(_aged(q, a) for q, a in stale),
        ask=_ask(scores, weak, [q for q in open_ if not _in_record(q, cmo)], stale),
        gates=out,
        slip_odds=exp(shift.slip),
        outage_odds=exp(shift.outage),
        measured="" if measured is None else _measured(measured),
    )


def _own(scores: Mapping[str, Score], strong: bool) -> list[str]:
    """Headings whose own score in cmos.csv is a strength, or a gap."""
    return [
        f"{_plain(heading)} scored {score.value:g}"
        for heading, score in scores.items()
        if score.origin == "own"
        and score.value is not None
        and (score.value >= STRONG if strong else score.value <= WEAK)
    ]


def _record(cmo: Cmo) -> list[str]:
    """What the inspection record of cmos.csv says against a CMO."""
    day = f" of {cmo.inspection_date}" if cmo.inspection_date else ""
    said = []
    if cmo.last_inspection == "OAI":
        said.append(f"official action indicated (OAI) at the inspection{day}")
    if cmo.critical_findings:
        plural = "s" if cmo.critical_findings > 1 else ""
        said.append(f"{cmo.critical_findings} critical finding{plural} in the last five years")
    return said


def _in_record(question: Question, cmo: Cmo) -> bool:
    """Whether cmos.csv itself answers a question that diligence.csv leaves open."""
    if question.question == "last_inspection_class":
        return bool(cmo.last_inspection)
    return question.question.startswith("critical_findings_") and cmo.critical_findings == 0


def _ask(
    scores: Mapping[str, Score],
    weak: list[tuple[Question, Answer]],
    open_: list[Question],
    stale: list[tuple[Question, Answer]],
) -> tuple[str, ...]:
    """What to ask: gaps first, then what is open (unscored headings first), then what is old."""
    blank = {heading for heading, score in scores.items() if score.value is None}
    gaps = [f"{q.ask} ({value_words(q, a)} was the answer)" for q, a in weak]
    unknown = sorted(open_, key=lambda q: q.heading not in blank)
    old = [f"{q.ask} (the answer is of {a.as_of or 'no known day'})" for q, a in stale]
    seen = {q.question for q, _ in weak}
    return (
        *gaps,
        *(q.ask for q in unknown),
        *(text for (q, _), text in zip(stale, old, strict=True) if q.question not in seen),
    )


def _measured(shift: Shift) -> str:
    """A measured shift with its uncertainty and source."""
    error = "" if shift.standard_error is None else f" +- {shift.standard_error:.2f}"
    source = f", {shift.source}" if shift.source else ""
    return f"measured: log-odds {shift.slip_log_odds:+.2f}{error}{source}"


def _aged(question: Question, answer: Answer) -> str:
    return f"{answer_words(question, answer)} (as of {answer.as_of or 'no known day'})"


def _plain(heading: str) -> str:
    return heading.replace("_", " ")


def _some(entries: tuple[str, ...]) -> str:
    """The first entries of a list, and how many more there are."""
    more = len(entries) - SHOWN
    return "; ".join(entries[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
