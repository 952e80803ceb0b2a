"""The decomposition by program: exact pricing, a Lagrangian bound, and plans by neighbourhoods.

The mathematics stands in models/patterns/patterns.md.
"""

from models.patterns.solving import solve

__all__ = ["solve"]
