"""A run whose flips are worked out by hand.

One program of 120 kg, single source, batches of 10. L0 asks 100 a batch and its site stops with
5 % a year for six months; L1 asks 110 and its site stops with 2 %. A month of delay costs 1000:

    L0  1200 + 0.05 x 6 x 1000 = 1500        L1  1320 + 0.02 x 6 x 1000 = 1440   (chosen)
"""

from __future__ import annotations

from pathlib import Path

import allocator
from tests.allocator.folders import folder

PORTFOLIO = """\
program_id,molecule_type,dosage_form,stage,unit,delay_cost_per_month,max_oeb,2027Q1,2027Q2,2027Q3,2027Q4
P1,small_molecule,tablet,commercial,kg,1000,{band},30,30,30,30
"""
CMOS = """\
cmo_id,region,outage_per_year,recover_months
K0,EU,0.05,6
K1,US,0.02,6
"""
LINES = """\
line_id,cmo_id,dosage_forms,max_oeb,batch_min,batch_max,unit,days_per_period
L0,K0,tablet,5,5,20,kg,60
L1,K1,tablet,4,5,20,kg,60
"""
OFFERS = """\
program_id,line_id,batch_size,price_per_batch,days_per_batch,yield,fail_rate,qualified,release_months
P1,L0,10,100,1,1,{fail},yes,0
P1,L1,10,110,1,1,{fail},yes,0
"""
POLICY = 'sourcing = "single"\n'


def hand_run(
    where: Path, *, policy: str = POLICY, band: str = "2", fail: str = "0", **tables
) -> Path:
    """A run of it, solved to the optimum."""
    (where / "in").mkdir(parents=True)
    texts = {
        "portfolio": PORTFOLIO.format(band=band),
        "cmos": CMOS,
        "lines": LINES,
        "offers": OFFERS.format(fail=fail),
        "policy": policy,
    }
    folder(where / "in", **{**texts, **tables})
    allocator.run(where / "in", solver="highs", gap=0.0, out=where / "run")
    return where / "run"
