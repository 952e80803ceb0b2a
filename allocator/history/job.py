"""The ingest itself: history and map in, a folder of tables out, whole or not at all."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from allocator.errors import BadData, Usage
from allocator.findings import Finding, errors, in_order
from allocator.history import punctuality as on_time
from allocator.history.assumptions import assumptions
from allocator.history.mapping import HistoryMap, read_map
from allocator.history.names import near_duplicates, reordered
from allocator.history.reading import History, HistoryLine, check_products, read_history, spend
from allocator.history.report import IngestReport, Late
from allocator.history.source import read_source
from allocator.history.tables import Row, Tables, build_tables


def ingest(
    history: Path,
    map_file: Path,
    out: Path,
    *,
    last_periods: int | None = None,
    fit: bool = False,
) -> IngestReport:
    """Turn an order history into input tables in the new folder `out`.

    `last_periods` overrides the map's `periods.last` (0: all). With `fit` the sites' punctuality
    over the whole history is fitted and written as shifts.csv, which stands over the scorecards
    (docs/diligence.md). Raises Usage where `out` is in use or the fit cannot be made, BadData where
    map or history have errors or the tables would; nothing is written then.
    """
    if last_periods is not None and last_periods < 0:
        raise Usage(f"--last-periods {last_periods}: give a number of periods, or 0 for all")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Usage(f"{out} exists and is not empty; name a new folder")
    mapping = read_map(map_file)
    source = read_source(history, mapping)
    read = read_history(source, mapping)
    check_products(read.lines, mapping)
    kept = read.last(mapping["periods.last"] if last_periods is None else last_periods)
    tables = build_tables(kept, read.months, mapping)
    report = _report(out, read, kept, tables, mapping, source.repaired)
    shifts = _shifts(read.lines, tables.sites) if fit else []
    sites = on_time.punctuality(read.lines, dict(tables.sites))
    _write(out, tables, report, mapping, sites, shifts)
    return report


def _shifts(lines: Sequence[HistoryLine], sites: Mapping[str, str]) -> list[Row]:
    """Rows of shifts.csv: each site's fitted log-odds of being late, with its uncertainty."""
    from allocator.punctuality import deliveries, fit_punctuality, shift_rows

    try:
        return list(shift_rows(fit_punctuality(deliveries(lines)), sites))
    except ValueError as error:
        raise Usage(f"{error}; ingest without --fit") from None


def _report(
    out: Path,
    read: History,
    kept: Sequence[HistoryLine],
    tables: Tables,
    mapping: HistoryMap,
    repaired: int,
) -> IngestReport:
    lines = read.lines
    sources: dict[str, set[str]] = {}
    for line in kept:
        sources.setdefault(line.product, set()).add(line.site)
    return IngestReport(
        out=out,
        title=mapping.title,
        currency=mapping["assume.currency"],
        rows_read=read.rows_read,
        rows_matching=read.rows_matching,
        rows_left_out=read.rows_matching - len(lines),
        products_in_history=len({line.product for line in lines}),
        site_names_in_history=len(read.site_names),
        sites_in_history=len({line.site for line in lines}),
        periods_in_history=len({line.period for line in lines}),
        spend_in_history=spend(lines),
        cells_repaired=repaired,
        late_all=_late(lines),
        late_direct=_late([line for line in lines if line.direct]),
        periods=tables.periods,
        lines_in_horizon=len(tables.history),
        spend=spend(kept),
        programs=len(tables.portfolio),
        cmos=len(tables.cmos),
        manufacturing_lines=len(tables.lines),
        offers=len(tables.offers),
        multi_source_programs=sum(len(sites) > 1 for sites in sources.values()),
        unpriced=tuple(line.line for line in tables.unpriced),
        findings=in_order([*read.findings, *_odd(read, tables, mapping)]),
    )


def _late(lines: Sequence[HistoryLine]) -> Late:
    days = [line.days_late for line in lines if line.days_late is not None]
    return Late(len(days), sum(late > 0 for late in days))


def _odd(read: History, tables: Tables, mapping: HistoryMap) -> list[Finding]:
    """Names that may be one, sites of no known region, products without any price."""

    def warn(where: str, what: str, remedy: str) -> Finding:
        return Finding(mapping.file, None, where, what, remedy, "warning")

    sites = {line.site for line in read.lines}
    products = {line.product for line in read.lines}
    return [
        *(
            warn(
                "site_aliases",
                f"{one!r} and {two!r} may be one site",
                "merge them there, or list the pair in distinct_sites",
            )
            for one, two in near_duplicates(sites, mapping.distinct_sites)
        ),
        *(
            warn(
                "product_aliases",
                f"{one!r} and {two!r} may be one product",
                "merge them there if they are",
            )
            for one, two in reordered(products)
        ),
        *(
            warn("sites", f"{name!r} has no region", "give its country, and the country's region")
            for name in tables.without_region
        ),
        *(
            warn("", f"{product!r} has no line with a value", "it is left out")
            for product in tables.orphans
        ),
    ]


def _write(
    out: Path,
    tables: Tables,
    report: IngestReport,
    mapping: HistoryMap,
    sites: Iterable[on_time.Punctuality],
    shifts: Sequence[Row],
) -> None:
    """Write all files to a folder beside `out`, check the tables, and give it its name."""
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        work.chmod(0o755)
        _csv(work / "portfolio.csv", tables.portfolio)
        _csv(work / "cmos.csv", tables.cmos)
        if shifts:
            _csv(work / "shifts.csv", shifts)
        _csv(work / "lines.csv", tables.lines)
        _csv(work / "offers.csv", tables.offers)
        _csv(work / "history_lines.csv", tables.history)
        _csv(work / "punctuality.csv", [site.row() for site in sites])
        _text(work / "policy.toml", _policy(mapping))
        _text(work / "assumptions.md", assumptions(report, tables, mapping))
        _check(work)
        work.rename(out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _policy(mapping: HistoryMap) -> str:
    """The policy: only what the history's tables need."""
    currency = str(mapping["assume.currency"]).replace("\\", "\\\\").replace('"', '\\"')
    return f'currency = "{currency}"\nsourcing = "{mapping["assume.sourcing"]}"\n'


def _csv(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _check(folder: Path) -> None:
    """The tables must pass the program's own check. Raises BadData where they don't."""
    from allocator.read import inspect

    found = errors(inspect(folder)[1])
    if found:
        raise BadData(found)
