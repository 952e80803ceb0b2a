"""A small folder of tables with answers, written for one test."""

from pathlib import Path

PORTFOLIO = """\
program_id,molecule_type,dosage_form,route,stage,unit,delay_cost_per_month,max_oeb,2027Q1,2027Q2
ASP,small_molecule,tablet,oral,commercial,kg,100000,3,100,100
BIO,mab,vial,intravenous,phase3,vials,200000,3,1000,500
"""
CMOS = """cmo_id,region,last_inspection,critical_findings,regulatory,technical_depth
K1,EU,NAI,0,85,80
K2,US,VAI,,,
K3,IN,,,,
"""
LINES = """\
line_id,cmo_id,dosage_forms,batch_min,batch_max,unit,days_per_period,price_per_batch,days_per_batch
L1,K1,tablet,10,100,kg,60,20000,4
L2,K2,tablet,10,80,kg,60,18000,4
L3,K3,vial,100,2000,vials,60,90000,6
"""


def write(folder: Path, answers: str | None = None, policy: str | None = None) -> Path:
    """Write the tables; `answers` are rows of diligence.csv without the header."""
    (folder / "portfolio.csv").write_text(PORTFOLIO)
    (folder / "cmos.csv").write_text(CMOS)
    (folder / "lines.csv").write_text(LINES)
    if answers is not None:
        head = "cmo_id,question,answer,source,as_of\n"
        (folder / "diligence.csv").write_text(head + answers)
    if policy is not None:
        (folder / "policy.toml").write_text(policy)
    return folder
