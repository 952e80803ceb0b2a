"""From a folder of tables to a portfolio, or to every reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from allocator.build import (
    build_chain,
    build_cmos,
    build_contracts,
    build_lines,
    build_programs,
    build_shifts,
    build_tiers,
)
from allocator.diligence.answers import answer_findings, read_answers
from allocator.errors import BadData
from allocator.fields import REQUIRED_TABLES, TABLES
from allocator.findings import Finding, errors, in_order
from allocator.growth.check import capacity_findings
from allocator.links import link_findings
from allocator.offers import build_offers
from allocator.periods import horizon
from allocator.policy import read_policy, rule_findings
from allocator.portfolio import Answer, Period, Policy, Portfolio
from allocator.risk.check import risk_findings
from allocator.scenario import Scenario, apply_scenario, read_scenario
from allocator.simulation.settings import simulation_findings
from allocator.tables import Table, read_table


def read_portfolio(path: Path | str, scenario: Path | str | None = None) -> Portfolio:
    """The portfolio of a folder (or of the folder of a portfolio.csv), a scenario laid over it.

    Raises BadData with every finding of all files if any of them is an error.
    """
    portfolio, findings = inspect(path, scenario)
    if portfolio is None:
        raise BadData(findings)
    return portfolio


def inspect(
    path: Path | str, scenario: Path | str | None = None
) -> tuple[Portfolio | None, tuple[Finding, ...]]:
    """The portfolio, None where any finding is an error, and all findings of all files at once.

    Bad data never raises.
    """
    loaded = load(path, scenario)
    return loaded.portfolio, loaded.findings


@dataclass(frozen=True)
class Loaded:
    """What was read: the portfolio (None with errors), all findings, and the rows behind it."""

    portfolio: Portfolio | None
    findings: tuple[Finding, ...]
    tables: Mapping[str, Table]


def load(path: Path | str, scenario: Path | str | None = None) -> Loaded:
    """Everything that can be read of a folder. Bad data never raises."""
    folder, found = find_folder(Path(path))
    if folder is None:
        return Loaded(None, found, {})
    tables = {name: read_table(name, folder / f"{name}.csv") for name in TABLES}
    findings = [finding for table in tables.values() for finding in table.findings]
    findings += link_findings(tables)
    periods, wrong = _periods(tables)
    findings += wrong
    policy, wrong = read_policy(folder / "policy.toml")
    findings += wrong
    findings += _line_day_findings(tables["line_days"], periods)
    findings += _months_findings(policy, periods)
    answers, wrong = read_answers(tables["diligence"])
    findings += wrong
    changes, wrong = read_scenario(Path(scenario)) if scenario is not None else (Scenario(), ())
    findings += wrong
    if errors(findings):
        return Loaded(None, in_order(findings), tables)
    portfolio = _portfolio(tables, periods, policy, answers)
    findings += rule_findings(portfolio)
    findings += answer_findings(portfolio)
    findings += risk_findings(portfolio)
    findings += capacity_findings(portfolio)
    findings += simulation_findings(portfolio)
    if scenario is not None:
        portfolio, wrong = apply_scenario(portfolio, changes)
        findings += wrong
    return Loaded(None if errors(findings) else portfolio, in_order(findings), tables)


def find_folder(path: Path) -> tuple[Path | None, tuple[Finding, ...]]:
    """The folder that holds the tables, or why there is none."""
    if path.is_dir():
        missing = [name for name in REQUIRED_TABLES if not (path / f"{name}.csv").is_file()]
        if len(missing) < len(REQUIRED_TABLES):
            return path, ()
        what = "the folder has none of portfolio.csv, cmos.csv, lines.csv"
        return None, (Finding(str(path), None, "", what, "name the folder that holds the tables"),)
    if path.is_file():
        if path.suffix.lower() == ".csv":
            return path.parent, ()
        what = "is neither a folder nor a portfolio.csv"
        return None, (Finding(str(path), None, "", what, "name the folder that holds the tables"),)
    remedy = "name a folder with portfolio.csv, cmos.csv and lines.csv; 'allocator new' makes one"
    return None, (Finding(str(path), None, "", "there is no such file or folder", remedy),)


def _periods(tables: Mapping[str, Table]) -> tuple[tuple[Period, ...], tuple[Finding, ...]]:
    portfolio, demand = tables["portfolio"], tables["demand"]
    if portfolio.periods or not demand.present:
        return horizon(portfolio.periods, portfolio.file, whole=True)
    labels = {str(row.values["period"]) for row in demand.rows if row.values["period"] is not None}
    if not labels and not errors(demand.findings):
        remedy = "give program_id, period and quantity of each demand"
        return (), (Finding(demand.file, None, "", "the file has no rows", remedy),)
    return horizon(labels, demand.file, whole=False)


def _line_day_findings(table: Table, periods: tuple[Period, ...]) -> Iterable[Finding]:
    """Rows outside the horizon are left out, and named."""
    labels = {period.label for period in periods}
    if not labels:
        return []
    return [
        Finding(
            table.file,
            row.line,
            "period",
            f"{row.values['period']} is not one of {periods[0].label} to {periods[-1].label}",
            "the row is left out",
            "warning",
        )
        for row in table.rows
        if row.values["period"] is not None and row.values["period"] not in labels
    ]


def _months_findings(policy: Policy, periods: tuple[Period, ...]) -> Iterable[Finding]:
    months = policy.extra.get("months_per_period")
    if periods and months is not None and months != periods[0].months:
        yield Finding(
            "policy.toml",
            None,
            "months_per_period",
            f"{months} does not fit {periods[0].label}, which has {periods[0].months}",
            "delete the key: the demand columns say it",
        )


def _portfolio(
    tables: Mapping[str, Table],
    periods: tuple[Period, ...],
    policy: Policy,
    answers: tuple[Answer, ...],
) -> Portfolio:
    """The typed portfolio of tables without errors."""
    programs, of_programs = build_programs(tables["portfolio"], tables["demand"], periods)
    cmos, of_cmos = build_cmos(tables["cmos"])
    lines = build_lines(tables["lines"], tables["line_days"], periods)
    offers = build_offers(tables["offers"].rows, programs, lines)
    tiers = build_tiers(tables["tiers"])
    chain = build_chain(tables["chain"])
    return Portfolio(
        periods,
        programs,
        cmos,
        lines,
        offers,
        tiers,
        policy,
        assumptions=of_programs + of_cmos,
        diligence=answers,
        chain=chain,
        shifts=build_shifts(tables["shifts"]),
        contracts=build_contracts(tables["contracts"]),
    )
