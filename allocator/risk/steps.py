"""The steps from a signed audit date to first supply, with low, mode and high months by default.

The defaults only shape a chain: an offer's own transfer, filing and release months are the totals
that the plan uses, and the steps are scaled to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allocator.defaults import BIOLOGIC, EARLY, ORAL_SOLID, OTHER, STERILE, form_class
from allocator.portfolio import ChainSteps, Offer, Policy, Portfolio
from allocator.risk.settings import chain_settings

Floats = npt.NDArray[np.float64]

#: Steps in order. The first six make up the transfer months, two the filing months.
STEPS = (
    "audit_slot",
    "contract",
    "transfer",
    "engineering",
    "validation",
    "stability",
    "filing",
    "review",
    "first_supply",
)
TRANSFER, FILING, RELEASE = slice(0, 6), slice(6, 8), 8

#: (low, mode, high) months of audit_slot ... review by class of form: assumptions. Audits, US and
#: EU review times and 3 months of accelerated stability are published figures; the rest is custom.
DEFAULT_STEPS: Mapping[str, tuple[tuple[float, float, float], ...]] = {
    ORAL_SOLID: (
        (2, 3, 4),
        (1, 2, 4),
        (2, 3, 6),
        (0.5, 1, 2),
        (1, 2, 4),
        (3, 3, 4),
        (0.5, 1, 2),
        (4, 4, 6),
    ),
    STERILE: (
        (2, 3, 4),
        (1, 2, 4),
        (3, 5, 10),
        (1, 2, 4),
        (2, 3, 6),
        (3, 3, 6),
        (1, 1, 2),
        (4, 5, 8),
    ),
    BIOLOGIC: (
        (2, 3, 5),
        (2, 3, 5),
        (4, 8, 14),
        (2, 3, 6),
        (3, 5, 9),
        (3, 4, 6),
        (1, 2, 3),
        (4, 6, 9),
    ),
    OTHER: (
        (2, 3, 4),
        (1, 2, 4),
        (2, 3, 6),
        (0.5, 1, 2),
        (1, 2, 4),
        (3, 3, 6),
        (0.5, 1, 2),
        (4, 4, 6),
    ),
}
FORM_CLASSES = tuple(sorted(DEFAULT_STEPS))
#: Release takes at least and at most this multiple of an offer's release_months.
RELEASE_RANGE = (0.9, 1.5)


@dataclass(frozen=True)
class Step:
    """One step of a chain in months; `assumed` tells a default shape from the user's own figure."""

    name: str
    low: float
    mode: float
    high: float
    assumed: bool


def shapes(policy: Policy) -> Floats:
    """Default (low, mode, high) of the eight steps before release, (classes, 8, 3).

    `[risk.chain.<class>]` of the policy replaces single steps, e.g. `transfer = [2, 4, 9]`; spaces
    of a class are underscores there.
    """
    table = np.array([DEFAULT_STEPS[name] for name in FORM_CLASSES], np.float64)
    for name, steps in chain_settings(policy).items():
        for step, months in steps.items():
            table[FORM_CLASSES.index(name.replace("_", " ")), STEPS.index(step)] = months
    return table


