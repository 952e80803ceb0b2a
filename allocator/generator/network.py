"""CMOs and their lines: who can make what, in which batch sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from allocator.generator.draw import between, pick, quota, significant
from allocator.generator.names import PLACES, company_names
from allocator.generator.platforms import Platform, platforms_of

CLINICAL = ("preclinical", "phase1", "phase2", "phase3")
LATE = ("phase2", "phase3", "commercial")


@dataclass(frozen=True, slots=True)
class Site:
    """A CMO before its money is known; `gated` ones fail the inspection gate of the policy."""

    cmo_id: str
    name: str
    owner: str
    country: str
    region: str
    price_factor: float
    gated: bool


@dataclass(frozen=True, slots=True)
class Suite:
    """A line before its days are known. `site` is a row of the network's sites.

    `kind` is flexible, commercial or clinical; `popularity` steers how many sponsors want it.
    """

    line_id: str
    site: int
    platform: Platform
    kind: str
    forms: tuple[str, ...]
    molecules: tuple[str, ...]
    stages: tuple[str, ...]
    batch_min: float
    batch_max: float
    max_oeb: int
    schedules: tuple[str, ...]
    cold_chain: bool
    changeover_days: float
    changeover_cost: float
    price_factor: float
    popularity: float


@dataclass(frozen=True)
class Network:
    """The sites, their suites, and the technologies they cover."""

    sites: tuple[Site, ...]
    suites: tuple[Suite, ...]
    platforms: tuple[Platform, ...]

    @cached_property
    def of(self) -> dict[str, tuple[int, ...]]:
        """Rows of the suites of each technology."""
        return {
            platform.key: tuple(
                row for row, suite in enumerate(self.suites) if suite.platform is platform
            )
            for platform in self.platforms
        }


def make_network(rng: np.random.Generator, cmos: int, programs: int) -> Network:
    """A network of `cmos` CMOs with about enough lines for `programs` programs."""
    platforms = platforms_of(cmos)
    sites = _sites(rng, cmos)
    per_cmo = min(max(0.4 * programs / cmos, 1.6 if cmos < 9 else 2.0), 5.0)
    suites: list[Suite] = []
    for site, mine in enumerate(_technologies(rng, cmos, round(per_cmo * cmos), platforms)):
        for number, platform in enumerate(mine, start=1):
            line_id = f"{sites[site].cmo_id}-L{number}"
            kind = _kind(rng, cmos, first=number == 1)
            every_form = number == 1 or rng.random() < 0.75
            suites.append(make_suite(rng, line_id, site, platform, kind, every_form))
    return Network(sites, tuple(suites), platforms)


def _sites(rng: np.random.Generator, cmos: int) -> tuple[Site, ...]:
    """Sites in their countries; two in five belong to a group that owns several."""
    width = max(2, len(str(cmos)))
    names = company_names(rng, cmos)
    groups = max(1, round(0.14 * cmos))
    gated = set(rng.permutation(cmos)[: cmos // 12].tolist())
    sites = []
    for row in range(cmos):
        country, region, factor = PLACES[int(rng.integers(len(PLACES)))]
        grouped = rng.random() < 0.4
        owner = f"{names[int(rng.integers(groups))].split()[0]} Group" if grouped else names[row]
        sites.append(
            Site(
                cmo_id=f"C{row + 1:0{width}d}",
                name=names[row],
                owner=owner,
                country=country,
                region=region,
                price_factor=factor * float(rng.uniform(0.92, 1.1)),
                gated=row in gated,
            )
        )
    return tuple(sites)


def _technologies(
    rng: np.random.Generator, cmos: int, lines: int, platforms: tuple[Platform, ...]
) -> list[list[Platform]]:
    """The technologies of each CMO's lines: a home technology, then some of its neighbours."""
    shares = [platform.weight for platform in platforms]
    homes = np.repeat(
        np.arange(len(platforms)), quota(cmos, shares, least=min(3, cmos // len(platforms)))
    )
    homes = rng.permutation(homes[:cmos])
    wanted = np.array(quota(max(lines, cmos), shares, least=3))
    mine = [[platforms[int(home)]] for home in homes]
    wanted -= np.bincount(homes, minlength=len(platforms))
    for row, platform in enumerate(platforms):
        for _ in range(max(0, int(wanted[row]))):
            near = [
                (1.0 if platform in have else 0.5) / len(have) ** 2
                if platform in have or platform.key in have[0].neighbours
                else 0.0
                for have in mine
            ]
            mine[pick(rng, near)].append(platform)
    order = {platform.key: row for row, platform in enumerate(platforms)}
    return [sorted(have, key=lambda platform: order[platform.key]) for have in mine]


def _kind(rng: np.random.Generator, cmos: int, first: bool) -> str:
    """The first line of a CMO is flexible, so that every technology has open doors."""
    shares = (0.55, 0.45, 0.0) if cmos < 20 else (0.45, 0.4, 0.15)
    return "flexible" if first else ("flexible", "commercial", "clinical")[pick(rng, shares)]


def make_suite(
    rng: np.random.Generator,
    line_id: str,
    site: int,
    platform: Platform,
    kind: str,
    every_form: bool,
) -> Suite:
    """One line of a CMO; without `every_form` it makes the main dosage form alone."""
    low, high = platform.batch
    window = {"flexible": (0.25, 0.6), "commercial": (1.0, 1.0), "clinical": (0.08, 0.12)}[kind]
    stretch = float(rng.uniform(0.85, 1.2))
    forms = platform.forms if every_form else platform.forms[:1]
    molecules = [name for name, _ in platform.molecules]
    if "adc" in molecules and rng.random() < 0.5:
        molecules.remove("adc")
    chilled = platform.cold_share > 0 and rng.random() < max(0.75, platform.cold_share)
    return Suite(
        line_id=line_id,
        site=site,
        platform=platform,
        kind=kind,
        forms=tuple(name for name, _, _ in forms),
        molecules=tuple(molecules),
        stages={"flexible": (), "commercial": LATE, "clinical": CLINICAL}[kind],
        batch_min=significant(low * window[0] * stretch, 2),
        batch_max=significant(high * window[1] * stretch, 2),
        max_oeb=int(rng.choice([3, 4, 4, 5])),
        schedules=("II", "III", "IV") if rng.random() < 0.45 else (),
        cold_chain=bool(chilled),
        changeover_days=round(float(rng.uniform(*platform.changeover_days))),
        changeover_cost=between(rng, platform.changeover_cost, 2),
        price_factor=float(rng.uniform(0.93, 1.08)),
        popularity=float(rng.uniform(0.3, 1.0)) ** 2,
    )
