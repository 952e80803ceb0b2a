"""Computes expected.json of an instance anew, after its tables or the model have changed.

    python -m tests.instances.refresh demo --solver patterns --time-limit 300

Look at what changed before committing it: a proven bound above the old objective, or an objective
below the old bound, means that the model has changed its meaning.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from allocator.compile import compile_problem
from allocator.read import read_portfolio
from models.solve import Settings, solve

INSTANCES = Path(__file__).parents[2] / "instances"


def expected(name: str, solver: str, time_limit: float, gap: float) -> dict[str, object]:
    """Sizes, and per sourcing the interval that is proven, or the rules that conflict."""
    portfolio = read_portfolio(INSTANCES / name)
    found: dict[str, object] = {
        "schema": "allocator-expected/1",
        "programs": len(portfolio.programs),
        "cmos": len(portfolio.cmos),
        "lines": len(portfolio.lines),
        "periods": len(portfolio.periods),
        "offers": len(portfolio.offers),
    }
    plans: dict[str, dict[str, object]] = {}
    for sourcing in ("single", "dual", "free"):
        compiled = compile_problem(portfolio, sourcing)
        found["eligible_offers"] = len(compiled.offer_ids)
        options = compiled.problem.options
        result = solve(compiled.problem, solver, Settings(time_limit, gap, threads=1))
        plans[sourcing] = {"options": len(options.program), "status": result.status}
        if result.status == "infeasible":
            plans[sourcing]["conflict"] = sorted(result.conflict)
        else:
            plans[sourcing] |= {"objective": result.objective, "bound": result.bound, "gap": gap}
    return found | {"sourcing": plans}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(path.name for path in INSTANCES.iterdir()))
    parser.add_argument("--solver", default="highs")
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--gap", type=float, default=0.0)
    options = parser.parse_args()
    found = expected(options.name, options.solver, options.time_limit, options.gap)
    file = INSTANCES / options.name / "expected.json"
    file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
