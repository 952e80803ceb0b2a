"""Stated defaults for what the tables leave blank. Every one is an assumption, listed as such.

Ranges come from the common knowledge of the trade (no public source gives better ones); middle
values are taken. Money is in US dollars whatever the policy's currency. `docs/tables.md` prints
these tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from allocator.portfolio import Portfolio, Program

ORAL_SOLID, STERILE, BIOLOGIC, OTHER = "oral solid", "sterile", "biologic drug substance", "other"

_ORAL_WORDS = ("tablet", "capsule", "caplet", "granul", "powder_for_oral", "pellet", "sachet")
_STERILE_WORDS = (
    "vial",
    "syringe",
    "cartridge",
    "ampoule",
    "ampule",
    "inject",
    "infusion",
    "sterile",
    "ophthalm",
    "lyophil",
    "parenteral",
    "auto_injector",
    "autoinjector",
    "pen",
)
_BIOLOGIC_MOLECULES = ("mab", "adc", "vaccine", "cell_therapy", "gene_therapy")
_SUBSTANCE_WORDS = ("drug_substance", "bulk", "api")

OUTAGE_PER_YEAR = 0.05
"""Probability that a site stops in a year. No defensible figure is published: give your own."""

RECOVER_MONTHS = 6.0
"""Months until a stopped site supplies again: an assumption as well."""

UNKNOWN_OEB = 4
"""Containment band of a program that states none."""

OFFER_COLUMNS = (
    "yield",
    "fail_rate",
    "transfer_cost",
    "transfer_months_low",
    "transfer_months_mode",
    "transfer_months_high",
    "ppq_batches",
    "filing_months",
    "release_months",
)
TRANSFER_COLUMNS = OFFER_COLUMNS[2:8]
"""Columns that are 0 where an offer is qualified."""


@dataclass(frozen=True, slots=True)
class FormDefaults:
    """Defaults of one class of dosage form, for phase 3 and commercial products."""

    transfer_months: tuple[float, float, float]
    transfer_cost: float
    release_months: float
    yield_: float
    fail_rate: float


BY_CLASS: Mapping[str, FormDefaults] = {
    ORAL_SOLID: FormDefaults((6.0, 9.0, 12.0), 1.0e6, 0.7, 0.97, 0.015),
    STERILE: FormDefaults((9.0, 14.0, 20.0), 2.5e6, 1.4, 0.95, 0.03),
    BIOLOGIC: FormDefaults((14.0, 18.0, 26.0), 10.0e6, 2.1, 0.95, 0.07),
    OTHER: FormDefaults((6.0, 10.0, 15.0), 1.5e6, 1.0, 0.95, 0.03),
}

EARLY = ("preclinical", "phase1", "phase2")
EARLY_MONTHS, EARLY_COST = 0.5, 0.3
"""Up to phase 2 a transfer takes half the months and 0.3 of the money."""

PPQ_BATCHES = {"preclinical": 0, "phase1": 0, "phase2": 1, "phase3": 3, "commercial": 3}
FILING_MONTHS = {"commercial": 4.0}


def form_class(dosage_form: str, molecule_type: str) -> str:
    """Class of a dosage form, whose vocabulary is open; what is not recognised is `other`."""
    form = dosage_form.casefold()
    if any(word in form.split("_") or word == form for word in _SUBSTANCE_WORDS) or (
        "drug_substance" in form
    ):
        return BIOLOGIC if molecule_type in _BIOLOGIC_MOLECULES else OTHER
    if any(word in form for word in _ORAL_WORDS):
        return ORAL_SOLID
    if any(word in form if word != "pen" else word in form.split("_") for word in _STERILE_WORDS):
        return STERILE
    return OTHER


@cache
def offer_defaults(dosage_form: str, molecule_type: str, stage: str) -> Mapping[str, float]:
    """Defaults of an offer that is not qualified, by column name of offers.csv."""
    values = BY_CLASS[form_class(dosage_form, molecule_type)]
    early = stage in EARLY
    months = EARLY_MONTHS if early else 1.0
    low, mode, high = (round(part * months, 6) for part in values.transfer_months)
    return {
        "yield": values.yield_,
        "fail_rate": values.fail_rate,
        "transfer_cost": values.transfer_cost * (EARLY_COST if early else 1.0),
        "transfer_months_low": low,
        "transfer_months_mode": mode,
        "transfer_months_high": high,
        "ppq_batches": PPQ_BATCHES.get(stage, 3),
        "filing_months": FILING_MONTHS.get(stage, 0.0),
        "release_months": values.release_months,
    }


def assumptions(portfolio: Portfolio) -> tuple[tuple[str, str], ...]:
    """Every default that stood in for a figure of the user's, as (where, what), grouped."""
    counts: Counter[tuple[str, str, float]] = Counter()
    for offer in portfolio.offers.values():
        if offer.assumed:
            group = _group(portfolio.programs[offer.program_id])
            for column in offer.assumed:
                value = offer.yield_ if column == "yield" else getattr(offer, column)
                counts[column, group, value] += 1
    of_offers = tuple(
        (f"offers.csv {column}", f"{value:g} assumed for {count} offers ({group})")
        for (column, group, value), count in sorted(counts.items())
    )
    return portfolio.assumptions + of_offers


def _group(program: Program) -> str:
    stage = "up to phase 2" if program.stage in EARLY else program.stage
    return f"{form_class(program.dosage_form, program.molecule_type)}, {stage}"
