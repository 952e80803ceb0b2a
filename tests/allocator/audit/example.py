"""A small portfolio with every feature once, a plan made by hand, and ways to spoil both."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from allocator.compile import Compiled, compile_problem
from allocator.files import write_run
from allocator.plan import build_plan, plan_tables
from allocator.read import read_portfolio
from allocator.record import build_record
from models.evaluate import evaluate
from models.result import Decision, Result

PERIODS = ("2027Q1", "2027Q2", "2027Q3", "2027Q4", "2028Q1", "2028Q2")

TABLES = {
    "portfolio.csv": f"""\
program_id,molecule_type,dosage_form,stage,unit,delay_cost_per_month,sourcing,max_oeb,\
controlled_schedule,cold_chain,batch_min,batch_max,shelf_life_months,safety_stock_months,\
opening_stock,holding_cost_per_unit_month,{",".join(PERIODS)}
P1,small_molecule,tablet,commercial,kg,900000,dual,3,,no,30,60,36,0,40,20,100,100,110,120,130,140
P2,small_molecule,tablet,commercial,kg,300000,,2,,no,,,6,0,300,30,60,60,60,60,60,60
P3,mab,vial,phase3,vials,500000,,2,,yes,,,24,3,500,0.5,1000,1000,1100,1100,1200,1200
P4,small_molecule,vial,phase3,vials,1000,,2,,no,,,24,0,150,1,100,100,100,100,100,100
P5,small_molecule,tablet,commercial,kg,200000,,3,II,no,,,36,1,0,10,0,0,50,50,50,50
""",
    "cmos.csv": """\
cmo_id,owner,country,region,onboarding_cost,annual_fee,min_annual_spend,max_programs,\
outage_per_year,recover_months,last_inspection,inspection_date,critical_findings,regulatory
K1,Aster,DE,EU,30000,12000,0,2,0.05,4,NAI,2026-03-01,0,80
K2,Birch,US,NA,50000,24000,900000,,0.1,6,VAI,2024-11-15,1,60
K3,,US,NA,20000,6000,0,,0.02,3,,,,
K4,Birch,IN,AS,10000,0,0,,0.05,4,OAI,2026-06-01,0,
""",
    "lines.csv": """\
line_id,cmo_id,dosage_forms,molecule_types,stages,max_oeb,controlled_schedules,cold_chain,\
batch_min,batch_max,unit,days_per_period,changeover_days,changeover_cost,expansion_days,\
expansion_cost,expansion_months
L1,K1,tablet,small_molecule,commercial,4,II,no,20,80,kg,16,1,500,8,40000,3
L2,K2,tablet,,,4,,no,20,80,kg,30,2,800,0,0,0
L3,K3,vial,,,4,,yes,100,1000,vials,40,1.5,0,0,0,0
L4,K4,vial,,,,,yes,100,1000,vials,40,1,0,0,0,0
""",
    "offers.csv": """\
program_id,line_id,batch_size,price_per_batch,days_per_batch,yield,fail_rate,qualified,\
transfer_cost,transfer_months_low,transfer_months_mode,transfer_months_high,ppq_batches,\
filing_months,release_months,shared_inputs
P1,L1,50,200000,5,1,0,yes,,,,,,,0.5,S1
P1,L2,40,150000,4,1,0.05,no,300000,2,4,7,2,2,1.5,S2
P2,L2,60,90000,6,0.9,0,yes,,,,,,,1,
P3,L3,500,60000,7,1,0,yes,,,,,,,1,
P4,L3,200,40000,3,1,0,no,100000,1,2,3,1,0,0,
P4,L4,200,30000,3,1,0,yes,,,,,,,0,
P5,L1,50,80000,4,1,0,no,50000,2,3,4,1,2,1,S1
""",
    "tiers.csv": """\
cmo_id,spend_from,rebate
K1,500000,0.02
K1,1000000,0.05
K2,5000000,0.1
""",
    "policy.toml": """\
