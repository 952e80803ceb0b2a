"""Fictional names of companies, medicines, countries and suppliers, each used once."""

from __future__ import annotations

import numpy as np

STEMS = (
    "Aldermoor", "Brackwater", "Calderis", "Dunvane", "Elmsworth", "Fenlowe", "Garrowby", "Hexholm",
    "Isenvik", "Jarnstad", "Kelvane", "Lindmoor", "Marchfen", "Norvale", "Oxmere", "Pellworth",
    "Quenby", "Rothmere", "Solvane", "Tarnwick", "Ulverton", "Vandmoor", "Wexcombe", "Yarrowby",
    "Zellmark", "Ashquist", "Birkfell", "Corvane", "Drayholm", "Eskmoor",
)  # fmt: skip
FIRMS = (
    "Pharma Services", "Contract Labs", "Biomanufacturing", "Works", "Life Sciences", "Fine Pharma",
    "Manufacturing", "Therapeutics Supply", "Process", "Laboratories", "Formulation", "Pharmatech",
)  # fmt: skip

#: Countries and their region.
PLACES = (
    ("US", "North America", 1.10), ("CA", "North America", 1.05), ("DE", "Europe", 1.10),
    ("IE", "Europe", 1.08), ("IT", "Europe", 1.00), ("CH", "Europe", 1.18), ("FR", "Europe", 1.04),
    ("ES", "Europe", 0.97), ("AT", "Europe", 1.06), ("IN", "Asia", 0.84), ("KR", "Asia", 0.96),
    ("SG", "Asia", 1.02), ("JP", "Asia", 1.08),
)  # fmt: skip

_FIRST = ("al", "be", "cor", "da", "el", "fen", "ga", "hy", "ix", "jo", "ka", "lu", "me", "no",
          "or", "pa", "qui", "ro", "sa", "tre", "ul", "ve", "wil", "xa", "yo", "ze")  # fmt: skip
_MIDDLE = ("bri", "cla", "do", "fa", "gli", "ke", "lo", "mi", "nu", "pra", "ri", "so", "ta", "ve")
_LAST = ("dex", "fin", "gen", "lan", "mor", "nib", "pan", "quil", "rex", "sta", "tiv", "vant",
         "xil", "zan")  # fmt: skip


def company_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different company names; beyond 360 a number is added."""
    chosen = rng.permutation(len(STEMS) * len(FIRMS))
    names = []
    for row in range(count):
        round_, place = divmod(row, len(chosen))
        stem, firm = divmod(int(chosen[place]), len(FIRMS))
        names.append(f"{STEMS[stem]} {FIRMS[firm]}" + (f" {round_ + 1}" if round_ else ""))
    return names


def medicine_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different medicine names of three syllables; beyond 5,096 a number is added."""
    total = len(_FIRST) * len(_MIDDLE) * len(_LAST)
    chosen = rng.permutation(total)
    names = []
    for row in range(count):
        round_, place = divmod(row, total)
        rest, last = divmod(int(chosen[place]), len(_LAST))
        first, middle = divmod(rest, len(_MIDDLE))
        word = (_FIRST[first] + _MIDDLE[middle] + _LAST[last]).capitalize()
        names.append(word + (f" {round_ + 1}" if round_ else ""))
    return names