def chain_months(
    portfolio: Portfolio, offers: Sequence[Offer], table: Floats | None = None
) -> Floats:
    """Low, mode and high months of the nine steps of each offer, (F, 9, 3).

    Of the transfer steps the lows, modes and highs sum to the offer's own three figures; filing
    and review sum to its filing_months in the mode. Steps of chain.csv stand as they are, the
    others share what they leave. The last step, release, is given as a deviation from
    release_months, which the plan's lag has already.
    """
    table = shapes(portfolio.policy) if table is None else table
    programs = [portfolio.programs[offer.program_id] for offer in offers]
    kind = np.array(
        [FORM_CLASSES.index(form_class(p.dosage_form, p.molecule_type)) for p in programs], np.int64
    )
    early = np.array([p.stage in EARLY for p in programs], np.bool_)
    ppq = np.array([offer.ppq_batches for offer in offers], np.float64)
    shape = table[kind].reshape(len(offers), 8, 3)
    shape[ppq == 0, STEPS.index("validation")] = 0.0
    shape[early & (ppq == 0), STEPS.index("stability")] = 0.0
    total = np.array(
        [[o.transfer_months_low, o.transfer_months_mode, o.transfer_months_high] for o in offers],
        np.float64,
    ).reshape(len(offers), 3)
    filing = np.array([offer.filing_months for offer in offers], np.float64)
    release = np.array([offer.release_months for offer in offers], np.float64)
    chain = np.zeros((len(offers), 9, 3))
    chain[:, TRANSFER] = _scaled(shape[:, TRANSFER], total)
    chain[:, FILING] = _filed(shape[:, FILING], filing)
    chain[:, RELEASE, 0] = (RELEASE_RANGE[0] - 1.0) * release
    chain[:, RELEASE, 2] = (RELEASE_RANGE[1] - 1.0) * release
    if portfolio.chain:
        for row, offer in enumerate(offers):
            own = own_steps(portfolio, offer)
            if own:
                chain[row] = _with_own(shape[row], total[row], filing[row], own, chain[row])
                if "first_supply" in own:
                    chain[row, RELEASE] = np.array(own["first_supply"]) - release[row]
    return chain


def own_steps(portfolio: Portfolio, offer: Offer) -> ChainSteps:
    """Steps of chain.csv that hold for an offer."""
    return portfolio.chain.get((offer.program_id, offer.line_id), {})


def _with_own(
    shape: Floats, total: Floats, filing: float, own: ChainSteps, chain: Floats
) -> Floats:
    """One chain (9, 3) with the steps in `own`; the rest share what is left of the totals."""
    given = np.array([name in own for name in STEPS[:8]], np.bool_)
    months = np.array([own.get(name, (0.0, 0.0, 0.0)) for name in STEPS[:8]], np.float64)
    result = chain.copy()
    left = np.maximum(total - months[TRANSFER].sum(axis=0), 0.0)
    left = np.array([min(left[0], left[1]), left[1], max(left[2], left[1])])
    result[:8][given] = months[given]
    rest = np.flatnonzero(~given[TRANSFER])
    if len(rest):
        result[rest] = _scaled(shape[None, rest], left[None])[0]
    rest = FILING.start + np.flatnonzero(~given[FILING])
    if len(rest):
        result[rest] = _filed(
            shape[None, rest], np.maximum(filing - months[FILING, 1].sum(keepdims=True), 0.0)
        )[0]
    return result


def _filed(shape: Floats, filing: Floats) -> Floats:
    """Filing and review (F, n, 3) in proportion to `shape`, their modes summing to `filing`."""
    scale = filing / np.maximum(shape[:, :, 1].sum(axis=1), 1e-12)
    return np.asarray(shape * scale[:, None, None])


def _scaled(shape: Floats, total: Floats) -> Floats:
    """Steps (F, n, 3) shaped like `shape` whose lows, modes and highs sum to `total` (F, 3)."""
    low, mode, high = total.T
    weight = _shares(shape[:, :, 1], shape[:, :, 2])
    spread = _shares(shape[:, :, 2] - shape[:, :, 1], shape[:, :, 2])
    modes = weight * mode[:, None]
    lows = modes * np.divide(low, mode, out=np.zeros_like(low), where=mode > 0)[:, None]
    return np.stack([lows, modes, modes + spread * (high - mode)[:, None]], axis=2)


def _shares(weights: Floats, otherwise: Floats) -> Floats:
    """Rows scaled to sum to 1; rows without weight fall back to `otherwise`, then to equal."""
    empty = weights.sum(1) <= 0
    weights = np.where(empty[:, None], otherwise, weights)
    empty = weights.sum(1) <= 0
    weights = np.where(empty[:, None], 1.0, weights)
    return np.asarray(weights / weights.sum(1)[:, None])


def steps_of(portfolio: Portfolio, offer: Offer) -> tuple[Step, ...]:
    """The chain of one offer; the last step's months are those of release."""
    if offer.qualified:
        return ()
    months = chain_months(portfolio, [offer])[0]
    months[RELEASE] += offer.release_months
    own = own_steps(portfolio, offer)
    return tuple(
        Step(name, low, mode, high, name not in own)
        for name, (low, mode, high) in zip(STEPS, months.tolist(), strict=True)
    )