currency = "EUR"
sourcing = "free"
splits = [0.5, 0.6, 0.7]
risk_weight = 0.5
safety_stock_charge = 0.02
""",
}

#: Program -> its (offer id, share) pairs, primary first.
CHOICE: Mapping[str, Sequence[tuple[str, float]]] = {
    "P1": (("P1@L1@50", 0.6), ("P1@L2@40", 0.4)),
    "P2": (("P2@L2@60", 1.0),),
    "P3": (("P3@L3@500", 1.0),),
    "P4": (),
    "P5": (("P5@L1@50", 1.0),),
}

BATCHES: Mapping[str, Sequence[int]] = {
    "P1@L1@50": (2, 2, 2, 1, 3, 2),
    "P1@L2@40": (0, 0, 1, 2, 1, 0),
    "P2@L2@60": (0, 0, 0, 1, 1, 2),
    "P3@L3@500": (2, 2, 3, 2, 2, 1),
    "P5@L1@50": (0, 0, 1, 1, 1, 1),
}

EXPANDED = ("L1",)

#: (file, text, what it becomes) for `inputs`.
Edit = tuple[str, str, str]


def write_inputs(folder: Path, edits: Iterable[Edit] = ()) -> Path:
    """Write the tables, some of them changed."""
    tables = dict(TABLES)
    for name, old, new in edits:
        assert not old or old in tables[name], f"{old!r} is not in {name}"
        tables[name] = tables[name].replace(old, new, 1) if old else tables[name] + new
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def decide(
    compiled: Compiled,
    choice: Mapping[str, Sequence[tuple[str, float]]] = CHOICE,
    batches: Mapping[str, Sequence[int]] = BATCHES,
    expanded: Sequence[str] = EXPANDED,
) -> Decision:
    """The decision of these ids in the rows of a problem."""
    problem = compiled.problem
    option = np.array([_option(compiled, p, choice[i]) for p, i in enumerate(problem.programs.ids)])
    chosen = {offer_id for sources in choice.values() for offer_id, _ in sources}
    rows = {offer_id: row for row, offer_id in enumerate(problem.offers.ids)}
    return Decision(
        option=option,
        batches={
            rows[offer_id]: np.array(counts)
            for offer_id, counts in batches.items()
            if offer_id in chosen
        },
        expanded=np.array([line_id in expanded for line_id in problem.lines.ids]),
    )


def _option(compiled: Compiled, p: int, sources: Sequence[tuple[str, float]]) -> int:
    problem = compiled.problem
    options, streams, ids = problem.options, problem.streams, problem.offers.ids
    for row in range(int(options.start[p]), int(options.start[p + 1])):
        made = [
            (ids[int(streams.offer[s])], round(float(streams.share[s]), 6))
            for s in (options.first[row], options.second[row])
            if s >= 0
        ]
        if made == [(offer_id, round(share, 6)) for offer_id, share in sources]:
            return row
    raise AssertionError(f"no option {sources} of {problem.programs.ids[p]}")


def hand_result(compiled: Compiled, decision: Decision) -> Result:
    """A result as a solver that stopped at its time limit would give it."""
    objective = evaluate(compiled.problem, decision).objective
    return Result("feasible", "time", decision, objective, 0.8 * objective, "hand", 0.0)


def write_example(
    out: Path | None,
    inputs: Path,
    *,
    compiled_from: Path | None = None,
    result: Result | None = None,
    sourcing: str | None = None,
    scenario: Path | None = None,
    **decision: object,
):
    """Write and audit a run of `inputs`.

    With `compiled_from` the plan is one of other tables than those it is audited against.
    """
    compiled = compile_problem(read_portfolio(compiled_from or inputs, scenario), sourcing)
    if result is None:
        result = hand_result(compiled, decide(compiled, **decision))
    asked = {"solver": "highs", "sourcing": sourcing, "gap": 0.001}
    options = asked | {"seed": 0, "threads": 1, "time_limit": None}
    plan = build_plan(compiled, result, **asked)
    record = build_record(inputs, scenario, options, result, {"solve": 0.1})
    tables = plan_tables(compiled, result)
    return write_run(out, plan, tables, record, portfolio=inputs, scenario=scenario, log="a log\n")
