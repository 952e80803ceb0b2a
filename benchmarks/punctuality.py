"""How well a site's punctuality foretells its own future, on a real delivery history.

    python benchmarks/punctuality.py HISTORY MAP [--last-year 2012]

Fits on the deliveries due up to the last year and measures on the later ones; only lines that the
manufacturer shipped itself. Without arguments: the public SCMS history, where it is at hand.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from allocator.history.mapping import read_map
from allocator.history.reading import read_history
from allocator.history.source import read_source
from allocator.punctuality import Delivery, backtest, deliveries, fit_punctuality

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ALLOCATOR_DATA", ROOT.parent / "shared" / "data"))
HISTORY = DATA / "scms" / "SCMS_Delivery_History_Dataset.csv.gz"
MAP = ROOT / "instances" / "scms" / "map.toml"


def load(history: Path, map_file: Path) -> tuple[Delivery, ...]:
    """Deliveries of a history file by a map of `allocator ingest`."""
    mapping = read_map(map_file)
    return deliveries(read_history(read_source(history, mapping), mapping).lines)


def main() -> None:
    """Print the back-test and the fit on all years."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("history", type=Path, nargs="?", default=HISTORY)
    parser.add_argument("map", type=Path, nargs="?", default=MAP)
    parser.add_argument("--last-year", type=int, default=2012)
    asked = parser.parse_args()
    if not asked.history.is_file():
        raise SystemExit(f"{asked.history}: there is no such file; name a history and its map")
    lines = load(asked.history, asked.map)
    for line in (*backtest(lines, asked.last_year).lines(), "", *fit_punctuality(lines).lines()):
        print(line)


if __name__ == "__main__":
    main()
