"""Which shocks strike which source: the site's own, its owner, region and country, its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allocator.defaults import OUTAGE_PER_YEAR, RECOVER_MONTHS
from allocator.portfolio import Cmo, Offer, Portfolio
from allocator.risk.joint import Shock, Shocks, shock_table
from allocator.risk.readiness import Readiness, shifted

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sites:
    """Classes of sources that the same shocks strike.

    `of_offer` (F,) is the class of each offer, `shocks` what strikes each class, `causes` the rows
    of `shocks` by their names.
    """

    of_offer: Ints
    shocks: Shocks
    causes: tuple[Shock, ...]

    def causes_of(self, offer: int) -> tuple[Shock, ...]:
        """The shocks that strike one offer (row)."""
        rows = self.shocks.of_site[self.of_offer[offer]]
        return tuple(self.causes[row] for row in rows if row >= 0)


def own_shock(cmo: Cmo, shifts: Readiness) -> Shock:
    """The site's own outage, its odds moved by the scorecard; stated defaults where blank."""
    rate = OUTAGE_PER_YEAR if cmo.outage_per_year is None else cmo.outage_per_year
    months = RECOVER_MONTHS if cmo.recover_months is None else cmo.recover_months
    return Shock("site", cmo.cmo_id, shifted(rate, shifts.outage), months)


def build_sites(
    portfolio: Portfolio, offers: Sequence[Offer], shifts: Mapping[str, Readiness]
) -> Sites:
    """Sort the offers into classes by CMO and by the shared inputs that have a shock."""
    groups = portfolio.policy.outage_groups
    by_member: dict[tuple[str, str], list[int]] = {}
    causes: list[Shock] = []
    for group in groups:
        by_member.setdefault((group.kind, group.member), []).append(len(causes))
        causes.append(Shock(group.kind, group.member, group.outage_per_year, group.recover_months))
    strikes_cmo: dict[str, list[int]] = {}
    for cmo_id in sorted({portfolio.lines[offer.line_id].cmo_id for offer in offers}):
        cmo = portfolio.cmos[cmo_id]
        strikes_cmo[cmo_id] = [len(causes)]
        causes.append(own_shock(cmo, shifts[cmo_id]))
        for kind in ("owner", "region", "country"):
            member = getattr(cmo, kind)
            strikes_cmo[cmo_id] += by_member.get((kind, member), []) if member else []
    number: dict[tuple[str, tuple[int, ...]], int] = {}
    of_offer = np.zeros(len(offers), np.int64)
    for row, offer in enumerate(offers):
        inputs = sorted(
            {
                shock
                for name in offer.shared_inputs
                for shock in by_member.get(("shared_input", name), ())
            }
        )
        key = (portfolio.lines[offer.line_id].cmo_id, tuple(inputs))
        of_offer[row] = number.setdefault(key, len(number))
    sites = [[*strikes_cmo[cmo_id], *inputs] for cmo_id, inputs in number]
    return Sites(of_offer, shock_table(causes, sites), tuple(causes))
