"""Supply re-planned after an outage, in whole batches, with a bound that none does better.

The mathematics stands in models/recourse.md.
"""

from models.recourse.bounds import proven
from models.recourse.events import Outage, Situation, exposure_limit, outage, situation
from models.recourse.linear import Duals
from models.recourse.search import Effort, Replanned, Search, replan
from models.recourse.standing import Position, position, starts

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
