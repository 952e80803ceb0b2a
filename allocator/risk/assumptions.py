"""What risk assumes in place of the user's figures: shapes of chains, slopes, blank scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from allocator.defaults import form_class
from allocator.portfolio import Portfolio
from allocator.risk.readiness import LOG_ODDS_PER_10_POINTS, NEUTRAL_SCORE
from allocator.risk.settings import chain_settings, number_given
from allocator.risk.steps import STEPS, own_steps


def risk_assumptions(portfolio: Portfolio, offer_ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Every such assumption as (where, what), of the named offers and their CMOs."""
    shaped: Counter[str] = Counter()
    for offer_id in offer_ids:
        offer = portfolio.offers[offer_id]
        if not offer.qualified and len(own_steps(portfolio, offer)) < len(STEPS):
            program = portfolio.programs[offer.program_id]
            shaped[form_class(program.dosage_form, program.molecule_type)] += 1
    given = chain_settings(portfolio.policy)
    found = [
        (
            f"policy.toml risk.chain.{kind.replace(' ', '_')}",
            f"default shape of the qualification steps assumed for {count} offers (docs/risk.md)",
        )
        for kind, count in sorted(shaped.items())
        if len(given.get(kind.replace(" ", "_"), ())) < len(STEPS) - 1
    ]
    makers = {portfolio.lines[portfolio.offers[i].line_id].cmo_id for i in offer_ids}
    scored = any(s is not None for k in makers for s in portfolio.cmos[k].scores.values())
    if scored or portfolio.diligence:
        for key, value, what in (
            ("neutral_score", NEUTRAL_SCORE, "a score that moves no odds"),
            ("log_odds_per_10_points", LOG_ODDS_PER_10_POINTS, "per ten points of score"),
        ):
            if not number_given(portfolio.policy, key):
                found.append((f"policy.toml risk.{key}", f"{value:g} assumed: {what}"))
    return tuple(found)
