"""Draw the plan of a run as an SVG: one row per source, one cell per period, batches in the cell.

Usage: python docs/picture.py RUN PICTURE.svg [ROWS]
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path

COLOURS = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
    "#ee8866",
    "#44bb99",
    "#99ddff",
    "#bbcc33",
    "#77aadd",
    "#997700",
    "#994455",
    "#6699cc",
)
LEFT, TOP, WIDTH, HEIGHT = 250, 62, 46, 20


def picture(run: Path, rows: int) -> str:
    """The SVG text: at most `rows` sources of the plan, programs in the order of their ids."""
    plan = json.loads((run / "plan.json").read_text(encoding="utf-8"))
    periods = plan["periods"]
    makers = sorted({s["cmo_id"] for p in plan["programs"] for s in p["sources"]})
    colour = {cmo: COLOURS[i % len(COLOURS)] for i, cmo in enumerate(makers)}
    sources = [(p, s) for p in plan["programs"] for s in p["sources"]][:rows]
    width = LEFT + WIDTH * len(periods) + 20
    parts = [_text(10, 20, "Who makes what, and when: whole batches started per quarter", size=15)]
    x = 10
    for cmo in makers:
        parts.append(f'<rect x="{x}" y="30" width="11" height="11" fill="{colour[cmo]}"/>')
        parts.append(_text(x + 15, 40, cmo))
        x += 24 + 8 * len(cmo)
    for t, label in enumerate(periods):
        parts.append(_text(LEFT + WIDTH * t + 3, TOP - 4, label, size=10))
    for place, (program, source) in enumerate(sources):
        y = TOP + HEIGHT * place
        name = f"{program['program_id']}  {source['line_id']}  {100 * source['share']:.0f} %"
        parts.append(_text(10, y + 14, name))
        ready = periods.index(source["ready_period"])
        for t, label in enumerate(periods):
            batches = source["batches"].get(label, 0)
            fill = colour[source["cmo_id"]] if batches else ("#dddddd" if t < ready else "#f6f6f6")
            parts.append(
                f'<rect x="{LEFT + WIDTH * t}" y="{y}" width="{WIDTH - 2}" height="{HEIGHT - 2}"'
                f' fill="{fill}"/>'
            )
            if batches:
                ink = "#ffffff" if _dark(fill) else "#222222"
                parts.append(_text(LEFT + WIDTH * t + 16, y + 14, str(batches), colour=ink))
    height = TOP + HEIGHT * len(sources) + 24
    parts.append(_text(10, height - 8, "Grey: transfer, validation and filing.", size=11))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" font-family="sans-serif">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _dark(colour: str) -> bool:
    """Whether white reads better on it than black (relative luminance, sRGB weights)."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 140


def _text(x: float, y: float, words: str, *, size: int = 12, colour: str = "#222222") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}">{escape(words)}</text>'


if __name__ == "__main__":
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else 40
    Path(sys.argv[2]).write_text(picture(Path(sys.argv[1]), limit), encoding="utf-8")
