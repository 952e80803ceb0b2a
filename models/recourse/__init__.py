"""Supply re-planned after an outage, in whole batches, with a bound that none does better.

The mathematics stands in models/recourse.md.
"""

from models.recourse.bounds import proven
from models.recourse.events import Outage, Situation, exposure_limit, outage, situation
from models.recourse.linear import Duals
from models.recourse.parts import Part, parts
from models.recourse.rerouting import Replanned, Search, joined, merged, replan
from models.recourse.scene import Scene
from models.recourse.search import Effort, Found, over
from models.recourse.standing import Position, position, starts
from models.recourse.trial import Kept, Trial, Tried

__all__ = [
    "Duals",
    "Effort",
    "Found",
    "Kept",
    "Outage",
    "Part",
    "Position",
    "Replanned",
    "Scene",
    "Search",
    "Situation",
    "Trial",
    "Tried",
    "exposure_limit",
    "joined",
    "merged",
    "outage",
    "over",
    "parts",
    "position",
    "proven",
    "replan",
    "situation",
    "starts",
]
