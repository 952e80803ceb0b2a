"""Programs: molecules, stages, registered batch sizes and demand over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from allocator.generator.draw import log_between, pick, quota
from allocator.generator.names import medicine_names
from allocator.generator.network import Network, Suite
from allocator.generator.platforms import Platform

STAGES = ("commercial", "phase3", "phase2", "phase1", "preclinical")
STAGE_SHARES = (0.42, 0.25, 0.2, 0.1, 0.03)

#: Batch size of a program by stage, as factors on the platform's smallest and largest batch.
BATCH_WINDOW = {
    "commercial": (1.15, 0.45),
    "phase3": (0.8, 0.3),
    "phase2": (0.35, 0.06),
    "phase1": (0.25, 0.035),
    "preclinical": (0.2, 0.03),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A program before its money is known.

    `batch` is its usual batch size, `profile` its demand per period in such batches, `registered`
    tells whether its batch range is filed. `suites` are the rows of the lines that could make it.
    """

    program_id: str
    name: str
    platform: Platform
    form: str
    factor: float
    molecule: str
    route: str
    stage: str
    batch: float
    profile: tuple[float, ...]
    max_oeb: int
    schedule: str
    cold_chain: bool
    registered: bool
    markets: tuple[str, ...]
    shelf_months: int
    suites: tuple[int, ...] = ()


def make_programs(
    rng: np.random.Generator, network: Network, programs: int, periods: int
) -> list[Draft]:
    """`programs` programs whose technologies follow the network's lines."""
    keys = [platform.key for platform in network.platforms]
    lines = [sum(suite.platform.key == key for suite in network.suites) for key in keys]
    rows = np.repeat(np.arange(len(keys)), quota(programs, lines))
    rows = rng.permutation(rows)
    width = max(3, len(str(programs)))
    names = medicine_names(rng, programs)
    drafts = []
    for number, row in enumerate(rows):
        platform = network.platforms[int(row)]
        draft = _draft(rng, f"P{number + 1:0{width}d}", names[number], platform, periods)
        drafts.append(fit(draft, network))
    return drafts


def _draft(
    rng: np.random.Generator, program_id: str, name: str, platform: Platform, periods: int
) -> Draft:
    form, _, factor = platform.forms[pick(rng, [share for _, share, _ in platform.forms])]
    molecule = platform.molecules[pick(rng, [share for _, share in platform.molecules])][0]
    stage = STAGES[pick(rng, STAGE_SHARES)]
    low, high = BATCH_WINDOW[stage]
    chilled = rng.random() < platform.cold_share
    oeb = 5 if molecule == "adc" else int(rng.choice([1, 2, 2, 3, 3, 4]))
    controlled = molecule == "small_molecule" and rng.random() < 0.06
    markets = ("US", "US;EU", "US;EU;JP", "EU")[pick(rng, (0.35, 0.4, 0.15, 0.1))]
    smallest = platform.batch[0] * low
    return Draft(
        program_id=program_id,
        name=name if stage == "commercial" else f"{name[:2].upper()}-{1000 + _number(program_id)}",
        platform=platform,
        form=form,
        factor=factor,
        molecule=molecule,
        route=platform.routes[int(rng.integers(len(platform.routes)))],
        stage=stage,
        batch=log_between(rng, smallest, max(platform.batch[1] * high, 1.3 * smallest)),
        profile=tuple(demand_profile(rng, stage, periods).tolist()),
        max_oeb=oeb,
        schedule=str(rng.choice(["II", "III", "IV"])) if controlled else "",
        cold_chain=bool(chilled),
        registered=bool(stage in ("phase3", "commercial") and rng.random() < 0.6),
        markets=tuple(markets.split(";")),
        shelf_months=int(rng.choice(platform.shelf_months)),
    )


def _number(program_id: str) -> int:
    return int(program_id.lstrip("P"))


def demand_profile(rng: np.random.Generator, stage: str, periods: int) -> np.ndarray:
    """Demand per period in usual batches, (periods,): ramps and campaigns of the stage."""
    t = np.arange(periods, dtype=np.float64)
    noise = rng.uniform(0.9, 1.1, periods)
    if stage == "commercial":
        level = log_between(rng, 0.9, 5.0)
        yearly = float(rng.choice([0.88, 0.95, 1.0, 1.03, 1.06, 1.1, 1.18]))
        return level * np.power(yearly, t / 4.0) * noise
    if stage == "phase3":
        trial = float(rng.uniform(0.3, 0.9))
        peak = log_between(rng, 1.2, 4.5)
        launch = int(rng.integers(max(1, periods // 3), max(2, periods - 2)))
        ramp = 1.0 / (1.0 + np.exp(-(t - launch - 1.5) / 0.9))
        return (np.where(t < launch, trial, 0.0) + np.where(t >= launch, peak * ramp, 0.0)) * noise
    size = float(rng.uniform(0.5, 1.3)) if stage == "phase2" else float(rng.uniform(0.3, 0.8))
    every = int(rng.integers(2, 4))
    runs = int(rng.integers(3, 6)) if stage == "phase2" else int(rng.integers(2, 4))
    first = int(rng.integers(0, max(1, periods // 4)))
    on = (t >= first) & ((t - first) % every == 0) & ((t - first) / every < runs)
    return np.where(on, size, 0.0) * noise


def fit(draft: Draft, network: Network, least: int = 4) -> Draft:
    """The program with the lines that can make it.

    Where fewer than `least` lines can, it is made less special (no schedule, no cold chain, lower
    containment, the main dosage form, an ordinary batch size), as far as it takes.
    """
    platform = draft.platform
    low, high = platform.batch
    ordinary = float(min(max(draft.batch, 0.9 * low), 0.5 * high))
    plain = platform.molecules[0][0]
    easier: tuple[dict[str, Any], ...] = (
        {},
        {"schedule": "", "cold_chain": False},
        {"max_oeb": min(draft.max_oeb, 3), "molecule": plain},
        {"batch": ordinary},
        {"form": platform.forms[0][0], "factor": platform.forms[0][2]},
    )
    best = draft
    for change in easier:
        draft = replace(draft, **change)
        rows = tuple(row for row in network.of[platform.key] if makes(network.suites[row], draft))
        if change == {} or len(rows) > len(best.suites):
            best = replace(draft, suites=rows)
        sound = [row for row in best.suites if not network.sites[network.suites[row].site].gated]
        apart = {network.suites[row].site for row in sound}
        if len(sound) >= least and len(apart) > 1:
            break
    return best


def makes(suite: Suite, draft: Draft) -> bool:
    """Whether a line of the program's technology can make it in batches near its usual size."""
    return (
        draft.form in suite.forms
        and draft.molecule in suite.molecules
        and (not suite.stages or draft.stage in suite.stages)
        and suite.max_oeb >= draft.max_oeb
        and (not draft.schedule or draft.schedule in suite.schedules)
        and (suite.cold_chain or not draft.cold_chain)
        and suite.batch_min <= 1.3 * draft.batch
        and suite.batch_max >= 0.75 * draft.batch
    )
