"""What the trade knows about each technology: sizes, prices, times, as ranges to draw from.

Figures are ranges of the trade (`docs/generator.md`): batch prices, transfer times, testing,
failure rates. They make plausible data, not forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Platform:
    """One manufacturing technology, whose lines can make each other's products.

    `batch` is the range of commercial batch sizes in `unit`, `reference` the size at which a batch
    costs `price` and takes `days` line-days; price grows as size to the power `scale`. `forms`
    maps a dosage form to its share of programs and its factor on price and days. Times to transfer
    are for a commercial product; `suite_days` are line-days offered per quarter and line on
    average.
    """

    key: str
    word: str
    unit: str
    forms: tuple[tuple[str, float, float], ...]
    molecules: tuple[tuple[str, float], ...]
    routes: tuple[str, ...]
    weight: float
    batch: Range
    reference: float
    price: float
    scale: float
    days: float
    changeover_days: Range
    changeover_cost: Range
    release_months: Range
    fail_rate: Range
    yield_: Range
    transfer_months: Range
    filing_months: Range
    transfer_cost: Range
    suite_days: float
    shelf_months: tuple[int, ...]
    cold_share: float
    neighbours: tuple[str, ...]


SMALL = (("small_molecule", 1.0),)

#: In the order in which a growing network takes them up.
PLATFORMS: tuple[Platform, ...] = (
    Platform(
        key="tablets", word="Solids", unit="tablets",
        forms=(("tablet", 0.75, 1.0), ("modified_release_tablet", 0.25, 1.25)),
        molecules=SMALL, routes=("oral",), weight=0.24,
        batch=(150_000, 2_500_000), reference=800_000, price=75_000, scale=0.65, days=2.5,
        changeover_days=(1, 4), changeover_cost=(4_000, 15_000), release_months=(0.5, 1.0),
        fail_rate=(0.005, 0.03), yield_=(0.95, 0.99), transfer_months=(5, 9),
        filing_months=(4, 6), transfer_cost=(0.5e6, 2.0e6), suite_days=34,
        shelf_months=(24, 36, 48, 60), cold_share=0.0, neighbours=("capsules", "api"),
    ),
    Platform(
        key="vials", word="Sterile", unit="vials",
        forms=(("vial", 0.6, 1.0), ("lyophilised_vial", 0.4, 1.5)),
        molecules=(("small_molecule", 0.45), ("mab", 0.25), ("peptide", 0.2), ("adc", 0.1)),
        routes=("intravenous", "subcutaneous"), weight=0.22,
        batch=(8_000, 150_000), reference=40_000, price=360_000, scale=0.6, days=3.0,
        changeover_days=(1, 3), changeover_cost=(15_000, 45_000), release_months=(1.0, 2.0),
        fail_rate=(0.01, 0.05), yield_=(0.94, 0.98), transfer_months=(8, 13),
        filing_months=(4, 6), transfer_cost=(1.0e6, 4.5e6), suite_days=32,
        shelf_months=(24, 24, 36), cold_share=0.4, neighbours=("syringes", "biologics"),
    ),
    Platform(
        key="biologics", word="Biologics", unit="kg",
        forms=(("drug_substance", 1.0, 1.0),),
        molecules=(("mab", 0.8), ("adc", 0.2)), routes=("intravenous", "subcutaneous"), weight=0.13,
        batch=(1.5, 10.0), reference=5.6, price=1_900_000, scale=0.65, days=13.0,
        changeover_days=(7, 12), changeover_cost=(60_000, 150_000), release_months=(1.6, 3.0),
        fail_rate=(0.03, 0.08), yield_=(0.92, 0.98), transfer_months=(12, 18),
        filing_months=(4, 6), transfer_cost=(5e6, 15e6), suite_days=68,
        shelf_months=(24, 36), cold_share=1.0, neighbours=("vials", "vectors"),
    ),
    Platform(
        key="syringes", word="Injectables", unit="syringes",
        forms=(("prefilled_syringe", 1.0, 1.0),),
        molecules=(("mab", 0.55), ("peptide", 0.3), ("vaccine", 0.15)), routes=("subcutaneous",),
        weight=0.10, batch=(10_000, 200_000), reference=60_000, price=450_000, scale=0.6, days=3.0,
        changeover_days=(1, 3), changeover_cost=(15_000, 45_000), release_months=(1.0, 2.0),
        fail_rate=(0.01, 0.05), yield_=(0.94, 0.98), transfer_months=(8, 14),
        filing_months=(4, 6), transfer_cost=(1.2e6, 5e6), suite_days=32,
        shelf_months=(24, 36), cold_share=0.8, neighbours=("vials",),
    ),
    Platform(
        key="capsules", word="Capsules", unit="capsules",
        forms=(("capsule", 1.0, 1.0),),
        molecules=SMALL, routes=("oral",), weight=0.10,
        batch=(100_000, 1_500_000), reference=500_000, price=70_000, scale=0.68, days=2.5,
        changeover_days=(1, 4), changeover_cost=(4_000, 15_000), release_months=(0.5, 1.0),
        fail_rate=(0.005, 0.03), yield_=(0.95, 0.99), transfer_months=(5, 9),
        filing_months=(4, 6), transfer_cost=(0.5e6, 1.8e6), suite_days=32,
        shelf_months=(24, 36, 48), cold_share=0.0, neighbours=("tablets",),
    ),
    Platform(
        key="api", word="Synthesis", unit="kg",
        forms=(("drug_substance", 1.0, 1.0),),
        molecules=(("small_molecule", 0.8), ("peptide", 0.13), ("oligonucleotide", 0.07)),
        routes=("oral", "intravenous"), weight=0.09,
        batch=(30, 350), reference=120, price=280_000, scale=0.7, days=8.0,
        changeover_days=(3, 7), changeover_cost=(20_000, 60_000), release_months=(0.7, 1.4),
        fail_rate=(0.01, 0.04), yield_=(0.9, 0.97), transfer_months=(7, 11),
        filing_months=(4, 6), transfer_cost=(0.8e6, 3e6), suite_days=52,
        shelf_months=(36, 48, 60), cold_share=0.0, neighbours=("tablets",),
    ),
    Platform(
        key="liquids", word="Liquids", unit="bottles",
        forms=(("oral_solution", 1.0, 1.0),),
        molecules=SMALL, routes=("oral",), weight=0.05,
        batch=(8_000, 100_000), reference=30_000, price=60_000, scale=0.62, days=2.0,
        changeover_days=(1, 2), changeover_cost=(3_000, 9_000), release_months=(0.6, 1.1),
        fail_rate=(0.005, 0.02), yield_=(0.96, 0.99), transfer_months=(5, 9),
        filing_months=(4, 6), transfer_cost=(0.4e6, 1.2e6), suite_days=28,
        shelf_months=(24, 24, 36), cold_share=0.05, neighbours=("creams",),
    ),
    Platform(
        key="creams", word="Topicals", unit="tubes",
        forms=(("cream", 1.0, 1.0),),
        molecules=SMALL, routes=("topical",), weight=0.04,
        batch=(12_000, 120_000), reference=40_000, price=65_000, scale=0.62, days=2.0,
        changeover_days=(1, 2), changeover_cost=(3_000, 9_000), release_months=(0.6, 1.1),
        fail_rate=(0.005, 0.02), yield_=(0.95, 0.99), transfer_months=(5, 9),
        filing_months=(4, 6), transfer_cost=(0.4e6, 1.2e6), suite_days=28,
        shelf_months=(24, 36), cold_share=0.0, neighbours=("liquids",),
    ),
    Platform(
        key="vectors", word="Vectors", unit="vials",
        forms=(("vial", 1.0, 1.0),),
        molecules=(("gene_therapy", 1.0),), routes=("intravenous",), weight=0.03,
        batch=(300, 2_500), reference=900, price=850_000, scale=0.6, days=14.0,
        changeover_days=(7, 12), changeover_cost=(60_000, 150_000), release_months=(1.6, 3.0),
        fail_rate=(0.04, 0.08), yield_=(0.88, 0.95), transfer_months=(10, 15),
        filing_months=(4, 6), transfer_cost=(4e6, 9e6), suite_days=66,
        shelf_months=(24,), cold_share=1.0, neighbours=("biologics",),
    ),
)  # fmt: skip


def platforms_of(cmos: int) -> tuple[Platform, ...]:
    """Technologies that a network of so many CMOs covers: about four makers for each."""
    return PLATFORMS[: max(1 + (cmos > 5), min(len(PLATFORMS), cmos // 4))]
