"""Made-up answers for demo portfolios: of every type, of mixed quality, some blank and some old."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from allocator.diligence.catalogue import ASPECTS, NUMBERS, Question, questions, vocabulary

SOURCES = ("questionnaire", "audit report", "client reference", "public record")

Kinds = Mapping[str, Sequence[str]]

#: Routes are free text in portfolio.csv; these are the usual ones.
ROUTES = ("oral", "intravenous", "subcutaneous", "topical")

TEXTS: Mapping[str, tuple[str, ...]] = {
    "growth_terms": (
        "Reserved against a fee of 20 % of the batch price; released 6 months before",
        "First refusal only",
    ),
    "disruption_story": (
        "Excipient shortage in 2022: second supplier qualified within the year",
        "Power failure in 2024: generator bought",
    ),
}
LIMITS_TOLD = ("cell_therapy;gene_therapy", "prefilled_syringe", "adc", "lyophilised_vial")


def example_rows(
    cmo_ids: Iterable[str],
    seed: int = 0,
    start: str = "2027-01-01",
    made: Mapping[str, Kinds] | None = None,
) -> list[dict[str, str]]:
    """Rows of a diligence.csv for some CMOs; same ids and seed, same rows in any order.

    `start` is the ISO date of the first period. `made` tells of a CMO what its lines make: words
    by column of portfolio.csv (dosage_form, route, molecule_type, stage), any where not given.
    About a sixth of the questions has no answer, a sixth of those answered is older than 18 months,
    and every fifth CMO has not answered at all.
    """
    first = date.fromisoformat(start)
    rows = []
    for cmo_id in sorted(set(cmo_ids)):
        draw = random.Random(f"{seed} {cmo_id}")
        if draw.random() < 0.2:
            continue
        quality = draw.uniform(0.25, 0.95)
        for question in questions().values():
            if draw.random() < 0.17:
                continue
            months = draw.uniform(20, 34) if draw.random() < 0.17 else draw.uniform(1, 16)
            rows.append(
                {
                    "cmo_id": cmo_id,
                    "question": question.question,
                    "answer": _answer(question, quality, draw, (made or {}).get(cmo_id, {})),
                    "source": draw.choice(SOURCES),
                    "as_of": (first - timedelta(days=round(30.4 * months))).isoformat(),
                }
            )
    return rows


def _answer(question: Question, quality: float, draw: random.Random, made: Kinds) -> str:
    """An answer that is the better the higher `quality`, 0 to 1, with some scatter."""
    good = min(1.0, max(0.0, quality + draw.uniform(-0.3, 0.3)))
    if question.type == "yes_no":
        return "yes" if draw.random() < good else "no"
    if question.type == "class":
        ranked = sorted(question.words, key=lambda word: -question.words[word])
        return ranked[0] if draw.random() < good else ranked[1]
    if question.type in NUMBERS:
        return _number(question, good, draw)
    if question.type == "counts":
        return _counts(question, good, draw, made)
    if question.type == "list":
        return draw.choice(LIMITS_TOLD)
    return draw.choice(TEXTS[question.question])


def _number(question: Question, good: float, draw: random.Random) -> str:
    low, high = question.low or 0.0, question.high or 0.0
    share = 1.0 - good if question.direction == "less" else good
    if question.question.startswith("critical_findings"):
        return "1" if draw.random() > 0.5 + good / 2 else "0"
    value = low + share * (high - low)
    return f"{round(value, 2):g}" if question.type == "ratio" else f"{round(value)}"


def _counts(question: Question, good: float, draw: random.Random, made: Kinds) -> str:
    column = ASPECTS[question.question]
    usual = ROUTES if column == "route" else vocabulary(column)[0]
    words = sorted(made.get(column, ())) or usual
    chosen = draw.sample(words, k=min(len(words), 1 + round(3 * good)))
    return ";".join(f"{word}={1 + round(draw.uniform(0, 12) * good)}" for word in sorted(chosen))
