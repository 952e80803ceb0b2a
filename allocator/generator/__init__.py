"""`allocator new`: the demo portfolio, or a random one of any size and tightness."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from allocator.errors import Usage
from allocator.generator.folder import write_folder

__all__ = ["new"]


def new(
    folder: Path | str,
    programs: int | None = None,
    cmos: int | None = None,
    periods: int | None = None,
    seed: int = 0,
    *,
    utilisation: float = 0.85,
    features: Collection[str] | None = None,
) -> Path:
    """Write the demo portfolio, or with any size given a random one, and return the folder.

    `utilisation` is demanded over offered line-days: 0.6 loose, 0.85 tight, 1.1 short (not all
    demand can be on time). `features` switches optional parts on, all by default (see
    `allocator.generator.synthetic.FEATURES`). Same arguments, same bytes. Raises Usage where the
    folder is not empty or an argument makes no sense; nothing half written stays behind.
    """
    from allocator.generator.synthetic import FEATURES, synthetic

    if programs is None and cmos is None and periods is None:
        from allocator.generator.demo import demo

        return write_folder(Path(folder), demo())
    programs = 40 if programs is None else programs
    cmos = max(3, round(programs * 0.3)) if cmos is None else cmos
    periods = 12 if periods is None else periods
    wanted = FEATURES if features is None else frozenset(features)
    for what, value, least in (
        ("--programs", programs, 1),
        ("--cmos", cmos, 3),
        ("--periods", periods, 4),
        ("--seed", seed, 0),
    ):
        if value < least:
            raise Usage(f"{what} {value} is too small: give {least} or more")
    if not 0.1 <= utilisation <= 3.0:
        raise Usage(f"utilisation {utilisation:g} is out of range: give 0.1 to 3")
    if wanted - FEATURES:
        raise Usage(
            f"unknown feature {', '.join(sorted(wanted - FEATURES))}: "
            f"there are {', '.join(sorted(FEATURES))}"
        )
    return write_folder(Path(folder), synthetic(programs, cmos, periods, seed, utilisation, wanted))
