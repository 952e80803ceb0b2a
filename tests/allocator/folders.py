"""Small folders of tables on disk, for tests of reading and checking."""

from __future__ import annotations

from pathlib import Path

from allocator.findings import Finding

PORTFOLIO = """\
program_id,molecule_type,dosage_form,stage,unit,delay_cost_per_month,batch_min,batch_max,2027Q1,2027Q2,2027Q3,2027Q4
P1,small_molecule,tablet,commercial,kg,500000,10,100,50,60,70,80
P2,mab,vial,phase2,vials,900000,,,1000,,1000,1000
"""
CMOS = """\
cmo_id,region,owner,country
K1,EU,Alpha,DE
K2,US,Beta,US
"""
LINES = """\
line_id,cmo_id,dosage_forms,batch_min,batch_max,unit,days_per_period
L1,K1,tablet;capsule,5,200,kg,60
L2,K2,vial,100,5000,vials,50
L3,K2,tablet,5,50,kg,40
"""
OFFERS = """\
program_id,line_id,batch_size,price_per_batch,days_per_batch,qualified
P1,L1,50,20000,3,yes
P1,L3,40,18000,3,yes
P2,L2,1000,90000,5,yes
"""
TABLES = {"portfolio": PORTFOLIO, "cmos": CMOS, "lines": LINES, "offers": OFFERS}


def folder(where: Path, **tables: str | bytes | None) -> Path:
    """A sound folder, with some files replaced (None: left out); `policy` is policy.toml."""
    for name, text in {**TABLES, **tables}.items():
        path = where / (f"{name}.toml" if name in ("policy", "scenario") else f"{name}.csv")
        if text is not None:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return where


def said(findings: tuple[Finding, ...]) -> list[str]:
    return [str(finding) for finding in findings]
