"""What a distribution comes to: mean, quantiles and the mean of its tail."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from allocator.simulation.case import Floats


@dataclass(frozen=True)
class Spread:
    """One simulated figure. `cvar` is the mean of the worst 1 - level of the futures."""

    mean: float
    standard_error: float
    p5: float
    p50: float
    p90: float
    p95: float
    cvar: float


def spread(values: Floats, level: float) -> Spread:
    """The spread of N simulated values, more being worse; `level` is that of the CVaR."""
    deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    p5, p50, p90, p95 = (float(x) for x in np.quantile(values, [0.05, 0.5, 0.9, 0.95]))
    return Spread(
        mean=float(values.mean()),
        standard_error=deviation / sqrt(len(values)),
        p5=p5,
        p50=p50,
        p90=p90,
        p95=p95,
        cvar=tail_mean(values, level),
    )


def tail_mean(values: Floats, level: float) -> float:
    """Mean of the worst 1 - `level` of the values; the value at the edge counts in part."""
    count = (1.0 - level) * len(values)
    whole = int(count + 1e-9)
    worst = np.sort(values)[::-1]
    if whole == 0:
        return float(worst[0])
    part = max(count - whole, 0.0)
    edge = part * worst[whole] if whole < len(worst) else 0.0
    return float((worst[:whole].sum() + edge) / (whole + part))
