"""Supply re-planned after an outage, in whole batches, with a bound that none does better.

The mathematics stands in models/recourse.md.
"""

from models.recourse.bounds import proven
from models.recourse.linear import Duals
from models.recourse.position import Position, position, starts
from models.recourse.replan import Effort, Replanned, Search, replan
from models.recourse.situation import Outage, Situation, exposure_limit, outage, situation

__all__ = [
    "Duals",
    "Effort",
    "Outage",
    "Position",
    "Replanned",
    "Search",
    "Situation",
    "exposure_limit",
    "outage",
    "position",
    "proven",
    "replan",
    "situation",
    "starts",
]
