"""The compact formulation: one MIP in PuLP, solved by HiGHS in process or by CBC.

The mathematics stands in models/compact.md; `rules.py` and `awards.py` hold one function per rule
under the same name.
"""

from models.compact.solving import solve
from models.compact.write import name_map, write_model

__all__ = ["name_map", "solve", "write_model"]
