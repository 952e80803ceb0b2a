"""The compact formulation: one MIP in PuLP, solved by HiGHS in process or by CBC.

The mathematics stands in models/compact.md; `rules.py` and `awards.py` hold one function per rule
under the same name.
"""

from models.compact.solving import solve

__all__ = ["solve"]
