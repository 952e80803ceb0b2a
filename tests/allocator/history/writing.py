"""Small histories and maps, written to a test's own folder."""

from __future__ import annotations

import gzip
from pathlib import Path

HEADER = "id,product,strength,form,site,packs,pack,value,agreed,arrived,via,group"

ROWS = (
    "1,Abac,300mg,Tablet,North Plant,100,60,600,02-Jan-20,02-Jan-20,Direct,MED",
    "2,Abac,300mg,Tablet,North Plant,300,60,1500,15-Feb-20,20-Feb-20,Direct,MED",
    "3,Abac,300mg,Tablet,South Works,100,30,240,01-Mar-20,30-Jun-20,Depot,MED",
    "4,Abac,300mg,Tablet,South Works,200,30,480,01-Apr-20,01-Apr-20,Direct,MED",
    "5,Bevi,10mg/ml,Oral liquid,North Plant,50,240,600,05-May-20,,Direct,MED",
    "6,Bevi,10mg/ml,Oral liquid,North Plant,50,240,0,06-Aug-20,06-Aug-20,Direct,MED",
    "7,Test kit,,Kit,North Plant,50,1,700,06-Aug-20,06-Aug-20,Direct,KIT",
    "8,Abac,300mg,Tablet,North Plant,100,60,540,30-Sep-20,01-Oct-20,Depot,MED",
)

MAP = """
title = "Test history"
[file]
blank = ["not captured"]
[columns]
product = ["product", "strength"]
dosage_form = "form"
site = "site"
quantity = "packs"
pack_size = "pack"
value = "value"
scheduled = "agreed"
delivered = "arrived"
line = "id"
[dates]
formats = ["%d-%b-%y"]
[keep]
group = ["MED"]
[direct]
via = ["Direct"]
[assume]
delay_cost_multiple = 4
release_months = 0
[forms]
"Tablet" = { form = "tablet", unit = "tablets", line = "solid" }
"Oral liquid" = { form = "oral_solution", unit = "ml" }
[regions]
India = "Asia"
[sites]
"North Plant" = { country = "India", owner = "North Group" }
"South Works" = { id = "south", country = "India" }
"""


def write_history(
    folder: Path,
    rows: tuple[str, ...] = ROWS,
    header: str = HEADER,
    end: str = "\n",
    encoding: str = "utf-8",
    packed: bool = False,
) -> Path:
    """A history file with these rows; `packed` makes it a .csv.gz."""
    raw = "".join(line + end for line in (header, *rows)).encode(encoding)
    path = folder / ("history.csv.gz" if packed else "history.csv")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    return path


def write_map(folder: Path, *changes: tuple[str, str], text: str = MAP) -> Path:
    """The map of ROWS, each change (old text, new text) made in it."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "map.toml"
    path.write_text(text, encoding="utf-8")
    return path
