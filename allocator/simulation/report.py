"""What a simulation reports, and its two files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from allocator.files import write_json, write_table
from allocator.simulation.agreement import Agreement
from allocator.simulation.spread import Spread

SCHEMA = "allocator-simulation/1"
JSON_FILE, TABLE_FILE = "simulation.json", "simulation.csv"
COLUMNS = ("program_id", "figure", "unit", "planned", *(field.name for field in fields(Spread)))
UNITS = {"months_short": "months", "delay_months": "months"}


@dataclass(frozen=True)
class Effect:
    """Mean months short and cost of the portfolio when only one kind of chance plays."""

    what: str
    months_short: float
    cost: float


@dataclass(frozen=True)
class SimulationReport:
    """The futures of a plan. Figures by name: months_short, delay_months, cost and, for the
    portfolio, cash_cost and shortage_cost; money in `currency`.

    `planned` and `planned_programs` are the same figures as the plan states them, risk left out.
    `unmet` has, for each period, the share of demand that is not served. `agreement` compares the
    exact risk figures with the futures.
    """

    folder: Path
    currency: str
    futures: int
    seed: int
    demand_error: float
    cvar_level: float
    periods: tuple[str, ...]
    planned: Mapping[str, float]
    portfolio: Mapping[str, Spread]
    planned_programs: Mapping[str, Mapping[str, float]]
    programs: Mapping[str, Mapping[str, Spread]]
    unmet: tuple[Spread, ...]
    effects: tuple[Effect, ...]
    agreement: Agreement
    assumptions: tuple[tuple[str, str], ...]

    def content(self) -> dict[str, Any]:
        """The content of simulation.json."""
        return {
            "schema": SCHEMA,
            "currency": self.currency,
            "futures": self.futures,
            "seed": self.seed,
            "demand_error": self.demand_error,
            "cvar_level": self.cvar_level,
            "portfolio": _figures(self.planned, self.portfolio),
            "programs": [
                {"program_id": program_id, **_figures(self.planned_programs[program_id], figures)}
                for program_id, figures in self.programs.items()
            ],
            "share_unmet": {
                label: asdict(one) for label, one in zip(self.periods, self.unmet, strict=True)
            },
            "effects": [asdict(effect) for effect in self.effects],
            "agreement": {
                "passed": self.agreement.passed,
                "confidence": self.agreement.confidence,
                "comparisons": [
                    {**asdict(one), "agrees": one.agrees} for one in self.agreement.comparisons
                ],
            },
            "assumptions": [{"where": where, "what": what} for where, what in self.assumptions],
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of simulation.csv; those of the portfolio have a blank program_id."""
        parts = [("", self.planned, self.portfolio)]
        parts += [(key, self.planned_programs[key], x) for key, x in self.programs.items()]
        for program_id, planned, figures in parts:
            for name, one in figures.items():
                yield {
                    "program_id": program_id,
                    "figure": name,
                    "unit": UNITS.get(name, self.currency),
                    "planned": planned[name],
                    **asdict(one),
                }


def _figures(planned: Mapping[str, float], figures: Mapping[str, Spread]) -> dict[str, Any]:
    return {name: {"planned": planned[name], **asdict(one)} for name, one in figures.items()}


def write_report(report: SimulationReport, folder: Path) -> None:
    """Write simulation.json and simulation.csv into a folder, made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / TABLE_FILE, COLUMNS, report.rows())
    write_json(folder / JSON_FILE, report.content())
